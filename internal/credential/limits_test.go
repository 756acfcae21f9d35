package credential_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/credential"
)

func TestValidateLimits(t *testing.T) {
	rate := func(name string, limit int64, window time.Duration) credential.Limits {
		return credential.Limits{Rates: []credential.Rate{{Name: name, Limit: limit, Window: window}}}
	}
	quota := func(name string, limit int64, period credential.QuotaPeriod) credential.Limits {
		return credential.Limits{Quotas: []credential.Quota{{Name: name, Limit: limit, Period: period}}}
	}
	many := func(n int) (l credential.Limits) {
		for i := range n {
			l.Rates = append(l.Rates, credential.Rate{Name: fmt.Sprint("r", i), Limit: 1, Window: time.Second})
		}
		return l
	}
	manyQuotas := credential.Limits{Quotas: make([]credential.Quota, credential.MaxQuotas+1)}
	for name, row := range map[string]struct {
		limits   credential.Limits
		pointers []string
	}{
		"none":              {},
		"a rate":            {limits: rate("per_minute", 60, time.Minute)},
		"the shortest":      {limits: rate("x", 1, time.Second)},
		"the longest":       {limits: rate("x-1", credential.MaxLimit, 24*time.Hour)},
		"a quota":           {limits: quota("monthly", 10_000, credential.PerMonth)},
		"for ever":          {limits: quota("trial", 1, credential.Forever)},
		"as many as may be": {limits: many(credential.MaxRates)},
		"too many":          {many(credential.MaxRates + 1), []string{"/limits/rates"}},
		"too many quotas":   {manyQuotas, []string{"/limits/quotas"}},
		"no name":           {rate("", 1, time.Second), []string{"/limits/rates/0/name"}},
		"upper case":        {rate("Fast", 1, time.Second), []string{"/limits/rates/0/name"}},
		"a line":            {rate("a\nb", 1, time.Second), []string{"/limits/rates/0/name"}},
		"a long name":       {rate(strings.Repeat("x", 64), 1, time.Second), []string{"/limits/rates/0/name"}},
		"nothing allowed":   {rate("x", 0, time.Second), []string{"/limits/rates/0/limit"}},
		"below nothing":     {rate("x", -1, time.Second), []string{"/limits/rates/0/limit"}},
		"too much":          {rate("x", credential.MaxLimit+1, time.Second), []string{"/limits/rates/0/limit"}},
		"no window":         {rate("x", 1, 0), []string{"/limits/rates/0/window_seconds"}},
		"part of a second":  {rate("x", 1, 1500*time.Millisecond), []string{"/limits/rates/0/window_seconds"}},
		"longer than a day": {rate("x", 1, 24*time.Hour+time.Second), []string{"/limits/rates/0/window_seconds"}},
		"no period":         {quota("x", 1, ""), []string{"/limits/quotas/0/period"}},
		"unknown period":    {quota("x", 1, "week"), []string{"/limits/quotas/0/period"}},
		"everything wrong":  {rate("", 0, 0), []string{"/limits/rates/0/name", "/limits/rates/0/limit", "/limits/rates/0/window_seconds"}},
		"one name twice": {credential.Limits{
			Rates:  []credential.Rate{{Name: "x", Limit: 1, Window: time.Second}},
			Quotas: []credential.Quota{{Name: "y", Limit: 1, Period: credential.PerDay}, {Name: "x", Limit: 1, Period: credential.PerDay}},
		}, []string{"/limits/quotas/1/name"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := credential.ValidateLimits(row.limits)
			if row.pointers == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			requirePointer(t, err, row.pointers...)
		})
	}
}

func TestWindowStart(t *testing.T) {
	for _, row := range []struct {
		window time.Duration
		at     string
		want   string
	}{
		{time.Second, "2026-11-21T12:34:56.999999999Z", "2026-11-21T12:34:56Z"},
		{time.Minute, "2026-11-21T12:34:56Z", "2026-11-21T12:34:00Z"},
		{time.Minute, "2026-11-21T12:34:00Z", "2026-11-21T12:34:00Z"},
		{24 * time.Hour, "2026-11-21T23:59:59+02:00", "2026-11-21T00:00:00Z"},
		{24 * time.Hour, "2026-11-21T01:00:00+02:00", "2026-11-20T00:00:00Z"},
		{7 * time.Second, "1970-01-01T00:00:15Z", "1970-01-01T00:00:14Z"}, // not a divisor of the day
		{time.Minute, "1969-12-31T23:59:59Z", "1969-12-31T23:59:00Z"},
		{0, "2026-11-21T12:34:56.5Z", "2026-11-21T12:34:56Z"}, // no window passes for a second, rather than panic
	} {
		got := credential.Rate{Window: row.window}.WindowStart(mustTime(t, row.at))
		if !got.Equal(mustTime(t, row.want)) || got.Location() != time.UTC {
			t.Errorf("%s in %s: %s, want %s", row.at, row.window, got, row.want)
		}
	}
}

