package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/access"
)

// measureBulk revokes a tenth of all keys by one request, and times verification meanwhile.
func measureBulk(ctx context.Context, o options, s *site, t *table) (err error) {
	srv, err := s.serve(ctx, o, s.dir)
	if err != nil {
		return err
	}
	defer srv.stop()
	p := s.startPace(ctx, srv.url)
	defer func() { err = errors.Join(err, p.stop()) }()
	p.quiet(time.Second)
	calm := p.quiet(quietSpan)
	where := "organization_id=" + url.QueryEscape(string(s.large.orgs[0].ID)) + "&state=active"
	var found struct {
		Count    int64
		Revision uint64
	}
	if err := s.ask(ctx, "GET", srv.url+"/v1/api-keys/count?"+where, "", 200, &found); err != nil {
		return err
	}
	p.take()
	began := time.Now()
	var work struct {
		ID, State          string
		Total, FailedTotal int64
	}
	order := fmt.Sprintf(`{"action":"revoke","filter":{"organization_id":%q,"state":"active"},"as_of":%d,"expected_count":%d}`,
		s.large.orgs[0].ID, found.Revision, found.Count)
	if err := s.ask(ctx, "POST", srv.url+"/v1/api-keys/bulk", order, 202, &work); err != nil {
		return err
	}
	for work.State != "done" {
		time.Sleep(200 * time.Millisecond)
		if err := s.ask(ctx, "GET", srv.url+"/v1/operations/"+work.ID, "", 200, &work); err != nil {
			return err
		}
	}
	took := time.Since(began)
	busy := p.take()
	t.add(work.Total == found.Count && work.FailedTotal == 0, fmt.Sprintf("bulk revoke of %d keys, %s", found.Count, s.engine),
		fmt.Sprintf("%s, %.0f a second, %d failed", took.Round(100*time.Millisecond), float64(found.Count)/took.Seconds(), work.FailedTotal), "none fails")
	compareCalm(t, "  verification meanwhile", calm, busy)
	return nil
}

// ask makes one request with the issuer's key and reads the answer.
func (s *site) ask(ctx context.Context, method, url, body string, status int, into any) error {
	r, err := send(ctx, method, url, s.issuer, body)
	if err != nil {
		return err
	}
	if r.status != status {
		return fmt.Errorf("%s %s answers %d: %s", method, url, r.status, r.body)
	}
	return json.Unmarshal(r.body, into)
}

// What the role that everyone holds gives, in turns.
var (
	roleBefore = []access.Grant{"call_recordings:read"}
	roleAfter  = []access.Grant{"call_recordings:read", "surveys:read"}
)

const (
	roleEdits  = 20
	roleSample = 1_000 // keys that are asked after each edit, of as many users
)

// measureRole edits the role that everyone holds, and times verification meanwhile; then
// again, and times how long it takes until verification sees it for everyone asked. Both at
// once would time the asking, too: a thousand verifications in one request.
func measureRole(ctx context.Context, o options, s *site, t *table) (err error) {
	srv, err := s.serve(ctx, o, s.dir)
	if err != nil {
		return err
	}
	defer srv.stop()
	cookie, err := s.signIn(ctx, srv.url)
	if err != nil {
		return err
	}
	p := s.startPace(ctx, srv.url)
	defer func() { err = errors.Join(err, p.stop()) }()
	p.quiet(time.Second)
	calm := p.quiet(quietSpan)
	for n := range roleEdits {
		if err := s.editRole(ctx, srv.url, cookie, n); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	busy := p.take()
	var delays []time.Duration
	for n := range roleEdits {
		began := time.Now()
		if err := s.editRole(ctx, srv.url, cookie, n); err != nil {
			return err
		}
		if err := s.awaitRole(ctx, srv.url, n); err != nil {
			return err
		}
		delays = append(delays, time.Since(began))
	}
	worst := quantile(delays, 1)
	t.add(worst <= time.Second, fmt.Sprintf("a role held by %d users is edited: until verification sees it, %s", len(s.large.users), s.engine),
		fmt.Sprintf("median %s, worst %s of %d", short(quantile(delays, 0.5)), short(worst), len(delays)), "≤ 1 s")
	compareCalm(t, "  verification meanwhile", calm, busy)
	return nil
}

// editRole changes what the role gives: more by even edits, less by odd ones.
func (s *site) editRole(ctx context.Context, url, cookie string, n int) error {
	grants := roleAfter
	if n%2 == 1 {
		grants = roleBefore
	}
	permissions, err := json.Marshal(map[string]any{"permissions": grants})
	if err != nil {
		return err
	}
	r, err := sendAs(ctx, http.MethodPatch, url+"/v1/roles/"+string(s.large.role), string(permissions), "Cookie", cookie)
	if err != nil || r.status != 200 {
		return fmt.Errorf("editing the role answers %d: %s: %w", r.status, r.body, err)
	}
	return nil
}

// awaitRole asks until everyone's keys have what the edit gave or took.
func (s *site) awaitRole(ctx context.Context, url string, n int) error {
	batch := s.roleBatch()
	want := fmt.Sprintf(`"valid":%t`, n%2 == 0)
	for began := time.Now(); time.Since(began) < 10*time.Second; {
		r, err := send(ctx, http.MethodPost, url+"/v1/verify/batch", s.verifier, batch)
		if err != nil || r.status != 200 {
			return fmt.Errorf("a batch answers %d: %s: %w", r.status, r.body, err)
		}
		if strings.Count(string(r.body), want) == strings.Count(batch, `"credential"`) {
			return nil
		}
	}
	return errors.New("verification never saw the role's change")
}

// roleBatch asks for one key each of many users.
func (s *site) roleBatch() string {
	var b strings.Builder
	for i := range min(roleSample, len(s.keys)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"credential":"` + s.keys[i*len(s.keys)/roleSample%len(s.keys)] + `","permissions":"surveys:read","dry_run":true}`)
	}
	return `{"items":[` + b.String() + `]}`
}
