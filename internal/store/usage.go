package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/verify"
)

// UsageRow is what happened to one credential since the last batch: Valid and Denied are
// added to what is known. Quotas are absolute: what this process knows to be used in the
// period, counts from before its start included. Of several processes' the highest stays,
// so a quota is exact with one node, and with more lets each use it up before restarts.
type UsageRow = verify.Usage

// UsageHour is the use of one credential in one hour.
type UsageHour struct {
	Hour   time.Time
	Valid  int64
	Denied map[string]int64 // by verdict code; nil means none
}

// usageChunk is how many credentials' usage is written in one go: small enough that
// changes don't wait long.
const usageChunk = 250

const (
	addUsage = "INSERT INTO usage_hours (credential_id, hour, code, tenant_id, calls) VALUES (?, ?, ?, ?, ?) " +
		"ON CONFLICT (credential_id, hour, code) DO UPDATE SET calls = usage_hours.calls + excluded.calls"
	setLastUsed = "UPDATE credentials SET last_used_at = ? WHERE id = ? AND tenant_id = ? AND last_used_at < ?"
	putQuota    = "INSERT INTO quota_usage (credential_id, name, period_start, tenant_id, used) VALUES (?, ?, ?, ?, ?) " +
		"ON CONFLICT (credential_id, name, period_start) DO UPDATE SET used = excluded.used WHERE quota_usage.used < excluded.used"
)

// AddUsage records a batch of usage, in chunks. It changes nothing that verification holds
// and adds nothing to the feed. After an error, rows may have been recorded in part.
func (s *Store) AddUsage(ctx context.Context, rows []UsageRow) error {
	for len(rows) > 0 {
		chunk := rows[:min(len(rows), usageChunk)]
		rows = rows[len(chunk):]
		_, err := s.Write(ctx, "", func(tx *Tx) error {
			for i := range chunk {
				if err := tx.allTenantsAddUsage(&chunk[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) allTenantsAddUsage(u *UsageRow) error {
	id, tenant := string(u.CredentialID[:]), string(u.TenantID)
	list := make([]statement, 0, 4)
	if u.Valid != 0 {
		list = append(list, statement{text: addUsage, args: []any{id, micros(u.Hour), string(verify.Valid), tenant, u.Valid}})
	}
	for code, n := range u.Denied {
		list = append(list, statement{text: addUsage, args: []any{id, micros(u.Hour), string(code), tenant, n}})
	}
	if !u.LastUsedAt.IsZero() {
		at := micros(u.LastUsedAt)
		list = append(list, statement{text: setLastUsed, args: []any{at, id, tenant, at}})
	}
	for _, q := range u.Quotas {
		list = append(list, statement{text: putQuota, args: []any{id, q.Name, micros(q.PeriodStart), tenant, q.Used}})
	}
	return tx.writeAll(list...)
}

type usageRow struct {
	bun.BaseModel `bun:"table:usage_hours,alias:u"`

	CredentialID string
	Hour         int64
	Code         string
	TenantID     string
	Calls        int64
}

// Usage lists the use of one credential by hours from an hour on, until another, oldest first.
func (tx *Tx) Usage(id credential.ID, from, until time.Time) ([]UsageHour, error) {
	rows, err := all[usageRow](tx, "usage", func(q *bun.SelectQuery) *bun.SelectQuery {
		return tx.scope(q).Where("credential_id = ? AND hour >= ? AND hour < ?", string(id[:]), micros(from), micros(until)).
			Order("hour", "code")
	})
	if err != nil {
		return nil, err
	}
	var hours []UsageHour
	for _, r := range rows {
		if n := len(hours); n == 0 || !hours[n-1].Hour.Equal(moment(r.Hour)) {
			hours = append(hours, UsageHour{Hour: moment(r.Hour)})
		}
		h := &hours[len(hours)-1]
		if r.Code == string(verify.Valid) {
			h.Valid = r.Calls
			continue
		}
		if h.Denied == nil {
			h.Denied = map[string]int64{}
		}
		h.Denied[r.Code] = r.Calls
	}
	return hours, nil
}

// AllTenantsPruneUsage removes the history before an hour and the counts of quotas whose
// period ended before it. Quotas without a period stay: they begin at zero time.
func (tx *Tx) AllTenantsPruneUsage(before time.Time) error {
	if err := tx.exec("DELETE FROM usage_hours WHERE hour < ?", micros(before)); err != nil {
		return err
	}
	return tx.exec("DELETE FROM quota_usage WHERE period_start <> 0 AND period_start < ?", micros(before))
}
