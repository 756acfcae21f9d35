package verify

import "sync/atomic"

const tableChunk = 1024

// table is a growing list of immutable records that readers follow without a lock. One
// writer at a time replaces records; replacing one of a million costs one pointer.
// Position 0 is never used, so that 0 can mean none.
type table[T any] struct {
	chunks atomic.Pointer[[]*[tableChunk]atomic.Pointer[T]]
	size   atomic.Int64
	used   uint32   // writer only
	free   []uint32 // writer only
}

// at returns the record at a position that add has returned; nil at position 0.
func (t *table[T]) at(i uint32) *T {
	if i == 0 {
		return nil
	}
	return (*t.chunks.Load())[i/tableChunk][i%tableChunk].Load()
}

// add puts a record at a position of its own.
func (t *table[T]) add(v *T) uint32 {
	t.size.Add(1)
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		t.set(i, v)
		return i
	}
	t.used++
	if t.used/tableChunk >= uint32(t.chunkCount()) {
		var chunks []*[tableChunk]atomic.Pointer[T]
		if old := t.chunks.Load(); old != nil {
			chunks = append(chunks, *old...)
		}
		chunks = append(chunks, new([tableChunk]atomic.Pointer[T]))
		t.chunks.Store(&chunks)
	}
	t.set(t.used, v)
	return t.used
}

func (t *table[T]) chunkCount() int {
	if c := t.chunks.Load(); c != nil {
		return len(*c)
	}
	return 0
}

// set replaces the record at a position that add has returned.
func (t *table[T]) set(i uint32, v *T) { (*t.chunks.Load())[i/tableChunk][i%tableChunk].Store(v) }

// drop frees a position that no entry refers to any more.
func (t *table[T]) drop(i uint32) {
	if i == 0 {
		return
	}
	t.size.Add(-1)
	t.set(i, nil)
	t.free = append(t.free, i)
}

// count is how many records there are. It may be read by anyone, and is then a little old.
func (t *table[T]) count() int { return int(t.size.Load()) }
