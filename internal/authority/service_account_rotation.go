package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// A key pair of a service account can't get another secret under the same key ID. So what
// rotates it is a second key pair that takes its place, and it ends with the grace period.

// RotateServiceAccountKeyInput asks for a second key pair in the place of one.
type RotateServiceAccountKeyInput struct {
	Tenant       tenancy.TenantID
	ID           credential.ID
	PublicKeyPEM string        // as in IssueServiceAccountKeyInput
	Grace        time.Duration // 0 to 30 days: how long the key before goes on working
	Idempotency
}

// RotateServiceAccountKey makes a second key pair, or takes its public half, with the name,
// the networks, the metadata and at most the life of the one whose place it takes, which ends with the
// grace period (B3). One whose place that one has taken ends at once, so that at most two work. It needs claviger.service_accounts:manage where the account is and
// everything that the account holds. Problems: public_key_taken, rotation_under_way.
// Audited as service_account_key.rotate, and the new key as service_account_key.issue.
func (a *Authority) RotateServiceAccountKey(ctx context.Context, caller access.Caller, in RotateServiceAccountKeyInput) (out IssuedServiceAccountKey, err error) {
	if err := credential.ValidateGrace(in.Grace); err != nil {
		return out, err
	}
	tenant, err := a.keyTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	// A key pair costs much time, so who may not have one is refused before it is made.
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		_, err := s.rotatablePair(in.ID)
		return err
	})
	if err != nil {
		return out, err
	}
	pair, err := a.makeKeyPair(in.PublicKeyPEM)
	if err != nil {
		return out, err
	}
	revision, err := a.change(ctx, caller, tenant, func(c *change) error {
		old, err := c.rotatablePair(in.ID)
		if err != nil {
			return err
		}
		account, _, err := c.serviceAccount(tenancy.ServiceAccountID(old.Principal.ID))
		if err != nil {
			return err
		}
		out, err = c.issuePair("service_account_key.rotate/"+old.ID.String(), in.Idempotency, account, pair, func() (credential.Credential, error) {
			return c.replacePair(account, old, in.Grace, pair)
		})
		return err
	})
	if err != nil {
		return IssuedServiceAccountKey{}, err
	}
	out.Revision = revision
	return out, nil
}

func (s *scope) rotatablePair(id credential.ID) (credential.Credential, error) {
	k, r, err := s.key(kinds{serviceAccountKeys}, id)
	if err != nil {
		return k, err
	}
	return k, r.mayRotate(s, k)
}

// replacePair makes the second key, and lets the one before end.
func (c *change) replacePair(account tenancy.ServiceAccount, old credential.Credential, grace time.Duration, pair keyPair) (credential.Credential, error) {
	if err := old.Replace(c.now); err != nil {
		c.reaffirm(old)
		return old, err
	}
	known, err := c.tx.Rotation(old.ID)
	if err != nil {
		return old, err
	}
	if !known.Successor.IsZero() {
		return old, problem.New(problem.Conflict, "rotation_under_way", "Another key takes the place of this one already. Finish that or roll it back first.")
	}
	k, err := c.keyLike(serviceAccountKeys, wish{
		name: old.Name, networks: old.Networks, labels: tenancy.Labels{Metadata: old.Labels.Metadata}, // an external ID can't be had twice
	}, pair.name)
	if err != nil {
		return old, err
	}
	if k, err = c.ofAccount(account, k, pair); err != nil {
		return old, err
	}
	k.ExpiresAt = earlierEnd(k.ExpiresAt, old.ExpiresAt)
	replaced, err := c.predecessors(old)
	if err != nil {
		return old, err
	}
	if err := c.insertAccountKey(k, pair); err != nil {
		return old, err
	}
	for _, p := range replaced { // at most two work, as of other kinds' secrets
		if _, err := c.applyTransition(serviceAccountKeys, p, revokeKey); err != nil {
			return old, err
		}
	}
	if grace == 0 {
		_, err = c.applyTransition(serviceAccountKeys, old, revokeKey)
		return k, err
	}
	until := c.now.Add(grace)
	if err := c.tx.EndMaterial(old.ID, credential.FieldKey, old.SecretVersion, until); err != nil {
		return old, err
	}
	if err := c.tx.PutRotation(old.ID, store.Rotation{Latest: old.SecretVersion, Successor: k.ID, ExpiresAt: &old.ExpiresAt}); err != nil {
		return old, err
	}
	next := old
	next.ExpiresAt = earlierEnd(old.ExpiresAt, until)
	if err := c.tx.UpdateCredential(next); err != nil {
		return old, err
	}
	return k, c.record(serviceAccountKeys.noun+".rotate", keyTarget(old), fields{"expires_at": old.ExpiresAt},
		fields{"expires_at": next.ExpiresAt, "replaced_by": k.ID})
}

