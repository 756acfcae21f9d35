package verify

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/claviger-io/claviger/internal/access"
)

// queries keeps compiled permission queries, of which a vendor has as many as there are
// checks in its APIs. Each has two places where it may be; a third query for both puts one
// out, so the cache is bounded and needs no lock.
type queries struct {
	seed   maphash.Seed
	places [maxQueries]atomic.Pointer[compiled]
}

const maxQueries = 4096

// compile returns the query, or an Invalid problem that gives the position of the mistake.
// text may be part of a buffer that is used again: what is kept is a copy.
func (q *queries) compile(text string) (*compiled, error) {
	h := maphash.String(q.seed, text)
	first, second := &q.places[h%maxQueries], &q.places[(h>>32)%maxQueries]
	for _, place := range [...]*atomic.Pointer[compiled]{first, second} {
		if c := place.Load(); c != nil && c.text == text {
			return c, nil
		}
	}
	text = strings.Clone(text)
	query, err := access.ParseQuery(text)
	if err != nil {
		return nil, err
	}
	place := first
	if first.Load() != nil && (second.Load() == nil || h>>63 == 1) {
		place = second
	}
	made := &compiled{Query: query, text: text}
	place.Store(made)
	return made, nil
}
