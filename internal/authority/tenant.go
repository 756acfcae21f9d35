package authority

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/notice"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// CreateTenantInput describes a new customer.
type CreateTenantInput struct {
	Slug   string
	Name   string
	PlanID tenancy.PlanID
	Policy tenancy.Policy
	Labels tenancy.Labels
	Idempotency
}

// TenantInput names one tenant.
type TenantInput struct {
	ID tenancy.TenantID // empty means the caller's own
	Idempotency
}

// ChangeTenantInput changes what is not nil. A tenant's own administrators may change
// Name and Policy; the rest is for system callers.
type ChangeTenantInput struct {
	ID     tenancy.TenantID // empty means the caller's own
	Slug   *string
	Name   *string
	PlanID *tenancy.PlanID
	Policy *tenancy.Policy
	Labels *tenancy.Labels
}

// TenantsInput filters the list of tenants.
type TenantsInput struct {
	Search string
	State  tenancy.State
	Page   store.Page
}

// settingNextAccount is the account ID that the next tenant gets.
const settingNextAccount = "next_account_id"

const firstAccountID = 1_000_001

// maxPolicyLife is the longest lifetime a policy can name; for a longer one leave it out.
const maxPolicyLife = 100 * 365 * 24 * time.Hour

// CreateTenant makes a tenant with its root organization and its own copies of the
// built-in roles. It needs claviger.tenants:manage in the system tenant. Problems:
// slug_taken, no such plan. Audited as tenant.create in the new tenant's chain.
func (a *Authority) CreateTenant(ctx context.Context, caller access.Caller, in CreateTenantInput) (out tenancy.Tenant, err error) {
	if err := a.mustBeSystem(ctx, caller, access.TenantsManage); err != nil {
		return out, err
	}
	id, err := newID("ten_")
	if err != nil {
		return out, err
	}
	_, err = a.changeIn(ctx, caller, tenancy.TenantID(id), true, func(c *change) error {
		if err := c.requireSystem(access.TenantsManage); err != nil {
			return err
		}
		out, err = once(c, "tenant.create", in.Idempotency, func() (tenancy.Tenant, string, error) {
			t, err := c.createTenant(in)
			return t, string(t.ID), err
		}, func(id string) (tenancy.Tenant, error) { return c.tx.AllTenantsTenant(tenancy.TenantID(id)) })
		return err
	})
	return out, err
}

// mustBeSystem refuses callers of other tenants before a transaction is opened in a tenant
// that they could not see.
func (a *Authority) mustBeSystem(ctx context.Context, caller access.Caller, p access.Permission) error {
	return a.view(ctx, caller, "", func(s *scope) error { return s.requireSystem(p) })
}

func (c *change) createTenant(in CreateTenantInput) (tenancy.Tenant, error) {
	none := tenancy.Tenant{}
	if err := validateTenant(tenancy.Tenant{Slug: in.Slug, Name: in.Name, Labels: in.Labels}); err != nil {
		return none, err
	}
	policy, err := c.nextPolicy(tenancy.Policy{}, in.Policy, false)
	if err != nil {
		return none, err
	}
	if err := c.slugFree(in.Slug, ""); err != nil {
		return none, err
	}
	if err := c.planExists(in.PlanID); err != nil {
		return none, err
	}
	account, err := c.nextAccountID()
	if err != nil {
		return none, err
	}
	root, err := newID("org_")
	if err != nil {
		return none, err
	}
	t := tenancy.Tenant{
		ID: c.target, Slug: in.Slug, Name: in.Name, AccountID: account, PlanID: in.PlanID, RootOrg: tenancy.OrgID(root),
		State: tenancy.Active, Policy: policy, Labels: in.Labels, CreatedAt: c.now, ModifiedAt: c.now,
	}
	return t, c.insertTenant(t, false)
}

