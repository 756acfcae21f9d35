package authority_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// What the roles of these games are made of: what manages each kind, and what the APIs of
// the catalogue need. There are no wildcards, so that the oracle needs sets of strings only.
var kindPool = []access.Grant{
	access.Grant(access.RolesManage), access.Grant(access.AssignmentsManage), access.Grant(access.UsersManage), access.Grant(access.OrganizationsManage),
	access.Grant(access.APIKeysGenerate), access.Grant(access.OrganizationKeysGenerate), access.Grant(access.AccountKeysManage),
	access.Grant(access.AppsManage), access.Grant(access.ClientCredentialsManage), access.Grant(access.ClientCredentialsManageOwn),
	access.Grant(access.ServiceAccountsManage),
	"storage_api:use", "recent_calls:read", "evaluations:read", "speech_analytics:read", "surveys:read",
	"call_recordings:read", "call_recordings:delete", "stored_files:read", "account:read",
}

// bought is the plan of these games. It has no wildcards either, and lacks an API.
var bought = []access.Grant{
	"call_recordings:read", "call_recordings:delete", "stored_files:read", "storage_api:use", "recent_calls:read",
	"evaluations:read", "speech_analytics:read", "account:read",
}

type rights = map[string]bool

// possession is what one credential carries, worked out from the rows.
type possession struct {
	credential.Credential
	carries rights
	apis    []string // of an app
}

// belongings is everything that everybody and every credential has.
type belongings struct {
	root  tenancy.OrgID
	paths map[tenancy.OrgID][]tenancy.OrgID
	holds map[access.Principal]map[tenancy.OrgID]rights
	owned map[credential.ID]possession
	plan  rights
	known catalog.Catalog
}

func set(list []access.Grant) rights {
	out := rights{}
	for _, g := range list {
		out[string(g)] = true
	}
	return out
}

func (w *world) belongings() *belongings {
	w.Helper()
	b := &belongings{root: w.acme.RootOrg, paths: map[tenancy.OrgID][]tenancy.OrgID{}, holds: map[access.Principal]map[tenancy.OrgID]rights{}, owned: map[credential.ID]possession{}}
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
		page := store.Page{Limit: store.MaxLimit}
		orgs, err := tx.Organizations(store.OrganizationFilter{}, page)
		if err != nil {
			return err
		}
		for _, o := range orgs.Items {
			b.paths[o.ID] = o.Path
		}
		if err := b.readHoldings(tx, page); err != nil {
			return err
		}
		t, err := tx.Tenant()
		if err != nil {
			return err
		}
		plan, err := tx.AllTenantsPlan(t.PlanID)
		if err != nil {
			return err
		}
		b.plan = set(plan.Permissions)
		if b.known, err = tx.AllTenantsCatalog(); err != nil {
			return err
		}
		list, err := tx.Credentials(store.CredentialFilter{IncludeDeleted: true, States: []credential.State{credential.Active, credential.Suspended}}, page)
		for _, k := range list.Items {
			if b.owned[k.ID], err = b.possession(tx, k); err != nil {
				return err
			}
		}
		return err
	}))
	return b
}

func (b *belongings) readHoldings(tx *store.Tx, page store.Page) error {
	roles, err := tx.Roles()
	if err != nil {
		return err
	}
	given, err := tx.AssignmentsOf(store.AssignmentFilter{}, page)
	if err != nil {
		return err
	}
	for _, as := range given.Items {
		if b.holds[as.Principal] == nil {
			b.holds[as.Principal] = map[tenancy.OrgID]rights{}
		}
		flat := map[access.Grant]bool{}
		flatten(as.RoleID, roles, flat, map[access.RoleID]bool{})
		for org, path := range b.paths {
			if !slices.Contains(path, as.OrganizationID) {
				continue
			}
			if b.holds[as.Principal][org] == nil {
				b.holds[as.Principal][org] = rights{}
			}
			for g := range flat {
				b.holds[as.Principal][org][string(g)] = true
			}
		}
	}
	return nil
}

