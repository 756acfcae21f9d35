package authority

import (
	"context"
	"errors"
	"sync"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/envelope"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// freshSecrets is one version of a credential's secrets, made outside the transaction,
// because making them costs time that other writers would wait for.
type freshSecrets struct {
	id      credential.ID
	kind    credential.Kind
	parts   []madeSecret // the first is the one that people see a part of; none for key pairs
	sealing *sealing     // nil where they are shown once
}

type madeSecret struct {
	clear    secret.Secret
	hint     string
	material credential.Material
}

func (f freshSecrets) clear() secret.Secret {
	if len(f.parts) == 0 {
		return secret.Secret{}
	}
	return f.parts[0].clear
}

func (f freshSecrets) hint() string {
	if len(f.parts) == 0 {
		return ""
	}
	return f.parts[0].hint
}

// material is what the store keeps of them as the given version.
func (f freshSecrets) material(c *change, version int) ([]credential.Material, error) {
	list := make([]credential.Material, len(f.parts))
	for i, p := range f.parts {
		list[i] = p.material
		list[i].Version = version
		if f.sealing == nil || c.tenant.Policy.ShownOnce(string(f.kind), c.now) {
			continue
		}
		sealed, err := f.sealing.seal(c, p.clear, envelope.AAD{Tenant: c.tenant.ID, Credential: f.id, Field: p.material.Field, Version: version})
		if err != nil {
			return nil, err
		}
		list[i].Sealed = sealed
	}
	return list, nil
}

// makeSecrets makes the secrets of a new credential.
func (a *Authority) makeSecrets(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, r keyRules) (freshSecrets, error) {
	clear, parsed, err := a.format.Generate(r.kind.KeyType(), a.rand)
	if err != nil {
		return freshSecrets{}, err
	}
	return a.completeSecrets(ctx, caller, tenant, r, a.digestSecret(clear, parsed, r.field))
}

// makeSecretsFor makes the next secrets of a credential, whose kind decides what they are.
// Unknown credentials get some of the first kind: that they are unknown is found later, in
// the transaction.
func (a *Authority) makeSecretsFor(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, id credential.ID, of kinds) (freshSecrets, error) {
	r := of[0]
	if id.IsZero() {
		return freshSecrets{}, problem.Missing(r.thing)
	}
	if len(of) > 1 {
		err := a.view(ctx, caller, tenant, func(s *scope) (err error) {
			_, r, err = s.key(of, id)
			return err
		})
		if err != nil {
			return freshSecrets{}, err
		}
	}
	clear, parsed, err := a.format.GenerateFor([12]byte(id), r.kind.KeyType(), a.rand)
	if err != nil {
		return freshSecrets{}, err
	}
	return a.completeSecrets(ctx, caller, tenant, r, a.digestSecret(clear, parsed, r.field))
}

// completeSecrets adds the second secret of an app, and what seals secrets.
func (a *Authority) completeSecrets(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, r keyRules, first madeSecret) (f freshSecrets, err error) {
	f = freshSecrets{id: first.material.CredentialID, kind: r.kind, parts: []madeSecret{first}}
	if r.kind == credential.App {
		clear, parsed, err := a.format.GenerateFor([12]byte(f.id), secret.AppSecret, a.rand)
		if err != nil {
			return f, err
		}
		f.parts = append(f.parts, a.digestSecret(clear, parsed, credential.FieldSecret))
	}
	if r.recoverable {
		f.sealing, err = a.sealingFor(ctx, caller, tenant)
	}
	return f, err
}

func (a *Authority) digestSecret(clear secret.Secret, parsed secret.Parsed, field string) madeSecret {
	version := a.peppers.Current()
	digest, _ := a.peppers.Digest(version, &parsed) // the current version is always known
	return madeSecret{
		clear: clear, hint: a.format.Hint(clear),
		material: credential.Material{
			CredentialID: credential.ID(parsed.ID), Field: field, Version: 1, Digest: [32]byte(digest), PepperVersion: version,
		},
	}
}

// sealing seals and opens the secrets of one tenant.
type sealing struct {
	keys envelope.Tenant
	// wrapped is a keyset that the database does not have yet; nil when it has one.
	wrapped []byte
}

// keysets remembers the tenants' unwrapped keysets, as far as they were read from the
// database: unwrapping may ask a key management service.
type keysets struct {
	mu    sync.Mutex
	known map[tenancy.TenantID]envelope.Tenant // guarded by mu
}

func (k *keysets) get(id tenancy.TenantID) (envelope.Tenant, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := k.known[id]
	return t, ok
}

func (k *keysets) put(id tenancy.TenantID, t envelope.Tenant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || len(k.known) >= most {
		k.known = map[tenancy.TenantID]envelope.Tenant{}
	}
	k.known[id] = t
}

func (k *keysets) forget(id tenancy.TenantID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.known, id)
}

// sealingFor gets a tenant's keyset ready before the transaction. A tenant that has none
// gets one in the first change that seals something.
func (a *Authority) sealingFor(ctx context.Context, caller access.Caller, named tenancy.TenantID) (*sealing, error) {
	if a.envelope == nil {
		return nil, problem.Wrap(errors.New("authority: no envelope configured, so nothing can be sealed or opened"))
	}
	target, err := targetOf(caller, named)
	if err != nil {
		return nil, err
	}
	if target != caller.Tenant && caller.Tenant != tenancy.SystemTenantID {
		return nil, problem.Missing("tenant")
	}
	if t, ok := a.keysets.get(target); ok {
		return &sealing{keys: t}, nil
	}
	var wrapped []byte
	err = a.store.Read(ctx, target, func(tx *store.Tx) (err error) {
		wrapped, err = tx.TenantKeyset()
		return err
	})
	absent := problem.Is(err, problem.NotFound)
	if absent {
		wrapped, err = a.envelope.NewKeyset(ctx)
	}
	if err != nil {
		return nil, err
	}
	keys, err := a.envelope.Load(ctx, wrapped)
	if err != nil {
		return nil, err
	}
	if absent {
		return &sealing{keys: keys, wrapped: wrapped}, nil
	}
	a.keysets.put(target, keys)
	return &sealing{keys: keys}, nil
}

func (s *sealing) seal(c *change, clear secret.Secret, purpose envelope.AAD) ([]byte, error) {
	keys, err := s.settle(c)
	if err != nil {
		return nil, err
	}
	return keys.Seal(clear, purpose)
}

// settle stores a new keyset, unless another change has stored one meanwhile.
func (s *sealing) settle(c *change) (envelope.Tenant, error) {
	if s.wrapped == nil {
		return s.keys, nil
	}
	stored, err := c.tx.TenantKeyset()
	if problem.Is(err, problem.NotFound) {
		return s.keys, c.tx.PutTenantKeyset(s.wrapped, c.now)
	}
	if err != nil {
		return envelope.Tenant{}, err
	}
	if string(stored) == string(s.wrapped) {
		return s.keys, nil // an app's second secret, or the callback runs again
	}
	return c.a.envelope.Load(c.ctx, stored)
}
