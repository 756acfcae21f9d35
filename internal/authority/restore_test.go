package authority_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// backedUp is a world with a backup of it, after which things ended.
type backedUp struct {
	*world
	empty   func(testing.TB) string // makes an empty database
	private ed25519.PrivateKey      // signs the checkpoints
	archive []byte
	info    store.BackupInfo

	keys map[string]credential.ID // of acme, by what becomes of them after the backup
	user tenancy.UserID           // deleted after the backup, with the key "user's"
}

func restorable(t *testing.T, run func(b *backedUp)) {
	t.Helper()
	for name, urls := range map[string][2]func(testing.TB) string{
		"sqlite": {storetest.SQLite, storetest.EmptySQLite}, "postgres": {storetest.Postgres, storetest.EmptyPostgres},
	} {
		t.Run(name, func(t *testing.T) {
			url := urls[0](t)
			b := &backedUp{world: newWorld(t, url), empty: urls[1], keys: map[string]credential.ID{}}
			b.ownCheckpoints()
			b.before()
			var out bytes.Buffer
			var err error
			b.info, err = store.Backup(t.Context(), store.Config{URL: url, Now: b.clock.Now}, &out)
			b.must(err)
			b.archive = out.Bytes()
			b.clock.Add(time.Hour)
			b.after()
			run(b)
		})
	}
}

// ownCheckpoints gives the world a checkpoint file whose key the test knows.
func (b *backedUp) ownCheckpoints() {
	b.Helper()
	var err error
	b.signer, b.private, err = ed25519.GenerateKey(nil)
	b.must(err)
	b.checkpoints = filepath.Join(b.TempDir(), "checkpoints")
	b.config.Checkpoints, err = authority.OpenCheckpointLog(b.checkpoints, b.private)
	b.must(err)
	b.Cleanup(func() { _ = b.config.Checkpoints.Close() })
	b.a = b.another()
}

func (b *backedUp) before() {
	b.Helper()
	for _, name := range []string{"stays", "revoked before", "revoked", "deleted", "suspended"} {
		b.keys[name] = b.key(b.super).ID
	}
	b.revoke("revoked before")
	for name, steps := range rotations {
		b.keys[name] = b.key(b.super).ID
		b.rotate(name, steps[0])
	}
	leaver := b.member(b.acme.ID, "", "leaver", b.role("Leaver", "claviger.api_keys:generate"))
	b.user, b.keys["user's"] = userOf(leaver), b.key(leaver).ID
	b.key(b.foreign)
	b.must(b.a.Checkpoint(b.Context()))
}

func (b *backedUp) revoke(name string) {
	b.Helper()
	_, err := b.a.RevokeAPIKey(b.Context(), b.super, authority.KeyInput{ID: b.keys[name]})
	b.must(err)
}

// rotations are keys and what is done to their secrets before the backup and after it: a
// number rotates with so many hours of grace, f finishes early, b rolls back.
var rotations = map[string][2]string{
	"rotated":                   {"", "0 0"},
	"in grace":                  {"", "48"},
	"rotated before":            {"48", ""},
	"finished":                  {"48", "f"},
	"finished before":           {"48 f", ""},
	"rolled back":               {"", "48 b"},
	"rolled back after":         {"48", "b"},
	"rolled back before":        {"48 b", ""},
	"rolled back and rotated":   {"", "48 b 0"},
	"rotated again after":       {"48 b", "24"},
	"rotated again and back":    {"48 b 48", "b"},
	"there and back, and there": {"48", "b 48 b 24 f"},
}

// rotate does one of the rotations' halves.
func (b *backedUp) rotate(name, steps string) {
	b.Helper()
	for _, step := range strings.Fields(steps) {
		var err error
		switch step {
		case "f":
			_, err = b.a.FinishAPIKeyRotation(b.Context(), b.super, authority.KeyInput{ID: b.keys[name]})
		case "b":
			_, err = b.a.RollBackAPIKey(b.Context(), b.super, authority.KeyInput{ID: b.keys[name]})
		default:
			var hours int
			hours, err = strconv.Atoi(step)
			b.must(err)
			_, err = b.a.RotateAPIKey(b.Context(), b.super, authority.RotateKeyInput{ID: b.keys[name], Grace: time.Duration(hours) * time.Hour})
		}
		b.must(err)
	}
}

