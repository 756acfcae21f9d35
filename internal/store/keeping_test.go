package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/verify"
)

func TestOneTimeLinkWorksOnce(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := everything(t, s, "a", 10)
			take := func(purpose string, now time.Time) error {
				_, err := s.Write(t.Context(), "", func(tx *store.Tx) error {
					l, tenant, err := tx.AllTenantsTakeOneTimeLink([]byte("link-a"), purpose, now)
					if err == nil && (tenant != f.Tenant.ID || l.UserID != f.User.ID) {
						t.Errorf("the link is %v of %q", l, tenant)
					}
					return err
				})
				return err
			}
			if err := take("invitation", storetest.Epoch.Add(time.Hour)); !problem.Is(err, problem.NotFound) {
				t.Errorf("past its end: %v", err)
			}
			if err := take("first_admin", storetest.Epoch); !problem.Is(err, problem.NotFound) {
				t.Errorf("for another purpose: %v", err)
			}
			if err := take("invitation", storetest.Epoch); err != nil {
				t.Errorf("once: %v", err)
			}
			if err := take("invitation", storetest.Epoch); !problem.Is(err, problem.NotFound) {
				t.Errorf("twice: %v", err)
			}
		})
	}
}

func TestSessions(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := everything(t, s, "a", 10)
			se := store.Session{
				TokenHash: []byte("second"), PublicID: "ses_second", TenantID: f.Tenant.ID, UserID: f.User.ID, Data: []byte{0, 1, 2, '\'', 0xff},
				Source: "192.0.2.1", UserAgent: "it's \"a\" browser", CreatedAt: storetest.Epoch, SeenAt: storetest.Epoch,
				IdleExpiresAt: storetest.Epoch.Add(time.Hour), ExpiresAt: storetest.Epoch.Add(12 * time.Hour),
			}
			storetest.MustWrite(t, s, "", func(tx *store.Tx) error { return tx.AllTenantsPutSession(se) })
			se.SeenAt, se.Data = storetest.Epoch.Add(time.Minute), []byte("touched")
			storetest.MustWrite(t, s, "", func(tx *store.Tx) error { return tx.AllTenantsPutSession(se) })
			storetest.MustRead(t, s, "", func(tx *store.Tx) error {
				got, err := tx.AllTenantsSession([]byte("second"))
				if d := cmp.Diff(se, got); d != "" || err != nil {
					t.Errorf("%v\n%s", err, d)
				}
				return nil
			})
			storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return tx.EndSessions(f.User.ID, "ses_second") })
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				list, err := tx.SessionsOf(f.User.ID)
				if len(list) != 1 || list[0].PublicID != "ses_second" || err != nil {
					t.Errorf("%v, %v", list, err)
				}
				return nil
			})
			storetest.MustWrite(t, s, "", func(tx *store.Tx) error { return tx.AllTenantsPruneSessions(storetest.Epoch.Add(time.Hour)) })
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				if _, err := tx.AllTenantsSession([]byte("second")); !problem.Is(err, problem.NotFound) {
					t.Errorf("an expired session: %v", err)
				}
				return nil
			})
		})
	}
}

func TestIdempotencyEnds(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			r := store.IdempotencyRecord{Scope: "usr_a POST /v1/api-keys", Key: "k1", RequestHash: []byte{1}, Status: 201, Body: []byte("{}"), ExpiresAt: storetest.Epoch.Add(time.Hour)}
			put := func(tx *store.Tx) error { return tx.PutIdempotency(r) }
			storetest.MustWrite(t, s, f.Tenant.ID, put)
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				got, err := tx.Idempotency(r.Scope, r.Key, storetest.Epoch)
				if d := cmp.Diff(r, got); d != "" || err != nil {
					t.Errorf("%v\n%s", err, d)
				}
				if _, err := tx.Idempotency(r.Scope, r.Key, r.ExpiresAt); !problem.Is(err, problem.NotFound) {
					t.Errorf("after its end: %v", err)
				}
				return nil
			})
		})
	}
}

