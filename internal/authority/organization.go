package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// CreateOrganizationInput describes a new node of the tree.
type CreateOrganizationInput struct {
	Tenant tenancy.TenantID
	Parent tenancy.OrgID // empty means the root
	Name   string
	// Domains are sign-in settings: a tenant's credentials cannot set them.
	Domains []string
	Labels  tenancy.Labels
	Idempotency
}

// OrganizationInput names one organization.
type OrganizationInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.OrgID
	Idempotency
}

// ChangeOrganizationInput changes what is not nil; another Parent moves the organization
// with everything below it.
type ChangeOrganizationInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.OrgID
	Name   *string
	Parent *tenancy.OrgID
	// Domains are sign-in settings: a tenant's credentials cannot change them.
	Domains *[]string
	Labels  *tenancy.Labels
}

// OrganizationsInput filters the list of organizations.
type OrganizationsInput struct {
	Tenant tenancy.TenantID
	At     tenancy.OrgID // at and below; empty means the highest the caller may see
	Search string
	State  tenancy.State
	// IncludeDeleted shows removed ones too.
	IncludeDeleted bool
	Page           store.Page
}

func organizationTarget(o tenancy.Organization) target {
	return target{kind: "organization", id: string(o.ID), name: o.Name, org: o.ID}
}

// CreateOrganization adds a node below a parent. It needs claviger.organizations:manage at
// the parent. Audited as organization.create.
func (a *Authority) CreateOrganization(ctx context.Context, caller access.Caller, in CreateOrganizationInput) (out tenancy.Organization, err error) {
	tenant, err := a.organizationTenant(ctx, caller, in.Tenant, in.Parent)
	if err != nil {
		return out, err
	}
	id, err := newID("org_")
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		parent, err := c.path(in.Parent)
		if err != nil {
			return err
		}
		if err := c.require(access.OrganizationsManage, parent); err != nil {
			return err
		}
		if len(in.Domains) > 0 {
			if err := c.signInSettings(); err != nil {
				return err
			}
		}
		out, err = once(c, "organization.create", in.Idempotency, func() (tenancy.Organization, string, error) {
			o, err := c.createOrganization(tenancy.OrgID(id), parent, in)
			return o, id, err
		}, func(id string) (tenancy.Organization, error) { return c.organization(tenancy.OrgID(id)) })
		return err
	})
	return out, err
}

func (c *change) createOrganization(id tenancy.OrgID, parent []tenancy.OrgID, in CreateOrganizationInput) (tenancy.Organization, error) {
	o := tenancy.Organization{
		ID: id, TenantID: c.tenant.ID, ParentID: parent[len(parent)-1], Path: tenancy.ChildPath(parent, id),
		Name: in.Name, State: tenancy.Active, Domains: foldDomains(in.Domains), Labels: in.Labels, CreatedAt: c.now,
	}
	if err := tenancy.ValidatePlacement(id, 1, parent); err != nil {
		return o, err
	}
	if err := validateOrganization(o); err != nil {
		return o, err
	}
	if err := c.tx.InsertOrganization(o); err != nil {
		return o, err
	}
	return o, c.record("organization.create", organizationTarget(o), nil, organizationFields(o))
}

// signInSettings refuses tenants' credentials, whatever they hold.
func (s *scope) signInSettings() error {
	if s.all() {
		return nil
	}
	return access.MayAdminister(s.caller, access.TenantManage)
}

func foldDomains(list []string) []string {
	var folded []string
	for _, d := range list {
		folded = append(folded, tenancy.FoldDomain(d))
	}
	return folded
}

func validateOrganization(o tenancy.Organization) error {
	if err := tenancy.ValidateName("/name", o.Name); err != nil {
		return err
	}
	if err := tenancy.ValidateDomains(o.Domains); err != nil {
		return err
	}
	return tenancy.ValidateLabels(o.Labels)
}

func organizationFields(o tenancy.Organization) fields {
	return fields{"name": o.Name, "parent_id": o.ParentID, "domains": o.Domains, "external_id": o.Labels.ExternalID, "metadata": o.Labels.Metadata}
}

// ChangeOrganization renames an organization, changes its domains or labels, or moves it
// with everything below. It needs claviger.organizations:manage there, for domains in a
// session, and for a move also at the new parent, together with everything that the move
// makes others hold there. Audited as organization.change.
func (a *Authority) ChangeOrganization(ctx context.Context, caller access.Caller, in ChangeOrganizationInput) (out tenancy.Organization, err error) {
	tenant, err := a.organizationTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		old, err := c.organization(in.ID)
		if err != nil {
			return err
		}
		if err := c.require(access.OrganizationsManage, old.Path); err != nil {
			return err
		}
		o := old
		if in.Domains != nil {
			if err := c.signInSettings(); err != nil {
				return err
			}
			o.Domains = foldDomains(*in.Domains)
		}
		set(&o.Name, in.Name)
		set(&o.Labels, in.Labels)
		if err := validateOrganization(o); err != nil {
			return err
		}
		if err := c.tx.UpdateOrganization(o); err != nil {
			return err
		}
		if in.Parent != nil && *in.Parent != old.ParentID {
			if err := c.moveOrganization(&o, *in.Parent); err != nil {
				return err
			}
		}
		out = o
		before, after := differences(organizationFields(old), organizationFields(o))
		return c.record("organization.change", organizationTarget(o), before, after)
	})
	return out, err
}

