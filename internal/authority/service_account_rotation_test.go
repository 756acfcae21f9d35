package authority_test

import (
	"slices"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// B3: a service account's key is rotated by a second key pair; the one before ends with the
// grace period, or earlier, or goes on when the rotation is rolled back.
func TestSecondKeyPair(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		rotate := func(id credential.ID, grace time.Duration) authority.IssuedServiceAccountKey {
			w.Helper()
			k, err := w.a.RotateServiceAccountKey(ctx, w.super, authority.RotateServiceAccountKeyInput{ID: id, PublicKeyPEM: w.publicKey(), Grace: grace})
			w.must(err)
			return k
		}
		read := func(id credential.ID) authority.Key {
			w.Helper()
			k, err := w.a.ServiceAccountKey(ctx, w.super, authority.KeyInput{ID: id})
			w.must(err)
			return k
		}
		first := w.accountCredential()
		in := authority.KeyInput{ID: first.ID}
		w.refused("never rotated", problem.Conflict, "not_in_grace", func() error {
			_, err := w.a.RollBackServiceAccountKey(ctx, w.super, in)
			return err
		})
		second := rotate(first.ID, time.Hour)
		if second.ID == first.ID || second.Name != first.Name || !second.ExpiresAt.IsZero() {
			t.Errorf("the second key: %+v", second.Key)
		}
		if old := read(first.ID); old.Successor != second.ID || !old.ExpiresAt.Equal(w.clock.Now().Add(time.Hour)) || old.State != credential.Active {
			t.Errorf("the first key meanwhile: %+v", old)
		}
		list, err := w.a.ServiceAccountKeys(ctx, w.super, authority.ServiceAccountKeysInput{ServiceAccount: tenancy.ServiceAccountID(first.Principal.ID)})
		if err != nil || len(list.Items) != 2 {
			t.Fatalf("%d keys, %v", len(list.Items), err)
		}
		w.refused("a third meanwhile", problem.Conflict, "rotation_under_way", func() error {
			_, err := w.a.RotateServiceAccountKey(ctx, w.super, authority.RotateServiceAccountKeyInput{ID: first.ID, PublicKeyPEM: w.publicKey()})
			return err
		})
		back, err := w.a.RollBackServiceAccountKey(ctx, w.super, in)
		w.must(err)
		if !back.ExpiresAt.IsZero() || !back.Successor.IsZero() || read(second.ID).State != credential.Revoked {
			t.Errorf("rolled back: %+v", back)
		}
		if last := w.entries()[len(w.entries())-1]; last.Action != authority.JournalRevoked || last.CredentialID != second.ID.String() {
			t.Errorf("in the journal: %+v", last)
		}
		third := rotate(first.ID, time.Hour)
		done, err := w.a.FinishServiceAccountKeyRotation(ctx, w.super, in)
		w.must(err)
		if done.State != credential.Revoked || read(third.ID).State != credential.Active {
			t.Errorf("finished: %+v", done)
		}
		w.refused("finished already", problem.Conflict, "revoked", func() error {
			_, err := w.a.FinishServiceAccountKeyRotation(ctx, w.super, in)
			return err
		})
		fourth := rotate(third.ID, 0) // at once
		if read(third.ID).State != credential.Revoked {
			t.Error("without grace the key before goes on")
		}
		fifth := rotate(fourth.ID, time.Hour)
		w.clock.Add(time.Hour)
		w.refused("after its grace", problem.Conflict, "expired", func() error {
			_, err := w.a.RollBackServiceAccountKey(ctx, w.super, authority.KeyInput{ID: fourth.ID})
			return err
		})
		_, err = w.a.ExpireDue(ctx)
		w.must(err)
		if read(fourth.ID).State != credential.Expired || read(fifth.ID).State != credential.Active {
			t.Error("a replaced key goes on after its grace")
		}
	})
}

