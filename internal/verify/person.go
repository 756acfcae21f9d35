package verify

import (
	"slices"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// person is what somebody whom an organization key signed in may do through a desktop
// client, as of one generation of the directory.
type person struct {
	generation uint64
	stop       Code // as of a standing
	licensed   bool
	who        access.Principal
	orgID      tenancy.OrgID
	path       []tenancy.OrgID
	labels     *tenancy.Labels
	set        *PermissionSet
}

// admitted reports whether the key may still speak for the person: they are at or below its
// organization, and licensed for the client.
func (p *person) admitted(f *found) bool {
	return p.licensed && slices.Contains(p.path, f.holder.orgID)
}

// personOf is whom a session token speaks for, as of now. The token remembers it until
// something changes that may concern a person.
func (x *Index) personOf(c *checked) *person {
	if p := c.who.Load(); p != nil && p.generation == x.generation.Load() {
		return p
	}
	x.directoryMu.RLock()
	defer x.directoryMu.RUnlock()
	p := x.dir.person(c.claims.User, c.claims.Client, c.claims.Tenant)
	p.generation = x.generation.Load()
	c.who.Store(p)
	return p
}

// person works out what a user may do through a client: what the user's roles allow at their
// organization within the plan, cut to the client's permissions. Claviger's own permissions
// are never among them.
func (d *directory) person(id tenancy.UserID, client string, in tenancy.TenantID) *person {
	p := &person{
		who: access.Principal{Type: access.PrincipalUser, ID: string(id)},
		set: &emptySet, stop: Revoked,
	}
	u := d.principals[p.who]
	if u == nil || u.tenant.id != in || u.home == nil {
		return p
	}
	p.stop, p.labels, p.orgID = stopOf(u.tenant, u.state, u.home.state), u.labels, u.home.id
	for _, o := range u.home.path {
		p.path = append(p.path, o.id)
	}
	allowed, ok := d.catalogue.clients[clientKey(client, u.own)]
	if !ok {
		return p
	}
	p.licensed = true
	held := rolesGive(u.tenant, rolesAt(u.assignments, u.home))
	p.set = setOf(access.Effective(held, u.tenant.plan.set.Set).Vendor().Intersect(allowed))
	return p
}