func (b *belongings) possession(tx *store.Tx, k credential.Credential) (possession, error) {
	p := possession{Credential: k, carries: rights{}}
	switch k.Kind {
	case credential.UserKey:
		p.carries = b.holds[k.Principal][k.OrganizationID]
	case credential.OrganizationKey:
		p.carries = rights{string(access.SignInAutomatic): true}
	case credential.AccountKey:
		p.carries = b.plan
	case credential.ClientCredential:
		p.carries = set(k.Scopes)
	case credential.ServiceAccountKey:
		if p.carries = b.holds[k.Principal][k.OrganizationID]; len(p.carries) == 0 {
			p.carries = rights{"account:read": true, "service_status:read": true} // VX2
		}
	case credential.App:
		a, err := tx.App(tenancy.AppID(k.Principal.ID))
		if err != nil {
			return p, err
		}
		p.apis = a.APIs
		for _, key := range a.APIs {
			api, _ := b.known.API(key)
			for _, permission := range api.Permissions {
				if b.plan[string(permission)] {
					p.carries[string(permission)] = true
				}
			}
		}
	case credential.VerifierKey:
	}
	return p, nil
}

// givable is whether someone may give one permission that a credential carries.
func (b *belongings) givable(actor access.Principal, p possession, permission string) bool {
	held := b.holds[actor][p.OrganizationID]
	if held[permission] {
		return true
	}
	switch p.Kind {
	case credential.OrganizationKey:
		return b.holds[actor][b.root][string(access.OrganizationKeysGenerate)]
	case credential.ServiceAccountKey:
		return permission == "account:read" || permission == "service_status:read"
	case credential.App:
		return held[string(access.AppsManage)] && b.apiGivable(held, permission)
	case credential.UserKey, credential.AccountKey, credential.ClientCredential, credential.VerifierKey:
	}
	return false
}

func (b *belongings) apiGivable(held rights, permission string) bool {
	for _, api := range b.known.APIs() {
		fits := !api.Legacy && slices.Contains(api.Permissions, access.Permission(permission))
		for _, needed := range api.Requires {
			fits = fits && held[string(needed)]
		}
		for _, part := range api.Permissions {
			fits = fits && b.plan[string(part)]
		}
		if fits {
			return true
		}
	}
	return false
}

// fault names what an operation gave that the one who did it could not give. Nobody's
// credential carries more than before but by someone who could give it there; nobody holds
// more but by someone who held it; and what was handed out could be given as a whole.
func fault(before, after *belongings, actor access.Caller, handed []credential.ID) string {
	for who, places := range after.holds {
		for org, held := range places {
			for g := range held {
				if before.holds[who][org][g] {
					continue
				}
				if who == actor.Principal || !before.holds[actor.Principal][org][g] {
					return fmt.Sprintf("%s got %s at %s", who.ID, g, org)
				}
			}
		}
	}
	for id, p := range after.owned {
		whole := slices.Contains(handed, id)
		for g := range p.carries {
			if !whole && before.owned[id].carries[g] {
				continue
			}
			if _, old := before.owned[id]; !old && !whole {
				return fmt.Sprintf("a new %s was not handed out", p.Kind)
			}
			if !before.givable(actor.Principal, p, g) {
				return fmt.Sprintf("%s of %s carries %s, which they can't give at %s", p.Kind, p.Principal.ID, g, p.OrganizationID)
			}
		}
		if whole && p.Kind == credential.ServiceAccountKey {
			// Whoever has the key is the account, wherever it has a role.
			for org, held := range after.holds[p.Principal] {
				for g := range held {
					if !before.holds[actor.Principal][org][g] {
						return fmt.Sprintf("a key of %s was handed out, which holds %s at %s", p.Principal.ID, g, org)
					}
				}
			}
		}
		if ends := actor.CredentialExpires; whole && !ends.IsZero() && (p.ExpiresAt.IsZero() || p.ExpiresAt.After(ends)) {
			return fmt.Sprintf("%s outlives the credential it was made with", p.Kind)
		}
	}
	return ""
}

// kindGame is a tenant in which random people do random things with every kind.
type kindGame struct {
	*game
	apps     []tenancy.AppID
	accounts []tenancy.ServiceAccountID
	creds    map[credential.Kind][]credential.ID
	keys     map[access.Principal]authority.IssuedKey // of the players, ending in 30 days
}

