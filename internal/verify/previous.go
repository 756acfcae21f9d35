package verify

import (
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// PreviousUse is the calls from one place with a secret that a rotation replaced.
type PreviousUse struct {
	CredentialID credential.ID
	TenantID     tenancy.TenantID
	Version      int        // of the secret
	Source       netip.Addr // zero means not known
	UserAgent    string     // empty means not known
	// Others are the calls from too many places to tell apart; Source and UserAgent are not
	// known then.
	Others bool
	LastAt time.Time
	Calls  int64
}

// What is kept between two drains. Whoever has a secret in its grace period can call from
// anywhere, under any name: above these, calls are only counted.
const (
	mostPreviousSecrets = 10_000 // beyond them, calls with further ones are not noted at all
	mostPreviousPlaces  = 20_000 // of all secrets together
	mostPlacesOfSecret  = 200
	longestAgent        = 200 // bytes
)

// previousUses are the calls with secrets in their grace period since the last drain. Only
// a call that such a secret proved comes here, so current ones never wait for the lock.
type previousUses struct {
	mu     sync.Mutex // guards all below
	all    map[previousSecret]*secretUses
	places int
}

type previousSecret struct {
	id      credential.ID
	version uint32
}

type origin struct {
	source netip.Addr
	agent  string
}

type secretUses struct {
	tenant tenancy.TenantID
	places map[origin]*placeUse
	others placeUse
}

type placeUse struct {
	last  int64 // Unix microseconds
	calls int64
}

func (u *placeUse) add(at int64) {
	u.last, u.calls = max(u.last, at), u.calls+1
}

// notePrevious notes a call that an earlier secret proved. Every verdict counts: whoever
// is refused for something else uses that secret all the same.
func (x *Index) notePrevious(q *question, f *found, version uint32) {
	from := origin{source: q.r.SourceIP.Unmap().WithZone(""), agent: agentOf(q.r.UserAgent)}
	p := &x.previous
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.all[previousSecret{f.e.id, version}]
	if s == nil {
		if len(p.all) == mostPreviousSecrets {
			return
		}
		if p.all == nil {
			p.all = make(map[previousSecret]*secretUses)
		}
		s = &secretUses{tenant: f.holder.tenantID, places: make(map[origin]*placeUse)}
		p.all[previousSecret{f.e.id, version}] = s
	}
	u := s.places[from]
	switch {
	case u != nil:
	case len(s.places) == mostPlacesOfSecret || p.places == mostPreviousPlaces:
		u = &s.others
	default:
		from.agent = strings.Clone(from.agent) // it may alias a request
		u = &placeUse{}
		s.places[from] = u
		p.places++
	}
	u.add(q.at)
}

// agentOf is what of a user agent is kept: printable and short.
func agentOf(s string) string {
	s = s[:min(len(s), longestAgent)] // what is left of a letter goes with the unprintable
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return strings.Map(func(r rune) rune {
				if r == utf8.RuneError || !unicode.IsPrint(r) {
					return -1
				}
				return r
			}, s)
		}
	}
	return s
}

// DrainPreviousUses hands over what was noted since it was last drained.
func (x *Index) DrainPreviousUses() (list []PreviousUse) {
	p := &x.previous
	p.mu.Lock()
	all := p.all
	p.all, p.places = nil, 0
	p.mu.Unlock()
	for secret, s := range all {
		use := PreviousUse{CredentialID: secret.id, TenantID: s.tenant, Version: int(secret.version)}
		for from, u := range s.places {
			use.Source, use.UserAgent = from.source, from.agent
			list = append(list, use.with(*u))
		}
		if s.others.calls > 0 {
			use.Source, use.UserAgent, use.Others = netip.Addr{}, "", true
			list = append(list, use.with(s.others))
		}
	}
	return list
}

func (p PreviousUse) with(u placeUse) PreviousUse {
	p.LastAt, p.Calls = time.UnixMicro(u.last).UTC(), u.calls
	return p
}
