package authority

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// ServiceAccount is a service account with the roles it has, wherever in the tree.
type ServiceAccount struct {
	tenancy.ServiceAccount
	OrganizationName string
	Roles            []Assignment
	Keys             int       // active or suspended
	LastUsedAt       time.Time // of any of its keys; zero means never
	Revision         uint64    // of the change that answered it; zero on reads
}

// CreateServiceAccountInput describes a new service account.
type CreateServiceAccountInput struct {
	Tenant         tenancy.TenantID
	OrganizationID tenancy.OrgID // empty means the root
	Description    string
	Roles          []access.RoleID // given at its organization
	Labels         tenancy.Labels
	Idempotency
}

// ChangeServiceAccountInput changes what is not nil. Roles are those at its own
// organization.
type ChangeServiceAccountInput struct {
	Tenant      tenancy.TenantID
	ID          tenancy.ServiceAccountID
	Description *string
	Roles       *[]access.RoleID
	Labels      *tenancy.Labels
}

// ServiceAccountInput names one service account.
type ServiceAccountInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.ServiceAccountID
	Idempotency
}

// ServiceAccountsInput filters the list of service accounts.
type ServiceAccountsInput struct {
	Tenant         tenancy.TenantID
	At             tenancy.OrgID // at and below
	States         []tenancy.State
	Search         string
	IncludeDeleted bool
	Page           store.Page
}

// mostRoles bounds what one service account is given in one go.
const mostRoles = 100

func accountPrincipal(id tenancy.ServiceAccountID) access.Principal {
	return access.Principal{Type: access.PrincipalServiceAccount, ID: string(id)}
}

func accountTarget(a tenancy.ServiceAccount) target {
	return target{kind: "service_account", id: string(a.ID), name: a.Email, org: a.OrganizationID}
}

func accountFields(a tenancy.ServiceAccount) fields {
	return fields{"description": a.Description, "external_id": a.Labels.ExternalID, "metadata": a.Labels.Metadata}
}

func validateAccount(a tenancy.ServiceAccount) error {
	if a.Description != "" {
		if err := tenancy.ValidateName("/description", a.Description); err != nil {
			return err
		}
	}
	return tenancy.ValidateLabels(a.Labels)
}

// accountEmail names an account in its key files. It is no mailbox: the domain is one that
// no name server will ever have.
func accountEmail(id tenancy.ServiceAccountID, t tenancy.Tenant) string {
	const tail = 12
	return "sva-" + string(id[len(id)-tail:]) + "@" + t.Slug + ".claviger.internal"
}

// serviceAccount loads a service account that is not deleted, where the caller may manage it.
func (s *scope) serviceAccount(id tenancy.ServiceAccountID) (a tenancy.ServiceAccount, path []tenancy.OrgID, err error) {
	if a, err = s.tx.ServiceAccount(id); err != nil {
		return a, nil, err
	}
	if a.State == tenancy.Deleted {
		return a, nil, problem.Missing("service account")
	}
	if path, err = s.path(a.OrganizationID); err != nil {
		return a, nil, err
	}
	return a, path, s.require(access.ServiceAccountsManage, path)
}

func (s *scope) showAccount(a tenancy.ServiceAccount) (ServiceAccount, error) {
	shown, err := s.showAccounts([]tenancy.ServiceAccount{a})
	if err != nil {
		return ServiceAccount{ServiceAccount: a}, err
	}
	return shown[0], nil
}

// showAccounts completes service accounts, with one query for each kind of thing.
func (s *scope) showAccounts(list []tenancy.ServiceAccount) ([]ServiceAccount, error) {
	ids := make([]string, len(list))
	places := make([]tenancy.OrgID, len(list))
	for i, a := range list {
		ids[i], places[i] = string(a.ID), a.OrganizationID
	}
	names, err := s.tx.OrganizationNames(places)
	if err != nil {
		return nil, err
	}
	held, err := s.tx.AssignmentsOfAll(access.PrincipalServiceAccount, ids)
	if err != nil {
		return nil, err
	}
	var all []access.Assignment
	for _, id := range ids {
		all = append(all, held[id]...)
	}
	shown, err := s.showAssignments(all)
	if err != nil {
		return nil, err
	}
	roles := map[string][]Assignment{}
	for _, as := range shown {
		roles[as.Principal.ID] = append(roles[as.Principal.ID], as)
	}
	keys, err := s.tx.Uses(access.PrincipalServiceAccount, ids)
	if err != nil {
		return nil, err
	}
	out := make([]ServiceAccount, len(list))
	for i, a := range list {
		use := keys[ids[i]]
		out[i] = ServiceAccount{
			ServiceAccount: a, OrganizationName: names[a.OrganizationID], Roles: roles[ids[i]],
			Keys: use.Living, LastUsedAt: use.LastUsedAt,
		}
	}
	return out, nil
}

