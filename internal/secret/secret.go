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

// Secret is a string that must not be printed by accident.
type Secret struct{ value string }

// Type is the part of a key that tells what it is.
type Type string

// The key types.
const (
	UserKey         Type = "uk"
	OrganizationKey Type = "ok"
	AccountKey      Type = "ak"
	AppKey          Type = "app"
	AppSecret       Type = "aps"
	ClientSecret    Type = "ccs"
	VerifierKey     Type = "vk"
)

// Digest is the keyed digest of a secret.
type Digest [32]byte

// Parsed is a key whose form and checksum are right. It says nothing of whether it exists.
type Parsed struct {
	Type   Type
	ID     [12]byte
	Secret [43]byte
}

// Format makes and parses keys of one installation's brand. The zero Format has brand "clv".
type Format struct {
	Brand string // 2 to 12 lower-case letters; empty means "clv"
}
