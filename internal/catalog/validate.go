package catalog

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// The caps of a catalogue and of a plan.
const (
	MaxGroups      = 100
	MaxAPIs        = 1000 // in a group
	MaxPermissions = 200  // of one API, client, licence or plan
	MaxClients     = 100
	MaxLicences    = 100
	MaxKey         = 64
	maxURL         = 2048
	maxFaults      = 50
)

// pointer is a JSON pointer; numbers are positions in arrays.
func pointer(parts ...any) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		switch p := p.(type) {
		case int:
			b.WriteString(strconv.Itoa(p))
		case string:
			b.WriteString(p)
		}
	}
	return b.String()
}

// faults collects what is wrong, with where.
type faults struct {
	fields []problem.Field
	where  []any
}

// in is the same collector, deeper in the file.
func (f *faults) in(parts []any, check func()) {
	before := f.where
	f.where = append(before[:len(before):len(before)], parts...)
	check()
	f.where = before
}

func (f *faults) add(field, message string) {
	if len(f.fields) < maxFaults {
		f.fields = append(f.fields, problem.Field{Pointer: pointer(append(f.where[:len(f.where):len(f.where)], field)...), Message: message})
	}
}

func (f *faults) key(s string, seen map[string]bool) {
	switch {
	case !validKey(s):
		f.add("key", fmt.Sprintf("Use 1 to %d lower-case letters, digits and underscores.", MaxKey))
	case seen[s]:
		f.add("key", "This key is there already.")
	}
	seen[s] = true
}

func validKey(s string) bool {
	for i := range len(s) {
		if b := s[i]; (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '_' {
			return false
		}
	}
	return s != "" && len(s) <= MaxKey
}

func (f *faults) name(s string) {
	if fault := tenancy.TextFault(s, tenancy.MaxText); fault != "" {
		f.add("name", fault)
	}
}

func (f *faults) count(field string, n, most int) {
	if n > most {
		f.add(field, fmt.Sprintf("There must be at most %d.", most))
	}
}

// grants checks a list of the vendor's permissions; stars says whether "*" is allowed.
func (f *faults) grants(field string, list []access.Grant, stars bool) {
	f.count(field, len(list), MaxPermissions)
	seen := map[access.Grant]bool{}
	for i, g := range list {
		parse := func() error { _, err := access.ParsePermission(string(g)); return err }
		if stars {
			parse = func() error { _, err := access.ParseGrant(string(g)); return err }
		}
		f.in([]any{field}, func() {
			switch err := parse(); {
			case err != nil:
				f.add(strconv.Itoa(i), problem.As(err).Message)
			case g.Own():
				f.add(strconv.Itoa(i), "Claviger's own permissions have no place here.")
			case seen[g]:
				f.add(strconv.Itoa(i), "This is there already.")
			}
		})
		seen[g] = true
	}
}

func asGrants(list []access.Permission) []access.Grant {
	grants := make([]access.Grant, len(list))
	for i, p := range list {
		grants[i] = access.Grant(p)
	}
	return grants
}

// Validate checks the whole catalogue. Its problem is Invalid and points at each fault, at
// most 50.
func (c Catalog) Validate() error {
	f := &faults{}
	f.count("groups", len(c.Groups), MaxGroups)
	groups, apis := map[string]bool{}, map[string]bool{}
	for i, g := range c.Groups {
		f.in([]any{"groups", i}, func() { f.group(g, groups, apis) })
	}
	f.legacy(c)
	f.count("clients", len(c.Clients), MaxClients)
	clients := map[string]bool{}
	for i, client := range c.Clients {
		f.in([]any{"clients", i}, func() {
			f.key(client.Key, clients)
			f.name(client.Name)
			f.grants("permissions", client.Permissions, true)
		})
	}
	f.count("licences", len(c.Licences), MaxLicences)
	licences := map[string]bool{}
	known := access.SetOf(c.Permissions()...)
	for i, l := range c.Licences {
		f.in([]any{"licences", i}, func() { f.licence(l, licences, clients, known) })
	}
	return problem.InvalidFields(f.fields)
}

func (f *faults) group(g Group, groups, apis map[string]bool) {
	f.key(g.Key, groups)
	f.name(g.Name)
	f.count("apis", len(g.APIs), MaxAPIs)
	for i, a := range g.APIs {
		f.in([]any{"apis", i}, func() {
			f.key(a.Key, apis)
			f.name(a.Name)
			if !validURL(a.DocumentationURL) {
				f.add("documentation_url", "Write a whole https or http address.")
			}
			if len(a.Permissions) == 0 {
				f.add("permissions", "An API needs at least one permission.")
			}
			f.grants("permissions", asGrants(a.Permissions), false)
			f.grants("requires", asGrants(a.Requires), false)
		})
	}
}

// validURL accepts absolute web addresses: the link is shown, and must not run script.
func validURL(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxURL && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// legacy refuses a permission that a legacy API shares with another: then what is asked
// for wouldn't tell which of them is called.
func (f *faults) legacy(c Catalog) {
	legacy := c.Legacy()
	for i, g := range c.Groups {
		for j, a := range g.APIs {
			for k, p := range a.Permissions {
				if !a.Legacy && legacy.Allows(p) {
					f.in([]any{"groups", i, "apis", j, "permissions"}, func() {
						f.add(strconv.Itoa(k), "A legacy API has this permission too; give the legacy API one of its own.")
					})
				}
			}
		}
	}
}

func (f *faults) licence(l Licence, licences, clients map[string]bool, known access.Set) {
	f.key(l.Key, licences)
	f.name(l.Name)
	if l.AllScopes && len(l.Scopes) > 0 {
		f.add("scopes", "Leave this out where all_scopes is true.")
	}
	f.grants("scopes", asGrants(l.Scopes), false)
	for i, p := range l.Scopes {
		if !known.Allows(p) {
			f.in([]any{"scopes"}, func() { f.add(strconv.Itoa(i), "No API of the catalogue has this permission.") })
		}
	}
	seen := map[string]bool{}
	for i, key := range l.Clients {
		if !clients[key] || seen[key] {
			f.in([]any{"clients"}, func() { f.add(strconv.Itoa(i), "Name a client of the catalogue, once.") })
		}
		seen[key] = true
	}
}

// ValidatePlan checks a plan's key, name and permissions. Its problem is Invalid and
// points at each fault.
func ValidatePlan(p Plan) error {
	f := &faults{}
	f.key(p.Key, map[string]bool{})
	f.name(p.Name)
	f.grants("permissions", p.Permissions, true)
	return problem.InvalidFields(f.fields)
}
