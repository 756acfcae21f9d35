package server_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/token/tokentest"
)

// settleUses writes what the node has noted, as it does by itself every few seconds.
func (w *world) settleUses() {
	w.Helper()
	_, err := w.node.Store().AddPreviousUses(w.Context(), w.node.Index().DrainPreviousUses())
	if err != nil {
		w.Fatal(err)
	}
}

// B3: the whole of a rotation over HTTP: both secrets work, who still uses the old one is
// told wherever it was presented, and then it is finished, or rolled back.
func TestB3Rotation(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		me := w.person(access.RoleSuperAdmin, "root")
		old := me.issue(map[string]any{"name": "Report server"})
		path := "/v1/api-keys/" + old.ID
		uses := func() api.PreviousSecretUses {
			w.settleUses()
			return into[api.PreviousSecretUses](t, me.must(http.StatusOK, http.MethodGet, path+"/previous-secret-uses", nil))
		}
		if u := uses(); u.SecretVersion != 0 || u.Items == nil || len(u.Items) > 0 {
			t.Errorf("before any rotation: %+v", u)
		}
		rotate := func() api.IssuedAPIKey {
			return into[api.IssuedAPIKey](t, me.must(http.StatusOK, http.MethodPost, path+"/rotate", map[string]any{"grace_period_seconds": 3600}))
		}
		next := rotate()
		for key, version := range map[api.Secret]int{old.Key: 1, next.Key: 2} {
			if v := w.verify(map[string]any{"credential": key.Reveal(), "source_ip": "192.0.2.7", "user_agent": "report/1"}); !v.Valid || v.SecretVersion != version {
				t.Errorf("in grace: %+v", v)
			}
		}
		w.advance(time.Second)
		// At the gateway, by the management API, and by Basic.
		w.bearer(old.Key.Reveal()).must(http.StatusNoContent, http.MethodGet, "/gateway/auth", nil, "User-Agent", "proxied/1")
		w.advance(time.Second)
		w.bearer(old.Key.Reveal()).must(http.StatusOK, http.MethodGet, "/v1/me", nil, "User-Agent", "script/1")
		got := uses()
		if got.SecretVersion != 1 || got.ValidUntil == nil || !got.ValidUntil.Equal(*next.PreviousUntil) || len(got.Items) != 3 || got.OtherCalls != 0 {
			t.Fatalf("uses: %+v", got)
		}
		for i, want := range []api.PreviousSecretUse{
			{SourceIP: "127.0.0.1", UserAgent: "script/1"}, {SourceIP: "127.0.0.1", UserAgent: "proxied/1"}, {SourceIP: "192.0.2.7", UserAgent: "report/1"},
		} {
			if u := got.Items[i]; u.SourceIP != want.SourceIP || u.UserAgent != want.UserAgent || u.Calls != 1 || u.LastUsedAt.IsZero() {
				t.Errorf("use %d: %+v, want %+v", i, u, want)
			}
		}

		back := into[api.APIKey](t, me.must(http.StatusOK, http.MethodPost, path+"/roll-back", nil))
		if back.SecretVersion != 1 || back.Hint != old.Hint || back.PreviousUntil != nil {
			t.Errorf("rolled back: %+v", back)
		}
		if a, b := w.code(old.Key.Reveal()), w.code(next.Key.Reveal()); a != api.VerifyValid || b != api.VerifyNotFound {
			t.Errorf("rolled back: the old secret is %s, the new one %s", a, b)
		}
		if p := me.must(http.StatusConflict, http.MethodPost, path+"/roll-back", nil).problem(t); p.Code != "not_in_grace" {
			t.Errorf("rolled back twice: %+v", p)
		}

		again := rotate()
		if again.SecretVersion != 3 {
			t.Errorf("version %d after one that was rolled back", again.SecretVersion)
		}
		done := into[api.APIKey](t, me.must(http.StatusOK, http.MethodPost, path+"/finish-rotation", nil))
		if done.PreviousUntil != nil || done.SecretVersion != 3 {
			t.Errorf("finished: %+v", done)
		}
		if a, b := w.code(old.Key.Reveal()), w.code(again.Key.Reveal()); a != api.VerifyNotFound || b != api.VerifyValid {
			t.Errorf("finished: the old secret is %s, the new one %s", a, b)
		}
	})
}

