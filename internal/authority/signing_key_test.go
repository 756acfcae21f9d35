package authority_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
)

// signingKeys are all of them, as the store has them.
func (w *world) signingKeys() (list []token.SigningKey) {
	w.Helper()
	w.must(w.store.Read(w.Context(), tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		list, err = tx.AllTenantsSigningKeys()
		return err
	}))
	return list
}

// ring has the keys that the feed would bring.
func (w *world) ring() *token.Ring {
	w.Helper()
	r := token.NewRing(token.Config{Issuer: "https://keys.example", Open: func(id string, sealed []byte) (secret.Secret, error) {
		return w.a.OpenSigningKey(context.Background(), id, sealed)
	}})
	w.must(r.Replace(w.signingKeys()))
	return r
}

func (w *world) signed(r *token.Ring) string {
	w.Helper()
	now := w.clock.Now()
	raw, err := r.Sign(token.Claims{
		Use: token.Access, ID: "tok_1", Subject: "app_1", ClientID: "crd_0123456789AB", Credential: [12]byte([]byte("0123456789AB")), SecretVersion: 1,
		Tenant: w.acme.ID, Scope: []access.Permission{"calls:read"}, IssuedAt: now, ExpiresAt: now.Add(tenancy.MaxTokenLifetime),
	})
	w.must(err)
	return raw
}

func (w *world) keepSigningKeys(alg token.Algorithm) {
	w.Helper()
	w.must(w.a.KeepSigningKeys(w.Context(), alg))
}

// A key takes over an hour after it was published, and the one before proves as long as its
// last token lives.
func TestSigningKeysRotate(t *testing.T) {
	engines(t, func(w *world) {
		w.keepSigningKeys(token.ES256)
		w.keepSigningKeys(token.ES256)
		first := w.signingKeys()
		if len(first) != 1 || first[0].Algorithm != token.ES256 || !first[0].VerifiesUntil.IsZero() || len(first[0].Sealed) == 0 {
			t.Fatalf("at first: %+v", first)
		}
		old := w.signed(w.ring())
		w.clock.Add(90 * 24 * time.Hour)
		w.keepSigningKeys(token.ES256)
		list := w.signingKeys()
		now := w.clock.Now().Truncate(time.Microsecond)
		if len(list) != 2 || !list[1].SignsFrom.Equal(now.Add(time.Hour)) || !list[0].VerifiesUntil.Equal(now.Add(3*time.Hour+10*time.Minute)) {
			t.Fatalf("after 90 days: %+v", list)
		}
		last := w.signed(w.ring())
		if p, _ := token.Parse(last); p.KeyID != list[0].ID {
			t.Error("the new key signs before it is known")
		}
		w.clock.Add(time.Hour)
		r := w.ring()
		if p, _ := token.Parse(w.signed(r)); p.KeyID != list[1].ID {
			t.Error("the new key does not sign")
		}
		if _, ok := r.Read(last, w.clock.Now()); !ok {
			t.Error("a token of the key before is refused")
		}
		if _, ok := r.Read(old, w.clock.Now()); ok {
			t.Error("a token of three months ago is read")
		}
		w.clock.Add(3 * time.Hour)
		w.keepSigningKeys(token.ES256)
		if list = w.signingKeys(); len(list) != 1 || list[0].Algorithm != token.ES256 {
			t.Errorf("in the end: %+v", list)
		}
		w.keepSigningKeys(token.RS256)
		if list = w.signingKeys(); len(list) != 2 || list[1].Algorithm != token.RS256 {
			t.Errorf("another algorithm: %+v", list)
		}
		_, err := w.a.RotateSigningKey(w.Context(), w.system, authority.RotateSigningKeyInput{})
		if !problem.Is(err, problem.Conflict) {
			t.Errorf("a rotation while one is under way: %v", err)
		}
		_, err = w.a.RotateSigningKey(w.Context(), w.system, authority.RotateSigningKeyInput{Algorithm: "HS256"})
		if !problem.Is(err, problem.Invalid) {
			t.Errorf("an algorithm that signs nothing here: %v", err)
		}
	})
}

// A key that was withdrawn proves nothing more, and another signs in its place; the private
// halves open under their own IDs only.
func TestSigningKeysAreWithdrawn(t *testing.T) {
	engines(t, func(w *world) {
		w.keepSigningKeys(token.ES256)
		raw := w.signed(w.ring())
		first := w.signingKeys()[0]
		gone, err := w.a.WithdrawSigningKey(w.Context(), w.system, authority.WithdrawSigningKeyInput{ID: first.ID})
		w.must(err)
		list := w.signingKeys()
		if gone.ID != first.ID || gone.Sealed != nil || len(list) != 1 || list[0].ID == first.ID {
			t.Fatalf("left: %+v", list)
		}
		r := w.ring()
		if _, ok := r.Read(raw, w.clock.Now()); ok {
			t.Error("its token is read")
		}
		w.signed(r)
		if _, err := w.a.OpenSigningKey(w.Context(), first.ID, list[0].Sealed); err == nil {
			t.Error("opened under another ID")
		}
		next, err := w.a.RotateSigningKey(w.Context(), w.system, authority.RotateSigningKeyInput{})
		w.must(err)
		_, err = w.a.WithdrawSigningKey(w.Context(), w.system, authority.WithdrawSigningKeyInput{ID: list[0].ID})
		w.must(err)
		list = w.signingKeys()
		if len(list) != 2 || list[1].ID != next.ID || list[0].VerifiesUntil.IsZero() {
			t.Errorf("withdrawn while the next was about to take over: %+v", list)
		}
		w.signed(w.ring())
		_, err = w.a.WithdrawSigningKey(w.Context(), w.system, authority.WithdrawSigningKeyInput{ID: next.ID})
		w.must(err)
		w.keepSigningKeys(token.ES256) // the one left has an end, so another must follow
		if list = w.signingKeys(); len(list) != 2 || !list[1].VerifiesUntil.IsZero() {
			t.Errorf("after the next was withdrawn: %+v", list)
		}
		_, err = w.a.WithdrawSigningKey(w.Context(), w.system, authority.WithdrawSigningKeyInput{ID: "unknown"})
		if !problem.Is(err, problem.NotFound) {
			t.Errorf("unknown: %v", err)
		}
		shown, err := w.a.SigningKeys(w.Context(), w.system, authority.SigningKeysInput{})
		w.must(err)
		if slices.ContainsFunc(shown, func(k token.SigningKey) bool { return k.Sealed != nil }) {
			t.Error("the list shows private halves")
		}
	})
}
