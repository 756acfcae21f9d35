package store

import (
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// UsageSpan says of what usage is summed: all credentials of the tenant, or those that are
// at an organization or below it now.
type UsageSpan struct {
	At          tenancy.OrgID // empty means all
	From, Until time.Time     // whole hours; Until is exclusive
}

// UsageOf is the use of one credential in a span.
type UsageOf struct {
	Credential    credential.ID
	Valid, Denied int64
}

// UsageSums lists how much all credentials were used together, by periods of whole hours,
// oldest first. Hour is when each begins.
func (tx *Tx) UsageSums(span UsageSpan, period time.Duration) ([]UsageHour, error) {
	where, err := tx.spent(span)
	if err != nil {
		return nil, err
	}
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Begins int64
		Code   string
		Calls  int64
	}
	err = where(db.NewSelect().TableExpr("usage_hours AS u")).
		ColumnExpr("hour - hour % ? AS begins", period.Microseconds()).ColumnExpr("code").
		ColumnExpr("CAST(sum(calls) AS BIGINT) AS calls").
		GroupExpr("begins, code").OrderExpr("begins, code").Scan(tx.ctx, &rows)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("summing usage: %w", err))
	}
	var list []UsageHour
	for _, r := range rows {
		list = addCalls(list, r.Begins, r.Code, r.Calls)
	}
	return list, nil
}

// MostUsed lists the credentials that were used most in a span, the most used first.
func (tx *Tx) MostUsed(span UsageSpan, limit int) ([]UsageOf, error) {
	where, err := tx.spent(span)
	if err != nil {
		return nil, err
	}
	db, err := tx.rows()
	if err != nil {
		return nil, err
	}
	var rows []struct {
		CredentialID string
		Valid, Asked int64
	}
	err = where(db.NewSelect().TableExpr("usage_hours AS u")).ColumnExpr("credential_id").
		ColumnExpr("CAST(COALESCE(sum(calls) FILTER (WHERE code = ?), 0) AS BIGINT) AS valid", string(verify.Valid)).
		ColumnExpr("CAST(sum(calls) AS BIGINT) AS asked").
		Group("credential_id").OrderExpr("asked DESC, credential_id").Limit(int64(limit)).Scan(tx.ctx, &rows)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("summing usage: %w", err))
	}
	list := make([]UsageOf, len(rows))
	for i, r := range rows {
		if list[i].Credential, err = credentialID(r.CredentialID); err != nil {
			return nil, err
		}
		list[i].Valid, list[i].Denied = r.Valid, r.Asked-r.Valid
	}
	return list, nil
}

func (tx *Tx) spent(span UsageSpan) (func(*bun.SelectQuery) *bun.SelectQuery, error) {
	path, err := tx.pathAt(span.At)
	if err != nil {
		return nil, err
	}
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		q = tx.scope(q).Where("hour >= ? AND hour < ?", micros(span.From), micros(span.Until))
		if path == "" {
			return q
		}
		from, until := below(path)
		return q.Where("credential_id IN (SELECT c.id FROM credentials AS c JOIN organizations AS o ON o.id = c.organization_id "+
			"WHERE c.tenant_id = ? AND o.tenant_id = ? AND o.path >= ? AND o.path < ?)", string(tx.tenant), string(tx.tenant), from, until)
	}, nil
}
