package authority

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
)

// When signing keys change.
const (
	// signingKeyLife is how long a key signs before the next takes over by itself.
	signingKeyLife = 90 * 24 * time.Hour
	// signingKeyLead is how long a key is published before it signs. Whoever checks tokens
	// offline may keep the list of keys that long.
	signingKeyLead = time.Hour
	// signingKeyTail is how long a key's tokens are taken after the next took over: as long
	// as any token lives, and some.
	signingKeyTail = tenancy.MaxTokenLifetime + 10*time.Minute
)

// SigningKeysInput asks for the signing keys.
type SigningKeysInput struct{}

// RotateSigningKeyInput asks for a new signing key.
type RotateSigningKeyInput struct {
	Algorithm token.Algorithm // empty means that of the current key
	// AtOnce lets the new key sign from now on. Whoever checks tokens offline with a list of
	// keys that they kept does not know it yet. False: it takes over within an hour.
	AtOnce bool
}

// WithdrawSigningKeyInput names the signing key to withdraw.
type WithdrawSigningKeyInput struct{ ID string }

// SigningKeys lists the keys of the installation's tokens in the order in which they take
// over; their private halves stay sealed. It needs claviger.signing_keys:manage in the
// system tenant.
func (a *Authority) SigningKeys(ctx context.Context, caller access.Caller, _ SigningKeysInput) (out []token.SigningKey, err error) {
	err = a.view(ctx, caller, "", func(s *scope) error {
		if err := s.requireSystem(access.SigningKeysManage); err != nil {
			return err
		}
		out, err = s.tx.AllTenantsSigningKeys()
		return err
	})
	for i := range out {
		out[i].Sealed = nil
	}
	return out, err
}

// RotateSigningKey makes a new signing key. The others' tokens stay good until their last is
// over. It needs claviger.signing_keys:manage in the system tenant. Problems:
// rotation_under_way. Audited as signing_key.rotate.
func (a *Authority) RotateSigningKey(ctx context.Context, caller access.Caller, in RotateSigningKeyInput) (out token.SigningKey, err error) {
	if in.Algorithm != "" && !in.Algorithm.Valid() {
		return out, problem.InvalidField("/algorithm", "Choose ES256 or RS256.")
	}
	err = a.changeSigningKeys(ctx, caller, in.Algorithm, func(c *change, made madeSigningKey, now []token.SigningKey) error {
		if len(now) > 0 && now[len(now)-1].SignsFrom.After(c.now) && !in.AtOnce {
			return problem.New(problem.Conflict, "rotation_under_way", "A new key is about to take over already. Wait until it has, or rotate at once.")
		}
		out, err = c.addSigningKey(made, now, in.AtOnce)
		return err
	})
	return out, err
}

// WithdrawSigningKey ends a key whose private half may be known to others: none of its tokens
// is good any more, at once. If it was the one that signs, a new one takes its place. It
// needs claviger.signing_keys:manage in the system tenant. Audited as signing_key.withdraw.
func (a *Authority) WithdrawSigningKey(ctx context.Context, caller access.Caller, in WithdrawSigningKeyInput) (out token.SigningKey, err error) {
	err = a.changeSigningKeys(ctx, caller, "", func(c *change, made madeSigningKey, now []token.SigningKey) error {
		at := slices.IndexFunc(now, func(k token.SigningKey) bool { return k.ID == in.ID })
		if at < 0 {
			return problem.Missing("signing key")
		}
		out = now[at]
		if err := c.tx.AllTenantsDeleteSigningKey(out.ID); err != nil {
			return err
		}
		if out.ID == signingNow(now, c.now) {
			if err := c.replaceSigningKey(made, now); err != nil {
				return err
			}
		}
		return c.record("signing_key.withdraw", signingKeyTarget(out), signingKeyFields(out), nil)
	})
	out.Sealed = nil
	return out, err
}

// KeepSigningKeys makes the first signing key, lets a new one take over when the current one
// is old or of another algorithm, and removes those whose last token is over. Every start
// and a job call it. Audited as the installation's own doing.
func (a *Authority) KeepSigningKeys(ctx context.Context, alg token.Algorithm) error {
	var now []token.SigningKey
	err := a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		now, err = tx.AllTenantsSigningKeys()
		return err
	})
	if err != nil {
		return err
	}
	if !dueSigningKey(now, alg, a.now()) && overSigningKey(now, a.now()) == nil {
		return nil
	}
	return a.changeSigningKeys(ctx, SystemCaller(), alg, func(c *change, made madeSigningKey, now []token.SigningKey) error {
		for _, k := range overSigningKey(now, c.now) {
			if err := c.tx.AllTenantsDeleteSigningKey(k.ID); err != nil {
				return err
			}
			if err := c.record("signing_key.end", signingKeyTarget(k), signingKeyFields(k), nil); err != nil {
				return err
			}
		}
		if dueSigningKey(now, alg, c.now) {
			_, err := c.addSigningKey(made, now, false)
			return err
		}
		c.replayed = len(c.events) == 0 // another process was faster
		return nil
	})
}

