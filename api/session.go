package api

import "time"

// SignInRequest begins a session with a password.
type SignInRequest struct {
	Tenant   string `json:"tenant" minLength:"1" maxLength:"63" doc:"The tenant's slug." example:"northwind"`
	Username string `json:"username" minLength:"1" maxLength:"200"`
	Password Secret `json:"password" minLength:"1" maxLength:"1024"`
}

// Session is a person's stay at the console. Its token travels in a cookie only.
type Session struct {
	ID                string     `json:"id" doc:"Names the session; it is not its token."`
	UserID            string     `json:"user_id"`
	TenantID          string     `json:"tenant_id"`
	Current           bool       `json:"current" doc:"Whether this request is part of it."`
	CreatedAt         time.Time  `json:"created_at"`
	LastSeenAt        time.Time  `json:"last_seen_at" doc:"To about a minute."`
	IdleAt            time.Time  `json:"idle_at" doc:"When it ends if nothing happens."`
	ExpiresAt         time.Time  `json:"expires_at" doc:"When it ends whatever happens."`
	ReauthenticatedAt *time.Time `json:"reauthenticated_at,omitempty" doc:"When the person last gave their password."`
	Source            string     `json:"source,omitempty" doc:"The address it began from."`
	UserAgent         string     `json:"user_agent,omitempty"`
}

// ReauthenticateRequest proves that the person at the console is still the one who signed in.
type ReauthenticateRequest struct {
	Password Secret `json:"password" minLength:"1" maxLength:"1024"`
}

// ChangePasswordRequest sets a new password and ends the person's other sessions.
type ChangePasswordRequest struct {
	CurrentPassword Secret `json:"current_password" minLength:"1" maxLength:"1024"`
	NewPassword     Secret `json:"new_password" minLength:"1" maxLength:"1024" doc:"12 to 128 characters, not the user name."`
}

// Me says who is asking and what they may do.
type Me struct {
	Principal    Principal `json:"principal"`
	Username     string    `json:"username,omitempty"`
	DisplayName  string    `json:"display_name,omitempty"`
	Email        string    `json:"email,omitempty"`
	Licence      string    `json:"licence,omitempty" doc:"The key of the person's licence."`
	Via          string    `json:"via" enum:"session,credential" doc:"How the caller proved who they are."`
	CredentialID string    `json:"credential_id,omitempty" doc:"With via credential: which."`
	Session      *Session  `json:"session,omitempty" doc:"With via session."`
	// APICredentials is what VC1 calls getting the page.
	APICredentials bool      `json:"api_credentials" doc:"Whether the caller gets the page of API credentials: their licence offers some, or they manage everybody's."`
	System         bool      `json:"system" doc:"Whether the caller is one of the installation's operators."`
	Tenant         MeTenant  `json:"tenant"`
	Organization   MeOrg     `json:"organization" doc:"Where the caller is at home."`
	Permissions    []string  `json:"permissions" nullable:"false" doc:"What the caller may do at home and below."`
	Holdings       []Holding `json:"holdings" nullable:"false" doc:"What the caller may do, by organization; each holds everywhere below too."`
}

// MeTenant is the caller's tenant, in short.
type MeTenant struct {
	ID        string `json:"id"`
	Slug      string `json:"slug"`
	Name      string `json:"name"`
	AccountID int64  `json:"account_id"`
	PlanKey   string `json:"plan_key" example:"starter"`
	PlanName  string `json:"plan_name" example:"Starter"`
	APIAccess bool   `json:"api_access" doc:"Whether the plan lets keys be managed and verified."`
	RootOrgID string `json:"root_organization_id"`
}

// MeOrg is the caller's organization, in short.
type MeOrg struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Holding is what somebody holds at an organization and everything below it.
type Holding struct {
	OrganizationID   string   `json:"organization_id"`
	OrganizationName string   `json:"organization_name"`
	OrganizationPath []string `json:"organization_path" nullable:"false" doc:"IDs from the root to this organization, itself included."`
	Permissions      []string `json:"permissions" nullable:"false"`
}

// AutomaticSignInRequest signs somebody in to a desktop client that holds an organization's
// key, without a password.
type AutomaticSignInRequest struct {
	Key      Secret `json:"key" minLength:"1" maxLength:"200" doc:"The organization's key."`
	Username string `json:"username" minLength:"1" maxLength:"500" doc:"Who is signed on to the computer: user, DOMAIN\\user or user@domain, in any case." example:"CORP\\ada"`
	Client   string `json:"client" minLength:"1" maxLength:"63" doc:"The desktop client's key in the catalogue." example:"desktop"`
}

// RenewAutomaticSignInRequest asks for the next token before this one is over.
type RenewAutomaticSignInRequest struct {
	SessionToken Secret `json:"session_token" minLength:"1" maxLength:"8192"`
}

// AutomaticSession is somebody's stay at a desktop client.
type AutomaticSession struct {
	SessionToken Secret    `json:"session_token" doc:"For the vendor's APIs, as a bearer token. The management API does not take it."`
	ExpiresAt    time.Time `json:"expires_at" doc:"Renew it before; 12 hours after the sign-in that comes to an end."`
	UserID       string    `json:"user_id"`
}
