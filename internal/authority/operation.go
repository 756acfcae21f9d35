package authority

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// BulkAction is what is done to many credentials.
type BulkAction string

// The actions.
const (
	BulkSuspend BulkAction = "suspend"
	BulkResume  BulkAction = "resume"
	BulkRevoke  BulkAction = "revoke"
	BulkDelete  BulkAction = "delete"
)

func (a BulkAction) transition() (transition, bool) {
	switch a {
	case BulkSuspend:
		return suspendKey, true
	case BulkResume:
		return resumeKey, true
	case BulkRevoke:
		return revokeKey, true
	case BulkDelete:
		return deleteKey, true
	case actionApplyPolicy: // it is no transition
	}
	return transition{}, false
}

// Operation is work on many credentials that goes on after it was accepted.
type Operation struct {
	ID            string // opn_…
	TenantID      tenancy.TenantID
	Action        BulkAction
	State         OperationState
	Total         int64              // how many were found when it was accepted
	Done          int64              // how many were dealt with, those that failed included
	Failed        []OperationFailure // the first 1,000
	FailedTotal   int64
	CreatedAt     time.Time
	CreatedBy     access.Principal
	CreatedByName string
	FinishedAt    time.Time // zero while it goes on
	Revision      uint64    // of the change that answered it; zero on reads
}

// OperationState is how far an operation is.
type OperationState = store.OperationState

// The states.
const (
	OperationPending = store.OperationPending
	OperationRunning = store.OperationRunning
	OperationDone    = store.OperationDone
)

// OperationFailure is one credential that an operation could not change.
type OperationFailure = store.OperationFailure

// BulkKeysInput changes many user and organization keys: those with the IDs, or those that
// the filter finds among the keys made up to revision AsOf, of which there must be
// ExpectedCount.
type BulkKeysInput struct {
	Tenant        tenancy.TenantID
	Action        BulkAction
	IDs           []credential.ID // at most MaxBulkIDs
	Filter        *KeysInput      // instead of IDs; its tenant and page count for nothing
	AsOf          uint64          // with Filter: the revision that KeysCount or a list told
	ExpectedCount int64           // with Filter
	Idempotency
}

// MaxBulkIDs is how many credentials can be named in one bulk operation.
const MaxBulkIDs = 10_000

// OperationInput names one operation.
type OperationInput struct {
	Tenant tenancy.TenantID
	ID     string
}

// KeysCount is how many keys a filter finds, and as of which revision.
type KeysCount struct {
	Count        int64
	Revision     uint64
	Kinds        map[credential.Kind]int64
	UsedLately   int64 // in the last 7 days
	ExpiringSoon int64 // within 30 days
}

// bulkWork is what an operation is to do, as it is stored.
type bulkWork struct {
	Caller access.Caller // on whose behalf; what they hold is resolved anew each time
	IDs    []credential.ID
	Filter *store.CredentialFilter
	Rules  string `json:",omitempty"` // of the policy that is applied to them; empty for other actions
}

// bulkPosition is how far an operation is, as it is stored.
type bulkPosition struct {
	Next        int       // of IDs
	Cursor      string    // of Filter
	FailedTotal int64     // Failed holds the first ones only
	Holder      string    // who works on it
	Until       time.Time // how long the holder has it, unless renewed
}

func positionOf(o store.Operation) (p bulkPosition, err error) {
	if o.Position == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(o.Position), &p); err != nil {
		return p, fmt.Errorf("reading the position of operation %s: %w", o.ID, err)
	}
	return p, nil
}

func showOperation(o store.Operation) (Operation, error) {
	p, err := positionOf(o)
	return Operation{
		ID: o.ID, TenantID: o.TenantID, Action: BulkAction(o.Action), State: o.State, Total: o.Total, Done: o.Done,
		Failed: o.Failed, FailedTotal: p.FailedTotal, CreatedAt: o.CreatedAt, CreatedBy: o.CreatedBy,
		CreatedByName: o.CreatedByName, FinishedAt: o.FinishedAt,
	}, err
}

