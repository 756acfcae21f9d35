package audit_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/tenancy"
)

var start = time.Date(2027, 3, 1, 12, 0, 0, 123456789, time.FixedZone("CET", 3600))

func event(tenant tenancy.TenantID, n int) audit.Event {
	return audit.Event{
		TenantID: tenant, At: start.Add(time.Duration(n) * time.Second), Action: "api_key.revoke",
		Actor: access.Principal{Type: access.PrincipalUser, ID: "usr_1"}, ActorName: "anna", ActorTenant: tenant, Via: access.ViaSession,
		SessionID: "ses_1", Source: "192.0.2.7", UserAgent: "test", RequestID: fmt.Sprint("req_", n),
		TargetType: "credential", TargetID: "crd_0123456789ab", TargetName: "Reports", OrganizationID: "org_1",
		Before: json.RawMessage(`{"state":"active"}`), After: json.RawMessage(`{"state":"revoked"}`),
	}
}

func chain(tenant tenancy.TenantID, n int) ([]audit.Event, audit.Head) {
	var list []audit.Event
	head := audit.Head{TenantID: tenant}
	for i := range n {
		var e audit.Event
		e, head = audit.Chain(head, event(tenant, i))
		list = append(list, e)
	}
	return list, head
}

// The encoding must never change: chains that were written must verify for ever. A new
// encoding needs a new domain, and these vectors stay.
func TestGoldenHashes(t *testing.T) {
	first, head := audit.Chain(audit.Head{}, event("ten_a", 0))
	second, head := audit.Chain(head, audit.Event{TenantID: "ten_a", At: start, Action: "x"})
	link := audit.NextLink(audit.Link{}, start, []audit.Head{head, {TenantID: "ten_0", Sequence: 7, Hash: audit.Hash{1, 2, 3}}})
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	signed := audit.Sign(key, link.Checkpoint("ins_1", 9))
	back := link.Checkpoint("ins_1", 9)
	back.Restored = true
	back = audit.Sign(key, back)
	for name, test := range map[string]struct{ got, want string }{
		"event":      {first.Hash.String(), "6b1e27d3c205167de7257d25a7b1fe6db8766977dc5008a234ddc9efc2e40332"},
		"small":      {second.Hash.String(), "25db749cfe02457f50be6efcab7ae6dd734bd5e1817438d7d74cb04721a54d08"},
		"link":       {link.Hash.String(), "763d31c4c460f28b43d417f67624c0cd366f68dd0c7b4c1f6392cce81c66fee8"},
		"key ID":     {signed.KeyID, "139e3940e64b5491"},
		"restored":   {hex.EncodeToString(back.Signature), "8dea4412528031a5e48ce8657f80dc8587669750e116dd5b34c0f9ec910369c9ec21f2af43549e6ab9c4c1166ebbcc10a522500ae49eb810a8203a024311ee06"},
		"checkpoint": {hex.EncodeToString(signed.Signature), "091037940258a73b4f65c5292468c9c615ab5b58b8625f6d85f8d95f6b2446198b4ca330a5e7e5dac626147883e3fed27d1eeff91a210f0f037a90a50caffc0b"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %s, want %s", name, test.got, test.want)
		}
	}
}

func TestChain(t *testing.T) {
	first, head := audit.Chain(audit.Head{TenantID: "ten_a"}, audit.Event{At: start})
	if first.TenantID != "ten_a" || first.Sequence != 1 || !first.Previous.IsZero() || first.Hash != first.ComputeHash() {
		t.Errorf("first event: %+v", first)
	}
	if first.At.Location() != time.UTC || first.At.Nanosecond() != 123456000 {
		t.Errorf("its time isn't cut to microseconds in UTC: %v", first.At)
	}
	second, end := audit.Chain(head, audit.Event{At: start})
	if second.Sequence != 2 || second.Previous != first.Hash || end != (audit.Head{TenantID: "ten_a", Sequence: 2, Hash: second.Hash}) {
		t.Errorf("second event: %+v, end %+v", second, end)
	}
}

