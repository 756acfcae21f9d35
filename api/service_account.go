package api

import "time"

// ServiceAccount is a program's identity. It proves itself with tokens that it signs with
// an RSA key, and may do what its roles allow; without a role, the basic methods only.
type ServiceAccount struct {
	ID               string               `json:"id" example:"sva_01jd3x8q4w9k2m5n7p0r6t8v1y"`
	TenantID         string               `json:"tenant_id"`
	OrganizationID   string               `json:"organization_id"`
	OrganizationName string               `json:"organization_name,omitempty" doc:"What it is called now."`
	AccountEmail     string               `json:"account_email" doc:"Names it in key files."`
	Description      string               `json:"description,omitempty"`
	State            string               `json:"state" enum:"active,suspended,deleted"`
	Roles            []ServiceAccountRole `json:"roles" nullable:"false" doc:"What it may do; without any, the basic methods only."`
	Keys             int64                `json:"keys" doc:"How many of its keys are active or suspended."`
	CreatedAt        time.Time            `json:"created_at"`
	CreatedBy        string               `json:"created_by,omitempty" doc:"The name, at the time, of who made it."`
	LastUsedAt       *time.Time           `json:"last_used_at,omitempty" doc:"When any of its keys was used, to about a minute; absent means never."`
	ExternalID       string               `json:"external_id,omitempty"`
	Metadata         map[string]string    `json:"metadata,omitempty"`
}

// ServiceAccountRole is a role that a service account has at an organization and everything
// below it.
type ServiceAccountRole struct {
	AssignmentID     string `json:"assignment_id"`
	RoleID           string `json:"role_id"`
	RoleName         string `json:"role_name,omitempty"`
	OrganizationID   string `json:"organization_id"`
	OrganizationName string `json:"organization_name,omitempty"`
}

// CreateServiceAccountRequest makes a service account.
type CreateServiceAccountRequest struct {
	OrganizationID string            `json:"organization_id,omitempty" maxLength:"64" doc:"Absent means the account."`
	Description    string            `json:"description,omitempty" maxLength:"200"`
	Roles          []string          `json:"roles,omitempty" nullable:"false" maxItems:"100" maxLength:"64" doc:"IDs of roles, given at its organization."`
	ExternalID     string            `json:"external_id,omitempty" maxLength:"200"`
	Metadata       map[string]string `json:"metadata,omitempty"`
}

// ChangeServiceAccountRequest changes what is set in it.
type ChangeServiceAccountRequest struct {
	Description *string            `json:"description,omitempty" maxLength:"200"`
	Roles       *[]string          `json:"roles,omitempty" nullable:"false" maxItems:"100" maxLength:"64" doc:"Replaces those at its own organization; /v1/assignments gives others elsewhere."`
	ExternalID  *string            `json:"external_id,omitempty" maxLength:"200" doc:"Empty removes it."`
	Metadata    *map[string]string `json:"metadata,omitempty" doc:"Replaces all of it."`
}

// ServiceAccountKey is the public half of a key pair.
type ServiceAccountKey struct {
	ID               string     `json:"id" doc:"Of the credential." example:"crd_8fK2mPq0Zr4T"`
	KeyID            string     `json:"key_id" format:"uuid" doc:"What a token's kid names."`
	ServiceAccountID string     `json:"service_account_id"`
	TenantID         string     `json:"tenant_id"`
	OrganizationID   string     `json:"organization_id"`
	Name             string     `json:"name"`
	Networks         []string   `json:"networks" nullable:"false" doc:"Where it may be used from; empty means anywhere."`
	State            string     `json:"state" enum:"active,suspended,revoked,expired"`
	ExpiresAt        *time.Time `json:"expires_at,omitempty" doc:"Exclusive; absent means never."`
	ReplacedBy       string     `json:"replaced_by,omitempty" doc:"The ID of the key that takes its place: until it expires both work."`
	CreatedAt        time.Time  `json:"created_at"`
	CreatedBy        Principal  `json:"created_by"`
	EndedAt          *time.Time `json:"ended_at,omitempty"`
	DeletedAt        *time.Time `json:"deleted_at,omitempty"`
	LastUsedAt       *time.Time `json:"last_used_at,omitempty"`
}

// ChangeServiceAccountKeyRequest renames a key.
type ChangeServiceAccountKeyRequest struct {
	Name string `json:"name" minLength:"1" maxLength:"200"`
}

// IssueServiceAccountKeyRequest makes a key pair, or takes the public half of one.
type IssueServiceAccountKeyRequest struct {
	Name      string     `json:"name,omitempty" maxLength:"200" doc:"Absent means a name of our own."`
	PublicKey string     `json:"public_key,omitempty" maxLength:"16384" doc:"Your own RSA public key as PEM, 2048 to 4096 bits. Absent means that we make the pair and you get the private key, once."`
	Networks  []string   `json:"networks,omitempty" nullable:"false" maxItems:"100" maxLength:"64" doc:"Addresses or CIDR prefixes."`
	NotBefore *time.Time `json:"not_before,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Absent means the tenant's default, or never."`
}

// IssuedServiceAccountKey is a new key. KeyFile is what a browser saves.
type IssuedServiceAccountKey struct {
	ServiceAccountKey
	KeyFile             *ServiceAccountKeyFile `json:"key_file,omitempty" doc:"Shown once, and not kept: absent for a public key of your own and for a replay."`
	PrivateKeyAvailable bool                   `json:"private_key_available"`
}

// RotateServiceAccountKeyRequest makes a second key pair in the place of one, or takes its
// public half.
type RotateServiceAccountKeyRequest struct {
	GracePeriodSeconds int64  `json:"grace_period_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"How long the key before still works, up to 30 days; 0 revokes it at once."`
	PublicKey          string `json:"public_key,omitempty" maxLength:"16384" doc:"Your own RSA public key as PEM. Absent means that we make the pair and you get the private key, once."`
}

// ServiceAccountKeyFile is the JSON file with which a program signs its tokens.
type ServiceAccountKeyFile struct {
	AccountEmail string `json:"account_email"`
	AccountID    int64  `json:"account_id" example:"1234567"`
	KeyID        string `json:"key_id" format:"uuid"`
	PrivateKey   Secret `json:"private_key" doc:"PEM."`
}
