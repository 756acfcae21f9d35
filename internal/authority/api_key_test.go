package authority_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// PV2, PV6, PV7, PV8, PV9: one's own key from its making to its end.
func TestOwnKey(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.key(w.holder)
		parsed, ok := (secret.Format{}).Parse(k.Secret.Reveal())
		if !ok || credential.ID(parsed.ID) != k.ID || !k.SecretAvailable {
			t.Fatalf("the key does not parse to its ID")
		}
		if k.Principal != w.holder.Principal || k.CreatedBy != w.holder.Principal || k.OwnerName != "holder" || k.OrganizationID != w.acme.RootOrg { // PV7
			t.Errorf("the key is not its creator's: %+v", k.Key)
		}
		if !k.ExpiresAt.IsZero() {
			t.Errorf("a user key expires at %v without anyone asking", k.ExpiresAt)
		}
		renamed, err := w.a.RenameAPIKey(ctx, w.holder, authority.RenameKeyInput{ID: k.ID, Name: "better"})
		w.must(err)
		if renamed.Name != "better" {
			t.Errorf("name = %q", renamed.Name)
		}
		list, err := w.a.APIKeys(ctx, w.holder, authority.KeysInput{})
		w.must(err)
		if len(list.Items) != 1 || list.Items[0].Name != "better" || list.Items[0].OwnerName != "holder" { // PV6
			t.Errorf("list = %+v", list.Items)
		}
		revoked, err := w.a.RevokeAPIKey(ctx, w.holder, authority.KeyInput{ID: k.ID})
		w.must(err)
		if revoked.State != credential.Revoked || revoked.EndedAt != w.clock.Now() {
			t.Errorf("after revoking: %+v", revoked)
		}
		entries := w.entries()
		if len(entries) != 1 || entries[0].Action != authority.JournalRevoked || entries[0].CredentialID != k.ID.String() || entries[0].TenantID != w.acme.ID || entries[0].Revision != revoked.Revision {
			t.Errorf("journal = %+v", entries)
		}
		for name, do := range map[string]func() error{
			"rename": func() error {
				_, err := w.a.RenameAPIKey(ctx, w.holder, authority.RenameKeyInput{ID: k.ID, Name: "x"})
				return err
			},
			"suspend": func() error { _, err := w.a.SuspendAPIKey(ctx, w.holder, authority.KeyInput{ID: k.ID}); return err },
			"resume":  func() error { _, err := w.a.ResumeAPIKey(ctx, w.holder, authority.KeyInput{ID: k.ID}); return err },
			"rotate": func() error {
				_, err := w.a.RotateAPIKey(ctx, w.holder, authority.RotateKeyInput{ID: k.ID})
				return err
			},
			"revoke": func() error { _, err := w.a.RevokeAPIKey(ctx, w.holder, authority.KeyInput{ID: k.ID}); return err },
		} {
			w.refused(name+" a revoked key", problem.Conflict, "", do)
		}
	})
}

// A repeated revocation may stand for one whose process died before the journal had it.
func TestRepeatedRevocationIsJournaledAgain(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		k := w.key(w.holder)
		for range 2 {
			_, _ = w.a.RevokeAPIKey(t.Context(), w.holder, authority.KeyInput{ID: k.ID})
		}
		if entries := w.entries(); len(entries) != 2 || entries[1].CredentialID != k.ID.String() {
			t.Errorf("journal = %+v", entries)
		}
	})
}

