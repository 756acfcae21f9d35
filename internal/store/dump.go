package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/jackc/pgx/v5"
)

// dump is one moment of a database that is read for a backup.
type dump interface {
	// query reads a few rows into memory.
	query(ctx context.Context, text string, args ...any) ([][]any, error)
	// tables names the tables, and columns those of one with their types.
	tables(ctx context.Context) ([]string, error)
	columns(ctx context.Context, table string) ([]archiveColumn, error)
	// references names the tables that one's foreign keys point to.
	references(ctx context.Context, table string) ([]string, error)
	// rows writes a table's rows in the text format of COPY and tells their number.
	rows(ctx context.Context, t archiveTable, w io.Writer) (int64, error)
	close() error
}

func (d *databases) openDump(ctx context.Context) (dump, error) {
	if d.engine == enginePostgres {
		return openPostgresDump(ctx, d.pgx)
	}
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	return &sqliteDump{tx: tx.Tx}, nil
}

// sqliteDump is a read transaction: a snapshot, by the write-ahead log.
type sqliteDump struct{ tx *sql.Tx }

func (d *sqliteDump) close() error { return d.tx.Rollback() }

func (d *sqliteDump) query(ctx context.Context, text string, args ...any) ([][]any, error) {
	rows, err := d.tx.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var list [][]any
	err = eachRow(rows, func(values []any) error {
		list = append(list, slices.Clone(values))
		return nil
	})
	return list, err
}

func eachRow(rows *sql.Rows, fn func([]any) error) error {
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := fn(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (d *sqliteDump) texts(ctx context.Context, text string, args ...any) (list []string, err error) {
	rows, err := d.query(ctx, text, args...)
	for _, row := range rows {
		list = append(list, fmt.Sprint(row[0]))
	}
	return list, err
}

// tables leaves out the text indexes and what they keep: they are made anew.
func (d *sqliteDump) tables(ctx context.Context) ([]string, error) {
	return d.texts(ctx, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
}

func (d *sqliteDump) references(ctx context.Context, table string) ([]string, error) {
	return d.texts(ctx, `SELECT DISTINCT "table" FROM pragma_foreign_key_list(?) ORDER BY 1`, table)
}

func (d *sqliteDump) columns(ctx context.Context, table string) (list []archiveColumn, err error) {
	rows, err := d.query(ctx, "SELECT name, type FROM pragma_table_info(?) ORDER BY cid", table)
	for _, row := range rows {
		is, err := columnTypeOf(fmt.Sprint(row[1]))
		if err != nil {
			return nil, err
		}
		list = append(list, archiveColumn{fmt.Sprint(row[0]), is})
	}
	return list, err
}

func (d *sqliteDump) rows(ctx context.Context, t archiveTable, w io.Writer) (n int64, err error) {
	rows, err := d.tx.QueryContext(ctx, "SELECT "+t.list()+" FROM "+quoted(t.Name)) //nolint:gosec // quoted names from the database's own catalogue
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var line []byte
	err = eachRow(rows, func(values []any) error {
		n++
		if line, err = appendRow(line[:0], t.Columns, values); err != nil {
			return err
		}
		_, err := w.Write(line)
		return err
	})
	return n, err
}

// postgresDump is a connection in a transaction of isolation level repeatable read, with
// which COPY reads as of one moment.
type postgresDump struct{ conn *pgx.Conn }

func openPostgresDump(ctx context.Context, config *pgx.ConnConfig) (dump, error) {
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return nil, err
	}
	d := &postgresDump{conn: conn}
	// Bytes in hex are what splitRow reads.
	for _, text := range []string{"SET bytea_output = 'hex'", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"} {
		if _, err := conn.Exec(ctx, text); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	return d, nil
}

// close lets the server end the transaction.
func (d *postgresDump) close() error { return d.conn.Close(context.Background()) }

func (d *postgresDump) query(ctx context.Context, text string, args ...any) ([][]any, error) {
	rows, err := d.conn.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
}

func (d *postgresDump) texts(ctx context.Context, text string, args ...any) ([]string, error) {
	rows, err := d.conn.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (d *postgresDump) tables(ctx context.Context) ([]string, error) {
	return d.texts(ctx, "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')")
}

func (d *postgresDump) references(ctx context.Context, table string) ([]string, error) {
	return d.texts(ctx, "SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND conrelid = to_regclass($1) ORDER BY 1", quoted(table))
}

func (d *postgresDump) columns(ctx context.Context, table string) (list []archiveColumn, err error) {
	rows, err := d.query(ctx, "SELECT attname::text, format_type(atttypid, -1) FROM pg_attribute "+
		"WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum", quoted(table))
	for _, row := range rows {
		is, err := columnTypeOf(fmt.Sprint(row[1]))
		if err != nil {
			return nil, err
		}
		list = append(list, archiveColumn{fmt.Sprint(row[0]), is})
	}
	return list, err
}

func (d *postgresDump) rows(ctx context.Context, t archiveTable, w io.Writer) (int64, error) {
	tag, err := d.conn.PgConn().CopyTo(ctx, w, "COPY "+quoted(t.Name)+" ("+t.list()+") TO STDOUT")
	return tag.RowsAffected(), err
}
