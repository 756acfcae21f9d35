package authority_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// number is what a query counts.
func (w *world) number(query string) (n int) {
	w.Helper()
	w.must(w.raw.QueryRowContext(w.Context(), query).Scan(&n))
	return n
}

// NV12: three nodes end the same credentials at once. Each of them ends once, with one event.
func TestExpireDueOnSeveralNodes(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		const each = 120
		soon := w.clock.Now().Add(time.Minute)
		for i := range each {
			for _, c := range []access.Caller{w.holder, w.foreign} {
				_, err := w.a.IssueAPIKey(t.Context(), c, authority.IssueAPIKeyInput{Name: fmt.Sprintf("k%d", i), ExpiresAt: &soon})
				w.must(err)
			}
		}
		w.clock.Add(time.Minute)
		var wg sync.WaitGroup
		var ended [3]int
		for i := range ended {
			node := w.another()
			wg.Go(func() {
				n, err := node.ExpireDue(t.Context())
				if err != nil {
					t.Error(err)
				}
				ended[i] = n
			})
		}
		wg.Wait()
		if sum := ended[0] + ended[1] + ended[2]; sum != 2*each {
			t.Errorf("the nodes ended %v: %d of %d", ended, sum, 2*each)
		}
		if n := w.number("SELECT count(*) FROM audit_events WHERE action = 'api_key.expire'"); n != 2*each {
			t.Errorf("%d events, want %d", n, 2*each)
		}
		if n := w.number("SELECT count(*) FROM (SELECT target_id FROM audit_events WHERE action = 'api_key.expire' GROUP BY target_id HAVING count(*) > 1) AS twice"); n != 0 {
			t.Errorf("%d credentials ended twice", n)
		}
		if n := w.number("SELECT count(*) FROM credentials WHERE state <> 'expired' AND expires_at < 9223372036854775807"); n != 0 {
			t.Errorf("%d are left", n)
		}
	})
}

// NV12: nothing is left from which the secret of an expired credential could be recovered,
// whatever its kind; nothing brings it back, and its history stays.
func TestExpiredForGood(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		soon := w.clock.Now().Add(time.Minute)
		key, err := w.a.IssueOrganizationKey(ctx, w.super, authority.IssueOrganizationKeyInput{OrganizationID: w.north.ID, Name: "desktops", ExpiresAt: &soon})
		w.must(err)
		_, err = w.a.RotateOrganizationKey(ctx, w.super, authority.RotateKeyInput{ID: key.ID, Grace: time.Hour})
		w.must(err)
		app, err := w.a.CreateApp(ctx, w.super, authority.CreateAppInput{OrganizationID: w.north.ID, Name: "reports", APIs: []string{"recent_calls"}, ExpiresAt: &soon})
		w.must(err)
		sealed := func() int {
			return w.number("SELECT count(*) FROM credential_secrets WHERE sealed IS NOT NULL")
		}
		if n := sealed(); n != 4 {
			t.Fatalf("%d sealed secrets in the first place, want 4", n)
		}
		w.clock.Add(time.Minute)
		n, err := w.a.ExpireDue(ctx)
		w.must(err)
		if n != 2 || sealed() != 0 {
			t.Errorf("%d ended, %d secrets can still be opened", n, sealed())
		}
		in := authority.KeyInput{ID: key.ID}
		for name, do := range map[string]func() error{
			"resume": func() error { _, err := w.a.ResumeOrganizationKey(ctx, w.super, in); return err },
			"rotate": func() error {
				_, err := w.a.RotateOrganizationKey(ctx, w.super, authority.RotateKeyInput{ID: key.ID})
				return err
			},
			"extend": func() error {
				_, err := w.a.ChangeOrganizationKey(ctx, w.super, authority.ChangeKeyInput{ID: key.ID, ExpiresAt: ptr(w.clock.Now().Add(time.Hour))})
				return err
			},
			"reveal": func() error { _, err := w.a.RevealKey(ctx, w.confirmed(w.super), in); return err },
			"revoke": func() error { _, err := w.a.RevokeOrganizationKey(ctx, w.super, in); return err },
			"reveal app": func() error {
				_, err := w.a.RevealApp(ctx, w.confirmed(w.super), authority.AppInput{ID: app.ID})
				return err
			},
			"again, once": func() error { _, err := w.a.SuspendOrganizationKey(ctx, w.super, in); return err },
		} {
			w.refused(name, problem.Conflict, "", do)
		}
		events, err := w.a.AuditEvents(ctx, w.super, authority.AuditEventsInput{TargetID: key.ID.String()})
		w.must(err)
		var history []string
		for _, e := range events.Items {
			history = append(history, e.Action)
		}
		if got := strings.Join(history, " "); got != "organization_key.issue organization_key.rotate organization_key.expire" {
			t.Errorf("its history is %s", got)
		}
	})
}

// What a deleted tenant left ends too, and is not looked at again and again.
func TestExpireDueOfDeletedTenants(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		soon := w.clock.Now().Add(time.Minute)
		_, err := w.a.IssueAPIKey(ctx, w.foreign, authority.IssueAPIKeyInput{Name: "k", ExpiresAt: &soon})
		w.must(err)
		_, err = w.a.DeleteTenant(ctx, w.system, authority.TenantInput{ID: w.other.ID})
		w.must(err)
		w.clock.Add(time.Minute)
		for _, want := range []int{1, 0} {
			if n, err := w.a.ExpireDue(ctx); n != want || err != nil {
				t.Errorf("%d ended, %v; want %d", n, err, want)
			}
		}
		if e := w.lastEvent(w.other.ID); e.Action != "api_key.expire" {
			t.Errorf("the last event is %s", e.Action)
		}
	})
}

// One that gets more time between the look and its transaction goes on.
func TestExtendedMeanwhile(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		soon := w.clock.Now().Add(time.Minute)
		due := map[tenancy.TenantID]credential.ID{}
		for tenant, c := range map[tenancy.TenantID]access.Caller{w.acme.ID: w.holder, w.other.ID: w.foreign} {
			k, err := w.a.IssueAPIKey(ctx, c, authority.IssueAPIKeyInput{Name: "k", ExpiresAt: &soon})
			w.must(err)
			due[tenant] = k.ID
		}
		w.clock.Add(time.Minute)
		// Each tenant's keys end in a transaction of their own: between the two, the other's lives on.
		w.applied.Then(func(calls int) {
			for tenant, id := range due {
				if calls > 1 {
					return
				}
				_, err := w.store.Write(ctx, tenant, func(tx *store.Tx) error {
					k, err := tx.Credential(id)
					if err != nil || k.State == credential.Expired {
						return err
					}
					k.ExpiresAt = w.clock.Now().Add(time.Hour)
					return tx.UpdateCredential(k)
				})
				w.must(err)
			}
		})
		if n, err := w.a.ExpireDue(ctx); n != 1 || err != nil {
			t.Errorf("%d ended, %v; want 1", n, err)
		}
	})
}
