// Package token makes and reads what is signed: the installation's own access tokens
// (RFC 9068) and session tokens, the keys that sign them, and the JWTs that service
// accounts sign for themselves.
//
// It promises one strict reading. A token has one form only: base64url without padding,
// stray bits or line breaks, JSON without duplicate names, times as plain numbers, the
// algorithm that its key is for and no other. Nothing that a token says about where to find
// a key is ever followed. Whatever is not exactly right is refused with a Fault, which is
// for the log and for no caller.
//
// That a signature is right says who made a token, never that it may be used: that is
// decided by package verify, at every use, from what holds at that moment.
package token

import (
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Use says what one of the installation's own tokens is for. One never passes as the other.
type Use string

// The uses.
const (
	Access  Use = "access"  // of an app or a client credential, for the vendor's APIs
	Session Use = "session" // of a person whom an organization key signed in to a desktop client
)

// The types in the header, RFC 9068 §2.1 and our own.
const (
	typeAccess  = "at+jwt"
	typeSession = "session+jwt"
)

func (u Use) headerType() string {
	if u == Session {
		return typeSession
	}
	return typeAccess
}

// MaxLength is the longest token that is read or made, in bytes.
const MaxLength = 8 << 10

// Claims are what one of the installation's own tokens says.
type Claims struct {
	Use      Use
	ID       string // jti; NewID makes one
	Issuer   string // set by Ring.Sign
	Audience string // set by Ring.Sign

	Subject  string // the principal's ID; of a session token the user's
	ClientID string // "crd_…", or the client ID of a client credential
	// Credential is what the token was made for and ends with; SecretVersion is which of its
	// secrets was shown, and ends it too.
	Credential    credential.ID
	SecretVersion int
	Tenant        tenancy.TenantID
	// Scope bounds an access token, which must have one. Session tokens have none: the
	// client's permissions bound them.
	Scope []access.Permission

	User   tenancy.UserID // of session tokens: who was signed in
	Client string         // of session tokens: the key of the desktop client

	IssuedAt  time.Time
	ExpiresAt time.Time // exclusive
	AuthTime  time.Time // when the person was signed in; zero means unknown or nobody
}

// NewID makes the ID of a token from a cryptographic source: "tok_" and 22 characters.
func NewID(rand io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("making a token ID: %w", err)
	}
	return "tok_" + base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// Looks reports whether a text can be a token: it is cheap, and tells tokens from keys of
// every brand that parse as such.
func Looks(text string) bool {
	// All tokens begin with "{", which in base64 begins with an e.
	return len(text) > 0 && text[0] == 'e' && strings.IndexByte(text, '.') > 0
}

// Fault is why a token is refused. It is for the log: callers learn nothing but that it is.
type Fault string

// The faults.
const (
	None           Fault = ""
	TooLong        Fault = "it is longer than 8 KiB"
	BadForm        Fault = "it is not three parts of strict base64url"
	BadHeader      Fault = "its header is not strict JSON of the expected members"
	BadAlgorithm   Fault = "its algorithm is not the one of its key"
	BadType        Fault = "its type is not expected"
	ForeignKey     Fault = "its header brings or names a key, or an extension"
	BadKeyID       Fault = "its key ID is missing or malformed"
	BadClaims      Fault = "its claims are not strict JSON of the expected members"
	BadTimes       Fault = "its times are missing, no plain numbers or out of range"
	TooLongLived   Fault = "it lives longer than an hour, or ends before it begins"
	NotYet         Fault = "it is from the future"
	Over           Fault = "it has expired"
	UnknownKey     Fault = "its key is not known"
	BadSignature   Fault = "its signature is wrong"
	OtherIssuer    Fault = "its issuer is not the account of its key"
	OtherKind      Fault = "its credential is of another kind"
	Ended          Fault = "it was revoked"
	UnlikeIssued   Fault = "what it is about has changed"
	NotTaken       Fault = "tokens are not taken in this place"
	WrongForCaller Fault = "whoever asks may not see its tenant"
)
