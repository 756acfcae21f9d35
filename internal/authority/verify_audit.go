package authority

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// AuditReport is what VerifyAudit found.
type AuditReport struct {
	Tenants     int
	Events      int64
	Checkpoints int64
	LastAt      time.Time // of the last checkpoint; what came later is checked for consistency only
	// RestoredAt is when a backup was restored last, so that the checkpoints before it may vouch
	// for events that are lost; zero for never.
	RestoredAt time.Time
	Findings   []AuditFinding
}

// OK reports whether everything holds.
func (r AuditReport) OK() bool { return len(r.Findings) == 0 }

// AuditFinding is one thing that does not hold.
type AuditFinding struct {
	Tenant   tenancy.TenantID // empty for the system chain and the checkpoint file
	Sequence int64            // the first bad or missing entry
	Message  string
}

// auditBatch is how many events are in memory at once.
const auditBatch = 500

// VerifyAudit checks, in one snapshot of the database, that every checkpoint was signed
// with the key, that the system chain holds the last of them, and that every tenant's chain
// holds the head that the system chain has and is unbroken. So it finds any edit, removal
// or reordering of events before the last checkpoint, and says in which tenant and where;
// and of what came later all that its author could not recompute. An error means that it
// could not be decided.
func VerifyAudit(ctx context.Context, s *store.Store, checkpoints io.Reader, key ed25519.PublicKey) (AuditReport, error) {
	var report AuditReport
	last, err := report.readCheckpoints(checkpoints, key)
	if err != nil {
		return report, err
	}
	found := len(report.Findings)
	err = s.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
		report.Findings, report.Tenants, report.Events = report.Findings[:found], 0, 0
		restored, err := restoredCheckpoint(tx)
		if err != nil {
			return err
		}
		// A copy of the file may have been made before the backup was restored.
		last := last
		if wentBack(restored, last) && restored.Verify(key) == nil {
			last, report.RestoredAt = restored, restored.At
		}
		return report.verify(tx, last)
	})
	return report, err
}

func (r *AuditReport) find(tenant tenancy.TenantID, sequence int64, message string) {
	r.Findings = append(r.Findings, AuditFinding{Tenant: tenant, Sequence: sequence, Message: message})
}

// readCheckpoints returns the last checkpoint that is well signed.
func (r *AuditReport) readCheckpoints(file io.Reader, key ed25519.PublicKey) (last audit.Checkpoint, err error) {
	err = readLines(file, func(c audit.Checkpoint) error {
		r.Checkpoints++
		switch {
		case c.Verify(key) != nil:
			r.find("", c.Sequence, fmt.Sprintf("checkpoint %d of the file was changed or signed with another key", r.Checkpoints))
		case last.Sequence > 0 && c.Installation != last.Installation:
			r.find("", c.Sequence, fmt.Sprintf("checkpoint %d of the file is of another installation", r.Checkpoints))
		case wentBack(c, last):
			last, r.LastAt, r.RestoredAt = c, c.At, c.At
		case c.Sequence <= last.Sequence:
			r.find("", c.Sequence, fmt.Sprintf("checkpoint %d of the file is not later than the one before", r.Checkpoints))
		default:
			last, r.LastAt = c, c.At
		}
		return nil
	})
	if err != nil {
		return last, fmt.Errorf("reading the checkpoints: %w", err)
	}
	if last.Sequence == 0 {
		r.find("", 0, "the file has no good checkpoint, so nothing outside the database vouches for it")
	}
	return last, nil
}

func (r *AuditReport) verify(tx *store.Tx, last audit.Checkpoint) error {
	installation, err := tx.AllTenantsSetting(settingInstallation)
	if err != nil {
		return err
	}
	if last.Sequence > 0 && installation != last.Installation {
		r.find("", last.Sequence, "the checkpoints are of another installation")
	}
	heads, err := audit.VerifyLinks(linksOf(tx), last)
	if err := r.note(err, last.Sequence); err != nil {
		return err
	}
	anchors, err := tx.AllTenantsAuditAnchors()
	if err != nil {
		return err
	}
	recorded := map[tenancy.TenantID]audit.Head{}
	for _, a := range anchors {
		recorded[a.Head.TenantID] = a.Head
	}
	tenants := slices.Collect(maps.Keys(recorded))
	for id := range heads {
		if _, ok := recorded[id]; !ok {
			tenants = append(tenants, id)
		}
	}
	slices.Sort(tenants)
	for _, id := range tenants {
		want := heads[id]
		want.TenantID = id
		if err := r.verifyTenant(tx.AllTenantsIn(id), want, recorded[id]); err != nil {
			return err
		}
	}
	return nil
}

// verifyTenant checks one chain against the head that the system chain has, and its end
// against the one that the database goes on from.
func (r *AuditReport) verifyTenant(tx *store.Tx, want, recorded audit.Head) error {
	r.Tenants++
	end, err := audit.VerifyTo(want, r.eventsOf(tx))
	if err != nil {
		return r.note(err, 0)
	}
	if end.Sequence != recorded.Sequence || end.Hash != recorded.Hash {
		r.find(want.TenantID, min(end.Sequence, recorded.Sequence)+1, "the chain does not end where the database says that it ends")
	}
	return nil
}

// note turns what the audit package found into a finding; other errors stay errors.
func (r *AuditReport) note(err error, at int64) error {
	var broken *audit.BrokenError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &broken):
		r.find(broken.TenantID, broken.Sequence, broken.Reason)
		return nil
	case errors.Is(err, audit.ErrNoCheckpoint):
		r.find("", at, "the system chain does not reach the last checkpoint: its end was cut off")
		return nil
	}
	return err
}

func (r *AuditReport) eventsOf(tx *store.Tx) iter.Seq2[audit.Event, error] {
	return inBatches(func(after int64) ([]audit.Event, error) {
		list, err := tx.AuditEventsAfter(after, auditBatch)
		r.Events += int64(len(list))
		return list, err
	}, func(e audit.Event) int64 { return e.Sequence })
}

func linksOf(tx *store.Tx) iter.Seq2[audit.Link, error] {
	return inBatches(func(after int64) ([]audit.Link, error) {
		return tx.AllTenantsLinksAfter(after, auditBatch)
	}, func(l audit.Link) int64 { return l.Sequence })
}

func inBatches[T any](read func(after int64) ([]T, error), sequence func(T) int64) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for after := int64(0); ; {
			list, err := read(after)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, v := range list {
				if !yield(v, nil) {
					return
				}
				after = sequence(v)
			}
			if len(list) < auditBatch {
				return
			}
		}
	}
}
