package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/clavigertest"
)

const (
	oldKey1 = "9a0364b9e99bb480dd25e1f0284c8555"
	oldKey2 = "sk_old_4eC39HqLyjWDarjtT1zdp7dc"
	oldKey3 = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6"
)

func sumOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// importer runs claviger import against a server.
type importer struct {
	*testing.T
	server     *clavigertest.Server
	credential string
	dir        string
}

func (i *importer) run(want int, args ...string) (out, errOut string) {
	i.Helper()
	var o, e bytes.Buffer
	env := map[string]string{"CLAVIGER_URL": i.server.URL, "CLAVIGER_CREDENTIAL": i.credential}
	got := run(append([]string{"import"}, args...), strings.NewReader(""), &o, &e, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if got != want {
		i.Fatalf("import %v: status %d, want %d\n%s%s", args, got, want, o.String(), e.String())
	}
	if strings.Contains(o.String()+e.String(), oldKey1) || strings.Contains(o.String()+e.String(), oldKey2) {
		i.Errorf("import %v prints a key", args)
	}
	return o.String(), e.String()
}

func (i *importer) file(name, content string) string {
	i.Helper()
	path := filepath.Join(i.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		i.Fatal(err)
	}
	return path
}

// PV3: a file of keys is tried, mapped, brought in and reported.
func TestImportCommand(t *testing.T) {
	s := clavigertest.NewServer(t)
	system, err := s.Admin().IssueAPIKey(t.Context(), api.IssueAPIKeyRequest{Name: "import"})
	if err != nil {
		t.Fatal(err)
	}
	ann := s.MustCreateUser("ann")
	i := &importer{T: t, server: s, credential: system.Key.Reveal(), dir: t.TempDir()}
	csv := i.file("keys.csv", "\ufeffLabel;User;Token;Ends\nReports;ann;"+oldKey1+";2199-01-01\n\"Export; nightly\";ANN;"+oldKey2+";\n"+
		"short\nWeak;ann;password1;\nNobody;who;7c1d0be28fa94c6fb2d53e90a8174fe6;\n")
	mapped := []string{csv, "--tenant", s.Tenant.ID, "--map", "name=label,owner=User,key=token,expires_at=ends"}
	report := filepath.Join(i.dir, "report.csv")

	out, errOut := i.run(exitError, append(mapped, "--dry-run", "--report", report)...)
	if !strings.Contains(errOut, "2 of 5 lines good; this was a dry run, and nothing was brought in, 3 refused") {
		t.Errorf("%s", errOut)
	}
	for _, want := range []string{"4     malformed", "5     key_weak", "6     owner_unknown"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if b, err := os.ReadFile(report); err != nil || strings.Count(string(b), "\r\n") != 4 {
		t.Errorf("the report: %v %s", err, b)
	}
	if got := s.MustVerify(oldKey1, ""); got.Valid {
		t.Error("a dry run brought a key in")
	}

	out, _ = i.run(exitError, append(mapped, "--accept-weak", "--json")...)
	var done api.ImportProgress
	if err := json.Unmarshal([]byte(out), &done); err != nil || done.State != "done" || done.Done != 5 || done.FailedTotal != 2 || len(done.Refused) != 2 {
		t.Fatalf("%v %s", err, out)
	}
	for _, key := range []api.Secret{oldKey1, oldKey2, "password1"} {
		if got := s.MustVerify(key, ""); !got.Valid || got.Principal.ID != ann.ID {
			t.Errorf("%s", got.Code)
		}
	}

	lines := i.file("more.jsonl", `{"name":"As digest","owner":"ann","digest":"sha256:`+sumOf(oldKey3)+`"}`+"\n\n"+`["no object"]`+"\n"+`{"name":"n","owner":7,"key":"x"}`)
	out, errOut = i.run(exitError, lines, "--tenant", s.Tenant.ID)
	if !strings.Contains(errOut, "1 of 3 lines imported, 2 refused") || strings.Count(out, "malformed") != 2 || !strings.Contains(out, "3     malformed") {
		t.Errorf("%s%s", out, errOut)
	}
	if got := s.MustVerify(oldKey3, ""); !got.Valid {
		t.Errorf("by its digest: %s", got.Code)
	}
}

// A tenant's own people import while the operators let them, and a wrong file is told before
// anything is sent.
func TestImportCommandRefuses(t *testing.T) {
	s := clavigertest.NewServer(t)
	system, err := s.Admin().IssueAPIKey(t.Context(), api.IssueAPIKeyRequest{Name: "import"})
	if err != nil {
		t.Fatal(err)
	}
	boss := s.MustCreateUser("boss", "super_admin")
	i := &importer{T: t, server: s, credential: s.MustIssueAPIKey(boss).Key.Reveal(), dir: t.TempDir()}
	good := i.file("keys.csv", "name,owner,key,expires_at\nReports,boss,"+oldKey1+",\n")
	if _, errOut := i.run(exitError, good); !strings.Contains(errOut, "import") || !strings.Contains(errOut, "window") {
		t.Errorf("%s", errOut)
	}
	tenants := i.credential
	i.credential = system.Key.Reveal()
	if out, _ := i.run(exitOK, "open", s.Tenant.ID, "--for", "2h"); !strings.Contains(out, "Its people may import") {
		t.Errorf("%s", out)
	}
	i.credential = tenants
	for name, row := range map[string]struct{ file, want string }{
		"no head":     {i.file("a.csv", ""), "no head"},
		"other heads": {i.file("b.csv", "a,b,c\n1,2,3\n"), "--map"},
		"no file":     {filepath.Join(i.dir, "none.csv"), "no such file"},
	} {
		want := exitUsage
		if name == "no file" {
			want = exitError
		}
		if _, errOut := i.run(want, row.file); !strings.Contains(errOut, row.want) {
			t.Errorf("%s: %s", name, errOut)
		}
	}
	i.run(exitUsage, good, "--map", "colour=x")
	i.run(exitUsage, good, "--map", "name=x")
	i.run(exitUsage, good, "--format", "xml")
	if _, errOut := i.run(exitOK, good); !strings.Contains(errOut, "1 of 1 lines imported, 0 refused") {
		t.Errorf("%s", errOut)
	}
	if got := s.MustVerify(oldKey1, ""); !got.Valid || got.Principal.ID != boss.ID {
		t.Errorf("%s", got.Code)
	}
	i.credential = system.Key.Reveal()
	if out, _ := i.run(exitOK, "close", s.Tenant.ID); !strings.Contains(out, "no") {
		t.Errorf("%s", out)
	}
}

func TestProgressBar(t *testing.T) {
	for _, row := range []struct {
		done, total int64
		want        string
	}{{0, 10, "[..........]"}, {5, 10, "[#####.....]"}, {10, 10, "[##########]"}, {3, 0, "[##########]"}} {
		if got := bar(row.done, row.total, 10); got != row.want {
			t.Errorf("%d of %d: %s", row.done, row.total, got)
		}
	}
	var out bytes.Buffer
	p := &progress{out: &out, total: 4}
	p.at(2, 1)
	p.end()
	if !strings.Contains(out.String(), "2 of 4 lines, 1 refused") {
		t.Errorf("%q", out.String())
	}
	newProgress(&out, 4).at(4, 0)
}

// Whatever a file holds, reading it ends, and a line has one place.
func FuzzReadImport(f *testing.F) {
	f.Add([]byte("name,owner,key\na,b,c\n\"d\ne\",f,g\n"), false)
	f.Add([]byte("name;owner;digest;expires_at\n\"a\"b;c;d\n"), false)
	f.Add([]byte("{\"name\":\"a\",\"owner\":\"b\",\"key\":\"c\"}\n\n[]\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, lines bool) {
		format := formatCSV
		if lines {
			format = formatLines
		}
		next, err := readImport(bytes.NewReader(data), format, nil)
		if err != nil {
			return
		}
		before := int64(0)
		for n := 0; ; n++ {
			l, err := next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil || l.Line <= before || n > len(data) {
				t.Fatalf("line %d after %d: %v", l.Line, before, err)
			}
			before = l.Line
		}
	})
}
