package authority

import (
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// AuditCheckpointInput asks for the last checkpoint, as a tenant sees it.
type AuditCheckpointInput struct{ Tenant tenancy.TenantID }

// AuditCheckpoint is how far a tenant's audit log is sealed.
type AuditCheckpoint struct {
	Sequence int64     // of the checkpoint in the system chain; 0 means that there is none
	At       time.Time // when it was made
	Events   int64     // of the tenant's, up to now
	Sealed   int64     // of these, how many the checkpoint vouches for
}

// AuditCheckInput asks for a check of a tenant's audit log.
type AuditCheckInput struct{ Tenant tenancy.TenantID }

// AuditCheck is what a check found.
type AuditCheck struct {
	AuditCheckpoint
	OK      bool
	Problem string // what does not hold, for people; empty when all does
	Broken  int64  // the first bad or missing event; 0 when all hold
}

// How long a check may take, and how many links of the system chain it walks back to find
// the last one about a tenant.
const (
	auditCheckTime = 20 * time.Second
	mostLinks      = 500_000
)

// LatestAuditCheckpoint answers the last signed checkpoint that this node has written, and
// how much of the tenant's log it vouches for. It needs claviger.audit_events:read at the
// tenant's root.
func (a *Authority) LatestAuditCheckpoint(ctx context.Context, caller access.Caller, in AuditCheckpointInput) (out AuditCheckpoint, err error) {
	last, _ := a.checkpoints.latest()
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if err := s.require(access.AuditEventsRead, s.rootPath()); err != nil {
			return err
		}
		head, err := s.tx.AuditHead()
		if err != nil {
			return err
		}
		sealed, err := s.tx.AuditLinked()
		out = AuditCheckpoint{Sequence: last.Sequence, At: last.At, Events: head.Sequence, Sealed: sealed}
		if last.Sequence == 0 {
			out.Sealed = 0
		}
		return err
	})
	return out, err
}

// CheckAudit recomputes a tenant's whole audit chain and compares it with the last signed
// checkpoint: so it finds any edit, removal or reordering before that, and of what came
// later all that its author could not recompute. One check runs at a time, for 20 seconds
// at most. It needs claviger.audit_events:read at the tenant's root. Problems:
// check_running, check_too_long.
func (a *Authority) CheckAudit(ctx context.Context, caller access.Caller, in AuditCheckInput) (out AuditCheck, err error) {
	last, key := a.checkpoints.latest()
	bounded, cancel := context.WithTimeout(ctx, auditCheckTime)
	defer cancel()
	err = a.view(bounded, caller, in.Tenant, func(s *scope) error {
		if err := s.require(access.AuditEventsRead, s.rootPath()); err != nil {
			return err
		}
		if !a.checking.TryLock() {
			return &problem.Problem{Kind: problem.TooMany, Code: "check_running", Message: "Another check is running. Try again in a moment.", RetryAfter: time.Second}
		}
		defer a.checking.Unlock()
		out = AuditCheck{AuditCheckpoint: AuditCheckpoint{Sequence: last.Sequence, At: last.At}}
		return out.run(s.tx, last, key)
	})
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return AuditCheck{}, problem.New(problem.Conflict, "check_too_long",
			"The log is too long to be checked here. The operators of this installation can check it with the command claviger audit verify.")
	}
	return out, err
}

func (out *AuditCheck) run(tx *store.Tx, last audit.Checkpoint, key ed25519.PublicKey) error {
	var report AuditReport
	if last.Sequence > 0 && last.Verify(key) != nil {
		report.find("", last.Sequence, "the checkpoint was changed or signed with another key")
	}
	recorded, err := tx.AuditHead()
	if err != nil {
		return err
	}
	want, err := sealedHead(tx, last)
	if err := report.note(err, last.Sequence); err != nil {
		return err
	}
	if len(report.Findings) == 0 {
		want.TenantID = tx.TenantID()
		if err := report.verifyTenant(tx, want, recorded); err != nil {
			return err
		}
	}
	out.Events, out.Sealed, out.OK = recorded.Sequence, want.Sequence, report.OK()
	if !out.OK {
		out.Problem, out.Broken = report.Findings[0].Message, report.Findings[0].Sequence
	}
	return nil
}

// sealedHead is the tenant's head that the checkpoint vouches for: the one in the last link
// about the tenant, from which the links lead without a gap to the one that is signed. The
// zero head when there is none.
func sealedHead(tx *store.Tx, last audit.Checkpoint) (audit.Head, error) {
	next := audit.Link{Sequence: last.Sequence + 1}
	copy(next.Previous[:], last.Hash)
	for seen := 0; next.Sequence > 1 && seen < mostLinks; seen += auditBatch {
		links, err := tx.AllTenantsLinksBefore(next.Sequence, auditBatch)
		if err != nil {
			return audit.Head{}, err
		}
		for _, l := range links {
			if err := precedes(l, next); err != nil {
				return audit.Head{}, err
			}
			i := slices.IndexFunc(l.Heads, func(h audit.Head) bool { return h.TenantID == tx.TenantID() })
			if i >= 0 {
				return l.Heads[i], nil
			}
			next = l
		}
		if len(links) == 0 {
			return audit.Head{}, audit.ErrNoCheckpoint
		}
	}
	if next.Sequence > 1 {
		return audit.Head{}, errors.New("authority: too many links since the last one about this tenant")
	}
	return audit.Head{}, nil
}

// precedes checks that a link is whole and the one before another.
func precedes(l, next audit.Link) error {
	switch {
	case l.Sequence != next.Sequence-1:
		return audit.ErrNoCheckpoint
	case l.Hash != next.Previous, l.ComputeHash() != l.Hash:
		return &audit.BrokenError{Sequence: l.Sequence, Reason: "the system chain does not have the entry that the checkpoint vouches for"}
	}
	return nil
}
