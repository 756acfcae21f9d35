package secret

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"math"
	"strings"
	"unsafe"
)

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

// Valid reports whether t is one of the key types.
func (t Type) Valid() bool {
	_, ok := typeOf(string(t))
	return ok
}

// typeOf returns the constant that equals s, so that nothing keeps a caller's buffer alive.
func typeOf(s string) (Type, bool) {
	switch s {
	case "uk":
		return UserKey, true
	case "ok":
		return OrganizationKey, true
	case "ak":
		return AccountKey, true
	case "app":
		return AppKey, true
	case "aps":
		return AppSecret, true
	case "ccs":
		return ClientSecret, true
	case "vk":
		return VerifierKey, true
	}
	return "", false
}

// The lengths of a key's parts, in characters.
const (
	idLen     = 12
	secretLen = 43
	checkLen  = 6
	tailLen   = idLen + 1 + secretLen + checkLen

	defaultBrand = "clv"
	minBrandLen  = 2
	maxBrandLen  = 12
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Format makes and parses keys of one installation's brand. The zero Format has brand "clv".
type Format struct {
	Brand string // 2 to 12 lower-case letters; empty means "clv"
}

// Parsed is a key whose form and checksum are right. It says nothing of whether it
// exists. It holds the secret in clear, and prints without it.
type Parsed struct {
	Type   Type
	ID     [idLen]byte
	Secret [secretLen]byte
}

// Format writes the type and the ID; never the secret.
func (p Parsed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// String returns the type and the ID, and [redacted] for the rest.
func (p Parsed) String() string { return string(p.Type) + "_" + string(p.ID[:]) + "_" + Redacted }

// MarshalText returns what String does.
func (p Parsed) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// LogValue returns what String does.
func (p Parsed) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Validate returns an error when the brand cannot be one.
func (f Format) Validate() error {
	b := f.brand()
	if len(b) < minBrandLen || len(b) > maxBrandLen {
		return errors.New("a brand has 2 to 12 letters")
	}
	for i := range len(b) {
		if b[i] < 'a' || b[i] > 'z' {
			return errors.New("a brand has lower-case letters a to z only")
		}
	}
	return nil
}

func (f Format) brand() string {
	if f.Brand == "" {
		return defaultBrand
	}
	return f.Brand
}

// Generate makes a key with a new random ID. It reads about 60 bytes from rand, which
// must be a cryptographic source, and fails when rand does.
func (f Format) Generate(t Type, rand io.Reader) (Secret, Parsed, error) {
	var random [idLen + secretLen]byte
	if err := fillBase62(random[:], rand); err != nil {
		return Secret{}, Parsed{}, err
	}
	return f.assemble(t, [idLen]byte(random[:idLen]), [secretLen]byte(random[idLen:]))
}

// GenerateFor makes a key with a new secret for an ID that exists: for rotation, and for
// the second secret of an app. It fails as Generate does.
func (f Format) GenerateFor(id [12]byte, t Type, rand io.Reader) (Secret, Parsed, error) {
	var random [secretLen]byte
	if err := fillBase62(random[:], rand); err != nil {
		return Secret{}, Parsed{}, err
	}
	return f.assemble(t, id, random)
}

func (f Format) assemble(t Type, id [idLen]byte, hidden [secretLen]byte) (Secret, Parsed, error) {
	if err := f.Validate(); err != nil {
		return Secret{}, Parsed{}, err
	}
	known, ok := typeOf(string(t))
	if !ok {
		return Secret{}, Parsed{}, errors.New("there is no such type of key")
	}
	if !isBase62(string(id[:])) {
		return Secret{}, Parsed{}, errors.New("a key's ID has base62 characters only")
	}
	p := Parsed{Type: known, ID: id, Secret: hidden}
	body := f.brand() + "_" + string(known) + "_" + string(id[:]) + "_" + string(hidden[:])
	check := checkOf(crc32.ChecksumIEEE([]byte(body)))
	return New(body + string(check[:])), p, nil
}

// fillBase62 fills out with characters that are all equally likely. Bytes from 248 on
// are thrown away: 256 is no multiple of 62, so a plain remainder would favour some.
func fillBase62(out []byte, rand io.Reader) error {
	const fair = 256 / len(alphabet) * len(alphabet)
	if rand == nil {
		return errors.New("no source of randomness was given")
	}
	var buf [64]byte
	n := 0
	// A working source needs one or two rounds; a stuck one must not hang the caller.
	for range 16 {
		if _, err := io.ReadFull(rand, buf[:]); err != nil {
			return fmt.Errorf("reading randomness: %w", err)
		}
		for _, b := range buf {
			if n == len(out) {
				break
			}
			if int(b) < fair {
				out[n] = alphabet[int(b)%len(alphabet)]
				n++
			}
		}
		if n == len(out) {
			clear(buf[:])
			return nil
		}
	}
	return errors.New("the source of randomness repeats itself")
}

// checkOf writes a checksum in base62, most significant character first.
func checkOf(sum uint32) (out [checkLen]byte) {
	for i := checkLen - 1; i >= 0; i-- {
		out[i] = alphabet[sum%uint32(len(alphabet))]
		sum /= uint32(len(alphabet))
	}
	return out
}

// Parse takes a key apart. ok is false unless brand, type, length, alphabet and checksum
// are all right. It keeps nothing of s and allocates nothing.
func (f Format) Parse(s string) (p Parsed, ok bool) {
	brand := f.brand()
	start := len(s) - tailLen // of the ID
	// The shortest prefix is brand, two underscores and a type of two letters.
	if start < len(brand)+4 || s[:len(brand)] != brand || s[len(brand)] != '_' || s[start-1] != '_' || s[start+idLen] != '_' {
		return Parsed{}, false
	}
	t, ok := typeOf(s[len(brand)+1 : start-1])
	if !ok {
		return Parsed{}, false
	}
	body := start + idLen + 1 + secretLen // where the checksum begins
	if !isBase62(s[start:start+idLen]) || !isBase62(s[start+idLen+1:body]) || !checks(s, body) {
		return Parsed{}, false
	}
	p.Type = t
	copy(p.ID[:], s[start:])
	copy(p.Secret[:], s[start+idLen+1:])
	return p, true
}

// checks reports whether the 6 characters from body on are the checksum of all before.
//
// hash/crc32 takes 64 bytes in a third less time than 63, because only then it uses the
// processor's carry-less multiplication, and a user key of the default brand has 63 bytes
// before its checksum. So both sides go on over the first characters of the checksum
// itself: a step of CRC-32 loses nothing, and the ends are equal only if the starts were.
func checks(s string, body int) bool {
	claimed := uint64(0)
	for _, c := range readOnlyBytes(s[body:]) {
		value := values[c]
		if value < 0 {
			return false
		}
		claimed = claimed*uint64(len(alphabet)) + uint64(value)
	}
	if claimed > math.MaxUint32 { // six characters can say more than 32 bits
		return false
	}
	const stride = 64
	end := min(max(body, stride), len(s))
	on := ^uint32(claimed)
	for _, c := range readOnlyBytes(s[body:end]) {
		on = crc32.IEEETable[byte(on)^c] ^ on>>8
	}
	return ^on == crc32.ChecksumIEEE(readOnlyBytes(s[:end]))
}

// values holds what each character of base62 is worth, and -1 for all others.
var values = func() (t [256]int8) {
	for i := range t {
		t[i] = int8(strings.IndexByte(alphabet, byte(i)))
	}
	return t
}()

// isBase62 looks at eight characters at a time; s has at least eight, and the last look
// may overlap the one before.
func isBase62(s string) bool {
	b := readOnlyBytes(s)
	var bad uint64
	for len(b) > 8 {
		bad |= outsideBase62(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	tail := readOnlyBytes(s)[len(s)-8:]
	return bad|outsideBase62(binary.LittleEndian.Uint64(tail)) == 0
}

// outsideBase62 returns a word whose bytes have the top bit set where those of x are no
// base62 characters. With every byte of v under 0x80, adding 0x80-c sets the top bit of
// those that are at least c, and carries into no neighbour.
func outsideBase62(x uint64) uint64 {
	const (
		ones = 0x0101010101010101
		tops = 0x80 * ones
	)
	v := x &^ tops
	lower := v | 0x20*ones // A to Z become a to z, and nothing else does
	digit := (v + (0x80-'0')*ones) &^ (v + (0x80-'9'-1)*ones)
	letter := (lower + (0x80-'a')*ones) &^ (lower + (0x80-'z'-1)*ones)
	return (x | ^(digit | letter)) & tops
}

// readOnlyBytes looks at a string as bytes without a copy. A copy would be an allocation
// on every verification, because hash/crc32 calls through a function variable.
func readOnlyBytes(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s)) //nolint:gosec // crc32 only reads; the string outlives the call
}

// Hint returns what of a key may be shown: "clv_uk_Ab3d…9xYz", the prefix with the first
// 4 characters of the ID and the last 4 of the checksum. Those 4 tell 24 bits about a
// secret of 256. It is empty for a string that is no key of this format.
func (f Format) Hint(s Secret) string {
	p, ok := f.Parse(s.Reveal())
	if !ok {
		return ""
	}
	clearText := s.Reveal()
	return f.brand() + "_" + string(p.Type) + "_" + string(p.ID[:4]) + "…" + clearText[len(clearText)-4:]
}

// Pattern returns the regular expression that finds this format's keys in any text, for
// secret scanners. It is in the syntax that RE2, PCRE and Hyperscan share.
func (f Format) Pattern() string {
	return `\b` + f.brand() + `_(?:uk|ok|ak|app|aps|ccs|vk)_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\b`
}

// CutToID returns the credential ID ("crd_…") of a pasted key of any brand, so that a
// search for a key never carries its secret further. Whatever follows the ID is dropped
// unread, also when it is cut short or damaged. ok is false for anything else.
func CutToID(s string) (credentialID string, ok bool) {
	s = strings.TrimSpace(s)
	brand, rest, found := strings.Cut(s, "_")
	if !found || (Format{Brand: brand}).Validate() != nil || brand == "" {
		return "", false
	}
	kind, rest, found := strings.Cut(rest, "_")
	if _, known := typeOf(kind); !found || !known || len(rest) < idLen+1 || rest[idLen] != '_' {
		return "", false
	}
	if !isBase62(rest[:idLen]) {
		return "", false
	}
	return "crd_" + rest[:idLen], true
}
