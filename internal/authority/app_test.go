package authority_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// EE1, EE2, EE3, EE4, EE5, EE6: an app from its making to its end, by a company admin.
func TestApp(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		admin := w.member(w.acme.ID, "", "company", w.builtIn(w.acme.ID, access.RoleCompanyAdmin))
		a, err := w.a.CreateApp(ctx, admin, authority.CreateAppInput{Name: "Dashboards", APIs: []string{"recent_calls", "post_call_survey"}}) // EE1, EE2
		w.must(err)
		key, ok := (secret.Format{}).Parse(a.Key.Reveal())
		hidden, ok2 := (secret.Format{}).Parse(a.Secret.Reveal())
		if !ok || !ok2 || key.Type != secret.AppKey || hidden.Type != secret.AppSecret || key.ID != hidden.ID || credential.ID(key.ID) != a.Credential.ID {
			t.Errorf("key %v and secret %v are not one app's", key, hidden)
		}
		if a.Name != "Dashboards" || a.Credential.CreatedBy != admin.Principal || len(a.Chosen) != 2 || a.Chosen[0].DocumentationURL == "" { // EE4
			t.Errorf("app = %+v", a.App)
		}
		second, err := w.a.CreateApp(ctx, admin, authority.CreateAppInput{Name: "Dashboards", APIs: []string{"chapi_work_chat"}}) // EE3
		w.must(err)
		changed, err := w.a.ChangeApp(ctx, admin, authority.ChangeAppInput{ID: a.ID, APIs: &[]string{"contact_center_chat"}, Name: ptr("Chat"), Labels: &tenancy.Labels{ExternalID: "x-1"}})
		if err != nil || changed.APIs[0] != "contact_center_chat" || changed.Credential.Name != "Chat" || changed.Labels.ExternalID != "x-1" || changed.Revision == 0 { // B12
			t.Errorf("changed: %+v, %v", changed, err)
		}
		shown, err := w.a.RevealApp(ctx, w.confirmed(admin), authority.AppInput{ID: a.ID}) // EE5
		if err != nil || shown.Key.Reveal() != a.Key.Reveal() || shown.Secret.Reveal() != a.Secret.Reveal() {
			t.Errorf("revealed something else: %v", err)
		}
		list, err := w.a.Apps(ctx, admin, authority.AppsInput{})
		if err != nil || len(list.Items) != 2 {
			t.Errorf("list: %d apps, %v", len(list.Items), err)
		}
		gone, err := w.a.DeleteApp(ctx, admin, authority.AppInput{ID: a.ID}) // EE6
		if err != nil || gone.State != tenancy.Deleted || gone.Credential.State != credential.Revoked {
			t.Errorf("deleted: %+v, %v", gone, err)
		}
		if e := w.entries(); len(e) != 1 || e[0].CredentialID != a.Credential.ID.String() {
			t.Errorf("journal = %+v", e)
		}
		w.wantNothingSealed(a.Credential.ID)
		for name, do := range map[string]func() error{
			"read":   func() error { _, err := w.a.App(ctx, admin, authority.AppInput{ID: a.ID}); return err },
			"change": func() error { _, err := w.a.ChangeApp(ctx, admin, authority.ChangeAppInput{ID: a.ID}); return err },
			"rotate": func() error { _, err := w.a.RotateApp(ctx, admin, authority.RotateAppInput{ID: a.ID}); return err },
			"reveal": func() error {
				_, err := w.a.RevealApp(ctx, w.confirmed(admin), authority.AppInput{ID: a.ID})
				return err
			},
			"delete": func() error { _, err := w.a.DeleteApp(ctx, admin, authority.AppInput{ID: a.ID}); return err },
		} {
			w.refused(name+" a deleted app", problem.NotFound, "", do)
		}
		if _, err := w.a.App(ctx, admin, authority.AppInput{ID: second.ID}); err != nil {
			t.Errorf("the other app: %v", err)
		}
	})
}

// B3: both secrets are exchanged, and both of those before go on for the grace period.
func TestRotateApp(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		a := w.app()
		next, err := w.a.RotateApp(t.Context(), w.super, authority.RotateAppInput{ID: a.ID, Grace: time.Hour})
		w.must(err)
		if next.Key.Reveal() == a.Key.Reveal() || next.Secret.Reveal() == a.Secret.Reveal() || next.Credential.ID != a.Credential.ID ||
			next.Credential.SecretVersion != 2 || !next.Credential.GraceUntil.Equal(w.clock.Now().Add(time.Hour)) {
			t.Errorf("rotated: %+v", next.Credential)
		}
		shown, err := w.a.RevealApp(t.Context(), w.confirmed(w.super), authority.AppInput{ID: a.ID})
		if err != nil || shown.Key.Reveal() != next.Key.Reveal() || shown.Secret.Reveal() != next.Secret.Reveal() {
			t.Errorf("after rotation the new pair should be shown: %v", err)
		}
	})
}

