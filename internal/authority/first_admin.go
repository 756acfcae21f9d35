package authority

import (
	"time"

	"github.com/claviger-io/claviger/internal/secret"
)

// FirstAdminLifetime is how long a first-administrator link can be used.
const FirstAdminLifetime = 15 * time.Minute

// FirstAdminLinkInput asks for the link of the first start.
type FirstAdminLinkInput struct{}

// FirstAdminLink is a one-time token with which the installation's first administrator
// makes their own account.
type FirstAdminLink struct {
	Token     secret.Secret
	ExpiresAt time.Time
}

// AcceptFirstAdminInput makes the first administrator.
type AcceptFirstAdminInput struct {
	Token        secret.Secret
	Username     string
	DisplayName  string
	PasswordHash string // argon2id, encoded; never the password
}
