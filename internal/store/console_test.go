package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// onEngines runs a test on two tenants, a and b, of a new store of each engine.
func onEngines(t *testing.T, run func(t *testing.T, s *store.Store, a, b storetest.Fixture)) {
	t.Helper()
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a", "b")
			run(t, s, f[0], f[1])
		})
	}
}

// Names come for what a tenant has, of any type and many at once, and never for another's.
func TestNames(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, a, b storetest.Fixture) {
		t.Helper()
		app, account := a.App(), a.ServiceAccount()
		storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error {
			return errors.Join(tx.InsertApp(app), tx.InsertServiceAccount(account))
		})
		asked := []access.Principal{
			a.Principal(), b.Principal(),
			{Type: access.PrincipalApp, ID: string(app.ID)},
			{Type: access.PrincipalServiceAccount, ID: string(account.ID)},
			{Type: access.PrincipalOrganization, ID: string(a.Below.ID)},
			{Type: access.PrincipalTenant, ID: string(a.Tenant.ID)},
			{Type: access.PrincipalUser, ID: string(app.ID)},
			{Type: access.PrincipalUser, ID: "usr_\x00"},
			{},
		}
		for i := range 1200 { // more than one query asks for
			asked = append(asked, access.Principal{Type: access.PrincipalUser, ID: fmt.Sprint("usr_", i)})
		}
		storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
			got, err := tx.Names(asked)
			want := map[access.Principal]store.Named{
				asked[0]: {Name: a.User.Username, DisplayName: a.User.DisplayName}, asked[2]: {Name: app.Name},
				asked[3]: {Name: account.Email}, asked[4]: {Name: a.Below.Name},
			}
			if d := cmp.Diff(want, got); d != "" || err != nil {
				t.Errorf("%v\n%s", err, d)
			}
			places, err := tx.OrganizationNames([]tenancy.OrgID{a.Root.ID, a.Below.ID, a.Below.ID, b.Root.ID, "", "org_\xff"})
			if d := cmp.Diff(map[tenancy.OrgID]string{a.Root.ID: a.Root.Name, a.Below.ID: a.Below.Name}, places); d != "" || err != nil {
				t.Errorf("%v\n%s", err, d)
			}
			held, err := tx.AssignmentsOfAll(access.PrincipalUser, []string{string(a.User.ID), string(b.User.ID), "usr_\xff"})
			if d := cmp.Diff(map[string][]access.Assignment{string(a.User.ID): {a.Assignment}}, held); d != "" || err != nil {
				t.Errorf("%v\n%s", err, d)
			}
			holders, err := tx.CountHolders()
			if d := cmp.Diff(map[access.RoleID]int64{a.Role.ID: 1}, holders); d != "" || err != nil {
				t.Errorf("%v\n%s", err, d)
			}
			return nil
		})
	})
}

