package authority_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// A key looks the same alone, in a list and in the answer to the change that made it, with
// the names of whom and what it is about (PV6, NV9).
func TestKeysAreNamed(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		_, err := w.a.ChangeUser(ctx, w.super, authority.ChangeUserInput{ID: userOf(w.holder), DisplayName: ptr("Hilda Holder")})
		w.must(err)
		_, err = w.a.ChangeUser(ctx, w.super, authority.ChangeUserInput{ID: userOf(w.super), DisplayName: ptr("Sue Per")})
		w.must(err)
		plain, org := w.key(w.holder), w.organizationKey(w.north.ID)
		rotated, err := w.a.RotateAPIKey(ctx, w.holder, authority.RotateKeyInput{ID: w.key(w.holder).ID, Grace: time.Hour})
		w.must(err)
		revoked := w.organizationKey(w.north.ID)
		_, err = w.a.RevokeOrganizationKey(ctx, w.super, authority.KeyInput{ID: revoked.ID})
		w.must(err)
		list, err := w.a.APIKeys(ctx, w.super, authority.KeysInput{})
		w.must(err)
		listed := map[credential.ID]authority.Key{}
		for _, k := range list.Items {
			listed[k.ID] = k
			alone, err := w.a.APIKey(ctx, w.super, authority.KeyInput{ID: k.ID})
			if d := cmp.Diff(alone, k); d != "" || err != nil {
				t.Errorf("alone and listed differ: %v\n%s", err, d)
			}
		}
		for name, made := range map[string]authority.IssuedKey{"a user's": plain, "an organization's": org, "rotated": rotated} {
			made.Revision = 0
			if d := cmp.Diff(listed[made.ID], made.Key); d != "" {
				t.Errorf("%s, as made and as listed: %s", name, d)
			}
		}
		k := listed[plain.ID]
		if k.OwnerDisplayName != "Hilda Holder" || k.CreatorDisplayName != "Hilda Holder" || k.OrganizationName != "ACME" || k.Recoverable || !k.GraceUntil.IsZero() {
			t.Errorf("a user's key is %+v", k)
		}
		k = listed[org.ID]
		if k.OwnerName != "North" || k.CreatorDisplayName != "Sue Per" || k.OrganizationName != "North" || !k.Recoverable {
			t.Errorf("an organization's key is %+v", k)
		}
		if k = listed[rotated.ID]; !k.GraceUntil.Equal(w.clock.Now().Add(time.Hour)) || k.Recoverable {
			t.Errorf("a rotated key is %+v", k)
		}
		if k = listed[revoked.ID]; k.State != credential.Revoked || k.Recoverable {
			t.Errorf("a revoked key is %+v", k)
		}
		// Someone of the system has a name, which is in the event, and none here.
		bySystem, err := w.a.IssueOrganizationKey(ctx, w.system, authority.IssueOrganizationKeyInput{OrganizationID: w.north.ID, Name: "theirs"})
		w.must(err)
		k, err = w.a.APIKey(ctx, w.super, authority.KeyInput{ID: bySystem.ID})
		bySystem.Revision = 0
		if d := cmp.Diff(k, bySystem.Key); d != "" || err != nil || k.CreatorDisplayName != "" || k.CreatedByName == "" {
			t.Errorf("%v, %+v\n%s", err, k, d)
		}
	})
}

