package authority

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// What people do with their own sign-in. It takes no permission: the caller is the user
// themselves, in a session, and whoever calls these methods has had the proof (package
// signin: a password). What has to hold at the moment of the change is checked here: the
// user, the organizations above and the tenant are active, and the session still lives.

// BeginSessionInput is a session that a person has just signed in to.
type BeginSessionInput struct {
	Session store.Session // of the caller; all but SeenAt is needed
}

// EndOwnSessionInput names one of the caller's sessions, the present one included.
type EndOwnSessionInput struct {
	ID string // the public one
}

// ReauthenticatedInput is the caller's session as it goes on after a new proof.
type ReauthenticatedInput struct {
	Session store.Session // under a new token; its begin and its end stay as they are
}

// ChangeOwnPasswordInput is the caller's new password.
type ChangeOwnPasswordInput struct {
	PasswordHash string // argon2id, encoded; never the password
}

// AcceptInvitationInput sets the password of an invited user.
type AcceptInvitationInput struct {
	Token        secret.Secret
	PasswordHash string // argon2id, encoded; never the password
}

// BeginSession signs the caller in: their session lives from now on. Problems:
// caller_stopped. Audited as session.begin.
func (a *Authority) BeginSession(ctx context.Context, caller access.Caller, in BeginSessionInput) (store.Session, error) {
	_, err := a.change(ctx, caller, "", func(c *change) error {
		u, err := c.person()
		if err != nil {
			return err
		}
		if err := c.ownSession(in.Session); err != nil {
			return err
		}
		if err := c.tx.AllTenantsPutSession(in.Session); err != nil {
			return err
		}
		return c.record("session.begin", sessionTarget(u, in.Session.PublicID), nil, nil)
	})
	if err != nil {
		return store.Session{}, err
	}
	return in.Session, nil
}

// EndOwnSession ends one of the caller's sessions; the present one is signing out. NotFound
// when the caller has no such session. Problems: caller_stopped. Audited as session.end.
func (a *Authority) EndOwnSession(ctx context.Context, caller access.Caller, in EndOwnSessionInput) (out store.Session, err error) {
	_, err = a.change(ctx, caller, "", func(c *change) error {
		u, err := c.person()
		if err != nil {
			return err
		}
		var ok bool
		if out, ok, err = c.sessionOf(u, in.ID); err != nil {
			return err
		}
		if !ok {
			return problem.Missing("session")
		}
		if _, err := c.presentSession(u); err != nil {
			return err
		}
		if err := c.tx.AllTenantsDeleteSession(out.TokenHash); err != nil {
			return err
		}
		return c.record("session.end", sessionTarget(u, in.ID), nil, nil)
	})
	if err != nil {
		return store.Session{}, err
	}
	return out, nil
}

// Reauthenticated notes that the person in the caller's session has proved again who they
// are. The session goes on under the new token, and the old one opens nothing any more.
// Problems: caller_stopped. Audited as session.reauthenticate.
func (a *Authority) Reauthenticated(ctx context.Context, caller access.Caller, in ReauthenticatedInput) (out store.Session, err error) {
	_, err = a.change(ctx, caller, "", func(c *change) error {
		u, err := c.person()
		if err != nil {
			return err
		}
		if err := c.ownSession(in.Session); err != nil {
			return err
		}
		if in.Session.PublicID != c.caller.SessionID {
			return problem.Missing("session")
		}
		present, err := c.presentSession(u)
		if err != nil {
			return err
		}
		out = in.Session
		out.CreatedAt, out.ExpiresAt = present.CreatedAt, present.ExpiresAt
		if err := c.tx.AllTenantsDeleteSession(present.TokenHash); err != nil {
			return err
		}
		if err := c.tx.AllTenantsPutSession(out); err != nil {
			return err
		}
		return c.record("session.reauthenticate", sessionTarget(u, out.PublicID), nil, nil)
	})
	if err != nil {
		return store.Session{}, err
	}
	return out, nil
}

// ChangeOwnPassword sets the caller's password and ends all their sessions but the present
// one. Problems: caller_stopped. Audited as user.change_password.
func (a *Authority) ChangeOwnPassword(ctx context.Context, caller access.Caller, in ChangeOwnPasswordInput) (out tenancy.User, err error) {
	_, err = a.change(ctx, caller, "", func(c *change) error {
		if out, err = c.person(); err != nil {
			return err
		}
		if _, err := c.presentSession(out); err != nil {
			return err
		}
		if err := c.setPassword(out, in.PasswordHash, "/new_password", c.caller.SessionID); err != nil {
			return err
		}
		return c.record("user.change_password", userTarget(out), nil, nil)
	})
	if err != nil {
		return tenancy.User{}, err
	}
	return out, nil
}

