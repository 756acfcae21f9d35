package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// UsageChunk is how many credentials' usage is written in one go: each is a row and several indexes' pages somewhere else, and
// changes shall not wait for 50 ms.
const UsageChunk = 20

// Each writes many rows, since one statement a row costs several times as much. The rows of
// a statement have different keys: PostgreSQL refuses to change a row twice.
const (
	addUsage = "INSERT INTO usage_hours (credential_id, tenant_id, hour, code, calls) VALUES %s " +
		"ON CONFLICT (tenant_id, hour, credential_id, code) DO UPDATE SET calls = usage_hours.calls + excluded.calls"
	setLastUsed = "WITH used (id, tenant_id, at) AS (VALUES %s) UPDATE credentials SET last_used_at = used.at FROM used " +
		"WHERE credentials.id = used.id AND credentials.tenant_id = used.tenant_id AND credentials.last_used_at < used.at"
	putQuota = "INSERT INTO quota_usage (credential_id, tenant_id, name, period_start, used) VALUES %s " +
		"ON CONFLICT (credential_id, name, period_start) DO UPDATE SET used = excluded.used WHERE quota_usage.used < excluded.used"
)

// AddUsage records usage in one transaction, of UsageChunk credentials at most unless nobody
// waits. It changes nothing that verification holds and adds nothing to the feed.
func (s *Store) AddUsage(ctx context.Context, rows []UsageRow) error {
	sums := usageSums{calls: map[usageKey]int64{}, last: map[usageKey]int64{}, quotas: map[usageKey]int64{}}
	for i := range rows {
		sums.add(&rows[i])
	}
	_, err := s.Write(ctx, "", sums.allTenantsWrite)
	return err
}

// usageKey is what is counted, as far as its table tells it apart.
type usageKey struct {
	credential, tenant string
	name               string // of the verdict or the quota
	start              int64  // of the hour or the period, in microseconds
}

// usageSums is the usage of a transaction, every key once.
type usageSums struct {
	calls, last, quotas map[usageKey]int64
}

func (s usageSums) add(u *UsageRow) {
	key := usageKey{credential: string(u.CredentialID[:]), tenant: string(u.TenantID)}
	if !u.LastUsedAt.IsZero() {
		s.last[key] = max(s.last[key], micros(u.LastUsedAt))
	}
	for _, q := range u.Quotas {
		key.name, key.start = q.Name, micros(q.PeriodStart)
		s.quotas[key] = max(s.quotas[key], q.Used)
	}
	key.start = micros(u.Hour)
	for code, n := range u.Denied {
		key.name = string(code)
		s.calls[key] += n
	}
	if u.Valid != 0 {
		key.name = string(verify.Valid)
		s.calls[key] += u.Valid
	}
}

func (s usageSums) allTenantsWrite(tx *Tx) error {
	return errors.Join(
		writeRows(tx, addUsage, "(?, ?, ?, ?, ?)", s.calls, func(k usageKey, n int64) []any {
			return []any{k.credential, k.tenant, k.start, k.name, n}
		}),
		// Nothing else tells PostgreSQL the types of these parameters.
		writeRows(tx, setLastUsed, "(?, ?, CAST(? AS BIGINT))", s.last, func(k usageKey, at int64) []any {
			return []any{k.credential, k.tenant, at}
		}),
		writeRows(tx, putQuota, "(?, ?, ?, ?, ?)", s.quotas, func(k usageKey, n int64) []any {
			return []any{k.credential, k.tenant, k.name, k.start, n}
		}),
	)
}

// groups are how many rows a statement has: statements stay prepared, so there may be few.
var groups = []int{50, 20, 5, 1}

// writeRows fills the statement's VALUES with a row for each key. They are in order: rows
// of a tenant lie together, and two processes don't wait for each other in a circle.
func writeRows(tx *Tx, text, row string, sums map[usageKey]int64, values func(usageKey, int64) []any) error {
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b usageKey) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.start, b.start), cmp.Compare(a.credential, b.credential), cmp.Compare(a.name, b.name))
	})
	for _, group := range groups {
		filled := fmt.Sprintf(text, row+strings.Repeat(", "+row, group-1))
		for len(keys) >= group {
			var args []any
			for _, k := range keys[:group] {
				args = append(args, values(k, sums[k])...)
			}
			if err := tx.exec(filled, args...); err != nil {
				return err
			}
			keys = keys[group:]
		}
	}
	return nil
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
		return tx.scope(q).Where("credential_id = ?", string(id[:])).Where("hour IN (?)", bun.List(hoursBetween(from, until))).
			Order("hour", "code")
	})
	if err != nil {
		return nil, err
	}
	var hours []UsageHour
	for _, r := range rows {
		hours = addCalls(hours, r.Hour, r.Code, r.Calls)
	}
	return hours, nil
}

// addCalls adds calls that were answered with one code to the last of the hours, or to another
// one that begins at a time. The calls come in the order of hours.
func addCalls(hours []UsageHour, begins int64, code string, calls int64) []UsageHour {
	if n := len(hours); n == 0 || !hours[n-1].Hour.Equal(moment(begins)) {
		hours = append(hours, UsageHour{Hour: moment(begins)})
	}
	h := &hours[len(hours)-1]
	switch {
	case code == string(verify.Valid):
		h.Valid = calls
	case h.Denied == nil:
		h.Denied = map[string]int64{code: calls}
	default:
		h.Denied[code] = calls
	}
	return hours
}

// hoursBetween lists the hours that begin between the two times. The table is ordered by
// hours first, so a look at each finds a credential without reading all others.
func hoursBetween(from, until time.Time) []int64 {
	var hours []int64
	begin := from.Truncate(time.Hour)
	if begin.Before(from) {
		begin = begin.Add(time.Hour)
	}
	for ; begin.Before(until); begin = begin.Add(time.Hour) {
		hours = append(hours, micros(begin))
	}
	return hours
}
