package signin

import (
	"context"
	"crypto/sha256"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// errPassword is the answer to a wrong password of someone who is signed in.
func errPassword(pointer string) error {
	p := problem.InvalidField(pointer, "This is not your password.")
	p.Code = "wrong_password"
	return p
}

// Reauthenticate proves again that the person at the console is the one who signed in. The
// session goes on under a new token.
func (m *Manager) Reauthenticate(ctx context.Context, token, password string, from Origin) (Session, error) {
	s, err := m.Load(ctx, token)
	if err != nil {
		return Session{}, err
	}
	if !s.Token.IsZero() {
		token = s.Token.Reveal()
	}
	if err := m.prove(ctx, s, "/password", password, from); err != nil {
		return Session{}, err
	}
	var found loaded
	ctx, err = m.scs.Load(withLoaded(ctx, &found), token)
	if err != nil {
		return Session{}, err
	}
	if !found.ok {
		return Session{}, errNoSession()
	}
	s.ReauthenticatedAt = m.now()
	m.scs.Put(ctx, keyReauthenticated, stamp(s.ReauthenticatedAt))
	return m.renewToken(ctx, s, func(ctx context.Context, row store.Session, _ []byte) error {
		_, err := m.authority.Reauthenticated(ctx, s.Caller(from), authority.ReauthenticatedInput{Session: row})
		return err
	})
}

// prove checks the password of the session's user; guesses are counted as at sign-in.
func (m *Manager) prove(ctx context.Context, s Session, pointer, password string, from Origin) error {
	refund, err := m.guess("session\x00"+string(s.UserID), from.Source)
	if err != nil {
		return err
	}
	var hash string
	err = m.store.Read(ctx, s.TenantID, func(tx *store.Tx) (err error) {
		hash, err = tx.Password(s.UserID)
		return err
	})
	if err != nil && !problem.Is(err, problem.NotFound) {
		return err
	}
	good, err := m.hasher.check(ctx, password, hash)
	if err != nil {
		return err
	}
	if !good {
		return errPassword(pointer)
	}
	refund()
	return nil
}

// ChangePassword sets a new password and ends the user's other sessions.
func (m *Manager) ChangePassword(ctx context.Context, s Session, current, next string, from Origin) error {
	if err := m.prove(ctx, s, "/current_password", current, from); err != nil {
		return err
	}
	hash, err := m.HashPassword(ctx, "/new_password", next, s.User.Username)
	if err != nil {
		return err
	}
	_, err = m.authority.ChangeOwnPassword(ctx, s.Caller(from), authority.ChangeOwnPasswordInput{PasswordHash: hash})
	return err
}

// AcceptInvitation sets the first password of an invited user, or a new one of a user who
// was invited again. The link works once; a wrong or old one is NotFound.
func (m *Manager) AcceptInvitation(ctx context.Context, token, password string, from Origin) (tenancy.Tenant, tenancy.User, error) {
	refund, err := m.guess("invitation\x00"+from.Source.String(), from.Source)
	if err != nil {
		return tenancy.Tenant{}, tenancy.User{}, err
	}
	hashed := sha256.Sum256([]byte(token))
	tenant, user, err := m.invited(ctx, hashed[:])
	if err != nil {
		return tenancy.Tenant{}, tenancy.User{}, err
	}
	hash, err := m.HashPassword(ctx, "/password", password, user.Username)
	if err != nil {
		return tenancy.Tenant{}, tenancy.User{}, err
	}
	user, err = m.authority.AcceptInvitation(ctx, from.caller(), authority.AcceptInvitationInput{Token: secret.New(token), PasswordHash: hash})
	if err != nil {
		return tenancy.Tenant{}, tenancy.User{}, errInvitation(err)
	}
	refund()
	return tenant, user, nil
}

func errInvitation(err error) error {
	if problem.Is(err, problem.NotFound) {
		return problem.New(problem.NotFound, "no_invitation", "This invitation does not exist, was used already, or is too old. Ask for a new one.")
	}
	return err
}

// invited looks the invited user up without using the link.
func (m *Manager) invited(ctx context.Context, hashed []byte) (tenant tenancy.Tenant, user tenancy.User, err error) {
	err = m.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
		link, id, err := tx.AllTenantsOneTimeLink(hashed, authority.PurposeInvitation, m.now())
		if err != nil {
			return err
		}
		if tenant, err = tx.AllTenantsTenant(id); err != nil {
			return err
		}
		user, err = tx.AllTenantsIn(id).User(link.UserID)
		if err == nil && (user.State != tenancy.Active || tenant.State != tenancy.Active) {
			err = problem.Missing("invitation")
		}
		return err
	})
	return tenant, user, errInvitation(err)
}
