package store_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// odd is text with everything that the format of a backup has to get around.
const odd = "a\tb\\c\nd\re\\.f\\N \u2028 日本 '\"\b\f\v"

// mustFill makes a database with something in most tables.
func mustFill(t *testing.T, s *store.Store) {
	t.Helper()
	for i, f := range storetest.MustInsert(t, s, "a", "b") {
		storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
			for n := range 5 {
				c, m := f.Key(10*i+n, "Key "+odd)
				m.Sealed = []byte{0, '\\', 'x', '\n', 0xff}
				if n == 0 {
					m.Sealed = nil
				}
				if n == 1 {
					c.State, c.EndedAt = credential.Revoked, storetest.Epoch
				}
				if err := tx.InsertCredential(c, m); err != nil {
					return err
				}
			}
			return errors.Join(
				tx.InsertOperation(f.Operation()), tx.InsertApp(f.App()), tx.InsertServiceAccount(f.ServiceAccount()),
				tx.PutTenantKeyset([]byte("keyset"), storetest.Epoch), tx.AllTenantsPutSetting("installation_id", "ins_1"),
			)
		})
	}
}

// mustBackUp backs a database up into memory.
func mustBackUp(t *testing.T, url string) ([]byte, store.BackupInfo) {
	t.Helper()
	var out bytes.Buffer
	info, err := store.Backup(t.Context(), store.Config{URL: url}, &out)
	if err != nil {
		t.Fatalf("backing up: %v", err)
	}
	return out.Bytes(), info
}

