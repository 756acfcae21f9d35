package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// The API's description is kept, so that no change of it goes unseen.
func TestOpenAPIGolden(t *testing.T) {
	w := newWorld(t, sqlite(t))
	raw := (&client{w: w}).must(http.StatusOK, http.MethodGet, "/openapi.json", nil)
	var got bytes.Buffer
	if err := json.Indent(&got, raw.body, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	path := filepath.Join("testdata", "openapi.json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; make it with go test ./internal/server -run OpenAPI -update", err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("the API has changed; if it should, run with -update:\n%s", d)
	}
}

// Every route of the management API is described, and nothing else is.
func TestOpenAPIMatchesRoutes(t *testing.T) {
	w := newWorld(t, sqlite(t))
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal((&client{w: w}).must(http.StatusOK, http.MethodGet, "/openapi.json", nil).body, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI is %s", doc.OpenAPI)
	}
	routes := 0
	for _, rt := range w.server.Routes() {
		if !strings.HasPrefix(rt.Pattern, "/v1/") {
			continue
		}
		routes++
		if got := doc.Paths[rt.Pattern][strings.ToLower(rt.Method)].OperationID; got != rt.Operation {
			t.Errorf("%s %s is described as %q, want %q", rt.Method, rt.Pattern, got, rt.Operation)
		}
	}
	described := 0
	for _, methods := range doc.Paths {
		described += len(methods)
	}
	if routes != described {
		t.Errorf("%d routes and %d descriptions", routes, described)
	}
	for _, foreign := range []string{"ErrorModel", "ErrorDetail"} {
		if _, ok := doc.Components.Schemas[foreign]; ok {
			t.Errorf("the document has %s, which nothing answers", foreign)
		}
	}
}