// Every field counts, and where one ends and the next begins.
func TestHashCoversEveryField(t *testing.T) {
	base, _ := audit.Chain(audit.Head{}, event("ten_a", 0))
	seen := map[audit.Hash]string{base.Hash: "the event itself"}
	for i := range reflect.TypeFor[audit.Event]().NumField() {
		name := reflect.TypeFor[audit.Event]().Field(i).Name
		if name == "Hash" {
			continue
		}
		for _, variant := range variants(base, name) {
			hash := variant.ComputeHash()
			if other, taken := seen[hash]; taken {
				t.Errorf("a change of %s hashes like %s", name, other)
			}
			seen[hash] = "a change of " + name
		}
	}
	moved := base
	moved.TargetType, moved.TargetID = "credentialc", "rd_0123456789ab"
	if moved.ComputeHash() == base.Hash {
		t.Error("a character may move from one field to the next")
	}
	swapped := base
	swapped.Before, swapped.After = base.After, base.Before
	if swapped.ComputeHash() == base.Hash {
		t.Error("before and after may be swapped")
	}
	empty, none := base, base
	empty.Before, none.Before = json.RawMessage{}, nil
	if empty.ComputeHash() != none.ComputeHash() {
		t.Error("a store can't keep nil from empty, so they must hash alike")
	}
}

// variants are events with another value in one field.
func variants(e audit.Event, field string) []audit.Event {
	change := func(set func(reflect.Value)) audit.Event {
		other := e
		set(reflect.ValueOf(&other).Elem().FieldByName(field))
		return other
	}
	switch reflect.ValueOf(e).FieldByName(field).Interface().(type) {
	case int64:
		return []audit.Event{change(func(v reflect.Value) { v.SetInt(v.Int() + 1) })}
	case time.Time:
		return []audit.Event{change(func(v reflect.Value) { v.Set(reflect.ValueOf(e.At.Add(time.Microsecond))) })}
	case access.Principal:
		return []audit.Event{
			change(func(v reflect.Value) { v.Field(0).SetString("app") }),
			change(func(v reflect.Value) { v.Field(1).SetString("usr_2") }),
		}
	case json.RawMessage:
		return []audit.Event{
			change(func(v reflect.Value) { v.SetBytes([]byte(`{"state":"x"}`)) }),
			change(func(v reflect.Value) { v.SetBytes(nil) }),
		}
	case audit.Hash:
		return []audit.Event{change(func(v reflect.Value) { v.Set(reflect.ValueOf(audit.Hash{9})) })}
	default: // strings of several types
		return []audit.Event{
			change(func(v reflect.Value) { v.SetString(v.String() + "x") }),
			change(func(v reflect.Value) { v.SetString(v.String() + "\x00") }),
		}
	}
}

func TestVerifyChain(t *testing.T) {
	list, head := chain("ten_a", 5)
	for from := range 5 {
		prev := audit.Head{TenantID: "ten_a"}
		if from > 0 {
			prev = audit.Head{TenantID: "ten_a", Sequence: int64(from), Hash: list[from-1].Hash}
		}
		if end, err := audit.VerifyChain(prev, audit.Events(list[from:])); err != nil || end != head {
			t.Errorf("from %d: %+v, %v", from, end, err)
		}
	}
	if end, err := audit.VerifyChain(audit.Head{}, audit.Events(nil)); err != nil || end != (audit.Head{}) {
		t.Errorf("an empty chain: %+v, %v", end, err)
	}
	failed := errors.New("the disk is away")
	_, err := audit.VerifyChain(audit.Head{}, func(yield func(audit.Event, error) bool) {
		_ = yield(list[0], nil) && yield(audit.Event{}, failed)
	})
	if broken := new(audit.BrokenError); !errors.Is(err, failed) || errors.As(err, &broken) {
		t.Errorf("a failure to read isn't a broken chain: %v", err)
	}
}

