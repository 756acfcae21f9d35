package authority_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
)

func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// session is one of the caller's that could begin now; its token is its ID.
func (w *world) session(c access.Caller, id string) store.Session {
	now := w.clock.Now()
	return store.Session{
		TokenHash: tokenHash(id), PublicID: id, TenantID: c.Tenant, UserID: userOf(c),
		CreatedAt: now, SeenAt: now, IdleExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(12 * time.Hour),
	}
}

func (w *world) begin(c access.Caller, id string) store.Session {
	w.Helper()
	s, err := w.a.BeginSession(w.Context(), c, authority.BeginSessionInput{Session: w.session(c, id)})
	w.must(err)
	return s
}

// sessionIDs are the public IDs of a user's sessions.
func (w *world) sessionIDs(c access.Caller) map[string]store.Session {
	w.Helper()
	out := map[string]store.Session{}
	w.must(w.store.Read(w.Context(), c.Tenant, func(tx *store.Tx) error {
		list, err := tx.SessionsOf(userOf(c))
		for _, s := range list {
			out[s.PublicID] = s
		}
		return err
	}))
	return out
}

func (w *world) password(c access.Caller) string {
	w.Helper()
	var hash string
	w.must(w.store.Read(w.Context(), c.Tenant, func(tx *store.Tx) (err error) {
		hash, err = tx.Password(userOf(c))
		return err
	}))
	return hash
}

// personal calls the methods that are a person's own, as the caller, on the session.
func (w *world) personal(c access.Caller, s store.Session) map[string]func() error {
	return map[string]func() error{
		"BeginSession":    func() error { return w.call("BeginSession", c, authority.BeginSessionInput{Session: s}) },
		"EndOwnSession":   func() error { return w.call("EndOwnSession", c, authority.EndOwnSessionInput{ID: s.PublicID}) },
		"Reauthenticated": func() error { return w.call("Reauthenticated", c, authority.ReauthenticatedInput{Session: s}) },
		"ChangeOwnPassword": func() error {
			return w.call("ChangeOwnPassword", c, authority.ChangeOwnPasswordInput{PasswordHash: "h"})
		},
	}
}

// Neither a key nor the installation itself has a sign-in to care for.
func TestSessionsAreForPeople(t *testing.T) {
	engines(t, func(w *world) {
		s := w.begin(w.holder, w.holder.SessionID)
		for _, c := range []access.Caller{with(w.holder, w.key(w.holder)), authority.SystemCaller()} {
			for name, do := range w.personal(c, s) {
				w.refused(name+" by "+string(c.Via), problem.Denied, "session_required", do)
			}
		}
	})
}

// Whoever is stopped, or whose session was ended, does nothing more in its name.
func TestSessionsThatAreOver(t *testing.T) {
	engines(t, func(w *world) {
		s := w.begin(w.nobody, w.nobody.SessionID)
		_, err := w.a.EndOwnSession(w.Context(), w.nobody, authority.EndOwnSessionInput{ID: s.PublicID})
		w.must(err)
		w.refused("ending it twice", problem.NotFound, "", w.personal(w.nobody, s)["EndOwnSession"])
		for _, name := range []string{"Reauthenticated", "ChangeOwnPassword"} {
			w.refused(name+" when signed out", problem.Unauthenticated, "caller_stopped", w.personal(w.nobody, s)[name])
		}
		s = w.begin(w.nobody, w.nobody.SessionID)
		w.clock.Add(time.Hour)
		for _, name := range []string{"Reauthenticated", "ChangeOwnPassword"} {
			if err := w.personal(w.nobody, s)[name](); err == nil {
				w.Errorf("%s works in a session that was idle too long", name)
			}
		}
		_, err = w.a.SuspendUser(w.Context(), w.super, authority.UserInput{ID: userOf(w.nobody)})
		w.must(err)
		w.refused("beginning when suspended", problem.Unauthenticated, "caller_stopped", w.personal(w.nobody, w.session(w.nobody, "ses_late"))["BeginSession"])
	})
}

// A new proof changes the token and never the end.
func TestSessionReauthenticated(t *testing.T) {
	engines(t, func(w *world) {
		s := w.begin(w.nobody, w.nobody.SessionID)
		next := s
		next.TokenHash, next.ExpiresAt = tokenHash("renewed"), s.ExpiresAt.Add(time.Hour)
		_, err := w.a.Reauthenticated(w.Context(), w.nobody, authority.ReauthenticatedInput{Session: next})
		w.must(err)
		got := w.sessionIDs(w.nobody)
		if now := got[s.PublicID]; len(got) != 1 || string(now.TokenHash) != string(next.TokenHash) || !now.ExpiresAt.Equal(s.ExpiresAt) {
			w.Errorf("the sessions are %+v", got)
		}
		next.PublicID = "ses_another"
		w.refused("proving for another session", problem.NotFound, "", w.personal(w.nobody, next)["Reauthenticated"])
	})
}

