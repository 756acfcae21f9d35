package oauth

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseForm(t *testing.T) {
	for body, want := range map[string]map[string]string{
		"":                         {},
		"a=b":                      {"a": "b"},
		"a=b&c=d":                  {"a": "b", "c": "d"},
		"a=b+c%20d%2B":             {"a": "b c d+"},
		"a":                        {"a": ""},
		"a=":                       {"a": ""},
		"a=b=c":                    {"a": "b=c"},
		"&&a=b&&":                  {"a": "b"},
		"%61=b":                    {"a": "b"},
		"a=%E2%82%AC":              {"a": "€"},
		"a=b%0D%0Ac":               {"a": "b\r\nc"},
		"grant_type=x;scope=y&z=1": {"grant_type": "x;scope=y", "z": "1"},
	} {
		f, ft := parseForm(body)
		if ft != nil {
			t.Errorf("%q: %s", body, ft.description)
			continue
		}
		got := map[string]string{}
		for i, n := range f.names {
			got[n] = f.values[i]
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: %s", body, d)
		}
	}
	for name, body := range map[string]string{
		"twice": "a=1&a=2", "twice, once empty": "a=&a=2", "twice, once escaped": "a=1&%61=2", "half an escape": "a=%2", "no escape": "a=%zz",
		"not UTF-8": "a=%ff", "NUL": "a=%00", "raw NUL": "a=\x00", "raw, not UTF-8": "a=\xff", "escape character": "a=%1b", "too many": strings.Repeat("x", 1) + many(33),
	} {
		if f, ft := parseForm(body); ft == nil || ft.code != "invalid_request" {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("&" + strings.Repeat("p", i+1) + "=1")
	}
	return b.String()
}

// What is read is what was written, and nothing is read twice.
func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=b&a=c", "%61=%62", "a=%zz", "grant_type=client_credentials&scope=a%3Ab", "&=&", "a=\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, ft := parseForm(body)
		if ft != nil {
			return
		}
		again := url.Values{}
		for i, n := range form.names {
			if !utf8.ValidString(n) || !utf8.ValidString(form.values[i]) || again.Has(n) {
				t.Fatalf("%q has %q twice, or not in UTF-8", body, n)
			}
			again.Set(n, form.values[i])
		}
		second, ft := parseForm(again.Encode())
		if ft != nil || len(second.names) != len(form.names) {
			t.Fatalf("%q is another form when written again", body)
		}
		for i, n := range form.names {
			if second.get(n) != form.values[i] {
				t.Fatalf("%q: %q changed", body, n)
			}
		}
	})
}

// RFC 6749 §2.3.1: what is joined was form-encoded before.
func TestBasic(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, row := range map[string]struct {
		value      string
		id, secret string
	}{
		"plain":             {encode("id:secret"), "id", "secret"},
		"encoded":           {encode("i%64:sec%72et"), "id", "secret"},
		"a colon in the ID": {encode("i%3Ad:secret"), "i:d", "secret"},
		"colons after":      {encode("id:a:b"), "id", "a:b"},
		"plus is a space":   {encode("a+b:c%2Bd"), "a b", "c+d"},
		"no secret":         {encode("id:"), "id", ""},
	} {
		l, ok := basic(row.value)
		if !ok || l.id != row.id || l.secret != row.secret {
			t.Errorf("%s: %+v, %v", name, l, ok)
		}
	}
	for name, value := range map[string]string{
		"no colon": encode("id"), "not base64": "###", "padding left out": strings.TrimRight(encode("id:secret1"), "="), "stray bits": "aWQ6c2VjcmV1=",
		"bad escape": encode("%zz:x"), "not UTF-8": encode("\xff:x"), "NUL": encode("a\x00:x"), "empty": "",
	} {
		if l, ok := basic(value); ok {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// Two ways at once are none.
func TestLogin(t *testing.T) {
	header := "Basic " + base64.StdEncoding.EncodeToString([]byte("id:secret"))
	for name, row := range map[string]struct {
		headers http.Header
		body    string
		bearer  bool
		code    string
		want    login
	}{
		"Basic":                 {http.Header{"Authorization": {header}}, "", false, "", login{id: "id", secret: "secret"}},
		"body":                  {nil, "client_id=id&client_secret=secret", false, "", login{id: "id", secret: "secret"}},
		"body without an ID":    {nil, "client_secret=secret", false, "", login{secret: "secret"}},
		"Bearer":                {http.Header{"Authorization": {"bearer x"}}, "", true, "", login{alone: "x"}},
		"X-API-Key":             {http.Header{"X-Api-Key": {"x"}}, "", true, "", login{alone: "x"}},
		"Bearer, not allowed":   {http.Header{"Authorization": {"Bearer x"}}, "", false, "invalid_client", login{}},
		"X-API-Key beside body": {http.Header{"X-Api-Key": {"x"}}, "client_secret=s", true, "invalid_request", login{}},
		"nobody":                {nil, "", true, "invalid_client", login{}},
		"both":                  {http.Header{"Authorization": {header}}, "client_id=id&client_secret=secret", false, "invalid_request", login{}},
		"both, empty secret":    {http.Header{"Authorization": {header}}, "client_id=id&client_secret=", false, "", login{id: "id", secret: "secret"}},
		"two headers":           {http.Header{"Authorization": {header, header}}, "", false, "invalid_request", login{}},
		"two kinds of header":   {http.Header{"Authorization": {header}, "X-Api-Key": {"x"}}, "", true, "invalid_request", login{}},
		"Digest":                {http.Header{"Authorization": {"Digest x"}}, "", true, "invalid_client", login{}},
		"another ID":            {http.Header{"Authorization": {header}}, "client_id=other", false, "invalid_request", login{}},
	} {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", nil)
		r.Header = row.headers
		f, ft := parseForm(row.body)
		if ft != nil {
			t.Fatal(name)
		}
		got, ft := loginOf(r, f, row.bearer)
		if ft == nil && (row.code != "" || got != row.want) || ft != nil && ft.code != row.code {
			t.Errorf("%s: %+v, %+v", name, got, ft)
		}
	}
}
