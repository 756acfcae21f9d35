package authority_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/authority"
)

func (w *world) audit(checkpoints []byte) authority.AuditReport {
	w.Helper()
	r, err := authority.VerifyAudit(w.Context(), w.store, bytes.NewReader(checkpoints), w.signer)
	w.must(err)
	return r
}

func (w *world) checkpointFile() []byte {
	w.Helper()
	b, err := os.ReadFile(w.checkpoints)
	w.must(err)
	return b
}

// checkpointed makes some events, a checkpoint, more events, and another checkpoint.
func (w *world) checkpointed() []byte {
	w.Helper()
	w.must(w.a.Checkpoint(w.Context()))
	for range 5 {
		w.key(w.holder)
	}
	w.must(w.a.Checkpoint(w.Context()))
	return w.checkpointFile()
}

func TestCheckpoints(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		file := w.checkpointed()
		r := w.audit(file)
		if !r.OK() || r.Checkpoints != 2 || r.Tenants != 3 || r.Events != w.state()[1] || !r.LastAt.Equal(w.clock.Now()) {
			t.Fatalf("report = %+v", r)
		}
		w.must(w.a.Checkpoint(t.Context())) // nothing moved: nothing to say
		if !bytes.Equal(w.checkpointFile(), file) {
			t.Error("a checkpoint of nothing was written")
		}
		w.key(w.holder)
		if r := w.audit(file); !r.OK() {
			t.Errorf("events after the checkpoint: %+v", r.Findings)
		}
		torn := append(bytes.Clone(file), file[:len(file)/3]...)
		if r := w.audit(torn); !r.OK() {
			t.Errorf("a torn last line: %+v", r.Findings)
		}
		if r := w.audit(nil); r.OK() {
			t.Error("no checkpoints at all were good enough")
		}
		forged := bytes.Replace(file, []byte(`"events":`), []byte(`"events":1`), 1)
		if r := w.audit(forged); r.OK() {
			t.Error("a changed checkpoint was good enough")
		}
		stranger, _, err := ed25519.GenerateKey(nil)
		w.must(err)
		if r, err := authority.VerifyAudit(t.Context(), w.store, bytes.NewReader(file), stranger); err != nil || r.OK() {
			t.Errorf("another key: %v, %+v", err, r)
		}
	})
}

// B6: whatever is done to the rows before the checkpoint shows, with tenant and sequence.
func TestTampering(t *testing.T) {
	const acme = "tenant_id = '%[1]s'"
	tests := []struct {
		name string
		sql  []string
		at   int64 // the sequence that must be named; 0: in the system chain
	}{
		{"edit", []string{"UPDATE audit_events SET actor_name = 'someone else' WHERE " + acme + " AND sequence = 3"}, 3},
		{"edit what changed", []string{"UPDATE audit_events SET after = '{}' WHERE " + acme + " AND sequence = 2"}, 2},
		{"edit the time", []string{"UPDATE audit_events SET at = at + 1 WHERE " + acme + " AND sequence = 4"}, 4},
		{"remove", []string{"DELETE FROM audit_events WHERE " + acme + " AND sequence = 5"}, 5},
		{"remove the first", []string{"DELETE FROM audit_events WHERE " + acme + " AND sequence = 1"}, 1},
		{"remove the last", []string{"DELETE FROM audit_events WHERE " + acme + " AND sequence = %[2]d"}, -1},
		{"remove the last and mend the head", []string{
			"DELETE FROM audit_events WHERE " + acme + " AND sequence = %[2]d",
			"UPDATE audit_heads SET sequence = sequence - 1, linked = sequence - 1, hash = (SELECT hash FROM audit_events WHERE " + acme + " AND sequence = %[2]d - 1) WHERE " + acme,
		}, -1},
		{"remove a whole tenant", []string{"DELETE FROM audit_events WHERE " + acme, "DELETE FROM audit_heads WHERE " + acme}, 1},
		{"reorder", []string{
			"UPDATE audit_events SET sequence = -2 WHERE " + acme + " AND sequence = 2",
			"UPDATE audit_events SET sequence = 2 WHERE " + acme + " AND sequence = 3",
			"UPDATE audit_events SET sequence = 3 WHERE " + acme + " AND sequence = -2",
		}, 2},
		{"give to another tenant", []string{"UPDATE audit_events SET tenant_id = 'ten_none' WHERE " + acme + " AND sequence = %[2]d"}, -1},
		{"edit a link", []string{"UPDATE audit_links SET at = at + 1 WHERE sequence = 1"}, 0},
		{"remove the links", []string{"DELETE FROM audit_links"}, 0},
		{"remove the last link", []string{"DELETE FROM audit_links WHERE sequence = 2"}, 0},
	}
	engines(t, func(w *world) {
		t := w.TB
		file := w.checkpointed()
		last := w.lastEvent(w.acme.ID).Sequence
		tables := []string{"audit_events", "audit_heads", "audit_links"}
		for _, table := range tables {
			w.exec("CREATE TABLE kept_" + table + " AS SELECT * FROM " + table)
		}
		for _, tt := range tests {
			for _, q := range tt.sql {
				w.exec(strings.NewReplacer("%[1]s", string(w.acme.ID), "%[2]d", strconv.FormatInt(last, 10)).Replace(q))
			}
			want, tenant := tt.at, w.acme.ID
			if want < 0 {
				want = last
			}
			if want == 0 {
				tenant = ""
			}
			r := w.audit(file)
			if !slices.ContainsFunc(r.Findings, func(f authority.AuditFinding) bool {
				return f.Tenant == tenant && (want == 0 || f.Sequence == want)
			}) {
				t.Errorf("%s: findings = %+v, want one at %q %d", tt.name, r.Findings, tenant, want)
			}
			for _, table := range tables {
				w.exec("DELETE FROM " + table)
				w.exec("INSERT INTO " + table + " SELECT * FROM kept_" + table)
			}
		}
		if r := w.audit(file); !r.OK() {
			t.Errorf("after mending: %+v", r.Findings)
		}
	})
}

// An attacker who knows the algorithm writes an event anew, with the right hash, and mends
// the head: the link before the checkpoint still has the old one.
func TestRewrittenEvent(t *testing.T) {
	engines(t, func(w *world) {
		file := w.checkpointed()
		e := w.lastEvent(w.acme.ID)
		e.ActorName = "someone else"
		hash := e.ComputeHash()
		for _, table := range []string{"audit_events SET actor_name = 'someone else', ", "audit_heads SET "} {
			w.exec(fmt.Sprintf("UPDATE %shash = %s WHERE tenant_id = '%s' AND sequence = %d", table, w.blob(hash[:]), w.acme.ID, e.Sequence))
		}
		r := w.audit(file)
		if len(r.Findings) != 1 || r.Findings[0].Tenant != w.acme.ID || r.Findings[0].Sequence != e.Sequence {
			w.Errorf("findings = %+v, want one at %d", r.Findings, e.Sequence)
		}
	})
}

// blob is a literal of bytes in the engine's SQL.
func (w *world) blob(b []byte) string {
	if w.dialect == "sqlite" {
		return fmt.Sprintf("X'%x'", b)
	}
	return fmt.Sprintf("'\\x%x'::bytea", b)
}

func TestRunWritesACheckpointAtItsEnd(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.a.Run(ctx) }()
		w.key(w.holder)
		cancel()
		w.must(<-done)
		if r := w.audit(w.checkpointFile()); !r.OK() || r.Checkpoints != 1 {
			t.Errorf("report = %+v", r)
		}
	})
}
