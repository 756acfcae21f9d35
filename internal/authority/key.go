package authority

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// keyRules is what differs between the kinds of keys.
type keyRules struct {
	kind  credential.Kind
	noun  string // of audit actions: "api_key"
	thing string // for people: "API key"
	field string // of its secret: credential.FieldKey or credential.FieldSecret
	// recoverable secrets can be shown again, so they are sealed.
	recoverable bool
	// mayRead, mayEdit, mayChange and mayRotate are the permissions an operation needs;
	// mayEdit is for what it is, mayChange for its state.
	mayRead, mayEdit, mayChange, mayRotate func(*scope, credential.Credential) error
	// mayGive is whether the caller may hand out what the key carries, for as long as it lives.
	mayGive func(*scope, credential.Credential) error
}

// kinds are the rules of all that one operation is for; the first names it.
type kinds []keyRules

// key loads a credential of the kinds. Others do not exist as far as an operation can tell.
func (s *scope) key(of kinds, id credential.ID) (credential.Credential, keyRules, error) {
	missing := problem.Missing(of[0].thing)
	k, err := s.tx.Credential(id)
	if problem.Is(err, problem.NotFound) {
		return k, of[0], missing
	}
	if err != nil {
		return k, of[0], err
	}
	for _, r := range of {
		if k.Kind == r.kind {
			return k, r, nil
		}
	}
	return credential.Credential{}, of[0], missing
}

// wish is what may be chosen of any new key.
type wish struct {
	name      string
	notBefore time.Time
	expiresAt *time.Time
	networks  []netip.Prefix
	limits    credential.Limits
	labels    tenancy.Labels
}

// newKey applies the core's rules and the tenant's policy to a wish.
func (c *change) newKey(r keyRules, w wish, made freshSecrets) (k credential.Credential, err error) {
	if err := c.mayCreate(r.kind); err != nil {
		return k, err
	}
	if err := c.validateName(w.name); err != nil {
		return k, err
	}
	if w.networks, err = c.networksOf(w.networks); err != nil {
		return k, err
	}
	return c.keyLike(r, w, made)
}

// keyLike is newKey for a key that takes the place of one that is there, with its name and
// its networks: what policy says about these, and about who makes keys, was asked when that
// one was made.
func (c *change) keyLike(r keyRules, w wish, made freshSecrets) (credential.Credential, error) {
	none := credential.Credential{}
	if err := credential.ValidateLimits(w.limits); err != nil {
		return none, err
	}
	if err := tenancy.ValidateLabels(w.labels); err != nil {
		return none, err
	}
	ends, err := credential.Expiry(r.kind, w.expiresAt, c.tenant.Policy, c.caller.CredentialExpires, c.now)
	if err != nil {
		return none, err
	}
	starts := w.notBefore
	if !starts.IsZero() {
		starts = starts.UTC().Truncate(time.Microsecond)
	}
	if !ends.IsZero() && !starts.Before(ends) {
		return none, problem.InvalidField("/not_before", "Choose a time before the key expires.")
	}
	return credential.Credential{
		ID: made.id, TenantID: c.tenant.ID, Kind: r.kind, Name: w.name, Hint: made.hint(),
		State: credential.Active, Networks: w.networks, Limits: w.limits, Labels: w.labels, SecretVersion: 1,
		NotBefore: starts, ExpiresAt: ends, CreatedAt: c.now, CreatedBy: c.caller.Principal, CreatedByName: plain(c.caller.Name),
	}, nil
}

// ruledBy completes the rules of a kind of which whoever has one right does everything.
func ruledBy(r keyRules, may func(*scope, credential.Credential) error) keyRules {
	r.mayRead, r.mayEdit, r.mayChange = may, may, may
	give := r.mayGive
	r.mayRotate = func(s *scope, k credential.Credential) error {
		if err := may(s, k); err != nil {
			return err
		}
		if err := s.apiAccess(true); err != nil {
			return err
		}
		return give(s, k)
	}
	return r
}

// insertKey writes a new key with its event.
func (c *change) insertKey(r keyRules, k credential.Credential, made freshSecrets) error {
	material, err := made.material(c, 1)
	if err != nil {
		return err
	}
	if err := c.tx.InsertCredential(k, material...); err != nil {
		return err
	}
	return c.record(r.noun+".issue", keyTarget(k), nil, issuedFields(k))
}

