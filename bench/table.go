package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// table gathers the figures.
type table struct{ rows []row }

// row is one figure beside what it must reach.
type row struct {
	what, measured, target string
	met                    bool
}

func (t *table) add(met bool, what, measured, target string) {
	t.rows = append(t.rows, row{what, measured, target, met})
	say("  %s: %s", what, measured)
}

func (t *table) print(w io.Writer, o options) error {
	fmt.Fprintf(w, "\n%d keys over %d tenants; %d rounds; %d processors (%s), %s %s\n\n",
		o.keys, o.tenants, o.rounds, runtime.NumCPU(), processor(), runtime.Version(), time.Now().Format(time.DateOnly))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "WHAT\tMEASURED\tMUST REACH\t")
	for _, r := range t.rows {
		verdict := "met"
		if !r.met {
			verdict = "SHORT"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", r.what, r.measured, r.target, verdict)
	}
	return tw.Flush()
}

func processor() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// spread is the middle of several rounds, and how far they lie apart.
type spread struct{ low, median, high float64 }

func spreadOf(values []float64) spread {
	s := slices.Sorted(slices.Values(values))
	if len(s) == 0 {
		return spread{}
	}
	return spread{s[0], s[len(s)/2], s[len(s)-1]}
}

func (s spread) String() string { return fmt.Sprintf("%.2f (%.2f to %.2f)", s.median, s.low, s.high) }

// quantile of durations, which it sorts.
func quantile(list []time.Duration, q float64) time.Duration {
	slices.Sort(list)
	if len(list) == 0 {
		return 0
	}
	return list[min(len(list)-1, int(float64(len(list))*q))]
}
