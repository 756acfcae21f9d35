package credential_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
)

var (
	now    = time.Date(2026, 11, 21, 12, 0, 0, 123_456_789, time.FixedZone("somewhere", 3600))
	stored = now.UTC().Truncate(time.Microsecond)
	soon   = stored.Add(time.Hour)
	past   = stored.Add(-time.Hour)
)

// every is one credential in each situation that the transitions tell apart.
var every = map[string]credential.Credential{
	"active":          {Kind: credential.UserKey, State: credential.Active, SecretVersion: 1},
	"active for long": {Kind: credential.UserKey, State: credential.Active, SecretVersion: 1, ExpiresAt: soon},
	"suspended":       {Kind: credential.UserKey, State: credential.Suspended, SecretVersion: 1},
	"past its time":   {Kind: credential.UserKey, State: credential.Active, SecretVersion: 1, ExpiresAt: past},
	"suspended, past": {Kind: credential.UserKey, State: credential.Suspended, SecretVersion: 1, ExpiresAt: past},
	"revoked":         {Kind: credential.UserKey, State: credential.Revoked, SecretVersion: 1, EndedAt: past},
	"deleted":         {Kind: credential.UserKey, State: credential.Revoked, SecretVersion: 1, EndedAt: past, DeletedAt: past},
	"expired":         {Kind: credential.UserKey, State: credential.Expired, SecretVersion: 1, ExpiresAt: past, EndedAt: past, DeletedAt: past},
	"in no state":     {Kind: credential.UserKey, SecretVersion: 1},
}

