package verify

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
)

// world is an index over a source in which one tenant has a tree, roles, a user and a key.
//
//	ten_a (plan pln_full): org_root > org_sales > org_north
//	usr_ann at org_north: role rol_reader at org_root, rol_caller at org_sales
type world struct {
	source  *memSource
	clock   *testClock
	peppers *secret.Peppers
	rand    *rand.ChaCha8
	index   *Index
	tokens  *token.Ring // nil: none of the installation's own tokens is accepted

	tenant           tenancy.Tenant
	root, sales      tenancy.Organization
	north            tenancy.Organization
	ann              tenancy.User
	reader, caller   access.Role
	key              Credential
	text             string
	systemTenantItem Item
}

// newWorld has its snapshot loaded.
func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{source: newMemSource(), clock: newTestClock(), peppers: testPeppers(tb), rand: newRand(), tokens: testRing()}
	w.tenant = tenancy.Tenant{ID: "ten_a", AccountID: 1234567, PlanID: "pln_full", RootOrg: "org_root", State: tenancy.Active}
	org := func(id, parent string, path ...tenancy.OrgID) tenancy.Organization {
		return tenancy.Organization{ID: tenancy.OrgID(id), TenantID: "ten_a", ParentID: tenancy.OrgID(parent), Path: path, State: tenancy.Active}
	}
	w.root = org("org_root", "", "org_root")
	w.sales = org("org_sales", "org_root", "org_root", "org_sales")
	w.north = org("org_north", "org_sales", "org_root", "org_sales", "org_north")
	w.reader = access.Role{ID: "rol_reader", TenantID: "ten_a", Permissions: []access.Grant{"recordings:read", "claviger.api_keys:generate"}}
	w.caller = access.Role{ID: "rol_caller", TenantID: "ten_a", Permissions: []access.Grant{"calls:*"}}
	w.ann = tenancy.User{ID: "usr_ann", TenantID: "ten_a", OrganizationID: "org_north", State: tenancy.Active}
	w.key, w.text = w.issue(tb, secret.UserKey, w.clock.Now())
	w.key.TenantID, w.key.OrganizationID = "ten_a", "org_north"
	w.key.Principal = userOf("usr_ann")
	w.systemTenantItem = Item{Tenant: &tenancy.Tenant{ID: tenancy.SystemTenantID, RootOrg: tenancy.SystemRootOrg, State: tenancy.Active}}

	w.source.put(planItem("pln_full", true, "*:*"), planItem("pln_starter", false, "*:*"), w.systemTenantItem,
		Item{Organization: &tenancy.Organization{
			ID: tenancy.SystemRootOrg, TenantID: tenancy.SystemTenantID,
			Path: []tenancy.OrgID{tenancy.SystemRootOrg}, State: tenancy.Active,
		}},
		Item{Tenant: &w.tenant}, Item{Organization: &w.root}, Item{Organization: &w.sales}, Item{Organization: &w.north},
		Item{Role: &w.reader}, Item{Role: &w.caller},
		assignItem("ten_a", "usr_ann", "rol_reader", "org_root", "rol_caller", "org_sales"),
		Item{User: &w.ann}, Item{Credential: &w.key})
	w.index = w.newIndex()
	w.load(tb)
	return w
}

func (w *world) newIndex() *Index {
	return New(Config{Source: w.source, Peppers: w.peppers, Tokens: w.tokens, Now: w.clock.Now})
}

func (w *world) load(tb testing.TB) {
	tb.Helper()
	if err := w.index.catchUp(tb.Context(), 0); err != nil {
		tb.Fatal(err)
	}
}

// issue makes a credential of a key type with one secret. Everything else is the caller's.
func (w *world) issue(tb testing.TB, t secret.Type, now time.Time) (Credential, string) {
	tb.Helper()
	s, p, err := secret.Format{}.Generate(t, w.rand)
	if err != nil {
		tb.Fatal(err)
	}
	c := Credential{Credential: credential.Credential{
		ID: p.ID, State: credential.Active, SecretVersion: 1, CreatedAt: now, Principal: userOf("usr_ann"),
	}}
	for i, kt := range keyTypes {
		if kt == t {
			c.Kind = kinds[i]
		}
	}
	c.Material = []credential.Material{w.material(tb, p, 1, 2)}
	return c, s.Reveal()
}

func (w *world) material(tb testing.TB, p secret.Parsed, version, pepper int) credential.Material {
	tb.Helper()
	d, ok := w.peppers.Digest(pepper, &p)
	if !ok {
		tb.Fatal("no such pepper")
	}
	return credential.Material{CredentialID: p.ID, Field: "key", Version: version, Digest: d, PepperVersion: pepper}
}

// rotate gives the credential a new secret beside those it has and returns it.
func (w *world) rotate(tb testing.TB, c *Credential, t secret.Type, until time.Time) string {
	tb.Helper()
	s, p, err := secret.Format{}.GenerateFor(c.ID, t, w.rand)
	if err != nil {
		tb.Fatal(err)
	}
	list := append([]credential.Material(nil), c.Material...)
	list[len(list)-1].ValidUntil = until
	c.SecretVersion++
	c.Material = append(list, w.material(tb, p, c.SecretVersion, 2))
	return s.Reveal()
}

// apply changes items at the source and waits until the index has them.
func (w *world) apply(tb testing.TB, items ...Item) {
	tb.Helper()
	if err := w.index.Applied(tb.Context(), w.source.put(items...)); err != nil {
		tb.Fatal(err)
	}
}

func (w *world) verify(tb testing.TB, r Request) Result {
	tb.Helper()
	res, err := w.index.Verify(&r)
	if err != nil {
		tb.Fatal(err)
	}
	return res
}

// aliasOf is a string over a buffer that is used again, as a server's requests are.
func aliasOf(b []byte) string { return unsafe.String(&b[0], len(b)) }

func newRand() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{7}) }

// testPeppers are two, of which the second is current.
func testPeppers(t interface{ Fatal(...any) }) *secret.Peppers {
	old, now := make([]byte, 32), make([]byte, 32)
	old[0], now[0] = 1, 2
	p, err := secret.NewPeppers(2, map[int][]byte{1: old, 2: now})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
