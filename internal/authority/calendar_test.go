package authority_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/notice"
	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// TestNoticeCalendar lives through a stretch of simulated time with keys that come, end and
// get other ends, administrators who come and go, machines that are down, processes that are
// killed between any two commits and between sending and recording, mail servers that fail and
// clocks that are set. Afterwards every (credential, threshold, recipient) that was due must
// have been sent, and none twice but for a kill right after sending (NV11). With SOAK=1 it is
// two years over 1,000 keys.
func TestNoticeCalendar(t *testing.T) {
	size := calendarSize{days: 75, keys: 40, seeds: 1}
	if os.Getenv("SOAK") != "" {
		size = calendarSize{days: 2 * 365, keys: 1000, seeds: 1, everyHour: true}
	}
	for _, nodes := range []int{1, 3} {
		for _, engine := range []struct {
			name string
			open func(testing.TB) string
		}{{"sqlite", storetest.SQLite}, {"postgres", storetest.Postgres}} {
			t.Run(fmt.Sprintf("%s, nodes: %d", engine.name, nodes), func(t *testing.T) {
				for seed := range size.seeds {
					c := newCalendar(t, engine.open(t), nodes, uint64(seed+1), size)
					c.live()
					c.judge()
				}
			})
		}
	}
}

type calendarSize struct {
	days, keys, seeds int
	everyHour         bool // otherwise some hours only, those of the digest always
}

// calendar is the simulation, with a diary of what happened.
type calendar struct {
	*world
	size  calendarSize
	dice  *rand.Rand
	url   string
	zone  *time.Location
	nodes []*calendarNode
	admin access.RoleID

	ticks  []calendarTick
	keys   []*calendarKey
	living []*calendarKey
	people []*calendarPerson
	said   []calendarSaid
	names  int
}

// calendarNode is one process with a connection of its own.
type calendarNode struct {
	store *store.Store
	a     *authority.Authority
	hook  *appliedHook
}

// calendarTick is one look at what is due.
type calendarTick struct {
	at    time.Time
	clean bool // somebody's job ran to its end, and nothing was left in the outbox
}

// calendarKey is a key with its expiries, one after another.
type calendarKey struct {
	id        credential.ID
	expiries  []calendarExpiry
	suspended bool
}

type calendarExpiry struct {
	at, set  time.Time // zero at: never
	from, to int       // ticks at which it was the key's, the last exclusive; 0: to the end
}

// calendarPerson was an administrator at these ticks.
type calendarPerson struct {
	id    tenancy.UserID
	terms [][2]int // from, to (exclusive); to 0: to the end
}

// calendarSaid is that a message named a key.
type calendarSaid struct {
	to      string
	id      credential.ID
	expires time.Time
	days    int
	marked  time.Time // when it was announced
	tick    int       // at which it was sent
	killed  bool      // the process died after sending and before recording it
}

func newCalendar(t *testing.T, url string, nodes int, seed uint64, size calendarSize) *calendar {
	t.Helper()
	c := &calendar{world: newWorld(t, url), size: size, dice: rand.New(rand.NewPCG(seed, uint64(nodes))), url: url}
	var err error
	c.zone, err = time.LoadLocation("Europe/Berlin")
	c.must(err)
	c.notices(tenancy.Notices{TimeZone: "Europe/Berlin"})
	c.admin = c.builtIn(c.acme.ID, access.RoleCustomerAdministrator)
	for range nodes {
		c.nodes = append(c.nodes, c.node())
	}
	for range 2 {
		c.hire()
	}
	for range size.keys {
		c.make()
	}
	return c
}

// node is a fresh process.
func (c *calendar) node() *calendarNode {
	c.Helper()
	s, err := store.Open(c.Context(), store.Config{URL: c.url, Now: c.clock.Now})
	c.must(err)
	c.Cleanup(func() { _ = s.Close() })
	n := &calendarNode{store: s, hook: &appliedHook{}}
	config := c.config
	config.Store, config.Applied, config.Journal, config.Checkpoints = s, n.hook.Applied, nil, nil
	n.a, err = authority.New(config)
	c.must(err)
	return n
}

// one says yes once in n times.
func (c *calendar) one(n int) bool { return c.dice.IntN(n) == 0 }

// live lets the time pass.
func (c *calendar) live() {
	c.Helper()
	end := c.clock.Now().Add(time.Duration(c.size.days) * days)
	c.tick()
	for c.clock.Now().Before(end) {
		c.next()
		for range c.dice.IntN(3) {
			c.happen()
		}
		c.tick()
		if c.Failed() {
			return
		}
	}
}

// next moves the clock to the next full hour that counts; machines may be down meanwhile.
func (c *calendar) next() {
	now := c.clock.Now()
	hour := func(t time.Time) time.Time { return t.Truncate(time.Hour).Add(time.Hour) }
	to := hour(now)
	for !c.size.everyHour && to.In(c.zone).Hour() != tenancy.DefaultNoticeHour && !c.one(6) {
		to = hour(to)
	}
	switch {
	case c.one(250): // down for a long time
		to = to.Add(time.Duration(c.dice.IntN(12*24)) * time.Hour)
	case c.one(80):
		to = to.Add(time.Duration(c.dice.IntN(30)) * time.Hour)
	case c.one(150): // the clock is set forward, or back
		to = to.Add(time.Duration(c.dice.IntN(14)-6) * 20 * time.Minute)
	}
	c.clock.Add(to.Sub(now))
}