// CreateServiceAccount makes a service account with roles (VX1); without any it may call
// the basic methods only (VX2). It needs claviger.service_accounts:manage at the
// organization and, for roles, a session and everything that they grant (VX7). Audited as
// service_account.create, and each role as assignment.create.
func (a *Authority) CreateServiceAccount(ctx context.Context, caller access.Caller, in CreateServiceAccountInput) (out ServiceAccount, err error) {
	tenant, err := a.organizationTenant(ctx, caller, in.Tenant, in.OrganizationID)
	if err != nil {
		return out, err
	}
	id, err := newID("sva_")
	if err != nil {
		return out, err
	}
	revision, err := a.change(ctx, caller, tenant, func(c *change) error {
		path, err := c.path(in.OrganizationID)
		if err != nil {
			return err
		}
		if err := c.require(access.ServiceAccountsManage, path); err != nil {
			return err
		}
		if err := c.apiAccess(true); err != nil {
			return err
		}
		out, err = once(c, "service_account.create", in.Idempotency, func() (ServiceAccount, string, error) {
			account, err := c.createAccount(tenancy.ServiceAccountID(id), in, path)
			return account, id, err
		}, c.accountAgain)
		return err
	})
	if err != nil {
		return ServiceAccount{}, err
	}
	out.Revision = revision
	return out, nil
}

func (c *change) createAccount(id tenancy.ServiceAccountID, in CreateServiceAccountInput, path []tenancy.OrgID) (ServiceAccount, error) {
	none := ServiceAccount{}
	a := tenancy.ServiceAccount{
		ID: id, TenantID: c.tenant.ID, OrganizationID: path[len(path)-1], Email: accountEmail(id, c.tenant), Description: in.Description,
		State: tenancy.Active, Labels: in.Labels, CreatedAt: c.now, CreatedByName: plain(c.caller.Name),
	}
	if err := validateAccount(a); err != nil {
		return none, err
	}
	if err := c.tx.InsertServiceAccount(a); err != nil {
		return none, err
	}
	after := accountFields(a)
	after["email"] = a.Email
	if err := c.record("service_account.create", accountTarget(a), nil, after); err != nil {
		return none, err
	}
	if err := c.setRoles(a, in.Roles, path); err != nil {
		return none, err
	}
	return c.showAccount(a)
}

func (c *change) accountAgain(id string) (ServiceAccount, error) {
	a, err := c.tx.ServiceAccount(tenancy.ServiceAccountID(id))
	if err != nil {
		return ServiceAccount{}, err
	}
	return c.showAccount(a)
}

// setRoles gives and takes roles until an account has exactly these at its organization.
func (c *change) setRoles(a tenancy.ServiceAccount, roles []access.RoleID, path []tenancy.OrgID) error {
	if len(roles) > mostRoles {
		return problem.InvalidField("/roles", "Give at most "+strconv.Itoa(mostRoles)+" roles.")
	}
	has, err := c.tx.Assignments(accountPrincipal(a.ID))
	if err != nil {
		return err
	}
	kept := map[access.RoleID]bool{}
	for _, as := range has {
		if as.OrganizationID != a.OrganizationID {
			continue
		}
		if slices.Contains(roles, as.RoleID) {
			kept[as.RoleID] = true
		} else if err := c.takeRole(as, path); err != nil {
			return err
		}
	}
	for i, role := range roles {
		if kept[role] {
			continue
		}
		kept[role] = true
		if err := c.giveRole(a, role, path); err != nil {
			if problem.Is(err, problem.Invalid) {
				return problem.InvalidField("/roles/"+strconv.Itoa(i), "There is no such role.")
			}
			return err
		}
	}
	return nil
}

