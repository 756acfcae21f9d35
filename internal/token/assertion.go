package token

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"time"
)

// What a service account's JWT may be (VX4).
const (
	MaxAssertionLife = time.Hour
	// Skew is how far a service account's clock may be off.
	Skew = time.Minute
)

// Assertion is a JWT that a service account signed for itself.
type Assertion struct {
	KeyID  string
	Issuer string // the account ID in decimal, whether it came as a number or a string
	// From and Until, exclusive, are when it is accepted, in Unix microseconds, with the skew.
	From, Until int64
	// ExpiresAt is the end that it names.
	ExpiresAt time.Time

	signed    string
	signature []byte
}

// Assertion reads p as a service account's JWT: RS256, a UUID for its key, the issuer, and
// iat and exp at most an hour apart. Claims without a meaning here are let be.
func (p *Parsed) Assertion() (a Assertion, f Fault) {
	switch {
	case p.Algorithm != string(RS256):
		return a, BadAlgorithm
	case p.Type != "" && !strings.EqualFold(p.Type, "JWT"):
		return a, BadType
	case !isUUID(p.KeyID):
		return a, BadKeyID
	}
	a = Assertion{KeyID: p.KeyID, signed: p.signed, signature: p.signature}
	var iat, exp, nbf int64
	var hasIat, hasExp, hasNbf bool
	badTimes := false
	moment := func(v value, into *int64, has *bool) {
		*into, *has = v.micros()
		badTimes = badTimes || !*has
	}
	ok := readObject(p.claims, func(name string, v value) {
		switch name {
		case "iss":
			if v.kind == isNumber || v.kind == isString {
				a.Issuer = v.text
			}
		case "iat":
			moment(v, &iat, &hasIat)
		case "exp":
			moment(v, &exp, &hasExp)
		case "nbf":
			moment(v, &nbf, &hasNbf)
		}
	})
	switch {
	case !ok || a.Issuer == "":
		return a, BadClaims
	case badTimes || !hasIat || !hasExp:
		return a, BadTimes
	case exp <= iat || exp-iat > MaxAssertionLife.Microseconds():
		return a, TooLongLived
	}
	from := iat
	if hasNbf {
		from = max(iat, nbf)
	}
	a.From, a.Until = from-Skew.Microseconds(), exp+Skew.Microseconds()
	a.ExpiresAt = time.UnixMicro(exp).UTC()
	return a, None
}

// When says whether the assertion is accepted at a time in Unix microseconds.
func (a *Assertion) When(at int64) Fault { return within(at, a.From, a.Until) }

func within(at, from, until int64) Fault {
	switch {
	case at < from:
		return NotYet
	case at >= until:
		return Over
	}
	return None
}

// SignedBy reports whether the private half of key made the signature. Keys that no
// service account may have sign nothing.
func (a *Assertion) SignedBy(key *rsa.PublicKey) bool {
	if CheckRSA(key) != nil {
		return false
	}
	sum := sha256.Sum256([]byte(a.signed))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], a.signature) == nil
}

// isUUID takes the form in which key IDs are given out: lower case, with hyphens.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}
