package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/signin"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const day = 24 * time.Hour

// pastClock runs at a distance behind the real one, so that the demo has a past. It is
// only ever moved forward.
type pastClock struct{ behind atomic.Int64 }

func (c *pastClock) now() time.Time            { return time.Now().Add(-time.Duration(c.behind.Load())) }
func (c *pastClock) moveTo(past time.Duration) { c.behind.Store(int64(past)) }

// openDemo returns the demo of the folder, and makes it on the first start.
func openDemo(ctx context.Context, folder string, c node.Config) (*demoFile, error) {
	d, fresh, err := demoState(folder)
	if err != nil || !fresh {
		return d, err
	}
	marker := filepath.Join(folder, seedingName)
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		return nil, fmt.Errorf("marking the folder: %w", err)
	}
	clock := &pastClock{}
	clock.moveTo(120 * day)
	c.Now = clock.now
	n, err := node.OpenAuthority(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &seeder{a: n.Authority(), people: n.SignIn(), clock: clock, system: authority.SystemCaller()}
	d, err = s.seed(ctx)
	if err = errors.Join(err, n.Close()); err != nil {
		return nil, fmt.Errorf("making the demo: %w", err)
	}
	if err := d.save(folder); err != nil {
		return nil, err
	}
	if err := os.Remove(marker); err != nil {
		return nil, fmt.Errorf("removing the mark: %w", err)
	}
	return d, nil
}

// seeder makes the demo through authority, as everything else does.
type seeder struct {
	a      *authority.Authority
	people *signin.Manager
	clock  *pastClock
	system access.Caller
}

func (s *seeder) seed(ctx context.Context) (*demoFile, error) {
	d := &demoFile{SystemTenantID: string(tenancy.SystemTenantID)}
	if err := s.seedSystem(ctx, d); err != nil {
		return nil, err
	}
	plan, err := s.seedPlans(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.seedVoice(ctx, plan)
	if err != nil {
		return nil, err
	}
	d.Tenants = append(d.Tenants, *t)
	return d, s.expireDue(ctx)
}

func (s *seeder) seedSystem(ctx context.Context, d *demoFile) error {
	tenant, err := s.a.Tenant(ctx, s.system, authority.TenantInput{ID: tenancy.SystemTenantID})
	if err != nil {
		return err
	}
	u, err := s.user(ctx, tenant.ID, tenant.RootOrg, "root", "System Operator", "system_administrator")
	if err != nil {
		return err
	}
	d.SystemAdmin = demoAdmin{Tenant: tenant.Slug, Username: u.Username, Password: u.Password}
	k, err := s.a.IssueVerifierKey(ctx, s.system, authority.IssueVerifierKeyInput{Tenant: tenant.ID, Name: "Demo API gateway"})
	if err != nil {
		return err
	}
	d.VerifierKey = k.Secret.Reveal()
	return nil
}

// seedPlans makes a plan with API access, and one without (PV4).
func (s *seeder) seedPlans(ctx context.Context) (tenancy.PlanID, error) {
	_, err := s.a.CreatePlan(ctx, s.system, authority.CreatePlanInput{Key: "starter", Name: "Starter", Permissions: []access.Grant{"*:*"}})
	if err != nil {
		return "", err
	}
	plan, err := s.a.CreatePlan(ctx, s.system, authority.CreatePlanInput{
		Key: "professional", Name: "Professional", APIAccess: true, Permissions: []access.Grant{"*:*"},
	})
	return plan.ID, err
}

// user makes a user with a role at an organization, and a password by their invitation.
func (s *seeder) user(ctx context.Context, tenant tenancy.TenantID, org tenancy.OrgID, name, display, role string) (demoUser, error) {
	created, err := s.a.CreateUser(ctx, s.system, authority.CreateUserInput{
		Tenant: tenant, OrganizationID: org, Username: name, DisplayName: display,
		Email: name + "@northwind.example", Labels: tenancy.Labels{ExternalID: "crm-" + name},
	})
	if err != nil {
		return demoUser{}, fmt.Errorf("making user %s: %w", name, err)
	}
	given, err := s.role(ctx, tenant, role)
	if err != nil {
		return demoUser{}, err
	}
	_, err = s.a.Assign(ctx, s.system, authority.AssignInput{
		Tenant: tenant, RoleID: given.ID, OrganizationID: org,
		Principal: access.Principal{Type: access.PrincipalUser, ID: string(created.User.ID)},
	})
	if err != nil {
		return demoUser{}, fmt.Errorf("assigning %s to %s: %w", role, name, err)
	}
	password := newPassword()
	if _, _, err = s.people.AcceptInvitation(ctx, created.Invitation.Token.Reveal(), password, signin.Origin{}); err != nil {
		return demoUser{}, fmt.Errorf("accepting the invitation of %s: %w", name, err)
	}
	return demoUser{ID: string(created.User.ID), Username: name, Password: password, Role: given.Name, OrganizationID: string(org)}, nil
}

// role finds the tenant's copy of a built-in role.
func (s *seeder) role(ctx context.Context, tenant tenancy.TenantID, key string) (access.Role, error) {
	roles, err := s.a.Roles(ctx, s.system, authority.RolesInput{Tenant: tenant})
	if err != nil {
		return access.Role{}, err
	}
	for _, r := range roles {
		if r.BuiltIn == key {
			return r, nil
		}
	}
	return access.Role{}, fmt.Errorf("the tenant has no role %s", key)
}

// permissions is what a user's keys may do now.
func (s *seeder) permissions(ctx context.Context, tenant tenancy.TenantID, user string) ([]string, error) {
	me, err := s.a.Me(ctx, access.Caller{
		Tenant: tenant, Via: access.ViaSession,
		Principal: access.Principal{Type: access.PrincipalUser, ID: user},
	}, authority.MeInput{})
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, g := range me.Permissions.Grants() {
		out = append(out, string(g))
	}
	return out, nil
}

// expireDue ends what has expired meanwhile.
func (s *seeder) expireDue(ctx context.Context) error {
	for {
		ended, err := s.a.ExpireDue(ctx)
		if err != nil || ended == 0 {
			return err
		}
	}
}

// newPassword has 100 random bits, in a form that can be typed.
func newPassword() string {
	text := strings.ToLower(rand.Text())
	return strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:20]}, "-")
}

// demoKeyState is what verification says of a key.
func demoKeyState(k authority.Key, now time.Time) string {
	switch {
	case !k.DeletedAt.IsZero():
		return "deleted"
	case k.StateAt(now) == credential.Active && now.Before(k.NotBefore):
		return "not_yet_valid"
	}
	return string(k.StateAt(now))
}
