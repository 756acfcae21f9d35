package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// caddy is Caddy with the configuration of deploy/caddy, between a Claviger and the sample
// API.
type caddy struct {
	URL string
	*process
}

// mustStartCaddy starts Caddy, asking the Claviger at the address, and the sample API
// behind it.
func mustStartCaddy(t *testing.T, clavigerAddr string) *caddy {
	t.Helper()
	binary, err := exec.LookPath("caddy")
	mustHave(t, err == nil, "caddy")
	api := mustStartSampleAPI(t)
	for attempt := 0; ; attempt++ {
		addr, home := freeAddr(t), t.TempDir()
		for name, value := range map[string]string{
			"GATEWAY": addr, "CLAVIGER": clavigerAddr, "API": api, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home,
		} {
			t.Setenv(name, value)
		}
		p := mustSpawn(t, "caddy", binary, "run", "--config", "../deploy/caddy/Caddyfile")
		if listening(p, addr) {
			return &caddy{URL: "http://" + addr, process: p}
		}
		if attempt == 4 {
			t.Fatalf("caddy did not start:\n%s", p.output)
		}
	}
}

func TestCaddyPassesRefusalsOnAsThemselves(t *testing.T) {
	stub := mustStub(t)
	g := mustStartCaddy(t, stub.addr())
	tests := []struct {
		name    string
		status  int
		headers []header
		want    int
		keeps   header
	}{
		{"not signed in", 401, []header{{"WWW-Authenticate", `Bearer realm="claviger"`}}, 401, header{"WWW-Authenticate", `Bearer realm="claviger"`}},
		{"not allowed", 403, nil, 403, header{}},
		{"too many", 429, []header{{"Retry-After", "17"}}, 429, header{"Retry-After", "17"}},
		{"undecided", 503, []header{{"Retry-After", "1"}}, 503, header{"Retry-After", "1"}},
		{"undecided without a hint", 503, nil, 503, header{"Retry-After", ""}},
		{"our fault", 500, nil, 503, header{}},
		{"a wrong configuration", 400, nil, 503, header{}},
		{"a redirect is no yes", 302, []header{{"Location", "/"}}, 503, header{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stub.answers(tt.status, tt.headers...)
			a := mustSend(t, "GET", g.URL+"/calls", nil, bearer("x"))
			if a.Status != tt.want {
				t.Errorf("status %d, want %d: %s", a.Status, tt.want, a.Body)
			}
			if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type %q", got)
			}
			if problem := mustDecode[map[string]any](t, a); problem["status"] != float64(tt.want) {
				t.Errorf("the body says %v", problem["status"])
			}
			if tt.keeps.name != "" && a.Header.Get(tt.keeps.name) != tt.keeps.value {
				t.Errorf("%s: %q, want %q", tt.keeps.name, a.Header.Get(tt.keeps.name), tt.keeps.value)
			}
		})
	}
}

func TestCaddyRefusesWhenClavigerIsAway(t *testing.T) {
	g := mustStartCaddy(t, freeAddr(t)) // nobody listens there
	for _, path := range []string{"/", "/recordings/7", "/scenarios/7"} {
		if a := mustSend(t, "GET", g.URL+path, nil, bearer("x")); a.Status != 503 {
			t.Errorf("%s: status %d, want 503: %s", path, a.Status, a.Body)
		}
	}
}

func TestCaddyTellsIdentityAndNothingElse(t *testing.T) {
	stub := mustStub(t)
	g := mustStartCaddy(t, stub.addr())
	forged := []header{
		{"Claviger-Credential", "crd_forged"},
		{"claviger-tenant", "ten_forged"},
		{"CLAVIGER-PRINCIPAL", "usr_forged"},
		{"Claviger-Principal-Type", "system"},
		{"Claviger-External-Id", "forged"},
		{"Claviger-Something", "forged"},
		{"Claviger_Tenant", "ten_forged"},
		{"Claviger_Principal", "usr_forged"},
		{"claviger-principal_type", "system"},
		{"X_API_Key", "secret"},
		{"Connection", "close, Claviger-Tenant"},
	}
	who := []header{
		{"Claviger-Credential", "crd_1"},
		{"Claviger-Tenant", "ten_1"},
		{"Claviger-Principal", "usr_1"},
		{"Claviger-Principal-Type", "user"},
	}
	named := map[string]string{
		"Claviger-Credential": "crd_1", "Claviger-Tenant": "ten_1", "Claviger-Principal": "usr_1", "Claviger-Principal-Type": "user",
	}
	full := map[string]string{"Claviger-External-Id": "acme-7"}
	for name, value := range named {
		full[name] = value
	}
	tests := []struct {
		name string
		says []header
		want map[string]string
	}{
		{"everything", append(who, header{"Claviger-External-Id", "acme-7"}), full},
		{"no external ID", who, named},
		{"an empty external ID", append(who, header{"Claviger-External-Id", ""}), named},
		{"nothing at all", nil, map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stub.answers(204, tt.says...)
			a := mustSend(t, "POST", g.URL+"/calls", map[string]string{"to": "+49"}, append(forged, bearer("secret"))...)
			if a.Status != 200 {
				t.Fatalf("status %d: %s", a.Status, a.Body)
			}
			got := mustDecode[seen](t, a)
			for name, value := range got.Identity {
				if value == "" {
					delete(got.Identity, name)
				}
			}
			if diff := cmp.Diff(tt.want, got.Identity); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			if len(got.Unexpected) > 0 {
				t.Errorf("these headers reached the API: %v", got.Unexpected)
			}
		})
	}
}

