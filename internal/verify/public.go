package verify

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// public is what a credential shows of itself: a client ID, or a key ID with its key.
type public struct {
	id  string
	key []byte // PKIX DER; nil for client credentials
	// parsed is key, once it was needed: reading it costs a fifth of a verification.
	parsed atomic.Pointer[rsa.PublicKey]
}

// rsa is nil where there is no key, or one that can't be read.
func (p *public) rsa() *rsa.PublicKey {
	if known := p.parsed.Load(); known != nil || p.key == nil {
		return known
	}
	parsed, err := x509.ParsePKIXPublicKey(p.key)
	key, ok := parsed.(*rsa.PublicKey)
	if err != nil || !ok {
		return nil
	}
	p.parsed.Store(key)
	return key
}

// publicIDs finds credentials by their public IDs.
type publicIDs struct {
	mu  sync.RWMutex             // guards ids
	ids map[string]credential.ID // only of credentials that are in the index
}

func (p *publicIDs) find(publicID string) (credential.ID, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	id, ok := p.ids[publicID]
	return id, ok
}

// replace makes a credential found by another public ID than before; either may be nil.
func (p *publicIDs) replace(id credential.ID, before, after *public) {
	if before == after {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if before != nil && p.ids[before.id] == id {
		delete(p.ids, before.id)
	}
	if after != nil {
		if p.ids == nil {
			p.ids = make(map[string]credential.ID)
		}
		p.ids[after.id] = id
	}
}

// publicOf returns nil for a credential without a public ID, and before if it says the same.
func publicOf(c *Credential, before *public) *public {
	if c.PublicID == "" {
		return nil
	}
	var key []byte
	if at := currentMaterial(c, kindOf(c.Kind)); at >= 0 {
		key = c.Material[at].PublicKey
	}
	if before != nil && before.id == c.PublicID && bytes.Equal(before.key, key) {
		return before
	}
	return &public{id: strings.Clone(c.PublicID), key: bytes.Clone(key)}
}

// Public is a credential as its public ID tells it. That it exists says nothing yet about
// whether it may be used: Proved does, once it is proved.
type Public struct {
	ID        credential.ID
	Kind      credential.Kind
	TenantID  tenancy.TenantID
	AccountID string // of the tenant, in decimal; empty when it isn't known
	PublicKey []byte // of a service account key, PKIX DER; read it, don't change it
}

// Public finds a credential, living or ended, by client ID or key ID.
func (x *Index) Public(publicID string) (Public, bool) {
	found, _, ok := x.publicRecord(publicID)
	return found, ok
}

// publicRecord is Public with the record itself, which stays the same one for as long as ID
// and key do.
func (x *Index) publicRecord(publicID string) (found Public, record *public, ok bool) {
	id, ok := x.public.find(publicID)
	if !ok {
		return Public{}, nil, false
	}
	hash := hashOf(&x.seed, &id)
	s := &x.shards[hash%shardCount]
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, _ := s.find(hash, &id, &x.mem)
	if e == nil {
		return Public{}, nil, false
	}
	h, r := x.dir.holders.at(e.holder), x.rareAt(e.rare)
	if r == nil || r.public == nil || r.public.id != publicID {
		return Public{}, nil, false // it changed in between
	}
	found = Public{ID: e.id, Kind: kinds[e.kind], TenantID: h.tenantID, PublicKey: r.public.key}
	if account := h.tenant.account.Load(); account != nil {
		found.AccountID = *account
	}
	return found, r.public, true
}

// Proved decides on a credential of any kind that its caller has proved by other means
// than the credential's own key: by a signature, or by a token that was made for it. The
// request's forms of credential must be empty. Otherwise it is as Verify.
func (x *Index) Proved(id credential.ID, r *Request) (res Result, err error) {
	p, at, staleness, err := x.fresh()
	if err != nil {
		return Result{}, err
	}
	if r.Credential != "" || r.ID != "" || r.Secret != "" {
		return Result{}, errForms
	}
	q := question{r: r, at: at, cost: r.Cost}
	if err := x.ask(&q); err != nil {
		return Result{}, err
	}
	res.Code, res.Revision, res.Staleness = NotFound, p.revision, staleness
	hash := hashOf(&x.seed, &id)
	s := &x.shards[hash%shardCount]
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, pos := s.find(hash, &id, &x.mem)
	if e == nil {
		return res, nil
	}
	f := x.foundAt(e)
	if f.elsewhere(&q) {
		return res, nil
	}
	x.answer(&q, &f, e.version, &res)
	x.count(&q, s, e, pos, &res)
	return res, nil
}
