package api

import "time"

// SigningKey is a key that access tokens and session tokens are signed with. Its public half is
// at /.well-known/jwks.json.
type SigningKey struct {
	ID            string     `json:"id" doc:"The kid in tokens."`
	Algorithm     string     `json:"algorithm" enum:"ES256,RS256"`
	CreatedAt     time.Time  `json:"created_at"`
	SignsFrom     time.Time  `json:"signs_from" doc:"When it takes over from the one before."`
	VerifiesUntil *time.Time `json:"verifies_until,omitempty" doc:"When its last token is over; absent while no other took over."`
}

// RotateSigningKeyRequest asks for a new signing key.
type RotateSigningKeyRequest struct {
	Algorithm string `json:"algorithm,omitempty" enum:"ES256,RS256" doc:"Absent means that of the key before."`
	AtOnce    bool   `json:"at_once,omitempty" doc:"It signs from now on, and whoever checks tokens offline with a list of keys that they kept does not know it yet. Otherwise it takes over within an hour."`
}
