package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed load.lua
var loadScript []byte

const (
	wrkKeys        = 50_000 // a random part of all keys, prepared before the clock runs
	wrkConnections = 64
)

// face is one endpoint that is compared with the bare handler.
type face struct {
	name              string
	what              string
	rate, cpu         float64 // what must be reached; no cpu: only the rate counts
	rateText, cpuText string
}

var faces = []face{
	{"verify", "POST /v1/verify", 0.85, 1.35, "≥ 0.85", "≤ 1.35"},
	{"gateway", "GET /gateway/auth", 0.92, 1.20, "≥ 0.92", "≤ 1.20"},
}

// measureHTTP compares the two faces of verification with the bare handler.
func measureHTTP(ctx context.Context, o options, s *site, t *table) error {
	claviger, err := s.serve(ctx, o, s.dir)
	if err != nil {
		return err
	}
	defer claviger.stop()
	script, keys, err := s.writeLoad()
	if err != nil {
		return err
	}
	bare, err := s.spawnBare(ctx, claviger.url)
	if err != nil {
		return err
	}
	defer bare.stop()
	for _, f := range faces {
		load := func(srv *server, span time.Duration) (sample, error) {
			return runLoad(ctx, srv, span, script, keys, f.name, s.verifier)
		}
		if err := compare(o, f, load, bare, claviger, t); err != nil {
			return err
		}
	}
	rss, err := claviger.memory()
	if err != nil {
		return err
	}
	per := float64(rss) / float64(len(s.keys))
	t.add(per <= 150, "memory per live key after the load, whole process", fmt.Sprintf("%.0f B (%d MiB)", per, rss>>20), "≤ 150 B")
	return nil
}

// sample is one side of one round.
type sample struct {
	requests    int64
	bytes       float64       // of an answer, on average
	rate        float64       // per second
	cpu         time.Duration // per request
	median, p99 time.Duration
}

// compare alternates rounds of both servers, the first of each round changing, and adds
// the ratios.
func compare(o options, f face, load func(*server, time.Duration) (sample, error), bare, claviger *server, t *table) error {
	for _, warm := range []*server{bare, claviger} {
		if _, err := load(warm, time.Second); err != nil {
			return err
		}
	}
	var rates, cpus, absolute, perRequest []float64
	for round := range o.rounds {
		sides := map[*server]sample{}
		order := []*server{bare, claviger}
		if round%2 == 1 {
			order = []*server{claviger, bare}
		}
		for _, srv := range order {
			got, err := load(srv, o.span)
			if err != nil {
				return err
			}
			sides[srv] = got
		}
		// Refusals are shorter: comparing with them would flatter. Headers count here too, and
		// Claviger sends some more than the bare handler.
		if size := sides[claviger].bytes / sides[bare].bytes; size < 0.8 || size > 1.3 {
			return fmt.Errorf("%s: answers are %.2f times as long as the bare handler's", f.name, size)
		}
		rates = append(rates, sides[claviger].rate/sides[bare].rate)
		cpus = append(cpus, float64(sides[claviger].cpu)/float64(sides[bare].cpu))
		absolute = append(absolute, sides[claviger].rate)
		perRequest = append(perRequest, float64(sides[claviger].cpu)/float64(time.Microsecond))
		say("  %s round %d: bare %.0f/s %s, Claviger %.0f/s %s", f.name, round+1, sides[bare].rate, sides[bare].cpu, sides[claviger].rate, sides[claviger].cpu)
	}
	rate, cpu := spreadOf(rates), spreadOf(cpus)
	t.add(rate.median >= f.rate, f.what+", requests/s against the bare handler", fmt.Sprintf("%s; %.0f/s", rate, spreadOf(absolute).median), f.rateText)
	if f.cpu == 0 {
		return nil
	}
	t.add(cpu.median <= f.cpu, f.what+", CPU per request against the bare handler", fmt.Sprintf("%s; %.1f µs", cpu, spreadOf(perRequest).median), f.cpuText)
	return nil
}

