// Command bench measures what Claviger promises, with a million live keys over a thousand
// tenants, and prints a table: each figure as measured here, beside what it must reach.
//
// Figures that depend on the machine are ratios to a bare net/http handler that reads the
// same requests and answers as many bytes, in a process of its own. Rounds alternate, so
// that what disturbs the machine disturbs both; the median counts, the spread is shown.
//
// It runs the built binary at bin/claviger, and needs wrk; the figures for PostgreSQL need
// CLAVIGER_TEST_POSTGRES. `make bench` provides all of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// options are what can be chosen, mostly to try the bench itself with less.
type options struct {
	binary  string
	keys    int
	tenants int
	rounds  int
	span    time.Duration // of one round of one side
	engines string
	only    string
}

// verbose tells each kind of request by itself.
var verbose bool

func main() {
	if len(os.Args) > 1 && os.Args[1] == bareCommand {
		exitOn(serveBare(os.Args[2:]))
		return
	}
	var o options
	flag.StringVar(&o.binary, "binary", "bin/claviger", "the program to measure")
	flag.IntVar(&o.keys, "keys", 1_000_000, "live keys")
	flag.IntVar(&o.tenants, "tenants", 1_000, "tenants they are spread over")
	flag.IntVar(&o.rounds, "rounds", 9, "alternated rounds of each comparison")
	flag.DurationVar(&o.span, "span", 4*time.Second, "how long one side of a round lasts")
	flag.StringVar(&o.engines, "engines", "sqlite,postgres", "databases to measure on")
	flag.StringVar(&o.only, "only", "", "parts to measure, comma-separated: "+partNames()+"; empty means all")
	flag.BoolVar(&verbose, "v", false, "tell each kind of list and search by itself")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	exitOn(err)
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: error:", err)
		os.Exit(1)
	}
}

func (o options) wants(part string) bool {
	return o.only == "" || strings.Contains(","+o.only+",", ","+part+",")
}

func run(ctx context.Context, o options) error {
	table := &table{}
	for _, name := range strings.Split(o.engines, ",") {
		if err := measureEngine(ctx, o, name, table); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return table.print(os.Stdout, o)
}

// step measures one part.
type step struct {
	part             string
	sqlite, postgres bool
	measure          func(context.Context, options, *site, *table) error
}

// The parts measured with keys spread over many tenants, and with all of them in one.
var (
	spreadSteps = []step{
		{"start", true, true, measureStart},
		{"verify", true, false, measureVerify},
		{"http", true, false, measureHTTP},
		{"tokens", true, false, measureTokens}, // changes the catalogue, so it comes after
		{"issue", true, true, measureIssue},
		{"revoke", false, true, measureRevoke},
		{"expire", true, true, measureExpire},
	}
	largeSteps = []step{
		{"list", true, true, measureList},
		{"search", true, true, measureSearch},
		{"export", true, true, measureExport},
		{"role", true, true, measureRole},
		{"bulk", true, true, measureBulk},
	}
)

func partNames() string {
	var names []string
	for _, s := range slices.Concat(spreadSteps, largeSteps) {
		names = append(names, s.part)
	}
	return strings.Join(names, ", ")
}

// measureEngine measures everything that is measured on one database.
func measureEngine(ctx context.Context, o options, name string, t *table) error {
	if err := measureSite(ctx, o, name, newSite, spreadSteps, t); err != nil {
		return err
	}
	return measureSite(ctx, o, name, newLargeSite, largeSteps, t)
}

// measureSite seeds one database and measures the parts that are wanted on it.
func measureSite(ctx context.Context, o options, engine string, seed func(context.Context, options, string, string) (*site, error), steps []step, t *table) error {
	var wanted []step
	for _, s := range steps {
		if (s.sqlite && engine == "sqlite" || s.postgres && engine == "postgres") && o.wants(s.part) {
			wanted = append(wanted, s)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "claviger-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	seeded, err := seed(ctx, o, engine, dir)
	if err != nil {
		return fmt.Errorf("seeding: %w", err)
	}
	for _, s := range wanted {
		say("%s: measuring %s", engine, s.part)
		if err := s.measure(ctx, o, seeded, t); err != nil {
			return fmt.Errorf("measuring %s: %w", s.part, err)
		}
	}
	return seeded.drop(ctx)
}

// say tells how far the bench is; the table alone goes to stdout.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
