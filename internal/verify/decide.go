package verify

import (
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/token"
)

// Verify decides. The error is nil for every verdict; otherwise it is an Unavailable
// problem (undecided) or an Invalid one: a malformed permission query, a negative cost, or
// more than one form of credential.
func (x *Index) Verify(r *Request) (res Result, err error) {
	text := r.Credential
	if text == "" {
		text = r.Secret
	}
	key, ok := x.cfg.Format.Parse(text)
	if !ok {
		switch {
		case r.Credential != "" && token.Looks(text):
			return x.verifySigned(r)
		case x.imported.count.Load() > 0 && !x.cfg.Format.Prefixed(text):
			return x.verifyImported(r, text)
		}
	}
	q := question{r: r, key: &key, cost: r.Cost}
	if ok {
		q.hash = hashOf(&x.seed, (*credential.ID)(&key.ID))
		x.shards[q.hash%shardCount].expect(q.hash)
	}
	p, at, staleness, err := x.fresh()
	if err != nil {
		return Result{}, err
	}
	if err := x.ask(&q); err != nil {
		return Result{}, err
	}
	q.at = at
	res.Code, res.Revision, res.Staleness = NotFound, p.revision, staleness
	if ok {
		x.decide(&q, &res)
	}
	return res, nil
}

// question is a request that is well formed, and what was computed from it so far.
type question struct {
	r          *Request
	query      *access.Query // nil asks for nothing
	asksLegacy bool          // the query asks for something of a legacy API
	cost       int64
	at         int64 // Unix microseconds
	key        *secret.Parsed
	hash       uint64        // of the key's ID
	digest     secret.Digest // under the current pepper
	person     *person       // of session tokens; nil for all else
}

var (
	errCost  = problem.InvalidField("/cost", "Give a cost of 1 or more.")
	errForms = problem.New(problem.Invalid, "several_credentials", "Give exactly one credential: alone, or as ID and secret.")
)

// ask checks the form of a request.
func (x *Index) ask(q *question) error {
	switch {
	case q.cost < 0:
		return errCost
	case q.cost == 0:
		q.cost = 1
	}
	if q.r.Credential != "" && (q.r.ID != "" || q.r.Secret != "") {
		return errForms
	}
	if q.r.Permissions == "" {
		return nil
	}
	query, err := x.queries.compile(q.r.Permissions)
	if err != nil {
		return err
	}
	q.query, q.asksLegacy = query.Query, query.asksLegacy(x.legacy.Load())
	return nil
}

// decide looks the credential up and fills the result in. Without a match the result
// stays NOT_FOUND and empty.
func (x *Index) decide(q *question, res *Result) {
	s := &x.shards[q.hash%shardCount]
	s.mu.RLock()
	defer s.mu.RUnlock()
	pos, ok := s.candidate(q.hash, &x.mem)
	// The digest is computed while the entry is on its way from memory.
	q.digest, _ = x.cfg.Peppers.Digest(x.cfg.Peppers.Current(), q.key)
	var e *entry
	if ok {
		if e = x.mem.at(pos); e.id != q.key.ID {
			e, pos = s.find(q.hash, (*credential.ID)(&q.key.ID), &x.mem)
		}
	}
	if e == nil {
		_ = q.digest.Equal(x.dummy) // as long as for a wrong secret
		return
	}
	f := x.foundAt(e)
	version, ok := x.match(q, &f)
	if !ok || !f.answersTo(q) {
		return
	}
	x.answer(q, &f, version, res)
	x.count(q, s, e, pos, res)
}

func (x *Index) foundAt(e *entry) found {
	h := x.dir.holders.at(e.holder)
	return found{e: e, rare: x.rareAt(e.rare), holder: h, standing: h.standing.Load()}
}

// answer fills the result in for a credential that is proved.
func (x *Index) answer(q *question, f *found, version uint32, res *Result) {
	f.describe(res, version)
	res.Permissions = f.permissions()
	x.conclude(q, f, res)
}

// conclude fills in the verdict.
func (x *Index) conclude(q *question, f *found, res *Result) {
	res.Code = x.verdict(q, f, res)
	res.Valid = res.Code == Valid
	if !res.Valid && !res.Code.standing() {
		res.Permissions = &emptySet // nothing to be misread from a credential that is no good
	}
}

// count notes the verdict as usage.
func (x *Index) count(q *question, s *shard, e *entry, pos uint32, res *Result) {
	switch {
	case q.r.DryRun:
	case res.Valid:
		x.countValid(s, e, pos, q.at)
	default:
		x.countDenied(s, e, res.Code, q.at)
	}
}

// found is an entry with what it refers to, as of one moment.
type found struct {
	e        *entry
	rare     *rare // nil for most
	holder   *holder
	standing *standing
}

