package authority_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// The permissions that the random roles are made of. There are no wildcards, so that the
// oracle needs nothing but sets of strings.
var pool = []access.Grant{
	access.Grant(access.RolesManage), access.Grant(access.AssignmentsManage), access.Grant(access.UsersManage),
	access.Grant(access.OrganizationsManage), access.Grant(access.APIKeysGenerate), "calls:read", "calls:write", "reports:read",
}

// everything is what every user holds everywhere, worked out from the database's rows
// alone, by other code than the one under test.
type everything struct {
	holds map[tenancy.UserID]map[tenancy.OrgID]map[access.Grant]bool
	keys  map[tenancy.UserID]map[access.Grant]bool // what a key of the user carries
}

func (w *world) everything() everything {
	w.Helper()
	out := everything{holds: map[tenancy.UserID]map[tenancy.OrgID]map[access.Grant]bool{}, keys: map[tenancy.UserID]map[access.Grant]bool{}}
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
		page := store.Page{Limit: store.MaxLimit}
		orgs, err := tx.Organizations(store.OrganizationFilter{}, page)
		if err != nil {
			return err
		}
		users, err := tx.Users(store.UserFilter{}, page)
		if err != nil {
			return err
		}
		roles, err := tx.Roles()
		if err != nil {
			return err
		}
		given, err := tx.AssignmentsOf(store.AssignmentFilter{}, page)
		if err != nil {
			return err
		}
		for _, u := range users.Items {
			out.holds[u.ID] = map[tenancy.OrgID]map[access.Grant]bool{}
			for _, o := range orgs.Items {
				held := map[access.Grant]bool{}
				for _, as := range given.Items {
					if as.Principal.ID == string(u.ID) && slices.Contains(o.Path, as.OrganizationID) {
						flatten(as.RoleID, roles, held, map[access.RoleID]bool{})
					}
				}
				out.holds[u.ID][o.ID] = held
			}
			out.keys[u.ID] = out.holds[u.ID][u.OrganizationID]
		}
		return nil
	}))
	return out
}

func flatten(id access.RoleID, roles map[access.RoleID]access.Role, into map[access.Grant]bool, seen map[access.RoleID]bool) {
	if seen[id] {
		return
	}
	seen[id] = true
	for _, g := range roles[id].Permissions {
		into[g] = true
	}
	for _, i := range roles[id].Includes {
		flatten(i, roles, into, seen)
	}
}

// tooMuch names what someone holds after an operation that they did not hold before and
// that the one who did it did not hold there either.
func tooMuch(before, after everything, actor tenancy.UserID) string {
	for u, places := range after.holds {
		for org, held := range places {
			for g := range held {
				if !before.holds[u][org][g] && !before.holds[actor][org][g] {
					return fmt.Sprintf("%s got %s at %s, which %s does not hold there", u, g, org, actor)
				}
				if u == actor && !before.holds[u][org][g] {
					return fmt.Sprintf("%s lifted themselves to %s at %s", u, g, org)
				}
			}
		}
	}
	return ""
}

// game is a tenant in which random people do random things.
type game struct {
	*world
	r       *rand.Rand
	seed    uint64
	users   []access.Caller
	orgs    []tenancy.OrgID
	roles   []access.RoleID
	given   []access.AssignmentID
	counter int
}

func one[T any](g *game, list []T) T { return list[g.r.IntN(len(list))] }

func (g *game) grants() []access.Grant {
	list := slices.Clone(pool)
	g.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:g.r.IntN(4)]
}

func (g *game) setUp() {
	g.Helper()
	g.orgs = []tenancy.OrgID{g.acme.RootOrg, g.north.ID, g.team.ID, g.south.ID, g.organization(g.south.ID, "Deep").ID}
	for i := range 5 {
		g.roles = append(g.roles, g.role(fmt.Sprintf("start-%d", i), stringsOf(g.grants())...))
	}
	// Some may administer everywhere and hold little else: those have something to gain.
	all, managers := g.role("all", stringsOf(pool)...), g.role("managers", stringsOf(pool[:4])...)
	for i, start := range []struct {
		role access.RoleID
		org  tenancy.OrgID
	}{{all, g.acme.RootOrg}, {managers, g.acme.RootOrg}, {managers, g.acme.RootOrg}, {all, g.north.ID}, {one(g, g.roles), one(g, g.orgs)}} {
		c := g.member(g.acme.ID, one(g, g.orgs), fmt.Sprintf("player-%d", i), "")
		g.users = append(g.users, c)
		g.given = append(g.given, g.assign(g.acme.ID, userOf(c), start.role, start.org).ID,
			g.assign(g.acme.ID, userOf(c), one(g, g.roles), one(g, g.orgs)).ID)
	}
}

