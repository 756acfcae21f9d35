package authority_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// manyKeys puts n user keys of a user's into the store, past the road, which would take long.
func (w *world) manyKeys(n int, owner access.Caller) (ids []credential.ID) {
	w.Helper()
	for len(ids) < n {
		w.must2(w.store.Write(w.Context(), w.acme.ID, func(tx *store.Tx) error {
			made := ids
			for range min(500, n-len(ids)) {
				names++
				k := credential.Credential{
					ID: credentialID(names), TenantID: w.acme.ID, OrganizationID: w.acme.RootOrg, Kind: credential.UserKey, Principal: owner.Principal,
					Name: "bulk", Hint: "clv_uk_…", State: credential.Active, SecretVersion: 1, CreatedAt: w.clock.Now(), CreatedBy: owner.Principal,
				}
				m := credential.Material{CredentialID: k.ID, Field: credential.FieldKey, Version: 1, PepperVersion: 1}
				if err := tx.InsertCredential(k, m); err != nil {
					return err
				}
				made = append(made, k.ID)
			}
			ids = made
			return nil
		}))
	}
	return ids
}

func (w *world) must2(_ uint64, err error) {
	w.Helper()
	w.must(err)
}

// credentialID is the n-th of a row of IDs.
func credentialID(n int) (id credential.ID) {
	copy(id[:], "bulk00000000")
	for i := len(id) - 1; n > 0; i, n = i-1, n/10 {
		id[i] = byte('0' + n%10)
	}
	return id
}

func (w *world) bulk(c access.Caller, in authority.BulkKeysInput) authority.Operation {
	w.Helper()
	o, err := w.a.BulkKeys(w.Context(), c, in)
	w.must(err)
	return o
}

func (w *world) operation(o authority.Operation) authority.Operation {
	w.Helper()
	o, err := w.a.Operation(w.Context(), authority.SystemCaller(), authority.OperationInput{ID: o.ID})
	w.must(err)
	return o
}

func (w *world) keyState(id credential.ID) credential.State {
	w.Helper()
	k, err := w.a.APIKey(w.Context(), authority.SystemCaller(), authority.KeyInput{ID: id})
	w.must(err)
	return k.State
}

// NV3: many keys at once, by ID, with a true account of what could not be done.
func TestBulkByID(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		mine, others, org := w.key(w.holder), w.key(w.super), w.organizationKey(w.north.ID)
		foreign, err := w.a.IssueAPIKey(t.Context(), w.foreign, authority.IssueAPIKeyInput{Name: "k"})
		w.must(err)
		ended := w.key(w.holder)
		_, err = w.a.RevokeAPIKey(t.Context(), w.holder, authority.KeyInput{ID: ended.ID})
		w.must(err)
		before := w.state()
		o := w.bulk(w.holder, authority.BulkKeysInput{Action: authority.BulkRevoke, IDs: []credential.ID{mine.ID, others.ID, org.ID, foreign.ID, ended.ID}})
		if o.State != authority.OperationPending || o.Total != 5 || o.Revision == 0 || w.keyState(mine.ID) != credential.Active {
			t.Errorf("accepted: %+v", o)
		}
		w.must(w.a.WorkOperations(t.Context()))
		o = w.operation(o)
		codes := map[string]string{}
		for _, f := range o.Failed {
			codes[f.ID] = f.Code
		}
		if o.State != authority.OperationDone || o.Done != 5 || o.FailedTotal != 4 || o.FinishedAt.IsZero() || len(codes) != 4 ||
			codes[others.ID.String()] != "permission_required" || codes[org.ID.String()] != "permission_required" ||
			codes[foreign.ID.String()] != "not_found" || codes[ended.ID.String()] != "revoked" {
			t.Errorf("done: %+v", o)
		}
		if w.keyState(mine.ID) != credential.Revoked || w.keyState(others.ID) != credential.Active {
			t.Error("the wrong keys were revoked")
		}
		if after := w.state(); after[1]-before[1] != 2 { // operation.create, api_key.revoke
			t.Errorf("%d events", after[1]-before[1])
		}
		if e := w.lastEvent(w.acme.ID); e.Action != "api_key.revoke" || e.Actor != w.holder.Principal || e.SessionID != w.holder.SessionID {
			t.Errorf("event = %+v", e)
		}
		if !slices.ContainsFunc(w.entries(), func(e authority.JournalEntry) bool { return e.CredentialID == mine.ID.String() && e.Revision > 0 }) {
			t.Error("the revocation is not in the journal")
		}
	})
}

