package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ErrNotEmpty means that a database is in use already.
var ErrNotEmpty = errors.New("the database is not empty")

// CheckBackup reads a whole backup and finds out whether it is unchanged; the error is
// ErrDamagedBackup when it isn't.
func CheckBackup(r io.Reader) (BackupInfo, error) {
	a, err := openArchive(r)
	if err != nil {
		return BackupInfo{}, err
	}
	err = a.tables(func(archiveTable, *archiveRows) error { return nil })
	return a.BackupInfo, err
}

// Restore fills an empty database from a backup, in one transaction, and then brings its
// schema up to date. In the same transaction it sets settings, and holds every tenant (see
// AllTenantsHold): there is no moment at which something of the backup verifies. A database
// that holds an installation is ErrNotEmpty, and stays as it is. After any error the
// database is empty, or has no more than tables without rows.
func Restore(ctx context.Context, c Config, r io.Reader, settings map[string]string) (info BackupInfo, err error) {
	c.fill()
	from, err := openArchive(r)
	if err != nil {
		return info, err
	}
	db, err := openDatabases(ctx, c)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	if err := db.knows(from.Schema); err != nil {
		return info, err
	}
	if err := db.prepareEmpty(ctx, from.Schema); err != nil {
		return info, err
	}
	all := map[string]string{settingHeld: "1"}
	maps.Copy(all, settings)
	if err := db.fill(ctx, from, all); err != nil {
		return info, err
	}
	return from.BackupInfo, db.migrate(ctx, c.Logger)
}

// fill is the transaction of Restore.
func (d *databases) fill(ctx context.Context, from *archiveReader, settings map[string]string) (err error) {
	into, err := d.openLoad(ctx)
	if err != nil {
		return fmt.Errorf("beginning to restore: %w", err)
	}
	defer func() { err = errors.Join(err, into.close()) }()
	if err := from.tables(func(t archiveTable, rows *archiveRows) error { return into.table(ctx, t, rows) }); err != nil {
		return err
	}
	if err := into.finish(ctx, settings); err != nil {
		return fmt.Errorf("finishing to restore: %w", err)
	}
	return nil
}

// prepareEmpty makes an empty database's tables as they were at a version of the schema.
func (d *databases) prepareEmpty(ctx context.Context, schema int64) error {
	has, err := d.schemaOf(ctx)
	if err != nil {
		return err
	}
	if has > schema {
		return fmt.Errorf("%w: its schema is newer than the backup's", ErrNotEmpty)
	}
	provider, err := d.migrations()
	if err != nil {
		return err
	}
	if _, err := provider.UpTo(ctx, schema); err != nil {
		return fmt.Errorf("making the tables: %w", err)
	}
	return nil
}

// schemaOf is the version of the schema of a database without tenants; 0 when it has none.
func (d *databases) schemaOf(ctx context.Context) (int64, error) {
	from, err := d.openDump(ctx)
	if err != nil {
		return 0, err
	}
	info, err := describe(ctx, from)
	if err := errors.Join(err, from.close()); errors.Is(err, ErrNoInstallation) {
		return info.Schema, nil
	} else if err != nil {
		return 0, fmt.Errorf("looking whether the database is empty: %w", err)
	}
	return 0, ErrNotEmpty
}

// load is the transaction in which a database is filled.
type load interface {
	table(ctx context.Context, t archiveTable, rows *archiveRows) error
	// finish sets settings and commits.
	finish(ctx context.Context, settings map[string]string) error
	// close rolls back what was not finished.
	close() error
}

func (d *databases) openLoad(ctx context.Context) (load, error) {
	if d.engine == enginePostgres {
		return openPostgresLoad(ctx, d.pgx)
	}
	return d.openSQLiteLoad(ctx)
}

const putSettingText = "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"

// sqliteLoad fills tables without their indexes and triggers, which are made again at the
// end: sorting once is many times faster than keeping each index in order.
type sqliteLoad struct {
	conn *sql.Conn
	open bool
	made []string // the statements that make them again
}

func (d *databases) openSQLiteLoad(ctx context.Context) (load, error) {
	conn, err := d.write.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	l := &sqliteLoad{conn: conn}
	if err := l.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, errors.Join(err, l.close())
	}
	l.open = true
	if err := errors.Join(l.exec(ctx, "PRAGMA defer_foreign_keys = ON"), l.unindex(ctx)); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *sqliteLoad) exec(ctx context.Context, text string, args ...any) error {
	_, err := l.conn.ExecContext(ctx, text, args...)
	return err
}

