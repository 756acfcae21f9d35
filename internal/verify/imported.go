package verify

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
)

// Strings that other systems made hold no ID. They are found by their digests, and only
// strings without our own prefix are looked for here.

// imported finds credentials by the digests of the imported secrets they have.
type imported struct {
	count  atomic.Int64 // of digests; while it is 0 nothing is hashed
	shards [importedShards]importedShard
}

const importedShards = 64

// A shard has no pointers for the garbage collector to follow, but for the few in more.
type importedShard struct {
	mu    sync.RWMutex // guards both
	first map[importedKey]importedAt
	more  map[importedKey][]importedAt // the same secret in other tenants: they were imported later
	_     [cacheLine]byte
}

// importedKey is half of a digest. It only finds; what is found is compared in full.
type importedKey [16]byte

// importedAt is a credential that has the secret.
type importedAt struct {
	row  uint64 // in the order of making
	id   credential.ID
	weak bool
}

func (m *imported) shardOf(d *secret.Digest) (*importedShard, importedKey) {
	return &m.shards[d[31]%importedShards], importedKey(d[:16])
}

// at returns the n-th credential with a digest, in the order in which they were imported.
func (m *imported) at(d *secret.Digest, n int) (importedAt, bool) {
	s, key := m.shardOf(d)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n == 0 {
		a, ok := s.first[key]
		return a, ok
	}
	if more := s.more[key]; n <= len(more) {
		return more[n-1], true
	}
	return importedAt{}, false
}

func (a importedAt) before(b importedAt) bool {
	return a.row < b.row || a.row == b.row && string(a.id[:]) < string(b.id[:])
}

