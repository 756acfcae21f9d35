package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/server"
	"github.com/claviger-io/claviger/internal/verify"
)

const verifyPath = "/v1/verify"

func names(t testing.TB, raw []byte) []string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return slices.Sorted(maps.Keys(m))
}

// Each verdict through the endpoint, with what it carries.
func TestVerifyVerdicts(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		issue := func(body map[string]any) (id, key string) {
			body["name"] = w.unique("Key")
			k := ada.issue(body)
			return k.ID, k.Key.Reveal()
		}
		action := func(body map[string]any, verb string) string {
			id, key := issue(body)
			ada.must(http.StatusOK, http.MethodPost, "/v1/api-keys/"+id+"/"+verb, nil)
			return key
		}
		_, good := issue(map[string]any{})
		_, later := issue(map[string]any{"not_before": w.clock.now().Add(time.Hour)})
		_, soon := issue(map[string]any{"expires_at": w.clock.now().Add(time.Minute)})
		_, fenced := issue(map[string]any{"networks": []string{"192.0.2.0/24", "2001:db8::/32"}})
		_, slow := issue(map[string]any{"limits": map[string]any{"rates": []any{map[string]any{"name": "burst", "limit": 1, "window_seconds": 86400}}}})
		_, few := issue(map[string]any{"limits": map[string]any{"quotas": []any{map[string]any{"name": "all", "limit": 2, "period": "forever"}}}})
		w.code(slow)
		w.verify(map[string]any{"credential": few, "cost": 2})
		agent := w.user(w.a, w.orgs["mid"], access.RoleAgent)
		weak := into[api.IssuedAPIKey](t, w.admin.must(http.StatusCreated, http.MethodPost, "/v1/api-keys?tenant_id="+string(w.a.ID),
			map[string]any{"name": "Weak", "owner_id": string(agent.ID)})).Key.Reveal()

		for name, row := range map[string]struct {
			ask  map[string]any
			want api.VerifyCode
		}{
			"valid":              {map[string]any{"credential": good}, api.VerifyValid},
			"authorization":      {map[string]any{"authorization": "bearer " + good}, api.VerifyValid},
			"asked and held":     {map[string]any{"credential": good, "permissions": "a:read AND (b:write OR c:x)"}, api.VerifyValid},
			"revoked":            {map[string]any{"credential": action(map[string]any{}, "revoke")}, api.VerifyRevoked},
			"suspended":          {map[string]any{"credential": action(map[string]any{}, "suspend")}, api.VerifySuspended},
			"not yet":            {map[string]any{"credential": later}, api.VerifyNotYetValid},
			"network":            {map[string]any{"credential": fenced, "source_ip": "192.0.2.9"}, api.VerifyValid},
			"network, IPv6":      {map[string]any{"credential": fenced, "source_ip": "2001:db8::1"}, api.VerifyValid},
			"other network":      {map[string]any{"credential": fenced, "source_ip": "198.51.100.1"}, api.VerifyForbidden},
			"network, no source": {map[string]any{"credential": fenced}, api.VerifyForbidden},
			"rate":               {map[string]any{"credential": slow}, api.VerifyRateLimited},
			"quota":              {map[string]any{"credential": few}, api.VerifyUsageExceeded},
			"missing":            {map[string]any{"credential": weak, "permissions": "call_recordings:read AND reports:read"}, api.VerifyInsufficientPermissions},
			"unknown":            {map[string]any{"credential": "clv_uk_nonsense"}, api.VerifyNotFound},
			"bad checksum":       {map[string]any{"credential": good[:len(good)-1] + flip(good[len(good)-1])}, api.VerifyNotFound},
			"not a key":          {map[string]any{"credential": "é😀"}, api.VerifyNotFound},
			"a verifier key":     {map[string]any{"credential": w.verifier}, api.VerifyValid},
		} {
			r := w.bearer(w.verifier).must(http.StatusOK, http.MethodPost, verifyPath, row.ask)
			got := into[api.VerifyResponse](t, r)
			if got.Code != row.want || got.Valid != (row.want == api.VerifyValid) {
				t.Errorf("%s: %s, want %s", name, got.Code, row.want)
			}
			switch row.want {
			case api.VerifyNotFound:
				if d := cmp.Diff([]string{"code", "revision", "staleness_ms", "valid"}, names(t, r.body)); d != "" {
					t.Errorf("%s carries too much: %s", name, d)
				}
			case api.VerifyInsufficientPermissions:
				if d := cmp.Diff([]string{"reports:read"}, got.Missing); d != "" {
					t.Errorf("%s: %s", name, d)
				}
			case api.VerifyRateLimited, api.VerifyUsageExceeded:
				if len(got.Limits) != 1 || got.Limits[0].Remaining != 0 {
					t.Errorf("%s: limits are %+v", name, got.Limits)
				}
			default:
			}
		}
		w.advance(time.Minute)
		issue(map[string]any{}) // the index proves that it is fresh
		if got := w.code(soon); got != api.VerifyExpired {
			t.Errorf("to the second: %s, want EXPIRED", got)
		}
		w.admin.must(http.StatusOK, http.MethodPost, "/v1/tenants/"+string(w.a.ID)+"/suspend", nil)
		if got := w.code(good); got != api.VerifyTenantSuspended {
			t.Errorf("tenant suspended: %s", got)
		}
	})
}

