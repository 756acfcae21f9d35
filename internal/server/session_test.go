package server_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/node"
)

func (w *world) tries(slug, username, pass string) reply {
	w.Helper()
	return (&client{w: w}).do(http.MethodPost, "/v1/sessions", map[string]any{"tenant": slug, "username": username, "password": pass})
}

func TestSignInSetsTheCookie(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		u := w.user(w.a, w.a.RootOrg)
		// User names are compared without case, and white space around them is no part.
		r := w.tries("Northwind", " "+strings.ToUpper(u.Username)+" ", password)
		if r.status != http.StatusCreated {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		cookie := r.header.Get("Set-Cookie")
		if !regexp.MustCompile(`^__Host-claviger=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; Secure; SameSite=Lax$`).MatchString(cookie) {
			t.Errorf("the cookie is %q", cookie)
		}
		se := into[api.Session](t, r)
		token := strings.TrimPrefix(strings.Split(cookie, ";")[0], "__Host-claviger=")
		if se.UserID != string(u.ID) || !se.Current || strings.Contains(string(r.body), token) || strings.Contains(w.log.String(), token) {
			t.Errorf("the session is %s", r.body)
		}
		if life := se.ExpiresAt.Sub(se.CreatedAt); life != 12*time.Hour {
			t.Errorf("it lives %s", life)
		}
	})
}

// Every failure reads the same, whatever is wrong.
func TestSignInFailuresAreAlike(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		u, suspended := w.user(w.a, w.a.RootOrg), w.user(w.a, w.a.RootOrg)
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/users/"+string(suspended.ID)+"/suspend", nil)
		stopped := w.user(w.a, w.orgs["branch"])
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/organizations/"+string(w.orgs["branch"])+"/suspend", nil)
		invited := ok2(w.node.Authority().CreateUser(t.Context(), w.system, authority.CreateUserInput{Tenant: w.a.ID, Username: "invited"}))(w).User
		first := ""
		for name, row := range map[string][3]string{
			"wrong password":         {w.a.Slug, u.Username, "wrong horse battery"},
			"no such user":           {w.a.Slug, "nobody", password},
			"no such tenant":         {"nowhere", u.Username, password},
			"another tenant":         {w.b.Slug, u.Username, password},
			"suspended user":         {w.a.Slug, suspended.Username, password},
			"suspended organization": {w.a.Slug, stopped.Username, password},
			"no password yet":        {w.a.Slug, invited.Username, password},
			"a very long password":   {w.a.Slug, u.Username, strings.Repeat("x", 1000)},
			"hostile name":           {w.a.Slug, "x\x00'\u202e", password},
		} {
			r := w.tries(row[0], row[1], row[2])
			p := r.problem(t)
			p.RequestID = ""
			b, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = string(b)
			}
			if r.status != http.StatusUnauthorized || string(b) != first || r.header.Get("Set-Cookie") != "" {
				t.Errorf("%s: status %d: %s, others say %s", name, r.status, b, first)
			}
		}
	})
}

func TestSignInSlowsGuesses(t *testing.T) {
	w := newWorld(t, sqlite(t))
	u := w.user(w.a, w.a.RootOrg)
	for range 10 {
		w.tries(w.a.Slug, u.Username, "wrong horse battery")
	}
	r := w.tries(w.a.Slug, u.Username, password)
	if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
		t.Errorf("after ten guesses: status %d: %s", r.status, r.body)
	}
	for range 10 {
		w.tries(w.a.Slug, "nobody", "wrong horse battery")
	}
	if r := w.tries(w.a.Slug, "nobody", password); r.status != http.StatusTooManyRequests {
		t.Errorf("for nobody: status %d, want the same 429", r.status)
	}
	other := w.user(w.a, w.a.RootOrg)
	if r := w.tries(w.a.Slug, other.Username, password); r.status != http.StatusCreated {
		t.Errorf("somebody else: status %d", r.status)
	}
	w.clock.advance(16 * time.Minute)
	if r := w.tries(w.a.Slug, u.Username, password); r.status != http.StatusCreated {
		t.Errorf("a while later: status %d", r.status)
	}
}

// me is the status of GET /v1/me.
func (c *client) me() int {
	c.w.Helper()
	return c.do(http.MethodGet, "/v1/me", nil).status
}

func TestSessionEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		u := w.user(w.a, w.a.RootOrg, access.RoleSuperAdmin)
		idle, busy := w.signIn(w.a.Slug, u.Username), w.signIn(w.a.Slug, u.Username)
		for i := range 24 {
			w.clock.advance(30*time.Minute - time.Second)
			want := http.StatusOK
			if got := busy.me(); got != want {
				t.Fatalf("in use, after %d half hours: status %d", i+1, got)
			}
		}
		if got := idle.me(); got != http.StatusUnauthorized {
			t.Errorf("idle: status %d", got)
		}
		w.clock.advance(time.Minute)
		if got := busy.me(); got != http.StatusUnauthorized {
			t.Errorf("after twelve hours: status %d", got)
		}

		one, two := w.signIn(w.a.Slug, u.Username), w.signIn(w.a.Slug, u.Username)
		list := into[api.List[api.Session]](t, one.must(http.StatusOK, http.MethodGet, "/v1/sessions", nil))
		current := 0
		for _, se := range list.Items {
			if se.Current {
				current++
			}
		}
		if len(list.Items) != 2 || current != 1 {
			t.Errorf("the sessions are %+v", list.Items)
		}
		for _, se := range list.Items {
			if !se.Current {
				one.must(http.StatusNoContent, http.MethodDelete, "/v1/sessions/"+se.ID, nil)
			}
		}
		if got := two.me(); got != http.StatusUnauthorized {
			t.Errorf("ended by the other: status %d", got)
		}
		old := one.cookie
		one.must(http.StatusNoContent, http.MethodDelete, "/v1/sessions/current", nil)
		if one.cookie != "" {
			t.Error("signing out leaves the cookie")
		}
		if got := (&client{w: w, cookie: old}).me(); got != http.StatusUnauthorized {
			t.Errorf("signed out: status %d", got)
		}
	})
}

// A session's token changes when the user's rights do; a request under way still gets through.
func TestSessionTokenFollowsRights(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		u := w.user(w.a, w.a.RootOrg, access.RoleAgent)
		c := w.signIn(w.a.Slug, u.Username)
		first := c.cookie
		if c.me(); c.cookie != first {
			t.Error("the token changed for nothing")
		}
		w.assign(w.a.ID, u.ID, w.roles[access.RoleSupervisor], w.a.RootOrg)
		stale := &client{w: w, cookie: first}
		if c.me(); c.cookie == first || c.cookie == "" {
			t.Fatal("the token did not change with the rights")
		}
		second := c.cookie
		if got := stale.me(); got != http.StatusOK || stale.cookie != first {
			t.Errorf("a request under way: status %d, cookie changed %v", got, stale.cookie != first)
		}
		w.clock.advance(time.Minute)
		if got := (&client{w: w, cookie: first}).me(); got != http.StatusUnauthorized {
			t.Errorf("the old token, later: status %d", got)
		}
		if got := c.me(); got != http.StatusOK || c.cookie != second {
			t.Errorf("the new token: status %d", got)
		}
	})
}

func TestSessionsLastUseIsKeptToTheMinute(t *testing.T) {
	w := newWorld(t, sqlite(t))
	c := w.person(access.RoleAgent, "root")
	seen := func() time.Time {
		return into[api.List[api.Session]](t, c.must(http.StatusOK, http.MethodGet, "/v1/sessions", nil)).Items[0].LastSeenAt
	}
	first := seen()
	w.clock.advance(50 * time.Second)
	if got := seen(); !got.Equal(first) {
		t.Errorf("written again after 50 s: %s, %s", first, got)
	}
	w.clock.advance(11 * time.Second)
	if seen(); !seen().After(first) {
		t.Error("not written after a minute")
	}
}

func TestPasswordsAndStepUp(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		u := w.user(w.a, w.a.RootOrg)
		c, other := w.signIn(w.a.Slug, u.Username), w.signIn(w.a.Slug, u.Username)
		change := func(current, next string) reply {
			return c.do(http.MethodPost, "/v1/me/password", map[string]any{"current_password": current, "new_password": next})
		}
		for name, row := range map[string][3]string{
			"wrong":     {"wrong horse battery", "another horse battery", "/current_password"},
			"short":     {password, "horse", "/new_password"},
			"long":      {password, strings.Repeat("x", 129), "/new_password"},
			"user name": {password, strings.Repeat(u.Username, 3), "/new_password"},
		} {
			r := change(row[0], row[1])
			if p := r.problem(t); r.status != http.StatusBadRequest || len(p.Errors) != 1 || p.Errors[0].Pointer != row[2] {
				t.Errorf("%s: status %d: %s", name, r.status, r.body)
			}
		}
		if r := change(password, "another horse battery"); r.status != http.StatusNoContent {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		if c.me() != http.StatusOK || other.me() != http.StatusUnauthorized {
			t.Error("a new password must end the other sessions, and only those")
		}
		if w.tries(w.a.Slug, u.Username, password).status != http.StatusUnauthorized ||
			w.tries(w.a.Slug, u.Username, "another horse battery").status != http.StatusCreated {
			t.Error("the old password still works, or the new one doesn't")
		}
		w.clock.advance(5 * time.Minute)
		before := c.cookie
		if r := c.do(http.MethodPost, "/v1/sessions/current/reauthenticate", map[string]any{"password": password}); r.status != http.StatusBadRequest {
			t.Errorf("a wrong proof: status %d", r.status)
		}
		se := into[api.Session](t, c.must(http.StatusOK, http.MethodPost, "/v1/sessions/current/reauthenticate", map[string]any{"password": "another horse battery"}))
		if se.ReauthenticatedAt == nil || w.clock.now().Sub(*se.ReauthenticatedAt) > time.Minute || c.cookie == before {
			t.Errorf("the proof is %+v", se)
		}
	})
}

func TestInvitationsWorkOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		made := into[api.CreatedUser](t, ada.must(http.StatusCreated, http.MethodPost, "/v1/users", map[string]any{
			"organization_id": string(w.orgs["mid"]), "username": "Grace",
		}))
		token := made.Invitation.Token.Reveal()
		if !strings.HasSuffix(made.Invitation.URL.Reveal(), "/invitation#token="+token) {
			t.Error("the link doesn't hold the token in its fragment")
		}
		accept := func(token, pass string) int {
			got := (&client{w: w}).do(http.MethodPost, "/v1/invitations/accept", map[string]any{"token": token, "password": pass})
			if got.status == http.StatusOK {
				want := api.AcceptedInvitation{Tenant: w.a.Slug, Username: "Grace"}
				if who := into[api.AcceptedInvitation](t, got); who != want {
					t.Errorf("to sign in as %+v, want %+v", who, want)
				}
			}
			return got.status
		}
		if got := accept("made up", password); got != http.StatusNotFound {
			t.Errorf("a made-up token: %d", got)
		}
		if got := accept(token, "short"); got != http.StatusBadRequest {
			t.Errorf("a short password: %d", got)
		}
		if got := accept(token, password); got != http.StatusOK {
			t.Errorf("accepting: %d", got)
		}
		if got := accept(token, password); got != http.StatusNotFound {
			t.Errorf("twice: %d", got)
		}
		if got := w.tries(w.a.Slug, "grace", password).status; got != http.StatusCreated {
			t.Errorf("signing in: %d", got)
		}
		if strings.Contains(w.log.String(), token) {
			t.Error("the log has the token")
		}
	})
}

func TestFirstAdminWorksOnce(t *testing.T) {
	w := &world{TB: t, http: &http.Client{Timeout: 30 * time.Second}, system: authority.SystemCaller()}
	w.node = startNode(t, node.Config{Database: sqlite(t)})
	w.url = w.node.URL()
	t.Cleanup(w.http.CloseIdleConnections)
	first := func(token, name string) reply {
		return (&client{w: w}).do(http.MethodPost, "/v1/first-admin", map[string]any{"token": token, "username": name, "password": password})
	}
	link, err := w.node.Authority().IssueFirstAdminLink(t.Context(), w.system, authority.FirstAdminLinkInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got := first("made up", "root").status; got != http.StatusNotFound && got != http.StatusForbidden {
		t.Errorf("a made-up token: %d", got)
	}
	if r := first(link.Token.Reveal(), "root"); r.status != http.StatusCreated {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	if r := first(link.Token.Reveal(), "root2"); r.status < 400 || r.status >= 500 {
		t.Errorf("twice: status %d", r.status)
	}
	if got := w.tries("system", "root", password).status; got != http.StatusCreated {
		t.Errorf("signing in: %d", got)
	}
	if _, err := w.node.Authority().IssueFirstAdminLink(t.Context(), w.system, authority.FirstAdminLinkInput{}); err == nil {
		t.Error("the door is open again")
	}
}

// Credentials can't do what only people may.
func TestCredentialsAreNoSessions(t *testing.T) {
	w := newWorld(t, sqlite(t))
	c := w.person(access.RoleSuperAdmin, "root")
	key := w.bearer(c.issue(map[string]any{"name": "Key"}).Key.Reveal())
	var got []int
	for _, try := range []reply{
		key.do(http.MethodGet, "/v1/sessions", nil),
		key.do(http.MethodPost, "/v1/me/password", map[string]any{"current_password": password, "new_password": password}),
		key.do(http.MethodPost, "/v1/sessions/current/reauthenticate", map[string]any{"password": password}),
		key.do(http.MethodPost, "/v1/roles", map[string]any{"name": "Role", "permissions": []string{"a:b"}}),
		key.do(http.MethodPost, "/v1/assignments", map[string]any{"principal_id": string(c.user.ID), "role_id": string(w.roles[access.RoleAgent]), "organization_id": string(w.a.RootOrg)}),
	} {
		got = append(got, try.status)
	}
	if d := cmp.Diff([]int{403, 403, 403, 403, 403}, got); d != "" {
		t.Error(d)
	}
	if got := key.me(); got != http.StatusOK {
		t.Errorf("me: status %d", got)
	}
}
