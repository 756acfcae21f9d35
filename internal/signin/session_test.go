package signin

import (
	"bytes"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const rootPassword = "correct horse battery"

// people is a Manager on a new database, whose first administrator is root.
type people struct {
	*testing.T
	*Manager
}

func newPeople(t *testing.T) people {
	t.Helper()
	now := func() time.Time { return time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC) }
	p := people{T: t}
	db, err := store.Open(t.Context(), store.Config{URL: storetest.SQLite(t), Now: now})
	p.must(err)
	t.Cleanup(func() { _ = db.Close() })
	peppers, err := secret.NewPeppers(1, map[int][]byte{1: bytes.Repeat([]byte("p"), 32)})
	p.must(err)
	a, err := authority.New(authority.Config{Store: db, Peppers: peppers, Now: now})
	p.must(err)
	p.must(a.BootstrapSystem(t.Context()))
	p.Manager, err = New(Config{
		Store: db, Authority: a, Now: now,
		Hashing: &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	})
	p.must(err)
	link, err := a.IssueFirstAdminLink(t.Context(), authority.SystemCaller(), authority.FirstAdminLinkInput{})
	p.must(err)
	hash, err := p.HashPassword(t.Context(), "/password", rootPassword, "root")
	p.must(err)
	_, err = a.AcceptFirstAdmin(t.Context(), access.Caller{}, authority.AcceptFirstAdminInput{Token: link.Token, Username: "root", PasswordHash: hash})
	p.must(err)
	return p
}

func (p people) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p people) enter(previous string) Session {
	p.Helper()
	s, err := p.SignIn(p.Context(), SignInInput{Tenant: "system", Username: "root", Password: rootPassword}, Origin{RequestID: "req_1"}, previous)
	p.must(err)
	return s
}

// audited are the actions that the function leaves in audit.
func (p people) audited(do func()) (actions []string) {
	p.Helper()
	read := func(after *int64) {
		p.must(p.store.Read(p.Context(), tenancy.SystemTenantID, func(tx *store.Tx) error {
			head, err := tx.AuditHead()
			if err != nil {
				return err
			}
			actions = nil
			list, err := tx.AuditEventsAfter(*after, 100)
			for _, e := range list {
				actions = append(actions, e.Action)
			}
			*after = head.Sequence
			return err
		}))
	}
	var seen int64
	read(&seen)
	do()
	read(&seen)
	return actions
}

func TestSessionsAreAudited(t *testing.T) {
	p := newPeople(t)
	var s Session
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"signing in", func() { s = p.enter("") }, []string{"session.begin"}},
		{"signing in again", func() { s = p.enter(s.Token.Reveal()) }, []string{"session.end", "session.begin"}},
		{"proving again", func() {
			next, err := p.Reauthenticate(t.Context(), s.Token.Reveal(), rootPassword, Origin{})
			p.must(err)
			s = next
		}, []string{"session.reauthenticate"}},
		{"looking", func() { _, err := p.Load(t.Context(), s.Token.Reveal()); p.must(err) }, nil},
		{"a new password", func() {
			p.must(p.ChangePassword(t.Context(), s, rootPassword, "another horse battery", Origin{}))
		}, []string{"user.change_password"}},
		{"signing out", func() { p.must(p.SignOut(t.Context(), s.Token.Reveal(), Origin{})) }, []string{"session.end"}},
		{"signing out twice", func() { p.must(p.SignOut(t.Context(), s.Token.Reveal(), Origin{})) }, nil},
	} {
		if got := p.audited(step.do); !slices.Equal(got, step.want) {
			t.Errorf("%s: audit has %q, want %q", step.name, got, step.want)
		}
	}
}

// A request that was under way while its session was ended must not bring it back, neither
// by noting its use nor by moving it to a new token.
func TestSessionsStayEnded(t *testing.T) {
	p := newPeople(t)
	token := p.enter("").Token.Reveal()
	var found loaded
	ctx, err := p.scs.Load(withLoaded(t.Context(), &found), token)
	p.must(err)
	p.must(p.SignOut(t.Context(), token, Origin{}))
	if _, _, err := p.scs.Commit(ctx); err != nil {
		t.Errorf("noting the use: %v", err)
	}
	if _, err := p.renewToken(ctx, p.read(ctx), p.move); !problem.Is(err, problem.Unavailable) {
		t.Errorf("moving it: %v", err)
	}
	hashed, err := base64.RawURLEncoding.DecodeString(hashedToken(token))
	p.must(err)
	err = p.store.Read(t.Context(), tenancy.SystemTenantID, func(tx *store.Tx) error {
		if _, err := tx.AllTenantsSession(hashed); !problem.Is(err, problem.NotFound) {
			t.Errorf("the session: %v", err)
		}
		left, err := tx.SessionsOf(found.user.ID)
		if len(left) != 0 {
			t.Errorf("there are sessions: %+v", left)
		}
		return err
	})
	p.must(err)
}
