package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

var _ verify.Source = (*Store)(nil)

// Wait returns when the feed may have moved beyond a revision, or with ctx's error. On
// PostgreSQL it hears of other processes' commits too; on SQLite of this one's only.
func (s *Store) Wait(ctx context.Context, after uint64) error { return s.feed.wait(ctx, after) }

type feedRow struct {
	bun.BaseModel `bun:"table:feed,alias:f"`

	Revision uint64
	TenantID string
	ItemType int64
	ItemID   string
}

// inChunk is how many IDs one query asks for.
const inChunk = 500

// Changes returns the feed after a revision, at most limit rows, oldest first, each with
// its item's state now, and the feed's head. Items of one answer are of one moment and
// shared between rows that name the same thing. verify.ErrFeedGone means that rows after the
// revision were pruned.
func (s *Store) Changes(ctx context.Context, after uint64, limit int) (changes []verify.Change, head uint64, err error) {
	err = s.Read(ctx, "", func(tx *Tx) error {
		head = tx.Head()
		if head <= after {
			return nil
		}
		rows, err := all[feedRow](tx, "the feed", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("revision > ?", after).Order("revision").Limit(int64(limit))
		})
		if err != nil {
			return err
		}
		// The feed has no gaps: what doesn't follow at once was pruned.
		if len(rows) == 0 || rows[0].Revision != after+1 {
			return fmt.Errorf("the feed after %d was pruned: %w", after, verify.ErrFeedGone)
		}
		changes, err = tx.changes(rows)
		return err
	})
	return changes, head, err
}

// thing names an item of the feed.
type thing struct {
	item int64
	id   string
}

func (tx *Tx) changes(rows []feedRow) ([]verify.Change, error) {
	ids := map[int64][]string{}
	items := make(map[thing]verify.Item, len(rows))
	for _, r := range rows {
		key := thing{r.ItemType, r.ItemID}
		if _, ok := items[key]; !ok {
			items[key] = gone(r)
			ids[r.ItemType] = append(ids[r.ItemType], r.ItemID)
		}
	}
	for item, list := range ids {
		for chunk := range slices.Chunk(list, inChunk) {
			if err := tx.allTenantsItems(item, chunk, items); err != nil {
				return nil, err
			}
		}
	}
	changes := make([]verify.Change, len(rows))
	for i, r := range rows {
		changes[i] = verify.Change{Revision: r.Revision, Item: items[thing{r.ItemType, r.ItemID}]}
	}
	return changes, nil
}

// gone is what an item is when nothing of it is found any more.
func gone(r feedRow) verify.Item {
	tenant := tenancy.TenantID(r.TenantID)
	switch r.ItemType {
	case itemPlan:
		return verify.Item{Gone: true, Plan: &verify.Plan{ID: tenancy.PlanID(r.ItemID)}}
	case itemTenant:
		return verify.Item{Gone: true, Tenant: &tenancy.Tenant{ID: tenancy.TenantID(r.ItemID)}}
	case itemOrganization:
		return verify.Item{Gone: true, Organization: &tenancy.Organization{ID: tenancy.OrgID(r.ItemID), TenantID: tenant}}
	case itemRole:
		return verify.Item{Gone: true, Role: &access.Role{ID: access.RoleID(r.ItemID), TenantID: tenant}}
	case itemAssignments:
		// No assignments is an empty list, not an absence.
		kind, id, _ := strings.Cut(r.ItemID, "/")
		return verify.Item{Assignments: &verify.PrincipalAssignments{
			Principal: access.Principal{Type: access.PrincipalType(kind), ID: id}, TenantID: tenant,
		}}
	case itemUser:
		return verify.Item{Gone: true, User: &tenancy.User{ID: tenancy.UserID(r.ItemID), TenantID: tenant}}
	case itemApp:
		return verify.Item{Gone: true, App: &tenancy.App{ID: tenancy.AppID(r.ItemID), TenantID: tenant}}
	case itemServiceAccount:
		return verify.Item{Gone: true, ServiceAccount: &tenancy.ServiceAccount{ID: tenancy.ServiceAccountID(r.ItemID), TenantID: tenant}}
	case itemCatalog:
		return verify.Item{Catalog: &catalog.Catalog{}}
	case itemSigningKeys:
		return verify.Item{SigningKeys: &verify.SigningKeys{}}
	case itemRevokedToken:
		return verify.Item{Gone: true, RevokedToken: &verify.RevokedToken{ID: r.ItemID}}
	case itemCredential:
		c := &verify.Credential{}
		copy(c.ID[:], r.ItemID)
		c.TenantID = tenant
		return verify.Item{Gone: true, Credential: c}
	}
	return verify.Item{Gone: true}
}

