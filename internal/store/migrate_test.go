package store_test

import (
	"database/sql"
	"os"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/store/storetest"
	"github.com/claviger-io/claviger/internal/verify"
)

// The rows of a credential as the first schema knew them.
const (
	firstCredential = "INSERT INTO credentials (row_id, id, tenant_id, organization_id, kind, principal_type, principal_id, state, " +
		"secret_version, not_before, expires_at, deleted_at, scopes, networks, limits, external_id, metadata, name, name_key, hint, " +
		"created_at, created_by_type, created_by_id, created_by_name, ended_at, last_used_at, search_text) " +
		"VALUES (1, '0123456789ab', 'ten_a', 'org_a0', 'user_key', 'user', 'usr_a', 'active', " +
		"1, 0, 9223372036854775807, 0, '', '', '', '', '', 'Old key', 'old key', '', 0, 'user', 'usr_a', 'User a', 0, 0, '  old  key')"
	firstSecret = "INSERT INTO credential_secrets (row_id, field, version, digest, pepper_version, valid_until) " +
		"VALUES (1, 'key', 1, '01234567890123456789012345678901', 1, 0)"
	firstHead = "UPDATE feed_head SET revision = 1, writes = 1"
)

// TestPreviousRelease: rows of the first schema are read after the migration, and a process
// of the previous release, which knows nothing of new columns, may go on writing.
func TestPreviousRelease(t *testing.T) {
	for _, engine := range []struct {
		name, driver, folder string
		dialect              goose.Dialect
		url                  func(testing.TB) string
	}{
		{"sqlite", "sqlite", "migrations/sqlite", goose.DialectSQLite3, storetest.EmptySQLite},
		{"postgres", "pgx", "migrations/postgres", goose.DialectPostgres, storetest.EmptyPostgres},
	} {
		for _, migrated := range []bool{true, false} {
			name := engine.name + ", written before"
			if migrated {
				name = engine.name + ", written after"
			}
			t.Run(name, func(t *testing.T) {
				url := engine.url(t)
				db, err := sql.Open(engine.driver, strings.TrimPrefix(url, "sqlite:"))
				if err != nil {
					t.Fatal(err)
				}
				provider, err := goose.NewProvider(engine.dialect, db, os.DirFS(engine.folder), goose.WithDisableGlobalRegistry(true))
				if err != nil {
					t.Fatal(err)
				}
				version := int64(1)
				if migrated {
					version = 2
				}
				if _, err := provider.UpTo(t.Context(), version); err != nil {
					t.Fatal(err)
				}
				for _, statement := range []string{firstCredential, firstSecret, firstHead} {
					statement = strings.Replace(statement, "'01234567890123456789012345678901'", digestLiteral(engine.name), 1)
					if _, err := db.ExecContext(t.Context(), statement); err != nil {
						t.Fatal(err)
					}
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				mustFindOldKey(t, storetest.MustOpen(t, url))
			})
		}
	}
}

func digestLiteral(engine string) string {
	digits := strings.Repeat("3031", 16)
	if engine == "postgres" {
		return `'\x` + digits + `'::bytea`
	}
	return "x'" + digits + "'"
}

func mustFindOldKey(t *testing.T, s *store.Store) {
	t.Helper()
	storetest.MustRead(t, s, "ten_a", func(tx *store.Tx) error {
		list, err := tx.Credentials(store.CredentialFilter{}, store.Page{})
		if len(list.Items) != 1 || list.Items[0].Name != "Old key" || list.Items[0].PublicID != "" {
			t.Errorf("%+v", list.Items)
		}
		return err
	})
	var found []credential.Credential
	if _, err := s.Snapshot(t.Context(), func(it verify.Item) error {
		if it.Credential != nil {
			found = append(found, it.Credential.Credential)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].ID.String() != "crd_0123456789ab" {
		t.Errorf("the snapshot has %+v", found)
	}
}