// Apps and service accounts too look the same alone and in a list (EE3, VX1).
func TestPrincipalsAreNamed(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		app, role := w.app(), w.role("Reader", "recordings:read")
		second := w.app()
		_, err := w.a.SuspendApp(ctx, w.super, authority.AppInput{ID: second.ID})
		w.must(err)
		account := w.account(role)
		apps, err := w.a.Apps(ctx, w.super, authority.AppsInput{})
		w.must(err)
		if len(apps.Items) != 2 {
			t.Fatalf("%d apps", len(apps.Items))
		}
		for _, a := range apps.Items {
			alone, err := w.a.App(ctx, w.super, authority.AppInput{ID: a.ID})
			if d := cmp.Diff(alone, a); d != "" || err != nil || a.Credential.OrganizationName != "North" || !a.Credential.Recoverable {
				t.Errorf("%v, %+v\n%s", err, a.Credential, d)
			}
		}
		if apps.Items[0].Credential.ID == apps.Items[1].Credential.ID || app.Credential.OwnerName != "reports" {
			t.Errorf("their credentials: %+v", apps.Items)
		}
		accounts, err := w.a.ServiceAccounts(ctx, w.super, authority.ServiceAccountsInput{})
		w.must(err)
		account.Revision = 0
		if d := cmp.Diff([]authority.ServiceAccount{account}, accounts.Items); d != "" {
			t.Errorf("as made and as listed: %s", d)
		}
		if got := accounts.Items[0]; got.OrganizationName != "North" || len(got.Roles) != 1 || got.Roles[0].RoleName != "Reader" || got.Roles[0].OrganizationName != "North" {
			t.Errorf("the account is %+v", got)
		}
	})
}

// The bulk dialogue's numbers are exact (NV3).
func TestCountsSayWhatABulkChangeIsAbout(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		used, idle, org := w.key(w.holder), w.key(w.super), w.organizationKey(w.north.ID)
		ends := w.clock.Now().Add(20 * 24 * time.Hour)
		_, err := w.a.ChangeOrganizationKey(ctx, w.super, authority.ChangeKeyInput{ID: org.ID, ExpiresAt: &ends})
		w.must(err)
		w.must(w.store.AddUsage(ctx, []store.UsageRow{
			{CredentialID: used.ID, TenantID: w.acme.ID, Hour: w.clock.Now(), Valid: 1, LastUsedAt: w.clock.Now().Add(-6 * 24 * time.Hour)},
			{CredentialID: idle.ID, TenantID: w.acme.ID, Hour: w.clock.Now(), Valid: 1, LastUsedAt: w.clock.Now().Add(-8 * 24 * time.Hour)},
		}))
		n, err := w.a.CountAPIKeys(ctx, w.super, authority.KeysInput{})
		want := map[credential.Kind]int64{credential.UserKey: 2, credential.OrganizationKey: 1}
		if d := cmp.Diff(want, n.Kinds); d != "" || err != nil || n.Count != 3 || n.UsedLately != 1 || n.ExpiringSoon != 1 {
			t.Errorf("%v, %+v\n%s", err, n, d)
		}
	})
}

// A tenant's usage is for who may see it, of the part of the tree that they may see (B5).
func TestUsageOfATenant(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		north, root := w.organizationKey(w.north.ID), w.key(w.holder)
		hour := w.clock.Now().Truncate(time.Hour)
		w.must(w.store.AddUsage(ctx, []store.UsageRow{
			{CredentialID: north.ID, TenantID: w.acme.ID, Hour: hour.Add(-time.Hour), Valid: 3, Denied: map[verify.Code]int64{verify.Expired: 4}},
			{CredentialID: root.ID, TenantID: w.acme.ID, Hour: hour.Add(-2 * time.Hour), Valid: 10},
		}))
		all, err := w.a.Usage(ctx, w.super, authority.UsageInput{By: authority.UsageByDay})
		if err != nil || len(all.Items) != 1 || all.Items[0].Valid != 13 || all.Items[0].Denied["EXPIRED"] != 4 {
			t.Fatalf("%v, %+v", err, all)
		}
		if len(all.Most) != 2 || all.Most[0].ID != root.ID || all.Most[1].ID != north.ID || all.Most[1].Denied != 4 || all.Most[1].OwnerName != "North" {
			t.Errorf("most used: %+v", all.Most)
		}
		reader := w.member(w.acme.ID, w.north.ID, "reader", w.role("Usage", string(access.UsageRead)))
		part, err := w.a.Usage(ctx, reader, authority.UsageInput{})
		if err != nil || len(part.Items) != 1 || part.Items[0].Valid != 3 || len(part.Most) != 1 {
			t.Errorf("from the north: %v, %+v", err, part)
		}
		below, err := w.a.Usage(ctx, w.super, authority.UsageInput{At: w.south.ID})
		if err != nil || len(below.Items)+len(below.Most) != 0 {
			t.Errorf("in the south: %v, %+v", err, below)
		}
		for name, c := range map[string]struct {
			caller access.Caller
			in     authority.UsageInput
			kind   problem.Kind
		}{
			"nobody": {w.nobody, authority.UsageInput{}, problem.Denied}, "above": {reader, authority.UsageInput{At: w.acme.RootOrg}, problem.Denied},
			"beside": {reader, authority.UsageInput{At: w.south.ID}, problem.Denied}, "another tenant": {w.foreign, authority.UsageInput{Tenant: w.acme.ID}, problem.NotFound},
			"another tenant's place": {w.foreign, authority.UsageInput{At: w.north.ID}, problem.NotFound},
			"too long":               {w.super, authority.UsageInput{From: longAgo.AddDate(-1, 0, 0)}, problem.Invalid},
		} {
			w.refused(name, c.kind, "", func() error { _, err := w.a.Usage(ctx, c.caller, c.in); return err })
		}
	})
}

