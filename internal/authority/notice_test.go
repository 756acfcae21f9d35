package authority_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/notice"
	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const days = 24 * time.Hour

// administrator is a new Customer Administrator of acme, at the root.
func (w *world) administrator(name string) tenancy.UserID {
	w.Helper()
	return w.addressed(name, access.RoleCustomerAdministrator, w.acme.RootOrg)
}

// addressed is a new user of acme with an e-mail address and a built-in role; empty: none.
func (w *world) addressed(name, role string, org tenancy.OrgID) tenancy.UserID {
	w.Helper()
	u, err := w.a.CreateUser(w.Context(), authority.SystemCaller(), authority.CreateUserInput{
		Tenant: w.acme.ID, OrganizationID: org, Username: name, Email: name + "@acme.example",
	})
	w.must(err)
	if role != "" {
		w.assign(w.acme.ID, u.User.ID, w.builtIn(w.acme.ID, role), org)
	}
	return u.User.ID
}

// ending is a new key of acme's root that ends at a time.
func (w *world) ending(name string, at time.Time) credential.ID {
	w.Helper()
	k, err := w.a.IssueOrganizationKey(w.Context(), authority.SystemCaller(), authority.IssueOrganizationKeyInput{
		Tenant: w.acme.ID, OrganizationID: w.acme.RootOrg, Name: name, ExpiresAt: &at,
	})
	w.must(err)
	return k.ID
}

func (w *world) notices(n tenancy.Notices) {
	w.Helper()
	_, err := w.a.ChangeTenant(w.Context(), authority.SystemCaller(), authority.ChangeTenantInput{ID: w.acme.ID, Policy: &tenancy.Policy{Notices: n}})
	w.must(err)
}

// delivered words and finishes what is due in the outbox, in the order of addresses.
func (w *world) delivered() []outbox.Mail {
	w.Helper()
	var got []outbox.Mail
	r, err := notice.New(notice.Config{Store: w.store, PublicURL: "https://keys.acme.example", Now: w.clock.Now})
	w.must(err)
	var claimed []store.Delivery
	_, err = w.store.Write(w.Context(), "", func(tx *store.Tx) (err error) {
		claimed, err = tx.AllTenantsClaimDeliveries([]store.DeliveryKind{store.DeliveryMail}, "test", w.clock.Now(), time.Minute, 100)
		return err
	})
	w.must(err)
	for _, d := range claimed {
		m, send, err := r.Render(w.Context(), d)
		w.must(err)
		if send {
			got = append(got, m)
		}
		_, err = w.store.Write(w.Context(), "", func(tx *store.Tx) error {
			_, err := tx.AllTenantsFinishDelivery(d.ID, d.Fence, store.DeliveryOutcome{State: store.DeliveryDelivered, At: w.clock.Now()})
			return err
		})
		w.must(err)
	}
	slices.SortFunc(got, func(a, b outbox.Mail) int { return strings.Compare(a.To, b.To) })
	return got
}

// announce runs the job once and returns "to: subject" of what was delivered.
func (w *world) announce() []string {
	w.Helper()
	_, err := w.a.AnnounceExpiring(w.Context())
	w.must(err)
	var list []string
	for _, m := range w.delivered() {
		list = append(list, strings.TrimSuffix(m.To, "@acme.example")+": "+m.Subject)
	}
	return list
}

func (w *world) told(want ...string) {
	w.Helper()
	if got := w.announce(); !slices.Equal(got, want) {
		w.Errorf("at %s people were told %q, want %q", w.clock.Now().Format(time.DateTime), got, want)
	}
}

func (w *world) at(text string) {
	w.Helper()
	t, err := time.Parse("2006-01-02 15:04", text)
	w.must(err)
	w.clock.Add(t.Sub(w.clock.Now()))
}

