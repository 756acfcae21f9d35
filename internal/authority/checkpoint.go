package authority

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// How often a checkpoint is written: after this long or this many events, whichever is first.
const (
	checkpointEvery  = time.Minute
	checkpointEvents = 1000
)

// settingInstallation is the random ID of the database.
const settingInstallation = "installation_id"

// CheckpointLog is the file of signed checkpoints, outside the database: JSON lines, each
// synced before it counts.
type CheckpointLog struct {
	key ed25519.PrivateKey

	mu   sync.Mutex
	file *os.File         // guarded by mu
	size int64            // guarded by mu; what is known to be synced
	last audit.Checkpoint // guarded by mu
}

// OpenCheckpointLog opens or creates the file that the key signs. A torn last line is cut off.
func OpenCheckpointLog(path string, key ed25519.PrivateKey) (*CheckpointLog, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("opening the checkpoints: the key is not an Ed25519 private key")
	}
	f, err := openAppend(path)
	if err != nil {
		return nil, fmt.Errorf("opening the checkpoints: %w", err)
	}
	l := &CheckpointLog{key: key, file: f}
	if l.size, err = trimTorn(f); err == nil {
		err = l.readLast()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the checkpoints: %w", err), f.Close())
	}
	return l, nil
}

func (l *CheckpointLog) readLast() error {
	return readLines(io.NewSectionReader(l.file, 0, l.size), func(c audit.Checkpoint) error {
		l.last = c
		return nil
	})
}

// append signs and writes one checkpoint, unless the file has it. It never goes back: a
// database that is behind its checkpoints has lost events, and that must be noticed. Only
// restored, the signed checkpoint of a restored backup, may go back; it is written first.
func (l *CheckpointLog) append(c, restored audit.Checkpoint) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return errors.New("the checkpoint file is closed")
	}
	key, ok := l.key.Public().(ed25519.PublicKey)
	if ok && wentBack(restored, l.last) && restored.Verify(key) == nil {
		if err := l.write(restored); err != nil {
			return err
		}
	}
	if c.Installation == l.last.Installation && c.Sequence <= l.last.Sequence {
		if c.Sequence == l.last.Sequence && bytes.Equal(c.Hash, l.last.Hash) {
			return nil
		}
		return errors.New("the checkpoint file is ahead of the database: it was restored or tampered with")
	}
	return l.write(audit.Sign(l.key, c))
}

// wentBack reports whether a checkpoint tells of a backup that was restored after another
// checkpoint was made. An older one, which somebody put in place again, does not count.
func wentBack(restored, last audit.Checkpoint) bool {
	return restored.Restored && (restored.Installation == last.Installation || last.Sequence == 0) && restored.At.After(last.At)
}

// write appends a signed checkpoint. l.mu must be held.
func (l *CheckpointLog) write(c audit.Checkpoint) error {
	line, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding a checkpoint: %w", err)
	}
	if err := l.file.Truncate(l.size); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	if err := appendSynced(l.file, append(line, '\n')); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	l.size, l.last = l.size+int64(len(line))+1, c
	return nil
}

// latest is the last checkpoint of the file, and the key to check it with. Without a file
// it is the zero checkpoint.
func (l *CheckpointLog) latest() (audit.Checkpoint, ed25519.PublicKey) {
	if l == nil {
		return audit.Checkpoint{}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key, ok := l.key.Public().(ed25519.PublicKey)
	if !ok {
		return l.last, nil // can't be: the type of an Ed25519 public key is fixed
	}
	return l.last, key
}

// Close closes the file.
func (l *CheckpointLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// Run writes checkpoints every minute or 1,000 events until ctx ends, and a last one then;
// meanwhile it works off bulk operations. What fails is logged and tried again. It returns
// nil.
func (a *Authority) Run(ctx context.Context) error {
	var work sync.WaitGroup
	work.Go(func() { a.operate(ctx) })
	defer work.Wait()
	if a.checkpoints == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			a.tryCheckpoint(last)
			return nil
		case <-tick.C:
		case <-a.wake:
		}
		a.tryCheckpoint(ctx)
	}
}

func (a *Authority) tryCheckpoint(ctx context.Context) {
	if err := a.Checkpoint(ctx); err != nil {
		a.logger.ErrorContext(ctx, "writing an audit checkpoint failed", "error", err)
	}
}

// countEvents asks for a checkpoint when enough has happened since the last.
func (a *Authority) countEvents(n int) {
	if a.unsealed.Add(int64(n)) < checkpointEvents {
		return
	}
	select {
	case a.wake <- struct{}{}:
	default: // one is asked for already
	}
}

// Checkpoint links the tenants' heads that moved into the system chain, then signs its end
// and appends it to the file. When nothing moved it only makes sure that the file has the
// chain's end, which a crash may have kept from it.
func (a *Authority) Checkpoint(ctx context.Context) error {
	if a.checkpoints == nil {
		return nil
	}
	a.checkpointing.Lock()
	defer a.checkpointing.Unlock()
	a.unsealed.Store(0)
	var c, restored audit.Checkpoint
	_, err := a.store.Write(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		if restored, err = restoredCheckpoint(tx); err != nil {
			return err
		}
		c, err = a.link(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("linking the audit chains: %w", err)
	}
	if c.Sequence == 0 {
		return nil
	}
	return a.checkpoints.append(c, restored)
}

func (a *Authority) link(tx *store.Tx) (audit.Checkpoint, error) {
	var none audit.Checkpoint
	installation, err := installationID(tx)
	if err != nil {
		return none, err
	}
	last, err := tx.AllTenantsLastLink()
	if err != nil {
		return none, err
	}
	moved, err := tx.AllTenantsMovedHeads()
	if err != nil {
		return none, err
	}
	if len(moved) > 0 {
		last = audit.NextLink(last, a.now(), moved)
		if err := tx.AllTenantsAppendLink(last); err != nil {
			return none, err
		}
	}
	count, err := tx.AllTenantsAuditCount()
	if err != nil {
		return none, err
	}
	return last.Checkpoint(installation, count), nil
}

// installationID is the random name of this database, made when it is first asked for.
func installationID(tx *store.Tx) (string, error) {
	id, err := tx.AllTenantsSetting(settingInstallation)
	if err != nil || id != "" {
		return id, err
	}
	if id, err = newID("ins_"); err != nil {
		return "", err
	}
	return id, tx.AllTenantsPutSetting(settingInstallation, id)
}
