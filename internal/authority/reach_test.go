package authority_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/verify"
)

// follow lets an index follow the world's changes as a node's does: they are acknowledged
// when the index has applied them.
func (w *world) follow() *verify.Index {
	w.Helper()
	peppers, err := secret.NewPeppers(1, map[int][]byte{1: bytes.Repeat([]byte("p"), 32)})
	w.must(err)
	index := verify.New(verify.Config{Source: w.store, Peppers: peppers, Now: w.clock.Now})
	ran := make(chan error, 1)
	ctx := w.Context()
	go func() { ran <- index.Run(ctx) }()
	w.Cleanup(func() {
		if err := <-ran; !errors.Is(err, context.Canceled) {
			w.Errorf("the index stopped: %v", err)
		}
	})
	w.config.Applied = index.Applied
	w.a = w.another()
	// The first change is applied when the snapshot is there.
	_, err = w.a.ChangeOrganization(ctx, authority.SystemCaller(), authority.ChangeOrganizationInput{ID: w.south.ID, Name: ptr("South")})
	w.must(err)
	return index
}

// want asks the index and fails unless the verdict is the code.
func (w *world) want(index *verify.Index, what string, key secret.Secret, permissions string, code verify.Code) {
	w.Helper()
	r, err := index.Verify(&verify.Request{Credential: key.Reveal(), Permissions: permissions})
	if err != nil || r.Code != code {
		w.Errorf("%s: %v, %v, want %v", what, r.Code, err, code)
	}
}

// EE3, EE6, EE8, PV10, VC7: whatever is changed, verification knows it when the change returns.
func TestChangesReachVerificationAtOnce(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		index := w.follow()
		a := w.app("recent_calls")
		w.want(index, "an app", a.Key, "recent_calls:read", verify.Valid)
		w.want(index, "an API that was not chosen", a.Key, "surveys:read", verify.InsufficientPermissions)
		_, err := w.a.ChangeApp(ctx, w.super, authority.ChangeAppInput{ID: a.ID, APIs: &[]string{"post_call_survey"}})
		w.must(err)
		w.want(index, "chosen now", a.Key, "surveys:read", verify.Valid)
		w.want(index, "not chosen any more", a.Key, "recent_calls:read", verify.InsufficientPermissions)
		w.changeCatalog(func(c *catalog.Catalog) { c.Groups[0].APIs[2].Permissions = []access.Permission{"surveys:list"} })
		w.want(index, "the API is something else", a.Key, "surveys:read", verify.InsufficientPermissions)
		w.want(index, "the API as it is", a.Key, "surveys:list", verify.Valid)
		_, err = w.a.SuspendApp(ctx, w.super, authority.AppInput{ID: a.ID})
		w.must(err)
		w.want(index, "suspended", a.Key, "", verify.Suspended)
		_, err = w.a.ResumeApp(ctx, w.super, authority.AppInput{ID: a.ID})
		w.must(err)
		next, err := w.a.RotateApp(ctx, w.super, authority.RotateAppInput{ID: a.ID})
		w.must(err)
		w.want(index, "the key before", a.Key, "", verify.NotFound)
		w.want(index, "the key after", next.Key, "", verify.Valid)
		_, err = w.a.DeleteApp(ctx, w.super, authority.AppInput{ID: a.ID})
		w.must(err)
		w.want(index, "deleted", next.Key, "", verify.Revoked)

		user, account, org := w.key(w.holder), w.accountKey(), w.organizationKey(w.team.ID)
		w.want(index, "a role", user.Secret, "recordings:read", verify.Valid)
		given, err := w.a.Assignments(ctx, w.super, authority.AssignmentsInput{Principal: w.holder.Principal})
		w.must(err)
		_, err = w.a.ChangeRole(ctx, w.super, authority.ChangeRoleInput{ID: given.Items[0].RoleID, Permissions: &[]access.Grant{"recordings:write"}})
		w.must(err)
		w.want(index, "the role is something else", user.Secret, "recordings:read", verify.InsufficientPermissions)
		w.want(index, "a legacy API by a user key", user.Secret, "statistics:read", verify.WrongKind)
		w.want(index, "a legacy API by an account key", account.Secret, "statistics:read", verify.Valid)
		w.want(index, "an organization key", org.Secret, string(access.SignInAutomatic), verify.Valid)
		w.want(index, "an organization key for anything else", org.Secret, "recordings:read", verify.InsufficientPermissions)
		_, err = w.a.SuspendOrganization(ctx, w.super, authority.OrganizationInput{ID: w.north.ID})
		w.must(err)
		w.want(index, "an organization above is suspended", org.Secret, "", verify.Suspended)
		w.licence(w.super, "admin")
		client := w.client(w.super)
		w.want(index, "a client secret", client.Secret, "", verify.NotFound)

		_, err = w.a.ChangeTenant(ctx, w.system, authority.ChangeTenantInput{ID: w.acme.ID, PlanID: &w.starter}) // PV4
		w.must(err)
		w.want(index, "the plan has no API access", account.Secret, "", verify.Forbidden)
		_, err = w.a.DeleteTenant(ctx, w.system, authority.TenantInput{ID: w.acme.ID})
		w.must(err)
		if r, err := index.Verify(&verify.Request{Credential: user.Secret.Reveal()}); err != nil || r.Code == verify.Valid {
			w.Errorf("the tenant is deleted: %v, %v", r.Code, err)
		}
	})
}

func (w *world) changeCatalog(edit func(*catalog.Catalog)) {
	w.Helper()
	c := catalog.Demo()
	edit(&c)
	_, err := w.a.ChangeCatalog(w.Context(), w.system, authority.ChangeCatalogInput{Catalog: c})
	w.must(err)
}

// NV3: what a bulk operation has revoked, verification refuses.
func TestBulkReachesVerification(t *testing.T) {
	engines(t, func(w *world) {
		index := w.follow()
		keys := []authority.IssuedKey{w.key(w.super), w.key(w.super), w.key(w.super)}
		o := w.bulk(w.super, authority.BulkKeysInput{Action: authority.BulkRevoke, IDs: []credential.ID{keys[0].ID, keys[1].ID}})
		w.must(w.a.WorkOperations(w.Context()))
		if o = w.operation(o); o.FailedTotal != 0 {
			w.Errorf("failed: %+v", o.Failed)
		}
		w.want(index, "the first", keys[0].Secret, "", verify.Revoked)
		w.want(index, "the second", keys[1].Secret, "", verify.Revoked)
		w.want(index, "the one left out", keys[2].Secret, "", verify.Valid)
	})
}