// insertTenant writes a tenant, its root organization and its built-in roles.
func (c *change) insertTenant(t tenancy.Tenant, system bool) error {
	if err := c.tx.InsertTenant(t); err != nil {
		return err
	}
	root := tenancy.Organization{
		ID: t.RootOrg, TenantID: t.ID, Path: []tenancy.OrgID{t.RootOrg}, Name: t.Name, State: tenancy.Active, CreatedAt: c.now,
	}
	if err := c.tx.InsertOrganization(root); err != nil {
		return err
	}
	for _, template := range access.BuiltInRoles() {
		if template.System != system {
			continue
		}
		id, err := newID("rol_")
		if err != nil {
			return err
		}
		r := access.Role{
			ID: access.RoleID(id), TenantID: t.ID, Name: template.Name, Description: template.Description,
			BuiltIn: template.Key, Permissions: template.Permissions, CreatedAt: c.now,
		}
		if err := c.tx.InsertRole(r); err != nil {
			return err
		}
	}
	c.tenant = t
	return c.record("tenant.create", tenantTarget(t), nil, fields{
		"slug": t.Slug, "name": t.Name, "plan_id": t.PlanID, "account_id": t.AccountID, "external_id": t.Labels.ExternalID,
	})
}

func tenantTarget(t tenancy.Tenant) target {
	return target{kind: "tenant", id: string(t.ID), name: t.Name, org: t.RootOrg}
}

func validateTenant(t tenancy.Tenant) error {
	if err := tenancy.ValidateSlug(t.Slug); err != nil {
		return err
	}
	if err := tenancy.ValidateName("/name", t.Name); err != nil {
		return err
	}
	return tenancy.ValidateLabels(t.Labels)
}

func validatePolicy(p tenancy.Policy) error {
	for pointer, lives := range map[string]map[string]time.Duration{"/policy/max_lifetime": p.MaxLifetime, "/policy/default_lifetime": p.DefaultLifetime} {
		for kind, life := range lives {
			if !credential.Kind(kind).Valid() {
				return problem.InvalidField(pointer, "Name kinds of credentials, such as user_key.")
			}
			if life <= 0 || life > maxPolicyLife || life%time.Second != 0 {
				return problem.InvalidField(pointer, "Choose whole seconds, from 1 second to 100 years.")
			}
		}
	}
	if life := p.TokenLifetime; life != 0 && (life < tenancy.MinTokenLifetime || life > tenancy.MaxTokenLifetime || life%time.Second != 0) {
		return problem.InvalidField("/policy/token_lifetime", "Choose whole seconds, from 60 to 7200.")
	}
	return notice.Validate(p.Notices)
}

func (c *change) slugFree(slug string, own tenancy.TenantID) error {
	t, err := c.tx.AllTenantsTenantBySlug(slug)
	if problem.Is(err, problem.NotFound) || (err == nil && t.ID == own) {
		return nil
	}
	if err != nil {
		return err
	}
	return taken("slug_taken", "/slug", "Another tenant has this short name. Choose another one.")
}

// taken is the Conflict of a name that must be unique.
func taken(code, pointer, message string) error {
	p := problem.New(problem.Conflict, code, message)
	p.Fields = []problem.Field{{Pointer: pointer, Message: message}}
	return p
}

func (c *change) planExists(id tenancy.PlanID) error {
	_, err := c.tx.AllTenantsPlan(id)
	if problem.Is(err, problem.NotFound) {
		return problem.InvalidField("/plan_id", "There is no such plan.")
	}
	return err
}

func (c *change) nextAccountID() (int64, error) {
	text, err := c.tx.AllTenantsSetting(settingNextAccount)
	if err != nil {
		return 0, err
	}
	next := int64(firstAccountID)
	if text != "" {
		if next, err = strconv.ParseInt(text, 10, 64); err != nil {
			return 0, fmt.Errorf("reading the next account ID: %w", err)
		}
	}
	return next, c.tx.AllTenantsPutSetting(settingNextAccount, strconv.FormatInt(next+1, 10))
}