// B6: any edit, deletion or reordering is found, at the first bad entry.
func TestTamperingIsFound(t *testing.T) {
	other, _ := chain("ten_b", 5)
	tests := []struct {
		name   string
		tamper func([]audit.Event) []audit.Event
		at     int64
	}{
		{"an edit", func(l []audit.Event) []audit.Event { l[2].ActorName = "otto"; return l }, 3},
		{"an edit with a new hash", func(l []audit.Event) []audit.Event {
			l[2].ActorName = "otto"
			l[2].Hash = l[2].ComputeHash()
			return l
		}, 4},
		{"an edit of the last with a new hash", func(l []audit.Event) []audit.Event {
			l[4].ActorName = "otto"
			l[4].Hash = l[4].ComputeHash()
			return l
		}, 5},
		{"a chain written anew from an edit on", func(l []audit.Event) []audit.Event {
			return rewrite(l, 1, func(e *audit.Event) { e.ActorName = "otto" })
		}, 5},
		{"a deletion", func(l []audit.Event) []audit.Event { return slices.Delete(l, 2, 3) }, 3},
		{"the first deleted", func(l []audit.Event) []audit.Event { return l[1:] }, 1},
		{"a deletion with later ones renumbered", func(l []audit.Event) []audit.Event {
			return rewrite(slices.Delete(l, 2, 3), 2, func(*audit.Event) {})
		}, 5},
		{"the last cut off", func(l []audit.Event) []audit.Event { return l[:4] }, 5},
		{"all cut off", func([]audit.Event) []audit.Event { return nil }, 1},
		{"two swapped", func(l []audit.Event) []audit.Event { l[1], l[2] = l[2], l[1]; return l }, 2},
		{"two swapped with their numbers", func(l []audit.Event) []audit.Event {
			l[1], l[2] = l[2], l[1]
			l[1].Sequence, l[2].Sequence = 2, 3
			return l
		}, 2},
		{"one twice", func(l []audit.Event) []audit.Event { return slices.Insert(l, 2, l[1]) }, 3},
		{"one put in", func(l []audit.Event) []audit.Event {
			e, _ := audit.Chain(audit.Head{TenantID: "ten_a", Sequence: 2, Hash: l[1].Hash}, event("ten_a", 9))
			return slices.Insert(l, 2, e)
		}, 4},
		{"another tenant's in its place", func(l []audit.Event) []audit.Event { l[2] = other[2]; return l }, 3},
		{"moved to another tenant", func(l []audit.Event) []audit.Event { l[2].TenantID = "ten_b"; return l }, 3},
		{"another tenant's chain whole", func([]audit.Event) []audit.Event { return other }, 1},
	}
	for _, test := range tests {
		list, head := chain("ten_a", 5)
		list = test.tamper(slices.Clone(list))
		_, err := audit.VerifyTo(head, audit.Events(list))
		var broken *audit.BrokenError
		if !errors.As(err, &broken) || broken.Sequence != test.at || broken.TenantID != "ten_a" {
			t.Errorf("%s: got %v, want entry %d", test.name, err, test.at)
		}
	}
}

// rewrite makes the chain anew from an event on, after a change of it.
func rewrite(l []audit.Event, from int, change func(*audit.Event)) []audit.Event {
	head := audit.Head{TenantID: l[0].TenantID}
	for i := range l {
		if i == from {
			change(&l[i])
		}
		l[i], head = audit.Chain(head, l[i])
	}
	return l
}

func TestVerifyToAllowsLaterEvents(t *testing.T) {
	list, head := chain("ten_a", 5)
	want := audit.Head{TenantID: "ten_a", Sequence: 3, Hash: list[2].Hash}
	if end, err := audit.VerifyTo(want, audit.Events(list)); err != nil || end != head {
		t.Errorf("%+v, %v", end, err)
	}
	if _, err := audit.VerifyTo(audit.Head{TenantID: "ten_a"}, audit.Events(list)); err != nil {
		t.Error(err)
	}
}

