// Package e2e tests the program as it is shipped: the built binary, started as a process,
// spoken to over HTTP, beside real nginx and real PostgreSQL.
//
// The tests for PostgreSQL need CLAVIGER_TEST_POSTGRES, which e2e/postgres/with-postgres
// sets; those for nginx need nginx. Without them they are skipped, unless
// CLAVIGER_TEST_REQUIRE is set, as `make test` does: then they fail.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What TestMain builds, once.
var (
	clavigerBinary  string
	sampleAPIBinary string
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "claviger-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e: making a folder:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	clavigerBinary, sampleAPIBinary = filepath.Join(dir, "claviger"), filepath.Join(dir, "sample-api")
	for binary, pkg := range map[string]string{clavigerBinary: "../cmd/claviger", sampleAPIBinary: "../deploy/sample-api"} {
		build := exec.Command("go", "build", "-trimpath", "-o", binary, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "e2e: building %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	return m.Run()
}

// mustHave skips the test when what it needs is missing, or fails it where that is required.
func mustHave(t *testing.T, present bool, what string) {
	t.Helper()
	switch {
	case present:
	case os.Getenv("CLAVIGER_TEST_REQUIRE") != "":
		t.Fatalf("%s is missing, and CLAVIGER_TEST_REQUIRE is set", what)
	default:
		t.Skipf("%s is missing", what)
	}
}

// rounds is how often a torture test goes round: normal times, or soak with SOAK=1.
func rounds(normal, soak int) int {
	if os.Getenv("SOAK") != "" {
		return soak
	}
	return normal
}
