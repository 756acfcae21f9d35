package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
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

// Operation is work on many credentials that goes on after it was accepted.
type Operation struct {
	ID            string // opn_…
	TenantID      tenancy.TenantID
	Action        BulkAction
	State         OperationState
	Total         int64              // how many it is about
	Done          int64              // how many were dealt with, those that failed included
	Failed        []OperationFailure // the first 1,000
	FailedTotal   int64
	CreatedAt     time.Time
	CreatedBy     access.Principal
	CreatedByName string
	FinishedAt    time.Time // zero while it goes on
	Revision      uint64
}

// OperationState is how far an operation is.
type OperationState string

// The states.
const (
	OperationPending OperationState = "pending"
	OperationRunning OperationState = "running"
	OperationDone    OperationState = "done"
)

// OperationFailure is one credential that an operation could not change.
type OperationFailure struct{ ID, Code, Message string }

// BulkKeysInput changes many user and organization keys: those with the IDs, or those that
// the filter finds among the keys made up to revision AsOf, of which there must be
// ExpectedCount.
type BulkKeysInput struct {
	Tenant        tenancy.TenantID
	Action        BulkAction
	IDs           []credential.ID // at most 10,000
	Filter        *KeysInput      // instead of IDs
	AsOf          uint64
	ExpectedCount int64
	Idempotency
}

// OperationInput names one operation.
type OperationInput struct {
	Tenant tenancy.TenantID
	ID     string
}

// KeysCount is how many keys a filter finds, and as of which revision.
type KeysCount struct {
	Count    int64
	Revision uint64
}

func (a *Authority) BulkKeys(ctx context.Context, caller access.Caller, in BulkKeysInput) (out Operation, err error) {
	return out, errUnfinished
}

func (a *Authority) Operation(ctx context.Context, caller access.Caller, in OperationInput) (out Operation, err error) {
	return out, errUnfinished
}

func (a *Authority) CountAPIKeys(ctx context.Context, caller access.Caller, in KeysInput) (out KeysCount, err error) {
	return out, errUnfinished
}
