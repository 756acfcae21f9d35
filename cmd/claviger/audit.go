package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/node"
)

func (p *program) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Check the audit log",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.auditVerifyCommand())
	return cmd
}

func (p *program) auditVerifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify --checkpoint FILE",
		Short: "Find edits, removals and reorderings in the audit log",
		Long: "Check every tenant's chain of audit events, the system chain that links them, and the signed\n" +
			"checkpoints. Any edit, removal or reordering before the last checkpoint is found. Give a copy of the\n" +
			"checkpoint file that was kept where those who may change the database cannot.\n\n" +
			"Exit status: 0 when everything holds, 3 when something does not, 1 when it could not be checked.",
		Args: noArguments,
	}
	o := p.take(cmd, append([]string{"json"}, databaseSettings...)...)
	checkpoint := cmd.Flags().String("checkpoint", "", "`FILE` with the signed checkpoints (default: that of --checkpoints)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := existing(o, cmd)
		if err != nil {
			return err
		}
		file := *checkpoint
		if file == "" {
			file = c.Checkpoints
		}
		f, err := os.Open(file)
		if err != nil {
			return hinted("Name the checkpoint file with --checkpoint.", "opening the checkpoints: %w", err)
		}
		defer func() { _ = f.Close() }()
		c.Checkpoints, c.Journal = "", "" // this command only reads
		s, key, err := node.OpenForAudit(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer func() { _ = s.Close() }()
		report, err := authority.VerifyAudit(cmd.Context(), s, f, key)
		if err != nil {
			return err
		}
		return printAuditReport(cmd, o, report)
	}
	return cmd
}

// existing is nodeConfig for commands that must not make a database by mistake.
func existing(o *options, cmd *cobra.Command) (node.Config, error) {
	if o.database == "" {
		path := orInside(o, "", databaseName)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return node.Config{}, hinted("Name the server's data folder with --data, or its database with --database.",
				"there is no database at %s", path)
		}
	}
	return nodeConfig(o, cmd.ErrOrStderr())
}

func printAuditReport(cmd *cobra.Command, o *options, r authority.AuditReport) error {
	out := cmd.OutOrStdout()
	var err error
	if o.json {
		err = printJSON(out, auditOutputOf(r))
	} else if len(r.Findings) == 0 {
		_, err = fmt.Fprintf(out, "The audit log holds: %d events of %d tenants, %d checkpoints.\n", r.Events, r.Tenants, r.Checkpoints)
		if err == nil && !r.RestoredAt.IsZero() {
			_, err = fmt.Fprintf(out, "A backup was restored at %s: events that were younger than it are lost.\n", r.RestoredAt.UTC().Format(time.RFC3339))
		}
	} else {
		t := newTable(out, "TENANT", "EVENT", "FINDING")
		for _, f := range r.Findings {
			t.row(string(f.Tenant), fmt.Sprint(f.Sequence), f.Message)
		}
		err = t.flush()
	}
	if err != nil {
		return err
	}
	if len(r.Findings) > 0 {
		if !o.json {
			report(cmd.ErrOrStderr(), hinted("Compare with a backup, and treat the database as tampered with.",
				"the audit log does not hold: %d findings", len(r.Findings)))
		}
		return statusError(exitDenied)
	}
	return nil
}

type auditOutput struct {
	Intact      bool           `json:"intact"`
	Tenants     int            `json:"tenants"`
	Events      int64          `json:"events"`
	Checkpoints int64          `json:"checkpoints"`
	RestoredAt  *time.Time     `json:"restored_at,omitempty"`
	Findings    []auditFinding `json:"findings"`
}

type auditFinding struct {
	TenantID string `json:"tenant_id,omitempty"`
	Sequence int64  `json:"sequence,omitempty"`
	Message  string `json:"message"`
}

func auditOutputOf(r authority.AuditReport) auditOutput {
	out := auditOutput{
		Intact: len(r.Findings) == 0, Tenants: r.Tenants, Events: r.Events, Checkpoints: r.Checkpoints,
		Findings: make([]auditFinding, 0, len(r.Findings)),
	}
	if !r.RestoredAt.IsZero() {
		out.RestoredAt = &r.RestoredAt
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, auditFinding{TenantID: string(f.Tenant), Sequence: f.Sequence, Message: f.Message})
	}
	return out
}
