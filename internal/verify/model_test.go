package verify

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// model is the same world kept plainly: what is good is worked out from scratch, in the
// order of the codes, each time somebody asks.
type model struct {
	w       *world
	plans   map[tenancy.PlanID]*Plan
	tenants map[tenancy.TenantID]*tenancy.Tenant
	orgs    map[tenancy.OrgID]*tenancy.Organization
	users   map[tenancy.UserID]*tenancy.User
	apps    map[tenancy.AppID]*tenancy.App
	bots    map[tenancy.ServiceAccountID]*tenancy.ServiceAccount
	catalog catalog.Catalog
	roles   map[access.RoleID]access.Role
	given   map[string][]access.Assignment
	keys    []*modelKey
	tokens  []*modelToken
	latest  time.Time // the latest time that was ever read
	pending []Item    // changed, not yet told to the source
}

type modelKey struct {
	Credential
	texts []string // by version, from 1
	gone  bool
}

var (
	modelTenants = []tenancy.TenantID{"ten_1", "ten_2"}
	modelPlans   = []tenancy.PlanID{"pln_1", "pln_2", ""}
	modelGrants  = []access.Grant{"a:read", "a:write", "b:*", "*:read", "*:*", "claviger.users:read", "c.d:read"}
	modelQueries = []string{"", "a:read", "a:write AND b:x", "b:y OR c.d:read", "claviger.users:read OR account:read"}
	modelAPIs    = []string{"one", "two", "three", "four"}
	modelStates  = []tenancy.State{tenancy.Active, tenancy.Active, tenancy.Active, tenancy.Suspended, tenancy.Deleted}
)

func newModel(t *rapid.T, w *world) *model {
	m := &model{
		w: w, plans: make(map[tenancy.PlanID]*Plan), tenants: make(map[tenancy.TenantID]*tenancy.Tenant),
		orgs: make(map[tenancy.OrgID]*tenancy.Organization), users: make(map[tenancy.UserID]*tenancy.User),
		apps: make(map[tenancy.AppID]*tenancy.App), bots: make(map[tenancy.ServiceAccountID]*tenancy.ServiceAccount),
		roles: make(map[access.RoleID]access.Role), given: make(map[string][]access.Assignment), latest: w.clock.Now(),
	}
	m.tellCatalog(0)
	for _, id := range modelPlans[:2] {
		m.plans[id] = &Plan{ID: id, APIAccess: true, Permissions: []access.Grant{"*:*"}}
		m.tell(Item{Plan: m.plans[id]})
	}
	for _, ten := range modelTenants {
		m.tenants[ten] = &tenancy.Tenant{ID: ten, AccountID: modelAccount(ten), PlanID: "pln_1", RootOrg: "org_0" + tenancy.OrgID(ten), State: tenancy.Active}
		m.tell(Item{Tenant: m.tenants[ten]})
		var path []tenancy.OrgID
		for n := range 4 {
			id := tenancy.OrgID(fmt.Sprintf("org_%d%s", n, ten))
			o := &tenancy.Organization{ID: id, TenantID: ten, State: tenancy.Active}
			if n > 0 {
				o.ParentID = path[n-1]
			}
			path = append(path, id)
			m.orgs[id] = o
		}
		m.tellTree(ten)
		for n := range 3 {
			id := access.RoleID(fmt.Sprintf("rol_%d%s", n, ten))
			m.roles[id] = access.Role{ID: id, TenantID: ten, Permissions: []access.Grant{modelGrants[n]}}
			m.tell(m.roleItem(id))
			user := tenancy.UserID(fmt.Sprintf("usr_%d%s", n, ten))
			m.users[user] = &tenancy.User{ID: user, TenantID: ten, OrganizationID: path[n+1], State: tenancy.Active}
			m.users[user].Licence = []string{"all", "few", ""}[n]
			m.given[string(user)] = []access.Assignment{{RoleID: id, OrganizationID: path[0]}}
			m.tell(Item{User: m.users[user]}, m.givenItem(userOf(string(user)), ten))
			m.issue(t, user)
			m.issue(t, user)
		}
		app := tenancy.AppID("app_0" + ten)
		m.apps[app] = &tenancy.App{ID: app, TenantID: ten, OrganizationID: path[2], APIs: modelAPIs[:2], State: tenancy.Active}
		bot := tenancy.ServiceAccountID("sva_0" + ten)
		m.bots[bot] = &tenancy.ServiceAccount{ID: bot, TenantID: ten, OrganizationID: path[2], State: tenancy.Active}
		m.tell(Item{App: m.apps[app]}, Item{ServiceAccount: m.bots[bot]})
		for _, k := range []credential.Kind{credential.App, credential.ServiceAccountKey, credential.ClientCredential, credential.OrganizationKey} {
			m.issueKind(t, k, tenancy.UserID("usr_0"+ten))
		}
	}
	return m
}

