package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/store"
)

func (p *program) backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup --out FILE",
		Short: "Back up the database while the server runs",
		Long: "Write everything that the database holds, as of one moment, to a new file that its owner alone can\n" +
			"read. The server may go on working. The file appears once it is whole, and never replaces another.\n\n" +
			"The keyring is not in it: keep a copy of that elsewhere. Restoring needs both, and the revocation\n" +
			"journals of all nodes. A backup of SQLite can be restored into PostgreSQL, and the other way.",
		Args: noArguments,
	}
	o := p.take(cmd, append([]string{"json"}, databaseSettings...)...)
	out := cmd.Flags().String("out", "", "`FILE` to write, which must not exist")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *out == "" {
			return &usageError{err: errors.New("no file to write to"), hint: "Give one with --out FILE."}
		}
		c, err := existing(o, cmd)
		if err != nil {
			return err
		}
		info, err := node.Backup(cmd.Context(), c, *out)
		if err != nil {
			return err
		}
		file, err := os.Stat(*out)
		if err != nil {
			return fmt.Errorf("looking at the backup: %w", err)
		}
		if o.json {
			made := backupOutputOf(info)
			made.File, made.Bytes = *out, file.Size()
			return printJSON(cmd.OutOrStdout(), made)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d rows of %d tables, %d bytes, SHA-256 of the text %s\n",
			*out, info.Rows, info.Tables, file.Size(), info.Checksum)
		return err
	}
	return cmd
}

type backupOutput struct {
	File     string    `json:"file,omitempty"`
	Bytes    int64     `json:"bytes,omitempty"`
	At       time.Time `json:"at"`
	Engine   string    `json:"engine"`
	Schema   int64     `json:"schema"`
	Revision uint64    `json:"revision"`
	Tables   int       `json:"tables"`
	Rows     int64     `json:"rows"`
	Checksum string    `json:"checksum"`
}

func backupOutputOf(info store.BackupInfo) backupOutput {
	return backupOutput{
		At: info.At, Engine: info.Engine, Schema: info.Schema, Revision: info.Revision, Tables: info.Tables, Rows: info.Rows, Checksum: info.Checksum,
	}
}

func (p *program) restoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore [FILE]",
		Short: "Restore a backup into an empty database",
		Long: "Fill an empty database from a backup, end in it what the revocation journals say was ended since,\n" +
			"and let the other credentials work. Give the journal of every node, and run it while no server does.\n\n" +
			"Without a journal every credential stays suspended, because some of them may have been revoked after\n" +
			"the backup was made. Then run it again without FILE: with the journals once they are found, or with\n" +
			"--accept-risk. It can also be run again after it was interrupted.\n\n" +
			"People sign in again, and tokens that were given out before are over.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return oneArgument("backup's file")(cmd, args)
			}
			return nil
		},
	}
	settings := slices.DeleteFunc(slices.Clone(databaseSettings), func(name string) bool { return name == "journal" })
	o := p.take(cmd, append([]string{"json"}, settings...)...)
	in := node.RestoreInput{}
	cmd.Flags().StringArrayVar(&in.Journals, "journal", nil, "`FILE` of a node's revocation journal; once for each node ["+environmentName("journal")+"]")
	cmd.Flags().BoolVar(&in.AcceptRisk, "accept-risk", false, "let credentials work again without knowing which were revoked after the backup was made")
	cmd.Flags().BoolVar(&in.DryRun, "dry-run", false, "check the backup, the journals and the keyring, and change nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if value, ok := p.env(environmentName("journal")); ok && value != "" && len(in.Journals) == 0 {
			in.Journals = []string{value}
		}
		if len(args) == 1 {
			in.File = args[0]
		}
		return restore(cmd, o, in)
	}
	return cmd
}

