package authority_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
)

func (w *world) export(c access.Caller, in authority.KeysInput) (rows []authority.ExportRow, err error) {
	w.Helper()
	err = w.a.ExportKeys(w.Context(), c, in, func(r authority.ExportRow) error {
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

// NV4: every key shown, with the whole of it where it is recoverable, else why not.
func TestExport(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		user, org, ended := w.key(w.holder), w.organizationKey(w.team.ID), w.organizationKey(w.south.ID)
		_, err := w.a.RevokeAPIKey(t.Context(), w.super, authority.KeyInput{ID: ended.ID})
		w.must(err)
		rows, err := w.export(w.confirmed(w.super), authority.KeysInput{Page: store.Page{Sort: "created_at"}})
		w.must(err)
		if len(rows) != 3 {
			t.Fatalf("%d rows", len(rows))
		}
		for i, want := range []struct {
			id                   credential.ID
			secret, reason, name string
			owner                string
		}{
			{user.ID, "", authority.ExportShownOnce, "ACME", "holder"},
			{org.ID, org.Secret.Reveal(), "", "Team", "Team"},
			{ended.ID, "", authority.ExportEnded, "South", "South"},
		} {
			r := rows[i]
			if r.ID != want.id || r.Secret.Reveal() != want.secret || r.Reason != want.reason || r.OrganizationName != want.name || r.OwnerName != want.owner {
				t.Errorf("row %d: %s secret %v reason %q of %q at %q", i, r.ID, !r.Secret.IsZero(), r.Reason, r.OwnerName, r.OrganizationName)
			}
		}
		w.wantExportEvent(rows)
		below, err := w.export(w.confirmed(w.super), authority.KeysInput{At: w.north.ID})
		if err != nil || len(below) != 1 || below[0].ID != org.ID {
			t.Errorf("below north: %d rows, %v", len(below), err)
		}
		mine, err := w.export(w.confirmed(w.holder), authority.KeysInput{})
		if err != nil || len(mine) != 1 || mine[0].ID != user.ID {
			t.Errorf("of one kind: %d rows, %v", len(mine), err)
		}
	})
}

func (w *world) wantExportEvent(rows []authority.ExportRow) {
	w.Helper()
	var ids string
	for _, r := range rows {
		ids += r.ID.String() + "\n"
	}
	hash := sha256.Sum256([]byte(ids))
	e := w.lastEvent(w.acme.ID)
	var after struct {
		Count      int    `json:"count"`
		WithSecret int    `json:"with_secret"`
		Digest     string `json:"ids_sha256"`
		Filter     any    `json:"filter"`
	}
	w.must(json.Unmarshal(e.After, &after))
	if e.Action != "api_key.export" || after.Count != len(rows) || after.WithSecret != 1 || after.Digest != hex.EncodeToString(hash[:]) || after.Filter == nil {
		w.Errorf("event %s %s", e.Action, e.After)
	}
}

// An export is for a person who has just confirmed who they are, and in audit before it is out.
func TestExportNeedsAPerson(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		byKey := with(w.confirmed(w.super), w.key(w.super))
		for name, c := range map[string]access.Caller{"long ago": w.super, "by a credential": byKey, "the installation": w.confirmed(authority.SystemCaller())} {
			w.refused(name, problem.Denied, "reauthentication_required", func() error {
				_, err := w.export(c, authority.KeysInput{Tenant: w.acme.ID})
				return err
			})
		}
		for name, c := range map[string]struct {
			caller access.Caller
			kind   problem.Kind
		}{"nobody": {w.nobody, problem.Denied}, "no rights in the system": {w.sysNone, problem.Denied}, "foreign": {w.foreign, problem.NotFound}, "no one": {access.Caller{}, problem.Unauthenticated}} {
			w.refused(name, c.kind, "", func() error {
				_, err := w.export(w.confirmed(c.caller), authority.KeysInput{Tenant: w.acme.ID})
				return err
			})
		}
		before := w.state()[1]
		err := w.a.ExportKeys(t.Context(), w.confirmed(w.super), authority.KeysInput{}, func(authority.ExportRow) error {
			if w.state()[1] != before+1 {
				t.Error("a row is out before the event is in")
			}
			return errors.New("the browser went away")
		})
		if err == nil || err.Error() != "the browser went away" {
			t.Errorf("err = %v", err)
		}
	})
}

// Page by page, each audited; no key twice, none left out.
func TestLongExport(t *testing.T) {
	engines(t, func(w *world) {
		want := w.manyKeys(2100, w.holder)
		before := w.state()[1]
		rows, err := w.export(w.confirmed(w.super), authority.KeysInput{Page: store.Page{Sort: "created_at", Desc: true, Limit: 7}})
		w.must(err)
		got := make([]credential.ID, len(rows))
		for i := range rows {
			got[len(rows)-1-i] = rows[i].ID
		}
		if !slices.Equal(got, want) {
			w.Errorf("%d rows, %d keys", len(got), len(want))
		}
		if n := w.state()[1] - before; n != 3 {
			w.Errorf("%d events for three pages", n)
		}
	})
}