// counted is tenant a with twelve keys of two kinds at two places.
func counted(t *testing.T, s *store.Store, a storetest.Fixture) {
	t.Helper()
	storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error {
		for i := range 12 {
			c, m := a.Key(i, fmt.Sprintf("Key %d", i))
			c.LastUsedAt = storetest.Epoch.Add(-time.Duration(i) * 24 * time.Hour) // 0 to 11 days ago
			c.ExpiresAt = storetest.Epoch.Add(time.Duration(i-1) * 10 * 24 * time.Hour)
			switch {
			case i%3 == 0:
				c.Kind, c.OrganizationID = credential.OrganizationKey, a.Below.ID
			case i == 4:
				c.State, c.EndedAt = credential.Revoked, storetest.Epoch
			case i == 5:
				c.State, c.EndedAt, c.DeletedAt = credential.Revoked, storetest.Epoch, storetest.Epoch
			case i == 7:
				c.ExpiresAt, c.LastUsedAt = time.Time{}, time.Time{}
			case i == 8:
				c.State = credential.Suspended
			}
			if err := tx.InsertCredential(c, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// Counts for a bulk change are exact: by kind, used lately, expiring soon.
func TestCountCredentialsBy(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, a, b storetest.Fixture) {
		t.Helper()
		counted(t, s, a)
		const week, month = 7 * 24 * time.Hour, 30 * 24 * time.Hour
		for name, row := range map[string]struct {
			filter store.CredentialFilter
			want   store.CredentialCounts
		}{
			// Keys 0, 3, 6, 9 are the organization's; 5 is deleted. Key n was used n days ago and ends (n-1)*10 days from now.
			"all": {store.CredentialFilter{}, store.CredentialCounts{
				Total: 11, Kinds: map[credential.Kind]int64{credential.UserKey: 7, credential.OrganizationKey: 4},
				Used: 6, Expiring: 2, // 0-4 and 6; 2 and 3, for 4 is revoked
			}},
			"below": {store.CredentialFilter{At: a.Below.ID}, store.CredentialCounts{
				Total: 4, Kinds: map[credential.Kind]int64{credential.OrganizationKey: 4}, Used: 3, Expiring: 1,
			}},
			"one owner's": {
				store.CredentialFilter{Owner: &access.Principal{Type: access.PrincipalUser, ID: string(a.User.ID)}, Kinds: []credential.Kind{credential.UserKey}},
				store.CredentialCounts{Total: 7, Kinds: map[credential.Kind]int64{credential.UserKey: 7}, Used: 3, Expiring: 1},
			},
			"a name":    {store.CredentialFilter{Search: "key 1"}, store.CredentialCounts{Total: 3, Kinds: map[credential.Kind]int64{credential.UserKey: 3}, Used: 1}},
			"expired":   {store.CredentialFilter{States: []credential.State{credential.Revoked}}, store.CredentialCounts{Total: 1, Kinds: map[credential.Kind]int64{credential.UserKey: 1}, Used: 1}},
			"no such":   {store.CredentialFilter{Search: "nothing"}, store.CredentialCounts{Kinds: map[credential.Kind]int64{}}},
			"too early": {store.CredentialFilter{AsOf: 1}, store.CredentialCounts{Kinds: map[credential.Kind]int64{}}},
		} {
			storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
				got, err := tx.CountCredentialsBy(row.filter, storetest.Epoch.Add(-week), storetest.Epoch, storetest.Epoch.Add(month))
				if d := cmp.Diff(row.want, got); d != "" || err != nil {
					t.Errorf("%s: %v\n%s", name, err, d)
				}
				return nil
			})
		}
		storetest.MustRead(t, s, b.Tenant.ID, func(tx *store.Tx) error {
			got, err := tx.CountCredentialsBy(store.CredentialFilter{}, storetest.Epoch, storetest.Epoch, storetest.Epoch)
			if got.Total != 0 {
				t.Errorf("another tenant counts %+v", got)
			}
			return err
		})
	})
}

// What there is at an organization and below, without what has ended.
func TestInventory(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, a, b storetest.Fixture) {
		t.Helper()
		counted(t, s, a)
		app, account := a.App(), a.ServiceAccount()
		gone := app
		gone.ID, gone.State, gone.Labels = "app_gone", tenancy.Deleted, tenancy.Labels{}
		storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error {
			return errors.Join(tx.InsertApp(app), tx.InsertApp(gone), tx.InsertServiceAccount(account))
		})
		storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
			root, err := tx.Inventory(a.Root.ID)
			want := store.Inventory{Organizations: 1, Users: 1, ServiceAccounts: 1, Apps: 1, Assignments: 1, Credentials: map[credential.Kind]int64{
				credential.UserKey: 6, credential.OrganizationKey: 4,
			}}
			if d := cmp.Diff(want, root); d != "" || err != nil {
				t.Errorf("root: %v\n%s", err, d)
			}
			below, err := tx.Inventory(a.Below.ID)
			want = store.Inventory{Apps: 1, Credentials: map[credential.Kind]int64{credential.OrganizationKey: 4}}
			if d := cmp.Diff(want, below); d != "" || err != nil {
				t.Errorf("below: %v\n%s", err, d)
			}
			// Without those that are suspended or at their end by the clock.
			active, err := tx.ActiveCredentials(storetest.Epoch)
			if d := cmp.Diff(map[credential.Kind]int64{credential.UserKey: 4, credential.OrganizationKey: 3}, active); d != "" || err != nil {
				t.Errorf("active: %v\n%s", err, d)
			}
			if _, err := tx.Inventory(b.Root.ID); err == nil {
				t.Error("another tenant's organization is counted")
			}
			return nil
		})
	})
}

