package verify

import (
	"errors"
	"slices"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// put brings one thing to the state that an item tells. Putting the same item again
// changes nothing, and items may come before what they refer to. The caller has the right
// to apply. Only a credential that finds no room is an error.
func (x *Index) put(i Item) error {
	switch {
	case i.Credential != nil:
		return x.putCredential(i.Credential, i.Gone)
	case i.User != nil:
		x.putUser(i.User, i.Gone)
	case i.Assignments != nil:
		x.putAssignments(i.Assignments, i.Gone)
	case i.Role != nil:
		x.putRole(i.Role, i.Gone)
	case i.Organization != nil:
		x.putOrganization(i.Organization, i.Gone)
	case i.Tenant != nil:
		x.putTenant(i.Tenant, i.Gone)
	case i.Plan != nil:
		x.putPlan(i.Plan, i.Gone)
	}
	return nil
}

func (x *Index) putPlan(p *Plan, gone bool) {
	x.seen.add("plan", string(p.ID))
	d := &x.dir
	it := d.planOf(p.ID)
	if it == nil {
		return
	}
	if gone {
		it.now.Store(nil)
	} else {
		it.now.Store(&planTerms{apiAccess: p.APIAccess, set: d.interned.set(access.NewSet(p.Permissions...).Vendor())})
	}
	for _, w := range d.tenantsByID {
		if d.tenants.at(w.at).plan == it {
			d.resolveAll(w)
		}
	}
}

func (x *Index) putTenant(t *tenancy.Tenant, gone bool) {
	x.seen.add("tenant", string(t.ID))
	d := &x.dir
	w := d.tenantOf(t.ID)
	old := d.tenants.at(w.at)
	if gone {
		d.tenants.set(w.at, &tenant{id: old.id, state: tenancy.Deleted})
		return
	}
	next := &tenant{
		id: old.id, account: accountText(t.AccountID), state: stateOfThing(t.State),
		plan: d.planOf(t.PlanID), labels: labelsOf(t.Labels),
	}
	d.tenants.set(w.at, next)
	if root := d.orgOf(t.RootOrg, w); root != 0 {
		w.root = d.orgs.at(root).id
	}
	if next.plan != old.plan {
		d.resolveAll(w)
	}
}

func (x *Index) putOrganization(o *tenancy.Organization, gone bool) {
	x.seen.add("organization", string(o.ID))
	d := &x.dir
	if gone {
		if at, ok := d.orgsByID[o.ID]; ok {
			next := *d.orgs.at(at)
			next.own, next.labels = tenancy.Deleted, nil
			d.orgs.set(at, &next)
			d.stateBelow(at)
		}
		return
	}
	w := d.tenantOf(o.TenantID)
	at := d.orgOf(o.ID, w)
	old := d.orgs.at(at)
	next := &org{id: old.id, tenant: w.at, own: stateOfThing(o.State), state: tenancy.Deleted, labels: labelsOf(o.Labels)}
	next.path = make([]uint32, len(o.Path))
	for i, id := range o.Path {
		next.path[i] = d.orgOf(id, w)
	}
	d.orgs.set(at, next)
	d.stateBelow(at)
	if !slices.Equal(old.path, next.path) {
		// Whoever was placed here has other rights now. A new organization has nobody yet.
		if old.own != "" || d.anyPlaced(w, at) {
			d.replaceAll(w)
		}
	}
}

// anyPlaced reports whether something was placed at an organization before it was told of.
func (d *directory) anyPlaced(w *tenantWork, at uint32) bool {
	for _, p := range w.principals {
		for _, pl := range d.principals.at(p).placed {
			if pl.org == at {
				return true
			}
		}
	}
	return false
}

// stateBelow computes the state of an organization and of everything below it.
func (d *directory) stateBelow(top uint32) {
	w := d.tenantsByID[d.tenants.at(d.orgs.at(top).tenant).id]
	for _, at := range w.orgs {
		o := d.orgs.at(at)
		if at != top && !slices.Contains(o.path, top) {
			continue
		}
		s := worse(tenancy.Active, stateOfThing(o.own))
		for _, above := range o.path {
			if above != at {
				s = worse(s, stateOfThing(d.orgs.at(above).own))
			}
		}
		if s != o.state {
			next := *o
			next.state = s
			d.orgs.set(at, &next)
		}
	}
}

func (x *Index) putRole(r *access.Role, gone bool) {
	x.seen.add("role", string(r.ID))
	d := &x.dir
	w := d.tenantOf(r.TenantID)
	reached := make(map[access.RoleID]bool)
	collect := func() {
		for _, id := range access.RolesWith(r.ID, w.roles) {
			reached[id] = true
		}
	}
	collect()
	if gone {
		delete(w.roles, r.ID)
	} else {
		stored := access.Role{
			ID: access.RoleID(strings.Clone(string(r.ID))), TenantID: d.tenants.at(w.at).id,
			Permissions: d.interned.list(r.Permissions),
		}
		for _, id := range r.Includes {
			stored.Includes = append(stored.Includes, access.RoleID(strings.Clone(string(id))))
		}
		w.roles[stored.ID] = stored
	}
	collect()
	d.resolveRole(w, reached)
}

func (x *Index) putAssignments(p *PrincipalAssignments, gone bool) {
	x.seen.add("assignments", p.Principal.ID)
	d := &x.dir
	w := d.tenantOf(p.TenantID)
	at := d.principalOf(p.Principal, w)
	next := *d.principals.at(at)
	next.assignments = nil
	if !gone && len(p.List) > 0 {
		next.assignments = make([]assignment, len(p.List))
		for i, a := range p.List {
			role := a.RoleID
			if known, ok := w.roles[role]; ok {
				role = known.ID // the same string for everyone
			} else {
				role = access.RoleID(strings.Clone(string(role)))
			}
			next.assignments[i] = assignment{role, d.orgOf(a.OrganizationID, w)}
		}
	}
	d.replace(w, at, next)
}

func (x *Index) putUser(u *tenancy.User, gone bool) {
	x.seen.add("user", string(u.ID))
	d := &x.dir
	who := access.Principal{Type: access.PrincipalUser, ID: string(u.ID)}
	if gone {
		if at, ok := d.principalsBy[who]; ok {
			next := *d.principals.at(at)
			next.state, next.labels = tenancy.Deleted, nil
			d.principals.set(at, &next)
		}
		return
	}
	at := d.principalOf(who, d.tenantOf(u.TenantID))
	next := *d.principals.at(at)
	next.state, next.labels = stateOfThing(u.State), labelsOf(u.Labels)
	d.principals.set(at, &next)
}

var errFull = errors.New("a shard of the index is full")

// putCredential replaces a credential's entry. Its usage and what was counted against its
// limits go on. One without a digest can't match anything and needs no entry.
func (x *Index) putCredential(c *Credential, gone bool) error {
	x.seen.addCredential(c.ID)
	k := kindOf(c.Kind)
	current := -1
	var past []pastSecret
	_, at := x.clock.read()
	if !gone && keyTypes[k] != "" {
		current = currentMaterial(c, k)
		past = pastSecrets(c, k, current, at)
	}
	h := hashOf(&x.seed, &c.ID)
	s := &x.shards[h%shardCount]
	if current < 0 && past == nil {
		s.mu.Lock()
		x.dir.rares.drop(s.remove(h, &c.ID, &x.seed))
		s.mu.Unlock()
		return nil
	}
	next := x.entryOf(c, k)
	next.digest = x.dummy
	if current >= 0 {
		m := &c.Material[current]
		next.digest, next.version, next.pepper = m.Digest, uint32(m.Version), pepperOf(m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, _ := s.find(h, &c.ID)
	if e == nil {
		if e = s.insert(h, &c.ID, &x.mem, &x.seed); e == nil {
			return errFull
		}
	}
	next.rare = x.putRare(c, e.rare, past)
	next.usage, next.next = e.usage, e.next
	*e = next
	return nil
}

// putRare replaces what few credentials have, and returns its position.
func (x *Index) putRare(c *Credential, at uint32, past []pastSecret) uint32 {
	rares := &x.dir.rares
	r := rareOf(c, rares.at(at), past)
	switch {
	case r == nil:
		rares.drop(at)
		return 0
	case at == 0:
		return rares.add(r)
	}
	rares.set(at, r)
	return at
}

// entryOf is the entry without its secret, with everything it refers to in the directory.
func (x *Index) entryOf(c *Credential, k kind) entry {
	d := &x.dir
	w := d.tenantOf(c.TenantID)
	orgID := c.OrganizationID
	if orgID == "" {
		orgID = w.root
	}
	e := entry{
		id: c.ID, tenant: w.at, org: d.orgOf(orgID, w), principal: d.principalOf(c.Principal, w),
		kind: k, state: stateOf(c.State),
	}
	if !c.ExpiresAt.IsZero() {
		e.expires = c.ExpiresAt.UnixMicro()
	}
	if k.byRoles(c.Principal.Type) {
		d.place(w, e.principal, e.org)
	}
	return e
}

// byRoles reports whether a credential's permissions come from its principal's roles.
func (k kind) byRoles(t access.PrincipalType) bool {
	switch k {
	case kindUserKey, kindServiceAccountKey:
		return true
	case kindClientCredential:
		return t == access.PrincipalUser
	case kindOrganizationKey, kindAccountKey, kindApp, kindVerifierKey:
	}
	return false
}

// seen collects what a snapshot brings, when it replaces what is there: the rest is gone.
// A nil seen collects nothing.
type seen struct {
	things      map[string]bool
	credentials map[credential.ID]bool
}

// newSeen returns nil for an index that is empty.
func (x *Index) newSeen() *seen {
	if len(x.dir.tenantsByID) == 0 && len(x.dir.plans) == 0 {
		return nil
	}
	return &seen{things: make(map[string]bool), credentials: make(map[credential.ID]bool)}
}

func (s *seen) add(what, id string) {
	if s != nil {
		s.things[what+" "+id] = true
	}
}

func (s *seen) addCredential(id credential.ID) {
	if s != nil {
		s.credentials[id] = true
	}
}

func (s *seen) has(what, id string) bool { return s.things[what+" "+id] }

// sweep takes out what the snapshot that was just read didn't bring.
func (x *Index) sweep() {
	s, d := x.seen, &x.dir
	x.seen = nil
	if s == nil {
		return
	}
	x.sweepCredentials(s)
	for id := range d.plans {
		if !s.has("plan", string(id)) {
			x.putPlan(&Plan{ID: id}, true)
		}
	}
	for id, w := range d.tenantsByID {
		if !s.has("tenant", string(id)) {
			x.putTenant(&tenancy.Tenant{ID: id}, true)
		}
		for role := range w.roles {
			if !s.has("role", string(role)) {
				x.putRole(&access.Role{ID: role, TenantID: id}, true)
			}
		}
	}
	for id := range d.orgsByID {
		if !s.has("organization", string(id)) {
			x.putOrganization(&tenancy.Organization{ID: id}, true)
		}
	}
	for who, at := range d.principalsBy {
		if !s.has("assignments", who.ID) {
			x.putAssignments(&PrincipalAssignments{Principal: who, TenantID: d.tenants.at(d.principals.at(at).tenant).id}, true)
		}
		if who.Type == access.PrincipalUser && !s.has("user", who.ID) {
			x.putUser(&tenancy.User{ID: tenancy.UserID(who.ID)}, true)
		}
	}
}

func (x *Index) sweepCredentials(s *seen) {
	for i := range x.shards {
		sh := &x.shards[i]
		sh.mu.Lock()
		var gone []credential.ID
		for _, v := range sh.slots {
			if v == 0 {
				continue
			}
			if e := sh.at(v&slotMask - 1); !s.credentials[e.id] {
				gone = append(gone, e.id)
			}
		}
		for i := range gone {
			x.dir.rares.drop(sh.remove(hashOf(&x.seed, &gone[i]), &gone[i], &x.seed))
		}
		sh.mu.Unlock()
	}
}
