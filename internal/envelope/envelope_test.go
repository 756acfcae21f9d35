package envelope_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/envelope"
	"github.com/claviger-io/claviger/internal/secret"
)

const canary = "clv_ok_8fK2mPq0Zr4T_7NcYpVbW1xQe5RtAzUoLkJhGfDsMn3Bv6C9XiT0yE2w000000"

func TestSealAndOpen(t *testing.T) {
	e := mustOpen(t, 1)
	tenant := mustLoad(t, e, mustKeyset(t, e))
	sealed := mustSeal(t, tenant, canary, purpose())
	again := mustSeal(t, tenant, canary, purpose())
	if bytes.Equal(sealed, again) {
		t.Error("sealing twice gives the same, and so tells that two secrets are equal")
	}
	for _, b := range [][]byte{sealed, again} {
		s, err := tenant.Open(b, purpose())
		if err != nil || s.Reveal() != canary {
			t.Errorf("opened %q, %v", s.Reveal(), err)
		}
	}
}

// Each part of the purpose binds, also when a neighbour could make up for it.
func TestOpenNeedsTheVeryPurpose(t *testing.T) {
	e := mustOpen(t, 1)
	tenant := mustLoad(t, e, mustKeyset(t, e))
	sealed := mustSeal(t, tenant, canary, purpose())
	for name, change := range map[string]func(*envelope.AAD){
		"tenant":         func(a *envelope.AAD) { a.Tenant = "ten_other" },
		"longer tenant":  func(a *envelope.AAD) { a.Tenant += "c" },
		"shorter tenant": func(a *envelope.AAD) { a.Tenant = a.Tenant[:len(a.Tenant)-1] },
		"credential":     func(a *envelope.AAD) { a.Credential[11]++ },
		"field":          func(a *envelope.AAD) { a.Field = "key" },
		"longer field":   func(a *envelope.AAD) { a.Field += "\x00" },
		"version":        func(a *envelope.AAD) { a.Version++ },
		"high version":   func(a *envelope.AAD) { a.Version += 1 << 32 },
	} {
		a := purpose()
		change(&a)
		requireSealed(t, name, tenant, sealed, a)
	}
}

func TestPartsDoNotRunTogether(t *testing.T) {
	e := mustOpen(t, 1)
	tenant := mustLoad(t, e, mustKeyset(t, e))
	a, b := purpose(), purpose()
	a.Field, b.Field = "key\x00\x00\x00\x00\x00\x00\x00\x01", "key"
	requireSealed(t, "a field that ends like a version", tenant, mustSeal(t, tenant, canary, a), b)
	a, b = purpose(), purpose()
	a.Tenant, b.Tenant = "ten_a\x00\x00\x00\x10crd_8fK2mPq0Zr4T", "ten_a"
	requireSealed(t, "a tenant that ends like a credential", tenant, mustSeal(t, tenant, canary, a), b)
}

func TestOpenFindsTampering(t *testing.T) {
	e := mustOpen(t, 1)
	tenant := mustLoad(t, e, mustKeyset(t, e))
	sealed := mustSeal(t, tenant, canary, purpose())
	for i := range sealed {
		for bit := range 8 {
			b := bytes.Clone(sealed)
			b[i] ^= 1 << bit
			requireSealed(t, fmt.Sprintf("bit %d of byte %d", bit, i), tenant, b, purpose())
		}
	}
	for n := range sealed {
		requireSealed(t, fmt.Sprintf("cut to %d bytes", n), tenant, sealed[:n], purpose())
	}
	requireSealed(t, "one byte more", tenant, append(bytes.Clone(sealed), 0), purpose())
	requireSealed(t, "nothing", tenant, nil, purpose())
}