func (c *change) moveOrganization(o *tenancy.Organization, parent tenancy.OrgID) error {
	if o.ID == c.tenant.RootOrg {
		return problem.New(problem.Conflict, "root_organization", "The root organization cannot be moved.")
	}
	to, err := c.path(parent)
	if problem.Is(err, problem.NotFound) {
		return problem.InvalidField("/parent_id", "There is no such organization.")
	}
	if err != nil {
		return err
	}
	if err := c.require(access.OrganizationsManage, to); err != nil {
		return err
	}
	height, err := c.height(*o)
	if err != nil {
		return err
	}
	if err := tenancy.ValidatePlacement(o.ID, height, to); err != nil {
		return err
	}
	if err := c.mayMove(o.Path, to); err != nil {
		return err
	}
	if err := c.tx.MoveOrganization(o.ID, to[len(to)-1]); err != nil {
		return err
	}
	o.ParentID, o.Path = to[len(to)-1], tenancy.ChildPath(to, o.ID)
	return nil
}

// mayMove looks at what the assignments on the new way down would reach.
func (c *change) mayMove(from, to []tenancy.OrgID) error {
	if c.all() {
		return nil
	}
	roles, err := c.roles(c.target)
	if err != nil {
		return err
	}
	if err := c.mayArriveUnderKeys(from, to); err != nil {
		return err
	}
	for _, id := range to {
		if tenancy.IsWithin(from, id) {
			continue
		}
		// The filter means "at and below", so the highest new organization covers the rest.
		arriving, err := everyPage(func(p store.Page) (store.List[access.Assignment], error) {
			return c.tx.AssignmentsOf(store.AssignmentFilter{At: id}, p)
		})
		if err != nil {
			return err
		}
		return c.caller.MayMove(from, to, arriving, roles)
	}
	return c.caller.MayMove(from, to, nil, roles)
}

// mayArriveUnderKeys looks at the organization keys on the new way down: they begin to sign
// in the people who arrive, so only who could have made them moves people under them.
func (c *change) mayArriveUnderKeys(from, to []tenancy.OrgID) error {
	for _, id := range to {
		if tenancy.IsWithin(from, id) {
			continue
		}
		keys, err := c.tx.CredentialsOf(access.Principal{Type: access.PrincipalOrganization, ID: string(id)})
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			return c.require(access.OrganizationKeysGenerate, c.rootPath())
		}
	}
	return nil
}

// height counts the levels of an organization and what is below it.
func (c *change) height(o tenancy.Organization) (int, error) {
	below, err := everyPage(func(p store.Page) (store.List[tenancy.Organization], error) {
		return c.tx.Organizations(store.OrganizationFilter{At: o.ID}, p)
	})
	height := 1
	for _, b := range below {
		height = max(height, len(b.Path)-len(o.Path)+1)
	}
	return height, err
}

// everyPage reads a whole list, page by page.
func everyPage[T any](read func(store.Page) (store.List[T], error)) ([]T, error) {
	var all []T
	for page := (store.Page{Limit: store.MaxLimit, Uncounted: true}); ; {
		list, err := read(page)
		if err != nil {
			return nil, err
		}
		all = append(all, list.Items...)
		if list.Next == "" {
			return all, nil
		}
		page.Cursor = list.Next
	}
}

// SuspendOrganization stops everything at and below an organization until it is resumed.
// It needs claviger.organizations:manage there. Problems: root_organization,
// last_administrator. Audited as organization.suspend.
func (a *Authority) SuspendOrganization(ctx context.Context, caller access.Caller, in OrganizationInput) (tenancy.Organization, error) {
	return a.changeOrganizationState(ctx, caller, in, "suspend", tenancy.Active, tenancy.Suspended)
}

// ResumeOrganization lets a suspended organization work again. Rights as
// SuspendOrganization; audited as organization.resume.
func (a *Authority) ResumeOrganization(ctx context.Context, caller access.Caller, in OrganizationInput) (tenancy.Organization, error) {
	return a.changeOrganizationState(ctx, caller, in, "resume", tenancy.Suspended, tenancy.Active)
}

