package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// scope is one transaction in one tenant on behalf of one caller, whose holdings are
// resolved in this very transaction and seen from this tenant.
type scope struct {
	a      *Authority
	ctx    context.Context //nolint:containedctx // lives no longer than the transaction's callback
	tx     *store.Tx
	caller access.Caller
	target tenancy.TenantID
	now    time.Time

	tenant tenancy.Tenant
	plan   catalog.Plan
	rights uint64 // rights revision at the start
	ended  bool   // the tenant may be deleted: what is left of it is worked off
	fresh  knowledge
}

func (a *Authority) newScope(ctx context.Context, tx *store.Tx, caller access.Caller, target tenancy.TenantID) scope {
	caller.Holdings = nil // whatever came from outside counts for nothing
	return scope{a: a, ctx: ctx, tx: tx, caller: caller, target: target, now: a.now(), rights: tx.RightsRevision(), fresh: newKnowledge()}
}

// all says that the caller is the installation itself.
func (s *scope) all() bool {
	return s.caller.Via == access.ViaSystem && s.caller.Principal.Type == access.PrincipalSystem
}

// open checks that the tenant can be acted on and resolves what the caller holds there.
func (s *scope) open(absent bool) error {
	if s.target != s.caller.Tenant && s.caller.Tenant != tenancy.SystemTenantID {
		return problem.Missing("tenant")
	}
	if err := s.openTenant(absent); err != nil {
		return err
	}
	if s.all() {
		return nil
	}
	return s.resolveCaller()
}

func (s *scope) openTenant(absent bool) error {
	t, err := s.tenantFacts(s.target)
	if err != nil {
		if absent && problem.Is(err, problem.NotFound) {
			s.tenant.ID = s.target
			return nil
		}
		return err
	}
	if t.tenant.State == tenancy.Deleted && !s.ended {
		return problem.Missing("tenant")
	}
	s.tenant, s.plan = t.tenant, t.plan
	return nil
}

// resolveCaller fills in what the caller holds in their own tenant. What someone of the
// system tenant holds at its root reaches every other tenant; access knows that.
func (s *scope) resolveCaller() error {
	home, err := s.tenantFacts(s.caller.Tenant)
	if err != nil || home.tenant.State != tenancy.Active {
		if err != nil && !problem.Is(err, problem.NotFound) {
			return err
		}
		return stopped()
	}
	if err := s.checkCredential(); err != nil {
		return err
	}
	p, err := s.principalFacts(s.caller.Tenant, s.caller.Principal)
	if err != nil {
		return err
	}
	if p.stopped {
		return stopped()
	}
	switch {
	case p.user != nil:
		s.caller.Name, s.caller.Organization = p.user.Username, p.user.OrganizationID
	case p.account != nil:
		s.caller.Name, s.caller.Organization = p.account.Email, p.account.OrganizationID
	case p.app != nil:
		s.caller.Name, s.caller.Organization = p.app.Name, p.app.OrganizationID
	}
	s.caller.Holdings = p.holdings
	if s.caller.Ceiling != nil {
		s.caller.Holdings = bounded(p.holdings, *s.caller.Ceiling)
	}
	return nil
}

// bounded is what is held as far as a ceiling goes.
func bounded(held []access.Holding, ceiling access.Set) []access.Holding {
	list := make([]access.Holding, len(held))
	for i, h := range held {
		list[i] = access.Holding{Organization: h.Organization, Set: h.Set.Intersect(ceiling)}
	}
	return list
}

// checkCredential makes sure that the credential the caller came with still lives, and
// takes the end of what the caller gives from the stored one.
func (s *scope) checkCredential() error {
	if s.caller.Via != access.ViaCredential {
		return nil
	}
	id, err := credential.ParseID(s.caller.CredentialID)
	if err != nil {
		return stopped()
	}
	k, err := s.tx.AllTenantsIn(s.caller.Tenant).CallersCredential(id)
	if err != nil {
		if problem.Is(err, problem.NotFound) {
			return stopped()
		}
		return err
	}
	if k.StateAt(s.now) != credential.Active || k.Principal != s.caller.Principal {
		return stopped()
	}
	s.caller.CredentialExpires = k.ExpiresAt
	if k.Kind == credential.ClientCredential {
		// It speaks for a user, but for no more than was chosen for it.
		ceiling := access.NewSet(k.Scopes...)
		if s.caller.Ceiling != nil {
			ceiling = ceiling.Intersect(*s.caller.Ceiling)
		}
		s.caller.Ceiling = &ceiling
	}
	return nil
}

func stopped() error {
	return problem.New(problem.Unauthenticated, "caller_stopped", "This account or credential cannot be used any more. Sign in again, or ask your administrator.")
}

