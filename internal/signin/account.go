package signin

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// PurposeInvitation is the purpose of the one-time links that invite a user.
const PurposeInvitation = "invitation"

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
	return m.renewToken(withEvent(ctx, sessionEvent{action: "session.reauthenticate", user: s.User, from: from, by: s.ID}), s)
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
	_, err = m.store.Write(ctx, s.TenantID, func(tx *store.Tx) error {
		user, err := tx.User(s.UserID)
		if err != nil {
			return err
		}
		if user.State != tenancy.Active {
			return errNoSession()
		}
		if err := tx.SetPassword(s.UserID, hash, m.now()); err != nil {
			return err
		}
		if err := tx.EndSessions(s.UserID, s.ID); err != nil {
			return err
		}
		return record(tx, m.now(), sessionEvent{action: "user.change_password", user: user, from: from, by: s.ID})
	})
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
	_, err = m.store.Write(ctx, tenant.ID, func(tx *store.Tx) error {
		link, _, err := tx.AllTenantsTakeOneTimeLink(hashed[:], PurposeInvitation, m.now())
		if err != nil {
			return errInvitation(err)
		}
		if err := tx.SetPassword(link.UserID, hash, m.now()); err != nil {
			return err
		}
		if err := tx.EndSessions(link.UserID, ""); err != nil {
			return err
		}
		return record(tx, m.now(), sessionEvent{action: "user.accept_invitation", user: user, from: from})
	})
	if err != nil {
		return tenancy.Tenant{}, tenancy.User{}, err
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
		link, id, err := tx.AllTenantsOneTimeLink(hashed, PurposeInvitation, m.now())
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

// sessionEvent is what audit is told of a person's own doing.
type sessionEvent struct {
	action string
	user   tenancy.User
	from   Origin
	id     string // the session it is about; empty means the user
	by     string // the session it was done in
}

type eventKey struct{}

func withEvent(ctx context.Context, e sessionEvent) context.Context {
	return context.WithValue(ctx, eventKey{}, e)
}

// recordFrom records the event that the context carries, if any.
func recordFrom(ctx context.Context, tx *store.Tx, at time.Time, id string) error {
	e, ok := ctx.Value(eventKey{}).(sessionEvent)
	if !ok {
		return nil
	}
	if e.id == "" {
		e.id = id
	}
	return record(tx, at, e)
}

// record appends to the user's tenant's audit chain, in the transaction of the change.
func record(tx *store.Tx, at time.Time, e sessionEvent) error {
	tx = tx.AllTenantsIn(e.user.TenantID)
	head, err := tx.AuditHead()
	if err != nil {
		return err
	}
	event := audit.Event{
		TenantID: e.user.TenantID, At: at, Action: e.action,
		Actor:     access.Principal{Type: access.PrincipalUser, ID: string(e.user.ID)},
		ActorName: e.user.Username, ActorTenant: e.user.TenantID, Via: access.ViaSession,
		SessionID: e.by, Source: sourceText(e.from), UserAgent: clip(e.from.UserAgent), RequestID: e.from.RequestID,
		TargetType: "user", TargetID: string(e.user.ID), TargetName: e.user.Username,
		OrganizationID: e.user.OrganizationID,
	}
	if e.id != "" {
		event.TargetType, event.TargetID, event.TargetName = "session", e.id, ""
	}
	event, _ = audit.Chain(head, event)
	return tx.AppendAudit(event)
}