func (g *kindGame) setUp() {
	g.Helper()
	ctx, sys := g.Context(), authority.SystemCaller()
	plan, err := g.a.CreatePlan(ctx, sys, authority.CreatePlanInput{Key: "game", Name: "Game", APIAccess: true, Permissions: bought})
	g.must(err)
	_, err = g.a.ChangeTenant(ctx, sys, authority.ChangeTenantInput{ID: g.acme.ID, PlanID: &plan.ID})
	g.must(err)
	g.orgs = []tenancy.OrgID{g.acme.RootOrg, g.acme.RootOrg, g.north.ID, g.team.ID, g.south.ID}
	for i := range 6 {
		g.roles = append(g.roles, g.role(fmt.Sprintf("start-%d", i), stringsOf(g.someGrants(6))...))
	}
	all, managers := g.role("all", stringsOf(kindPool)...), g.role("managers", stringsOf(kindPool[:11])...)
	for i, start := range []struct {
		role access.RoleID
		org  tenancy.OrgID
	}{{all, g.acme.RootOrg}, {managers, g.acme.RootOrg}, {managers, g.acme.RootOrg}, {all, g.north.ID}, {g.roles[0], one(g.game, g.orgs)}, {managers, g.south.ID}} {
		c := g.member(g.acme.ID, one(g.game, g.orgs), fmt.Sprintf("player-%d", i), "")
		g.users = append(g.users, c)
		g.given = append(g.given, g.assign(g.acme.ID, userOf(c), start.role, start.org).ID,
			g.assign(g.acme.ID, userOf(c), one(g.game, g.roles[1:]), one(g.game, g.orgs)).ID)
		g.licence(c, []string{"admin", "admin", "supervisor"}[i%3])
		k, err := g.a.IssueAPIKey(ctx, sys, authority.IssueAPIKeyInput{Tenant: g.acme.ID, Owner: userOf(c), Name: "k", ExpiresAt: ptr(g.clock.Now().Add(30 * 24 * time.Hour))})
		g.must(err)
		g.keys[c.Principal] = k
	}
}

func (g *kindGame) someGrants(most int) []access.Grant {
	list := slices.Clone(kindPool)
	g.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:g.r.IntN(most)]
}

func (g *kindGame) someAPIs() []string {
	keys := []string{"call_recordings_storage", "recent_calls", "quality_speech_analytics"} // what the plan has
	if g.r.IntN(5) == 0 {
		keys = append(keys, one(g.game, catalog.Demo().APIs()).Key)
	}
	g.r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return slices.Compact(keys[:1+g.r.IntN(len(keys))])
}

func (g *kindGame) someScopes() []access.Permission {
	list := []access.Permission{"recent_calls:read", "evaluations:read", "speech_analytics:read", "call_recordings:read"}
	g.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:1]
}

func (g *kindGame) cred(kind credential.Kind) credential.ID {
	if list := g.creds[kind]; len(list) > 0 {
		return list[g.r.IntN(len(list))]
	}
	return credential.ID{}
}

func (g *kindGame) app() tenancy.AppID {
	if len(g.apps) == 0 {
		return "app_none"
	}
	return one(g.game, g.apps)
}

func (g *kindGame) account() tenancy.ServiceAccountID {
	if len(g.accounts) == 0 {
		return "sva_none"
	}
	return one(g.game, g.accounts)
}

// actor is a random player, mostly in a session, sometimes just confirmed, sometimes by key.
func (g *kindGame) actor() access.Caller {
	c := one(g.game, g.users)
	switch g.r.IntN(6) {
	case 0:
		k := g.keys[c.Principal]
		c = with(g.confirmed(c), k)
		c.CredentialExpires = k.ExpiresAt
	case 1, 2, 3:
		c = g.confirmed(c)
	}
	return c
}

// step is one random operation; it returns what was tried and which credentials it handed out.
type step struct {
	name string
	do   func(g *kindGame, c access.Caller) ([]credential.ID, error)
}

func made(g *kindGame, k authority.IssuedKey, err error) ([]credential.ID, error) {
	if err == nil && !slices.Contains(g.creds[k.Kind], k.ID) {
		g.creds[k.Kind] = append(g.creds[k.Kind], k.ID)
	}
	return []credential.ID{k.ID}, err
}

