package token_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/token"
)

// keeper holds the private halves of a test's keys.
type keeper map[string]secret.Secret

func (k keeper) open(id string, sealed []byte) (secret.Secret, error) {
	if s, ok := k[id]; ok && string(sealed) == id {
		return s, nil
	}
	return secret.Secret{}, errors.New("no such key")
}

// key makes a signing key that takes over at a time.
func (k keeper) key(tb testing.TB, alg token.Algorithm, from time.Time) token.SigningKey {
	tb.Helper()
	made, private, err := token.GenerateSigningKey(alg)
	if err != nil {
		tb.Fatal(err)
	}
	made.SignsFrom, made.Sealed = from, []byte(made.ID)
	k[made.ID] = private
	return made
}

func newRing(tb testing.TB, algs ...token.Algorithm) (*token.Ring, keeper, []token.SigningKey) {
	tb.Helper()
	k := keeper{}
	var list []token.SigningKey
	for i, alg := range algs {
		list = append(list, k.key(tb, alg, noon.Add(time.Duration(i)*time.Hour)))
	}
	r := token.NewRing(token.Config{Issuer: "https://keys.example", Audience: "https://api.example", Open: k.open})
	if err := r.Replace(list); err != nil {
		tb.Fatal(err)
	}
	return r, k, list
}

func accessClaims() token.Claims {
	return token.Claims{
		Use: token.Access, ID: "tok_1", Subject: "app_1", ClientID: "crd_0123456789AB", Credential: credential.ID([]byte("0123456789AB")),
		SecretVersion: 2, Tenant: "ten_a", Scope: []access.Permission{"calls:read", "calls:write"}, IssuedAt: noon, ExpiresAt: noon.Add(15 * time.Minute),
	}
}

func sessionClaims() token.Claims {
	return token.Claims{
		Use: token.Session, ID: "tok_2", Subject: "usr_ann", User: "usr_ann", Client: `desk"top é`, Credential: credential.ID([]byte("0123456789AB")),
		SecretVersion: 1, Tenant: "ten_a", IssuedAt: noon, ExpiresAt: noon.Add(15 * time.Minute), AuthTime: noon.Add(-time.Hour),
	}
}

func mustSign(tb testing.TB, r *token.Ring, c token.Claims) string {
	tb.Helper()
	raw, err := r.Sign(c)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

func TestWhatIsSignedIsRead(t *testing.T) {
	for _, alg := range []token.Algorithm{token.ES256, token.RS256} {
		r, _, _ := newRing(t, alg)
		for _, c := range []token.Claims{accessClaims(), sessionClaims()} {
			raw := mustSign(t, r, c)
			got, ok := r.Read(raw, noon)
			if !ok {
				t.Fatalf("%s, %s: not read", alg, c.Use)
			}
			want := c
			want.Issuer, want.Audience = "https://keys.example", "https://api.example"
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s: %s", alg, c.Use, diff)
			}
			for at, want := range map[time.Duration]bool{-61 * time.Second: false, -time.Minute: true, 15*time.Minute - 1: true, 15 * time.Minute: false} {
				if _, ok := r.Read(raw, noon.Add(at)); ok != want {
					t.Errorf("%s after it was made: %v", at, ok)
				}
			}
		}
	}
}

