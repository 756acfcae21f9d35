package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// What is hashed or signed begins with one of these, so that no two kinds of thing have
// the same bytes. A change of an encoding needs a new one; old events keep the old.
const (
	eventDomain      = "claviger audit event v1"
	linkDomain       = "claviger audit link v1"
	checkpointDomain = "claviger audit checkpoint v1"
	restoredDomain   = "claviger audit restored checkpoint v1"
)

// encoder writes the canonical encoding: every value has its length before it (8 bytes,
// big-endian), so that no two lists of values have the same bytes.
type encoder struct{ buf []byte }

func newEncoder(domain string) *encoder {
	e := &encoder{buf: make([]byte, 0, 1024)}
	e.text(domain)
	return e
}

func (e *encoder) bytes(b []byte) {
	e.buf = binary.BigEndian.AppendUint64(e.buf, uint64(len(b)))
	e.buf = append(e.buf, b...)
}

func (e *encoder) text(s string) {
	e.buf = binary.BigEndian.AppendUint64(e.buf, uint64(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) number(n int64) {
	e.buf = binary.BigEndian.AppendUint64(e.buf, 8)
	e.buf = binary.BigEndian.AppendUint64(e.buf, uint64(n))
}

func (e *encoder) time(t time.Time) { e.number(t.UnixMicro()) }

func (e *encoder) sum() Hash { return sha256.Sum256(e.buf) }

// String is the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether h is the hash of nothing, as before the first event.
func (h Hash) IsZero() bool { return h == Hash{} }

// ComputeHash is SHA-256 over every field but Hash. Absent Before and After are as empty ones.
func (e Event) ComputeHash() Hash {
	w := newEncoder(eventDomain)
	w.text(string(e.TenantID))
	w.number(e.Sequence)
	w.time(e.At)
	w.text(e.Action)
	w.text(string(e.Actor.Type))
	w.text(e.Actor.ID)
	w.text(e.ActorName)
	w.text(string(e.ActorTenant))
	w.text(string(e.Via))
	for _, s := range []string{
		e.CredentialID, e.SessionID, e.Source, e.UserAgent, e.RequestID,
		e.TargetType, e.TargetID, e.TargetName, string(e.OrganizationID),
	} {
		w.text(s)
	}
	w.bytes(e.Before)
	w.bytes(e.After)
	w.bytes(e.Previous[:])
	return w.sum()
}

// Chain appends an event to the chain that ends at prev: it sets Sequence, Previous and
// Hash, and cuts At to microseconds in UTC, as stores keep it. The event's tenant must be
// prev's; a zero prev begins a chain. It returns the event and the chain's new end.
func Chain(prev Head, e Event) (Event, Head) {
	if e.TenantID == "" {
		e.TenantID = prev.TenantID
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	e.Sequence = prev.Sequence + 1
	e.Previous = prev.Hash
	e.Hash = e.ComputeHash()
	return e, Head{TenantID: e.TenantID, Sequence: e.Sequence, Hash: e.Hash}
}

// ComputeHash is SHA-256 over every field but Hash.
func (l Link) ComputeHash() Hash {
	w := newEncoder(linkDomain)
	w.number(l.Sequence)
	w.time(l.At)
	w.number(int64(len(l.Heads)))
	for _, h := range l.Heads {
		w.text(string(h.TenantID))
		w.number(h.Sequence)
		w.bytes(h.Hash[:])
	}
	w.bytes(l.Previous[:])
	return w.sum()
}

// NextLink appends a link with the heads that moved to the system chain that ends at prev;
// a zero prev begins the chain. The heads are sorted by tenant ID; the slice given stays
// as it is.
func NextLink(prev Link, at time.Time, heads []Head) Link {
	l := Link{
		Sequence: prev.Sequence + 1,
		At:       at.UTC().Truncate(time.Microsecond),
		Heads:    slices.Clone(heads),
		Previous: prev.Hash,
	}
	slices.SortFunc(l.Heads, func(a, b Head) int { return strings.Compare(string(a.TenantID), string(b.TenantID)) })
	l.Hash = l.ComputeHash()
	return l
}