var steps = []step{
	{"issue organization key", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		k, err := g.a.IssueOrganizationKey(g.Context(), c, authority.IssueOrganizationKeyInput{OrganizationID: one(g.game, g.orgs), Name: "k", ExpiresAt: g.end()})
		return made(g, k, err)
	}},
	{"rotate organization key", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		k, err := g.a.RotateAPIKey(g.Context(), c, authority.RotateKeyInput{ID: g.cred(credential.OrganizationKey)})
		return made(g, k, err)
	}},
	{"extend organization key", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		ends := g.end()
		k, err := g.a.ChangeOrganizationKey(g.Context(), c, authority.ChangeKeyInput{ID: g.cred(credential.OrganizationKey), ExpiresAt: ends})
		if ends == nil {
			return nil, err // nothing was changed
		}
		return []credential.ID{k.ID}, err
	}},
	{"reveal organization key", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		k, err := g.a.RevealKey(g.Context(), c, authority.KeyInput{ID: g.cred(credential.OrganizationKey)})
		return g.shown(c, err, k.ID)
	}},
	{"export", func(g *kindGame, c access.Caller) (ids []credential.ID, err error) {
		rows, err := g.export(c, authority.KeysInput{})
		for _, r := range rows {
			if !r.Secret.IsZero() {
				ids = append(ids, r.ID)
			}
		}
		return g.shown(c, err, ids...)
	}},
	{"issue account key", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		k, err := g.a.IssueAccountKey(g.Context(), c, authority.IssueAccountKeyInput{Name: "k", ExpiresAt: g.end()})
		return made(g, k, err)
	}},
	{"create app", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		a, err := g.a.CreateApp(g.Context(), c, authority.CreateAppInput{OrganizationID: one(g.game, g.orgs), Name: "a", APIs: g.someAPIs(), ExpiresAt: g.end()})
		if err == nil {
			g.apps = append(g.apps, a.ID)
		}
		return []credential.ID{a.Credential.ID}, err
	}},
	{"change app", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		_, err := g.a.ChangeApp(g.Context(), c, authority.ChangeAppInput{ID: g.app(), APIs: ptr(g.someAPIs())})
		return nil, err
	}},
	{"rotate app", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		a, err := g.a.RotateApp(g.Context(), c, authority.RotateAppInput{ID: g.app()})
		return []credential.ID{a.Credential.ID}, err
	}},
	{"reveal app", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		a, err := g.a.RevealApp(g.Context(), c, authority.AppInput{ID: g.app()})
		return g.shown(c, err, a.Credential.ID)
	}},
	{"issue client credential", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		k, err := g.a.IssueClientCredential(g.Context(), c, authority.IssueClientCredentialInput{Name: "c", Scopes: g.someScopes(), ExpiresAt: g.end()})
		return made(g, k, err)
	}},
	{"issue client credential of the account", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		k, err := g.a.IssueClientCredential(g.Context(), c, authority.IssueClientCredentialInput{Level: authority.LevelAccount, Name: "c", Scopes: g.someScopes(), ExpiresAt: g.end()})
		return made(g, k, err)
	}},
	{"change scopes", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		k, err := g.a.ChangeClientCredential(g.Context(), c, authority.ChangeClientCredentialInput{ID: g.cred(credential.ClientCredential), Scopes: ptr(g.someScopes())})
		return []credential.ID{k.ID}, err
	}},
	{"rotate client credential", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		k, err := g.a.RotateClientCredential(g.Context(), c, authority.RotateKeyInput{ID: g.cred(credential.ClientCredential)})
		return made(g, k, err)
	}},
	{"create service account", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		in := authority.CreateServiceAccountInput{OrganizationID: one(g.game, g.orgs)}
		if g.r.IntN(2) == 0 {
			in.Roles = []access.RoleID{one(g.game, g.roles)}
		}
		a, err := g.a.CreateServiceAccount(g.Context(), c, in)
		if err == nil {
			g.accounts = append(g.accounts, a.ID)
		}
		return nil, err
	}},
	{"change service account", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		_, err := g.a.ChangeServiceAccount(g.Context(), c, authority.ChangeServiceAccountInput{ID: g.account(), Roles: &[]access.RoleID{one(g.game, g.roles)}})
		return nil, err
	}},
	{"assign to service account", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		_, err := g.a.Assign(g.Context(), c, authority.AssignInput{
			Principal: access.Principal{Type: access.PrincipalServiceAccount, ID: string(g.account())}, RoleID: one(g.game, g.roles), OrganizationID: one(g.game, g.orgs),
		})
		return nil, err
	}},
	{"issue service account key", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		k, err := g.a.IssueServiceAccountKey(g.Context(), c, authority.IssueServiceAccountKeyInput{ServiceAccount: g.account(), PublicKeyPEM: g.publicKey(), ExpiresAt: g.end()})
		return []credential.ID{k.ID}, err
	}},
	{"change licence", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		licence := []string{"admin", "supervisor", "agent"}[g.r.IntN(3)]
		_, err := g.a.ChangeUser(g.Context(), c, authority.ChangeUserInput{ID: userOf(one(g.game, g.users)), Licence: &licence})
		return nil, err
	}},
	{"anything with roles", func(g *kindGame, c access.Caller) ([]credential.ID, error) {
		_, err := g.move(c)
		return nil, err
	}},
}

