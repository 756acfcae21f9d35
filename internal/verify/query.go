package verify

import (
	"hash/maphash"
	"strings"
	"sync"

	"github.com/claviger-io/claviger/internal/access"
)

// queries keeps compiled permission queries, of which a vendor has as many as it has
// checks in its APIs. It is bounded: a part that is full starts again.
type queries struct {
	seed  maphash.Seed
	parts [16]queryPart
}

const maxQueries = 256 // in each part

type queryPart struct {
	mu   sync.RWMutex // guards text
	text map[string]*compiled
	_    [64]byte
}

// compile returns the query, or an Invalid problem that gives the position of the mistake.
// text may be part of a buffer that is used again: what is kept is a copy.
func (q *queries) compile(text string) (*compiled, error) {
	p := &q.parts[maphash.String(q.seed, text)%uint64(len(q.parts))]
	p.mu.RLock()
	known := p.text[text]
	p.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	text = strings.Clone(text)
	parsed, err := access.ParseQuery(text)
	if err != nil {
		return nil, err
	}
	made := &compiled{Query: parsed}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.text == nil || len(p.text) >= maxQueries {
		p.text = make(map[string]*compiled)
	}
	p.text[text] = made
	return made, nil
}
