package main

import (
	"context"
	"fmt"
	"time"
)

// measureStart measures how long a node takes to be ready with all keys, and what memory
// it holds then.
func measureStart(ctx context.Context, o options, s *site, t *table) error {
	target := 4 * time.Second
	if s.engine == "postgres" {
		target = 2 * time.Second
	}
	var ready, memory []float64
	for range 3 {
		srv, err := s.serve(ctx, o, s.dir)
		if err != nil {
			return err
		}
		rss, err := srv.memory()
		if err != nil {
			return err
		}
		ready, memory = append(ready, srv.ready.Seconds()), append(memory, float64(rss))
		srv.stop()
	}
	took := spreadOf(ready)
	t.add(took.median <= target.Seconds(), "ready with all keys, "+s.engine, fmt.Sprintf("%.1f s (%.1f to %.1f)", took.median, took.low, took.high), "≤ "+target.String())
	per := spreadOf(memory).median / float64(len(s.keys))
	t.add(per <= 150, "memory per live key when ready, whole process, "+s.engine, fmt.Sprintf("%.0f B (%.0f MiB)", per, spreadOf(memory).median/(1<<20)), "≤ 150 B")
	return nil
}