func text(t *testing.T, archive []byte) string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// zipped is a backup with another text.
func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	_, err := zip.Write([]byte(text))
	if err := errors.Join(err, zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// tablesOf are the tables of a backup's text with their rows, sorted: engines give them in
// different orders.
func tablesOf(t *testing.T, archive []byte) map[string][]string {
	t.Helper()
	tables, name := map[string][]string{}, ""
	for _, line := range strings.Split(text(t, archive), "\n") {
		switch {
		case strings.HasPrefix(line, `{"table"`):
			name = line
			tables[name] = nil
		case strings.HasPrefix(line, "{"), line == `\.`, line == "":
		default:
			tables[name] = append(tables[name], line)
		}
	}
	for _, rows := range tables {
		slices.Sort(rows)
	}
	return tables
}

// A backup holds everything, and a database that was restored from it holds the same, on
// whichever engine: a backup of it has the same rows.
func TestBackupAndRestore(t *testing.T) {
	for _, from := range storetest.Engines {
		for _, to := range storetest.Engines {
			t.Run(from.Name+" to "+to.Name, func(t *testing.T) {
				s, url := from.Open(t)
				mustFill(t, s)
				archive, info := mustBackUp(t, url)
				checked, err := store.CheckBackup(bytes.NewReader(archive))
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(info, checked); d != "" {
					t.Error(d)
				}
				if info.Rows < 30 || info.Tables < 20 || info.Settings["installation_id"] != "ins_1" {
					t.Errorf("%+v", info)
				}

				empty := emptyURL(t, to.Name)
				restored, err := store.Restore(t.Context(), store.Config{URL: empty}, bytes.NewReader(archive), map[string]string{"restored": "yes"})
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(info, restored); d != "" {
					t.Error(d)
				}
				again, _ := mustBackUp(t, empty)
				want, got := tablesOf(t, archive), tablesOf(t, again)
				for name := range want {
					if strings.Contains(name, `"settings"`) {
						want[name] = append(want[name], "restore_held\t1", "restored\tyes")
						slices.Sort(want[name])
					}
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
				wantRestored(t, storetest.MustOpen(t, empty), info.Revision)
			})
		}
	}
}

func emptyURL(t *testing.T, engine string) string {
	t.Helper()
	if engine == "postgres" {
		return storetest.EmptyPostgres(t)
	}
	return storetest.EmptySQLite(t)
}

// wantRestored looks at what is not in rows: the feed, text search, counts, and triggers.
func wantRestored(t *testing.T, s *store.Store, revision uint64) {
	t.Helper()
	f := storetest.NewFixture("a")
	if got := held(t, s); !got["ten_a"] || !got["ten_b"] {
		t.Errorf("held: %v", got)
	}
	storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		if tx.Head() != revision {
			t.Errorf("the feed's head is %d, want %d", tx.Head(), revision)
		}
		c, err := tx.Credential(storetest.KeyID(3))
		if err != nil {
			return err
		}
		if c.Name != "Key "+odd {
			t.Errorf("the name is %q", c.Name)
		}
		m, err := tx.Material(c.ID)
		if err != nil {
			return err
		}
		if len(m) != 1 || !bytes.Equal(m[0].Sealed, []byte{0, '\\', 'x', '\n', 0xff}) || m[0].Digest[0] != c.ID[0] {
			t.Errorf("material: %+v", m)
		}
		n, err := tx.CountCredentials(store.CredentialFilter{})
		if err != nil || n != 5 {
			t.Errorf("%d credentials counted: %v", n, err)
		}
		list, err := tx.Credentials(store.CredentialFilter{Search: "日本"}, store.Page{})
		if err != nil || len(list.Items) != 5 {
			t.Errorf("%d credentials found: %v", len(list.Items), err)
		}
		users, err := tx.Credentials(store.CredentialFilter{Search: "user a"}, store.Page{})
		if err != nil || len(users.Items) != 5 {
			t.Errorf("%d credentials found by their owner: %v", len(users.Items), err)
		}
		return nil
	})
	if _, _, err := s.Changes(t.Context(), 1, 10); !errors.Is(err, verify.ErrFeedGone) {
		t.Errorf("the feed from before: %v", err)
	}
	// Triggers are back: what is written from now on is counted and found.
	storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		c, m := f.Key(7, "Later")
		return tx.InsertCredential(c, m)
	})
	storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
		n, err := tx.CountCredentials(store.CredentialFilter{})
		if err != nil || n != 6 {
			t.Errorf("%d credentials counted after one more: %v", n, err)
		}
		return nil
	})
	const lost = 1000
	storetest.MustWrite(t, s, tenancy.SystemTenantID, func(tx *store.Tx) error {
		return errors.Join(tx.AllTenantsSkipRevisions(lost), tx.AllTenantsRelease())
	})
	if got := held(t, s); got["ten_a"] || got["ten_b"] {
		t.Errorf("held after the release: %v", got)
	}
	changes, head, err := s.Changes(t.Context(), lost, 10)
	if err != nil || len(changes) != 2 || head != lost+2 {
		t.Errorf("the release made %d changes up to %d: %v", len(changes), head, err)
	}
	for _, c := range changes {
		if c.Item.Tenant == nil || c.Item.Held {
			t.Errorf("%+v", c.Item)
		}
	}
}

// held tells which tenants a snapshot says are held.
func held(t *testing.T, s *store.Store) map[tenancy.TenantID]bool {
	t.Helper()
	found := map[tenancy.TenantID]bool{}
	_, err := s.Snapshot(t.Context(), func(it verify.Item) error {
		if it.Tenant != nil {
			found[it.Tenant.ID] = it.Held
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A backup is of one moment: what others write while it is made is in it whole or not at all.
func TestBackupWhileWriting(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, url := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					_, err := s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
						c, m := f.Key(n, "Key")
						return errors.Join(tx.InsertCredential(c, m), tx.AllTenantsPutSetting("written", fmt.Sprint(n+1)))
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			}()
			for range 5 {
				archive, info := mustBackUp(t, url)
				counts := map[string]int{}
				for head, rows := range tablesOf(t, archive) {
					name, _, _ := strings.Cut(strings.TrimPrefix(head, `{"table":"`), `"`)
					counts[name] = len(rows)
				}
				written := info.Settings["written"]
				if written == "" {
					written = "0"
				}
				if a, b := fmt.Sprint(counts["credentials"]), fmt.Sprint(counts["credential_secrets"]); a != written || b != written {
					t.Errorf("%s keys, %s secrets, %s written", a, b, written)
				}
			}
			close(stop)
			<-stopped
		})
	}
}