// The export of the log is in the log before any of it is out, and doesn't hold itself.
func TestExportAuditEvents(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		for range 5 {
			w.key(w.holder)
		}
		want, err := w.a.AuditEvents(ctx, w.super, authority.AuditEventsInput{Action: "api_key.issue", Page: store.Page{Desc: true}})
		w.must(err)
		before := w.state()[1]
		var got []authority.AuditEvent
		var total int64
		err = w.a.ExportAuditEvents(ctx, w.super, authority.AuditEventsInput{Action: "api_key.issue", Page: store.Page{Desc: true}}, func(n int64) error {
			total = n
			if w.state()[1] != before+1 {
				t.Error("something is out before the event is in")
			}
			return nil
		}, func(e authority.AuditEvent) error {
			got = append(got, e)
			return nil
		})
		if d := cmp.Diff(want.Items, got); d != "" || err != nil || total != int64(len(got)) || len(got) != 5 {
			t.Errorf("%v, %d of %d\n%s", err, len(got), total, d)
		}
		if e := w.lastEvent(w.acme.ID); e.Action != "audit_event.export" || !strings.Contains(string(e.After), `"count":5`) || e.Actor != w.super.Principal {
			t.Errorf("the event is %s %s", e.Action, e.After)
		}
		n := 0
		all := func() error {
			return w.a.ExportAuditEvents(ctx, w.super, authority.AuditEventsInput{}, func(n int64) error { total = n; return nil }, func(e authority.AuditEvent) error {
				n++
				return nil
			})
		}
		if err := all(); err != nil || int64(n) != total {
			t.Errorf("all: %v, %d of %d", err, n, total)
		}
		gone := errors.New("the browser went away")
		err = w.a.ExportAuditEvents(ctx, w.super, authority.AuditEventsInput{}, func(int64) error { return nil }, func(authority.AuditEvent) error { return gone })
		if !errors.Is(err, gone) {
			t.Errorf("err = %v", err)
		}
		for name, c := range map[string]struct {
			caller access.Caller
			kind   problem.Kind
		}{"nobody": {w.nobody, problem.Denied}, "foreign": {w.foreign, problem.NotFound}, "no rights in the system": {w.sysNone, problem.Denied}, "no one": {access.Caller{}, problem.Unauthenticated}} {
			w.refused(name, c.kind, "", func() error {
				return w.a.ExportAuditEvents(ctx, c.caller, authority.AuditEventsInput{Tenant: w.acme.ID}, func(int64) error { return errors.New("began") }, nil)
			})
		}
	})
}

