package store

import "sync"

// rightsCache remembers what was read under one rights revision. Everything in it changes
// only together with that revision, so no time-out is needed, and what another process
// changes is seen in the very next transaction.
type rightsCache struct {
	mu       sync.Mutex // guards all below
	revision uint64
	values   map[any]any
}

// maxCached bounds the cache; it starts anew when full.
const maxCached = 50_000

// cached returns the value of a key under the transaction's rights revision, loading it
// when it isn't known. Values are shared: nobody may change what they point to.
func cached[V any](tx *Tx, key any, load func() (V, error)) (V, error) {
	// What an uncommitted change made may be rolled back, and its revision given out again.
	if tx.head.rights != tx.committed.rights {
		return load()
	}
	c := &tx.store.rights
	c.mu.Lock()
	if c.revision == tx.head.rights {
		if v, ok := c.values[key].(V); ok {
			c.mu.Unlock()
			return v, nil
		}
	}
	c.mu.Unlock()
	v, err := load()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revision < tx.head.rights || c.values == nil || len(c.values) >= maxCached {
		c.revision, c.values = tx.head.rights, map[any]any{}
	}
	if c.revision == tx.head.rights {
		c.values[key] = v
	}
	return v, nil
}
