package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/store"
)

// Backup writes the database that c names to a new file, for its owner alone. Nodes may go
// on serving. The file appears under its name once it is whole and on disk; a process that
// is killed leaves at most a hidden file beside it. An existing file is never replaced: the
// error is fs.ErrExist.
func Backup(ctx context.Context, c Config, path string) (info store.BackupInfo, err error) {
	c.fill()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return info, &HintedError{
			Err:  fmt.Errorf("%s: %w", path, fs.ErrExist),
			Hint: "Give a name that is not taken with --out. A backup never replaces a file.",
		}
	}
	err = writeNewFile(path, func(w io.Writer) error {
		info, err = store.Backup(ctx, store.Config{URL: c.Database, Now: c.Now, Logger: c.Logger}, w)
		return err
	})
	return info, explainBackup(err)
}

// writeNewFile writes a file that appears under its name once it is whole.
func writeNewFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("making a temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
		_ = os.Remove(f.Name()) // which has the other name by now, unless something failed
	}()
	if err := f.Chmod(0o600); err != nil {
		return fmt.Errorf("setting the mode: %w", err)
	}
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	// A link never replaces what came there meanwhile. Not every file system has links.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("naming the file: %w", err)
	} else if err != nil {
		if err := os.Rename(f.Name(), path); err != nil {
			return fmt.Errorf("renaming: %w", err)
		}
	}
	return syncFolder(filepath.Dir(path))
}

// explainBackup adds what there is to be done about an error.
func explainBackup(err error) error {
	hint := ""
	switch {
	case errors.Is(err, store.ErrNoInstallation):
		hint = "Name the server's data folder with --data, or its database with --database."
	case errors.Is(err, store.ErrNotEmpty):
		hint = "Restore into a database that has never been used: a new --data folder, or an empty PostgreSQL database with --database."
	case errors.Is(err, store.ErrDamagedBackup):
		hint = "Take another copy of it, or an earlier backup."
	}
	var hinted *HintedError
	if hint == "" || errors.As(err, &hinted) {
		return err
	}
	return &HintedError{Err: err, Hint: hint}
}

// RestoreInput says what to restore. With neither Journals nor AcceptRisk every credential
// stays suspended.
type RestoreInput struct {
	File       string   // the backup; empty goes on with a database that was restored before
	Journals   []string // files of the nodes' revocation journals
	AcceptRisk bool     // let credentials work without knowing what was revoked since
	DryRun     bool     // check the files only
}

// RestoreReport is what Restore did.
type RestoreReport struct {
	Backup store.BackupInfo // zero without a file
	authority.RestoreReport
}

// Restore fills an empty database from a backup, ends in it what the journals name, and lets
// the other credentials work. All files are read and checked before anything is written. It
// may be called again after a crash: until it has come to its end no credential of the
// backup verifies. No node may be running on the database while a file is restored.
func Restore(ctx context.Context, c Config, in RestoreInput) (report RestoreReport, err error) {
	c.fill()
	journals, err := readJournals(in.Journals)
	if err != nil {
		return report, err
	}
	if in.File != "" {
		if report.Backup, err = checkBackup(in.File); err != nil {
			return report, explainBackup(err)
		}
		if err := matchBackup(report.Backup, c); err != nil {
			return report, err
		}
	}
	if in.DryRun {
		return report, nil
	}
	if in.File != "" {
		if err := load(ctx, c, in.File, report.Backup); err != nil {
			return report, explainBackup(err)
		}
	}
	// Nodes keep their own files: none is touched here.
	c.Journal, c.Checkpoints = "", ""
	n, err := OpenAuthority(ctx, c)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	report.RestoreReport, err = n.authority.FinishRestore(ctx, authority.FinishRestoreInput{
		Signer: n.keyring.SigningKey(), Journals: journals, AcceptRisk: in.AcceptRisk,
	})
	if errors.Is(err, authority.ErrForeignJournal) {
		err = &HintedError{Err: err, Hint: "Credentials stay suspended. Give this installation's journals to claviger restore --journal."}
	}
	if errors.Is(err, authority.ErrNothingToFinish) {
		err = &HintedError{Err: err, Hint: "This database was not restored from a backup, or its credentials work again already."}
	}
	return report, err
}

// readJournals reads and checks the journals of all nodes.
func readJournals(files []string) (journals [][]authority.JournalEntry, err error) {
	for _, name := range files {
		list := []authority.JournalEntry{} // an empty journal is one, too
		f, err := os.Open(name)
		if err == nil {
			err = authority.ReadJournal(f, func(e authority.JournalEntry) error {
				list = append(list, e)
				return nil
			})
			_ = f.Close() // it was only read
		}
		if err != nil {
			return nil, &HintedError{
				Err:  fmt.Errorf("reading the revocation journal %s: %w", name, err),
				Hint: "Nothing was changed. Give every node's journal, whole; without it, credentials that were revoked after the backup would live again.",
			}
		}
		journals = append(journals, list)
	}
	return journals, authority.CheckJournals(journals)
}

func checkBackup(path string) (store.BackupInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return store.BackupInfo{}, fmt.Errorf("opening the backup: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return store.CheckBackup(f)
}

// matchBackup makes sure that the keyring is the backup's, before anything is restored that
// could not be used.
func matchBackup(info store.BackupInfo, c Config) error {
	var known map[string]string
	if text := info.Settings[fingerprints]; text != "" {
		if err := json.Unmarshal([]byte(text), &known); err != nil {
			return fmt.Errorf("reading the keyring's fingerprints: %w", err)
		}
	}
	if known == nil {
		return nil
	}
	k, err := openKeyring(&c, false)
	if err != nil {
		return err
	}
	return k.belongsTo(known)
}

func load(ctx context.Context, c Config, path string, info store.BackupInfo) error {
	settings, err := authority.RestorationOf(info, c.Now()).Settings()
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the backup: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if err := privateFile(c.Database); err != nil {
		return err
	}
	_, err = store.Restore(ctx, store.Config{URL: c.Database, Now: c.Now, Logger: c.Logger}, f, settings)
	return err
}
