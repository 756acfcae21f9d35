package signin

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/verify"
)

// automaticLifetime is how long after an automatic sign-in its token can be renewed.
const automaticLifetime = 12 * time.Hour

const (
	guessesPerKey            = 60  // user names that a key did not sign in
	automaticGuessesPerPlace = 120 // keys or user names, from one source
)

// AutomaticInput is what a desktop client sends: its organization's key and who is signed
// on to the computer (NV2).
type AutomaticInput struct {
	Key      secret.Secret
	Username string // "user", "DOMAIN\user" or "user@domain"
	Client   string // the desktop client's key in the catalogue
}

// AutomaticSession is a person's stay at a desktop client.
type AutomaticSession struct {
	Token     secret.Secret
	ExpiresAt time.Time
	UserID    tenancy.UserID
	TenantID  tenancy.TenantID
}

// errAutomatic is the one answer to every automatic sign-in that fails.
func errAutomatic() error {
	return problem.New(problem.Unauthenticated, "sign_in_failed", "Nobody is signed in with this key and user name.")
}

// errRenewal is the one answer to a token that is not renewed.
func errRenewal() error {
	return problem.New(problem.Unauthenticated, "session_over", "This token is not renewed. Sign in again.")
}

// SignInAutomatically signs somebody in to a desktop client without a password. Every
// refusal is the same Unauthenticated problem "sign_in_failed", and the log says why; too
// many of them are TooMany, for the key or for the source.
func (m *Manager) SignInAutomatically(ctx context.Context, in AutomaticInput, from Origin) (AutomaticSession, error) {
	if m.index == nil || m.tokens == nil {
		return AutomaticSession{}, problem.New(problem.Unavailable, "unavailable", "Nobody can be signed in here.")
	}
	where := sourceKey(from.Source)
	if wait, ok := m.automaticBySource.take(where, m.now()); !ok {
		return AutomaticSession{}, tooMany(wait)
	}
	key, err := m.index.Verify(&verify.Request{Credential: in.Key.Reveal(), SourceIP: from.Source, UserAgent: from.UserAgent})
	if err != nil {
		m.automaticBySource.refund(where)
		return AutomaticSession{}, err
	}
	if !key.Valid || key.Kind != credential.OrganizationKey {
		return AutomaticSession{}, m.noAutomatic(ctx, from, &key, string(key.Code))
	}
	if wait, ok := m.byKey.take(key.CredentialID.String(), m.now()); !ok {
		return AutomaticSession{}, tooMany(wait)
	}
	who, err := m.authority.SignInAutomatically(ctx, keyCaller(&key, from), authority.SignInAutomaticallyInput{
		Username: in.Username, Client: in.Client,
	})
	if p := problem.As(err); err != nil && (p.Kind == problem.Denied || p.Kind == problem.Unauthenticated || p.Kind == problem.NotFound) {
		return AutomaticSession{}, m.noAutomatic(ctx, from, &key, p.Code)
	}
	m.automaticBySource.refund(where)
	m.byKey.refund(key.CredentialID.String())
	if err != nil {
		return AutomaticSession{}, err
	}
	return m.automaticToken(who, token.Claims{Client: in.Client, SecretVersion: key.SecretVersion, AuthTime: m.now()})
}