func TestQuotaPeriods(t *testing.T) {
	for _, row := range []struct {
		period         credential.QuotaPeriod
		at, start, end string
	}{
		{credential.PerDay, "2026-11-21T23:59:59.999Z", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
		{credential.PerDay, "2026-11-22T00:30:00+02:00", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
		{credential.PerMonth, "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		{credential.PerMonth, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{credential.PerMonth, "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"},
		{credential.Forever, "2026-12-31T23:59:59Z", "1970-01-01T00:00:00Z", ""},
	} {
		start := row.period.Start(mustTime(t, row.at))
		if !start.Equal(mustTime(t, row.start)) {
			t.Errorf("%s at %s starts %s", row.period, row.at, start)
		}
		end := row.period.End(start)
		if row.end == "" {
			if !end.IsZero() {
				t.Errorf("%s ends %s", row.period, end)
			}
			continue
		}
		if !end.Equal(mustTime(t, row.end)) || !row.period.Start(end).Equal(end) {
			t.Errorf("%s of %s ends %s", row.period, row.at, end)
		}
	}
}

func TestParseNetworks(t *testing.T) {
	for name, row := range map[string]struct {
		list []string
		want string
	}{
		"none":                 {nil, ""},
		"networks":             {[]string{"192.0.2.0/24", "2001:db8::/32"}, "192.0.2.0/24 2001:db8::/32"},
		"addresses":            {[]string{"192.0.2.7", "2001:db8::1"}, "192.0.2.7/32 2001:db8::1/128"},
		"sorted, once each":    {[]string{"192.0.2.0/24", "10.0.0.0/8", "192.0.2.0/24"}, "10.0.0.0/8 192.0.2.0/24"},
		"an address and its /": {[]string{"192.0.2.7/32", "192.0.2.7"}, "192.0.2.7/32"},
		"IPv4 written as IPv6": {[]string{"::ffff:192.0.2.0/120", "::ffff:192.0.2.7"}, "192.0.2.0/24 192.0.2.7/32"},
		"all of IPv4":          {[]string{"0.0.0.0/0"}, "0.0.0.0/0"},
		"all of both":          {[]string{"::/0", "0.0.0.0/0"}, "0.0.0.0/0 ::/0"},
	} {
		got, err := credential.ParseNetworks(row.list)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(row.want, join(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, s := range map[string]string{
		"nothing":                 "",
		"a name":                  "example.com",
		"a space":                 " 192.0.2.7",
		"no prefix length":        "192.0.2.0/",
		"too long a prefix":       "192.0.2.0/33",
		"negative":                "192.0.2.0/-1",
		"leading zero":            "192.0.2.0/08",
		"octal":                   "192.0.02.7",
		"three parts":             "192.0.2/24",
		"a range":                 "192.0.2.1-192.0.2.9",
		"bits after the prefix":   "192.0.2.7/24",
		"the same in IPv6":        "2001:db8::1/32",
		"a zone":                  "fe80::1%eth0",
		"a zone and a prefix":     "fe80::%eth0/64",
		"beyond the mapped range": "::ffff:0:0/90",
		"a port":                  "192.0.2.7:80",
		"one megabyte":            strings.Repeat("1", 1<<20),
	} {
		got, err := credential.ParseNetworks([]string{"192.0.2.0/24", s})
		if err == nil || got != nil {
			t.Errorf("%s is read as %v", name, got)
			continue
		}
		requirePointer(t, err, "/networks/1")
		if s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("%s: the refusal repeats it", name)
		}
	}
	_, err := credential.ParseNetworks(make([]string, credential.MaxNetworks+1))
	requirePointer(t, err, "/networks")
	_, err = credential.ParseNetworks([]string{"x", "192.0.2.0/24", "y"})
	requirePointer(t, err, "/networks/0", "/networks/2")
}

func FuzzParseNetworks(f *testing.F) {
	f.Add("192.0.2.0/24")
	f.Add("::ffff:192.0.2.0/120")
	f.Add("fe80::1%eth0")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := credential.ParseNetworks([]string{s})
		if err != nil {
			return
		}
		again, err := credential.ParseNetworks([]string{got[0].String()})
		if err != nil || again[0] != got[0] || got[0] != got[0].Masked() || got[0].Addr().Is4In6() {
			t.Errorf("%q is read as %v, and that as %v, %v", s, got, again, err)
		}
	})
}

func join(list []netip.Prefix) string {
	parts := make([]string, 0, len(list))
	for _, p := range list {
		parts = append(parts, p.String())
	}
	return strings.Join(parts, " ")
}

func mustTime(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