// require needs the permission at the end of the path.
func (s *scope) require(p access.Permission, path []tenancy.OrgID) error {
	if s.all() {
		return nil
	}
	return s.caller.Require(p, path)
}

// requireAny needs one of the permissions; the refusal names the first.
func (s *scope) requireAny(path []tenancy.OrgID, any ...access.Permission) error {
	for _, p := range any {
		if s.holds(p, path) {
			return nil
		}
	}
	return s.require(any[0], path)
}

func (s *scope) holds(p access.Permission, path []tenancy.OrgID) bool {
	return s.all() || s.caller.Holds(p, path)
}

// administer needs the permission, and that the caller is of those who may use it at all:
// tenants' credentials cannot manage roles or sign-in.
func (s *scope) administer(p access.Permission, path []tenancy.OrgID) error {
	if s.all() {
		return nil
	}
	if err := access.MayAdminister(s.caller, p); err != nil {
		return err
	}
	return s.require(p, path)
}

// mayGive is the one rule that nobody gives what they may not give.
func (s *scope) mayGive(g access.Gift) error {
	if s.all() {
		return nil
	}
	return s.caller.MayGive(g)
}

// outranks refuses to act on someone whose administrative rights the caller lacks.
func (s *scope) outranks(held []access.Holding) error {
	if s.all() {
		return nil
	}
	for _, h := range held {
		path, err := s.path(h.Organization)
		if err != nil {
			return err
		}
		if !s.caller.At(path).Covers(h.Set.Claviger()) {
			return problem.New(problem.Denied, "outranked", "This user has administrative rights that you do not have. Ask someone who has them.")
		}
	}
	return nil
}

// requireSystem needs a caller of the system tenant who holds the permission at its root.
func (s *scope) requireSystem(p access.Permission) error {
	if s.all() {
		return nil
	}
	if s.caller.Tenant != tenancy.SystemTenantID {
		return problem.New(problem.Denied, "system_only", "Only the operators of this installation may do this.")
	}
	return s.require(p, s.rootPath())
}

func (s *scope) rootPath() []tenancy.OrgID { return []tenancy.OrgID{s.tenant.RootOrg} }

// path leads from the root to the organization.
func (s *scope) path(id tenancy.OrgID) ([]tenancy.OrgID, error) {
	if id == "" || id == s.tenant.RootOrg {
		return s.rootPath(), nil
	}
	o, err := s.organization(id)
	if err != nil {
		return nil, err
	}
	return o.Path, nil
}

// visible decides which part of the tree a list shows: the part asked for, or the highest
// at which the caller has one of the permissions. Empty means all of the tenant.
func (s *scope) visible(asked tenancy.OrgID, any ...access.Permission) (tenancy.OrgID, error) {
	if asked != "" {
		path, err := s.path(asked)
		if err != nil {
			return "", err
		}
		return asked, s.requireAny(path, any...)
	}
	if s.requireAny(s.rootPath(), any...) == nil {
		return "", nil
	}
	var best []tenancy.OrgID
	for _, h := range s.caller.Holdings {
		path, err := s.path(h.Organization)
		if err != nil {
			return "", err
		}
		if s.requireAny(path, any...) == nil && (best == nil || len(path) < len(best)) {
			best = path
		}
	}
	if best == nil {
		return "", s.requireAny(s.rootPath(), any...)
	}
	return best[len(best)-1], nil
}

// apiAccess refuses keys in a tenant whose plan does not include them (PV4). The
// installation's operators may still see and end what is there.
func (s *scope) apiAccess(issuing bool) error {
	if s.plan.APIAccess || (!issuing && s.caller.System()) {
		return nil
	}
	return problem.New(problem.Denied, "plan_without_api_access", "The plan does not include API access, so API keys cannot be managed and do not work. Change to a plan that includes it.")
}

// effective is what someone who holds held may do in this tenant: the vendor's part of it
// as far as the plan goes.
func (s *scope) effective(held access.Set) access.Set {
	return access.Effective(held, access.NewSet(s.plan.Permissions...))
}

// stepUp is how long ago a person may have proved themselves when a secret is shown again.
const stepUp = 5 * time.Minute

// reauthenticated needs a person's own session in which they proved themselves a moment
// ago. No credential can, so that a leaked one shows no other.
func (s *scope) reauthenticated() error {
	since := s.now.Sub(s.caller.ReauthenticatedAt)
	if s.caller.Via == access.ViaSession && !s.caller.ReauthenticatedAt.IsZero() && since >= -time.Minute && since <= stepUp {
		return nil
	}
	return problem.New(problem.Denied, "reauthentication_required",
		"Secrets are shown only to people who have just confirmed their password in the console. Confirm it and try again within 5 minutes.")
}