func TestKeysetsAreApart(t *testing.T) {
	e := mustOpen(t, 1)
	a, b := mustKeyset(t, e), mustKeyset(t, e)
	one, two := mustLoad(t, e, a), mustLoad(t, e, b)
	sealed := mustSeal(t, one, canary, purpose())
	requireSealed(t, "another tenant's keyset", two, sealed, purpose())

	// The same keyset loaded again, as after a restart, opens it.
	if s, err := mustLoad(t, mustOpen(t, 1), a).Open(sealed, purpose()); err != nil || s.Reveal() != canary {
		t.Errorf("after a restart: %v", err)
	}
	// Under another key-encryption key nothing loads.
	if _, err := mustOpen(t, 2).Load(t.Context(), a); !errors.Is(err, envelope.ErrSealed) {
		t.Errorf("another key-encryption key: %v", err)
	}
	for i := range a {
		broken := bytes.Clone(a)
		broken[i] ^= 1
		tenant, err := e.Load(t.Context(), broken)
		if err != nil {
			continue
		}
		// A bit of the unencrypted description may flip; the key itself must be whole.
		if s, err := tenant.Open(sealed, purpose()); err == nil && s.Reveal() != canary {
			t.Fatalf("byte %d of a wrapped keyset can be changed into another key", i)
		}
	}
	for _, broken := range [][]byte{nil, {}, a[:len(a)/2], []byte("{}"), bytes.Repeat([]byte{0xff}, 300)} {
		if _, err := e.Load(t.Context(), broken); !errors.Is(err, envelope.ErrSealed) {
			t.Errorf("a broken keyset of %d bytes: %v", len(broken), err)
		}
	}
}

