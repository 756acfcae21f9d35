package authority

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// JournalReport is what applying journals did.
type JournalReport struct {
	Entries int // read, repeated ones included
	Tenants int // deleted
	Users   int // deleted
	Revoked int // credentials, those of deleted users not included
	Secrets int // credentials of which earlier secrets ended
	Unknown int // things that the backup didn't have yet
}

func (r JournalReport) fields() fields {
	if r.Entries == 0 {
		return fields{}
	}
	return fields{
		"entries": r.Entries, "tenants_deleted": r.Tenants, "users_deleted": r.Users, "credentials_revoked": r.Revoked,
		"secrets_ended": r.Secrets, "unknown": r.Unknown,
	}
}

// ends are what journals end, by tenant.
type ends struct {
	entries  int
	revision uint64 // the highest that they name
	tenants  map[tenancy.TenantID]*tenantEnds
	from     []map[string]bool // of each journal: the installations that its entries name
}

type tenantEnds struct {
	deleted *time.Time
	users   map[tenancy.UserID]time.Time
	keys    map[credential.ID][]JournalEntry
}

// CheckJournals finds entries that this program doesn't understand.
func CheckJournals(journals [][]JournalEntry) error {
	_, err := endsOf(journals)
	return err
}

// endsOf puts the entries of all nodes together. Their order counts for nothing.
func endsOf(journals [][]JournalEntry) (ends, error) {
	all := ends{tenants: map[tenancy.TenantID]*tenantEnds{}}
	for _, entries := range journals {
		from := map[string]bool{}
		all.from = append(all.from, from)
		for _, e := range entries {
			if e.Installation != "" {
				from[e.Installation] = true
			}
			if err := all.add(e); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}

func (all *ends) add(e JournalEntry) error {
	all.entries++
	all.revision = max(all.revision, e.Revision)
	t := all.tenants[e.TenantID]
	if t == nil {
		t = &tenantEnds{users: map[tenancy.UserID]time.Time{}, keys: map[credential.ID][]JournalEntry{}}
		all.tenants[e.TenantID] = t
	}
	switch e.Action {
	case JournalTenantDeleted:
		t.deleted = &e.At
		return nil
	case JournalUserDeleted:
		t.users[e.UserID] = e.At
		return nil
	case JournalRevoked, JournalRotated, JournalRotationRolledBack:
		id, err := credential.ParseID(e.CredentialID)
		if err != nil || !e.namesSecrets() {
			return fmt.Errorf("the journal has an entry %q that names no credential or no secret", e.Action)
		}
		t.keys[id] = append(t.keys[id], e)
		return nil
	}
	return fmt.Errorf("the journal has an entry %q, which this program does not know; use the program of the release that wrote it", e.Action)
}

// applyEnds ends what is not ended yet. It may be called again.
func (a *Authority) applyEnds(ctx context.Context, all ends) (r JournalReport, err error) {
	r.Entries = all.entries
	if err := a.ofThisInstallation(ctx, all); err != nil {
		return r, err
	}
	for _, id := range slices.Sorted(maps.Keys(all.tenants)) {
		if err := a.applyTenantEnds(ctx, id, all.tenants[id], &r); err != nil {
			return r, err
		}
	}
	return r, nil
}

// ErrForeignJournal means that a journal is of another installation. Entries of earlier
// releases don't say of which they are: there it means that no tenant is known that they name.
var ErrForeignJournal = errors.New("the revocation journal is of another installation")

// ofThisInstallation refuses journals that were mistaken for the right ones: they would end
// nothing, and let everything work. One that was begun by another installation and went on
// with this one is right.
func (a *Authority) ofThisInstallation(ctx context.Context, all ends) error {
	known := all.entries == 0
	err := a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
		id, err := tx.AllTenantsSetting(settingInstallation)
		if err != nil {
			return err
		}
		for _, from := range all.from {
			if len(from) > 0 && !from[id] {
				return ErrForeignJournal
			}
			known = known || from[id]
		}
		for tenant := range all.tenants {
			_, err := tx.AllTenantsTenant(tenant)
			if err != nil && !problem.Is(err, problem.NotFound) {
				return err
			}
			known = known || err == nil
		}
		return nil
	})
	if err == nil && !known {
		err = ErrForeignJournal
	}
	return err
}

