package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const (
	manyKeys    = 1_000_000
	manyTenants = 1_000
	manyUsers   = 10 // a tenant
)

// manySource streams a million keys and keeps none of them, so that memory is the index's.
type manySource struct {
	peppers *secret.Peppers
	keep    func(n int, text string) // may be nil
}

func (m *manySource) Snapshot(_ context.Context, put func(Item) error) (uint64, error) {
	if err := put(planItem("pln_full", true, "*:*")); err != nil {
		return 0, err
	}
	for t := range manyTenants {
		if err := m.tenant(t, put); err != nil {
			return 0, err
		}
	}
	random := rand.NewChaCha8([32]byte{1})
	for n := range manyKeys {
		t := n % manyTenants
		s, p, err := secret.Format{}.Generate(secret.UserKey, random)
		if err != nil {
			return 0, err
		}
		d, _ := m.peppers.Digest(m.peppers.Current(), &p)
		c := Credential{
			Credential: credential.Credential{
				ID: p.ID, TenantID: tenancy.TenantID(manyTenant(t)), OrganizationID: tenancy.OrgID(manyOrg(t, n%5)),
				Kind: credential.UserKey, Principal: userOf(manyUser(t, n/manyTenants%manyUsers)),
				State: credential.Active, SecretVersion: 1,
			},
			Material: []credential.Material{{CredentialID: p.ID, Field: "key", Version: 1, Digest: d, PepperVersion: m.peppers.Current()}},
		}
		if err := put(Item{Credential: &c}); err != nil {
			return 0, err
		}
		if m.keep != nil {
			m.keep(n, s.Reveal())
		}
	}
	return 1, nil
}

func manyTenant(t int) string  { return fmt.Sprintf("ten_%026d", t) }
func manyOrg(t, o int) string  { return fmt.Sprintf("org_%020d%06d", t, o) }
func manyUser(t, u int) string { return fmt.Sprintf("usr_%020d%06d", t, u) }

// tenant puts a tenant with five organizations, nine roles and its users.
func (m *manySource) tenant(t int, put func(Item) error) error {
	id := tenancy.TenantID(manyTenant(t))
	root := tenancy.OrgID(manyOrg(t, 0))
	items := []Item{{Tenant: &tenancy.Tenant{ID: id, AccountID: int64(1_000_000 + t), PlanID: "pln_full", RootOrg: root, State: tenancy.Active}}}
	for o := range 5 {
		path := []tenancy.OrgID{root}
		if o > 0 {
			path = append(path, tenancy.OrgID(manyOrg(t, o)))
		}
		items = append(items, Item{Organization: &tenancy.Organization{ID: path[len(path)-1], TenantID: id, Path: path, State: tenancy.Active}})
	}
	role := func(r int) access.RoleID { return access.RoleID(fmt.Sprintf("rol_%020d%06d", t, r)) }
	for r := range 9 {
		it := &access.Role{ID: role(r), TenantID: id}
		for p := range 6 + 3*r {
			it.Permissions = append(it.Permissions, access.Grant(fmt.Sprintf("resource_%d:read", p)))
		}
		items = append(items, Item{Role: it})
	}
	for u := range manyUsers {
		user := manyUser(t, u)
		items = append(items, assignItem(string(id), user, string(role(u%9)), string(root)),
			Item{User: &tenancy.User{ID: tenancy.UserID(user), TenantID: id, OrganizationID: root, State: tenancy.Active}})
	}
	for _, i := range items {
		if err := put(i); err != nil {
			return err
		}
	}
	return nil
}

func (m *manySource) Changes(_ context.Context, _ uint64, _ int) ([]Change, uint64, error) {
	return nil, 1, nil
}
func (m *manySource) Wait(ctx context.Context, _ uint64) error { <-ctx.Done(); return ctx.Err() }

// many is the index of a million keys, made once for all benchmarks, and the keys.
var many = sync.OnceValues(func() (*Index, []string) {
	w := &manySource{peppers: benchPeppers()}
	buf := make([]byte, 0, manyKeys*72)
	texts := make([]string, manyKeys)
	w.keep = func(n int, text string) {
		start := len(buf)
		buf = append(buf, text...)
		texts[n] = unsafe.String(&buf[start], len(text))
	}
	x := New(Config{Source: w, Peppers: w.peppers, MaxStaleness: time.Hour})
	if err := x.catchUp(context.Background(), 0); err != nil {
		panic(err)
	}
	// The texts lie in the random order in which they are used: a real one arrives in a
	// buffer that was just written, so fetching it must not count.
	shuffled := make([]byte, 0, len(buf))
	for _, n := range rand.New(rand.NewPCG(1, 2)).Perm(manyKeys) {
		shuffled = append(shuffled, texts[n]...)
	}
	size := len(texts[0])
	for n := range texts {
		texts[n] = unsafe.String(&shuffled[n*size], size)
	}
	return x, texts
})

