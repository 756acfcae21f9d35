package verify

import (
	"hash/crc32"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// faults are what can be wrong with the key of a world, in the order in which they are
// decided, and how to bring each about.
var faults = []struct {
	name string
	code Code
	do   func(w *world)
	ask  func(r *Request)
}{
	{name: "tenant suspended", code: TenantSuspended, do: func(w *world) { w.tenant.State = tenancy.Suspended }},
	{name: "revoked", code: Revoked, do: func(w *world) { w.key.State = credential.Revoked }},
	{name: "suspended", code: Suspended, do: func(w *world) { w.key.State = credential.Suspended }},
	{name: "not yet valid", code: NotYetValid, do: func(w *world) { w.key.NotBefore = w.clock.Now().Add(time.Microsecond) }},
	{name: "expired", code: Expired, do: func(w *world) { w.key.ExpiresAt = w.clock.Now() }},
	{name: "legacy API", code: WrongKind, do: func(w *world) {
		w.source.put(Item{Catalog: &catalog.Catalog{Groups: []catalog.Group{{APIs: []catalog.API{
			{Key: "old", Permissions: []access.Permission{"calls:read"}, Legacy: true},
		}}}}})
	}},
	{name: "network", code: Forbidden, do: func(w *world) { w.key.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }},
	{name: "permissions", code: InsufficientPermissions, ask: func(r *Request) { r.Permissions = "calls:read AND other:write" }},
	{name: "rate", code: RateLimited, do: func(w *world) {
		w.key.Limits.Rates = []credential.Rate{{Name: "r", Limit: 0, Window: time.Minute}}
	}},
	{name: "quota", code: UsageExceeded, do: func(w *world) {
		w.key.Limits.Quotas = []credential.Quota{{Name: "q", Limit: 0, Period: credential.PerDay}}
	}},
}

func (w *world) applyAll(t *testing.T) {
	t.Helper()
	w.apply(t, Item{Tenant: &w.tenant}, Item{Organization: &w.root}, Item{Organization: &w.sales}, Item{Organization: &w.north},
		Item{User: &w.ann}, Item{Credential: &w.key})
}

// Each fault alone gives its code, and of any two the earlier one is told, except for a
// credential that has one state only.
func TestOrderOfCodes(t *testing.T) {
	for i, first := range faults {
		for j := i; j < len(faults); j++ {
			second := faults[j]
			if first.name == "revoked" && second.name == "suspended" {
				continue
			}
			t.Run(first.name+", "+second.name, func(t *testing.T) {
				w := newWorld(t)
				r := Request{Credential: w.text, Permissions: "calls:read"}
				for _, f := range []int{i, j} {
					if faults[f].do != nil {
						faults[f].do(w)
					}
					if faults[f].ask != nil {
						faults[f].ask(&r)
					}
				}
				w.applyAll(t)
				res := w.verify(t, r)
				if res.Code != first.code || res.Valid {
					t.Errorf("code %s, want %s", res.Code, first.code)
				}
				if res.CredentialID != w.key.ID {
					t.Error("a denial after the match tells whose credential it is")
				}
			})
		}
	}
}

// PV10, PV4: what stops a key, beside its own state.
func TestWhatStopsAKey(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(w *world) Item
		want Code
	}{
		{"nothing", func(w *world) Item { return Item{User: &w.ann} }, Valid},
		{"user suspended", func(w *world) Item { w.ann.State = tenancy.Suspended; return Item{User: &w.ann} }, Suspended},
		{"user deleted", func(w *world) Item { w.ann.State = tenancy.Deleted; return Item{User: &w.ann} }, Revoked},
		{"user gone", func(*world) Item { return Item{User: &tenancy.User{ID: "usr_ann"}, Gone: true} }, Revoked},
		{"unknown user state", func(w *world) Item { w.ann.State = "odd"; return Item{User: &w.ann} }, Revoked},
		{"its organization suspended", func(w *world) Item { w.north.State = tenancy.Suspended; return Item{Organization: &w.north} }, Suspended},
		{"one above suspended", func(w *world) Item { w.sales.State = tenancy.Suspended; return Item{Organization: &w.sales} }, Suspended},
		{"the account suspended", func(w *world) Item { w.root.State = tenancy.Suspended; return Item{Organization: &w.root} }, Suspended},
		{"one above deleted", func(w *world) Item { w.sales.State = tenancy.Deleted; return Item{Organization: &w.sales} }, Revoked},
		{"tenant deleted", func(w *world) Item { w.tenant.State = tenancy.Deleted; return Item{Tenant: &w.tenant} }, Revoked},
		{"tenant held", func(w *world) Item { return Item{Tenant: &w.tenant, Held: true} }, Suspended},
		{"deleted tenant held", func(w *world) Item { w.tenant.State = tenancy.Deleted; return Item{Tenant: &w.tenant, Held: true} }, Revoked},
		{"suspended tenant held", func(w *world) Item {
			w.tenant.State = tenancy.Suspended
			return Item{Tenant: &w.tenant, Held: true}
		}, TenantSuspended},
		{"tenant gone", func(*world) Item { return Item{Tenant: &tenancy.Tenant{ID: "ten_a"}, Gone: true} }, Revoked},
		{"plan without API access", func(w *world) Item { w.tenant.PlanID = "pln_starter"; return Item{Tenant: &w.tenant} }, Forbidden},
		{"plan loses API access", func(*world) Item { return planItem("pln_full", false, "*:*") }, Forbidden},
		{"plan gone", func(*world) Item { return Item{Plan: &Plan{ID: "pln_full"}, Gone: true} }, Forbidden},
		{"no plan", func(w *world) Item { w.tenant.PlanID = ""; return Item{Tenant: &w.tenant} }, Forbidden},
		{"unknown credential state", func(w *world) Item { w.key.State = "odd"; return Item{Credential: &w.key} }, Revoked},
		{"expired by state", func(w *world) Item { w.key.State = credential.Expired; return Item{Credential: &w.key} }, Expired},
		{"gone", func(w *world) Item { return Item{Credential: &w.key, Gone: true} }, NotFound},
		{"digest destroyed", func(w *world) Item { w.key.Material = nil; return Item{Credential: &w.key} }, NotFound},
		{"unknown pepper", func(w *world) Item { w.key.Material[0].PepperVersion = 9; return Item{Credential: &w.key} }, NotFound},
		{"impossible pepper", func(w *world) Item { w.key.Material[0].PepperVersion = 1 << 20; return Item{Credential: &w.key} }, NotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(t, tt.do(w))
			if got := w.verify(t, Request{Credential: w.text}).Code; got != tt.want {
				t.Errorf("code %s, want %s", got, tt.want)
			}
		})
	}
}

