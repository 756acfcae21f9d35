package authority_test

import (
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// keyManager may make organization keys, at the organization given.
func (w *world) keyManager(at tenancy.OrgID) access.Caller {
	w.Helper()
	names++
	role := w.role("Customer Administrator "+string(rune('a'+names%26))+string(rune('a'+names/26%26)), string(access.OrganizationKeysGenerate))
	c := w.someone()
	w.assign(w.acme.ID, userOf(c), role, at)
	return c
}

// NV1: organization keys are for customer administrators at system or tenant level.
func TestOrganizationKeysAreForTheTop(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		top, deep := w.keyManager(w.acme.RootOrg), w.keyManager(w.north.ID)
		for name, c := range map[string]access.Caller{"tenant level": top, "system level": w.system} {
			k, err := w.a.IssueOrganizationKey(ctx, c, authority.IssueOrganizationKeyInput{OrganizationID: w.team.ID, Name: "k"})
			if err != nil || k.OrganizationID != w.team.ID || k.Principal != (access.Principal{Type: access.PrincipalOrganization, ID: string(w.team.ID)}) {
				t.Errorf("%s: %+v, %v", name, k.Key, err)
			}
		}
		k := w.organizationKey(w.team.ID)
		for name, do := range map[string]func() error{
			"issue": func() error {
				_, err := w.a.IssueOrganizationKey(ctx, deep, authority.IssueOrganizationKeyInput{OrganizationID: w.team.ID, Name: "k"})
				return err
			},
			"read": func() error { _, err := w.a.APIKey(ctx, deep, authority.KeyInput{ID: k.ID}); return err },
			"list": func() error {
				_, err := w.a.APIKeys(ctx, deep, authority.KeysInput{At: w.team.ID, Kinds: []credential.Kind{credential.OrganizationKey}})
				return err
			},
			"revoke": func() error { _, err := w.a.RevokeAPIKey(ctx, deep, authority.KeyInput{ID: k.ID}); return err },
			"reveal": func() error {
				_, err := w.a.RevealKey(ctx, w.confirmed(deep), authority.KeyInput{ID: k.ID})
				return err
			},
			"issue without a name for the place": func() error {
				_, err := w.a.IssueOrganizationKey(ctx, deep, authority.IssueOrganizationKeyInput{Name: "k"})
				return err
			},
		} {
			w.refused(name+" by a deeper administrator", problem.Denied, "permission_required", do)
		}
		w.refused("no organization", problem.Invalid, "", func() error {
			_, err := w.a.IssueOrganizationKey(ctx, top, authority.IssueOrganizationKeyInput{Name: "k"})
			return err
		})
	})
}

// NV6, NV7: who may see both kinds sees both, each within the place asked for.
func TestKeysOfBothKinds(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		user, org, elsewhere := w.key(w.super), w.organizationKey(w.team.ID), w.organizationKey(w.south.ID)
		list := func(c access.Caller, in authority.KeysInput) (ids string) {
			t.Helper()
			got, err := w.a.APIKeys(t.Context(), c, in)
			w.must(err)
			for _, k := range got.Items {
				for name, known := range map[string]credential.ID{"user ": user.ID, "org ": org.ID, "elsewhere ": elsewhere.ID} {
					if k.ID == known {
						ids += name
					}
				}
			}
			return ids
		}
		page := store.Page{Sort: "created_at"}
		for _, c := range []struct {
			name   string
			caller access.Caller
			in     authority.KeysInput
			want   string
		}{
			{"all", w.super, authority.KeysInput{Page: page}, "user org elsewhere "},
			{"at and below", w.super, authority.KeysInput{At: w.north.ID, Page: page}, "org "},
			{"one kind", w.super, authority.KeysInput{Kinds: []credential.Kind{credential.UserKey}, Page: page}, "user "},
			{"by the organization's name", w.super, authority.KeysInput{Search: "sout", Page: page}, "elsewhere "},
			{"who may not see one kind", w.holder, authority.KeysInput{Page: page}, "user "},
			{"who may see the other only", w.keyManager(w.acme.RootOrg), authority.KeysInput{Page: page}, "org elsewhere "},
			{"as of before the last", w.super, authority.KeysInput{AsOf: org.Revision, Page: page}, "user org "},
		} {
			if got := list(c.caller, c.in); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
		count, err := w.a.CountAPIKeys(t.Context(), w.super, authority.KeysInput{At: w.north.ID})
		if err != nil || count.Count != 1 || count.Revision < elsewhere.Revision {
			t.Errorf("count = %+v, %v", count, err)
		}
	})
}