// PV2 PV8 PV9 NV12: what may happen to a credential in which state; a code is a refusal.
func TestTransitions(t *testing.T) {
	suspended := func(c *credential.Credential) { c.State = credential.Suspended }
	active := func(c *credential.Credential) { c.State, c.ResumedAt = credential.Active, stored }
	revoked := func(c *credential.Credential) { c.State, c.EndedAt = credential.Revoked, stored }
	expired := func(c *credential.Credential) {
		c.State, c.EndedAt, c.DeletedAt = credential.Expired, past, stored
	}
	deleted := func(c *credential.Credential) {
		c.State, c.EndedAt, c.DeletedAt = credential.Revoked, stored, stored
	}
	hidden := func(c *credential.Credential) { c.DeletedAt = stored }
	rotated := func(c *credential.Credential) { c.SecretVersion = 2 }
	renamed := func(c *credential.Credential) { c.Name = "New name" }

	type want map[string]any // a change, or the code of the refusal
	operations := map[string]struct {
		do   func(credential.Credential) (credential.Credential, error)
		want want
	}{
		"suspend": {
			func(c credential.Credential) (credential.Credential, error) { return c.Suspend(now) },
			want{"active": suspended, "active for long": suspended, "suspended": "already_suspended"},
		},
		"resume": {
			func(c credential.Credential) (credential.Credential, error) { return c.Resume(now) },
			want{"active": "not_suspended", "active for long": "not_suspended", "suspended": active},
		},
		"revoke": {
			func(c credential.Credential) (credential.Credential, error) { return c.Revoke(now) },
			want{"active": revoked, "active for long": revoked, "suspended": revoked, "past its time": revoked, "suspended, past": revoked},
		},
		"expire": {
			func(c credential.Credential) (credential.Credential, error) { return c.Expire(now) },
			want{"active": "not_due", "active for long": "not_due", "suspended": "not_due", "past its time": expired, "suspended, past": expired},
		},
		"delete": {
			func(c credential.Credential) (credential.Credential, error) { return c.Delete(now) },
			want{
				"active": deleted, "active for long": deleted, "suspended": deleted, "past its time": deleted,
				"suspended, past": deleted, "revoked": hidden,
			},
		},
		"rename": {
			func(c credential.Credential) (credential.Credential, error) { return c.Rename("New name") },
			want{"active": renamed, "active for long": renamed, "suspended": renamed, "past its time": renamed, "suspended, past": renamed},
		},
		"rotate": {
			func(c credential.Credential) (credential.Credential, error) { return c.Rotate(now, 0) },
			want{"active": rotated, "active for long": rotated, "suspended": rotated},
		},
	}
	final := map[string]string{
		"past its time": "expired", "suspended, past": "expired", "revoked": "revoked",
		"deleted": "deleted", "expired": "expired", "in no state": "unknown_state",
	}
	for operation, op := range operations {
		for situation, before := range every {
			t.Run(operation+" "+situation, func(t *testing.T) {
				got, err := op.do(before)
				expected := before
				switch want := op.want[situation].(type) {
				case func(*credential.Credential):
					want(&expected)
					requireCode(t, err, "")
				case string:
					requireCode(t, err, want)
				default:
					requireCode(t, err, final[situation])
				}
				if diff := cmp.Diff(expected, got, cmpopts.EquateComparable(credential.ID{})); diff != "" {
					t.Errorf("changed otherwise (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// A final state leads nowhere, whatever is tried in whatever order.
func TestFinalIsFinal(t *testing.T) {
	for _, situation := range []string{"revoked", "deleted", "expired"} {
		c := every[situation]
		for range 2 {
			rotate := func(now time.Time) (credential.Credential, error) { return c.Rotate(now, 7) }
			back := func(now time.Time) (credential.Credential, error) { return c.RollBack(now, 1, now.Add(time.Hour)) }
			for _, step := range []func(time.Time) (credential.Credential, error){c.Suspend, c.Resume, c.Revoke, c.Expire, rotate, back, c.Delete} {
				next, _ := step(now)
				if next.State != c.State || next.SecretVersion != c.SecretVersion {
					t.Fatalf("%s became %s, version %d", situation, next.State, next.SecretVersion)
				}
				c = next
			}
		}
	}
}

func TestStateAt(t *testing.T) {
	end := stored
	for name, row := range map[string]struct {
		state credential.State
		ends  time.Time
		at    time.Time
		want  credential.State
	}{
		"never ends":          {credential.Active, time.Time{}, end.AddDate(500, 0, 0), credential.Active},
		"just before":         {credential.Active, end, end.Add(-time.Nanosecond), credential.Active},
		"the end itself":      {credential.Active, end, end, credential.Expired},
		"after":               {credential.Active, end, end.Add(1), credential.Expired},
		"suspended before":    {credential.Suspended, end, end.Add(-1), credential.Suspended},
		"suspended after":     {credential.Suspended, end, end.Add(1), credential.Expired},
		"revoked stays":       {credential.Revoked, end, end.Add(1), credential.Revoked},
		"unknown stays":       {"", end, end.Add(1), ""},
		"in another timezone": {credential.Active, end, end.In(time.FixedZone("x", -7200)), credential.Expired},
	} {
		c := credential.Credential{State: row.state, ExpiresAt: row.ends}
		if got := c.StateAt(row.at); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

// PV8: a name is changed exactly as given, or not at all.
func TestRename(t *testing.T) {
	for name, want := range map[string]bool{
		"Reports":                  true,
		"Größe & 報告 ✓":             true,
		"=HYPERLINK(\"x\")":        true, // harmless here; exports make it safe
		"":                         false,
		"   ":                      false,
		" padded":                  false,
		"two\nlines":               false,
		"bell\a":                   false,
		"hidden\u202eorder":        false,
		"bad\xff":                  false,
		strings.Repeat("x", 200):   true,
		strings.Repeat("x", 201):   false,
		strings.Repeat("x", 1<<20): false,
	} {
		before := every["active"]
		before.Name = "Before"
		c, err := before.Rename(name)
		if (err == nil) != want {
			t.Errorf("Rename(%.30q): %v", name, err)
			continue
		}
		if want && c.Name != name || !want && c.Name != "Before" {
			t.Errorf("Rename(%.30q) left the name %.30q", name, c.Name)
		}
		if !want {
			requirePointer(t, err, "/name")
		}
	}
}

func TestRotateNeedsASecret(t *testing.T) {
	c := credential.Credential{Kind: credential.ServiceAccountKey, State: credential.Active, SecretVersion: 1}
	_, err := c.Rotate(now, 0)
	requireCode(t, err, "not_rotatable")
}

// B3: no version is used twice, also after a rotation was rolled back.
func TestRotationsCountOn(t *testing.T) {
	c := credential.Credential{Kind: credential.UserKey, State: credential.Active, SecretVersion: 1}
	for _, step := range []struct{ latest, want int }{{0, 2}, {2, 3}, {7, 8}} {
		next, err := c.Rotate(now, step.latest)
		if err != nil || next.SecretVersion != step.want {
			t.Fatalf("after %d: %d, %v", step.latest, next.SecretVersion, err)
		}
		c = next
	}
	back, err := c.RollBack(now, 3, now.Add(time.Microsecond))
	if err != nil || back.SecretVersion != 3 {
		t.Errorf("rolled back to %d, %v", back.SecretVersion, err)
	}
	if next, err := back.Rotate(now, 8); err != nil || next.SecretVersion != 9 {
		t.Errorf("rotated anew: %d, %v", next.SecretVersion, err)
	}
}

// B3: both need the secret before to work still, and a credential that has not ended.
func TestFinishAndRollBack(t *testing.T) {
	for name, row := range map[string]struct {
		state    credential.State
		previous int
		until    time.Time
		code     string
	}{
		"in grace":            {credential.Active, 1, now.Add(time.Microsecond), ""},
		"suspended, in grace": {credential.Suspended, 1, now.Add(time.Hour), ""},
		"at its very end":     {credential.Active, 1, now, "not_in_grace"},
		"never rotated":       {credential.Active, 0, time.Time{}, "not_in_grace"},
		"revoked":             {credential.Revoked, 1, now.Add(time.Hour), "revoked"},
		"expired":             {credential.Expired, 1, now.Add(time.Hour), "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			c := credential.Credential{Kind: credential.UserKey, State: row.state, SecretVersion: 2}
			requireCode(t, c.FinishRotation(now, row.until), row.code)
			next, err := c.RollBack(now, row.previous, row.until)
			requireCode(t, err, row.code)
			if want := map[bool]int{true: 1, false: 2}[row.code == ""]; next.SecretVersion != want {
				t.Errorf("version %d, want %d", next.SecretVersion, want)
			}
		})
	}
}

func requireCode(t *testing.T, err error, code string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	if !problem.HasCode(err, code) || !problem.Is(err, problem.Conflict) {
		t.Errorf("got %v, want a conflict %q", err, code)
		return
	}
	if m := problem.As(err).Message; strings.Count(m, ".") < 2 {
		t.Errorf("%q does not say what to do", m)
	}
}

func requirePointer(t *testing.T, err error, pointers ...string) {
	t.Helper()
	p := problem.As(err)
	if p == nil || p.Kind != problem.Invalid {
		t.Errorf("got %v, want an invalid problem at %s", err, pointers)
		return
	}
	got := make([]string, 0, len(p.Fields))
	for _, f := range p.Fields {
		got = append(got, f.Pointer)
	}
	if diff := cmp.Diff(pointers, got); diff != "" {
		t.Errorf("pointers (-want +got):\n%s", diff)
	}
}