func restore(cmd *cobra.Command, o *options, in node.RestoreInput) error {
	if in.File == "" && len(in.Journals) == 0 && !in.AcceptRisk {
		return &usageError{
			err:  errors.New("nothing to restore"),
			hint: "Give the backup's FILE; or, to go on with a database that was restored, --journal FILE or --accept-risk.",
		}
	}
	c, err := restoreConfig(cmd, o, in)
	if err != nil {
		return err
	}
	report, err := node.Restore(cmd.Context(), c, in)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), restoreOutputOf(report))
	}
	return describeRestore(cmd.OutOrStdout(), cmd.ErrOrStderr(), in, report)
}

// restoreConfig makes no database where there is nothing to be put into it, and leaves no
// log of another one beside it.
func restoreConfig(cmd *cobra.Command, o *options, in node.RestoreInput) (node.Config, error) {
	if in.File == "" {
		return existing(o, cmd)
	}
	if o.database == "" {
		old := filepath.Join(o.data, databaseName)
		if _, err := os.Stat(old); errors.Is(err, fs.ErrNotExist) {
			if info, err := os.Stat(old + "-wal"); err == nil && info.Size() > 0 {
				return node.Config{}, hinted("Move it out of the way first.", "%s-wal is left of another database", old)
			}
		}
	}
	return nodeConfig(o, cmd.ErrOrStderr())
}

func describeRestore(out, errOut io.Writer, in node.RestoreInput, r node.RestoreReport) error {
	if in.DryRun {
		_, err := fmt.Fprintf(out, "The backup of %s is whole: %d rows of %d tables. Nothing was changed.\n",
			r.Backup.At.Format(time.RFC3339), r.Backup.Rows, r.Backup.Tables)
		return err
	}
	made := r.Restoration.BackupAt.Format(time.RFC3339)
	if in.File != "" {
		if _, err := fmt.Fprintf(out, "Restored the backup of %s: %d rows of %d tables.\n", made, r.Backup.Rows, r.Backup.Tables); err != nil {
			return err
		}
	}
	if len(in.Journals) > 0 {
		j := r.Journal
		_, err := fmt.Fprintf(out, "Applied %d entries of %d journals: ended %d credentials, earlier secrets of %d more, %d users and %d tenants; %d were not in the backup.\n",
			j.Entries, len(in.Journals), j.Revoked, j.Secrets, j.Users, j.Tenants, j.Unknown)
		if err != nil {
			return err
		}
	}
	if r.FirstAdminReopened {
		_, _ = fmt.Fprintln(errOut, "No administrator is left of those in the backup. Run: claviger first-admin")
	}
	if r.Restoration.Held {
		_, _ = fmt.Fprintln(errOut, "Every credential is suspended: some may have been revoked after the backup was made.\n"+
			"Run claviger restore --journal FILE with the revocation journal of every node, or claviger restore --accept-risk.")
		return nil
	}
	_, err := fmt.Fprintln(out, "Credentials work again.")
	return err
}

type restoreOutput struct {
	Backup             *backupOutput  `json:"backup,omitempty"`
	BackupAt           time.Time      `json:"backup_at"`
	Suspended          bool           `json:"suspended"`
	Journal            *journalOutput `json:"journal,omitempty"`
	FirstAdminReopened bool           `json:"first_admin_reopened,omitempty"`
}

type journalOutput struct {
	Entries            int `json:"entries"`
	TenantsDeleted     int `json:"tenants_deleted"`
	UsersDeleted       int `json:"users_deleted"`
	CredentialsRevoked int `json:"credentials_revoked"`
	SecretsEnded       int `json:"secrets_ended"`
	Unknown            int `json:"unknown"`
}

func restoreOutputOf(r node.RestoreReport) restoreOutput {
	out := restoreOutput{BackupAt: r.Restoration.BackupAt, Suspended: r.Restoration.Held, FirstAdminReopened: r.FirstAdminReopened}
	if r.Backup.Format != 0 {
		b := backupOutputOf(r.Backup)
		out.Backup, out.BackupAt = &b, b.At
	}
	if j := r.Journal; j.Entries > 0 {
		out.Journal = &journalOutput{j.Entries, j.Tenants, j.Users, j.Revoked, j.Secrets, j.Unknown}
	}
	return out
}
