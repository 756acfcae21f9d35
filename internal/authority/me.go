package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// MeInput asks who the caller is.
type MeInput struct{}

// MeOutput is who the caller is and what they hold.
type MeOutput struct {
	Caller       access.Caller          // with Holdings
	Places       []tenancy.Organization // of the holdings, one for each
	User         *tenancy.User          // nil when the caller is not a user
	Tenant       tenancy.Tenant
	Plan         catalog.Plan
	Organization tenancy.Organization // zero when the caller is not a user
	// Permissions are what the caller may use now at their own organization: what they
	// hold, the vendor's part bounded by the plan.
	Permissions access.Set
	// APICredentials is whether the page of API credentials is theirs (VC1): their licence
	// offers some, or they manage everybody's.
	APICredentials bool
	System         bool // the caller acts for the system tenant
}

// hasAPICredentials is who gets the page of API credentials: what ClientCredentials answers
// to rather than refusing, whatever the plan.
func (s *scope) hasAPICredentials(path []tenancy.OrgID) (bool, error) {
	_, err := s.visible("", access.ClientCredentialsManage)
	if err == nil || !problem.Is(err, problem.Denied) {
		return err == nil, err
	}
	if s.caller.Principal.Type != access.PrincipalUser || !s.holds(access.ClientCredentialsManageOwn, path) {
		return false, nil
	}
	_, err = s.scopesOf(s.caller.Principal)
	if problem.Is(err, problem.Denied) {
		return false, nil
	}
	return err == nil, err
}

// Me answers who the caller is and what they hold, in their own tenant. Every caller whom
// we know may ask.
func (a *Authority) Me(ctx context.Context, caller access.Caller, _ MeInput) (out MeOutput, err error) {
	err = a.view(ctx, caller, "", func(s *scope) error {
		out = MeOutput{Caller: s.caller, Tenant: s.tenant, Plan: s.plan, System: s.caller.System()}
		for _, h := range s.caller.Holdings {
			place, err := s.organization(h.Organization)
			if err != nil {
				return err
			}
			out.Places = append(out.Places, place)
		}
		path := s.rootPath()
		if s.caller.Principal.Type == access.PrincipalUser {
			p, err := s.principalFacts(s.target, s.caller.Principal)
			if err != nil {
				return err
			}
			u := *p.user
			out.User, path = &u, p.path
			if out.Organization, err = s.organization(u.OrganizationID); err != nil {
				return err
			}
		}
		out.Permissions = access.Effective(s.caller.At(path), access.NewSet(s.plan.Permissions...))
		out.APICredentials, err = s.hasAPICredentials(path)
		return err
	})
	return out, err
}