// "Check now" finds what was done to a tenant's log before the last checkpoint, and leaves
// other tenants' alone (B6).
func TestCheckAudit(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		check := func(c access.Caller) authority.AuditCheck {
			t.Helper()
			found, err := w.a.CheckAudit(ctx, c, authority.AuditCheckInput{})
			w.must(err)
			return found
		}
		none := check(w.super)
		if !none.OK || none.Sequence != 0 || none.Sealed != 0 || none.Events == 0 {
			t.Errorf("before any checkpoint: %+v", none)
		}
		w.checkpointed()
		w.key(w.holder)
		for range 3 { // links that say nothing about acme
			_, err := w.a.IssueAPIKey(ctx, w.foreign, authority.IssueAPIKeyInput{Name: "k"})
			w.must(err)
			w.must(w.a.Checkpoint(ctx))
		}
		w.key(w.holder)
		last, err := w.a.LatestAuditCheckpoint(ctx, w.super, authority.AuditCheckpointInput{})
		w.must(err)
		good := check(w.super)
		if !good.OK || good.AuditCheckpoint != last || good.Sequence != 5 || good.Events != good.Sealed+1 || !good.At.Equal(w.clock.Now()) {
			t.Errorf("good: %+v, the last is %+v", good, last)
		}
		w.exec(fmt.Sprintf("UPDATE audit_events SET actor_name = 'someone else' WHERE tenant_id = '%s' AND sequence = 3", w.acme.ID))
		if bad := check(w.super); bad.OK || bad.Broken != 3 || bad.Problem == "" {
			t.Errorf("an edit: %+v", bad)
		}
		if other := check(w.foreign); !other.OK {
			t.Errorf("another tenant: %+v", other)
		}
		if system, err := w.a.CheckAudit(ctx, w.system, authority.AuditCheckInput{Tenant: w.acme.ID}); err != nil || system.OK {
			t.Errorf("the operators see %+v, %v", system, err)
		}
	})
}

// Cutting the end off, or the links that vouch for it, shows as well.
func TestCheckAuditFindsWhatIsMissing(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		for name, sql := range map[string][]string{
			"the end": {"DELETE FROM audit_events WHERE tenant_id = '%[1]s' AND sequence > 4"},
			"the end, and its record": {
				"DELETE FROM audit_events WHERE tenant_id = '%[1]s' AND sequence > 4",
				"UPDATE audit_heads SET sequence = 4, linked = 4, hash = (SELECT hash FROM audit_events WHERE tenant_id = '%[1]s' AND sequence = 4) WHERE tenant_id = '%[1]s'",
			},
			"the links":      {"DELETE FROM audit_links"},
			"the last link":  {"DELETE FROM audit_links WHERE sequence = 2"},
			"a link's heads": {"UPDATE audit_links SET heads = '[]'"},
		} {
			w := newWorldLike(w)
			w.checkpointed()
			for _, s := range sql {
				w.exec(strings.ReplaceAll(s, "%[1]s", string(w.acme.ID)))
			}
			found, err := w.a.CheckAudit(t.Context(), w.super, authority.AuditCheckInput{})
			if err != nil || found.OK || found.Problem == "" {
				t.Errorf("%s: %v, %+v", name, err, found)
			}
		}
	})
}

// PV4: what the gate's page says, and asking for access once.
func TestAPIAccess(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		w.key(w.super)
		w.organizationKey(w.north.ID)
		dead := w.key(w.super)
		_, err := w.a.RevokeAPIKey(ctx, w.super, authority.KeyInput{ID: dead.ID})
		w.must(err)
		w.refused("with access", problem.Conflict, "api_access_included", func() error {
			_, err := w.a.RequestAPIAccess(ctx, w.super, authority.APIAccessInput{})
			return err
		})
		plan := func(id tenancy.PlanID) {
			t.Helper()
			_, err := w.a.ChangeTenant(ctx, w.system, authority.ChangeTenantInput{ID: w.acme.ID, PlanID: &id})
			w.must(err)
		}
		plan(w.starter)
		maker := w.someone(string(access.AppsManage))
		got, err := w.a.APIAccess(ctx, maker, authority.APIAccessInput{})
		want := authority.APIAccess{TenantName: "ACME", PlanKey: "starter", PlanName: "Starter", ExistingKeys: 2}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%v\n%s", err, d)
		}
		asked, err := w.a.RequestAPIAccess(ctx, maker, authority.APIAccessInput{})
		want.RequestedAt = w.clock.Now()
		if d := cmp.Diff(want, asked); d != "" || err != nil {
			t.Errorf("asked: %v\n%s", err, d)
		}
		if e := w.lastEvent(w.acme.ID); e.Action != "api_access.request" || e.Actor != maker.Principal {
			t.Errorf("the event is %s", e.Action)
		}
		before := w.state()
		w.clock.Add(time.Hour)
		again, err := w.a.RequestAPIAccess(ctx, w.super, authority.APIAccessInput{})
		if d := cmp.Diff(want, again); d != "" || err != nil || w.state()[1] != before[1] {
			t.Errorf("asked again: %v, %v\n%s", err, w.state(), d)
		}
		for name, c := range map[string]access.Caller{"nobody": w.nobody, "a reader of usage": w.someone(string(access.UsageRead))} {
			w.refused(name, problem.Denied, "", func() error { _, err := w.a.RequestAPIAccess(ctx, c, authority.APIAccessInput{}); return err })
			w.refused(name, problem.Denied, "", func() error { _, err := w.a.APIAccess(ctx, c, authority.APIAccessInput{}); return err })
		}
		list, err := w.a.Tenants(ctx, w.system, authority.TenantsInput{Search: "acme"})
		if err != nil || len(list.Items) != 1 || !list.Items[0].APIAccessRequestedAt.Equal(want.RequestedAt) {
			t.Errorf("the operators see %v, %+v", err, list.Items)
		}
		plan(w.plan)
		if now, err := w.a.Tenant(ctx, w.super, authority.TenantInput{}); err != nil || !now.APIAccessRequestedAt.IsZero() {
			t.Errorf("with access again: %v, %+v", err, now)
		}
	})
}