// happen is one thing that somebody does.
func (c *calendar) happen() {
	c.Helper()
	switch p := c.dice.IntN(100); {
	case len(c.living) < c.size.keys || p < 10:
		c.make()
	case p < 40:
		c.move(c.living[c.dice.IntN(len(c.living))])
	case p < 48:
		c.end(c.dice.IntN(len(c.living)))
	case p < 52:
		c.suspendOrResume(c.living[c.dice.IntN(len(c.living))])
	case p < 54:
		c.hire()
	case p < 56:
		c.dismiss()
	}
}

// life is how long a key lives from now on, often over or just under a threshold.
func (c *calendar) life() time.Duration {
	if c.one(2) {
		near := []int{1, 3, 7, 14, 30}[c.dice.IntN(5)]
		return time.Duration(near)*days + time.Duration(c.dice.IntN(48*60)-24*60)*time.Minute + time.Minute + 24*time.Hour
	}
	return time.Duration(c.dice.IntN(400*24*60)+60) * time.Minute
}

func (c *calendar) make() {
	c.Helper()
	c.names++
	at := c.clock.Now().Add(c.life())
	k := &calendarKey{id: c.ending(fmt.Sprintf("key %d", c.names), at)}
	k.expiries = []calendarExpiry{{at: at, set: c.clock.Now(), from: len(c.ticks)}}
	c.keys, c.living = append(c.keys, k), append(c.living, k)
}

// over says that a key has ended by the clock: nothing can be changed any more.
func (c *calendar) over(k *calendarKey) bool {
	last := k.expiries[len(k.expiries)-1]
	return !last.at.IsZero() && !last.at.After(c.clock.Now())
}

func (c *calendar) move(k *calendarKey) {
	c.Helper()
	last := &k.expiries[len(k.expiries)-1]
	if c.over(k) {
		return
	}
	next := calendarExpiry{at: c.clock.Now().Add(c.life()), set: c.clock.Now(), from: len(c.ticks)}
	if c.one(20) {
		next.at = time.Time{}
	}
	_, err := c.a.ChangeOrganizationKey(c.Context(), authority.SystemCaller(), authority.ChangeKeyInput{Tenant: c.acme.ID, ID: k.id, ExpiresAt: &next.at})
	c.must(err)
	last.to = len(c.ticks)
	k.expiries = append(k.expiries, next)
}

func (c *calendar) end(i int) {
	c.Helper()
	k := c.living[i]
	c.living = append(c.living[:i:i], c.living[i+1:]...)
	if c.over(k) {
		return
	}
	_, err := c.a.RevokeAPIKey(c.Context(), authority.SystemCaller(), authority.KeyInput{Tenant: c.acme.ID, ID: k.id})
	c.must(err)
	k.expiries[len(k.expiries)-1].to = len(c.ticks)
}

func (c *calendar) suspendOrResume(k *calendarKey) {
	c.Helper()
	if c.over(k) {
		return
	}
	change := c.a.SuspendAPIKey
	if k.suspended {
		change = c.a.ResumeAPIKey
	}
	_, err := change(c.Context(), authority.SystemCaller(), authority.KeyInput{Tenant: c.acme.ID, ID: k.id})
	c.must(err)
	k.suspended = !k.suspended
}

func (c *calendar) hire() {
	c.Helper()
	c.names++
	p := &calendarPerson{id: c.administrator(fmt.Sprintf("admin-%d", c.names)), terms: [][2]int{{len(c.ticks), 0}}}
	c.people = append(c.people, p)
}

// dismiss lets an administrator go, or come back: there is always another.
func (c *calendar) dismiss() {
	c.Helper()
	p := c.people[c.dice.IntN(len(c.people))]
	in := authority.UserInput{Tenant: c.acme.ID, ID: p.id}
	last := &p.terms[len(p.terms)-1]
	if last[1] != 0 {
		_, err := c.a.ResumeUser(c.Context(), authority.SystemCaller(), in)
		c.must(err)
		p.terms = append(p.terms, [2]int{len(c.ticks), 0})
		return
	}
	active := 0
	for _, p := range c.people {
		if p.terms[len(p.terms)-1][1] == 0 {
			active++
		}
	}
	if active < 2 {
		return
	}
	_, err := c.a.SuspendUser(c.Context(), authority.SystemCaller(), in)
	c.must(err)
	last[1] = len(c.ticks)
}

var errKilled = errors.New("killed")

