//go:build !race

package verify

import (
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/secret"
)

// Without limits a verification allocates nothing, whatever the verdict.
func TestVerifyAllocatesNothing(t *testing.T) {
	w, _ := importWorld(t)
	_, unknown := w.issue(t, secret.UserKey, w.clock.Now())
	w.apply(t, Item{Catalog: &catalog.Catalog{Groups: []catalog.Group{{APIs: []catalog.API{
		{Key: "old", Permissions: []access.Permission{"statistics:read"}, Legacy: true},
	}}}}})
	for name, r := range map[string]Request{
		"valid":                 {Credential: w.text},
		"valid, permissions":    {Credential: w.text, Permissions: "calls:read AND (recordings:read OR a:b)"},
		"valid, ID and secret":  {ID: "usr_ann", Secret: w.text},
		"not found, no tenant":  {Credential: w.text, OnlyTenant: "ten_b"},
		"not found, unknown":    {Credential: unknown},
		"not found, malformed":  {Credential: "hello"},
		"valid, imported":       {Credential: oldKey},
		"valid, imported, pair": {ID: "usr_ann", Secret: oldKey},
		"wrong kind":            {Credential: w.text, Permissions: "statistics:read"},
		"valid, dry run, costs": {Credential: w.text, DryRun: true, Cost: 5},
	} {
		t.Run(name, func(t *testing.T) {
			n := testing.AllocsPerRun(100, func() {
				if _, err := w.index.Verify(&r); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
	t.Run("undecided", func(t *testing.T) {
		w.index.MarkUndecided()
		if n := testing.AllocsPerRun(100, func() { _, _ = w.index.Verify(&Request{Credential: w.text}) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