// What removing an organization would touch; and what it says is what RemoveOrganization does.
func TestOrganizationImpact(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		w.organizationKey(w.north.ID)
		w.app()
		w.account()
		w.member(w.acme.ID, w.team.ID, "member", w.builtIn(w.acme.ID, access.RoleAgent))
		north, err := w.a.OrganizationImpact(ctx, w.super, authority.OrganizationInput{ID: w.north.ID})
		w.must(err)
		if north.Organizations != 1 || north.Users < 1 || north.Apps != 1 || north.ServiceAccounts != 1 || north.Assignments < 1 ||
			north.Credentials[credential.OrganizationKey] != 1 || north.Credentials[credential.App] != 1 {
			t.Errorf("north: %+v", north)
		}
		empty := w.organization(w.north.ID, "Empty")
		for _, id := range []tenancy.OrgID{w.acme.RootOrg, w.north.ID, w.team.ID, empty.ID} {
			says, err := w.a.OrganizationImpact(ctx, w.super, authority.OrganizationInput{ID: id})
			w.must(err)
			_, err = w.a.RemoveOrganization(ctx, w.super, authority.OrganizationInput{ID: id})
			if says.Removable != (err == nil) || err != nil && says.Reason != problem.As(err).Message || says.Removable != (id == empty.ID) {
				t.Errorf("%s: it says %v %q, and removing it: %v", id, says.Removable, says.Reason, err)
			}
		}
		w.refused("beside", problem.Denied, "", func() error {
			_, err := w.a.OrganizationImpact(ctx, w.northern, authority.OrganizationInput{ID: w.south.ID})
			return err
		})
	})
}