func (c *change) giveRole(a tenancy.ServiceAccount, role access.RoleID, path []tenancy.OrgID) error {
	id, err := newID("asg_")
	if err != nil {
		return err
	}
	as := access.Assignment{
		ID: access.AssignmentID(id), TenantID: c.tenant.ID, Principal: accountPrincipal(a.ID), RoleID: role,
		OrganizationID: a.OrganizationID, CreatedAt: c.now,
	}
	if err := c.mayAssign(as.Principal, path); err != nil {
		return err
	}
	return c.assign(as, path)
}

func (c *change) takeRole(as access.Assignment, path []tenancy.OrgID) error {
	if err := c.mayAssign(as.Principal, path); err != nil {
		return err
	}
	return c.unassign(as)
}

// changeAccount runs a change of one service account where the caller may manage it.
func (a *Authority) changeAccount(ctx context.Context, caller access.Caller, in ServiceAccountInput, resuming bool, do func(*change, tenancy.ServiceAccount, []tenancy.OrgID) error) (uint64, error) {
	tenant, err := a.accountTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return 0, err
	}
	return a.change(ctx, caller, tenant, func(c *change) error {
		account, path, err := c.serviceAccount(in.ID)
		if err != nil {
			return err
		}
		if err := c.apiAccess(resuming); err != nil {
			return err
		}
		return do(c, account, path)
	})
}

// ChangeServiceAccount changes what is given. It needs claviger.service_accounts:manage
// there and, for roles, a session and everything that new ones grant. Audited as
// service_account.change, roles as assignment.create and assignment.delete.
func (a *Authority) ChangeServiceAccount(ctx context.Context, caller access.Caller, in ChangeServiceAccountInput) (out ServiceAccount, err error) {
	revision, err := a.changeAccount(ctx, caller, ServiceAccountInput{Tenant: in.Tenant, ID: in.ID}, false, func(c *change, old tenancy.ServiceAccount, path []tenancy.OrgID) error {
		account := old
		set(&account.Description, in.Description)
		set(&account.Labels, in.Labels)
		if err := validateAccount(account); err != nil {
			return err
		}
		if err := c.tx.UpdateServiceAccount(account); err != nil {
			return err
		}
		before, after := differences(accountFields(old), accountFields(account))
		if err := c.record("service_account.change", accountTarget(account), before, after); err != nil {
			return err
		}
		if in.Roles != nil {
			if err := c.setRoles(account, *in.Roles, path); err != nil {
				return err
			}
		}
		out, err = c.showAccount(account)
		return err
	})
	if err != nil {
		return ServiceAccount{}, err
	}
	out.Revision = revision
	return out, nil
}

// SuspendServiceAccount stops a service account with its keys until it is resumed. It needs
// claviger.service_accounts:manage there and every administrative right that the account
// has. Audited as service_account.suspend.
func (a *Authority) SuspendServiceAccount(ctx context.Context, caller access.Caller, in ServiceAccountInput) (ServiceAccount, error) {
	return a.changeAccountState(ctx, caller, in, "suspend", tenancy.Active, tenancy.Suspended)
}

// ResumeServiceAccount lets it work again. Rights as SuspendServiceAccount; audited as
// service_account.resume.
func (a *Authority) ResumeServiceAccount(ctx context.Context, caller access.Caller, in ServiceAccountInput) (ServiceAccount, error) {
	return a.changeAccountState(ctx, caller, in, "resume", tenancy.Suspended, tenancy.Active)
}

// DeleteServiceAccount ends it for good: keys revoked, roles taken. Rights as
// SuspendServiceAccount; audited as service_account.delete and one event per key, and in
// the revocation journal before it returns.
func (a *Authority) DeleteServiceAccount(ctx context.Context, caller access.Caller, in ServiceAccountInput) (ServiceAccount, error) {
	return a.changeAccountState(ctx, caller, in, "delete", "", tenancy.Deleted)
}

