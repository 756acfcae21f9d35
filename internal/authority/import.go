package authority

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// actionImport is the action of an operation that brings keys in. Unlike the others it is
// moved on by who sends the lines, not by Run.
const actionImport = "import"

// MaxImportLines is how many lines ImportKeys takes at once.
const MaxImportLines = 1000

// importOpen is how long lines of an import are taken, from its beginning.
const importOpen = 24 * time.Hour

// BeginImportInput describes keys of another system that are to be brought in (PV3).
type BeginImportInput struct {
	Tenant tenancy.TenantID // empty means the caller's own
	Total  int64            // lines there will be, for whoever watches; 0 means unknown
	// DryRun checks every line and brings nothing in.
	DryRun bool
	// AcceptWeak takes keys of less than 112 bits too. They are marked, and guessing at them
	// is slowed down.
	AcceptWeak bool
	Source     string // what the lines come from, such as a file's name, for the audit log
	Idempotency
}

// ImportLine is one key of another system, as it stands in a line of a file.
type ImportLine struct {
	Line  int64 // its number, from 1 on
	Name  string
	Owner string // a user's ID, user name or external ID
	// Key is the key in clear, Digest what the other system keeps of it: "sha256:HEX" or
	// "hmac-sha256:REF:HEX". Exactly one is given.
	Key       secret.Secret
	Digest    string
	ExpiresAt string // a date or a time; empty means the tenant's default
	// Malformed says that the line could not be read at all.
	Malformed bool
}

// ImportKeysInput is the next lines of an import.
type ImportKeysInput struct {
	Tenant tenancy.TenantID // empty means wherever the caller may find it
	ID     string           // of the operation
	Lines  []ImportLine     // their numbers rise; at most MaxImportLines
}

// ImportProgress is how far an import is after some lines, and which of these were refused.
type ImportProgress struct {
	Operation
	Refused []store.ImportRefusal
}

// ImportRefusalsInput asks for the refused lines of an import, in their order.
type ImportRefusalsInput struct {
	Tenant tenancy.TenantID
	ID     string // of the operation
	After  int64  // a line's number; 0 begins
	Limit  int    // 0 means store.MaxLimit
}

// importWork is what an import is to do, as it is stored. It holds no keys.
type importWork struct {
	DryRun     bool
	AcceptWeak bool
	Source     string
}

// importPosition is how far an import is, as it is stored.
type importPosition struct {
	Line        int64 // the last one that was dealt with
	FailedTotal int64 // also what a bulkPosition has
	Weak        int64 // of those that were brought in
}

func (o importOperation) position() (p importPosition, work importWork, err error) {
	if o.Position != "" {
		err = json.Unmarshal([]byte(o.Position), &p)
	}
	if err == nil {
		err = json.Unmarshal(o.Input, &work)
	}
	if err != nil {
		err = fmt.Errorf("reading import %s: %w", o.ID, err)
	}
	return p, work, err
}

type importOperation struct{ store.Operation }

// BeginImport makes an operation that takes lines through ImportKeys, for a day. It needs
// claviger.api_keys:manage at the root; a tenant's own people also need a window that the
// operators opened. Problems: import_closed. Audited as import.begin.
func (a *Authority) BeginImport(ctx context.Context, caller access.Caller, in BeginImportInput) (out Operation, err error) {
	if in.Total < 0 || in.Total > math.MaxInt32 {
		return out, problem.InvalidField("/total", "Say how many lines there are, or leave it out.")
	}
	if fault := tenancy.TextFault(in.Source, tenancy.MaxText); in.Source != "" && fault != "" {
		return out, problem.InvalidField("/source", fault)
	}
	id, err := newID("opn_")
	if err != nil {
		return out, err
	}
	input, err := json.Marshal(importWork{DryRun: in.DryRun, AcceptWeak: in.AcceptWeak, Source: in.Source})
	if err != nil {
		return out, fmt.Errorf("encoding an import: %w", err)
	}
	revision, err := a.change(ctx, caller, in.Tenant, func(c *change) error {
		if err := c.mayImport(); err != nil {
			return err
		}
		out, err = once(c, "import.begin", in.Idempotency, func() (Operation, string, error) {
			o := store.Operation{
				ID: id, TenantID: c.tenant.ID, Action: actionImport, State: OperationRunning, Total: in.Total, Input: input,
				CreatedBy: c.caller.Principal, CreatedByName: plain(c.caller.Name), CreatedAt: c.now,
			}
			if err := c.tx.InsertOperation(o); err != nil {
				return Operation{}, "", err
			}
			shown, err := showOperation(o)
			if err != nil {
				return shown, "", err
			}
			return shown, id, c.record("import.begin", importTarget(o), nil, fields{
				"dry_run": in.DryRun, "accept_weak": in.AcceptWeak, "source": in.Source, "lines": in.Total,
			})
		}, c.operationAgain)
		return err
	})
	if err != nil {
		return Operation{}, err
	}
	out.Revision = revision
	return out, nil
}

func importTarget(o store.Operation) target {
	return target{kind: "operation", id: o.ID, name: actionImport}
}