// TestNoticesAtEachThreshold is the life of one key: NV11. It is 1 March 2026, noon.
func TestNoticesAtEachThreshold(t *testing.T) {
	engines(t, func(w *world) {
		w.administrator("ann")
		w.ending("Nightly", w.clock.Now().Add(40*days))              // ends on 10 April, noon
		w.ending("Shortly", w.clock.Now().Add(5*days+3*time.Hour/2)) // 6 March, 13:30
		w.told()
		w.at("2026-03-03 08:00")
		w.told("ann: “Shortly” expires in 3 days")
		w.told()
		w.at("2026-03-05 08:00")
		w.told("ann: “Shortly” expires in 1 day")
		w.at("2026-03-06 08:00")
		w.told()
		for _, day := range []struct {
			at   string
			said string
		}{
			{"2026-03-10 08:00", ""},
			{"2026-03-11 07:45", ""},
			{"2026-03-11 08:00", "30"},
			{"2026-03-11 08:15", ""},
			{"2026-03-12 08:00", ""},
			{"2026-03-26 08:00", ""},
			{"2026-03-27 08:00", "14"},
			{"2026-04-03 08:00", "7"},
			{"2026-04-07 08:00", "3"},
			{"2026-04-08 08:00", ""},
			{"2026-04-09 08:00", "1"},
			{"2026-04-10 08:00", ""},
			{"2026-04-10 12:00", ""},
		} {
			w.at(day.at)
			switch day.said {
			case "":
				w.told()
			case "1":
				w.told("ann: “Nightly” expires in 1 day")
			default:
				w.told("ann: “Nightly” expires in " + day.said + " days")
			}
		}
	})
}

// TestNoticesAfterDowntime: what was missed goes out at once, only the tightest: NV11.
func TestNoticesAfterDowntime(t *testing.T) {
	engines(t, func(w *world) {
		w.administrator("ann")
		w.ending("A", w.clock.Now().Add(40*days))
		w.ending("B", w.clock.Now().Add(20*days))
		w.at("2026-04-05 15:10")
		w.told("ann: “A” expires in 4 days") // 30, 14 and 7 were missed; B is over
		w.told()
		w.at("2026-04-06 08:00")
		w.told()
		w.at("2026-04-07 08:00")
		w.told("ann: “A” expires in 3 days")
	})
}

// TestNoticesOfNewExpiries: making a key mails nothing at once, thresholds in the past are
// skipped, and an expiry that is moved begins anew: NV11.
func TestNoticesOfNewExpiries(t *testing.T) {
	engines(t, func(w *world) {
		w.administrator("ann")
		w.at("2026-03-02 10:00")
		w.told()
		id := w.ending("A", w.clock.Now().Add(7*days+5*time.Hour)) // crosses 7 days at 15:00
		w.ending("B", w.clock.Now().Add(7*days-time.Minute))       // crossed it before it was made
		w.told()
		w.at("2026-03-02 13:45")
		w.told()
		w.at("2026-03-02 14:00")
		w.told("ann: “A” expires in 7 days")
		w.at("2026-03-06 08:00") // both cross 3 days by tomorrow's digest
		w.told("ann: 2 API keys of ACME expire soon")
		later := w.clock.Now().Add(12 * days)
		_, err := w.a.ChangeOrganizationKey(w.Context(), authority.SystemCaller(), authority.ChangeKeyInput{Tenant: w.acme.ID, ID: id, ExpiresAt: &later})
		w.must(err)
		w.at("2026-03-08 08:00")
		w.told("ann: “B” expires in 1 day")
		w.at("2026-03-11 08:00")
		w.told("ann: “A” expires in 7 days") // the second time, of another expiry
	})
}