// writeLoad writes wrk's script and its keys, a random part of all.
func (s *site) writeLoad() (script, keys string, err error) {
	script, keys = filepath.Join(s.dir, "load.lua"), filepath.Join(s.dir, "load.keys")
	if err := os.WriteFile(script, loadScript, 0o600); err != nil {
		return "", "", err
	}
	var b bytes.Buffer
	for range min(wrkKeys, len(s.keys)) {
		b.WriteString(s.keys[rand.IntN(len(s.keys))])
		b.WriteByte('\n')
	}
	return script, keys, os.WriteFile(keys, b.Bytes(), 0o600)
}

// spawnBare starts the bare handler with answers as long as Claviger's own, which are
// checked first: comparing with refusals would flatter.
func (s *site) spawnBare(ctx context.Context, claviger string) (*server, error) {
	body, err := s.answer(ctx, claviger)
	if err != nil {
		return nil, err
	}
	headers, err := s.identity(ctx, claviger)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return spawn(ctx, self, bareCommand, "--body", body, "--headers", headers)
}

func (s *site) answer(ctx context.Context, claviger string) (string, error) {
	question := `{"credential":"` + s.keys[0] + `","permissions":"call_recordings:read"}`
	r, err := send(ctx, "POST", claviger+"/v1/verify", s.verifier, question)
	if err != nil {
		return "", err
	}
	var verdict struct{ Valid bool }
	if err := json.Unmarshal(r.body, &verdict); err != nil || r.status != 200 || !verdict.Valid {
		return "", fmt.Errorf("verification of a good key answers %d: %s", r.status, r.body)
	}
	return string(r.body), nil
}

func (s *site) identity(ctx context.Context, claviger string) (string, error) {
	r, err := send(ctx, "GET", claviger+"/gateway/auth?permissions=call_recordings:read", s.keys[0], "")
	if err != nil {
		return "", err
	}
	if r.status != 204 {
		return "", fmt.Errorf("the gateway answers a good key %d: %s", r.status, r.body)
	}
	var b strings.Builder
	for name, values := range r.header {
		if name != "Date" {
			fmt.Fprintf(&b, "%s=%s\n", name, values[0])
		}
	}
	return b.String(), nil
}

var httpClient = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// reply is what came back, body read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send makes one request with a bearer credential, or none.
func send(ctx context.Context, method, url, bearer, body string) (reply, error) {
	if bearer == "" {
		return sendAs(ctx, method, url, body, "", "")
	}
	return sendAs(ctx, method, url, body, "Authorization", "Bearer "+bearer)
}

// sendAs makes one request with a header that says who asks.
func sendAs(ctx context.Context, method, url, body, header, value string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if header != "" {
		req.Header.Set(header, value)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return read(req)
}

// read makes a request and reads the answer.
func read(req *http.Request) (reply, error) {
	res, err := httpClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, data}, err
}

// runLoad lets wrk loose on a server for a while.
func runLoad(ctx context.Context, srv *server, span time.Duration, script string, args ...string) (sample, error) {
	before, err := srv.cpu()
	if err != nil {
		return sample{}, err
	}
	seconds := strconv.Itoa(max(1, int(span.Seconds()))) + "s"
	wrk := exec.CommandContext(ctx, "wrk", append([]string{"-t2", "-c" + strconv.Itoa(wrkConnections), "-d" + seconds, "-s", script, srv.url, "--"}, args...)...)
	out, err := wrk.CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	after, err := srv.cpu()
	if err != nil {
		return sample{}, err
	}
	_, result, ok := strings.Cut(string(out), "\nRESULT ")
	if !ok {
		return sample{}, fmt.Errorf("wrk printed no result:\n%s", out)
	}
	var requests, micros, size, failed, p50, p99 int64
	if _, err := fmt.Sscan(result, &requests, &micros, &size, &failed, &p50, &p99); err != nil {
		return sample{}, err
	}
	if failed > 0 || requests == 0 {
		return sample{}, errors.New("some requests failed:\n" + string(out))
	}
	return sample{
		requests: requests, bytes: float64(size) / float64(requests), rate: float64(requests) / (float64(micros) / 1e6), cpu: (after - before) / time.Duration(requests),
		median: time.Duration(p50) * time.Microsecond, p99: time.Duration(p99) * time.Microsecond,
	}, nil
}