// mayImport is the right to bring keys in at this moment.
func (s *scope) mayImport() error {
	if err := s.require(access.APIKeysManage, s.rootPath()); err != nil {
		return err
	}
	return s.importsOpen()
}

func (s *scope) importsOpen() error {
	if !s.caller.System() && !s.all() && !s.now.Before(s.tenant.ImportUntil) {
		return problem.New(problem.Denied, "import_closed",
			"Keys of other systems are imported by the operators of this installation, or while they let you. Ask them to open a window.")
	}
	return s.apiAccess(true)
}

// importOf finds an import that the caller has begun. Others don't exist for them.
func (s *scope) importOf(id string) (importOperation, error) {
	o, err := s.tx.Operation(id)
	if problem.Is(err, problem.NotFound) || err == nil && (o.Action != actionImport || o.CreatedBy != s.caller.Principal) {
		return importOperation{}, problem.Missing("import")
	}
	return importOperation{o}, err
}

func (a *Authority) operationTenant(ctx context.Context, caller access.Caller, named tenancy.TenantID, id string) (tenancy.TenantID, error) {
	return a.locate(ctx, caller, named, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsOperationTenant(id) })
}

// FinishImport ends an import: no more lines are taken. Rights as BeginImport, of whoever
// began it, but no window. Ending it again changes nothing. Audited as import.finish.
func (a *Authority) FinishImport(ctx context.Context, caller access.Caller, in OperationInput) (out Operation, err error) {
	tenant, err := a.operationTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	revision, err := a.change(ctx, caller, tenant, func(c *change) error {
		if err := c.require(access.APIKeysManage, c.rootPath()); err != nil {
			return err
		}
		o, err := c.importOf(in.ID)
		if err != nil {
			return err
		}
		if o.State == OperationDone {
			c.replayed = true
		} else if err := c.finishImport(&o, "import.finish"); err != nil {
			return err
		}
		out, err = showOperation(o.Operation)
		return err
	})
	if err != nil {
		return Operation{}, err
	}
	out.Revision = revision
	return out, nil
}

func (c *change) finishImport(o *importOperation, action string) error {
	p, work, err := o.position()
	if err != nil {
		return err
	}
	o.State, o.FinishedAt = OperationDone, c.now
	o.Total = o.Done
	if err := c.tx.DropImportDigests(o.ID); err != nil {
		return err
	}
	if err := c.tx.UpdateOperation(o.Operation); err != nil {
		return err
	}
	return c.record(action, importTarget(o.Operation), nil, fields{
		"dry_run": work.DryRun, "lines": o.Done, "accepted": o.Done - p.FailedTotal, "refused": p.FailedTotal, "weak": p.Weak,
	})
}

// endAbandoned ends an import that nobody has finished within a day. Audited as import.stop.
func (a *Authority) endAbandoned(ctx context.Context, o store.Operation) (worked bool, err error) {
	if a.now().Before(o.CreatedAt.Add(importOpen)) {
		return false, nil
	}
	_, err = a.change(ctx, SystemCaller(), o.TenantID, func(c *change) error {
		now, err := c.tx.Operation(o.ID)
		if err != nil {
			return err
		}
		if now.State == OperationDone {
			return errOvertaken
		}
		return c.finishImport(&importOperation{now}, "import.stop")
	})
	if errors.Is(err, errOvertaken) {
		return false, nil
	}
	if !problem.Is(err, problem.NotFound) {
		return err == nil, err
	}
	// The tenant is deleted, and so is its audit chain's use: this is bookkeeping.
	_, err = a.store.Write(ctx, o.TenantID, func(tx *store.Tx) error {
		o.State, o.FinishedAt = OperationDone, a.now()
		return errors.Join(tx.DropImportDigests(o.ID), tx.UpdateOperation(o))
	})
	return err == nil, err
}

// ImportRefusals answers the refused lines of an import, and why. Rights as Operation.
func (a *Authority) ImportRefusals(ctx context.Context, caller access.Caller, in ImportRefusalsInput) (out []store.ImportRefusal, err error) {
	tenant, err := a.operationTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		o, err := s.tx.Operation(in.ID)
		if err != nil {
			return err
		}
		if o.CreatedBy != s.caller.Principal {
			if err := s.requireAny(s.rootPath(), access.APIKeysManage, access.AuditEventsRead); err != nil {
				return err
			}
		}
		if o.Action != actionImport {
			return problem.Missing("import")
		}
		out, err = s.tx.ImportRefusals(in.ID, in.After+1, math.MaxInt64, cmp.Or(in.Limit, store.MaxLimit))
		return err
	})
	return out, err
}

// checkLines checks the frame of what is sent; what a line holds is checked line by line.
func (in ImportKeysInput) checkLines() error {
	if len(in.Lines) == 0 || len(in.Lines) > MaxImportLines {
		return problem.InvalidField("/lines", fmt.Sprintf("Send from 1 to %d lines.", MaxImportLines))
	}
	rising := slices.IsSortedFunc(in.Lines, func(a, b ImportLine) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), -1) // equal ones do not rise
	})
	if in.Lines[0].Line < 1 || !rising {
		return problem.InvalidField("/lines", "Lines have numbers from 1 on, and come in their order, each once.")
	}
	return nil
}
