package verify

import (
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// seen collects what a snapshot brings, when it replaces what is there: the rest is gone.
// A nil seen collects nothing.
type seen struct {
	things      map[string]bool
	credentials map[credential.ID]bool
}

// newSeen returns nil for an index that is empty.
func (x *Index) newSeen() *seen {
	if len(x.dir.tenants) == 0 && len(x.dir.plans) == 0 && x.dir.catalogue.apis == nil {
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
	x.directoryMu.Lock()
	defer x.directoryMu.Unlock()
	x.generation.Add(1)
	s, d := x.seen, &x.dir
	x.seen = nil
	if s == nil {
		return
	}
	x.sweepCredentials(s)
	if !s.has("catalogue", "") {
		x.putCatalog(&catalog.Catalog{})
	}
	for id := range d.plans {
		if !s.has("plan", string(id)) {
			x.putPlan(&Plan{ID: id}, true)
		}
	}
	for id, t := range d.tenants {
		if !s.has("tenant", string(id)) {
			x.putTenant(&tenancy.Tenant{ID: id}, false, true)
		}
		for role := range t.roles {
			if !s.has("role", string(role)) {
				x.putRole(&access.Role{ID: role, TenantID: id}, true)
			}
		}
	}
	for id := range d.orgs {
		if !s.has("organization", string(id)) {
			x.putOrganization(&tenancy.Organization{ID: id}, true)
		}
	}
	for who, p := range d.principals {
		if !s.has("assignments", who.ID) {
			x.putAssignments(&PrincipalAssignments{Principal: who, TenantID: p.tenant.id}, true)
		}
		x.sweepPrincipal(s, who)
	}
}

func (x *Index) sweepPrincipal(s *seen, who access.Principal) {
	switch who.Type {
	case access.PrincipalUser:
		if !s.has("user", who.ID) {
			x.putUser(&tenancy.User{ID: tenancy.UserID(who.ID)}, true)
		}
	case access.PrincipalServiceAccount:
		if !s.has("service account", who.ID) {
			x.putServiceAccount(&tenancy.ServiceAccount{ID: tenancy.ServiceAccountID(who.ID)}, true)
		}
	case access.PrincipalApp:
		if !s.has("app", who.ID) {
			x.putApp(&tenancy.App{ID: tenancy.AppID(who.ID)}, true)
		}
	case access.PrincipalOrganization, access.PrincipalTenant, access.PrincipalSystem:
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
			if e := x.mem.at(v&slotMask - 1); !s.credentials[e.id] {
				gone = append(gone, e.id)
			}
		}
		for i := range gone {
			x.remove(sh, hashOf(&x.seed, &gone[i]), &gone[i])
		}
		sh.mu.Unlock()
	}
}