// match compares the digest with the current secret's and with those in grace, and
// returns the version that matched.
func (x *Index) match(q *question, f *found) (version uint32, ok bool) {
	e := f.e
	if x.same(q, e.pepper, &e.digest) {
		version, ok = e.version, true
	}
	if f.rare == nil {
		return version, ok
	}
	for i := range f.rare.past {
		p := &f.rare.past[i]
		switch same := x.same(q, p.pepper, &p.digest); {
		case !same || ok:
		case q.at < p.until:
			version, ok = p.version, true
			if !q.r.DryRun && f.answersTo(q) {
				x.notePrevious(q, f, version)
			}
		default:
			x.clock.raise(q.at) // once refused it stays refused, though the clock be set back
		}
	}
	return version, ok
}

// same compares under the pepper that the stored digest was made with, which is not the
// current one only until the pepper's rotation is through.
func (x *Index) same(q *question, pepper uint16, stored *secret.Digest) bool {
	if int(pepper) == x.cfg.Peppers.Current() {
		return q.digest.Equal(*stored)
	}
	d, ok := x.cfg.Peppers.Digest(int(pepper), q.key)
	return d.Equal(*stored) && ok
}

// answersTo reports whether the form of the request may be used for the credential.
func (f *found) answersTo(q *question) bool {
	return q.key.Type == keyTypes[f.e.kind] && f.formFits(q)
}

// formFits is answersTo for strings that don't say what they are.
func (f *found) formFits(q *question) bool {
	if f.elsewhere(q) {
		return false
	}
	if q.r.Legacy && (f.e.kind != kindAccountKey || !f.holder.tenant.legacy.Load()) {
		return false
	}
	if q.r.Credential != "" {
		return true
	}
	switch f.e.kind {
	case kindUserKey:
		return q.r.ID == f.holder.who.ID
	case kindAccountKey:
		account := f.holder.tenant.account.Load()
		return account != nil && q.r.ID == *account
	case kindOrganizationKey, kindApp, kindClientCredential, kindServiceAccountKey, kindVerifierKey:
	}
	return false
}

// elsewhere reports whether whoever asks must not see the credential's tenant.
func (f *found) elsewhere(q *question) bool {
	return q.r.OnlyTenant != "" && q.r.OnlyTenant != f.holder.tenantID
}

// describe says whose credential it is.
func (f *found) describe(res *Result, version uint32) {
	e, h := f.e, f.holder
	res.CredentialID, res.Kind, res.SecretVersion = e.id, kinds[e.kind], int(version)
	res.TenantID, res.OrganizationID = h.tenantID, h.orgID
	res.Principal, res.PrincipalLabel = h.who, h.labels.Load()
	if f.rare != nil {
		res.Labels = f.rare.labels
	}
	if e.expires != 0 {
		res.ExpiresAt = time.UnixMicro(e.expires).UTC()
	}
}

// verdict goes through the codes in their order.
func (x *Index) verdict(q *question, f *found, res *Result) Code {
	if c := f.stopped(); c != "" {
		return c
	}
	if q.person != nil && q.person.stop != "" {
		return q.person.stop
	}
	if c := x.untimely(q, f); c != "" {
		return c
	}
	if q.asksLegacy && f.e.kind != kindAccountKey {
		return WrongKind
	}
	if !f.admits(q) || q.person != nil && !q.person.admitted(f) {
		return Forbidden
	}
	if q.query != nil {
		ok, missing := q.query.Check(res.Permissions.Set)
		if !ok {
			res.Missing = missing
			return InsufficientPermissions
		}
	}
	if f.rare == nil || f.rare.limiter == nil || q.person != nil {
		return Valid // a key's limits are for signing in, not for what people do then
	}
	code, left := f.rare.limiter.charge(time.UnixMicro(q.at).UTC(), q.cost, q.r.DryRun)
	res.Limits = left
	return code
}

// standing reports whether a credential refused with the code is good in itself: only this
// one call is refused.
func (c Code) standing() bool {
	return c == InsufficientPermissions || c == RateLimited || c == UsageExceeded
}

// stopped is why a person ended or stopped the credential, or something that it stands
// on; empty when nobody did.
func (f *found) stopped() Code {
	stop := f.standing.stop
	switch {
	case stop == TenantSuspended:
		return stop
	case stop == Revoked, f.e.state == stateRevoked:
		return Revoked
	case stop == Suspended, f.e.state == stateSuspended:
		return Suspended
	}
	return ""
}

// untimely is why the credential is no good at this moment; empty when it is.
func (x *Index) untimely(q *question, f *found) Code {
	if f.rare != nil && q.at < f.rare.notBefore {
		return NotYetValid
	}
	if f.e.state == stateExpired {
		return Expired
	}
	if f.e.expires != 0 && q.at >= f.e.expires {
		x.clock.raise(q.at) // as in match
		return Expired
	}
	return ""
}

// admits reports whether plan and network let the credential be used at all.
func (f *found) admits(q *question) bool {
	return !f.standing.planless && (f.rare == nil || f.rare.admits(q.r.SourceIP))
}

// permissions are what the credential may do now.
func (f *found) permissions() *PermissionSet {
	switch {
	case f.rare != nil && len(f.rare.scopes) > 0:
		return f.rare.narrow(f.standing.set)
	case f.e.kind.scoped():
		return &emptySet
	}
	return f.standing.set
}
