package authority

import (
	"context"
	"fmt"
	"slices"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Fate is what happens to a credential when its owner leaves.
type Fate string

// The fates. Whatever is handed over gets a new secret at once, because whoever leaves
// knows the one before.
const (
	FateSuspend  Fate = "suspend"
	FateRevoke   Fate = "revoke"
	FateHandOver Fate = "hand_over"
)

// Departure is what happens to a user in the end.
type Departure string

// The departures. Empty means that the user stays as they are.
const (
	DepartureSuspend Departure = "suspend"
	DepartureDelete  Departure = "delete"
)

// CredentialFate is the fate of one credential.
type CredentialFate struct {
	ID   credential.ID
	Fate Fate
	To   tenancy.UserID // with FateHandOver: whom it will speak for
}

// MaxFates is how many credentials one operation decides about.
const MaxFates = 200

// OffboardUserInput decides about credentials of a user, and about the user. Credentials
// that it does not name stop with a suspended user, and user keys end with a deleted one;
// a deleted user's client credentials must all be decided about (VC5).
type OffboardUserInput struct {
	Tenant      tenancy.TenantID
	ID          tenancy.UserID
	Departure   Departure
	Credentials []CredentialFate // at most MaxFates
	Idempotency
}

// OffboardedUser is how it went.
type OffboardedUser struct {
	User        tenancy.User
	Credentials []IssuedKey // those that were named, in that order
	Revision    uint64
}

// OwnedKey is a credential of a user, with what the caller may let happen to it.
type OwnedKey struct {
	Key
	Fates []Fate
}

// UserCredentialsInput asks for the credentials of a user.
type UserCredentialsInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.UserID
	Page   store.Page
}

// ownedKinds are the kinds that belong to a user.
var ownedKinds = kinds{userKeys, clientCredentials}

// UserCredentials lists the active and suspended credentials of a user, of every kind, with what
// the caller may let happen to each when the user leaves. It needs claviger.users:manage
// where the user is.
func (a *Authority) UserCredentials(ctx context.Context, caller access.Caller, in UserCredentialsInput) (out store.List[OwnedKey], err error) {
	tenant, err := a.userTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		if err := s.mayOffboard(in.ID); err != nil {
			return err
		}
		list, err := s.tx.Credentials(livingOf(in.ID), in.Page)
		if err != nil {
			return err
		}
		shown, err := pageOf(list, s.showAll)
		if err != nil {
			return err
		}
		out = store.List[OwnedKey]{Total: shown.Total, Next: shown.Next, Previous: shown.Previous}
		for _, k := range shown.Items {
			out.Items = append(out.Items, s.owned(k))
		}
		return nil
	})
	return out, err
}

// livingOf finds what speaks for a user, or would if nothing stopped it.
func livingOf(id tenancy.UserID) store.CredentialFilter {
	owner := userPrincipal(id)
	return store.CredentialFilter{Owner: &owner, States: []credential.State{credential.Active, credential.Suspended}}
}

// mayOffboard needs the right to change the user.
func (s *scope) mayOffboard(id tenancy.UserID) error {
	u, err := s.user(id)
	if err != nil {
		return err
	}
	path, err := s.path(u.OrganizationID)
	if err != nil {
		return err
	}
	return s.require(access.UsersManage, path)
}

// owned says what the caller may let happen to a credential. Who may not read it gets no
// more than the refusal to delete its owner tells anyway: what it is called.
func (s *scope) owned(k Key) OwnedKey {
	r := rulesOf(k.Kind)
	out := OwnedKey{Key: k}
	if r.mayRead == nil || r.mayRead(s, k.Credential) != nil {
		out.Hint = ""
		return out
	}
	if k.StateAt(s.now) == credential.Active && s.mayTransit(r, k.Credential, suspendKey) == nil {
		out.Fates = append(out.Fates, FateSuspend)
	}
	if s.mayTransit(r, k.Credential, revokeKey) == nil {
		out.Fates = append(out.Fates, FateRevoke)
		if s.mayPass(k.Kind) == nil {
			out.Fates = append(out.Fates, FateHandOver)
		}
	}
	return out
}

