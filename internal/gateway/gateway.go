// Package gateway answers what proxies ask before they let a request through:
// auth_request of nginx, forward auth of Caddy and Traefik.
//
// It takes exactly one credential out of a request's headers, or out of the original
// request's query where a tenant still allows that, asks the resident index, and turns the
// verdict into a status and identity headers. Whatever is doubtful, such as two credentials
// in one request, is refused.
//
// A proxy must overwrite the identity headers of the client's own request, also with
// nothing; deploy/nginx shows how.
package gateway

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/verify"
)

// Config is what the handler works with.
type Config struct {
	Index *verify.Index
	// TrustedProxies may say where a request came from (X-Forwarded-For) and what it asked for
	// (X-Original-URI, X-Forwarded-Uri); none means that nobody may, and a request came from
	// whoever made the connection.
	TrustedProxies []netip.Prefix
	Now            func() time.Time // for Retry-After; nil means time.Now
	Logger         *slog.Logger     // nil discards
}

// New makes the handler of GET /gateway/auth?permissions=QUERY. It answers without a body:
//
//	204  VALID, with Claviger-Credential, -Tenant, -Principal, -Principal-Type and
//	     -External-Id (the principal's; empty for none)
//	401  who is asking isn't proved, or that proof is over: no credential or several,
//	     NOT_FOUND, REVOKED, SUSPENDED, EXPIRED, NOT_YET_VALID, TENANT_SUSPENDED
//	403  proved, and may not: FORBIDDEN, WRONG_KIND, INSUFFICIENT_PERMISSIONS
//	429  RATE_LIMITED, USAGE_EXCEEDED; Retry-After, unless the quota never starts again
//	503  undecided, with Retry-After
//	400  the permission query is malformed: the proxy's configuration is at fault
//
// Claviger-Code carries the code, except for NOT_FOUND.
func New(cfg Config) http.Handler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.TrustedProxies = slices.Clone(cfg.TrustedProxies)
	for i, p := range cfg.TrustedProxies {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			cfg.TrustedProxies[i] = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
	}
	return &handler{cfg}
}

type handler struct{ cfg Config }

// Header values that never change. They have no room to append to, so sharing is safe.
var (
	noStore      = []string{"no-store"}
	challenge    = []string{`Bearer realm="claviger"`}
	badToken     = []string{`Bearer realm="claviger", error="invalid_token"`}
	insufficient = []string{`Bearer realm="claviger", error="insufficient_scope"`}
	oneSecond    = []string{"1"}
)

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header["Cache-Control"] = noStore
	permissions, ok := permissionsOf(r.URL.RawQuery)
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p, legacy, ok := h.present(r)
	if !ok {
		header["Www-Authenticate"] = challenge
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	q := verify.Request{
		Credential: p.Credential, ID: p.ID, Secret: p.Secret, Permissions: permissions,
		SourceIP: Source(r, h.cfg.TrustedProxies), UserAgent: r.UserAgent(), Legacy: legacy,
	}
	res, err := h.cfg.Index.Verify(&q)
	if err != nil {
		h.undecided(w, r, err)
		return
	}
	if res.Valid {
		identify(header, &res)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.WriteHeader(h.refuse(header, &res))
}

// undecided answers an error, which is never a verdict.
func (h *handler) undecided(w http.ResponseWriter, r *http.Request, err error) {
	if problem.Is(err, problem.Invalid) {
		h.cfg.Logger.WarnContext(r.Context(), "a proxy asks for malformed permissions", "error", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header()["Retry-After"] = oneSecond
	w.WriteHeader(http.StatusServiceUnavailable)
}

// identify writes who it is. All values share one backing array, and the names are in
// canonical form already: this is most of what a request costs here.
func identify(header http.Header, res *verify.Result) {
	v := &[5]string{
		res.CredentialID.String(), string(res.TenantID), res.Principal.ID, string(res.Principal.Type),
	}
	if res.PrincipalLabel != nil {
		v[4] = headerSafe(res.PrincipalLabel.ExternalID)
	}
	header["Claviger-Credential"] = v[0:1:1]
	header["Claviger-Tenant"] = v[1:2:2]
	header["Claviger-Principal"] = v[2:3:3]
	header["Claviger-Principal-Type"] = v[3:4:4]
	header["Claviger-External-Id"] = v[4:5:5]
}

// headerSafe writes a text as it is where a header can carry it, and percent-encoded
// otherwise: an external ID is the vendor's and may be anything.
func headerSafe(s string) string {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f || s[i] == '%' {
			return url.PathEscape(s)
		}
	}
	return s
}

// refuse writes the headers of a denial and returns its status.
func (h *handler) refuse(header http.Header, res *verify.Result) int {
	if res.Code != verify.NotFound {
		header["Claviger-Code"] = []string{string(res.Code)}
	}
	switch res.Code {
	case verify.RateLimited, verify.UsageExceeded:
		if after := retryAfter(res, h.cfg.Now()); after != "" {
			header["Retry-After"] = []string{after}
		}
		return http.StatusTooManyRequests
	case verify.InsufficientPermissions:
		header["Www-Authenticate"] = insufficient
		return http.StatusForbidden
	case verify.Forbidden, verify.WrongKind:
		return http.StatusForbidden
	case verify.NotFound, verify.TenantSuspended, verify.Revoked, verify.Suspended,
		verify.NotYetValid, verify.Expired, verify.Valid:
	}
	header["Www-Authenticate"] = badToken
	return http.StatusUnauthorized
}

// retryAfter is when the last of the used-up limits starts again, in whole seconds from
// now, 1 at least; empty when one of them never does.
func retryAfter(res *verify.Result, now time.Time) string {
	var last time.Time
	for _, l := range res.Limits {
		if l.Remaining > 0 {
			continue
		}
		if l.ResetAt.IsZero() {
			return ""
		}
		if l.ResetAt.After(last) {
			last = l.ResetAt
		}
	}
	wait := int64(1)
	if left := last.Sub(now); !last.IsZero() && left > time.Second {
		wait = int64((left + time.Second - 1) / time.Second)
	}
	return strconv.FormatInt(wait, 10)
}

// permissionsOf returns the value of the parameter permissions, which stands once or not
// at all. It costs nothing for a value that isn't escaped.
func permissionsOf(query string) (value string, ok bool) {
	seen := false
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, v, _ := strings.Cut(pair, "=")
		if strings.ContainsAny(name, "%+") {
			unescaped, err := url.QueryUnescape(name)
			if err != nil {
				return "", false
			}
			name = unescaped
		}
		if name != "permissions" {
			continue
		}
		if seen {
			return "", false
		}
		seen, value = true, v
	}
	if strings.ContainsAny(value, "%+") {
		unescaped, err := url.QueryUnescape(value)
		return unescaped, err == nil
	}
	return value, true
}
