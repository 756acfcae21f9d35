package main

import (
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/verify"
)

// The demo's past is one: nothing of it is to come, and what has ended was refused since.
func TestDemoUsageIsPast(t *testing.T) {
	now := time.Date(2026, 11, 20, 13, 20, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		plan credentialPlan
		code verify.Code
		ends time.Duration // ago
	}{
		"in use":       {plan: credentialPlan{issued: 100 * day}, ends: -1},
		"issued since": {plan: credentialPlan{issued: 3 * day}, ends: -1},
		"revoked":      {plan: credentialPlan{issued: 100 * day, end: revoked}, code: verify.Revoked, ends: day},
		"suspended":    {plan: credentialPlan{issued: 100 * day, end: suspended}, code: verify.Suspended, ends: day},
		"expired":      {plan: credentialPlan{issued: 100 * day, expires: -2 * day}, code: verify.Expired, ends: 2 * day},
	} {
		rows := row.plan.past("ten_x", now, 2) // the second kind of use is a busy one
		if len(rows) < 20 {
			t.Errorf("%s: %d hours", name, len(rows))
		}
		used, refused := false, false
		for _, r := range rows {
			late := row.ends >= 0 && !r.Hour.Before(now.Add(-row.ends))
			if r.Hour.After(now) || r.LastUsedAt.After(now) || r.Hour.Before(now.Add(-row.plan.issued-time.Hour)) || late == (r.Valid > 0) {
				t.Errorf("%s: %+v", name, r)
			}
			used = used || !r.LastUsedAt.IsZero()
			refused = refused || row.code != "" && r.Denied[row.code] > 0
		}
		if !used || refused != (row.code != "") {
			t.Errorf("%s: used %v, refused %v", name, used, refused)
		}
	}
	if rows := (&credentialPlan{issued: day, notBefore: day}).past("ten_x", now, 2); rows != nil {
		t.Errorf("what starts later was used: %v", rows)
	}
}
