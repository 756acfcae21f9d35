package gateway

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Presented is the one credential of a request: Credential alone, or ID with Secret. It
// holds a secret in clear; it is not for logs.
type Presented struct {
	Credential string
	ID, Secret string
}

// maxHeader bounds a credential: the longest that there will be, a signed token, has 8 KiB.
const maxHeader = 16 << 10

// FromHeader takes the credential out of the headers: Authorization with Bearer or Basic,
// or X-API-Key. ok is false when there is none, when there are several, also the same one
// twice, and when it is malformed: which of two would be meant is not for us to guess.
func FromHeader(h http.Header) (p Presented, ok bool) {
	// Both names are in canonical form, so the map can be read as it is.
	authorization, key := h["Authorization"], h["X-Api-Key"]
	switch {
	case len(authorization) == 1 && len(key) == 0:
		return FromAuthorization(authorization[0])
	case len(authorization) == 0 && len(key) == 1:
		return alone(key[0])
	}
	return Presented{}, false
}

// FromAuthorization takes the credential out of a whole Authorization value, "Bearer …" or
// "Basic …". The scheme's case doesn't matter (RFC 9110 §11.1). A Basic value whose user or
// password is empty is the other part alone: some programs can only do it that way.
func FromAuthorization(value string) (p Presented, ok bool) {
	scheme, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimLeft(rest, " ")
	switch {
	case len(scheme) == len("Bearer") && strings.EqualFold(scheme, "Bearer"):
		return alone(rest)
	case len(scheme) == len("Basic") && strings.EqualFold(scheme, "Basic"):
		return basic(rest)
	}
	return Presented{}, false
}

// alone accepts one word without spaces, commas and control characters. A comma would be
// two values that a proxy joined.
func alone(s string) (Presented, bool) {
	if s == "" || len(s) > maxHeader {
		return Presented{}, false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == ',' || c >= 0x7f {
			return Presented{}, false
		}
	}
	return Presented{Credential: s}, true
}

// basic decodes user and password (RFC 7617). User IDs never hold a colon, so the first
// one is the border.
func basic(encoded string) (Presented, bool) {
	if len(encoded) > maxHeader {
		return Presented{}, false
	}
	clear, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || !utf8.Valid(clear) {
		return Presented{}, false
	}
	id, key, found := strings.Cut(string(clear), ":")
	if !found || strings.ContainsAny(string(clear), "\r\n\x00") {
		return Presented{}, false
	}
	switch {
	case id == "":
		return alone(key)
	case key == "":
		return alone(id)
	}
	return Presented{ID: id, Secret: key}, true
}
