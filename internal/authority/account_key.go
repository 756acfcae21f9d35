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

// IssueAccountKeyInput describes a new account key: everything that the tenant's plan
// allows, for programs that know nothing better. Deprecated: use service accounts.
type IssueAccountKeyInput struct {
	Tenant    tenancy.TenantID // empty means the caller's own
	Name      string
	NotBefore time.Time
	ExpiresAt *time.Time
	Networks  []netip.Prefix
	Limits    credential.Limits
	Labels    tenancy.Labels
	Idempotency
}

func (a *Authority) IssueAccountKey(ctx context.Context, caller access.Caller, in IssueAccountKeyInput) (out IssuedKey, err error) {
	return out, errUnfinished
}

func (a *Authority) ChangeAccountKey(ctx context.Context, caller access.Caller, in ChangeKeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) SuspendAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) ResumeAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) RotateAccountKey(ctx context.Context, caller access.Caller, in RotateKeyInput) (out IssuedKey, err error) {
	return out, errUnfinished
}

func (a *Authority) RevokeAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) DeleteAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) AccountKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errUnfinished
}

func (a *Authority) AccountKeys(ctx context.Context, caller access.Caller, in KeysInput) (out store.List[Key], err error) {
	return out, errUnfinished
}
