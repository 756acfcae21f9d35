// Package secret makes, formats, parses, digests, compares and redacts secrets.
//
// Its promise: a Secret prints as [redacted] through every formatter, logger and
// encoder; one method shows it. A key string is
//
//	clv_<type>_<id>_<secret><check>
//
// in base62 (0-9A-Za-z): 12 characters of ID, 43 of secret (256 bits), 6 of CRC-32
// (IEEE) over all before them. What is stored is HMAC-SHA-256(pepper, id ‖ secret), 55
// bytes, which is one block of SHA-256.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what a Secret looks like to everyone but the caller of Reveal.
const Redacted = "[redacted]"

// Secret is a string that must not be printed by accident. The zero Secret is no secret
// at all. Compare with Equal: == compares where two secrets are kept, not what they are.
type Secret struct {
	// A pointer, because fmt calls no methods on unexported fields: a Secret inside
	// somebody's private field would be printed in clear if it held the string itself.
	value *string
}

// New hides s. New("") is the zero Secret.
func New(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{value: &s}
}

// Reveal returns the clear string: the only way to it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is nothing to hide.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal compares two secrets in time that depends on their lengths alone.
func (s Secret) Equal(o Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

// Format writes [redacted] for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) {
	// The error would be of the writer that fmt itself keeps; fmt reports it.
	_, _ = io.WriteString(f, Redacted)
}

// String returns [redacted].
func (s Secret) String() string { return Redacted }

// GoString returns [redacted].
func (s Secret) GoString() string { return Redacted }

// MarshalText returns [redacted], for every encoder that knows texts: XML, CSV, flags.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON returns "[redacted]".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// MarshalBinary returns [redacted]; gob asks for it.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(Redacted), nil }

// LogValue returns [redacted], for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }
