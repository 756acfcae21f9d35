package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// credentialPlan is a credential of the demo, and what shall become of it.
type credentialPlan struct {
	kind  credential.Kind
	owner string // user, organization or service account; of apps and account keys none
	name  string

	issued    time.Duration // ago
	expires   time.Duration // from now; 0 means the default
	notBefore time.Duration // from now; 0 means at once
	limits    credential.Limits
	networks  []string
	apis      []string            // of an app
	scopes    []access.Permission // of a client credential
	end       ending

	made madeCredential
}

// ending is what becomes of a credential, a day ago.
type ending int

const (
	staysActive ending = iota
	suspended
	revoked
	deleted
	rotated // with the longest grace period
)

// madeCredential is what was issued, with its values.
type madeCredential struct {
	id          credential.ID
	app         tenancy.AppID
	org         tenancy.OrgID
	owner       string // ID of the principal
	publicID    string
	ends        time.Time
	key, secret secret.Secret
	file        string // with the private key
}

// keysName is the folder with the demo's private keys, in its data folder.
const keysName = "demo-keys"

// issue makes the credential, at the time that the clock shows.
func (c *customer) issue(ctx context.Context, k *credentialPlan, now time.Time) error {
	var ends *time.Time
	var starts time.Time
	if k.expires != 0 {
		at := now.Add(k.expires)
		ends = &at
	}
	if k.notBefore != 0 {
		starts = now.Add(k.notBefore)
	}
	networks, err := credential.ParseNetworks(k.networks)
	if err != nil {
		return err
	}
	t := c.tenant.ID
	switch k.kind {
	case credential.UserKey:
		made, err := c.a.IssueAPIKey(ctx, c.system, authority.IssueAPIKeyInput{
			Tenant: t, Name: k.name, Owner: tenancy.UserID(c.users[k.owner].ID), NotBefore: starts, ExpiresAt: ends, Networks: networks, Limits: k.limits,
		})
		return k.take(made, err)
	case credential.OrganizationKey:
		made, err := c.a.IssueOrganizationKey(ctx, c.system, authority.IssueOrganizationKeyInput{
			Tenant: t, Name: k.name, OrganizationID: c.orgs[k.owner], NotBefore: starts, ExpiresAt: ends, Networks: networks, Limits: k.limits,
		})
		return k.take(made, err)
	case credential.AccountKey:
		made, err := c.a.IssueAccountKey(ctx, c.system, authority.IssueAccountKeyInput{
			Tenant: t, Name: k.name, NotBefore: starts, ExpiresAt: ends, Networks: networks, Limits: k.limits,
		})
		return k.take(made, err)
	case credential.ClientCredential:
		in := authority.IssueClientCredentialInput{
			Tenant: t, Level: authority.LevelAccount, Name: k.name, Scopes: k.scopes, NotBefore: starts, ExpiresAt: ends,
			Networks: networks, Limits: k.limits,
		}
		if k.owner != "" {
			in.Level, in.Owner = authority.LevelUser, tenancy.UserID(c.users[k.owner].ID)
		}
		made, err := c.a.IssueClientCredential(ctx, c.system, in)
		return k.take(made, err)
	case credential.App:
		made, err := c.a.CreateApp(ctx, c.system, authority.CreateAppInput{
			Tenant: t, Name: k.name, APIs: k.apis, ExpiresAt: ends, Networks: networks, Limits: k.limits,
			Labels: tenancy.Labels{ExternalID: fmt.Sprintf("integration-%d", k.issued/day)},
		})
		return k.takeApp(made, err)
	case credential.ServiceAccountKey:
		return c.issuePair(ctx, k, starts, ends)
	case credential.VerifierKey:
	}
	return fmt.Errorf("the demo has no %s", k.kind)
}

func (k *credentialPlan) take(made authority.IssuedKey, err error) error {
	if err != nil {
		return err
	}
	k.made = madeCredential{
		id: made.ID, org: made.OrganizationID, owner: made.Principal.ID, publicID: made.PublicID, ends: made.ExpiresAt, key: made.Secret,
	}
	if k.kind == credential.ClientCredential {
		k.made.key, k.made.secret = secret.Secret{}, made.Secret
	}
	return nil
}

func (k *credentialPlan) takeApp(made authority.IssuedApp, err error) error {
	if err != nil {
		return err
	}
	k.made = madeCredential{
		id: made.Credential.ID, app: made.ID, org: made.OrganizationID, owner: string(made.ID), ends: made.Credential.ExpiresAt,
		key: made.Key, secret: made.Secret,
	}
	return nil
}

// issuePair makes a key pair, and keeps the private half in a file for whoever tries the
// demo: nothing else does.
func (c *customer) issuePair(ctx context.Context, k *credentialPlan, starts time.Time, ends *time.Time) error {
	account := c.accounts[k.owner]
	made, err := c.a.IssueServiceAccountKey(ctx, c.system, authority.IssueServiceAccountKeyInput{
		Tenant: c.tenant.ID, ServiceAccount: account.ID, Name: k.name, NotBefore: starts, ExpiresAt: ends,
	})
	if err != nil {
		return err
	}
	folder, err := filepath.Abs(filepath.Join(c.folder, keysName))
	if err != nil {
		return fmt.Errorf("naming the keys' folder: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("making the keys' folder: %w", err)
	}
	k.made = madeCredential{
		id: made.ID, org: made.OrganizationID, owner: made.Principal.ID, publicID: made.PublicID, ends: made.ExpiresAt,
		file: filepath.Join(folder, made.PublicID+".pem"),
	}
	whole, err := json.MarshalIndent(api.ServiceAccountKeyFile{
		AccountEmail: made.AccountEmail, AccountID: made.AccountID, KeyID: made.PublicID, PrivateKey: api.Secret(made.PrivateKeyPEM.Reveal()),
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the key file: %w", err)
	}
	// The PEM for libraries, and what a browser would have saved.
	for name, data := range map[string][]byte{k.made.file: []byte(made.PrivateKeyPEM.Reveal()), filepath.Join(folder, made.PublicID+".json"): append(whole, '\n')} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return fmt.Errorf("writing a private key: %w", err)
		}
	}
	return nil
}

