package credential

import (
	"time"

	"github.com/claviger-io/claviger/internal/problem"
)

// StateAt is the state as of now: a credential that nothing has ended yet is Expired from
// ExpiresAt on, also before anything has recorded it.
func (c Credential) StateAt(now time.Time) State {
	if (c.State == Active || c.State == Suspended) && !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt) {
		return Expired
	}
	return c.State
}

// Suspend stops an active credential until it is resumed.
func (c Credential) Suspend(now time.Time) (Credential, error) {
	if c.StateAt(now) == Suspended {
		return c, problem.New(problem.Conflict, "already_suspended", "The credential is suspended already. Resume it to use it again.")
	}
	if err := c.living(now); err != nil {
		return c, err
	}
	c.State = Suspended
	return c, nil
}

// Resume lets a suspended credential work again.
func (c Credential) Resume(now time.Time) (Credential, error) {
	if c.StateAt(now) == Active {
		return c, problem.New(problem.Conflict, "not_suspended", "The credential is active. There is nothing to resume.")
	}
	if err := c.living(now); err != nil {
		return c, err
	}
	c.State, c.ResumedAt = Active, moment(now)
	return c, nil
}

// Revoke ends a credential for good. Of one that is past its time but not recorded as
// expired it still does: another node's clock may see that time differently.
func (c Credential) Revoke(now time.Time) (Credential, error) {
	if c.State != Active && c.State != Suspended {
		return c, c.ended(c.State)
	}
	c.State, c.EndedAt = Revoked, moment(now)
	return c, nil
}

// Expire records that a credential's time is over, and hides it from lists (NV12).
func (c Credential) Expire(now time.Time) (Credential, error) {
	if c.State != Active && c.State != Suspended {
		return c, c.ended(c.State)
	}
	if c.StateAt(now) != Expired {
		return c, problem.New(problem.Conflict, "not_due", "The credential's time is not over yet. Revoke it to end it now.")
	}
	c.State, c.EndedAt, c.DeletedAt = Expired, c.ExpiresAt, moment(now)
	return c, nil
}

// Delete hides a credential from lists, and revokes it first where that is still to do.
func (c Credential) Delete(now time.Time) (Credential, error) {
	if !c.DeletedAt.IsZero() || (c.State != Active && c.State != Suspended && c.State != Revoked) {
		return c, c.ended(c.State)
	}
	if c.State == Active || c.State == Suspended {
		c.State, c.EndedAt = Revoked, moment(now)
	}
	c.DeletedAt = moment(now)
	return c, nil
}

// Rename gives a credential that has not ended another name, exactly as it is given.
func (c Credential) Rename(name string) (Credential, error) {
	if err := ValidateName(name); err != nil {
		return c, err
	}
	if c.State != Active && c.State != Suspended {
		return c, c.ended(c.State)
	}
	c.Name = name
	return c, nil
}

// Rotate counts the next version of the secret. latest is the highest that any of its
// secrets had: a rotation that was rolled back leaves it above the present one, and no
// version is used twice. A suspended credential may be rotated and stays suspended: a
// leaked key is exchanged before it is let work again.
func (c Credential) Rotate(now time.Time, latest int) (Credential, error) {
	if c.Kind.KeyType() == "" {
		return c, problem.New(problem.Conflict, "not_rotatable", "A credential of this kind has no secret to exchange. Make another one, then revoke this.")
	}
	if err := c.living(now); err != nil {
		return c, err
	}
	c.SecretVersion, c.Origin = max(c.SecretVersion, latest)+1, Made
	return c, nil
}

// FinishRotation checks that there is a grace period to end: until when the secret before
// the present one works, exclusive; zero for none.
func (c Credential) FinishRotation(now, until time.Time) error {
	if err := c.living(now); err != nil {
		return err
	}
	if !now.Before(until) {
		return problem.New(problem.Conflict, "not_in_grace", "The secret before no longer works. There is nothing to finish.")
	}
	return nil
}

// RollBack makes the secret before the present one current again. previous is its version
// and until the end of its grace period, exclusive.
func (c Credential) RollBack(now time.Time, previous int, until time.Time) (Credential, error) {
	if err := c.living(now); err != nil {
		return c, err
	}
	if previous < 1 || !now.Before(until) {
		return c, problem.New(problem.Conflict, "not_in_grace", "The secret before no longer works, so there is none to go back to. Rotate again for a new one.")
	}
	c.SecretVersion = previous
	return c, nil
}

// Replace checks that another credential can take the place of this one.
func (c Credential) Replace(now time.Time) error { return c.living(now) }

// living returns a Conflict problem unless the credential is active or suspended now.
func (c Credential) living(now time.Time) error {
	if s := c.StateAt(now); s != Active && s != Suspended {
		return c.ended(s)
	}
	return nil
}

// ended says how a credential ended and what can be done about it.
func (c Credential) ended(s State) error {
	switch {
	case s == Expired:
		return problem.New(problem.Conflict, "expired", "The credential has expired, and that is final. Issue a new one.")
	case !c.DeletedAt.IsZero():
		return problem.New(problem.Conflict, "deleted", "The credential was deleted, and that is final. Issue a new one.")
	case s == Revoked:
		return problem.New(problem.Conflict, "revoked", "The credential was revoked, and that is final. Issue a new one.")
	}
	return problem.New(problem.Conflict, "unknown_state", "The credential is in no state that allows this. Issue a new one.")
}

// moment is a time as it is stored.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
