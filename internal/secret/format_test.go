package secret_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/claviger-io/claviger/internal/secret"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

var types = []secret.Type{
	secret.UserKey, secret.OrganizationKey, secret.AccountKey, secret.AppKey,
	secret.AppSecret, secret.ClientSecret, secret.VerifierKey,
}

// golden keys were computed apart from this package, with another CRC-32.
var golden = []struct {
	brand, key, id, hidden, hint string
	kind                         secret.Type
}{
	{"", "clv_uk_000000000000_00000000000000000000000000000000000000000003fx3mT", strings.Repeat("0", 12), strings.Repeat("0", 43), "clv_uk_0000…x3mT", secret.UserKey},
	{"clv", "clv_uk_000000000004_00000000000000000000000000000000000000000000mtI5C", "000000000004", strings.Repeat("0", 43), "clv_uk_0000…tI5C", secret.UserKey},
	{"", "clv_app_Ab3dEf6hIj9k_zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ20SLPf", "Ab3dEf6hIj9k", "zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ", "clv_app_Ab3d…SLPf", secret.AppKey},
	{"acme", "acme_vk_zzzzzzzzzzzz_ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ24q6tE", strings.Repeat("z", 12), strings.Repeat("Z", 43), "acme_vk_zzzz…q6tE", secret.VerifierKey},
	{"", "clv_ccs_8fK2mPq0Zr4T_7NcYpVbW1xQe5RtAzUoLkJhGfDsMn3Bv6C9XiT0yE2w0hHtIT", "8fK2mPq0Zr4T", "7NcYpVbW1xQe5RtAzUoLkJhGfDsMn3Bv6C9XiT0yE2w", "clv_ccs_8fK2…HtIT", secret.ClientSecret},
}

func TestParseGolden(t *testing.T) {
	for _, row := range golden {
		f := secret.Format{Brand: row.brand}
		p, ok := f.Parse(row.key)
		if !ok {
			t.Errorf("%s is refused", row.key)
			continue
		}
		if p.Type != row.kind || string(p.ID[:]) != row.id || string(p.Secret[:]) != row.hidden {
			t.Errorf("%s: type %s, ID %s, secret %s", row.key, p.Type, p.ID[:], p.Secret[:])
		}
		if got := f.Hint(secret.New(row.key)); got != row.hint {
			t.Errorf("hint %q, want %q", got, row.hint)
		}
		if id, ok := secret.CutToID(row.key); !ok || id != "crd_"+row.id {
			t.Errorf("CutToID = %q, %v", id, ok)
		}
	}
}