func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

// Who may ask, and what they may see.
func TestVerifyCallers(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		eve := w.signedIn(w.b, w.b.RootOrg, access.RoleSuperAdmin)
		hers, theirs := ada.issue(map[string]any{"name": "Hers"}).Key.Reveal(), eve.issue(map[string]any{"name": "Theirs"}).Key.Reveal()
		own := into[api.IssuedVerifierKey](t, ada.must(http.StatusCreated, http.MethodPost, "/v1/verifier-keys", map[string]any{"name": "Own"}))
		gone := into[api.IssuedVerifierKey](t, ada.must(http.StatusCreated, http.MethodPost, "/v1/verifier-keys", map[string]any{"name": "Gone"}))
		ada.must(http.StatusOK, http.MethodPost, "/v1/verifier-keys/"+gone.ID+"/revoke", nil)
		agent := w.user(w.a, w.orgs["mid"], access.RoleAgent)
		weak := into[api.IssuedAPIKey](t, w.admin.must(http.StatusCreated, http.MethodPost, "/v1/api-keys?tenant_id="+string(w.a.ID),
			map[string]any{"name": "Weak", "owner_id": string(agent.ID)})).Key.Reveal()

		for name, row := range map[string]struct {
			caller       *client
			status       int
			hers, theirs api.VerifyCode
		}{
			"the system's verifier key":     {w.bearer(w.verifier), 200, api.VerifyValid, api.VerifyValid},
			"the tenant's verifier key":     {w.bearer(own.Key.Reveal()), 200, api.VerifyValid, api.VerifyNotFound},
			"a user with the permission":    {w.bearer(hers), 200, api.VerifyValid, api.VerifyNotFound},
			"by X-API-Key":                  {&client{w: w, header: http.Header{"X-Api-Key": {own.Key.Reveal()}}}, 200, api.VerifyValid, api.VerifyNotFound},
			"nobody":                        {&client{w: w}, 401, "", ""},
			"a session":                     {ada, 401, "", ""},
			"a revoked verifier key":        {w.bearer(gone.Key.Reveal()), 401, "", ""},
			"a made-up key":                 {w.bearer("clv_vk_nonsense"), 401, "", ""},
			"a user without the permission": {w.bearer(weak), 403, "", ""},
			"two credentials":               {&client{w: w, authorization: "Bearer " + w.verifier, header: http.Header{"X-Api-Key": {w.verifier}}}, 401, "", ""},
		} {
			for key, want := range map[string]api.VerifyCode{hers: row.hers, theirs: row.theirs} {
				for _, batch := range []bool{false, true} {
					var r reply
					if batch {
						r = row.caller.do(http.MethodPost, verifyPath+"/batch", map[string]any{"items": []any{map[string]any{"credential": key}}})
					} else {
						r = row.caller.do(http.MethodPost, verifyPath, map[string]any{"credential": key})
					}
					if r.status != row.status {
						t.Errorf("%s: status %d, want %d: %s", name, r.status, row.status, r.body)
						continue
					}
					if r.status == http.StatusUnauthorized && r.header.Get("WWW-Authenticate") == "" {
						t.Errorf("%s: a 401 without WWW-Authenticate", name)
					}
					if r.status != http.StatusOK {
						if strings.Contains(string(r.body), key) {
							t.Errorf("%s: the problem repeats the credential", name)
						}
						continue
					}
					var got api.VerifyResponse
					if batch {
						got = into[api.VerifyBatchResponse](t, r).Items[0]
					} else {
						got = into[api.VerifyResponse](t, r)
					}
					if got.Code != want {
						t.Errorf("%s (batch %v): %s, want %s", name, batch, got.Code, want)
					}
				}
			}
		}
		if r := w.bearer(own.Key.Reveal()).do(http.MethodGet, "/v1/me", nil); r.status != http.StatusForbidden {
			t.Errorf("a verifier key may manage: status %d", r.status)
		}
	})
}

