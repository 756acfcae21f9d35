package e2e

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/claviger-io/claviger/api"
)

// record is what a writer knows of a key it made.
type record struct {
	id, key string
	name    string // the last name that was acknowledged
	maybe   string // a name that was asked for and not acknowledged; empty for none
	revoked bool   // acknowledged
	asked   bool   // revocation was asked for, acknowledged or not
}

// writer makes, renames and revokes keys of its own, one after another, and records what
// was acknowledged.
type writer struct {
	caller
	number int
	made   []*record
	open   *record // renamed or revoked next
	random *rand.Rand
}

// step makes one change. It returns false once the node no longer answers.
func (w *writer) step() (acknowledged, goesOn bool) {
	switch {
	case w.open == nil || w.random.IntN(3) == 0:
		return w.issue()
	case w.random.IntN(2) == 0:
		return w.rename()
	default:
		return w.revoke()
	}
}

func (w *writer) issue() (acknowledged, goesOn bool) {
	name := fmt.Sprintf("writer %d key %d", w.number, len(w.made))
	var issued api.IssuedAPIKey
	a, err := try("POST", w.URL+"/v1/api-keys", map[string]string{"name": name}, w.header)
	if err != nil || a.into(201, &issued) != nil {
		return false, err == nil
	}
	w.open = &record{id: issued.ID, key: issued.Key.Reveal(), name: name}
	w.made = append(w.made, w.open)
	return true, true
}

func (w *writer) rename() (acknowledged, goesOn bool) {
	w.open.maybe = w.open.name + "+"
	a, err := try("PATCH", w.URL+"/v1/api-keys/"+w.open.id, map[string]string{"name": w.open.maybe}, w.header)
	if err != nil || a.Status != 200 {
		return false, err == nil
	}
	w.open.name, w.open.maybe = w.open.maybe, ""
	return true, true
}

func (w *writer) revoke() (acknowledged, goesOn bool) {
	w.open.asked = true
	a, err := try("POST", w.URL+"/v1/api-keys/"+w.open.id+"/revoke", nil, w.header)
	if err != nil || a.Status != 200 {
		return false, err == nil
	}
	w.open.revoked = true
	w.open = nil
	return true, true
}

// check compares one record with what the restarted node says of it.
func (r *record) check(t *testing.T, now api.APIKey, v api.VerifyResponse) {
	t.Helper()
	switch {
	case r.revoked && (now.State != "revoked" || v.Code != api.VerifyRevoked):
		t.Errorf("%s: its revocation was acknowledged; now it is %s and verifies as %s", r.id, now.State, v.Code)
	case now.State == "revoked" && v.Valid:
		t.Errorf("%s is revoked and verifies", r.id)
	case now.State == "revoked" && !r.asked:
		t.Errorf("%s is revoked and nobody asked for it", r.id)
	case now.State == "active" && !v.Valid:
		t.Errorf("%s is active and verifies as %s", r.id, v.Code)
	}
	if now.Name != r.name && (r.maybe == "" || now.Name != r.maybe) {
		t.Errorf("%s: its name %q was acknowledged; now it is %q", r.id, r.name, now.Name)
	}
	// What the database says now is settled.
	r.name, r.maybe, r.revoked = now.Name, "", now.State == "revoked"
}

// Each change that was acknowledged is there after kill -9 in the middle of 16 writers, the
// audit chain verifies, and nothing revoked does.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	for _, name := range engines {
		t.Run(name, func(t *testing.T) {
			e := mustEngine(t, name)
			n := rounds(10, 200)
			if e.name == "PostgreSQL" {
				n = rounds(4, 200)
			}
			i := mustStart(t, e)
			ada := i.mustTenant(t, i.mustAdministrator(t), "northwind")
			verifier := mustVerifier(t, ada.admin)
			as := caller{i, bearer(mustIssue(t, ada.admin, "the writers' own").Key.Reveal())}
			// An orderly end signs a checkpoint: from here on there is one to verify against.
			i.stop(t)
			i.mustRestart(t)
			var every []*record
			for round := range n {
				killAfter := int64(1 + rand.IntN(800))
				made := torture(t, i, as, round, killAfter)
				every = append(every, made...)
				i.mustRestart(t)
				checkAll(t, as, verifier, made)
				checkNothingRevokedVerifies(t, verifier, every)
				i.mustRun(t, "audit", "verify", "--checkpoint", i.data+"/checkpoints.jsonl")
				if t.Failed() {
					t.Fatalf("round %d, killed after %d acknowledged changes", round, killAfter)
				}
			}
			i.stop(t)
			i.mustRun(t, "audit", "verify")
			t.Logf("%d kills, %d keys made", n, len(every))
		})
	}
}

// torture lets 16 writers work until killAfter changes are acknowledged, then kills the
// node, and returns what the writers know.
func torture(t *testing.T, i *installation, as caller, round int, killAfter int64) []*record {
	t.Helper()
	var acknowledged atomic.Int64
	var all sync.WaitGroup
	reached := make(chan struct{})
	writers := make([]*writer, 16)
	for k := range writers {
		w := &writer{caller: as, number: round*16 + k, random: rand.New(rand.NewPCG(uint64(round), uint64(k)))}
		writers[k] = w
		all.Go(func() {
			for {
				ok, goesOn := w.step()
				if !goesOn {
					return
				}
				if !ok {
					t.Errorf("writer %d: a change was refused while the node was up", w.number)
					return
				}
				if acknowledged.Add(1) == killAfter {
					close(reached)
				}
			}
		})
	}
	<-reached
	i.kill()
	all.Wait()
	var made []*record
	for _, w := range writers {
		made = append(made, w.made...)
	}
	return made
}

// checkAll compares the records with what the node says.
func checkAll(t *testing.T, as, verifier caller, records []*record) {
	t.Helper()
	for start := 0; start < len(records); start += 1000 {
		part := records[start:min(len(records), start+1000)]
		verdicts := mustVerifyAll(t, verifier, part)
		for k, r := range part {
			r.check(t, mustDo[api.APIKey](t, as, 200, "GET", "/v1/api-keys/"+r.id, nil), verdicts[k])
		}
	}
}

func checkNothingRevokedVerifies(t *testing.T, verifier caller, records []*record) {
	t.Helper()
	for start := 0; start < len(records); start += 1000 {
		part := records[start:min(len(records), start+1000)]
		for k, v := range mustVerifyAll(t, verifier, part) {
			if part[k].revoked == v.Valid {
				t.Errorf("%s: revoked is %t and it verifies as %s", part[k].id, part[k].revoked, v.Code)
			}
		}
	}
}

func mustVerifyAll(t *testing.T, verifier caller, records []*record) []api.VerifyResponse {
	t.Helper()
	items := make([]map[string]any, len(records))
	for k, r := range records {
		items[k] = map[string]any{"credential": r.key, "dry_run": true}
	}
	return mustDo[api.VerifyBatchResponse](t, verifier, 200, "POST", "/v1/verify/batch", map[string]any{"items": items}).Items
}