// PV2, PV6: whoever may generate keys sees all, and changes only their own.
func TestOthersKeys(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.key(w.super)
		_, err := w.a.APIKey(ctx, w.holder, authority.KeyInput{ID: k.ID})
		w.must(err)
		w.refused("revoke another's", problem.Denied, "permission_required", func() error {
			_, err := w.a.RevokeAPIKey(ctx, w.holder, authority.KeyInput{ID: k.ID})
			return err
		})
		mine := w.key(w.holder)
		w.refused("rotate another's with all rights", problem.Denied, "not_owner", func() error {
			_, err := w.a.RotateAPIKey(ctx, w.super, authority.RotateKeyInput{ID: mine.ID})
			return err
		})
		w.refused("name an owner", problem.Denied, "owner_is_creator", func() error { // PV7
			_, err := w.a.IssueAPIKey(ctx, w.super, authority.IssueAPIKeyInput{Name: "k", Owner: userOf(w.holder)})
			return err
		})
		for _, id := range []credential.ID{k.ID, mine.ID} {
			_, err = w.a.RevokeAPIKey(ctx, w.super, authority.KeyInput{ID: id})
			w.must(err)
		}
		given, err := w.a.IssueAPIKey(ctx, w.system, authority.IssueAPIKeyInput{Tenant: w.acme.ID, Name: "k", Owner: userOf(w.holder)}) // PV7
		w.must(err)
		if given.Principal != w.holder.Principal || given.CreatedBy != w.system.Principal {
			t.Errorf("key of a system caller for another: %+v", given.Key)
		}
		_, err = w.a.RotateAPIKey(ctx, w.system, authority.RotateKeyInput{ID: given.ID})
		w.must(err)
	})
}

// PV4: without API access in the plan nothing of a tenant's keys can be managed by the
// tenant; operators still can look and revoke.
func TestPlanWithoutAPIAccess(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.key(w.super)
		_, err := w.a.ChangeTenant(ctx, w.system, authority.ChangeTenantInput{ID: w.acme.ID, PlanID: &w.starter})
		w.must(err)
		in := authority.KeyInput{ID: k.ID}
		for name, do := range map[string]func(c access.Caller) error{
			"issue": func(c access.Caller) error {
				_, err := w.a.IssueAPIKey(ctx, c, authority.IssueAPIKeyInput{Name: "k"})
				return err
			},
			"rename": func(c access.Caller) error {
				_, err := w.a.RenameAPIKey(ctx, c, authority.RenameKeyInput{ID: k.ID, Name: "x"})
				return err
			},
			"suspend": func(c access.Caller) error { _, err := w.a.SuspendAPIKey(ctx, c, in); return err },
			"resume":  func(c access.Caller) error { _, err := w.a.ResumeAPIKey(ctx, c, in); return err },
			"rotate": func(c access.Caller) error {
				_, err := w.a.RotateAPIKey(ctx, c, authority.RotateKeyInput{ID: k.ID})
				return err
			},
			"revoke": func(c access.Caller) error { _, err := w.a.RevokeAPIKey(ctx, c, in); return err },
			"delete": func(c access.Caller) error { _, err := w.a.DeleteAPIKey(ctx, c, in); return err },
			"get":    func(c access.Caller) error { _, err := w.a.APIKey(ctx, c, in); return err },
			"list":   func(c access.Caller) error { _, err := w.a.APIKeys(ctx, c, authority.KeysInput{}); return err },
		} {
			w.refused(name, problem.Denied, "plan_without_api_access", func() error { return do(w.super) })
		}
		w.refused("issue by an operator", problem.Denied, "plan_without_api_access", func() error {
			_, err := w.a.IssueAPIKey(ctx, w.system, authority.IssueAPIKeyInput{Tenant: w.acme.ID, Owner: userOf(w.super), Name: "k"})
			return err
		})
		_, err = w.a.RevokeAPIKey(ctx, w.system, in)
		w.must(err)
		_, err = w.a.ChangePlan(ctx, w.system, authority.ChangePlanInput{ID: w.starter, APIAccess: ptr(true)})
		w.must(err)
		w.key(w.super) // the plan has it now, so it works at once
	})
}