func (a *Authority) applyTenantEnds(ctx context.Context, id tenancy.TenantID, t *tenantEnds, r *JournalReport) error {
	var found tenancy.Tenant
	err := a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		found, err = tx.AllTenantsTenant(id)
		return err
	})
	switch {
	case problem.Is(err, problem.NotFound):
		r.Unknown += len(t.users) + len(t.keys)
		if t.deleted != nil {
			r.Unknown++
		}
		return nil
	case err != nil:
		return err
	case found.State == tenancy.Deleted:
		return nil
	}
	if t.deleted != nil {
		r.Tenants++
		_, err := a.change(ctx, SystemCaller(), id, func(c *change) error {
			_, err := c.applyTenantState("delete", tenancy.Deleted)
			return err
		})
		a.keysets.forget(id)
		return err
	}
	for _, user := range slices.Sorted(maps.Keys(t.users)) {
		if err := a.applyUserEnd(ctx, id, user, r); err != nil {
			return err
		}
	}
	keys := slices.SortedFunc(maps.Keys(t.keys), func(a, b credential.ID) int { return strings.Compare(string(a[:]), string(b[:])) })
	for chunk := range slices.Chunk(keys, mostChunk) {
		if err := a.applyKeyEnds(ctx, id, chunk, t.keys, r); err != nil {
			return err
		}
	}
	return nil
}

// applyUserEnd deletes a user. That the tenant keeps an administrator does not count here:
// who was deleted must not come back.
func (a *Authority) applyUserEnd(ctx context.Context, tenant tenancy.TenantID, id tenancy.UserID, r *JournalReport) error {
	var deleted bool
	_, err := a.change(ctx, SystemCaller(), tenant, func(c *change) error {
		deleted = false
		u, err := c.tx.User(id)
		if err != nil {
			return err
		}
		if u.State == tenancy.Deleted {
			c.replayed = true
			return nil
		}
		p, err := c.principalFacts(tenant, userPrincipal(id))
		if err != nil {
			return err
		}
		next := u
		next.State, deleted = tenancy.Deleted, true
		return c.applyUserState(u, next, p, "delete")
	})
	if problem.Is(err, problem.NotFound) {
		r.Unknown++
		return nil
	}
	if deleted && err == nil {
		r.Users++
	}
	return err
}

// applyKeyEnds does a chunk of a tenant's credentials.
func (a *Authority) applyKeyEnds(ctx context.Context, tenant tenancy.TenantID, ids []credential.ID, entries map[credential.ID][]JournalEntry, r *JournalReport) error {
	var found []credential.Credential
	err := a.store.Read(ctx, tenant, func(tx *store.Tx) (err error) {
		found, err = tx.CredentialsByID(ids)
		return err
	})
	if err != nil {
		return err
	}
	r.Unknown += len(ids) - len(found)
	found = slices.DeleteFunc(found, func(k credential.Credential) bool { return finalState(k.State) })
	if len(found) == 0 {
		return nil
	}
	var revoked, secrets int
	_, err = a.change(ctx, SystemCaller(), tenant, func(c *change) error {
		revoked, secrets = 0, 0
		for _, k := range found {
			end, err := c.applyKeyEnd(k, entries[k.ID])
			if err != nil {
				return err
			}
			switch end {
			case JournalRevoked:
				revoked++
			case JournalRotated:
				secrets++
			case JournalUserDeleted, JournalTenantDeleted, JournalRotationRolledBack:
			}
		}
		c.replayed = len(c.events) == 0
		return nil
	})
	if err == nil {
		r.Revoked, r.Secrets = r.Revoked+revoked, r.Secrets+secrets
	}
	return err
}

// applyKeyEnd ends one credential, or its earlier secrets, and says which; empty for neither.
func (c *change) applyKeyEnd(k credential.Credential, entries []JournalEntry) (JournalAction, error) {
	for _, e := range entries {
		if e.Action == JournalRevoked {
			_, err := c.applyTransition(rulesOf(k.Kind), k, revokedBefore(e.At))
			return JournalRevoked, err
		}
	}
	return c.applyRotations(k, entries)
}

// revokedBefore revokes as of the time at which it was done first.
func revokedBefore(at time.Time) transition {
	return transition{
		action: revokeKey.action,
		apply:  func(k credential.Credential, _ time.Time) (credential.Credential, error) { return k.Revoke(at) },
		before: func(k credential.Credential) fields {
			f := stateOf(k)
			if k.State == credential.Revoked {
				f["ended_at"] = k.EndedAt
			}
			return f
		},
	}
}
