package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// plainRoutes are those that the OpenAPI document doesn't describe.
func (s *Server) plainRoutes(reg *prometheus.Registry) {
	plain := func(pattern, operation string, h http.Handler) {
		s.routes = append(s.routes, Route{Method: http.MethodGet, Pattern: pattern, Operation: operation, Public: true})
		s.mux.Handle("GET "+pattern, h)
	}
	plain("/healthz", "Health", http.HandlerFunc(s.health))
	plain("/readyz", "Ready", http.HandlerFunc(s.ready))
	plain("/metrics", "Metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	plain("/openapi.json", "OpenAPI", http.HandlerFunc(s.openAPI))
	s.mux.HandleFunc("/", s.notFound)
}

// health says that the process answers.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, api.Health{Status: "ok", Version: s.version})
}

// ready says whether requests should be sent here: the index is loaded and fresh. While the
// database is away verification goes on, so that alone degrades a node and takes none out.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	stats := s.index.Stats()
	out := api.Health{
		Status: "ok", Version: s.version, Checks: map[string]string{"index": "ok", "database": "ok"},
		Revision: stats.Revision, Staleness: stats.Staleness.Milliseconds(),
	}
	switch {
	case !stats.Ready:
		out.Checks["index"] = "loading"
	case stats.Undecided || stats.Stale:
		out.Checks["index"] = "stale"
	}
	if s.store != nil {
		err := s.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
			_ = tx.Head()
			_, err := tx.AllTenantsSetting("ready")
			return err
		})
		if err != nil {
			out.Checks["database"] = "unreachable"
		}
	}
	status := http.StatusOK
	switch {
	case out.Checks["index"] != "ok":
		out.Status, status = "unavailable", http.StatusServiceUnavailable
	case out.Checks["database"] != "ok":
		out.Status = "degraded"
	}
	writeJSON(w, status, out)
}

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(s.document)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

// notFound answers what no route fits: the console, another method, or nothing of the kind.
func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	id := stateOf(r.Context()).id
	served, err := s.console.serve(w, r)
	if err != nil {
		s.logCause(r.Context(), err, id)
		answerOf(err, id).write(w)
	}
	if served {
		return
	}
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		try := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(try); pattern != "/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		plainAnswer(http.StatusMethodNotAllowed, "method_not_allowed", "This address takes other methods; see the Allow header.", id).write(w)
		return
	}
	nothingHere(id).write(w)
}

func nothingHere(requestID string) *answer {
	return plainAnswer(http.StatusNotFound, api.CodeNotFound, "There is nothing at this address. The API is described at /openapi.json.", requestID)
}