// NV10, NV13: a year unless asked otherwise; name and end can be changed within policy.
func TestOrganizationKeyEnds(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.organizationKey(w.north.ID)
		if want := w.clock.Now().AddDate(1, 0, 0); !k.ExpiresAt.Equal(want) {
			t.Errorf("it ends at %v, want %v", k.ExpiresAt, want)
		}
		later := w.clock.Now().AddDate(2, 0, 0)
		changed, err := w.a.ChangeOrganizationKey(ctx, w.super, authority.ChangeKeyInput{ID: k.ID, Name: ptr("front desk"), ExpiresAt: &later})
		if err != nil || changed.Name != "front desk" || !changed.ExpiresAt.Equal(later) || changed.Revision == 0 {
			t.Errorf("changed: %+v, %v", changed, err)
		}
		policy := tenancy.Policy{MaxLifetime: map[string]time.Duration{"organization_key": 100 * 24 * time.Hour}}
		_, err = w.a.ChangeTenant(ctx, w.super, authority.ChangeTenantInput{ID: w.acme.ID, Policy: &policy})
		w.must(err)
		w.clock.Add(50 * 24 * time.Hour)
		for name, ends := range map[string]time.Time{
			"never": {}, "beyond the policy from the making on": w.clock.Now().Add(90 * 24 * time.Hour), "the past": w.clock.Now().Add(-time.Hour),
		} {
			w.refused(name, problem.Invalid, "", func() error {
				_, err := w.a.ChangeOrganizationKey(ctx, w.super, authority.ChangeKeyInput{ID: k.ID, ExpiresAt: &ends})
				return err
			})
		}
		_, err = w.a.ChangeOrganizationKey(ctx, w.super, authority.ChangeKeyInput{ID: k.ID, ExpiresAt: ptr(w.clock.Now().Add(40 * 24 * time.Hour))})
		w.must(err)
		w.clock.Add(41 * 24 * time.Hour)
		w.refused("bring an expired key back", problem.Conflict, "expired", func() error { // NV12
			_, err := w.a.ChangeOrganizationKey(ctx, w.super, authority.ChangeKeyInput{ID: k.ID, ExpiresAt: ptr(w.clock.Now().Add(time.Hour))})
			return err
		})
		w.refused("reveal an expired key", problem.Conflict, "ended", func() error {
			_, err := w.a.RevealKey(ctx, w.confirmed(w.super), authority.KeyInput{ID: k.ID})
			return err
		})
	})
}

// NV13, NV14: the whole key again, for a person who has just confirmed who they are.
func TestReveal(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		k := w.organizationKey(w.north.ID)
		shown, err := w.a.RevealKey(ctx, w.confirmed(w.super), authority.KeyInput{ID: k.ID})
		w.must(err)
		if shown.Secret.Reveal() != k.Secret.Reveal() || shown.ID != k.ID {
			t.Error("another secret came back")
		}
		if e := w.lastEvent(w.acme.ID); e.Action != "organization_key.reveal" || strings.Contains(string(e.After), k.Secret.Reveal()) {
			t.Errorf("event %s %s", e.Action, e.After)
		}
		next, err := w.a.RotateAPIKey(ctx, w.super, authority.RotateKeyInput{ID: k.ID, Grace: time.Hour})
		w.must(err)
		again, err := w.a.RevealKey(ctx, w.confirmed(w.super), authority.KeyInput{ID: k.ID})
		w.must(err)
		if again.Secret.Reveal() != next.Secret.Reveal() || next.Secret.Reveal() == k.Secret.Reveal() {
			t.Error("after rotation the new secret should be shown")
		}
		late, ahead := w.confirmed(w.super), w.confirmed(w.super)
		late.ReauthenticatedAt = w.clock.Now().Add(-5*time.Minute - time.Second)
		ahead.ReauthenticatedAt = w.clock.Now().Add(time.Hour)
		byKey := with(w.confirmed(w.super), w.key(w.super))
		installation := authority.SystemCaller()
		installation.ReauthenticatedAt = w.clock.Now()
		for name, c := range map[string]access.Caller{
			"a moment too late": late, "from the future": ahead, "by a credential": byKey, "by the installation": installation, "never": w.super,
		} {
			w.refused(name, problem.Denied, "reauthentication_required", func() error {
				_, err := w.a.RevealKey(ctx, c, authority.KeyInput{ID: k.ID})
				return err
			})
		}
		user := w.key(w.super)
		w.refused("a user key", problem.Conflict, "not_recoverable", func() error {
			_, err := w.a.RevealKey(ctx, w.confirmed(w.super), authority.KeyInput{ID: user.ID})
			return err
		})
		_, err = w.a.RevokeAPIKey(ctx, w.super, authority.KeyInput{ID: k.ID})
		w.must(err)
		w.refused("a revoked key", problem.Conflict, "ended", func() error {
			_, err := w.a.RevealKey(ctx, w.confirmed(w.super), authority.KeyInput{ID: k.ID})
			return err
		})
		w.wantNothingSealed(k.ID)
	})
}

