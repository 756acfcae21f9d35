// Package tenancy knows tenants, the organization tree, and the users, apps and service
// accounts in it: what they are, which states they have, and which names they may carry.
//
// It is pure: it reads no clock, no network and no database.
package tenancy

import (
	"net/netip"
	"time"
)

// TenantID names a tenant: "ten_" and 26 characters, except SystemTenantID.
type TenantID string

// SystemTenantID is the tenant of the installation's own operators.
const SystemTenantID TenantID = "ten_system"

// OrgID names an organization: "org_…".
type OrgID string

// UserID names a user: "usr_…". It never holds a colon, so it can be the user part of
// HTTP Basic.
type UserID string

// PlanID names a plan: "pln_…".
type PlanID string

// AppID names an app: "app_…".
type AppID string

// ServiceAccountID names a service account: "sva_…".
type ServiceAccountID string

// State is the life of a tenant, an organization, a user or another principal.
type State string

// The states.
const (
	Active    State = "active"
	Suspended State = "suspended" // reversible; its credentials stop meanwhile
	Deleted   State = "deleted"   // final; the row is a tombstone
)

// Labels are the vendor's own names for an object, returned by verification (B12).
type Labels struct {
	ExternalID string            // unique per tenant and type of object; empty means none
	Metadata   map[string]string // at most MaxMetadata bytes of JSON
}

// Tenant is a customer, isolated from all others.
type Tenant struct {
	ID         TenantID
	Slug       string // what people type at sign-in; unique, lower case
	Name       string
	AccountID  int64 // the number of the root organization, the account (VX)
	PlanID     PlanID
	RootOrg    OrgID
	State      State
	Policy     Policy
	Labels     Labels
	CreatedAt  time.Time
	ModifiedAt time.Time
	// APIAccessRequestedAt is when somebody asked for a plan with API access; zero means
	// that nobody has, or that the tenant has it now.
	APIAccessRequestedAt time.Time
	// ImportUntil is until when the tenant's own people may import keys; zero means that only
	// the installation's operators may.
	ImportUntil time.Time
}

// Policy narrows what a tenant's people may do. The zero Policy narrows nothing.
type Policy struct {
	// MaxLifetime is the longest life per credential kind; no entry means no limit.
	MaxLifetime map[string]time.Duration
	// DefaultLifetime is used when none is asked for; no entry means the kind's own default.
	DefaultLifetime map[string]time.Duration
	// LegacyAccountKeys lets account keys come as query parameters at the gateway (VX6).
	LegacyAccountKeys bool
	// TokenLifetime is how long access tokens and session tokens are good for, in whole
	// seconds from MinTokenLifetime to MaxTokenLifetime; 0 means DefaultTokenLifetime.
	TokenLifetime time.Duration
	// AdministratorsSignInAutomatically lets organization keys sign in people who hold
	// administrative rights (NV2).
	AdministratorsSignInAutomatically bool
	// Notices says when and whom to tell of credentials that expire (NV11).
	Notices Notices

	// ShowOnce are kinds of which no secret is kept that could be shown again.
	ShowOnce []string
	// Networks are where credentials work from; empty means anywhere. A credential carries
	// its own, which are within these.
	Networks []netip.Prefix
	// MayCreate is who may make credentials, by kind; no entry means CreatorsPermitted.
	MayCreate map[string]Creators
	// NamePattern is a regular expression (RE2) that whole names of credentials match; empty
	// means any name. NameHint tells people what it asks for; empty means that it is shown itself.
	NamePattern, NameHint string
	// SuspendIdleDays is after how many days without use a credential is suspended, up to
	// MaxIdleDays; 0 means never.
	SuspendIdleDays int
	// Kept is what the authority remembers about the rules. It is never taken from a caller.
	Kept PolicyKept
}

// How long tokens are good for.
const (
	DefaultTokenLifetime = 15 * time.Minute
	MinTokenLifetime     = time.Minute
	MaxTokenLifetime     = 2 * time.Hour
)

// Tokens is how long tokens are good for under the policy.
func (p Policy) Tokens() time.Duration {
	if p.TokenLifetime == 0 {
		return DefaultTokenLifetime
	}
	return p.TokenLifetime
}

// Organization is a node of a tenant's tree. The root is the account.
type Organization struct {
	ID       OrgID
	TenantID TenantID
	ParentID OrgID   // empty for the root
	Path     []OrgID // from the root to this organization, itself included
	Name     string
	State    State // Suspended stops everything at and below
	// Domains are names of which "user@domain" and "DOMAIN\user" are people here and below
	// (NV2): in lower case, each of one organization in the tenant.
	Domains   []string
	Labels    Labels
	CreatedAt time.Time
}

// User is a person in a tenant, at one organization.
type User struct {
	ID             UserID
	TenantID       TenantID
	OrganizationID OrgID
	Username       string // as typed; unique per tenant after NFKC and case folding
	DisplayName    string
	Email          string // empty means none
	Licence        string // key of a licence of the catalogue; empty means none
	State          State
	Labels         Labels
	CreatedAt      time.Time
}

// App is a customer's integration with chosen APIs. It has one credential, of a key and a
// secret.
type App struct {
	ID             AppID
	TenantID       TenantID
	OrganizationID OrgID
	Name           string
	APIs           []string // keys of APIs in the catalogue
	State          State
	Labels         Labels
	CreatedAt      time.Time
	CreatedByName  string
}

// ServiceAccount is a program's identity. Its rights are its roles, its credentials any
// number of key pairs.
type ServiceAccount struct {
	ID             ServiceAccountID
	TenantID       TenantID
	OrganizationID OrgID
	Email          string // names it in key files; no mailbox
	Description    string // empty means none
	State          State
	Labels         Labels
	CreatedAt      time.Time
	CreatedByName  string
}