func (m *model) tell(items ...Item) { m.pending = append(m.pending, items...) }

func (m *model) roleItem(id access.RoleID) Item {
	if r, ok := m.roles[id]; ok {
		return Item{Role: &r}
	}
	return Item{Role: &access.Role{ID: id, TenantID: tenancy.TenantID(id[5:])}, Gone: true}
}

func (m *model) givenItem(who access.Principal, ten tenancy.TenantID) Item {
	return Item{Assignments: &PrincipalAssignments{Principal: who, TenantID: ten, List: slices.Clone(m.given[who.ID])}}
}

// tellCatalog makes a catalogue in which three bits of legacy say which APIs are legacy, and
// the fourth that no licence has the desktop client.
func (m *model) tellCatalog(legacy int) {
	api := func(n int, permissions ...access.Permission) catalog.API {
		return catalog.API{Key: modelAPIs[n], Permissions: permissions, Legacy: legacy>>n&1 == 1}
	}
	m.catalog = catalog.Catalog{
		Groups:   []catalog.Group{{APIs: []catalog.API{api(0, "a:read"), api(1, "a:write", "c.d:read"), api(2, "b:x")}}},
		Licences: []catalog.Licence{{Key: "all", AllScopes: true}, {Key: "few", Scopes: []access.Permission{"a:read", "b:x"}}},
		Clients:  []catalog.Client{{Key: "desk", Permissions: []access.Grant{"a:*", "b:x", "claviger.users:read"}}},
	}
	if legacy < 8 {
		m.catalog.Licences[0].Clients = []string{"desk"}
	}
	c := m.catalog
	m.tell(Item{Catalog: &c})
}

func (m *model) path(id tenancy.OrgID) []tenancy.OrgID {
	if id == "" {
		return nil
	}
	return append(m.path(m.orgs[id].ParentID), id)
}

func (m *model) tellTree(ten tenancy.TenantID) {
	for n := range 4 {
		o := *m.orgs[tenancy.OrgID(fmt.Sprintf("org_%d%s", n, ten))]
		o.Path = m.path(o.ID)
		m.tell(Item{Organization: &o})
	}
}

func (m *model) tellKey(k *modelKey) {
	c := k.Credential
	c.Material = slices.Clone(c.Material)
	m.tell(Item{Credential: &c, Gone: k.gone})
}

var modelKinds = []credential.Kind{
	credential.UserKey, credential.UserKey, credential.UserKey, credential.AccountKey, credential.App, credential.OrganizationKey,
	credential.ClientCredential, credential.ServiceAccountKey, credential.VerifierKey,
}

func (m *model) issue(t *rapid.T, user tenancy.UserID) {
	m.issueKind(t, rapid.SampledFrom(modelKinds).Draw(t, "kind"), user)
}

