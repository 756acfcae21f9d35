package authority

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
)

// IssueServiceAccountKeyInput asks for a new key pair, or takes the public half of one.
type IssueServiceAccountKeyInput struct {
	Tenant         tenancy.TenantID
	ServiceAccount tenancy.ServiceAccountID
	Name           string // empty means a name made of the key ID
	PublicKeyPEM   string // RSA, 2048 to 4096 bits, exponent 65537; empty means that a pair is made
	NotBefore      time.Time
	ExpiresAt      *time.Time
	Networks       []netip.Prefix
	Labels         tenancy.Labels
	Idempotency
}

// IssuedServiceAccountKey is a new key. Its PublicID is the key ID, a UUID.
type IssuedServiceAccountKey struct {
	Key
	// PrivateKeyPEM is PKCS #8. It is shown this once and never stored; zero when the
	// public key was given or an idempotent request was repeated.
	PrivateKeyPEM secret.Secret
	AccountEmail  string
	AccountID     int64
	// SecretAvailable says whether PrivateKeyPEM is there.
	SecretAvailable bool
}

// ServiceAccountKeysInput lists the keys of one service account.
type ServiceAccountKeysInput struct {
	Tenant         tenancy.TenantID
	ServiceAccount tenancy.ServiceAccountID
	States         []credential.State
	Search         string
	IncludeDeleted bool
	Page           store.Page
}

// The keys that are made; token.CheckNewRSA says which others may be brought.
const (
	madeKeyBits   = 2048
	longestKeyPEM = 16 << 10
)

// serviceAccountKeys are the rules of service accounts' keys.
var serviceAccountKeys = ruledBy(keyRules{
	kind: credential.ServiceAccountKey, noun: "service_account_key", thing: "service account key", field: credential.FieldKey,
	mayGive: (*scope).mayGiveAccount,
}, func(s *scope, k credential.Credential) error {
	path, err := s.path(k.OrganizationID)
	if err != nil {
		return err
	}
	return s.require(access.ServiceAccountsManage, path)
})

// keyPair is a service account's key, made or read outside the transaction.
type keyPair struct {
	public  []byte        // PKIX DER
	private secret.Secret // PKCS #8 PEM; zero for an uploaded public key
	id      string        // a UUID
	name    freshSecrets  // only its ID counts
}

func (a *Authority) makeKeyPair(publicPEM string) (p keyPair, err error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return p, fmt.Errorf("making a key ID: %w", err)
	}
	// The ID is made like that of any other credential; the secret with it is thrown away.
	_, parsed, err := a.format.Generate(secret.VerifierKey, a.rand)
	if err != nil {
		return p, err
	}
	p.id, p.name.id = id.String(), credential.ID(parsed.ID)
	if publicPEM != "" {
		p.public, err = parsePublicKey(publicPEM)
		return p, err
	}
	private, err := rsa.GenerateKey(a.rand, madeKeyBits)
	if err != nil {
		return p, fmt.Errorf("making an RSA key: %w", err)
	}
	if p.public, err = x509.MarshalPKIXPublicKey(&private.PublicKey); err != nil {
		return p, fmt.Errorf("encoding an RSA key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return p, fmt.Errorf("encoding an RSA key: %w", err)
	}
	p.private = secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	return p, nil
}

// parsePublicKey reads an RSA public key as PEM and returns it as PKIX DER. Its problem
// never repeats what was sent: people paste private keys.
func parsePublicKey(text string) ([]byte, error) {
	refuse := func(message string) error { return problem.InvalidField("/public_key", message) }
	if strings.Contains(text, "PRIVATE KEY") {
		return nil, refuse("This is a private key. Send the public one only, and make a new pair: this one has been shown.")
	}
	block, rest := pem.Decode([]byte(text))
	if len(text) > longestKeyPEM || block == nil || strings.TrimSpace(string(rest)) != "" {
		return nil, refuse("Send one RSA public key as PEM, beginning with BEGIN PUBLIC KEY.")
	}
	var key *rsa.PublicKey
	switch block.Type {
	case "PUBLIC KEY":
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, refuse("The key cannot be read. Export it again.")
		}
		key, _ = parsed.(*rsa.PublicKey)
	case "RSA PUBLIC KEY":
		parsed, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, refuse("The key cannot be read. Export it again.")
		}
		key = parsed
	}
	if key == nil {
		return nil, refuse("Only RSA public keys can be used.")
	}
	if err := token.CheckNewRSA(key); err != nil {
		return nil, refuse(problem.As(err).Message)
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding an RSA key: %w", err)
	}
	return der, nil
}

// IssueServiceAccountKey makes a key pair, of which only the public half is kept (VX3), or
// takes a public key. It needs claviger.service_accounts:manage where the account is and
// everything that the account holds. Problems: public_key_taken. Audited as
// service_account_key.issue.
func (a *Authority) IssueServiceAccountKey(ctx context.Context, caller access.Caller, in IssueServiceAccountKeyInput) (out IssuedServiceAccountKey, err error) {
	tenant, err := a.accountTenant(ctx, caller, in.Tenant, in.ServiceAccount)
	if err != nil {
		return out, err
	}
	// A key pair costs much time, so who may not have one is refused before it is made.
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		_, _, err := s.serviceAccount(in.ServiceAccount)
		return err
	})
	if err != nil {
		return out, err
	}
	pair, err := a.makeKeyPair(in.PublicKeyPEM)
	if err != nil {
		return out, err
	}
	revision, err := a.changeAccount(ctx, caller, ServiceAccountInput{Tenant: tenant, ID: in.ServiceAccount}, true, func(c *change, account tenancy.ServiceAccount, _ []tenancy.OrgID) error {
		w := wish{name: in.Name, notBefore: in.NotBefore, expiresAt: in.ExpiresAt, networks: in.Networks, labels: in.Labels}
		if w.name == "" {
			w.name = "Key " + pair.id[:8]
		}
		k, err := c.newKey(serviceAccountKeys, w, pair.name)
		if err != nil {
			return err
		}
		if k, err = c.ofAccount(account, k, pair); err != nil {
			return err
		}
		out, err = c.issuePair("service_account_key.issue/"+string(account.ID), in.Idempotency, account, pair, func() (credential.Credential, error) {
			return k, c.insertAccountKey(k, pair)
		})
		return err
	})
	if err != nil {
		return IssuedServiceAccountKey{}, err
	}
	out.Revision = revision
	return out, nil
}

