package authority

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// IssueServiceAccountKeyInput asks for a new key pair, or takes the public half of one.
type IssueServiceAccountKeyInput struct {
	Tenant         tenancy.TenantID
	ServiceAccount tenancy.ServiceAccountID
	Name           string // empty means a name made of the key ID
	PublicKeyPEM   string // RSA, 2048 to 4096 bits, exponent 65537; empty means that a pair is made
	NotBefore      time.Time
	ExpiresAt      *time.Time
	Networks       []netip.Prefix
	Labels         tenancy.Labels
	Idempotency
}

// IssuedServiceAccountKey is a new key. Its PublicID is the key ID, a UUID.
type IssuedServiceAccountKey struct {
	Key
	// PrivateKeyPEM is PKCS #8. It is shown this once and never stored; zero when the
	// public key was given or an idempotent request was repeated.
	PrivateKeyPEM secret.Secret
	AccountEmail  string
	AccountID     int64
	// SecretAvailable says whether PrivateKeyPEM is there.
	SecretAvailable bool
}

// ServiceAccountKeysInput lists the keys of one service account.
type ServiceAccountKeysInput struct {
	Tenant         tenancy.TenantID
	ServiceAccount tenancy.ServiceAccountID
	States         []credential.State
	Search         string
	IncludeDeleted bool
	Page           store.Page
}

func (a *Authority) IssueServiceAccountKey(ctx context.Context, caller access.Caller, in IssueServiceAccountKeyInput) (out IssuedServiceAccountKey, err error) {
	return out, errUnfinished
}

func (a *Authority) ChangeServiceAccountKey(ctx context.Context, caller access.Caller, in ChangeKeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) SuspendServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) ResumeServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) RevokeServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) DeleteServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) ServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) ServiceAccountKeys(ctx context.Context, caller access.Caller, in ServiceAccountKeysInput) (out store.List[Key], err error) {
	return out, errUnfinished
}
