package authority_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/verify"
)

// rotate rotates a key with an hour of grace.
func (w *world) rotate(c access.Caller, id credential.ID) authority.IssuedKey {
	w.Helper()
	k, err := w.a.RotateAPIKey(w.Context(), c, authority.RotateKeyInput{ID: id, Grace: time.Hour})
	w.must(err)
	return k
}

// nodes are two nodes' indexes on the world's database, of which the first applies each
// change before it is acknowledged. The second has read everything when read returns.
func (w *world) nodes() (first, second *verify.Index, read func()) {
	w.Helper()
	first = w.follow()
	peppers, err := secret.NewPeppers(1, map[int][]byte{1: bytes.Repeat([]byte("p"), 32)})
	w.must(err)
	second = verify.New(verify.Config{Source: w.store, Peppers: peppers, Now: w.clock.Now})
	ctx, stop := context.WithCancel(w.Context())
	ran := make(chan error, 1)
	go func() { ran <- second.Run(ctx) }()
	w.Cleanup(func() {
		stop()
		if err := <-ran; !errors.Is(err, context.Canceled) {
			w.Errorf("the second index stopped: %v", err)
		}
	})
	renamed := 0
	return first, second, func() {
		w.Helper()
		for range 100 {
			// Something new to read proves how fresh they are. A reading that began before the clock
			// was set proves the time before: then once more.
			renamed++
			_, err := w.a.ChangeOrganization(w.Context(), authority.SystemCaller(), authority.ChangeOrganizationInput{ID: w.south.ID, Name: ptr(fmt.Sprint("South ", renamed))})
			w.must(err)
			w.must(second.Applied(w.Context(), first.Revision()))
			_, stale := first.Verify(&verify.Request{Credential: "unknown"})
			_, staler := second.Verify(&verify.Request{Credential: "unknown"})
			if stale == nil && staler == nil {
				return
			}
		}
		w.Fatal("the indexes stay behind")
	}
}

// B3: on two nodes exactly the right secrets work on both sides of every end: of the grace
// period, of one that is finished early, and of a rotation that is rolled back.
func TestGraceOnTwoNodes(t *testing.T) {
	engines(t, func(w *world) {
		first, second, read := w.nodes()
		k := w.key(w.holder)
		want := func(when string, work map[string]secret.Secret, dead ...secret.Secret) {
			w.Helper()
			read()
			for name, index := range map[string]*verify.Index{"the first": first, "the second": second} {
				for version, s := range work {
					r, err := index.Verify(&verify.Request{Credential: s.Reveal()})
					if err != nil || !r.Valid || version != string(rune('0'+r.SecretVersion)) {
						w.Errorf("%s, on %s node: version %s is %s (%d), %v", when, name, version, r.Code, r.SecretVersion, err)
					}
				}
				for _, s := range dead {
					w.want(index, when+", on "+name+" node", s, "", verify.NotFound)
				}
			}
		}
		type works = map[string]secret.Secret
		v1 := k.Secret
		v2 := w.rotate(w.holder, k.ID).Secret
		want("rotated", works{"1": v1, "2": v2})
		w.clock.Add(time.Hour - time.Microsecond)
		want("a microsecond before the end", works{"1": v1, "2": v2})
		w.clock.Add(time.Microsecond)
		want("at the end", works{"2": v2}, v1)

		v3 := w.rotate(w.holder, k.ID).Secret
		want("rotated again", works{"2": v2, "3": v3}, v1)
		w.clock.Add(time.Minute)
		_, err := w.a.FinishAPIKeyRotation(w.Context(), w.holder, authority.KeyInput{ID: k.ID})
		w.must(err)
		want("finished", works{"3": v3}, v1, v2)

		v4 := w.rotate(w.holder, k.ID).Secret
		w.clock.Add(time.Hour - time.Microsecond)
		want("rotated for the third time", works{"3": v3, "4": v4}, v1, v2)
		_, err = w.a.RollBackAPIKey(w.Context(), w.holder, authority.KeyInput{ID: k.ID})
		w.must(err)
		want("rolled back", works{"3": v3}, v1, v2, v4)
		w.clock.Add(365 * 24 * time.Hour)
		want("a year later", works{"3": v3}, v1, v2, v4)

		v5 := w.rotate(w.holder, k.ID).Secret // no version is used twice
		want("rotated after that", works{"3": v3, "5": v5}, v1, v2, v4)
		w.clock.Add(time.Hour)
		want("and its grace is over", works{"5": v5}, v1, v2, v3, v4)
	})
}

