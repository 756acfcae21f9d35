package credential

import (
	"github.com/claviger-io/claviger/internal/problem"
)

// ID is the public name of a credential: 12 base62 characters, on the wire "crd_" and
// the same 12. It is unchanged by rotation and never used again.
type ID [12]byte

const idPrefix = "crd_"

// String returns the ID as it is on the wire; empty for the zero ID.
func (id ID) String() string {
	if id.IsZero() {
		return ""
	}
	return idPrefix + string(id[:])
}

// IsZero reports whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// ParseID reads an ID from the wire. Anything that cannot be one is an Invalid problem.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != len(idPrefix)+len(id) || s[:len(idPrefix)] != idPrefix {
		return ID{}, malformedID()
	}
	copy(id[:], s[len(idPrefix):])
	for _, c := range id {
		digit, upper, lower := c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z'
		if !digit && !upper && !lower {
			return ID{}, malformedID()
		}
	}
	return id, nil
}

func malformedID() error {
	return problem.New(problem.Invalid, "malformed_credential_id", `A credential ID is "crd_" and 12 letters or digits. Check the ID.`)
}

// MarshalText returns what String does.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote: nothing gives the zero ID.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = ID{}
		return nil
	}
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}