// OffboardUser decides what becomes of a user's credentials, and then suspends or deletes
// the user, all in one change or not at all. It needs what SuspendUser and DeleteUser need;
// for each credential that is named the right to change it; and to hand one over the right
// to give what it carries to the new owner, who must be allowed to have such a credential
// and, of a client credential, all of its scopes; the tenant's policy must let the caller
// make credentials of the kind. The new secret is answered only to a
// caller who could rotate the credential afterwards: the new owner, or a caller of the
// system tenant. Everybody else leaves it to the new owner to rotate it. Problems:
// may_not_hold, last_administrator, owns_client_credentials, policy_administrators_only,
// policy_nobody_creates, the credentials' own. Audited
// per credential, as user.suspend or user.delete, and in the revocation journal before it
// returns.
func (a *Authority) OffboardUser(ctx context.Context, caller access.Caller, in OffboardUserInput) (out OffboardedUser, err error) {
	if err := in.validate(); err != nil {
		return out, err
	}
	if in.Tenant, err = a.userTenant(ctx, caller, in.Tenant, in.ID); err != nil {
		return out, err
	}
	made, err := a.makeSecretsForMany(ctx, caller, in)
	if err != nil {
		return out, err
	}
	revision, err := a.changeUserAt(ctx, caller, UserInput{Tenant: in.Tenant, ID: in.ID}, false, func(c *change, u tenancy.User, p principalFacts) error {
		out, err = once(c, "user.offboard/"+string(u.ID), in.Idempotency, func() (OffboardedUser, string, error) {
			result, err := c.offboard(u, p, in, made)
			return result, string(u.ID), err
		}, func(string) (OffboardedUser, error) {
			keys, err := c.offboarded(in, nil)
			return OffboardedUser{User: u, Credentials: keys}, err
		})
		return err
	})
	if err != nil {
		return OffboardedUser{}, err
	}
	out.Revision = revision
	return out, nil
}

func (in OffboardUserInput) validate() error {
	switch in.Departure {
	case "":
		if len(in.Credentials) == 0 {
			return problem.InvalidField("/credentials", "Name at least one credential, or say what becomes of the user.")
		}
	case DepartureSuspend, DepartureDelete:
	default:
		return problem.InvalidField("/then", "Choose suspend or delete, or leave it out.")
	}
	if len(in.Credentials) > MaxFates {
		return problem.InvalidField("/credentials", fmt.Sprintf("Name at most %d credentials at once.", MaxFates))
	}
	for i, f := range in.Credentials {
		if err := in.validateFate(i, f); err != nil {
			return err
		}
	}
	return nil
}

func (in OffboardUserInput) validateFate(i int, f CredentialFate) error {
	at := fmt.Sprintf("/credentials/%d", i)
	if slices.ContainsFunc(in.Credentials[:i], func(o CredentialFate) bool { return o.ID == f.ID }) {
		return problem.InvalidField(at+"/id", "Name each credential once.")
	}
	switch f.Fate {
	case FateSuspend:
		if in.Departure == DepartureDelete {
			return problem.InvalidField(at+"/action", "What belongs to a deleted user cannot be resumed. Revoke it or hand it over.")
		}
	case FateRevoke:
	case FateHandOver:
		if f.To == "" {
			return problem.InvalidField(at+"/to", "Name the user who gets it.")
		}
		if f.To == in.ID {
			return problem.InvalidField(at+"/to", "Name another user: this one leaves.")
		}
		return nil
	default:
		return problem.InvalidField(at+"/action", "Choose suspend, revoke or hand_over.")
	}
	if f.To != "" {
		return problem.InvalidField(at+"/to", "Only what is handed over has a new owner. Leave this out.")
	}
	return nil
}

// makeSecretsForMany makes the next secrets of what is handed over, before the transaction.
// Those of unknown credentials are left out: that they are unknown is found later.
func (a *Authority) makeSecretsForMany(ctx context.Context, caller access.Caller, in OffboardUserInput) (map[credential.ID]freshSecrets, error) {
	var ids []credential.ID
	for _, f := range in.Credentials {
		if f.Fate == FateHandOver {
			ids = append(ids, f.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var found []credential.Credential
	err := a.view(ctx, caller, in.Tenant, func(s *scope) (err error) {
		found, err = s.tx.CredentialsByID(ids)
		return err
	})
	made := make(map[credential.ID]freshSecrets, len(found))
	for _, k := range found {
		r, ok := ownedKinds.rules(k.Kind)
		if !ok {
			continue
		}
		clear, parsed, err := a.format.GenerateFor([12]byte(k.ID), r.kind.KeyType(), a.rand)
		if err != nil {
			return nil, err
		}
		if made[k.ID], err = a.completeSecrets(ctx, caller, in.Tenant, r, a.digestSecret(clear, parsed, r.field)); err != nil {
			return nil, err
		}
	}
	return made, err
}

// rules are those of a kind, if it is among them.
func (of kinds) rules(kind credential.Kind) (keyRules, bool) {
	for _, r := range of {
		if r.kind == kind {
			return r, true
		}
	}
	return keyRules{}, false
}

// offboard works off the credentials, then the user. All rights are checked before the
// first write, because each read sends what was written.
func (c *change) offboard(u tenancy.User, p principalFacts, in OffboardUserInput, made map[credential.ID]freshSecrets) (OffboardedUser, error) {
	out := OffboardedUser{User: u}
	fates, err := c.weigh(u, in)
	if err != nil {
		return out, err
	}
	shown := map[credential.ID]secret.Secret{}
	for _, f := range fates {
		key, err := c.meet(f, made[f.k.ID])
		if err != nil {
			return out, err
		}
		if !key.IsZero() {
			shown[f.k.ID] = key
		}
	}
	if in.Departure != "" {
		if out.User, err = c.depart(u, p, in.Departure); err != nil {
			return out, err
		}
	}
	out.Credentials, err = c.offboarded(in, shown)
	return out, err
}

// depart suspends or deletes a user whose credentials are dealt with.
func (c *change) depart(u tenancy.User, p principalFacts, d Departure) (tenancy.User, error) {
	next := u
	next.State = tenancy.Suspended
	if d == DepartureDelete {
		next.State = tenancy.Deleted
		if err := c.ownsNoClients(u); err != nil {
			return u, err
		}
	} else if u.State != tenancy.Active {
		return u, stateConflict("user", u.State)
	}
	return next, c.keepingAdministrator(func() error { return c.applyUserState(u, next, p, string(d)) })
}

// weighed is a fate with what it is about, permitted.
type weighed struct {
	k    credential.Credential
	r    keyRules
	fate Fate
	heir heir // of what is handed over
}

// weigh checks every fate.
func (c *change) weigh(u tenancy.User, in OffboardUserInput) ([]weighed, error) {
	ids := make([]credential.ID, len(in.Credentials))
	for i, f := range in.Credentials {
		ids[i] = f.ID
	}
	found, err := c.tx.CredentialsByID(ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[credential.ID]credential.Credential, len(found))
	for _, k := range found {
		byID[k.ID] = k
	}
	heirs := map[tenancy.UserID]heir{}
	out := make([]weighed, 0, len(in.Credentials))
	for i, f := range in.Credentials {
		k := byID[f.ID]
		r, ok := ownedKinds.rules(k.Kind)
		if !ok || k.Principal != userPrincipal(u.ID) {
			return nil, problem.InvalidField(fmt.Sprintf("/credentials/%d/id", i), "This user has no such credential.")
		}
		w := weighed{k: k, r: r, fate: f.Fate}
		if f.Fate == FateHandOver {
			h, known := heirs[f.To]
			if !known {
				if h, err = c.heirOf(f.To); problem.Is(err, problem.NotFound) {
					return nil, problem.InvalidField(fmt.Sprintf("/credentials/%d/to", i), "There is no such user in this tenant.")
				}
				if err != nil {
					return nil, err
				}
				heirs[f.To] = h
			}
			w.heir = h
		}
		if err := c.mayMeet(w, in.Departure); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// mayMeet checks the right to a fate. Ending a user ends their keys, so nothing more than
// that is needed for those.
func (c *change) mayMeet(w weighed, d Departure) error {
	switch w.fate {
	case FateSuspend:
		return c.mayTransit(w.r, w.k, suspendKey)
	case FateRevoke:
		if d == DepartureDelete && w.k.Kind == credential.UserKey {
			return nil
		}
		return c.mayTransit(w.r, w.k, revokeKey)
	case FateHandOver:
		return c.mayHandOver(w.r, w.k, w.heir)
	}
	return nil
}

// meet lets a permitted fate happen. It returns the new secret where the caller may have it.
func (c *change) meet(w weighed, made freshSecrets) (none secret.Secret, err error) {
	switch w.fate {
	case FateSuspend:
		_, err = c.applyTransition(w.r, w.k, suspendKey)
	case FateRevoke:
		_, err = c.applyTransition(w.r, w.k, revokeKey)
	case FateHandOver:
		return c.handOver(w, made)
	}
	return none, err
}

// handOver gives a credential another owner and a new secret; the one before ends at once.
func (c *change) handOver(w weighed, made freshSecrets) (none secret.Secret, err error) {
	if made.id != w.k.ID {
		return none, problem.Missing(w.r.thing)
	}
	given := w.heir.given(w.k)
	if err := c.record(w.r.noun+".hand_over", keyTarget(given),
		fields{"principal": w.k.Principal.ID, "organization_id": w.k.OrganizationID},
		fields{"principal": given.Principal.ID, "organization_id": given.OrganizationID}); err != nil {
		return none, err
	}
	next, err := c.applyRotation(w.r, given, made, 0)
	if err != nil {
		return none, err
	}
	if w.r.mayRotate(&c.scope, next) == nil {
		return made.clear(), nil
	}
	return none, nil
}

// offboarded is what became of the credentials that were named.
func (c *change) offboarded(in OffboardUserInput, shown map[credential.ID]secret.Secret) ([]IssuedKey, error) {
	ids := make([]credential.ID, len(in.Credentials))
	for i, f := range in.Credentials {
		ids[i] = f.ID
	}
	found, err := c.tx.CredentialsByID(ids)
	if err != nil {
		return nil, err
	}
	keys, err := c.showAll(found)
	if err != nil {
		return nil, err
	}
	out := make([]IssuedKey, 0, len(keys))
	for _, id := range ids {
		if i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id }); i >= 0 {
			s, ok := shown[id]
			out = append(out, IssuedKey{Key: keys[i], Secret: s, SecretAvailable: ok})
		}
	}
	return out, nil
}
