package verify

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const hourSeconds = 3600

// deniedCounts are a shard's denials since the last drain. They are apart from the
// entries because few credentials have any.
type deniedCounts struct {
	mu  sync.Mutex // guards all below
	all map[credential.ID]*denials
}

type denials struct {
	tenant tenancy.TenantID
	hour   uint32 // Unix hours
	counts [len(codes)]uint32
}

// codes in the order in which they are decided.
var codes = [...]Code{
	NotFound, TenantSuspended, Revoked, Suspended, NotYetValid, Expired, WrongKind, Forbidden,
	InsufficientPermissions, RateLimited, UsageExceeded, Valid,
}

func codeIndex(c Code) int {
	for i, known := range codes {
		if c == known {
			return i
		}
	}
	return 0
}

// countValid notes a VALID verdict. The caller holds the shard's lock for reading. Last
// use and count are one word, so the count of an hour that ended is taken out exactly.
func (x *Index) countValid(s *shard, e *entry, pos uint32, at int64) {
	now := uint32(at / 1_000_000)
	for {
		old := atomic.LoadUint64(&e.usage)
		last, n := uint32(old>>32), uint32(old)
		next := uint64(max(now, last))<<32 | uint64(n+1)
		ended := n > 0 && now/hourSeconds > last/hourSeconds || n == 1<<32-1
		if ended {
			next = uint64(max(now, last))<<32 | 1
		}
		if !atomic.CompareAndSwapUint64(&e.usage, old, next) {
			continue
		}
		if ended {
			x.spill(x.usageOf(e, last, n))
		}
		break
	}
	s.touch(e, pos)
}

// endOfList is the link of the last entry in a list, which must not be 0.
const endOfList = 1<<32 - 1

// touch puts an entry into the shard's list of used ones, unless it is there. The list
// goes through the entries, so it costs no allocation.
func (s *shard) touch(e *entry, pos uint32) {
	if atomic.LoadUint32(&e.next) != 0 || !atomic.CompareAndSwapUint32(&e.next, 0, endOfList) {
		return
	}
	for {
		head := s.touched.Load()
		if head != 0 {
			atomic.StoreUint32(&e.next, head)
		} else {
			atomic.StoreUint32(&e.next, endOfList)
		}
		if s.touched.CompareAndSwap(head, pos+1) {
			return
		}
	}
}

// countDenied notes another verdict on a credential whose secret was right.
func (x *Index) countDenied(s *shard, e *entry, code Code, at int64) {
	hour := uint32(at / 1_000_000 / hourSeconds)
	s.denied.mu.Lock()
	defer s.denied.mu.Unlock()
	d := s.denied.all[e.id]
	if d != nil && d.hour != hour {
		x.spill(x.deniedUsage(e.id, d))
		d.hour, d.counts = hour, [len(codes)]uint32{}
	}
	if d == nil {
		if s.denied.all == nil {
			s.denied.all = make(map[credential.ID]*denials)
		}
		d = &denials{tenant: x.dir.holders.at(e.holder).tenantID, hour: hour}
		s.denied.all[e.id] = d
	}
	if i := codeIndex(code); d.counts[i] < 1<<32-1 {
		d.counts[i]++
	}
}

// spill keeps what was counted in an hour that ended until the next drain.
func (x *Index) spill(u Usage) {
	x.spillMu.Lock()
	x.spilled = append(x.spilled, u)
	x.spillMu.Unlock()
}

func (x *Index) usageOf(e *entry, last, n uint32) Usage {
	u := Usage{
		CredentialID: e.id, TenantID: x.dir.holders.at(e.holder).tenantID,
		LastUsedAt: time.Unix(int64(last), 0).UTC(),
		Hour:       time.Unix(int64(last)/hourSeconds*hourSeconds, 0).UTC(),
		Valid:      int64(n),
	}
	if r := x.rareAt(e.rare); r != nil && r.limiter != nil {
		u.Quotas = r.limiter.quotasUsed()
	}
	return u
}

func (x *Index) deniedUsage(id credential.ID, d *denials) Usage {
	u := Usage{
		CredentialID: id, TenantID: d.tenant,
		Hour:   time.Unix(int64(d.hour)*hourSeconds, 0).UTC(),
		Denied: make(map[Code]int64),
	}
	for i, n := range d.counts {
		if n > 0 {
			u.Denied[codes[i]] = int64(n)
		}
	}
	return u
}

// DrainUsage hands over what was counted since it was last drained: for each credential
// and hour one call for VALID verdicts and one for the others. When put fails, its error is
// returned, and what it was given is handed over again the next time, with what was not.
// One drain runs at a time; verification goes on beside it.
func (x *Index) DrainUsage(put func(Usage) error) error {
	x.drainMu.Lock()
	defer x.drainMu.Unlock()
	for i := -1; i < len(x.shards); i++ {
		if i < 0 {
			x.spillMu.Lock()
			x.undrained = append(x.undrained, x.spilled...)
			x.spilled = nil
			x.spillMu.Unlock()
		} else {
			x.undrained = x.gather(&x.shards[i], x.undrained)
		}
		for n, u := range x.undrained {
			if err := put(u); err != nil {
				x.undrained = append([]Usage(nil), x.undrained[n:]...)
				return err
			}
		}
		clear(x.undrained)
		x.undrained = x.undrained[:0]
	}
	x.undrained = nil
	return nil
}

// gather takes a shard's counts out, a few thousand at most.
func (x *Index) gather(s *shard, to []Usage) []Usage {
	to, gone := x.gatherValid(s, to)
	if len(gone) > 0 {
		s.mu.Lock()
		s.free = append(s.free, gone...)
		s.mu.Unlock()
	}
	s.denied.mu.Lock()
	all := s.denied.all
	s.denied.all = nil
	s.denied.mu.Unlock()
	for id, d := range all {
		to = append(to, x.deniedUsage(id, d))
	}
	return to
}

// gatherValid also returns the positions of entries that were removed meanwhile: nobody
// finds them any more, so they can be used again.
func (x *Index) gatherValid(s *shard, to []Usage) (_ []Usage, gone []uint32) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for link := s.touched.Swap(0); link != 0 && link != endOfList; {
		pos := link - 1
		e := x.mem.at(pos)
		// Out of the list first: whoever counts after the swap below puts it in again.
		link = atomic.SwapUint32(&e.next, 0)
		var old uint64
		for {
			old = atomic.LoadUint64(&e.usage)
			if atomic.CompareAndSwapUint64(&e.usage, old, old>>32<<32) {
				break
			}
		}
		if n := uint32(old); n > 0 {
			to = append(to, x.usageOf(e, uint32(old>>32), n))
		}
		if e.state == stateGone {
			gone = append(gone, pos)
		}
	}
	return to, gone
}
