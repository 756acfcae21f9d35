package verify

import (
	"errors"
	"slices"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// put brings one thing to the state that an item tells. Putting the same item again
// changes nothing, and items may come before what they refer to. The caller has the right
// to apply. Only a credential that finds no room is an error.
func (x *Index) put(i Item) error {
	x.directoryMu.Lock()
	defer x.directoryMu.Unlock()
	if i.Credential == nil && i.RevokedToken == nil && i.SigningKeys == nil {
		x.generation.Add(1)
	}
	switch {
	case i.Credential != nil:
		return x.putCredential(i.Credential, i.Gone)
	case i.RevokedToken != nil:
		x.putRevokedToken(i.RevokedToken, i.Gone)
	case i.SigningKeys != nil:
		x.putSigningKeys(i.SigningKeys)
	case i.User != nil:
		x.putUser(i.User, i.Gone)
	case i.App != nil:
		x.putApp(i.App, i.Gone)
	case i.ServiceAccount != nil:
		x.putServiceAccount(i.ServiceAccount, i.Gone)
	case i.Catalog != nil:
		x.putCatalog(i.Catalog)
	case i.Assignments != nil:
		x.putAssignments(i.Assignments, i.Gone)
	case i.Role != nil:
		x.putRole(i.Role, i.Gone)
	case i.Organization != nil:
		x.putOrganization(i.Organization, i.Gone)
	case i.Tenant != nil:
		x.putTenant(i.Tenant, i.Held, i.Gone)
	case i.Plan != nil:
		x.putPlan(i.Plan, i.Gone)
	}
	return nil
}

func (x *Index) putPlan(p *Plan, gone bool) {
	x.seen.add("plan", string(p.ID))
	if p.ID == "" {
		return
	}
	d := &x.dir
	it := d.planOf(p.ID)
	it.apiAccess, it.set = false, &emptySet
	if !gone {
		it.apiAccess, it.set = p.APIAccess, d.interned.set(access.NewSet(p.Permissions...).Vendor())
	}
	for t := range it.tenants {
		d.resolveAll(t)
		d.judgeAll(t)
	}
}

func (x *Index) putTenant(in *tenancy.Tenant, held, gone bool) {
	x.seen.add("tenant", string(in.ID))
	d := &x.dir
	t := d.tenantOf(in.ID)
	if gone {
		t.state, t.labels = tenancy.Deleted, nil
		d.judgeAll(t)
		return
	}
	t.state, t.held, t.labels = stateOf(in.State), held, labelsOf(in.Labels)
	t.account.Store(accountText(in.AccountID))
	t.legacy.Store(in.Policy.LegacyAccountKeys)
	t.tokenLife.Store(int64(in.Policy.Tokens()))
	t.root = d.orgOf(in.RootOrg, t)
	if p := d.planOf(in.PlanID); p != t.plan {
		delete(t.plan.tenants, t)
		t.plan = p
		p.tenants[t] = true
		d.resolveAll(t)
	}
	d.judgeAll(t)
}

func (x *Index) putOrganization(in *tenancy.Organization, gone bool) {
	x.seen.add("organization", string(in.ID))
	d := &x.dir
	if gone {
		if o := d.orgs[in.ID]; o != nil {
			o.own, o.labels = tenancy.Deleted, nil
			d.stateBelow(o)
			d.judgeAll(o.tenant)
		}
		return
	}
	t := d.tenantOf(in.TenantID)
	o := d.orgOf(in.ID, t)
	path := make([]*org, len(in.Path))
	for i, id := range in.Path {
		path[i] = d.orgOf(id, t)
	}
	moved := !slices.Equal(o.path, path)
	o.path, o.own, o.labels = path, stateOf(in.State), labelsOf(in.Labels)
	d.stateBelow(o)
	for _, pl := range t.places {
		if moved && pl.org == o {
			d.assign(pl)
		}
		d.judge(pl)
	}
}

func (x *Index) putRole(in *access.Role, gone bool) {
	x.seen.add("role", string(in.ID))
	d := &x.dir
	t := d.tenantOf(in.TenantID)
	changed := make(map[access.RoleID]bool)
	collect := func() { // before and after: includes may change
		for _, id := range access.RolesWith(in.ID, t.roles) {
			changed[id] = true
		}
	}
	collect()
	if gone {
		delete(t.roles, in.ID)
	} else {
		role := access.Role{
			ID: access.RoleID(strings.Clone(string(in.ID))), TenantID: t.id,
			Permissions: d.interned.list(in.Permissions),
		}
		for _, id := range in.Includes {
			role.Includes = append(role.Includes, access.RoleID(strings.Clone(string(id))))
		}
		t.roles[role.ID] = role
	}
	collect()
	if d.resolveRoles(t, changed) {
		d.regrantAll(t)
	}
}

func (x *Index) putAssignments(in *PrincipalAssignments, gone bool) {
	x.seen.add("assignments", in.Principal.ID)
	d := &x.dir
	t := d.tenantOf(in.TenantID)
	p := d.principalOf(in.Principal, t)
	p.assignments = nil
	if !gone && len(in.List) > 0 {
		p.assignments = make([]assignment, len(in.List))
		for i, a := range in.List {
			role := a.RoleID
			if known, ok := t.roles[role]; ok {
				role = known.ID // the same string for everyone
			} else {
				role = access.RoleID(strings.Clone(string(role)))
			}
			p.assignments[i] = assignment{role, d.orgOf(a.OrganizationID, t)}
		}
	}
	for _, pl := range p.places {
		d.assign(pl)
		d.judge(pl)
	}
}

func (x *Index) putUser(in *tenancy.User, gone bool) {
	x.seen.add("user", string(in.ID))
	x.putPrincipal(access.Principal{Type: access.PrincipalUser, ID: string(in.ID)}, in.TenantID, gone, func(p *principal) {
		p.state, p.labels = stateOf(in.State), labelsOf(in.Labels)
		p.own, p.home = x.dir.interned.text(in.Licence), x.dir.orgOf(in.OrganizationID, p.tenant)
	})
}

func (x *Index) putServiceAccount(in *tenancy.ServiceAccount, gone bool) {
	x.seen.add("service account", string(in.ID))
	x.putPrincipal(access.Principal{Type: access.PrincipalServiceAccount, ID: string(in.ID)}, in.TenantID, gone, func(p *principal) {
		p.state, p.labels = stateOf(in.State), labelsOf(in.Labels)
	})
}

func (x *Index) putApp(in *tenancy.App, gone bool) {
	x.seen.add("app", string(in.ID))
	x.putPrincipal(access.Principal{Type: access.PrincipalApp, ID: string(in.ID)}, in.TenantID, gone, func(p *principal) {
		p.state, p.labels = stateOf(in.State), labelsOf(in.Labels)
		p.own = x.dir.interned.text(choiceOf(in.APIs))
	})
}

// putPrincipal brings a principal to what set makes of it. One that is gone counts as
// deleted from then on.
func (x *Index) putPrincipal(who access.Principal, in tenancy.TenantID, gone bool, set func(*principal)) {
	d := &x.dir
	p := d.principals[who]
	switch {
	case !gone:
		p = d.principalOf(who, d.tenantOf(in))
		set(p)
	case p != nil:
		p.state, p.labels = tenancy.Deleted, nil
	default:
		return
	}
	for _, pl := range p.places {
		if pl.basis == byLicence || pl.basis == byAPIs {
			d.assign(pl)
		}
		d.judge(pl)
	}
}

// putSigningKeys hands the keys on. One that can't be read signs and proves nothing; that
// is no reason to stop deciding about all else.
func (x *Index) putSigningKeys(in *SigningKeys) {
	if x.cfg.Tokens == nil {
		return
	}
	if err := x.cfg.Tokens.Replace(in.List); err != nil {
		x.log.Error("a signing key of tokens is left out", "error", err)
	}
}

func (x *Index) putCatalog(in *catalog.Catalog) {
	x.seen.add("catalogue", "")
	d := &x.dir
	d.catalogue = catalogueOf(in)
	x.legacy.Store(nil)
	if legacy := d.catalogue.legacy; !legacy.Empty() {
		x.legacy.Store(&legacy)
	}
	for _, t := range d.tenants {
		if d.resolveCatalogue(t) {
			d.regrantAll(t)
		}
	}
}

var errFull = errors.New("the index is full")

// putCredential replaces a credential's entry. Its usage and what was counted against its
// limits go on. One without a digest can't match anything and needs no entry.
func (x *Index) putCredential(c *Credential, gone bool) error {
	x.seen.addCredential(c.ID)
	k := kindOf(c.Kind)
	current := -1
	var past []pastSecret
	if !gone && k != 0 {
		_, at := x.clock.read()
		current = currentMaterial(c, k)
		past = pastSecrets(c, k, current, at)
	}
	h := hashOf(&x.seed, &c.ID)
	s := &x.shards[h%shardCount]
	if current < 0 && past == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		x.remove(s, h, &c.ID)
		return nil
	}
	next := x.entryOf(c, k)
	next.digest = x.dummy
	if current >= 0 {
		m := &c.Material[current]
		next.version = uint32(m.Version)
		if k != kindServiceAccountKey { // whose digest is none
			next.digest, next.pepper = m.Digest, pepperOf(m)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, _ := s.find(h, &c.ID, &x.mem)
	if e == nil {
		if e = s.insert(h, &c.ID, &x.mem, &x.seed); e == nil {
			return errFull
		}
	}
	x.putImported(c, e, current, past)
	next.rare = x.putRare(c, e.rare, past)
	next.usage, next.next = e.usage, e.next
	*e = next
	return nil
}

// remove takes a credential out with all that it is found by. The caller holds the shard's
// lock for writing.
func (x *Index) remove(s *shard, h uint64, id *credential.ID) {
	e, _ := s.find(h, id, &x.mem)
	x.dropImported(e, nil)
	x.dropRare(*id, s.remove(h, id, &x.mem, &x.seed))
}

// putRare replaces what few credentials have, and returns its position.
func (x *Index) putRare(c *Credential, at uint32, past []pastSecret) uint32 {
	before := x.rareAt(at)
	r := rareOf(c, before, past)
	if r == nil {
		x.dropRare(c.ID, at)
		return 0
	}
	x.public.replace(c.ID, before.shown(), r.public)
	p := x.dir.rares.at(at)
	if p == nil {
		at, p = x.dir.rares.add()
	}
	p.Store(r)
	return at
}

func (x *Index) rareAt(at uint32) *rare {
	if at == 0 {
		return nil
	}
	return x.dir.rares.at(at).Load()
}

func (x *Index) dropRare(id credential.ID, at uint32) {
	if at != 0 {
		x.public.replace(id, x.rareAt(at).shown(), nil)
		x.dir.rares.at(at).Store(nil)
		x.dir.rares.drop(at)
	}
}

// entryOf is the entry without its secret.
func (x *Index) entryOf(c *Credential, k kind) entry {
	d := &x.dir
	t := d.tenantOf(c.TenantID)
	o := t.root
	if c.OrganizationID != "" {
		o = d.orgOf(c.OrganizationID, t)
	}
	e := entry{
		id: c.ID, kind: k, state: stateOfCredential(c.State),
		holder: d.placeOf(d.principalOf(c.Principal, t), o, k.basisOf(c.Principal.Type)).at,
	}
	if !c.ExpiresAt.IsZero() {
		e.expires = c.ExpiresAt.UnixMicro()
	}
	return e
}
