package api

import "time"

// Organization is a node of a tenant's tree. The root is the account.
type Organization struct {
	ID         string            `json:"id" example:"org_01jd3x8q4w9k2m5n7p0r6t8v1y"`
	TenantID   string            `json:"tenant_id"`
	ParentID   string            `json:"parent_id,omitempty" doc:"Absent for the root."`
	Path       []string          `json:"path" nullable:"false" doc:"IDs from the root to this organization, itself included."`
	Name       string            `json:"name"`
	State      string            `json:"state" enum:"active,suspended,deleted" doc:"suspended stops everything at and below."`
	Domains    []string          `json:"domains,omitempty" nullable:"false" doc:"For automatic sign-in: user@domain and DOMAIN\\user are people here and below."`
	ExternalID string            `json:"external_id,omitempty"`
	Metadata   map[string]string `json:"metadata,omitempty"`
	CreatedAt  time.Time         `json:"created_at"`
}

// CreateOrganizationRequest makes an organization below another.
type CreateOrganizationRequest struct {
	ParentID   string            `json:"parent_id" minLength:"1" maxLength:"64"`
	Name       string            `json:"name" minLength:"1" maxLength:"200"`
	Domains    []string          `json:"domains,omitempty" nullable:"false" maxItems:"20" maxLength:"253" doc:"Each is one organization's. A tenant's credentials cannot set them." example:"[\"corp\", \"example.com\"]"`
	ExternalID string            `json:"external_id,omitempty" maxLength:"200"`
	Metadata   map[string]string `json:"metadata,omitempty"`
}

// ChangeOrganizationRequest changes what is set in it. Another parent moves the
// organization with everything below it.
type ChangeOrganizationRequest struct {
	ParentID   *string            `json:"parent_id,omitempty" minLength:"1" maxLength:"64"`
	Name       *string            `json:"name,omitempty" minLength:"1" maxLength:"200"`
	Domains    *[]string          `json:"domains,omitempty" nullable:"false" maxItems:"20" maxLength:"253" doc:"Replaces all of them. A tenant's credentials cannot change them."`
	ExternalID *string            `json:"external_id,omitempty" maxLength:"200" doc:"Empty removes it."`
	Metadata   *map[string]string `json:"metadata,omitempty" doc:"Replaces all of it."`
}

// User is a person in a tenant, at one organization.
type User struct {
	ID               string            `json:"id" example:"usr_01jd3x8q4w9k2m5n7p0r6t8v1y"`
	TenantID         string            `json:"tenant_id"`
	OrganizationID   string            `json:"organization_id"`
	OrganizationName string            `json:"organization_name,omitempty" doc:"What it is called now. This and the roles are absent in answers to changes."`
	Username         string            `json:"username"`
	DisplayName      string            `json:"display_name,omitempty"`
	Email            string            `json:"email,omitempty"`
	Licence          string            `json:"licence,omitempty" doc:"What the user may use; absent means the default."`
	InvitedUntil     *time.Time        `json:"invited_until,omitempty" doc:"Until when the link works with which the user sets a password; absent means that no link is open."`
	Roles            []UserRole        `json:"roles,omitempty" nullable:"false" doc:"Those that you may know about."`
	State            string            `json:"state" enum:"active,suspended,deleted"`
	ExternalID       string            `json:"external_id,omitempty"`
	Metadata         map[string]string `json:"metadata,omitempty"`
	CreatedAt        time.Time         `json:"created_at"`
}

// UserRole is a role that a user has at an organization and everything below it.
type UserRole struct {
	AssignmentID     string `json:"assignment_id"`
	RoleID           string `json:"role_id"`
	RoleName         string `json:"role_name"`
	OrganizationID   string `json:"organization_id"`
	OrganizationName string `json:"organization_name"`
}

// OrganizationImpact is what removing or suspending an organization would touch: what there
// is at it and below it.
type OrganizationImpact struct {
	Organizations     int64            `json:"organizations" doc:"Below it, itself not counted."`
	Users             int64            `json:"users"`
	ServiceAccounts   int64            `json:"service_accounts"`
	Apps              int64            `json:"apps"`
	Assignments       int64            `json:"assignments" doc:"Roles that are given there."`
	Credentials       int64            `json:"credentials" doc:"Active and suspended ones."`
	CredentialsByKind map[string]int64 `json:"credentials_by_kind"`
	Removable         bool             `json:"removable" doc:"Whether it can be removed as it is now."`
	Reason            string           `json:"reason,omitempty" doc:"Why it can't, and what to do."`
}

// CreateUserRequest makes a user without a password; the answer holds a one-time
// invitation with which the person sets one.
type CreateUserRequest struct {
	OrganizationID string            `json:"organization_id" minLength:"1" maxLength:"64"`
	Username       string            `json:"username" minLength:"1" maxLength:"200" doc:"Unique per tenant, whatever the case."`
	DisplayName    string            `json:"display_name,omitempty" maxLength:"200"`
	Email          string            `json:"email,omitempty" maxLength:"254"`
	Licence        string            `json:"licence,omitempty" maxLength:"63"`
	ExternalID     string            `json:"external_id,omitempty" maxLength:"200"`
	Metadata       map[string]string `json:"metadata,omitempty"`
}

// ChangeUserRequest changes what is set in it. Another organization takes the user's
// credentials along.
type ChangeUserRequest struct {
	OrganizationID *string            `json:"organization_id,omitempty" minLength:"1" maxLength:"64"`
	Username       *string            `json:"username,omitempty" minLength:"1" maxLength:"200"`
	DisplayName    *string            `json:"display_name,omitempty" maxLength:"200"`
	Email          *string            `json:"email,omitempty" maxLength:"254"`
	Licence        *string            `json:"licence,omitempty" maxLength:"63"`
	ExternalID     *string            `json:"external_id,omitempty" maxLength:"200" doc:"Empty removes it."`
	Metadata       *map[string]string `json:"metadata,omitempty" doc:"Replaces all of it."`
}

// CreatedUser is a new user and the invitation for them.
type CreatedUser struct {
	User       User        `json:"user"`
	Invitation *Invitation `json:"invitation,omitempty" doc:"Shown once; absent when the request is replayed."`
}

// Invitation is a one-time link with which a person sets their first password.
type Invitation struct {
	Token     Secret    `json:"token"`
	URL       Secret    `json:"url" doc:"The page for the person to open."`
	ExpiresAt time.Time `json:"expires_at"`
}

// AcceptInvitationRequest sets the first password of an invited user.
type AcceptInvitationRequest struct {
	Token    Secret `json:"token" minLength:"1" maxLength:"200"`
	Password Secret `json:"password" minLength:"1" maxLength:"1024" doc:"12 to 128 characters, not the user name."`
}

// AcceptedInvitation is what an invited person signs in with, beside the password.
type AcceptedInvitation struct {
	Tenant   string `json:"tenant" doc:"The tenant's slug."`
	Username string `json:"username"`
}

// FirstAdminRequest makes the installation's first administrator. It works once.
type FirstAdminRequest struct {
	Token       Secret `json:"token" minLength:"1" maxLength:"200" doc:"From the command claviger first-admin."`
	Username    string `json:"username" minLength:"1" maxLength:"200"`
	DisplayName string `json:"display_name,omitempty" maxLength:"200"`
	Password    Secret `json:"password" minLength:"1" maxLength:"1024" doc:"12 to 128 characters, not the user name."`
}
