package verify

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"github.com/claviger-io/claviger/internal/credential"
)

// A shard holds what a map does, through growth, removal and reuse.
func TestShardAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s shard
		var mem slabs
		seed := [2]uint64{1, 3}
		want := make(map[credential.ID]uint32)
		for step := range rapid.IntRange(1, 400).Draw(t, "steps") {
			var id credential.ID
			binary.LittleEndian.PutUint32(id[:], rapid.Uint32Range(0, 120).Draw(t, "id"))
			h := hashOf(&seed, &id)
			if rapid.IntRange(0, 2).Draw(t, "remove") == 0 {
				s.remove(h, &id, &mem, &seed)
				delete(want, id)
			} else if e, _ := s.find(h, &id, &mem); e == nil {
				e = s.insert(h, &id, &mem, &seed)
				e.version = uint32(step)
				want[id] = uint32(step)
			}
			if s.live != len(want) {
				t.Fatalf("%d entries, want %d", s.live, len(want))
			}
			for id, version := range want {
				if e, _ := s.find(hashOf(&seed, &id), &id, &mem); e == nil || e.version != version {
					t.Fatalf("%v is lost", id)
				}
			}
		}
	})
}

// Removing and issuing uses the same memory again.
func TestShardReusesEntries(t *testing.T) {
	var s shard
	var mem slabs
	seed := [2]uint64{1, 3}
	for n := range uint32(100_000) {
		var id credential.ID
		binary.LittleEndian.PutUint32(id[:], n)
		h := hashOf(&seed, &id)
		s.insert(h, &id, &mem, &seed)
		s.remove(h, &id, &mem, &seed)
	}
	if mem.used != 1 {
		t.Errorf("%d entries were used for one", mem.used)
	}
}

// A large index takes its memory from outside the heap and gives back what it outgrew.
func TestManyEntries(t *testing.T) {
	var s shard
	var mem slabs
	seed := [2]uint64{1, 3}
	const n = 40_000
	id := func(i uint32) (id credential.ID) {
		binary.LittleEndian.PutUint32(id[4:], i)
		return id
	}
	for i := range uint32(n) {
		key := id(i)
		s.insert(hashOf(&seed, &key), &key, &mem, &seed).version = i
	}
	for i := range uint32(n) {
		key := id(i)
		if e, _ := s.find(hashOf(&seed, &key), &key, &mem); e == nil || e.version != i {
			t.Fatalf("entry %d is lost", i)
		}
	}
	if perKey := float64(mem.bytes.Load()) / n; perKey > 100 {
		t.Errorf("%.0f bytes a key", perKey)
	}
}