func TestNothingInClear(t *testing.T) {
	e := mustOpen(t, 1)
	wrapped := mustKeyset(t, e)
	tenant := mustLoad(t, e, wrapped)
	sealed := mustSeal(t, tenant, canary, purpose())

	for name, out := range map[string][]byte{"sealed": sealed, "wrapped": wrapped} {
		for _, clearText := range [][]byte{[]byte(canary), []byte(canary[20:32]), keyOf(1), keyOf(1)[:8]} {
			for form, needle := range map[string][]byte{
				"as it is": clearText,
				"hex":      []byte(hex.EncodeToString(clearText)),
				"base64":   []byte(base64.StdEncoding.EncodeToString(clearText)[:8]),
			} {
				if bytes.Contains(out, needle) {
					t.Errorf("%s holds a secret %s", name, form)
				}
			}
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).InfoContext(t.Context(), "values", "envelope", e, "tenant", tenant)
	printed := log.String() + fmt.Sprintf("%v %+v %#v %v %+v %#v %v", e, e, e, tenant, tenant, tenant, &tenant)
	if strings.Contains(printed, "35 35 35") || strings.Contains(printed, string(keyOf(1))) || strings.Contains(printed, "KeyValue") {
		t.Errorf("a key is printed: %s", printed)
	}
}

// Addresses hold the key itself: no error may repeat one, and none may be made up.
func TestOpenRefuses(t *testing.T) {
	key := base64.URLEncoding.EncodeToString(keyOf(1))
	for name, address := range map[string]string{
		"nothing":            "",
		"no scheme":          key,
		"unknown scheme":     "vault://" + key,
		"no key":             "base64key://",
		"no key but a path":  "base64key:///" + key,
		"an opaque key":      "base64key:" + key,
		"a short key":        "base64key://" + key[:20],
		"a long key":         "base64key://" + key + key,
		"a damaged key":      "base64key://" + key[:10] + "!" + key[10:],
		"no URL":             "base64key://" + key + "\x7f",
		"a bad escape":       "base64key://%zz" + key,
		"a parameter":        "base64key://" + key + "?x=" + key,
		"a one-byte address": ":",
	} {
		e, err := envelope.Open(t.Context(), address)
		if err == nil || e != nil {
			t.Errorf("%s is accepted", name)
			continue
		}
		for n := 8; n <= len(key); n += 8 {
			if strings.Contains(err.Error(), key[:n]) || strings.Contains(err.Error(), key[len(key)-n:]) {
				t.Errorf("%s: the error tells the key: %v", name, err)
			}
		}
	}
}

func TestSealRefuses(t *testing.T) {
	e := mustOpen(t, 1)
	tenant := mustLoad(t, e, mustKeyset(t, e))
	sealed := mustSeal(t, tenant, canary, purpose())
	for name, change := range map[string]func(*envelope.AAD){
		"no tenant":        func(a *envelope.AAD) { a.Tenant = "" },
		"no credential":    func(a *envelope.AAD) { a.Credential = credential.ID{} },
		"no field":         func(a *envelope.AAD) { a.Field = "" },
		"no version":       func(a *envelope.AAD) { a.Version = 0 },
		"negative version": func(a *envelope.AAD) { a.Version = -1 },
	} {
		a := purpose()
		change(&a)
		if b, err := tenant.Seal(secret.New(canary), a); err == nil || b != nil {
			t.Errorf("%s seals", name)
		}
		if s, err := tenant.Open(sealed, a); err == nil || !s.IsZero() {
			t.Errorf("%s opens", name)
		}
	}
	if b, err := tenant.Seal(secret.Secret{}, purpose()); err == nil || b != nil {
		t.Error("nothing is sealed")
	}
	if b, err := (envelope.Tenant{}).Seal(secret.New(canary), purpose()); err == nil || b != nil {
		t.Error("the zero tenant seals")
	}
	if s, err := (envelope.Tenant{}).Open(sealed, purpose()); err == nil || !s.IsZero() {
		t.Error("the zero tenant opens")
	}
}

func TestCancelledContext(t *testing.T) {
	e := mustOpen(t, 1)
	wrapped := mustKeyset(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// The local key asks nobody, so it may answer all the same; it must not answer wrongly.
	if _, err := e.Load(ctx, wrapped); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled load says %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := e.NewKeyset(t.Context()); err == nil {
		t.Error("a closed envelope makes keysets")
	}
}

func TestConcurrentUse(t *testing.T) {
	e := mustOpen(t, 1)
	tenant := mustLoad(t, e, mustKeyset(t, e))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			a := purpose()
			a.Version = i + 1
			for range 200 {
				sealed, err := tenant.Seal(secret.New(canary), a)
				if err != nil {
					t.Error(err)
					return
				}
				if s, err := tenant.Open(sealed, a); err != nil || s.Reveal() != canary {
					t.Error("a secret is lost under concurrency", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkOpen(b *testing.B) {
	e := mustOpen(b, 1)
	tenant := mustLoad(b, e, mustKeyset(b, e))
	sealed := mustSeal(b, tenant, canary, purpose())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tenant.Open(sealed, purpose()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	e := mustOpen(b, 1)
	wrapped := mustKeyset(b, e)
	b.ReportAllocs()
	for b.Loop() {
		mustLoad(b, e, wrapped)
	}
}

func purpose() envelope.AAD {
	return envelope.AAD{Tenant: "ten_a", Credential: credential.ID([]byte("8fK2mPq0Zr4T")), Field: "secret", Version: 1}
}

func keyOf(n byte) []byte { return bytes.Repeat([]byte{'5', n}, 16) }

func mustOpen(tb testing.TB, key byte) *envelope.Envelope {
	tb.Helper()
	e, err := envelope.Open(tb.Context(), "base64key://"+base64.URLEncoding.EncodeToString(keyOf(key)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = e.Close() }) // twice where a test closes it itself
	return e
}

func mustKeyset(tb testing.TB, e *envelope.Envelope) []byte {
	tb.Helper()
	wrapped, err := e.NewKeyset(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return wrapped
}

func mustLoad(tb testing.TB, e *envelope.Envelope, wrapped []byte) envelope.Tenant {
	tb.Helper()
	tenant, err := e.Load(tb.Context(), wrapped)
	if err != nil {
		tb.Fatal(err)
	}
	return tenant
}

func mustSeal(tb testing.TB, tenant envelope.Tenant, clearText string, a envelope.AAD) []byte {
	tb.Helper()
	sealed, err := tenant.Seal(secret.New(clearText), a)
	if err != nil {
		tb.Fatal(err)
	}
	return sealed
}

func requireSealed(t *testing.T, name string, tenant envelope.Tenant, sealed []byte, a envelope.AAD) {
	t.Helper()
	s, err := tenant.Open(sealed, a)
	if !errors.Is(err, envelope.ErrSealed) || !s.IsZero() {
		t.Errorf("%s: opened, error %v", name, err)
	}
}