// put adds a credential, or changes what is said of it.
func (m *imported) put(d *secret.Digest, a importedAt) {
	s, key := m.shardOf(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	first, taken := s.first[key]
	at := slices.IndexFunc(s.more[key], func(b importedAt) bool { return b.id == a.id })
	switch {
	case taken && first.id == a.id:
		s.first[key] = a
		return
	case at >= 0:
		more := slices.Clone(s.more[key])
		more[at] = a
		s.more[key] = more
		return
	case !taken:
		if s.first == nil {
			s.first = make(map[importedKey]importedAt)
		}
		s.first[key] = a
	default:
		if a.before(first) {
			s.first[key], a = a, first
		}
		s.insert(key, a)
	}
	m.count.Add(1)
}

// insert adds one that isn't the first. The caller holds mu for writing.
func (s *importedShard) insert(key importedKey, a importedAt) {
	if s.more == nil {
		s.more = make(map[importedKey][]importedAt)
	}
	list := append(slices.Clone(s.more[key]), a)
	slices.SortFunc(list, func(a, b importedAt) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	s.more[key] = list
}

// drop forgets that a credential has the secret.
func (m *imported) drop(d *secret.Digest, id credential.ID) {
	s, key := m.shardOf(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	first, ok := s.first[key]
	if !ok {
		return
	}
	more := s.more[key]
	switch at := slices.IndexFunc(more, func(a importedAt) bool { return a.id == id }); {
	case first.id == id && len(more) == 0:
		delete(s.first, key)
	case first.id == id:
		s.first[key], more = more[0], more[1:]
	case at < 0:
		return
	default:
		more = slices.Delete(slices.Clone(more), at, at+1)
	}
	m.count.Add(-1)
	if len(more) > 0 {
		s.more[key] = more
	} else {
		delete(s.more, key)
	}
}

// putImported makes a credential found by the imported secrets that it has now, and by no
// others. e is its entry so far; current is of its material, -1 for none. What it is found by
// all along is never missing meanwhile.
func (x *Index) putImported(c *Credential, e *entry, current int, past []pastSecret) {
	var now []secret.Digest
	for i := range c.Material {
		m := &c.Material[i]
		living := i == current || slices.ContainsFunc(past, func(p pastSecret) bool { return p.digest == m.Digest })
		if m.Scheme != "" && living {
			x.imported.put((*secret.Digest)(&m.Digest), importedAt{row: c.Row, id: c.ID, weak: m.Weak})
			now = append(now, m.Digest)
		}
	}
	x.dropImported(e, now)
}

// dropImported forgets what an entry, which may be nil, is found by, except what stays.
func (x *Index) dropImported(e *entry, except []secret.Digest) {
	if e == nil || x.imported.count.Load() == 0 {
		return
	}
	drop := func(d *secret.Digest) {
		if !slices.Contains(except, *d) {
			x.imported.drop(d, e.id)
		}
	}
	drop(&e.digest)
	if r := x.rareAt(e.rare); r != nil {
		for i := range r.past {
			drop(&r.past[i].digest)
		}
	}
}

// verifyImported decides on a string that has not our form, nor our prefix. One that is
// unknown costs what a known one does.
func (x *Index) verifyImported(r *Request, text string) (res Result, err error) {
	p, at, staleness, err := x.fresh()
	if err != nil {
		return Result{}, err
	}
	q := question{r: r, cost: r.Cost, at: at}
	if err := x.ask(&q); err != nil {
		return Result{}, err
	}
	res.Code, res.Revision, res.Staleness = NotFound, p.revision, staleness
	if len(text) <= credential.MaxImported {
		x.decideImported(&q, text, &res)
	}
	return res, nil
}

// maxForms is how many digests are computed without allocating: two versions of the pepper
// for SHA-256 and each import key.
const maxForms = 2 * (1 + secret.MaxImportKeys)

// decideImported asks the credentials that have the secret in the order in which they were
// imported: a tenant that imports another's key gets none of its calls, not even refused ones.
func (x *Index) decideImported(q *question, text string, res *Result) {
	var room [maxForms]secret.PastPepper
	forms := x.cfg.Peppers.Presented(room[:0], x.cfg.ImportKeys, text)
	var places [maxForms]int
	tried := places[:]
	if len(forms) > maxForms {
		tried = make([]int, len(forms))
	}
	for {
		next, form := importedAt{}, -1
		for i := range forms {
			a, ok := x.imported.at(&forms[i].Digest, tried[i])
			if ok && (form < 0 || a.before(next)) {
				next, form = a, i
			}
		}
		if form < 0 {
			break
		}
		tried[form]++
		if next.weak && x.guesses.tooMany(x.seed[0], q.r.SourceIP, q.at) {
			continue
		}
		if x.answerImported(q, next.id, &forms[form], res) {
			return
		}
	}
	x.guesses.note(x.seed[0], q.r.SourceIP, q.at)
	_ = forms[0].Digest.Equal(x.dummy) // as a known one is compared
}

// answerImported decides by one credential; false when it is not the one that is meant.
func (x *Index) answerImported(q *question, id credential.ID, d *secret.PastPepper, res *Result) bool {
	hash := hashOf(&x.seed, &id)
	s := &x.shards[hash%shardCount]
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, pos := s.find(hash, &id, &x.mem)
	if e == nil {
		return false
	}
	f := x.foundAt(e)
	version, ok := x.holds(&f, d, q.at)
	if !ok || !f.formFits(q) {
		return false
	}
	if version != e.version && !q.r.DryRun {
		x.notePrevious(q, &f, version)
	}
	x.answer(q, &f, version, res)
	x.count(q, s, e, pos, res)
	return true
}

// holds is match for a digest that was computed already.
func (x *Index) holds(f *found, d *secret.PastPepper, at int64) (version uint32, ok bool) {
	if int(f.e.pepper) == d.Pepper && d.Digest.Equal(f.e.digest) {
		return f.e.version, true
	}
	if f.rare == nil {
		return 0, false
	}
	for i := range f.rare.past {
		p := &f.rare.past[i]
		switch {
		case int(p.pepper) != d.Pepper || !d.Digest.Equal(p.digest):
		case at < p.until:
			version, ok = p.version, true
		default:
			x.clock.raise(at) // as in match
		}
	}
	return version, ok
}

// guesses counts, for each source and minute, strings that are nobody's. A source that has
// sent too many gets NOT_FOUND for weak keys until the minute is over: it learns nothing by
// trying on. Sources share places by chance, so that memory is bounded.
type guesses struct{ places [4096]atomic.Uint64 } // minute << 32 | count

// MaxGuesses is how many unknown strings a minute a source may send before weak keys are
// closed to it.
const MaxGuesses = 20

const minuteMicros = 60_000_000

// placeOf takes an IPv6 source by its network of 64 bits, of which one subscriber has all.
// Calls whose source isn't told share a place.
func (g *guesses) placeOf(seed uint64, source netip.Addr) *atomic.Uint64 {
	a := source.Unmap().As16()
	high, low := binary.BigEndian.Uint64(a[:8]), uint64(0)
	if source.Unmap().Is4() {
		low = binary.BigEndian.Uint64(a[8:])
	}
	hi, lo := bits.Mul64(high^low^seed, 0x9e3779b97f4a7c15)
	hi, lo = bits.Mul64(hi^lo^seed, 0xbf58476d1ce4e5b9)
	return &g.places[(hi^lo)%uint64(len(g.places))]
}

func (g *guesses) tooMany(seed uint64, source netip.Addr, at int64) bool {
	v := g.placeOf(seed, source).Load()
	return v>>32 == uint64(at/minuteMicros)&0xffffffff && uint32(v) >= MaxGuesses
}

func (g *guesses) note(seed uint64, source netip.Addr, at int64) {
	place, minute := g.placeOf(seed, source), uint64(at/minuteMicros)&0xffffffff
	for {
		old := place.Load()
		next := minute<<32 | 1
		if old>>32 == minute {
			if uint32(old) >= MaxGuesses {
				return
			}
			next = old + 1
		}
		if place.CompareAndSwap(old, next) {
			return
		}
	}
}
