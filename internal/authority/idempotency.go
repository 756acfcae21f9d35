package authority

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"
	"unicode/utf8"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
)

// IdempotencyLifetime is how long a repeated request is recognised.
const IdempotencyLifetime = 24 * time.Hour

// once does something and remembers the object it made under the caller's idempotency
// key, in the same transaction; a repeated request gets again of that object instead.
// Callers check permissions before, so a right that is gone is gone for repeats too.
func once[T any](c *change, operation string, i Idempotency, do func() (out T, id string, err error), again func(id string) (T, error)) (T, error) {
	var none T
	if i.Key == "" {
		out, _, err := do()
		return out, err
	}
	if len(i.Key) > 255 || !utf8.ValidString(i.Key) || plain(i.Key) != i.Key {
		return none, problem.InvalidField("header.Idempotency-Key", "Use 1 to 255 printable characters.")
	}
	scope := string(c.caller.Tenant) + "/" + string(c.caller.Principal.Type) + "/" + c.caller.Principal.ID
	hash := sha256.Sum256(append([]byte(operation+"\x00"), i.Request[:]...))
	home := c.tx.AllTenantsIn(c.caller.Tenant)
	rec, err := home.Idempotency(scope, i.Key, c.now)
	if err == nil {
		if subtle.ConstantTimeCompare(rec.RequestHash, hash[:]) != 1 {
			return none, problem.New(problem.Conflict, "idempotency_key_reused", "This Idempotency-Key was used for another request within 24 hours. Choose a new one.")
		}
		c.replayed = true
		return again(string(rec.Body))
	}
	if !problem.Is(err, problem.NotFound) {
		return none, err
	}
	out, id, err := do()
	if err != nil {
		return none, err
	}
	return out, home.PutIdempotency(store.IdempotencyRecord{
		Scope: scope, Key: i.Key, RequestHash: hash[:], Body: []byte(id), ExpiresAt: c.now.Add(IdempotencyLifetime),
	})
}
