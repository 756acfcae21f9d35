package main

import (
	"context"
	"fmt"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// voice is the demo's customer whose keys inherit their users' roles (PV).
type voice struct {
	*seeder
	tenant tenancy.Tenant
	orgs   map[string]tenancy.OrgID
	users  map[string]demoUser
	out    *demoTenant
	keys   []voiceKey // as issued
}

// voiceKey is a key of the demo and what shall become of it.
type voiceKey struct {
	owner, name string
	issued      time.Duration // ago
	expires     time.Duration // from now; 0 means never
	notBefore   time.Duration // from now; 0 means at once
	limits      credential.Limits
	end         func(*voice, context.Context, credential.ID) error // nil: it stays active

	id     credential.ID
	secret string
}

// voiceKeys is one key in each state, oldest first.
var voiceKeys = []voiceKey{
	{owner: "mara.lindt", name: "Nightly report export", issued: 110 * day},
	{owner: "mara.lindt", name: "Trial of the API", issued: 100 * day, end: (*voice).deleteKey},
	{owner: "noor.haddad", name: "Power BI dashboards", issued: 95 * day},
	{owner: "noor.haddad", name: "Spring campaign", issued: 90 * day, expires: -10 * day},
	{owner: "tom.okafor", name: "CRM synchronization", issued: 85 * day, expires: 5 * day},
	{owner: "noor.haddad", name: "Quarterly audit", issued: 70 * day, expires: 20 * day},
	{owner: "tom.okafor", name: "Old dialler", issued: 60 * day, end: (*voice).suspendKey},
	{owner: "eva.soto", name: "Lost laptop", issued: 50 * day, end: (*voice).revokeKey},
	{owner: "tom.okafor", name: "Recording archive", issued: 40 * day, end: (*voice).rotateKey},
	{owner: "eva.soto", name: "Wallboard", issued: 30 * day},
	{owner: "mara.lindt", name: "Chat bot", issued: 10 * day, limits: credential.Limits{
		Rates: []credential.Rate{{Name: "burst", Limit: 1000, Window: time.Minute}},
	}},
	{owner: "tom.okafor", name: "New call centre", issued: 5 * day, notBefore: 365 * day},
}

func (s *seeder) seedVoice(ctx context.Context, plan tenancy.PlanID) (*demoTenant, error) {
	tenant, err := s.a.CreateTenant(ctx, s.system, authority.CreateTenantInput{
		Slug: "northwind", Name: "Northwind Voice", PlanID: plan, Labels: tenancy.Labels{ExternalID: "customer-1001"},
	})
	if err != nil {
		return nil, fmt.Errorf("making the tenant: %w", err)
	}
	v := &voice{
		seeder: s, tenant: tenant, orgs: map[string]tenancy.OrgID{}, users: map[string]demoUser{},
		out: &demoTenant{ID: string(tenant.ID), Slug: tenant.Slug, Name: tenant.Name, Model: "PV", AccountID: tenant.AccountID},
	}
	for _, step := range []func(context.Context) error{v.seedTree, v.seedUsers, v.issueKeys, v.endKeys, v.describeKeys} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return v.out, nil
}

func (v *voice) seedTree(ctx context.Context) error {
	root := v.tenant.RootOrg
	v.orgs[v.tenant.Name] = root
	v.out.Organizations = append(v.out.Organizations, demoOrganization{ID: string(root), Name: v.tenant.Name})
	for _, o := range []struct{ name, parent string }{
		{"Europe", v.tenant.Name},
		{"Americas", v.tenant.Name},
		{"Berlin", "Europe"},
		{"Lisbon", "Europe"},
		{"Austin", "Americas"},
		{"Berlin Night Shift", "Berlin"},
	} {
		made, err := v.a.CreateOrganization(ctx, v.system, authority.CreateOrganizationInput{
			Tenant: v.tenant.ID, Parent: v.orgs[o.parent], Name: o.name,
		})
		if err != nil {
			return fmt.Errorf("making organization %s: %w", o.name, err)
		}
		v.orgs[o.name] = made.ID
		parent := string(made.ParentID)
		v.out.Organizations = append(v.out.Organizations, demoOrganization{ID: string(made.ID), Name: made.Name, ParentID: &parent})
	}
	return nil
}

func (v *voice) seedUsers(ctx context.Context) error {
	for _, u := range []struct{ name, display, role, org string }{
		{"mara.lindt", "Mara Lindt", "super_admin", v.tenant.Name},
		{"tom.okafor", "Tom Okafor", "admin", "Europe"},
		{"noor.haddad", "Noor Haddad", "analyst", "Berlin"},
		{"eva.soto", "Eva Soto", "agent", "Berlin Night Shift"},
	} {
		made, err := v.user(ctx, v.tenant.ID, v.orgs[u.org], u.name, u.display, u.role)
		if err != nil {
			return err
		}
		v.users[u.name] = made
		v.out.Users = append(v.out.Users, made)
	}
	return nil
}

func (v *voice) issueKeys(ctx context.Context) error {
	v.keys = append(v.keys, voiceKeys...)
	now := time.Now()
	for i := range v.keys {
		k := &v.keys[i]
		v.clock.moveTo(k.issued)
		in := authority.IssueAPIKeyInput{
			Tenant: v.tenant.ID, Name: k.name, Owner: tenancy.UserID(v.users[k.owner].ID), Limits: k.limits,
		}
		if k.expires != 0 {
			at := now.Add(k.expires)
			in.ExpiresAt = &at
		}
		if k.notBefore != 0 {
			in.NotBefore = now.Add(k.notBefore)
		}
		made, err := v.a.IssueAPIKey(ctx, v.system, in)
		if err != nil {
			return fmt.Errorf("issuing %q: %w", k.name, err)
		}
		k.id, k.secret = made.ID, made.Secret.Reveal()
	}
	return nil
}

// endKeys does to each key what makes its state, a day ago.
func (v *voice) endKeys(ctx context.Context) error {
	v.clock.moveTo(day)
	for i := range v.keys {
		if k := &v.keys[i]; k.end != nil {
			if err := k.end(v, ctx, k.id); err != nil {
				return fmt.Errorf("changing %q: %w", k.name, err)
			}
		}
	}
	v.clock.moveTo(0)
	return nil
}

func (v *voice) suspendKey(ctx context.Context, id credential.ID) error {
	_, err := v.a.SuspendAPIKey(ctx, v.system, authority.KeyInput{Tenant: v.tenant.ID, ID: id})
	return err
}

func (v *voice) revokeKey(ctx context.Context, id credential.ID) error {
	_, err := v.a.RevokeAPIKey(ctx, v.system, authority.KeyInput{Tenant: v.tenant.ID, ID: id})
	return err
}

func (v *voice) deleteKey(ctx context.Context, id credential.ID) error {
	_, err := v.a.DeleteAPIKey(ctx, v.system, authority.KeyInput{Tenant: v.tenant.ID, ID: id})
	return err
}

// rotateKey leaves the secret before verifying for the longest grace period.
func (v *voice) rotateKey(ctx context.Context, id credential.ID) error {
	made, err := v.a.RotateAPIKey(ctx, v.system, authority.RotateKeyInput{Tenant: v.tenant.ID, ID: id, Grace: credential.MaxGrace})
	if err != nil {
		return err
	}
	for i := range v.keys {
		if v.keys[i].id == id {
			v.keys[i].secret = made.Secret.Reveal()
		}
	}
	return nil
}

// describeKeys writes down what the keys have become.
func (v *voice) describeKeys(ctx context.Context) error {
	if err := v.expireDue(ctx); err != nil {
		return err
	}
	for _, k := range v.keys {
		is, err := v.a.APIKey(ctx, v.system, authority.KeyInput{Tenant: v.tenant.ID, ID: k.id})
		if err != nil {
			return fmt.Errorf("reading %q: %w", k.name, err)
		}
		owner := v.users[k.owner]
		may, err := v.permissions(ctx, v.tenant.ID, owner.ID)
		if err != nil {
			return fmt.Errorf("reading what %s may do: %w", k.owner, err)
		}
		c := demoCredential{
			ID: is.ID.String(), Kind: string(is.Kind), Name: is.Name, State: demoKeyState(is, v.clock.now()),
			Owner: owner.ID, OrganizationID: string(is.OrganizationID), Permissions: may, Key: k.secret, UserID: owner.ID,
		}
		if !is.ExpiresAt.IsZero() {
			at := is.ExpiresAt.Format(time.RFC3339)
			c.ExpiresAt = &at
		}
		v.out.Credentials = append(v.out.Credentials, c)
	}
	return nil
}
