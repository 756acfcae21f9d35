package authority

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// keyField names the one secret of a key.
const keyField = "key"

// keyRules is what differs between the kinds of keys.
type keyRules struct {
	kind  credential.Kind
	noun  string // of audit actions: "api_key"
	thing string // for people: "API key"
	// mayRead, mayChange and mayRotate are the permissions an operation needs.
	mayRead, mayChange, mayRotate func(*scope, credential.Credential) error
}

// key loads a credential of the kind. Others do not exist as far as its operations can tell.
func (s *scope) key(r keyRules, id credential.ID) (credential.Credential, error) {
	k, err := s.tx.Credential(id)
	if err != nil {
		if problem.Is(err, problem.NotFound) {
			return k, problem.Missing(r.thing)
		}
		return k, err
	}
	if k.Kind != r.kind {
		return k, problem.Missing(r.thing)
	}
	return k, nil
}

// show is a credential as its managers see it.
func (s *scope) show(k credential.Credential) (Key, error) {
	out := Key{Credential: k}
	if k.Principal.Type == access.PrincipalUser {
		p, err := s.principalFacts(k.TenantID, k.Principal)
		if err != nil {
			return out, err
		}
		if p.user != nil {
			out.OwnerName = p.user.Username
		}
	}
	if k.SecretVersion < 2 || k.StateAt(s.now) == credential.Revoked || k.StateAt(s.now) == credential.Expired {
		return out, nil
	}
	material, err := s.tx.Material(k.ID)
	if err != nil {
		return out, err
	}
	for _, m := range material {
		if m.Version != k.SecretVersion && m.ValidUntil.After(s.now) && m.ValidUntil.After(out.GraceUntil) {
			out.GraceUntil = m.ValidUntil
		}
	}
	return out, nil
}

// madeSecret is a secret made outside the transaction, because making one costs time
// that other writers would wait for.
type madeSecret struct {
	clear    secret.Secret
	id       credential.ID
	hint     string
	material credential.Material
}

func (a *Authority) makeSecret(kind credential.Kind) (madeSecret, error) {
	clear, parsed, err := a.format.Generate(kind.KeyType(), a.rand)
	if err != nil {
		return madeSecret{}, err
	}
	return a.digestSecret(clear, parsed), nil
}

func (a *Authority) makeSecretFor(id credential.ID, kind credential.Kind) (madeSecret, error) {
	clear, parsed, err := a.format.GenerateFor([12]byte(id), kind.KeyType(), a.rand)
	if err != nil {
		return madeSecret{}, err
	}
	return a.digestSecret(clear, parsed), nil
}

func (a *Authority) digestSecret(clear secret.Secret, parsed secret.Parsed) madeSecret {
	version := a.peppers.Current()
	digest, _ := a.peppers.Digest(version, &parsed) // the current version is always known
	id := credential.ID(parsed.ID)
	return madeSecret{
		clear: clear, id: id, hint: a.format.Hint(clear),
		material: credential.Material{CredentialID: id, Field: keyField, Version: 1, Digest: [32]byte(digest), PepperVersion: version},
	}
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

// newKey applies the core's rules to a wish.
func (c *change) newKey(r keyRules, w wish, made madeSecret) (credential.Credential, error) {
	none := credential.Credential{}
	if err := credential.ValidateName(w.name); err != nil {
		return none, err
	}
	if err := credential.ValidateLimits(w.limits); err != nil {
		return none, err
	}
	if err := tenancy.ValidateLabels(w.labels); err != nil {
		return none, err
	}
	texts := make([]string, len(w.networks))
	for i, n := range w.networks {
		texts[i] = n.String()
	}
	networks, err := credential.ParseNetworks(texts)
	if err != nil {
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
		ID: made.id, TenantID: c.tenant.ID, Kind: r.kind, Name: w.name, Hint: made.hint,
		State: credential.Active, Networks: networks, Limits: w.limits, Labels: w.labels, SecretVersion: 1,
		NotBefore: starts, ExpiresAt: ends, CreatedAt: c.now, CreatedBy: c.caller.Principal, CreatedByName: plain(c.caller.Name),
	}, nil
}

// insertKey writes a new key with its event.
func (c *change) insertKey(r keyRules, k credential.Credential, made madeSecret) error {
	if err := c.tx.InsertCredential(k, made.material); err != nil {
		return err
	}
	after := fields{"name": k.Name, "kind": k.Kind, "principal": k.Principal.ID, "expires_at": k.ExpiresAt, "not_before": k.NotBefore}
	if len(k.Networks) > 0 {
		after["networks"] = k.Networks
	}
	return c.record(r.noun+".issue", keyTarget(k), nil, after)
}

func keyTarget(k credential.Credential) target {
	return target{kind: "credential", id: k.ID.String(), name: k.Name, org: k.OrganizationID}
}

// issueKey runs an issue operation: build makes the credential and has checked rights.
func (a *Authority) issueKey(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, r keyRules, i Idempotency,
	build func(*change, madeSecret) (credential.Credential, error),
) (out IssuedKey, err error) {
	made, err := a.makeSecret(r.kind)
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
			shown, err := c.show(k)
			return IssuedKey{Key: shown, Secret: made.clear, SecretAvailable: true}, k.ID.String(), err
		}, c.withoutSecret(r))
		return err
	})
	if err != nil {
		return IssuedKey{}, err
	}
	out.Revision = revision
	return out, nil
}

