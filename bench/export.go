package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// exportRoom is what memory an export of any size may take.
const exportRoom = 64 << 20

// measureExport saves every key as CSV and watches the process's memory.
func measureExport(ctx context.Context, o options, s *site, t *table) error {
	srv, err := s.serve(ctx, o, s.dir)
	if err != nil {
		return err
	}
	defer srv.stop()
	cookie, err := s.signIn(ctx, srv.url)
	if err != nil {
		return err
	}
	before, err := srv.memory()
	if err != nil {
		return err
	}
	peak, endWatch := srv.watchMemory()
	began := time.Now()
	got, err := save(ctx, srv.url+"/v1/api-keys/export?include_deleted=true", cookie)
	took := time.Since(began)
	endWatch()
	if err != nil {
		return err
	}
	t.add(got.total == got.rows && got.trailer == got.rows, "CSV export of all keys, "+s.engine,
		fmt.Sprintf("%d rows, %d MiB in %s: %.0f rows a second; announced %d, trailer %d", got.rows, got.bytes>>20, took.Round(time.Second),
			float64(got.rows)/took.Seconds(), got.total, got.trailer), "announced = rows = trailer")
	grown := peak.Load() - before
	t.add(grown <= exportRoom, "  memory of the process meanwhile", fmt.Sprintf("%d MiB before, %d MiB at the peak", before>>20, peak.Load()>>20), "at most 64 MiB more")
	return nil
}

// watchMemory looks at the process's memory until told to stop.
func (s *server) watchMemory() (peak *atomic.Int64, stop func()) {
	peak = &atomic.Int64{}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			if now, err := s.memory(); err == nil && now > peak.Load() {
				peak.Store(now)
			}
			select {
			case <-end:
				return
			case <-tick.C:
			}
		}
	}()
	return peak, func() { close(end); <-ended }
}

// saved is what an export brought.
type saved struct{ rows, bytes, total, trailer int64 }

// save reads an export to its end and counts.
func save(ctx context.Context, url, cookie string) (got saved, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return got, err
	}
	req.Header.Set("Cookie", cookie)
	res, err := (&http.Client{}).Do(req) // an export may take longer than other requests
	if err != nil {
		return got, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
		return got, fmt.Errorf("the export answers %d: %s", res.StatusCode, text)
	}
	in := bufio.NewReaderSize(res.Body, 1<<20)
	for {
		line, err := in.ReadSlice('\n') // no cell has a line break here
		got.bytes += int64(len(line))
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return got, err
		}
		got.rows++
	}
	got.rows-- // the first names the columns
	got.total, err = strconv.ParseInt(res.Header.Get("Claviger-Total"), 10, 64)
	if err != nil {
		return got, err
	}
	got.trailer, err = strconv.ParseInt(res.Trailer.Get("Claviger-Rows"), 10, 64)
	return got, err
}