// EE1: without the right there is no page; EE8: some APIs need a right of their own.
func TestWhoMayChooseAPIs(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		apps := w.someone(string(access.AppsManage))
		storage, assigned := w.someone(string(access.AppsManage), "storage_api:use"), w.someone("storage_api:use")
		create := func(c access.Caller, apis ...string) error {
			_, err := w.a.CreateApp(ctx, c, authority.CreateAppInput{Name: "a", APIs: apis})
			return err
		}
		w.must(create(apps, "recent_calls")) // they give what they don't hold themselves
		w.refused("the right, not the assignment", problem.Denied, "prerequisite_missing", func() error { return create(apps, "recent_calls", "call_recordings_storage") })
		w.refused("the assignment, not the right", problem.Denied, "permission_required", func() error { return create(assigned, "call_recordings_storage") })
		w.refused("a legacy API", problem.Invalid, "", func() error { return create(storage, "statistics") })
		w.refused("an unknown API", problem.Invalid, "", func() error { return create(storage, "nothing") })
		w.refused("an API twice", problem.Invalid, "", func() error { return create(storage, "recent_calls", "recent_calls") })
		w.refused("no API", problem.Invalid, "", func() error { return create(storage) })
		a, err := w.a.CreateApp(ctx, storage, authority.CreateAppInput{Name: "a", APIs: []string{"recent_calls", "call_recordings_storage"}})
		w.must(err)
		// Who could not have made it hands none of it out, but may take from it.
		w.refused("reveal", problem.Denied, "more_than_held", func() error {
			_, err := w.a.RevealApp(ctx, w.confirmed(apps), authority.AppInput{ID: a.ID})
			return err
		})
		w.refused("rotate", problem.Denied, "more_than_held", func() error {
			_, err := w.a.RotateApp(ctx, apps, authority.RotateAppInput{ID: a.ID})
			return err
		})
		w.refused("add to it", problem.Denied, "more_than_held", func() error {
			_, err := w.a.ChangeApp(ctx, apps, authority.ChangeAppInput{ID: a.ID, APIs: &[]string{"recent_calls", "call_recordings_storage", "post_call_survey"}})
			return err
		})
		_, err = w.a.ChangeApp(ctx, apps, authority.ChangeAppInput{ID: a.ID, APIs: &[]string{"recent_calls"}})
		w.must(err)
		w.refused("choose it again", problem.Denied, "prerequisite_missing", func() error {
			_, err := w.a.ChangeApp(ctx, apps, authority.ChangeAppInput{ID: a.ID, APIs: &[]string{"recent_calls", "call_recordings_storage"}})
			return err
		})
		for name, c := range map[string]struct {
			caller access.Caller
			want   bool
		}{"without": {apps, false}, "with the assignment": {storage, true}} {
			view, err := w.a.Catalog(ctx, c.caller, authority.CatalogInput{})
			w.must(err)
			found := false
			for _, key := range view.Choosable {
				found = found || key == "call_recordings_storage"
			}
			if found != c.want || len(view.Choosable) < 5 || len(view.Groups) == 0 {
				t.Errorf("%s: choosable %v", name, view.Choosable)
			}
		}
	})
}

// Deeper managers of apps work where they are, and nowhere else.
func TestAppsInTheTree(t *testing.T) {
	engines(t, func(w *world) {
		deep := w.someone()
		w.assign(w.acme.ID, userOf(deep), w.role("Apps of the north", string(access.AppsManage)), w.north.ID)
		at := func(org tenancy.OrgID) error {
			_, err := w.a.CreateApp(w.Context(), deep, authority.CreateAppInput{OrganizationID: org, Name: "a", APIs: []string{"recent_calls"}})
			return err
		}
		w.must(at(w.team.ID))
		w.refused("above", problem.Denied, "permission_required", func() error { return at("") })
		w.refused("beside", problem.Denied, "permission_required", func() error { return at(w.south.ID) })
		list, err := w.a.Apps(w.Context(), deep, authority.AppsInput{})
		if err != nil || len(list.Items) != 1 {
			w.Errorf("list: %d, %v", len(list.Items), err)
		}
	})
}

// EE4: the catalogue is the vendor's; what changes in it is audited by name.
func TestCatalog(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		before, err := w.a.Catalog(ctx, w.super, authority.CatalogInput{})
		w.must(err)
		next := catalog.Demo()
		next.Groups[0].APIs = slices.Delete(next.Groups[0].APIs, 2, 3)
		next.Groups[0].APIs[1].Name = "Recordings"
		next.Groups = append(next.Groups, catalog.Group{Key: "extra", Name: "Extra"})
		changed, err := w.a.ChangeCatalog(ctx, w.system, authority.ChangeCatalogInput{Catalog: next, Revision: &before.Revision})
		w.must(err)
		if changed.Revision <= before.Revision {
			t.Errorf("revision %d after %d", changed.Revision, before.Revision)
		}
		e := w.lastEvent(tenancy.SystemTenantID)
		want := `{"added_groups":["extra"],"changed_apis":["call_recordings_storage"],"changed_groups":["analytics_content"],"removed_apis":["post_call_survey"],"revision":`
		if got := string(e.After); len(got) < len(want) || !cmp.Equal(got[:len(want)], want) {
			t.Errorf("event: %s", got)
		}
		w.refused("an edit of an older one", problem.Conflict, "changed_meanwhile", func() error {
			_, err := w.a.ChangeCatalog(ctx, w.system, authority.ChangeCatalogInput{Catalog: next, Revision: &before.Revision})
			return err
		})
		next.Groups[0].Key = "!"
		w.refused("an invalid one", problem.Invalid, "", func() error {
			_, err := w.a.ChangeCatalog(ctx, w.system, authority.ChangeCatalogInput{Catalog: next})
			return err
		})
	})
}
