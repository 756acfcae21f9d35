package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// notBackedUp are tables of which a restored database must know nothing: what is in them was
// over, or could be used again, when it is restored.
//
//	feed            whoever follows it reads a snapshot
//	sessions        people sign in again: a session may have been ended since
//	one_time_links  a link may have been used since
//	signing_keys    with new ones, tokens that were revoked since are over as all others are
//	revoked_tokens  which therefore nobody needs to know
var notBackedUp = []string{"goose_db_version", "feed", "sessions", "one_time_links", "signing_keys", "revoked_tokens"}

// schemaTable is where the database keeps which migrations it has.
const schemaTable = "goose_db_version"

// ErrNoInstallation means that a database isn't Claviger's, or not yet.
var ErrNoInstallation = errors.New("the database holds no installation")

// Backup writes the whole database, as of one moment, while others go on reading and
// writing it. It changes nothing, the schema included. The rows go through this process one
// by one: it needs little memory, and lasts as long as reading all of them does.
func Backup(ctx context.Context, c Config, w io.Writer) (info BackupInfo, err error) {
	c.fill()
	db, err := openDatabases(ctx, c)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	from, err := db.openDump(ctx)
	if err != nil {
		return info, fmt.Errorf("beginning a backup: %w", err)
	}
	defer func() { err = errors.Join(err, from.close()) }()
	if info, err = describe(ctx, from); err != nil {
		return info, err
	}
	info.Format, info.At, info.Engine = BackupFormat, c.Now().UTC().Truncate(time.Microsecond), db.engine.String()
	if err := db.knows(info.Schema); err != nil {
		return info, err
	}
	tables, err := archivedTables(ctx, from)
	if err != nil {
		return info, fmt.Errorf("looking at the database's tables: %w", err)
	}
	out, err := newArchiveWriter(w, info)
	if err != nil {
		return info, err
	}
	for _, t := range tables {
		if err := out.table(t, func(w io.Writer) (int64, error) { return from.rows(ctx, t, w) }); err != nil {
			return info, err
		}
	}
	return info, out.close(&info)
}

// knows checks that the schema is none of a later release.
func (d *databases) knows(schema int64) error {
	known, err := d.newestSchema()
	if err == nil && schema > known {
		err = fmt.Errorf("the schema has version %d and this program knows %d; use the program of that release", schema, known)
	}
	return err
}

// describe reads what a backup says of itself.
func describe(ctx context.Context, from dump) (info BackupInfo, err error) {
	// This is the first read: it takes the snapshot.
	tables, err := from.tables(ctx)
	if err != nil {
		return info, fmt.Errorf("looking at the database's tables: %w", err)
	}
	if !slices.Contains(tables, schemaTable) || !slices.Contains(tables, "feed_head") {
		return info, ErrNoInstallation
	}
	rows, err := from.query(ctx, "SELECT (SELECT max(version_id) FROM "+schemaTable+"), (SELECT revision FROM feed_head WHERE id = 1), (SELECT count(*) FROM tenants)")
	if err != nil {
		return info, fmt.Errorf("reading the schema's version: %w", err)
	}
	var numbers [3]int64
	for i, v := range rows[0] {
		n, ok := v.(int64)
		if !ok {
			return info, ErrNoInstallation
		}
		numbers[i] = n
	}
	if numbers[2] == 0 {
		return info, ErrNoInstallation
	}
	info.Schema, info.Revision, info.Settings = numbers[0], uint64(numbers[1]), map[string]string{}
	settings, err := from.query(ctx, "SELECT key, value FROM settings")
	if err != nil {
		return info, fmt.Errorf("reading the settings: %w", err)
	}
	for _, row := range settings {
		info.Settings[fmt.Sprint(row[0])] = fmt.Sprint(row[1])
	}
	return info, nil
}

// archivedTables lists what is backed up: a table after those that it refers to.
func archivedTables(ctx context.Context, from dump) (list []archiveTable, err error) {
	names, err := from.tables(ctx)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(notBackedUp, name) })
	seen := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		if seen[name] || !slices.Contains(names, name) {
			return nil
		}
		seen[name] = true
		first, err := from.references(ctx, name)
		if err != nil {
			return err
		}
		for _, other := range first {
			if err := add(other); err != nil {
				return err
			}
		}
		columns, err := from.columns(ctx, name)
		list = append(list, archiveTable{Name: name, Columns: columns})
		return err
	}
	for _, name := range names {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// columnTypeOf understands what either engine calls a type.
func columnTypeOf(declared string) (columnType, error) {
	switch strings.ToUpper(declared) {
	case "INTEGER", "BIGINT", "SMALLINT":
		return columnInteger, nil
	case "BOOLEAN":
		return columnBoolean, nil
	case "TEXT":
		return columnText, nil
	case "BLOB", "BYTEA":
		return columnBytes, nil
	}
	return "", fmt.Errorf("store: a backup knows no columns of type %q", declared)
}

// quoted is a name as SQL takes any.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// list is the names of a table's columns for a statement.
func (t archiveTable) list() string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = quoted(c.Name)
	}
	return strings.Join(names, ", ")
}
