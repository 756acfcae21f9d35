package authority

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// JournalAction says what a journal entry ended.
type JournalAction string

// The actions.
const (
	JournalRevoked JournalAction = "revoked" // a credential
	// JournalRotated: a credential's secrets up to SecretVersion end at ValidUntil, since there
	// is NewVersion. It counts for nothing if NewVersion was rolled back.
	JournalRotated JournalAction = "rotated"
	// JournalRotationRolledBack: a credential's secret EndedVersion ended, and SecretVersion is
	// current again.
	JournalRotationRolledBack JournalAction = "rotation_rolled_back"
	JournalUserDeleted        JournalAction = "user_deleted"   // a user with all credentials
	JournalTenantDeleted      JournalAction = "tenant_deleted" // a tenant with everything in it
)

// JournalEntry is one thing that must stay ended, also after an older backup is restored.
type JournalEntry struct {
	At            time.Time        `json:"at"`
	Action        JournalAction    `json:"action"`
	TenantID      tenancy.TenantID `json:"tenant_id"`
	CredentialID  string           `json:"credential_id,omitempty"`
	UserID        tenancy.UserID   `json:"user_id,omitempty"`
	SecretVersion int              `json:"secret_version,omitempty"`
	ValidUntil    *time.Time       `json:"valid_until,omitempty"`
	NewVersion    int              `json:"new_version,omitempty"` // zero, of earlier releases, means SecretVersion + 1
	EndedVersion  int              `json:"ended_version,omitempty"`
	Revision      uint64           `json:"revision,omitempty"` // of the feed; 0 when repeated
	// Installation is the database's own random name; empty in entries of earlier releases.
	Installation string `json:"installation,omitempty"`
}

func revokedEntry(k credential.Credential) JournalEntry {
	return JournalEntry{At: k.EndedAt, Action: JournalRevoked, TenantID: k.TenantID, CredentialID: k.ID.String()}
}

// rotatedEntry says that a version of a credential's secret ends since there is the one
// that the credential has.
func rotatedEntry(k credential.Credential, version int, until time.Time) JournalEntry {
	return JournalEntry{
		At: until, Action: JournalRotated, TenantID: k.TenantID, CredentialID: k.ID.String(),
		SecretVersion: version, ValidUntil: &until, NewVersion: k.SecretVersion,
	}
}

func rolledBackEntry(k credential.Credential, ended int, at time.Time) JournalEntry {
	return JournalEntry{
		At: at, Action: JournalRotationRolledBack, TenantID: k.TenantID, CredentialID: k.ID.String(),
		SecretVersion: k.SecretVersion, EndedVersion: ended,
	}
}

// Journal is the revocation journal: a file of JSON lines outside the database, to which
// every revocation is written and synced before it is acknowledged. Revocations that
// arrive while a sync is under way share the next one.
type Journal struct {
	path string

	mu      sync.Mutex
	pending *journalBatch // guarded by mu; the batch that takes entries, nil when none does

	writing sync.Mutex // held by the batch that writes
	file    *os.File   // guarded by writing
	size    int64      // guarded by writing; what is known to be synced
	broken  bool       // guarded by writing; the file may hold more than size
}

type journalBatch struct {
	lines bytes.Buffer
	done  chan struct{}
	err   error // set before done is closed
}

// OpenJournal opens or creates the journal. A torn last line, left by a crash during a
// write that was never acknowledged, is cut off.
func OpenJournal(path string) (*Journal, error) {
	f, err := openAppend(path)
	if err != nil {
		return nil, fmt.Errorf("opening the revocation journal: %w", err)
	}
	size, err := trimTorn(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the revocation journal: %w", err), f.Close())
	}
	return &Journal{path: path, file: f, size: size}, nil
}

// Append writes the entries and returns when they are on disk. Its error means that they
// may not be.
func (j *Journal) Append(entries ...JournalEntry) error {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, e := range entries {
		if err := encoder.Encode(e); err != nil {
			return fmt.Errorf("encoding a revocation: %w", err)
		}
	}
	b, first := j.join(lines.Bytes())
	if first {
		j.write(b)
	}
	<-b.done
	return b.err
}

// join adds lines to the batch that is waiting; the first to join writes it for all.
func (j *Journal) join(lines []byte) (b *journalBatch, first bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pending == nil {
		j.pending, first = &journalBatch{done: make(chan struct{})}, true
	}
	j.pending.lines.Write(lines)
	return j.pending, first
}

func (j *Journal) write(b *journalBatch) {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	j.pending = nil // later ones wait for the next batch
	j.mu.Unlock()
	b.err = j.sync(b.lines.Bytes())
	close(b.done)
}

func (j *Journal) sync(lines []byte) error {
	if j.file == nil {
		return errors.New("the revocation journal is closed")
	}
	if j.broken {
		if err := j.file.Truncate(j.size); err != nil {
			return fmt.Errorf("mending the revocation journal: %w", err)
		}
		j.broken = false
	}
	if err := appendSynced(j.file, lines); err != nil {
		j.broken = true
		return fmt.Errorf("writing the revocation journal: %w", err)
	}
	j.size += int64(len(lines))
	return nil
}

// Close closes the file after the batch that is being written.
func (j *Journal) Close() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}

// ReadJournal gives the entries to fn, oldest first. A torn last line is left out; any
// other line that is not an entry is an error that names its number.
func ReadJournal(r io.Reader, fn func(JournalEntry) error) error {
	return readLines(r, func(e JournalEntry) error { return fn(e) })
}

// readLines decodes JSON lines.
func readLines[T any](r io.Reader, fn func(T) error) error {
	in := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		last := errors.Is(err, io.EOF)
		if len(line) == 0 && last {
			return nil
		}
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			if last {
				return nil // torn: it was never acknowledged
			}
			return fmt.Errorf("line %d: %w", number, err)
		}
		if err := fn(v); err != nil {
			return err
		}
		if last {
			return nil
		}
	}
}

// openAppend opens or creates a file for its owner alone, and makes its name durable.
func openAppend(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// trimTorn makes the file end with a whole line and returns its size. A last line that
// lacks only its end is kept. Only the end of the file is read, however long the file is.
func trimTorn(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size := info.Size()
	torn, err := lastLine(f, size)
	if err != nil || len(torn) == 0 {
		return size, err
	}
	if json.Valid(torn) {
		return size + 1, appendSynced(f, []byte("\n"))
	}
	size -= int64(len(torn))
	if err := f.Truncate(size); err != nil {
		return 0, err
	}
	return size, f.Sync()
}

// lastLine is what comes after the last line end of a file; empty when nothing does.
func lastLine(f io.ReaderAt, size int64) ([]byte, error) {
	for n := int64(4096); ; n *= 4 {
		from := max(size-n, 0)
		tail := make([]byte, size-from)
		if _, err := f.ReadAt(tail, from); err != nil {
			return nil, err
		}
		if end := bytes.LastIndexByte(tail, '\n'); end >= 0 || from == 0 {
			return tail[end+1:], nil
		}
	}
}

func appendSynced(f *os.File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}
