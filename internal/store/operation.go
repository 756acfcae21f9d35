package store

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// OperationState says how far an operation has come.
type OperationState string

// The states of an operation.
const (
	OperationPending OperationState = "pending"
	OperationRunning OperationState = "running"
	OperationDone    OperationState = "done"
)

// Operation is work on many credentials that is done in pieces, after it was answered.
type Operation struct {
	ID            string // "opn_…"
	TenantID      tenancy.TenantID
	Action        string
	State         OperationState
	Total, Done   int64 // credentials; Done counts the failed ones too
	Failed        []OperationFailure
	Input         []byte // what the work is, its maker's own; never changed
	Position      string // how far it has come, its maker's own
	CreatedBy     access.Principal
	CreatedByName string
	CreatedAt     time.Time
	FinishedAt    time.Time // zero until it is done
}

// OperationFailure is one thing that an operation could not do.
type OperationFailure struct {
	ID      string
	Code    string // of the problem
	Message string // of the problem; safe to show
}

type operationRow struct {
	bun.BaseModel `bun:"table:operations,alias:o"`

	ID            string
	TenantID      string
	Action        string
	State         string
	Total         int64
	Done          int64
	Failed        string
	Input         []byte
	Position      string
	CreatedByType string
	CreatedByID   string
	CreatedByName string
	CreatedAt     int64
	FinishedAt    int64
}

func (r *operationRow) operation() (Operation, error) {
	failed, err := fromText[[]OperationFailure](r.Failed)
	return Operation{
		ID: r.ID, TenantID: tenancy.TenantID(r.TenantID), Action: r.Action, State: OperationState(r.State),
		Total: r.Total, Done: r.Done, Failed: failed, Input: r.Input, Position: r.Position,
		CreatedBy: access.Principal{Type: access.PrincipalType(r.CreatedByType), ID: r.CreatedByID}, CreatedByName: r.CreatedByName,
		CreatedAt: moment(r.CreatedAt), FinishedAt: moment(r.FinishedAt),
	}, err
}

var (
	insertOperation = insertInto("operations", "id", "tenant_id", "action", "input", "created_by_type", "created_by_id",
		"created_by_name", "created_at", "state", "total", "done", "failed", "position", "finished_at")
	updateOperation = update("operations", "state", "total", "done", "failed", "position", "finished_at")
	operationTaken  = problem.New(problem.Conflict, "operation_exists", "Another operation has this ID.")
)

// operationArgs are the columns that may change, in the order of updateOperation.
func operationArgs(o Operation) ([]any, error) {
	failed, err := listText(o.Failed)
	return []any{string(o.State), o.Total, o.Done, failed, o.Position, micros(o.FinishedAt)}, err
}

// Operation is one operation of the tenant.
func (tx *Tx) Operation(id string) (Operation, error) {
	row, err := find[operationRow](tx, "operation", "id = ? AND tenant_id = ?", id, string(tx.tenant))
	if err != nil {
		return Operation{}, err
	}
	return row.operation()
}

// InsertOperation adds an operation. Verification knows nothing of operations.
func (tx *Tx) InsertOperation(o Operation) error {
	if err := tx.own(o.TenantID); err != nil {
		return err
	}
	args, err := operationArgs(o)
	if err != nil {
		return err
	}
	return tx.write(statement{text: insertOperation, taken: operationTaken, args: append([]any{
		o.ID, string(o.TenantID), o.Action, o.Input, string(o.CreatedBy.Type), o.CreatedBy.ID, o.CreatedByName, micros(o.CreatedAt),
	}, args...)})
}

// UpdateOperation changes state, counts, failures, position and end.
func (tx *Tx) UpdateOperation(o Operation) error {
	if err := tx.own(o.TenantID); err != nil {
		return err
	}
	args, err := operationArgs(o)
	if err != nil {
		return err
	}
	return tx.write(statement{text: updateOperation, one: "operation", args: append(args, o.ID, string(tx.tenant))})
}

// AllTenantsDueOperations lists the operations that are not done, oldest first.
func (tx *Tx) AllTenantsDueOperations() ([]Operation, error) {
	rows, err := all[operationRow](tx, "operations", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("state <> 'done'").Order("created_at", "id")
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*operationRow).operation)
}

// AllTenantsOperationTenant finds the tenant of an operation.
func (tx *Tx) AllTenantsOperationTenant(id string) (tenancy.TenantID, error) {
	return tenantOf[operationRow](tx, "operation", id)
}
