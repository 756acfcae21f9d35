package authority

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
)

const (
	// lease is how long an operation is left to who works on it, since their last chunk.
	lease = 15 * time.Second
	// operationsEvery is how often work that another process left is looked for.
	operationsEvery = 5 * time.Second
	// mostFailures is how many failures of one operation are kept.
	mostFailures = 1000
)

// errOvertaken means that another process works on the operation.
var errOvertaken = errors.New("authority: another process has moved the operation on")

// wakeOperations asks Run to work.
func (a *Authority) wakeOperations() {
	select {
	case a.work <- struct{}{}:
	default: // it is asked already
	}
}

// operate works off operations until ctx ends.
func (a *Authority) operate(ctx context.Context) {
	tick := time.NewTicker(operationsEvery)
	defer tick.Stop()
	for {
		if err := a.WorkOperations(ctx); err != nil && ctx.Err() == nil {
			a.logger.ErrorContext(ctx, "working on operations failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.work:
		}
	}
}

// WorkOperations works off all operations that nobody else works on, a chunk of each in
// turn, and returns when none is left. What it has done so far is stored with each chunk,
// so that any process can go on after this one has died.
func (a *Authority) WorkOperations(ctx context.Context) error {
	pace := newPacer()
	for {
		var due []store.Operation
		err := a.store.Read(ctx, "", func(tx *store.Tx) (err error) {
			due, err = tx.AllTenantsDueOperations()
			return err
		})
		if err != nil {
			return err
		}
		var failed []error
		progress := false
		for _, o := range due {
			begun := time.Now()
			worked, err := a.workChunk(ctx, o, pace)
			if err != nil {
				failed = append(failed, fmt.Errorf("operation %s: %w", o.ID, err))
			}
			progress = progress || worked
			if worked {
				pause(ctx, 4*time.Since(begun)) // bulk work takes a fifth of what there is
			}
		}
		if len(failed) > 0 || !progress || ctx.Err() != nil {
			return errors.Join(append(failed, ctx.Err())...)
		}
	}
}

// workChunk does the next chunk of an operation. It reports whether it did.
func (a *Authority) workChunk(ctx context.Context, o store.Operation, pace *pacer) (worked bool, err error) {
	if o.Action == actionImport {
		return a.endAbandoned(ctx, o)
	}
	var work bulkWork
	if err := json.Unmarshal(o.Input, &work); err != nil {
		return false, fmt.Errorf("reading what to do: %w", err)
	}
	p, err := positionOf(o)
	if err != nil {
		return false, err
	}
	if p.Holder != "" && p.Holder != a.holder && a.now().Before(p.Until) {
		return false, nil
	}
	next, ids, err := a.nextChunk(ctx, o, work, p, pace.size)
	if err == nil {
		var held time.Duration
		held, err = a.changeChunk(ctx, o, work, next, ids)
		pace.took(len(ids), held)
	}
	switch {
	case errors.Is(err, errOvertaken):
		return false, nil
	case problem.Is(err, problem.Unauthenticated), problem.Is(err, problem.NotFound), problem.Is(err, problem.Denied), problem.Is(err, problem.Invalid):
		return true, a.stopOperation(ctx, o, p, problem.As(err))
	}
	return err == nil, err
}

// nextChunk reads which credentials come next, up to n, and where the operation is after them.
func (a *Authority) nextChunk(ctx context.Context, o store.Operation, work bulkWork, p bulkPosition, n int) (next bulkPosition, ids []credential.ID, err error) {
	next = p
	if work.Filter == nil {
		ids = work.IDs[min(p.Next, len(work.IDs)):min(p.Next+n, len(work.IDs))]
		next.Next += len(ids)
		return next, ids, nil
	}
	if p.Next > 0 && p.Cursor == "" {
		return next, nil, nil // that was the last page
	}
	err = a.store.Read(ctx, o.TenantID, func(tx *store.Tx) (err error) {
		// By creation: what an operation changes does not move it along the list.
		ids, next.Cursor, err = tx.CredentialIDs(*work.Filter, p.Cursor, n)
		next.Next = p.Next + len(ids)
		return err
	})
	return next, ids, err
}

// changeChunk changes the credentials and stores the operation's progress, in one
// transaction on behalf of who asked for it, and says how long that held the writer.
func (a *Authority) changeChunk(ctx context.Context, o store.Operation, work bulkWork, next bulkPosition, ids []credential.ID) (held time.Duration, err error) {
	var began time.Time
	_, err = a.change(ctx, work.Caller, o.TenantID, func(c *change) error {
		began = time.Now()
		now, err := c.tx.Operation(o.ID)
		if err != nil {
			return err
		}
		if now.Position != o.Position || now.State == OperationDone {
			return errOvertaken
		}
		failed, err := c.workAll(BulkAction(o.Action), work, ids)
		if err != nil {
			return err
		}
		c.replayed = len(c.events) == 0 // nothing changed: there is nothing to audit
		p := next
		p.Holder, p.Until = a.holder, c.now.Add(lease)
		p.FailedTotal += int64(len(failed))
		now.Done += int64(len(ids))
		now.Failed = append(now.Failed, failed[:min(len(failed), max(0, mostFailures-len(now.Failed)))]...)
		now.State = OperationRunning
		if over := work.Filter == nil && p.Next >= len(work.IDs) || work.Filter != nil && p.Cursor == ""; over {
			now.State, now.FinishedAt = OperationDone, c.now
		}
		return c.storeOperation(now, p)
	})
	if began.IsZero() {
		return 0, err
	}
	return time.Since(began), err
}

// workAll does what an operation is for to some credentials and reports those that it could not.
func (c *change) workAll(action BulkAction, work bulkWork, ids []credential.ID) ([]OperationFailure, error) {
	if action == actionApplyPolicy {
		return nil, c.applyPolicy(work.Rules, ids)
	}
	t, _ := action.transition()
	return c.changeAll(ids, t)
}

func (c *change) storeOperation(o store.Operation, p bulkPosition) error {
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding the position of an operation: %w", err)
	}
	o.Position = string(text)
	return c.tx.UpdateOperation(o)
}