func TestVerifyRefusesMalformed(t *testing.T) {
	w := newWorld(t, sqlite(t))
	key := w.person(access.RoleSuperAdmin, "root").issue(map[string]any{"name": "Key"}).Key.Reveal()
	for name, row := range map[string]struct {
		method, path, body string
		status             int
		pointer            string
	}{
		"query":          {http.MethodPost, verifyPath, `{"credential":"` + key + `","permissions":"a:read AND"}`, 400, "/permissions"},
		"long query":     {http.MethodPost, verifyPath, `{"credential":"` + key + `","permissions":"` + strings.Repeat("a:read OR ", 200) + `a:b"}`, 400, "/permissions"},
		"two forms":      {http.MethodPost, verifyPath, `{"credential":"` + key + `","id":"x","secret":"y"}`, 400, ""},
		"65 KB":          {http.MethodPost, verifyPath, `{"credential":"` + strings.Repeat("x", 65<<10) + `"}`, 413, "-"},
		"GET":            {http.MethodGet, verifyPath, "", 405, "-"},
		"batch query":    {http.MethodPost, verifyPath + "/batch", `{"items":[{"credential":"x"},{"credential":"` + key + `","permissions":"("}]}`, 400, "/items/1/permissions"},
		"batch of 1,001": {http.MethodPost, verifyPath + "/batch", `{"items":[` + strings.Repeat(`{"credential":"x"},`, 1000) + `{"credential":"x"}]}`, 400, "/items"},
		"empty batch":    {http.MethodPost, verifyPath + "/batch", `{"items":[]}`, 400, "/items"},
		"batch of 2 MB":  {http.MethodPost, verifyPath + "/batch", `{"items":[{"credential":"` + strings.Repeat("x", 2<<20) + `"}]}`, 413, "-"},
	} {
		r := w.bearer(w.verifier).raw(row.method, row.path, []byte(row.body))
		p := r.problem(t)
		if r.status != row.status || p.RequestID == "" || strings.Contains(string(r.body), key) {
			t.Errorf("%s: status %d, want %d: %s", name, r.status, row.status, r.body)
		}
		if row.pointer != "-" && (len(p.Errors) != 1 || p.Errors[0].Pointer != row.pointer) {
			t.Errorf("%s: it points at %+v, want %q", name, p.Errors, row.pointer)
		}
	}
}

// Limits are charged once a call, not by dry runs, and not by a batch that is refused.
func TestVerifyCharges(t *testing.T) {
	w := newWorld(t, sqlite(t))
	key := w.person(access.RoleSuperAdmin, "root").issue(map[string]any{"name": "Key", "limits": map[string]any{
		"quotas": []any{map[string]any{"name": "all", "limit": 100, "period": "forever"}},
	}}).Key.Reveal()
	left := func(want int64) {
		t.Helper()
		got := w.verify(map[string]any{"credential": key, "dry_run": true})
		if len(got.Limits) != 1 || got.Limits[0].Name != "all" || got.Limits[0].Limit != 100 || got.Limits[0].Remaining != want || got.Limits[0].ResetAt != nil {
			t.Errorf("limits are %+v, want %d left", got.Limits, want)
		}
	}
	left(100)
	w.code(key)
	left(99)
	w.verify(map[string]any{"credential": key, "cost": 9})
	left(90)
	w.verify(map[string]any{"credential": key, "cost": 9, "permissions": "claviger.tenants:manage"})
	left(90)
	batch := func(status int, items ...any) reply {
		return w.bearer(w.verifier).must(status, http.MethodPost, verifyPath+"/batch", map[string]any{"items": items})
	}
	one := map[string]any{"credential": key}
	batch(http.StatusBadRequest, one, one, map[string]any{"credential": key, "permissions": "("})
	left(90)
	got := into[api.VerifyBatchResponse](t, batch(http.StatusOK, one, map[string]any{"credential": "x"}, one))
	if len(got.Items) != 3 || !got.Items[0].Valid || got.Items[1].Code != api.VerifyNotFound || !got.Items[2].Valid {
		t.Errorf("the batch says %+v", got.Items)
	}
	left(88)
}

// A full batch is answered in order.
func TestVerifyBatchOfAThousand(t *testing.T) {
	w := newWorld(t, sqlite(t))
	key := w.person(access.RoleSuperAdmin, "root").issue(map[string]any{"name": "Key"}).Key.Reveal()
	items := make([]any, api.MaxVerifyBatch)
	for i := range items {
		items[i] = map[string]any{"credential": "x"}
		if i%7 == 0 {
			items[i] = map[string]any{"credential": key, "permissions": fmt.Sprintf("a%d:read", i)}
		}
	}
	got := into[api.VerifyBatchResponse](t, w.bearer(w.verifier).must(http.StatusOK, http.MethodPost, verifyPath+"/batch", map[string]any{"items": items}))
	if len(got.Items) != len(items) {
		t.Fatalf("%d answers, want %d", len(got.Items), len(items))
	}
	for i, item := range got.Items {
		if item.Valid != (i%7 == 0) {
			t.Fatalf("item %d: %+v", i, item)
		}
	}
}

// What can't be decided is 503, never a verdict.
func TestVerifyUndecided(t *testing.T) {
	w := newWorld(t, sqlite(t))
	s, err := server.New(server.Config{
		Authority: w.node.Authority(), Signin: w.node.SignIn(), Store: w.node.Store(),
		Index: verify.New(verify.Config{Source: w.node.Store(), Format: secret.Format{}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]string{
		verifyPath: `{"credential":"x"}`, verifyPath + "/batch": `{"items":[{"credential":"x"}]}`, "/gateway/auth": "", "/v1/me": "", "/readyz": "",
	} {
		method := http.MethodPost
		if body == "" {
			method = http.MethodGet
		}
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+w.verifier)
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if rec.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d, want 503: %s", path, rec.Code, rec.Body)
		}
		if path != "/readyz" && rec.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
}
