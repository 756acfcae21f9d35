package node

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

func TestPlainHTTPIsForLoopback(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	tests := []struct {
		name string
		c    Config
		ok   bool
	}{
		{"loopback", Config{Addr: "127.0.0.1:0"}, true},
		{"another loopback address", Config{Addr: "127.0.0.2:0"}, true},
		{"localhost", Config{Addr: "localhost:0"}, true},
		{"every address", Config{Addr: ":0"}, false},
		{"every IPv4 address", Config{Addr: "0.0.0.0:0"}, false},
		{"every IPv6 address", Config{Addr: "[::]:0"}, false},
		{"a name", Config{Addr: "claviger.example.com:0"}, false},
		{"behind a proxy", Config{Addr: "0.0.0.0:0", BehindProxy: proxies}, true},
		{"a certificate without its key", Config{Addr: "127.0.0.1:0", TLSCert: "cert.pem"}, false},
		{"a key without its certificate", Config{Addr: "127.0.0.1:0", TLSKey: "key.pem"}, false},
		{"a certificate that isn't there", Config{Addr: "127.0.0.1:0", TLSCert: "none.pem", TLSKey: "none.pem"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, url, err := listen(t.Context(), &tt.c)
			if err == nil {
				_ = l.Close()
			}
			if (err == nil) != tt.ok {
				t.Fatalf("got %v", err)
			}
			var hinted *HintedError
			if err != nil && (!errors.As(err, &hinted) || hinted.Hint == "") {
				t.Errorf("no hint: %v", err)
			}
			if err == nil && (!strings.HasPrefix(url, "http://127.0.0.") || strings.HasSuffix(url, ":0")) {
				t.Errorf("the URL is %s", url)
			}
		})
	}
}

func TestTakenAddressLeavesNoDatabase(t *testing.T) {
	l, _, err := listen(t.Context(), &Config{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	folder := t.TempDir()
	_, err = Open(t.Context(), Config{Addr: l.Addr().String(), Database: "sqlite:" + filepath.Join(folder, "claviger.db")})
	if err == nil {
		t.Fatal("two listeners at one address")
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOnlyProxiesArePassed(t *testing.T) {
	h := onlyFrom([]netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for remote, want := range map[string]int{
		"10.1.2.3:5": 200, "[::ffff:10.1.2.3]:5": 200, "127.0.0.1:5": 200, "[::1]:5": 200,
		"10.2.0.1:5": 403, "[2001:db8::1]:5": 403, "": 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: status %d, want %d", remote, w.Code, want)
		}
	}
}

func TestHeadroom(t *testing.T) {
	for live, want := range map[uint64]int{0: gcMost, 1 << 20: gcMost, 40 << 20: 100, 160 << 20: 25, 1 << 40: gcLeast} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d bytes: %d%%, want %d%%", live, got, want)
		}
	}
}
