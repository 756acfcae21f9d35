package verify

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/token/tokentest"
)

const keyID = "9b2d7a80-0000-4000-8000-000000000001"

func signingAccount() *tokentest.Account {
	return &tokentest.Account{Key: tokentest.Key(), KeyID: keyID, Issuer: 1234567}
}

// sign makes one of the installation's own tokens for a credential.
func (w *kindsWorld) sign(t *testing.T, name string, change func(*token.Claims)) string {
	t.Helper()
	k := w.held[name]
	now := w.clock.Now()
	c := token.Claims{
		Use: token.Access, ID: fmt.Sprintf("tok_%d", now.UnixMicro()), Subject: k.Principal.ID, ClientID: k.ID.String(), Credential: k.ID,
		SecretVersion: k.SecretVersion, Tenant: "ten_a", Scope: []access.Permission{"calls:read"}, IssuedAt: now, ExpiresAt: now.Add(15 * time.Minute),
	}
	if k.Kind == credential.OrganizationKey {
		c.Use, c.Subject, c.User, c.Client, c.Scope, c.ClientID = token.Session, "usr_ann", "usr_ann", "desk", nil, ""
	}
	if change != nil {
		change(&c)
	}
	raw, err := w.tokens.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// withDesk gives the catalogue a desktop client and Ann the right to use it.
func (w *kindsWorld) withDesk(t *testing.T) {
	t.Helper()
	w.catalog.Clients = []catalog.Client{{Key: "desk", Permissions: []access.Grant{"calls:read", "recordings:*", "claviger.api_keys:generate"}}}
	w.catalog.Licences[0].Clients = []string{"desk"}
	w.apply(t, Item{Catalog: &w.catalog})
}

func (w *kindsWorld) wantCode(t *testing.T, raw string, want Code) {
	t.Helper()
	if res := w.verify(t, Request{Credential: raw}); res.Code != want {
		t.Errorf("%s, want %s", res.Code, want)
	}
}

// VX4, VX5: a JWT is as good as the key that signed it, and costs one signature.
func TestAssertion(t *testing.T) {
	w := newKindsWorld(t)
	a := signingAccount()
	raw := a.Good(w.clock.Now())
	for range 2 {
		res := w.verify(t, Request{Credential: raw, Permissions: "account:read"})
		if !res.Valid || res.Form != FormAssertion || res.Token != nil || res.CredentialID != w.held["service account key"].ID ||
			res.Kind != credential.ServiceAccountKey || res.Principal != botItself || res.TenantID != "ten_a" || res.OrganizationID != "org_north" {
			t.Errorf("%+v", res)
		}
		if want := w.clock.Now().Add(5 * time.Minute); !res.ExpiresAt.Equal(want) {
			t.Errorf("ends %v, want %v", res.ExpiresAt, want)
		}
	}
	remembered := w.index.checked.find(raw)
	if remembered == nil {
		t.Fatal("nothing is remembered")
	}
	w.wantCode(t, raw, Valid)
	if w.index.checked.find(raw) != remembered {
		t.Error("the signature was checked again")
	}
	if n := testing.AllocsPerRun(100, func() { w.wantCode(t, raw, Valid) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	text := a.Sign(`{"alg":"RS256","kid":"`+keyID+`"}`, fmt.Sprintf(`{"iss":"1234567","iat":%d,"exp":%d}`, w.clock.Now().Unix(), w.clock.Now().Unix()+3600))
	w.wantCode(t, text, Valid)

	var used []Usage
	if err := w.index.DrainUsage(func(u Usage) error { used = append(used, u); return nil }); err != nil || len(used) != 1 || used[0].Valid < 4 {
		t.Errorf("usage %+v: %v", used, err)
	}
	for name, r := range map[string]Request{
		"as a query parameter":    {Credential: raw, Legacy: true},
		"of another tenant":       {Credential: raw, OnlyTenant: "ten_b"},
		"as a user's password":    {ID: "usr_ann", Secret: raw},
		"as an account's secret":  {ID: "1234567", Secret: raw},
		"with a space before":     {Credential: " " + raw},
		"with something behind":   {Credential: raw + "x"},
		"in another alphabet":     {Credential: strings.ToUpper(raw)},
		"without its first byte":  {Credential: raw[1:]},
		"without its last byte":   {Credential: raw[:len(raw)-1]},
		"without its signature":   {Credential: raw[:strings.LastIndexByte(raw, '.')+1]},
		"with a foreign form too": {Credential: raw + "." + raw},
	} {
		if res := w.verify(t, r); res.Code != NotFound {
			t.Errorf("%s: %s", name, res.Code)
		}
	}
	if _, err := w.index.Verify(&Request{Credential: raw, Secret: "x"}); err == nil {
		t.Error("two forms at once")
	}
	w.later(t, 5*time.Minute+token.Skew)
	w.wantCode(t, raw, NotFound)
	w.later(t, -3*time.Minute)
	w.wantCode(t, raw, NotFound) // a clock set back makes nothing good again
}

// VX4: what is wrong in any way is NOT_FOUND, and tells nothing else.
func TestHostileAssertionsAreNotFound(t *testing.T) {
	w := newKindsWorld(t)
	a := signingAccount()
	w.wantCode(t, a.Good(w.clock.Now()), Valid)
	want := w.verify(t, Request{Credential: "hello"})
	for _, c := range a.Hostile(w.clock.Now()) {
		if diff := cmp.Diff(want, w.verify(t, Request{Credential: c.JWT, Permissions: "account:read"})); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
		}
	}
}

// What was proved once is decided anew each time.
func TestRememberedAssertionsFollow(t *testing.T) {
	w := newKindsWorld(t)
	raw := signingAccount().Good(w.clock.Now())
	w.wantCode(t, raw, Valid)
	key := w.held["service account key"]

	give := assignItem("ten_a", "", "rol_reader", "org_root")
	give.Assignments.Principal = botItself
	w.apply(t, give)
	if res := w.verify(t, Request{Credential: raw, Permissions: "recordings:read"}); !res.Valid {
		t.Errorf("a role that was given: %s", res.Code)
	}
	w.reader.Permissions = []access.Grant{"calls:read"}
	w.apply(t, Item{Role: &w.reader})
	if res := w.verify(t, Request{Credential: raw, Permissions: "recordings:read"}); res.Code != InsufficientPermissions {
		t.Errorf("a role that shrank: %s", res.Code)
	}
	w.bot.State = tenancy.Suspended
	w.apply(t, Item{ServiceAccount: &w.bot})
	w.wantCode(t, raw, Suspended)
	w.bot.State = tenancy.Active
	w.apply(t, Item{ServiceAccount: &w.bot})
	w.wantCode(t, raw, Valid)

	other := w.tenant
	other.AccountID = 7654321
	w.apply(t, Item{Tenant: &other})
	w.wantCode(t, raw, NotFound)
	w.apply(t, Item{Tenant: &w.tenant})
	w.wantCode(t, raw, Valid)

	replaced := key
	replaced.Material = slices.Clone(key.Material)
	replaced.Material[0].PublicKey = modelPublicKey(2)
	w.apply(t, Item{Credential: &replaced})
	w.wantCode(t, raw, NotFound)
	w.apply(t, Item{Credential: &key})
	w.wantCode(t, raw, Valid)

	key.ExpiresAt = w.clock.Now().Add(time.Minute)
	w.apply(t, Item{Credential: &key})
	if res := w.verify(t, Request{Credential: raw}); !res.ExpiresAt.Equal(key.ExpiresAt) {
		t.Errorf("ends %v, and its key %v", res.ExpiresAt, key.ExpiresAt)
	}
	key.State = credential.Revoked
	w.apply(t, Item{Credential: &key})
	w.wantCode(t, raw, Revoked)
	w.apply(t, Item{Credential: &key, Gone: true})
	w.wantCode(t, raw, NotFound)
}

// EE6, VC6: a token does what its scope says, as far as its credential may do it now.
func TestAccessToken(t *testing.T) {
	w := newKindsWorld(t)
	raw := w.sign(t, "app", func(c *token.Claims) { c.Scope = []access.Permission{"calls:read", "recordings:read", "calls:delete"} })
	res := w.verify(t, Request{Credential: raw, Permissions: "calls:read"})
	if !res.Valid || res.Form != FormAccessToken || res.Token == nil || res.Token.ID == "" || res.Principal != appItself ||
		string(res.Permissions.JSON) != `["calls:read","recordings:read"]` || !res.ExpiresAt.Equal(w.clock.Now().Add(15*time.Minute)) {
		t.Errorf("%+v", res)
	}
	if n := testing.AllocsPerRun(100, func() { w.wantCode(t, raw, Valid) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	w.app.APIs = []string{"calling"} // EE3
	w.apply(t, Item{App: &w.app})
	if res := w.verify(t, Request{Credential: raw, Permissions: "recordings:read"}); res.Code != InsufficientPermissions {
		t.Errorf("an API that was taken away: %s", res.Code)
	}
	if res := w.verify(t, Request{Credential: raw, Permissions: "calls:write"}); res.Code != InsufficientPermissions {
		t.Errorf("what the app may do and the scope doesn't say: %s", res.Code)
	}
	w.wantCode(t, w.sign(t, "user's client credential", nil), Valid)
	w.wantCode(t, w.sign(t, "account's client credential", nil), Valid)
	for _, name := range []string{"user key", "account key", "verifier key", "service account key"} {
		w.wantCode(t, w.sign(t, name, nil), NotFound)
	}
	w.wantCode(t, w.sign(t, "app", func(c *token.Claims) { c.Tenant = "ten_b" }), NotFound)
	w.wantCode(t, w.sign(t, "app", func(c *token.Claims) { c.Subject = "app_b" }), NotFound)
	w.wantCode(t, w.sign(t, "app", func(c *token.Claims) { c.SecretVersion = 2 }), NotFound)
	if res := w.verify(t, Request{Credential: raw, OnlyTenant: "ten_b"}); res.Code != NotFound {
		t.Errorf("to another tenant: %s", res.Code)
	}

	w.app.State = tenancy.Deleted // EE6
	w.apply(t, Item{App: &w.app})
	w.wantCode(t, raw, Revoked)
}

// A secret that is over takes its tokens with it; one in its grace period doesn't.
func TestAccessTokensFollowRotation(t *testing.T) {
	w := newKindsWorld(t)
	raw := w.sign(t, "app", nil)
	w.wantCode(t, raw, Valid)
	key := w.held["app"]
	w.rotate(t, &key, credential.App.KeyType(), w.clock.Now().Add(time.Minute))
	w.apply(t, Item{Credential: &key})
	if res := w.verify(t, Request{Credential: raw}); !res.Valid || res.SecretVersion != 1 {
		t.Errorf("in the grace period: %s, version %d", res.Code, res.SecretVersion)
	}
	w.held["app"] = key
	next := w.sign(t, "app", nil)
	w.later(t, time.Minute)
	w.wantCode(t, raw, NotFound)
	w.wantCode(t, next, Valid)
	w.rotate(t, &key, credential.App.KeyType(), w.clock.Now())
	w.apply(t, Item{Credential: &key})
	w.wantCode(t, next, NotFound)
}

// A token that was revoked, or whose signing key was withdrawn, is over at once.
func TestAccessTokensEnd(t *testing.T) {
	w := newKindsWorld(t)
	raw, other := w.sign(t, "app", func(c *token.Claims) { c.ID = "tok_one" }), w.sign(t, "app", func(c *token.Claims) { c.ID = "tok_two" })
	w.wantCode(t, raw, Valid)
	w.apply(t, Item{RevokedToken: &RevokedToken{ID: "tok_one", ExpiresAt: w.clock.Now().Add(time.Hour)}})
	w.wantCode(t, raw, NotFound)
	w.wantCode(t, other, Valid)
	k, _ := testKey()
	k.VerifiesUntil = w.clock.Now().Add(time.Minute)
	w.apply(t, Item{SigningKeys: &SigningKeys{List: []token.SigningKey{k}}})
	w.wantCode(t, other, Valid)
	w.later(t, time.Minute)
	w.wantCode(t, other, NotFound)
	w.wantCode(t, w.sign2(t), NotFound)
	w.apply(t, Item{SigningKeys: &SigningKeys{}})
	w.wantCode(t, other, NotFound)
}

// sign2 is a token of another installation.
func (w *kindsWorld) sign2(t *testing.T) string {
	t.Helper()
	own := w.tokens
	defer func() { w.tokens = own }()
	k, private, err := token.GenerateSigningKey(token.ES256)
	if err != nil {
		t.Fatal(err)
	}
	w.tokens = ringOf(k, private)
	return w.sign(t, "app", nil)
}

// NV2: a session token does what the user may do now, within the desktop client's
// permissions, and ends with the key.
func TestSessionToken(t *testing.T) {
	w := newKindsWorld(t)
	w.withDesk(t)
	raw := w.sign(t, "organization key", nil)
	res := w.verify(t, Request{Credential: raw, Permissions: "calls:read AND recordings:read"})
	if !res.Valid || res.Form != FormSessionToken || res.Principal != userOf("usr_ann") || res.OrganizationID != "org_north" ||
		res.CredentialID != w.held["organization key"].ID || string(res.Permissions.JSON) != `["calls:read","recordings:read"]` {
		t.Errorf("%+v", res)
	}
	if n := testing.AllocsPerRun(100, func() { w.wantCode(t, raw, Valid) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	step := func(name string, want Code, items ...Item) {
		t.Helper()
		w.apply(t, items...)
		if res := w.verify(t, Request{Credential: raw}); res.Code != want {
			t.Errorf("%s: %s, want %s", name, res.Code, want)
		}
	}
	ann := w.ann
	change := func(f func(*tenancy.User)) Item {
		u := ann
		f(&u)
		return Item{User: &u}
	}
	back := Item{User: &ann}
	step("suspended", Suspended, change(func(u *tenancy.User) { u.State = tenancy.Suspended }))
	step("deleted", Revoked, change(func(u *tenancy.User) { u.State = tenancy.Deleted }))
	step("moved above the key", Forbidden, change(func(u *tenancy.User) { u.OrganizationID = "org_sales" }))
	step("without the licence", Forbidden, change(func(u *tenancy.User) { u.Licence = "agent" }))
	step("back again", Valid, back)
	step("without a role", Valid, assignItem("ten_a", "usr_ann"))
	if res := w.verify(t, Request{Credential: raw, Permissions: "calls:read"}); res.Code != InsufficientPermissions {
		t.Errorf("without a role: %s", res.Code)
	}
	step("with it", Valid, assignItem("ten_a", "usr_ann", "rol_reader", "org_root", "rol_caller", "org_sales"))
	north := w.north
	north.State = tenancy.Suspended
	step("in a suspended organization", Suspended, Item{Organization: &north})
	step("in an organization that goes on", Valid, Item{Organization: &w.north})
	key := w.held["organization key"]
	key.Limits.Rates = []credential.Rate{{Name: "minute", Limit: 1, Window: time.Minute}}
	step("with a limit for signing in", Valid, Item{Credential: &key})
	step("again", Valid)
	key.State = credential.Suspended
	step("its key suspended", Suspended, Item{Credential: &key})
	key.State = credential.Revoked
	step("its key revoked", Revoked, Item{Credential: &key})

	w.apply(t, Item{Credential: ptrTo(w.held["organization key"])})
	for name, change := range map[string]func(*token.Claims){
		"an unknown user":   func(c *token.Claims) { c.User, c.Subject = "usr_eve", "usr_eve" },
		"an unknown client": func(c *token.Claims) { c.Client = "table" },
	} {
		if res := w.verify(t, Request{Credential: w.sign(t, "organization key", change)}); res.Valid || res.Permissions.Set.Allows("calls:read") {
			t.Errorf("%s: %s", name, res.Code)
		}
	}
	app := w.held["app"]
	wrong := w.sign(t, "organization key", func(c *token.Claims) { c.Credential = app.ID })
	w.wantCode(t, wrong, NotFound)
}

// later moves the clock, and lets the index read the feed then.
func (w *kindsWorld) later(t *testing.T, d time.Duration) {
	t.Helper()
	w.clock.advance(d)
	w.load(t)
}

func ptrTo[T any](v T) *T { return &v }

// Operators see why tokens are refused, callers don't; and nobody fills the log.
func TestRefusedTokensAreLogged(t *testing.T) {
	w := newKindsWorld(t)
	var log bytes.Buffer
	w.index.log = slog.New(slog.NewTextHandler(&log, nil))
	a := signingAccount()
	a.Issuer++
	w.wantCode(t, a.Good(w.clock.Now()), NotFound)
	if got := log.String(); !strings.Contains(got, string(token.OtherIssuer)) || !strings.Contains(got, keyID) {
		t.Errorf("logged %s", got)
	}
	log.Reset()
	for range 100 {
		w.wantCode(t, "eyJ.x.y", NotFound)
	}
	if n := strings.Count(log.String(), "\n"); n > faultsPerSecond {
		t.Errorf("%d lines", n)
	}
	if strings.Contains(log.String(), "eyJ") {
		t.Error("the log holds a token")
	}
}

// What is remembered is bounded, and never taken for something else.
func TestCheckedTokensAreBounded(t *testing.T) {
	w := newKindsWorld(t)
	c := &w.index.checked
	short, long := strings.Repeat("a", keptRaw), strings.Repeat("a", keptRaw+1)
	for _, text := range []string{short, long} {
		c.put(text, &checked{until: 10}, 0)
		found := c.find(text)
		if found == nil || (found.raw == "") != (len(text) > keptRaw) {
			t.Fatalf("%d bytes: %+v", len(text), found)
		}
		if found.is(text + "a") {
			t.Error("taken for another")
		}
	}
	for n := range 4 * maxChecked {
		c.put(fmt.Sprint(n), &checked{until: 10}, 0)
	}
	kept := 0
	for n := range 4 * maxChecked {
		if c.find(fmt.Sprint(n)) != nil {
			kept++
		}
	}
	if kept > maxChecked || kept < maxChecked/2 {
		t.Errorf("%d kept of at most %d", kept, maxChecked)
	}
}

// Without a ring none of the installation's own tokens is taken.
func TestWithoutTokens(t *testing.T) {
	w := newKindsWorld(t)
	raw := w.sign(t, "app", nil)
	w.tokens = nil
	w.index = w.newIndex()
	w.load(t)
	w.wantCode(t, raw, NotFound)
	w.apply(t, Item{SigningKeys: &SigningKeys{}})
	w.wantCode(t, signingAccount().Good(w.clock.Now()), Valid)
}

// Tokens are decided about while changes are applied, and no change is missed.
func TestTokensWhileApplying(t *testing.T) {
	w := newKindsWorld(t)
	w.withDesk(t)
	raws := []string{w.sign(t, "organization key", nil), w.sign(t, "app", nil), signingAccount().Good(w.clock.Now())}
	stop := make(chan struct{})
	var asking sync.WaitGroup
	for _, raw := range raws {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := w.index.Verify(&Request{Credential: raw, Permissions: "calls:read"}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 200 {
		u, want := w.ann, Valid
		if n%2 == 0 {
			u.State, want = tenancy.Suspended, Suspended
		}
		w.apply(t, Item{User: &u}, Item{Role: &w.reader}, Item{Credential: ptrTo(w.held["app"])})
		w.wantCode(t, raws[0], want)
	}
	close(stop)
	asking.Wait()
}
