package gateway

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// The deprecated form of account keys (VX6): query parameters of the original request.
const (
	legacyID  = "account_id"
	legacyKey = "api_key"
)

// originalURI are the headers in which proxies say what was asked for: nginx as deploy/nginx
// tells it to, Caddy and Traefik by themselves.
var originalURI = [...]string{"X-Original-Uri", "X-Forwarded-Uri"}

// present takes the one credential out of a request: from its headers or, where a trusted
// proxy tells the original request's address, from that one's query.
func (h *handler) present(r *http.Request) (p Presented, legacy, ok bool) {
	p, found, ok := fromQuery(r, h.cfg.TrustedProxies)
	switch {
	case !ok:
		return Presented{}, false, false
	case !found:
		p, ok = FromHeader(r.Header)
		return p, false, ok
	}
	// Which of two would be meant is not for us to guess.
	none := len(r.Header["Authorization"]) == 0 && len(r.Header["X-Api-Key"]) == 0
	return p, true, none
}

// fromQuery reads account_id and api_key. found says that both are there; ok is false when
// they are malformed, or there more than once.
func fromQuery(r *http.Request, trusted []netip.Prefix) (p Presented, found, ok bool) {
	for _, name := range originalURI {
		for _, uri := range r.Header[name] {
			_, query, has := strings.Cut(uri, "?")
			if !has || !within(address(r.RemoteAddr), trusted) {
				continue
			}
			in, here, good := legacyOf(query)
			if !good || here && found {
				return Presented{}, false, false
			}
			if here {
				p, found = in, true
			}
		}
	}
	return p, found, true
}

// legacyOf reads one query. One of the two parameters without the other means nothing to us:
// it may be the API's own.
func legacyOf(query string) (p Presented, found, ok bool) {
	var ids, keys int
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || name != legacyID && name != legacyKey {
			continue
		}
		if value, err = url.QueryUnescape(value); err != nil {
			value = ""
		}
		if name == legacyID {
			ids, p.ID = ids+1, value
		} else {
			keys, p.Secret = keys+1, value
		}
	}
	if ids == 0 || keys == 0 {
		return Presented{}, false, true
	}
	_, readable := alone(p.Secret)
	if ids > 1 || keys > 1 || !readable || !digits(p.ID) {
		return Presented{}, false, false
	}
	return p, true, true
}

func digits(s string) bool {
	return s != "" && len(s) <= 19 && strings.Trim(s, "0123456789") == ""
}