// B3: finishing ends the secret before now; it is audited and in the journal, and again in
// the journal when it is repeated.
func TestFinishRotation(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.key(w.holder)
		in := authority.KeyInput{ID: k.ID}
		w.refused("never rotated", problem.Conflict, "not_in_grace", func() error {
			_, err := w.a.FinishAPIKeyRotation(ctx, w.holder, in)
			return err
		})
		next := w.rotate(w.holder, k.ID)
		w.clock.Add(time.Minute)
		got, err := w.a.FinishAPIKeyRotation(ctx, w.holder, in)
		w.must(err)
		if got.SecretVersion != 2 || !got.GraceUntil.IsZero() || got.Hint != next.Hint || got.Revision == 0 {
			t.Errorf("finished: %+v", got)
		}
		e := w.lastEvent(w.acme.ID)
		if e.Action != "api_key.finish_rotation" || e.TargetID != k.ID.String() || !strings.Contains(string(e.After), `"ended_version":1`) {
			t.Errorf("audited as %s %s: %s", e.Action, e.TargetID, e.After)
		}
		for range 2 {
			last := w.entries()[len(w.entries())-1]
			if last.Action != authority.JournalRotated || last.SecretVersion != 1 || last.ValidUntil == nil || !last.ValidUntil.Equal(w.clock.Now()) {
				t.Errorf("in the journal: %+v", last)
			}
			before := len(w.entries())
			w.refused("finished already", problem.Conflict, "not_in_grace", func() error {
				_, err := w.a.FinishAPIKeyRotation(ctx, w.holder, in)
				return err
			})
			if len(w.entries()) != before+1 {
				t.Error("a repetition did not reach the journal")
			}
		}
		w.refused("roll back what is finished", problem.Conflict, "not_in_grace", func() error {
			_, err := w.a.RollBackAPIKey(ctx, w.holder, in)
			return err
		})
	})
}

// B3: rolled back, the secret before is current again: shown as it was and without an end.
func TestRollBack(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.organizationKey(w.north.ID)
		in := authority.KeyInput{ID: k.ID}
		next := w.rotate(w.super, k.ID)
		if next.Hint == k.Hint {
			t.Fatal("the new secret looks like the old one")
		}
		got, err := w.a.RollBackAPIKey(ctx, w.super, in)
		w.must(err)
		if got.SecretVersion != 1 || got.Hint != k.Hint || !got.GraceUntil.IsZero() || got.ExpiresAt != k.ExpiresAt {
			t.Errorf("rolled back: %+v", got)
		}
		shown, err := w.a.RevealKey(ctx, w.confirmed(w.super), in)
		if err != nil || shown.Secret.Reveal() != k.Secret.Reveal() {
			t.Errorf("another secret is shown: %v", err)
		}
		entries := w.entries()
		last := entries[len(entries)-1]
		if last.Action != authority.JournalRotationRolledBack || last.SecretVersion != 1 || last.EndedVersion != 2 || last.CredentialID != k.ID.String() {
			t.Errorf("in the journal: %+v", last)
		}
		w.refused("rolled back already", problem.Conflict, "not_in_grace", func() error {
			_, err := w.a.RollBackAPIKey(ctx, w.super, in)
			return err
		})
		if len(w.entries()) != len(entries)+1 {
			t.Error("a repetition did not reach the journal")
		}
		// Nothing is left of the new secret but its digest, and later not even that; its number
		// is never given out again.
		w.clock.Add(91 * 24 * time.Hour)
		_, err = w.a.ForgetEnded(ctx)
		w.must(err)
		if again := w.rotate(w.super, k.ID); again.SecretVersion != 3 {
			t.Errorf("version %d after one that was rolled back", again.SecretVersion)
		}
		w.clock.Add(time.Hour)
		w.refused("roll back at the end of grace", problem.Conflict, "not_in_grace", func() error {
			_, err := w.a.RollBackAPIKey(ctx, w.super, in)
			return err
		})
		_, err = w.a.RevokeAPIKey(ctx, w.super, in)
		w.must(err)
		for name, do := range map[string]func(context.Context, access.Caller, authority.KeyInput) (authority.Key, error){
			"finish": w.a.FinishAPIKeyRotation, "roll back": w.a.RollBackAPIKey,
		} {
			w.refused(name+" a revoked key", problem.Conflict, "revoked", func() error {
				_, err := do(ctx, w.super, in)
				return err
			})
		}
	})
}