// B3: the secret before goes on for the grace period; older ones end at once.
func TestRotation(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.key(w.holder)
		next, err := w.a.RotateAPIKey(ctx, w.holder, authority.RotateKeyInput{ID: k.ID, Grace: time.Hour})
		w.must(err)
		if next.ID != k.ID || next.SecretVersion != 2 || next.Secret == k.Secret || !next.GraceUntil.Equal(w.clock.Now().Add(time.Hour)) {
			t.Errorf("after one rotation: %+v", next.Key)
		}
		w.clock.Add(time.Minute)
		_, err = w.a.RotateAPIKey(ctx, w.holder, authority.RotateKeyInput{ID: k.ID, Grace: 2 * time.Hour})
		w.must(err)
		var ends []time.Time
		w.must(w.store.Read(ctx, w.acme.ID, func(tx *store.Tx) error {
			list, err := tx.Material(k.ID)
			for _, m := range list {
				ends = append(ends, m.ValidUntil)
			}
			return err
		}))
		alive := 0
		for _, e := range ends {
			if e.IsZero() || e.After(w.clock.Now()) {
				alive++
			}
		}
		if alive != 2 {
			t.Errorf("%d secrets work after two rotations (%v), want 2", alive, ends)
		}
		for _, grace := range []time.Duration{-1, 31 * 24 * time.Hour, time.Millisecond} {
			w.refused("grace", problem.Invalid, "", func() error {
				_, err := w.a.RotateAPIKey(ctx, w.holder, authority.RotateKeyInput{ID: k.ID, Grace: grace})
				return err
			})
		}
		e := w.entries()
		if len(e) != 3 || e[0].Action != authority.JournalRotated || e[0].NewVersion != 2 || e[2].SecretVersion != 2 || e[2].NewVersion != 3 {
			t.Errorf("journal = %+v", e)
		} else if first := e[1]; first.SecretVersion != 1 || first.NewVersion != 2 || !first.ValidUntil.Equal(w.clock.Now()) {
			t.Errorf("the first secret ends %+v", first)
		}
	})
}

// A key cannot manage roles or sign-in, cannot outlive itself in another, and is refused
// from the moment it ends.
func TestCredentialAsCaller(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		ends := w.clock.Now().Add(time.Hour)
		k, err := w.a.IssueAPIKey(ctx, w.super, authority.IssueAPIKeyInput{Name: "k", ExpiresAt: &ends})
		w.must(err)
		caller := with(w.super, k)
		child, err := w.a.IssueAPIKey(ctx, caller, authority.IssueAPIKeyInput{Name: "child"})
		w.must(err)
		if child.ExpiresAt.IsZero() || child.ExpiresAt.After(ends) {
			t.Errorf("a key that ends %v made one that ends %v", ends, child.ExpiresAt)
		}
		later := ends.Add(time.Second)
		w.refused("a longer life", problem.Denied, "outlives_caller", func() error {
			_, err := w.a.IssueAPIKey(ctx, caller, authority.IssueAPIKeyInput{Name: "child", ExpiresAt: &later})
			return err
		})
		immortal := w.key(w.super)
		w.refused("rotate one that lives longer", problem.Denied, "outlives_caller", func() error {
			_, err := w.a.RotateAPIKey(ctx, caller, authority.RotateKeyInput{ID: immortal.ID})
			return err
		})
		for method, in := range map[string]any{
			"CreateRole":   authority.CreateRoleInput{Name: "r"},
			"Assign":       authority.AssignInput{Principal: w.nobody.Principal, RoleID: freshRole(w)},
			"CreateUser":   authority.CreateUserInput{Username: "u"},
			"InviteUser":   authority.UserInput{ID: userOf(w.nobody)},
			"ChangeUser":   authority.ChangeUserInput{ID: userOf(w.nobody), Username: ptr("x")},
			"ChangeTenant": authority.ChangeTenantInput{Name: ptr("x")},
		} {
			w.refused(method+" by a credential", problem.Denied, "session_required", func() error { return w.call(method, caller, in) })
		}
		w.refused("someone else's credential", problem.Unauthenticated, "", func() error {
			_, err := w.a.IssueAPIKey(ctx, with(w.holder, k), authority.IssueAPIKeyInput{Name: "k"})
			return err
		})
		_, err = w.a.SuspendAPIKey(ctx, w.super, authority.KeyInput{ID: k.ID})
		w.must(err)
		w.refused("a suspended credential", problem.Unauthenticated, "", func() error { return w.call("Me", caller, authority.MeInput{}) })
		_, err = w.a.ResumeAPIKey(ctx, w.super, authority.KeyInput{ID: k.ID})
		w.must(err)
		w.clock.Add(time.Hour)
		w.refused("an expired credential", problem.Unauthenticated, "", func() error { return w.call("Me", caller, authority.MeInput{}) })
	})
}

