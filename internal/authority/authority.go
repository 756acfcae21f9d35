// Package authority is the one road for changes: every operation of the management API,
// the commands and the jobs is a method here.
//
// A change goes: resolve what the caller holds → require the permission → the core's
// rule → write → audit event and feed row, all in one transaction → committed and
// durable → its revocations in the revocation journal, synced → applied to this node's
// index → acknowledged. If the audit event cannot be written nothing happens; if one of
// the later steps fails the change stands but is not acknowledged, and the error is of
// kind Unavailable.
//
// What a caller holds is always resolved inside the transaction that uses it, so a right
// that was taken away is gone for every change that commits later. Another tenant's
// object is NotFound; callers of the system tenant act on any tenant, by what they hold
// at the root of the system tenant.
package authority

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/envelope"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Config says what an Authority works with. Store and Peppers are required.
type Config struct {
	Store   *store.Store
	Format  secret.Format
	Peppers *secret.Peppers
	// ImportKeys are those under which other systems digested keys that are imported. Nil:
	// there are none.
	ImportKeys *secret.ImportKeys
	// Envelope seals the secrets that can be shown again. Nil: kinds of credentials that
	// need it cannot be made.
	Envelope *envelope.Envelope
	// Now is the clock; nil means time.Now. Its times are cut to microseconds, UTC.
	Now func() time.Time
	// Rand is where secrets and one-time tokens come from; nil means crypto/rand.
	Rand io.Reader
	// Logger receives what callers must not see; nil discards.
	Logger *slog.Logger
	// Applied returns when this node's index has applied the revision. Its error means
	// that the change is not acknowledged. Nil: nothing follows the feed here.
	Applied func(ctx context.Context, revision uint64) error
	// Undecided is told when it is unknown whether a commit took place, so that the index
	// answers nothing until it has read the feed again. Nil: nothing follows the feed here.
	Undecided func()
	// Journal receives every revocation before it is acknowledged. Nil keeps none: for
	// tests and tools only.
	Journal *Journal
	// Checkpoints receives the signed heads of the audit chain. Nil writes none.
	Checkpoints *CheckpointLog
	// WebhookAllow are networks in which webhooks may be although they are not public, over
	// http too. Nil: public addresses alone, over https.
	WebhookAllow []netip.Prefix
}

// Authority makes changes. Its methods may be used by any number of goroutines.
type Authority struct {
	store       *store.Store
	format      secret.Format
	peppers     *secret.Peppers
	importKeys  *secret.ImportKeys
	envelope    *envelope.Envelope
	clock       func() time.Time
	rand        io.Reader
	logger      *slog.Logger
	applied     func(ctx context.Context, revision uint64) error
	undecided   func()
	journal     *Journal
	checkpoints *CheckpointLog
	facts       *facts
	keysets     keysets

	installation atomic.Pointer[string] // its name, once it was read; nil before

	webhookAllow []netip.Prefix
	dispatching  sync.Mutex
	passed       map[string]passed // by webhook; guarded by dispatching

	unsealed atomic.Int64  // audit events since the last checkpoint
	wake     chan struct{} // asks Run for a checkpoint
	work     chan struct{} // asks Run to work off operations
	holder   string        // names this Authority where it has work in hand

	checking      sync.Mutex // held while a tenant's audit chain is checked: it takes a processor
	checkpointing sync.Mutex // held while a checkpoint is made, so that they reach the file in order
}

// New checks the configuration.
func New(c Config) (*Authority, error) {
	if c.Store == nil {
		return nil, errors.New("authority: no store configured")
	}
	if c.Peppers == nil {
		return nil, errors.New("authority: no peppers configured")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	holder, err := newID("wrk_")
	if err != nil {
		return nil, err
	}
	return &Authority{
		store: c.Store, format: c.Format, peppers: c.Peppers, importKeys: c.ImportKeys, envelope: c.Envelope, clock: c.Now, rand: &lockedReader{from: c.Rand}, logger: c.Logger,
		applied: c.Applied, undecided: c.Undecided, journal: c.Journal, checkpoints: c.Checkpoints,
		webhookAllow: c.WebhookAllow,
		facts:        newFacts(), wake: make(chan struct{}, 1), work: make(chan struct{}, 1), holder: holder,
	}, nil
}

// now is the time of a change: UTC, in the resolution that both databases keep.
func (a *Authority) now() time.Time { return a.clock().UTC().Truncate(time.Microsecond) }

// SystemCaller is the installation itself: jobs, the demo's seed and the first start.
// It may do everything, and audit shows it as what it is.
func SystemCaller() access.Caller {
	return access.Caller{
		Tenant:    tenancy.SystemTenantID,
		Principal: access.Principal{Type: access.PrincipalSystem, ID: string(tenancy.SystemTenantID)},
		Name:      "Claviger",
		Via:       access.ViaSystem,
	}
}

// Idempotency makes repeating a request harmless. Within 24 hours the same Key of the
// same caller answers the object that the first request made, without its secret; the
// same Key with another Request is the Conflict "idempotency_key_reused". The zero value
// asks for nothing.
type Idempotency struct {
	Key     string   // what the caller chose: 1 to 255 characters; empty means none
	Request [32]byte // a hash of the operation and its body
}
