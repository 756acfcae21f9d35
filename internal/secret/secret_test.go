package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/secret"
)

const canary = "canary-Zx81-in-clear"

// holder keeps secrets where fmt may not call their methods.
type holder struct {
	private secret.Secret
	inMap   map[string]secret.Secret
	inSlice []secret.Secret
	pointer *secret.Secret
	any     any
}

func newHolder() holder {
	s := secret.New(canary)
	return holder{s, map[string]secret.Secret{"a": s}, []secret.Secret{s}, &s, s}
}

func TestSecretNeverPrints(t *testing.T) {
	s := secret.New(canary)
	for _, verb := range "vTsqxXdoObcUeEfFgGtpw" {
		for _, flags := range []string{"", "+", "#", "-", " ", "0", "30", ".3"} {
			format := "%" + flags + string(verb)
			values := []any{s, &s, []secret.Secret{s}, map[secret.Secret]int{s: 1}, struct{ S secret.Secret }{s}, newHolder()}
			for _, v := range values {
				requireHidden(t, format, fmt.Sprintf(format, v))
			}
		}
	}
	requireHidden(t, "Sprint", fmt.Sprint(s, &s, newHolder()))
	requireHidden(t, "Errorf", fmt.Errorf("failed with %v: %w", s, errors.New("x")).Error())
	if got := fmt.Sprintf("%v|%+v|%#v|%s|%q|%x|%d", s, s, s, s, s, s, s); got != strings.TrimSuffix(strings.Repeat(secret.Redacted+"|", 7), "|") {
		t.Errorf("printed %q", got)
	}
	if got := s.String() + s.GoString(); got != secret.Redacted+secret.Redacted {
		t.Errorf("String and GoString gave %q", got)
	}
}

func TestSecretNeverLeavesAnEncoder(t *testing.T) {
	type payload struct {
		S       secret.Secret            `json:"s" xml:"s"`
		P       *secret.Secret           `json:"p" xml:"p"`
		Of      map[string]secret.Secret `json:"of" xml:"-"`
		private secret.Secret
	}
	s := secret.New(canary)
	v := payload{s, &s, map[string]secret.Secret{"k": s}, s}

	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"s":"[redacted]","p":"[redacted]","of":{"k":"[redacted]"}}`; string(j) != want {
		t.Errorf("JSON: %s, want %s", j, want)
	}
	x, err := xml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(x, []byte("<s>[redacted]</s><p>[redacted]</p>")) {
		t.Errorf("XML: %s", x)
	}
	var g bytes.Buffer
	if err := gob.NewEncoder(&g).Encode(s); err != nil {
		t.Fatal(err)
	}
	var h bytes.Buffer
	if err := template.Must(template.New("").Parse("{{.S}} {{.P}} {{printf \"%s\" .S}}")).Execute(&h, v); err != nil {
		t.Fatal(err)
	}
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{"JSON": string(j), "XML": string(x), "gob": g.String(), "template": h.String(), "text": string(text)} {
		requireHidden(t, name, out)
	}
	_ = v.private
}

func TestSecretNeverLogs(t *testing.T) {
	s := secret.New(canary)
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		log := slog.New(h).With("with", s)
		log.InfoContext(t.Context(), "logged", "plain", s, "pointer", &s, "group", slog.GroupValue(slog.Any("in", s)),
			"slice", []secret.Secret{s}, "holder", newHolder(), "error", fmt.Errorf("it was %v", s))
	}
	requireHidden(t, "slog", out.String())
	if !strings.Contains(out.String(), secret.Redacted) {
		t.Errorf("logged nothing: %s", out.String())
	}
}

func TestSecretRevealsOnlyOnRequest(t *testing.T) {
	s := secret.New(canary)
	if s.Reveal() != canary || s.IsZero() {
		t.Error("Reveal does not give what New hid")
	}
	var zero secret.Secret
	if zero.Reveal() != "" || !zero.IsZero() || !secret.New("").IsZero() {
		t.Error("the zero Secret is not empty")
	}
	for _, row := range []struct {
		a, b string
		want bool
	}{{"", "", true}, {canary, canary, true}, {canary, "", false}, {canary, canary + "x", false}, {canary, strings.ToUpper(canary), false}} {
		if got := secret.New(row.a).Equal(secret.New(strings.Clone(row.b))); got != row.want {
			t.Errorf("Equal(%q, %q) = %v", row.a, row.b, got)
		}
	}
}

func TestParsedNeverPrints(t *testing.T) {
	f := secret.Format{}
	s, p := mustGenerate(t, f, secret.UserKey)
	hidden := string(p.Secret[:])
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).InfoContext(t.Context(), "logged", "value", p, "pointer", &p)
	j, err := json.Marshal(map[string]any{"p": p, "q": &p})
	if err != nil {
		t.Fatal(err)
	}
	text := out.String() + string(j)
	for _, verb := range "vsqxXdobcU" {
		text += fmt.Sprintf("%"+string(verb)+" %+"+string(verb)+" %#"+string(verb), p, &p, p)
	}
	if strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hidden)) || strings.Contains(text, s.Reveal()) {
		t.Errorf("a parsed key printed its secret: %s", text)
	}
	if want := "uk_" + string(p.ID[:]) + "_[redacted]"; p.String() != want {
		t.Errorf("printed %q, want %q", p, want)
	}
}

// requireHidden looks for the canary as it is and in the forms that fmt can turn it into.
func requireHidden(t *testing.T, where, out string) {
	t.Helper()
	for _, form := range []string{canary, canary[:3], fmt.Sprintf("%x", canary[:4]), fmt.Sprintf("%X", canary[:4]), fmt.Sprintf("% x", canary[:4]), fmt.Sprintf("%d", []byte(canary[:4]))} {
		if strings.Contains(out, strings.Trim(form, "[]")) {
			t.Errorf("%s shows the secret: %s", where, out)
		}
	}
}
