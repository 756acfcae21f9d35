package secret

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

// PV3: what is stored of an imported key is HMAC(pepper, the digest that the other system
// has), whichever way it came.
func TestImportedDigests(t *testing.T) {
	pepper, other := bytes.Repeat([]byte{7}, 32), []byte("another system's key")
	ps := mustPeppers(t, 2, map[int][]byte{1: bytes.Repeat([]byte{1}, 32), 2: pepper})
	keys, err := NewImportKeys(map[string][]byte{"old": other})
	if err != nil {
		t.Fatal(err)
	}
	const key = "0d5f3c6e9a1b4f7c8d2e0a6b3c9f1e5d"
	under := func(pepper []byte, inner []byte) Digest {
		m := hmac.New(sha256.New, pepper)
		m.Write(inner)
		return Digest(m.Sum(nil))
	}
	plain := sha256.Sum256([]byte(key))
	m := hmac.New(sha256.New, other)
	m.Write([]byte(key))
	keyed := m.Sum(nil)

	presented := ps.Presented(nil, keys, key)
	for scheme, inner := range map[Scheme][]byte{"sha256": plain[:], "hmac-sha256:old": keyed} {
		text := string(scheme) + ":" + strings.ToUpper(hex.EncodeToString(inner))
		got, f, ok := ParseForeign(text)
		if !ok || got != scheme || !bytes.Equal(f[:], inner) || !keys.Knows(got) {
			t.Fatalf("%s is read as %q %x %v", text, got, f, ok)
		}
		d, ok := ps.Imported(2, &f)
		if !ok || d != under(pepper, inner) {
			t.Errorf("%s is not HMAC(pepper, digest)", scheme)
		}
		found := false
		for _, p := range presented {
			found = found || p.Pepper == 2 && p.Digest == d
		}
		if !found {
			t.Errorf("the key is not looked for by %s", scheme)
		}
	}
	if len(presented) != 4 {
		t.Errorf("%d digests for 2 schemes and 2 peppers", len(presented))
	}
	if SumForeign(key) != plain {
		t.Error("a key in clear is not its SHA-256")
	}
	f := Foreign(plain)
	if _, ok := ps.Imported(3, &f); ok {
		t.Error("an unknown pepper version digests")
	}
	if keys.Knows("hmac-sha256:new") || keys.Knows("md5") || (*ImportKeys)(nil).Knows("hmac-sha256:old") || !(*ImportKeys)(nil).Knows(SHA256) {
		t.Error("an import key that is not there is known, or SHA-256 is not")
	}
	if n := testing.AllocsPerRun(50, func() {
		var room [8]PastPepper
		ps.Presented(room[:0], keys, key)
	}); n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

func TestParseForeignRefuses(t *testing.T) {
	good := strings.Repeat("0a", 32)
	for _, text := range []string{
		"", ":", good, "sha256:", "sha256:" + good[1:], "sha256:" + good + "00", "sha256:" + good[:62] + "zz", "SHA256:" + good,
		"sha512:" + good, "hmac-sha256:" + good, "hmac-sha256::" + good, "hmac-sha256:Old:" + good, "hmac-sha256:a b:" + good,
		"hmac-sha256:" + strings.Repeat("a", 33) + ":" + good, "sha256:old:" + good, " sha256:" + good,
	} {
		if s, _, ok := ParseForeign(text); ok {
			t.Errorf("%q is taken for %q", text, s)
		}
	}
}

func FuzzParseForeign(f *testing.F) {
	f.Add("sha256:" + strings.Repeat("0a", 32))
	f.Add("hmac-sha256:old-1:" + strings.Repeat("FF", 32))
	f.Fuzz(func(t *testing.T, text string) {
		s, d, ok := ParseForeign(text)
		if !ok {
			if s != "" && d != (Foreign{}) {
				t.Error("what is refused leaves something behind")
			}
			return
		}
		if !strings.EqualFold(string(s)+":"+hex.EncodeToString(d[:]), text) {
			t.Errorf("%q is read as %s %x", text, s, d)
		}
	})
}

func TestNewImportKeysRefuses(t *testing.T) {
	many := map[string][]byte{}
	for _, c := range "abcdefghi" {
		many[string(c)] = []byte("k")
	}
	for name, keys := range map[string]map[string][]byte{
		"an empty key": {"a": nil}, "an empty reference": {"": []byte("k")}, "upper case": {"A": []byte("k")}, "nine": many,
	} {
		if _, err := NewImportKeys(keys); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := NewImportKeys(nil); err != nil {
		t.Error("none is refused")
	}
}

func TestPrefixed(t *testing.T) {
	for text, want := range map[string]bool{"clv_": true, "clv_uk_x": true, "clv": false, "clvx_": false, "": false, "CLV_uk": false, "acme_x": false} {
		if got := (Format{}).Prefixed(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if !(Format{Brand: "acme"}).Prefixed("acme_x") || (Format{Brand: "acme"}).Prefixed("clv_x") {
		t.Error("another brand has another prefix")
	}
}

func TestStrength(t *testing.T) {
	for key, strong := range map[string]bool{
		"":                                     false,
		"hunter2":                              false,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": false,
		"0123456789abcdef0123456789abcdef":     false, // repeats itself
		"abcdefghijklmnopqrstuvwxyz0123456789": false, // runs
		"00000000-0000-0000-0000-000000000000": false,
		"1234567890123456789012345678901234":   false,
		"f81d4fae-7dec-41d0-a765-00a0c91e6bf6": true, // a UUID
		"9a0364b9e99bb480dd25e1f0284c8555":     true,
		"sk_live_4eC39HqLyjWDarjtT1zdp7dc":     true,
		"YmFzZTY0IG9mIDIxIGJ5dGVz":             true,
		"d41d8cd98f00b204e980":                 false, // 80 bits
		"correct horse battery":                true,  // words are not known
		"hh9GyDZnRFAxPr7Va2p":                  true,  // 19 of base62
		"hh9GyDZnRFAxPr7Va2":                   false,
	} {
		if got := Strength(key); got >= StrongBits != strong {
			t.Errorf("%q: %d bits", key, got)
		}
	}
	// Random keys of 128 bits and more pass, whatever they are written in.
	for range 5000 {
		var b [16]byte
		_, _ = rand.Read(b[:])
		for _, text := range []string{hex.EncodeToString(b[:]), strings.ToUpper(hex.EncodeToString(b[:])), base64.RawStdEncoding.EncodeToString(b[:])} {
			if Strength(text) < StrongBits {
				t.Fatalf("%q counts for %d bits", text, Strength(text))
			}
		}
	}
}
