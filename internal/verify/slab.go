package verify

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
)

// entry is one credential, without pointers. What every verification reads stands in the
// first 64 bytes; the order also keeps padding out.
type entry struct {
	id      credential.ID
	digest  secret.Digest // of the current secret
	holder  uint32        // in directory.holders
	rare    uint32        // in directory.rares; 0 for most
	version uint32        // of the current secret
	next    uint32        // atomic: link of the shard's list of used entries; 0 when not in it
	pepper  uint16
	kind    kind
	state   state
	usage   uint64 // atomic: Unix second of the last VALID << 32 | VALIDs since drained
	expires int64  // Unix microseconds, exclusive; 0 means never
}

const (
	regionBits    = 13
	regionEntries = 1 << regionBits

	// batchRegions come from the system at once: 10 MiB, five huge pages.
	batchRegions = 16

	// heapSlots is up to where a table comes from the Go heap.
	heapSlots = 4096
)

type region [regionEntries]entry

// slabs holds the entries of all shards, so that going from a slot to its entry passes
// through a short list that stays in the cache. Regions are never given back: a shard
// fills the holes in its own first.
//
// The first region comes from the Go heap, so that a small index, such as a test's, goes
// with the garbage. The others come from outside: the collector keeps as much room free as
// there is live heap, which for a million keys would be 80 MB for nothing.
type slabs struct {
	used  uint32 // positions ever handed out; whoever applies
	batch []byte // regions to come; whoever applies
	bytes atomic.Int64
	// A region is there before a position in it is put into a slot, under the shard's lock.
	regions [maxEntries / regionEntries]*region
}

// at returns the entry at a position.
func (m *slabs) at(pos uint32) *entry {
	return &m.regions[pos>>regionBits][pos%regionEntries]
}

// take returns a position that was never used; false when there are too many.
func (m *slabs) take() (pos uint32, ok bool) {
	pos = m.used
	if pos >= maxEntries-1 { // a slot holds the position plus one
		return 0, false
	}
	if m.regions[pos>>regionBits] == nil {
		m.regions[pos>>regionBits] = m.region()
		m.bytes.Add(int64(unsafe.Sizeof(region{})))
	}
	m.used++
	return pos, true
}

func (m *slabs) region() *region {
	const size = int(unsafe.Sizeof(region{}))
	if m.used == 0 {
		return new(region)
	}
	if len(m.batch) < size {
		m.batch = outsideHeap(batchRegions*size, true)
	}
	r := (*region)(unsafe.Pointer(&m.batch[0])) //nolint:gosec // aligned, zeroed, of a region's size and free of pointers
	m.batch = m.batch[size:]
	return r
}

// slots returns n empty slots.
func (m *slabs) slots(n int) []uint32 {
	m.bytes.Add(int64(n) * 4)
	if n <= heapSlots {
		return make([]uint32, n)
	}
	mem := outsideHeap(n*4, false)
	return unsafe.Slice((*uint32)(unsafe.Pointer(&mem[0])), n) //nolint:gosec // page-aligned, zeroed, of n*4 bytes
}

// drop gives slots back. Nobody may hold them any more.
func (m *slabs) drop(slots []uint32) {
	m.bytes.Add(-int64(len(slots)) * 4)
	if len(slots) > heapSlots {
		backToSystem(unsafe.Slice((*byte)(unsafe.Pointer(&slots[0])), len(slots)*4)) //nolint:gosec // what slots made
	}
}

// A slot holds the position of an entry plus one, and above it some bits of the ID's
// hash, so that going past another entry's slot costs no memory access to that entry.
const (
	slotBits  = 27
	slotMask  = 1<<slotBits - 1
	printMask = ^uint32(slotMask)

	// maxEntries is how many credentials a node can hold, 134 million. Above that, nodes
	// are given tenants.
	maxEntries = 1 << slotBits
)

const (
	shardCount = 256
	cacheLine  = 64
)

// shard is a part of the credentials, chosen by the hash of the ID.
type shard struct {
	mu    sync.RWMutex // guards everything but the atomics; verification holds it for reading
	slots []uint32     // open addressing, linear probing; 0 is empty
	free  []uint32     // positions of entries that may be used again
	live  int

	// Where slots are, for expect alone, which reads it without the lock.
	hintBase atomic.Uintptr
	hintLen  atomic.Int64

	touched atomic.Uint32 // head of the list of used entries: position plus one, or 0

	denied deniedCounts

	_ [64]byte // neighbours' locks on other cache lines
}

// hashOf mixes an ID with the process's random seed. IDs that Claviger makes are random,
// imported ones needn't be.
func hashOf(seed *[2]uint64, id *credential.ID) uint64 {
	a := uint64(id[0]) | uint64(id[1])<<8 | uint64(id[2])<<16 | uint64(id[3])<<24 |
		uint64(id[4])<<32 | uint64(id[5])<<40 | uint64(id[6])<<48 | uint64(id[7])<<56
	b := uint64(id[8]) | uint64(id[9])<<8 | uint64(id[10])<<16 | uint64(id[11])<<24
	hi, lo := bits.Mul64(a^seed[0], b^seed[1])
	hi, lo = bits.Mul64(hi^lo^seed[0], 0x9e3779b97f4a7c15)
	return hi ^ lo
}

