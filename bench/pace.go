package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

const (
	paceRate    = 1_000 // verifications a second
	paceClients = 16
)

// pace is verification at a steady rate beside whatever else is measured. Delays count from
// when a request was due, not from when it could be sent.
type pace struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex // guards delays and failed
	delays []time.Duration
	failed error
}

// startPace begins to verify keys of the site.
func (s *site) startPace(ctx context.Context, url string) *pace {
	ctx, cancel := context.WithCancel(ctx)
	p := &pace{cancel: cancel}
	every := paceClients * time.Second / paceRate
	for c := range paceClients {
		p.done.Go(func() {
			due := time.Now().Add(every * time.Duration(c) / paceClients)
			for ; ctx.Err() == nil; due = due.Add(every) {
				time.Sleep(time.Until(due))
				if err := s.verifyOnce(ctx, url); err != nil && ctx.Err() == nil {
					p.mu.Lock()
					p.failed = err
					p.mu.Unlock()
					return
				}
				p.mu.Lock()
				p.delays = append(p.delays, time.Since(due))
				p.mu.Unlock()
			}
		})
	}
	return p
}

// take returns the delays since it was last called.
func (p *pace) take() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.delays
	p.delays = nil
	return list
}

// stop ends it and returns the first failure.
func (p *pace) stop() error {
	p.cancel()
	p.done.Wait()
	return p.failed
}

func (s *site) verifyOnce(ctx context.Context, url string) error {
	key := s.keys[rand.IntN(len(s.keys))]
	r, err := send(ctx, "POST", url+"/v1/verify", s.verifier, `{"credential":"`+key+`","permissions":"call_recordings:read"}`)
	if err != nil {
		return err
	}
	if r.status != 200 || !strings.Contains(string(r.body), `"valid":true`) {
		return fmt.Errorf("verifying a good key answers %d: %s", r.status, r.body)
	}
	return nil
}

// quietSpan is how long verification is timed before and after something disturbs it.
const quietSpan = 10 * time.Second

// quiet times verification while nothing else happens.
func (p *pace) quiet(span time.Duration) []time.Duration {
	p.take()
	time.Sleep(span)
	return p.take()
}

// compareCalm adds a row: verification while something goes on against a quiet time.
func compareCalm(t *table, what string, calm, busy []time.Duration) {
	quiet, during := quantile(calm, 0.99), quantile(busy, 0.99)
	t.add(during <= 2*quiet, what, fmt.Sprintf("p99 %s, quiet %s; medians %s, %s", short(during), short(quiet), short(quantile(busy, 0.5)), short(quantile(calm, 0.5))), "≤ 2 × quiet")
}

func short(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
