package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/problem"
)

// statuses is the one table that turns what went wrong into a status.
var statuses = [...]int{
	problem.Internal:        http.StatusInternalServerError,
	problem.Invalid:         http.StatusBadRequest,
	problem.Unauthenticated: http.StatusUnauthorized,
	problem.Denied:          http.StatusForbidden,
	problem.NotFound:        http.StatusNotFound,
	problem.Conflict:        http.StatusConflict,
	problem.TooMany:         http.StatusTooManyRequests,
	problem.Unavailable:     http.StatusServiceUnavailable,
}

const (
	problemType     = "urn:claviger:problem:"
	problemJSON     = "application/problem+json"
	retryUndecided  = time.Second // when nothing better is known
	codeTooLarge    = "body_too_large"
	internalMessage = "Something went wrong on our side. Try again, and give the request ID if it happens again."
)

// answer is a problem on its way out. It is what huma takes for an error with a status.
type answer struct {
	api.Problem
	retryAfter time.Duration
}

// Error completes huma.StatusError.
func (a *answer) Error() string { return a.Detail }

// GetStatus completes huma.StatusError.
func (a *answer) GetStatus() int { return a.Status }

// ContentType completes huma.ContentTypeFilter.
func (a *answer) ContentType(string) string { return problemJSON }

// GetHeaders completes huma.HeadersError.
func (a *answer) GetHeaders() http.Header {
	h := http.Header{}
	a.headers(h)
	return h
}

func (a *answer) headers(h http.Header) {
	if a.retryAfter > 0 {
		seconds := int64((a.retryAfter + time.Second - 1) / time.Second)
		h.Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	if a.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="claviger"`)
	}
}

// answerOf makes what may be shown of an error. Whatever isn't a problem is a 500 without
// any detail.
func answerOf(err error, requestID string) *answer {
	p := problem.As(err)
	kind := p.Kind
	if int(kind) >= len(statuses) {
		kind = problem.Internal
	}
	a := &answer{retryAfter: p.RetryAfter}
	a.Status, a.Code, a.Detail, a.RequestID = statuses[kind], p.Code, p.Message, requestID
	if a.Code == "" {
		a.Code = kind.String()
	}
	if kind == problem.Internal {
		a.Code, a.Detail = api.CodeInternal, internalMessage
	}
	if kind == problem.Unavailable && a.retryAfter == 0 {
		a.retryAfter = retryUndecided
	}
	if kind != problem.Internal {
		for _, f := range p.Fields {
			a.Errors = append(a.Errors, api.ProblemError{Pointer: onTheWire(f.Pointer), Message: f.Message})
		}
	}
	for _, o := range p.InTheWay {
		a.Credentials = append(a.Credentials, api.ProblemCredential{ID: o.ID, Name: o.Name, Kind: o.Kind})
	}
	if a.Code == codeTooLarge {
		a.Status = http.StatusRequestEntityTooLarge
	}
	a.Type, a.Title = problemType+a.Code, http.StatusText(a.Status)
	return a
}

// wireNames are the fields whose names on the wire differ from those of the rules.
var wireNames = []struct{ rule, wire string }{
	{"/owner", "/owner_id"},
	{"/principal/type", "/principal_type"},
	{"/principal/id", "/principal_id"},
	{"/policy/max_lifetime", "/policy/max_lifetime_seconds"},
	{"/policy/default_lifetime", "/policy/default_lifetime_seconds"},
	{"/policy/token_lifetime", "/policy/token_lifetime_seconds"},
}

func onTheWire(pointer string) string {
	for _, n := range wireNames {
		if rest, ok := strings.CutPrefix(pointer, n.rule); ok && (rest == "" || rest[0] == '/') {
			return n.wire + rest
		}
	}
	return pointer
}

// plainAnswer is a problem that HTTP itself asks for, such as 404 for an unknown path.
func plainAnswer(status int, code, detail, requestID string) *answer {
	a := &answer{}
	a.Type, a.Title, a.Status, a.Code, a.Detail, a.RequestID = problemType+code, http.StatusText(status), status, code, detail, requestID
	return a
}

// write answers with the problem.
func (a *answer) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", problemJSON)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if a.RequestID != "" {
		h.Set("X-Request-Id", a.RequestID)
	}
	a.headers(h)
	w.WriteHeader(a.Status)
	body, err := json.Marshal(a.Problem)
	if err != nil {
		return // it holds nothing that can't be encoded
	}
	_, _ = w.Write(append(body, '\n'))
}

// logCause logs what a caller must not see: why we failed.
func (s *Server) logCause(ctx context.Context, err error, requestID string) {
	p := problem.As(err)
	switch {
	case p.Kind == problem.Internal:
		s.log.ErrorContext(ctx, "request failed", slog.String("request_id", requestID), slog.Any("error", err))
	case p.Kind == problem.Unavailable && p.Err != nil:
		s.log.WarnContext(ctx, "request undecided", slog.String("request_id", requestID), slog.Any("error", p.Err))
	}
}