// TestNoticesDropWhatIsOver: a message is worded when it is delivered: NV11.
func TestNoticesDropWhatIsOver(t *testing.T) {
	engines(t, func(w *world) {
		w.administrator("ann")
		bob := w.administrator("bob")
		a := w.ending("A", w.clock.Now().Add(7*days+20*time.Hour))
		w.ending("B", w.clock.Now().Add(7*days+21*time.Hour))
		w.at("2026-03-02 08:00")
		n, err := w.a.AnnounceExpiring(w.Context())
		if err != nil || n != 2 {
			w.Fatalf("announced %d, %v", n, err)
		}
		_, err = w.a.RevokeAPIKey(w.Context(), authority.SystemCaller(), authority.KeyInput{Tenant: w.acme.ID, ID: a})
		w.must(err)
		_, err = w.a.SuspendUser(w.Context(), authority.SystemCaller(), authority.UserInput{Tenant: w.acme.ID, ID: bob})
		w.must(err)
		w.told("ann: “B” expires in 7 days")

		w.at("2026-03-06 08:00")
		_, err = w.a.AnnounceExpiring(w.Context()) // 3 days, but the mail waits
		w.must(err)
		w.at("2026-03-08 08:00")
		w.told("ann: “B” expires in 1 day") // the message of the digest before has nothing to say
	})
}

// TestWhoIsTold: Customer Administrators at the root, roles that include theirs too; owners
// and creators by policy, of their own only: NV11.
func TestWhoIsTold(t *testing.T) {
	engines(t, func(w *world) {
		w.administrator("ann")
		w.addressed("deep", access.RoleCustomerAdministrator, w.north.ID)
		w.addressed("super2", access.RoleSuperAdmin, w.acme.RootOrg)
		_, err := w.a.CreateUser(w.Context(), authority.SystemCaller(), authority.CreateUserInput{Tenant: w.acme.ID, OrganizationID: w.acme.RootOrg, Username: "mute"})
		w.must(err)
		lead, err := w.a.CreateRole(w.Context(), authority.SystemCaller(), authority.CreateRoleInput{
			Tenant: w.acme.ID, Name: "Lead", Includes: []access.RoleID{w.builtIn(w.acme.ID, access.RoleCustomerAdministrator)},
		})
		w.must(err)
		w.assign(w.acme.ID, w.addressed("lea", "", w.acme.RootOrg), lead.ID, w.acme.RootOrg)
		owner := w.addressed("olaf", "", w.acme.RootOrg)
		at := w.clock.Now().Add(7*days + 20*time.Hour)
		own, err := w.a.IssueAPIKey(w.Context(), authority.SystemCaller(), authority.IssueAPIKeyInput{Tenant: w.acme.ID, Owner: owner, Name: "Olaf's", ExpiresAt: &at})
		w.must(err)
		w.ending("B", at)
		w.at("2026-03-02 08:00")
		w.told("ann: 2 API keys of ACME expire soon", "lea: 2 API keys of ACME expire soon")

		w.notices(tenancy.Notices{Owners: true, Creators: true})
		w.at("2026-03-06 08:00")
		w.told("ann: 2 API keys of ACME expire soon", "lea: 2 API keys of ACME expire soon", "olaf: “Olaf's” expires in 3 days")
		e := w.lastEvent(w.acme.ID)
		if e.Action != "notice.send" || !strings.Contains(string(e.After), `"recipients":1`) {
			t.Errorf("the last event is %s %s", e.Action, e.After)
		}
		_ = own
	})
}

// TestNoticesWithoutCustomerAdministrator: then it is whoever may give roles: NV11.
func TestNoticesWithoutCustomerAdministrator(t *testing.T) {
	engines(t, func(w *world) {
		w.addressed("boss", access.RoleSuperAdmin, w.acme.RootOrg)
		w.ending("B", w.clock.Now().Add(7*days+20*time.Hour))
		w.at("2026-03-02 08:00")
		w.told("boss: “B” expires in 7 days")
	})
}

