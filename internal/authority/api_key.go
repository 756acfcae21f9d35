package authority

import (
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Key is a credential as its managers see it: never with its secret.
type Key struct {
	credential.Credential
	OwnerName  string    // user name of the principal where that is a user
	GraceUntil time.Time // until when the secret before this one goes on working; zero means it doesn't
	Revision   uint64    // of the change that answered it; zero on reads
}

// IssuedKey is a key whose secret was just made.
type IssuedKey struct {
	Key
	// Secret is the whole key string. It is shown this once.
	Secret secret.Secret
	// SecretAvailable is false when an idempotent request was repeated: Secret is zero then.
	SecretAvailable bool
}

// IssueAPIKeyInput describes a new user key.
type IssueAPIKeyInput struct {
	Tenant tenancy.TenantID // empty means the caller's own
	Name   string
	// Owner is the user it belongs to; empty means the caller. Naming another user is
	// for system callers only.
	Owner     tenancy.UserID
	NotBefore time.Time  // zero means at once
	ExpiresAt *time.Time // nil means the tenant's default
	Networks  []netip.Prefix
	Limits    credential.Limits
	Labels    tenancy.Labels
	Idempotency
}

// KeyInput names one credential.
type KeyInput struct {
	Tenant tenancy.TenantID // empty means wherever the caller may find it
	ID     credential.ID
	Idempotency
}

// RenameKeyInput gives a credential another name.
type RenameKeyInput struct {
	Tenant tenancy.TenantID
	ID     credential.ID
	Name   string
}

// RotateKeyInput asks for a new secret under the same ID.
type RotateKeyInput struct {
	Tenant tenancy.TenantID
	ID     credential.ID
	// Grace is how long the secret before this one goes on working: 0 to 30 days. Zero
	// ends it at once.
	Grace time.Duration
	Idempotency
}

// KeysInput filters a list of credentials. Every zero field means no filter; deleted
// keys are shown only with IncludeDeleted.
type KeysInput struct {
	Tenant         tenancy.TenantID
	At             tenancy.OrgID // at and below
	Owner          tenancy.UserID
	States         []credential.State
	Search         string
	ExpiringBefore time.Time
	IncludeDeleted bool
	Page           store.Page
}
