package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"time"

	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/verify"
)

const (
	hotKeys = 1_000
	calls   = 1_000_000 // in one round
)

// measureVerify measures the index alone, inside this process.
func measureVerify(ctx context.Context, o options, s *site, t *table) error {
	index, end, err := s.load(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, c := range []struct {
		what   string
		among  int
		target float64
	}{{"random among all keys", len(s.keys), 700}, {"random among 1,000 hot keys", hotKeys, 350}} {
		var times, allocations []float64
		for range o.rounds {
			ns, allocs, err := timeCalls(index, s.keys[:c.among])
			if err != nil {
				return err
			}
			times, allocations = append(times, ns), append(allocations, allocs)
		}
		ns, allocs := spreadOf(times), spreadOf(allocations)
		t.add(ns.median <= c.target, "in-process verify, "+c.what, fmt.Sprintf("%.0f ns (%.0f to %.0f)", ns.median, ns.low, ns.high), fmt.Sprintf("≤ %.0f ns", c.target))
		t.add(allocs.median < 0.01, "  its allocations", fmt.Sprintf("%.3f a call", allocs.median), "0")
	}
	return nil
}

// load reads the site into an index of this process.
func (s *site) load(ctx context.Context) (index *verify.Index, end func(), err error) {
	ring, err := node.LoadKeyring(filepath.Join(s.dir, "keyring.json"))
	if err != nil {
		return nil, nil, err
	}
	peppers, err := ring.Peppers()
	if err != nil {
		return nil, nil, err
	}
	db, err := store.Open(ctx, store.Config{URL: s.url()})
	if err != nil {
		return nil, nil, err
	}
	index = verify.New(verify.Config{Source: db, Peppers: peppers})
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- index.Run(ctx) }()
	end = func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			say("the index ended: %v", err)
		}
		_ = db.Close()
	}
	select {
	case <-index.Loaded():
		return index, end, nil
	case err := <-ended:
		ended <- err
		end()
		return nil, nil, fmt.Errorf("loading the index: %w", err)
	}
}

// timeCalls verifies calls keys, drawn beforehand and laid one behind the other in memory,
// as a request's buffer would be: what is random is where the index must look.
func timeCalls(index *verify.Index, keys []string) (nanoseconds, allocations float64, err error) {
	length := len(keys[0])
	drawn := make([]byte, 0, calls*length)
	for range calls {
		drawn = append(drawn, keys[rand.IntN(len(keys))]...)
	}
	all := string(drawn)
	request := verify.Request{Permissions: "call_recordings:read"}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	for i := range calls {
		request.Credential = all[i*length : (i+1)*length]
		result, err := index.Verify(&request)
		if err != nil || !result.Valid {
			return 0, 0, fmt.Errorf("a good key is %s: %w", result.Code, err)
		}
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	return float64(took.Nanoseconds()) / calls, float64(after.Mallocs-before.Mallocs) / calls, nil
}