type keyOperation func(context.Context, access.Caller, authority.KeyInput) (authority.Key, error)

// keyOperations are the operations that make a state, by kind.
func (c *customer) keyOperations(kind credential.Kind) map[ending]keyOperation {
	a := c.a
	switch kind {
	case credential.UserKey, credential.OrganizationKey:
		return map[ending]keyOperation{suspended: a.SuspendAPIKey, revoked: a.RevokeAPIKey, deleted: a.DeleteAPIKey}
	case credential.AccountKey:
		return map[ending]keyOperation{suspended: a.SuspendAccountKey, revoked: a.RevokeAccountKey, deleted: a.DeleteAccountKey}
	case credential.ClientCredential:
		return map[ending]keyOperation{suspended: a.SuspendClientCredential, revoked: a.RevokeClientCredential, deleted: a.DeleteClientCredential}
	case credential.ServiceAccountKey:
		return map[ending]keyOperation{suspended: a.SuspendServiceAccountKey, revoked: a.RevokeServiceAccountKey, deleted: a.DeleteServiceAccountKey}
	case credential.App, credential.VerifierKey:
	}
	return nil
}

// finish does to a credential what makes its state.
func (c *customer) finish(ctx context.Context, k *credentialPlan) error {
	switch {
	case k.end == staysActive:
		return nil
	case k.kind == credential.App:
		return c.finishApp(ctx, k)
	case k.end == rotated:
		return c.rotate(ctx, k)
	}
	do := c.keyOperations(k.kind)[k.end]
	if do == nil {
		return fmt.Errorf("a %s cannot become so", k.kind)
	}
	_, err := do(ctx, c.system, authority.KeyInput{Tenant: c.tenant.ID, ID: k.made.id})
	return err
}

func (c *customer) finishApp(ctx context.Context, k *credentialPlan) error {
	in := authority.AppInput{Tenant: c.tenant.ID, ID: k.made.app}
	switch k.end {
	case suspended:
		_, err := c.a.SuspendApp(ctx, c.system, in)
		return err
	case rotated:
		made, err := c.a.RotateApp(ctx, c.system, authority.RotateAppInput{Tenant: in.Tenant, ID: in.ID, Grace: credential.MaxGrace})
		return k.takeApp(made, err)
	case revoked, deleted, staysActive:
	}
	_, err := c.a.DeleteApp(ctx, c.system, in)
	return err
}

func (c *customer) rotate(ctx context.Context, k *credentialPlan) error {
	in := authority.RotateKeyInput{Tenant: c.tenant.ID, ID: k.made.id, Grace: credential.MaxGrace}
	do := c.a.RotateAPIKey
	switch k.kind {
	case credential.AccountKey:
		do = c.a.RotateAccountKey
	case credential.ClientCredential:
		do = c.a.RotateClientCredential
	case credential.UserKey, credential.OrganizationKey, credential.App, credential.ServiceAccountKey, credential.VerifierKey:
	}
	made, err := do(ctx, c.system, in)
	return k.take(made, err)
}

// state is what verification says of it.
func (k *credentialPlan) state() string {
	switch {
	case k.end == deleted:
		return "deleted"
	case k.end == revoked:
		return string(credential.Revoked)
	case k.end == suspended:
		return string(credential.Suspended)
	case k.expires < 0:
		return string(credential.Expired)
	case k.notBefore > 0:
		return "not_yet_valid"
	}
	return string(credential.Active)
}

// describe writes down what the credential has become.
func (c *customer) describe(ctx context.Context, k *credentialPlan) (demoCredential, error) {
	out := demoCredential{
		ID: k.made.id.String(), Kind: string(k.kind), Name: k.name, State: k.state(), Owner: k.made.owner,
		OrganizationID: string(k.made.org), Permissions: []string{}, Key: k.made.key.Reveal(), Secret: k.made.secret.Reveal(),
		PrivateKeyFile: k.made.file,
	}
	switch k.kind {
	case credential.UserKey:
		out.UserID = k.made.owner
	case credential.ClientCredential:
		out.ClientID, out.ClientSecret, out.Secret = k.made.publicID, out.Secret, ""
		for _, s := range k.scopes {
			out.Scopes = append(out.Scopes, string(s))
		}
	case credential.ServiceAccountKey:
		out.KeyID = k.made.publicID
	case credential.OrganizationKey, credential.AccountKey, credential.App, credential.VerifierKey:
	}
	may, err := c.may(ctx, k)
	if err != nil {
		return out, err
	}
	for _, g := range may.Grants() {
		out.Permissions = append(out.Permissions, string(g))
	}
	if !k.made.ends.IsZero() {
		at := k.made.ends.UTC().Format(time.RFC3339)
		out.ExpiresAt = &at
	}
	return out, nil
}