func (a *Authority) changeAccountState(ctx context.Context, caller access.Caller, in ServiceAccountInput, action string, from, to tenancy.State) (out ServiceAccount, err error) {
	revision, err := a.changeAccount(ctx, caller, in, action == "resume", func(c *change, account tenancy.ServiceAccount, _ []tenancy.OrgID) error {
		p, err := c.principalFacts(c.target, accountPrincipal(account.ID))
		if err != nil {
			return err
		}
		if err := c.outranks(p.holdings); err != nil {
			return err
		}
		out, err = once(c, "service_account."+action+"/"+string(account.ID), in.Idempotency, func() (ServiceAccount, string, error) {
			if from != "" && account.State != from {
				return ServiceAccount{}, "", stateConflict("service account", account.State)
			}
			next := account
			next.State = to
			if err := c.applyAccountState(account, next, p, action); err != nil {
				return ServiceAccount{}, "", err
			}
			shown, err := c.showAccount(next)
			return shown, string(account.ID), err
		}, c.accountAgain)
		return err
	})
	if err != nil {
		return ServiceAccount{}, err
	}
	out.Revision = revision
	return out, nil
}

func (c *change) applyAccountState(old, next tenancy.ServiceAccount, p principalFacts, action string) error {
	if next.State == tenancy.Deleted {
		living, err := c.tx.CredentialsOf(accountPrincipal(old.ID))
		if err != nil {
			return err
		}
		for _, k := range living {
			if _, err := c.applyTransition(serviceAccountKeys, k, revokeKey); err != nil {
				return err
			}
		}
		for _, as := range p.assignments {
			if err := c.tx.DeleteAssignment(as.ID); err != nil {
				return err
			}
		}
	}
	if err := c.tx.UpdateServiceAccount(next); err != nil {
		return err
	}
	return c.record("service_account."+action, accountTarget(next), fields{"state": old.State}, fields{"state": next.State})
}

// mayGiveAccount is whether the caller may hand out a key of a service account, which
// carries whatever the account holds anywhere, and the basic set where it holds nothing.
func (s *scope) mayGiveAccount(k credential.Credential) error {
	p, err := s.principalFacts(s.target, k.Principal)
	if err != nil {
		return err
	}
	path, err := s.path(k.OrganizationID)
	if err != nil {
		return err
	}
	var gifts []access.Gift
	if p.at(path).Empty() {
		basic := access.BasicPermissions()
		gifts = append(gifts, access.Gift{Permissions: basic, Extra: basic, Path: path})
	}
	for _, h := range p.holdings {
		at, err := s.path(h.Organization)
		if err != nil {
			return err
		}
		gifts = append(gifts, access.Gift{Permissions: h.Set, Path: at})
	}
	for _, g := range gifts {
		g.Recipient, g.ExpiresAt = k.Principal, k.ExpiresAt
		if err := s.mayGive(g); err != nil {
			return err
		}
	}
	return nil
}

// ServiceAccount answers one. It needs claviger.service_accounts:manage there.
func (a *Authority) ServiceAccount(ctx context.Context, caller access.Caller, in ServiceAccountInput) (out ServiceAccount, err error) {
	tenant, err := a.accountTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		account, _, err := s.serviceAccount(in.ID)
		if err != nil {
			return err
		}
		if err := s.apiAccess(false); err != nil {
			return err
		}
		out, err = s.showAccount(account)
		return err
	})
	return out, err
}

// ServiceAccounts lists the service accounts of the part of the tree where the caller has
// claviger.service_accounts:manage.
func (a *Authority) ServiceAccounts(ctx context.Context, caller access.Caller, in ServiceAccountsInput) (out store.List[ServiceAccount], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		at, err := s.visible(in.At, access.ServiceAccountsManage)
		if err != nil {
			return err
		}
		if err := s.apiAccess(false); err != nil {
			return err
		}
		f := store.ServiceAccountFilter{At: at, Search: in.Search, States: in.States, IncludeDeleted: in.IncludeDeleted}
		list, err := s.tx.ServiceAccounts(f, in.Page)
		if err != nil {
			return err
		}
		out, err = pageOf(list, s.showAccounts)
		return err
	})
	return out, err
}

func (a *Authority) accountTenant(ctx context.Context, caller access.Caller, named tenancy.TenantID, id tenancy.ServiceAccountID) (tenancy.TenantID, error) {
	return a.locate(ctx, caller, named, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsServiceAccountTenant(id) })
}