// Usage of a tenant is summed by hours and days, of all or of a part of the tree, and the
// most used come first (B5).
func TestUsageSums(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, a, b storetest.Fixture) {
		t.Helper()
		counted(t, s, a)
		c, m := b.Key(99, "Other")
		storetest.MustWrite(t, s, b.Tenant.ID, func(tx *store.Tx) error { return tx.InsertCredential(c, m) })
		day := storetest.Epoch.Truncate(24 * time.Hour)
		at := func(h int) time.Time { return day.Add(time.Duration(h) * time.Hour) }
		err := s.AddUsage(t.Context(), []store.UsageRow{
			{CredentialID: storetest.KeyID(0), TenantID: a.Tenant.ID, Hour: at(1), Valid: 5, Denied: map[verify.Code]int64{"EXPIRED": 2}},
			{CredentialID: storetest.KeyID(1), TenantID: a.Tenant.ID, Hour: at(1), Valid: 7},
			{CredentialID: storetest.KeyID(1), TenantID: a.Tenant.ID, Hour: at(30), Valid: 1, Denied: map[verify.Code]int64{"FORBIDDEN": 90}},
			{CredentialID: storetest.KeyID(2), TenantID: a.Tenant.ID, Hour: at(60), Valid: 1000}, // too late
			{CredentialID: c.ID, TenantID: b.Tenant.ID, Hour: at(1), Valid: 500},
		})
		if err != nil {
			t.Fatal(err)
		}
		span := store.UsageSpan{From: day, Until: at(48)}
		storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
			hours, err := tx.UsageSums(span, time.Hour)
			want := []store.UsageHour{
				{Hour: at(1), Valid: 12, Denied: map[string]int64{"EXPIRED": 2}}, {Hour: at(30), Valid: 1, Denied: map[string]int64{"FORBIDDEN": 90}},
			}
			if d := cmp.Diff(want, hours); d != "" || err != nil {
				t.Errorf("hours: %v\n%s", err, d)
			}
			days, err := tx.UsageSums(span, 24*time.Hour)
			want[0].Hour, want[1].Hour = day, at(24)
			if d := cmp.Diff(want, days); d != "" || err != nil {
				t.Errorf("days: %v\n%s", err, d)
			}
			most, err := tx.MostUsed(span, 20)
			if d := cmp.Diff([]store.UsageOf{{storetest.KeyID(1), 8, 90}, {storetest.KeyID(0), 5, 2}}, most); d != "" || err != nil {
				t.Errorf("most used: %v\n%s", err, d)
			}
			if one, err := tx.MostUsed(span, 1); len(one) != 1 || err != nil {
				t.Errorf("one of them: %v, %v", one, err)
			}
			span.At = a.Below.ID // key 0 is there
			below, err := tx.UsageSums(span, 24*time.Hour)
			if d := cmp.Diff([]store.UsageHour{{Hour: day, Valid: 5, Denied: map[string]int64{"EXPIRED": 2}}}, below); d != "" || err != nil {
				t.Errorf("below: %v\n%s", err, d)
			}
			most, err = tx.MostUsed(span, 20)
			if d := cmp.Diff([]store.UsageOf{{storetest.KeyID(0), 5, 2}}, most); d != "" || err != nil {
				t.Errorf("most used below: %v\n%s", err, d)
			}
			return nil
		})
	})
}

