package store

import (
	"context"
	"fmt"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// EndedSecret is a credential of which something is to be forgotten.
type EndedSecret struct {
	Tenant tenancy.TenantID
	ID     credential.ID
}

const (
	// endedSecret is true for material that has to go: the digest of an earlier secret, or of
	// a credential at its end, once the time to refuse it by name is over. Public keys stay,
	// so that none is taken twice.
	endedSecret = "public_key IS NULL AND (valid_until > 0 AND valid_until <= ? OR row_id IN " +
		"(SELECT row_id FROM credentials WHERE id = ? AND tenant_id = ? AND ended_at > 0 AND ended_at <= ? AND state IN ('revoked', 'expired')))"
	forgetSecret = "DELETE FROM credential_secrets WHERE row_id = " + thisRow + " AND " + endedSecret
	// unsealEnded destroys what an earlier secret could be shown again from.
	unsealEnded = "UPDATE credential_secrets SET sealed = NULL WHERE sealed IS NOT NULL AND valid_until > 0 AND valid_until <= ? AND row_id = " + thisRow

	dueSecrets = "SELECT tenant_id, id FROM credentials WHERE ended_at > 0 AND ended_at <= ? AND state IN ('revoked', 'expired') AND EXISTS " +
		"(SELECT 1 FROM credential_secrets AS s WHERE s.row_id = credentials.row_id AND s.public_key IS NULL) LIMIT ?"
	dueVersions = "SELECT DISTINCT c.tenant_id, c.id FROM credential_secrets AS s JOIN credentials AS c ON c.row_id = s.row_id " +
		"WHERE s.valid_until > 0 AND (s.valid_until <= ? AND s.public_key IS NULL OR s.valid_until <= ? AND s.sealed IS NOT NULL) LIMIT ?"
)

// AllTenantsEndedSecrets finds credentials with something to be forgotten: digests of
// secrets or credentials that ended before a time, and sealed copies of earlier secrets
// that no longer work. At most limit, and MaxLimit.
func (tx *Tx) AllTenantsEndedSecrets(before, now time.Time, limit int) (list []EndedSecret, err error) {
	limit = min(limit, MaxLimit)
	for _, due := range []rawQuery{{dueVersions, []any{micros(before), micros(now)}}, {dueSecrets, []any{micros(before)}}} {
		if len(list) == limit {
			break
		}
		db, err := tx.rows()
		if err != nil {
			return nil, err
		}
		var rows []struct{ TenantID, ID string }
		if err := db.NewRaw(due.text, append(due.args, limit-len(list))...).Scan(tx.ctx, &rows); err != nil {
			return nil, tx.fail(fmt.Errorf("looking for ended secrets: %w", err))
		}
		for _, r := range rows {
			id, err := credentialID(r.ID)
			if err != nil {
				return nil, err
			}
			list = append(list, EndedSecret{tenancy.TenantID(r.TenantID), id})
		}
	}
	return list, nil
}

// ForgetMaterial removes the digests of a credential's secrets that ended before a time,
// and the sealed copies of earlier secrets that no longer work.
func (tx *Tx) ForgetMaterial(id credential.ID, before, now time.Time) error {
	key, tenant := string(id[:]), string(tx.tenant)
	if _, err := tx.touch(itemCredential, key); err != nil {
		return err
	}
	if err := tx.exec(unsealEnded, micros(now), key, tenant); err != nil {
		return err
	}
	return tx.exec(forgetSecret, key, tenant, micros(before), key, tenant, micros(before))
}

// pruneBatch is how many rows of the feed go in one transaction: other writers wait no
// longer than that takes.
const pruneBatch = 5000

// PruneFeed removes all but the newest rows of the feed. Whoever follows it from before them
// gets verify.ErrFeedGone from Changes and has to read a snapshot.
func (s *Store) PruneFeed(ctx context.Context, keep uint64) error {
	for {
		var first, head uint64
		err := s.Read(ctx, "", func(tx *Tx) error {
			head = tx.Head()
			var oldest *int64
			if err := tx.db.QueryRowContext(ctx, "SELECT min(revision) FROM feed").Scan(&oldest); err != nil {
				return fmt.Errorf("looking for the feed's first row: %w", err)
			}
			if oldest != nil {
				first = uint64(*oldest)
			}
			return nil
		})
		if err != nil || first == 0 || first+keep > head {
			return err
		}
		until := min(first+pruneBatch, head-keep+1)
		_, err = s.Write(ctx, "", func(tx *Tx) error { return tx.exec("DELETE FROM feed WHERE revision < ?", int64(until)) })
		if err != nil {
			return err
		}
	}
}

// usageBatch is how many rows of usage go in one transaction.
const usageBatch = 2000

const (
	oldTenants = "SELECT id FROM tenants ORDER BY id"
	// lastOld is the last row of a batch in the order of the table's key.
	lastOld = "SELECT hour, credential_id FROM usage_hours WHERE tenant_id = ? AND hour < ? ORDER BY hour DESC, credential_id DESC LIMIT 1"
	batchOf = "SELECT hour, credential_id FROM usage_hours WHERE tenant_id = ? AND hour < ? ORDER BY hour, credential_id LIMIT 1 OFFSET ?"
	dropOld = "DELETE FROM usage_hours WHERE tenant_id = ? AND (hour, credential_id) <= (?, ?)"

	oldQuotas = "SELECT credential_id, name, period_start FROM quota_usage WHERE period_start <> 0 AND period_start < ? LIMIT ?"
	dropQuota = "DELETE FROM quota_usage WHERE credential_id = ? AND name = ? AND period_start = ?"
)

// PruneUsage removes the use of credentials in hours before a time, and the counts of quotas
// whose period began before it, in batches. Quotas without a period stay: they begin at zero
// time.
func (s *Store) PruneUsage(ctx context.Context, before time.Time) error {
	var tenants []string
	err := s.Read(ctx, "", func(tx *Tx) error { return tx.db.NewRaw(oldTenants).Scan(ctx, &tenants) })
	if err != nil {
		return fmt.Errorf("reading the tenants: %w", err)
	}
	for _, tenant := range tenants {
		for more := true; more; {
			if more, err = s.pruneUsage(ctx, tenant, before); err != nil {
				return err
			}
		}
	}
	for {
		n, err := s.pruneQuotas(ctx, before)
		if err != nil || n < usageBatch {
			return err
		}
	}
}

// pruneUsage removes one batch of a tenant's and says whether there may be more.
func (s *Store) pruneUsage(ctx context.Context, tenant string, before time.Time) (more bool, err error) {
	var last []struct {
		Hour         int64
		CredentialID string
	}
	err = s.Read(ctx, "", func(tx *Tx) error {
		if err := tx.db.NewRaw(batchOf, tenant, micros(before), usageBatch-1).Scan(ctx, &last); err != nil {
			return err
		}
		if more = len(last) > 0; more {
			return nil
		}
		return tx.db.NewRaw(lastOld, tenant, micros(before)).Scan(ctx, &last)
	})
	if err != nil || len(last) == 0 {
		return false, err
	}
	_, err = s.Write(ctx, "", func(tx *Tx) error { return tx.exec(dropOld, tenant, last[0].Hour, last[0].CredentialID) })
	return more, err
}

func (s *Store) pruneQuotas(ctx context.Context, before time.Time) (n int, err error) {
	var old []struct {
		CredentialID string
		Name         string
		PeriodStart  int64
	}
	err = s.Read(ctx, "", func(tx *Tx) error { return tx.db.NewRaw(oldQuotas, micros(before), usageBatch).Scan(ctx, &old) })
	if err != nil || len(old) == 0 {
		return 0, err
	}
	_, err = s.Write(ctx, "", func(tx *Tx) error {
		for _, q := range old {
			if err := tx.exec(dropQuota, q.CredentialID, q.Name, q.PeriodStart); err != nil {
				return err
			}
		}
		return nil
	})
	return len(old), err
}