// B3, B7: a policy that came later keeps nobody from rotating what is there, whatever kind
// it is of.
func TestRotationUnderALaterPolicy(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		account := w.account()
		old, err := w.a.IssueServiceAccountKey(ctx, w.super, authority.IssueServiceAccountKeyInput{
			ServiceAccount: account.ID, PublicKeyPEM: w.publicKey(), Name: "nightly", Networks: cidrs("192.0.2.0/24"),
			Labels: tenancy.Labels{ExternalID: "job-7", Metadata: map[string]string{"team": "reports"}},
		})
		w.must(err)
		for what, policy := range map[string]tenancy.Policy{
			"nobody makes any": {MayCreate: map[string]tenancy.Creators{"service_account_key": tenancy.CreatorsNobody}},
			"other names":      {NamePattern: "prod-.+"},
			"other networks":   {Networks: cidrs("198.51.100.0/24")},
		} {
			w.policy(policy, false)
			_, err := w.a.IssueServiceAccountKey(ctx, w.super, authority.IssueServiceAccountKeyInput{
				ServiceAccount: account.ID, PublicKeyPEM: w.publicKey(), Name: "nightly", Networks: cidrs("192.0.2.0/24"),
			})
			if err == nil {
				t.Errorf("%s: a new one is made", what)
			}
			next, err := w.a.RotateServiceAccountKey(ctx, w.super, authority.RotateServiceAccountKeyInput{ID: old.ID, PublicKeyPEM: w.publicKey()})
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			if next.Name != "nightly" || !slices.Equal(next.Networks, old.Networks) || next.Labels.Metadata["team"] != "reports" {
				t.Errorf("%s: %+v", what, next.Key)
			}
			old = next
		}
	})
}

// B3, B7: a key pair that is rolled back to ends when it was to end, or its successor is;
// having that end later doesn't lengthen its life past what the policy allows.
func TestRollBackPairLivesNoLonger(t *testing.T) {
	engines(t, func(w *world) {
		const day = 24 * time.Hour
		ctx := w.Context()
		w.policy(tenancy.Policy{MaxLifetime: map[string]time.Duration{"service_account_key": 90 * day}}, false)
		first := w.accountCredential()
		w.clock.Add(80 * day)
		rolledBack := func(end *time.Time) time.Time {
			w.Helper()
			second, err := w.a.RotateServiceAccountKey(ctx, w.super, authority.RotateServiceAccountKeyInput{ID: first.ID, PublicKeyPEM: w.publicKey(), Grace: day})
			w.must(err)
			if !second.ExpiresAt.Equal(first.ExpiresAt) {
				w.Fatalf("the second ends %s, the first %s", second.ExpiresAt, first.ExpiresAt)
			}
			if end != nil {
				_, err = w.a.ChangeServiceAccountKey(ctx, w.super, authority.ChangeKeyInput{ID: second.ID, ExpiresAt: end})
				w.must(err)
			}
			back, err := w.a.RollBackServiceAccountKey(ctx, w.super, authority.KeyInput{ID: first.ID})
			w.must(err)
			return back.ExpiresAt
		}
		if got := rolledBack(nil); !got.Equal(first.ExpiresAt) {
			w.Errorf("it ends %s, want %s as before", got, first.ExpiresAt)
		}
		later := w.clock.Now().Add(89 * day) // of the second, policy allows it
		if got := rolledBack(&later); !got.Equal(first.ExpiresAt) {
			w.Errorf("it ends %s, want %s as before", got, first.ExpiresAt)
		}
		sooner := w.clock.Now().Add(5 * day)
		if got := rolledBack(&sooner); !got.Equal(sooner) {
			w.Errorf("it ends %s, want %s as the second", got, sooner)
		}
	})
}

// B3: at most two key pairs work, however fast one is rotated after the other.
func TestAtMostTwoKeyPairs(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		list := []credential.ID{w.accountCredential().ID}
		for range 3 {
			next, err := w.a.RotateServiceAccountKey(ctx, w.super, authority.RotateServiceAccountKeyInput{
				ID: list[len(list)-1], PublicKeyPEM: w.publicKey(), Grace: time.Hour,
			})
			w.must(err)
			list = append(list, next.ID)
			for i, id := range list {
				want := credential.Active
				if i < len(list)-2 {
					want = credential.Revoked
				}
				if got := w.stored(id).State; got != want {
					w.Errorf("of %d pairs number %d is %s, want %s", len(list), i+1, got, want)
				}
			}
		}
	})
}
