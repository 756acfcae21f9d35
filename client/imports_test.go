package client_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The packages that end up in users' programs bring nothing along: no driver, no test
// library, nothing of the server.
func TestPublicPackagesStayLight(t *testing.T) {
	const module = "github.com/claviger-io/claviger/"
	allowed := map[string][]string{
		"api":        {},
		"client":     {"api"},
		"middleware": {"api", "client"},
	}
	for name, ours := range allowed {
		out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+name).CombinedOutput()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, out)
		}
		may := map[string]bool{module + name: true}
		for _, other := range ours {
			may[module+other] = true
		}
		for _, path := range strings.Fields(string(out)) {
			if !may[path] {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
