package server

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
)

// Headers of an export. The total is what the filter found just before; the trailer says
// how many rows there were in the end, and is missing when not all of them came.
const (
	totalHeader = "Claviger-Total"
	rowsTrailer = "Claviger-Rows"
)

type exportKeysInput struct {
	APIKeysFilter
	SortInput
	Site string `header:"Sec-Fetch-Site" maxLength:"32" hidden:"true"`
}

// exportAPIKeys answers every key that the filter finds, as CSV (NV4). It is a GET, so that
// a browser can save it without holding it in memory; for that, pages of other sites must
// not make it start.
func (s *Server) exportAPIKeys(ctx context.Context, c *call, in *exportKeysInput) (*huma.StreamResponse, error) {
	if err := ownPage(in.Site); err != nil {
		return nil, err
	}
	ask := in.ask()
	ask.Page.Sort, ask.Page.Desc = in.Sort, in.Order == "desc"
	found, err := s.authority.CountAPIKeys(ctx, c.caller, ask)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		out := &csvAnswer{w: w, name: "api-keys", total: found.Count, day: s.now(), columns: []string{
			"Name", "Organization", "Expiration date", "Created by", "Key", "No key because", "State", "Kind", "Owner", "ID", "Organization ID", "Created", "Last used",
		}}
		err := s.authority.ExportKeys(ctx, c.caller, ask, out.key)
		s.endExport(ctx, c, out, err)
	}}, nil
}

// ownPage refuses what a page of another site makes a browser ask for.
func ownPage(site string) error {
	if site != "" && site != "same-origin" && site != "none" {
		return problem.New(problem.Denied, "cross_origin", "A page of another site may not start an export.")
	}
	return nil
}

// csvAnswer writes a CSV answer row by row. Nothing is written before the first row is
// there, so that a refusal can still be a problem.
type csvAnswer struct {
	w       http.ResponseWriter
	name    string // of the file, before the day
	columns []string
	total   int64
	day     time.Time
	out     *bufio.Writer
	began   bool
	rows    int64
}

// patience is how long a reader may take for what one buffer holds. It stands for the
// server's write timeout, which would end a long export.
const (
	patience  = 30 * time.Second
	csvBuffer = 64 << 10
)

// Write passes a full buffer on.
func (a *csvAnswer) Write(b []byte) (int, error) {
	_ = http.NewResponseController(a.w).SetWriteDeadline(time.Now().Add(patience))
	return a.w.Write(b)
}

func (a *csvAnswer) begin() {
	h := a.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="`+a.name+`-`+a.day.UTC().Format("2006-01-02")+`.csv"`)
	h.Set(totalHeader, strconv.FormatInt(a.total, 10))
	h.Set("Trailer", rowsTrailer)
	a.w.WriteHeader(http.StatusOK)
	a.began, a.out = true, bufio.NewWriterSize(a, csvBuffer)
	writeCSV(a.out, a.columns...)
}

// whyNoKey says it for people.
var whyNoKey = map[string]string{
	"shown_once": "it was shown once", "ended": "it has ended", "not_yours": "it may do more than you may give",
}

func (a *csvAnswer) key(k authority.ExportRow) error {
	reason := whyNoKey[k.Reason]
	if reason == "" {
		reason = k.Reason
	}
	return a.row(k.Name, k.OrganizationName, csvTime(k.ExpiresAt), k.CreatedByName, k.Secret.Reveal(), reason,
		string(k.State), string(k.Kind), k.OwnerName, k.ID.String(), string(k.OrganizationID), csvTime(k.CreatedAt), csvTime(k.LastUsedAt))
}

func (a *csvAnswer) row(cells ...string) error {
	if !a.began {
		a.begin()
	}
	writeCSV(a.out, cells...)
	a.rows++
	// A buffered writer keeps its first error.
	_, err := a.out.Write(nil)
	return err
}

// end writes what is left, and the count.
func (a *csvAnswer) end() error {
	if !a.began {
		a.begin()
	}
	if err := a.out.Flush(); err != nil {
		return err
	}
	a.w.Header().Set(rowsTrailer, strconv.FormatInt(a.rows, 10))
	return nil
}

func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// writeCSV writes one row (RFC 4180), every cell in quotes and none of them a formula.
func writeCSV(w *bufio.Writer, cells ...string) {
	for i, cell := range cells {
		if i > 0 {
			_ = w.WriteByte(',')
		}
		_ = w.WriteByte('"')
		if formula(cell) {
			_ = w.WriteByte('\'')
		}
		_, _ = w.WriteString(strings.ReplaceAll(cell, `"`, `""`))
		_ = w.WriteByte('"')
	}
	_, _ = w.WriteString("\r\n")
}

// formula reports a cell that spreadsheets would run: they are given an apostrophe, which
// makes it text. The last four are what some of them take for the first four.
func formula(cell string) bool {
	for _, start := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(cell, start) {
			return true
		}
	}
	return false
}