func issuedFields(k credential.Credential) fields {
	f := fields{"name": k.Name, "kind": k.Kind, "principal": k.Principal.ID, "expires_at": k.ExpiresAt, "not_before": k.NotBefore}
	if len(k.Networks) > 0 {
		f["networks"] = k.Networks
	}
	if len(k.Scopes) > 0 {
		f["scopes"] = k.Scopes
	}
	if k.PublicID != "" {
		f["public_id"] = k.PublicID
	}
	return f
}

func keyTarget(k credential.Credential) target {
	return target{kind: "credential", id: k.ID.String(), name: k.Name, org: k.OrganizationID}
}

// issueKey runs an issue operation: build makes the credential and has checked rights.
func (a *Authority) issueKey(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, r keyRules, i Idempotency,
	build func(*change, freshSecrets) (credential.Credential, error),
) (out IssuedKey, err error) {
	made, err := a.makeSecrets(ctx, caller, tenant, r)
	if err != nil {
		return out, err
	}
	revision, err := a.change(ctx, caller, tenant, func(c *change) error {
		k, err := build(c, made)
		if err != nil {
			return err
		}
		out, err = once(c, r.noun+".issue", i, func() (IssuedKey, string, error) {
			if err := c.insertKey(r, k, made); err != nil {
				return IssuedKey{}, "", err
			}
			shown, err := c.showNew(k, r)
			return IssuedKey{Key: shown, Secret: made.clear(), SecretAvailable: true}, k.ID.String(), err
		}, c.withoutSecret(kinds{r}))
		return err
	})
	if err != nil {
		return IssuedKey{}, err
	}
	out.Revision = revision
	return out, nil
}

// withoutSecret answers a repeated request for a key.
func (c *change) withoutSecret(of kinds) func(id string) (IssuedKey, error) {
	return func(id string) (IssuedKey, error) {
		k, err := c.keyAgain(of, id)
		return IssuedKey{Key: k}, err
	}
}

func (c *change) keyAgain(of kinds, id string) (Key, error) {
	parsed, err := credential.ParseID(id)
	if err != nil {
		return Key{}, err
	}
	k, _, err := c.key(of, parsed)
	if err != nil {
		return Key{}, err
	}
	return c.show(k)
}

// transition is a change of one key's state or name.
type transition struct {
	action string // "revoke"
	apply  func(k credential.Credential, now time.Time) (credential.Credential, error)
	before func(k credential.Credential) fields
	// policy is what the tenant's policy asks of it; nil means nothing.
	policy func(credential.Credential, tenancy.Policy) error
}

var (
	suspendKey = transition{action: "suspend", apply: credential.Credential.Suspend, before: stateOf}
	resumeKey  = transition{action: "resume", apply: credential.Credential.Resume, before: stateOf, policy: credential.Credential.MayResume}
	revokeKey  = transition{action: "revoke", apply: credential.Credential.Revoke, before: stateOf}
	deleteKey  = transition{action: "delete", apply: credential.Credential.Delete, before: stateOf}
	expireKey  = transition{action: "expire", apply: credential.Credential.Expire, before: stateOf}
)

func renameKey(name string) transition {
	return transition{
		action: "rename",
		apply:  func(k credential.Credential, _ time.Time) (credential.Credential, error) { return k.Rename(name) },
		before: func(k credential.Credential) fields { return fields{"name": k.Name} },
		policy: func(_ credential.Credential, p tenancy.Policy) error { return credential.FitName(name, p) },
	}
}

func stateOf(k credential.Credential) fields {
	f := fields{"state": k.State}
	if !k.DeletedAt.IsZero() {
		f["deleted_at"] = k.DeletedAt
	}
	return f
}

// changeOne runs a change of one key of the kinds, in the tenant where it is.
func (a *Authority) changeOne(ctx context.Context, caller access.Caller, named tenancy.TenantID, id credential.ID, of kinds,
	do func(*change, credential.Credential, keyRules) error,
) (uint64, error) {
	tenant, err := a.keyTenant(ctx, caller, named, id)
	if err != nil {
		return 0, err
	}
	return a.change(ctx, caller, tenant, func(c *change) error {
		k, r, err := c.key(of, id)
		if err != nil {
			return err
		}
		return do(c, k, r)
	})
}

