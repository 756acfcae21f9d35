package authority_test

import (
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// TestNoticeMail is what a message says, as text and as HTML, with names that mean something
// to HTML: NV11.
func TestNoticeMail(t *testing.T) {
	engines(t, func(w *world) {
		ann := w.administrator("ann")
		_, err := w.a.ChangeUser(w.Context(), authority.SystemCaller(), authority.ChangeUserInput{Tenant: w.acme.ID, ID: ann, DisplayName: ptr("Ann & Co")})
		w.must(err)
		w.notices(tenancy.Notices{TimeZone: "Europe/Lisbon"})
		at := w.clock.Now().Add(7*days + 20*time.Hour)
		one := w.ending(`<script>alert(1)</script>`, at)
		w.ending("Désirée’s “key”", at.Add(time.Hour))
		w.at("2026-03-02 08:00")
		_, err = w.a.AnnounceExpiring(w.Context())
		w.must(err)
		got := w.delivered()
		if len(got) != 1 {
			t.Fatalf("there are %d messages", len(got))
		}
		m := got[0]
		if m.To != "ann@acme.example" || m.Name != "Ann & Co" || m.Subject != "2 API keys of ACME expire soon" {
			t.Errorf("it goes to %s, %q: %q", m.To, m.Name, m.Subject)
		}
		page := "https://keys.acme.example/settings/api-keys/" + one.String()
		wantText := `Hello Ann & Co,

these 2 API keys of ACME expire soon. From then on calls with them fail, and they cannot be brought back.

<script>alert(1)</script>
  API key, ACME
  expires in 7 days: 9 Mar 2026 08:00 WET
  ` + page + `
`
		if !strings.HasPrefix(m.Text, wantText) {
			t.Errorf("the text is %s", m.Text)
		}
		for _, want := range []string{"Désirée’s “key”\n", "All API keys that expire soon: https://keys.acme.example/settings/api-keys?expiring=30\n", "an administrator of ACME"} {
			if !strings.Contains(m.Text, want) {
				t.Errorf("the text lacks %q: %s", want, m.Text)
			}
		}
		for _, want := range []string{`<a href="` + page + `">&lt;script&gt;alert(1)&lt;/script&gt;</a>`, "Hello Ann &amp; Co,", "expires <strong>in 7 days</strong>: 9 Mar 2026 08:00 WET"} {
			if !strings.Contains(m.HTML, want) {
				t.Errorf("the HTML lacks %q: %s", want, m.HTML)
			}
		}
		if strings.Contains(m.HTML, "<script") {
			t.Errorf("a name is HTML: %s", m.HTML)
		}
	})
}
