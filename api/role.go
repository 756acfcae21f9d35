package api

import "time"

// Role is a named set of permissions that may include other roles.
type Role struct {
	ID          string    `json:"id" example:"rol_01jd3x8q4w9k2m5n7p0r6t8v1y"`
	TenantID    string    `json:"tenant_id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	BuiltIn     string    `json:"built_in,omitempty" doc:"The template's key; absent for custom roles." example:"super_admin"`
	Permissions []string  `json:"permissions" nullable:"false" doc:"* matches a whole segment."`
	Includes    []string  `json:"includes" nullable:"false" doc:"IDs of roles whose permissions this role has too."`
	Resolved    []string  `json:"resolved,omitempty" nullable:"false" doc:"What it grants with all that it includes; absent in answers to changes."`
	Holders     int64     `json:"holders" doc:"How many users and service accounts have it; zero in answers to changes."`
	CreatedAt   time.Time `json:"created_at"`
}

// CreateRoleRequest makes a custom role, with no more than the caller may give.
type CreateRoleRequest struct {
	Name        string   `json:"name" minLength:"1" maxLength:"200"`
	Description string   `json:"description,omitempty" maxLength:"200"`
	Permissions []string `json:"permissions" nullable:"false" maxItems:"1000" maxLength:"128"`
	Includes    []string `json:"includes,omitempty" nullable:"false" maxItems:"100" maxLength:"64"`
}

// ChangeRoleRequest changes what is set in it. Everyone who holds the role feels it at once.
type ChangeRoleRequest struct {
	Name        *string   `json:"name,omitempty" minLength:"1" maxLength:"200"`
	Description *string   `json:"description,omitempty" maxLength:"200"`
	Permissions *[]string `json:"permissions,omitempty" nullable:"false" maxItems:"1000" maxLength:"128"`
	Includes    *[]string `json:"includes,omitempty" nullable:"false" maxItems:"100" maxLength:"64"`
}

// Permission is a permission as a role's page shows it.
type Permission struct {
	Permission string `json:"permission" example:"claviger.api_keys:generate"`
	Name       string `json:"name" example:"API keys generation"`
	Label      string `json:"label" doc:"The checkbox's." example:"Grant access to API keys generation"`
	Group      string `json:"group" doc:"The heading it stands under." example:"API Keys Permissions"`
	System     bool   `json:"system,omitempty" doc:"Means something in the system tenant only."`
	Vendor     bool   `json:"vendor,omitempty" doc:"The vendor's, from the API catalogue."`
	Grantable  bool   `json:"grantable" doc:"Whether you may put it into a role."`
	Reason     string `json:"reason,omitempty" doc:"Why you may not."`
}

// Assignment gives a principal a role at an organization and everything below it.
type Assignment struct {
	ID               string    `json:"id" example:"asg_01jd3x8q4w9k2m5n7p0r6t8v1y"`
	TenantID         string    `json:"tenant_id"`
	Principal        Principal `json:"principal"`
	RoleID           string    `json:"role_id"`
	RoleName         string    `json:"role_name,omitempty"`
	OrganizationID   string    `json:"organization_id"`
	OrganizationName string    `json:"organization_name,omitempty" doc:"Names are absent in answers to changes."`
	CreatedAt        time.Time `json:"created_at"`
}

// CreateAssignmentRequest gives a role.
type CreateAssignmentRequest struct {
	PrincipalType  string `json:"principal_type,omitempty" enum:"user,service_account" default:"user"`
	PrincipalID    string `json:"principal_id" minLength:"1" maxLength:"64"`
	RoleID         string `json:"role_id" minLength:"1" maxLength:"64"`
	OrganizationID string `json:"organization_id" minLength:"1" maxLength:"64"`
}
