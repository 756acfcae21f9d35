package tenancy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Hostile and odd texts, for every validator of names.
var hostile = map[string]string{
	"empty":              "",
	"only spaces":        "   ",
	"space before":       " a",
	"space after":        "a ",
	"no-break space end": "a\u00a0",
	"newline":            "a\nb",
	"return":             "a\rb",
	"tab":                "a\tb",
	"NUL":                "a\x00b",
	"escape":             "a\x1b[31mb",
	"delete":             "a\x7fb",
	"C1 control":         "a\u0085b",
	"invalid UTF-8":      "a\xffb",
	"cut UTF-8":          "a\xe2\x82",
	"surrogate":          "a\xed\xa0\x80b",
	"bidi override":      "a\u202eb",
	"bidi embedding":     "a\u202ab",
	"bidi isolate":       "a\u2066b",
	"right-to-left mark": "a\u200fb",
	"Arabic letter mark": "a\u061cb",
	"zero-width space":   "a\u200bb",
	"word joiner":        "a\u2060b",
	"byte order mark":    "\ufeffa",
	"soft hyphen":        "a\u00adb",
	"tag character":      "a\U000e0041b",
	"line separator":     "a\u2028b",
	"paragraph":          "a\u2029b",
	"private use":        "a\ue000b",
	"noncharacter":       "a\uffffb",
	"noncharacter, high": "a\U0010fffeb",
	"noncharacter, low":  "a\ufdd0b",
	"only joiners":       "\u200d\u200c",
	"only a filler":      "\u3164",
	"only blank braille": "\u2800",
	"only a combiner":    "\u0301",
	"too long":           strings.Repeat("ä", tenancy.MaxText+1),
	"1 MB":               strings.Repeat("a", 1<<20),
}

var fine = map[string]string{
	"plain":         "Reports 2027",
	"one character": "a",
	"longest":       strings.Repeat("ä", tenancy.MaxText),
	"formula":       `=HYPERLINK("x")`,
	"markup":        "<script>alert(1)</script>",
	"quotes":        `a"b'c`,
	"German":        "Kölner Büro",
	"Arabic":        "مكتب القاهرة",
	"Hebrew":        "משרד",
	"Persian joins": "می\u200cخواهم",
	"Hindi":         "कार्यालय",
	"Japanese":      "東京 支社",
	"emoji":         "👩\u200d🚀 team",
	"flag":          "🇩🇪",
}

