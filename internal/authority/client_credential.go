package authority

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Level says to whom a client credential belongs.
type Level string

// The levels.
const (
	LevelUser    Level = "user"    // to a user
	LevelAccount Level = "account" // to the tenant
)

// IssueClientCredentialInput describes a new client credential. Its PublicID is the client
// ID, a UUID.
type IssueClientCredentialInput struct {
	Tenant    tenancy.TenantID
	Level     Level          // empty means LevelUser
	Owner     tenancy.UserID // at LevelUser: empty means the caller; others for system callers only
	Name      string
	Scopes    []access.Permission // at least one
	NotBefore time.Time
	ExpiresAt *time.Time
	Networks  []netip.Prefix
	Limits    credential.Limits
	Labels    tenancy.Labels
	Idempotency
}

// ChangeClientCredentialInput changes what is not nil.
type ChangeClientCredentialInput struct {
	Tenant   tenancy.TenantID
	ID       credential.ID
	Name     *string
	Scopes   *[]access.Permission
	Networks *[]netip.Prefix
	Limits   *credential.Limits
	Labels   *tenancy.Labels
}

// ClientCredentialsInput filters the list of client credentials. Who may see their own
// only gets those, whatever is asked.
type ClientCredentialsInput struct {
	Tenant         tenancy.TenantID
	Level          Level // empty means both
	Mine           bool
	At             tenancy.OrgID
	States         []credential.State
	Search         string
	ExpiringBefore time.Time
	IncludeDeleted bool
	Page           store.Page
}

// ScopesInput asks which scopes are offered to the caller, or to a user (system callers).
type ScopesInput struct {
	Tenant tenancy.TenantID
	Level  Level
	Owner  tenancy.UserID
}

// OfferedScopes is what can be chosen for a client credential.
type OfferedScopes struct {
	Licence string
	Scopes  []access.Permission // sorted
}

func (a *Authority) IssueClientCredential(ctx context.Context, caller access.Caller, in IssueClientCredentialInput) (out IssuedKey, err error) {
	return out, errUnfinished
}

func (a *Authority) ChangeClientCredential(ctx context.Context, caller access.Caller, in ChangeClientCredentialInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) SuspendClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) ResumeClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) RotateClientCredential(ctx context.Context, caller access.Caller, in RotateKeyInput) (out IssuedKey, err error) {
	return out, errUnfinished
}

func (a *Authority) RevokeClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) DeleteClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) ClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) ClientCredentials(ctx context.Context, caller access.Caller, in ClientCredentialsInput) (out store.List[Key], err error) {
	return out, errUnfinished
}

func (a *Authority) ClientCredentialScopes(ctx context.Context, caller access.Caller, in ScopesInput) (out OfferedScopes, err error) {
	return out, errUnfinished
}