func (b *backedUp) after() {
	b.Helper()
	ctx := b.Context()
	b.revoke("revoked")
	_, err := b.a.DeleteAPIKey(ctx, b.super, authority.KeyInput{ID: b.keys["deleted"]})
	b.must(err)
	for name, steps := range rotations {
		b.rotate(name, steps[1])
	}
	_, err = b.a.SuspendAPIKey(ctx, b.super, authority.KeyInput{ID: b.keys["suspended"]})
	b.must(err)
	_, err = b.a.DeleteUser(ctx, b.super, authority.UserInput{ID: b.user})
	b.must(err)
	b.keys["made later"] = b.key(b.super).ID
	b.revoke("made later")
	_, err = b.a.DeleteTenant(ctx, b.system, authority.TenantInput{ID: b.other.ID})
	b.must(err)
	b.must(b.a.Checkpoint(ctx))
	b.clock.Add(time.Hour)
}

// restored is the backup in a database of its own, to be finished.
func (b *backedUp) restored() *world {
	b.Helper()
	settings, err := authority.RestorationOf(b.info, b.clock.Now()).Settings()
	b.must(err)
	r := *b.world
	url := b.empty(b)
	_, err = store.Restore(b.Context(), store.Config{URL: url, Now: b.clock.Now}, bytes.NewReader(b.archive), settings)
	b.must(err)
	r.store, err = store.Open(b.Context(), store.Config{URL: url, Now: b.clock.Now})
	b.must(err)
	b.Cleanup(func() { _ = r.store.Close() })
	r.config.Store, r.config.Journal = r.store, nil
	r.a = r.another()
	return &r
}

func (b *backedUp) finish(r *world, in authority.FinishRestoreInput) authority.RestoreReport {
	b.Helper()
	in.Signer = b.private
	report, err := r.a.FinishRestore(b.Context(), in)
	b.must(err)
	return report
}

func (w *world) stateOf(id credential.ID) (c credential.Credential, m []credential.Material) {
	w.Helper()
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) (err error) {
		if c, err = tx.Credential(id); err != nil {
			return err
		}
		m, err = tx.Material(id)
		return err
	}))
	return c, m
}

func (w *world) auditReport() authority.AuditReport {
	w.Helper()
	f, err := os.Open(w.checkpoints)
	w.must(err)
	defer func() { _ = f.Close() }()
	report, err := authority.VerifyAudit(w.Context(), w.store, f, w.signer)
	w.must(err)
	return report
}

