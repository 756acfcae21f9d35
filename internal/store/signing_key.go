package store

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/token"
)

type signingKeyRow struct {
	bun.BaseModel `bun:"table:signing_keys,alias:k"`

	ID            string
	Algorithm     string
	PublicKey     []byte
	Sealed        []byte
	CreatedAt     int64
	SignsFrom     int64
	VerifiesUntil int64 // forever while no other took over
}

func (r *signingKeyRow) key() (token.SigningKey, error) {
	return token.SigningKey{
		ID: r.ID, Algorithm: token.Algorithm(r.Algorithm), Public: r.PublicKey, Sealed: r.Sealed,
		CreatedAt: moment(r.CreatedAt), SignsFrom: moment(r.SignsFrom), VerifiesUntil: expiryMoment(r.VerifiesUntil),
	}, nil
}

// signingKeysItem is the name of all signing keys in the feed.
const signingKeysItem = "signing_keys"

var (
	insertSigningKey = insertInto("signing_keys", "id", "algorithm", "public_key", "sealed", "created_at", "signs_from", "verifies_until")
	signingKeyTaken  = problem.New(problem.Conflict, "signing_key_exists", "Another signing key has this ID.")
)

// AllTenantsSigningKeys lists the keys that tokens are signed and checked with, in the order
// in which they take over.
func (tx *Tx) AllTenantsSigningKeys() ([]token.SigningKey, error) {
	rows, err := all[signingKeyRow](tx, "signing keys", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Order("signs_from", "id")
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*signingKeyRow).key)
}

// AllTenantsInsertSigningKey adds a key.
func (tx *Tx) AllTenantsInsertSigningKey(k token.SigningKey) error {
	if err := tx.touchSigningKeys(); err != nil {
		return err
	}
	return tx.write(statement{text: insertSigningKey, taken: signingKeyTaken, args: []any{
		k.ID, string(k.Algorithm), k.Public, k.Sealed, micros(k.CreatedAt), micros(k.SignsFrom), expiryMicros(k.VerifiesUntil),
	}})
}

// AllTenantsEndSigningKey sets until when a key's tokens are good.
func (tx *Tx) AllTenantsEndSigningKey(id string, until time.Time) error {
	if err := tx.touchSigningKeys(); err != nil {
		return err
	}
	return tx.write(statement{
		text: "UPDATE signing_keys SET verifies_until = ? WHERE id = ?", args: []any{expiryMicros(until), id}, one: "signing key",
	})
}

// AllTenantsDeleteSigningKey removes a key: none of its tokens is good any more, and no
// form of its private half is left.
func (tx *Tx) AllTenantsDeleteSigningKey(id string) error {
	if err := tx.touchSigningKeys(); err != nil {
		return err
	}
	return tx.write(statement{text: "DELETE FROM signing_keys WHERE id = ?", args: []any{id}, one: "signing key"})
}

func (tx *Tx) touchSigningKeys() error {
	_, err := tx.AllTenantsIn("").touch(itemSigningKeys, signingKeysItem)
	return err
}
