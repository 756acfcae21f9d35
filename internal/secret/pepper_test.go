package secret

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"testing"
)

// The vectors of RFC 4231 for HMAC-SHA-256 that are not truncated.
func TestMACVectors(t *testing.T) {
	for name, row := range map[string]struct{ key, data, want string }{
		"case 1": {strings.Repeat("0b", 20), hex.EncodeToString([]byte("Hi There")), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		"case 2": {hex.EncodeToString([]byte("Jefe")), hex.EncodeToString([]byte("what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		"case 3": {strings.Repeat("aa", 20), strings.Repeat("dd", 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		"case 4": {"0102030405060708090a0b0c0d0e0f10111213141516171819", strings.Repeat("cd", 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		"case 6": {strings.Repeat("aa", 131), hex.EncodeToString([]byte("Test Using Larger Than Block-Size Key - Hash Key First")), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		"case 7": {strings.Repeat("aa", 131), hex.EncodeToString([]byte("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.")), "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
	} {
		m, ok := newPepper(1, unhex(t, row.key)).pool.Get().(*mac)
		if !ok {
			t.Fatal("the pool holds something else")
		}
		for round := range 3 { // a pooled hash must give the same each time
			if got := m.sum(unhex(t, row.data)); hex.EncodeToString(got[:]) != row.want {
				t.Errorf("%s, round %d: %x", name, round, got)
			}
		}
	}
}

func TestDigest(t *testing.T) {
	one, two := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 64)
	ps := mustPeppers(t, 2, map[int][]byte{1: one, 2: two})
	one[0] = 9 // the key was copied
	one = bytes.Repeat([]byte{1}, 32)
	k := mustParse(t, "clv_app_Ab3dEf6hIj9k_zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ20SLPf")

	if ps.Current() != 2 {
		t.Errorf("current %d", ps.Current())
	}
	for version, key := range map[int][]byte{1: one, 2: two} {
		plain := hmac.New(sha256.New, key)
		plain.Write([]byte("Ab3dEf6hIj9kzyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ"))
		got, ok := ps.Digest(version, k)
		if !ok || !got.Equal(Digest(plain.Sum(nil))) {
			t.Errorf("version %d is not HMAC(pepper, id ‖ secret)", version)
		}
	}
	if d, ok := ps.Digest(3, k); ok || d != (Digest{}) {
		t.Error("an unknown pepper version digests")
	}
	// The ID is in it: one secret under two IDs has two digests.
	other := *k
	other.ID[0] = 'B'
	a, _ := ps.Digest(1, k)
	b, _ := ps.Digest(1, &other)
	if a.Equal(b) || !a.Equal(a) {
		t.Error("the digest does not tell IDs apart")
	}
	// The type is not: it is checked against the credential's kind, not by the digest.
	other = *k
	other.Type = UserKey
	if c, _ := ps.Digest(1, &other); !c.Equal(a) {
		t.Error("the digest depends on more than ID and secret")
	}
}

func TestDigestEqual(t *testing.T) {
	var zero Digest
	for i := range len(zero) {
		d := zero
		d[i] ^= 1
		if d.Equal(zero) || zero.Equal(d) || !d.Equal(d) {
			t.Fatalf("byte %d is not compared", i)
		}
	}
}

func TestNewPeppersRefuses(t *testing.T) {
	good := bytes.Repeat([]byte{1}, MinPepperLen)
	for name, row := range map[string]struct {
		current int
		keys    map[int][]byte
	}{
		"none":               {1, nil},
		"current is missing": {2, map[int][]byte{1: good}},
		"too short":          {1, map[int][]byte{1: good[1:]}},
		"an old one short":   {2, map[int][]byte{1: nil, 2: good}},
		"version 0":          {0, map[int][]byte{0: good}},
		"negative version":   {1, map[int][]byte{1: good, -1: good}},
	} {
		if ps, err := NewPeppers(row.current, row.keys); err == nil || ps != nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestDigestConcurrently(t *testing.T) {
	ps := mustPeppers(t, 1, map[int][]byte{1: bytes.Repeat([]byte{1}, 32)})
	keys := make([]Parsed, 16)
	want := make([]Digest, len(keys))
	for i := range keys {
		_, keys[i], _ = Format{}.Generate(UserKey, rand.Reader)
		want[i], _ = ps.Digest(1, &keys[i])
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 2000 {
				i := n % len(keys)
				if got, ok := ps.Digest(1, &keys[i]); !ok || got != want[i] {
					t.Error("digests mix under concurrency")
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestHotPathAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools at random")
	}
	ps := mustPeppers(t, 1, map[int][]byte{1: bytes.Repeat([]byte{1}, 32)})
	s, _, err := Format{}.Generate(UserKey, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := s.Reveal()
	var want Digest
	allocations := testing.AllocsPerRun(1000, func() {
		p, ok := Format{}.Parse(key)
		d, known := ps.Digest(1, &p)
		if !ok || !known || d.Equal(want) {
			t.Error("a good key is refused")
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkParse(b *testing.B) {
	s, _, _ := Format{}.Generate(UserKey, rand.Reader)
	key := s.Reveal()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := (Format{}).Parse(key); !ok {
			b.Fatal("refused")
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	ps := mustPeppers(b, 1, map[int][]byte{1: bytes.Repeat([]byte{1}, 32)})
	_, p, _ := Format{}.Generate(UserKey, rand.Reader)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ps.Digest(1, &p); !ok {
			b.Fatal("refused")
		}
	}
}

func BenchmarkParseAndDigest(b *testing.B) {
	ps := mustPeppers(b, 1, map[int][]byte{1: bytes.Repeat([]byte{1}, 32)})
	s, _, _ := Format{}.Generate(UserKey, rand.Reader)
	key := s.Reveal()
	b.ReportAllocs()
	for b.Loop() {
		p, _ := Format{}.Parse(key)
		if _, ok := ps.Digest(1, &p); !ok {
			b.Fatal("refused")
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (Format{}).Generate(UserKey, rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}

func mustPeppers(tb testing.TB, current int, keys map[int][]byte) *Peppers {
	tb.Helper()
	ps, err := NewPeppers(current, keys)
	if err != nil {
		tb.Fatal(err)
	}
	return ps
}

func mustParse(tb testing.TB, key string) *Parsed {
	tb.Helper()
	p, ok := Format{}.Parse(key)
	if !ok {
		tb.Fatalf("%s is refused", key)
	}
	return &p
}

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}