// wantNothingSealed fails when a form is left from which a secret could be recovered.
func (w *world) wantNothingSealed(id credential.ID) {
	w.Helper()
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
		material, err := tx.Material(id)
		for _, m := range material {
			if m.Sealed != nil {
				w.Errorf("version %d of %s is still sealed", m.Version, m.Field)
			}
		}
		return err
	}))
}

// What is sealed opens for nothing else: not in another row, not in another tenant.
func TestSealedSecretsAreBound(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		a, b := w.organizationKey(w.north.ID), w.organizationKey(w.north.ID)
		for _, k := range []authority.IssuedKey{a, b} {
			w.must(w.store.Read(t.Context(), w.acme.ID, func(tx *store.Tx) error {
				material, err := tx.Material(k.ID)
				if err == nil && (len(material) != 1 || strings.Contains(string(material[0].Sealed), k.Secret.Reveal()) || material[0].Sealed == nil) {
					t.Error("the secret should be kept, and sealed")
				}
				return err
			}))
		}
		in := "(SELECT row_id FROM credentials WHERE id = '" + a.ID.String()[4:] + "')"
		w.exec("UPDATE credential_secrets SET sealed = (SELECT sealed FROM credential_secrets WHERE row_id = (SELECT row_id FROM credentials WHERE id = '" +
			b.ID.String()[4:] + "')) WHERE row_id = " + in)
		if _, err := w.a.RevealKey(t.Context(), w.confirmed(w.super), authority.KeyInput{ID: a.ID}); err == nil {
			t.Error("a secret that was moved to another row opened there")
		}
		if _, err := w.a.RevealKey(t.Context(), w.confirmed(w.super), authority.KeyInput{ID: b.ID}); err != nil {
			t.Errorf("the untouched one: %v", err)
		}
	})
}

// A deleted tenant's secrets never open again.
func TestTenantsKeyset(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		keyset := func(id tenancy.TenantID) (wrapped []byte) {
			_ = w.store.Read(t.Context(), id, func(tx *store.Tx) (err error) {
				wrapped, err = tx.TenantKeyset()
				return err
			})
			return wrapped
		}
		if keyset(w.acme.ID) != nil {
			t.Error("a tenant has a keyset before it needs one")
		}
		w.organizationKey(w.north.ID)
		first := keyset(w.acme.ID)
		w.organizationKey(w.north.ID)
		if first == nil || string(keyset(w.acme.ID)) != string(first) {
			t.Error("a tenant should get one keyset, and keep it")
		}
		_, err := w.a.DeleteTenant(t.Context(), w.system, authority.TenantInput{ID: w.acme.ID})
		w.must(err)
		if keyset(w.acme.ID) != nil {
			t.Error("a deleted tenant's keyset is still there")
		}
	})
}

// People do not arrive under an organization key by someone who could not have made it.
func TestMovingUnderOrganizationKeys(t *testing.T) {
	engines(t, func(w *world) {
		mover := w.someone(string(access.OrganizationsManage))
		k := w.organizationKey(w.south.ID)
		move := func(c access.Caller) error {
			_, err := w.a.ChangeOrganization(w.Context(), c, authority.ChangeOrganizationInput{ID: w.team.ID, Parent: &w.south.ID})
			return err
		}
		w.refused("move under a key", problem.Denied, "permission_required", func() error { return move(mover) })
		_, err := w.a.RevokeAPIKey(w.Context(), w.super, authority.KeyInput{ID: k.ID})
		w.must(err)
		w.must(move(mover))
	})
}