// What a filter found when it was looked at is what is changed; what was made since stays.
func TestBulkByFilter(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		old := w.manyKeys(450, w.holder)
		filter := authority.KeysInput{Owner: userOf(w.holder), States: []credential.State{credential.Active}}
		count, err := w.a.CountAPIKeys(ctx, w.super, filter)
		w.must(err)
		later := w.key(w.holder)
		in := authority.BulkKeysInput{Action: authority.BulkDelete, Filter: &filter, AsOf: count.Revision, ExpectedCount: count.Count}
		wrong := in
		wrong.ExpectedCount--
		w.refused("another count", problem.Conflict, "selection_changed", func() error { _, err := w.a.BulkKeys(ctx, w.super, wrong); return err })
		o := w.bulk(w.super, in)
		w.must(w.a.WorkOperations(ctx))
		o = w.operation(o)
		if o.State != authority.OperationDone || o.Total != 450 || o.Done != 450 || o.FailedTotal != 0 {
			t.Errorf("done: %+v", o)
		}
		for _, id := range []credential.ID{old[0], old[199], old[200], old[449]} {
			if s := w.keyState(id); s != credential.Revoked {
				t.Errorf("a key is %s", s)
			}
		}
		if w.keyState(later.ID) != credential.Active {
			t.Error("a key that was made later was revoked")
		}
	})
}

func TestBulkRefusals(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		k := w.key(w.super)
		for name, in := range map[string]authority.BulkKeysInput{
			"nothing":      {Action: authority.BulkRevoke},
			"both":         {Action: authority.BulkRevoke, IDs: []credential.ID{k.ID}, Filter: &authority.KeysInput{}},
			"no action":    {IDs: []credential.ID{k.ID}},
			"twice":        {Action: authority.BulkRevoke, IDs: []credential.ID{k.ID, k.ID}},
			"no revision":  {Action: authority.BulkRevoke, Filter: &authority.KeysInput{}, ExpectedCount: 1},
			"the future":   {Action: authority.BulkRevoke, Filter: &authority.KeysInput{}, ExpectedCount: 1, AsOf: 1 << 40},
			"another kind": {Action: authority.BulkRevoke, Filter: &authority.KeysInput{Kinds: []credential.Kind{credential.VerifierKey}}, ExpectedCount: 1, AsOf: 1},
		} {
			w.refused(name, problem.Invalid, "", func() error { _, err := w.a.BulkKeys(ctx, w.super, in); return err })
		}
		verifier := w.verifier()
		o := w.bulk(w.super, authority.BulkKeysInput{Action: authority.BulkRevoke, IDs: []credential.ID{verifier}})
		w.must(w.a.WorkOperations(ctx))
		if o = w.operation(o); len(o.Failed) != 1 || o.Failed[0].Code != "not_found" {
			w.Errorf("a verifier key by the bulk of API keys: %+v", o)
		}
	})
}

// A repeated request answers the operation that the first one began.
func TestBulkIsIdempotent(t *testing.T) {
	engines(t, func(w *world) {
		in := authority.BulkKeysInput{Action: authority.BulkSuspend, IDs: []credential.ID{w.key(w.super).ID}, Idempotency: authority.Idempotency{Key: "once"}}
		if a, b := w.bulk(w.super, in), w.bulk(w.super, in); a.ID != b.ID {
			w.Errorf("two operations: %s and %s", a.ID, b.ID)
		}
	})
}

// Rights are looked at when a chunk is worked off: who lost them, or is suspended, changes
// nothing more, and the operation says so.
func TestBulkWithoutRights(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		keys := w.manyKeys(3, w.super)
		w.member(w.acme.ID, "", "second", w.builtIn(w.acme.ID, access.RoleSuperAdmin))
		actor := w.someone(string(access.APIKeysManage))
		lost := w.bulk(actor, authority.BulkKeysInput{Action: authority.BulkRevoke, IDs: keys[:2]})
		given, err := w.a.Assignments(ctx, w.super, authority.AssignmentsInput{Principal: actor.Principal})
		w.must(err)
		_, err = w.a.Unassign(ctx, w.super, authority.AssignmentInput{ID: given.Items[0].ID})
		w.must(err)
		w.must(w.a.WorkOperations(ctx))
		if lost = w.operation(lost); lost.State != authority.OperationDone || lost.FailedTotal != 2 || lost.Failed[0].Code != "permission_required" {
			w.Errorf("without the right: %+v", lost)
		}
		gone := w.bulk(w.super, authority.BulkKeysInput{Action: authority.BulkRevoke, IDs: keys[:2]})
		_, err = w.a.SuspendUser(ctx, w.system, authority.UserInput{ID: userOf(w.super)})
		w.must(err)
		w.must(w.a.WorkOperations(ctx))
		if gone = w.operation(gone); gone.State != authority.OperationDone || gone.FailedTotal != 2 || gone.Failed[0].Code != "caller_stopped" {
			w.Errorf("by a suspended user: %+v", gone)
		}
		if e := w.lastEvent(w.acme.ID); e.Action != "operation.stop" || e.Via != access.ViaSystem {
			w.Errorf("event %s via %s", e.Action, e.Via)
		}
		if w.keyState(keys[0]) != credential.Active {
			w.Error("a key was revoked without the right")
		}
	})
}

