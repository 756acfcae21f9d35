package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/problem"
)

// statement is one buffered write. Its text is constant and written once for both engines,
// with "?" for arguments, which travel apart from it: nothing is ever quoted into it.
type statement struct {
	text    string
	args    []any            // int64, string, []byte, bool or nil
	one     string           // what is missing when no row was touched; empty when that is fine
	taken   *problem.Problem // what to say of a violated unique index; nil says it in general
	checked bool             // arguments are ours, or were looked at
	into    *table           // of a plain insert of one row, that may go together with others
}

// table is where rows go that are inserted many at once.
type table struct {
	name    string
	columns []string
}

// checkText refuses what PostgreSQL can't hold, and what SQLite would hold but nobody could
// compare.
func (st *statement) checkText() error {
	if st.checked {
		return nil
	}
	for _, a := range st.args {
		if s, ok := a.(string); ok && !validText(s) {
			return errText
		}
	}
	return nil
}

var errText = problem.New(problem.Invalid, "invalid_text", "Text must be valid UTF-8 without NUL characters.")

func validText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// connection is the writer's connection with its prepared statements.
type connection struct {
	engine   engine
	conn     bun.Conn
	lite     map[string]*sql.Stmt
	postgres map[string]*pgconn.StatementDescription
	builder  pgx.ExtendedQueryBuilder
	yield    func() // SQLite only, as turn
	turn     *turn  // the present transaction's
	broken   bool   // PostgreSQL: the server is gone, nothing more can be said to it
}

func (d *databases) connect(ctx context.Context) (*connection, error) {
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &connection{
		engine: d.engine, conn: conn, yield: d.yield,
		lite: map[string]*sql.Stmt{}, postgres: map[string]*pgconn.StatementDescription{},
	}, nil
}

// close gives the connection up; a broken or busy one is not used again.
func (c *connection) close() error {
	if c.engine == enginePostgres {
		// The pool must not hand out a connection whose transaction we lost track of.
		_ = c.conn.Raw(func(any) error { return driver.ErrBadConn })
		return nil
	}
	var errs []error
	for _, st := range c.lite {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

// head is the single row that all writers lock.
type head struct{ revision, rights, writes uint64 }

// begin opens a transaction and locks the feed's head, which puts the writers of all
// processes in a line.
func (c *connection) begin(ctx context.Context) (h head, err error) {
	if c.engine == enginePostgres {
		err = c.conn.Raw(func(driverConn any) error {
			conn, ok := driverConn.(*stdlib.Conn)
			if !ok {
				return fmt.Errorf("unexpected driver connection %T", driverConn)
			}
			h, err = c.beginPostgres(ctx, conn.Conn())
			return err
		})
		if err != nil {
			c.noteBroken()
		}
		return h, err
	}
	c.turn = &turn{yield: c.yield}
	if err := c.run(ctx, []statement{{text: "BEGIN IMMEDIATE", checked: true}}); err != nil {
		return head{}, err
	}
	err = c.conn.QueryRowContext(ctx, readHead).Scan(&h.revision, &h.rights, &h.writes)
	return h, err
}

// beginPostgres begins and locks in one round trip.
func (c *connection) beginPostgres(ctx context.Context, conn *pgx.Conn) (h head, err error) {
	list := []statement{{text: "BEGIN", checked: true}, {text: readHead + " FOR UPDATE", checked: true}}
	if err := c.prepare(ctx, conn, list); err != nil {
		return h, err
	}
	pipe := conn.PgConn().StartPipeline(ctx)
	for i := range list {
		pipe.SendQueryStatement(c.postgres[list[i].text], nil, nil, []int16{1})
	}
	if err := pipe.Sync(); err != nil {
		return h, errors.Join(err, pipe.Close())
	}
	err = readResult(pipe, &list[0])
	if err == nil {
		h, err = readLocked(pipe)
	}
	if e := pipe.Close(); err == nil {
		err = e
	}
	return h, err
}

func readLocked(pipe *pgconn.Pipeline) (h head, err error) {
	result, err := pipe.GetResults()
	if err != nil {
		return h, explain(err)
	}
	reader, ok := result.(*pgconn.ResultReader)
	if !ok {
		return h, fmt.Errorf("unexpected answer %T to the lock of the head", result)
	}
	found := false
	for reader.NextRow() {
		row := postgresColumns{values: reader.Values()}
		h, found = head{uint64(row.number(0)), uint64(row.number(1)), uint64(row.number(2))}, true
	}
	if _, err := reader.Close(); err != nil {
		return h, explain(err)
	}
	if !found {
		return h, errors.New("store: the feed has no head")
	}
	return h, nil
}

// run sends statements, on PostgreSQL all in one round trip. The first that fails ends the
// run with its error.
func (c *connection) run(ctx context.Context, list []statement) error {
	if c.engine == engineSQLite {
		return c.runSQLite(ctx, list)
	}
	err := c.conn.Raw(func(driverConn any) error {
		conn, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("unexpected driver connection %T", driverConn)
		}
		return c.runPostgres(ctx, conn.Conn(), list)
	})
	if err != nil {
		c.noteBroken()
	}
	return err
}

func (c *connection) runSQLite(ctx context.Context, list []statement) error {
	for i := range list {
		c.turn.pass()
		st := &list[i]
		prepared := c.lite[st.text]
		if prepared == nil {
			var err error
			if prepared, err = c.conn.PrepareContext(ctx, st.text); err != nil {
				return fmt.Errorf("preparing %q: %w", st.text, err)
			}
			c.lite[st.text] = prepared
		}
		result, err := prepared.ExecContext(ctx, st.args...)
		if err != nil {
			return st.explain(err)
		}
		if st.one != "" {
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, problem.Missing(st.one))
			}
		}
	}
	return nil
}