func TestSettingsAndKeysets(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := everything(t, s, "a", 10)
			for _, value := range []string{"one", "two's \\ second"} {
				storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					return errors.Join(tx.AllTenantsPutSetting("k", value), tx.PutTenantKeyset([]byte(value), storetest.Epoch))
				})
				storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					setting, err := tx.AllTenantsSetting("k")
					keyset, err2 := tx.TenantKeyset()
					none, err3 := tx.AllTenantsSetting("unset")
					if setting != value || string(keyset) != value || none != "" {
						t.Errorf("%q %q %q", setting, keyset, none)
					}
					return errors.Join(err, err2, err3)
				})
			}
		})
	}
}

// TestAuditRoundTrip writes events and links and verifies what is read back.
func TestAuditRoundTrip(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, url := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			other := storetest.MustOpen(t, url) // its knowledge of the chain's end goes stale
			for i := range 6 {
				s := []*store.Store{s, other}[i%2]
				storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error { return issue(tx, f, i) })
				_, err := s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
					return errors.Join(issue(tx, f, 100+i), errOurs)
				})
				if !errors.Is(err, errOurs) {
					t.Fatal(err)
				}
			}
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				events, err := tx.AuditEventsAfter(0, 100)
				if err != nil {
					return err
				}
				var at audit.Head
				at.TenantID = f.Tenant.ID
				for _, e := range events {
					if e.ComputeHash() != e.Hash {
						t.Errorf("event %d reads back differently", e.Sequence)
					}
					want, next := audit.Chain(at, e)
					if want.Hash != e.Hash {
						t.Errorf("event %d breaks the chain", e.Sequence)
					}
					at = next
				}
				if len(events) != 6 {
					t.Errorf("%d events", len(events))
				}
				list, err := tx.AuditEvents(store.AuditFilter{Action: "api_key.issue", TargetID: events[2].TargetID}, store.Page{Desc: true})
				if len(list.Items) != 1 || err != nil {
					t.Errorf("%d events of one target, %v", len(list.Items), err)
				}
				return nil
			})
			_, err := s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
				return tx.AppendAudit(audit.Event{TenantID: f.Tenant.ID, Sequence: 9})
			})
			if err == nil {
				t.Error("an event that leaves a gap was taken")
			}
		})
	}
}

func TestAuditLinks(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			a, b := everything(t, s, "a", 10), everything(t, s, "b", 20)
			link := audit.Link{Sequence: 1, At: storetest.Epoch, Hash: audit.Hash{1}, Previous: audit.Hash{2}}
			storetest.MustWrite(t, s, "", func(tx *store.Tx) error {
				moved, err := tx.AllTenantsMovedHeads()
				if err != nil {
					return err
				}
				link.Heads = moved
				return tx.AllTenantsAppendLink(link)
			})
			if len(link.Heads) != 2 || link.Heads[0].TenantID != a.Tenant.ID || link.Heads[1].TenantID != b.Tenant.ID {
				t.Errorf("moved heads: %v", link.Heads)
			}
			storetest.MustWrite(t, s, b.Tenant.ID, func(tx *store.Tx) error { return issue(tx, b, 30) })
			storetest.MustRead(t, s, "", func(tx *store.Tx) error {
				last, err := tx.AllTenantsLastLink()
				if d := cmp.Diff(link, last); d != "" || err != nil {
					t.Errorf("%v\n%s", err, d)
				}
				moved, err := tx.AllTenantsMovedHeads()
				if len(moved) != 1 || moved[0].TenantID != b.Tenant.ID || moved[0].Sequence != 2 || err != nil {
					t.Errorf("moved since: %v, %v", moved, err)
				}
				n, err := tx.AllTenantsAuditCount()
				if n != 3 || err != nil {
					t.Errorf("%d events, %v", n, err)
				}
				anchors, err := tx.AllTenantsAuditAnchors()
				if len(anchors) != 2 || anchors[1].LinkedSequence != 1 || err != nil {
					t.Errorf("%v, %v", anchors, err)
				}
				return nil
			})
		})
	}
}