// predecessors are the keys that a key has taken the place of and whose grace period goes on.
func (s *scope) predecessors(k credential.Credential) (list []credential.Credential, err error) {
	all, err := s.tx.CredentialsOf(k.Principal)
	if err != nil {
		return nil, err
	}
	ids := make([]credential.ID, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	successors, err := s.tx.Successors(ids)
	for _, other := range all {
		if successors[other.ID] == k.ID && !finalState(other.StateAt(s.now)) {
			list = append(list, other)
		}
	}
	return list, err
}

// finishPair revokes a key that is replaced before its grace period is over.
func (c *change) finishPair(k credential.Credential) (credential.Credential, fields, error) {
	known, err := c.tx.Rotation(k.ID)
	if err != nil {
		return k, nil, err
	}
	if err := k.FinishRotation(c.now, graceOf(k, known)); err != nil {
		c.reaffirm(k)
		return k, nil, err
	}
	next, err := c.transit(k, revokeKey)
	return next, fields{"state": next.State, "replaced_by": known.Successor}, err
}

// earlierEnd is the earlier of two ends, of which the zero time is none.
func earlierEnd(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// rollBackPair revokes the second key and lets the one before live as long as that would, but
// no longer than it would have without: whoever has the second end later gives the first no
// more than policy did.
func (c *change) rollBackPair(k credential.Credential) (credential.Credential, fields, error) {
	known, err := c.tx.Rotation(k.ID)
	if err != nil {
		return k, nil, err
	}
	next, err := k.RollBack(c.now, k.SecretVersion, graceOf(k, known))
	if err != nil {
		return k, nil, err
	}
	second, err := c.tx.Credential(known.Successor)
	if err != nil {
		return k, nil, err
	}
	if !finalState(second.State) {
		if _, err := c.applyTransition(serviceAccountKeys, second, revokeKey); err != nil {
			return k, nil, err
		}
	}
	next.ExpiresAt = second.ExpiresAt
	if known.ExpiresAt != nil {
		next.ExpiresAt = earlierEnd(second.ExpiresAt, *known.ExpiresAt)
	}
	if err := serviceAccountKeys.mayGive(&c.scope, next); err != nil {
		return k, nil, err
	}
	if err := c.tx.EndMaterial(k.ID, credential.FieldKey, k.SecretVersion, time.Time{}); err != nil {
		return k, nil, err
	}
	if err := c.tx.UpdateCredential(next); err != nil {
		return k, nil, err
	}
	if err := c.tx.PutRotation(k.ID, store.Rotation{Latest: k.SecretVersion}); err != nil {
		return k, nil, err
	}
	return next, fields{"expires_at": next.ExpiresAt, "revoked": second.ID}, c.tx.DropPreviousUses(k.ID)
}

// graceOf is the end of a replaced key's grace period; zero for one that isn't replaced.
func graceOf(k credential.Credential, known store.Rotation) time.Time {
	if known.Successor.IsZero() {
		return time.Time{}
	}
	return k.ExpiresAt
}

var (
	finishPairRotation = rotationChange{action: "finish_rotation", apply: (*change).finishPair}
	rollBackPair       = rotationChange{action: "roll_back", keeps: true, apply: (*change).rollBackPair}
)

// FinishServiceAccountKeyRotation revokes a key that is replaced, before its grace period is
// over (B3). Rights as RevokeServiceAccountKey. Problems: not_in_grace. Audited as
// service_account_key.finish_rotation, and in the revocation journal before it returns.
func (a *Authority) FinishServiceAccountKeyRotation(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeRotation(ctx, caller, in, kinds{serviceAccountKeys}, finishPairRotation)
}

// RollBackServiceAccountKey revokes the key that was to take the place of one in its grace
// period, which lives on as long as that would have, but no longer than before (B3). Rights as RotateServiceAccountKey.
// Problems: not_in_grace. Audited as service_account_key.roll_back, and the other key as
// service_account_key.revoke.
func (a *Authority) RollBackServiceAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeRotation(ctx, caller, in, kinds{serviceAccountKeys}, rollBackPair)
}

// ServiceAccountKeyPreviousUses answers from where a key that is replaced was used since
// (B3). Rights as FinishServiceAccountKeyRotation.
func (a *Authority) ServiceAccountKeyPreviousUses(ctx context.Context, caller access.Caller, in KeyInput) (PreviousSecretUses, error) {
	return a.previousSecretUses(ctx, caller, in, kinds{serviceAccountKeys})
}
