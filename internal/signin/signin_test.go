package signin

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/claviger-io/claviger/internal/problem"
)

func TestFold(t *testing.T) {
	for name, row := range map[string][2]string{
		"case":              {"Ada.Lovelace", "ada.lovelace"},
		"white space":       {" ada\u00a0", "ada"},
		"full width":        {"ＡＤＡ", "ada"},
		"sharp s":           {"STRASSE", "straße"},
		"ligature":          {"ﬁnn", "finn"},
		"composed or not":   {"Zoe\u0308", "zoë"},
		"Greek final sigma": {"ΟΔΥΣΣΕΥΣ", "οδυσσευς"},
	} {
		if a, b := Fold(row[0]), Fold(row[1]); a != b {
			t.Errorf("%s: %q and %q are two", name, a, b)
		}
	}
}

func TestValidatePassword(t *testing.T) {
	for name, row := range map[string]struct {
		password string
		good     bool
	}{
		"eleven":                   {strings.Repeat("x", 11), false},
		"twelve":                   {"abcdefghijkl", true},
		"twelve, not ASCII":        {strings.Repeat("é", 12), true},
		"eleven once it is normal": {strings.Repeat("e\u0301", 11), false},
		"most":                     {strings.Repeat("xy", 64), true},
		"too long":                 {strings.Repeat("x", 129), false},
		"the user name":            {"Grace.Hopper.1906", false},
		"the user name twice":      {"grace.hopper.1906grace.hopper.1906", false},
		"with the user name":       {"grace.hopper.1906 and more", true},
		"not UTF-8":                {strings.Repeat("\xff", 12), false},
		"empty":                    {"", false},
		"white space counts":       {"four more words", true},
	} {
		err := ValidatePassword("/password", row.password, "grace.hopper.1906")
		if (err == nil) != row.good {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && row.password != "" && strings.Contains(problem.As(err).Error()+problem.As(err).Fields[0].Message, row.password) {
			t.Errorf("%s: the problem repeats the password", name)
		}
	}
}

// The same work is done whether there is a user or not, and nobody's hash opens nothing.
func TestHasherNobody(t *testing.T) {
	h, err := newHasher(&argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	good, err := h.hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		password, hash string
		want           bool
	}{
		"right":                {"correct horse battery", good, true},
		"right, other form":    {"correct\u00a0horse battery", good, true},
		"wrong":                {"wrong horse battery", good, false},
		"nobody":               {"correct horse battery", "", false},
		"nobody's own":         {"nobody has this password", "", false},
		"a megabyte":           {strings.Repeat("x", 1<<20), good, false},
		"right, with a suffix": {"correct horse battery" + strings.Repeat("x", 4*MaxPassword), good, false},
	} {
		got, err := h.check(t.Context(), row.password, row.hash)
		if err != nil || got != row.want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, row.want)
		}
	}
}

func TestThrottle(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	th := newThrottle(3, time.Minute, 10)
	for i := range 3 {
		if _, ok := th.take("ada", now); !ok {
			t.Fatalf("guess %d is refused", i+1)
		}
	}
	if wait, ok := th.take("ada", now.Add(20*time.Second)); ok || wait != 40*time.Second {
		t.Errorf("the fourth: wait %s, ok %v", wait, ok)
	}
	if _, ok := th.take("bob", now); !ok {
		t.Error("somebody else is refused")
	}
	th.refund("ada")
	if _, ok := th.take("ada", now); !ok {
		t.Error("a refunded guess counts")
	}
	if _, ok := th.take("ada", now.Add(time.Minute)); !ok {
		t.Error("the window doesn't end")
	}
}

// However many names are invented, the table stays small.
func TestThrottleIsBounded(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	th := newThrottle(3, time.Minute, 100)
	for i := range 10_000 {
		th.take(fmt.Sprint("name ", i), now.Add(time.Duration(i)*time.Millisecond))
		if len(th.entries) > 100 {
			t.Fatalf("%d entries after %d names", len(th.entries), i+1)
		}
	}
}

func TestSourceKey(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
	} {
		if got := sourceKey(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s counts as %s, want %s", in, got, want)
		}
	}
}

// Whoever came with an old token finds the new one for a while, also after two renewals.
func TestRenewals(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	r := &renewals{to: map[string]renewal{}}
	r.add("a", "b", now)
	r.add("b", "c", now.Add(10*time.Second))
	if got := r.resolve("a", now.Add(20*time.Second)); got != "c" {
		t.Errorf("a leads to %s", got)
	}
	if got := r.resolve("a", now.Add(31*time.Second)); got != "a" {
		t.Errorf("after its time a leads to %s", got)
	}
	if got := r.resolve("c", now); got != "c" || r.has("c", now) {
		t.Errorf("c leads to %s", got)
	}
}
