package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Notice is that a credential's end was announced: the last time, of one expiry.
type Notice struct {
	CredentialID credential.ID
	ExpiresAt    time.Time // the expiry that was announced; with another all begins anew
	Days         int       // so many days before
	DigestID     string    // which says so
	At           time.Time
}

// Digest is what a tenant's people are told at one time about credentials that expire.
type Digest struct {
	ID          string // "ndg_…"
	TenantID    tenancy.TenantID
	At          time.Time      // when it was begun
	ClosedAt    time.Time      // when all that belongs into it was known; zero means not yet
	CompletedAt time.Time      // when a delivery for everybody was in the outbox; zero means not yet
	Told        tenancy.UserID // of those who hear of their own only, the last that has a delivery
}

type digestRow struct {
	bun.BaseModel `bun:"table:notice_digests,alias:d"`

	ID          string
	TenantID    string
	At          int64
	ClosedAt    int64
	CompletedAt int64
	Told        string
}

func (r *digestRow) digest() Digest {
	return Digest{
		ID: r.ID, TenantID: tenancy.TenantID(r.TenantID), At: moment(r.At), ClosedAt: moment(r.ClosedAt),
		CompletedAt: moment(r.CompletedAt), Told: tenancy.UserID(r.Told),
	}
}

var (
	insertDigest = insertInto("notice_digests", "id", "tenant_id", "at", "closed_at", "completed_at", "told")
	updateDigest = update("notice_digests", "closed_at", "completed_at", "told")
	digestTaken  = problem.New(problem.Conflict, "digest_exists", "Another digest is under way.")
)

// OpenDigest is the tenant's digest that is not completed; Missing when there is none.
func (tx *Tx) OpenDigest() (Digest, error) {
	row, err := find[digestRow](tx, "digest", "tenant_id = ? AND completed_at = 0", string(tx.tenant))
	if err != nil {
		return Digest{}, err
	}
	return row.digest(), nil
}

// InsertDigest adds a digest. A second one that is not completed is a Conflict, code
// digest_exists.
func (tx *Tx) InsertDigest(d Digest) error {
	if err := tx.own(d.TenantID); err != nil {
		return err
	}
	return tx.write(statement{text: insertDigest, taken: digestTaken, args: []any{
		d.ID, string(d.TenantID), micros(d.At), micros(d.ClosedAt), micros(d.CompletedAt), string(d.Told),
	}})
}

// UpdateDigest changes how far a digest is.
func (tx *Tx) UpdateDigest(d Digest) error {
	if err := tx.own(d.TenantID); err != nil {
		return err
	}
	return tx.write(statement{text: updateDigest, one: "digest", args: []any{
		micros(d.ClosedAt), micros(d.CompletedAt), string(d.Told), d.ID, string(tx.tenant),
	}})
}

const putNotice = "INSERT INTO notices (credential_id, tenant_id, expires_at, days, digest_id, at) VALUES (?, ?, ?, ?, ?, ?) " +
	"ON CONFLICT (credential_id) DO UPDATE SET expires_at = excluded.expires_at, days = excluded.days, " +
	"digest_id = excluded.digest_id, at = excluded.at"

// PutNotice remembers that a credential's end was announced, in place of the notice before.
// Verification knows nothing of notices.
func (tx *Tx) PutNotice(n Notice) error {
	if tx.tenant == "" {
		return errNoTenant
	}
	return tx.exec(putNotice, string(n.CredentialID[:]), string(tx.tenant), expiryMicros(n.ExpiresAt), int64(n.Days), n.DigestID, micros(n.At))
}

// DueFilter says which ends are to be announced. The threshold of N days is crossed N times
// 24 hours before the end. Of several thresholds that are due the tightest counts.
type DueFilter struct {
	Days []int     // the thresholds
	Now  time.Time // what has ended by then is left out
	// Since is when the last digest was due. Expiries set before it are due when they cross a
	// threshold before Horizon, others when they do before LateHorizon. A threshold that lay in
	// the past when the expiry was set is never due.
	Since, Horizon, LateHorizon time.Time
	IDs                         []credential.ID // only of these, at most MaxLimit; nil means of all
}

// DueNotice is that an end is to be announced.
type DueNotice struct {
	ID        credential.ID
	ExpiresAt time.Time
	SetAt     time.Time // when that expiry was set
	Days      int
}

