package credential_test

import (
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const day = 24 * time.Hour

func TestExpiry(t *testing.T) {
	at := func(d time.Duration) *time.Time { end := now.Add(d); return &end }
	never := new(time.Time)
	policy := func(longest, usual time.Duration) tenancy.Policy {
		var p tenancy.Policy
		if longest != 0 {
			p.MaxLifetime = map[string]time.Duration{"user_key": longest, "organization_key": longest}
		}
		if usual != 0 {
			p.DefaultLifetime = map[string]time.Duration{"user_key": usual, "organization_key": usual}
		}
		return p
	}
	user, org := credential.UserKey, credential.OrganizationKey
	in := func(d time.Duration) time.Time { return stored.Add(d) }
	for name, row := range map[string]struct {
		kind   credential.Kind
		asked  *time.Time
		policy tenancy.Policy
		caller time.Time
		want   time.Time // zero: never
	}{
		"user keys never end":                    {kind: user},
		"NV10 organization keys end in a year":   {kind: org, want: stored.AddDate(1, 0, 0)},
		"account keys never end":                 {kind: credential.AccountKey},
		"apps never end":                         {kind: credential.App},
		"verifier keys never end":                {kind: credential.VerifierKey},
		"asked for":                              {kind: user, asked: at(day), want: in(day)},
		"asked for never":                        {kind: org, asked: never},
		"a moment from now":                      {kind: user, asked: at(2 * time.Microsecond), want: in(2 * time.Microsecond)},
		"the policy's default":                   {kind: user, policy: policy(0, 30*day), want: in(30 * day)},
		"the policy's default before the year":   {kind: org, policy: policy(0, 30*day), want: in(30 * day)},
		"asked against the default":              {kind: user, asked: at(90 * day), policy: policy(0, 30*day), want: in(90 * day)},
		"a default that the policy shortens":     {kind: org, policy: policy(90*day, 0), want: in(90 * day)},
		"never that the policy shortens":         {kind: user, policy: policy(90*day, 0), want: in(90 * day)},
		"default above the longest":              {kind: user, policy: policy(90*day, 180*day), want: in(90 * day)},
		"exactly the longest":                    {kind: user, asked: at(90 * day), policy: policy(90*day, 0), want: in(90 * day)},
		"a policy for other kinds":               {kind: credential.App, policy: policy(90*day, 30*day)},
		"never that the caller's end shortens":   {kind: user, caller: in(7 * day), want: in(7 * day)},
		"exactly the caller's end":               {kind: user, asked: at(7 * day), caller: in(7 * day), want: in(7 * day)},
		"the caller ends before the policy does": {kind: user, policy: policy(90*day, 0), caller: in(7 * day), want: in(7 * day)},
		"the policy ends before the caller does": {kind: user, policy: policy(7*day, 0), caller: in(90 * day), want: in(7 * day)},
	} {
		got, err := credential.Expiry(row.kind, row.asked, row.policy, row.caller, now)
		if err != nil || !got.Equal(row.want) || got.IsZero() != row.want.IsZero() {
			t.Errorf("%s: %v, %v; want %v", name, got, err, row.want)
		}
		if got.Location() != time.UTC || got.Nanosecond()%1000 != 0 {
			t.Errorf("%s: %v is not as it is stored", name, got)
		}
	}

	farAway := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		asked  *time.Time
		policy tenancy.Policy
		caller time.Time
		code   string // of a denial; empty for an invalid field
	}{
		"now":                        {asked: at(0)},
		"the past":                   {asked: at(-time.Second)},
		"less than a microsecond":    {asked: at(100)},
		"the year 10000":             {asked: &farAway},
		"beyond the policy":          {asked: at(90*day + time.Microsecond), policy: policy(90*day, 0)},
		"never beyond the policy":    {asked: never, policy: policy(90*day, 0)},
		"a policy of nothing":        {policy: policy(-1, 0), code: "lifetime_policy"},
		"beyond the caller's end":    {asked: at(8 * day), caller: in(7 * day), code: "outlives_caller"},
		"never beyond the caller":    {asked: never, caller: in(7 * day), code: "outlives_caller"},
		"a caller who has ended":     {caller: in(0), code: "outlives_caller"},
		"a caller who ended earlier": {asked: at(day), caller: in(-day), code: "outlives_caller"},
	} {
		got, err := credential.Expiry(user, row.asked, row.policy, row.caller, now)
		if err == nil || !got.IsZero() {
			t.Errorf("%s: accepted as %v", name, got)
			continue
		}
		if row.code == "" {
			requirePointer(t, err, "/expires_at")
		} else if !problem.Is(err, problem.Denied) || !problem.HasCode(err, row.code) {
			t.Errorf("%s: %v, want denied %s", name, err, row.code)
		}
	}
}

func TestGrace(t *testing.T) {
	for d, want := range map[time.Duration]bool{
		0: true, time.Second: true, 30 * day: true,
		-1: false, time.Millisecond: false, 30*day + time.Second: false, -time.Hour: false,
	} {
		err := credential.ValidateGrace(d)
		if (err == nil) != want {
			t.Errorf("ValidateGrace(%s): %v", d, err)
		}
		if !want {
			requirePointer(t, err, "/grace_period_seconds")
		}
	}
}
