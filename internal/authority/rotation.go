package authority

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
)

// PreviousSecretUses is from where the secret before the present one was used since the
// rotation, to about a minute ago.
type PreviousSecretUses struct {
	// Version is of the secret before; zero where there is none, or none is known any more.
	Version    int
	ValidUntil time.Time // the end of its grace period, exclusive, which may be over
	Uses       []PreviousSecretUse
	// OtherCalls came from further places, too many to tell apart.
	OtherCalls int64
}

// PreviousSecretUse is the calls from one place.
type PreviousSecretUse struct {
	Source     netip.Addr // zero means not known
	UserAgent  string     // empty means not known
	LastUsedAt time.Time
	Calls      int64
}

// earlier is what is known of the secret before a credential's present one.
type earlier struct {
	version  int       // zero for none
	until    time.Time // exclusive
	hint     string
	latest   int // the highest version that any secret of the credential had
	material []credential.Material
}

func (s *scope) earlier(k credential.Credential) (e earlier, err error) {
	if e.material, err = s.tx.Material(k.ID); err != nil {
		return e, err
	}
	known, err := s.tx.Rotation(k.ID)
	if err != nil {
		return e, err
	}
	e.latest, e.hint = max(known.Latest, k.SecretVersion), known.PreviousHint
	for _, m := range e.material {
		e.latest = max(e.latest, m.Version)
		if m.Version < k.SecretVersion && !m.ValidUntil.Before(e.until) {
			e.version, e.until = m.Version, m.ValidUntil
		}
	}
	if e.hint == "" { // rotated by a release that kept none: what all its secrets begin with
		first, _, _ := strings.Cut(k.Hint, "…")
		e.hint = first + "…"
	}
	return e, nil
}

// replaced is what was replaced: the secret before, or the key itself of a service account.
func (s *scope) replaced(k credential.Credential) (earlier, error) {
	if k.Kind != credential.ServiceAccountKey {
		return s.earlier(k)
	}
	known, err := s.tx.Rotation(k.ID)
	if err != nil || known.Successor.IsZero() {
		return earlier{}, err
	}
	return earlier{version: k.SecretVersion, until: k.ExpiresAt}, nil
}

// rotationChange ends one of the two secrets that work in a grace period.
type rotationChange struct {
	action string
	// keeps says that the earlier secret is the one that goes on, which is to give it.
	keeps bool
	apply func(*change, credential.Credential) (next credential.Credential, after fields, err error)
}

var (
	finishRotation = rotationChange{action: "finish_rotation", apply: (*change).finishRotation}
	rollBack       = rotationChange{action: "roll_back", keeps: true, apply: (*change).rollBack}
)

// finishRotation ends the secret before the present one. A second time it is a Conflict,
// which acknowledges the first, so that goes to the journal again.
func (c *change) finishRotation(k credential.Credential) (credential.Credential, fields, error) {
	e, err := c.earlier(k)
	if err != nil {
		return k, nil, err
	}
	if err := k.FinishRotation(c.now, e.until); err != nil {
		if e.version > 0 {
			c.revocations = append(c.revocations, rotatedEntry(k, e.version, e.until))
		}
		c.reaffirm(k)
		return k, nil, err
	}
	for _, m := range e.material {
		if m.Version == k.SecretVersion || !m.ValidUntil.After(c.now) {
			continue
		}
		if err := c.tx.EndMaterial(k.ID, m.Field, m.Version, c.now); err != nil {
			return k, nil, err
		}
	}
	c.revocations = append(c.revocations, rotatedEntry(k, e.version, c.now))
	return k, fields{"secret_version": k.SecretVersion, "ended_version": e.version, "grace_until": c.now}, nil
}