// retyped is the same ID and secret as a key of another type, with a right checksum. The
// digest doesn't cover the type.
func retyped(text string, to secret.Type) string {
	parts := strings.Split(text[:len(text)-6], "_")
	parts[1] = string(to)
	body := strings.Join(parts, "_")
	sum := crc32.ChecksumIEEE([]byte(body))
	check := make([]byte, 6)
	for i := 5; i >= 0; i-- {
		check[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[sum%62]
		sum /= 62
	}
	return body + string(check)
}

// NOT_FOUND carries nothing, whatever the reason.
func TestNotFoundCarriesNothing(t *testing.T) {
	w := newWorld(t)
	s, _, err := secret.Format{}.GenerateFor(w.key.ID, secret.UserKey, w.rand)
	if err != nil {
		t.Fatal(err)
	}
	otherType, _, err := secret.Format{}.Generate(secret.AppKey, w.rand)
	if err != nil {
		t.Fatal(err)
	}
	unknown, _, err := secret.Format{}.Generate(secret.UserKey, w.rand)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := (secret.Format{}).Parse(retyped(w.text, secret.OrganizationKey)); !ok {
		t.Fatal("the retyped key is malformed")
	}
	damaged := w.text[:len(w.text)-1] + string(w.text[len(w.text)-1]^1)
	for name, r := range map[string]Request{
		"empty":            {},
		"malformed":        {Credential: "hello"},
		"damaged checksum": {Credential: damaged},
		"wrong secret":     {Credential: s.Reveal()},
		"unknown":          {Credential: unknown.Reveal()},
		"unknown app":      {Credential: otherType.Reveal()},
		"other type":       {Credential: retyped(w.text, "ok")},
		"other tenant's":   {Credential: w.text, OnlyTenant: "ten_b"},
		"wrong user":       {ID: "usr_bob", Secret: w.text},
		"account's number": {ID: "1234567", Secret: w.text},
		"no user":          {Secret: w.text},
		"no secret":        {ID: "usr_ann"},
	} {
		t.Run(name, func(t *testing.T) {
			res := w.verify(t, r)
			want := Result{Code: NotFound, Revision: w.index.Revision()}
			if diff := cmp.Diff(want, res); diff != "" {
				t.Error(diff)
			}
		})
	}
	// A revoked key with a wrong secret is as unknown as any.
	w.key.State = credential.Revoked
	w.apply(t, Item{Credential: &w.key})
	if res := w.verify(t, Request{Credential: s.Reveal()}); res.Code != NotFound || !res.CredentialID.IsZero() {
		t.Errorf("%+v", res)
	}
	if res := w.verify(t, Request{Credential: w.text}); res.Code != Revoked {
		t.Errorf("the right secret of a revoked key: %s", res.Code)
	}
}

func TestValidResult(t *testing.T) {
	w := newWorld(t)
	w.ann.Labels = tenancy.Labels{ExternalID: "ann@voice", Metadata: map[string]string{"seat": "7"}}
	w.key.Labels = tenancy.Labels{ExternalID: "bi-tool"}
	w.key.ExpiresAt = w.clock.Now().Add(1500 * time.Millisecond)
	w.applyAll(t)
	w.clock.advance(time.Second)
	res := w.verify(t, Request{Credential: w.text, Permissions: "calls:listen", OnlyTenant: "ten_a"})
	want := Result{
		Valid: true, Code: Valid, CredentialID: w.key.ID, Kind: credential.UserKey, TenantID: "ten_a",
		OrganizationID: "org_north", Labels: &w.key.Labels, Principal: userOf("usr_ann"), PrincipalLabel: &w.ann.Labels,
		ExpiresAt: w.key.ExpiresAt, SecretVersion: 1, Revision: w.index.Revision(), Staleness: time.Second,
		Permissions: &PermissionSet{
			Set:   access.NewSet("calls:*", "claviger.api_keys:generate", "recordings:read"),
			Scope: "calls:* claviger.api_keys:generate recordings:read",
			JSON:  []byte(`["calls:*","claviger.api_keys:generate","recordings:read"]`),
		},
	}
	if diff := cmp.Diff(want, res); diff != "" {
		t.Error(diff)
	}
}

// PV1: user ID and key as a pair.
func TestIDAndSecret(t *testing.T) {
	w := newWorld(t)
	if res := w.verify(t, Request{ID: "usr_ann", Secret: w.text}); !res.Valid {
		t.Errorf("user ID and key: %s", res.Code)
	}
	// VX6: account ID and account key.
	c, text := w.issue(t, secret.AccountKey, w.clock.Now())
	c.TenantID, c.OrganizationID = "ten_a", "org_root"
	c.Principal = access.Principal{Type: access.PrincipalTenant, ID: "ten_a"}
	w.apply(t, Item{Credential: &c})
	for id, want := range map[string]Code{"1234567": Valid, "01234567": NotFound, "1": NotFound, "ten_a": NotFound, "": NotFound} {
		if res := w.verify(t, Request{ID: id, Secret: text}); res.Code != want {
			t.Errorf("account ID %q: %s, want %s", id, res.Code, want)
		}
	}
	res := w.verify(t, Request{Credential: text, Permissions: "anything:goes"})
	if !res.Valid || res.OrganizationID != "org_root" {
		t.Errorf("%+v", res)
	}
}

// The system tenant has no plan, and its verifier keys work all the same.
func TestSystemVerifierKey(t *testing.T) {
	w := newWorld(t)
	c, text := w.issue(t, secret.VerifierKey, w.clock.Now())
	c.TenantID, c.OrganizationID = tenancy.SystemTenantID, ""
	c.Principal = access.Principal{Type: access.PrincipalSystem, ID: "system"}
	w.apply(t, Item{Credential: &c})
	res := w.verify(t, Request{Credential: text, Permissions: "claviger.credentials:verify"})
	if !res.Valid || res.OrganizationID != tenancy.SystemRootOrg {
		t.Errorf("%+v", res)
	}
}

// PV10: the key changes with the role, at once.
func TestPermissionsAreCurrent(t *testing.T) {
	w := newWorld(t)
	ask := func(p string) Code { return w.verify(t, Request{Credential: w.text, Permissions: p}).Code }
	steps := []struct {
		name    string
		items   []Item
		may     string
		maynot  string
		missing []access.Permission
	}{
		{name: "as made", may: "calls:read AND recordings:read", maynot: "billing:read"},
		{
			name:  "role changed",
			items: []Item{{Role: &access.Role{ID: "rol_reader", TenantID: "ten_a", Permissions: []access.Grant{"billing:read"}}}},
			may:   "billing:read", maynot: "recordings:read",
		},
		{
			name: "role includes another", may: "audio:read", maynot: "recordings:read",
			items: []Item{
				{Role: &access.Role{ID: "rol_deep", TenantID: "ten_a", Permissions: []access.Grant{"audio:read"}}},
				{Role: &access.Role{ID: "rol_reader", TenantID: "ten_a", Includes: []access.RoleID{"rol_deep"}}},
			},
		},
		{
			name: "the included one changes", may: "video:read", maynot: "audio:read",
			items: []Item{{Role: &access.Role{ID: "rol_deep", TenantID: "ten_a", Permissions: []access.Grant{"video:read"}}}},
		},
		{
			name: "the included one goes", may: "calls:read", maynot: "video:read",
			items: []Item{{Role: &access.Role{ID: "rol_deep", TenantID: "ten_a"}, Gone: true}},
		},
		{
			name: "assigned beside the path", may: "claviger.x:y OR calls:a OR b:c", maynot: "never:held",
			items: []Item{{Organization: &tenancy.Organization{ID: "org_east", TenantID: "ten_a", Path: []tenancy.OrgID{"org_root", "org_east"}, State: tenancy.Active}}},
		},
		{
			name: "assignment moved away", may: "video:read OR a:b OR video:read", maynot: "calls:read",
			items: []Item{
				{Role: &access.Role{ID: "rol_reader", TenantID: "ten_a", Permissions: []access.Grant{"video:read"}}},
				assignItem("ten_a", "usr_ann", "rol_reader", "org_root", "rol_caller", "org_east"),
			},
		},
		{
			name: "organization moved below it", may: "calls:read", maynot: "recordings:read",
			items: []Item{{Organization: &tenancy.Organization{ID: "org_north", TenantID: "ten_a", Path: []tenancy.OrgID{"org_root", "org_east", "org_north"}, State: tenancy.Active}}},
		},
		{name: "plan narrowed", items: []Item{planItem("pln_full", true, "calls:write")}, may: "calls:write", maynot: "calls:read"},
		{name: "assignments gone", items: []Item{{Assignments: &PrincipalAssignments{Principal: userOf("usr_ann"), TenantID: "ten_a"}, Gone: true}}, maynot: "calls:write"},
	}
	for _, s := range steps {
		w.apply(t, s.items...)
		if s.may != "" {
			if got := ask(s.may); got != Valid {
				t.Errorf("%s: %s gives %s", s.name, s.may, got)
			}
		}
		if got := ask(s.maynot); got != InsufficientPermissions {
			t.Errorf("%s: %s gives %s", s.name, s.maynot, got)
		}
	}
	res := w.verify(t, Request{Credential: w.text, Permissions: "a:b AND c:d"})
	if diff := cmp.Diff([]access.Permission{"a:b", "c:d"}, res.Missing); diff != "" {
		t.Error(diff)
	}
}

// B3: both secrets work in the grace period, which ends exclusively; which one is told.
func TestRotationGrace(t *testing.T) {
	w := newWorld(t)
	end := w.clock.Now().Add(time.Hour)
	first := w.text
	second := w.rotate(t, &w.key, secret.UserKey, end)
	w.apply(t, Item{Credential: &w.key})
	want := func(text string, code Code, version int) {
		t.Helper()
		res := w.verify(t, Request{Credential: text})
		if res.Code != code || res.SecretVersion != version {
			t.Errorf("at %v: %s version %d, want %s version %d", w.clock.Now(), res.Code, res.SecretVersion, code, version)
		}
	}
	want(first, Valid, 1)
	want(second, Valid, 2)
	w.clock.set(end.Add(-time.Microsecond))
	w.load(t) // stay fresh
	want(first, Valid, 1)
	w.clock.set(end)
	want(first, NotFound, 0)
	want(second, Valid, 2)
	// Set back, the clock doesn't revive it.
	w.clock.set(end.Add(-time.Second))
	w.load(t)
	want(first, NotFound, 0)
	// Rolled back: the first is current again, the second has ended.
	w.key.Material[0].ValidUntil, w.key.Material[1].ValidUntil = time.Time{}, w.clock.Now()
	w.apply(t, Item{Credential: &w.key})
	want(first, Valid, 1)
	want(second, NotFound, 0)
	// A secret in grace of a revoked key is told that it is revoked, like the current one.
	w.key.State = credential.Revoked
	w.key.Material[1].ValidUntil = w.clock.Now().Add(time.Hour)
	w.apply(t, Item{Credential: &w.key})
	want(first, Revoked, 1)
	want(second, Revoked, 2)
}

// A key whose digest was made under an earlier pepper goes on working.
func TestEarlierPepper(t *testing.T) {
	w := newWorld(t)
	_, p, err := secret.Format{}.Generate(secret.UserKey, w.rand)
	if err != nil {
		t.Fatal(err)
	}
	s, p, err := secret.Format{}.GenerateFor(p.ID, secret.UserKey, w.rand)
	if err != nil {
		t.Fatal(err)
	}
	c := w.key
	c.ID, c.Material = p.ID, []credential.Material{w.material(t, p, 1, 1)}
	w.apply(t, Item{Credential: &c})
	if res := w.verify(t, Request{Credential: s.Reveal()}); !res.Valid {
		t.Error(res.Code)
	}
}

func TestNetworks(t *testing.T) {
	w := newWorld(t)
	w.key.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("::ffff:198.51.100.0/120")}
	w.apply(t, Item{Credential: &w.key})
	for from, want := range map[string]Code{
		"192.0.2.7": Valid, "192.0.3.7": Forbidden, "::ffff:192.0.2.7": Valid, "2001:db8::1": Valid, "2001:db8::1%eth0": Valid,
		"2001:db9::1": Forbidden, "198.51.100.9": Valid, "": Forbidden,
	} {
		var a netip.Addr
		if from != "" {
			a = netip.MustParseAddr(from)
		}
		if got := w.verify(t, Request{Credential: w.text, SourceIP: a}).Code; got != want {
			t.Errorf("from %q: %s, want %s", from, got, want)
		}
	}
}

