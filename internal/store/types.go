package store

import (
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// TenantFilter narrows a list of tenants. The zero filter is all but deleted ones.
type TenantFilter struct {
	Search         string // part of the name, slug or external ID
	State          tenancy.State
	IncludeDeleted bool
}

// OrganizationFilter narrows a list of organizations. The zero filter is all but deleted ones.
type OrganizationFilter struct {
	At             tenancy.OrgID // this one and all below; empty means the whole tree
	Search         string
	State          tenancy.State
	IncludeDeleted bool
}

// UserFilter narrows a list of users. The zero filter is all but deleted ones.
type UserFilter struct {
	At             tenancy.OrgID // users of this organization and all below
	Search         string        // part of user name, display name, e-mail address or external ID
	State          tenancy.State
	IncludeDeleted bool
}

// AssignmentFilter narrows a list of assignments. The zero filter is all.
type AssignmentFilter struct {
	Principal *access.Principal
	Role      access.RoleID
	At        tenancy.OrgID // assignments at this organization and all below
}

// CredentialFilter narrows a list of credentials. The zero filter is all that are neither
// deleted nor expired.
type CredentialFilter struct {
	Kinds          []credential.Kind
	At             tenancy.OrgID // this organization and all below
	Owner          *access.Principal
	States         []credential.State
	Search         string    // part of a word in name, shown characters, expiry date, organization, creator or owner
	ExpiringBefore time.Time // zero means no matter when
	IncludeDeleted bool      // also deleted and expired ones
}

// AuditFilter narrows a list of audit events. The zero filter is all of the tenant.
type AuditFilter struct {
	Action       string
	ActorID      string
	TargetType   string
	TargetID     string
	CredentialID string // the credential that the actor used
	From, Until  time.Time
}

// OneTimeLink is a link that works once, such as an invitation.
type OneTimeLink struct {
	TokenHash []byte // SHA-256 of the token; the token itself is never stored
	Purpose   string // "invitation", "first_admin", …
	UserID    tenancy.UserID
	Data      []byte // what the purpose needs; nil means nothing
	CreatedAt time.Time
	ExpiresAt time.Time // exclusive
}

// Session is a signed-in browser.
type Session struct {
	TokenHash     []byte // SHA-256 of the token; the token itself is never stored
	PublicID      string // what may be shown and audited
	TenantID      tenancy.TenantID
	UserID        tenancy.UserID // empty before sign-in is complete
	Data          []byte         // the session library's own
	Source        string
	UserAgent     string
	CreatedAt     time.Time
	SeenAt        time.Time
	IdleExpiresAt time.Time // exclusive
	ExpiresAt     time.Time // exclusive; absolute
}

// IdempotencyRecord remembers the answer to a request, so that a repeated one is answered
// and not done again.
type IdempotencyRecord struct {
	Scope       string // caller and route
	Key         string // as the caller sent it
	RequestHash []byte // of method, path and body: another body under the same key is a conflict
	Status      int
	Body        []byte // without any secret
	ExpiresAt   time.Time
}

// UsageRow is what happened to one credential since the last batch.
type UsageRow = verify.Usage

// UsageHour is the use of one credential in one hour.
type UsageHour struct {
	CredentialID credential.ID
	Hour         time.Time
	Valid        int64
	Denied       int64
	DeniedBy     map[string]int64 // by verdict code
}

// AuditAnchor is what audit verification starts from: a tenant's recorded head and how far
// the system chain covers it.
type AuditAnchor struct {
	Head           audit.Head
	LinkedSequence int64 // events up to here are covered by a link of the system chain
}
