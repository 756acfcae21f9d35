package catalog

import (
	"fmt"
	"slices"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
)

// APIs lists all APIs in the order of the groups.
func (c Catalog) APIs() []API {
	var all []API
	for _, g := range c.Groups {
		all = append(all, g.APIs...)
	}
	return all
}

// API finds an API by its key.
func (c Catalog) API(key string) (API, bool) {
	for _, g := range c.Groups {
		for _, a := range g.APIs {
			if a.Key == key {
				return a, true
			}
		}
	}
	return API{}, false
}

// Client finds a desktop client by its key.
func (c Catalog) Client(key string) (Client, bool) {
	for _, found := range c.Clients {
		if found.Key == key {
			return found, true
		}
	}
	return Client{}, false
}

// Licence finds a licence by its key.
func (c Catalog) Licence(key string) (Licence, bool) {
	for _, found := range c.Licences {
		if found.Key == key {
			return found, true
		}
	}
	return Licence{}, false
}

// Permissions lists every permission of every API, sorted.
func (c Catalog) Permissions() []access.Permission {
	return permissionsOf(c.APIs())
}

func permissionsOf(apis []API) []access.Permission {
	var all []access.Permission
	for _, a := range apis {
		all = append(all, a.Permissions...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// PermissionsOf is what the APIs with these keys need together. A key that isn't in the
// catalogue, or is there twice, is an Invalid problem whose pointer is "/apis/N".
func (c Catalog) PermissionsOf(keys []string) (access.Set, error) {
	apis, err := c.chosen(keys)
	if err != nil {
		return access.Set{}, err
	}
	return access.SetOf(permissionsOf(apis)...), nil
}

func (c Catalog) chosen(keys []string) ([]API, error) {
	var fields []problem.Field
	apis := make([]API, 0, len(keys))
	for i, key := range keys {
		a, ok := c.API(key)
		switch {
		case !ok:
			fields = append(fields, problem.Field{Pointer: pointer("apis", i), Message: "There is no such API in the catalogue."})
		case slices.Contains(keys[:i], key):
			fields = append(fields, problem.Field{Pointer: pointer("apis", i), Message: "This API is chosen twice."})
		default:
			apis = append(apis, a)
		}
	}
	return apis, problem.InvalidFields(fields)
}

// Choose checks that someone may choose these APIs for an app (EE2): each is in the
// catalogue, isn't legacy, is part of the plan, and they hold what it requires (EE8).
// held is what they hold where the app will be. It returns what the APIs need together.
// Problems are Invalid for a wrong key or a legacy API, Denied for the rest.
func (c Catalog) Choose(keys []string, held access.Set, plan Plan) (access.Set, error) {
	apis, err := c.chosen(keys)
	if err != nil {
		return access.Set{}, err
	}
	for i, a := range apis {
		if a.Legacy {
			return access.Set{}, problem.InvalidField(pointer("apis", i), "This API takes account keys only, so an app can't have it.")
		}
		if missing := access.SetOf(a.Permissions...).Without(plan.Set()); len(missing) > 0 {
			return access.Set{}, problem.New(problem.Denied, "not_in_plan", "The plan of this account doesn't include the API "+a.Name+".")
		}
		if missing := access.SetOf(a.Requires...).Without(held); len(missing) > 0 {
			return access.Set{}, problem.New(problem.Denied, "prerequisite_missing",
				fmt.Sprintf("Choosing the API %s needs %s, which you don't hold. Ask a Super Admin for a role that has it.", a.Name, missing[0]))
		}
	}
	return access.SetOf(permissionsOf(apis)...), nil
}

// Givable is what access.AppsManage lets someone give who holds held: everything of every
// API of the plan that isn't legacy and whose requirements they hold. It is the Extra of
// access.Gift.
func (c Catalog) Givable(held access.Set, plan Plan) access.Set {
	return access.SetOf(permissionsOf(c.Choosable(held, plan))...)
}

// Choosable lists the APIs that Choose accepts, for the page on which they are chosen.
func (c Catalog) Choosable(held access.Set, plan Plan) []API {
	var apis []API
	for _, a := range c.APIs() {
		if !a.Legacy && plan.Set().Covers(access.SetOf(a.Permissions...)) && held.Covers(access.SetOf(a.Requires...)) {
			apis = append(apis, a)
		}
	}
	return apis
}

// Legacy is the permissions of the legacy APIs. No other API has any of them, so a
// permission asked for tells whether a legacy API is called (VC7).
func (c Catalog) Legacy() access.Set {
	apis := slices.DeleteFunc(c.APIs(), func(a API) bool { return !a.Legacy })
	return access.SetOf(permissionsOf(apis)...)
}

// ScopesOffered is the scopes from which someone with the licence may choose for a client
// credential (VC1), sorted: what the licence names, as far as they may do it themselves
// now. Legacy APIs' are not offered. ok is false when the licence offers no scopes at all
// or isn't in the catalogue: then the page isn't theirs.
func (c Catalog) ScopesOffered(licence string, effective access.Set) (scopes []access.Permission, ok bool) {
	l, found := c.Licence(licence)
	if !found || (!l.AllScopes && len(l.Scopes) == 0) {
		return nil, false
	}
	legacy := c.Legacy()
	scopes = []access.Permission{}
	for _, p := range c.Permissions() {
		if (l.AllScopes || slices.Contains(l.Scopes, p)) && effective.Allows(p) && !legacy.Allows(p) {
			scopes = append(scopes, p)
		}
	}
	return scopes, true
}

// ClientPermissions is what a person with the licence may do through a desktop client
// (NV2), before their own rights bound it; false when the client isn't in the catalogue or
// not in the licence.
func (c Catalog) ClientPermissions(client, licence string) (access.Set, bool) {
	found, ok := c.Client(client)
	l, licensed := c.Licence(licence)
	if !ok || !licensed || !slices.Contains(l.Clients, client) {
		return access.Set{}, false
	}
	return access.NewSet(found.Permissions...), true
}

// Set is what the plan includes of the vendor's permissions.
func (p Plan) Set() access.Set { return access.NewSet(p.Permissions...).Vendor() }
