package verify

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
)

// rotated is a world whose key was rotated: both secrets work for an hour.
func rotated(t *testing.T) (w *world, before, now string) {
	t.Helper()
	w = newWorld(t)
	before = w.text
	now = w.rotate(t, &w.key, secret.UserKey, w.clock.Now().Add(time.Hour))
	w.apply(t, Item{Credential: &w.key})
	return w, before, now
}

func (w *world) drainPrevious() []PreviousUse {
	list := w.index.DrainPreviousUses()
	slices.SortFunc(list, func(a, b PreviousUse) int {
		return cmp.Or(a.Source.Compare(b.Source), cmp.Compare(a.UserAgent, b.UserAgent))
	})
	return list
}

// B3: who still uses the secret before is known by address, program and last time, whatever
// the verdict; nothing else is noted.
func TestPreviousUses(t *testing.T) {
	w, before, now := rotated(t)
	from, other := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")
	_, wrong := w.issue(t, secret.UserKey, w.clock.Now())
	for _, r := range []Request{
		{Credential: now, SourceIP: from, UserAgent: "new/1"},
		{Credential: before, SourceIP: from, UserAgent: "old/1", DryRun: true},
		{Credential: before, SourceIP: from, UserAgent: "old/1", OnlyTenant: "ten_b"},
		{ID: "usr_bob", Secret: before, SourceIP: from, UserAgent: "old/1"},
		{Credential: before, SourceIP: from, UserAgent: "old/1", Legacy: true},
		{Credential: wrong, SourceIP: from, UserAgent: "old/1"},
	} {
		w.verify(t, r)
	}
	if list := w.drainPrevious(); list != nil {
		t.Fatalf("noted: %+v", list)
	}
	agent := []byte("old/1")
	w.verify(t, Request{Credential: before, SourceIP: from, UserAgent: aliasOf(agent)})
	w.verify(t, Request{ID: "usr_ann", Secret: before, SourceIP: netip.MustParseAddr("::ffff:192.0.2.7"), UserAgent: "old/1"})
	copy(agent, "XXXXX") // the server uses its buffers again
	w.clock.advance(time.Second)
	w.verify(t, Request{Credential: before, SourceIP: from, UserAgent: "old/1", Permissions: "never:held"})
	w.verify(t, Request{Credential: before, SourceIP: other})
	w.verify(t, Request{Credential: before, UserAgent: "cürl\r\n\x00" + strings.Repeat("x", 300)})
	want := []PreviousUse{
		{UserAgent: "cürl" + strings.Repeat("x", longestAgent-8), Calls: 1},
		{Source: from, UserAgent: "old/1", Calls: 3},
		{Source: other, Calls: 1},
	}
	for i := range want {
		want[i].CredentialID, want[i].TenantID, want[i].Version, want[i].LastAt = w.key.ID, "ten_a", 1, w.clock.Now()
	}
	if list := w.drainPrevious(); !slices.Equal(list, want) {
		t.Errorf("noted %+v\nwant  %+v", list, want)
	}
	if list := w.drainPrevious(); list != nil {
		t.Errorf("drained twice: %+v", list)
	}
}

// Whoever has an earlier secret can't fill the memory: from too many places calls are
// counted together.
func TestPreviousUsesAreBounded(t *testing.T) {
	w, before, _ := rotated(t)
	for i := range mostPlacesOfSecret + 50 {
		w.verify(t, Request{Credential: before, UserAgent: fmt.Sprint("agent/", i)})
	}
	w.verify(t, Request{Credential: before, UserAgent: "agent/0"})
	list := w.drainPrevious()
	if len(list) != mostPlacesOfSecret+1 {
		t.Fatalf("%d places", len(list))
	}
	var others, calls int64
	for _, u := range list {
		calls += u.Calls
		if u.Others {
			others += u.Calls
		}
	}
	if others != 50 || calls != mostPlacesOfSecret+51 {
		t.Errorf("%d of %d calls from others", others, calls)
	}
}

// What a secret in grace costs, current ones don't pay: while the notes are locked, they are
// verified.
func TestCurrentSecretsNoteNothing(t *testing.T) {
	w, _, now := rotated(t)
	w.index.previous.mu.Lock()
	defer w.index.previous.mu.Unlock()
	if res := w.verify(t, Request{Credential: now, UserAgent: "new/1"}); res.Code != Valid || res.SecretVersion != 2 {
		t.Errorf("%s version %d", res.Code, res.SecretVersion)
	}
}

// B3: a client that asks for a token with the secret before is noted, as is an app with one
// of its two from before.
func TestPreviousUsesOfClients(t *testing.T) {
	w := newWorld(t)
	c, text := w.issue(t, secret.ClientSecret, w.clock.Now())
	c.Kind, c.TenantID, c.OrganizationID, c.PublicID = credential.ClientCredential, "ten_a", "org_north", "6f1c1ac2-7c39-4c1a-9f0b-0d6c1c7fbd0e"
	c.Material[0].Field = credential.FieldSecret
	next := w.rotate(t, &c, secret.ClientSecret, w.clock.Now().Add(time.Hour))
	c.Material[1].Field = credential.FieldSecret
	w.apply(t, Item{Credential: &c})
	for _, s := range []string{text, next} {
		got, err := w.index.Client(&Request{ID: c.PublicID, Secret: s, UserAgent: "token/1"})
		if err != nil || !got.Valid {
			t.Fatalf("%s, %v", got.Code, err)
		}
	}
	list := w.drainPrevious()
	if len(list) != 1 || list[0].Version != 1 || list[0].UserAgent != "token/1" || list[0].Calls != 1 {
		t.Errorf("noted: %+v", list)
	}
}
