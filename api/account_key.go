package api

import "time"

// AccountKey is a key that may do everything that the tenant's plan allows. It is
// deprecated: use a service account.
type AccountKey struct {
	ID            string            `json:"id" example:"crd_8fK2mPq0Zr4T"`
	TenantID      string            `json:"tenant_id"`
	Deprecated    bool              `json:"deprecated" doc:"Always true: use a service account."`
	Name          string            `json:"name"`
	Hint          string            `json:"hint" example:"clv_ak_Ab3d…9xYz"`
	State         string            `json:"state" enum:"active,suspended,revoked,expired"`
	Networks      []string          `json:"networks" nullable:"false"`
	Limits        *Limits           `json:"limits,omitempty"`
	SecretVersion int               `json:"secret_version"`
	PreviousUntil *time.Time        `json:"previous_valid_until,omitempty" doc:"After a rotation: until when the secret before still verifies."`
	NotBefore     *time.Time        `json:"not_before,omitempty"`
	ExpiresAt     *time.Time        `json:"expires_at,omitempty"`
	CreatedAt     time.Time         `json:"created_at"`
	CreatedBy     Principal         `json:"created_by"`
	EndedAt       *time.Time        `json:"ended_at,omitempty"`
	DeletedAt     *time.Time        `json:"deleted_at,omitempty"`
	LastUsedAt    *time.Time        `json:"last_used_at,omitempty"`
	ExternalID    string            `json:"external_id,omitempty"`
	Metadata      map[string]string `json:"metadata,omitempty"`
}

// IssuedAccountKey is a new or rotated account key, with its secret: the only time it is shown.
type IssuedAccountKey struct {
	AccountKey
	Key             Secret `json:"key,omitempty" doc:"The whole key, shown once."`
	SecretAvailable bool   `json:"secret_available" doc:"False when the request was a replay."`
}

// IssueAccountKeyRequest makes an account key.
type IssueAccountKeyRequest struct {
	Name       string            `json:"name" minLength:"1" maxLength:"200"`
	Networks   []string          `json:"networks,omitempty" nullable:"false" maxItems:"100" maxLength:"64"`
	Limits     *Limits           `json:"limits,omitempty"`
	NotBefore  *time.Time        `json:"not_before,omitempty"`
	ExpiresAt  *time.Time        `json:"expires_at,omitempty"`
	ExternalID string            `json:"external_id,omitempty" maxLength:"200"`
	Metadata   map[string]string `json:"metadata,omitempty"`
}

// ChangeAccountKeyRequest renames an account key.
type ChangeAccountKeyRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"200"`
}