// withoutSecret answers a repeated request for a key.
func (c *change) withoutSecret(r keyRules) func(id string) (IssuedKey, error) {
	return func(id string) (IssuedKey, error) {
		k, err := c.keyAgain(r, id)
		return IssuedKey{Key: k}, err
	}
}

func (c *change) keyAgain(r keyRules, id string) (Key, error) {
	parsed, err := credential.ParseID(id)
	if err != nil {
		return Key{}, err
	}
	k, err := c.key(r, parsed)
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
}

var (
	suspendKey = transition{action: "suspend", apply: credential.Credential.Suspend, before: stateOf}
	resumeKey  = transition{action: "resume", apply: credential.Credential.Resume, before: stateOf}
	revokeKey  = transition{action: "revoke", apply: credential.Credential.Revoke, before: stateOf}
	deleteKey  = transition{action: "delete", apply: credential.Credential.Delete, before: stateOf}
	expireKey  = transition{action: "expire", apply: credential.Credential.Expire, before: stateOf}
)

func renameKey(name string) transition {
	return transition{
		action: "rename",
		apply:  func(k credential.Credential, _ time.Time) (credential.Credential, error) { return k.Rename(name) },
		before: func(k credential.Credential) fields { return fields{"name": k.Name} },
	}
}

func stateOf(k credential.Credential) fields {
	f := fields{"state": k.State}
	if !k.DeletedAt.IsZero() {
		f["deleted_at"] = k.DeletedAt
	}
	return f
}

// changeKey runs one transition with all that belongs to it.
func (a *Authority) changeKey(ctx context.Context, caller access.Caller, in KeyInput, r keyRules, t transition) (out Key, err error) {
	tenant, err := a.keyTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	revision, err := a.change(ctx, caller, tenant, func(c *change) error {
		k, err := c.key(r, in.ID)
		if err != nil {
			return err
		}
		if err := r.mayChange(&c.scope, k); err != nil {
			return err
		}
		if err := c.apiAccess(t.action == resumeKey.action); err != nil {
			return err
		}
		out, err = once(c, r.noun+"."+t.action+"/"+in.ID.String(), in.Idempotency, func() (Key, string, error) {
			k, err := c.applyTransition(r, k, t)
			if err != nil {
				return Key{}, "", err
			}
			shown, err := c.show(k)
			return shown, k.ID.String(), err
		}, func(id string) (Key, error) {
			c.reaffirm(k)
			return c.keyAgain(r, id)
		})
		return err
	})
	if err != nil {
		return Key{}, err
	}
	out.Revision = revision
	return out, nil
}

func finalState(s credential.State) bool { return s == credential.Revoked || s == credential.Expired }

// applyTransition changes one key whose operation is permitted.
func (c *change) applyTransition(r keyRules, k credential.Credential, t transition) (credential.Credential, error) {
	next, err := t.apply(k, c.now)
	if err != nil {
		c.reaffirm(k)
		return k, err
	}
	if err := c.tx.UpdateCredential(next); err != nil {
		return k, err
	}
	if finalState(next.State) && !finalState(k.State) {
		if err := c.tx.DestroyMaterial(k.ID); err != nil {
			return k, err
		}
		if next.State == credential.Revoked {
			c.revocations = append(c.revocations, revokedEntry(next))
		}
	}
	return next, c.record(r.noun+"."+t.action, keyTarget(next), t.before(k), t.before(next))
}