func stringsOf(list []access.Grant) (out []string) {
	for _, g := range list {
		out = append(out, string(g))
	}
	return out
}

// move is one random operation by a random user; it returns what was tried.
func (g *game) move(actor access.Caller) (string, error) {
	ctx := g.Context()
	g.counter++
	switch g.r.IntN(8) {
	case 0, 1:
		as, err := g.a.Assign(ctx, actor, authority.AssignInput{Principal: one(g, g.users).Principal, RoleID: one(g, g.roles), OrganizationID: one(g, g.orgs)})
		if err == nil {
			g.given = append(g.given, as.ID)
		}
		return "assign", err
	case 2:
		in := authority.CreateRoleInput{Name: fmt.Sprintf("made-%d", g.counter), Permissions: g.grants()}
		if g.r.IntN(2) == 0 {
			in.Includes = []access.RoleID{one(g, g.roles)}
		}
		role, err := g.a.CreateRole(ctx, actor, in)
		if err == nil {
			g.roles = append(g.roles, role.ID)
		}
		return "create role", err
	case 3:
		_, err := g.a.ChangeRole(ctx, actor, authority.ChangeRoleInput{ID: one(g, g.roles), Permissions: ptr(g.grants())})
		return "change role", err
	case 4:
		_, err := g.a.ChangeRole(ctx, actor, authority.ChangeRoleInput{ID: one(g, g.roles), Includes: &[]access.RoleID{one(g, g.roles)}})
		return "include role", err
	case 5:
		_, err := g.a.Unassign(ctx, actor, authority.AssignmentInput{ID: one(g, g.given)})
		return "unassign", err
	case 6:
		_, err := g.a.ChangeOrganization(ctx, actor, authority.ChangeOrganizationInput{ID: one(g, g.orgs), Parent: ptr(one(g, g.orgs))})
		return "move organization", err
	}
	_, err := g.a.ChangeUser(ctx, actor, authority.ChangeUserInput{ID: userOf(one(g, g.users)), OrganizationID: ptr(one(g, g.orgs))})
	return "move user", err
}

// TestGivingAtRandom plays random sequences of everything that can hand on rights, and
// checks each acknowledged step against the rows: nobody ever has what neither they had
// before nor the one who acted could give there, and nobody lifts themselves.
func TestGivingAtRandom(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		games, moves := 8, 60
		if w.dialect == "postgres" {
			games = 3 // the rules are the same code; what differs is the rows
		}
		done := map[string]int{}
		for seed := range uint64(games) {
			g := &game{world: w, r: rand.New(rand.NewPCG(seed, 7)), seed: seed}
			if seed > 0 {
				g.world = newWorldLike(w)
			}
			g.setUp()
			for step := range moves {
				g.play(step, done)
			}
		}
		for _, what := range []string{"assign", "create role", "change role", "include role", "unassign", "move organization", "move user"} {
			if done[what] == 0 && w.dialect == "sqlite" {
				t.Errorf("no %q succeeded: the games show nothing about it (%v)", what, done)
			}
		}
	})
}

func (g *game) play(step int, done map[string]int) {
	g.Helper()
	actor := one(g, g.users)
	before := g.everything()
	what, err := g.move(actor)
	after := g.everything()
	if err != nil {
		if k := problem.As(err).Kind; k == problem.Internal || k == problem.Unavailable {
			g.Fatalf("seed %d step %d: %s: %v", g.seed, step, what, err)
		}
		if !sameHoldings(before, after) {
			g.Fatalf("seed %d step %d: %s was refused and changed rights", g.seed, step, what)
		}
		return
	}
	done[what]++
	if fault := tooMuch(before, after, userOf(actor)); fault != "" {
		g.Fatalf("seed %d step %d: %s: %s", g.seed, step, what, fault)
	}
	g.checkKeys(fmt.Sprintf("seed %d step %d: %s", g.seed, step, what), before, after, userOf(actor))
}

// checkKeys does the same for what keys carry, which also changes when their users move.
func (g *game) checkKeys(at string, before, after everything, actor tenancy.UserID) {
	g.Helper()
	for u, carried := range after.keys {
		org := g.orgOf(u)
		for grant := range carried {
			if !before.keys[u][grant] && !before.holds[actor][org][grant] {
				g.Fatalf("%s: the keys of %s got %s, which %s does not hold at %s", at, u, grant, actor, org)
			}
		}
	}
}

func (g *game) orgOf(id tenancy.UserID) tenancy.OrgID {
	g.Helper()
	u, err := g.a.User(g.Context(), authority.SystemCaller(), authority.UserInput{ID: id})
	g.must(err)
	return u.OrganizationID
}

func sameHoldings(a, b everything) bool {
	for u, places := range a.holds {
		for org, held := range places {
			if !maps.Equal(held, b.holds[u][org]) {
				return false
			}
		}
	}
	return true
}
