package api

import "time"

// ClientCredential is a client ID and a client secret, which get tokens and nothing else.
// The secret is not here.
type ClientCredential struct {
	ID               string            `json:"id" example:"crd_8fK2mPq0Zr4T"`
	ClientID         string            `json:"client_id" format:"uuid"`
	TenantID         string            `json:"tenant_id"`
	OrganizationID   string            `json:"organization_id"`
	OrganizationName string            `json:"organization_name,omitempty" doc:"What it is called now."`
	Level            string            `json:"level" enum:"user,account" doc:"Whether it belongs to a user or to the account."`
	Owner            Principal         `json:"owner" doc:"Whom it speaks for: a user, or the tenant."`
	Name             string            `json:"name"`
	Scopes           []string          `json:"scopes" nullable:"false"`
	Hint             string            `json:"hint" doc:"The secret's first and last characters." example:"clv_ccs_Ab3d…9xYz"`
	State            string            `json:"state" enum:"active,suspended,revoked,expired"`
	Networks         []string          `json:"networks" nullable:"false" doc:"Where it may be used from; empty means anywhere."`
	Limits           *Limits           `json:"limits,omitempty"`
	SecretVersion    int               `json:"secret_version"`
	NotBefore        *time.Time        `json:"not_before,omitempty"`
	PreviousUntil    *time.Time        `json:"previous_valid_until,omitempty" doc:"After a rotation: until when the secret before still works."`
	ExpiresAt        *time.Time        `json:"expires_at,omitempty" doc:"Exclusive; absent means never."`
	CreatedAt        time.Time         `json:"created_at"`
	CreatedBy        Principal         `json:"created_by"`
	EndedAt          *time.Time        `json:"ended_at,omitempty"`
	DeletedAt        *time.Time        `json:"deleted_at,omitempty"`
	LastUsedAt       *time.Time        `json:"last_used_at,omitempty" doc:"To about a minute; absent means never."`
	ExternalID       string            `json:"external_id,omitempty"`
	Metadata         map[string]string `json:"metadata,omitempty"`
}

// IssuedClientCredential is a new client credential, or one with a new secret: the only
// time it is shown.
type IssuedClientCredential struct {
	ClientCredential
	ClientSecret    Secret `json:"client_secret,omitempty" doc:"Shown once."`
	SecretAvailable bool   `json:"secret_available" doc:"False when the request was a replay."`
}

// IssueClientCredentialRequest makes a client credential for the caller, or for the account.
type IssueClientCredentialRequest struct {
	Name       string            `json:"name" minLength:"1" maxLength:"200"`
	Scopes     []string          `json:"scopes" nullable:"false" minItems:"1" maxItems:"200" maxLength:"128" doc:"Of those that GET /v1/client-credentials/scopes offers."`
	Level      string            `json:"level,omitempty" enum:"user,account" default:"user" doc:"account: it belongs to the tenant, and only administrators may make it."`
	OwnerID    string            `json:"owner_id,omitempty" maxLength:"64" doc:"With level user: a user ID; absent means yourself. System callers only."`
	Networks   []string          `json:"networks,omitempty" nullable:"false" maxItems:"100" maxLength:"64" doc:"Addresses or CIDR prefixes."`
	Limits     *Limits           `json:"limits,omitempty"`
	NotBefore  *time.Time        `json:"not_before,omitempty"`
	ExpiresAt  *time.Time        `json:"expires_at,omitempty" doc:"Absent means the tenant's default, or never."`
	ExternalID string            `json:"external_id,omitempty" maxLength:"200"`
	Metadata   map[string]string `json:"metadata,omitempty"`
}

// ChangeClientCredentialRequest changes what is set in it, at once.
type ChangeClientCredentialRequest struct {
	Name       *string            `json:"name,omitempty" minLength:"1" maxLength:"200"`
	Scopes     *[]string          `json:"scopes,omitempty" nullable:"false" minItems:"1" maxItems:"200" maxLength:"128" doc:"Replaces all of it."`
	Networks   *[]string          `json:"networks,omitempty" nullable:"false" maxItems:"100" maxLength:"64" doc:"Replaces all of it."`
	Limits     *Limits            `json:"limits,omitempty" doc:"Replaces all of it."`
	ExternalID *string            `json:"external_id,omitempty" maxLength:"200" doc:"Empty removes it."`
	Metadata   *map[string]string `json:"metadata,omitempty" doc:"Replaces all of it."`
}

// OfferedScopes is what the caller may choose from for a client credential.
type OfferedScopes struct {
	Licence string   `json:"licence,omitempty" doc:"The key of the caller's licence, which decides."`
	Scopes  []string `json:"scopes" nullable:"false"`
}
