package authority

import (
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Assignment is an assignment with what its parts are called now.
type Assignment struct {
	access.Assignment
	PrincipalName        string // a user name, or a service account's e-mail address
	PrincipalDisplayName string
	RoleName             string
	OrganizationName     string
}

// showAssignments names the parts of assignments, with one query for each kind of thing.
func (s *scope) showAssignments(list []access.Assignment) ([]Assignment, error) {
	who := make([]access.Principal, len(list))
	where := make([]tenancy.OrgID, len(list))
	for i, as := range list {
		who[i], where[i] = as.Principal, as.OrganizationID
	}
	roles, err := s.roles(s.target)
	if err != nil {
		return nil, err
	}
	names, err := s.tx.Names(who)
	if err != nil {
		return nil, err
	}
	places, err := s.tx.OrganizationNames(where)
	if err != nil {
		return nil, err
	}
	out := make([]Assignment, len(list))
	for i, as := range list {
		out[i] = Assignment{
			Assignment: as, PrincipalName: names[as.Principal].Name, PrincipalDisplayName: names[as.Principal].DisplayName,
			RoleName: roles[as.RoleID].Name, OrganizationName: places[as.OrganizationID],
		}
	}
	return out, nil
}

// User is a user as those who look after users see them.
type User struct {
	tenancy.User
	OrganizationName string
	// InvitedUntil is how long the link can be used with which the user sets a password;
	// zero means that no link is open.
	InvitedUntil time.Time
	// Roles are those that the caller may know about.
	Roles []Assignment
}

// showUsers completes users, with one query for each kind of thing.
func (s *scope) showUsers(list []tenancy.User) ([]User, error) {
	ids := make([]tenancy.UserID, len(list))
	texts := make([]string, len(list))
	places := make([]tenancy.OrgID, len(list))
	for i, u := range list {
		ids[i], texts[i], places[i] = u.ID, string(u.ID), u.OrganizationID
	}
	names, err := s.tx.OrganizationNames(places)
	if err != nil {
		return nil, err
	}
	invited, err := s.tx.OpenLinks(PurposeInvitation, s.now, ids)
	if err != nil {
		return nil, err
	}
	held, err := s.tx.AssignmentsOfAll(access.PrincipalUser, texts)
	if err != nil {
		return nil, err
	}
	var known []access.Assignment
	for _, id := range texts {
		for _, as := range held[id] {
			if s.mayKnow(as) {
				known = append(known, as)
			}
		}
	}
	shown, err := s.showAssignments(known)
	if err != nil {
		return nil, err
	}
	roles := map[string][]Assignment{}
	for _, as := range shown {
		roles[as.Principal.ID] = append(roles[as.Principal.ID], as)
	}
	out := make([]User, len(list))
	for i, u := range list {
		out[i] = User{User: u, OrganizationName: names[u.OrganizationID], InvitedUntil: invited[u.ID], Roles: roles[string(u.ID)]}
	}
	return out, nil
}

// mayKnow is whether the caller may know of an assignment: their own, or one in the part of
// the tree that Assignments shows them.
func (s *scope) mayKnow(as access.Assignment) bool {
	if as.Principal == s.caller.Principal && s.caller.Tenant == s.target {
		return true
	}
	path, err := s.path(as.OrganizationID)
	return err == nil && s.requireAny(path, access.RolesRead, access.UsersRead, access.AssignmentsManage) == nil
}

// Role is a role with what it comes to.
type Role struct {
	access.Role
	Resolved access.Set // what it grants, with all that it includes
	Holders  int64      // how many users and service accounts have it, not counting those by an including role
}

// showRoles completes roles.
func (s *scope) showRoles(list ...access.Role) ([]Role, error) {
	roles, err := s.roles(s.target)
	if err != nil {
		return nil, err
	}
	holders, err := s.tx.CountHolders()
	if err != nil {
		return nil, err
	}
	out := make([]Role, len(list))
	for i, r := range list {
		out[i] = Role{Role: r, Resolved: access.ResolveRole(r.ID, roles), Holders: holders[r.ID]}
	}
	return out, nil
}

// pageOf turns the items of a page into what is shown of them, all at once.
func pageOf[T, U any](list store.List[T], show func([]T) ([]U, error)) (out store.List[U], err error) {
	out = store.List[U]{Next: list.Next, Previous: list.Previous, Total: list.Total}
	out.Items, err = show(list.Items)
	return out, err
}

// organizationName is what an organization is called; empty for one that is gone.
func (s *scope) organizationName(id tenancy.OrgID) (string, error) {
	o, err := s.organization(id)
	if problem.Is(err, problem.NotFound) {
		return "", nil
	}
	return o.Name, err
}
