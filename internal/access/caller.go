package access

import (
	"slices"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// System reports whether the caller acts for the installation: this process itself or
// someone of the system tenant. Only such callers act on tenants other than their own.
func (c Caller) System() bool {
	return c.Via == ViaSystem || c.Tenant == tenancy.SystemTenantID
}

// At is what the caller holds at the organization whose path is given, root first and
// itself last: what they hold there or above it. What someone of the system tenant holds
// at tenancy.SystemRootOrg reaches every tenant's tree. An empty path gives nothing.
func (c Caller) At(path []tenancy.OrgID) Set {
	if len(path) == 0 {
		return Set{}
	}
	if c.Via == ViaSystem {
		return Everything()
	}
	var held Set
	for _, h := range c.Holdings {
		if c.reaches(h, path) {
			held = held.Union(h.Set)
		}
	}
	return held
}

// Holds reports whether the caller holds p at the organization whose path is given.
func (c Caller) Holds(p Permission, path []tenancy.OrgID) bool {
	if len(path) == 0 {
		return false
	}
	if c.Via == ViaSystem {
		return wellFormed(string(p), false)
	}
	for _, h := range c.Holdings {
		if c.reaches(h, path) && h.Set.Allows(p) {
			return true
		}
	}
	return false
}

func (c Caller) reaches(h Holding, path []tenancy.OrgID) bool {
	if h.Organization == tenancy.SystemRootOrg && c.Tenant == tenancy.SystemTenantID {
		return true
	}
	return tenancy.IsWithin(path, h.Organization)
}

// Require returns nil when the caller holds p at the organization whose path is given,
// else a Denied problem that names p.
func (c Caller) Require(p Permission, path []tenancy.OrgID) error {
	if c.Holds(p, path) {
		return nil
	}
	return problem.New(problem.Denied, "permission_required",
		"This needs the permission "+string(p)+" here. Ask an administrator for a role that has it.")
}

// Gift is what an operation gives to somebody: a role assigned, a credential issued,
// edited, rotated or revealed.
type Gift struct {
	Permissions Set
	// Extra is what a permission that the caller holds at Path lets them give beyond what
	// they hold, such as the plan's APIs for AppsManage. Whoever fills it in has checked that.
	Extra Set
	// Path is where the gift takes effect: that organization and all below it.
	Path      []tenancy.OrgID
	Recipient Principal
	ExpiresAt time.Time // zero means it lasts for ever
}

// MayGive is the rule that nobody gives what they may not give: not more permissions than
// they hold at that place or may give by a permission they hold there, not at a place
// where they hold nothing, not for longer than their own credential lasts, and to
// themselves nothing that they don't hold already. It returns nil or a Denied problem.
func (c Caller) MayGive(g Gift) error {
	if c.Via == ViaSystem {
		return nil
	}
	held := c.At(g.Path)
	if held.Empty() {
		return problem.New(problem.Denied, "out_of_reach", "You hold no rights at this organization, so you can't give any there.")
	}
	givable := held
	if g.Recipient != c.Principal {
		givable = held.Union(g.Extra)
	}
	if missing := g.Permissions.Without(givable); len(missing) > 0 {
		return problem.New(problem.Denied, "more_than_held",
			"You can't give what you don't hold here yourself: "+listed(missing)+".")
	}
	if ends := c.CredentialExpires; !ends.IsZero() && (g.ExpiresAt.IsZero() || g.ExpiresAt.After(ends)) {
		return problem.New(problem.Denied, "outlives_caller",
			"The credential you are using expires before this would. Choose an earlier expiry, or sign in.")
	}
	return nil
}

// listed names a few of the grants: a whole role may be long.
func listed(grants []Grant) string {
	const most = 5
	names := make([]string, 0, most)
	for _, g := range grants[:min(most, len(grants))] {
		names = append(names, string(g))
	}
	text := strings.Join(names, ", ")
	if len(grants) > most {
		text += " and more"
	}
	return text
}

// MayGiveRole applies MayGive to a role that is to be changed to grant after: the caller
// must be able to give all of it at every place where someone has it. The places are the
// assignments of every role in RolesWith, after being what that role will grant.
func (c Caller) MayGiveRole(after Set, places []Place) error {
	for _, p := range places {
		if err := c.MayGive(Gift{Permissions: after, Path: p.Path, Recipient: p.Recipient}); err != nil {
			return err
		}
	}
	return nil
}

// Place is where somebody has something.
type Place struct {
	Recipient Principal
	Path      []tenancy.OrgID
}

// MayMove checks that the caller may move an organization in the tree. from is its path
// now, to is the path of its new parent. Whoever holds rights on the new way down, and
// didn't on the old, gets them at the organization and below it: arriving lists those
// assignments, and each is a gift at the organization as it is now.
func (c Caller) MayMove(from, to []tenancy.OrgID, arriving []Assignment, roles map[RoleID]Role) error {
	for _, path := range [][]tenancy.OrgID{from, to} {
		if err := c.Require(OrganizationsManage, path); err != nil {
			return err
		}
	}
	for _, a := range arriving {
		if tenancy.IsWithin(from, a.OrganizationID) || !tenancy.IsWithin(to, a.OrganizationID) {
			continue
		}
		gift := Gift{Permissions: ResolveRole(a.RoleID, roles), Path: from, Recipient: a.Principal}
		if err := c.MayGive(gift); err != nil {
			return err
		}
	}
	return nil
}

// MayAdminister refuses tenants' credentials what manages roles, sign-in or encryption,
// whatever their principals hold, so that a leaked key can't dig itself in. Sessions and
// callers of the system tenant may. It doesn't check that the caller holds p: Require does.
// For UsersManage, ask where the operation touches how someone signs in (inviting, user
// name, mail), not where it only stops them.
func MayAdminister(c Caller, p Permission) error {
	sessionOnly := slices.ContainsFunc(Permissions(), func(i PermissionInfo) bool { return i.Permission == p && i.SessionOnly })
	if c.Via == ViaSession || c.System() || !sessionOnly {
		return nil
	}
	return problem.New(problem.Denied, "session_required",
		"Credentials can't manage roles, sign-in or encryption. Sign in to the console to do this.")
}