// What the journal says was ended after the backup is ended again, and nothing else; audit
// tells of each, and of the restore.
func TestRestoreAppliesTheJournal(t *testing.T) {
	restorable(t, func(b *backedUp) {
		journal := b.entries()
		r := b.restored()
		report := b.finish(r, authority.FinishRestoreInput{})
		if !report.Restoration.Held || !report.Restoration.Recorded || !report.Restoration.BackupAt.Equal(b.info.At) {
			b.Errorf("without a journal: %+v", report)
		}
		if e := r.lastEvent(tenancy.SystemTenantID); e.Action != "installation.restore" || e.TargetID != b.info.Settings["installation_id"] {
			b.Errorf("the last event is %s on %q", e.Action, e.TargetID)
		}

		// Several nodes' journals come in any order, and lines may be there twice.
		rand.Shuffle(len(journal), func(i, j int) { journal[i], journal[j] = journal[j], journal[i] })
		journals := [][]authority.JournalEntry{journal[len(journal)/2:], journal[:len(journal)/2], journal[:1]}
		// Those of another installation are no journals at all.
		_, err := r.a.FinishRestore(b.Context(), authority.FinishRestoreInput{Signer: b.private, Journals: [][]authority.JournalEntry{{
			{Action: authority.JournalTenantDeleted, TenantID: "ten_elsewhere", Revision: 1},
		}}})
		if state, err2 := r.a.Restoration(b.Context()); !errors.Is(err, authority.ErrForeignJournal) || err2 != nil || !state.Held {
			b.Errorf("another installation's journal: %v, %+v %v", err, state, err2)
		}
		report = b.finish(r, authority.FinishRestoreInput{Journals: journals})
		want := authority.JournalReport{Entries: len(journal) + 1, Tenants: 1, Users: 1, Revoked: 2, Secrets: 9, Unknown: 1}
		// The deleted user's key is revoked by its own entry or with the user.
		if report.Journal != want || report.Restoration.Held {
			b.Errorf("%+v, want %+v", report, want)
		}
		for name, state := range map[string]credential.State{
			"stays": credential.Active, "revoked before": credential.Revoked, "revoked": credential.Revoked, "deleted": credential.Revoked,
			"rotated": credential.Active, "user's": credential.Revoked,
			"suspended": credential.Active, // suspensions can be taken back, and are not in the journal
		} {
			if c, _ := r.stateOf(b.keys[name]); c.State != state {
				b.Errorf("%s: %s, want %s", name, c.State, state)
			}
		}
		was, _ := b.stateOf(b.keys["revoked"])
		if c, _ := r.stateOf(b.keys["revoked"]); !c.EndedAt.Equal(was.EndedAt) {
			b.Errorf("ended at %s, want %s as at first", c.EndedAt, was.EndedAt)
		}
		b.wantSecrets(r)
		b.wantEnded(r)
		head := r.state()[0]
		if lost := b.state()[0]; head <= lost {
			b.Errorf("revisions go on from %d, and the lost database had given out %d", head, lost)
		}

		// A second time nothing is left to be done.
		again := b.finish(r, authority.FinishRestoreInput{Journals: [][]authority.JournalEntry{journal}})
		if want := (authority.JournalReport{Entries: len(journal), Unknown: 1}); again.Journal != want {
			b.Errorf("a second time: %+v", again.Journal)
		}
		b.wantEnded(r)
	})
}

// wantSecrets checks that the secrets which the backup has end when they do in the database
// that was lost, and that no version will be used a second time.
func (b *backedUp) wantSecrets(r *world) {
	b.Helper()
	for name := range rotations {
		was, old := b.stateOf(b.keys[name])
		c, m := r.stateOf(b.keys[name])
		if c.SecretVersion != was.SecretVersion || r.latest(c.ID) != b.latest(c.ID) {
			b.Errorf("%s: version %d of %d, was %d of %d", name, c.SecretVersion, r.latest(c.ID), was.SecretVersion, b.latest(c.ID))
		}
		if len(m) == 0 {
			b.Errorf("%s has no secret", name)
		}
		for i := range m {
			if m[i].Version != old[i].Version || !m[i].ValidUntil.Equal(old[i].ValidUntil) {
				b.Errorf("%s: version %d until %s, was version %d until %s", name, m[i].Version, m[i].ValidUntil, old[i].Version, old[i].ValidUntil)
			}
		}
	}
}

// latest is the highest version that any secret of a credential had.
func (w *world) latest(id credential.ID) (latest int) {
	w.Helper()
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
		c, err := tx.Credential(id)
		if err != nil {
			return err
		}
		known, err := tx.Rotation(id)
		latest = max(known.Latest, c.SecretVersion)
		return err
	}))
	return latest
}

func (b *backedUp) wantEnded(r *world) {
	b.Helper()
	b.must(r.store.Read(b.Context(), b.acme.ID, func(tx *store.Tx) error {
		u, err := tx.User(b.user)
		if err != nil || u.State != tenancy.Deleted {
			b.Errorf("the user is %s: %v", u.State, err)
		}
		gone, err := tx.AllTenantsTenant(b.other.ID)
		if err != nil || gone.State != tenancy.Deleted {
			b.Errorf("the tenant is %s: %v", gone.State, err)
		}
		if _, err := tx.AllTenantsIn(b.other.ID).TenantKeyset(); err == nil {
			b.Error("the deleted tenant's keyset is back")
		}
		return nil
	}))
	e := r.lastEvent(tenancy.SystemTenantID)
	var after map[string]any
	if err := json.Unmarshal(e.After, &after); err != nil || e.Action != "installation.apply_journal" || after["entries"] == nil {
		b.Errorf("the last event is %s: %s %v", e.Action, e.After, err)
	}
}

