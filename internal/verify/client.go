package verify

import (
	"math"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
)

// Client is the verdict on a client that asks for a token.
type Client struct {
	Result
	PublicID      string        // the client ID; empty for apps
	TokenLifetime time.Duration // of the tenant's tokens
}

// Client decides on a client that proves itself by a pair: the client ID (ID) and secret
// (Secret) of a client credential, or the key and secret of an app. Of the request only these
// SourceIP and UserAgent count. It is as Verify, but that nothing is charged: a token is no call. Its
// use is counted.
func (x *Index) Client(r *Request) (c Client, err error) {
	p, at, staleness, err := x.fresh()
	if err != nil {
		return Client{}, err
	}
	c.Code, c.Revision, c.Staleness = NotFound, p.revision, staleness
	pair, ok := x.clientPair(r)
	asked := Request{SourceIP: r.SourceIP, UserAgent: r.UserAgent, OnlyTenant: r.OnlyTenant, DryRun: true}
	q := question{r: &asked, at: at, cost: 1, key: &pair.key}
	q.digest, _ = x.cfg.Peppers.Digest(x.cfg.Peppers.Current(), &pair.key)
	if !ok {
		_ = q.digest.Equal(x.dummy) // as long as for a wrong secret
		return c, nil
	}
	id := credential.ID(pair.key.ID)
	q.hash = hashOf(&x.seed, &id)
	s := &x.shards[q.hash%shardCount]
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, pos := s.find(q.hash, &id, &x.mem)
	if e == nil {
		_ = q.digest.Equal(x.dummy)
		return c, nil
	}
	f := x.foundAt(e)
	version, ok := x.match(&q, &f)
	second, both := x.matchSecond(&pair, &f, at)
	if e.kind != pair.kind || f.elsewhere(&q) || !both || !ok {
		return c, nil
	}
	if second != 0 {
		version = min(version, second) // a token ends with the older of the two
	}
	x.answer(&q, &f, version, &c.Result)
	if c.Code == RateLimited || c.Code == UsageExceeded {
		c.Code, c.Valid = Valid, true // what is used up are calls
	}
	asked.DryRun = false
	x.count(&q, s, e, pos, &c.Result)
	if version != e.version {
		x.notePrevious(&q, &f, version)
	}
	if f.rare != nil && f.rare.public != nil {
		c.PublicID = f.rare.public.id
	}
	c.TokenLifetime = time.Duration(f.holder.tenant.tokenLife.Load())
	return c, nil
}

// clientPair is what a client proves itself with. The credential's own secret is key.
type clientPair struct {
	kind   kind
	key    secret.Parsed
	second *secret.Parsed // of apps
}

// clientPair reads the two parts; false when they can't belong together.
func (x *Index) clientPair(r *Request) (p clientPair, ok bool) {
	found, ok := x.cfg.Format.Parse(r.Secret)
	if !ok {
		return p, false
	}
	switch found.Type {
	case secret.ClientSecret:
		p.kind, p.key = kindClientCredential, found
		id, known := x.public.find(r.ID)
		return p, known && id == credential.ID(found.ID)
	case secret.AppSecret:
		p.kind, p.second = kindApp, &found
		p.key, ok = x.cfg.Format.Parse(r.ID)
		return p, ok && p.key.Type == secret.AppKey && p.key.ID == found.ID
	case secret.UserKey, secret.OrganizationKey, secret.AccountKey, secret.AppKey, secret.VerifierKey:
	}
	return p, false
}

// matchSecond compares an app's secret, and returns its version; others have none.
func (x *Index) matchSecond(p *clientPair, f *found, at int64) (version uint32, ok bool) {
	if p.second == nil {
		return 0, p.kind != kindApp
	}
	if f.rare == nil {
		return 0, false
	}
	for i := range f.rare.second {
		s := &f.rare.second[i]
		d, known := x.cfg.Peppers.Digest(int(s.pepper), p.second)
		switch {
		case !d.Equal(s.digest) || !known:
		case at < s.until:
			version, ok = s.version, true
		default:
			x.clock.raise(at) // as in match
		}
	}
	return version, ok
}

// secondSecrets are an app's secrets beside its key.
func secondSecrets(c *Credential) (list []pastSecret) {
	if c.Kind != credential.App {
		return nil
	}
	for i := range c.Material {
		m := &c.Material[i]
		if m.Field != credential.FieldSecret {
			continue
		}
		until := int64(math.MaxInt64)
		if !m.ValidUntil.IsZero() {
			until = m.ValidUntil.UnixMicro()
		}
		list = append(list, pastSecret{digest: m.Digest, until: until, version: uint32(m.Version), pepper: pepperOf(m)})
	}
	return list
}