// viewOne looks at one key of the kinds, in the tenant where it is.
func (a *Authority) viewOne(ctx context.Context, caller access.Caller, in KeyInput, of kinds, look func(*scope, credential.Credential, keyRules) error) error {
	tenant, err := a.keyTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return err
	}
	return a.view(ctx, caller, tenant, func(s *scope) error {
		k, r, err := s.key(of, in.ID)
		if err != nil {
			return err
		}
		return look(s, k, r)
	})
}

// changeKey runs one transition with all that belongs to it.
func (a *Authority) changeKey(ctx context.Context, caller access.Caller, in KeyInput, of kinds, t transition) (out Key, err error) {
	revision, err := a.changeOne(ctx, caller, in.Tenant, in.ID, of, func(c *change, k credential.Credential, r keyRules) error {
		if err := c.mayTransit(r, k, t); err != nil {
			return err
		}
		out, err = once(c, of[0].noun+"."+t.action+"/"+in.ID.String(), in.Idempotency, func() (Key, string, error) {
			k, err := c.applyTransition(r, k, t)
			if err != nil {
				return Key{}, "", err
			}
			shown, err := c.show(k)
			return shown, k.ID.String(), err
		}, func(id string) (Key, error) {
			c.reaffirm(k)
			return c.keyAgain(of, id)
		})
		return err
	})
	if err != nil {
		return Key{}, err
	}
	out.Revision = revision
	return out, nil
}

// mayTransit checks the right to a transition, and that the plan has keys at all.
func (s *scope) mayTransit(r keyRules, k credential.Credential, t transition) error {
	if err := r.mayChange(s, k); err != nil {
		return err
	}
	return s.apiAccess(t.action == resumeKey.action)
}

func finalState(s credential.State) bool { return s == credential.Revoked || s == credential.Expired }

// applyTransition changes one key whose operation is permitted.
func (c *change) applyTransition(r keyRules, k credential.Credential, t transition) (credential.Credential, error) {
	next, err := c.transit(k, t)
	if err != nil {
		return k, err
	}
	return next, c.record(r.noun+"."+t.action, keyTarget(next), t.before(k), t.before(next))
}

// transit is applyTransition without its event.
func (c *change) transit(k credential.Credential, t transition) (credential.Credential, error) {
	next, err := t.apply(k, c.now)
	if err != nil {
		c.reaffirm(k)
		return k, err
	}
	if t.policy != nil {
		if err := t.policy(k, c.tenant.Policy); err != nil {
			return k, err
		}
	}
	if !finalState(next.State) || finalState(k.State) {
		return next, c.tx.UpdateCredential(next)
	}
	if next.State == credential.Revoked {
		c.revocations = append(c.revocations, revokedEntry(next))
	}
	return next, c.tx.EndCredential(next)
}

// reaffirm writes the revocation of a key that is revoked already to the journal again.
func (c *change) reaffirm(k credential.Credential) {
	if k.State == credential.Revoked {
		c.revocations = append(c.revocations, revokedEntry(k))
	}
}

func (a *Authority) keyTenant(ctx context.Context, caller access.Caller, named tenancy.TenantID, id credential.ID) (tenancy.TenantID, error) {
	return a.locate(ctx, caller, named, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsCredentialTenant(id) })
}

// readKey answers one key.
func (a *Authority) readKey(ctx context.Context, caller access.Caller, in KeyInput, of kinds) (out Key, err error) {
	err = a.viewOne(ctx, caller, in, of, func(s *scope, k credential.Credential, r keyRules) (err error) {
		if err := r.mayRead(s, k); err != nil {
			return err
		}
		if err := s.apiAccess(false); err != nil {
			return err
		}
		out, err = s.show(k)
		return err
	})
	return out, err
}

// listKeys answers a page of the keys that a filter finds.
func (s *scope) listKeys(f store.CredentialFilter, page store.Page) (out store.List[Key], err error) {
	list, err := s.tx.Credentials(f, page)
	if err != nil {
		return out, err
	}
	return pageOf(list, s.showAll)
}

// filter is the input without what the caller's rights decide: kinds and place.
func (in KeysInput) filter(at tenancy.OrgID, kinds ...credential.Kind) store.CredentialFilter {
	f := store.CredentialFilter{
		Kinds: kinds, At: at, States: in.States, Search: in.Search, AsOf: in.AsOf,
		ExpiringBefore: in.ExpiringBefore, IncludeDeleted: in.IncludeDeleted,
	}
	if in.Owner != "" {
		f.Owner = &access.Principal{Type: access.PrincipalUser, ID: string(in.Owner)}
	}
	return f
}