func TestVerifyAnyTampering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list, head := chain("ten_a", rapid.IntRange(2, 8).Draw(t, "length"))
		was := fmt.Sprint(list)
		l := slices.Clone(list)
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			i := rapid.IntRange(0, len(l)-1).Draw(t, "at")
			j := rapid.IntRange(0, len(l)-1).Draw(t, "and")
			switch rapid.IntRange(0, 4).Draw(t, "how") {
			case 0:
				l[i], l[j] = l[j], l[i]
			case 1:
				l[i].TargetName += "x"
			case 2:
				if len(l) > 1 {
					l = slices.Delete(l, i, i+1)
				}
			case 3:
				l[i].Sequence = l[j].Sequence
			case 4:
				l[i].TargetName += "y"
				l = rewrite(l, i, func(*audit.Event) {})
			}
		}
		_, err := audit.VerifyTo(head, audit.Events(l))
		if same := fmt.Sprint(l) == was; same != (err == nil) {
			t.Fatalf("unchanged: %v, verdict: %v", same, err)
		}
	})
}

// system is a system chain of three links over two tenants, with what they link to.
func system() (events map[tenancy.TenantID][]audit.Event, links []audit.Link) {
	events = map[tenancy.TenantID][]audit.Event{}
	a, headA := chain("ten_a", 4)
	b, headB := chain("ten_b", 2)
	events["ten_a"], events["ten_b"] = a, b
	halfway := audit.Head{TenantID: "ten_a", Sequence: 2, Hash: a[1].Hash}
	var link audit.Link
	for i, heads := range [][]audit.Head{{halfway}, {headB, headA}, nil} {
		link = audit.NextLink(link, start.Add(time.Duration(i)*time.Minute), heads)
		links = append(links, link)
	}
	return events, links
}

func TestVerifyLinks(t *testing.T) {
	events, links := system()
	for _, l := range links {
		heads, err := audit.VerifyLinks(audit.Links(links), l.Checkpoint("ins_1", 0))
		if err != nil || len(heads) != 2 || heads["ten_a"].Sequence != 4 || heads["ten_b"].Sequence != 2 {
			t.Errorf("checkpoint at %d: %v, %v", l.Sequence, heads, err)
		}
		for tenant, head := range heads {
			if _, err := audit.VerifyTo(head, audit.Events(events[tenant])); err != nil {
				t.Error(err)
			}
		}
	}
	if links[1].Heads[0].TenantID != "ten_a" {
		t.Error("the heads aren't sorted")
	}
	if heads, err := audit.VerifyLinks(audit.Links(nil), audit.Checkpoint{}); err != nil || len(heads) != 0 {
		t.Errorf("an empty chain: %v, %v", heads, err)
	}
}

