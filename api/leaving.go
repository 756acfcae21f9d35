package api

import "time"

// UserCredential is an active or suspended credential of a user, with what you may let
// happen to it when the user leaves.
type UserCredential struct {
	ID         string     `json:"id" example:"crd_8fK2mPq0Zr4T"`
	Kind       string     `json:"kind" enum:"user_key,client_credential"`
	ClientID   string     `json:"client_id,omitempty" doc:"Of a client credential."`
	Name       string     `json:"name"`
	Hint       string     `json:"hint,omitempty" doc:"The secret's first and last characters, where you may see them."`
	State      string     `json:"state" enum:"active,suspended"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty" doc:"Exclusive; absent means never."`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"To about a minute; absent means never."`
	Actions    []string   `json:"actions" nullable:"false" enum:"suspend,revoke,hand_over" doc:"What you may choose for it."`
}

// NewOwner is a user to whom credentials of another can be handed over.
type NewOwner struct {
	ID               string            `json:"id"`
	Username         string            `json:"username"`
	DisplayName      string            `json:"display_name,omitempty"`
	OrganizationID   string            `json:"organization_id"`
	OrganizationName string            `json:"organization_name,omitempty"`
	Refused          []NewOwnerRefusal `json:"refused" nullable:"false" doc:"Which of the credentials this user cannot get, and why; empty means all can be handed over."`
}

// NewOwners is the answer to who could get the credentials of a user.
type NewOwners struct {
	Items []NewOwner `json:"items" nullable:"false" doc:"By name, at most 20; search for others."`
}

// NewOwnerRefusal is why a user cannot get one credential.
type NewOwnerRefusal struct {
	CredentialID string `json:"credential_id"`
	Code         string `json:"code" example:"may_not_hold"`
	Message      string `json:"message"`
}

// OffboardUserRequest decides about a user who leaves, and about their credentials.
type OffboardUserRequest struct {
	Then        string           `json:"then,omitempty" enum:"suspend,delete" doc:"What becomes of the user in the end; absent means nothing."`
	Credentials []CredentialFate `json:"credentials,omitempty" nullable:"false" maxItems:"200" doc:"Those left out stop with a suspended user; a deleted one's API keys end, and every client credential of a deleted user must be named."`
}

// CredentialFate is what happens to one credential of a user who leaves.
type CredentialFate struct {
	ID     string `json:"id" maxLength:"64"`
	Action string `json:"action" enum:"suspend,revoke,hand_over" doc:"hand_over gives it a new secret at once: the one before stops working."`
	To     string `json:"to,omitempty" maxLength:"64" doc:"With hand_over: the ID of the user whom it belongs to from now on."`
}

// OffboardedUser is how it went.
type OffboardedUser struct {
	User        User                   `json:"user"`
	Credentials []OffboardedCredential `json:"credentials" nullable:"false" doc:"Those that the request named, in its order."`
}

// OffboardedCredential is what became of a credential.
type OffboardedCredential struct {
	ID              string    `json:"id"`
	Kind            string    `json:"kind" enum:"user_key,client_credential"`
	ClientID        string    `json:"client_id,omitempty" doc:"Of a client credential."`
	Name            string    `json:"name"`
	State           string    `json:"state" enum:"active,suspended,revoked,expired"`
	Owner           Principal `json:"owner" doc:"Whom it speaks for now."`
	SecretVersion   int       `json:"secret_version"`
	Secret          Secret    `json:"secret,omitempty" doc:"The new key or client secret, shown once: to its new owner, or to a system caller. Others leave it to the new owner to rotate it."`
	SecretAvailable bool      `json:"secret_available"`
}
