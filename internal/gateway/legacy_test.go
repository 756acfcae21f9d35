package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/secret"
)

// legacyDesk has an account key in a tenant that allows it in queries, and one in a tenant
// that doesn't, behind a trusted proxy.
func legacyDesk(t *testing.T) (d *desk, on, off, user string) {
	t.Helper()
	d = newDesk(t, "192.0.2.9/32")
	return d, d.keys["account"], d.keys["account elsewhere"], d.keys["good"]
}

// VX6: account_id and api_key of the original request, only from a trusted proxy, only
// where the tenant switched it on.
func TestLegacyQueryParameters(t *testing.T) {
	d, on, off, user := legacyDesk(t)
	query := "?account_id=1234567&api_key=" + on
	escaped := strings.ReplaceAll(query, "api_key", "%61pi%5Fkey")
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"nginx", []string{"X-Original-URI", "/calls" + query}, 204},
		{"Caddy", []string{"X-Forwarded-Uri", "/calls" + query}, 204},
		{"beside others", []string{"X-Original-URI", "/calls?from=1&account_id=1234567&x=%zz&api_key=" + on + "&to=2"}, 204},
		{"escaped names", []string{"X-Original-URI", "/calls" + escaped}, 204},
		{"a tenant that did not switch it on", []string{"X-Original-URI", "/?account_id=7654321&api_key=" + off}, 401},
		{"another tenant's account", []string{"X-Original-URI", "/?account_id=7654321&api_key=" + on}, 401},
		{"a user's key", []string{"X-Original-URI", "/?account_id=1234567&api_key=" + user}, 401},
		{"a header as well", []string{"X-Original-URI", "/" + query, "X-API-Key", on}, 401},
		{"another header as well", []string{"X-Original-URI", "/" + query, "Authorization", "Bearer " + user}, 401},
		{"told twice", []string{"X-Original-URI", "/" + query, "X-Forwarded-Uri", "/" + query}, 401},
		{"two lines", []string{"X-Original-URI", "/" + query, "X-Original-URI", "/" + query}, 401},
		{"a key twice", []string{"X-Original-URI", "/" + query + "&api_key=" + on}, 401},
		{"an account twice", []string{"X-Original-URI", "/" + query + "&account_id=1234567"}, 401},
		{"a key alone", []string{"X-Original-URI", "/?api_key=" + on}, 401},
		{"a word for the account", []string{"X-Original-URI", "/?account_id=x&api_key=" + on}, 401},
		{"an empty key", []string{"X-Original-URI", "/?account_id=1234567&api_key="}, 401},
		{"a broken escape", []string{"X-Original-URI", "/?account_id=1234567&api_key=%zz"}, 401},
		{"a control character", []string{"X-Original-URI", "/?account_id=1234567&api_key=%00" + on}, 401},
		// One of the two without the other may be the API's own.
		{"an account alone beside a header", []string{"X-Original-URI", "/?account_id=77", "X-API-Key", user}, 204},
		{"no query", []string{"X-Original-URI", "/", "X-API-Key", user}, 204},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := d.ask("", tt.headers...)
			if w.Code != tt.want {
				t.Fatalf("status %d, want %d", w.Code, tt.want)
			}
			if id, _ := secret.CutToID(on); tt.want == 204 && tt.headers[len(tt.headers)-1] != user && w.Header().Get("Claviger-Credential") != id {
				t.Errorf("it was %s", w.Header().Get("Claviger-Credential"))
			}
		})
	}
	// Whoever is no trusted proxy may say what they like.
	stranger := newDesk(t, "198.51.100.0/24")
	if w := stranger.ask("", "X-Original-URI", "/?account_id=1234567&api_key="+stranger.keys["account"]); w.Code != http.StatusUnauthorized {
		t.Errorf("a stranger: status %d", w.Code)
	}
	// The header form of an account key needs no switch.
	if w := d.ask("", "X-API-Key", off); w.Code != http.StatusNoContent || w.Header().Get("Claviger-Principal-Type") != "tenant" {
		t.Errorf("by header: status %d, %v", w.Code, w.Header())
	}
}
