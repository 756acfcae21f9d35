package verify

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/claviger-io/claviger/internal/access"
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
	roles   map[access.RoleID]access.Role
	given   map[string][]access.Assignment
	keys    []*modelKey
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
	modelQueries = []string{"", "a:read", "a:write AND b:x", "b:y OR c.d:read", "claviger.users:read"}
	modelStates  = []tenancy.State{tenancy.Active, tenancy.Active, tenancy.Active, tenancy.Suspended, tenancy.Deleted}
)

func newModel(t *rapid.T, w *world) *model {
	m := &model{
		w: w, plans: make(map[tenancy.PlanID]*Plan), tenants: make(map[tenancy.TenantID]*tenancy.Tenant),
		orgs: make(map[tenancy.OrgID]*tenancy.Organization), users: make(map[tenancy.UserID]*tenancy.User),
		roles: make(map[access.RoleID]access.Role), given: make(map[string][]access.Assignment), latest: w.clock.Now(),
	}
	for _, id := range modelPlans[:2] {
		m.plans[id] = &Plan{ID: id, APIAccess: true, Permissions: []access.Grant{"*:*"}}
		m.tell(Item{Plan: m.plans[id]})
	}
	for _, ten := range modelTenants {
		m.tenants[ten] = &tenancy.Tenant{ID: ten, PlanID: "pln_1", RootOrg: "org_0" + tenancy.OrgID(ten), State: tenancy.Active}
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
			m.given[string(user)] = []access.Assignment{{RoleID: id, OrganizationID: path[0]}}
			m.tell(Item{User: m.users[user]}, m.givenItem(user))
			m.issue(t, user)
			m.issue(t, user)
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

func (m *model) givenItem(user tenancy.UserID) Item {
	return Item{Assignments: &PrincipalAssignments{
		Principal: userOf(string(user)), TenantID: m.users[user].TenantID, List: slices.Clone(m.given[string(user)]),
	}}
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

func (m *model) issue(t *rapid.T, user tenancy.UserID) {
	kind := rapid.SampledFrom([]secret.Type{secret.UserKey, secret.UserKey, secret.UserKey, secret.AccountKey, secret.AppKey}).Draw(t, "key type")
	s, p, err := secret.Format{}.Generate(kind, m.w.rand)
	if err != nil {
		t.Fatal(err)
	}
	u := m.users[user]
	k := &modelKey{texts: []string{s.Reveal()}, Credential: Credential{Credential: credential.Credential{
		ID: p.ID, TenantID: u.TenantID, OrganizationID: u.OrganizationID, Principal: userOf(string(user)),
		State: credential.Active, SecretVersion: 1,
	}}}
	for i, kt := range keyTypes {
		if kt == kind {
			k.Kind = kinds[i]
		}
	}
	k.Material = []credential.Material{m.material(p, 1)}
	m.keys = append(m.keys, k)
	m.tellKey(k)
}

func (m *model) material(p secret.Parsed, version int) credential.Material {
	pepper := 1 + version%2
	d, _ := m.w.peppers.Digest(pepper, &p)
	return credential.Material{CredentialID: p.ID, Field: "key", Version: version, Digest: d, PepperVersion: pepper}
}

// change does one random thing.
func (m *model) change(t *rapid.T) {
	ten := rapid.SampledFrom(modelTenants).Draw(t, "tenant")
	n := rapid.IntRange(0, 3).Draw(t, "which")
	state := rapid.SampledFrom(modelStates).Draw(t, "state")
	grants := rapid.SliceOfN(rapid.SampledFrom(modelGrants), 0, 3).Draw(t, "grants")
	switch rapid.IntRange(0, 8).Draw(t, "change") {
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
		user := tenancy.UserID(fmt.Sprintf("usr_%d%s", n%3, ten))
		var list []access.Assignment
		for range rapid.IntRange(0, 3).Draw(t, "assignments") {
			list = append(list, access.Assignment{
				RoleID:         access.RoleID(fmt.Sprintf("rol_%d%s", rapid.IntRange(0, 2).Draw(t, "role"), ten)),
				OrganizationID: tenancy.OrgID(fmt.Sprintf("org_%d%s", rapid.IntRange(0, 3).Draw(t, "at"), ten)),
			})
		}
		m.given[string(user)] = list
		m.tell(m.givenItem(user))
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
		s, p, err := secret.Format{}.GenerateFor(k.ID, keyTypes[kindOf(k.Kind)], m.w.rand)
		if err != nil {
			t.Fatal(err)
		}
		k.Material = slices.Clone(k.Material)
		k.Material[len(k.Material)-1].ValidUntil = now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "grace")) * time.Second)
		k.SecretVersion++
		k.Material = append(k.Material, m.material(p, k.SecretVersion))
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
	ten, user := m.tenants[k.TenantID], m.users[tenancy.UserID(k.Principal.ID)]
	plan := m.plans[ten.PlanID]
	if plan == nil {
		plan = &Plan{}
	}
	included := access.NewSet(plan.Permissions...)
	var set access.Set
	switch k.Kind {
	case credential.UserKey:
		set = access.Effective(access.EffectiveAt(m.given[k.Principal.ID], m.roles, m.path(k.OrganizationID)), included)
	case credential.AccountKey, credential.App:
		set = included.Vendor()
	case credential.OrganizationKey, credential.ClientCredential, credential.ServiceAccountKey, credential.VerifierKey:
	}
	if len(k.Scopes) > 0 || k.Kind == credential.App {
		set = set.Intersect(access.NewSet(k.Scopes...))
	}
	org := tenancy.Active
	for _, id := range m.path(k.OrganizationID) {
		switch s := m.orgs[id].State; {
		case s == tenancy.Deleted || org == tenancy.Deleted:
			org = tenancy.Deleted
		case s == tenancy.Suspended:
			org = s
		}
	}
	gone := func(s tenancy.State) bool { return s == tenancy.Deleted }
	none := access.Set{} // a credential that is no good may do nothing
	switch {
	case ten.State == tenancy.Suspended:
		return TenantSuspended, none
	case k.State == credential.Revoked || gone(ten.State) || gone(user.State) || gone(org):
		return Revoked, none
	case k.State == credential.Suspended || user.State != tenancy.Active || org != tenancy.Active:
		return Suspended, none
	case m.latest.Before(k.NotBefore):
		return NotYetValid, none
	case k.State == credential.Expired || !k.ExpiresAt.IsZero() && !m.latest.Before(k.ExpiresAt):
		return Expired, none
	case !plan.APIAccess:
		return Forbidden, none
	case len(k.Networks) > 0 && (!from.IsValid() || !k.Networks[0].Contains(from)):
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
		w := &world{source: newMemSource(), clock: newTestClock(), peppers: testPeppers(t), rand: newRand()}
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
			case 3:
				if err := w.index.DrainUsage(func(Usage) error { return errors.New("full") }); err == nil {
					_ = w.index.DrainUsage(func(Usage) error { return nil })
				}
			default:
				for range rapid.IntRange(1, 4).Draw(t, "changes") {
					m.change(t)
				}
			}
			m.read(t, false)
			m.check(t)
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