// rollBack ends the present secret, and the one before is current again without an end.
func (c *change) rollBack(k credential.Credential) (credential.Credential, fields, error) {
	e, err := c.earlier(k)
	if err != nil {
		return k, nil, err
	}
	next, err := k.RollBack(c.now, e.version, e.until)
	if err != nil {
		if e.latest > k.SecretVersion {
			c.revocations = append(c.revocations, rolledBackEntry(k, e.latest, c.now))
		}
		c.reaffirm(k)
		return k, nil, err
	}
	next.Hint = e.hint
	for _, m := range e.material {
		var err error
		switch m.Version {
		case k.SecretVersion:
			err = c.tx.EndMaterial(k.ID, m.Field, m.Version, c.now)
		case e.version:
			next.Origin = originOf(m)
			err = c.tx.EndMaterial(k.ID, m.Field, m.Version, time.Time{})
		}
		if err != nil {
			return k, nil, err
		}
	}
	if err := c.tx.UpdateCredential(next); err != nil {
		return k, nil, err
	}
	if err := c.tx.PutRotation(k.ID, store.Rotation{Latest: e.latest}); err != nil {
		return k, nil, err
	}
	c.revocations = append(c.revocations, rolledBackEntry(next, k.SecretVersion, c.now))
	return next, fields{"secret_version": next.SecretVersion, "ended_version": k.SecretVersion}, c.tx.DropPreviousUses(k.ID)
}

// applyRotationChange changes a key whose operation is permitted.
func (c *change) applyRotationChange(noun string, about target, k credential.Credential, r rotationChange) (credential.Credential, error) {
	next, after, err := r.apply(c, k)
	if err != nil {
		return k, err
	}
	return next, c.record(noun+"."+r.action, about, fields{"secret_version": k.SecretVersion}, after)
}

// mayChangeRotation checks the right to end one of two secrets: who may end a key may end
// its earlier secret; to let that go on without an end is to give it.
func (s *scope) mayChangeRotation(r keyRules, k credential.Credential, keeps bool) error {
	if keeps {
		return r.mayRotate(s, k)
	}
	if err := r.mayChange(s, k); err != nil {
		return err
	}
	return s.apiAccess(false)
}

// changeRotation finishes a rotation or rolls it back.
func (a *Authority) changeRotation(ctx context.Context, caller access.Caller, in KeyInput, of kinds, r rotationChange) (out Key, err error) {
	revision, err := a.changeOne(ctx, caller, in.Tenant, in.ID, of, func(c *change, k credential.Credential, rules keyRules) error {
		if err := c.mayChangeRotation(rules, k, r.keeps); err != nil {
			return err
		}
		out, err = once(c, of[0].noun+"."+r.action+"/"+in.ID.String(), in.Idempotency, func() (Key, string, error) {
			next, err := c.applyRotationChange(rules.noun, keyTarget(k), k, r)
			if err != nil {
				return Key{}, "", err
			}
			shown, err := c.show(next)
			return shown, next.ID.String(), err
		}, func(id string) (Key, error) { return c.keyAgain(of, id) })
		return err
	})
	if err != nil {
		return Key{}, err
	}
	out.Revision = revision
	return out, nil
}

// previousSecretUses answers who still uses the secret before to those who may end it.
func (a *Authority) previousSecretUses(ctx context.Context, caller access.Caller, in KeyInput, of kinds) (out PreviousSecretUses, err error) {
	err = a.viewOne(ctx, caller, in, of, func(s *scope, k credential.Credential, r keyRules) (err error) {
		if err := s.mayChangeRotation(r, k, false); err != nil {
			return err
		}
		out, err = s.previousUses(k)
		return err
	})
	return out, err
}

func (s *scope) previousUses(k credential.Credential) (out PreviousSecretUses, err error) {
	e, err := s.replaced(k)
	if err != nil || e.version == 0 {
		return out, err
	}
	out.Version, out.ValidUntil = e.version, e.until
	found, err := s.tx.PreviousUses(k.ID, e.version)
	if err != nil {
		return out, err
	}
	for _, u := range found {
		if u.Others {
			out.OtherCalls += u.Calls
			continue
		}
		out.Uses = append(out.Uses, PreviousSecretUse{Source: u.Source, UserAgent: u.UserAgent, LastUsedAt: u.LastAt, Calls: u.Calls})
	}
	return out, nil
}