// reaffirm writes the revocation of a key that is revoked already to the journal again.
func (c *change) reaffirm(k credential.Credential) {
	if k.State == credential.Revoked {
		c.revocations = append(c.revocations, revokedEntry(k))
	}
}

// rotateKey gives a key a new secret under the same ID.
func (a *Authority) rotateKey(ctx context.Context, caller access.Caller, in RotateKeyInput, r keyRules) (out IssuedKey, err error) {
	tenant, err := a.keyTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	if err := credential.ValidateGrace(in.Grace); err != nil {
		return out, err
	}
	made, err := a.makeSecretFor(in.ID, r.kind)
	if err != nil {
		return out, err
	}
	revision, err := a.change(ctx, caller, tenant, func(c *change) error {
		k, err := c.key(r, in.ID)
		if err != nil {
			return err
		}
		if err := r.mayRotate(&c.scope, k); err != nil {
			return err
		}
		out, err = once(c, r.noun+".rotate/"+in.ID.String(), in.Idempotency, func() (IssuedKey, string, error) {
			next, err := c.applyRotation(r, k, made, in.Grace)
			if err != nil {
				return IssuedKey{}, "", err
			}
			shown, err := c.show(next)
			return IssuedKey{Key: shown, Secret: made.clear, SecretAvailable: true}, next.ID.String(), err
		}, c.withoutSecret(r))
		return err
	})
	if err != nil {
		return IssuedKey{}, err
	}
	out.Revision = revision
	return out, nil
}

// applyRotation ends the secrets before: the latest at the end of the grace period, any
// older one now, so that at most two ever work.
func (c *change) applyRotation(r keyRules, k credential.Credential, made madeSecret, grace time.Duration) (credential.Credential, error) {
	next, err := k.Rotate(c.now)
	if err != nil {
		return k, err
	}
	next.Hint = made.hint
	until := c.now.Add(grace)
	old, err := c.tx.Material(k.ID)
	if err != nil {
		return k, err
	}
	for _, m := range old {
		end := c.now
		if m.Version == k.SecretVersion {
			end = until
		}
		if !m.ValidUntil.IsZero() && !m.ValidUntil.After(end) {
			continue
		}
		if err := c.tx.EndMaterial(k.ID, m.Field, m.Version, end); err != nil {
			return k, err
		}
	}
	made.material.Version = next.SecretVersion
	if err := c.tx.InsertMaterial(made.material); err != nil {
		return k, err
	}
	if err := c.tx.UpdateCredential(next); err != nil {
		return k, err
	}
	c.revocations = append(c.revocations, rotatedEntry(next, k.SecretVersion, until))
	return next, c.record(r.noun+".rotate", keyTarget(next), fields{"secret_version": k.SecretVersion},
		fields{"secret_version": next.SecretVersion, "grace_until": until})
}

func (a *Authority) keyTenant(ctx context.Context, caller access.Caller, named tenancy.TenantID, id credential.ID) (tenancy.TenantID, error) {
	return a.locate(ctx, caller, named, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsCredentialTenant(id) })
}

// readKey answers one key.
func (a *Authority) readKey(ctx context.Context, caller access.Caller, in KeyInput, r keyRules) (out Key, err error) {
	tenant, err := a.keyTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		k, err := s.key(r, in.ID)
		if err != nil {
			return err
		}
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

// listKeys answers a page of keys; at is the part of the tree the caller may see.
func (s *scope) listKeys(r keyRules, in KeysInput, at tenancy.OrgID) (out store.List[Key], err error) {
	f := store.CredentialFilter{
		Kinds: []credential.Kind{r.kind}, At: at, States: in.States, Search: in.Search,
		ExpiringBefore: in.ExpiringBefore, IncludeDeleted: in.IncludeDeleted,
	}
	if in.Owner != "" {
		f.Owner = &access.Principal{Type: access.PrincipalUser, ID: string(in.Owner)}
	}
	list, err := s.tx.Credentials(f, in.Page)
	if err != nil {
		return out, err
	}
	out = store.List[Key]{Items: make([]Key, 0, len(list.Items)), Next: list.Next, Previous: list.Previous, Total: list.Total}
	for _, k := range list.Items {
		shown, err := s.show(k)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, shown)
	}
	return out, nil
}