// Go to: by name or ID, and only what the caller may see.
func TestFind(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		find := func(c access.Caller, tenant tenancy.TenantID, text string) []string {
			t.Helper()
			found, err := w.a.Find(ctx, c, authority.FindInput{Tenant: tenant, Text: text})
			w.must(err)
			out := []string{}
			for _, f := range found {
				out = append(out, f.Type+" "+f.Name+" "+f.OrganizationName)
			}
			return out
		}
		want := func(what string, got []string, want ...string) {
			t.Helper()
			if want == nil {
				want = []string{}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", what, d)
			}
		}
		key, err := w.a.IssueAPIKey(ctx, w.holder, authority.IssueAPIKeyInput{Name: "Zebra key"})
		w.must(err)
		org, err := w.a.IssueOrganizationKey(ctx, w.super, authority.IssueOrganizationKeyInput{OrganizationID: w.north.ID, Name: "Zebra desktops"})
		w.must(err)
		app, err := w.a.CreateApp(ctx, w.super, authority.CreateAppInput{OrganizationID: w.north.ID, Name: "Zebra app", APIs: []string{"recent_calls"}})
		w.must(err)
		account, err := w.a.CreateServiceAccount(ctx, w.super, authority.CreateServiceAccountInput{OrganizationID: w.north.ID, Description: "Zebra robot"})
		w.must(err)
		pair, err := w.a.IssueServiceAccountKey(ctx, w.super, authority.IssueServiceAccountKeyInput{ServiceAccount: account.ID, PublicKeyPEM: w.publicKey()})
		w.must(err)
		w.member(w.acme.ID, w.south.ID, "zebra.user", "")
		w.organization(w.south.ID, "Zebra team")
		everything := []string{
			"api_key Zebra desktops North", "api_key Zebra key ACME", "app Zebra app North", "service_account Zebra robot North", "user zebra.user South", "organization Zebra team South",
		}
		want("by name", find(w.super, "", "zebra"), everything...)
		want("by the operators", find(w.system, w.acme.ID, "zebra"), everything...)
		want("a tenant", find(w.system, "", "acme"), "tenant ACME ")
		want("nobody", find(w.nobody, "", "zebra"))
		want("from the north", find(w.northern, "", "zebra"), find(w.northern, "", "zebra")...)
		if slices.ContainsFunc(find(w.northern, "", "zebra"), func(s string) bool { return strings.Contains(s, "South") || strings.Contains(s, "ACME") }) {
			t.Errorf("from the north: %v", find(w.northern, "", "zebra"))
		}
		want("another tenant", find(w.foreign, "", "zebra"))
		want("nothing", find(w.super, "", "  "))
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
			w.organization(w.south.ID, "Many "+name)
		}
		if n := len(find(w.super, "", "many")); n != 8 {
			t.Errorf("%d of ten", n)
		}
		// By ID, of any kind, or by a pasted key of which only the ID counts.
		want("a key's ID", find(w.super, "", key.ID.String()), "api_key Zebra key ACME")
		want("a whole key", find(w.super, "", org.Secret.Reveal()), "api_key Zebra desktops North")
		want("an app's", find(w.super, "", app.Credential.ID.String()), "app Zebra app North")
		want("a service account's", find(w.super, "", pair.ID.String()), "service_account Zebra robot North")
		want("by the operators", find(w.system, "", key.ID.String()), "api_key Zebra key ACME")
		want("not nobody", find(w.nobody, "", key.ID.String()))
		want("not another tenant", find(w.foreign, "", key.ID.String()))
		want("never was", find(w.system, "", "crd_000000000000"))
		_, err = w.a.RevokeAPIKey(ctx, w.holder, authority.KeyInput{ID: key.ID})
		w.must(err)
		found, err := w.a.Find(ctx, w.super, authority.FindInput{Text: key.ID.String()})
		if err != nil || len(found) != 1 || found[0].State != "revoked" || found[0].Credential != key.ID.String() || found[0].Detail != key.Hint {
			t.Errorf("a revoked key: %v, %+v", err, found)
		}
		w.refused("another tenant's", problem.NotFound, "", func() error {
			_, err := w.a.Find(ctx, w.foreign, authority.FindInput{Tenant: w.acme.ID, Text: "zebra"})
			return err
		})
		w.refused("no one", problem.Unauthenticated, "", func() error { _, err := w.a.Find(ctx, access.Caller{}, authority.FindInput{Text: "zebra"}); return err })
	})
}

// Who may manage which boxes of a role's page may tick; saving agrees (PV5, VX7).
func TestGrantable(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		giver := w.someone(string(access.RolesManage), string(access.UsersRead), "recent_calls:read")
		list, err := w.a.Permissions(ctx, giver, authority.PermissionsInput{Vendor: true})
		w.must(err)
		grantable, vendor := 0, 0
		for _, p := range list {
			if p.Grantable != (p.Reason == "") {
				t.Errorf("%s: grantable %v because %q", p.Permission, p.Grantable, p.Reason)
			}
			if p.Vendor {
				vendor++
			}
			if p.Grantable {
				grantable++
			}
			_, err := w.a.CreateRole(ctx, giver, authority.CreateRoleInput{
				Name: "try " + string(p.Permission), Permissions: []access.Grant{access.Grant(p.Permission)},
			})
			if !p.System && p.Grantable != (err == nil) {
				t.Errorf("%s: grantable %v, but saving says %v", p.Permission, p.Grantable, err)
			}
			if p.Name == "" || p.Label == "" || p.Group == "" {
				t.Errorf("%+v has no words", p)
			}
		}
		if grantable != 3 || vendor == 0 {
			t.Errorf("%d are grantable, %d are the vendor's", grantable, vendor)
		}
		own, err := w.a.Permissions(ctx, w.super, authority.PermissionsInput{})
		w.must(err)
		for _, p := range own {
			if p.Vendor || p.Grantable == p.System {
				t.Errorf("a super admin and %+v", p)
			}
		}
		system, err := w.a.Permissions(ctx, w.system, authority.PermissionsInput{})
		w.must(err)
		if slices.ContainsFunc(system, func(p authority.Permission) bool { return !p.Grantable }) {
			t.Errorf("a system administrator: %+v", system)
		}
		if name := authority.PlainName("storage_api:use"); name != "Storage API" {
			t.Errorf("it is called %q", name)
		}
	})
}