func TestValidateName(t *testing.T) {
	for name, text := range hostile {
		err := tenancy.ValidateName("/display_name", text)
		p := problem.As(err)
		if !problem.Is(err, problem.Invalid) || p.Fields[0].Pointer != "/display_name" {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if len(text) > 2 && strings.Contains(p.Message+p.Fields[0].Message, text) {
			t.Errorf("%s: it comes back", name)
		}
	}
	for name, text := range fine {
		if err := tenancy.ValidateName("/name", text); err != nil {
			t.Errorf("%s: %v", name, problem.As(err).Fields)
		}
	}
}

func TestValidateSlug(t *testing.T) {
	for _, s := range []string{"ab", "acme", "acme-2", "a1", strings.Repeat("a", tenancy.MaxSlug)} {
		if err := tenancy.ValidateSlug(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "a", "1a", "-a", "a-", "a--b", "Acme", "a_b", "a b", "a.b", "ä2", "a\x00", strings.Repeat("a", tenancy.MaxSlug+1)} {
		if err := tenancy.ValidateSlug(s); !problem.Is(err, problem.Invalid) {
			t.Errorf("%q is accepted", s)
		}
	}
	for name, s := range hostile {
		if tenancy.ValidateSlug(s) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestValidateUsername(t *testing.T) {
	for _, s := range []string{"anna", "Anna.Müller", "anna@example.com", "anna müller", "安娜"} {
		if err := tenancy.ValidateUsername(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	// NV2: DOMAIN\user is taken apart at the backslash.
	for _, s := range []string{`DOMAIN\anna`, "anna:x", "an\u200dna"} {
		if err := tenancy.ValidateUsername(s); !problem.Is(err, problem.Invalid) {
			t.Errorf("%q is accepted", s)
		}
	}
	for name, s := range hostile {
		if tenancy.ValidateUsername(s) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestValidateEmail(t *testing.T) {
	for _, s := range []string{"", "a@example.com", "a.b+c@sub.example.com"} {
		if err := tenancy.ValidateEmail(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{
		"a", "@example.com", "a@", "a b@example.com", "Anna <a@example.com>", "<a@example.com>", "a@example.com, b@example.com",
		"a@example.com\r\nBcc: b@example.com", `"a b"@example.com`, "a(x)@example.com", "a@exa\u202emple.com", strings.Repeat("a", 250) + "@example.com",
	} {
		if err := tenancy.ValidateEmail(s); !problem.Is(err, problem.Invalid) {
			t.Errorf("%q is accepted", s)
		}
	}
}

// B12: external IDs and small metadata.
func TestValidateLabels(t *testing.T) {
	full := map[string]string{"k": strings.Repeat("a", tenancy.MaxMetadata-len(`{"k":""}`))}
	for name, l := range map[string]tenancy.Labels{
		"none":        {},
		"both":        {ExternalID: "cust-1", Metadata: map[string]string{"tier": "gold", "empty": ""}},
		"exactly 4 K": {Metadata: full},
	} {
		if err := tenancy.ValidateLabels(l); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, l := range map[string]tenancy.Labels{
		"empty key":        {Metadata: map[string]string{"": "x"}},
		"control in key":   {Metadata: map[string]string{"a\n": "x"}},
		"long key":         {Metadata: map[string]string{strings.Repeat("k", tenancy.MaxMetadataKey+1): "x"}},
		"control in value": {Metadata: map[string]string{"a": "x\ny"}},
		"bidi in value":    {Metadata: map[string]string{"a": "x\u202ey"}},
		"bad UTF-8":        {Metadata: map[string]string{"a": "\xff"}},
		"a byte too much":  {Metadata: map[string]string{"k": full["k"] + "a"}},
		"too much escaped": {Metadata: map[string]string{"k": strings.Repeat("<", 1000)}},
	} {
		err := tenancy.ValidateLabels(l)
		if !problem.Is(err, problem.Invalid) || problem.As(err).Fields[0].Pointer != "/metadata" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, s := range hostile {
		err := tenancy.ValidateLabels(tenancy.Labels{ExternalID: s, Metadata: map[string]string{"": ""}})
		want := 2
		if s == "" {
			want = 1
		}
		if got := len(problem.As(err).Fields); got != want {
			t.Errorf("external ID, %s: %d faults, want %d", name, got, want)
		}
	}
}

func TestTree(t *testing.T) {
	path := []tenancy.OrgID{"a", "b", "c"}
	for org, want := range map[tenancy.OrgID]bool{"a": true, "b": true, "c": true, "d": false, "": false} {
		if tenancy.IsWithin(path, org) != want {
			t.Errorf("within %q: %v", org, !want)
		}
	}
	if tenancy.IsWithin(nil, "a") || tenancy.IsWithin([]tenancy.OrgID{""}, "") {
		t.Error("nothing is within nothing")
	}
	child := tenancy.ChildPath(path[:2], "x")
	if path[2] != "c" || fmt.Sprint(child) != "[a b x]" {
		t.Errorf("got %v, and the parent's memory has %v", child, path)
	}
}

func TestValidatePlacement(t *testing.T) {
	deep := make([]tenancy.OrgID, tenancy.MaxDepth-1)
	for i := range deep {
		deep[i] = tenancy.OrgID(fmt.Sprint("o", i))
	}
	tests := []struct {
		name   string
		height int
		parent []tenancy.OrgID
		ok     bool
	}{
		{"below the root", 1, []tenancy.OrgID{"a"}, true},
		{"at the deepest level", 1, deep, true},
		{"with something below, too deep", 2, deep, false},
		{"below the deepest", 1, append(deep[:len(deep):len(deep)], "last"), false},
		{"nowhere", 1, nil, false},
		{"below itself", 1, []tenancy.OrgID{"a", "org"}, false},
		{"further below itself", 1, []tenancy.OrgID{"a", "org", "b"}, false},
	}
	for _, test := range tests {
		err := tenancy.ValidatePlacement("org", test.height, test.parent)
		if (err == nil) != test.ok || (err != nil && problem.As(err).Fields[0].Pointer != "/parent_id") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func FuzzValidateName(f *testing.F) {
	for _, s := range hostile {
		if len(s) < 1000 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if tenancy.ValidateName("/name", s) == nil && (strings.TrimSpace(s) != s || s == "" || strings.ContainsAny(s, "\x00\r\n\u202e\u2066\ufeff")) {
			t.Fatalf("%q is accepted", s)
		}
		if tenancy.ValidateEmail(s) == nil && strings.ContainsAny(s, "\r\n <>,") {
			t.Fatalf("address %q is accepted", s)
		}
	})
}

// NV2: domains as Windows and e-mail write them.
func TestValidateDomains(t *testing.T) {
	for _, good := range [][]string{nil, {"corp"}, {"example.com", "sub.example.com", "a_b-c"}, {strings.Repeat("x", 253)}} {
		if err := tenancy.ValidateDomains(good); err != nil {
			t.Errorf("%.40q: %v", good, err)
		}
	}
	for name, bad := range map[string][]string{
		"upper case": {"CORP"}, "twice": {"a", "a"}, "dots": {"a..b"}, "a dot first": {".a"}, "a hyphen last": {"a-"},
		"too long": {strings.Repeat("x", 254)}, "at": {"a@b"}, "backslash": {`a\b`}, "not ASCII": {"bücher.example"},
		"too many": strings.Split(strings.Repeat("x,", 20)+"x", ","),
	} {
		if err := tenancy.ValidateDomains(bad); !problem.Is(err, problem.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range hostile {
		if err := tenancy.ValidateDomains([]string{text}); err == nil {
			t.Errorf("%s is a domain", name)
		}
	}
	if got := tenancy.FoldDomain("Example.COM"); got != "example.com" {
		t.Errorf("folded: %q", got)
	}
}
