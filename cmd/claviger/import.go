package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

// A request has at most so many lines, and characters in them: what a server takes.
const (
	importLines = 1000
	importBytes = 512 << 10
)

// importFlags say how a file is brought in.
type importFlags struct {
	format, report, resume string
	columns                map[string]string
	dryRun, acceptWeak     bool
}

func (p *program) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Bring in keys that another system made, so that they go on working",
		Long: "Bring in keys that another system made (- reads stdin). The file is CSV with a head, or JSON Lines, with the\n" +
			"columns name, owner, key or digest, and expires_at, which may be missing. An owner is a user's ID, user name\n" +
			"or external ID; a digest is sha256:HEX or hmac-sha256:REF:HEX.\n\n" +
			"A line that cannot be brought in is refused by itself and told with its reason; the exit status is then 1. A\n" +
			"file that was interrupted is gone on with by --resume and the ID of its import. The caller must hold\n" +
			"claviger.api_keys:manage; people of a tenant need a window that the operators open: claviger import open.",
		Args: oneArgument("file, or - for stdin"),
	}
	o := p.take(cmd, callerSettings...)
	var f importFlags
	tenant := tenantFlag(cmd)
	cmd.Flags().StringVar(&f.format, "format", "", "`FORMAT` of the file: csv or jsonl (default: by its name, else csv)")
	cmd.Flags().StringToStringVar(&f.columns, "map", nil, "`COLUMN=HEAD,…` where the file's heads are other ones, such as owner=user_email,key=api_token")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "check every line and bring nothing in")
	cmd.Flags().BoolVar(&f.acceptWeak, "accept-weak", false, "take keys of less than 112 bits, too; they are marked, and guessing at them is slowed down")
	cmd.Flags().StringVar(&f.report, "report", "", "`FILE` to write every refused line to, as CSV")
	cmd.Flags().StringVar(&f.resume, "resume", "", "`ID` of the import to go on with")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		return runImport(cmd, o, c.InTenant(*tenant), f, args[0])
	}
	cmd.AddCommand(p.importOpenCommand(), p.importCloseCommand())
	return cmd
}

func (p *program) importOpenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "open TENANT",
		Short: "Let a tenant's own people import keys for a while; system administrators only",
		Args:  oneArgument("tenant's ID"),
	}
	o := p.take(cmd, callerSettings...)
	open := cmd.Flags().String("for", "1d", "`DURATION` from now, up to 30d")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := parseDuration(*open)
		if err != nil {
			return &usageError{err: fmt.Errorf("--for: %w", err), hint: "Give a duration such as 12h or 7d."}
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		t, err := c.OpenImportWindow(cmd.Context(), args[0], d)
		return printImportWindow(cmd, o, t, err)
	}
	return cmd
}

func (p *program) importCloseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "close TENANT",
		Short: "Let a tenant's own people import keys no longer; system administrators only",
		Args:  oneArgument("tenant's ID"),
	}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		t, err := c.CloseImportWindow(cmd.Context(), args[0])
		return printImportWindow(cmd, o, t, err)
	}
	return cmd
}

func printImportWindow(cmd *cobra.Command, o *options, t *api.Tenant, err error) error {
	switch {
	case err != nil:
		return err
	case o.json:
		return printJSON(cmd.OutOrStdout(), t)
	}
	return details(cmd.OutOrStdout(), "Tenant", t.Name, "ID", t.ID, "Its people may import", when(t.ImportUntil, "no"))
}

// runImport reads the file twice where it can: once to know how long it is, once to send it.
func runImport(cmd *cobra.Command, o *options, c *client.Client, f importFlags, path string) error {
	format, err := f.formatOf(path)
	if err != nil {
		return err
	}
	in, total, err := openImport(cmd, path, format)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	lines, err := readImport(in, format, f.columns)
	if err != nil {
		return err
	}
	id := f.resume
	if id == "" {
		op, err := c.BeginImport(cmd.Context(), api.BeginImportRequest{
			Total: total, DryRun: f.dryRun, AcceptWeak: f.acceptWeak, Source: sourceName(path),
		})
		if err != nil {
			return err
		}
		id = op.ID
	}
	bar := newProgress(cmd.ErrOrStderr(), total)
	refused, err := sendImport(cmd.Context(), c, id, lines, bar)
	bar.end()
	if err != nil {
		return interrupted(err, id)
	}
	done, err := c.FinishImport(cmd.Context(), id)
	if err != nil {
		return interrupted(err, id)
	}
	if f.report != "" {
		if err := writeImportReport(cmd.Context(), c, id, f.report); err != nil {
			return err
		}
	}
	return printImport(cmd, o, f, done, refused)
}

