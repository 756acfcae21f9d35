package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/claviger-io/claviger/internal/signin"
)

// maxBody bounds the body of every management request.
const maxBody = 1 << 20

// requestState is what the parts of one management request tell each other. The caller
// isn't in it: handlers get that as an argument.
type requestState struct {
	id   string
	from signin.Origin

	// For the log, once they are known.
	tenant       string
	credentialID string
	sessionID    string
}

type stateKey struct{}

func stateOf(ctx context.Context) *requestState {
	if st, ok := ctx.Value(stateKey{}).(*requestState); ok {
		return st
	}
	return &requestState{id: newRequestID()}
}

// middleware surrounds the management API: request ID, security headers, cross-origin
// protection, the limit of bodies, one log line, and an answer to panics.
func (s *Server) middleware(next http.Handler) http.Handler {
	// Browsers send the session's cookie along wherever a request comes from; only our own
	// pages may change anything with it.
	protected := http.NewCrossOriginProtection()
	protected.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plainAnswer(http.StatusForbidden, "cross_origin", "A page of another site may not change anything here.", stateOf(r.Context()).id).write(w)
	}))
	inner := protected.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		st := &requestState{id: newRequestID()}
		st.from = signin.Origin{Source: s.source(r), UserAgent: r.UserAgent(), RequestID: st.id}
		rec := &recorder{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), stateKey{}, st))
		r.Body = http.MaxBytesReader(rec, r.Body, maxBody)
		securityHeaders(rec.Header(), st.id)
		defer func() {
			if p := recover(); p != nil {
				s.panicked(rec, r, st, p)
			}
			s.logRequest(r, rec, st, time.Since(began))
		}()
		if p := r.URL.Path; p == "" || path.Clean(p) != p && path.Clean(p)+"/" != p {
			// The router would redirect, and repeat what was sent.
			nothingHere(st.id).write(rec)
			return
		}
		inner.ServeHTTP(rec, r)
	})
}

func securityHeaders(h http.Header, requestID string) {
	h.Set("X-Request-Id", requestID)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Vary", "Cookie, Authorization, X-Api-Key")
}

func (s *Server) panicked(rec *recorder, r *http.Request, st *requestState, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	// The value may hold anything; its type and the stack say where to look.
	s.log.ErrorContext(r.Context(), "request panicked", slog.String("request_id", st.id),
		slog.String("panic", fmt.Sprintf("%T", p)), slog.String("stack", string(debug.Stack())))
	if rec.status == 0 {
		answerOf(errors.New("panic"), st.id).write(rec)
	}
}

// quiet routes are asked by machines, all the time.
var quiet = map[string]bool{"GET /healthz": true, "GET /readyz": true, "GET /metrics": true, assetsPath: true}

func (s *Server) logRequest(r *http.Request, rec *recorder, st *requestState, took time.Duration) {
	route := r.Pattern
	if route == "" || route == "/" {
		route = "other"
	}
	status := max(rec.status, http.StatusOK)
	s.metrics.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	s.metrics.took.WithLabelValues(route).Observe(took.Seconds())
	level := slog.LevelInfo
	if quiet[route] && status == http.StatusOK {
		level = slog.LevelDebug
	}
	s.log.LogAttrs(r.Context(), level, "request",
		slog.String("method", r.Method), slog.String("route", route), slog.Int("status", status),
		slog.Duration("took", took), slog.String("request_id", st.id),
		slog.String("tenant_id", st.tenant), slog.String("credential_id", st.credentialID),
		slog.String("session_id", st.sessionID), slog.String("source", st.from.Source.String()))
}

// recorder remembers the status, and gives malformed requests the one status they have
// everywhere: huma says 422 where we say 400.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
