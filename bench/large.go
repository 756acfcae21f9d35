package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/signin"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// large is one tenant with all the keys: 220 organizations, a user for every ten keys, all of
// them with one role, and keys with the names, states and dates that people give them.
type large struct {
	tenant   tenancy.Tenant
	role     access.RoleID          // what all users hold
	orgs     []tenancy.Organization // the first has a tenth of the keys, all active; the others are a tree
	users    []tenancy.User
	boss     string // a Super Admin's user name
	password string
	named    map[string]int // how many keys have a word in their name
}

const (
	regions       = 20
	teamsOfRegion = 10
	keysOfUser    = 10
	sealedKeys    = 2_000 // organization keys, whose secrets can be shown again
	heldKeys      = 20_000
	userGroup     = 500 // users in one write
)

// newLargeSite makes an installation whose keys are all one tenant's.
func newLargeSite(ctx context.Context, o options, engine, dir string) (*site, error) {
	s := &site{engine: engine, dir: dir, large: &large{boss: "boss", password: rand.Text(), named: map[string]int{}}}
	if engine == "postgres" {
		if err := s.createDatabase(ctx); err != nil {
			return nil, err
		}
	}
	n, err := node.OpenAuthority(ctx, s.config())
	if err != nil {
		return nil, err
	}
	began := time.Now()
	err = s.fillLarge(ctx, o, n)
	err = errors.Join(err, n.Close())
	say("%s: seeded one tenant with %d keys in %s", engine, o.keys, time.Since(began).Round(time.Second))
	return s, err
}

func (s *site) fillLarge(ctx context.Context, o options, n *node.Node) error {
	a, system, l := n.Authority(), authority.SystemCaller(), s.large
	plan, err := a.CreatePlan(ctx, system, authority.CreatePlanInput{Key: "bench", Name: "Bench", APIAccess: true, Permissions: []access.Grant{"*:*"}})
	if err != nil {
		return err
	}
	if l.tenant, err = a.CreateTenant(ctx, system, authority.CreateTenantInput{Slug: "large", Name: "Large", PlanID: plan.ID}); err != nil {
		return err
	}
	role, err := a.CreateRole(ctx, system, authority.CreateRoleInput{Tenant: l.tenant.ID, Name: "Everyone", Permissions: roleBefore})
	if err != nil {
		return err
	}
	l.role = role.ID
	boss, err := l.addBoss(ctx, n)
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return l.addOrganizations(ctx, a) },
		func() error { return l.addUsers(ctx, n.Store(), o.keys/keysOfUser) },
		func() error { return s.addKeys(ctx, n, o.keys) },
		func() error { return l.addSealed(ctx, a) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return s.issueOwn(ctx, a, boss)
}

// addBoss makes somebody who can sign in.
func (l *large) addBoss(ctx context.Context, n *node.Node) (tenancy.User, error) {
	a, system := n.Authority(), authority.SystemCaller()
	made, err := a.CreateUser(ctx, system, authority.CreateUserInput{Tenant: l.tenant.ID, Username: l.boss})
	if err != nil {
		return made.User, err
	}
	if _, _, err := n.SignIn().AcceptInvitation(ctx, made.Invitation.Token.Reveal(), l.password, signin.Origin{}); err != nil {
		return made.User, err
	}
	roles, err := a.Roles(ctx, system, authority.RolesInput{Tenant: l.tenant.ID})
	if err != nil {
		return made.User, err
	}
	return made.User, assign(ctx, a, l.tenant.ID, made.User.ID, roleNamed(roles, access.RoleSuperAdmin))
}

func (l *large) addOrganizations(ctx context.Context, a *authority.Authority) error {
	add := func(parent tenancy.OrgID, name string) (tenancy.Organization, error) {
		return a.CreateOrganization(ctx, authority.SystemCaller(), authority.CreateOrganizationInput{Tenant: l.tenant.ID, Parent: parent, Name: name})
	}
	closing, err := add(l.tenant.RootOrg, "Closing")
	if err != nil {
		return err
	}
	l.orgs = append(l.orgs, closing)
	for r := range regions {
		region, err := add(l.tenant.RootOrg, fmt.Sprintf("Region %02d", r))
		if err != nil {
			return err
		}
		l.orgs = append(l.orgs, region)
		for t := range teamsOfRegion {
			team, err := add(region.ID, fmt.Sprintf("Team %02d.%d", r, t))
			if err != nil {
				return err
			}
			l.orgs = append(l.orgs, team)
		}
	}
	return nil
}

