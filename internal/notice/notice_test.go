package notice

import (
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/tenancy"
)

// TestDigests: one a day, also where a day has 23 or 25 hours, or its hour is not there: NV11.
func TestDigests(t *testing.T) {
	at := func(text string) time.Time {
		t.Helper()
		v, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	two := 2
	for _, c := range []struct {
		zone            string
		hour            *int
		now, last, next string
	}{
		{"", nil, "2026-03-01 08:00", "2026-03-01 08:00", "2026-03-02 08:00"},
		{"", nil, "2026-03-01 07:59", "2026-02-28 08:00", "2026-03-01 08:00"},
		{"Europe/Berlin", nil, "2026-03-29 05:00", "2026-03-28 07:00", "2026-03-29 06:00"}, // 23 hours
		{"Europe/Berlin", nil, "2026-10-25 06:30", "2026-10-24 06:00", "2026-10-25 07:00"}, // 25 hours
		{"Asia/Kathmandu", nil, "2026-03-01 02:15", "2026-03-01 02:15", "2026-03-02 02:15"},
		{"Pacific/Kiritimati", nil, "2026-03-01 12:00", "2026-02-28 18:00", "2026-03-01 18:00"},
		{"Europe/Berlin", &two, "2026-03-29 12:00", "2026-03-29 01:00", "2026-03-30 00:00"}, // there is no 02:00
	} {
		n := tenancy.Notices{TimeZone: c.zone, Hour: c.hour}
		last, next := Digests(n, at(c.now))
		if !last.Equal(at(c.last)) || !next.Equal(at(c.next)) {
			t.Errorf("at %s in %q: %s and %s, want %s and %s", c.now, c.zone, last, next, c.last, c.next)
		}
	}
}

// TestOneLine: no name begins another header or line.
func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"Key\r\nBcc: x@y.example": "Key Bcc: x@y.example",
		"a\u2028b\u202ec\x00d":    "a bc d",
		"\xff\xfeplain":           "plain",
		"नि\u200dक":               "नि\u200dक",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// TestDistance: an end is never said to be farther off than it is.
func TestDistance(t *testing.T) {
	for d, want := range map[time.Duration]string{
		7*24*time.Hour + 23*time.Hour: "in 7 days", 47 * time.Hour: "in 1 day", 23 * time.Hour: "in 23 hours", 59 * time.Minute: "in less than an hour",
	} {
		if got := distance(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}
