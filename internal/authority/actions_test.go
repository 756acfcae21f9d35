package authority_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// actionsFile lists every action that an audit event can have. The console's tests read it
// and ask for words for each.
var actionsFile = filepath.Join("testdata", "actions.txt")

// neverDone are actions that the source could be read to record, and that no kind has. A
// world's end tells where that is wrong.
var neverDone = []string{
	"app.issue",                                                                                  // it is app.create
	"account_key.rename", "app.rename", "client_credential.rename", "service_account_key.rename", // they are changed
	"account_key.reveal", "api_key.reveal", "client_credential.reveal", "service_account_key.reveal", "verifier_key.reveal", // shown once
	"account_key.hand_over", "app.hand_over", "organization_key.hand_over", "service_account_key.hand_over", "verifier_key.hand_over", // no user's
}

// TestActions reads this package's source for every action that it records (B6), so that
// none is added which the audit log can't tell in words.
func TestActions(t *testing.T) {
	s := readSource(t)
	var got []string
	for action := range s.recorded() {
		if !slices.Contains(neverDone, action) {
			got = append(got, action)
		}
	}
	slices.Sort(got)
	if *update {
		if err := os.WriteFile(actionsFile, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(knownActions(t), got); diff != "" {
		t.Errorf("actions differ from %s (-want +got): if they are meant to, run with -update, then give them words in console/src/pages/audit-log/words.ts\n%s", actionsFile, diff)
	}
}

// knownActions are those of the golden file.
func knownActions(tb testing.TB) []string {
	tb.Helper()
	b, err := os.ReadFile(actionsFile)
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Fields(string(b))
}

// actionsAreKnown checks what a test's world recorded against the golden file, because the
// source could be misread.
func (w *world) actionsAreKnown() {
	rows, err := w.raw.Query(`SELECT DISTINCT action FROM audit_events`)
	if err != nil {
		return // the test broke its database
	}
	defer func() { _ = rows.Close() }()
	known := knownActions(w)
	for rows.Next() {
		var action string
		if rows.Scan(&action) == nil && !slices.Contains(known, action) {
			w.Errorf("%s was recorded, and is not in %s", action, actionsFile)
		}
	}
	if err := rows.Err(); err != nil {
		w.Logf("reading the actions: %v", err)
	}
}

// source is this package as written, as far as actions go.
type source struct {
	*testing.T
	files  *token.FileSet
	fields map[string][]ast.Expr // the values of fields in composite literals, by field
	consts map[string][]ast.Expr // the constants of a type
	calls  map[string][]call     // by the name of what is called
}

// call is a call, and the function that it stands in.
type call struct {
	*ast.CallExpr
	in *ast.FuncDecl
}

func readSource(t *testing.T) *source {
	t.Helper()
	s := &source{T: t, files: token.NewFileSet(), fields: map[string][]ast.Expr{}, consts: map[string][]ast.Expr{}, calls: map[string][]call{}}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			s.read(d)
		}
	}
	return s
}

func (s *source) read(d ast.Decl) {
	in, _ := d.(*ast.FuncDecl)
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok {
				s.fields[key.Name] = append(s.fields[key.Name], n.Value)
			}
		case *ast.ValueSpec:
			if of, ok := n.Type.(*ast.Ident); ok {
				s.consts[of.Name] = append(s.consts[of.Name], n.Values...)
			}
		case *ast.CallExpr:
			switch fun := n.Fun.(type) {
			case *ast.SelectorExpr:
				s.calls[fun.Sel.Name] = append(s.calls[fun.Sel.Name], call{n, in})
			case *ast.Ident:
				s.calls[fun.Name] = append(s.calls[fun.Name], call{n, in})
			}
		}
		return true
	})
}

// recorded are the actions that (*change).record is called with.
func (s *source) recorded() map[string]bool {
	s.Helper()
	out := map[string]bool{}
	for _, c := range s.calls["record"] {
		if len(c.Args) == 4 {
			maps.Copy(out, s.texts(c.Args[0], c.in))
		}
	}
	if len(out) == 0 {
		s.Fatal("nothing records an action: has (*change).record another name?")
	}
	return out
}

// texts are what an expression in a function can be. What it can't tell fails the test.
func (s *source) texts(e ast.Expr, in *ast.FuncDecl) map[string]bool {
	s.Helper()
	out := map[string]bool{}
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			s.Fatal(err)
		}
		out[text] = true
	case *ast.BinaryExpr:
		for left := range s.texts(e.X, in) {
			for right := range s.texts(e.Y, in) {
				out[left+right] = true
			}
		}
	case *ast.SelectorExpr: // rules.noun, transition.action
		for _, value := range s.fields[e.Sel.Name] {
			if _, ok := value.(*ast.BasicLit); ok {
				maps.Copy(out, s.texts(value, in))
			}
		}
	case *ast.CallExpr: // string(departure)
		if to, ok := e.Fun.(*ast.Ident); ok && to.Name == "string" {
			_, of := parameter(e.Args[0], in)
			for _, value := range s.consts[of] {
				maps.Copy(out, s.texts(value, in))
			}
		}
	case *ast.Ident:
		if i, of := parameter(e, in); of == "string" {
			for _, c := range s.calls[in.Name.Name] {
				maps.Copy(out, s.texts(c.Args[i], c.in))
			}
		}
	}
	if len(out) == 0 {
		s.Fatalf("%v: can't tell which actions this is: write it as a text, or as a parameter that is given texts", s.files.Position(e.Pos()))
	}
	return out
}

// parameter is the place and the type of a function's parameter; no type if e is none.
func parameter(e ast.Expr, in *ast.FuncDecl) (place int, of string) {
	id, ok := e.(*ast.Ident)
	if !ok || in == nil {
		return 0, ""
	}
	for _, field := range in.Type.Params.List {
		for _, name := range field.Names {
			if t, ok := field.Type.(*ast.Ident); ok && name.Name == id.Name {
				return place, t.Name
			}
			place++
		}
	}
	return 0, ""
}
