package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// HintedError is an error with advice for whoever runs the program.
type HintedError struct {
	Err  error
	Hint string // a sentence that says what to do
}

// Error returns the error's text without the hint.
func (e *HintedError) Error() string { return e.Err.Error() }

// Unwrap returns the error under the hint.
func (e *HintedError) Unwrap() error { return e.Err }

// WriteFileAtomic writes data to path with the mode so that a reader, or a machine that
// loses power, finds either the old content or the new, never a part.
func WriteFileAtomic(path string, data []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("making a temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := f.Chmod(mode); err != nil {
		return fmt.Errorf("setting the mode: %w", err)
	}
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("syncing: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("closing: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("renaming: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// privateFile makes a new SQLite file for its owner alone; SQLite gives the files beside it
// the same mode.
func privateFile(database string) error {
	path, ok := strings.CutPrefix(database, "sqlite:")
	if !ok {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making the database file: %w", err)
	}
	return f.Close()
}

// syncFolder makes a rename in the folder survive a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("syncing the folder: %w", err)
	}
	return nil
}
