package authority

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const (
	// settingRestoration is what is known of the backup that the database was restored from.
	settingRestoration = "restoration"
	// settingRestoredCheckpoint is the signed checkpoint that says so to the nodes' files.
	settingRestoredCheckpoint = "restored_checkpoint"
)

// Restoration is what a restored database knows of the backup that it came from.
type Restoration struct {
	BackupAt   time.Time `json:"backup_at"`
	Revision   uint64    `json:"revision"` // of the feed, when the backup was made
	Rows       int64     `json:"rows"`
	Checksum   string    `json:"checksum"`
	RestoredAt time.Time `json:"restored_at"`
	// Recorded is set once audit and checkpoint tell of it.
	Recorded bool `json:"recorded"`
	// Held says that every credential is suspended: nobody has said yet what was revoked after
	// the backup was made. It is kept elsewhere.
	Held bool `json:"-"`
}

// RestorationOf describes a backup that is about to be restored.
func RestorationOf(info store.BackupInfo, now time.Time) Restoration {
	return Restoration{
		BackupAt: info.At, Revision: info.Revision, Rows: info.Rows, Checksum: info.Checksum, RestoredAt: now.UTC().Truncate(time.Microsecond),
	}
}

// Settings are what the restored database must have from its first moment on.
func (r Restoration) Settings() (map[string]string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding what is restored: %w", err)
	}
	return map[string]string{settingRestoration: string(text), settingRestoredCheckpoint: ""}, nil
}

// ErrNothingToFinish means that no credential waits for the end of a restore.
var ErrNothingToFinish = errors.New("no restored backup waits for anything")

// FinishRestoreInput says what happens with credentials that a restore suspended. With
// neither Journals nor AcceptRisk they stay suspended.
type FinishRestoreInput struct {
	// Signer signs the checkpoint that says that the audit chain went back. Required.
	Signer ed25519.PrivateKey
	// Journals are the revocation journals of all nodes, in any order. What they name ends, and
	// then the other credentials work again.
	Journals [][]JournalEntry
	// AcceptRisk lets credentials work again, without knowing which were revoked after the
	// backup was made. It counts for nothing beside Journals.
	AcceptRisk bool
}

// RestoreReport is what FinishRestore did.
type RestoreReport struct {
	Restoration Restoration
	Journal     JournalReport
	// FirstAdminReopened says that the installation has no administrator left, since they were
	// made or deleted after the backup, and that the first one's door is open again.
	FirstAdminReopened bool
}

// Restoration answers whether and from what the database was restored; the zero Restoration
// when it wasn't.
func (a *Authority) Restoration(ctx context.Context) (r Restoration, err error) {
	err = a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		r, err = restoration(tx)
		return err
	})
	return r, err
}

func restoration(tx *store.Tx) (r Restoration, err error) {
	text, err := tx.AllTenantsSetting(settingRestoration)
	if err != nil || text == "" {
		return r, err
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("reading what was restored: %w", err)
	}
	r.Held, err = tx.AllTenantsHeld()
	return r, err
}

// FinishRestore goes on with a database that was restored, as far as the input says; after a
// crash it is called again. The restore itself is audited as installation.restore in the
// system tenant; what a journal ends as if it were ended one by one, as the installation's
// own doing, and the end of it as installation.apply_journal; accepting the risk as
// installation.accept_risk. ErrNothingToFinish when there is nothing to be done.
func (a *Authority) FinishRestore(ctx context.Context, in FinishRestoreInput) (report RestoreReport, err error) {
	if report.Restoration, err = a.Restoration(ctx); err != nil {
		return report, err
	}
	if report.Restoration.RestoredAt.IsZero() {
		return report, ErrNothingToFinish
	}
	if !report.Restoration.Recorded {
		if report.Restoration, err = a.recordRestore(ctx, report.Restoration, in.Signer); err != nil {
			return report, err
		}
	}
	switch {
	case len(in.Journals) > 0:
		ends, err := endsOf(in.Journals)
		if err != nil {
			return report, err
		}
		if report.Journal, err = a.applyEnds(ctx, ends); err != nil {
			return report, err
		}
		return a.release(ctx, report, "installation.apply_journal", ends.revision)
	case in.AcceptRisk && !report.Restoration.Held:
		return report, ErrNothingToFinish
	case in.AcceptRisk:
		return a.release(ctx, report, "installation.accept_risk", 0)
	}
	return report, nil
}

