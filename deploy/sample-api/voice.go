package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/claviger-io/claviger/client"
	"github.com/claviger-io/claviger/middleware"
)

// Scenario is a call flow that was started.
type Scenario struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	State     string    `json:"state"`
	StartedAt time.Time `json:"started_at"`
	StartedBy Caller    `json:"started_by"`
}

// Recording is what a scenario recorded.
type Recording struct {
	ID       string `json:"id"`
	Scenario string `json:"scenario"`
	Seconds  int    `json:"seconds"`
}

// Caller is whoever calls, as Claviger knows them. The API needs no more than that to keep
// its customers apart.
type Caller struct {
	Tenant     string `json:"tenant"`
	Type       string `json:"type"`
	ID         string `json:"id"`
	Credential string `json:"credential"`
}

// callerOf takes the caller from the middleware, or else from the headers that a proxy set.
// Whoever can reach this program past both could write those headers: let nobody.
func callerOf(r *http.Request) Caller {
	if v, ok := middleware.FromContext(r.Context()); ok && v.Principal != nil {
		return Caller{Tenant: v.TenantID, Type: v.Principal.Type, ID: v.Principal.ID, Credential: v.CredentialID}
	}
	h := r.Header
	return Caller{
		Tenant: h.Get("Claviger-Tenant"), Type: h.Get("Claviger-Principal-Type"),
		ID: h.Get("Claviger-Principal"), Credential: h.Get("Claviger-Credential"),
	}
}

// voice is the API. What was started is forgotten when it stops.
type voice struct {
	now func() time.Time

	mu      sync.Mutex
	started map[string][]Scenario // guarded by mu; by tenant
}

// most is how many scenarios of one tenant are remembered.
const most = 100

func newVoice(now func() time.Time) *voice { return &voice{now: now, started: map[string][]Scenario{}} }

func (v *voice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "POST /scenarios":
		v.start(w, r)
	case "GET /scenarios":
		answer(w, http.StatusOK, map[string]any{"items": v.of(callerOf(r).Tenant)})
	case "GET /recordings":
		v.recordings(w, r)
	default:
		handle(w, r)
	}
}

func (v *voice) of(tenant string) []Scenario {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Scenario{}, v.started[tenant]...)
}

// start starts a scenario: {"name": "…"}.
func (v *voice) start(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name string `json:"name"`
	}
	err := json.NewDecoder(io.LimitReader(r.Body, 4<<10)).Decode(&in)
	if err != nil || in.Name == "" || len(in.Name) > 200 {
		answer(w, http.StatusBadRequest, map[string]string{"error": "Send the scenario's name: {\"name\": \"Night campaign\"}"})
		return
	}
	by := callerOf(r)
	v.mu.Lock()
	defer v.mu.Unlock()
	mine := v.started[by.Tenant]
	s := Scenario{ID: "scn_" + strconv.Itoa(len(mine)+1), Name: in.Name, State: "running", StartedAt: v.now().UTC(), StartedBy: by}
	if len(mine) == most {
		answer(w, http.StatusTooManyRequests, map[string]string{"error": "This sample remembers 100 scenarios of a tenant."})
		return
	}
	v.started[by.Tenant] = append(mine, s)
	answer(w, http.StatusCreated, s)
}

// recordings lists one of each scenario that the caller's tenant has started.
func (v *voice) recordings(w http.ResponseWriter, r *http.Request) {
	list := []Recording{}
	for _, s := range v.of(callerOf(r).Tenant) {
		list = append(list, Recording{ID: "rec_" + s.ID[len("scn_"):], Scenario: s.ID, Seconds: 7 * len(s.Name)})
	}
	answer(w, http.StatusOK, map[string]any{"items": list})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		fmt.Fprintln(os.Stderr, "sample-api: answering:", err)
	}
}

// permissionFor is what a request needs, as deploy/nginx has it in its configuration.
func permissionFor(r *http.Request) string {
	switch {
	case within(r.URL.Path, "/recordings"):
		return "call_recordings:read"
	case within(r.URL.Path, "/scenarios"):
		return "scenarios:start"
	}
	return ""
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// protected puts the middleware before the API, where no proxy asks.
func protected(api http.Handler, claviger, verifierKey string) (http.Handler, error) {
	if claviger == "" {
		return api, nil
	}
	c, err := client.New(claviger, client.WithCredential(verifierKey), client.WithUserAgent("sample-api"))
	if err != nil {
		return nil, err
	}
	return middleware.New(middleware.Config{Client: c, PermissionsFor: permissionFor})(api), nil
}
