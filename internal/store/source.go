package store

import (
	"context"

	"github.com/claviger-io/claviger/internal/verify"
)

var _ verify.Source = (*Store)(nil)

// Wait returns when the feed may have moved beyond a revision, or with ctx's error. On
// PostgreSQL it hears of other processes' commits too; on SQLite of this one's only.
func (s *Store) Wait(ctx context.Context, after uint64) error { return s.feed.wait(ctx, after) }

func (s *Store) Snapshot(ctx context.Context, put func(verify.Item) error) (uint64, error) {
	return 0, errClosed
}

func (s *Store) Changes(ctx context.Context, after uint64, limit int) ([]verify.Change, uint64, error) {
	return nil, 0, errClosed
}
