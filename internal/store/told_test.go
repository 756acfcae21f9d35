package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// A search is counted no further than somebody knows already: PostgreSQL's index finds all hits for
// the first page, and there is a count of each organization's keys. Totals stay true for it.
func TestSearchesCountOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, s *store.Store, f, _ storetest.Fixture) {
		t.Helper()
		const old, much = 120, 5_100
		storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
			for i := range 2_000 + much {
				c, m := f.Key(i, fmt.Sprintf("plain %04d", i))
				switch {
				case i < old:
					c.Name = fmt.Sprintf("needle %04d", i)
				case i >= 2_000:
					c.OrganizationID = f.Below.ID
				}
				if i < old/3 {
					c.DeletedAt = storetest.Epoch
				}
				if err := tx.InsertCredential(c, m); err != nil {
					return err
				}
			}
			return nil
		})
		counts := 0
		s.Watch(func(text string) {
			if strings.Contains(text, "count(*)") && strings.Contains(text, "LIKE") && !strings.Contains(text, "OVER") {
				counts++
			}
		})
		for name, want := range map[string]struct {
			filter store.CredentialFilter
			items  int
			total  int64
			counts int // one asks whether the index finds little
		}{
			"the oldest":        {store.CredentialFilter{Search: "needle"}, 50, old * 2 / 3, 1},
			"with deleted ones": {store.CredentialFilter{Search: "needle", IncludeDeleted: true}, 50, old, 1},
			"nothing":           {store.CredentialFilter{Search: "haystack"}, 0, 0, 1},
			"an organization":   {store.CredentialFilter{Search: "sales"}, 50, store.CountLimit + 1, 0},
		} {
			counts = 0
			l := mustList(t, s, f, want.filter, store.Page{})
			if len(l.Items) != want.items || l.Total != want.total {
				t.Errorf("%s: %d items of %d, want %d of %d", name, len(l.Items), l.Total, want.items, want.total)
			}
			if counts > want.counts {
				t.Errorf("%s: %d counts, want %d at most", name, counts, want.counts)
			}
		}
	})
}
