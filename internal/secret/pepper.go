package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// Digest is the keyed digest of a secret.
type Digest [sha256.Size]byte

// Equal compares two digests in constant time.
func (d Digest) Equal(o Digest) bool { return subtle.ConstantTimeCompare(d[:], o[:]) == 1 }

// MinPepperLen is the fewest bytes that a pepper may have: as many as the digest has.
const MinPepperLen = 32

// Peppers are the keys of the stored digests, by version. They live outside the
// database, so that a stolen database is worth nothing to a guesser. Safe for concurrent
// use.
type Peppers struct {
	current int
	list    []*pepper
}

type pepper struct {
	version int
	pool    sync.Pool // of *mac
}

// mac is a keyed hash with its buffers, kept together so that a digest allocates nothing.
type mac struct {
	hash hash.Hash
	in   [idLen + secretLen]byte
	out  Digest
}

// NewPeppers takes the peppers by version (1 and up), each of at least MinPepperLen
// bytes, and which of them new digests are made with. The keys are copied.
func NewPeppers(current int, keys map[int][]byte) (*Peppers, error) {
	ps := &Peppers{current: current}
	for version, key := range keys {
		if version < 1 {
			return nil, fmt.Errorf("pepper version %d: versions begin at 1", version)
		}
		if len(key) < MinPepperLen {
			return nil, fmt.Errorf("pepper version %d is shorter than %d bytes", version, MinPepperLen)
		}
		ps.list = append(ps.list, newPepper(version, key))
	}
	if ps.find(current) == nil {
		return nil, errors.New("the current pepper version is not among the peppers")
	}
	return ps, nil
}

func newPepper(version int, key []byte) *pepper {
	key = append([]byte(nil), key...)
	return &pepper{version: version, pool: sync.Pool{New: func() any {
		return &mac{hash: hmac.New(sha256.New, key)}
	}}}
}

// find goes through the list: there are one or two.
func (ps *Peppers) find(version int) *pepper {
	for _, p := range ps.list {
		if p.version == version {
			return p
		}
	}
	return nil
}

// Current is the version that new digests are made with.
func (ps *Peppers) Current() int { return ps.current }

// Digest returns HMAC-SHA-256(pepper, id ‖ secret). It is false when there is no pepper
// of that version; the caller must then refuse. It allocates nothing.
func (ps *Peppers) Digest(version int, k *Parsed) (Digest, bool) {
	p := ps.find(version)
	if p == nil {
		return Digest{}, false
	}
	m, _ := p.pool.Get().(*mac) // the pool holds nothing else
	copy(m.in[:idLen], k.ID[:])
	copy(m.in[idLen:], k.Secret[:])
	d := m.sum(m.in[:])
	clear(m.in[:])
	p.pool.Put(m)
	return d, true
}

func (m *mac) sum(in []byte) Digest {
	m.hash.Reset()
	_, _ = m.hash.Write(in) // a hash never fails to write
	m.hash.Sum(m.out[:0])
	return m.out
}