// B3: an app's key and secret go together.
func TestRollBackApp(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		a := w.app()
		_, err := w.a.RotateApp(t.Context(), w.super, authority.RotateAppInput{ID: a.ID, Grace: time.Hour})
		w.must(err)
		back, err := w.a.RollBackApp(t.Context(), w.super, authority.AppInput{ID: a.ID})
		w.must(err)
		if back.Credential.SecretVersion != 1 || back.Credential.Hint != a.Credential.Hint {
			t.Errorf("rolled back: %+v", back.Credential)
		}
		shown, err := w.a.RevealApp(t.Context(), w.confirmed(w.super), authority.AppInput{ID: a.ID})
		if err != nil || shown.Key.Reveal() != a.Key.Reveal() || shown.Secret.Reveal() != a.Secret.Reveal() {
			t.Errorf("another pair is shown: %v", err)
		}
	})
}

// Whoever may end somebody's key may end its earlier secret, and see who uses that; to go
// back to it is for those alone who could have made a new one.
func TestWhoFinishesAndRollsBack(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		manager := w.someone(string(access.APIKeysManage))
		k := w.key(w.holder)
		in := authority.KeyInput{ID: k.ID}
		w.rotate(w.holder, k.ID)
		w.refused("roll back another's", problem.Denied, "not_owner", func() error {
			_, err := w.a.RollBackAPIKey(ctx, manager, in)
			return err
		})
		other := w.someone(string(access.APIKeysGenerate))
		w.refused("who may only see it", problem.Denied, "permission_required", func() error {
			_, err := w.a.APIKeyPreviousUses(ctx, other, in)
			return err
		})
		_, err := w.a.APIKeyPreviousUses(ctx, manager, in)
		w.must(err)
		_, err = w.a.FinishAPIKeyRotation(ctx, manager, in)
		w.must(err)
		// A key that ends can't make one live on that doesn't.
		w.rotate(w.holder, k.ID)
		ends := w.clock.Now().Add(24 * time.Hour)
		mortal, err := w.a.IssueAPIKey(ctx, w.holder, authority.IssueAPIKeyInput{Name: "mortal", ExpiresAt: &ends})
		w.must(err)
		w.refused("by a key that ends", problem.Denied, "outlives_caller", func() error {
			_, err := w.a.RollBackAPIKey(ctx, with(w.holder, mortal), in)
			return err
		})
	})
}

// B3: who still uses the secret before is told of that one alone.
func TestPreviousUses(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		index := w.follow()
		k := w.key(w.holder)
		in := authority.KeyInput{ID: k.ID}
		uses := func() authority.PreviousSecretUses {
			w.Helper()
			_, err := w.store.AddPreviousUses(ctx, index.DrainPreviousUses())
			w.must(err)
			got, err := w.a.APIKeyPreviousUses(ctx, w.holder, in)
			w.must(err)
			return got
		}
		if got := uses(); got.Version != 0 || len(got.Uses) > 0 {
			t.Errorf("never rotated: %+v", got)
		}
		w.rotate(w.holder, k.ID)
		w.clock.Add(time.Second)
		for range 2 {
			_, err := index.Verify(&verify.Request{Credential: k.Secret.Reveal(), UserAgent: "old/1"})
			w.must(err)
		}
		got := uses()
		if got.Version != 1 || !got.ValidUntil.Equal(w.clock.Now().Add(time.Hour-time.Second)) || len(got.Uses) != 1 ||
			got.Uses[0].Calls != 2 || got.Uses[0].UserAgent != "old/1" || !got.Uses[0].LastUsedAt.Equal(w.clock.Now()) {
			t.Errorf("in grace: %+v", got)
		}
		_, err := w.a.FinishAPIKeyRotation(ctx, w.holder, in)
		w.must(err)
		if got := uses(); got.Version != 1 || len(got.Uses) != 1 || !got.ValidUntil.Equal(w.clock.Now()) {
			t.Errorf("finished: %+v", got)
		}
		w.rotate(w.holder, k.ID)
		if got := uses(); got.Version != 2 || len(got.Uses) > 0 {
			t.Errorf("rotated again: %+v", got)
		}
	})
}

// A request that was repeated finishes once.
func TestFinishOnce(t *testing.T) {
	engines(t, func(w *world) {
		k := w.key(w.holder)
		w.rotate(w.holder, k.ID)
		in := authority.KeyInput{ID: k.ID, Idempotency: authority.Idempotency{Key: "once"}}
		for range 2 {
			got, err := w.a.FinishAPIKeyRotation(w.Context(), w.holder, in)
			w.must(err)
			if got.SecretVersion != 2 || !got.GraceUntil.IsZero() {
				w.Errorf("finished: %+v", got)
			}
		}
	})
}
