package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"
)

// listen opens the address, and returns the URL under which it is reached from this
// machine. Keys travel over the connection, so plain HTTP is for loopback addresses and
// for proxies that end TLS in front of it.
func listen(ctx context.Context, c *Config) (net.Listener, string, error) {
	secure, err := tlsConfig(c)
	if err != nil {
		return nil, "", err
	}
	if secure == nil && len(c.BehindProxy) == 0 && !isLoopback(c.Addr) {
		return nil, "", &HintedError{
			Err: fmt.Errorf("plain HTTP is for loopback addresses only, and %s is not one", c.Addr),
			Hint: "Give --tls-cert and --tls-key, or name the proxies that end TLS with --behind-proxy, " +
				"or listen at 127.0.0.1.",
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return nil, "", fmt.Errorf("listening at %s: %w", c.Addr, err)
	}
	url := "http://" + reachable(c.Addr, l.Addr())
	if secure != nil {
		l = tls.NewListener(l, secure)
		url = "https" + url[len("http"):]
	}
	return l, url, nil
}

// reachable turns "every address" into one that can be dialled.
func reachable(asked string, a net.Addr) string {
	addr, err := netip.ParseAddrPort(a.String())
	if err != nil || !addr.Addr().IsUnspecified() {
		return a.String()
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if host, _, err := net.SplitHostPort(asked); err == nil && host == "::" {
		loopback = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(loopback, addr.Port()).String()
}

// isLoopback doesn't ask a resolver: what a name means today it may not mean tomorrow.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func tlsConfig(c *Config) (*tls.Config, error) {
	if c.TLSCert == "" && c.TLSKey == "" {
		return nil, nil //nolint:nilnil // no TLS is an answer
	}
	if c.TLSCert == "" || c.TLSKey == "" {
		return nil, &HintedError{
			Err:  errors.New("TLS needs a certificate and its key, and only one of them was given"),
			Hint: "Give both --tls-cert and --tls-key.",
		}
	}
	k := &certificate{cert: c.TLSCert, key: c.TLSKey}
	if _, err := k.get(nil); err != nil {
		return nil, &HintedError{
			Err:  fmt.Errorf("loading the TLS certificate: %w", err),
			Hint: "--tls-cert and --tls-key name PEM files that belong together.",
		}
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: k.get,
	}, nil
}

// certificate is read again when its file changes, so that a renewed one needs no restart.
type certificate struct {
	cert, key string

	mu      sync.Mutex // guards what follows
	current *tls.Certificate
	changed time.Time
}

func (k *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.cert)
	if err != nil {
		return k.keep(err)
	}
	if k.current != nil && info.ModTime().Equal(k.changed) {
		return k.current, nil
	}
	pair, err := tls.LoadX509KeyPair(k.cert, k.key)
	if err != nil { // half renewed: the key isn't there yet
		return k.keep(err)
	}
	k.current, k.changed = &pair, info.ModTime()
	return k.current, nil
}

// keep goes on with what was loaded before.
func (k *certificate) keep(err error) (*tls.Certificate, error) {
	if k.current != nil {
		return k.current, nil
	}
	return nil, err
}

// onlyFrom refuses connections that don't come from the proxies, or from this machine.
func onlyFrom(networks []netip.Prefix, next http.Handler) http.Handler {
	if len(networks) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fromOneOf(networks, r.RemoteAddr) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"type":"urn:claviger:problem:denied","title":"Forbidden","status":403,` +
				`"detail":"This address is reached through its proxy only.","code":"denied"}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func fromOneOf(networks []netip.Prefix, remote string) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap().WithZone("")
	if addr.IsLoopback() {
		return true
	}
	for _, n := range networks {
		if n.Contains(addr) {
			return true
		}
	}
	return false
}