// ChangeTenant changes what is given. Name and policy need claviger.tenant:manage in the
// tenant; the rest needs claviger.tenants:manage in the system tenant. Audited as
// tenant.change.
func (a *Authority) ChangeTenant(ctx context.Context, caller access.Caller, in ChangeTenantInput) (out tenancy.Tenant, err error) {
	_, err = a.change(ctx, caller, in.ID, func(c *change) error {
		if err := c.mayChangeTenant(in.Slug != nil || in.PlanID != nil || in.Labels != nil); err != nil {
			return err
		}
		t := c.tenant
		set(&t.Slug, in.Slug)
		set(&t.Name, in.Name)
		set(&t.PlanID, in.PlanID)
		set(&t.Labels, in.Labels)
		if in.Policy != nil {
			if t.Policy, err = c.nextPolicy(t.Policy, *in.Policy, false); err != nil {
				return err
			}
		}
		t.ModifiedAt = c.now
		if err := validateTenant(t); err != nil {
			return err
		}
		if err := c.slugFree(t.Slug, t.ID); err != nil {
			return err
		}
		if err := c.planExists(t.PlanID); err != nil {
			return err
		}
		if t.ID == tenancy.SystemTenantID && t.PlanID != c.tenant.PlanID {
			return problem.New(problem.Conflict, "system_tenant", "The system tenant keeps its plan.")
		}
		if t.PlanID != c.tenant.PlanID {
			plan, err := c.tx.AllTenantsPlan(t.PlanID)
			if err != nil {
				return err
			}
			if plan.APIAccess {
				t.APIAccessRequestedAt = time.Time{} // it was asked for no longer in vain
			}
		}
		if err := c.tx.UpdateTenant(t); err != nil {
			return err
		}
		out = t
		before, after := differences(tenantFields(c.tenant), tenantFields(t))
		return c.record("tenant.change", tenantTarget(t), before, after)
	})
	return out, err
}

func (s *scope) mayChangeTenant(vendor bool) error {
	if vendor || s.caller.Tenant == tenancy.SystemTenantID {
		return s.requireSystem(access.TenantsManage)
	}
	return s.administer(access.TenantManage, s.rootPath())
}

func tenantFields(t tenancy.Tenant) fields {
	return fields{
		"slug": t.Slug, "name": t.Name, "plan_id": t.PlanID, "external_id": t.Labels.ExternalID, "metadata": t.Labels.Metadata,
		"max_lifetime": t.Policy.MaxLifetime, "default_lifetime": t.Policy.DefaultLifetime,
		"legacy_account_keys": t.Policy.LegacyAccountKeys, "token_lifetime": t.Policy.TokenLifetime,
		"administrators_sign_in_automatically": t.Policy.AdministratorsSignInAutomatically,
		"show_once":                            t.Policy.ShowOnce, "networks": t.Policy.Networks, "may_create": t.Policy.MayCreate,
		"name_pattern": t.Policy.NamePattern, "name_hint": t.Policy.NameHint, "suspend_idle_days": t.Policy.SuspendIdleDays,
		"notices": noticeFields(t.Policy.Notices),
	}
}

// set changes what was given.
func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// differences keeps the fields whose values differ.
func differences(before, after fields) (fields, fields) {
	b, f := fields{}, fields{}
	for name, v := range after {
		if !reflect.DeepEqual(before[name], v) {
			b[name], f[name] = before[name], v
		}
	}
	return b, f
}

// SuspendTenant stops everything of a tenant until it is resumed. It needs
// claviger.tenants:manage in the system tenant. Audited as tenant.suspend.
func (a *Authority) SuspendTenant(ctx context.Context, caller access.Caller, in TenantInput) (tenancy.Tenant, error) {
	return a.changeTenantState(ctx, caller, in, "suspend", tenancy.Active, tenancy.Suspended)
}

// ResumeTenant lets a suspended tenant work again. Rights as SuspendTenant; audited as
// tenant.resume.
func (a *Authority) ResumeTenant(ctx context.Context, caller access.Caller, in TenantInput) (tenancy.Tenant, error) {
	return a.changeTenantState(ctx, caller, in, "resume", tenancy.Suspended, tenancy.Active)
}

