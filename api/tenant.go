package api

import "time"

// Tenant is a customer, isolated from all others.
type Tenant struct {
	ID                 string            `json:"id" example:"ten_01jd3x8q4w9k2m5n7p0r6t8v1y"`
	Slug               string            `json:"slug" doc:"What people type at sign-in." example:"northwind"`
	Name               string            `json:"name" example:"Northwind Voice"`
	AccountID          int64             `json:"account_id" doc:"The number of the root organization, the account." example:"1234567"`
	PlanID             string            `json:"plan_id"`
	RootOrganizationID string            `json:"root_organization_id"`
	State              string            `json:"state" enum:"active,suspended,deleted"`
	Policy             Policy            `json:"policy"`
	PolicyFloor        *Policy           `json:"policy_floor,omitempty" doc:"What the operators set in the policy: the tenant's own people may be stricter, not looser."`
	ExternalID         string            `json:"external_id,omitempty" doc:"Your own name for the tenant."`
	Metadata           map[string]string `json:"metadata,omitempty"`
	CreatedAt          time.Time         `json:"created_at"`
	ModifiedAt         time.Time         `json:"modified_at"`

	APIAccessRequestedAt *time.Time `json:"api_access_requested_at,omitempty" doc:"When somebody of the tenant asked for a plan with API access; absent once it has one."`
	ImportUntil          *time.Time `json:"import_until,omitempty" doc:"Until when the tenant's own people may import keys; absent means that the operators alone may."`
}

// APIAccess is whether a tenant's plan includes API access, and what depends on it.
type APIAccess struct {
	APIAccess    bool       `json:"api_access"`
	TenantName   string     `json:"tenant_name"`
	PlanKey      string     `json:"plan_key" example:"starter"`
	PlanName     string     `json:"plan_name" example:"Starter"`
	ExistingKeys int64      `json:"existing_keys" doc:"Active credentials of any kind: they work only while the plan includes API access."`
	RequestedAt  *time.Time `json:"requested_at,omitempty" doc:"When API access was asked for."`
}

// Policy narrows what a tenant's people may do. No entry for a kind means no limit.
type Policy struct {
	MaxLifetimeSeconds     map[string]int64 `json:"max_lifetime_seconds,omitempty" doc:"The longest life of a credential, by kind."`
	DefaultLifetimeSeconds map[string]int64 `json:"default_lifetime_seconds,omitempty" doc:"The life of a credential when none is asked for, by kind."`
	LegacyAccountKeys      bool             `json:"legacy_account_keys,omitempty" doc:"Whether account keys are taken from the query parameters account_id and api_key of a request. Deprecated: they stand in logs and histories."`
	TokenLifetimeSeconds   int64            `json:"token_lifetime_seconds,omitempty" minimum:"60" maximum:"7200" doc:"How long access tokens and session tokens are good for; absent means 900."`

	AdministratorsSignInAutomatically bool `json:"administrators_sign_in_automatically,omitempty" doc:"Whether organization keys sign in people who hold administrative rights, too."`

	ShowOnce        []string          `json:"show_once,omitempty" nullable:"false" maxItems:"7" enum:"organization_key,app" doc:"Kinds of which no secret is kept that could be shown again; those of all other kinds never are."`
	Networks        []string          `json:"networks,omitempty" nullable:"false" maxItems:"100" maxLength:"64" doc:"Addresses or CIDR prefixes that credentials may be used from. A credential for which none are chosen gets these."`
	MayCreate       map[string]string `json:"may_create,omitempty" doc:"Who may make credentials, by kind: permitted (whoever has the permission), administrators (of those, whoever may change the account's settings) or nobody."`
	NamePattern     string            `json:"name_pattern,omitempty" maxLength:"200" doc:"A regular expression (RE2) that whole names of credentials match." example:"(prod|test)-[a-z0-9-]+"`
	NameHint        string            `json:"name_hint,omitempty" maxLength:"200" doc:"What people are told who choose another name; absent means the pattern."`
	SuspendIdleDays int               `json:"suspend_idle_days,omitempty" minimum:"0" maximum:"3650" doc:"After how many days a credential is suspended that was neither used nor made nor resumed; absent means never."`

	Notices *Notices `json:"notices,omitempty" doc:"When and whom to tell of credentials that expire; absent means the default."`
}

// CreateTenantRequest makes a tenant with its root organization and the built-in roles.
type CreateTenantRequest struct {
	Slug       string            `json:"slug" minLength:"1" maxLength:"63" doc:"Lower-case letters, digits and hyphens; unique."`
	Name       string            `json:"name" minLength:"1" maxLength:"200"`
	PlanID     string            `json:"plan_id" minLength:"1" maxLength:"64"`
	Policy     *Policy           `json:"policy,omitempty"`
	ExternalID string            `json:"external_id,omitempty" maxLength:"200"`
	Metadata   map[string]string `json:"metadata,omitempty"`
}

// ChangeTenantRequest changes what is set in it. People of the tenant itself may change
// the name and the policy; the rest is the system's.
type ChangeTenantRequest struct {
	Slug       *string            `json:"slug,omitempty" minLength:"1" maxLength:"63"`
	Name       *string            `json:"name,omitempty" minLength:"1" maxLength:"200"`
	PlanID     *string            `json:"plan_id,omitempty" minLength:"1" maxLength:"64"`
	Policy     *Policy            `json:"policy,omitempty"`
	ExternalID *string            `json:"external_id,omitempty" maxLength:"200" doc:"Empty removes it."`
	Metadata   *map[string]string `json:"metadata,omitempty" doc:"Replaces all of it."`
}

// Plan is what a tenant has bought.
type Plan struct {
	ID          string    `json:"id"`
	Key         string    `json:"key" example:"starter"`
	Name        string    `json:"name" example:"Starter"`
	APIAccess   bool      `json:"api_access" doc:"Without it no key of the tenant can be managed, and none verifies."`
	Permissions []string  `json:"permissions" nullable:"false" doc:"The vendor's permissions it includes; * matches a whole segment." example:"[\"*:*\"]"`
	CreatedAt   time.Time `json:"created_at"`
}

// CreatePlanRequest makes a plan.
type CreatePlanRequest struct {
	Key         string   `json:"key" minLength:"1" maxLength:"63" doc:"Lower-case letters, digits and hyphens; unique."`
	Name        string   `json:"name" minLength:"1" maxLength:"200"`
	APIAccess   bool     `json:"api_access"`
	Permissions []string `json:"permissions" nullable:"false" maxItems:"1000" maxLength:"128"`
}

// ChangePlanRequest changes what is set in it. Every tenant on the plan feels it at once.
type ChangePlanRequest struct {
	Name        *string   `json:"name,omitempty" minLength:"1" maxLength:"200"`
	APIAccess   *bool     `json:"api_access,omitempty"`
	Permissions *[]string `json:"permissions,omitempty" nullable:"false" maxItems:"1000" maxLength:"128"`
}
