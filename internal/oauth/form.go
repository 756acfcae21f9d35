package oauth

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	maxBody       = 64 << 10
	maxParameters = 32
)

// form is a decoded body. A parameter without a value is as good as absent (RFC 6749 §3.2).
type form struct {
	names, values []string
}

func (f *form) get(name string) string {
	for i, n := range f.names {
		if n == name {
			return f.values[i]
		}
	}
	return ""
}

// readForm reads a request's parameters. They come in the body, each once, and as forms are
// encoded; a query in the address would end up in logs.
func readForm(w http.ResponseWriter, r *http.Request) (*form, *fault) {
	if r.Method != http.MethodPost {
		return nil, errMethod
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return nil, invalidRequest("Send the parameters in the body, not in the address.")
	}
	types := r.Header["Content-Type"]
	if len(types) != 1 || !isForm(types[0]) {
		return nil, invalidRequest("The body must be of the type application/x-www-form-urlencoded.")
	}
	if len(r.Header["Content-Encoding"]) > 0 {
		return nil, invalidRequest("The body must not be compressed.")
	}
	body, err := readBody(w, r)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, invalidRequest("The body ended early.")
	}
	return parseForm(string(body))
}

// readBody reads a body of known length, as nearly all are, in one piece.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if n := r.ContentLength; n >= 0 && n <= maxBody {
		body := make([]byte, n)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
}

func isForm(contentType string) bool {
	if contentType == "application/x-www-form-urlencoded" {
		return true
	}
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return false
	}
	charset, named := parameters["charset"]
	return !named || strings.EqualFold(charset, "utf-8")
}

func parseForm(body string) (*form, *fault) {
	f := &form{names: make([]string, 0, 4), values: make([]string, 0, 4)}
	for body != "" {
		var pair string
		pair, body, _ = strings.Cut(body, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, ok1 := unescape(name)
		value, ok2 := unescape(value)
		if !ok1 || !ok2 {
			return nil, invalidRequest("The body is not a form in UTF-8.")
		}
		for _, n := range f.names {
			if n == name {
				return nil, invalidRequest("A parameter is there twice.")
			}
		}
		if len(f.names) == maxParameters {
			return nil, invalidRequest("There are too many parameters.")
		}
		f.names, f.values = append(f.names, name), append(f.values, value)
	}
	return f, nil
}

// unescape decodes one name or value of a form. Nothing of ours has control characters.
func unescape(s string) (string, bool) {
	if plain(s) {
		return s, true
	}
	clear, err := url.QueryUnescape(s)
	if err != nil || !utf8.ValidString(clear) {
		return "", false
	}
	for i := range len(clear) {
		if c := clear[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return "", false
		}
	}
	return clear, true
}

// plain reports whether a text means itself in a form.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '%' || c == '+' {
			return false
		}
	}
	return true
}
