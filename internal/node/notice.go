package node

import (
	"context"
	"log/slog"
	"time"

	"github.com/claviger-io/claviger/internal/notice"
)

// noticesKept is how long it is known after the end what was announced of it: a clock that is
// set back by less tells nobody twice.
const noticesKept = 90 * 24 * time.Hour

// announceExpiring tells people of credentials that expire soon: at once, for what was missed,
// and at every quarter of an hour by the clock.
func (n *Node) announceExpiring(ctx context.Context) error {
	for {
		if _, err := n.authority.AnnounceExpiring(ctx); err != nil && ctx.Err() == nil {
			n.cfg.Logger.WarnContext(ctx, "people could not be told yet of credentials that expire", slog.Any("error", err))
		}
		now := n.cfg.Now()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(now.Truncate(notice.Every).Add(notice.Every).Sub(now)):
		}
	}
}
