package store

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
)

// view is a connection that sees one moment of the database. Several views of the same
// moment read a large table together.
type view struct {
	engine engine
	conn   bun.Conn
}

const readHead = "SELECT revision, rights_revision, writes FROM feed_head WHERE id = 1"

// openViews opens views of one moment, as many as help, at least one.
func (s *Store) openViews(ctx context.Context) (views []*view, h head, err error) {
	first, h, err := s.openView(ctx, "")
	if err != nil {
		return nil, h, err
	}
	views = []*view{first}
	moment := ""
	if s.db.engine == enginePostgres {
		if err := first.conn.QueryRowContext(ctx, "SELECT pg_export_snapshot()").Scan(&moment); err != nil {
			first.close()
			return nil, h, err
		}
	}
	for len(views) < min(4, runtime.GOMAXPROCS(0)) {
		v, other, err := s.openView(ctx, moment)
		if err != nil {
			return views, h, nil //nolint:nilerr // fewer views are slower, not wrong
		}
		if other != h {
			// On SQLite a write came between; a view of another moment is of no use.
			v.close()
			break
		}
		views = append(views, v)
	}
	return views, h, nil
}

// openView opens a view of a moment that another PostgreSQL view exported, or of now.
func (s *Store) openView(ctx context.Context, moment string) (*view, head, error) {
	conn, err := s.db.read.Conn(ctx)
	if err != nil {
		return nil, head{}, err
	}
	v := &view{engine: s.db.engine, conn: conn}
	// What a view reads is read once: a cache as large as other readers' would leave the process
	// larger than what it keeps of it.
	begin := "PRAGMA cache_size = -512; BEGIN"
	if s.db.engine == enginePostgres {
		begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
		if moment != "" {
			begin += "; SET TRANSACTION SNAPSHOT '" + strings.ReplaceAll(moment, "'", "") + "'"
		}
	}
	var h head
	if _, err = conn.ExecContext(ctx, begin); err == nil {
		err = conn.QueryRowContext(ctx, readHead).Scan(&h.revision, &h.rights, &h.writes)
	}
	if err != nil {
		v.close()
		return nil, head{}, err
	}
	return v, h, nil
}

func (v *view) close() {
	ctx := context.Background()
	if _, err := v.conn.ExecContext(ctx, "ROLLBACK"); err != nil || v.engine == engineSQLite {
		// Whatever state it is in, or with so small a cache, nobody else shall have it.
		_ = v.conn.Raw(func(any) error { return driver.ErrBadConn })
		return
	}
	_ = v.conn.Close() // back to the pool
}

// columns are the values of one row, good until the next.
type columns interface {
	text(i int) string
	name(i int) string // text that many rows share
	number(i int) int64
	bytes(i int) []byte
}

// scan runs a query below database/sql, whose generality costs more than the reading: a
// million rows are read at every start.
func (v *view) scan(ctx context.Context, query string, from, until int64, width int, each func(columns) error) error {
	return v.conn.Raw(func(driverConn any) error {
		if v.engine == engineSQLite {
			return scanSQLite(ctx, driverConn, query, from, until, width, each)
		}
		return scanPostgres(ctx, driverConn, numbered(query), from, until, each)
	})
}

func scanSQLite(ctx context.Context, driverConn any, query string, from, until int64, width int, each func(columns) error) (err error) {
	conn, ok := driverConn.(driver.QueryerContext)
	if !ok {
		return fmt.Errorf("unexpected driver connection %T", driverConn)
	}
	rows, err := conn.QueryContext(ctx, query, []driver.NamedValue{{Ordinal: 1, Value: from}, {Ordinal: 2, Value: until}})
	if err != nil {
		return err
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	values := make(sqliteColumns, width)
	for {
		err := rows.Next(values)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := each(values); err != nil {
			return err
		}
	}
}

type sqliteColumns []driver.Value

func (c sqliteColumns) text(i int) string {
	s, _ := c[i].(string)
	return s
}

func (c sqliteColumns) name(i int) string { return c.text(i) }

func (c sqliteColumns) number(i int) int64 {
	n, _ := c[i].(int64)
	return n
}

func (c sqliteColumns) bytes(i int) []byte {
	b, _ := c[i].([]byte)
	return b
}

func scanPostgres(ctx context.Context, driverConn any, query string, from, until int64, each func(columns) error) error {
	conn, ok := driverConn.(*stdlib.Conn)
	if !ok {
		return fmt.Errorf("unexpected driver connection %T", driverConn)
	}
	args := [][]byte{binary.BigEndian.AppendUint64(nil, uint64(from)), binary.BigEndian.AppendUint64(nil, uint64(until))}
	const int8OID, binaryFormat = 20, 1
	rows := conn.Conn().PgConn().ExecParams(ctx, query, args, []uint32{int8OID, int8OID}, []int16{binaryFormat}, []int16{binaryFormat})
	c := &postgresColumns{names: map[string]string{}}
	for rows.NextRow() {
		c.values = rows.Values()
		if err := each(c); err != nil {
			_, _ = rows.Close()
			return err
		}
	}
	_, err := rows.Close()
	return err
}

type postgresColumns struct {
	values [][]byte
	names  map[string]string
}

func (c *postgresColumns) text(i int) string { return string(c.values[i]) }

func (c *postgresColumns) name(i int) string {
	if s, ok := c.names[string(c.values[i])]; ok {
		return s
	}
	s := string(c.values[i])
	if len(c.names) < maxCached {
		c.names[s] = s
	}
	return s
}

func (c *postgresColumns) number(i int) int64 {
	switch b := c.values[i]; len(b) {
	case 8:
		return int64(binary.BigEndian.Uint64(b))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b)))
	}
	return 0
}

func (c *postgresColumns) bytes(i int) []byte { return c.values[i] }