func installationTarget(id string) target {
	return target{kind: "installation", id: id, name: "Claviger", org: tenancy.SystemRootOrg}
}

// recordRestore audits that the database went back, and signs a checkpoint that says so.
func (a *Authority) recordRestore(ctx context.Context, r Restoration, signer ed25519.PrivateKey) (Restoration, error) {
	if len(signer) != ed25519.PrivateKeySize {
		return r, errors.New("authority: no key to sign the restore with")
	}
	_, err := a.change(ctx, SystemCaller(), tenancy.SystemTenantID, func(c *change) error {
		id, err := installationID(c.tx)
		if err != nil {
			return err
		}
		return c.record("installation.restore", installationTarget(id), nil, fields{
			"backup_at": r.BackupAt, "revision": r.Revision, "rows": r.Rows, "checksum": r.Checksum,
		})
	})
	if err != nil {
		return r, err
	}
	r.Recorded = true
	_, err = a.store.Write(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
		checkpoint, err := a.link(tx)
		if err != nil {
			return err
		}
		checkpoint.Restored = true
		text, err := json.Marshal(audit.Sign(signer, checkpoint))
		if err != nil {
			return fmt.Errorf("encoding a checkpoint: %w", err)
		}
		settings, err := r.Settings()
		if err != nil {
			return err
		}
		settings[settingRestoredCheckpoint] = string(text)
		for key, value := range settings {
			if err := tx.AllTenantsPutSetting(key, value); err != nil {
				return err
			}
		}
		return nil
	})
	return r, err
}

// restoredCheckpoint is the signed checkpoint of the last restore; the zero one for none.
func restoredCheckpoint(tx *store.Tx) (c audit.Checkpoint, err error) {
	text, err := tx.AllTenantsSetting(settingRestoredCheckpoint)
	if err != nil || text == "" {
		return c, err
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return audit.Checkpoint{}, fmt.Errorf("reading the checkpoint of the restore: %w", err)
	}
	return c, nil
}

// release lets credentials work again, and begins revisions after those that the lost
// database is known to have given out.
func (a *Authority) release(ctx context.Context, report RestoreReport, action string, lost uint64) (RestoreReport, error) {
	_, err := a.change(ctx, SystemCaller(), tenancy.SystemTenantID, func(c *change) error {
		report.FirstAdminReopened = false
		after := report.Journal.fields()
		if err := c.tx.AllTenantsSkipRevisions(lost); err != nil {
			return err
		}
		if report.Restoration.Held {
			if err := c.tx.AllTenantsRelease(); err != nil {
				return err
			}
		}
		var err error
		if report.FirstAdminReopened, err = c.reopenFirstAdmin(); err != nil {
			return err
		}
		if report.FirstAdminReopened {
			after["first_admin_reopened"] = true
		}
		id, err := installationID(c.tx)
		if err != nil {
			return err
		}
		return c.record(action, installationTarget(id), nil, after)
	})
	report.Restoration.Held = report.Restoration.Held && err != nil
	return report, err
}

// reopenFirstAdmin opens the first administrator's door again where nobody is left who could
// let others in.
func (c *change) reopenFirstAdmin() (bool, error) {
	closed, err := c.tx.AllTenantsSetting(settingFirstAdminClosed)
	if err != nil || closed == "" {
		return false, err
	}
	if there, err := c.hasAdministrator(); err != nil || there {
		return false, err
	}
	return true, c.tx.AllTenantsPutSetting(settingFirstAdminClosed, "")
}