// changeAll applies a transition to each credential and reports those that it could not.
// All are read before the first is written, because each read sends what was written.
func (c *change) changeAll(ids []credential.ID, t transition) (failed []OperationFailure, err error) {
	found, err := c.tx.CredentialsByID(ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[credential.ID]credential.Credential, len(found))
	for _, k := range found {
		byID[k.ID] = k
	}
	for _, id := range ids {
		err := c.changeOne(byID[id], t)
		if err == nil {
			continue
		}
		p := problem.As(err)
		if p.Kind == problem.Internal || p.Kind == problem.Unavailable {
			return nil, err
		}
		failed = append(failed, failureOf(id.String(), p))
	}
	return failed, nil
}

// failureOf is a problem as an operation keeps it. Things that are not there have no code
// of their own.
func failureOf(id string, p *problem.Problem) OperationFailure {
	return OperationFailure{ID: id, Code: cmp.Or(p.Code, p.Kind.String()), Message: p.Message}
}

func (c *change) changeOne(k credential.Credential, t transition) error {
	r := rulesOf(k.Kind)
	if k.Kind != credential.UserKey && k.Kind != credential.OrganizationKey {
		return problem.Missing("API key")
	}
	if err := c.mayTransit(r, k, t); err != nil {
		return err
	}
	_, err := c.applyTransition(r, k, t)
	return err
}

// stopOperation ends an operation that cannot go on, because who asked for it may no
// longer act, or the tenant is gone. Audited as operation.stop.
func (a *Authority) stopOperation(ctx context.Context, o store.Operation, p bulkPosition, why *problem.Problem) error {
	stop := func(tx *store.Tx, now time.Time) error {
		o.State, o.FinishedAt = OperationDone, now
		p.FailedTotal += max(0, o.Total-o.Done)
		o.Failed = append(o.Failed, failureOf("", why))
		text, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("encoding the position of an operation: %w", err)
		}
		o.Position = string(text)
		return tx.UpdateOperation(o)
	}
	found := o
	position := p
	_, err := a.change(ctx, SystemCaller(), o.TenantID, func(c *change) error {
		o, p = found, position // the callback may run more than once
		if err := stop(c.tx, c.now); err != nil {
			return err
		}
		return c.record("operation.stop", target{kind: "operation", id: o.ID, name: o.Action}, nil, fields{"code": why.Code, "done": o.Done, "total": o.Total})
	})
	if !problem.Is(err, problem.NotFound) {
		return err
	}
	// The tenant is deleted, and so is its audit chain's use: this is bookkeeping.
	_, err = a.store.Write(ctx, o.TenantID, func(tx *store.Tx) error {
		o, p = found, position
		return stop(tx, a.now())
	})
	return err
}