func printOf(h uint64) uint32 { return uint32(h>>8) & printMask }

// home is the slot that a hash begins at: the upper half of h, scaled.
func home(h uint64, slots int) int {
	return int((h >> 32) * uint64(slots) >> 32)
}

// expect begins to fetch the slot of a hash. Of a million keys, slot and entry are hardly
// ever in a cache, and waiting for one after the other would take longer than all the rest
// of a verification.
func (s *shard) expect(h uint64) {
	if n := s.hintLen.Load(); n > 0 {
		prefetch(s.hintBase.Load() + uintptr(home(h, int(n)))*unsafe.Sizeof(s.slots[0]))
	}
}

// candidate returns the position of the first entry that looks like the hash's by its
// slot, and begins to fetch it. The caller holds mu.
func (s *shard) candidate(h uint64, mem *slabs) (pos uint32, ok bool) {
	n := len(s.slots)
	if n == 0 {
		return 0, false
	}
	p := printOf(h)
	for i := home(h, n); ; {
		v := s.slots[i]
		if v == 0 {
			return 0, false
		}
		if v&printMask == p {
			pos = v&slotMask - 1
			e := uintptr(unsafe.Pointer(mem.at(pos))) //nolint:gosec // an address to fetch, never used as a pointer again
			prefetch(e)
			prefetch(e + cacheLine)
			return pos, true
		}
		if i++; i == n {
			i = 0
		}
	}
}

// find returns the entry of an ID and its position; nil when there is none. The caller
// holds mu.
func (s *shard) find(h uint64, id *credential.ID, mem *slabs) (*entry, uint32) {
	e, pos, _ := s.seek(h, id, mem)
	return e, pos
}

// seek is find that also tells the slot: the entry's, or the empty one where it would go.
func (s *shard) seek(h uint64, id *credential.ID, mem *slabs) (e *entry, pos uint32, slot int) {
	n := len(s.slots)
	if n == 0 {
		return nil, 0, -1
	}
	p := printOf(h)
	for i := home(h, n); ; {
		v := s.slots[i]
		if v == 0 {
			return nil, 0, i
		}
		if v&printMask == p {
			if e := mem.at(v&slotMask - 1); e.id == *id {
				return e, v&slotMask - 1, i
			}
		}
		if i++; i == n {
			i = 0
		}
	}
}

// insert makes an empty entry for an ID that isn't there. It returns nil when the index
// is full. The caller holds mu for writing.
func (s *shard) insert(h uint64, id *credential.ID, mem *slabs, seed *[2]uint64) *entry {
	var pos uint32
	if n := len(s.free); n > 0 {
		pos = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		var ok bool
		if pos, ok = mem.take(); !ok {
			return nil
		}
	}
	if s.live+1 > len(s.slots)*4/5 {
		s.grow(mem, seed)
	}
	_, _, slot := s.seek(h, id, mem)
	s.slots[slot] = printOf(h) | (pos + 1)
	s.live++
	e := mem.at(pos)
	*e = entry{id: *id}
	return e
}

// grow makes the table larger: doubled while it is small, by a quarter once it counts.
func (s *shard) grow(mem *slabs, seed *[2]uint64) {
	old := s.slots
	n := max(16, len(old)*2)
	if len(old) >= 1024 {
		n = len(old) + len(old)/4
	}
	s.slots = mem.slots(n)
	s.hintBase.Store(uintptr(unsafe.Pointer(&s.slots[0]))) //nolint:gosec // an address to fetch, never used as a pointer again
	s.hintLen.Store(int64(n))
	for _, v := range old {
		if v == 0 {
			continue
		}
		i := home(hashOf(seed, &mem.at(v&slotMask-1).id), n)
		for s.slots[i] != 0 {
			if i++; i == n {
				i = 0
			}
		}
		s.slots[i] = v
	}
	mem.drop(old)
}

// remove takes an ID out and returns the rare record's index of its entry. An entry whose
// usage is still to be drained stays until then. The caller holds mu for writing.
func (s *shard) remove(h uint64, id *credential.ID, mem *slabs, seed *[2]uint64) (rare uint32) {
	e, pos, slot := s.seek(h, id, mem)
	if e == nil {
		return 0
	}
	s.closeGap(slot, mem, seed)
	s.live--
	rare, e.rare = e.rare, 0
	e.digest, e.state = secret.Digest{}, stateGone
	if atomic.LoadUint32(&e.next) == 0 {
		s.free = append(s.free, pos)
	}
	return rare
}

// closeGap empties a slot and moves back what stands behind it, so that no search ends
// too early and no marks of the removed pile up.
func (s *shard) closeGap(gap int, mem *slabs, seed *[2]uint64) {
	n := len(s.slots)
	for i := gap; ; {
		if i++; i == n {
			i = 0
		}
		v := s.slots[i]
		if v == 0 {
			s.slots[gap] = 0
			return
		}
		h := home(hashOf(seed, &mem.at(v&slotMask-1).id), n)
		// v may move to the gap unless its home lies cyclically in (gap, i].
		if (i-h+n)%n >= (i-gap+n)%n {
			s.slots[gap] = v
			gap = i
		}
	}
}
