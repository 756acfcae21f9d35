package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
)

// Scheme says how another system digested a key before it came here: "sha256", or
// "hmac-sha256:REF" under the import key of that reference. It is empty for keys that
// Claviger made.
type Scheme string

// SHA256 is the scheme of plain SHA-256, and of keys that came in clear.
const SHA256 Scheme = "sha256"

const hmacScheme = "hmac-sha256:"

// Foreign is a digest as another system keeps it. What is stored of an imported key is
// HMAC-SHA-256(pepper, Foreign), 32 bytes long inside, so that it never equals the digest of
// a key of ours, whose inside has 55.
type Foreign [sha256.Size]byte

// SumForeign is the SHA-256 of a key in clear.
func SumForeign(key string) Foreign { return sha256.Sum256(readOnlyBytes(key)) }

// ParseForeign reads "sha256:HEX" or "hmac-sha256:REF:HEX", with 64 hexadecimal digits of
// either case. ok is false for anything else. It doesn't know which references there are.
func ParseForeign(text string) (s Scheme, d Foreign, ok bool) {
	at := strings.LastIndexByte(text, ':')
	if at < 0 || len(text)-at-1 != hex.EncodedLen(len(d)) {
		return "", d, false
	}
	s = Scheme(text[:at])
	if ref, keyed := strings.CutPrefix(string(s), hmacScheme); s != SHA256 && (!keyed || !validRef(ref)) {
		return "", d, false
	}
	if _, err := hex.Decode(d[:], []byte(text[at+1:])); err != nil {
		return "", Foreign{}, false
	}
	return s, d, true
}

// maxRef is the longest reference of an import key, in characters.
const maxRef = 32

func validRef(ref string) bool {
	for i := range len(ref) {
		c := ref[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return ref != "" && len(ref) <= maxRef
}

// ImportKeys are the keys under which other systems digested theirs, by reference. They are
// kept where the peppers are. The nil ImportKeys has none. Safe for concurrent use.
type ImportKeys struct{ list []*importKey }

type importKey struct {
	ref  string
	pool sync.Pool // of *foreignMAC
}

// MaxImportKeys bounds what an unknown string costs: one HMAC each.
const MaxImportKeys = 8

// NewImportKeys takes the keys by reference: 1 to 32 lower-case letters, digits, hyphens and
// underscores. There may be none, and MaxImportKeys at most. The keys are copied.
func NewImportKeys(keys map[string][]byte) (*ImportKeys, error) {
	if len(keys) > MaxImportKeys {
		return nil, fmt.Errorf("there are more than %d import keys", MaxImportKeys)
	}
	k := &ImportKeys{}
	for ref, key := range keys {
		if !validRef(ref) {
			return nil, fmt.Errorf("an import key's reference has 1 to %d lower-case letters, digits, hyphens and underscores", maxRef)
		}
		if len(key) == 0 {
			return nil, errors.New("an import key is empty")
		}
		k.list = append(k.list, newImportKey(ref, append([]byte(nil), key...)))
	}
	slices.SortFunc(k.list, func(a, b *importKey) int { return strings.Compare(a.ref, b.ref) })
	return k, nil
}

func newImportKey(ref string, key []byte) *importKey {
	return &importKey{ref: ref, pool: sync.Pool{New: func() any {
		return &foreignMAC{sum: hmac.New(sha256.New, key)}
	}}}
}

// foreignMAC is a keyed hash with room for its result, so that summing allocates nothing.
type foreignMAC struct {
	sum hash.Hash
	out Foreign
}

func (i *importKey) sum(key string) Foreign {
	m, _ := i.pool.Get().(*foreignMAC) // the pool holds nothing else
	m.sum.Reset()
	_, _ = m.sum.Write(readOnlyBytes(key)) // a hash never fails to write
	m.sum.Sum(m.out[:0])
	f := m.out
	m.out = Foreign{}
	i.pool.Put(m)
	return f
}

// Knows reports whether a scheme needs no key, or one that is here.
func (k *ImportKeys) Knows(s Scheme) bool {
	if s == SHA256 {
		return true
	}
	ref, keyed := strings.CutPrefix(string(s), hmacScheme)
	return keyed && k != nil && slices.ContainsFunc(k.list, func(i *importKey) bool { return i.ref == ref })
}

// PastPepper is the digest of an imported key under one version of the pepper.
type PastPepper struct {
	Digest Digest
	Pepper int
}

// Imported returns HMAC-SHA-256(pepper, f), as Digest does for keys of ours.
func (ps *Peppers) Imported(version int, f *Foreign) (Digest, bool) {
	p := ps.find(version)
	if p == nil {
		return Digest{}, false
	}
	m, _ := p.pool.Get().(*mac) // the pool holds nothing else
	copy(m.in[:], f[:])
	d := m.sum(m.in[:len(f)])
	clear(m.in[:])
	p.pool.Put(m)
	return d, true
}

// AllImported appends the digests of one that may be stored: under each version of the pepper.
func (ps *Peppers) AllImported(to []PastPepper, f *Foreign) []PastPepper {
	for _, p := range ps.list {
		d, _ := ps.Imported(p.version, f) // the versions are those that there are
		to = append(to, PastPepper{Digest: d, Pepper: p.version})
	}
	return to
}

// Presented appends every digest under which a string that somebody presents may be
// stored: by each scheme, under each version of the pepper. What it costs depends on the
// string's length alone; it allocates nothing where to has room.
func (ps *Peppers) Presented(to []PastPepper, k *ImportKeys, key string) []PastPepper {
	f := SumForeign(key)
	to = ps.AllImported(to, &f)
	if k == nil {
		return to
	}
	for _, i := range k.list {
		f = i.sum(key)
		to = ps.AllImported(to, &f)
	}
	return to
}

// Prefixed reports whether a string begins as keys of this format do: such strings are
// never imported, and never looked for among those that were.
func (f Format) Prefixed(s string) bool {
	brand := f.brand()
	return len(s) > len(brand) && s[:len(brand)] == brand && s[len(brand)] == '_'
}
