package authority_test

import (
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/verify"
)

// The digest of what ended stays 90 days, for refusal by name, and then is destroyed; the
// sealed copy of a secret that was replaced goes with its grace period. Public keys stay,
// so that none is taken twice.
func TestEndedSecretsAreForgotten(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		index := w.follow()
		living, revoked, rotated := w.key(w.holder), w.key(w.holder), w.organizationKey(w.north.ID)
		foreign := w.key(w.foreign)
		account := w.accountCredential()
		next, err := w.a.RotateAPIKey(ctx, w.super, authority.RotateKeyInput{ID: rotated.ID, Grace: time.Hour})
		w.must(err)
		for _, k := range []authority.IssuedKey{revoked, foreign} {
			_, err = w.a.RevokeAPIKey(ctx, authority.SystemCaller(), authority.KeyInput{ID: k.ID})
			w.must(err)
		}
		_, err = w.a.RevokeServiceAccountKey(ctx, w.super, authority.KeyInput{ID: account.ID})
		w.must(err)
		_, err = w.a.DeleteTenant(ctx, w.system, authority.TenantInput{ID: w.other.ID})
		w.must(err)

		w.wantForgotten("before anything is over", 0)
		w.clock.Add(time.Hour)
		w.wantForgotten("the grace period is over", 1)
		for _, m := range w.material(rotated.ID) {
			if sealed := m.Sealed != nil; sealed != (m.Version == 2) {
				t.Errorf("version %d: sealed is %v", m.Version, sealed)
			}
		}
		if n := len(w.material(rotated.ID)); n != 2 {
			t.Errorf("%d digests of the rotated key, want 2", n)
		}
		w.wantForgotten("again", 0)
		w.clock.Add(credential.DigestRetention - time.Hour - time.Microsecond)
		w.wantForgotten("a moment before", 0)
		w.organization(w.acme.RootOrg, "Any change") // so that the index is fresh
		w.want(index, "revoked", revoked.Secret, "", verify.Revoked)

		w.clock.Add(time.Hour + time.Microsecond)
		w.wantForgotten("after 90 days", 3)
		w.want(index, "forgotten", revoked.Secret, "", verify.NotFound)
		w.want(index, "of a deleted tenant", foreign.Secret, "", verify.NotFound)
		w.want(index, "living", living.Secret, "", verify.Valid)
		w.want(index, "rotated", next.Secret, "", verify.Valid)
		for _, left := range []struct {
			what string
			id   credential.ID
			want int
		}{{"revoked", revoked.ID, 0}, {"rotated", rotated.ID, 1}, {"living", living.ID, 1}, {"public keys", account.ID, 1}} {
			if n := len(w.material(left.id)); n != left.want {
				t.Errorf("%s: %d left, want %d", left.what, n, left.want)
			}
		}
		if e := w.lastEvent(w.acme.ID); e.Action != "api_key.forget_secrets" && e.Action != "organization_key.forget_secrets" {
			t.Errorf("the last event is %s", e.Action)
		}
		k, err := w.a.APIKey(ctx, w.super, authority.KeyInput{ID: revoked.ID})
		if err != nil || k.State != credential.Revoked {
			t.Errorf("the tombstone: %+v, %v", k, err)
		}
		w.wantForgotten("again", 0)
	})
}

func (w *world) wantForgotten(when string, want int) {
	w.Helper()
	if n, err := w.a.ForgetEnded(w.Context()); n != want || err != nil {
		w.Errorf("%s: forgot %d, %v; want %d", when, n, err, want)
	}
}

func (w *world) material(id credential.ID) (list []credential.Material) {
	w.Helper()
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) (err error) {
		list, err = tx.Material(id)
		return err
	}))
	return list
}
