package api

import "time"

// APIKey is a key that speaks for its user, or for an organization, without its secret. A
// user's is used alone, or as HTTP Basic with Owner.ID as the user name and the key as the
// password.
type APIKey struct {
	ID               string            `json:"id" example:"crd_8fK2mPq0Zr4T" doc:"Unchanged by rotation, never used again."`
	TenantID         string            `json:"tenant_id"`
	OrganizationID   string            `json:"organization_id" doc:"Its user's, or its own: where its permissions hold, and everywhere below."`
	OrganizationName string            `json:"organization_name,omitempty" doc:"What it is called now."`
	Kind             string            `json:"kind" enum:"user_key,organization_key" example:"user_key"`
	Owner            Principal         `json:"owner" doc:"Whom it speaks for."`
	Name             string            `json:"name"`
	Hint             string            `json:"hint" doc:"The key's first and last characters." example:"clv_uk_Ab3d…9xYz"`
	State            string            `json:"state" enum:"active,suspended,revoked,expired"`
	Networks         []string          `json:"networks" nullable:"false" doc:"Where it may be used from; empty means anywhere." example:"[\"192.0.2.0/24\"]"`
	Limits           *Limits           `json:"limits,omitempty"`
	Recoverable      bool              `json:"recoverable" doc:"Whether the key is kept, so that it can be shown again to whom may see it."`
	Imported         bool              `json:"imported,omitempty" doc:"Whether the present key was made by another system."`
	Weak             bool              `json:"weak,omitempty" doc:"Whether it is weaker than 112 bits, so that guessing at it is slowed down: sources that send 20 unknown keys in a minute are not let in with it."`
	SecretVersion    int               `json:"secret_version" doc:"1 at issue, one more at each rotation."`
	PreviousUntil    *time.Time        `json:"previous_valid_until,omitempty" doc:"After a rotation: until when the secret before still verifies."`
	NotBefore        *time.Time        `json:"not_before,omitempty" doc:"Absent means valid at once."`
	ExpiresAt        *time.Time        `json:"expires_at,omitempty" doc:"Exclusive; absent means never."`
	CreatedAt        time.Time         `json:"created_at"`
	CreatedBy        Principal         `json:"created_by"`
	EndedAt          *time.Time        `json:"ended_at,omitempty" doc:"When it was revoked or expired."`
	DeletedAt        *time.Time        `json:"deleted_at,omitempty" doc:"When it was hidden from lists."`
	LastUsedAt       *time.Time        `json:"last_used_at,omitempty" doc:"To about a minute; absent means never."`
	ExternalID       string            `json:"external_id,omitempty"`
	Metadata         map[string]string `json:"metadata,omitempty"`
}

// IssuedAPIKey is a new or rotated key, with its secret: the only time it is shown.
type IssuedAPIKey struct {
	APIKey
	Key             Secret `json:"key,omitempty" doc:"The whole key, shown once."`
	SecretAvailable bool   `json:"secret_available" doc:"False when the request was a replay: the key was shown the first time."`
}

// IssueAPIKeyRequest makes a key for the caller, or one for an organization. Only system
// callers may name another owner.
type IssueAPIKeyRequest struct {
	Kind           string            `json:"kind,omitempty" enum:"user_key,organization_key" default:"user_key"`
	Name           string            `json:"name" minLength:"1" maxLength:"200"`
	OrganizationID string            `json:"organization_id,omitempty" maxLength:"64" doc:"With kind organization_key: whose users it signs in."`
	OwnerID        string            `json:"owner_id,omitempty" maxLength:"64" doc:"With kind user_key: a user ID; absent means yourself. System callers only."`
	Networks       []string          `json:"networks,omitempty" nullable:"false" maxItems:"100" maxLength:"64" doc:"Addresses or CIDR prefixes."`
	Limits         *Limits           `json:"limits,omitempty"`
	NotBefore      *time.Time        `json:"not_before,omitempty"`
	ExpiresAt      *time.Time        `json:"expires_at,omitempty" doc:"Absent means the tenant's default: of organization keys a year from now where it has none, of others never."`
	ExternalID     string            `json:"external_id,omitempty" maxLength:"200"`
	Metadata       map[string]string `json:"metadata,omitempty"`
}