// Audit events are found by who, what, credential, place and number, in pages and counts alike.
func TestAuditFilters(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, a, b storetest.Fixture) {
		t.Helper()
		account := a.ServiceAccount()
		storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error { return tx.InsertServiceAccount(account) })
		event := func(n int, who access.Principal, name, credentialID, targetType, target string, org tenancy.OrgID) audit.Event {
			return audit.Event{
				TenantID: a.Tenant.ID, At: storetest.Epoch.Add(time.Duration(n) * time.Hour), Action: fmt.Sprint("thing.do", n%2), Actor: who, ActorName: name,
				Via: access.ViaSession, CredentialID: credentialID, TargetType: targetType, TargetID: target, OrganizationID: org,
			}
		}
		robot := access.Principal{Type: access.PrincipalServiceAccount, ID: string(account.ID)}
		storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error {
			head, err := tx.AuditHead()
			if err != nil {
				return err
			}
			for _, e := range []audit.Event{
				event(1, a.Principal(), "Old.Name", "", "credential", "crd_x", a.Root.ID),
				event(2, a.Principal(), "User.a", "crd_x", "user", "usr_1", a.Below.ID),
				event(3, robot, "robot", "crd_y", "credential", "crd_z", a.Below.ID),
				event(4, access.Principal{Type: access.PrincipalUser, ID: "usr_gone"}, "Gone 100%", "", "user", "crd_x", ""),
			} {
				e, head = audit.Chain(head, e)
				if err := tx.AppendAudit(e); err != nil {
					return err
				}
			}
			return nil
		})
		for name, row := range map[string]struct {
			filter store.AuditFilter
			want   []int64
		}{
			"all":                     {store.AuditFilter{}, []int64{1, 2, 3, 4}},
			"who, as called now":      {store.AuditFilter{Who: "user a"}, []int64{1, 2}},
			"who, as called then":     {store.AuditFilter{Who: "OLD.n"}, []int64{1}},
			"who, a service account":  {store.AuditFilter{Who: "robot@"}, []int64{3}},
			"who, gone":               {store.AuditFilter{Who: "gone 100%"}, []int64{4}},
			"who, no wildcard":        {store.AuditFilter{Who: "gone_100"}, nil},
			"about a credential":      {store.AuditFilter{About: "crd_x"}, []int64{1, 2}},
			"used it":                 {store.AuditFilter{CredentialID: "crd_x"}, []int64{2}},
			"at and below the root":   {store.AuditFilter{At: a.Root.ID}, []int64{1, 2, 3}},
			"below":                   {store.AuditFilter{At: a.Below.ID}, []int64{2, 3}},
			"action":                  {store.AuditFilter{Action: "thing.do0"}, []int64{2, 4}},
			"action and place":        {store.AuditFilter{Action: "thing.do0", At: a.Below.ID}, []int64{2}},
			"time":                    {store.AuditFilter{From: storetest.Epoch.Add(2 * time.Hour), Until: storetest.Epoch.Add(4 * time.Hour)}, []int64{2, 3}},
			"up to":                   {store.AuditFilter{UpTo: 2}, []int64{1, 2}},
			"up to, before the first": {store.AuditFilter{UpTo: -1}, nil},
		} {
			storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
				var got []int64
				for page := (store.Page{Limit: 1}); ; {
					list, err := tx.AuditEvents(row.filter, page)
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					for _, e := range list.Items {
						got = append(got, e.Sequence)
					}
					if page.Cursor = list.Next; page.Cursor == "" {
						break
					}
				}
				n, err := tx.CountAuditEvents(row.filter)
				if d := cmp.Diff(row.want, got); d != "" || err != nil || n != int64(len(row.want)) {
					t.Errorf("%s: %d, %v\n%s", name, n, err, d)
				}
				return nil
			})
		}
		storetest.MustRead(t, s, b.Tenant.ID, func(tx *store.Tx) error {
			for name, f := range map[string]store.AuditFilter{"who": {Who: "robot"}, "about": {About: "crd_x"}, "all": {}} {
				if n, err := tx.CountAuditEvents(f); n != 0 || err != nil {
					t.Errorf("%s: another tenant counts %d, %v", name, n, err)
				}
			}
			if _, err := tx.AuditEvents(store.AuditFilter{At: a.Below.ID}, store.Page{}); err == nil {
				t.Error("another tenant's organization is a place")
			}
			return nil
		})
	})
}

