package authority

import (
	"time"

	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// InvitationLifetime is how long an invitation can be accepted.
const InvitationLifetime = 7 * 24 * time.Hour

// CreateUserInput describes a new user, who holds nothing until a role is assigned.
type CreateUserInput struct {
	Tenant         tenancy.TenantID
	OrganizationID tenancy.OrgID // empty means the root
	Username       string
	DisplayName    string
	Email          string
	Licence        string
	Labels         tenancy.Labels
	Idempotency
}

// Invitation is a one-time token with which a user sets their password.
type Invitation struct {
	Token     secret.Secret // zero when an idempotent request was repeated
	ExpiresAt time.Time
}

// InvitedUser is a user with the invitation that was made for them.
type InvitedUser struct {
	User       tenancy.User
	Invitation Invitation
}

// UserInput names one user.
type UserInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.UserID
	Idempotency
}

// ChangeUserInput changes what is not nil; another organization moves the user and the
// user's keys.
type ChangeUserInput struct {
	Tenant         tenancy.TenantID
	ID             tenancy.UserID
	Username       *string
	DisplayName    *string
	Email          *string
	Licence        *string
	OrganizationID *tenancy.OrgID
	Labels         *tenancy.Labels
}

// UsersInput filters the list of users.
type UsersInput struct {
	Tenant tenancy.TenantID
	At     tenancy.OrgID // at and below
	Search string
	State  tenancy.State
	Page   store.Page
}
