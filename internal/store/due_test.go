package store_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
)

// NV12: what is due is found among all tenants' credentials, earliest first, and nothing else.
func TestDueCredentials(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			now := storetest.Epoch.Add(time.Hour)
			for i, f := range storetest.MustInsert(t, s, "a", "b") {
				storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					for n, ends := range []time.Time{{}, now, now.Add(time.Microsecond), now.Add(-time.Minute)} {
						for m, state := range []credential.State{credential.Active, credential.Suspended, credential.Revoked, credential.Expired} {
							k, material := f.Key(100*i+10*n+m, "key")
							k.ExpiresAt, k.State = ends, state
							if state == credential.Expired {
								k.DeletedAt = now
							}
							if err := tx.InsertCredential(k, material); err != nil {
								return err
							}
						}
					}
					return nil
				})
			}
			storetest.MustRead(t, s, "", func(tx *store.Tx) error {
				due, err := tx.AllTenantsDueCredentials(now, 100)
				if len(due) != 8 {
					t.Errorf("%d are due, want 8", len(due))
				}
				tenants := map[string]int{}
				for i, d := range due {
					tenants[string(d.Tenant)]++
					if n := d.ID; i < 4 && n != storetest.KeyID(30) && n != storetest.KeyID(31) && n != storetest.KeyID(130) && n != storetest.KeyID(131) {
						t.Errorf("number %d is %s, which is not one of the earliest", i, n)
					}
				}
				if len(tenants) != 2 {
					t.Errorf("they are of %d tenants", len(tenants))
				}
				if some, err := tx.AllTenantsDueCredentials(now, 3); len(some) != 3 || err != nil {
					t.Errorf("the limit gives %d, %v", len(some), err)
				}
				return err
			})
		})
	}
}

// The query reads the index that holds nothing but what may become due, in its order.
func TestDueCredentialsAreIndexed(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			_, url := engine.Open(t)
			driver, explain, text := "pgx", "EXPLAIN ", strings.NewReplacer("<= ?", "<= $1", "LIMIT ?", "LIMIT $2").Replace(store.DueCredentials)
			if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
				driver, url, explain, text = "sqlite", path, "EXPLAIN QUERY PLAN ", store.DueCredentials
			}
			db, err := sql.Open(driver, url)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			db.SetMaxOpenConns(1)
			if driver == "pgx" { // a table without rows is read as it is unless that is forbidden
				if _, err := db.ExecContext(t.Context(), "SET enable_seqscan = off"); err != nil {
					t.Fatal(err)
				}
			}
			plan := explained(t, db, explain+text, int64(1), 10)
			if !strings.Contains(plan, "credentials_due") || strings.Contains(strings.ToLower(plan), "sort") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("the plan is\n%s", plan)
			}
		})
	}
}