// issuePair answers the key that a key pair is for, made once however often it is asked for.
func (c *change) issuePair(what string, i Idempotency, account tenancy.ServiceAccount, pair keyPair, issue func() (credential.Credential, error),
) (out IssuedServiceAccountKey, err error) {
	out, err = once(c, what, i, func() (IssuedServiceAccountKey, string, error) {
		k, err := issue()
		if err != nil {
			return IssuedServiceAccountKey{}, "", err
		}
		shown, err := c.show(k)
		return IssuedServiceAccountKey{Key: shown, PrivateKeyPEM: pair.private, SecretAvailable: !pair.private.IsZero()}, k.ID.String(), err
	}, func(id string) (IssuedServiceAccountKey, error) {
		shown, err := c.keyAgain(kinds{serviceAccountKeys}, id)
		return IssuedServiceAccountKey{Key: shown}, err
	})
	out.AccountEmail, out.AccountID = account.Email, c.tenant.AccountID
	return out, err
}

// ofAccount makes a new key a service account's, as far as it and the caller may.
func (c *change) ofAccount(account tenancy.ServiceAccount, k credential.Credential, pair keyPair) (credential.Credential, error) {
	k.OrganizationID, k.Principal, k.PublicID = account.OrganizationID, accountPrincipal(account.ID), pair.id
	if account.State != tenancy.Active {
		return k, problem.New(problem.Conflict, "owner_suspended", "The service account is suspended. Resume it first.")
	}
	return k, c.mayGiveAccount(k)
}

func (c *change) insertAccountKey(k credential.Credential, pair keyPair) error {
	taken, err := c.tx.PublicKeyTaken(pair.public)
	if err != nil {
		return err
	}
	if taken {
		return problem.New(problem.Conflict, "public_key_taken", "This public key is or was used here already. Make a new pair.")
	}
	m := credential.Material{
		CredentialID: k.ID, Field: credential.FieldKey, Version: 1, PepperVersion: c.a.peppers.Current(), PublicKey: pair.public,
	}
	if err := c.tx.InsertCredential(k, m); err != nil {
		return err
	}
	return c.record(serviceAccountKeys.noun+".issue", keyTarget(k), nil, issuedFields(k))
}

// ChangeServiceAccountKey changes name, end, networks and labels. It needs
// claviger.service_accounts:manage where the account is and, for more than a name or
// labels, everything that the account holds. Audited as service_account_key.change.
func (a *Authority) ChangeServiceAccountKey(ctx context.Context, caller access.Caller, in ChangeKeyInput) (Key, error) {
	return a.editKey(ctx, caller, in, kinds{serviceAccountKeys}, nil)
}

// SuspendServiceAccountKey stops a key until it is resumed. It needs claviger.service_accounts:manage
// where the account is. Audited as service_account_key.suspend.
func (a *Authority) SuspendServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{serviceAccountKeys}, suspendKey)
}

// ResumeServiceAccountKey lets a key work again. It needs claviger.service_accounts:manage
// where the account is. Audited as service_account_key.resume.
func (a *Authority) ResumeServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{serviceAccountKeys}, resumeKey)
}

// RevokeServiceAccountKey ends a key for good. It needs claviger.service_accounts:manage
// where the account is. Audited as service_account_key.revoke.
func (a *Authority) RevokeServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{serviceAccountKeys}, revokeKey)
}

// DeleteServiceAccountKey revokes and hides a key. It needs claviger.service_accounts:manage
// where the account is. Audited as service_account_key.delete.
func (a *Authority) DeleteServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeKey(ctx, caller, in, kinds{serviceAccountKeys}, deleteKey)
}

// ServiceAccountKey answers one. Rights as SuspendServiceAccountKey.
func (a *Authority) ServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.readKey(ctx, caller, in, kinds{serviceAccountKeys})
}

// ServiceAccountKeys lists the keys of one service account. Rights as SuspendServiceAccountKey.
func (a *Authority) ServiceAccountKeys(ctx context.Context, caller access.Caller, in ServiceAccountKeysInput) (out store.List[Key], err error) {
	tenant, err := a.accountTenant(ctx, caller, in.Tenant, in.ServiceAccount)
	if err != nil {
		return out, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		if _, _, err := s.serviceAccount(in.ServiceAccount); err != nil {
			return err
		}
		if err := s.apiAccess(false); err != nil {
			return err
		}
		owner := accountPrincipal(in.ServiceAccount)
		out, err = s.listKeys(store.CredentialFilter{
			Kinds: []credential.Kind{credential.ServiceAccountKey}, Owner: &owner, States: in.States, Search: in.Search, IncludeDeleted: in.IncludeDeleted,
		}, in.Page)
		return err
	})
	return out, err
}