const dayMicros = int64(24 * time.Hour / time.Microsecond)

// tightest is SQL for the tightest threshold that an expiry crosses before a time, 0 for none.
func tightest(days []int, horizon time.Time) string {
	var b strings.Builder
	b.WriteString("CASE")
	for _, n := range days { // the tightest first
		fmt.Fprintf(&b, " WHEN c.expires_at < %d THEN %d", horizon.UnixMicro()+int64(n)*dayMicros, n)
	}
	b.WriteString(" ELSE 0 END")
	return b.String()
}

const (
	expirySet = "CASE WHEN c.expires_set_at > 0 THEN c.expires_set_at ELSE c.created_at END"
	// living is true for credentials whose end is still to come; the first condition is
	// that of an index.
	living = "c.deleted_at = 0 AND c.state <> 'revoked'"
)

// DueNotices lists the tenant's credentials whose end is to be announced and was not, at that
// threshold or a tighter one: in the order of their ends, after one that an earlier page ended
// with (zero: from the first), at most limit. A due one that is suspended counts.
func (tx *Tx) DueNotices(f DueFilter, after DueNotice, limit int) ([]DueNotice, error) {
	days := slices.Compact(slices.Sorted(slices.Values(f.Days)))
	if len(days) == 0 || f.IDs != nil && len(f.IDs) == 0 {
		return nil, nil
	}
	if len(f.IDs) > maxBatch {
		return nil, batchError(len(f.IDs))
	}
	latest := f.Horizon
	if f.LateHorizon.After(latest) {
		latest = f.LateHorizon
	}
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	inner := db.NewSelect().TableExpr("credentials AS c").
		Join("LEFT JOIN notices AS n ON n.credential_id = c.id AND n.tenant_id = c.tenant_id AND n.expires_at = c.expires_at").
		ColumnExpr("c.id, c.expires_at, "+expirySet+" AS set_at, n.days AS told").
		ColumnExpr("CASE WHEN "+expirySet+" < ? THEN "+tightest(days, f.Horizon)+" ELSE "+tightest(days, f.LateHorizon)+" END AS due", f.Since.UnixMicro()).
		Where("c.tenant_id = ?", string(tx.tenant)).Where(living).
		Where("c.expires_at > ? AND c.expires_at < ?", f.Now.UnixMicro(), latest.UnixMicro()+int64(days[len(days)-1])*dayMicros)
	if !after.ExpiresAt.IsZero() {
		at := after.ExpiresAt.UnixMicro()
		inner = inner.Where("c.expires_at >= ?", at).Where("(c.expires_at > ? OR c.id > ?)", at, string(after.ID[:]))
	}
	if f.IDs != nil {
		inner = inner.Where("c.id IN (?)", bun.List(bareIDs(f.IDs)))
	}
	var rows []struct {
		ID                    string
		ExpiresAt, SetAt, Due int64
	}
	err = db.NewSelect().TableExpr("(?) AS d", inner).ColumnExpr("id, expires_at, set_at, due").
		Where("due > 0 AND set_at < expires_at - due * ?", dayMicros).Where("(told IS NULL OR told > due)").
		OrderExpr("expires_at, id").Limit(int64(limit)).Scan(tx.ctx, &rows)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("looking for ends to announce: %w", err))
	}
	list := make([]DueNotice, len(rows))
	for i, r := range rows {
		id, err := credentialID(r.ID)
		if err != nil {
			return nil, err
		}
		list[i] = DueNotice{ID: id, ExpiresAt: moment(r.ExpiresAt), SetAt: moment(r.SetAt), Days: int(r.Due)}
	}
	return list, nil
}

// DigestFilter says which part of a digest somebody hears of.
type DigestFilter struct {
	Digest   string
	Of       tenancy.UserID // only what this user owns or made; empty means all
	Owned    bool           // with Of: what the user owns
	Made     bool           // with Of: what the user made
	EndAfter time.Time      // what has ended by then is left out
}