// RFC 9068 and RFC 7517, as another library reads them.
func TestAnotherLibraryVerifiesOffline(t *testing.T) {
	for _, alg := range []token.Algorithm{token.ES256, token.RS256} {
		r, _, list := newRing(t, alg)
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(r.JWKS(), &set); err != nil || len(set.Keys) != 1 {
			t.Fatalf("%d keys: %v", len(set.Keys), err)
		}
		k := set.Keys[0]
		if !k.Valid() || !k.IsPublic() || k.Use != "sig" || k.Algorithm != string(alg) || k.KeyID != list[0].ID {
			t.Errorf("the key is %+v", k)
		}
		parsed, err := jose.ParseSignedCompact(mustSign(t, r, accessClaims()), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		if err != nil {
			t.Fatal(err)
		}
		if typ := parsed.Signatures[0].Header.ExtraHeaders["typ"]; typ != "at+jwt" || parsed.Signatures[0].Header.KeyID != k.KeyID {
			t.Errorf("typ %v", typ)
		}
		payload, err := parsed.Verify(k)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"iss": "https://keys.example", "aud": "https://api.example", "sub": "app_1", "client_id": "crd_0123456789AB", "scope": "calls:read calls:write",
			"iat": float64(noon.Unix()), "exp": float64(noon.Unix() + 900), "jti": "tok_1", "tenant_id": "ten_a", "credential_id": "crd_0123456789AB", "secret_version": 2.0,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// A key is published before it signs, and its tokens stay good after the next took over.
func TestRotation(t *testing.T) {
	r, k, list := newRing(t, token.ES256, token.ES256)
	first := mustSign(t, r, accessClaims())
	later := accessClaims()
	later.IssuedAt, later.ExpiresAt = noon.Add(time.Hour), noon.Add(2*time.Hour)
	second := mustSign(t, r, later)
	signedBy := func(raw string) string {
		p, fault := token.Parse(raw)
		if fault != token.None {
			t.Fatal(fault)
		}
		return p.KeyID
	}
	if signedBy(first) != list[0].ID || signedBy(second) != list[1].ID {
		t.Error("the wrong key signed")
	}
	if n := strings.Count(string(r.JWKS()), `"kid"`); n != 2 {
		t.Errorf("%d keys are published before the second signs", n)
	}
	if _, ok := r.Read(first, noon.Add(14*time.Minute)); !ok {
		t.Error("the first key's token is refused while the second is there")
	}
	list[0].VerifiesUntil = noon.Add(10 * time.Minute)
	if err := r.Replace(list); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Read(first, noon.Add(9*time.Minute)); !ok {
		t.Error("the first key ended too early")
	}
	if _, ok := r.Read(first, noon.Add(10*time.Minute)); ok {
		t.Error("a key that is over still proves")
	}
	before := r.Keys()
	if err := r.Replace(slices.Clone(list)); err != nil || r.Keys() != before {
		t.Errorf("the same keys are another set: %v", err)
	}
	if err := r.Replace(list[1:]); err != nil || r.Keys() == before {
		t.Errorf("other keys are the same set: %v", err)
	}
	if _, ok := r.Read(first, noon); ok {
		t.Error("a key that was withdrawn still proves")
	}
	delete(k, list[1].ID) // it was opened before
	if _, err := r.Sign(later); err != nil {
		t.Error(err)
	}
	if err := r.Replace(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Sign(later); !errors.Is(err, token.ErrNoKey) {
		t.Errorf("without keys: %v", err)
	}
	if string(r.JWKS()) != `{"keys":[]}` {
		t.Errorf("without keys: %s", r.JWKS())
	}
}

// One key that can't be read is no reason to lose the others.
func TestBadSigningKeys(t *testing.T) {
	k := keeper{}
	good, other := k.key(t, token.ES256, noon), k.key(t, token.RS256, noon)
	swapped, renamed, cut := good, good, good
	swapped.Algorithm = token.RS256
	renamed.ID = other.ID
	cut.Public = cut.Public[:20]
	r := token.NewRing(token.Config{Issuer: "x", Open: k.open})
	for name, bad := range map[string]token.SigningKey{"another algorithm": swapped, "another ID": renamed, "cut short": cut, "nothing": {}} {
		if err := r.Replace([]token.SigningKey{bad, other}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if n := strings.Count(string(r.JWKS()), `"kid"`); n != 1 {
			t.Errorf("%s: %d keys", name, n)
		}
	}
	sealedElse := good
	sealedElse.Sealed = []byte(other.ID)
	if err := r.Replace([]token.SigningKey{sealedElse}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Sign(accessClaims()); err == nil {
		t.Error("signed with a key that does not open")
	}
}

// Nothing of ours is taken for something else, and nothing half said is signed.
func TestOwnTokensAreStrict(t *testing.T) {
	r, _, _ := newRing(t, token.ES256)
	raw := mustSign(t, r, accessClaims())
	part := strings.Split(raw, ".")
	session := strings.Split(mustSign(t, r, sessionClaims()), ".")
	for name, bad := range map[string]string{
		"claims of a session token":       part[0] + "." + session[1] + "." + part[2],
		"header of a session token":       session[0] + "." + part[1] + "." + part[2],
		"signature of a session token":    part[0] + "." + part[1] + "." + session[2],
		"a signature in DER":              part[0] + "." + part[1] + "." + der(part[2]),
		"the other form of the signature": part[0] + "." + part[1] + "." + mirrored(part[2]),
		"a signature of zeros":            part[0] + "." + part[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64)),
		"no signature":                    part[0] + "." + part[1] + ".",
		"padding":                         raw + "=",
		"an algorithm of none":            encode(`{"alg":"none","typ":"at+jwt","kid":"x"}`) + "." + part[1] + ".",
	} {
		if _, ok := r.Read(bad, noon); ok {
			t.Errorf("read: %s", name)
		}
	}
	other, _, _ := newRing(t, token.ES256)
	if _, ok := other.Read(raw, noon); ok {
		t.Error("another installation's token is read")
	}
	for name, change := range map[string]func(*token.Claims){
		"no scope": func(c *token.Claims) { c.Scope = nil }, "no ID": func(c *token.Claims) { c.ID = "" }, "no tenant": func(c *token.Claims) { c.Tenant = "" },
		"no credential": func(c *token.Claims) { c.Credential = credential.ID{} }, "no version": func(c *token.Claims) { c.SecretVersion = 0 },
		"no life": func(c *token.Claims) { c.ExpiresAt = c.IssuedAt }, "a user": func(c *token.Claims) { c.User = "usr_ann" }, "no use": func(c *token.Claims) { c.Use = "" },
	} {
		c := accessClaims()
		change(&c)
		if _, err := r.Sign(c); err == nil {
			t.Errorf("signed: %s", name)
		}
	}
	long := accessClaims()
	for range 300 {
		long.Scope = append(long.Scope, "a_rather_long_resource_name:read")
	}
	if _, err := r.Sign(long); !errors.Is(err, token.ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func decoded(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// mirrored is the other signature that is as right: s becomes n-s.
func mirrored(s string) string {
	n, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	b := decoded(s)
	n.Sub(n, new(big.Int).SetBytes(b[32:])).FillBytes(b[32:])
	return base64.RawURLEncoding.EncodeToString(b)
}

func der(s string) string {
	b := decoded(s)
	out := append([]byte{0x30, 70, 2, 33, 0}, b[:32]...)
	out = append(append(out, 2, 33, 0), b[32:]...)
	return base64.RawURLEncoding.EncodeToString(out)
}

func TestNewID(t *testing.T) {
	one, err := token.NewID(rand.Reader)
	other, err2 := token.NewID(rand.Reader)
	if err != nil || err2 != nil || one == other || len(one) != 26 || !strings.HasPrefix(one, "tok_") {
		t.Errorf("%q, %q: %v, %v", one, other, err, err2)
	}
	if _, err := token.NewID(strings.NewReader("short")); err == nil {
		t.Error("an ID of nothing")
	}
}

func FuzzOwnToken(f *testing.F) {
	r, _, _ := newRing(f, token.ES256)
	good := map[string]bool{}
	for _, c := range []token.Claims{accessClaims(), sessionClaims()} {
		raw := mustSign(f, r, c)
		good[raw] = true
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		// Nobody else can sign, and what was signed has one form.
		if _, ok := r.Read(raw, noon); ok && !good[raw] {
			t.Errorf("read: %q", raw)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	for _, alg := range []token.Algorithm{token.ES256, token.RS256} {
		r, _, _ := newRing(b, alg)
		c := accessClaims()
		b.Run(string(alg), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Sign(c); err != nil {
					b.Fatal(err)
				}
			}
		})
		raw := mustSign(b, r, c)
		b.Run(string(alg)+" read", func(b *testing.B) {
			for b.Loop() {
				if _, ok := r.Read(raw, noon); !ok {
					b.Fatal("not read")
				}
			}
		})
	}
}