// RenewAutomatic gives a token that is still good a successor, up to 12 hours after the
// sign-in. The user, the key and the client are looked at as at a sign-in. Every refusal is
// the same Unauthenticated problem "session_over".
func (m *Manager) RenewAutomatic(ctx context.Context, sessionToken secret.Secret, from Origin) (AutomaticSession, error) {
	if m.index == nil || m.tokens == nil {
		return AutomaticSession{}, problem.New(problem.Unavailable, "unavailable", "Nobody can be signed in here.")
	}
	where := sourceKey(from.Source)
	if wait, ok := m.automaticBySource.take(where, m.now()); !ok {
		return AutomaticSession{}, tooMany(wait)
	}
	claims, ok := m.tokens.Read(sessionToken.Reveal(), m.now())
	if !ok || claims.Use != token.Session || !m.now().Before(claims.AuthTime.Add(automaticLifetime)) {
		return AutomaticSession{}, errRenewal()
	}
	live, err := m.index.Verify(&verify.Request{Credential: sessionToken.Reveal(), SourceIP: from.Source, DryRun: true})
	if err != nil {
		m.automaticBySource.refund(where)
		return AutomaticSession{}, err
	}
	key, err := m.index.Proved(claims.Credential, &verify.Request{SourceIP: from.Source, DryRun: true})
	if err != nil {
		m.automaticBySource.refund(where)
		return AutomaticSession{}, err
	}
	if !live.Valid || !key.Valid {
		return AutomaticSession{}, errRenewal()
	}
	m.automaticBySource.refund(where)
	who, err := m.authority.AutomaticSignIn(ctx, keyCaller(&key, from), authority.AutomaticSignInInput{User: claims.User, Client: claims.Client})
	if p := problem.As(err); err != nil && (p.Kind == problem.Denied || p.Kind == problem.Unauthenticated || p.Kind == problem.NotFound) {
		return AutomaticSession{}, errRenewal()
	}
	if err != nil {
		return AutomaticSession{}, err
	}
	return m.automaticToken(who, claims)
}

// automaticToken makes a token for somebody: of the one before it the client, the version of
// the key and the time of the sign-in go on.
func (m *Manager) automaticToken(who authority.AutomaticSignIn, before token.Claims) (AutomaticSession, error) {
	now := m.now()
	ends := now.Truncate(time.Second).Add(who.TokenLifetime) // tokens know whole seconds
	for _, end := range []time.Time{before.AuthTime.Add(automaticLifetime), who.KeyExpiresAt} {
		if !end.IsZero() && end.Before(ends) {
			ends = end.Truncate(time.Second)
		}
	}
	if !ends.After(now) {
		return AutomaticSession{}, errRenewal()
	}
	id, err := token.NewID(rand.Reader)
	if err != nil {
		return AutomaticSession{}, problem.Wrap(err)
	}
	raw, err := m.tokens.Sign(token.Claims{
		Use: token.Session, ID: id, Subject: string(who.User.ID), User: who.User.ID, Client: before.Client,
		Credential: who.Credential, SecretVersion: before.SecretVersion, Tenant: who.User.TenantID,
		IssuedAt: now, ExpiresAt: ends, AuthTime: before.AuthTime.Truncate(time.Second),
	})
	if err != nil {
		return AutomaticSession{}, problem.Wrap(err)
	}
	return AutomaticSession{Token: secret.New(raw), ExpiresAt: ends, UserID: who.User.ID, TenantID: who.User.TenantID}, nil
}

// noAutomatic refuses, and says in the log why.
func (m *Manager) noAutomatic(ctx context.Context, from Origin, key *verify.Result, reason string) error {
	attrs := []slog.Attr{slog.String("reason", reason), slog.String("request_id", from.RequestID)}
	if key.Code != verify.NotFound {
		attrs = append(attrs, slog.String("tenant_id", string(key.TenantID)), slog.String("credential_id", key.CredentialID.String()))
	}
	m.logger.LogAttrs(ctx, slog.LevelInfo, "automatic sign-in refused", attrs...)
	return errAutomatic()
}

// keyCaller is an organization's key as the authority knows callers.
func keyCaller(key *verify.Result, from Origin) access.Caller {
	return access.Caller{
		Tenant: key.TenantID, Principal: key.Principal, Organization: key.OrganizationID, Via: access.ViaCredential,
		CredentialID: key.CredentialID.String(), CredentialExpires: key.ExpiresAt,
		Source: from.Source, UserAgent: from.UserAgent, RequestID: from.RequestID,
	}
}
