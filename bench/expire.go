package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const (
	expiringKeys  = 100_000
	expiringStart = time.Minute // until the first of them ends: the server has to start in it
	expiringLimit = 5 * time.Minute
	settleSpan    = 30 * time.Second // what seeding left is on the disk by then
)

// settle writes out what seeding left to be written: no installation gets a million keys at
// once a minute before.
func (s *site) settle(ctx context.Context, db *sql.DB) error {
	command := "PRAGMA wal_checkpoint(TRUNCATE)"
	if s.database != "" {
		command = "CHECKPOINT"
	}
	if _, err := db.ExecContext(ctx, command); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	syscall.Sync()
	return nil
}

// measureExpire lets many keys of all tenants expire in the same minute, and times how long
// it takes to end them, verification meanwhile, and how long other writers had to wait.
func measureExpire(ctx context.Context, o options, s *site, t *table) (err error) {
	many := min(expiringKeys, o.keys)
	if err := s.addExpiring(ctx, o, many); err != nil {
		return err
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ends := time.Now().Add(settleSpan + expiringStart)
	if _, err := db.ExecContext(ctx, "UPDATE credentials SET expires_at = "+strconv.FormatInt(ends.UnixMicro(), 10)+
		" + (row_id % 60) * 1000000 WHERE expires_at < 9223372036854775807 AND name LIKE 'expiring %'"); err != nil {
		return fmt.Errorf("setting when keys end: %w", err)
	}
	if err := s.settle(ctx, db); err != nil {
		return err
	}
	if left := time.Until(ends) - expiringStart; left > 0 {
		time.Sleep(left)
	}
	srv, err := s.serve(ctx, o, s.dir)
	if err != nil {
		return err
	}
	defer srv.stop()
	p := s.startPace(ctx, srv.url)
	defer func() { err = errors.Join(err, p.stop()) }()
	p.quiet(time.Second)
	if time.Until(ends) < quietSpan {
		return errors.New("the server started too slowly to see a quiet time before keys end")
	}
	calm := p.quiet(time.Until(ends))
	before, err := srv.held(ctx)
	if err != nil {
		return err
	}
	busy, err := s.untilExpired(ctx, db, p, many)
	if err != nil {
		return err
	}
	took := time.Since(ends)
	after, err := srv.held(ctx)
	if err != nil {
		return err
	}
	t.add(took <= expiringLimit, fmt.Sprintf("%d keys of all tenants expire in one minute, %s: until the last is ended", many, s.engine),
		took.Round(time.Second).String()+" after the first", "≤ "+expiringLimit.String())
	compareCalm(t, "  verification meanwhile", calm, busy)
	over, groups, commits := after.over-before.over, after.all-before.all, after.commits-before.commits
	t.add(over == 0, "  groups of writes that kept others waiting over 50 ms", fmt.Sprintf("%d of %d, %d commits alone took as long", over, groups, commits), "none")
	return nil
}

// untilExpired waits until all have ended, and returns how long verification took from the
// first end on.
func (s *site) untilExpired(ctx context.Context, db *sql.DB, p *pace, many int) (busy []time.Duration, err error) {
	left := many
	for began := time.Now(); left > 0; time.Sleep(time.Second) {
		if left == many {
			p.take()
		}
		now := left
		err := db.QueryRowContext(ctx, "SELECT count(*) FROM credentials WHERE state IN ('active', 'suspended') AND expires_at < 9223372036854775807").Scan(&now)
		if err != nil {
			return nil, fmt.Errorf("counting what is left: %w", err)
		}
		left = now
		if time.Since(began) > 4*expiringLimit {
			return nil, fmt.Errorf("%d keys have not ended after %s", left, time.Since(began))
		}
	}
	return p.take(), nil
}

// addExpiring makes keys that end some day, as many for each tenant.
func (s *site) addExpiring(ctx context.Context, o options, many int) (err error) {
	n, err := node.OpenAuthority(ctx, s.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	peppers, err := n.Keyring().Peppers()
	if err != nil {
		return err
	}
	scratch := &keyMaker{site: &site{keys: make([]string, many)}, store: n.Store(), peppers: peppers}
	someday := time.Now().AddDate(1, 0, 0).UTC().Truncate(time.Microsecond)
	each, first := many/o.tenants, 0
	for i := range o.tenants {
		users, err := usersOf(ctx, n.Authority(), fmt.Sprintf("tenant-%04d", i))
		if err != nil {
			return err
		}
		if i == o.tenants-1 {
			each = many - first
		}
		for end := first + each; first < end; {
			count := min(seedGroup, end-first)
			keys, material, err := scratch.batch(first, count, users)
			if err != nil {
				return err
			}
			first += count
			_, err = n.Store().Write(ctx, users[0].TenantID, func(tx *store.Tx) error {
				for k := range keys {
					keys[k].Name, keys[k].ExpiresAt = "expiring "+keys[k].Name, someday
					if err := tx.InsertCredential(keys[k], material[k]); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// usersOf are the users of the tenant with a slug.
func usersOf(ctx context.Context, a *authority.Authority, slug string) ([]tenancy.User, error) {
	tenants, err := a.Tenants(ctx, authority.SystemCaller(), authority.TenantsInput{Search: slug})
	if err != nil || len(tenants.Items) == 0 {
		return nil, fmt.Errorf("looking for %s: %w", slug, errors.Join(err, errors.New("found none")))
	}
	list, err := a.Users(ctx, authority.SystemCaller(), authority.UsersInput{Tenant: tenants.Items[0].ID})
	if err != nil {
		return nil, err
	}
	users := make([]tenancy.User, len(list.Items))
	for i, u := range list.Items {
		users[i] = u.User
	}
	return users, nil
}

// open opens the site's database past everything else.
func (s *site) open() (*sql.DB, error) {
	if s.database != "" {
		return sql.Open("pgx", s.database)
	}
	return sql.Open("sqlite", filepath.Join(s.dir, "claviger.db")+"?_pragma=busy_timeout(10000)")
}

// held is how many groups of writes there were, how many of them held the writer for more
// than 50 ms, and how many commits took more by themselves: that is mostly the disk's sync.
type held struct{ all, over, commits int64 }

func (s *server) held(ctx context.Context) (h held, err error) {
	r, err := sendAs(ctx, "GET", s.url+"/metrics", "", "", "")
	if err != nil {
		return h, err
	}
	if h.all, h.over, err = slower(string(r.body), "claviger_writer_held_seconds"); err != nil {
		return h, err
	}
	_, h.commits, err = slower(string(r.body), "claviger_writer_commit_seconds")
	return h, err
}

// slower reads from a histogram how much was counted, and how much of it took over 50 ms.
func slower(metrics, histogram string) (all, over int64, err error) {
	var within int64
	for line := range strings.Lines(metrics) {
		for name, into := range map[string]*int64{"_count ": &all, `_bucket{le="0.05"} `: &within} {
			if value, ok := strings.CutPrefix(line, histogram+name); ok {
				if *into, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64); err != nil {
					return 0, 0, fmt.Errorf("reading /metrics: %w", err)
				}
			}
		}
	}
	return all, all - within, nil
}
