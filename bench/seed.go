package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // makes and drops the database of a run
	"golang.org/x/sync/errgroup"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const (
	usersPerTenant = 10
	seedGroup      = 1000 // keys in one write
)

// site is a seeded installation.
type site struct {
	engine   string
	dir      string // --data
	database string // --database; empty for SQLite in dir
	admin    string // URL of the PostgreSQL that the database was made in
	name     string // of that database
	keys     []string
	verifier string           // a verifier key of the system's
	issuer   string           // a key of somebody who may issue keys
	tenant   tenancy.TenantID // the issuer's
	large    *large           // what there is besides on a site of one tenant
}

func (s *site) config() node.Config {
	return node.Config{Database: s.url(), KeyringFile: filepath.Join(s.dir, "keyring.json")}
}

// serve starts the binary on the site. Another data folder is another node on it.
func (s *site) serve(ctx context.Context, o options, data string) (*server, error) {
	args := []string{"serve", "--addr", "127.0.0.1:0", "--data", data, "--keyring", filepath.Join(s.dir, "keyring.json"), "--trusted-proxies", "127.0.0.1/32"}
	if s.database != "" {
		args = append(args, "--database", s.database)
	}
	return spawn(ctx, o.binary, args...)
}

func (s *site) url() string {
	if s.database != "" {
		return s.database
	}
	return "sqlite:" + filepath.Join(s.dir, "claviger.db")
}

// newSite makes an installation with all its keys.
func newSite(ctx context.Context, o options, engine, dir string) (*site, error) {
	s := &site{engine: engine, dir: dir}
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
	err = s.fill(ctx, o, n)
	if e := n.Close(); err == nil {
		err = e
	}
	say("%s: seeded %d keys in %s", engine, len(s.keys), time.Since(began).Round(time.Second))
	return s, err
}