// B3: a verifier key that is rotated goes on asking in its grace period; who still asks with
// the old one is told.
func TestB3VerifierKeyInGrace(t *testing.T) {
	w := newWorld(t, sqlite(t))
	key := into[api.IssuedVerifierKey](t, w.admin.must(http.StatusCreated, http.MethodPost, "/v1/verifier-keys", map[string]any{"name": "Gateway"}))
	path := "/v1/verifier-keys/" + key.ID
	w.admin.must(http.StatusOK, http.MethodPost, path+"/rotate", map[string]any{"grace_period_seconds": 3600})
	ask := func() int {
		return w.bearer(key.Key.Reveal()).do(http.MethodPost, "/v1/verify", map[string]any{"credential": "x"}, "User-Agent", "gateway/1").status
	}
	if got := ask(); got != http.StatusOK {
		t.Errorf("in grace: %d", got)
	}
	w.settleUses()
	u := into[api.PreviousSecretUses](t, w.admin.must(http.StatusOK, http.MethodGet, path+"/previous-secret-uses", nil))
	if len(u.Items) != 1 || u.Items[0].UserAgent != "gateway/1" || u.Items[0].SourceIP != "127.0.0.1" {
		t.Errorf("uses: %+v", u)
	}
	w.admin.must(http.StatusOK, http.MethodPost, path+"/finish-rotation", nil)
	if got := ask(); got != http.StatusUnauthorized {
		t.Errorf("finished: %d", got)
	}
}

// B3: a token that was got with the new secret ends with it when the rotation is rolled back;
// who asks for tokens with the old one is told.
func TestB3ClientsInGrace(t *testing.T) {
	w := newWorld(t, sqlite(t))
	before := w.newApp("recent_calls")
	path := "/v1/apps/" + before.object
	made := into[api.IssuedApp](t, w.admin.must(http.StatusOK, http.MethodPost, path+"/rotate", map[string]any{"grace_period_seconds": 600}))
	after := oauthClient{w: w, id: made.Key.Reveal(), secret: made.Secret.Reveal()}
	old, fresh := into[api.AccessToken](t, before.ask()).AccessToken.Reveal(), into[api.AccessToken](t, after.ask()).AccessToken.Reveal()
	w.settleUses()
	u := into[api.PreviousSecretUses](t, w.admin.must(http.StatusOK, http.MethodGet, path+"/previous-secret-uses", nil))
	if len(u.Items) != 1 || u.Items[0].Calls != 1 || u.Items[0].SourceIP != "127.0.0.1" {
		t.Errorf("uses: %+v", u)
	}
	w.admin.must(http.StatusOK, http.MethodPost, path+"/roll-back", nil)
	if a, b := w.code(old), w.code(fresh); a != api.VerifyValid || b == api.VerifyValid {
		t.Errorf("rolled back: the old secret's token is %s, the new one's %s", a, b)
	}
}

// B3: while a second key pair takes the place of a service account's, both sign; who still
// signs with the old one is told, and then that ends.
func TestB3SecondKeyPair(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		me := w.person(access.RoleSuperAdmin, "root")
		a, key := w.serviceAccount(access.RoleCompanyAdmin)
		path := "/v1/service-account-keys/" + key.ID
		pair, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		next := into[api.IssuedServiceAccountKey](t, me.must(http.StatusCreated, http.MethodPost, path+"/rotate",
			map[string]any{"grace_period_seconds": 3600, "public_key": tokentest.PublicPEM(pair)}))
		fresh := &tokentest.Account{Key: pair, KeyID: next.KeyID, Issuer: a.Issuer}
		for name, jwt := range map[string]string{"old/1": a.Good(w.clock.now()), "new/1": fresh.Good(w.clock.now())} {
			if v := w.verify(map[string]any{"credential": jwt, "source_ip": "192.0.2.7", "user_agent": name}); !v.Valid {
				t.Errorf("%s: %+v", name, v)
			}
		}
		w.settleUses()
		u := into[api.PreviousSecretUses](t, me.must(http.StatusOK, http.MethodGet, path+"/previous-secret-uses", nil))
		if u.ValidUntil == nil || len(u.Items) != 1 || u.Items[0].UserAgent != "old/1" || u.Items[0].SourceIP != "192.0.2.7" {
			t.Errorf("uses: %+v", u)
		}
		old := into[api.ServiceAccountKey](t, me.must(http.StatusOK, http.MethodGet, path, nil))
		if old.ReplacedBy != next.ID || old.ExpiresAt == nil || !old.ExpiresAt.Equal(*u.ValidUntil) {
			t.Errorf("the old key: %+v", old)
		}
		me.must(http.StatusOK, http.MethodPost, path+"/finish-rotation", nil)
		if a, b := w.code(a.Good(w.clock.now())), w.code(fresh.Good(w.clock.now())); a != api.VerifyRevoked || b != api.VerifyValid {
			t.Errorf("finished: the old pair is %s, the new one %s", a, b)
		}
	})
}
