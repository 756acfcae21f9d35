package api

import "time"

// App is a customer's integration with chosen APIs of the vendor's catalogue. It has one
// credential with a key and a secret; neither is here.
type App struct {
	ID               string            `json:"id" example:"app_01jd3x8q4w9k2m5n7p0r6t8v1y"`
	TenantID         string            `json:"tenant_id"`
	OrganizationID   string            `json:"organization_id"`
	OrganizationName string            `json:"organization_name,omitempty" doc:"What it is called now."`
	Name             string            `json:"name"`
	APIs             []AppAPI          `json:"apis" nullable:"false" doc:"What it may call."`
	CredentialID     string            `json:"credential_id" doc:"Of its key and secret; unchanged by rotation." example:"crd_8fK2mPq0Zr4T"`
	Hint             string            `json:"hint" doc:"The key's first and last characters." example:"clv_app_Ab3d…9xYz"`
	State            string            `json:"state" enum:"active,suspended,deleted"`
	Networks         []string          `json:"networks" nullable:"false" doc:"Where it may be used from; empty means anywhere."`
	Limits           *Limits           `json:"limits,omitempty"`
	Recoverable      bool              `json:"recoverable" doc:"Whether key and secret are kept, so that they can be shown again to whom may see them."`
	SecretVersion    int               `json:"secret_version" doc:"1 at issue, one more at each rotation."`
	PreviousUntil    *time.Time        `json:"previous_valid_until,omitempty" doc:"After a rotation: until when the key and secret before still work."`
	ExpiresAt        *time.Time        `json:"expires_at,omitempty" doc:"Exclusive; absent means never."`
	CreatedAt        time.Time         `json:"created_at"`
	CreatedBy        Principal         `json:"created_by"`
	LastUsedAt       *time.Time        `json:"last_used_at,omitempty" doc:"To about a minute; absent means never."`
	ExternalID       string            `json:"external_id,omitempty"`
	Metadata         map[string]string `json:"metadata,omitempty"`
}

// AppAPI is an API that was chosen for an app.
type AppAPI struct {
	Key              string `json:"key" example:"recent_calls"`
	Name             string `json:"name" doc:"Empty when the catalogue no longer has it: the app cannot call it then."`
	DocumentationURL string `json:"documentation_url,omitempty"`
}

// IssuedApp is a new app, or one with a new key and secret.
type IssuedApp struct {
	App
	Key             Secret `json:"key,omitempty" doc:"The whole key. It is used alone, or with the secret for a token."`
	Secret          Secret `json:"secret,omitempty"`
	SecretAvailable bool   `json:"secret_available" doc:"False when the request was a replay: key and secret were shown the first time."`
}

// CreateAppRequest makes an app with its key and secret.
type CreateAppRequest struct {
	Name           string            `json:"name" minLength:"1" maxLength:"200"`
	OrganizationID string            `json:"organization_id,omitempty" maxLength:"64" doc:"Absent means the account."`
	APIs           []string          `json:"apis" nullable:"false" minItems:"1" maxItems:"200" maxLength:"63" doc:"Keys of the catalogue's APIs."`
	Networks       []string          `json:"networks,omitempty" nullable:"false" maxItems:"100" maxLength:"64" doc:"Addresses or CIDR prefixes."`
	Limits         *Limits           `json:"limits,omitempty"`
	ExpiresAt      *time.Time        `json:"expires_at,omitempty" doc:"Absent means the tenant's default, or never."`
	ExternalID     string            `json:"external_id,omitempty" maxLength:"200"`
	Metadata       map[string]string `json:"metadata,omitempty"`
}

// ChangeAppRequest changes what is set in it, at once.
type ChangeAppRequest struct {
	Name       *string            `json:"name,omitempty" minLength:"1" maxLength:"200"`
	APIs       *[]string          `json:"apis,omitempty" nullable:"false" minItems:"1" maxItems:"200" maxLength:"63" doc:"Replaces all of it."`
	Networks   *[]string          `json:"networks,omitempty" nullable:"false" maxItems:"100" maxLength:"64" doc:"Replaces all of it."`
	Limits     *Limits            `json:"limits,omitempty" doc:"Replaces all of it."`
	ExternalID *string            `json:"external_id,omitempty" maxLength:"200" doc:"Empty removes it."`
	Metadata   *map[string]string `json:"metadata,omitempty" doc:"Replaces all of it."`
}

// RevealedApp is an app's key and secret, shown again.
type RevealedApp struct {
	Key    Secret `json:"key"`
	Secret Secret `json:"secret"`
}
