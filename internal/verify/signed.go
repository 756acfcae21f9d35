package verify

import (
	"sync/atomic"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/token"
)

// refusal is why a token is NOT_FOUND. Only the log learns it.
type refusal struct {
	fault token.Fault
	keyID string // as far as it is one that we could have given out
}

func refused(f token.Fault) refusal { return refusal{fault: f} }

// verifySigned decides on a token or a service account's JWT. Everything that is wrong with
// it is NOT_FOUND; what happened to its credential is told once its signature is right.
func (x *Index) verifySigned(r *Request) (res Result, err error) {
	p, at, staleness, err := x.fresh()
	if err != nil {
		return Result{}, err
	}
	q := question{r: r, cost: r.Cost, at: at}
	if err := x.ask(&q); err != nil {
		return Result{}, err
	}
	res.Code, res.Revision, res.Staleness = NotFound, p.revision, staleness
	if why := x.decideSigned(&q, &res); why.fault != token.None {
		x.faults.note(x, why, at)
	}
	return res, nil
}

func (x *Index) decideSigned(q *question, res *Result) refusal {
	if q.r.Legacy {
		return refused(token.NotTaken)
	}
	text := q.r.Credential
	c := x.checked.find(text)
	if c == nil || c.keys != nil && c.keys != x.cfg.Tokens.Keys() {
		var why refusal
		if c, why = x.check(text, q.at); c == nil {
			return why
		}
	}
	fault, stale := x.settle(q, c, res)
	if stale {
		// The key was replaced since: what it once proved it must prove again.
		var why refusal
		if c, why = x.check(text, q.at); c == nil {
			return why
		}
		fault, stale = x.settle(q, c, res)
	}
	if stale {
		fault = token.UnknownKey
	}
	return refusal{fault, c.keyID}
}

// check proves a token by its signature and remembers it.
func (x *Index) check(text string, at int64) (*checked, refusal) {
	p, fault := token.Parse(text)
	if fault != token.None {
		return nil, refused(fault)
	}
	var c *checked
	var why refusal
	if p.Own() {
		c, why = x.checkOwn(&p, at)
	} else {
		c, why = x.checkAssertion(&p, at)
	}
	if c == nil {
		return nil, why
	}
	c.idHash = hashOf(&x.seed, &c.id)
	x.checked.put(text, c, at)
	return c, refusal{}
}

// checkOwn checks one of the installation's own tokens.
func (x *Index) checkOwn(p *token.Parsed, at int64) (*checked, refusal) {
	if x.cfg.Tokens == nil {
		return nil, refused(token.NotTaken)
	}
	found, fault := x.cfg.Tokens.Check(p, momentOf(at))
	if fault != token.None {
		return nil, refused(fault)
	}
	if fault = found.When(at); fault != token.None {
		return nil, refusal{fault, p.KeyID}
	}
	c := &checked{
		form: FormAccessToken, keyID: p.KeyID, id: found.Credential, claims: &found.Claims, keys: found.Keys,
		from: found.From, until: found.Until, expires: found.ExpiresAt,
	}
	if found.Use == token.Session {
		c.form = FormSessionToken
	} else {
		c.scope = access.SetOf(found.Scope...)
	}
	return c, refusal{}
}

// checkAssertion checks a service account's JWT. What is cheap to refuse comes first.
func (x *Index) checkAssertion(p *token.Parsed, at int64) (*checked, refusal) {
	a, fault := p.Assertion()
	if fault != token.None {
		return nil, refused(fault)
	}
	if fault = a.When(at); fault != token.None {
		return nil, refusal{fault, a.KeyID}
	}
	known, record, ok := x.publicRecord(a.KeyID)
	if !ok {
		return nil, refusal{token.UnknownKey, a.KeyID}
	}
	if a.Issuer != known.AccountID {
		return nil, refusal{token.OtherIssuer, a.KeyID}
	}
	key := record.rsa()
	if key == nil {
		return nil, refusal{token.UnknownKey, a.KeyID}
	}
	if !a.SignedBy(key) {
		return nil, refusal{token.BadSignature, a.KeyID}
	}
	return &checked{
		form: FormAssertion, keyID: a.KeyID, id: known.ID, issuer: a.Issuer, public: record,
		from: a.From, until: a.Until, expires: a.ExpiresAt,
	}, refusal{}
}

