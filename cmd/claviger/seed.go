package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/signin"
	"github.com/claviger-io/claviger/internal/store"
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
	s := &seeder{
		a: n.Authority(), people: n.SignIn(), clock: clock, system: authority.SystemCaller(), folder: folder, addUsage: n.Store().AddUsage,
	}
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
	folder string // where private keys are kept
	// addUsage is bookkeeping, and no change.
	addUsage func(context.Context, []store.UsageRow) error

	catalog catalog.Catalog
	plan    catalog.Plan // of every tenant
}

func (s *seeder) seed(ctx context.Context) (*demoFile, error) {
	d := &demoFile{SystemTenantID: string(tenancy.SystemTenantID)}
	if err := s.seedSystem(ctx, d); err != nil {
		return nil, err
	}
	if err := s.seedPlans(ctx); err != nil {
		return nil, err
	}
	customers := make([]*customer, 0, len(demoCustomers))
	for _, plan := range demoCustomers {
		c, err := s.seedCustomer(ctx, plan)
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", plan.name, err)
		}
		customers = append(customers, c)
	}
	if err := s.seedCredentials(ctx, customers); err != nil {
		return nil, err
	}
	if err := s.seedUsage(ctx, customers); err != nil {
		return nil, fmt.Errorf("giving credentials a past: %w", err)
	}
	for _, c := range customers {
		d.Tenants = append(d.Tenants, *c.out)
	}
	return d, nil
}

func (s *seeder) seedSystem(ctx context.Context, d *demoFile) error {
	tenant, err := s.a.Tenant(ctx, s.system, authority.TenantInput{ID: tenancy.SystemTenantID})
	if err != nil {
		return err
	}
	u, err := s.user(ctx, tenant, userPlan{name: "root", display: "System Operator", role: access.RoleSystemAdministrator}, tenant.RootOrg, nil)
	if err != nil {
		return err
	}
	d.SystemAdmin = demoAdmin{Tenant: tenant.Slug, Username: u.Username, Password: u.Password}
	k, err := s.a.IssueVerifierKey(ctx, s.system, authority.IssueVerifierKeyInput{Tenant: tenant.ID, Name: "Demo API gateway"})
	if err != nil {
		return err
	}
	d.VerifierKey = k.Secret.Reveal()
	_, err = s.a.ChangeCatalog(ctx, s.system, authority.ChangeCatalogInput{Catalog: catalog.Demo()})
	if err != nil {
		return fmt.Errorf("making the catalogue: %w", err)
	}
	s.catalog = catalog.Demo()
	return nil
}

// seedPlans makes a plan with API access, and one without (PV4): put a tenant on it, and
// its keys stop.
func (s *seeder) seedPlans(ctx context.Context) (err error) {
	_, err = s.a.CreatePlan(ctx, s.system, authority.CreatePlanInput{Key: "starter", Name: "Starter", Permissions: []access.Grant{"*:*"}})
	if err != nil {
		return err
	}
	s.plan, err = s.a.CreatePlan(ctx, s.system, authority.CreatePlanInput{
		Key: "professional", Name: "Professional", APIAccess: true, Permissions: []access.Grant{"*:*"},
	})
	return err
}

// seedCredentials issues the credentials of all customers in the order of time, and then
// does to each what makes its state: the clock is only ever moved forward.
func (s *seeder) seedCredentials(ctx context.Context, customers []*customer) error {
	type pending struct {
		c *customer
		k *credentialPlan
	}
	var all []pending
	for _, c := range customers {
		for i := range c.credentials {
			all = append(all, pending{c, &c.credentials[i]})
		}
	}
	inTime := slices.Clone(all)
	slices.SortStableFunc(inTime, func(a, b pending) int { return cmp.Compare(b.k.issued, a.k.issued) })
	now := time.Now()
	for _, p := range inTime {
		s.clock.moveTo(p.k.issued)
		if err := p.c.issue(ctx, p.k, now); err != nil {
			return fmt.Errorf("issuing %q of %s: %w", p.k.name, p.c.tenant.Name, err)
		}
	}
	s.clock.moveTo(day)
	for _, p := range all {
		if err := p.c.finish(ctx, p.k); err != nil {
			return fmt.Errorf("changing %q of %s: %w", p.k.name, p.c.tenant.Name, err)
		}
	}
	s.clock.moveTo(0)
	if err := s.expireDue(ctx); err != nil {
		return err
	}
	for _, p := range all {
		out, err := p.c.describe(ctx, p.k)
		if err != nil {
			return fmt.Errorf("describing %q of %s: %w", p.k.name, p.c.tenant.Name, err)
		}
		p.c.out.Credentials = append(p.c.out.Credentials, out)
	}
	return nil
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