// Roles say what they come to and how many have them; holders have names.
func TestRolesAreResolved(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		inner := w.role("Inner", "recordings:read")
		outer, err := w.a.CreateRole(ctx, w.super, authority.CreateRoleInput{Name: "Outer", Permissions: []access.Grant{"surveys:read"}, Includes: []access.RoleID{inner}})
		w.must(err)
		member := w.member(w.acme.ID, w.north.ID, "member", outer.ID)
		w.assign(w.acme.ID, userOf(member), outer.ID, w.south.ID)
		got, err := w.a.Role(ctx, w.super, authority.RoleInput{ID: outer.ID})
		if err != nil || !got.Resolved.Equal(access.NewSet("recordings:read", "surveys:read")) || got.Holders != 1 {
			t.Errorf("%v, %+v", err, got)
		}
		roles, err := w.a.Roles(ctx, w.super, authority.RolesInput{})
		w.must(err)
		i := slices.IndexFunc(roles, func(r authority.Role) bool { return r.ID == outer.ID })
		if d := cmp.Diff(got.Role, roles[i].Role); d != "" || !roles[i].Resolved.Equal(got.Resolved) || roles[i].Holders != 1 {
			t.Errorf("listed: %s", d)
		}
		holders, err := w.a.Assignments(ctx, w.super, authority.AssignmentsInput{Role: outer.ID})
		w.must(err)
		if len(holders.Items) != 2 || holders.Items[0].PrincipalName != "member" || holders.Items[0].RoleName != "Outer" ||
			holders.Items[0].OrganizationName != "North" || holders.Items[1].OrganizationName != "South" {
			t.Errorf("holders: %+v", holders.Items)
		}
	})
}

// A user's page: where they are, whether they are invited, and the roles that the reader
// may know of.
func TestUsersAreShown(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		agent := w.builtIn(w.acme.ID, access.RoleAgent)
		member := w.member(w.acme.ID, w.team.ID, "member", agent)
		w.assign(w.acme.ID, userOf(member), agent, w.south.ID)
		see := func(c access.Caller) authority.User {
			t.Helper()
			u, err := w.a.User(ctx, c, authority.UserInput{ID: userOf(member)})
			w.must(err)
			list, err := w.a.Users(ctx, c, authority.UsersInput{Search: "member"})
			if c.Principal != member.Principal {
				w.must(err)
				if d := cmp.Diff([]authority.User{u}, list.Items); d != "" {
					t.Errorf("alone and listed differ: %s", d)
				}
			}
			return u
		}
		u := see(w.super)
		if u.OrganizationName != "Team" || !u.InvitedUntil.Equal(w.clock.Now().Add(authority.InvitationLifetime)) || len(u.Roles) != 2 || u.Roles[0].RoleName != "Agent" {
			t.Errorf("a super admin sees %+v", u)
		}
		if u := see(w.northern); len(u.Roles) != 1 || u.Roles[0].OrganizationID != w.team.ID {
			t.Errorf("from the north: %+v", u.Roles)
		}
		if u := see(member); len(u.Roles) != 2 {
			t.Errorf("oneself: %+v", u.Roles)
		}
		w.clock.Add(authority.InvitationLifetime)
		if u := see(w.super); !u.InvitedUntil.IsZero() {
			t.Errorf("the invitation is open until %v", u.InvitedUntil)
		}
	})
}

