package middleware

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/claviger-io/claviger/api"
)

// refusal is what a caller is told instead of what they asked for.
type refusal struct {
	status int
	code   string
	detail string
	retry  time.Duration // zero: not stated
}

var missing = refusal{
	status: http.StatusUnauthorized, code: api.CodeUnauthenticated,
	detail: "Send one credential, and only one: as Authorization: Bearer, as X-API-Key, or as HTTP Basic with user ID and key.",
}

// malformed reports that Claviger could make nothing of the credential itself.
func malformed(err error) bool {
	var p *api.Problem
	if !errors.As(err, &p) || p.Status != http.StatusBadRequest || len(p.Errors) == 0 {
		return false
	}
	for _, e := range p.Errors {
		if e.Pointer != "/credential" && e.Pointer != "/id" && e.Pointer != "/secret" {
			return false
		}
	}
	return true
}

// undecided is for a question that got no verdict. Why is in the log: it is the
// operator's to mend, not the caller's.
func undecided(err error) refusal {
	r := refusal{
		status: http.StatusServiceUnavailable, code: api.CodeUnavailable, retry: time.Second,
		detail: "The credential cannot be checked right now. Try again in a moment.",
	}
	var p *api.Problem
	if errors.As(err, &p) && p.RetryAfter > 0 {
		r.retry = p.RetryAfter
	}
	return r
}

// refusalOf turns a denial into a status. A code that this version doesn't know is
// refused like a credential that isn't good.
func refusalOf(v api.VerifyResponse, now time.Time) refusal {
	switch v.Code {
	case api.VerifyInsufficientPermissions:
		detail := "The credential may not do this."
		if len(v.Missing) > 0 {
			detail += " It lacks: " + strings.Join(v.Missing, ", ") + "."
		}
		return refusal{status: http.StatusForbidden, code: api.CodeDenied, detail: detail}
	case api.VerifyForbidden:
		return refusal{status: http.StatusForbidden, code: api.CodeDenied, detail: "The credential may not be used here: its networks or its plan don't allow it."}
	case api.VerifyWrongKind:
		return refusal{status: http.StatusForbidden, code: api.CodeDenied, detail: "This API does not take credentials of this kind."}
	case api.VerifyRateLimited:
		return refusal{status: http.StatusTooManyRequests, code: api.CodeTooMany, detail: "Too many calls with this credential. Slow down.", retry: untilReset(v.Limits, now)}
	case api.VerifyUsageExceeded:
		return refusal{status: http.StatusTooManyRequests, code: api.CodeTooMany, detail: "The credential's quota is used up.", retry: untilReset(v.Limits, now)}
	case api.VerifyNotFound, api.VerifyTenantSuspended, api.VerifyRevoked, api.VerifySuspended, api.VerifyNotYetValid,
		api.VerifyExpired, api.VerifyValid: // VALID comes here only when Valid says otherwise
	}
	return refusal{status: http.StatusUnauthorized, code: api.CodeUnauthenticated, detail: "The credential is not valid, or no longer."}
}

// untilReset is when the last of the exhausted limits starts again; zero when none does.
func untilReset(limits []api.LimitState, now time.Time) time.Duration {
	var wait time.Duration
	for _, l := range limits {
		if l.Remaining <= 0 && l.ResetAt != nil {
			wait = max(wait, l.ResetAt.Sub(now), time.Second)
		}
	}
	return wait
}

func (c *Config) refuse(w http.ResponseWriter, r refusal) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if r.status == http.StatusUnauthorized {
		h.Add("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", c.Realm))
		h.Add("WWW-Authenticate", fmt.Sprintf("Basic realm=%q, charset=\"UTF-8\"", c.Realm))
	}
	if r.retry > 0 {
		// Rounded up: a caller that comes back too early is refused again.
		h.Set("Retry-After", strconv.FormatInt(int64((r.retry+time.Second-1)/time.Second), 10))
	}
	body, err := json.Marshal(api.Problem{
		Type: "urn:claviger:problem:" + r.code, Title: http.StatusText(r.status), Status: r.status, Detail: r.detail, Code: r.code,
	})
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}
