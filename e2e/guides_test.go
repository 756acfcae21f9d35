package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	"service-accounts.md": {
		`"account_email"`, `"role_id"`, `"key_id"`, "Own pair",
		`{"code":"VALID","kind":"service_account_key","principal":"service_account"}`, `{"code":"VALID",`, `{"code":"VALID",`,
		"Night server", "revoked", `{"code":"REVOKED",`, "204",
	},
	"automatic-sign-in.md": {
		`"domains":["north","north.meadowbrook.example"]`, `"user_id"`, `"expires_at"`, `{"code":"VALID","kind":"organization_key","principal":"user","permissions":["contact_center_chat:read"`,
		"renewed", "signed in as usr_", "signed in until", `{"status":401,"code":"sign_in_failed"}`, `{"status":401,"code":"sign_in_failed"}`, `{"status":401,"code":"sign_in_failed"}`,
	},
	"tokens.md": {
		`"expires_in": 900`, `{"code":"VALID","kind":"app","permissions":["recent_calls:read"]}`, `{"active":true,"scope":"recent_calls:read"`, `{"active":false}`,
		"offline: crd_", "may recent_calls:read", "offline: crd_", "200", `{"active":false}`, "offline: crd_",
	},
	"apps.md": {
		"Analytics & Content", "recent_calls  https://", `"call_recordings_storage"`, `"credential_id"`, `"prerequisite_missing"`, `"state": "active"`,
		`{"valid":true,"code":"VALID"`, `"code":"INSUFFICIENT_PERMISSIONS"`, `["recent_calls","post_call_survey"]`, `{"valid":true,"code":"VALID"`,
		`"scope": "recent_calls:read surveys:read"`, `{"code":"VALID","kind":"app","permissions":["recent_calls:read","surveys:read"]}`, `"secret_version": 2`, `"code":"REVOKED"`,
	},
	"quick-start.md": {`"Nightly report"`, `"state": "active"`, `"code": "VALID"`, `"type": "user"`, "revoked", `"code": "REVOKED"`},
	"business-intelligence.md": { // PV1
		"Power BI dashboards", `"user_id": "usr_`, `"username": "noor.haddad"`, `"via": "credential"`, `"code": "VALID"`,
	},
	"rotation.md": { // B3
		`{"code":"VALID","secret_version":1}`, `"same_id": true`, `"secret_version": 2`, `"rotating": true`,
		`{"code":"VALID","secret_version":1}`, `{"code":"VALID","secret_version":2}`,
		`{"source_ip":"192.0.2.7","user_agent":"report-sync/2.1","calls":1}`,
		`"secret_version": 2`, `"rotating": false`, `{"code":"NOT_FOUND","secret_version":null}`, `{"code":"VALID","secret_version":2}`,
		`"secret_version": 2`, `"rotating": false`, `{"code":"VALID","secret_version":2}`, `{"code":"NOT_FOUND","secret_version":null}`,
	},
	"go-middleware.md": {"asked for by a user", "asked for by a user", "401", "401"},
	"client-credentials.md": {
		`"licence":"supervisor"`, `"status": 403`, `"permission_required"`, `"client_id"`, `["recent_calls:read"]`,
		`"token_type": "Bearer"`, `"expires_in": 900`, "invalid_scope", "invalid_client", `{"code":"VALID","kind":"client_credential","permissions":["recent_calls:read"]}`,
		"Go has a token of type Bearer", "Node has a token of type bearer", "1", "user  Claims dashboard", "account  Group reporting", "\nGroup reporting", "Workforce planning", `"secret_version": 2`, `"status": 409`, "Claims dashboard",
	},
}

// goRun is a snippet in Go being run.
var goRun = regexp.MustCompile(`go run (\w+)\.go`)

// The guides do what they say, command for command, each with a demo of its own.
func TestGuides(t *testing.T) {
	for _, program := range []string{"curl", "jq", "bash", "awk", "openssl"} {
		_, err := exec.LookPath(program)
		mustHave(t, err == nil, program)
	}
	files, err := filepath.Glob("../docs/guides/*.md")
	if err != nil || len(files) != len(guides)+1 {
		t.Fatalf("%d guides, %v: want %d and a README", len(files), err, len(guides))
	}
	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range guides {
		t.Run(name, func(t *testing.T) {
			d := mustDemo(t)
			script := strings.Join(shellBlocks(t, "../docs/guides/"+name), "\n")
			dir := t.TempDir()
			if strings.Contains(script, "node ") {
				dir = mustInstallNode(t)
			}
			writeSnippets(t, "../docs/guides/"+name, dir)
			script = strings.NewReplacer(
				"http://127.0.0.1:8080", d.URL, "127.0.0.1:8081", freeAddr(t), "data/demo.json", filepath.Join(d.dir, "demo.json"), "bin/claviger", clavigerBinary,
				"go get "+module, "go mod edit -require="+module+"@v0.0.0 -replace="+module+"="+repository, // this very version, not the last published one
			).Replace(script)
			// What the snippets import is in this module.
			script = goRun.ReplaceAllString(script, "go run -C "+repository+" $$PWD/$1.go")
			cmd := exec.CommandContext(t.Context(), "bash", "-c", "set -euo pipefail\n"+script)
			cmd.Dir, cmd.Env = dir, append(cleanEnvironment(), "no_proxy=*")
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

// writeSnippets writes the programs of a page, which are fenced with their language and name.
func writeSnippets(t *testing.T, page, dir string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range []string{"go", "js"} {
		for _, part := range strings.Split(string(text), "```"+language+" ")[1:] {
			name, rest, _ := strings.Cut(part, "\n")
			program, _, _ := strings.Cut(rest, "```")
			if err := os.WriteFile(filepath.Join(dir, name), []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
