package store

import (
	"context"
	"strings"

	"github.com/uptrace/bun"
)

// DueCredentials is the query for what is due, so that tests see how it is answered.
const DueCredentials = dueCredentials

// RecordEnd is the statement by which a credential ends that lists go on to show.
const RecordEnd = recordEnd

// Watch hands the text of each SELECT of the store's readers to seen, before it is asked. It
// is for a store that nobody uses yet.
func (s *Store) Watch(seen func(text string)) {
	s.db.read = s.db.read.WithQueryHook(watcher(seen))
}

type watcher func(text string)

func (w watcher) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	if strings.HasPrefix(e.Query, "SELECT") {
		w(e.Query)
	}
	return ctx
}

func (watcher) AfterQuery(context.Context, *bun.QueryEvent) {}

// OnYield has a store on SQLite that nobody uses yet call instead what lets others have the processor.
func (s *Store) OnYield(yield func()) { s.db.yield = yield }

// PassTurn is what a transaction calls between two statements.
func PassTurn(yield func()) func() { return (&turn{yield: yield}).pass }
