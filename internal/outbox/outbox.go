// Package outbox delivers mail and webhooks: what is to go out lies in the database, made in
// the transaction of what it tells of, and a worker on any node takes it from there.
//
// What it promises:
//
//   - Every delivery is attempted at least once. It is attempted again after an attempt whose
//     outcome could not be recorded, such as that of a process which was killed; the other side
//     can tell by the delivery's ID, which every attempt carries.
//   - However many nodes work, one of them has a delivery at a time: whoever takes it gets a
//     lease and a fence, and whoever comes back after their lease was taken over changes nothing.
//   - Whoever doesn't answer, or has very much to be told, keeps no other waiting: neither another
//     recipient nor another tenant.
//   - Deliveries of one lane go one after another, in the order in which they were made.
//   - What fails is tried again after 30 s, then ever more seldom up to every 6 h, for 3 days
//     since the first attempt. Then, or when the other side refuses it for good, it is dead:
//     logged, counted, listed, and tried again only when somebody says so.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/claviger-io/claviger/internal/store"
)

// Sender makes one attempt. nil means delivered, or that there is nothing left to deliver. A
// *Failure says more than another error, which is a reason to try again. What an error says
// is shown to administrators: it must hold no secret.
//
// ctx ends with the attempt's time. Many attempts are made at the same time.
type Sender interface {
	Send(ctx context.Context, d store.Delivery) error
}

// Failure is an attempt that failed.
type Failure struct { //nolint:errname // it says what a failed attempt means for the delivery
	Permanent  bool          // trying again is of no use
	Status     int           // what the other side answered: SMTP's code, HTTP's status; 0: nothing
	RetryAfter time.Duration // as the other side asked, at most a day; 0: it didn't
	Err        error         // safe to show; nil: the status says it all
}

// Error says what happened.
func (f *Failure) Error() string {
	switch {
	case f.Err != nil:
		return f.Err.Error()
	case f.Status != 0:
		return fmt.Sprintf("the other side answered %d", f.Status)
	}
	return "the delivery failed"
}

// Unwrap is what went wrong.
func (f *Failure) Unwrap() error { return f.Err }

// hidden is an error of which only the log tells the cause.
type hidden struct {
	text  string
	cause error
}

func (h *hidden) Error() string { return h.text }

func (h *hidden) Unwrap() error { return h.cause }

const (
	// retryFor is how long a delivery is tried again since its first attempt.
	retryFor = 3 * 24 * time.Hour
	// The pause after the first failed attempt is retryFirst less up to a quarter, and doubles
	// with every attempt up to retryMost, less up to a quarter.
	retryFirst    = 40 * time.Second
	retryMost     = 6 * time.Hour
	retryAfterMax = 24 * time.Hour
)

// Config says what to deliver and how. Store is required.
type Config struct {
	Store *store.Store
	// Senders make the attempts. Deliveries of a kind that has none wait.
	Senders map[store.DeliveryKind]Sender
	// Holder names this process in leases; empty means a random name.
	Holder string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Rand spreads attempts that would come at the same time: numbers from 0 to below 1. Nil
	// means math/rand.
	Rand func() float64
	// Logger gets dead deliveries and what the worker survives; nil discards it.
	Logger *slog.Logger

	// Parallel is how many attempts of one kind are made at the same time, of which a tenant has
	// at most half, and less where others have some; 0 means 32.
	Parallel int
	// Timeout ends an attempt; 0 means 30 s. A lease lasts four times as long.
	Timeout time.Duration
	// Poll is the pause between two looks for what is due; 0 means 1 s.
	Poll time.Duration
}

func (c *Config) fill() error {
	if c.Store == nil {
		return errors.New("outbox: no store")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Parallel == 0 {
		c.Parallel = 32
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Poll == 0 {
		c.Poll = time.Second
	}
	return nil
}