// interrupted says how to go on with an import that broke off.
func interrupted(err error, id string) error {
	var answered *api.Problem
	if errors.As(err, &answered) && answered.Status < 500 {
		return err
	}
	return hinted("What was sent is there. Go on with: claviger import FILE --resume "+id, "the import broke off: %w", err)
}

func sourceName(path string) string {
	if path == "-" {
		return ""
	}
	return filepath.Base(path)
}

// sendImport sends the lines in pieces and returns those that were refused, the first 1,000.
func sendImport(ctx context.Context, c *client.Client, id string, next func() (api.ImportLine, error), bar *progress) (refused []api.ImportRefusal, err error) {
	for more := true; more; {
		var r api.ImportKeysRequest
		for size := 0; len(r.Lines) < importLines && size < importBytes; {
			l, err := next()
			if errors.Is(err, io.EOF) {
				more = false
				break
			}
			if err != nil {
				return refused, err
			}
			r.Lines = append(r.Lines, l)
			size += 100 + 2*(len(l.Name)+len(l.Owner)+len(l.Key)+len(l.Digest))
		}
		if len(r.Lines) == 0 {
			break
		}
		got, err := c.ImportKeys(ctx, id, r)
		if err != nil {
			return refused, err
		}
		refused = append(refused, got.Refused[:min(len(got.Refused), importLines-len(refused))]...)
		bar.at(got.Done, got.FailedTotal)
	}
	return refused, nil
}

func writeImportReport(ctx context.Context, c *client.Client, id, path string) (err error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := c.ImportReport(ctx, id, out); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func printImport(cmd *cobra.Command, o *options, f importFlags, done *api.Operation, refused []api.ImportRefusal) error {
	if o.json {
		if err := printJSON(cmd.OutOrStdout(), api.ImportProgress{Operation: *done, Refused: refused}); err != nil {
			return err
		}
	} else if err := printImportTable(cmd, f, done, refused); err != nil {
		return err
	}
	if done.FailedTotal > 0 {
		return statusError(exitError)
	}
	return nil
}

func printImportTable(cmd *cobra.Command, f importFlags, done *api.Operation, refused []api.ImportRefusal) error {
	if len(refused) > 0 {
		t := newTable(cmd.OutOrStdout(), "LINE", "CODE", "WHY IT WAS REFUSED")
		for _, r := range refused {
			t.row(fmt.Sprint(r.Line), r.Code, r.Message)
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	good := "imported"
	if f.dryRun {
		good = "good; this was a dry run, and nothing was brought in"
	}
	_, err := fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d lines %s, %d refused\n", done.Done-done.FailedTotal, done.Done, good, done.FailedTotal)
	return err
}

// progress shows how far an import is: as a bar on a terminal, and not at all elsewhere.
type progress struct {
	out   io.Writer // nil shows nothing
	total int64
	last  time.Time
}

func newProgress(w io.Writer, total int64) *progress {
	if f, ok := w.(*os.File); ok && isTerminal(f) {
		return &progress{out: w, total: total}
	}
	return &progress{}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *progress) at(done, refused int64) {
	if p.out == nil {
		return
	}
	_, _ = fmt.Fprintf(p.out, "\r%s %d of %d lines, %d refused ", bar(done, p.total, 30), done, max(done, p.total), refused)
	p.last = time.Now()
}

func (p *progress) end() {
	if p.out != nil && !p.last.IsZero() {
		_, _ = fmt.Fprintln(p.out)
	}
}

// bar is a bar of so many characters.
func bar(done, total int64, width int) string {
	full := width
	if total > done {
		full = int(int64(width) * done / total)
	}
	out := make([]byte, width)
	for i := range out {
		out[i] = '.'
		if i < full {
			out[i] = '#'
		}
	}
	return "[" + string(out) + "]"
}
