package credential_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
)

func TestParseID(t *testing.T) {
	for s, want := range map[string]bool{
		"crd_8fK2mPq0Zr4T":         true,
		"crd_000000000000":         true,
		"crd_zzzzzzzzzzzZ":         true,
		"":                         false,
		"crd_":                     false,
		"crd_8fK2mPq0Zr4":          false,
		"crd_8fK2mPq0Zr4TT":        false,
		"CRD_8fK2mPq0Zr4T":         false,
		"8fK2mPq0Zr4T":             false,
		"org_8fK2mPq0Zr4T":         false,
		"crd_8fK2mPq0Zr4-":         false,
		"crd_8fK2mPq0Zr4 ":         false,
		" crd_8fK2mPq0Zr4":         false,
		"crd_8fK2mPq0Zré":          false,
		"crd_\x00\x00\x00\x00\x00": false,
		"crd_\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00": false,
		strings.Repeat("crd_8fK2mPq0Zr4T", 60_000):             false,
	} {
		id, err := credential.ParseID(s)
		if (err == nil) != want {
			t.Errorf("ParseID(%.40q): %v", s, err)
			continue
		}
		if want && id.String() != s {
			t.Errorf("%q comes back as %q", s, id)
		}
		if !want && (!id.IsZero() || !problem.HasCode(err, "malformed_credential_id") || !problem.Is(err, problem.Invalid)) {
			t.Errorf("ParseID(%.40q): ID %q, error %v", s, id, err)
		}
		if !want && s != "" && strings.Contains(err.Error(), s) && len(s) > 4 {
			t.Errorf("the refusal of %q repeats it", s)
		}
	}
}

func TestIDInJSON(t *testing.T) {
	type body struct {
		ID   credential.ID
		None credential.ID
		By   map[credential.ID]int
	}
	id, err := credential.ParseID("crd_8fK2mPq0Zr4T")
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(body{ID: id, By: map[credential.ID]int{id: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"ID":"crd_8fK2mPq0Zr4T","None":"","By":{"crd_8fK2mPq0Zr4T":1}}`; string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	var back body
	if err := json.Unmarshal(data, &back); err != nil || back.ID != id || !back.None.IsZero() || back.By[id] != 1 {
		t.Errorf("read back %+v, %v", back, err)
	}
	for _, bad := range []string{`{"ID":"crd_x"}`, `{"ID":5}`, `{"ID":["crd_8fK2mPq0Zr4T"]}`} {
		back := body{ID: id}
		if err := json.Unmarshal([]byte(bad), &back); err == nil || back.ID != id {
			t.Errorf("%s is read as %q", bad, back.ID)
		}
	}
}

func TestKinds(t *testing.T) {
	for kind, keyType := range map[credential.Kind]secret.Type{
		credential.UserKey:           secret.UserKey,
		credential.OrganizationKey:   secret.OrganizationKey,
		credential.AccountKey:        secret.AccountKey,
		credential.App:               secret.AppKey,
		credential.ClientCredential:  secret.ClientSecret,
		credential.ServiceAccountKey: "",
		credential.VerifierKey:       secret.VerifierKey,
	} {
		if !kind.Valid() || kind.KeyType() != keyType {
			t.Errorf("%s: valid %v, key type %q", kind, kind.Valid(), kind.KeyType())
		}
	}
	for _, kind := range []credential.Kind{"", "uk", "USER_KEY", "user_keys"} {
		if kind.Valid() || kind.KeyType() != "" {
			t.Errorf("%q passes for a kind", kind)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("crd_8fK2mPq0Zr4T")
	f.Add("crd_")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := credential.ParseID(s)
		if err != nil {
			if !id.IsZero() {
				t.Error("a refused ID left something behind")
			}
			return
		}
		if id.String() != s || id.IsZero() {
			t.Errorf("%q comes back as %q", s, id)
		}
		var back credential.ID
		if err := back.UnmarshalText([]byte(s)); err != nil || back != id {
			t.Errorf("UnmarshalText(%q) = %q, %v", s, back, err)
		}
	})
}
