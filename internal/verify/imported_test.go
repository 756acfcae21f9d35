package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const oldKey = "9a0364b9e99bb480dd25e1f0284c8555"

// importWorld is a world that knows the import key "old", and has ann's key from elsewhere.
func importWorld(tb testing.TB) (*world, Credential) {
	tb.Helper()
	w := newWorld(tb)
	keys, err := secret.NewImportKeys(map[string][]byte{"old": []byte("k")})
	if err != nil {
		tb.Fatal(err)
	}
	w.index = New(Config{Source: w.source, Peppers: w.peppers, ImportKeys: keys, Tokens: w.tokens, Now: w.clock.Now})
	w.load(tb)
	c := w.imported(tb, oldKey, "sha256")
	w.apply(tb, Item{Credential: &c})
	return w, c
}

// imported is a key of ann's that another system made.
func (w *world) imported(tb testing.TB, key string, scheme secret.Scheme) Credential {
	tb.Helper()
	c, _ := w.issue(tb, secret.UserKey, w.clock.Now())
	c.TenantID, c.OrganizationID, c.Row = "ten_a", "org_north", w.source.head()+1
	c.Material = []credential.Material{w.foreign(tb, c.ID, key, scheme, 1, 2)}
	return c
}

func (w *world) foreign(tb testing.TB, id credential.ID, key string, scheme secret.Scheme, version, pepper int) credential.Material {
	tb.Helper()
	f := secret.SumForeign(key)
	if scheme != secret.SHA256 {
		m := hmac.New(sha256.New, []byte("k"))
		m.Write([]byte(key))
		f = secret.Foreign(m.Sum(nil))
	}
	d, _ := w.peppers.Imported(pepper, &f)
	return credential.Material{CredentialID: id, Field: "key", Version: version, Digest: d, PepperVersion: pepper, Scheme: scheme}
}

func (w *world) wantCode(tb testing.TB, what string, r Request, want Code) Result {
	tb.Helper()
	res := w.verify(tb, r)
	if res.Code != want {
		tb.Errorf("%s: %s, want %s", what, res.Code, want)
	}
	if res.Code == NotFound && (res.CredentialID != credential.ID{} || res.TenantID != "" || res.Permissions != nil) {
		tb.Errorf("%s: NOT_FOUND tells more", what)
	}
	return res
}

// PV3: a key of another system verifies as one of ours does.
func TestImportedKeyVerifies(t *testing.T) {
	w, c := importWorld(t)
	hmacked := w.imported(t, "another key of the system before 1", "hmac-sha256:old")
	oldPepper := w.imported(t, "another key of the system before 2", "sha256")
	oldPepper.Material[0] = w.foreign(t, oldPepper.ID, "another key of the system before 2", "sha256", 1, 1)
	w.apply(t, Item{Credential: &hmacked}, Item{Credential: &oldPepper})

	res := w.wantCode(t, "alone", Request{Credential: oldKey, Permissions: "recordings:read"}, Valid)
	if res.CredentialID != c.ID || res.TenantID != "ten_a" || res.Principal != userOf("usr_ann") || res.SecretVersion != 1 || res.Kind != credential.UserKey {
		t.Errorf("%+v", res)
	}
	w.wantCode(t, "with its user", Request{ID: "usr_ann", Secret: oldKey}, Valid) // PV1
	w.wantCode(t, "with another's user", Request{ID: "usr_bob", Secret: oldKey}, NotFound)
	w.wantCode(t, "by HMAC", Request{Credential: "another key of the system before 1"}, Valid)
	w.wantCode(t, "under the old pepper", Request{Credential: "another key of the system before 2"}, Valid)
	w.wantCode(t, "missing permission", Request{Credential: oldKey, Permissions: "a:b"}, InsufficientPermissions)
	w.wantCode(t, "another tenant's caller", Request{Credential: oldKey, OnlyTenant: "ten_b"}, NotFound)
	w.wantCode(t, "as query parameters", Request{ID: "1234567", Secret: oldKey, Legacy: true}, NotFound)
	w.wantCode(t, "nearly", Request{Credential: oldKey + "0"}, NotFound)
	w.wantCode(t, "nothing", Request{}, NotFound)
	w.wantCode(t, "the digest itself", Request{Credential: fmt.Sprintf("%x", c.Material[0].Digest)}, NotFound)
	w.wantCode(t, "ours", Request{Credential: w.text}, Valid)
}

