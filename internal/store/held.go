package store

import "fmt"

// settingHeld is there while a restored database waits for what was revoked since.
const settingHeld = "restore_held"

// AllTenantsHeld reports whether every credential is suspended because a backup was restored
// and nobody has said yet that nothing is missing from it.
func (tx *Tx) AllTenantsHeld() (bool, error) {
	value, err := tx.AllTenantsSetting(settingHeld)
	return value != "", err
}

// AllTenantsRelease ends what Restore began: credentials verify again as far as their state
// lets them. Every tenant goes through the feed.
func (tx *Tx) AllTenantsRelease() error {
	if err := tx.exec("DELETE FROM settings WHERE key = ?", settingHeld); err != nil {
		return err
	}
	db, err := tx.rows()
	if err != nil {
		return err
	}
	var ids []string
	if err := db.NewSelect().Model((*tenantRow)(nil)).Column("id").Order("row_id").Scan(tx.ctx, &ids); err != nil {
		return tx.fail(fmt.Errorf("reading the tenants: %w", err))
	}
	for _, id := range ids {
		if _, err := tx.touch(itemTenant, id); err != nil {
			return err
		}
	}
	return nil
}

// AllTenantsSkipRevisions makes the next revision of the feed a later one than the given, so
// that revisions which a lost database gave out are not given out again.
func (tx *Tx) AllTenantsSkipRevisions(until uint64) error {
	if tx.writer == nil {
		return errReadOnly
	}
	tx.head.revision = max(tx.head.revision, until)
	return tx.failed
}
