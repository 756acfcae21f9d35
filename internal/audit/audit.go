// Package audit makes events into a chain in which any edit, removal or reordering
// shows: every tenant has a hash chain of its own, the tenants' heads are chained in the
// system chain, and signed checkpoints of the system chain are kept outside the database.
//
// It is pure: it hashes, signs and checks what it is given.
package audit

import (
	"encoding/json"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Hash is a SHA-256 value.
type Hash [32]byte

// Event says who did what to what, with which credential, from where. It never holds a
// secret, a digest of one, or free text of a request that was refused.
type Event struct {
	TenantID       tenancy.TenantID // whose chain it is in: the tenant that was changed
	Sequence       int64            // 1, 2, 3 … in the tenant's chain
	At             time.Time        // UTC, microseconds
	Action         string           // "api_key.revoke"
	Actor          access.Principal
	ActorName      string
	ActorTenant    tenancy.TenantID
	Via            access.Via
	CredentialID   string // the credential the actor used, if any
	SessionID      string
	Source         string // IP address
	UserAgent      string
	RequestID      string
	TargetType     string // "credential", "user", "role", …
	TargetID       string
	TargetName     string
	OrganizationID tenancy.OrgID   // of the target
	Before, After  json.RawMessage // changed fields only, as canonical JSON; nil means none
	Previous       Hash            // hash of the event before; zero for the first
	Hash           Hash            // of everything above
}

// Head is the end of a tenant's chain.
type Head struct {
	TenantID tenancy.TenantID
	Sequence int64
	Hash     Hash
}

// Link is an entry of the system chain: the heads that moved since the entry before.
type Link struct {
	Sequence int64
	At       time.Time
	Heads    []Head // sorted by tenant ID
	Previous Hash
	Hash     Hash
}

// Checkpoint is a signed statement of the system chain's head, kept outside the database.
type Checkpoint struct {
	Installation string    `json:"installation"` // random ID of the database, so that files of two installations aren't mixed up
	Sequence     int64     `json:"sequence"`
	At           time.Time `json:"at"`
	Hash         []byte    `json:"hash"`
	Events       int64     `json:"events"` // events covered, for people
	// Restored says that a backup was restored here: the chain went back, knowingly, to what
	// this checkpoint states.
	Restored  bool   `json:"restored,omitempty"`
	KeyID     string `json:"key_id"`
	Signature []byte `json:"signature"` // Ed25519 over all of the above
}
