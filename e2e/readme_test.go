package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The walk in README.md does what it says, command for command.
func TestReadmeWalk(t *testing.T) {
	for _, program := range []string{"curl", "jq", "envsubst", "bash"} {
		_, err := exec.LookPath(program)
		mustHave(t, err == nil, program)
	}
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	demo := mustSpawn(t, "claviger demo", clavigerBinary, "demo", "--addr", "127.0.0.1:0", "--data", filepath.Join(dir, "data"), "--ready-file", ready)
	url := demo.mustBeReady(t, ready)

	folder := filepath.Join(dir, "gateway")
	script := strings.NewReplacer(
		"/tmp/gateway", folder, "127.0.0.1:8000", freeAddr(t), "127.0.0.1:8080", strings.TrimPrefix(url, "http://"), "127.0.0.1:8081", freeAddr(t),
		"data/demo.json", filepath.Join(dir, "data", "demo.json"), " cookies", " "+filepath.Join(dir, "cookies"), "key.json", filepath.Join(dir, "key.json"),
		"go run ./deploy/sample-api", sampleAPIBinary, "stderr\n", "stderr\nwait_for_both\n",
	).Replace(strings.Join(readmeCommands(t), "\n"))
	const prelude = `set -euo pipefail
cd ..
trap 'kill $(jobs -p) 2>/dev/null; kill $(cat ` + "GATEWAY_FOLDER" + `/nginx.pid) 2>/dev/null' EXIT
wait_for_both() { for a in $API $GATEWAY; do until curl -s -o /dev/null http://$a/; do :; done; done; }
`
	cmd := exec.CommandContext(t.Context(), "bash", "-c", strings.ReplaceAll(prelude, "GATEWAY_FOLDER", folder)+script)
	cmd.Env = append(os.Environ(), "no_proxy=*")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the walk failed: %v\n%s", err, out)
	}
	for _, want := range []string{`"valid": true`, `"code": "VALID"`, `"Claviger-Principal-Type": "user"`, `"unexpected": []`, `"revoked"`, "HTTP/1.1 401 Unauthorized"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the walk's output lacks %s:\n%s", want, out)
		}
	}
	// Three calls in three forms came through.
	if diff := cmp.Diff(3, strings.Count(string(out), `"path": "/recordings/7"`)); diff != "" {
		t.Errorf("calls that reached the API (-want +got):\n%s\n%s", diff, out)
	}
}

// readmeCommands are the commands of the walk, but the first, which starts the demo.
func readmeCommands(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, walk, found := strings.Cut(string(text), "## Five minutes")
	walk, _, ended := strings.Cut(walk, "\n## ")
	if !found || !ended {
		t.Fatal("README.md has no walk")
	}
	var blocks []string
	for _, part := range strings.Split(walk, "```sh\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	if len(blocks) < 5 || strings.TrimSpace(blocks[0]) != "make run" {
		t.Fatalf("the walk has %d blocks and begins with %q", len(blocks), blocks)
	}
	return blocks[1:]
}