func TestTamperedLinksAreFound(t *testing.T) {
	rehash := func(l []audit.Link) []audit.Link { // a chain written anew
		var prev audit.Link
		for i := range l {
			l[i] = audit.NextLink(prev, l[i].At, l[i].Heads)
			prev = l[i]
		}
		return l
	}
	tests := []struct {
		name   string
		tamper func([]audit.Link) []audit.Link
		at     int64 // 0: the chain doesn't reach the checkpoint
	}{
		{"a head's hash", func(l []audit.Link) []audit.Link { l[1].Heads[0].Hash[0]++; return l }, 2},
		{"a head's number", func(l []audit.Link) []audit.Link { l[1].Heads[0].Sequence--; return l }, 2},
		{"a head's tenant", func(l []audit.Link) []audit.Link { l[1].Heads[0].TenantID = "ten_c"; return l }, 2},
		{"a head left out", func(l []audit.Link) []audit.Link { l[1].Heads = l[1].Heads[1:]; return l }, 2},
		{"two heads swapped", func(l []audit.Link) []audit.Link {
			l[1].Heads[0], l[1].Heads[1] = l[1].Heads[1], l[1].Heads[0]
			return l
		}, 2},
		{"the time", func(l []audit.Link) []audit.Link { l[1].At = l[1].At.Add(time.Microsecond); return l }, 2},
		{"a deletion", func(l []audit.Link) []audit.Link { return slices.Delete(l, 1, 2) }, 2},
		{"a deletion, written anew", func(l []audit.Link) []audit.Link { return rehash(slices.Delete(l, 1, 2)) }, 0},
		{"a head left out, written anew", func(l []audit.Link) []audit.Link {
			l[1].Heads = l[1].Heads[1:]
			return rehash(l)
		}, 3},
		{"a head that goes back, written anew", func(l []audit.Link) []audit.Link {
			l[2].Heads = slices.Clone(l[0].Heads)
			return rehash(l)
		}, 3},
		{"the last cut off", func(l []audit.Link) []audit.Link { return l[:2] }, 0},
		{"all cut off", func([]audit.Link) []audit.Link { return nil }, 0},
		{"two swapped", func(l []audit.Link) []audit.Link { l[0], l[1] = l[1], l[0]; return l }, 1},
	}
	for _, test := range tests {
		_, links := system()
		signed := links[2].Checkpoint("ins_1", 6)
		_, err := audit.VerifyLinks(audit.Links(test.tamper(links)), signed)
		var broken *audit.BrokenError
		switch {
		case test.at == 0 && !errors.Is(err, audit.ErrNoCheckpoint):
			t.Errorf("%s: got %v, want ErrNoCheckpoint", test.name, err)
		case test.at != 0 && (!errors.As(err, &broken) || broken.Sequence != test.at || broken.TenantID != ""):
			t.Errorf("%s: got %v, want link %d", test.name, err, test.at)
		}
	}
	failed := errors.New("the disk is away")
	var broken iter.Seq2[audit.Link, error] = func(yield func(audit.Link, error) bool) { yield(audit.Link{}, failed) }
	if _, err := audit.VerifyLinks(broken, audit.Checkpoint{}); !errors.Is(err, failed) {
		t.Errorf("a failure to read: %v", err)
	}
}

// B6: a checkpoint can't be made up or changed.
func TestCheckpoint(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public, _ := key.Public().(ed25519.PublicKey)
	other, _ := ed25519.NewKeyFromSeed([]byte("another key, of thirty-two bytes")).Public().(ed25519.PublicKey)
	_, links := system()
	signed := audit.Sign(key, links[2].Checkpoint("ins_1", 6))
	if err := signed.Verify(public); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(signed)
	if err != nil {
		t.Fatal(err)
	}
	var back audit.Checkpoint
	if err := json.Unmarshal(data, &back); err != nil || back.Verify(public) != nil {
		t.Errorf("it doesn't survive its file: %v, %v", err, back.Verify(public))
	}
	for name, change := range map[string]func(*audit.Checkpoint){
		"installation": func(c *audit.Checkpoint) { c.Installation = "ins_2" },
		"sequence":     func(c *audit.Checkpoint) { c.Sequence++ },
		"time":         func(c *audit.Checkpoint) { c.At = c.At.Add(time.Microsecond) },
		"hash":         func(c *audit.Checkpoint) { c.Hash = append([]byte{0}, c.Hash[1:]...) },
		"events":       func(c *audit.Checkpoint) { c.Events++ },
		"key ID":       func(c *audit.Checkpoint) { c.KeyID = audit.KeyID(other) },
		"signature":    func(c *audit.Checkpoint) { c.Signature = append([]byte{c.Signature[0] ^ 1}, c.Signature[1:]...) },
		"no signature": func(c *audit.Checkpoint) { c.Signature = nil },
	} {
		changed := signed
		change(&changed)
		if err := changed.Verify(public); !errors.Is(err, audit.ErrBadSignature) {
			t.Errorf("a change of the %s isn't found", name)
		}
	}
	for name, wrong := range map[string]ed25519.PublicKey{"another key": other, "no key": nil, "a short key": public[:16]} {
		if err := signed.Verify(wrong); !errors.Is(err, audit.ErrBadSignature) {
			t.Errorf("%s is accepted", name)
		}
	}
}
