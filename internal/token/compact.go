package token

import (
	"encoding/base64"
	"strings"
)

// Parsed is a token in the compact form, taken apart and not yet believed. Its strings are
// its own: it keeps nothing of the text that it was read from but Signed.
type Parsed struct {
	Algorithm string
	KeyID     string
	Type      string // "" for none
	claims    string // JSON
	signed    string // header and claims as they were sent
	signature []byte
}

// strict refuses stray bits at the end. It skips line breaks, which onlyBase64 refuses.
var strict = base64.RawURLEncoding.Strict()

func onlyBase64(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != ""
}

func decode(s string) ([]byte, bool) {
	if !onlyBase64(s) {
		return nil, false
	}
	b, err := strict.DecodeString(s)
	return b, err == nil
}

// Parse takes a token apart and reads its header.
func Parse(raw string) (p Parsed, f Fault) {
	if len(raw) > MaxLength {
		return p, TooLong
	}
	last := strings.LastIndexByte(raw, '.')
	if last < 0 {
		return p, BadForm
	}
	first := strings.IndexByte(raw[:last], '.')
	if first < 0 {
		return p, BadForm
	}
	// A third dot between the two is no character of base64.
	header, ok1 := decode(raw[:first])
	claims, ok2 := decode(raw[first+1 : last])
	signature, ok3 := decode(raw[last+1:])
	if !ok1 || !ok2 || !ok3 {
		return p, BadForm
	}
	p.signed, p.signature, p.claims = raw[:last], signature, string(claims)
	return p, p.readHeader(string(header))
}

// readHeader takes what it knows. What would change how the token is to be read, or brings
// or names a key, is refused and never followed; members without such meaning are let be.
func (p *Parsed) readHeader(header string) Fault {
	fault := None
	text := func(v value, into *string) {
		if v.kind != isString || v.text == "" {
			fault = BadHeader
		}
		*into = v.text
	}
	ok := readObject(header, func(name string, v value) {
		switch name {
		case "alg":
			text(v, &p.Algorithm)
		case "kid":
			text(v, &p.KeyID)
		case "typ":
			text(v, &p.Type)
		case "crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc":
			fault = ForeignKey
		}
	})
	switch {
	case !ok:
		return BadHeader
	case fault != None:
		return fault
	case p.Algorithm == "":
		return BadAlgorithm
	case p.KeyID == "" || len(p.KeyID) > maxKeyID:
		return BadKeyID
	}
	return None
}

// maxKeyID is as long as any key ID that we give out, with room.
const maxKeyID = 64
