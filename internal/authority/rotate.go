package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
)

// rotateKey gives a key a new secret under the same ID.
func (a *Authority) rotateKey(ctx context.Context, caller access.Caller, in RotateKeyInput, of kinds) (out IssuedKey, err error) {
	tenant, err := a.keyTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	if err := credential.ValidateGrace(in.Grace); err != nil {
		return out, err
	}
	made, err := a.makeSecretsFor(ctx, caller, tenant, in.ID, of)
	if err != nil {
		return out, err
	}
	revision, err := a.changeOne(ctx, caller, tenant, in.ID, of, func(c *change, k credential.Credential, r keyRules) error {
		if err := r.mayRotate(&c.scope, k); err != nil {
			return err
		}
		out, err = once(c, of[0].noun+".rotate/"+in.ID.String(), in.Idempotency, func() (IssuedKey, string, error) {
			next, err := c.applyRotation(r, k, made, in.Grace)
			if err != nil {
				return IssuedKey{}, "", err
			}
			shown, err := c.show(next)
			return IssuedKey{Key: shown, Secret: made.clear(), SecretAvailable: true}, next.ID.String(), err
		}, c.withoutSecret(of))
		return err
	})
	if err != nil {
		return IssuedKey{}, err
	}
	out.Revision = revision
	return out, nil
}

// applyRotation rotates a key whose operation is permitted.
func (c *change) applyRotation(r keyRules, k credential.Credential, made freshSecrets, grace time.Duration) (credential.Credential, error) {
	next, until, err := c.rotate(k, made, grace)
	if err != nil {
		return k, err
	}
	return next, c.record(r.noun+".rotate", keyTarget(next), fields{"secret_version": k.SecretVersion},
		fields{"secret_version": next.SecretVersion, "grace_until": until})
}

// rotate ends the secrets before: the latest at the end of the grace period, any older one
// now, so that at most two ever work.
func (c *change) rotate(k credential.Credential, made freshSecrets, grace time.Duration) (next credential.Credential, until time.Time, err error) {
	known, err := c.tx.Rotation(k.ID)
	if err != nil {
		return k, until, err
	}
	if next, err = k.Rotate(c.now, known.Latest); err != nil {
		return k, until, err
	}
	next.Hint = made.hint()
	if err := c.tx.PutRotation(k.ID, store.Rotation{Latest: next.SecretVersion, PreviousHint: k.Hint}); err != nil {
		return k, until, err
	}
	if err := c.tx.DropPreviousUses(k.ID); err != nil {
		return k, until, err
	}
	until = c.now.Add(grace)
	if err := c.endSecrets(k, until); err != nil {
		return k, until, err
	}
	material, err := made.material(c, next.SecretVersion)
	if err != nil {
		return k, until, err
	}
	for _, m := range material {
		if err := c.tx.InsertMaterial(m); err != nil {
			return k, until, err
		}
	}
	if err := c.tx.UpdateCredential(next); err != nil {
		return k, until, err
	}
	c.revocations = append(c.revocations, rotatedEntry(next, k.SecretVersion, until))
	return next, until, nil
}

// endSecrets ends the present secrets at a time and those before them now.
func (c *change) endSecrets(k credential.Credential, until time.Time) error {
	old, err := c.tx.Material(k.ID)
	if err != nil {
		return err
	}
	for _, m := range old {
		end := c.now
		if m.Version == k.SecretVersion {
			end = until
		}
		if !m.ValidUntil.IsZero() && !m.ValidUntil.After(end) {
			continue
		}
		if m.Version < k.SecretVersion && m.Field == rulesOf(k.Kind).field {
			c.revocations = append(c.revocations, rotatedEntry(k, m.Version, end))
		}
		if err := c.tx.EndMaterial(k.ID, m.Field, m.Version, end); err != nil {
			return err
		}
	}
	return nil
}