// ChangeAPIKeyRequest changes what is set in it. Of a user's key that can be the name alone.
type ChangeAPIKeyRequest struct {
	Name         *string            `json:"name,omitempty" minLength:"1" maxLength:"200"`
	ExpiresAt    *time.Time         `json:"expires_at,omitempty" doc:"Within the tenant's policy."`
	NeverExpires bool               `json:"never_expires,omitempty" doc:"Instead of expires_at, where the policy allows it."`
	Networks     *[]string          `json:"networks,omitempty" nullable:"false" maxItems:"100" maxLength:"64" doc:"Replaces all of it."`
	Limits       *Limits            `json:"limits,omitempty" doc:"Replaces all of it."`
	ExternalID   *string            `json:"external_id,omitempty" maxLength:"200" doc:"Empty removes it."`
	Metadata     *map[string]string `json:"metadata,omitempty" doc:"Replaces all of it."`
}

// RotateRequest gives a credential a new secret under the same ID.
type RotateRequest struct {
	GracePeriodSeconds int64 `json:"grace_period_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"How long the secret before still verifies, up to 30 days; 0 ends it at once."`
}

// PreviousSecretUses is from where the secret before the present one was used since the
// rotation, to about a minute ago.
type PreviousSecretUses struct {
	SecretVersion int                 `json:"secret_version,omitempty" doc:"Of the secret before; absent where there is none, or none is known any more."`
	ValidUntil    *time.Time          `json:"valid_until,omitempty" doc:"When its grace period ends, exclusive, or ended."`
	Items         []PreviousSecretUse `json:"items" nullable:"false" doc:"The latest first, at most 500."`
	OtherCalls    int64               `json:"other_calls,omitempty" doc:"Calls from further places, too many to tell apart."`
}

// PreviousSecretUse is the calls from one place, whatever was answered.
type PreviousSecretUse struct {
	SourceIP   string    `json:"source_ip,omitempty" doc:"Absent where whoever asked for verification didn't tell." example:"192.0.2.7"`
	UserAgent  string    `json:"user_agent,omitempty" example:"report-sync/2.1"`
	LastUsedAt time.Time `json:"last_used_at"`
	Calls      int64     `json:"calls"`
}

// Limits bounds how often a credential may be used.
type Limits struct {
	Rates  []Rate  `json:"rates,omitempty" nullable:"false" maxItems:"10"`
	Quotas []Quota `json:"quotas,omitempty" nullable:"false" maxItems:"10"`
}

// Rate allows a sum of costs of Limit in each fixed window. A call costs 1 unless its
// verification says otherwise; windows are aligned to the epoch.
type Rate struct {
	Name          string `json:"name" minLength:"1" maxLength:"63" example:"burst"`
	Limit         int64  `json:"limit" minimum:"1"`
	WindowSeconds int64  `json:"window_seconds" minimum:"1" maximum:"86400"`
}

// Quota allows a sum of costs of Limit in each period (UTC).
type Quota struct {
	Name   string `json:"name" minLength:"1" maxLength:"63" example:"monthly"`
	Limit  int64  `json:"limit" minimum:"1"`
	Period string `json:"period" enum:"day,month,forever"`
}

// VerifierKey is a key with which a program may ask Claviger to verify credentials, and do
// nothing else. A tenant's verifier key sees that tenant's credentials only; the system
// tenant's sees all.
type VerifierKey struct {
	ID            string            `json:"id" example:"crd_8fK2mPq0Zr4T"`
	TenantID      string            `json:"tenant_id"`
	Name          string            `json:"name"`
	Hint          string            `json:"hint" example:"clv_vk_Ab3d…9xYz"`
	State         string            `json:"state" enum:"active,suspended,revoked,expired"`
	Networks      []string          `json:"networks" nullable:"false"`
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

// IssuedVerifierKey is a new or rotated verifier key, with its secret: the only time it is
// shown.
type IssuedVerifierKey struct {
	VerifierKey
	Key             Secret `json:"key,omitempty" doc:"The whole key, shown once."`
	SecretAvailable bool   `json:"secret_available" doc:"False when the request was a replay."`
}

// IssueVerifierKeyRequest makes a verifier key for the caller's tenant.
type IssueVerifierKeyRequest struct {
	Name       string            `json:"name" minLength:"1" maxLength:"200"`
	Networks   []string          `json:"networks,omitempty" nullable:"false" maxItems:"100" maxLength:"64"`
	NotBefore  *time.Time        `json:"not_before,omitempty"`
	ExpiresAt  *time.Time        `json:"expires_at,omitempty"`
	ExternalID string            `json:"external_id,omitempty" maxLength:"200"`
	Metadata   map[string]string `json:"metadata,omitempty"`
}

// ChangeVerifierKeyRequest renames a verifier key.
type ChangeVerifierKeyRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"200"`
}
