package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What each guide's commands must show, in this order.
var guides = map[string][]string{
	"user-keys.md": {
		`"state": "active"`, `"mara.lindt"`, `"mara.lindt"`, `"code": "VALID"`, "Power BI dashboards", "Figures of the week", "revoked", "REVOKED",
	},
	"organization-keys.md": {
		`"status": 403`, `"permission_required"`, `"Radiology desktops"`, `"expires_at"`, "Radiology laptops", "Claviger-Total: ", `"Name","Organization","Expiration date"`,
		"true", `"state": "done"`, `"total": 1`, `"failed": []`,
	},
	"service-accounts.md": {`"account_email"`, `"role_id"`, `"key_id"`, "Own pair", "Night server", "revoked", "204"},
	"apps.md": {
		"Analytics & Content", "recent_calls  https://", `"call_recordings_storage"`, `"credential_id"`, `"prerequisite_missing"`, `"state": "active"`,
		`{"valid":true,"code":"VALID"`, `"code":"INSUFFICIENT_PERMISSIONS"`, `["recent_calls","post_call_survey"]`, `{"valid":true,"code":"VALID"`, `"secret_version": 2`, `"code":"REVOKED"`,
	},
	"quick-start.md": {`"Nightly report"`, `"state": "active"`, `"code": "VALID"`, `"type": "user"`, "revoked", `"code": "REVOKED"`},
	"business-intelligence.md": { // PV1
		"Power BI dashboards", `"user_id": "usr_`, `"username": "noor.haddad"`, `"via": "credential"`, `"code": "VALID"`,
	},
	"rotation.md": { // B3
		`{"code":"VALID","secret_version":1}`, `"same_id": true`, `"secret_version": 2`, `"rotating": true`,
		`{"code":"VALID","secret_version":1}`, `{"code":"VALID","secret_version":2}`,
		`{"code":"NOT_FOUND","secret_version":null}`, `{"code":"NOT_FOUND","secret_version":null}`, `{"code":"VALID","secret_version":3}`,
	},
	"go-middleware.md": {"asked for by a user", "asked for by a user", "401", "401"},
	"client-credentials.md": {
		`"licence":"supervisor"`, `"status": 403`, `"permission_required"`, `"client_id"`, `["recent_calls:read"]`, "user  Claims dashboard", "account  Group reporting", "\nGroup reporting", "Workforce planning", `"secret_version": 2`, `"status": 409`, "Claims dashboard",
	},
}

// The guides do what they say, command for command, each with a demo of its own.
func TestGuides(t *testing.T) {
	for _, program := range []string{"curl", "jq", "bash", "awk", "openssl"} {
		_, err := exec.LookPath(program)
		mustHave(t, err == nil, program)
	}
	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../docs/guides/*.md")
	if err != nil || len(files) != len(guides)+1 {
		t.Fatalf("%d guides, %v: want %d and a README", len(files), err, len(guides))
	}
	for name, want := range guides {
		t.Run(name, func(t *testing.T) {
			d := mustDemo(t)
			script := strings.NewReplacer(
				"http://127.0.0.1:8080", d.URL, "127.0.0.1:8081", freeAddr(t), "data/demo.json", filepath.Join(d.dir, "demo.json"), "bin/claviger", clavigerBinary,
				"go get "+module, "go mod edit -require="+module+"@v0.0.0 -replace="+module+"="+repository, // this very version, not the last published one
			).Replace(strings.Join(shellBlocks(t, "../docs/guides/"+name), "\n"))
			cmd := exec.CommandContext(t.Context(), "bash", "-c", "set -euo pipefail\n"+script)
			cmd.Dir, cmd.Env = t.TempDir(), append(cleanEnvironment(), "no_proxy=*")
			var errOut strings.Builder
			cmd.Stderr = &errOut
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("the commands failed: %v\n%s\n%s", err, out, errOut.String())
			}
			rest := string(out)
			for _, text := range want {
				_, after, found := strings.Cut(rest, text)
				if !found {
					t.Fatalf("%q is not in what is left of the output:\n%s\nall of it:\n%s%s", text, rest, out, errOut.String())
				}
				rest = after
			}
		})
	}
}

// shellBlocks are the commands of a page.
func shellBlocks(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, part := range strings.Split(string(text), "```sh\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	if len(blocks) < 3 {
		t.Fatalf("%s has %d blocks of commands", page, len(blocks))
	}
	return blocks
}