// end is a random end of a credential: the default, soon, late or never.
func (g *kindGame) end() *time.Time {
	switch g.r.IntN(4) {
	case 0:
		return ptr(g.clock.Now().Add(10 * 24 * time.Hour))
	case 1:
		return ptr(g.clock.Now().Add(100 * 24 * time.Hour))
	case 2:
		return new(time.Time)
	}
	return nil
}

// shown is what was shown again: only a person in a session that was just confirmed is.
func (g *kindGame) shown(c access.Caller, err error, ids ...credential.ID) ([]credential.ID, error) {
	g.Helper()
	if err == nil && (c.Via != access.ViaSession || !c.ReauthenticatedAt.Equal(g.clock.Now())) {
		g.Fatalf("seed %d: a secret was shown without the person", g.seed)
	}
	return ids, err
}

// TestGivingEveryKindAtRandom plays random operations with all kinds, reveal and export
// included, by random people, and checks each step against the rows.
func TestGivingEveryKindAtRandom(t *testing.T) {
	engines(t, func(w *world) {
		games, moves := 6, 200
		if w.dialect == "postgres" {
			games = 2 // the rules are the same code; what differs is the rows
		}
		done := map[string]int{}
		for seed := range uint64(games) {
			g := &kindGame{
				game:  &game{world: w, r: rand.New(rand.NewPCG(seed, 11)), seed: seed},
				creds: map[credential.Kind][]credential.ID{}, keys: map[access.Principal]authority.IssuedKey{},
			}
			if seed > 0 {
				g.world = newWorldLike(w)
			}
			g.setUp()
			before := g.belongings()
			for range moves {
				before = g.play(before, done)
			}
		}
		for _, s := range steps {
			if done[s.name] == 0 && w.dialect == "sqlite" {
				w.Errorf("no %q succeeded: the games show nothing about it (%v)", s.name, done)
			}
		}
	})
}

func (g *kindGame) play(before *belongings, done map[string]int) *belongings {
	g.Helper()
	s, c := steps[g.r.IntN(len(steps))], g.actor()
	handed, err := s.do(g, c)
	after := g.belongings()
	if err != nil {
		if k := problem.As(err).Kind; k == problem.Internal || k == problem.Unavailable {
			g.Fatalf("seed %d: %s: %v", g.seed, s.name, err)
		}
		if !maps.EqualFunc(before.owned, after.owned, func(a, b possession) bool { return maps.Equal(a.carries, b.carries) }) {
			g.Fatalf("seed %d: %s was refused and changed something", g.seed, s.name)
		}
		return after
	}
	done[s.name]++
	if why := fault(before, after, c, handed); why != "" {
		g.Fatalf("seed %d: %s by %s: %s", g.seed, s.name, strings.TrimPrefix(c.Principal.ID, "usr_"), why)
	}
	return after
}
