package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	issueClients = 16
	issueWarmUp  = time.Second
)

// measureIssue lets 16 clients issue keys over the API, each one acknowledged when durable.
func measureIssue(ctx context.Context, o options, s *site, t *table) error {
	srv, err := s.serve(ctx, o, s.dir)
	if err != nil {
		return err
	}
	defer srv.stop()
	var rates []float64
	var every []time.Duration
	for round := range max(3, o.rounds/3) {
		if _, err := s.issue(ctx, srv.url, fmt.Sprintf("warm-up %d", round), issueWarmUp); err != nil {
			return err
		}
		began := time.Now()
		delays, err := s.issue(ctx, srv.url, fmt.Sprintf("round %d", round), o.span)
		if err != nil {
			return err
		}
		rates = append(rates, float64(len(delays))/time.Since(began).Seconds())
		every = append(every, delays...)
	}
	rate := spreadOf(rates)
	t.add(rate.median >= 3000, "durable issue of keys over the API, 16 clients, "+s.engine,
		fmt.Sprintf("%.0f/s (%.0f to %.0f); median %s, p99 %s", rate.median, rate.low, rate.high,
			quantile(every, 0.5).Round(10*time.Microsecond), quantile(every, 0.99).Round(10*time.Microsecond)), "≥ 3000/s")
	return nil
}

// issue issues keys with all clients for a while, and returns how long each took.
func (s *site) issue(ctx context.Context, url, name string, span time.Duration) ([]time.Duration, error) {
	until := time.Now().Add(span)
	delays := make([][]time.Duration, issueClients)
	clients, ctx := errgroup.WithContext(ctx)
	for c := range issueClients {
		clients.Go(func() error {
			for n := 0; time.Now().Before(until); n++ {
				began := time.Now()
				if _, err := s.issueOne(ctx, url, fmt.Sprintf("%s %d-%d", name, c, n)); err != nil {
					return err
				}
				delays[c] = append(delays[c], time.Since(began))
			}
			return nil
		})
	}
	err := clients.Wait()
	var all []time.Duration
	for _, d := range delays {
		all = append(all, d...)
	}
	return all, err
}

// issued is what matters of an issued key.
type issued struct{ ID, Key string }

func (s *site) issueOne(ctx context.Context, url, name string) (issued, error) {
	r, err := send(ctx, "POST", url+"/v1/api-keys", s.issuer, `{"name":"`+name+`"}`)
	if err != nil {
		return issued{}, err
	}
	var made issued
	if err := json.Unmarshal(r.body, &made); err != nil || r.status != 201 {
		return issued{}, fmt.Errorf("issuing a key answers %d", r.status)
	}
	return made, nil
}

// measureRevoke measures how long after a revocation's answer a second node on the same
// database still says yes.
func measureRevoke(ctx context.Context, o options, s *site, t *table) error {
	first, err := s.serve(ctx, o, s.dir)
	if err != nil {
		return err
	}
	defer first.stop()
	folder, err := os.MkdirTemp("", "claviger-bench-second-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	second, err := s.serve(ctx, o, folder)
	if err != nil {
		return err
	}
	defer second.stop()
	var delays []time.Duration
	for n := range 500 {
		delay, err := s.revokeOnce(ctx, first.url, second.url, n)
		if err != nil {
			return err
		}
		delays = append(delays, delay)
	}
	p99 := quantile(delays, 0.99)
	t.add(p99 <= 50*time.Millisecond, "a revocation seen by a second process, postgres",
		fmt.Sprintf("p99 %s, median %s, worst %s of %d", p99.Round(10*time.Microsecond), quantile(delays, 0.5).Round(10*time.Microsecond), quantile(delays, 1).Round(10*time.Microsecond), len(delays)), "p99 ≤ 50 ms")
	return nil
}

// revokeOnce issues a key, waits until the second node knows it, revokes it on the first
// and asks the second until it refuses.
func (s *site) revokeOnce(ctx context.Context, first, second string, n int) (time.Duration, error) {
	made, err := s.issueOne(ctx, first, fmt.Sprintf("revoked %d", n))
	if err != nil {
		return 0, err
	}
	if _, err := s.waitFor(ctx, second, made.Key, "VALID"); err != nil {
		return 0, err
	}
	r, err := send(ctx, "POST", first+"/v1/api-keys/"+made.ID+"/revoke", s.issuer, "")
	if err != nil {
		return 0, err
	}
	if r.status != 200 {
		return 0, fmt.Errorf("revoking answers %d", r.status)
	}
	returned := time.Now()
	at, err := s.waitFor(ctx, second, made.Key, "REVOKED")
	return at.Sub(returned), err
}

// waitFor asks until the code is the answer.
func (s *site) waitFor(ctx context.Context, url, key, code string) (time.Time, error) {
	for began := time.Now(); time.Since(began) < 10*time.Second; {
		r, err := send(ctx, "POST", url+"/v1/verify", s.verifier, `{"credential":"`+key+`","dry_run":true}`)
		if err != nil {
			return time.Time{}, err
		}
		if strings.Contains(string(r.body), `"code":"`+code+`"`) {
			return time.Now(), nil
		}
	}
	return time.Time{}, errors.New("the second node never said " + code)
}
