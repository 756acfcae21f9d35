package secret

import (
	"bytes"
	"hash/crc32"
	"testing"
)

// Fed every byte equally often, base62 gives every character equally often, exactly: 248
// of 256 bytes are used, 4 for each. A plain remainder would favour the first 8.
func TestBase62IsUnbiased(t *testing.T) {
	source := make([]byte, 1024)
	for i := range source {
		source[i] = byte(i)
	}
	out := make([]byte, 4*4*len(alphabet))
	if err := fillBase62(out, bytes.NewReader(source)); err != nil {
		t.Fatal(err)
	}
	for i := range len(alphabet) {
		if n := bytes.Count(out, []byte{alphabet[i]}); n != 16 {
			t.Errorf("%c appears %d times, not 16", alphabet[i], n)
		}
	}
}

// Every byte at every place of a word, beside neighbours at the ends of its range.
func TestIsBase62(t *testing.T) {
	for _, neighbour := range []byte{'0', 'z'} {
		for _, length := range []int{8, idLen, secretLen} {
			for place := range length {
				s := bytes.Repeat([]byte{neighbour}, length)
				for c := range 256 {
					s[place] = byte(c)
					want := bytes.IndexByte([]byte(alphabet), byte(c)) >= 0
					if got := isBase62(string(s)); got != want {
						t.Fatalf("byte %#x at %d of %d beside %c: %v", c, place, length, neighbour, got)
					}
				}
			}
		}
	}
}

// Six characters of base62 say more than 32 bits: a checksum with 2^32 added is another
// string, and must not be another spelling of the same key.
func TestChecksumHasOneSpelling(t *testing.T) {
	for _, brand := range []string{"ab", "clv", "abcd", "abcdefghijkl"} {
		for _, kind := range []string{"uk", "app"} {
			body := brand + "_" + kind + "_Ab3dEf6hIj9k_zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ"
			sum := uint64(crc32.ChecksumIEEE([]byte(body)))
			for times := range uint64(13) { // 62^6 is a little more than 13 times 2^32
				key := body + spell(sum+times<<32)
				if _, ok := (Format{Brand: brand}).Parse(key); ok != (times == 0) {
					t.Errorf("brand %s, type %s: checksum with %d times 2^32 added: accepted %v", brand, kind, times, ok)
				}
			}
		}
	}
}

func spell(n uint64) string {
	var out [checkLen]byte
	for i := checkLen - 1; i >= 0; i-- {
		out[i] = alphabet[n%62]
		n /= 62
	}
	return string(out[:])
}