// What cannot be audited does not happen.
func TestAuditUnavailable(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.key(w.holder)
		if w.dialect == "sqlite" {
			w.exec(`CREATE TRIGGER broken BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'no audit'); END`)
		} else {
			w.exec(`CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no audit'; END $$`)
			w.exec(`CREATE TRIGGER broken BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION broken()`)
		}
		before := w.state()
		if _, err := w.a.RevokeAPIKey(ctx, w.holder, authority.KeyInput{ID: k.ID}); err == nil {
			t.Error("revoked without audit")
		}
		if _, err := w.a.IssueAPIKey(ctx, w.holder, authority.IssueAPIKeyInput{Name: "k"}); err == nil {
			t.Error("issued without audit")
		}
		if w.state() != before || len(w.entries()) != 0 {
			t.Error("something was written without audit")
		}
		got, err := w.a.APIKey(ctx, w.holder, authority.KeyInput{ID: k.ID})
		w.must(err)
		if got.State != credential.Active {
			t.Errorf("state = %s", got.State)
		}
	})
}

// A change that this node's index could not apply is not acknowledged; its revocation is
// in the journal all the same.
func TestNotApplied(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		k := w.key(w.holder)
		w.applied.Fail(errors.New("index gone"))
		out, err := w.a.IssueAPIKey(t.Context(), w.holder, authority.IssueAPIKeyInput{Name: "k"})
		if !problem.Is(err, problem.Unavailable) || !out.Secret.IsZero() {
			t.Errorf("issue = %v, with secret %t", err, !out.Secret.IsZero())
		}
		if _, err := w.a.RevokeAPIKey(t.Context(), w.holder, authority.KeyInput{ID: k.ID}); !problem.Is(err, problem.Unavailable) {
			t.Errorf("revoke = %v", err)
		}
		if len(w.entries()) != 1 {
			t.Errorf("journal = %+v", w.entries())
		}
	})
}

func TestJournalUnavailable(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		k := w.key(w.holder)
		w.must(w.journal.Close())
		if _, err := w.a.RevokeAPIKey(t.Context(), w.holder, authority.KeyInput{ID: k.ID}); !problem.Is(err, problem.Unavailable) {
			t.Errorf("revoke = %v", err)
		}
	})
}

func TestIdempotency(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		once := authority.Idempotency{Key: "abc", Request: [32]byte{1}}
		in := authority.IssueAPIKeyInput{Name: "k", Idempotency: once}
		first, err := w.a.IssueAPIKey(ctx, w.holder, in)
		w.must(err)
		before := w.state()
		again, err := w.a.IssueAPIKey(ctx, w.holder, in)
		w.must(err)
		if again.ID != first.ID || again.SecretAvailable || !again.Secret.IsZero() || w.state() != before {
			t.Errorf("repeated: %+v", again)
		}
		w.refused("another body", problem.Conflict, "idempotency_key_reused", func() error {
			other := in
			other.Request = [32]byte{2}
			_, err := w.a.IssueAPIKey(ctx, w.holder, other)
			return err
		})
		w.refused("another operation", problem.Conflict, "idempotency_key_reused", func() error {
			_, err := w.a.RevokeAPIKey(ctx, w.holder, authority.KeyInput{ID: first.ID, Idempotency: once})
			return err
		})
		if other, err := w.a.IssueAPIKey(ctx, w.super, in); err != nil || other.ID == first.ID {
			t.Errorf("another caller's key: %v", err)
		}
		revoke := authority.KeyInput{ID: first.ID, Idempotency: authority.Idempotency{Key: "revoke"}}
		for range 2 {
			_, err = w.a.RevokeAPIKey(ctx, w.holder, revoke)
			w.must(err)
		}
		w.clock.Add(24*time.Hour + time.Second)
		if late, err := w.a.IssueAPIKey(ctx, w.holder, in); err != nil || late.ID == first.ID || !late.SecretAvailable {
			t.Errorf("after a day: %v", err)
		}
	})
}

