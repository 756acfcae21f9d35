package authority

import (
	"context"
	"slices"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// PermissionsInput asks for the permissions of a role's page.
type PermissionsInput struct {
	Tenant tenancy.TenantID
	Vendor bool // the catalogue's too
}

// Permission is a permission as a role's page shows it to this caller.
type Permission struct {
	access.PermissionInfo
	Vendor    bool // of the vendor's, from the catalogue
	Grantable bool // whether the caller may put it into a role
	Reason    string
}

// Permissions answers the permissions of a role's page (PV5), Claviger's own first, and
// which of them the caller may put into a role: that takes holding it at the root, where
// roles count. Every caller may ask.
func (a *Authority) Permissions(ctx context.Context, caller access.Caller, in PermissionsInput) (out []Permission, err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		out = nil
		for _, info := range access.Permissions() {
			out = append(out, s.grantable(Permission{PermissionInfo: info}))
		}
		if !in.Vendor {
			return nil
		}
		c, err := s.tx.AllTenantsCatalog()
		if err != nil {
			return err
		}
		seen := map[access.Permission]bool{}
		for _, g := range c.Groups {
			for _, api := range g.APIs {
				for _, p := range slices.Concat(api.Permissions, api.Requires) {
					if !seen[p] {
						seen[p] = true
						out = append(out, s.grantable(Permission{Vendor: true, PermissionInfo: access.PermissionInfo{
							Permission: p, Group: g.Name, Name: PlainName(p), Label: labelOf(p),
						}}))
					}
				}
			}
		}
		return nil
	})
	return out, err
}

func (s *scope) grantable(p Permission) Permission {
	switch {
	case p.System && s.target != tenancy.SystemTenantID:
		p.Reason = "This means something to the operators of the installation only."
	case !s.holds(p.Permission, s.rootPath()):
		p.Reason = "You do not have this permission yourself, so you cannot grant it."
	default:
		p.Grantable = true
	}
	return p
}

// PlainName is what people call the resource of a vendor's permission: "storage_api:use" is
// the "Storage API". The catalogue has names for APIs only.
func PlainName(p access.Permission) string {
	resource, _, _ := strings.Cut(string(p), ":")
	words := strings.FieldsFunc(resource, func(r rune) bool { return r == '_' || r == '.' })
	for i, w := range words {
		switch {
		case w == "api" || w == "chapi":
			words[i] = strings.ToUpper(w)
		case i == 0:
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}

func labelOf(p access.Permission) string {
	_, action, _ := strings.Cut(string(p), ":")
	if action == "use" {
		return PlainName(p)
	}
	return PlainName(p) + ": " + strings.ReplaceAll(action, "_", " ")
}