// Expiry is by the clock alone, exclusive, and a clock set back revives nothing.
func TestExpiryByTheClock(t *testing.T) {
	w := newWorld(t)
	end := w.clock.Now().Add(5 * time.Second)
	w.key.ExpiresAt, w.key.NotBefore = end, end.Add(-2*time.Second)
	w.apply(t, Item{Credential: &w.key})
	for _, step := range []struct {
		at   time.Time
		want Code
	}{
		{end.Add(-2*time.Second - time.Microsecond), NotYetValid},
		{end.Add(-2 * time.Second), Valid},
		{end.Add(-time.Microsecond), Valid},
		{end, Expired},
		{end.Add(-time.Microsecond), Expired},
		{end.Add(-2 * time.Second), Expired},
	} {
		w.clock.set(step.at)
		w.load(t)
		if got := w.verify(t, Request{Credential: w.text}).Code; got != step.want {
			t.Errorf("%v: %s, want %s", step.at.Sub(end), got, step.want)
		}
	}
}

func TestMalformedQuestions(t *testing.T) {
	w := newWorld(t)
	for name, r := range map[string]Request{
		"query":          {Credential: w.text, Permissions: "a:b AND"},
		"query, no key":  {Permissions: "a:b AND"},
		"too long query": {Credential: w.text, Permissions: strings.Repeat("a:b OR ", 1000) + "a:b"},
		"negative cost":  {Credential: w.text, Cost: -1},
		"both forms":     {Credential: w.text, ID: "usr_ann", Secret: w.text},
	} {
		res, err := w.index.Verify(&r)
		if !problem.Is(err, problem.Invalid) || res.Valid {
			t.Errorf("%s: %v %v", name, res.Code, err)
		}
	}
}

// Compiled queries don't keep the buffer that a request was read into.
func TestQueriesKeepCopies(t *testing.T) {
	w := newWorld(t)
	buf := []byte("calls:read AND never:held")
	r := Request{Credential: w.text, Permissions: aliasOf(buf)}
	missing := w.verify(t, r).Missing
	copy(buf, strings.Repeat("x", len(buf)))
	if diff := cmp.Diff([]access.Permission{"never:held"}, missing); diff != "" {
		t.Error(diff)
	}
	for range 2 * maxQueries { // bounded, and still right when it is full
		copy(buf, "calls:read AND ")
		for i := 15; i < len(buf); i++ {
			buf[i] = 'a' + byte(w.rand.Uint64()%26)
		}
		buf[20] = ':'
		if got := w.verify(t, r).Code; got != InsufficientPermissions {
			t.Fatal(got)
		}
	}
	if res := w.verify(t, Request{Credential: w.text, Permissions: "calls:read"}); !res.Valid {
		t.Error(res.Code)
	}
}