// tick lets every node look for what is due, all at the same time, and then deliver.
func (c *calendar) tick() {
	c.Helper()
	tick := calendarTick{at: c.clock.Now()}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i, n := range c.nodes {
		kill := 0
		if c.one(8) {
			kill = 1 + c.dice.IntN(3) // it dies right after so many commits
		}
		wg.Go(func() {
			if kill > 0 {
				n.hook.Then(func(calls int) {
					if calls == kill-1 {
						n.hook.Fail(errKilled)
					}
				})
				if kill == 1 {
					n.hook.Fail(errKilled)
				}
			}
			_, err := n.a.AnnounceExpiring(c.Context())
			n.hook.Then(nil)
			n.hook.Fail(nil)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				tick.clean = true
			} else if kill == 0 {
				c.Errorf("node %d at %s: %v", i, tick.at, err)
			}
		})
	}
	wg.Wait()
	if c.one(40) {
		_, err := c.nodes[0].a.ExpireDue(c.Context())
		c.must(err)
	}
	c.deliver()
	tick.clean = tick.clean && c.waiting() == 0
	c.ticks = append(c.ticks, tick)
}

// waiting is how many messages are not yet out.
func (c *calendar) waiting() (n int) {
	c.Helper()
	c.must(c.raw.QueryRowContext(c.Context(), "SELECT count(*) FROM deliveries WHERE state = 'pending'").Scan(&n))
	return n
}

// deliver lets a node deliver; it may be killed after any message.
func (c *calendar) deliver() {
	c.Helper()
	if c.waiting() == 0 {
		return
	}
	n := c.nodes[c.dice.IntN(len(c.nodes))]
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	post := &calendarPost{c: c, store: n.store, kill: cancel}
	if c.one(6) {
		// It dies with its connection, so that it can record nothing any more.
		post.store, post.dies = c.node().store, true
	}
	w, err := outbox.New(outbox.Config{
		Store: post.store, Senders: map[store.DeliveryKind]outbox.Sender{store.DeliveryMail: post}, Now: c.clock.Now, Parallel: 1,
	})
	c.must(err)
	if _, err := w.DeliverDue(ctx); err != nil && !post.dies {
		c.Errorf("delivering: %v", err)
	}
}

// calendarPost is a mail server that fails now and then.
type calendarPost struct {
	c     *calendar
	store *store.Store
	kill  func()
	dies  bool
}

var keyLink = regexp.MustCompile(`/settings/api-keys/(crd_[0-9A-Za-z]{12})\b`)

var moreKeys = regexp.MustCompile(`(?m)^and (\d+) more\.$`)

func (p *calendarPost) Send(ctx context.Context, d store.Delivery) error {
	if d.Attempts == 1 && p.c.one(10) {
		return &outbox.Failure{Status: 451}
	}
	r, err := notice.New(notice.Config{Store: p.c.store, PublicURL: "https://keys.acme.example", Now: p.c.clock.Now})
	if err != nil {
		return err
	}
	m, send, err := r.Render(ctx, d)
	if err != nil || !send {
		return err
	}
	ids, err := p.meant(ctx, d, m)
	if err != nil {
		return err
	}
	for _, id := range ids {
		said := calendarSaid{to: d.Recipient, id: id, tick: len(p.c.ticks), killed: p.dies}
		var expires, marked int64
		row := p.c.raw.QueryRowContext(ctx, "SELECT days, expires_at, at FROM notices WHERE credential_id = '"+string(id[:])+"'")
		if err := row.Scan(&said.days, &expires, &marked); err != nil {
			return err
		}
		said.expires, said.marked = time.UnixMicro(expires).UTC(), time.UnixMicro(marked).UTC()
		p.c.said = append(p.c.said, said)
	}
	if p.dies {
		p.kill()
		return p.store.Close() // sent, and nobody will ever know
	}
	return nil
}

// meant are the keys that a message is about: those that it names, and where it says that
// there are more, those of its digest that still live. They are as many as it says.
func (p *calendarPost) meant(ctx context.Context, d store.Delivery, m outbox.Mail) (ids []credential.ID, err error) {
	named := map[string]bool{}
	for _, found := range keyLink.FindAllStringSubmatch(m.Text, -1) {
		named[found[1]] = true
	}
	more := 0
	if found := moreKeys.FindStringSubmatch(m.Text); found != nil {
		if more, err = strconv.Atoi(found[1]); err != nil {
			return nil, err
		}
	}
	var what struct{ Digest string }
	if err := json.Unmarshal(d.Payload, &what); err != nil {
		return nil, err
	}
	rows, err := p.c.raw.QueryContext(ctx, fmt.Sprintf("SELECT c.id FROM notices AS n JOIN credentials AS c ON c.id = n.credential_id AND c.expires_at = n.expires_at "+
		"WHERE n.digest_id = '%s' AND c.state IN ('active', 'suspended') AND c.expires_at > %d", what.Digest, p.c.clock.Now().UnixMicro()))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	missed := len(named)
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		id, err := credential.ParseID("crd_" + text)
		if err != nil {
			return nil, err
		}
		if named[id.String()] {
			missed--
		}
		ids = append(ids, id)
	}
	if missed != 0 || len(ids) != len(named)+more {
		p.c.Errorf("a message names %d keys and tells of %d more; there are %d, and %d that it names are not among them", len(named), more, len(ids), missed)
	}
	return ids, rows.Err()
}