// TestNoticesOfTheTenant: thresholds, hour and time zone are the tenant's choice: NV11.
func TestNoticesOfTheTenant(t *testing.T) {
	engines(t, func(w *world) {
		w.administrator("ann")
		w.notices(tenancy.Notices{Days: []int{60, 2}, Hour: ptr(0), TimeZone: "Asia/Kathmandu"}) // UTC+5:45
		w.ending("A", w.clock.Now().Add(62*days))                                                // 2 May, noon; 60 days before: 3 March, noon
		w.at("2026-03-02 18:00")
		w.told()
		w.at("2026-03-02 18:15")
		w.told("ann: “A” expires in 60 days")
		w.at("2026-04-29 18:15")
		w.told("ann: “A” expires in 2 days")
		for _, bad := range []tenancy.Notices{{Days: []int{0}}, {Days: []int{366}}, {Hour: ptr(24)}, {TimeZone: "Mars/Base"}, {TimeZone: "Local"}, {Days: make([]int, 11)}} {
			_, err := w.a.ChangeTenant(w.Context(), w.super, authority.ChangeTenantInput{ID: w.acme.ID, Policy: &tenancy.Policy{Notices: bad}})
			if err == nil {
				t.Errorf("%+v was taken", bad)
			}
		}
	})
}

// TestNoticesAreAudited: each credential's event says how many days; webhooks read them there.
func TestNoticesAreAudited(t *testing.T) {
	engines(t, func(w *world) {
		w.administrator("ann")
		id := w.ending("A", w.clock.Now().Add(7*days+20*time.Hour))
		w.at("2026-03-02 08:00")
		w.told("ann: “A” expires in 7 days")
		list, err := w.a.AuditEvents(w.Context(), w.super, authority.AuditEventsInput{Tenant: w.acme.ID, Credential: id.String()})
		w.must(err)
		i := slices.IndexFunc(list.Items, func(e authority.AuditEvent) bool { return e.Action == "organization_key.expiring" })
		if i < 0 || string(list.Items[i].After) != `{"days":7,"expires_at":"2026-03-09T08:00:00Z"}` {
			t.Errorf("the events of the key are %v", list.Items)
		}
	})
}

// TestNoticesSurviveKills: a digest that a process left unfinished, wherever that was, is
// finished by another, and says everything once: NV11.
func TestNoticesSurviveKills(t *testing.T) {
	engines(t, func(w *world) {
		w.administrator("ann")
		w.notices(tenancy.Notices{Owners: true})
		at := w.clock.Now().Add(7*days + 20*time.Hour)
		for i := range 230 { // three batches
			w.ending(fmt.Sprintf("K%03d", i), at.Add(time.Duration(i)*time.Second))
		}
		w.at("2026-03-02 08:00")
		died := fmt.Errorf("killed")
		for runs := 1; ; runs++ {
			if runs > 20 {
				t.Fatal("the digest does not come to an end")
			}
			w.applied.Fail(died) // at its first commit
			n, err := w.another().AnnounceExpiring(w.Context())
			w.applied.Fail(nil)
			if err == nil && n == 0 {
				break
			}
		}
		w.told("ann: 230 API keys of ACME expire soon")
		w.told()
	})
}

// TestNoticePreview: what will be said next, to whom, and when.
func TestNoticePreview(t *testing.T) {
	engines(t, func(w *world) {
		w.administrator("ann")
		w.ending("Tomorrow", w.clock.Now().Add(7*days+30*time.Hour))
		w.ending("Today", w.clock.Now().Add(7*days+3*time.Hour))
		w.ending("Far", w.clock.Now().Add(90*days))
		p, err := w.a.NoticePreview(w.Context(), w.super, authority.NoticePreviewInput{})
		w.must(err)
		var got []string
		for _, i := range p.Items {
			got = append(got, fmt.Sprintf("%s %d %s", i.Name, i.Days, i.At.Format("02 15:04")))
		}
		want := []string{"Today 7 01 14:00", "Tomorrow 7 02 08:00"}
		if !slices.Equal(got, want) || p.Total != 2 || len(p.Recipients) != 1 || p.At.Format("02 15:04") != "02 08:00" {
			t.Errorf("the preview is %v at %s to %v, want %v", got, p.At, p.Recipients, want)
		}
	})
}
