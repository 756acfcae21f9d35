package token

import (
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/claviger-io/claviger/internal/secret"
)

// Config says what a Ring writes into tokens and how it opens its keys.
type Config struct {
	Issuer   string // the installation's URL
	Audience string // empty means Issuer
	// Open opens the private half of a signing key. Nil: nothing can be signed here.
	Open func(keyID string, sealed []byte) (secret.Secret, error)
}

// Ring signs and reads the installation's own tokens. Its keys are replaced as a whole,
// never changed, so that no token is ever read with half of them. Safe for concurrent use.
type Ring struct {
	issuer, audience string
	open             func(string, []byte) (secret.Secret, error)
	keys             atomic.Pointer[Keys]

	mu      sync.Mutex
	signers map[string]*signer // guarded by mu: private halves opened so far, of keys that are in the ring
}

// Keys is one immutable set of signing keys. Which one it is tells whether a signature that
// was found right would be found right again.
type Keys struct {
	list []*key
	byID map[string]*key
	jwks []byte
}

// NewRing makes a ring without keys: it reads nothing and signs nothing.
func NewRing(c Config) *Ring {
	if c.Audience == "" {
		c.Audience = c.Issuer
	}
	r := &Ring{issuer: c.Issuer, audience: c.Audience, open: c.Open, signers: make(map[string]*signer)}
	r.keys.Store(newKeys(nil))
	return r
}

// Issuer is the iss of tokens.
func (r *Ring) Issuer() string { return r.issuer }

// Audience is the aud of tokens.
func (r *Ring) Audience() string { return r.audience }

// Keys is the set of keys at this moment. It is another one after each Replace that changed
// something.
func (r *Ring) Keys() *Keys { return r.keys.Load() }

// JWKS is the public keys, of RFC 7517. The slice is shared: nobody may change it.
func (r *Ring) JWKS() []byte { return r.keys.Load().jwks }

// Replace makes list the ring's keys. A key that can't be read is left out and reported;
// the others count all the same.
func (r *Ring) Replace(list []SigningKey) error {
	var errs []error
	old := r.keys.Load()
	made := make([]*key, 0, len(list))
	for _, k := range list {
		next, err := newKey(k)
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: %.40q", err, k.ID))
			continue
		}
		made = append(made, next)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !old.same(made) {
		keys := newKeys(made)
		r.keys.Store(keys)
		for id := range r.signers {
			if keys.byID[id] == nil {
				delete(r.signers, id)
			}
		}
	}
	return errors.Join(errs...)
}

func (k *Keys) same(list []*key) bool {
	if len(k.list) != len(list) {
		return false
	}
	for _, n := range list {
		o := k.byID[n.ID]
		if o == nil || !o.SignsFrom.Equal(n.SignsFrom) || !o.VerifiesUntil.Equal(n.VerifiesUntil) {
			return false
		}
	}
	return true
}

// signing is the key that signs at a time: the one that took over last.
func (k *Keys) signing(at time.Time) *key {
	var best *key
	for _, c := range k.list {
		if c.SignsFrom.After(at) || !c.accepts(at) {
			continue
		}
		if best == nil || c.SignsFrom.After(best.SignsFrom) || c.SignsFrom.Equal(best.SignsFrom) && c.ID > best.ID {
			best = c
		}
	}
	return best
}

func (k *key) accepts(at time.Time) bool {
	return k.VerifiesUntil.IsZero() || at.Before(k.VerifiesUntil)
}

var (
	// ErrNoKey means that there is nothing to sign with.
	ErrNoKey = errors.New("there is no signing key")
	// ErrTooLong means that a token would be longer than MaxLength.
	ErrTooLong = errors.New("the token would be longer than 8 KiB")
	errClaims  = errors.New("the claims are incomplete")
)

// Sign makes a token. Issuer and audience are the ring's own. ErrTooLong means that the
// scope is too long for one.
func (r *Ring) Sign(c Claims) (string, error) {
	c.Issuer, c.Audience = r.issuer, r.audience
	if !c.complete() {
		return "", errClaims
	}
	k := r.keys.Load().signing(c.IssuedAt)
	if k == nil {
		return "", ErrNoKey
	}
	s, err := r.signer(k)
	if err != nil {
		return "", err
	}
	payload := c.append(make([]byte, 0, 512))
	out := make([]byte, 0, len(payload)*4/3+512)
	out = append(append(out, k.header(c.Use)...), '.')
	out = base64.RawURLEncoding.AppendEncode(out, payload)
	signature, err := s.sign(string(out))
	if err != nil {
		return "", err
	}
	out = base64.RawURLEncoding.AppendEncode(append(out, '.'), signature)
	if len(out) > MaxLength {
		return "", ErrTooLong
	}
	return string(out), nil
}

// signer opens the private half of a key when it is first needed, and keeps it.
func (r *Ring) signer(k *key) (*signer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.signers[k.ID]; s != nil {
		return s, nil
	}
	if r.open == nil || k.Sealed == nil {
		return nil, ErrNoKey
	}
	private, err := r.open(k.ID, k.Sealed)
	if err != nil {
		return nil, fmt.Errorf("opening the signing key: %w", err)
	}
	s, err := newSigner(k.Algorithm, private)
	if err != nil {
		return nil, err
	}
	r.signers[k.ID] = s
	return s, nil
}

// Read reads one of the installation's own tokens. ok is false unless everything is right,
// its times included. It says nothing about whether what it was made for still holds.
func (r *Ring) Read(raw string, now time.Time) (c Claims, ok bool) {
	p, fault := Parse(raw)
	if fault != None {
		return Claims{}, false
	}
	found, fault := r.Check(&p, now)
	if fault != None || found.When(now.UnixMicro()) != None {
		return Claims{}, false
	}
	return found.Claims, true
}

// Own reports whether a token claims to be one of the installation's own.
func (p *Parsed) Own() bool { return p.Type == typeAccess || p.Type == typeSession }

// Checked is a token whose signature is right.
type Checked struct {
	Claims
	Keys *Keys // the set that it was checked with
	// From and Until, exclusive, are when it is accepted, in Unix microseconds.
	From, Until int64
}

// Check checks signature and claims, but not whether the token's times include now: for that
// there is When, which a caller that remembers what was checked asks each time.
func (r *Ring) Check(p *Parsed, now time.Time) (c Checked, f Fault) {
	c.Keys = r.keys.Load()
	if !p.Own() {
		return c, BadType
	}
	k := c.Keys.byID[p.KeyID]
	switch {
	case k == nil || !k.accepts(now):
		return c, UnknownKey
	case p.Algorithm != string(k.Algorithm):
		return c, BadAlgorithm
	case !k.made(p.signed, p.signature):
		return c, BadSignature
	}
	c.Claims, f = p.ownClaims()
	// Nodes' clocks may differ by a minute.
	c.From, c.Until = c.IssuedAt.UnixMicro()-Skew.Microseconds(), c.ExpiresAt.UnixMicro()
	if end := k.VerifiesUntil; !end.IsZero() {
		c.Until = min(c.Until, end.UnixMicro())
	}
	return c, f
}

// When says whether the token is accepted at a time in Unix microseconds.
func (c *Checked) When(at int64) Fault { return within(at, c.From, c.Until) }

func newKeys(list []*key) *Keys {
	k := &Keys{list: list, byID: make(map[string]*key, len(list))}
	for _, one := range list {
		k.byID[one.ID] = one
	}
	k.jwks = jwksOf(list)
	return k
}