// issueKind makes a credential of a kind in a user's tenant.
func (m *model) issueKind(t *rapid.T, kind credential.Kind, user tenancy.UserID) {
	u := m.users[user]
	k := &modelKey{Credential: Credential{Credential: credential.Credential{
		Kind: kind, TenantID: u.TenantID, OrganizationID: u.OrganizationID, Principal: userOf(string(user)),
		State: credential.Active, SecretVersion: 1,
	}}}
	switch kind {
	case credential.AccountKey, credential.VerifierKey:
		k.Principal = access.Principal{Type: access.PrincipalTenant, ID: string(u.TenantID)}
	case credential.OrganizationKey:
		k.Principal = access.Principal{Type: access.PrincipalOrganization, ID: string(u.OrganizationID)}
	case credential.App:
		k.Principal = access.Principal{Type: access.PrincipalApp, ID: "app_0" + string(u.TenantID)}
	case credential.ServiceAccountKey:
		k.Principal = access.Principal{Type: access.PrincipalServiceAccount, ID: "sva_0" + string(u.TenantID)}
	case credential.ClientCredential:
		if rapid.Bool().Draw(t, "account level") {
			k.Principal = access.Principal{Type: access.PrincipalTenant, ID: string(u.TenantID)}
		}
		k.Scopes = []access.Grant{"a:read", "b:x"}
	case credential.UserKey:
	}
	if kind == credential.ClientCredential || kind == credential.ServiceAccountKey {
		k.PublicID = fmt.Sprintf("00000000-0000-4000-8000-%012d", len(m.keys))
	}
	s, p, err := secret.Format{}.Generate(m.typeOf(kind), m.w.rand)
	if err != nil {
		t.Fatal(err)
	}
	k.ID, k.texts = p.ID, []string{s.Reveal()}
	k.Material = []credential.Material{m.material(kind, p, 1)}
	m.keys = append(m.keys, k)
	m.tellKey(k)
}

// typeOf is the type of the text made for a credential; a service account's key has none
// and gets one that never verifies.
func (m *model) typeOf(k credential.Kind) secret.Type {
	if k == credential.ServiceAccountKey {
		return secret.AppSecret
	}
	return k.KeyType()
}

func (m *model) material(k credential.Kind, p secret.Parsed, version int) credential.Material {
	pepper := 1 + version%2
	d, _ := m.w.peppers.Digest(pepper, &p)
	made := credential.Material{CredentialID: p.ID, Field: kindOf(k).materialField(), Version: version, Digest: d, PepperVersion: pepper}
	if k == credential.ServiceAccountKey {
		made.PublicKey = modelPublicKey(version)
	}
	return made
}

// change does one random thing.
func (m *model) change(t *rapid.T) {
	ten := rapid.SampledFrom(modelTenants).Draw(t, "tenant")
	n := rapid.IntRange(0, 3).Draw(t, "which")
	state := rapid.SampledFrom(modelStates).Draw(t, "state")
	grants := rapid.SliceOfN(rapid.SampledFrom(modelGrants), 0, 3).Draw(t, "grants")
	switch rapid.IntRange(0, 11).Draw(t, "change") {
	case 0:
		p := m.plans[modelPlans[n%2]]
		*p = Plan{ID: p.ID, APIAccess: n < 3, Permissions: grants}
		c := *p
		m.tell(Item{Plan: &c})
	case 1:
		it := m.tenants[ten]
		it.State, it.PlanID = state, modelPlans[n%3]
		c := *it
		m.tell(Item{Tenant: &c})
	case 2:
		m.orgs[tenancy.OrgID(fmt.Sprintf("org_%d%s", n, ten))].State = state
		m.tellTree(ten)
	case 3: // move, unless that made a circle
		o := m.orgs[tenancy.OrgID(fmt.Sprintf("org_%d%s", max(1, n), ten))]
		to := tenancy.OrgID(fmt.Sprintf("org_%d%s", rapid.IntRange(0, 3).Draw(t, "parent"), ten))
		if !slices.Contains(m.path(to), o.ID) {
			o.ParentID = to
			m.tellTree(ten)
		}
	case 4:
		u := m.users[tenancy.UserID(fmt.Sprintf("usr_%d%s", n%3, ten))]
		u.State = state
		u.Licence = rapid.SampledFrom([]string{"all", "all", "few", "", "none"}).Draw(t, "licence")
		u.OrganizationID = tenancy.OrgID(fmt.Sprintf("org_%d%s", rapid.IntRange(0, 3).Draw(t, "home"), ten))
		c := *u
		m.tell(Item{User: &c})
	case 5:
		id := access.RoleID(fmt.Sprintf("rol_%d%s", n%3, ten))
		r := access.Role{ID: id, TenantID: ten, Permissions: grants}
		if include := rapid.IntRange(0, 5).Draw(t, "include"); include < 3 {
			r.Includes = []access.RoleID{access.RoleID(fmt.Sprintf("rol_%d%s", include, ten))}
		}
		m.roles[id] = r
		if state == tenancy.Deleted {
			delete(m.roles, id)
		}
		m.tell(m.roleItem(id))
	case 6:
		who := userOf(fmt.Sprintf("usr_%d%s", n%3, ten))
		if n == 3 {
			who = access.Principal{Type: access.PrincipalServiceAccount, ID: "sva_0" + string(ten)}
		}
		var list []access.Assignment
		for range rapid.IntRange(0, 3).Draw(t, "assignments") {
			list = append(list, access.Assignment{
				RoleID:         access.RoleID(fmt.Sprintf("rol_%d%s", rapid.IntRange(0, 2).Draw(t, "role"), ten)),
				OrganizationID: tenancy.OrgID(fmt.Sprintf("org_%d%s", rapid.IntRange(0, 3).Draw(t, "at"), ten)),
			})
		}
		m.given[who.ID] = list
		m.tell(m.givenItem(who, ten))
	case 7:
		a := m.apps["app_0"+tenancy.AppID(ten)]
		a.State, a.APIs = state, rapid.SliceOfNDistinct(rapid.SampledFrom(modelAPIs), 0, 3, rapid.ID).Draw(t, "APIs")
		c := *a
		m.tell(Item{App: &c})
	case 8:
		a := m.bots["sva_0"+tenancy.ServiceAccountID(ten)]
		a.State = state
		c := *a
		m.tell(Item{ServiceAccount: &c})
	case 9:
		m.tellCatalog(rapid.IntRange(0, 15).Draw(t, "legacy"))
	default:
		m.changeKey(t, grants)
	}
}