// TestUsage adds up batches; quota counts are absolute, and the highest stays.
func TestUsage(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, url := engine.Open(t)
			f := everything(t, s, "a", 10)
			id := storetest.KeyID(10)
			hour := storetest.Epoch.Add(time.Hour)
			row := store.UsageRow{
				CredentialID: id, TenantID: f.Tenant.ID, Hour: hour, Valid: 5, Denied: map[verify.Code]int64{verify.RateLimited: 2},
				LastUsedAt: hour.Add(time.Minute), Quotas: []verify.QuotaUsed{
					{Name: "monthly", PeriodStart: storetest.Epoch, Used: 7}, {Name: "ever", PeriodStart: time.Unix(0, 0), Used: 9},
				},
			}
			for range 2 {
				if err := s.AddUsage(t.Context(), []store.UsageRow{row}); err != nil {
					t.Fatal(err)
				}
			}
			// Another process, that knows less: must not turn anything back.
			row.LastUsedAt = hour
			row.Quotas = []verify.QuotaUsed{{Name: "monthly", PeriodStart: storetest.Epoch, Used: 6}, {Name: "ever", PeriodStart: time.Unix(0, 0), Used: 10}}
			if err := storetest.MustOpen(t, url).AddUsage(t.Context(), []store.UsageRow{row}); err != nil {
				t.Fatal(err)
			}
			storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
				got, err := tx.Usage(id, storetest.Epoch, hour.Add(time.Hour))
				want := []store.UsageHour{
					{Hour: storetest.Epoch, Valid: 3},
					{Hour: hour, Valid: 15, Denied: map[string]int64{"RATE_LIMITED": 6}},
				}
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Errorf("%v\n%s", err, d)
				}
				c, err := tx.Credential(id)
				if !c.LastUsedAt.Equal(hour.Add(time.Minute)) || err != nil {
					t.Errorf("last used %v, %v", c.LastUsedAt, err)
				}
				return nil
			})
			var quotas []verify.QuotaUsed
			_, err := s.Snapshot(t.Context(), func(it verify.Item) error {
				if it.Credential != nil && it.Credential.ID == id {
					quotas = it.Credential.QuotaUsed
				}
				return nil
			})
			want := []verify.QuotaUsed{{Name: "ever", PeriodStart: time.Unix(0, 0).UTC(), Used: 10}, {Name: "monthly", PeriodStart: storetest.Epoch, Used: 7}}
			if d := cmp.Diff(want, quotas); d != "" || err != nil {
				t.Errorf("%v\n%s", err, d)
			}
		})
	}
}

// TestTextThatNoDatabaseHolds is refused before a database sees it, with nothing stored.
func TestTextThatNoDatabaseHolds(t *testing.T) {
	for _, engine := range storetest.Engines {
		t.Run(engine.Name, func(t *testing.T) {
			s, _ := engine.Open(t)
			f := storetest.MustInsert(t, s, "a")[0]
			for _, bad := range []string{"a\x00b", "a\xffb", string([]byte{0xed, 0xa0, 0x80})} {
				_, err := s.Write(t.Context(), f.Tenant.ID, func(tx *store.Tx) error {
					c, m := f.Key(1, bad)
					return tx.InsertCredential(c, m)
				})
				if !problem.Is(err, problem.Invalid) {
					t.Errorf("%q: %v", bad, err)
				}
			}
			for i, odd := range []string{`'); DROP TABLE credentials; --`, `\'; SELECT 1; --`, "?", "$1", "a?b??", "\u202e", "🗝️", "a\nb"} {
				storetest.MustWrite(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					c, m := f.Key(10+i, odd)
					return tx.InsertCredential(c, m)
				})
				storetest.MustRead(t, s, f.Tenant.ID, func(tx *store.Tx) error {
					c, err := tx.Credential(storetest.KeyID(10 + i))
					if c.Name != odd || err != nil {
						t.Errorf("%q came back as %q, %v", odd, c.Name, err)
					}
					list, err := tx.Credentials(store.CredentialFilter{Search: odd}, store.Page{})
					if err != nil || len(list.Items) == 0 && len(odd) > 2 {
						t.Errorf("%q is not found: %v", odd, err)
					}
					return nil
				})
			}
		})
	}
}