// settle decides by what holds now. stale means that the signature was proved with another
// key than the credential's.
func (x *Index) settle(q *question, c *checked, res *Result) (f token.Fault, stale bool) {
	if f = c.when(q.at); f != token.None {
		x.clock.raise(q.at) // once over it stays over, though the clock be set back
		return f, false
	}
	if c.claims != nil && x.revoked.has(c.claims.ID) {
		return token.Ended, false
	}
	if c.form == FormSessionToken {
		q.person = x.personOf(c) // before the shard's lock: whoever applies takes both
	}
	s := &x.shards[c.idHash%shardCount]
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, pos := s.find(c.idHash, &c.id, &x.mem)
	if e == nil {
		return token.UnknownKey, false
	}
	found := x.foundAt(e)
	if found.elsewhere(q) {
		return token.WrongForCaller, false
	}
	version, f, stale := found.bears(c, q.at)
	if f != token.None || stale {
		return f, stale
	}
	found.describe(res, version)
	res.Permissions = found.permissions()
	c.bound(q.person, res)
	x.conclude(q, &found, res)
	x.count(q, s, e, pos, res)
	if c.form == FormAssertion && found.rare.replaced && !q.r.DryRun {
		x.notePrevious(q, &found, version)
	}
	return token.None, false
}

// bears reports whether the credential is still the one that the token was made with.
func (f *found) bears(c *checked, at int64) (version uint32, fault token.Fault, stale bool) {
	if c.form == FormAssertion {
		account := f.holder.tenant.account.Load()
		switch {
		case f.rare.shown() != c.public:
			return 0, token.None, true
		case f.e.kind != kindServiceAccountKey:
			return 0, token.OtherKind, false
		case account == nil || *account != c.issuer:
			return 0, token.OtherIssuer, false
		}
		return f.e.version, token.None, false
	}
	t := c.claims
	takesAccess := f.e.kind == kindApp || f.e.kind == kindClientCredential
	takesSession := f.e.kind == kindOrganizationKey
	switch {
	case t.Tenant != f.holder.tenantID,
		c.form == FormAccessToken && t.Subject != f.holder.who.ID:
		return 0, token.UnlikeIssued, false
	case c.form == FormAccessToken && !takesAccess, c.form == FormSessionToken && !takesSession:
		return 0, token.OtherKind, false
	case !f.lives(uint32(t.SecretVersion), at):
		return 0, token.UnlikeIssued, false
	}
	return uint32(t.SecretVersion), token.None, false
}

// lives reports whether a version of the credential's secret is current or in its grace
// period.
func (f *found) lives(version uint32, at int64) bool {
	if version == f.e.version {
		return true
	}
	if f.rare == nil {
		return false
	}
	for i := range f.rare.past {
		if p := &f.rare.past[i]; p.version == version && at < p.until {
			return true
		}
	}
	return false
}

// bound fills in what the token makes of the credential's verdict.
func (c *checked) bound(p *person, res *Result) {
	res.Form, res.Token = c.form, c.claims
	if res.ExpiresAt.IsZero() || c.expires.Before(res.ExpiresAt) {
		res.ExpiresAt = c.expires
	}
	switch c.form {
	case FormAccessToken:
		res.Permissions = c.cut(res.Permissions)
	case FormSessionToken:
		res.Principal, res.PrincipalLabel, res.OrganizationID = p.who, p.labels, p.orgID
		res.Permissions = p.set
	case FormAssertion, FormKey:
	}
}

// cut bounds what the credential may do by the token's scope.
func (c *checked) cut(base *PermissionSet) *PermissionSet {
	if n := c.narrowed.Load(); n != nil && n.base == base {
		return n.set
	}
	n := &narrowed{base: base, set: setOf(base.Set.Intersect(c.scope))}
	c.narrowed.Store(n)
	return n.set
}

// faultLog logs why tokens are refused, some of them: whoever sends bad ones must not fill
// the disk.
type faultLog struct{ second, count atomic.Int64 }

const faultsPerSecond = 10

func (l *faultLog) note(x *Index, why refusal, at int64) {
	now := at / 1_000_000
	if old := l.second.Load(); old != now && l.second.CompareAndSwap(old, now) {
		l.count.Store(0)
	}
	if l.count.Add(1) > faultsPerSecond {
		return
	}
	if why.keyID == "" {
		x.log.Info("a token was refused", "reason", string(why.fault))
		return
	}
	x.log.Info("a token was refused", "reason", string(why.fault), "key_id", why.keyID)
}
