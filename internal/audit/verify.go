package audit

import (
	"errors"
	"fmt"
	"iter"

	"github.com/claviger-io/claviger/internal/tenancy"
)

// BrokenError says where a chain doesn't hold.
type BrokenError struct {
	TenantID tenancy.TenantID // empty for the system chain
	Sequence int64            // the first bad entry, or the first that is missing
	Reason   string
}

// Error names the chain and the entry.
func (e *BrokenError) Error() string {
	chain := "the system chain"
	if e.TenantID != "" {
		chain = "the chain of tenant " + string(e.TenantID)
	}
	return fmt.Sprintf("audit: %s is broken at entry %d: %s", chain, e.Sequence, e.Reason)
}

// Events makes a sequence of a slice, for VerifyChain.
func Events(list []Event) iter.Seq2[Event, error] { return sequence(list) }

// Links makes a sequence of a slice, for VerifyLinks.
func Links(list []Link) iter.Seq2[Link, error] { return sequence(list) }

func sequence[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// VerifyChain checks that the events, oldest first, follow on prev without a gap and are
// as they were written. It returns the chain's end, and a *BrokenError at the first bad
// entry or the error that reading gave. It can't see that the end was cut off: VerifyTo can.
func VerifyChain(prev Head, events iter.Seq2[Event, error]) (Head, error) {
	for e, err := range events {
		if err != nil {
			return prev, fmt.Errorf("reading audit events: %w", err)
		}
		if prev.TenantID == "" {
			prev.TenantID = e.TenantID
		}
		if err := follows(prev, e); err != nil {
			return prev, err
		}
		prev.Sequence, prev.Hash = e.Sequence, e.Hash
	}
	return prev, nil
}

func follows(prev Head, e Event) error {
	want := prev.Sequence + 1
	broken := func(reason string) error {
		return &BrokenError{TenantID: prev.TenantID, Sequence: want, Reason: reason}
	}
	switch {
	case e.Sequence != want:
		return broken(fmt.Sprintf("entry %d stands in its place", e.Sequence))
	case e.TenantID != prev.TenantID:
		return broken("it is another tenant's")
	case e.Previous != prev.Hash:
		return broken("it doesn't follow on the entry before")
	case e.ComputeHash() != e.Hash:
		return broken("it was changed after it was written")
	}
	return nil
}

// VerifyTo is VerifyChain of a tenant's whole chain, which must also hold the head want, as
// VerifyLinks gave it: so its end wasn't cut off before that. It returns the chain's end.
func VerifyTo(want Head, events iter.Seq2[Event, error]) (Head, error) {
	prev := Head{TenantID: want.TenantID}
	seen := want.Sequence == 0
	end, err := VerifyChain(prev, func(yield func(Event, error) bool) {
		for e, err := range events {
			if err == nil && e.Sequence == want.Sequence {
				seen = e.Hash == want.Hash
			}
			if !yield(e, err) {
				return
			}
		}
	})
	switch {
	case err != nil:
		return end, err
	case end.Sequence < want.Sequence:
		return end, &BrokenError{TenantID: want.TenantID, Sequence: end.Sequence + 1, Reason: fmt.Sprintf("it is missing, and so are all up to %d", want.Sequence)}
	case !seen:
		return end, &BrokenError{TenantID: want.TenantID, Sequence: want.Sequence, Reason: "it isn't the entry that the system chain has"}
	}
	return end, nil
}

// ErrNoCheckpoint means that the system chain doesn't reach the checkpoint.
var ErrNoCheckpoint = errors.New("audit: the system chain doesn't have the entry that the checkpoint names")

// VerifyLinks checks the whole system chain, oldest first, and that it holds the entry
// that the checkpoint names. The checkpoint's signature must have been checked before; a
// checkpoint with Sequence 0 stands for an empty chain. It returns the tenants' heads by
// the last link, a *BrokenError at the first bad link, or ErrNoCheckpoint.
func VerifyLinks(links iter.Seq2[Link, error], c Checkpoint) (map[tenancy.TenantID]Head, error) {
	heads := map[tenancy.TenantID]Head{}
	var prev Link
	found := c.Sequence == 0
	for l, err := range links {
		if err != nil {
			return nil, fmt.Errorf("reading audit links: %w", err)
		}
		if err := linkFollows(prev, l, heads); err != nil {
			return nil, err
		}
		if l.Sequence == c.Sequence {
			if string(l.Hash[:]) != string(c.Hash) {
				return nil, &BrokenError{Sequence: l.Sequence, Reason: "it isn't the entry that the checkpoint signs"}
			}
			found = true
		}
		prev = l
	}
	if !found {
		return nil, ErrNoCheckpoint
	}
	return heads, nil
}

// linkFollows checks one link and puts its heads on the map.
func linkFollows(prev, l Link, heads map[tenancy.TenantID]Head) error {
	broken := func(reason string) error {
		return &BrokenError{Sequence: prev.Sequence + 1, Reason: reason}
	}
	switch {
	case l.Sequence != prev.Sequence+1:
		return broken(fmt.Sprintf("entry %d stands in its place", l.Sequence))
	case l.Previous != prev.Hash:
		return broken("it doesn't follow on the entry before")
	case l.ComputeHash() != l.Hash:
		return broken("it was changed after it was written")
	}
	for _, h := range l.Heads {
		if h.Sequence <= heads[h.TenantID].Sequence {
			return broken("the chain of tenant " + string(h.TenantID) + " goes back")
		}
		heads[h.TenantID] = h
	}
	return nil
}
