package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

const (
	// usageSpread is how long it may take to write what was counted. Each chunk is followed by a rest,
	// which leaves processors and disk to verification and to others' writes: leastRest times as long
	// as the chunk took, mostRest times where there is time for it.
	usageSpread         = 10 * time.Minute
	leastRest, mostRest = 2, 9
	// lastChunk is how much is written at once by a node that stops, whose changes nobody waits for.
	lastChunk = 1000
)

// keepUsage writes what verification counted, now and then: soon where that is quick, less
// often where many keys are in use, so that it takes a twentieth of the time at most until
// the longest pause is reached.
func (n *Node) keepUsage(ctx context.Context) error {
	pause := usageLeast
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		began := time.Now()
		if err := n.flushUsage(ctx, store.UsageChunk, usageSpread); err != nil && ctx.Err() == nil {
			n.cfg.Logger.WarnContext(ctx, "usage could not be written; it is kept for the next time", slog.Any("error", err))
		}
		pause = usagePause(time.Since(began))
	}
}

func usagePause(took time.Duration) time.Duration {
	return min(max(20*took, usageLeast), usageMost)
}

// usageRest is how long to rest after a chunk that took so long, when so many are left and so
// much time.
func usageRest(took time.Duration, chunks int, left time.Duration) time.Duration {
	return min(max(left/time.Duration(chunks)-took, leastRest*took), mostRest*took)
}

// flushUsage writes everything counted so far, in chunks of so many credentials' usage, and rests
// between them so that it takes about as long as spread at most; 0 means that it doesn't rest. What
// can't be written is kept for the next time. One goroutine at a time may call it.
func (n *Node) flushUsage(ctx context.Context, size int, spread time.Duration) error {
	err := n.index.DrainUsage(func(u verify.Usage) error {
		n.usage = append(n.usage, u)
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading usage: %w", err)
	}
	quotasFirst(n.usage)
	if spread == 0 && len(n.usage) > size {
		n.cfg.Logger.InfoContext(ctx, "writing what was counted of keys' use", slog.Int("keys", len(n.usage)))
	}
	end := time.Now().Add(spread)
	for len(n.usage) > 0 {
		began := time.Now()
		chunk := n.usage[:min(len(n.usage), size)]
		if err := n.store.AddUsage(ctx, chunk); err != nil {
			return fmt.Errorf("writing usage: %w", err)
		}
		n.usage = n.usage[len(chunk):]
		if spread == 0 || len(n.usage) == 0 {
			continue
		}
		select {
		case <-time.After(usageRest(time.Since(began), (len(n.usage)+size-1)/size, time.Until(end))):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	n.usage = nil
	return nil
}

// quotasFirst puts what has quotas before everything else: after a crash a node goes on from
// what was written of them.
func quotasFirst(list []verify.Usage) {
	slices.SortStableFunc(list, func(a, b verify.Usage) int { return cmp.Compare(min(len(b.Quotas), 1), min(len(a.Quotas), 1)) })
}

// keepPrevious writes from where earlier secrets were used, soon: whoever rotates a secret waits for it.
func (n *Node) keepPrevious(ctx context.Context) error {
	every(ctx, usageLeast, func() {
		if err := n.flushPrevious(ctx); err != nil && ctx.Err() == nil {
			n.cfg.Logger.WarnContext(ctx, "the use of earlier secrets could not be written; it is kept for the next time", slog.Any("error", err))
		}
	})
	return nil
}

// flushPrevious writes from where earlier secrets were used. What was noted meanwhile waits
// in the index, which bounds it, until what could not be written has been. One goroutine at a
// time may call it.
func (n *Node) flushPrevious(ctx context.Context) error {
	if len(n.previous) == 0 {
		n.previous = n.index.DrainPreviousUses()
	}
	done, err := n.store.AddPreviousUses(ctx, n.previous)
	if n.previous = n.previous[done:]; len(n.previous) == 0 {
		n.previous = nil
	}
	if err != nil {
		return fmt.Errorf("writing the use of earlier secrets: %w", err)
	}
	return nil
}

// expire ends what has expired. Verification refuses it without this, by the clock.
func (n *Node) expire(ctx context.Context) error {
	every(ctx, expireEvery, func() {
		for ctx.Err() == nil {
			ended, err := n.authority.ExpireDue(ctx)
			if err != nil && ctx.Err() == nil {
				n.cfg.Logger.WarnContext(ctx, "expired credentials could not be ended yet", slog.Any("error", err))
			}
			if err != nil || ended == 0 {
				return
			}
		}
	})
	return nil
}

// suspendIdle suspends what lay idle for longer than its tenant's policy allows.
func (n *Node) suspendIdle(ctx context.Context) error {
	every(ctx, idleEvery, func() {
		if _, err := n.authority.SuspendIdle(ctx); err != nil && ctx.Err() == nil {
			n.cfg.Logger.WarnContext(ctx, "idle credentials could not be suspended yet", slog.Any("error", err))
		}
	})
	return nil
}

// keepSigningKeys lets new signing keys take over and removes old ones when it is time.
func (n *Node) keepSigningKeys(ctx context.Context) error {
	every(ctx, signingEvery, func() {
		if err := n.authority.KeepSigningKeys(ctx, n.cfg.TokenAlgorithm); err != nil && ctx.Err() == nil {
			n.cfg.Logger.WarnContext(ctx, "the signing keys could not be looked after", slog.Any("error", err))
		}
	})
	return nil
}

// prune forgets now and then what need not be kept any longer.
func (n *Node) prune(ctx context.Context) error {
	every(ctx, pruneEvery, func() {
		if err := n.Prune(ctx); err != nil && ctx.Err() == nil {
			n.cfg.Logger.WarnContext(ctx, "what is no longer needed could not be removed yet", slog.Any("error", err))
		}
	})
	return nil
}

// Prune forgets what need not be kept any longer: digests of secrets that ended 90 days
// ago, the change feed but for its newest part, idempotency records that ended, from where
// earlier secrets were used that long ago, what was announced of ends that are over as long, and
// deliveries that were done with 30 days ago.
func (n *Node) Prune(ctx context.Context) error {
	_, forgotten := n.authority.ForgetEnded(ctx)
	_, idempotency := n.store.Write(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
		return errors.Join(
			tx.AllTenantsPruneIdempotency(n.cfg.Now()),
			tx.AllTenantsPruneNotices(n.cfg.Now().Add(-noticesKept)),
			tx.AllTenantsPrunePreviousUses(n.cfg.Now().Add(-credential.DigestRetention)),
		)
	})
	return errors.Join(forgotten, n.authority.ForgetWebhookSecrets(ctx), idempotency, n.outbox.Tidy(ctx),
		n.store.PruneUsage(ctx, n.cfg.Now().Add(-n.cfg.UsageKept)), n.store.PruneFeed(ctx, n.cfg.FeedKept))
}

// every calls do until ctx ends, with the pause between two calls.
func every(ctx context.Context, pause time.Duration, do func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}