// addUsers writes users, each with the role, straight through the store.
func (l *large) addUsers(ctx context.Context, s *store.Store, count int) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	for start := 0; start < count; start += userGroup {
		group := make([]tenancy.User, 0, userGroup)
		for i := start; i < min(start+userGroup, count); i++ {
			org := l.orgs[0] // the first tenth
			if i >= count/10 {
				org = l.orgs[1+i%(len(l.orgs)-1)]
			}
			group = append(group, tenancy.User{
				ID: tenancy.UserID(fmt.Sprintf("usr_%022d", i)), TenantID: l.tenant.ID, OrganizationID: org.ID,
				Username: fmt.Sprintf("user%06d@example.com", i), DisplayName: fmt.Sprintf("User %d", i), State: tenancy.Active, CreatedAt: now,
			})
		}
		_, err := s.Write(ctx, l.tenant.ID, func(tx *store.Tx) error {
			for _, u := range group {
				if err := tx.InsertUser(u, u.Username); err != nil {
					return err
				}
				err := tx.InsertAssignment(access.Assignment{
					ID: access.AssignmentID("asg_" + u.ID[4:]), TenantID: l.tenant.ID, Principal: access.Principal{Type: access.PrincipalUser, ID: string(u.ID)},
					RoleID: l.role, OrganizationID: l.tenant.RootOrg, CreatedAt: now,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		l.users = append(l.users, group...)
	}
	return nil
}

func (s *site) addKeys(ctx context.Context, n *node.Node, count int) error {
	peppers, err := n.Keyring().Peppers()
	if err != nil {
		return err
	}
	for start := 0; start < count; start += seedGroup {
		end := min(start+seedGroup, count)
		keys, material := make([]credential.Credential, 0, seedGroup), make([]credential.Material, 0, seedGroup)
		for i := start; i < end; i++ {
			k, m, clear, err := s.large.key(peppers, i)
			if err != nil {
				return err
			}
			keys, material = append(keys, k), append(material, m)
			// Those that are asked for are spread over all that stay active.
			if every := max(1, count/heldKeys); k.State == credential.Active && i >= count/10 && i%every == every/2 {
				s.keys = append(s.keys, clear)
			}
		}
		_, err := n.Store().Write(ctx, s.large.tenant.ID, func(tx *store.Tx) error {
			for i := range keys {
				if err := tx.InsertCredential(keys[i], material[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if step := count / 5; step > 0 && start/step != end/step {
			say("  %d of %d keys", end, count)
		}
	}
	return nil
}

var (
	places = []string{"prod", "staging", "test", "dev"}
	things = []string{
		"billing", "reporting", "warehouse sync", "crm import", "dashboard", "nightly export", "call recorder", "quality review", "survey", "wallboard",
		"mobile app", "backup",
	}
)

// keyName gives a fifth of the keys one and the same name, most a usual one, and a few a
// name with a word that nearly no other has.
func (l *large) keyName(i int, dice *mathrand.Rand) string {
	switch {
	case dice.IntN(5) == 0:
		return "default"
	case i%20_000 == 7:
		l.named["zanzibar"]++
		return fmt.Sprintf("zanzibar pilot %d", i)
	}
	return fmt.Sprintf("%s-%s %d", places[dice.IntN(len(places))], things[dice.IntN(len(things))], i/len(things))
}

// key is the i-th key of the tenant: of a user, at the user's organization. Its name, state
// and times have nothing to do with each other, but that no wallboard's key is revoked.
func (l *large) key(peppers *secret.Peppers, i int) (k credential.Credential, m credential.Material, clear string, err error) {
	made, parsed, err := secret.Format{}.Generate(secret.UserKey, rand.Reader)
	if err != nil {
		return k, m, "", err
	}
	version := peppers.Current()
	digest, ok := peppers.Digest(version, &parsed)
	if !ok {
		return k, m, "", errors.New("the current pepper is missing")
	}
	dice := mathrand.New(mathrand.NewPCG(1, uint64(i)))
	now := time.Now().UTC().Truncate(time.Microsecond)
	owner := l.users[i/keysOfUser%len(l.users)]
	principal := access.Principal{Type: access.PrincipalUser, ID: string(owner.ID)}
	k = credential.Credential{
		ID: credential.ID(parsed.ID), TenantID: l.tenant.ID, OrganizationID: owner.OrganizationID, Kind: credential.UserKey,
		Principal: principal, Name: l.keyName(i, dice), Hint: secret.Format{}.Hint(made), State: credential.Active,
		SecretVersion: 1, CreatedAt: now, CreatedBy: principal, CreatedByName: owner.Username,
	}
	if dice.IntN(3) == 0 {
		k.ExpiresAt = now.Add(time.Duration(24+dice.IntN(17_000)) * time.Hour)
	}
	if dice.IntN(4) > 0 {
		k.LastUsedAt = now.Add(-time.Duration(dice.IntN(1_000_003)) * time.Second)
	}
	if owner.OrganizationID != l.orgs[0].ID {
		l.end(&k, dice.IntN(100), now)
	}
	m = credential.Material{CredentialID: k.ID, Field: credential.FieldKey, Version: 1, Digest: digest, PepperVersion: version}
	return k, m, made.Reveal(), nil
}

// end puts a key in the state that its lot says, of 100: most are active.
func (l *large) end(k *credential.Credential, lot int, now time.Time) {
	switch {
	case lot < 5 && !strings.Contains(k.Name, "wallboard"):
		k.State, k.EndedAt = credential.Revoked, now
	case lot == 5:
		k.State, k.EndedAt, k.DeletedAt = credential.Revoked, now, now
	case lot == 6:
		k.State, k.EndedAt, k.DeletedAt, k.ExpiresAt = credential.Expired, now, now, now
	case lot == 7 || lot == 8:
		k.State = credential.Suspended
	}
}

// addSealed issues keys that can be shown again, as anyone would.
func (l *large) addSealed(ctx context.Context, a *authority.Authority) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(16)
	for i := range sealedKeys {
		work.Go(func() error {
			_, err := a.IssueOrganizationKey(ctx, authority.SystemCaller(), authority.IssueOrganizationKeyInput{
				Tenant: l.tenant.ID, OrganizationID: l.orgs[1+i%(len(l.orgs)-1)].ID, Name: fmt.Sprintf("desktops %d", i),
			})
			return err
		})
	}
	return work.Wait()
}

// signIn begins a session of the boss's and returns its cookie.
func (s *site) signIn(ctx context.Context, url string) (string, error) {
	body := fmt.Sprintf(`{"tenant":"large","username":%q,"password":%q}`, s.large.boss, s.large.password)
	r, err := send(ctx, http.MethodPost, url+"/v1/sessions", "", body)
	if err != nil {
		return "", err
	}
	cookie, _, _ := strings.Cut(r.header.Get("Set-Cookie"), ";")
	if r.status/100 != 2 || cookie == "" {
		return "", fmt.Errorf("signing in answers %d: %s", r.status, r.body)
	}
	return cookie, nil
}