// BulkKeys accepts a change of many user and organization keys, which Run then works off
// in chunks. It needs the right to list them; each key needs the right to change it when
// its turn comes, and fails without. Problems: selection_changed. Audited as
// operation.create, and each key as if it were changed alone.
func (a *Authority) BulkKeys(ctx context.Context, caller access.Caller, in BulkKeysInput) (out Operation, err error) {
	if err := in.validate(); err != nil {
		return out, err
	}
	id, err := newID("opn_")
	if err != nil {
		return out, err
	}
	work, total, err := a.bulkWork(ctx, caller, in)
	if err != nil {
		return out, err
	}
	input, err := json.Marshal(work)
	if err != nil {
		return out, fmt.Errorf("encoding an operation: %w", err)
	}
	revision, err := a.change(ctx, caller, in.Tenant, func(c *change) error {
		if err := c.mayBulk(in); err != nil {
			return err
		}
		out, err = once(c, "operation.create", in.Idempotency, func() (Operation, string, error) {
			o := store.Operation{
				ID: id, TenantID: c.tenant.ID, Action: string(in.Action), State: OperationPending, Total: total, Input: input,
				CreatedBy: c.caller.Principal, CreatedByName: plain(c.caller.Name), CreatedAt: c.now,
			}
			if err := c.tx.InsertOperation(o); err != nil {
				return Operation{}, "", err
			}
			shown, err := showOperation(o)
			if err != nil {
				return shown, "", err
			}
			after := fields{"action": in.Action, "total": total}
			if work.Filter != nil {
				after["filter"] = work.Filter
			}
			return shown, id, c.record("operation.create", target{kind: "operation", id: id, name: string(in.Action)}, nil, after)
		}, c.operationAgain)
		return err
	})
	if err != nil {
		return Operation{}, err
	}
	out.Revision = revision
	a.wakeOperations()
	return out, nil
}

func (c *change) operationAgain(id string) (Operation, error) {
	o, err := c.tx.Operation(id)
	if err != nil {
		return Operation{}, err
	}
	return showOperation(o)
}

func (in BulkKeysInput) validate() error {
	if _, ok := in.Action.transition(); !ok {
		return problem.InvalidField("/action", "Choose suspend, resume, revoke or delete.")
	}
	if (len(in.IDs) == 0) == (in.Filter == nil) {
		return problem.InvalidField("/ids", "Name credentials, or give a filter that finds them: one of the two.")
	}
	if len(in.IDs) > MaxBulkIDs {
		return problem.InvalidField("/ids", fmt.Sprintf("Name at most %d credentials; use a filter for more.", MaxBulkIDs))
	}
	seen := make(map[credential.ID]bool, len(in.IDs))
	for i, id := range in.IDs {
		if id.IsZero() || seen[id] {
			return problem.InvalidField(fmt.Sprintf("/ids/%d", i), "Name each credential once.")
		}
		seen[id] = true
	}
	if in.Filter != nil && in.AsOf == 0 {
		return problem.InvalidField("/as_of", "Say as of which revision the keys were counted.")
	}
	return nil
}

// mayBulk needs the right to see what is to be changed.
func (s *scope) mayBulk(in BulkKeysInput) error {
	var seen KeysInput
	if in.Filter != nil {
		seen = *in.Filter
	}
	_, err := s.visibleKeys(seen)
	return err
}

// bulkWork finds out what is to be done, before the transaction: counting takes time.
func (a *Authority) bulkWork(ctx context.Context, caller access.Caller, in BulkKeysInput) (work bulkWork, total int64, err error) {
	caller.Holdings = nil
	work, total = bulkWork{Caller: caller, IDs: in.IDs}, int64(len(in.IDs))
	if in.Filter == nil {
		return work, total, nil
	}
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		f, err := s.visibleKeys(*in.Filter)
		if err != nil {
			return err
		}
		if in.AsOf > s.tx.Head() {
			return problem.InvalidField("/as_of", "This revision has not happened yet.")
		}
		f.AsOf = in.AsOf
		work.Filter = &f
		total, err = s.tx.CountCredentials(f)
		return err
	})
	if err == nil && total != in.ExpectedCount {
		err = problem.New(problem.Conflict, "selection_changed",
			fmt.Sprintf("The filter finds %d keys now, not %d. Look at them again before you change them.", total, in.ExpectedCount))
	}
	return work, total, err
}

// Operation answers how far an operation is: to who asked for it, and to those with
// claviger.api_keys:manage or claviger.audit_events:read at the root.
func (a *Authority) Operation(ctx context.Context, caller access.Caller, in OperationInput) (out Operation, err error) {
	tenant, err := a.locate(ctx, caller, in.Tenant, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsOperationTenant(in.ID) })
	if err != nil {
		return out, err
	}
	var read uint64
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		read = s.tx.Head()
		o, err := s.tx.Operation(in.ID)
		if err != nil {
			return err
		}
		if o.CreatedBy != s.caller.Principal {
			if err := s.requireAny(s.rootPath(), access.APIKeysManage, access.AuditEventsRead); err != nil {
				return err
			}
		}
		out, err = showOperation(o)
		return err
	})
	if err == nil && out.State == OperationDone && a.applied != nil {
		// Whoever is told that it is done may rely on it: this node's index has it, too.
		err = a.applied(ctx, read)
	}
	return out, err
}