// DigestCredentials lists what of a digest is still true: credentials whose announced end is
// still to come, and was not announced again since. In the order of their ends, at most limit,
// and MaxLimit; total counts all.
func (tx *Tx) DigestCredentials(f DigestFilter, limit int) (list []credential.Credential, total int64, err error) {
	db, err := tx.rows()
	if err != nil {
		return nil, 0, err
	}
	q := tx.digestRows(db, f)
	var ids []string
	err = q.Clone().ColumnExpr("c.id").OrderExpr("c.expires_at, c.name_key, c.id").Limit(int64(min(limit, MaxLimit))).Scan(tx.ctx, &ids)
	if err != nil {
		return nil, 0, tx.fail(fmt.Errorf("reading a digest: %w", err))
	}
	if err := q.ColumnExpr("count(*)").Scan(tx.ctx, &total); err != nil {
		return nil, 0, tx.fail(fmt.Errorf("counting a digest: %w", err))
	}
	order := make(map[credential.ID]int, len(ids))
	parsed := make([]credential.ID, len(ids))
	for i, text := range ids {
		if parsed[i], err = credentialID(text); err != nil {
			return nil, 0, err
		}
		order[parsed[i]] = i
	}
	if list, err = tx.CredentialsByID(parsed); err != nil {
		return nil, 0, err
	}
	slices.SortFunc(list, func(a, b credential.Credential) int { return order[a.ID] - order[b.ID] })
	return list, total, nil
}

func (tx *Tx) digestRows(db bun.IDB, f DigestFilter) *bun.SelectQuery {
	q := db.NewSelect().TableExpr("notices AS n").
		Join("JOIN credentials AS c ON c.id = n.credential_id AND c.tenant_id = n.tenant_id AND c.expires_at = n.expires_at").
		Where("n.digest_id = ? AND n.tenant_id = ?", f.Digest, string(tx.tenant)).
		Where(living).Where("c.expires_at > ?", f.EndAfter.UnixMicro())
	if f.Of == "" {
		return q
	}
	return q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		q = q.Where("1 = 0")
		if f.Owned {
			q = q.WhereOr("c.principal_type = 'user' AND c.principal_id = ?", string(f.Of))
		}
		if f.Made {
			q = q.WhereOr("c.created_by_type = 'user' AND c.created_by_id = ?", string(f.Of))
		}
		return q
	})
}

// DigestPeople lists the active users with an e-mail address who own, or have made, something
// in a digest: in the order of their IDs, after one (empty: from the first), at most limit.
func (tx *Tx) DigestPeople(digest string, owners, makers bool, after tenancy.UserID, limit int) ([]tenancy.UserID, error) {
	var parts []string
	if owners {
		parts = append(parts, "SELECT c.principal_id AS id FROM notices AS n JOIN credentials AS c ON c.id = n.credential_id "+
			"WHERE n.digest_id = ? AND n.tenant_id = ? AND c.tenant_id = n.tenant_id AND c.principal_type = 'user'")
	}
	if makers {
		parts = append(parts, "SELECT c.created_by_id AS id FROM notices AS n JOIN credentials AS c ON c.id = n.credential_id "+
			"WHERE n.digest_id = ? AND n.tenant_id = ? AND c.tenant_id = n.tenant_id AND c.created_by_type = 'user'")
	}
	if len(parts) == 0 {
		return nil, nil
	}
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	var args []any
	for range parts {
		args = append(args, digest, string(tx.tenant))
	}
	args = append(args, string(tx.tenant), string(after), limit)
	var ids []string
	err = db.NewRaw("SELECT u.id FROM users AS u WHERE u.id IN ("+strings.Join(parts, " UNION ")+
		") AND u.tenant_id = ? AND u.state = 'active' AND u.email <> '' AND u.id > ? ORDER BY u.id LIMIT ?", args...).Scan(tx.ctx, &ids)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("reading a digest's people: %w", err))
	}
	list := make([]tenancy.UserID, len(ids))
	for i, id := range ids {
		list[i] = tenancy.UserID(id)
	}
	return list, nil
}

// AllTenantsPruneNotices forgets notices of ends, and completed digests, from before a time.
func (tx *Tx) AllTenantsPruneNotices(before time.Time) error {
	if err := tx.exec("DELETE FROM notices WHERE expires_at < ?", micros(before)); err != nil {
		return err
	}
	return tx.exec("DELETE FROM notice_digests WHERE completed_at > 0 AND completed_at < ?", micros(before))
}