func TestCaddyAsksWithTheCredentialAsItCame(t *testing.T) {
	stub := mustStub(t)
	g := mustStartCaddy(t, stub.addr())
	tests := []struct {
		name string
		send header
	}{
		{"bearer", bearer("clv_uk_x")},
		{"X-API-Key", apiKey("clv_uk_x")},
		{"basic", header{"Authorization", "Basic dXNyXzE6Y2x2X3VrX3g="}}, // PV1
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stub.answers(204)
			a := mustSend(t, "DELETE", g.URL+"/recordings/7?permissions=nothing:needed&x=%2F", nil, tt.send,
				header{"X-Forwarded-For", "192.0.2.1"}, header{"X-Original-Uri", "/forged"}, header{"X-Forwarded-Uri", "/forged"})
			asked := stub.lastAsked(t)
			if got := asked.Header.Get(tt.send.name); got != tt.send.value {
				t.Errorf("Claviger was asked with %s %q", tt.send.name, got)
			}
			if got := asked.URL.String(); got != "/gateway/auth?permissions=call_recordings:read" {
				t.Errorf("Claviger was asked at %s", got)
			}
			want := map[string][]string{
				"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Uri": {"/recordings/7?permissions=nothing:needed&x=%2F"},
				"X-Forwarded-Method": {"DELETE"}, "X-Original-Uri": nil,
			}
			for name, values := range want {
				if diff := cmp.Diff(values, asked.Header[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			if got := mustDecode[seen](t, a); len(got.Unexpected) > 0 || got.Path != "/recordings/7" || got.Query != "permissions=nothing:needed&x=%2F" {
				t.Errorf("the API saw %+v", got)
			}
		})
	}
	// The permission goes by the path as the API will read it.
	for path, want := range map[string]string{
		"/recordings/7": "?permissions=call_recordings:read", "//recordings/7": "?permissions=call_recordings:read",
		"/x/../recordings/7": "?permissions=call_recordings:read", "/%72ecordings/7": "?permissions=call_recordings:read",
		"/scenarios/1": "?permissions=scenarios:start", "/other": "",
		"/recordings": "?permissions=call_recordings:read", "/scenarios": "?permissions=scenarios:start", "/recordingsx": "",
	} {
		stub.answers(204)
		mustSend(t, "GET", g.URL+path, nil, bearer("x"))
		if got := stub.lastAsked(t).URL.String(); got != "/gateway/auth"+want {
			t.Errorf("%s: Claviger was asked at %s", path, got)
		}
	}
}

// VX6: the deprecated keys in a query reach Claviger, and neither the API nor a log.
func TestCaddyStripsLegacyParameters(t *testing.T) {
	stub := mustStub(t)
	g := mustStartCaddy(t, stub.addr())
	const key = "AvErYsEcReTkEy"
	tests := []struct{ name, query, want string }{
		{"none", "a=1&b=%2F", "a=1&b=%2F"},
		{"alone", "account_id=12&api_key=" + key, ""},
		{"first", "account_id=12&api_key=" + key + "&a=1", "a=1"},
		{"last", "a=1&account_id=12&api_key=" + key, "a=1"},
		{"between", "a=1&api_key=" + key + "&b=2&account_id=12&c=3", "a=1&b=2&c=3"},
		{"look-alikes stay", "my_account_id=12&account_id=12&api_key=" + key, "my_account_id=12"},
		{"encoded names", "a=1&api%5fkey=" + key + "&%61ccount_i%64=12", ""},
		{"an encoded value", "a=1&api_key=AvErYsEcReTkE%79&account_id=12", ""},
		{"no value", "api_key&a=1", ""},
		{"one alone", "api_key=" + key + "&a=1", "a=1"},
		{"names that only look alike", "my_api_key=1&api_keys=2&account_idx=3", "my_api_key=1&api_keys=2&account_idx=3"},
		{"more than Claviger would accept", "a=1&api_key=1&api_key=2&api_key=" + key, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stub.answers(204)
			a := mustSend(t, "GET", g.URL+"/a%2Fb/c?"+tt.query, nil)
			if got := stub.lastAsked(t).Header.Get("X-Forwarded-Uri"); got != "/a%2Fb/c?"+tt.query {
				t.Errorf("Claviger saw %q", got)
			}
			got := mustDecode[seen](t, a)
			if got.Query != tt.want || got.Path != "/a%2Fb/c" {
				t.Errorf("the API saw the path %q and the query %q, want %q", got.Path, got.Query, tt.want)
			}
			for _, status := range []int{401, 429, 503} {
				stub.answers(status)
				mustSend(t, "GET", g.URL+"/a?"+tt.query, nil, header{"Referer", "http://x/?" + tt.query}, apiKey(key), header{"X_API_Key", key})
			}
		})
	}
	stub.Close()
	mustSend(t, "GET", g.URL+"/a?account_id=12&api_key="+key, nil)
	log := g.output.String()
	if strings.Contains(log, key) {
		t.Error("the log holds the key")
	}
	if !strings.Contains(log, `"status":429`) || !strings.Contains(log, "/a%2Fb/c?a=1") {
		t.Errorf("the log does not say what happened:\n%s", log)
	}
}