// A file that is not a whole and unchanged backup is refused, wherever it was changed or cut.
func TestDamagedBackup(t *testing.T) {
	s, url := storetest.Engines[0].Open(t)
	mustFill(t, s)
	archive, _ := mustBackUp(t, url)
	whole := text(t, archive)
	lines := strings.SplitAfter(whole, "\n")
	lines = lines[:len(lines)-1]
	damages := map[string][]byte{
		"nothing":    nil,
		"no gzip":    []byte("a backup?\n"),
		"other text": zipped(t, "a backup?\n"),
	}
	for _, cut := range []int{20, len(archive) / 2, len(archive) - 1} {
		damages[fmt.Sprintf("cut at %d", cut)] = archive[:cut]
	}
	for _, at := range []int{30, len(archive) / 2, len(archive) - 6} {
		changed := bytes.Clone(archive)
		changed[at] ^= 4
		damages[fmt.Sprintf("changed at %d", at)] = changed
	}
	for i := range lines {
		without := slices.Delete(slices.Clone(lines), i, i+1)
		damages[fmt.Sprintf("without line %d", i)] = zipped(t, strings.Join(without, ""))
	}
	damages["a row twice"] = zipped(t, strings.Replace(whole, lines[2], lines[2]+lines[2], 1))
	damages["something after the end"] = zipped(t, whole+"x")
	for name, data := range damages {
		if _, err := store.CheckBackup(bytes.NewReader(data)); err == nil {
			t.Errorf("%s: taken for a good backup", name)
		} else if name != "without line 0" && !errors.Is(err, store.ErrDamagedBackup) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Nor does Restore leave anything of one behind.
	for name, data := range map[string][]byte{"cut": archive[:len(archive)-9], "a row twice": damages["a row twice"]} {
		empty := storetest.SQLite(t)
		if _, err := store.Restore(t.Context(), store.Config{URL: empty}, bytes.NewReader(data), nil); err == nil {
			t.Errorf("%s: restored", name)
		}
		// Which can be tried again with a good one.
		if _, err := store.Restore(t.Context(), store.Config{URL: empty}, bytes.NewReader(archive), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := store.CheckBackup(bytes.NewReader(zipped(t, strings.Replace(whole, `"claviger_backup":1`, `"claviger_backup":2`, 1)))); err == nil || errors.Is(err, store.ErrDamagedBackup) {
		t.Errorf("a later format: %v", err)
	}
}

// Only an empty database is restored into, and one that no installation is in has nothing to
// be backed up.
func TestRestoreNeedsAnEmptyDatabase(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, url := engine.Open(t)
			if _, err := store.Backup(t.Context(), store.Config{URL: url}, io.Discard); !errors.Is(err, store.ErrNoInstallation) {
				t.Errorf("a backup of nothing: %v", err)
			}
			mustFill(t, s)
			archive, _ := mustBackUp(t, url)
			if _, err := store.Restore(t.Context(), store.Config{URL: url}, bytes.NewReader(archive), nil); !errors.Is(err, store.ErrNotEmpty) {
				t.Errorf("restored into a database in use: %v", err)
			}
			if got := held(t, s); got["ten_a"] {
				t.Error("a refused restore held the database")
			}
			// One that has its tables and nothing in them is empty.
			_, migrated := engine.Open(t)
			if _, err := store.Restore(t.Context(), store.Config{URL: migrated}, bytes.NewReader(archive), nil); err != nil {
				t.Errorf("restored into empty tables: %v", err)
			}
			if _, err := store.Backup(t.Context(), store.Config{URL: emptyURL(t, engine.Name)}, io.Discard); !errors.Is(err, store.ErrNoInstallation) {
				t.Errorf("a backup of a database without tables: %v", err)
			}
		})
	}
}