func (m *model) changeKey(t *rapid.T, grants []access.Grant) {
	k := rapid.SampledFrom(m.keys).Draw(t, "key")
	now := m.w.clock.Now()
	switch rapid.IntRange(0, 7).Draw(t, "key change") {
	case 0:
		k.State = rapid.SampledFrom([]credential.State{
			credential.Active, credential.Suspended, credential.Revoked, credential.Expired,
		}).Draw(t, "key state")
	case 1:
		k.ExpiresAt = now.Add(time.Duration(rapid.IntRange(-2, 5).Draw(t, "ends")) * time.Second)
	case 2:
		k.NotBefore = now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "begins")) * time.Second)
	case 3:
		k.Networks = nil
		if rapid.Bool().Draw(t, "network") {
			k.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}
	case 4:
		k.Scopes = grants
	case 5:
		s, p, err := secret.Format{}.GenerateFor(k.ID, m.typeOf(k.Kind), m.w.rand)
		if err != nil {
			t.Fatal(err)
		}
		k.Material = slices.Clone(k.Material)
		k.Material[len(k.Material)-1].ValidUntil = now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "grace")) * time.Second)
		k.SecretVersion++
		k.Material = append(k.Material, m.material(k.Kind, p, k.SecretVersion))
		k.texts = append(k.texts, s.Reveal())
	case 6:
		k.gone = !k.gone
	case 7:
		u := rapid.SampledFrom(m.keys).Draw(t, "moves to where")
		if u.TenantID == k.TenantID {
			k.OrganizationID = u.OrganizationID
		}
	}
	m.tellKey(k)
}

// want is what the answer must be; set only where the code is not NOT_FOUND.
func (m *model) want(k *modelKey, version int, query string, from netip.Addr) (Code, access.Set) {
	if k.gone || k.expiredSecret(version, m.latest) {
		return NotFound, access.Set{}
	}
	return m.wantNow(k, query, from, m.wantSet(k, m.planSet(k.TenantID)), nil)
}

func (m *model) planOf(ten tenancy.TenantID) *Plan {
	if p := m.plans[m.tenants[ten].PlanID]; p != nil {
		return p
	}
	return &Plan{}
}

func (m *model) planSet(ten tenancy.TenantID) access.Set {
	return access.NewSet(m.planOf(ten).Permissions...)
}

func (m *model) orgState(id tenancy.OrgID) tenancy.State {
	org := tenancy.Active
	for _, id := range m.path(id) {
		switch s := m.orgs[id].State; {
		case s == tenancy.Deleted || org == tenancy.Deleted:
			org = tenancy.Deleted
		case s == tenancy.Suspended:
			org = s
		}
	}
	return org
}