// An open link is the one that ends last and has not ended; and a tenant's wish for API
// access is kept until it is taken back.
func TestOpenLinksAndWishes(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, a, b storetest.Fixture) {
		t.Helper()
		now := storetest.Epoch
		storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error {
			for i, ends := range []time.Time{now.Add(time.Hour), now.Add(3 * time.Hour), now.Add(2 * time.Hour)} {
				l := store.OneTimeLink{TokenHash: []byte{byte(i)}, Purpose: "invitation", UserID: a.User.ID, CreatedAt: now, ExpiresAt: ends}
				if err := tx.InsertOneTimeLink(l); err != nil {
					return err
				}
			}
			return nil
		})
		open := func(in storetest.Fixture, purpose string, at time.Time, want map[tenancy.UserID]time.Time) {
			t.Helper()
			storetest.MustRead(t, s, in.Tenant.ID, func(tx *store.Tx) error {
				got, err := tx.OpenLinks(purpose, at, []tenancy.UserID{a.User.ID, b.User.ID, "usr_\xff"})
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Errorf("%v\n%s", err, d)
				}
				return nil
			})
		}
		open(a, "invitation", now, map[tenancy.UserID]time.Time{a.User.ID: now.Add(3 * time.Hour)})
		open(a, "invitation", now.Add(3*time.Hour), map[tenancy.UserID]time.Time{})
		open(a, "first_admin", now, map[tenancy.UserID]time.Time{})
		open(b, "invitation", now, map[tenancy.UserID]time.Time{})

		for _, wish := range []time.Time{now, {}} {
			changed := a.Tenant
			changed.APIAccessRequestedAt = wish
			storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error { return tx.UpdateTenant(changed) })
			storetest.MustRead(t, s, a.Tenant.ID, func(tx *store.Tx) error {
				got, err := tx.Tenant()
				if d := cmp.Diff(changed, got); d != "" || err != nil {
					t.Errorf("%v\n%s", err, d)
				}
				return nil
			})
		}
	})
}

// An app's credential is the living one, or else the last.
func TestLatestCredentials(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, a, b storetest.Fixture) {
		t.Helper()
		of := func(n int, app string, state credential.State) {
			c, m := a.Key(n, "k")
			c.Kind, c.Principal, c.State = credential.App, access.Principal{Type: access.PrincipalApp, ID: app}, state
			if state == credential.Expired {
				c.DeletedAt = storetest.Epoch
			}
			storetest.MustWrite(t, s, a.Tenant.ID, func(tx *store.Tx) error { return tx.InsertCredential(c, m) })
		}
		of(1, "app_1", credential.Active)
		of(2, "app_1", credential.Revoked)
		of(3, "app_2", credential.Revoked)
		of(4, "app_2", credential.Expired)
		ids := []string{"app_1", "app_2", "app_3", "app_\xff"}
		for f, want := range map[*storetest.Fixture]map[string]credential.ID{
			&a: {"app_1": storetest.KeyID(1), "app_2": storetest.KeyID(4)}, &b: {},
		} {
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				found, err := tx.LatestCredentials(access.PrincipalApp, ids)
				got := map[string]credential.ID{}
				for id, c := range found {
					got[id] = c.ID
				}
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Errorf("%v\n%s", err, d)
				}
				return nil
			})
		}
	})
}