// An operation of a tenant that is deleted ends.
func TestBulkOfADeletedTenant(t *testing.T) {
	engines(t, func(w *world) {
		w.bulk(w.super, authority.BulkKeysInput{Action: authority.BulkRevoke, IDs: w.manyKeys(1, w.super)})
		_, err := w.a.DeleteTenant(w.Context(), w.system, authority.TenantInput{ID: w.acme.ID})
		w.must(err)
		w.must(w.a.WorkOperations(w.Context()))
		w.must(w.store.Read(w.Context(), "", func(tx *store.Tx) error {
			due, err := tx.AllTenantsDueOperations()
			if len(due) != 0 {
				w.Errorf("%d operations are left", len(due))
			}
			return err
		}))
	})
}

// After a crash in the middle another process goes on where the first one stopped, once the
// lease is over: each key is changed once.
func TestBulkGoesOnAfterACrash(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ids := w.manyKeys(600, w.holder)
		o := w.bulk(w.super, authority.BulkKeysInput{Action: authority.BulkRevoke, IDs: ids})
		ctx, die := context.WithCancel(t.Context())
		w.applied.Then(func(calls int) {
			if calls == 2 {
				die()
			}
		})
		if err := w.a.WorkOperations(ctx); err == nil {
			t.Error("it went on without its context")
		}
		w.applied.Then(nil)
		half := w.operation(o)
		if half.State != authority.OperationRunning || half.Done == 0 || half.Done == half.Total {
			t.Fatalf("in the middle: %+v", half)
		}
		other := w.another()
		w.must(other.WorkOperations(t.Context()))
		if now := w.operation(o); now.Done != half.Done {
			t.Errorf("another process took it from one who has it still: %d after %d", now.Done, half.Done)
		}
		w.clock.Add(overLease)
		w.must(other.WorkOperations(t.Context()))
		end := w.operation(o)
		if end.State != authority.OperationDone || end.Done != 600 || end.FailedTotal != 0 {
			t.Errorf("in the end: %+v", end)
		}
		if got := strings.Count(w.actions(w.acme.ID), "api_key.revoke "); got != 600 {
			t.Errorf("%d revocations for 600 keys", got)
		}
	})
}

// overLease is longer than an operation is left to who died.
const overLease = 16 * time.Second

// actions are the actions of all events of a tenant, each with a space after it.
func (w *world) actions(tenant tenancy.TenantID) string {
	w.Helper()
	var b strings.Builder
	w.must(w.store.Read(w.Context(), tenant, func(tx *store.Tx) error {
		b.Reset()
		for after := int64(0); ; {
			list, err := tx.AuditEventsAfter(after, 1000)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, e := range list {
				b.WriteString(e.Action + " ")
				after = e.Sequence
			}
		}
	}))
	return b.String()
}

// Run works operations off as they come.
func TestRunWorksOperationsOff(t *testing.T) {
	engines(t, func(w *world) {
		ctx, stop := context.WithCancel(w.Context())
		ran := make(chan error, 1)
		go func() { ran <- w.a.Run(ctx) }()
		o := w.bulk(w.super, authority.BulkKeysInput{Action: authority.BulkSuspend, IDs: w.manyKeys(250, w.super)})
		moved := make(chan struct{}, 1)
		w.applied.Then(func(int) {
			select {
			case moved <- struct{}{}:
			default: // it is known already
			}
		})
		w.key(w.super) // in case it was done before we listened
		for range moved {
			if w.operation(o).State == authority.OperationDone {
				break
			}
		}
		stop()
		w.must(<-ran)
	})
}

// B5: how a credential was used, by hour and by day.
func TestUsage(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.key(w.holder)
		hour := w.clock.Now().Truncate(time.Hour)
		for ago, n := range map[time.Duration]int64{0: 3, time.Hour: 4, 26 * time.Hour: 5} {
			w.must(w.store.AddUsage(ctx, []store.UsageRow{{
				TenantID: w.acme.ID, CredentialID: k.ID, Hour: hour.Add(-ago), Valid: n, Denied: map[verify.Code]int64{verify.RateLimited: 1},
			}}))
		}
		byHour, err := w.a.Usage(ctx, w.holder, authority.UsageInput{Credential: k.ID})
		if err != nil || len(byHour.Items) != 2 || byHour.Items[0].Valid != 4 || byHour.Items[1].Valid != 3 || byHour.Items[1].Denied["RATE_LIMITED"] != 1 {
			t.Errorf("by hour: %+v, %v", byHour, err)
		}
		byDay, err := w.a.Usage(ctx, w.super, authority.UsageInput{Credential: k.ID, By: authority.UsageByDay})
		if err != nil || len(byDay.Items) != 2 || byDay.Items[0].Valid != 5 || byDay.Items[1].Valid != 7 {
			t.Errorf("by day: %+v, %v", byDay, err)
		}
		for name, in := range map[string]authority.UsageInput{
			"another unit": {By: "week"}, "the wrong way round": {From: hour, To: hour.Add(-time.Hour)}, "too long": {From: hour.AddDate(-1, 0, 0)},
		} {
			in.Credential = k.ID
			w.refused(name, problem.Invalid, "", func() error { _, err := w.a.Usage(ctx, w.super, in); return err })
		}
	})
}