func (l *sqliteLoad) unindex(ctx context.Context) error {
	rows, err := l.conn.QueryContext(ctx, "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL "+
		"AND tbl_name IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table') ORDER BY type, name")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var drops []string
	err = eachRow(rows, func(values []any) error {
		kind, name, text := fmt.Sprint(values[0]), fmt.Sprint(values[1]), fmt.Sprint(values[2])
		drops, l.made = append(drops, "DROP "+kind+" "+quoted(name)), append(l.made, text)
		return nil
	})
	for _, text := range drops {
		err = errors.Join(err, l.exec(ctx, text))
	}
	return err
}

func (l *sqliteLoad) table(ctx context.Context, t archiveTable, rows *archiveRows) error {
	if err := l.exec(ctx, "DELETE FROM "+quoted(t.Name)); err != nil {
		return err
	}
	text := "INSERT INTO " + quoted(t.Name) + " (" + t.list() + ") VALUES (?" + strings.Repeat(", ?", len(t.Columns)-1) + ")" //nolint:gosec // quoted names
	insert, err := l.conn.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }() // nothing is left to be said to it
	values := make([]any, len(t.Columns))
	for {
		line, err := rows.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := splitRow(line, t.Columns, values); err != nil {
			return damaged(fmt.Errorf("row %d: %w", rows.count, err))
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return fmt.Errorf("row %d: %w", rows.count, err)
		}
	}
}

func (l *sqliteLoad) finish(ctx context.Context, settings map[string]string) error {
	for key, value := range settings {
		if err := l.exec(ctx, putSettingText, key, value); err != nil {
			return err
		}
	}
	for _, text := range l.made {
		if err := l.exec(ctx, text); err != nil {
			return err
		}
	}
	rows, err := l.conn.QueryContext(ctx, "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var indexes []string
	err = eachRow(rows, func(values []any) error {
		indexes = append(indexes, quoted(fmt.Sprint(values[0])))
		return nil
	})
	for _, name := range indexes {
		err = errors.Join(err, l.exec(ctx, "INSERT INTO "+name+" ("+name+") VALUES ('rebuild')"))
	}
	if err == nil {
		if err = l.exec(ctx, "COMMIT"); err == nil {
			l.open = false
		}
	}
	return err
}

func (l *sqliteLoad) close() error {
	var err error
	if l.open {
		err = l.exec(context.Background(), "ROLLBACK")
	}
	return errors.Join(err, l.conn.Close())
}

// postgresLoad fills tables with COPY, their triggers off.
type postgresLoad struct {
	conn   *pgx.Conn
	loaded []string // tables whose triggers are off
}

func openPostgresLoad(ctx context.Context, config *pgx.ConnConfig) (load, error) {
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return nil, err
	}
	l := &postgresLoad{conn: conn}
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *postgresLoad) table(ctx context.Context, t archiveTable, rows *archiveRows) error {
	name := quoted(t.Name)
	for _, text := range []string{"ALTER TABLE " + name + " DISABLE TRIGGER USER", "DELETE FROM " + name} {
		if _, err := l.conn.Exec(ctx, text); err != nil {
			return err
		}
	}
	l.loaded = append(l.loaded, name)
	tag, err := l.conn.PgConn().CopyFrom(ctx, rows, "COPY "+name+" ("+t.list()+") FROM STDIN")
	if err == nil && tag.RowsAffected() != rows.count {
		err = fmt.Errorf("%d of %d rows arrived", tag.RowsAffected(), rows.count)
	}
	return err
}

func (l *postgresLoad) finish(ctx context.Context, settings map[string]string) error {
	for key, value := range settings {
		if _, err := l.conn.Exec(ctx, numbered(putSettingText), key, value); err != nil {
			return err
		}
	}
	for _, name := range l.loaded {
		if _, err := l.conn.Exec(ctx, "ALTER TABLE "+name+" ENABLE TRIGGER USER"); err != nil {
			return err
		}
	}
	_, err := l.conn.Exec(ctx, "COMMIT")
	return err
}

// close lets the server roll back what was not committed.
func (l *postgresLoad) close() error { return l.conn.Close(context.Background()) }