// dueSigningKey says whether a new key should be made: there is none, or the newest is old
// or of another algorithm.
func dueSigningKey(list []token.SigningKey, alg token.Algorithm, now time.Time) bool {
	if len(list) == 0 {
		return true
	}
	newest := list[len(list)-1]
	return !newest.VerifiesUntil.IsZero() || newest.Algorithm != alg || !newest.SignsFrom.Add(signingKeyLife).After(now)
}

// overSigningKey are the keys whose last token is over.
func overSigningKey(list []token.SigningKey, now time.Time) (over []token.SigningKey) {
	for _, k := range list {
		if !k.VerifiesUntil.IsZero() && !k.VerifiesUntil.After(now) {
			over = append(over, k)
		}
	}
	return over
}

// OpenSigningKey opens the private half of a signing key, for package token.
func (a *Authority) OpenSigningKey(ctx context.Context, id string, sealed []byte) (secret.Secret, error) {
	keys, err := a.sealingFor(ctx, SystemCaller(), tenancy.SystemTenantID)
	if err != nil {
		return secret.Secret{}, err
	}
	return keys.keys.OpenSigningKey(sealed, id)
}

// madeSigningKey is a new key, made before the transaction.
type madeSigningKey struct {
	key     token.SigningKey
	private secret.Secret
	sealing *sealing
}

// changeSigningKeys gets a key of the algorithm ready, and runs fn with the keys that there
// are. Who may not change them is refused before a key is made. An empty algorithm is that of
// the newest key.
func (a *Authority) changeSigningKeys(ctx context.Context, caller access.Caller, alg token.Algorithm, fn func(*change, madeSigningKey, []token.SigningKey) error) error {
	err := a.view(ctx, caller, "", func(s *scope) error {
		if err := s.requireSystem(access.SigningKeysManage); err != nil {
			return err
		}
		list, err := s.tx.AllTenantsSigningKeys()
		if alg == "" {
			alg = token.ES256
			if len(list) > 0 {
				alg = list[len(list)-1].Algorithm
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	var made madeSigningKey
	if made.key, made.private, err = token.GenerateSigningKey(alg); err != nil {
		return err
	}
	if made.sealing, err = a.sealingFor(ctx, SystemCaller(), tenancy.SystemTenantID); err != nil {
		return err
	}
	_, err = a.change(ctx, caller, tenancy.SystemTenantID, func(c *change) error {
		if err := c.requireSystem(access.SigningKeysManage); err != nil {
			return err
		}
		now, err := c.tx.AllTenantsSigningKeys()
		if err != nil {
			return err
		}
		return fn(c, made, now)
	})
	return err
}

// addSigningKey lets a new key take over from those that there are.
func (c *change) addSigningKey(made madeSigningKey, now []token.SigningKey, atOnce bool) (token.SigningKey, error) {
	from := c.now
	if len(now) > 0 && !atOnce {
		from = c.now.Add(signingKeyLead)
	}
	k, err := c.insertSigningKey(made, from)
	if err != nil {
		return k, err
	}
	until := from.Add(signingKeyTail)
	for _, old := range now {
		if old.VerifiesUntil.IsZero() || old.VerifiesUntil.After(until) {
			if err := c.tx.AllTenantsEndSigningKey(old.ID, until); err != nil {
				return k, err
			}
		}
	}
	k.Sealed = nil
	return k, c.record("signing_key.rotate", signingKeyTarget(k), nil, signingKeyFields(k))
}

// signingNow is the ID of the key that signs at a time.
func signingNow(list []token.SigningKey, now time.Time) (id string) {
	for _, k := range list {
		if !k.SignsFrom.After(now) {
			id = k.ID
		}
	}
	return id
}

// replaceSigningKey lets a new key sign at once in place of one that is gone, until the next
// takes over if there is one already.
func (c *change) replaceSigningKey(made madeSigningKey, now []token.SigningKey) error {
	k, err := c.insertSigningKey(made, c.now)
	if err != nil {
		return err
	}
	if next := now[len(now)-1]; next.SignsFrom.After(c.now) {
		return c.tx.AllTenantsEndSigningKey(k.ID, next.SignsFrom.Add(signingKeyTail))
	}
	return nil
}

func (c *change) insertSigningKey(made madeSigningKey, from time.Time) (token.SigningKey, error) {
	k := made.key
	k.CreatedAt, k.SignsFrom = c.now, from
	keys, err := made.sealing.settle(c)
	if err != nil {
		return k, err
	}
	if k.Sealed, err = keys.SealSigningKey(made.private, k.ID); err != nil {
		return k, fmt.Errorf("sealing a signing key: %w", err)
	}
	if len(k.Public) == 0 {
		return k, errors.New("authority: a signing key without its public half")
	}
	return k, c.tx.AllTenantsInsertSigningKey(k)
}

func signingKeyTarget(k token.SigningKey) target {
	return target{kind: "signing_key", id: k.ID, name: string(k.Algorithm)}
}

func signingKeyFields(k token.SigningKey) fields {
	return fields{"algorithm": string(k.Algorithm), "signs_from": k.SignsFrom, "verifies_until": k.VerifiesUntil}
}
