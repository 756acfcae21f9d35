package main

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// The demo's credentials were used for two weeks, in office hours (UTC).
const (
	usedFor  = 14 * day
	usedFrom = 7
	usedTo   = 19
)

// seedUsage gives the credentials a past, so that charts show something. It is the same in
// every demo.
func (s *seeder) seedUsage(ctx context.Context, customers []*customer) error {
	now := time.Now().UTC()
	var rows []store.UsageRow
	n := int64(0)
	for _, c := range customers {
		for i := range c.credentials {
			n++
			rows = append(rows, c.credentials[i].past(c.tenant.ID, now, n)...)
		}
	}
	return s.addUsage(ctx, rows)
}

// past is how the n-th credential of the demo was used.
func (k *credentialPlan) past(tenant tenancy.TenantID, now time.Time, n int64) []store.UsageRow {
	usual := []int64{40, 6, 150, 0, 15}[n%5] // calls in an hour; some are not used at all
	if usual == 0 || k.notBefore > 0 {
		return nil
	}
	dead, code := k.ended(now)
	var rows []store.UsageRow
	lastGood := -1
	for hour := now.Add(-min(usedFor, k.issued)).Truncate(time.Hour); hour.Before(now); hour = hour.Add(time.Hour) {
		weekend := hour.Weekday() == time.Saturday || hour.Weekday() == time.Sunday
		if h := hour.Hour(); h < usedFrom || h >= usedTo || weekend && usual < 100 {
			continue
		}
		// A figure of its own for each hour, and no chance in it.
		mixed := (n*7919 + hour.Unix()/3600*104729) % 97
		row := store.UsageRow{CredentialID: k.made.id, TenantID: tenant, Hour: hour, Denied: map[verify.Code]int64{}}
		switch {
		case !hour.Before(dead):
			row.Denied[code] = 1 + mixed%4
		default:
			row.Valid = usual/2 + usual*mixed/97
			if mixed%7 == 0 {
				row.Denied[verify.InsufficientPermissions] = 1 + usual/20
			}
			lastGood = len(rows)
		}
		rows = append(rows, row)
	}
	if lastGood >= 0 {
		at := rows[lastGood].Hour.Add(time.Duration(n*13%60) * time.Minute)
		rows[lastGood].LastUsedAt = at
		if at.After(now) {
			rows[lastGood].LastUsedAt = rows[lastGood].Hour
		}
	}
	return rows
}

// ended is from when on the credential was refused, and with which code.
func (k *credentialPlan) ended(now time.Time) (time.Time, verify.Code) {
	switch {
	case k.expires < 0:
		return now.Add(k.expires), verify.Expired
	case k.end == revoked, k.end == deleted:
		return now.Add(-day), verify.Revoked
	case k.end == suspended:
		return now.Add(-day), verify.Suspended
	}
	return now.Add(day), ""
}
