package server

import (
	"crypto/rand"
	"net/http"
	"net/netip"
	"strings"
)

// source is the address that a request came from. Only trusted proxies are believed: the
// list in X-Forwarded-For is read from its end, and the first address that is not such a
// proxy's is the source.
func (s *Server) source(r *http.Request) netip.Addr {
	addr := remote(r)
	if !s.trusted(addr) {
		return addr
	}
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		hops := strings.Split(lines[i], ",")
		for k := len(hops) - 1; k >= 0; k-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[k]))
			if err != nil {
				// What stands before something unreadable can't be believed either.
				return addr
			}
			if addr = hop.Unmap().WithZone(""); !s.trusted(addr) {
				return addr
			}
		}
	}
	return addr
}

func (s *Server) trusted(addr netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// newRequestID names a request in the log and in problems.
func newRequestID() string { return "req_" + strings.ToLower(rand.Text()) }