// The chain of a restored database verifies against the checkpoints of before, made before
// the backup or after it, and nodes that have later ones in their files go on.
func TestCheckpointsAfterRestore(t *testing.T) {
	restorable(t, func(b *backedUp) {
		r := b.restored()
		// Before anything says that a backup was restored, the database is simply behind.
		if err := r.a.Checkpoint(b.Context()); err == nil {
			b.Error("a database that lost events got a checkpoint")
		}
		if r.auditReport().OK() {
			b.Error("lost events are not found")
		}
		b.finish(r, authority.FinishRestoreInput{})
		if report := r.auditReport(); !report.OK() || !report.RestoredAt.Equal(b.clock.Now()) {
			b.Errorf("against the file as it was: %+v", report)
		}
		b.must(r.a.Checkpoint(b.Context()))
		b.clock.Add(time.Hour)
		b.finish(r, authority.FinishRestoreInput{AcceptRisk: true})
		b.must(r.a.Checkpoint(b.Context()))
		if report := r.auditReport(); !report.OK() || report.RestoredAt.IsZero() || report.Checkpoints != 4 {
			b.Errorf("against the file as it is: %+v", report)
		}

		// Whoever puts the old state in place once more, with the old proof, is found out.
		b.clock.Add(time.Hour)
		forged := b.restored()
		proof := b.setting(r.store, "restored_checkpoint")
		_, err := forged.store.Write(b.Context(), tenancy.SystemTenantID, func(tx *store.Tx) error {
			return tx.AllTenantsPutSetting("restored_checkpoint", proof)
		})
		b.must(err)
		if err := forged.a.Checkpoint(b.Context()); err == nil {
			b.Error("an old proof was taken for a new restore")
		}
		if forged.auditReport().OK() {
			b.Error("lost events are not found, behind an old proof")
		}
		// So is a proof that another key signed.
		_, other, err := ed25519.GenerateKey(nil)
		b.must(err)
		var c audit.Checkpoint
		b.must(json.Unmarshal([]byte(proof), &c))
		c.At = b.clock.Now()
		text, err := json.Marshal(audit.Sign(other, c))
		b.must(err)
		_, err = forged.store.Write(b.Context(), tenancy.SystemTenantID, func(tx *store.Tx) error {
			return tx.AllTenantsPutSetting("restored_checkpoint", string(text))
		})
		b.must(err)
		if err := forged.a.Checkpoint(b.Context()); err == nil || forged.auditReport().OK() {
			b.Error("a proof that another key signed was believed")
		}
	})
}

func (w *world) setting(s *store.Store, key string) (value string) {
	w.Helper()
	w.must(s.Read(w.Context(), tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		value, err = tx.AllTenantsSetting(key)
		return err
	}))
	return value
}

// Without a journal credentials wait until somebody accepts the risk, which can be done once
// and is audited.
func TestAcceptTheRiskOfARestore(t *testing.T) {
	restorable(t, func(b *backedUp) {
		if _, err := b.a.FinishRestore(b.Context(), authority.FinishRestoreInput{Signer: b.private, AcceptRisk: true}); !errors.Is(err, authority.ErrNothingToFinish) {
			b.Errorf("of a database that was never restored: %v", err)
		}
		r := b.restored()
		if report := b.finish(r, authority.FinishRestoreInput{AcceptRisk: true}); report.Restoration.Held {
			b.Errorf("%+v", report)
		}
		if e := r.lastEvent(tenancy.SystemTenantID); e.Action != "installation.accept_risk" {
			b.Errorf("the last event is %s", e.Action)
		}
		if c, _ := r.stateOf(b.keys["revoked"]); c.State != credential.Active {
			b.Errorf("what was revoked later is %s", c.State)
		}
		if _, err := r.a.FinishRestore(b.Context(), authority.FinishRestoreInput{Signer: b.private, AcceptRisk: true}); !errors.Is(err, authority.ErrNothingToFinish) {
			b.Errorf("a second time: %v", err)
		}
		// The journal turns up after all.
		report := b.finish(r, authority.FinishRestoreInput{Journals: [][]authority.JournalEntry{b.entries()}})
		if c, _ := r.stateOf(b.keys["revoked"]); c.State != credential.Revoked || report.Journal.Revoked != 2 {
			b.Errorf("%s, %+v", c.State, report.Journal)
		}
	})
}