// wantNow is want once it is proved whose credential it is. u is somebody whom it signed in.
func (m *model) wantNow(k *modelKey, query string, from netip.Addr, set access.Set, u *tenancy.User) (Code, access.Set) {
	ten, holder, org := m.tenants[k.TenantID], m.stateOf(k.Principal), m.orgState(k.OrganizationID)
	gone := func(s tenancy.State) bool { return s == tenancy.Deleted }
	none := access.Set{} // a credential that is no good may do nothing
	switch {
	case ten.State == tenancy.Suspended:
		return TenantSuspended, none
	case k.State == credential.Revoked || gone(ten.State) || gone(holder) || gone(org):
		return Revoked, none
	case k.State == credential.Suspended || holder != tenancy.Active || org != tenancy.Active:
		return Suspended, none
	case u != nil && (gone(u.State) || gone(m.orgState(u.OrganizationID))):
		return Revoked, none
	case u != nil && (u.State != tenancy.Active || m.orgState(u.OrganizationID) != tenancy.Active):
		return Suspended, none
	case m.latest.Before(k.NotBefore):
		return NotYetValid, none
	case k.State == credential.Expired || !k.ExpiresAt.IsZero() && !m.latest.Before(k.ExpiresAt):
		return Expired, none
	case query != "" && k.Kind != credential.AccountKey && m.asksLegacy(query):
		return WrongKind, none
	case !m.planOf(k.TenantID).APIAccess:
		return Forbidden, none
	case len(k.Networks) > 0 && (!from.IsValid() || !k.Networks[0].Contains(from)):
		return Forbidden, none
	case u != nil && (!m.licensed(u) || !slices.Contains(m.path(u.OrganizationID), k.OrganizationID)):
		return Forbidden, none
	}
	if query != "" {
		q, err := access.ParseQuery(query)
		if err != nil {
			panic(err)
		}
		if ok, _ := q.Check(set); !ok {
			return InsufficientPermissions, set
		}
	}
	return Valid, set
}

// wantSet is what the credential may do, from the definition of its kind.
func (m *model) wantSet(k *modelKey, plan access.Set) access.Set {
	path := m.path(k.OrganizationID)
	byRoles := access.Effective(access.EffectiveAt(m.given[k.Principal.ID], m.roles, path), plan)
	var apis []access.Permission
	for _, a := range m.catalog.APIs() {
		app := m.apps[tenancy.AppID(k.Principal.ID)]
		if !a.Legacy && (app == nil || slices.Contains(app.APIs, a.Key)) {
			apis = append(apis, a.Permissions...)
		}
	}
	var set access.Set
	switch k.Kind {
	case credential.UserKey:
		set = byRoles
	case credential.ServiceAccountKey:
		set = byRoles
		if !slices.ContainsFunc(m.given[k.Principal.ID], func(a access.Assignment) bool { return slices.Contains(path, a.OrganizationID) }) {
			set = access.BasicPermissions().Intersect(plan)
		}
	case credential.AccountKey:
		set = plan.Vendor()
	case credential.App:
		set = access.SetOf(apis...).Intersect(plan.Vendor())
	case credential.ClientCredential:
		set = access.SetOf(apis...).Intersect(plan.Vendor())
		if k.Principal.Type == access.PrincipalUser {
			scopes, _ := m.catalog.ScopesOffered(m.users[tenancy.UserID(k.Principal.ID)].Licence, byRoles)
			set = access.SetOf(scopes...)
		}
	case credential.OrganizationKey:
		set = access.SetOf("claviger.sign_in:automatic")
	case credential.VerifierKey:
		set = access.SetOf("claviger.credentials:verify")
	}
	if len(k.Scopes) > 0 || k.Kind == credential.ClientCredential {
		set = set.Intersect(access.NewSet(k.Scopes...))
	}
	return set
}

