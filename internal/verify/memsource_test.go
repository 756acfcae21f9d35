package verify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// memSource is a Source in memory. Its feed has one row a revision, as the store's.
type memSource struct {
	mu    sync.Mutex
	feed  []row
	items map[string]Item
	moved chan struct{} // closed at the next change

	fail      atomic.Bool  // every call is an error
	failAfter atomic.Int64 // Snapshot fails after so many items; 0 never
	gone      atomic.Bool  // Changes answers ErrFeedGone once
	reads     atomic.Int64 // calls of Changes
	perRev    int          // rows that share a revision; 0 and 1 mean one
}

type row struct {
	revision uint64
	key      string
}

func newMemSource() *memSource {
	return &memSource{items: make(map[string]Item), moved: make(chan struct{})}
}

var errAway = errors.New("the database is away")

func keyOf(i Item) string {
	switch {
	case i.Plan != nil:
		return "0" + string(i.Plan.ID)
	case i.Tenant != nil:
		return "1" + string(i.Tenant.ID)
	case i.Organization != nil:
		return "2" + string(i.Organization.ID)
	case i.Role != nil:
		return "3" + string(i.Role.ID)
	case i.Assignments != nil:
		return "4" + i.Assignments.Principal.ID
	case i.User != nil:
		return "5" + string(i.User.ID)
	case i.ServiceAccount != nil:
		return "6" + string(i.ServiceAccount.ID)
	case i.App != nil:
		return "7" + string(i.App.ID)
	case i.Credential != nil:
		return "8" + string(i.Credential.ID[:])
	case i.Catalog != nil:
		return "/"
	case i.RevokedToken != nil:
		return "7 " + i.RevokedToken.ID
	case i.SigningKeys != nil:
		return "7 keys"
	}
	panic("empty item")
}

// put changes items and returns the revision of the last.
func (m *memSource) put(items ...Item) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.head()
	for n, i := range items {
		m.items[keyOf(i)] = i
		m.feed = append(m.feed, row{before + 1 + uint64(n/max(1, m.perRev)), keyOf(i)})
	}
	close(m.moved)
	m.moved = make(chan struct{})
	return m.head()
}

func (m *memSource) head() uint64 {
	if len(m.feed) == 0 {
		return 0
	}
	return m.feed[len(m.feed)-1].revision
}

// replace makes the source another database: other items, another feed.
func (m *memSource) replace(other *memSource) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items, m.feed = other.items, other.feed
}

func (m *memSource) Snapshot(_ context.Context, put func(Item) error) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail.Load() {
		return 0, errAway
	}
	n := int64(0)
	for group := '/'; group <= '8'; group++ {
		for k, i := range m.items {
			if rune(k[0]) != group || i.Gone {
				continue
			}
			if n++; m.failAfter.Load() > 0 && n > m.failAfter.Load() {
				return 0, errAway
			}
			if err := put(i); err != nil {
				return 0, err
			}
		}
	}
	return m.head(), nil
}

func (m *memSource) Changes(_ context.Context, after uint64, limit int) ([]Change, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads.Add(1)
	if m.fail.Load() {
		return nil, 0, errAway
	}
	if m.gone.Swap(false) {
		return nil, 0, fmt.Errorf("revision %d: %w", after, ErrFeedGone)
	}
	var list []Change
	for _, r := range m.feed {
		if r.revision > after && len(list) < limit {
			list = append(list, Change{Revision: r.revision, Item: m.items[r.key]})
		}
	}
	return list, m.head(), nil
}

func (m *memSource) Wait(ctx context.Context, after uint64) error {
	m.mu.Lock()
	moved, head := m.moved, m.head()
	m.mu.Unlock()
	if head > after {
		return nil
	}
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// testClock is set by hand. Its readings have no monotonic part, so it may go back.
type testClock struct{ at atomic.Int64 }

func newTestClock() *testClock {
	c := &testClock{}
	c.set(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	return c
}

func (c *testClock) Now() time.Time          { return time.UnixMicro(c.at.Load()).UTC() }
func (c *testClock) set(t time.Time)         { c.at.Store(t.UnixMicro()) }
func (c *testClock) advance(d time.Duration) { c.at.Add(d.Microseconds()) }

// Short forms for items.
func planItem(id string, api bool, grants ...access.Grant) Item {
	return Item{Plan: &Plan{ID: tenancy.PlanID(id), APIAccess: api, Permissions: grants}}
}

func assignItem(tenant, user string, roleAt ...string) Item {
	a := &PrincipalAssignments{TenantID: tenancy.TenantID(tenant), Principal: userOf(user)}
	for i := 0; i+1 < len(roleAt); i += 2 {
		a.List = append(a.List, access.Assignment{
			TenantID: a.TenantID, Principal: a.Principal,
			RoleID: access.RoleID(roleAt[i]), OrganizationID: tenancy.OrgID(roleAt[i+1]),
		})
	}
	return Item{Assignments: a}
}

func userOf(id string) access.Principal { return access.Principal{Type: access.PrincipalUser, ID: id} }