// Where the journal ends the last administrator of the installation, the first one's door
// opens again: otherwise nobody could ever let anybody in.
func TestRestoreWithoutAnAdministratorLeft(t *testing.T) {
	restorable(t, func(b *backedUp) {
		r := b.restored()
		_, err := r.store.Write(b.Context(), tenancy.SystemTenantID, func(tx *store.Tx) error {
			return tx.AllTenantsPutSetting("first_admin_closed", "2026-03-01T12:00:00Z")
		})
		b.must(err)
		if _, err := r.a.IssueFirstAdminLink(b.Context(), authority.SystemCaller(), authority.FirstAdminLinkInput{}); err == nil {
			b.Fatal("the door is open")
		}
		report := b.finish(r, authority.FinishRestoreInput{Journals: [][]authority.JournalEntry{{{
			At: b.clock.Now(), Action: authority.JournalUserDeleted, TenantID: tenancy.SystemTenantID, UserID: userOf(b.system), Revision: 1,
		}}}})
		if !report.FirstAdminReopened {
			b.Errorf("%+v", report)
		}
		_, err = r.a.IssueFirstAdminLink(b.Context(), authority.SystemCaller(), authority.FirstAdminLinkInput{})
		b.must(err)
	})
}

// A journal says of which installation it is: one that ended nothing but what came after the
// backup is right, and another installation's is refused also beside the right one.
func TestWhoseJournal(t *testing.T) {
	restorable(t, func(b *backedUp) {
		home := b.info.Settings["installation_id"]
		for _, e := range b.entries() {
			if e.Installation != home || home == "" {
				b.Fatalf("an entry is of %q, not of %q", e.Installation, home)
			}
		}
		entry := func(installation string) []authority.JournalEntry {
			return []authority.JournalEntry{{
				At: b.clock.Now(), Action: authority.JournalRevoked, TenantID: "ten_later", CredentialID: "crd_0123456789ab",
				Revision: b.info.Revision + 10, Installation: installation,
			}}
		}
		r := b.restored()
		for what, journals := range map[string][][]authority.JournalEntry{
			"another's":             {entry("ins_elsewhere")},
			"another's beside ours": {b.entries(), entry("ins_elsewhere")},
			"nobody knows whose":    {entry("")},
		} {
			_, err := r.a.FinishRestore(b.Context(), authority.FinishRestoreInput{Signer: b.private, Journals: journals})
			if state, err2 := r.a.Restoration(b.Context()); !errors.Is(err, authority.ErrForeignJournal) || err2 != nil || !state.Held {
				b.Errorf("%s: %v, %+v %v", what, err, state, err2)
			}
		}
		report := b.finish(r, authority.FinishRestoreInput{Journals: [][]authority.JournalEntry{entry(home), append(entry("ins_before"), entry(home)...)}})
		if report.Restoration.Held || report.Journal.Unknown != 1 || report.Journal.Entries != 3 {
			b.Errorf("a journal of what came after the backup alone: %+v", report)
		}
	})
}

// A journal that this program doesn't understand is refused, whole.
func TestUnknownJournalEntries(t *testing.T) {
	until := time.Now()
	good := authority.JournalEntry{Action: authority.JournalRotated, TenantID: "ten_a", CredentialID: "crd_0123456789ab", SecretVersion: 1, ValidUntil: &until}
	if err := authority.CheckJournals([][]authority.JournalEntry{{good}}); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*authority.JournalEntry){
		"an action of the future": func(e *authority.JournalEntry) { e.Action = "quarantined" },
		"no credential":           func(e *authority.JournalEntry) { e.CredentialID = "" },
		"no version":              func(e *authority.JournalEntry) { e.SecretVersion = 0 },
		"no end":                  func(e *authority.JournalEntry) { e.ValidUntil = nil },
	} {
		bad := good
		spoil(&bad)
		if err := authority.CheckJournals(slices.Repeat([][]authority.JournalEntry{{good, bad}}, 2)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
