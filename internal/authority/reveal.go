package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/envelope"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
)

// RevealedKey is a credential with its secret.
type RevealedKey struct {
	Key
	Secret secret.Secret
}

// RevealKey answers the secret of an organization key again (NV13, NV14). It needs the
// rights of issuing one and a session in which the person confirmed their password within 5
// minutes. Problems: reauthentication_required, not_recoverable. Audited as
// organization_key.reveal before it returns.
func (a *Authority) RevealKey(ctx context.Context, caller access.Caller, in KeyInput) (out RevealedKey, err error) {
	tenant, err := a.keyTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	seal, err := a.sealingFor(ctx, caller, tenant)
	if err != nil {
		return out, err
	}
	revision, err := a.change(ctx, caller, tenant, func(c *change) error {
		k, r, err := c.key(apiKeys, in.ID)
		if err != nil {
			return err
		}
		if err := r.mayRead(&c.scope, k); err != nil {
			return err
		}
		if err := c.apiAccess(false); err != nil {
			return err
		}
		if err := c.mayReveal(r, k); err != nil {
			return err
		}
		if out.Secret, err = c.unseal(seal, k, r.field); err != nil {
			return err
		}
		if out.Key, err = c.show(k); err != nil {
			return err
		}
		return c.record(r.noun+".reveal", keyTarget(k), nil, fields{"secret_version": k.SecretVersion})
	})
	if err != nil {
		return RevealedKey{}, err
	}
	out.Revision = revision
	return out, nil
}

// mayReveal is whether a secret may be shown again to whom may read its credential.
func (s *scope) mayReveal(r keyRules, k credential.Credential) error {
	if err := s.reauthenticated(); err != nil {
		return err
	}
	if !r.recoverable {
		return problem.New(problem.Conflict, "not_recoverable", "Keys of this kind are shown once, when they are made. Get a new secret for it instead.")
	}
	if s.shownOnce(k) {
		return problem.New(problem.Conflict, "not_recoverable", "The tenant's policy is that secrets of this kind are shown once, when they are made. Get a new secret for it instead.")
	}
	if state := k.StateAt(s.now); state != credential.Active && state != credential.Suspended {
		return problem.New(problem.Conflict, "ended", "The credential has ended and its secret is destroyed.")
	}
	return r.mayGive(s, k)
}

// unseal decrypts the present version of a secret.
func (s *scope) unseal(seal *sealing, k credential.Credential, field string) (secret.Secret, error) {
	material, err := s.tx.Material(k.ID)
	if err != nil {
		return secret.Secret{}, err
	}
	for _, m := range material {
		if m.Field == field && m.Version == k.SecretVersion && m.Sealed != nil {
			return seal.keys.Open(m.Sealed, envelope.AAD{Tenant: k.TenantID, Credential: k.ID, Field: field, Version: m.Version})
		}
	}
	return secret.Secret{}, problem.New(problem.Conflict, "not_recoverable", "This secret was not kept. Get a new one for the credential instead.")
}