// The life of an imported key is that of any other (PV3, PV9, B3).
func TestImportedKeyLives(t *testing.T) {
	w, c := importWorld(t)
	for state, want := range map[credential.State]Code{
		credential.Suspended: Suspended, credential.Revoked: Revoked, credential.Expired: Expired, credential.Active: Valid,
	} {
		c.State = state
		w.apply(t, Item{Credential: &c})
		w.wantCode(t, string(state), Request{Credential: oldKey}, want)
	}
	c.State = credential.Active
	until := w.clock.Now().Add(time.Hour)
	next := w.rotate(t, &c, secret.UserKey, until)
	w.apply(t, Item{Credential: &c})
	if res := w.wantCode(t, "in grace", Request{Credential: oldKey}, Valid); res.SecretVersion != 1 {
		t.Errorf("version %d", res.SecretVersion)
	}
	if res := w.wantCode(t, "its successor", Request{Credential: next}, Valid); res.SecretVersion != 2 || res.CredentialID != c.ID {
		t.Errorf("version %d of %s", res.SecretVersion, res.CredentialID)
	}
	w.clock.set(until)
	w.load(t)
	w.wantCode(t, "after grace", Request{Credential: oldKey}, NotFound)
	w.wantCode(t, "its successor after grace", Request{Credential: next}, Valid)
	w.apply(t, Item{Credential: &c})
	if n := w.index.imported.count.Load(); n != 0 {
		t.Errorf("%d digests are kept for nothing", n)
	}
	w.apply(t, Item{Credential: &c, Gone: true})
	w.wantCode(t, "gone", Request{Credential: next}, NotFound)
}

// A snapshot that doesn't bring it any more takes it out.
func TestImportedKeyIsSwept(t *testing.T) {
	w, c := importWorld(t)
	other := newWorld(t)
	w.source.replace(other.source)
	w.source.gone.Store(true)
	w.load(t)
	w.wantCode(t, "swept", Request{Credential: oldKey}, NotFound)
	if n := w.index.imported.count.Load(); n != 0 {
		t.Errorf("%d digests are kept for nothing", n)
	}
	w.apply(t, Item{Credential: &c})
	w.wantCode(t, "back", Request{Credential: oldKey}, Valid)
}

// The same key in two tenants: the first one has it, also when it has ended, so that whoever
// imports another's key gains nothing. Each tenant's own verifier sees its own.
func TestImportedByTwoTenants(t *testing.T) {
	for _, scheme := range []secret.Scheme{"sha256", "hmac-sha256:old"} {
		w, first := importWorld(t)
		tenant := tenancy.Tenant{ID: "ten_b", PlanID: "pln_full", RootOrg: "org_b", State: tenancy.Active}
		second := w.imported(t, oldKey, scheme)
		second.TenantID, second.OrganizationID, second.Principal = "ten_b", "org_b", userOf("usr_bob")
		items := []Item{
			{Tenant: &tenant},
			{Organization: &tenancy.Organization{ID: "org_b", TenantID: "ten_b", Path: []tenancy.OrgID{"org_b"}, State: tenancy.Active}},
			{User: &tenancy.User{ID: "usr_bob", TenantID: "ten_b", OrganizationID: "org_b", State: tenancy.Active}},
			{Credential: &second},
		}
		w.apply(t, items...)
		check := func(when string, want Code) {
			t.Helper()
			if res := w.wantCode(t, when, Request{Credential: oldKey}, want); res.CredentialID != first.ID {
				t.Errorf("%s: %s answers, not the first", when, res.CredentialID)
			}
			w.wantCode(t, when+", asked by the second", Request{Credential: oldKey, OnlyTenant: "ten_b"}, Valid)
			w.wantCode(t, when+", asked by the first", Request{Credential: oldKey, OnlyTenant: "ten_a"}, want)
			w.wantCode(t, when+", with the second's user", Request{ID: "usr_bob", Secret: oldKey}, Valid)
		}
		check("both live", Valid)
		w.apply(t, Item{Credential: &second})
		w.apply(t, Item{Credential: &first})
		check("put again", Valid)
		first.State = credential.Revoked
		w.apply(t, Item{Credential: &first})
		check("the first is revoked", Revoked)
		w.load(t)
		w.source.gone.Store(true)
		w.load(t)
		check("read anew", Revoked)
		w.apply(t, Item{Credential: &first, Gone: true})
		if res := w.wantCode(t, "the first is forgotten", Request{Credential: oldKey}, Valid); res.CredentialID != second.ID {
			t.Error("the second does not answer")
		}
		w.apply(t, Item{Credential: &second, Gone: true})
		if n := w.index.imported.count.Load(); n != 0 {
			t.Errorf("%d digests are kept for nothing", n)
		}
	}
}