func TestChangeOwnPasswordEndsOtherSessions(t *testing.T) {
	engines(t, func(w *world) {
		w.begin(w.nobody, w.nobody.SessionID)
		w.begin(w.nobody, "ses_elsewhere")
		_, err := w.a.ChangeOwnPassword(w.Context(), w.nobody, authority.ChangeOwnPasswordInput{PasswordHash: "new hash"})
		w.must(err)
		if got := w.sessionIDs(w.nobody); len(got) != 1 || got[w.nobody.SessionID].PublicID == "" {
			w.Errorf("the sessions are %+v", got)
		}
		if got := w.password(w.nobody); got != "new hash" {
			w.Errorf("the hash is %q", got)
		}
		w.refused("no hash", problem.Invalid, "", func() error {
			return w.call("ChangeOwnPassword", w.nobody, authority.ChangeOwnPasswordInput{})
		})
	})
}

func TestAcceptInvitation(t *testing.T) {
	engines(t, func(w *world) {
		invited := func(name string) (access.Caller, secret.Secret) {
			u, err := w.a.CreateUser(w.Context(), w.super, authority.CreateUserInput{OrganizationID: w.north.ID, Username: name})
			w.must(err)
			return session(w.acme.ID, u.User.ID), u.Invitation.Token
		}
		accept := func(token secret.Secret, hash string) func() error {
			return func() error {
				_, err := w.a.AcceptInvitation(w.Context(), access.Caller{RequestID: "req_9"}, authority.AcceptInvitationInput{Token: token, PasswordHash: hash})
				return err
			}
		}
		ada, token := invited("ada")
		w.begin(ada, ada.SessionID)
		w.refused("made up", problem.NotFound, "", accept(secret.New("made up"), "hash"))
		w.refused("without a password", problem.Invalid, "", accept(token, ""))
		w.must(accept(token, "first hash")())
		e := w.lastEvent(w.acme.ID)
		if e.Action != "user.accept_invitation" || e.Actor != ada.Principal || e.ActorTenant != w.acme.ID || e.Via != access.ViaSession || e.RequestID != "req_9" {
			w.Errorf("audit shows %+v", e)
		}
		if w.password(ada) != "first hash" || len(w.sessionIDs(ada)) != 0 {
			w.Error("the password is not set, or sessions go on")
		}
		w.refused("twice", problem.NotFound, "", accept(token, "hash"))

		bob, token := invited("bob")
		_, err := w.a.SuspendUser(w.Context(), w.super, authority.UserInput{ID: userOf(bob)})
		w.must(err)
		w.refused("of a suspended user", problem.NotFound, "", accept(token, "hash"))
		_, token = invited("eve")
		_, err = w.a.SuspendTenant(w.Context(), w.system, authority.TenantInput{ID: w.acme.ID})
		w.must(err)
		w.refused("of a suspended tenant", problem.NotFound, "", accept(token, "hash"))
		w.clock.Add(365 * 24 * time.Hour)
		_, err = w.a.ResumeTenant(w.Context(), w.system, authority.TenantInput{ID: w.acme.ID})
		w.must(err)
		w.refused("too late", problem.NotFound, "", accept(token, "hash"))
	})
}

// Signing in takes the whole road: it is not acknowledged before the index follows, and
// cannot be kept from audit.
func TestSessionsTakeTheRoad(t *testing.T) {
	engines(t, func(w *world) {
		w.applied.Fail(errors.New("the index is behind"))
		if err := w.personal(w.nobody, w.session(w.nobody, "ses_1"))["BeginSession"](); !problem.Is(err, problem.Unavailable) {
			w.Errorf("acknowledged before the index follows: %v", err)
		}
		w.applied.Fail(nil)
		w.exec("ALTER TABLE audit_events RENAME TO audit_events_away")
		if err := w.personal(w.nobody, w.session(w.nobody, "ses_2"))["BeginSession"](); err == nil {
			w.Error("a session began without audit")
		}
		w.exec("ALTER TABLE audit_events_away RENAME TO audit_events")
		if _, ok := w.sessionIDs(w.nobody)["ses_2"]; ok {
			w.Error("the session is there without its audit event")
		}
	})
}