// RemoveOrganization ends an organization in which nothing lives any more. Rights as
// SuspendOrganization; problems: organization_in_use. Audited as organization.remove.
func (a *Authority) RemoveOrganization(ctx context.Context, caller access.Caller, in OrganizationInput) (tenancy.Organization, error) {
	return a.changeOrganizationState(ctx, caller, in, "remove", "", tenancy.Deleted)
}

func (a *Authority) changeOrganizationState(ctx context.Context, caller access.Caller, in OrganizationInput, action string, from, to tenancy.State) (out tenancy.Organization, err error) {
	tenant, err := a.organizationTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, tenant, func(c *change) error {
		o, err := c.organization(in.ID)
		if err != nil {
			return err
		}
		if err := c.require(access.OrganizationsManage, o.Path); err != nil {
			return err
		}
		out, err = once(c, "organization."+action+"/"+string(o.ID), in.Idempotency, func() (tenancy.Organization, string, error) {
			next, err := c.applyOrganizationState(o, action, from, to)
			return next, string(o.ID), err
		}, func(string) (tenancy.Organization, error) { return o, nil })
		return err
	})
	return out, err
}

func (c *change) applyOrganizationState(o tenancy.Organization, action string, from, to tenancy.State) (tenancy.Organization, error) {
	if o.ID == c.tenant.RootOrg && to != tenancy.Active {
		return o, rootStays()
	}
	if from != "" && o.State != from {
		return o, stateConflict("organization", o.State)
	}
	if to == tenancy.Deleted {
		if err := c.organizationEmpty(o); err != nil {
			return o, err
		}
	}
	before := o.State
	o.State = to
	return o, c.keepingAdministrator(func() error {
		if err := c.tx.UpdateOrganization(o); err != nil {
			return err
		}
		return c.record("organization."+action, organizationTarget(o), fields{"state": before}, fields{"state": to})
	})
}

func (s *scope) organizationEmpty(o tenancy.Organization) error {
	inUse := func(what string) error {
		return problem.New(problem.Conflict, "organization_in_use", "The organization still has "+what+". Move or remove them first.")
	}
	one := store.Page{Limit: 2}
	orgs, err := s.tx.Organizations(store.OrganizationFilter{At: o.ID}, one)
	if err != nil {
		return err
	}
	if len(orgs.Items) > 1 {
		return inUse("organizations below it")
	}
	users, err := s.tx.Users(store.UserFilter{At: o.ID}, one)
	if err != nil {
		return err
	}
	if len(users.Items) > 0 {
		return inUse("users")
	}
	apps, err := s.tx.Apps(store.AppFilter{At: o.ID}, one)
	if err != nil {
		return err
	}
	if len(apps.Items) > 0 {
		return inUse("apps")
	}
	accounts, err := s.tx.ServiceAccounts(store.ServiceAccountFilter{At: o.ID}, one)
	if err != nil {
		return err
	}
	if len(accounts.Items) > 0 {
		return inUse("service accounts")
	}
	keys, err := s.tx.Credentials(store.CredentialFilter{At: o.ID, States: []credential.State{credential.Active, credential.Suspended}}, one)
	if err != nil {
		return err
	}
	if len(keys.Items) > 0 {
		return inUse("credentials")
	}
	held, err := s.tx.AssignmentsOf(store.AssignmentFilter{At: o.ID}, one)
	if err != nil {
		return err
	}
	if len(held.Items) > 0 {
		return inUse("role assignments")
	}
	return nil
}

// Organization answers one. It needs claviger.organizations:read or :manage there.
func (a *Authority) Organization(ctx context.Context, caller access.Caller, in OrganizationInput) (out tenancy.Organization, err error) {
	tenant, err := a.organizationTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		if out, err = s.organization(in.ID); err != nil {
			return err
		}
		return s.requireAny(out.Path, access.OrganizationsRead, access.OrganizationsManage)
	})
	if err != nil {
		return tenancy.Organization{}, err
	}
	return out, nil
}

// Organizations lists the part of the tree where the caller has
// claviger.organizations:read or :manage.
func (a *Authority) Organizations(ctx context.Context, caller access.Caller, in OrganizationsInput) (out store.List[tenancy.Organization], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		at, err := s.visible(in.At, access.OrganizationsRead, access.OrganizationsManage)
		if err != nil {
			return err
		}
		out, err = s.tx.Organizations(store.OrganizationFilter{At: at, Search: in.Search, State: in.State, IncludeDeleted: in.IncludeDeleted}, in.Page)
		return err
	})
	return out, err
}

func (a *Authority) organizationTenant(ctx context.Context, caller access.Caller, named tenancy.TenantID, id tenancy.OrgID) (tenancy.TenantID, error) {
	if id == "" {
		return named, nil
	}
	return a.locate(ctx, caller, named, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsOrganizationTenant(id) })
}
