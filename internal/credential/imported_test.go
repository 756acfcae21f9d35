package credential_test

import (
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
)

// PV3: which keys of other systems are taken.
func TestValidateImported(t *testing.T) {
	const strong = "9a0364b9e99bb480dd25e1f0284c8555"
	for _, row := range []struct {
		key  string
		weak bool // accepted
		want credential.Origin
		code string
	}{
		{strong, false, credential.Imported, ""},
		{strong, true, credential.Imported, ""},
		{"d41d8cd98f00b204", true, credential.ImportedWeak, ""},
		{"d41d8cd98f00b204", false, 0, "key_weak"},
		{"", true, 0, "key_malformed"},
		{"1234567", true, 0, "key_malformed"},
		{strings.Repeat(strong, 33), true, 0, "key_malformed"},
		{strong + " ", true, 0, "key_malformed"},
		{strong + "\n" + strong, true, 0, "key_malformed"},
		{strong + "\xff", true, 0, "key_malformed"},
		{"clv_" + strong, true, 0, "key_of_claviger"},
		{"clv_uk_Ab3dEf6hIj9k_zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ20SLPf", true, 0, "key_of_claviger"},
	} {
		got, err := credential.ValidateImported(secret.Format{}, secret.New(row.key), row.weak)
		if row.code != "" {
			if !problem.HasCode(err, row.code) || row.key != "" && strings.Contains(err.Error(), row.key) {
				t.Errorf("%.20q: %v, want %s", row.key, err, row.code)
			}
			continue
		}
		if err != nil || got != row.want {
			t.Errorf("%.20q: %v, %v", row.key, got, err)
		}
	}
}

func TestImportedHint(t *testing.T) {
	for key, want := range map[string]string{
		"hh9GyDZnRFAxPr7Va2pQ8sLm":         "…8sLm", // 142 bits
		"9a0364b9e99bb480dd25e1f0284c8555": "…8555",
		"9a0364b9e99bb480dd25e1f0284c85":   "", // what would stay hidden has 104 bits
		"d41d8cd98f00b204":                 "",
	} {
		if got := credential.ImportedHint(secret.New(key)); got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
}
