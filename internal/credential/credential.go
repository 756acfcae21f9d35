// Package credential knows the kinds of credentials, their states and what may happen
// to each: expiry, rotation, suspension and revocation.
//
// It is pure. Times come in as arguments; whatever it can't decide, it refuses.
package credential

import (
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Kind says which model a credential follows.
type Kind string

// The kinds.
const (
	UserKey           Kind = "user_key"            // what its user's roles allow at this moment (PV)
	OrganizationKey   Kind = "organization_key"    // automatic sign-in at or below, nothing else (NV)
	AccountKey        Kind = "account_key"         // everything the plan allows; deprecated (VX6)
	App               Kind = "app"                 // the chosen APIs of one app (EE)
	ClientCredential  Kind = "client_credential"   // chosen scopes within licence and roles (VC)
	ServiceAccountKey Kind = "service_account_key" // an RSA key pair, public half stored (VX)
	VerifierKey       Kind = "verifier_key"        // may ask for verification, nothing else (B1)
)

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool {
	switch k {
	case UserKey, OrganizationKey, AccountKey, App, ClientCredential, ServiceAccountKey, VerifierKey:
		return true
	}
	return false
}

// KeyType is the type of the string that a credential of the kind is presented with: of
// an app its key (its secret is secret.AppSecret), of a client credential its secret.
// It is empty for service account keys, which are RSA key pairs.
func (k Kind) KeyType() secret.Type {
	switch k {
	case UserKey:
		return secret.UserKey
	case OrganizationKey:
		return secret.OrganizationKey
	case AccountKey:
		return secret.AccountKey
	case App:
		return secret.AppKey
	case ClientCredential:
		return secret.ClientSecret
	case VerifierKey:
		return secret.VerifierKey
	case ServiceAccountKey:
	}
	return ""
}

// ValidateName checks the name of a credential; its problem points at "/name".
func ValidateName(name string) error {
	return tenancy.ValidateName("/name", name)
}

// State is where a credential is in its life.
type State string

// The states. Revoked and Expired are final and destroy every form from which the
// secret could be recovered.
const (
	Active    State = "active"
	Suspended State = "suspended"
	Revoked   State = "revoked"
	Expired   State = "expired"
)

// Credential is one credential without its secret.
type Credential struct {
	ID             ID
	TenantID       tenancy.TenantID
	OrganizationID tenancy.OrgID // where its permissions hold
	Kind           Kind
	PublicID       string // client ID or key ID, a UUID unique among all tenants; empty for kinds without one
	Principal      access.Principal
	Name           string
	Hint           string // what of the key may be shown: its first and last characters
	State          State
	Scopes         []access.Grant // of kinds that carry their own; empty otherwise
	Networks       []netip.Prefix // empty means from anywhere
	Limits         Limits
	Labels         tenancy.Labels
	SecretVersion  int       // 1 at issue, one more at each rotation
	NotBefore      time.Time // zero means at once
	ExpiresAt      time.Time // exclusive; zero means never
	ExpiresSetAt   time.Time // when another expiry took the place of the first; the store notes it; zero means never
	CreatedAt      time.Time
	CreatedBy      access.Principal
	CreatedByName  string
	EndedAt        time.Time // when it was revoked or expired
	DeletedAt      time.Time // when it was hidden from lists; zero means it is listed
	LastUsedAt     time.Time // by the last usage batch; zero means never
	ResumedAt      time.Time // the last time; zero means never
	// Origin says where the present secret was made.
	Origin Origin
}

// Origin says where a secret was made.
type Origin uint8

// The origins.
const (
	Made         Origin = iota // here
	Imported                   // elsewhere, strong enough for good
	ImportedWeak               // elsewhere, and so weak that it must be kept from being guessed
)

// The fields of material. Apps have both, client credentials a secret only, all others,
// service account keys included, a key only.
const (
	FieldKey    = "key"
	FieldSecret = "secret"
)

// Material is what the store keeps of one version of a secret.
type Material struct {
	CredentialID  ID
	Field         string // FieldKey or FieldSecret
	Version       int
	Digest        [32]byte
	PepperVersion int
	ValidUntil    time.Time // end of the grace period, exclusive; zero for the current version
	Sealed        []byte    // envelope-encrypted secret where recoverable; nil otherwise
	PublicKey     []byte    // of a service account key: PKIX DER, the digest is zero; nil otherwise
	// Scheme is how the system before this one digested an imported secret; empty for ours.
	Scheme secret.Scheme
	Weak   bool // of an imported secret: it is guessed sooner than is safe
}
