package verify

import "sync/atomic"

const tableChunk = 256

// table is a growing list that readers follow without a lock, by position. What stands at
// a position never moves, so readers save a pointer; changeable parts of it are atomics.
// One writer at a time adds. Position 0 is never used, so that 0 can mean none.
type table[T any] struct {
	chunks atomic.Pointer[[]*[tableChunk]T]
	size   atomic.Int64 // positions in use
	used   uint32       // writer only
	free   []uint32     // writer only
}

// at returns what stands at a position that add has returned; nil at position 0.
func (t *table[T]) at(i uint32) *T {
	if i == 0 {
		return nil
	}
	return &(*t.chunks.Load())[i/tableChunk][i%tableChunk]
}

// add returns a position, and what stands there: zero, or what was there before drop.
func (t *table[T]) add() (uint32, *T) {
	t.size.Add(1)
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		return i, t.at(i)
	}
	t.used++
	var chunks []*[tableChunk]T
	if old := t.chunks.Load(); old != nil {
		chunks = *old
	}
	if int(t.used/tableChunk) == len(chunks) {
		grown := append(chunks[:len(chunks):len(chunks)], new([tableChunk]T))
		t.chunks.Store(&grown)
	}
	return t.used, t.at(t.used)
}

// drop frees a position that nothing refers to any more.
func (t *table[T]) drop(i uint32) {
	t.size.Add(-1)
	t.free = append(t.free, i)
}
