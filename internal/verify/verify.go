// Package verify decides, from memory and without any I/O, whether a credential is good
// right now for what is asked of it.
//
// Each node holds every live credential in a compact resident index that follows the
// store's change feed. A denial is an answer, a Result; an error means undecided, and
// undecided is never VALID. Undecided happens when the node can't prove that it is fresh
// enough, or when applying the feed failed and has not been repeated yet.
package verify

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
)

// Code is why a credential is good or not.
type Code string

// The codes, in the order in which they are decided.
const (
	NotFound                Code = "NOT_FOUND"
	TenantSuspended         Code = "TENANT_SUSPENDED"
	Revoked                 Code = "REVOKED"
	Suspended               Code = "SUSPENDED"
	NotYetValid             Code = "NOT_YET_VALID"
	Expired                 Code = "EXPIRED"
	WrongKind               Code = "WRONG_KIND"
	Forbidden               Code = "FORBIDDEN"
	InsufficientPermissions Code = "INSUFFICIENT_PERMISSIONS"
	RateLimited             Code = "RATE_LIMITED"
	UsageExceeded           Code = "USAGE_EXCEEDED"
	Valid                   Code = "VALID"
)

// Request is one question. Strings may alias a request buffer: nothing of it is kept.
type Request struct {
	Credential  string     // a key, an access or session token, or a service account's JWT, taken alone
	ID          string     // with Secret: a user ID (PV1) or account ID; empty otherwise
	Secret      string     // with ID
	Permissions string     // a permission query; empty asks for nothing
	SourceIP    netip.Addr // zero means not given
	UserAgent   string     // of whoever presents the credential; noted for secrets in their grace period alone
	Cost        int64      // 0 means 1
	DryRun      bool       // charge nothing, count nothing
	// OnlyTenant, when set, makes credentials of other tenants NOT_FOUND.
	OnlyTenant tenancy.TenantID
	// Legacy says that the credential came as query parameters (VX6). That is NOT_FOUND for
	// all but account keys of tenants whose policy allows it.
	Legacy bool
}

// Form is how a credential was proved.
type Form string

// The forms.
const (
	FormKey          Form = "" // by its own key
	FormAccessToken  Form = "access_token"
	FormSessionToken Form = "session_token" // the principal is the person who was signed in
	FormAssertion    Form = "assertion"     // a JWT that a service account signed
)

// LimitState is what is left of one rate or quota after this call.
type LimitState struct {
	Name      string
	Limit     int64
	Remaining int64
	ResetAt   time.Time
}

// Result is the verdict. Where Code is NotFound, only Valid, Code, Revision and Staleness
// are set. Slices and pointers are shared with the index: read them, don't change them.
type Result struct {
	Valid          bool
	Code           Code
	CredentialID   credential.ID
	Kind           credential.Kind
	TenantID       tenancy.TenantID
	OrganizationID tenancy.OrgID
	Labels         *tenancy.Labels // nil when none
	Principal      access.Principal
	PrincipalLabel *tenancy.Labels // nil when none
	Permissions    *PermissionSet  // effective, evaluated now; empty where the credential itself is no good
	Missing        []access.Permission
	ExpiresAt      time.Time // zero means never
	SecretVersion  int
	Form           Form
	Token          *token.Claims // of access and session tokens; nil otherwise
	Limits         []LimitState  // nil when the credential has none
	Revision       uint64
	Staleness      time.Duration
}

// PermissionSet is an effective set shared by everyone who holds the same; its sorted
// grants are rendered once, as a JSON array and as OAuth has scopes, with spaces between.
type PermissionSet struct {
	Set   access.Set
	JSON  []byte
	Scope string
}

// Source is where the index reads. Its values are the core's types alone, so that
// the store satisfies it unseen.
type Source interface {
	// Snapshot streams everything the index needs, as of one revision, which it returns.
	// The order is: catalogue, plans, tenants, organizations, roles, assignments, users,
	// service accounts, apps, revoked tokens, signing keys, credentials. put must not keep what it is given beyond the call.
	Snapshot(ctx context.Context, put func(Item) error) (revision uint64, err error)
	// Changes returns the feed after a revision, at most limit rows, oldest first, each
	// with the item's state now (which may be newer than the row), and the feed's head. Rows
	// and head are of one snapshot: with fewer rows than limit, there are no more up to head.
	Changes(ctx context.Context, after uint64, limit int) (changes []Change, head uint64, err error)
	// Wait returns when the feed may have moved beyond after, or with ctx's error. It may
	// return early for nothing.
	Wait(ctx context.Context, after uint64) error
}

// Change is one row of the feed.
type Change struct {
	Revision uint64
	Item     Item
}

// Item is the state of one thing; exactly one pointer is set. Gone items have their
// Gone flag set and only their IDs filled in.
type Item struct {
	Plan         *Plan
	Tenant       *tenancy.Tenant
	Held         bool // with Tenant: its credentials are suspended, all of them
	Organization *tenancy.Organization
	Role         *access.Role
	Assignments  *PrincipalAssignments // all assignments of one principal
	User         *tenancy.User
	// App and ServiceAccount are needed without their names only.
	App            *tenancy.App
	ServiceAccount *tenancy.ServiceAccount
	Catalog        *catalog.Catalog // there is one; it is never gone
	Credential     *Credential
	RevokedToken   *RevokedToken
	SigningKeys    *SigningKeys // there is one; it is never gone
	Gone           bool
}

// SigningKeys are all keys that the installation's own tokens are signed and checked with.
type SigningKeys struct{ List []token.SigningKey }

// Plan is what a plan means to verification.
type Plan struct {
	ID          tenancy.PlanID
	APIAccess   bool           // false: keys stop verifying (PV4)
	Permissions []access.Grant // the vendor's permissions it includes
}

// PrincipalAssignments is the whole list for one principal.
type PrincipalAssignments struct {
	Principal access.Principal
	TenantID  tenancy.TenantID
	List      []access.Assignment
}

// Credential is a credential with the digests of its living secrets.
type Credential struct {
	credential.Credential
	Material []credential.Material
	// Row grows in the order in which credentials were made. Of several that were imported
	// with the same secret the first counts.
	Row uint64
	// QuotaUsed is what was counted before this node started, by quota name and period
	// start; only on Snapshot.
	QuotaUsed []QuotaUsed
}

// QuotaUsed is a persisted quota count.
type QuotaUsed struct {
	Name        string
	PeriodStart time.Time
	Used        int64
}

// Usage is what happened to one credential since it was last drained.
type Usage struct {
	CredentialID credential.ID
	TenantID     tenancy.TenantID
	LastUsedAt   time.Time
	Hour         time.Time      // start of the hour, UTC
	Valid        int64          // verdicts VALID
	Denied       map[Code]int64 // others, by code
	Quotas       []QuotaUsed    // absolute counts of this node's process for the current period
}
