package api

import (
	"encoding/json"
	"time"
)

// AuditEvent says who did what to what, with which credential, from where. Each holds the
// hash of the one before, so that an edit or a removal shows.
type AuditEvent struct {
	Sequence       int64           `json:"sequence" doc:"1, 2, 3 … in the tenant's chain."`
	TenantID       string          `json:"tenant_id" doc:"The tenant that was changed."`
	At             time.Time       `json:"at"`
	Action         string          `json:"action" example:"api_key.revoke"`
	Actor          Principal       `json:"actor"`
	ActorTenantID  string          `json:"actor_tenant_id,omitempty"`
	Via            string          `json:"via" enum:"session,credential,system"`
	CredentialID   string          `json:"credential_id,omitempty" doc:"The credential that the actor used."`
	SessionID      string          `json:"session_id,omitempty"`
	Source         string          `json:"source,omitempty" doc:"IP address."`
	UserAgent      string          `json:"user_agent,omitempty"`
	RequestID      string          `json:"request_id,omitempty"`
	Target         Principal       `json:"target" doc:"What was changed."`
	OrganizationID string          `json:"organization_id,omitempty" doc:"The target's."`
	Before         json.RawMessage `json:"before,omitempty" doc:"The changed fields as they were."`
	After          json.RawMessage `json:"after,omitempty" doc:"The changed fields as they are."`
	Previous       string          `json:"previous_hash" doc:"SHA-256 of the event before, in hex."`
	Hash           string          `json:"hash" doc:"SHA-256 of this event, in hex."`
}

// Health is what /healthz and /readyz answer.
type Health struct {
	Status    string            `json:"status" example:"ok" doc:"ok; degraded: it verifies but cannot change; unavailable: it cannot verify"`
	Version   string            `json:"version,omitempty"`
	Checks    map[string]string `json:"checks,omitempty" doc:"By name: ok, or what is wrong."`
	Revision  uint64            `json:"revision,omitempty"`
	Staleness int64             `json:"staleness_ms,omitempty"`
}