func (s *site) fill(ctx context.Context, o options, n *node.Node) error {
	system := authority.SystemCaller()
	plan, err := n.Authority().CreatePlan(ctx, system, authority.CreatePlanInput{
		Key: "bench", Name: "Bench", APIAccess: true, Permissions: []access.Grant{"*:*"},
	})
	if err != nil {
		return err
	}
	peppers, err := n.Keyring().Peppers()
	if err != nil {
		return err
	}
	s.keys = make([]string, o.keys)
	maker := &keyMaker{site: s, store: n.Store(), peppers: peppers, perTenant: o.keys / o.tenants}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(16)
	for i := range o.tenants {
		work.Go(func() error {
			users, err := seedTenant(ctx, n.Authority(), plan.ID, i)
			if err != nil {
				return err
			}
			return maker.make(ctx, i, users)
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	return s.issueOwn(context.WithoutCancel(ctx), n.Authority(), maker.boss)
}

// seedTenant makes one tenant with its users through the authority, as anyone would.
func seedTenant(ctx context.Context, a *authority.Authority, plan tenancy.PlanID, number int) ([]tenancy.User, error) {
	system := authority.SystemCaller()
	slug := fmt.Sprintf("tenant-%04d", number)
	t, err := a.CreateTenant(ctx, system, authority.CreateTenantInput{Slug: slug, Name: "Tenant " + slug, PlanID: plan})
	if err != nil {
		return nil, err
	}
	roles, err := a.Roles(ctx, system, authority.RolesInput{Tenant: t.ID})
	if err != nil {
		return nil, err
	}
	users := make([]tenancy.User, usersPerTenant)
	for i := range users {
		made, err := a.CreateUser(ctx, system, authority.CreateUserInput{Tenant: t.ID, OrganizationID: t.RootOrg, Username: fmt.Sprintf("user-%d", i)})
		if err != nil {
			return nil, err
		}
		users[i] = made.User
		role := access.RoleAnalyst
		if i == 0 {
			role = access.RoleSuperAdmin
		}
		if err := assign(ctx, a, t.ID, made.User.ID, roleNamed(roles, role)); err != nil {
			return nil, err
		}
	}
	return users, nil
}

func assign(ctx context.Context, a *authority.Authority, tenant tenancy.TenantID, user tenancy.UserID, role access.RoleID) error {
	_, err := a.Assign(ctx, authority.SystemCaller(), authority.AssignInput{
		Tenant: tenant, Principal: access.Principal{Type: access.PrincipalUser, ID: string(user)}, RoleID: role,
	})
	return err
}

func roleNamed(roles []authority.Role, key string) access.RoleID {
	for _, r := range roles {
		if r.BuiltIn == key {
			return r.ID
		}
	}
	return ""
}

// keyMaker writes keys straight through the store: a million audit events are not what is
// measured here.
type keyMaker struct {
	site      *site
	store     *store.Store
	peppers   *secret.Peppers
	perTenant int

	mu   sync.Mutex // guards done and boss
	done int
	boss tenancy.User // a Super Admin of the first tenant
}

func (m *keyMaker) make(ctx context.Context, tenant int, users []tenancy.User) error {
	for start := 0; start < m.perTenant; start += seedGroup {
		keys, material, err := m.batch(tenant*m.perTenant+start, min(seedGroup, m.perTenant-start), users)
		if err != nil {
			return err
		}
		_, err = m.store.Write(ctx, users[0].TenantID, func(tx *store.Tx) error {
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
		m.progress(tenant, len(keys), users[0])
	}
	return nil
}

func (m *keyMaker) progress(tenant, keys int, boss tenancy.User) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.done
	m.done += keys
	if tenant == 0 {
		m.boss = boss
	}
	if step := len(m.site.keys) / 10; step > 0 && before/step != m.done/step {
		say("  %d of %d keys", m.done, len(m.site.keys))
	}
}

// batch makes keys number first and on.
func (m *keyMaker) batch(first, count int, users []tenancy.User) ([]credential.Credential, []credential.Material, error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	keys, material := make([]credential.Credential, count), make([]credential.Material, count)
	for i := range keys {
		clear, parsed, err := secret.Format{}.Generate(secret.UserKey, rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		version := m.peppers.Current()
		digest, ok := m.peppers.Digest(version, &parsed)
		if !ok {
			return nil, nil, errors.New("the current pepper is missing")
		}
		// The first is the administrator, whose many permissions make longer answers; the
		// others' are all of one length.
		owner := users[1+i%(len(users)-1)]
		principal := access.Principal{Type: access.PrincipalUser, ID: string(owner.ID)}
		keys[i] = credential.Credential{
			ID: credential.ID(parsed.ID), TenantID: owner.TenantID, OrganizationID: owner.OrganizationID, Kind: credential.UserKey,
			Principal: principal, Name: fmt.Sprintf("integration %07d", first+i), Hint: secret.Format{}.Hint(clear), State: credential.Active,
			SecretVersion: 1, CreatedAt: now, CreatedBy: principal, CreatedByName: owner.Username,
		}
		material[i] = credential.Material{CredentialID: keys[i].ID, Field: "key", Version: 1, Digest: digest, PepperVersion: version}
		m.site.keys[first+i] = clear.Reveal()
	}
	return keys, material, nil
}

// issueOwn makes the keys that the bench itself calls with.
func (s *site) issueOwn(ctx context.Context, a *authority.Authority, boss tenancy.User) error {
	system := authority.SystemCaller()
	verifier, err := a.IssueVerifierKey(ctx, system, authority.IssueVerifierKeyInput{Name: "bench"})
	if err != nil {
		return err
	}
	issuer, err := a.IssueAPIKey(ctx, system, authority.IssueAPIKeyInput{Tenant: boss.TenantID, Name: "bench", Owner: boss.ID})
	if err != nil {
		return err
	}
	s.verifier, s.issuer, s.tenant = verifier.Secret.Reveal(), issuer.Secret.Reveal(), boss.TenantID
	return nil
}

// createDatabase makes a database of the run's own in the PostgreSQL it was given.
func (s *site) createDatabase(ctx context.Context) error {
	s.admin = os.Getenv("CLAVIGER_TEST_POSTGRES")
	u, err := url.Parse(s.admin)
	if err != nil || s.admin == "" {
		return errors.New("CLAVIGER_TEST_POSTGRES names no PostgreSQL; run this by `make bench`")
	}
	s.name = "bench_" + strings.ToLower(rand.Text())
	u.Path = "/" + s.name
	s.database = u.String()
	return s.inAdmin(ctx, "CREATE DATABASE "+s.name)
}

func (s *site) drop(ctx context.Context) error {
	if s.database == "" {
		return nil
	}
	return s.inAdmin(ctx, "DROP DATABASE "+s.name+" WITH (FORCE)")
}

func (s *site) inAdmin(ctx context.Context, statement string) error {
	db, err := sql.Open("pgx", s.admin)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(ctx, statement)
	return err
}