func TestGenerate(t *testing.T) {
	for _, brand := range []string{"", "clv", "ab", "abcdefghijkl"} {
		f := secret.Format{Brand: brand}
		for _, kind := range types {
			s, p := mustGenerate(t, f, kind)
			back, ok := f.Parse(s.Reveal())
			if !ok || back.ID != p.ID || back.Secret != p.Secret || back.Type != kind || p.Type != kind {
				t.Fatalf("brand %q, type %s: what was generated does not parse as itself", brand, kind)
			}
			if strings.Contains(s.Reveal(), ":") {
				t.Fatal("a key holds a colon, which HTTP Basic cannot carry in a user name")
			}
			again, q, err := f.GenerateFor(p.ID, kind, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if q.ID != p.ID || q.Secret == p.Secret || again.Equal(s) {
				t.Fatal("GenerateFor must keep the ID and change the secret")
			}
			if whole := regexp.MustCompile("^" + f.Pattern() + "$"); !whole.MatchString(s.Reveal()) {
				t.Errorf("the published pattern %s misses a key of type %s", f.Pattern(), kind)
			}
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	broken := errors.New("broken")
	id := [12]byte([]byte("0123456789ab"))
	for name, make := range map[string]func() (secret.Secret, secret.Parsed, error){
		"unknown type": func() (secret.Secret, secret.Parsed, error) { return secret.Format{}.Generate("zz", rand.Reader) },
		"no type":      func() (secret.Secret, secret.Parsed, error) { return secret.Format{}.Generate("", rand.Reader) },
		"short brand": func() (secret.Secret, secret.Parsed, error) {
			return secret.Format{Brand: "a"}.Generate("uk", rand.Reader)
		},
		"bad brand": func() (secret.Secret, secret.Parsed, error) {
			return secret.Format{Brand: "a_b"}.Generate("uk", rand.Reader)
		},
		"no randomness": func() (secret.Secret, secret.Parsed, error) { return secret.Format{}.Generate("uk", nil) },
		"out of bytes": func() (secret.Secret, secret.Parsed, error) {
			return secret.Format{}.Generate("uk", bytes.NewReader([]byte{1, 2}))
		},
		"failing source": func() (secret.Secret, secret.Parsed, error) {
			return secret.Format{}.Generate("uk", iotest.ErrReader(broken))
		},
		"stuck source": func() (secret.Secret, secret.Parsed, error) { return secret.Format{}.Generate("uk", repeat(0xff)) },
		"for a bad ID": func() (secret.Secret, secret.Parsed, error) {
			return secret.Format{}.GenerateFor([12]byte{}, "uk", rand.Reader)
		},
		"for no source": func() (secret.Secret, secret.Parsed, error) { return secret.Format{}.GenerateFor(id, "uk", nil) },
	} {
		s, p, err := make()
		if err == nil || !s.IsZero() || p != (secret.Parsed{}) {
			t.Errorf("%s: no clean refusal (%v)", name, err)
		}
		if name == "failing source" && !errors.Is(err, broken) {
			t.Errorf("the cause is lost: %v", err)
		}
	}
}

// A chi-squared test over half a million characters; the source is seeded, so it is the
// same run every time. 61 degrees of freedom: above 120 happens once in 100,000 runs.
func TestGenerateIsUniform(t *testing.T) {
	counts := countCharacters(t, mathrand.NewChaCha8([32]byte([]byte("claviger-distribution-test-seed!"))), 10_000)
	expected := float64(10_000*55) / 62
	chi := 0.0
	for i := range len(base62) {
		d := float64(counts[base62[i]]) - expected
		chi += d * d / expected
	}
	if chi > 120 || chi < 20 {
		t.Errorf("chi-squared %.1f over 62 characters", chi)
	}
}

func countCharacters(t *testing.T, source io.Reader, keys int) map[byte]int {
	t.Helper()
	counts := make(map[byte]int)
	for range keys {
		_, p, err := secret.Format{}.Generate(secret.UserKey, source)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range append(p.ID[:], p.Secret[:]...) {
			counts[c]++
		}
	}
	return counts
}

// The checksum finds every single wrong character and every swap of neighbours.
func TestParseFindsTypos(t *testing.T) {
	f := secret.Format{}
	s, _ := mustGenerate(t, f, secret.AppSecret)
	key := []byte(s.Reveal())
	for i := range key {
		was := key[i]
		for c := range 256 {
			if key[i] = byte(c); byte(c) == was {
				continue
			}
			if _, ok := f.Parse(string(key)); ok {
				t.Fatalf("a wrong character at %d is accepted", i)
			}
		}
		key[i] = was
		if i > 0 && key[i] != key[i-1] {
			key[i], key[i-1] = key[i-1], key[i]
			if _, ok := f.Parse(string(key)); ok {
				t.Fatalf("swapped characters at %d are accepted", i)
			}
			key[i], key[i-1] = key[i-1], key[i]
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := golden[0].key
	for name, s := range map[string]string{
		"nothing":          "",
		"underscores":      strings.Repeat("_", 70),
		"cut by one":       good[:len(good)-1],
		"one more":         good + "0",
		"space before":     " " + good,
		"newline after":    good + "\n",
		"another brand":    "acm" + good[3:],
		"upper-case brand": "CLV" + good[3:],
		"no brand":         good[3:],
		"empty type":       "clv_" + good[6:],
		"unknown type":     "clv_xx" + good[6:],
		"upper-case type":  "clv_UK" + good[6:],
		"long type":        "clv_ukuk" + good[6:],
		"ID alone":         "crd_000000000000",
		"a hint":           golden[0].hint,
		"one megabyte":     strings.Repeat(good, 15_000),
		"two keys":         good + "," + good,
		"zero byte":        strings.Replace(good, "0000", "00\x000", 1),
		"full-width digit": strings.Replace(good, "000", "０", 1),
	} {
		if p, ok := (secret.Format{}).Parse(s); ok || p != (secret.Parsed{}) {
			t.Errorf("%s is accepted", name)
		}
		if got := (secret.Format{}).Hint(secret.New(s)); got != "" {
			t.Errorf("%s has the hint %q", name, got)
		}
	}
	if _, ok := (secret.Format{Brand: "acme"}).Parse(good); ok {
		t.Error("a key of another brand is accepted")
	}
}

func TestBrand(t *testing.T) {
	for brand, want := range map[string]bool{"": true, "ab": true, "clv": true, "abcdefghijkl": true, "a": false, "abcdefghijklm": false, "Clv": false, "c1v": false, "c_v": false, "çlv": false} {
		if got := (secret.Format{Brand: brand}).Validate() == nil; got != want {
			t.Errorf("brand %q: valid %v, want %v", brand, got, want)
		}
	}
	if secret.Type("").Valid() || secret.Type("UK").Valid() || !secret.AppSecret.Valid() {
		t.Error("types are told apart wrongly")
	}
}

func TestPatternInText(t *testing.T) {
	key := golden[0].key
	find := regexp.MustCompile(secret.Format{}.Pattern())
	for text, want := range map[string]string{
		`{"key":"` + key + `"}`:          key,
		"curl -u usr_1:" + key + " http": key,
		"KEY=" + key + "\n":              key,
		"x" + key:                        "",
		key + "x":                        "",
		"clv_uk_short_key":               "",
	} {
		if got := find.FindString(text); got != want {
			t.Errorf("in %q found %q", text, got)
		}
	}
}

func TestCutToID(t *testing.T) {
	id := "crd_Ab3dEf6hIj9k"
	key := golden[2].key
	for s, want := range map[string]string{
		key:                         id,
		"  " + key + "\n":           id,
		key[:len(key)-9]:            id, // cut while copying
		"other_ak_Ab3dEf6hIj9k_":    id, // any brand, and nothing of the secret is needed
		key[:20]:                    "", // cut within the ID's end
		"clv_zz_Ab3dEf6hIj9k_x":     "",
		"clv_app_Ab3dEf6hIj9-_x":    "",
		"_app_Ab3dEf6hIj9k_x":       "",
		"UPPER_app_Ab3dEf6hIj9k_x":  "",
		"crd_Ab3dEf6hIj9k":          "",
		"call recordings":           "",
		"":                          "",
		"clv_app_Ab3d…" + key[66:]:  "",
		"clv_app_Ab3dEf6hIj9kextra": "",
	} {
		got, ok := secret.CutToID(s)
		if got != want || ok != (want != "") {
			t.Errorf("CutToID(%q) = %q, %v; want %q", s, got, ok, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, row := range golden {
		f.Add(row.brand, row.key)
	}
	f.Add("", "clv_uk__")
	f.Add("clv", strings.Repeat("_", 69))
	f.Fuzz(func(t *testing.T, brand, s string) {
		format := secret.Format{Brand: brand}
		p, ok := format.Parse(s)
		secret.CutToID(s)
		if !ok {
			if p != (secret.Parsed{}) {
				t.Error("a refused key left something behind")
			}
			return
		}
		if brand == "" {
			brand = "clv"
		}
		prefix := brand + "_" + string(p.Type) + "_" + string(p.ID[:]) + "_" + string(p.Secret[:])
		if !strings.HasPrefix(s, prefix) || len(s) != len(prefix)+6 {
			t.Errorf("%q parses as something else", s)
		}
		if format.Validate() == nil {
			if id, cut := secret.CutToID(s); !cut || id != "crd_"+string(p.ID[:]) {
				t.Errorf("CutToID(%q) = %q", s, id)
			}
		}
	})
}

func mustGenerate(tb testing.TB, f secret.Format, kind secret.Type) (secret.Secret, secret.Parsed) {
	tb.Helper()
	s, p, err := f.Generate(kind, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return s, p
}

// repeat is a source that gives one byte for ever.
type repeat byte

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}