func benchPeppers() *secret.Peppers {
	p, err := secret.NewPeppers(1, map[int][]byte{1: make([]byte, 32)})
	if err != nil {
		panic(err)
	}
	return p
}

// BenchmarkFloor is what no index can be faster than: parse, digest, the clock.
func BenchmarkFloor(b *testing.B) {
	_, texts := many()
	p := benchPeppers()
	defer reportCPU(b)()
	n := 0
	for b.Loop() {
		key, ok := secret.Format{}.Parse(texts[n])
		if _, found := p.Digest(1, &key); !ok || !found || time.Now().IsZero() {
			b.Fatal("not a key")
		}
		if n++; n == 1000 {
			n = 0
		}
	}
}

func benchmarkVerify(b *testing.B, among int, permissions string) {
	b.Helper()
	x, texts := many()
	b.ReportAllocs()
	n := 0
	defer reportCPU(b)()
	for b.Loop() {
		res, err := x.Verify(&Request{Credential: texts[n], Permissions: permissions})
		if err != nil || !res.Valid {
			b.Fatal(res.Code, err)
		}
		if n++; n == among {
			n = 0
		}
	}
}

// reportCPU reports the processor's time beside the clock's, which on a machine that does
// other things as well says little.
func reportCPU(b *testing.B) func() {
	b.Helper()
	start, ok := cpuTime()
	return func() {
		if end, _ := cpuTime(); ok {
			b.ReportMetric(float64(end-start)/float64(b.N), "cpu-ns/op")
		}
	}
}

// Budget: 700 ns and no allocation.
func BenchmarkVerifyRandom1M(b *testing.B) { benchmarkVerify(b, manyKeys, "") }

func BenchmarkVerifyRandom1MPermissions(b *testing.B) {
	benchmarkVerify(b, manyKeys, "resource_1:read AND resource_3:read")
}

// Budget: 350 ns and no allocation.
func BenchmarkVerifyHot(b *testing.B) { benchmarkVerify(b, 1000, "") }

func BenchmarkVerifyHotPermissions(b *testing.B) {
	benchmarkVerify(b, 1000, "resource_1:read AND resource_3:read")
}

func BenchmarkVerifyHotParallel(b *testing.B) {
	x, texts := many()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			if res, err := x.Verify(&Request{Credential: texts[n%1000]}); err != nil || !res.Valid {
				b.Error(res.Code, err)
				return
			}
		}
	})
}

// BenchmarkRoleEdit changes a role that 100,000 users of one tenant hold, each with a key.
func BenchmarkRoleEdit(b *testing.B) {
	w := newWorld(b)
	items := make([]Item, 0, 300_000)
	for n := range 100_000 {
		id := fmt.Sprintf("usr_%026d", n)
		c, _ := w.issue(b, secret.UserKey, w.clock.Now())
		c.TenantID, c.OrganizationID, c.Principal = "ten_a", "org_north", userOf(id)
		items = append(items, assignItem("ten_a", id, "rol_reader", "org_root"),
			Item{User: &tenancy.User{ID: tenancy.UserID(id), TenantID: "ten_a", State: tenancy.Active}}, Item{Credential: &c})
	}
	for _, i := range items {
		if err := w.index.put(i); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		n++
		if err := w.index.put(Item{Role: &access.Role{
			ID: "rol_reader", TenantID: "ten_a", Permissions: []access.Grant{access.Grant(fmt.Sprintf("changed:times_%d", n))},
		}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMemory reports what a million keys add to the process: B/key of resident
// memory (whole process too), and the part of it that is the Go heap. Run it alone.
func BenchmarkMemory(b *testing.B) {
	for range b.N {
		runtime.GC()
		before := resident(b)
		start := time.Now()
		w := &manySource{peppers: benchPeppers()}
		x := New(Config{Source: w, Peppers: w.peppers, MaxStaleness: time.Hour})
		if err := x.catchUp(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
		took := time.Since(start)
		after := resident(b)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(after-before)/manyKeys, "B/key")
		b.ReportMetric(float64(after)/manyKeys, "process-B/key")
		b.ReportMetric(float64(m.HeapAlloc)/manyKeys, "heap-B/key")
		b.ReportMetric(float64(x.Stats().Bytes)/manyKeys, "slab-B/key")
		b.ReportMetric(took.Seconds(), "load-s")
		runtime.KeepAlive(x)
	}
}

// resident is VmRSS in bytes.
func resident(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc here")
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb * 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