// AcceptInvitation sets the password of the user whom the token invites, and ends their
// sessions. The token is all the right it takes; of the caller only the origin of the
// request counts, and audit shows the user. NotFound when the token is unknown, used or
// too old, or when the user or the tenant is not active. Audited as user.accept_invitation.
func (a *Authority) AcceptInvitation(ctx context.Context, caller access.Caller, in AcceptInvitationInput) (out tenancy.User, err error) {
	hash := hashToken(in.Token)
	var target tenancy.TenantID
	err = a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		_, target, err = tx.AllTenantsOneTimeLink(hash, PurposeInvitation, a.now())
		return err
	})
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, systemFrom(caller), target, func(c *change) error {
		link, _, err := c.tx.AllTenantsTakeOneTimeLink(hash, PurposeInvitation, c.now)
		if err != nil {
			return err
		}
		if out, err = c.user(link.UserID); err != nil {
			return err
		}
		if out.State != tenancy.Active || c.tenant.State != tenancy.Active {
			return problem.Missing("invitation")
		}
		if err := c.setPassword(out, in.PasswordHash, "/password", ""); err != nil {
			return err
		}
		c.caller = personFrom(caller, out)
		return c.record("user.accept_invitation", userTarget(out), nil, nil)
	})
	if err != nil {
		return tenancy.User{}, err
	}
	return out, nil
}

// setPassword takes the session that goes on, if any.
func (c *change) setPassword(u tenancy.User, hash, pointer, except string) error {
	if hash == "" {
		return problem.InvalidField(pointer, "Choose a password.")
	}
	if err := c.tx.SetPassword(u.ID, hash, c.now); err != nil {
		return err
	}
	return c.tx.EndSessions(u.ID, except)
}

// person is the caller, who must be a user in a session and acts on themselves.
func (s *scope) person() (tenancy.User, error) {
	if s.caller.Via != access.ViaSession || s.caller.Principal.Type != access.PrincipalUser || s.target != s.caller.Tenant {
		return tenancy.User{}, problem.New(problem.Denied, "session_required", "Only a person who signed in with a password may do this, not a credential.")
	}
	return s.user(tenancy.UserID(s.caller.Principal.ID))
}

// ownSession makes sure that a session to be written is the caller's and whole.
func (s *scope) ownSession(row store.Session) error {
	if row.TenantID != s.target || string(row.UserID) != s.caller.Principal.ID {
		return problem.Missing("user")
	}
	if row.PublicID == "" || len(row.TokenHash) != sha256.Size || !s.lives(row) {
		return errors.New("authority: a session needs an ID, a hashed token and an end to come")
	}
	return nil
}

// presentSession is the session that the caller came with. It may have ended since it was
// looked at: then nothing more is done in its name.
func (s *scope) presentSession(u tenancy.User) (store.Session, error) {
	row, ok, err := s.sessionOf(u, s.caller.SessionID)
	if err == nil && (!ok || !s.lives(row)) {
		err = stopped()
	}
	return row, err
}

func (s *scope) sessionOf(u tenancy.User, id string) (store.Session, bool, error) {
	rows, err := s.tx.SessionsOf(u.ID)
	if err != nil {
		return store.Session{}, false, err
	}
	for _, row := range rows {
		if row.PublicID == id {
			return row, true, nil
		}
	}
	return store.Session{}, false, nil
}

func (s *scope) lives(row store.Session) bool {
	return s.now.Before(row.ExpiresAt) && s.now.Before(row.IdleExpiresAt)
}

func sessionTarget(u tenancy.User, id string) target {
	return target{kind: "session", id: id, org: u.OrganizationID}
}

// systemFrom is the installation itself, acting on a request that brings a one-time token.
func systemFrom(origin access.Caller) access.Caller {
	c := SystemCaller()
	c.Source, c.UserAgent, c.RequestID = origin.Source, origin.UserAgent, origin.RequestID
	return c
}

// personFrom is the user whom a one-time token has proved.
func personFrom(origin access.Caller, u tenancy.User) access.Caller {
	return access.Caller{
		Tenant: u.TenantID, Principal: userPrincipal(u.ID), Name: u.Username, Organization: u.OrganizationID, Via: access.ViaSession,
		Source: origin.Source, UserAgent: origin.UserAgent, RequestID: origin.RequestID,
	}
}