// EE8: what the picker says is what choosing does, and why not.
func TestWhyNotChoosable(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		company := w.member(w.acme.ID, "", "company", w.builtIn(w.acme.ID, access.RoleCompanyAdmin))
		small, err := w.a.CreatePlan(ctx, w.system, authority.CreatePlanInput{Key: "small", Name: "Small", APIAccess: true, Permissions: []access.Grant{"recent_calls:*", "call_recordings:*", "call_storage:*"}})
		w.must(err)
		reader := w.someone(string(access.UsersRead))
		for name, row := range map[string]struct {
			caller access.Caller
			plan   tenancy.PlanID
		}{"a super admin": {w.super, w.plan}, "a company admin": {company, w.plan}, "a company admin, small plan": {company, small.ID}, "who may make none": {reader, w.plan}} {
			_, err := w.a.ChangeTenant(ctx, w.system, authority.ChangeTenantInput{ID: w.acme.ID, PlanID: &row.plan})
			w.must(err)
			v, err := w.a.Catalog(ctx, row.caller, authority.CatalogInput{})
			w.must(err)
			if len(v.Choosable)+len(v.NotChoosable) != len(v.APIs()) {
				t.Errorf("%s: %d and %d of %d", name, len(v.Choosable), len(v.NotChoosable), len(v.APIs()))
			}
			for _, key := range v.Choosable {
				_, err := w.a.CreateApp(ctx, row.caller, authority.CreateAppInput{Name: "a", APIs: []string{key}})
				w.must(err)
			}
			for _, no := range v.NotChoosable {
				_, err := w.a.CreateApp(ctx, row.caller, authority.CreateAppInput{Name: "a", APIs: []string{no.Key}})
				code := map[authority.ChoiceReason]string{
					authority.ChoiceLegacy: "", authority.ChoiceNotInPlan: "not_in_plan", authority.ChoicePrerequisite: "prerequisite_missing", authority.ChoiceNoApps: "permission_required",
				}[no.Why]
				if err == nil || code != "" && !problem.HasCode(err, code) {
					t.Errorf("%s, %s: it says %s, and choosing it: %v", name, no.Key, no.Why, err)
				}
				if no.Key == "call_recordings_storage" && no.Why == authority.ChoicePrerequisite && !slices.Equal(no.Needed, []access.Permission{"storage_api:use"}) {
					t.Errorf("%s: it needs %v", name, no.Needed)
				}
			}
		}
	})
}

// VC5: the refusal names what is in the way for programs too; one owner's can be listed.
func TestOwnedClientCredentialsAreNamed(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		admin, supervisor, colleague, _ := w.contactCentre()
		k := w.client(supervisor)
		_, err := w.a.DeleteUser(ctx, w.super, authority.UserInput{ID: userOf(supervisor)})
		want := []problem.Object{{ID: k.ID.String(), Name: "integration", Kind: "client_credential"}}
		if d := cmp.Diff(want, problem.As(err).InTheWay); d != "" {
			t.Error(d)
		}
		list, err := w.a.ClientCredentials(ctx, admin, authority.ClientCredentialsInput{Owner: userOf(supervisor)})
		if err != nil || len(list.Items) != 1 || list.Items[0].ID != k.ID {
			t.Errorf("an admin: %v, %+v", err, list.Items)
		}
		if list, err := w.a.ClientCredentials(ctx, admin, authority.ClientCredentialsInput{Owner: userOf(colleague)}); err != nil || len(list.Items) != 0 {
			t.Errorf("of somebody else: %v, %+v", err, list.Items)
		}
		if list, err := w.a.ClientCredentials(ctx, supervisor, authority.ClientCredentialsInput{Owner: userOf(supervisor)}); err != nil || len(list.Items) != 1 {
			t.Errorf("one's own: %v, %+v", err, list.Items)
		}
		w.refused("a colleague's", problem.Denied, "", func() error {
			_, err := w.a.ClientCredentials(ctx, supervisor, authority.ClientCredentialsInput{Owner: userOf(colleague)})
			return err
		})
	})
}
