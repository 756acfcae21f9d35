package api

// AccessToken is the answer of the token endpoint, as RFC 6749 §5.1 has it.
type AccessToken struct {
	AccessToken Secret `json:"access_token"`
	TokenType   string `json:"token_type"` // Bearer
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Scope       string `json:"scope"`      // permissions, with one space between two
}

// Introspection is what RFC 7662 tells about a token or a key. Of one that is no good only
// Active is there.
type Introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`      // what it may do now
	ClientID  string `json:"client_id,omitempty"`  // the client's, or the credential's ID
	TokenType string `json:"token_type,omitempty"` // Bearer, of tokens
	ExpiresAt int64  `json:"exp,omitempty"`        // seconds since 1970; absent means never
	IssuedAt  int64  `json:"iat,omitempty"`
	Subject   string `json:"sub,omitempty"` // the principal's ID
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	ID        string `json:"jti,omitempty"`

	CredentialID   string `json:"credential_id,omitempty"`
	Kind           string `json:"kind,omitempty"`
	TenantID       string `json:"tenant_id,omitempty"`
	OrganizationID string `json:"organization_id,omitempty"`
	PrincipalType  string `json:"principal_type,omitempty"`
}

// OAuthError is a refusal of an OAuth endpoint, as RFC 6749 §5.2 has it.
type OAuthError struct {
	Status      int    `json:"-"`
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// Error says what is wrong in a sentence.
func (e *OAuthError) Error() string {
	if e.Description == "" {
		return e.Code
	}
	return e.Description + " (" + e.Code + ")"
}
