package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/claviger-io/claviger"

// core are the packages that hold rules only.
var core = []string{"access", "audit", "catalog", "credential", "problem", "secret", "tenancy"}

// layers says, for each of our packages, which others of ours it may import. The core may
// be imported by all of internal/ and imports itself alone. This is the picture in
// ARCHITECTURE.md; change both together.
var layers = map[string][]string{
	"internal/store":     {"internal/verify", "internal/token"}, // the types of verify.Source
	"internal/verify":    {"internal/token"},
	"internal/token":     {},
	"internal/envelope":  {},
	"internal/outbox":    {"internal/store"},
	"internal/webhook":   {"internal/store", "internal/outbox"},
	"internal/authority": {"internal/store", "internal/token", "internal/envelope", "internal/outbox", "internal/webhook", "internal/notice"},
	"internal/signin":    {"internal/authority", "internal/store", "internal/verify", "internal/token"},
	"internal/gateway":   {"internal/verify"},
	"internal/oauth":     {"internal/authority", "internal/verify", "internal/token"},
	"internal/notice":    {"internal/store", "internal/outbox"},
	"internal/server": {
		"internal/authority", "internal/verify", "internal/oauth", "internal/gateway", "internal/signin",
		"internal/notice", "internal/outbox", "internal/webhook", "internal/token", "api", "console", "docs",
		"internal/store", // Page and List, in which authority answers; and whether the database is there
	},
	"api":        {},
	"client":     {"api"},
	"middleware": {"client", "api"},
	"console":    {},
	"docs":       {},
	// For tests alone.
	"internal/store/storetest": {"internal/store"},
	"internal/token/tokentest": {},

	"internal/outbox/outboxtest": {"internal/outbox"},
	// Two programs of their own.
	"deploy/sample-api": {"middleware", "client"},
	"e2e":               {},
}

// wiring may import everything: it puts the pieces together.
var wiring = []string{"cmd/claviger", "internal/node", "clavigertest", "bench"}

// goPackage is what `go list -json` says of a package.
type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

func mustList(t *testing.T, args ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Imports,Deps"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func ours(path string) (short string, ok bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

func isCore(short string) bool {
	name, ok := strings.CutPrefix(short, "internal/")
	return ok && slices.Contains(core, name)
}

func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func TestEveryPackageImportsOnlyWhatItsLayerMay(t *testing.T) {
	for _, p := range mustList(t, "./...") {
		short, _ := ours(p.ImportPath)
		if slices.Contains(wiring, short) {
			continue
		}
		allowed, known := layers[short]
		if !known && !isCore(short) {
			t.Errorf("%s is not in the picture: add it to layers and to ARCHITECTURE.md", short)
			continue
		}
		for _, path := range p.Imports {
			other, mine := ours(path)
			if !mine || slices.Contains(allowed, other) {
				continue
			}
			if isCore(other) && strings.HasPrefix(short, "internal/") {
				continue
			}
			t.Errorf("%s must not import %s", short, other)
		}
	}
}

func TestCoreIsPure(t *testing.T) {
	forbidden := []string{"net/http", "database/sql", "log", "log/slog", "os", "math/rand", "math/rand/v2"}
	for _, p := range mustList(t, "./internal/...") {
		short, _ := ours(p.ImportPath)
		if !isCore(short) {
			continue
		}
		for _, path := range p.Imports {
			if _, mine := ours(path); mine {
				continue
			}
			// slog's Valuer is how a secret redacts itself.
			redacts := short == "internal/secret" && path == "log/slog"
			if !standard(path) || (slices.Contains(forbidden, path) && !redacts) {
				t.Errorf("%s must not import %s: the core knows rules alone", short, path)
			}
		}
	}
}

func TestOneRoadToTheDatabase(t *testing.T) {
	for _, p := range mustList(t, "./...") {
		short, _ := ours(p.ImportPath)
		if short == "internal/store" || short == "bench" || strings.HasPrefix(short, "internal/store/") {
			continue
		}
		for _, path := range p.Imports {
			for _, driver := range []string{"database/sql", "github.com/uptrace/bun", "github.com/jackc/pgx", "modernc.org/sqlite"} {
				if path == driver || strings.HasPrefix(path, driver+"/") {
					t.Errorf("%s must not import %s: SQL is in store alone", short, path)
				}
			}
		}
	}
}

func TestHotPathStandsAlone(t *testing.T) {
	forbidden := []string{"net/http", "database/sql", module + "/internal/store", module + "/internal/authority", module + "/internal/server"}
	for _, p := range mustList(t, "./internal/verify") {
		for _, path := range forbidden {
			if slices.Contains(p.Deps, path) {
				t.Errorf("verify depends on %s", path)
			}
		}
	}
}

// A user of the public packages gets nothing into their program but us and the standard
// library.
func TestPublicPackagesStayLight(t *testing.T) {
	light := []string{"api", "client", "middleware"}
	for _, p := range mustList(t, "./api", "./client", "./middleware") {
		for _, path := range p.Deps {
			short, mine := ours(path)
			if mine && !slices.Contains(light, short) || !mine && !standard(path) && !strings.HasPrefix(path, "vendor/") {
				t.Errorf("%s depends on %s", p.ImportPath, path)
			}
		}
	}
}