// allTenantsItems reads items of one type by their IDs.
func (tx *Tx) allTenantsItems(item int64, ids []string, into map[thing]verify.Item) error {
	put := func(id string, it verify.Item) { into[thing{item, id}] = it }
	byID := func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("id IN (?)", bun.List(ids)) }
	switch item {
	case itemPlan:
		return collect(tx, byID, (*planRow).plan, func(p catalog.Plan) { put(string(p.ID), planItem(p)) })
	case itemTenant:
		held, err := tx.AllTenantsHeld()
		if err != nil {
			return err
		}
		return collect(tx, byID, (*tenantRow).tenant, func(t tenancy.Tenant) { put(string(t.ID), verify.Item{Tenant: &t, Held: held}) })
	case itemOrganization:
		return collect(tx, byID, (*organizationRow).organization, func(o tenancy.Organization) {
			put(string(o.ID), verify.Item{Organization: &o})
		})
	case itemRole:
		live := func(q *bun.SelectQuery) *bun.SelectQuery { return byID(q).Where("deleted_at = 0") }
		return collect(tx, live, (*roleRow).role, func(r access.Role) { put(string(r.ID), verify.Item{Role: &r}) })
	case itemAssignments:
		return tx.allTenantsAssignments(ids, into)
	case itemUser:
		return collect(tx, byID, (*userRow).user, func(u tenancy.User) { put(string(u.ID), verify.Item{User: &u}) })
	case itemApp:
		return collect(tx, byID, (*appRow).app, func(a tenancy.App) { put(string(a.ID), verify.Item{App: &a}) })
	case itemServiceAccount:
		return collect(tx, byID, (*serviceAccountRow).serviceAccount, func(a tenancy.ServiceAccount) {
			put(string(a.ID), verify.Item{ServiceAccount: &a})
		})
	case itemCatalog:
		whole := func(q *bun.SelectQuery) *bun.SelectQuery { return q }
		return collect(tx, whole, (*catalogRow).catalog, func(c catalog.Catalog) { put(catalogItem, verify.Item{Catalog: &c}) })
	case itemSigningKeys:
		keys, err := tx.AllTenantsSigningKeys()
		put(signingKeysItem, verify.Item{SigningKeys: &verify.SigningKeys{List: keys}})
		return err
	case itemRevokedToken:
		return collect(tx, byID, (*revokedTokenRow).item, func(t verify.RevokedToken) { put(t.ID, verify.Item{RevokedToken: &t}) })
	case itemCredential:
		return tx.allTenantsCredentials(ids, into)
	}
	return fmt.Errorf("store: the feed has an item of unknown type %d", item)
}

func collect[M, T any](tx *Tx, which func(*bun.SelectQuery) *bun.SelectQuery, item func(*M) (T, error), put func(T)) error {
	rows, err := all[M](tx, "changed items", which)
	if err != nil {
		return err
	}
	for i := range rows {
		v, err := item(&rows[i])
		if err != nil {
			return err
		}
		put(v)
	}
	return nil
}

func (tx *Tx) allTenantsAssignments(ids []string, into map[thing]verify.Item) error {
	principals := make([]string, len(ids))
	for i, id := range ids {
		_, principals[i], _ = strings.Cut(id, "/")
	}
	// By row, so that a principal's list comes in the order of assignment.
	which := func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("principal_id IN (?)", bun.List(principals)).Order("row_id")
	}
	return collect(tx, which, (*assignmentRow).assignment, func(a access.Assignment) {
		it, asked := into[thing{itemAssignments, principalItem(a.Principal)}]
		if asked && it.Assignments.TenantID == a.TenantID {
			it.Assignments.List = append(it.Assignments.List, a)
		}
	})
}

func (tx *Tx) allTenantsCredentials(ids []string, into map[thing]verify.Item) error {
	rows, err := about[credentialRow](tx, "changed credentials", len(ids), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("id IN (?)", bun.List(ids))
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	byRow := make(map[int64]*verify.Credential, len(rows))
	numbers := make([]int64, len(rows))
	for i := range rows {
		c, err := rows[i].credential()
		if err != nil {
			return err
		}
		v := &verify.Credential{Credential: c, Row: uint64(rows[i].RowID)}
		byRow[rows[i].RowID], numbers[i] = v, rows[i].RowID
		into[thing{itemCredential, string(c.ID[:])}] = verify.Item{Credential: v}
	}
	secrets, err := about[secretRow](tx, "material", len(numbers), func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("row_id IN (?)", bun.List(numbers)).Order("row_id", "field", "version")
	})
	if err != nil {
		return err
	}
	for i := range secrets {
		c := byRow[secrets[i].RowID]
		m, err := secrets[i].material(c.ID)
		if err != nil {
			return err
		}
		m.Sealed = nil // verification has no use for it
		c.Material = append(c.Material, m)
	}
	return nil
}
