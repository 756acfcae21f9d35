package gateway

import (
	"net/http"
	"net/netip"
	"strings"
)

// maxHops bounds the walk through X-Forwarded-For.
const maxHops = 64

// Source returns where a request came from: the peer, or, when the peer is a trusted
// proxy, the rightmost address of X-Forwarded-For that is none of them. Whatever a client
// wrote there itself stands further left and is never reached. The zero address means
// unknown: the header of a trusted proxy can't be read, and nothing in it may be believed.
func Source(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer := address(r.RemoteAddr)
	if !within(peer, trusted) {
		return peer
	}
	hops := 0
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest := lines[i]; rest != ""; {
			var hop string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, hop = rest[:comma], rest[comma+1:]
			} else {
				rest, hop = "", rest
			}
			if hops++; hops > maxHops {
				return netip.Addr{}
			}
			a := address(strings.Trim(hop, " \t"))
			if !a.IsValid() || !within(a, trusted) {
				return a
			}
			peer = a
		}
	}
	return peer
}

// address reads an address with or without a port; the zero address when it is neither.
func address(s string) netip.Addr {
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func within(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