// What has our own prefix, and what has none while nothing is imported, is refused unhashed.
func TestOnlyForeignStringsAreLookedFor(t *testing.T) {
	w, _ := importWorld(t)
	sneaky := w.imported(t, "clv_uk_smuggled", "sha256") // the digest of such a string can't be told
	w.apply(t, Item{Credential: &sneaky})
	w.wantCode(t, "our prefix", Request{Credential: "clv_uk_smuggled"}, NotFound)
	place := w.index.guesses.placeOf(w.index.seed[0], netip.Addr{})
	if place.Load() != 0 {
		t.Error("it was looked for")
	}
	w.wantCode(t, "foreign", Request{Credential: "hello"}, NotFound)
	if place.Load() == 0 {
		t.Error("a foreign string was not looked for")
	}
}

// Weak keys can't be guessed at: a source that sends many unknown strings finds none.
func TestWeakKeysAreLimitedPerSource(t *testing.T) {
	w, strong := importWorld(t)
	const weakKey = "password1"
	weak := w.imported(t, weakKey, "sha256")
	weak.Material[0].Weak = true
	w.apply(t, Item{Credential: &weak})
	from := func(a string) netip.Addr { return netip.MustParseAddr(a) }
	bad, good := from("192.0.2.7"), from("192.0.2.8")
	for n := range MaxGuesses {
		w.wantCode(t, fmt.Sprintf("before guess %d", n), Request{Credential: weakKey, SourceIP: bad}, Valid)
		w.wantCode(t, "guess", Request{Credential: fmt.Sprintf("password%d", n+2), SourceIP: bad, DryRun: n%2 == 0}, NotFound)
	}
	w.wantCode(t, "too many", Request{Credential: weakKey, SourceIP: bad}, NotFound)
	w.wantCode(t, "too many, written as IPv6", Request{Credential: weakKey, SourceIP: from("::ffff:192.0.2.7")}, NotFound)
	w.wantCode(t, "a strong one", Request{Credential: oldKey, SourceIP: bad}, Valid)
	w.wantCode(t, "ours", Request{Credential: w.text, SourceIP: bad}, Valid)
	w.wantCode(t, "another source", Request{Credential: weakKey, SourceIP: good}, Valid)
	w.clock.advance(time.Minute)
	w.load(t)
	w.wantCode(t, "a minute later", Request{Credential: weakKey, SourceIP: bad}, Valid)
	// A subscriber's whole network counts as one, and so do callers that don't say.
	for n := range MaxGuesses {
		w.wantCode(t, "guess", Request{Credential: "no", SourceIP: from(fmt.Sprintf("2001:db8::%x", n))}, NotFound)
		w.wantCode(t, "guess", Request{Credential: "no"}, NotFound)
	}
	w.wantCode(t, "the same network", Request{Credential: weakKey, SourceIP: from("2001:db8::ffff")}, NotFound)
	w.wantCode(t, "another network", Request{Credential: weakKey, SourceIP: from("2001:db8:0:1::1")}, Valid)
	w.wantCode(t, "no source", Request{Credential: weakKey}, NotFound)
	_ = strong
}

// A change of an imported key leaves no moment in which it is unknown.
func TestImportedKeyIsNeverMissing(t *testing.T) {
	w, c := importWorld(t)
	stop, done := make(chan struct{}), sync.WaitGroup{}
	for range 4 {
		done.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if res, err := w.index.Verify(&Request{Credential: oldKey}); err != nil || !res.Valid {
					t.Errorf("%v %v", res.Code, err)
					return
				}
			}
		})
	}
	for range 500 {
		w.apply(t, Item{Credential: &c})
	}
	close(stop)
	done.Wait()
}
