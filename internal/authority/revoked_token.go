package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// RevokeTokenInput names a token whose signature was found right.
type RevokeTokenInput struct {
	ID         string
	Credential credential.ID // that got it
	ExpiresAt  time.Time
}

// mostRevokedTokens is how many tokens that would still be good one credential may have
// revoked. Their number is what each node remembers; whoever wants to end more of them at
// once suspends, rotates or revokes the credential, which ends them all.
const mostRevokedTokens = 1000

// RevokeToken ends a token before its time. It takes no permission: the caller is the
// credential that got the token; another's is NotFound. One that has ended already changes
// nothing. Problems: too_many_revoked_tokens, until some of the earlier ones would have
// ended. Audited as token.revoke.
func (a *Authority) RevokeToken(ctx context.Context, caller access.Caller, in RevokeTokenInput) (out store.RevokedToken, err error) {
	_, err = a.change(ctx, caller, "", func(c *change) error {
		k, err := c.callersCredential()
		if err != nil {
			return err
		}
		if in.ID == "" || in.Credential != k.ID {
			return problem.Missing("token")
		}
		out = store.RevokedToken{ID: in.ID, TenantID: c.tenant.ID, Credential: k.ID, ExpiresAt: in.ExpiresAt}
		if c.replayed, err = c.mayForget(out); err != nil || c.replayed {
			return err
		}
		if err := c.tx.AllTenantsPruneRevokedTokens(c.now); err != nil {
			return err
		}
		if err := c.tx.InsertRevokedToken(out); err != nil {
			return err
		}
		return c.record("token.revoke", target{kind: "token", id: out.ID, name: k.Name, org: k.OrganizationID},
			nil, fields{"credential_id": k.ID.String(), "expires_at": in.ExpiresAt})
	})
	if err != nil {
		return store.RevokedToken{}, err
	}
	return out, nil
}

// mayForget says whether nothing has to be noted of a revoked token: it is over, or was
// revoked before.
func (c *change) mayForget(t store.RevokedToken) (bool, error) {
	if !t.ExpiresAt.After(c.now) {
		return true, nil
	}
	if t.ExpiresAt.After(c.now.Add(tenancy.MaxTokenLifetime + time.Hour)) {
		return false, problem.InvalidField("/expires_at", "No token lives that long.")
	}
	earlier, err := c.tx.RevokedTokens(t.Credential, c.now, mostRevokedTokens)
	if err != nil {
		return false, err
	}
	for _, id := range earlier {
		if id == t.ID {
			return true, nil
		}
	}
	if len(earlier) >= mostRevokedTokens {
		p := problem.New(problem.TooMany, "too_many_revoked_tokens", "This credential has revoked too many tokens. Wait a while, or rotate its secret, which ends all of them.")
		p.RetryAfter = time.Minute
		return false, p
	}
	return false, nil
}

// callersCredential is the living credential that the caller came with.
func (s *scope) callersCredential() (credential.Credential, error) {
	id, err := credential.ParseID(s.caller.CredentialID)
	if s.caller.Via != access.ViaCredential || err != nil || s.target != s.caller.Tenant {
		return credential.Credential{}, problem.New(problem.Denied, "credential_required", "Only the credential itself may do this, not a person.")
	}
	return s.tx.Credential(id)
}
