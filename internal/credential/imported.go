package credential

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
)

// The lengths of an imported key in clear, in bytes. Shorter ones are guessed at once, and a
// longer one would be no key.
const (
	MinImported = 8
	MaxImported = 1024
)

// ValidateImported checks a key that another system made: its form, that it is none of
// ours, and that it is strong enough, or weak ones are accepted. Its problems have codes of
// their own: key_malformed, key_of_claviger, key_weak.
func ValidateImported(f secret.Format, key secret.Secret, acceptWeak bool) (Origin, error) {
	text := key.Reveal()
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || strings.TrimSpace(text) != text:
		return Imported, problem.New(problem.Invalid, "key_malformed", "A key has no control characters, and no spaces at its ends.")
	case len(text) < MinImported || len(text) > MaxImported:
		return Imported, problem.New(problem.Invalid, "key_malformed", "A key has from 8 to 1,024 characters.")
	case f.Prefixed(text):
		return Imported, problem.New(problem.Invalid, "key_of_claviger",
			"This key begins as those do that Claviger makes. Such keys are not imported: issue one instead.")
	case secret.Strength(text) >= secret.StrongBits:
		return Imported, nil
	case acceptWeak:
		return ImportedWeak, nil
	}
	return Imported, problem.New(problem.Invalid, "key_weak",
		"This key is weaker than 112 bits. Give its owner a new one, or accept weak keys: they work, and guessing at them is slowed down.")
}

// ImportedHint is what may be shown of an imported key: its last four characters where all
// before them are strong enough by themselves, and nothing otherwise.
func ImportedHint(key secret.Secret) string {
	text := key.Reveal()
	cut := len(text) - 4
	if cut < 0 || secret.Strength(text[:cut]) < secret.StrongBits || !utf8.ValidString(text[cut:]) {
		return ""
	}
	return "…" + text[cut:]
}