// prepare makes the statements known to the server that aren't yet.
func (c *connection) prepare(ctx context.Context, conn *pgx.Conn, list []statement) error {
	for i := range list {
		text := list[i].text
		if c.postgres[text] != nil {
			continue
		}
		prepared, err := conn.Prepare(ctx, "claviger_"+strconv.Itoa(len(c.postgres)), numbered(text))
		if err != nil {
			return fmt.Errorf("preparing %q: %w", text, err)
		}
		c.postgres[text] = prepared
	}
	return nil
}

func (c *connection) runPostgres(ctx context.Context, conn *pgx.Conn, list []statement) error {
	if err := c.prepare(ctx, conn, list); err != nil {
		return err
	}
	pipe := conn.PgConn().StartPipeline(ctx)
	for i := range list {
		prepared := c.postgres[list[i].text]
		if err := c.builder.Build(conn.TypeMap(), prepared, list[i].args); err != nil {
			// Half a batch is on its way out: the connection can't be used any more.
			return errors.Join(fmt.Errorf("encoding arguments of %q: %w", list[i].text, err), conn.Close(ctx))
		}
		pipe.SendQueryStatement(prepared, c.builder.ParamValues, c.builder.ParamFormats, c.builder.ResultFormats)
	}
	if err := pipe.Sync(); err != nil {
		return errors.Join(err, pipe.Close())
	}
	var failed error
	for i := range list {
		if err := readResult(pipe, &list[i]); err != nil {
			failed = err
			break
		}
	}
	if err := pipe.Close(); failed == nil && err != nil {
		return err
	}
	return failed
}

func readResult(pipe *pgconn.Pipeline, st *statement) error {
	result, err := pipe.GetResults()
	if err != nil {
		return st.explain(err)
	}
	reader, ok := result.(*pgconn.ResultReader)
	if !ok {
		return fmt.Errorf("unexpected answer %T to %q", result, st.text)
	}
	tag, err := reader.Close()
	if err != nil {
		return st.explain(err)
	}
	if st.one != "" && tag.RowsAffected() == 0 {
		return problem.Missing(st.one)
	}
	return nil
}

// explain gives a violated unique index the words of the statement that violated it.
func (st *statement) explain(err error) error {
	if st.taken != nil && isTaken(err) {
		p := *st.taken
		p.Err = err
		return &p
	}
	return explain(err)
}

// noteBroken finds out whether the server is still there.
func (c *connection) noteBroken() {
	if c.engine != enginePostgres || c.broken {
		return
	}
	err := c.conn.Raw(func(driverConn any) error {
		if conn, ok := driverConn.(*stdlib.Conn); ok && !conn.Conn().IsClosed() {
			return nil
		}
		return driver.ErrBadConn
	})
	c.broken = err != nil
}

// numbered turns "?" into PostgreSQL's "$1", "$2". Statements hold no "?" of another meaning.
func numbered(text string) string {
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(text, "?") {
		if n > 0 {
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		n++
		b.WriteString(part)
	}
	return b.String()
}

// insertInto is the text of an INSERT of one row.
func insertInto(table string, columns ...string) string {
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"
}

// update is the text of an UPDATE of one row of a tenant by its ID: the ID and the tenant
// come last in the arguments.
func update(table string, columns ...string) string {
	return "UPDATE " + table + " SET " + strings.Join(columns, " = ?, ") + " = ? WHERE id = ? AND tenant_id = ?"
}
