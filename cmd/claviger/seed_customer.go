package main

import (
	"context"
	"fmt"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/signin"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// customerPlan is what one of the demo's customers will be.
type customerPlan struct {
	slug, name, model, externalID string
	policy                        tenancy.Policy
	organizations                 []organizationPlan
	roles                         []rolePlan
	users                         []userPlan
	accounts                      []accountPlan
	credentials                   []credentialPlan
}

// organizationPlan is one below the root, whose parent was named before it; no parent
// means the root.
type organizationPlan struct {
	name, parent string
	domains      []string
}

type rolePlan struct {
	name, description string
	permissions       []access.Grant
	includes          []string
}

// userPlan is a person: role is the key of a built-in role, more are names of others they
// have too. No organization means the root.
type userPlan struct {
	name, display, role, organization, licence string
	more                                       []string
}

// accountPlan is a service account, known in the plan by its description.
type accountPlan struct {
	description, organization string
	roles                     []string
}

// customer is one of the demo's customers, as it was made.
type customer struct {
	*seeder
	tenant      tenancy.Tenant
	orgs        map[string]tenancy.OrgID // "" is the root
	roles       map[string]access.RoleID // by key of the template, or name
	users       map[string]demoUser
	accounts    map[string]authority.ServiceAccount // by description
	credentials []credentialPlan
	out         *demoTenant
}

func (s *seeder) seedCustomer(ctx context.Context, p customerPlan) (*customer, error) {
	tenant, err := s.a.CreateTenant(ctx, s.system, authority.CreateTenantInput{
		Slug: p.slug, Name: p.name, PlanID: s.plan.ID, Policy: p.policy, Labels: tenancy.Labels{ExternalID: p.externalID},
	})
	if err != nil {
		return nil, err
	}
	c := &customer{
		seeder: s, tenant: tenant, orgs: map[string]tenancy.OrgID{"": tenant.RootOrg}, roles: map[string]access.RoleID{},
		users: map[string]demoUser{}, accounts: map[string]authority.ServiceAccount{}, credentials: append([]credentialPlan(nil), p.credentials...),
		out: &demoTenant{ID: string(tenant.ID), Slug: tenant.Slug, Name: tenant.Name, Model: p.model, AccountID: tenant.AccountID},
	}
	for _, step := range []func(context.Context, customerPlan) error{c.seedTree, c.seedRoles, c.seedUsers, c.seedAccounts} {
		if err := step(ctx, p); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *customer) seedTree(ctx context.Context, p customerPlan) error {
	c.out.Organizations = append(c.out.Organizations, demoOrganization{ID: string(c.tenant.RootOrg), Name: c.tenant.Name})
	for _, o := range p.organizations {
		made, err := c.a.CreateOrganization(ctx, c.system, authority.CreateOrganizationInput{
			Tenant: c.tenant.ID, Parent: c.orgs[o.parent], Name: o.name, Domains: o.domains,
		})
		if err != nil {
			return fmt.Errorf("making organization %s: %w", o.name, err)
		}
		c.orgs[o.name] = made.ID
		parent := string(made.ParentID)
		c.out.Organizations = append(c.out.Organizations, demoOrganization{ID: string(made.ID), Name: made.Name, ParentID: &parent})
	}
	return nil
}

func (c *customer) seedRoles(ctx context.Context, p customerPlan) error {
	builtIn, err := c.a.Roles(ctx, c.system, authority.RolesInput{Tenant: c.tenant.ID})
	if err != nil {
		return err
	}
	for _, r := range builtIn {
		c.roles[r.BuiltIn] = r.ID
	}
	for _, r := range p.roles {
		in := authority.CreateRoleInput{Tenant: c.tenant.ID, Name: r.name, Description: r.description, Permissions: r.permissions}
		for _, name := range r.includes {
			in.Includes = append(in.Includes, c.roles[name])
		}
		made, err := c.a.CreateRole(ctx, c.system, in)
		if err != nil {
			return fmt.Errorf("making role %s: %w", r.name, err)
		}
		c.roles[r.name] = made.ID
	}
	return nil
}

func (c *customer) seedUsers(ctx context.Context, p customerPlan) error {
	for _, u := range p.users {
		made, err := c.user(ctx, c.tenant, u, c.orgs[u.organization], c.roles)
		if err != nil {
			return err
		}
		c.users[u.name] = made
		c.out.Users = append(c.out.Users, made)
	}
	return nil
}

func (c *customer) seedAccounts(ctx context.Context, p customerPlan) error {
	for _, a := range p.accounts {
		in := authority.CreateServiceAccountInput{
			Tenant: c.tenant.ID, OrganizationID: c.orgs[a.organization], Description: a.description,
			Labels: tenancy.Labels{ExternalID: fmt.Sprintf("robot-%d", len(c.accounts)+1)},
		}
		for _, name := range a.roles {
			in.Roles = append(in.Roles, c.roles[name])
		}
		made, err := c.a.CreateServiceAccount(ctx, c.system, in)
		if err != nil {
			return fmt.Errorf("making service account %s: %w", a.description, err)
		}
		c.accounts[a.description] = made
	}
	return nil
}

// user makes a user with their roles at an organization, and a password by their invitation.
func (s *seeder) user(ctx context.Context, tenant tenancy.Tenant, p userPlan, org tenancy.OrgID, roles map[string]access.RoleID) (demoUser, error) {
	created, err := s.a.CreateUser(ctx, s.system, authority.CreateUserInput{
		Tenant: tenant.ID, OrganizationID: org, Username: p.name, DisplayName: p.display, Licence: p.licence,
		Email: p.name + "@" + tenant.Slug + ".example", Labels: tenancy.Labels{ExternalID: "crm-" + p.name},
	})
	if err != nil {
		return demoUser{}, fmt.Errorf("making user %s: %w", p.name, err)
	}
	given, err := s.role(ctx, tenant.ID, p.role)
	if err != nil {
		return demoUser{}, err
	}
	assign := []access.RoleID{given.ID}
	for _, name := range p.more {
		assign = append(assign, roles[name])
	}
	for _, role := range assign {
		_, err = s.a.Assign(ctx, s.system, authority.AssignInput{
			Tenant: tenant.ID, RoleID: role, OrganizationID: org,
			Principal: access.Principal{Type: access.PrincipalUser, ID: string(created.User.ID)},
		})
		if err != nil {
			return demoUser{}, fmt.Errorf("giving %s a role: %w", p.name, err)
		}
	}
	password := newPassword()
	if _, _, err = s.people.AcceptInvitation(ctx, created.Invitation.Token.Reveal(), password, signin.Origin{}); err != nil {
		return demoUser{}, fmt.Errorf("accepting the invitation of %s: %w", p.name, err)
	}
	return demoUser{ID: string(created.User.ID), Username: p.name, Password: password, Role: given.Name, OrganizationID: string(org)}, nil
}

// role finds the tenant's copy of a built-in role.
func (s *seeder) role(ctx context.Context, tenant tenancy.TenantID, key string) (access.Role, error) {
	roles, err := s.a.Roles(ctx, s.system, authority.RolesInput{Tenant: tenant})
	if err != nil {
		return access.Role{}, err
	}
	for _, r := range roles {
		if r.BuiltIn == key {
			return r.Role, nil
		}
	}
	return access.Role{}, fmt.Errorf("the tenant has no role %s", key)
}

// userMay is what a user may do now.
func (c *customer) userMay(ctx context.Context, user string) (access.Set, error) {
	me, err := c.a.Me(ctx, access.Caller{
		Tenant: c.tenant.ID, Via: access.ViaSession,
		Principal: access.Principal{Type: access.PrincipalUser, ID: user},
	}, authority.MeInput{})
	return me.Permissions, err
}

// accountMay is what a service account may do now.
func (c *customer) accountMay(ctx context.Context, a authority.ServiceAccount) (access.Set, error) {
	list, err := c.a.Roles(ctx, c.system, authority.RolesInput{Tenant: c.tenant.ID})
	if err != nil {
		return access.Set{}, err
	}
	roles := map[access.RoleID]access.Role{}
	for _, r := range list {
		roles[r.ID] = r.Role
	}
	assignments := make([]access.Assignment, len(a.Roles))
	for i, as := range a.Roles {
		assignments[i] = as.Assignment
	}
	held := access.BasicPermissions()
	if len(a.Roles) > 0 {
		held = access.EffectiveAt(assignments, roles, []tenancy.OrgID{c.tenant.RootOrg, a.OrganizationID})
	}
	return access.Effective(held, c.plan.Set()), nil
}

// may is what a credential may do now.
func (c *customer) may(ctx context.Context, k *credentialPlan) (access.Set, error) {
	switch k.kind {
	case credential.UserKey:
		return c.userMay(ctx, c.users[k.owner].ID)
	case credential.OrganizationKey:
		return access.SetOf(access.SignInAutomatic), nil
	case credential.AccountKey:
		return c.plan.Set(), nil
	case credential.App:
		set, err := c.catalog.PermissionsOf(k.apis)
		return set.Intersect(c.plan.Set()), err
	case credential.ServiceAccountKey:
		return c.accountMay(ctx, c.accounts[k.owner])
	case credential.ClientCredential:
		scopes := access.SetOf(k.scopes...)
		if k.owner == "" {
			return scopes.Intersect(c.plan.Set()), nil
		}
		held, err := c.userMay(ctx, c.users[k.owner].ID)
		return scopes.Intersect(held), err
	case credential.VerifierKey:
	}
	return access.Set{}, nil
}
