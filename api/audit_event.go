package api

import (
	"encoding/json"
	"time"
)

// AuditEvent says who did what to what, with which credential, from where. Each holds the
// hash of the one before, so that an edit or a removal shows.
type AuditEvent struct {
	Sequence         int64           `json:"sequence" doc:"1, 2, 3 … in the tenant's chain."`
	TenantID         string          `json:"tenant_id" doc:"The tenant that was changed."`
	At               time.Time       `json:"at"`
	Action           string          `json:"action" example:"api_key.revoke"`
	Actor            Principal       `json:"actor"`
	ActorTenantID    string          `json:"actor_tenant_id,omitempty"`
	Via              string          `json:"via" enum:"session,credential,system"`
	CredentialID     string          `json:"credential_id,omitempty" doc:"The credential that the actor used."`
	SessionID        string          `json:"session_id,omitempty"`
	Source           string          `json:"source,omitempty" doc:"IP address."`
	UserAgent        string          `json:"user_agent,omitempty"`
	RequestID        string          `json:"request_id,omitempty"`
	Target           Principal       `json:"target" doc:"What was changed."`
	OrganizationID   string          `json:"organization_id,omitempty" doc:"The target's."`
	OrganizationName string          `json:"organization_name,omitempty" doc:"What it is called now."`
	Before           json.RawMessage `json:"before,omitempty" doc:"The changed fields as they were."`
	After            json.RawMessage `json:"after,omitempty" doc:"The changed fields as they are."`
	Previous         string          `json:"previous_hash" doc:"SHA-256 of the event before, in hex."`
	Hash             string          `json:"hash" doc:"SHA-256 of this event, in hex."`
}

// AuditCheckpoint is how far a tenant's audit log is sealed by a signed checkpoint that is
// kept outside the database.
type AuditCheckpoint struct {
	Sequence int64      `json:"sequence" doc:"Of the checkpoint; 0 means that there is none yet."`
	At       *time.Time `json:"at,omitempty" doc:"When it was signed."`
	Events   int64      `json:"events" doc:"How many events the tenant has."`
	Sealed   int64      `json:"sealed_events" doc:"For how many of them the checkpoint vouches."`
}

// AuditCheck is what checking a tenant's audit log found.
type AuditCheck struct {
	AuditCheckpoint
	OK      bool   `json:"ok" doc:"Whether every event is as it was written, in its place, and none is missing."`
	Problem string `json:"problem,omitempty" doc:"What does not hold."`
	Broken  int64  `json:"broken_at,omitempty" doc:"The first event that is wrong or missing."`
}

// Found is one thing that a search by name found.
type Found struct {
	Type             string `json:"type" enum:"api_key,app,service_account,client_credential,account_key,verifier_key,user,organization,tenant"`
	ID               string `json:"id" doc:"Of the thing; of apps and service accounts theirs, not their credential's."`
	Name             string `json:"name"`
	Detail           string `json:"detail,omitempty" doc:"What tells it from others of the name: a user name, an e-mail address, a key's shown characters."`
	CredentialID     string `json:"credential_id,omitempty"`
	Kind             string `json:"kind,omitempty" doc:"Of the credential."`
	State            string `json:"state"`
	OrganizationID   string `json:"organization_id,omitempty" doc:"Where it is; of an organization, its parent."`
	OrganizationName string `json:"organization_name,omitempty"`
}

// Health is what /healthz and /readyz answer.
type Health struct {
	Status    string            `json:"status" example:"ok" doc:"ok; degraded: it verifies but cannot change; unavailable: it cannot verify"`
	Version   string            `json:"version,omitempty"`
	Checks    map[string]string `json:"checks,omitempty" doc:"By name: ok, or what is wrong."`
	Revision  uint64            `json:"revision,omitempty"`
	Staleness int64             `json:"staleness_ms,omitempty"`
}