// DeleteTenant ends a tenant with everything in it, for good. Rights as SuspendTenant;
// audited as tenant.delete, and in the revocation journal before it returns.
func (a *Authority) DeleteTenant(ctx context.Context, caller access.Caller, in TenantInput) (tenancy.Tenant, error) {
	return a.changeTenantState(ctx, caller, in, "delete", "", tenancy.Deleted)
}

// changeTenantState goes from a state, empty meaning any, to another.
func (a *Authority) changeTenantState(ctx context.Context, caller access.Caller, in TenantInput, action string, from, to tenancy.State) (out tenancy.Tenant, err error) {
	_, err = a.change(ctx, caller, in.ID, func(c *change) error {
		if err := c.requireSystem(access.TenantsManage); err != nil {
			return err
		}
		if c.tenant.ID == tenancy.SystemTenantID {
			return problem.New(problem.Conflict, "system_tenant", "The system tenant cannot be suspended or deleted.")
		}
		out, err = once(c, "tenant."+action, in.Idempotency, func() (tenancy.Tenant, string, error) {
			if from != "" && c.tenant.State != from {
				return c.tenant, "", stateConflict("tenant", c.tenant.State)
			}
			t, err := c.applyTenantState(action, to)
			return t, string(t.ID), err
		}, func(string) (tenancy.Tenant, error) { return c.tenant, nil })
		return err
	})
	if to == tenancy.Deleted {
		a.keysets.forget(in.ID)
	}
	return out, err
}

// applyTenantState changes the state of the tenant, which the caller may do.
func (c *change) applyTenantState(action string, to tenancy.State) (tenancy.Tenant, error) {
	t := c.tenant
	t.State, t.ModifiedAt = to, c.now
	if err := c.tx.UpdateTenant(t); err != nil {
		return t, err
	}
	if to == tenancy.Active {
		if err := c.tx.WakeDeliveries(store.DeliveryWebhook, "", c.now); err != nil {
			return t, err
		}
	}
	if to == tenancy.Deleted {
		// Without its keyset nothing that is sealed for the tenant ever opens again.
		if err := c.tx.DestroyTenantKeyset(); err != nil {
			return t, err
		}
		c.revocations = append(c.revocations, JournalEntry{At: c.now, Action: JournalTenantDeleted, TenantID: t.ID})
	}
	return t, c.record("tenant."+action, tenantTarget(t), fields{"state": c.tenant.State}, fields{"state": to})
}

// stateConflict says that something is in the state already that an operation leads to.
func stateConflict(thing string, now tenancy.State) error {
	if now == tenancy.Active {
		return problem.New(problem.Conflict, "not_suspended", "The "+thing+" is active. There is nothing to resume.")
	}
	return problem.New(problem.Conflict, "already_suspended", "The "+thing+" is suspended already.")
}

// Tenant answers one tenant: the caller's own, or any to claviger.tenants:read in the
// system tenant.
func (a *Authority) Tenant(ctx context.Context, caller access.Caller, in TenantInput) (out tenancy.Tenant, err error) {
	err = a.view(ctx, caller, in.ID, func(s *scope) error {
		if s.caller.Tenant != s.target || s.caller.Tenant == tenancy.SystemTenantID {
			if err := s.mayReadTenants(); err != nil {
				return err
			}
		} else if err := s.requireAny(s.rootPath(), access.OrganizationsRead, access.TenantManage); err != nil {
			return err
		}
		out = s.tenant
		return nil
	})
	return out, err
}

func (s *scope) mayReadTenants() error {
	if s.requireSystem(access.TenantsManage) == nil {
		return nil
	}
	return s.requireSystem(access.TenantsRead)
}

// Tenants lists all tenants. It needs claviger.tenants:read in the system tenant.
func (a *Authority) Tenants(ctx context.Context, caller access.Caller, in TenantsInput) (out store.List[tenancy.Tenant], err error) {
	err = a.view(ctx, caller, "", func(s *scope) error {
		if err := s.mayReadTenants(); err != nil {
			return err
		}
		out, err = s.tx.AllTenantsTenants(store.TenantFilter{Search: in.Search, State: in.State}, in.Page)
		return err
	})
	return out, err
}