// Of two that arrive at once with the same key, one makes the key.
func TestIdempotencyRace(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ids := make([]credential.ID, 16)
		secrets := make([]bool, len(ids))
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				k, err := w.a.IssueAPIKey(t.Context(), w.holder, authority.IssueAPIKeyInput{Name: "k", Idempotency: authority.Idempotency{Key: "same"}})
				if err != nil {
					t.Error(err)
				}
				ids[i], secrets[i] = k.ID, k.SecretAvailable
			})
		}
		wg.Wait()
		shown := 0
		for i := range ids {
			if ids[i] != ids[0] {
				t.Fatalf("two keys: %v and %v", ids[i], ids[0])
			}
			if secrets[i] {
				shown++
			}
		}
		if shown != 1 {
			t.Errorf("the secret was shown %d times", shown)
		}
	})
}

func TestRotateAgainstRevoke(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		for range 25 {
			k := w.key(w.holder)
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					var err error
					if i%2 == 0 {
						_, err = w.a.RotateAPIKey(t.Context(), w.holder, authority.RotateKeyInput{ID: k.ID, Grace: time.Hour})
					} else {
						_, err = w.a.RevokeAPIKey(t.Context(), w.holder, authority.KeyInput{ID: k.ID})
					}
					if err != nil && !problem.Is(err, problem.Conflict) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			got, err := w.a.APIKey(t.Context(), w.holder, authority.KeyInput{ID: k.ID})
			w.must(err)
			if got.State != credential.Revoked {
				t.Fatalf("state = %s after a revocation that was acknowledged", got.State)
			}
		}
	})
}

// NV12: what expired is ended and recorded; nothing restores it.
func TestExpireDue(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		soon := w.clock.Now().Add(time.Minute)
		var ids []credential.ID
		for range 3 {
			k, err := w.a.IssueAPIKey(ctx, w.holder, authority.IssueAPIKeyInput{Name: "k", ExpiresAt: &soon})
			w.must(err)
			ids = append(ids, k.ID)
		}
		kept := w.key(w.holder)
		_, err := w.a.SuspendAPIKey(ctx, w.holder, authority.KeyInput{ID: ids[1]})
		w.must(err)
		if n, err := w.a.ExpireDue(ctx); n != 0 || err != nil {
			t.Fatalf("before their time: %d, %v", n, err)
		}
		w.clock.Add(time.Minute)
		n, err := w.a.ExpireDue(ctx)
		if n != 3 || err != nil {
			t.Fatalf("ended %d, %v", n, err)
		}
		if n, err := w.a.ExpireDue(ctx); n != 0 || err != nil {
			t.Fatalf("again: %d, %v", n, err)
		}
		if e := w.lastEvent(w.acme.ID); e.Action != "api_key.expire" || e.Via != access.ViaSystem {
			t.Errorf("event = %s via %s", e.Action, e.Via)
		}
		got, err := w.a.APIKey(ctx, w.holder, authority.KeyInput{ID: ids[0]})
		w.must(err)
		if got.State != credential.Expired || !got.EndedAt.Equal(soon) {
			t.Errorf("expired: %+v", got)
		}
		list, err := w.a.APIKeys(ctx, w.holder, authority.KeysInput{})
		w.must(err)
		if len(list.Items) != 1 || list.Items[0].ID != kept.ID {
			t.Errorf("the list still shows %d keys", len(list.Items))
		}
		w.refused("resume", problem.Conflict, "expired", func() error {
			_, err := w.a.ResumeAPIKey(ctx, w.holder, authority.KeyInput{ID: ids[1]})
			return err
		})
	})
}

// Bad input is refused with a pointer and nothing of the value.
func TestBadKeyInput(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		past := w.clock.Now()
		for name, in := range map[string]authority.IssueAPIKeyInput{
			"/name":        {Name: "a\x00canary"},
			"/expires_at":  {Name: "k", ExpiresAt: &past},
			"/external_id": {Name: "k", Labels: tenancy.Labels{ExternalID: strings.Repeat("canary", 1000)}},
			"/not_before":  {Name: "k", NotBefore: past.Add(2 * time.Hour), ExpiresAt: ptr(past.Add(time.Hour))},
		} {
			before := w.state()
			_, err := w.a.IssueAPIKey(t.Context(), w.holder, in)
			p := problem.As(err)
			if p == nil || p.Kind != problem.Invalid || len(p.Fields) == 0 || p.Fields[0].Pointer != name || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v %+v", name, err, p)
			}
			if w.state() != before {
				t.Errorf("%s: something was written", name)
			}
		}
	})
}