func (m *model) stateOf(who access.Principal) tenancy.State {
	switch who.Type {
	case access.PrincipalUser:
		return m.users[tenancy.UserID(who.ID)].State
	case access.PrincipalApp:
		return m.apps[tenancy.AppID(who.ID)].State
	case access.PrincipalServiceAccount:
		return m.bots[tenancy.ServiceAccountID(who.ID)].State
	case access.PrincipalOrganization, access.PrincipalTenant, access.PrincipalSystem:
	}
	return tenancy.Active
}

func (m *model) asksLegacy(query string) bool {
	for _, a := range m.catalog.APIs() {
		for _, p := range a.Permissions {
			if a.Legacy && strings.Contains(query, string(p)) {
				return true
			}
		}
	}
	return false
}

// expiredSecret reports whether a version doesn't match any more. Of an ended credential
// whose secrets have all ended the newest still does, for refusal.
func (k *modelKey) expiredSecret(version int, now time.Time) bool {
	until := k.Material[version-1].ValidUntil
	return !until.IsZero() && !now.Before(until)
}

func (m *model) check(t *rapid.T) {
	from := rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:203.0.113.1")}).Draw(t, "from")
	for _, k := range m.keys {
		for version := 1; version <= len(k.texts); version++ {
			for _, query := range modelQueries {
				res, err := m.w.index.Verify(&Request{Credential: k.texts[version-1], Permissions: query, SourceIP: from})
				if err != nil {
					t.Fatal(err)
				}
				code, set := m.want(k, version, query, from)
				if keyTypes[kindOf(k.Kind)] == "" {
					if res.Code != NotFound {
						t.Fatalf("the text of a %s verifies: %s", k.Kind, res.Code)
					}
					if version < len(k.texts) {
						continue
					}
					if res, err = m.w.index.Proved(k.ID, &Request{Permissions: query, SourceIP: from}); err != nil {
						t.Fatal(err)
					}
				}
				if res.Code != code {
					t.Fatalf("%v %s version %d, asked for %q: %s, want %s", k.ID, k.Kind, version, query, res.Code, code)
				}
				if code == NotFound {
					continue
				}
				if diff := cmp.Diff(set.String(), res.Permissions.Set.String()); diff != "" || res.SecretVersion != version {
					t.Fatalf("%v version %d, want %d: %s", k.ID, res.SecretVersion, version, diff)
				}
			}
		}
	}
}

// Whatever changes, in whatever order and batches: the index answers what working it out
// from scratch gives, also after snapshots that replace what it had.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{source: newMemSource(), clock: newTestClock(), peppers: testPeppers(t), rand: newRand(), tokens: testRing()}
		w.index = w.newIndex()
		m := newModel(t, w)
		w.source.put(m.pending...)
		m.pending = nil
		m.read(t, true)
		for range rapid.IntRange(1, 25).Draw(t, "rounds") {
			switch rapid.IntRange(0, 9).Draw(t, "round") {
			case 0:
				w.source.gone.Store(true)
			case 1:
				w.clock.advance(time.Duration(rapid.IntRange(-3000, 5000).Draw(t, "step")) * time.Millisecond)
			case 2:
				u := rapid.SampledFrom([]tenancy.UserID{"usr_0ten_1", "usr_1ten_2"}).Draw(t, "user")
				m.issue(t, u)
			case 4, 5:
				m.mint(t)
			case 3:
				if err := w.index.DrainUsage(func(Usage) error { return errors.New("full") }); err == nil {
					_ = w.index.DrainUsage(func(Usage) error { return nil })
				}
			default:
				for range rapid.IntRange(1, 4).Draw(t, "changes") {
					m.change(t)
				}
				m.changeTokens(t)
			}
			m.read(t, false)
			m.check(t)
			m.checkTokens(t)
		}
	})
}

// read tells the source what changed and lets the index follow.
func (m *model) read(t *rapid.T, force bool) {
	revision := m.w.source.put(m.pending...)
	m.pending = nil
	if now := m.w.clock.Now(); now.After(m.latest) {
		m.latest = now
	}
	// The mark is only that exact where it decided something.
	m.w.index.clock.raise(m.latest.UnixMicro())
	if err := m.w.index.Applied(t.Context(), revision); err != nil {
		t.Fatal(err)
	}
	if err := m.w.index.catchUp(t.Context(), 0); err != nil || force && !m.w.index.Ready() {
		t.Fatal(err)
	}
}
