package store

import (
	"maps"
	"strings"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// late is what nobody reads inside a transaction, and so is written once for a whole group:
// rows of the feed, audit events and the ends of their chains.
type late struct {
	feed   []any // feedColumns to a row
	events []any // eventColumns to a row
	heads  map[tenancy.TenantID]audit.Head
}

func (l *late) any() bool { return len(l.feed)+len(l.events) > 0 }

func (l *late) add(other late) {
	l.feed = append(l.feed, other.feed...)
	l.events = append(l.events, other.events...)
	if l.heads == nil {
		l.heads = other.heads
		return
	}
	maps.Copy(l.heads, other.heads)
}

var (
	feedColumns  = []string{"revision", "tenant_id", "item_type", "item_id"}
	eventColumns = []string{
		"tenant_id", "sequence", "at", "action", "actor_type", "actor_id", "actor_name", "actor_tenant", "via", "credential_id",
		"session_id", "source", "user_agent", "request_id", "target_type", "target_id", "target_name", "organization_id",
		"before", "after", "previous", "hash",
	}
)

const putHead = "INSERT INTO audit_heads (tenant_id, sequence, hash, linked) VALUES (?, ?, ?, 0) " +
	"ON CONFLICT (tenant_id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash"

// statements are the writes; their text was checked as it came in.
func (l *late) statements() []statement {
	list := insertRows(nil, "feed", feedColumns, l.feed)
	list = insertRows(list, "audit_events", eventColumns, l.events)
	for tenant, h := range l.heads {
		list = append(list, statement{text: putHead, args: []any{string(tenant), h.Sequence, h.Hash[:]}, checked: true})
	}
	return list
}

// maxRows is how many rows one statement inserts at most.
const maxRows = 32

// insertRows appends statements that insert rows, many at once. Their number of rows is a
// power of two, so that there are few texts to prepare.
func insertRows(list []statement, table string, columns []string, args []any) []statement {
	for len(args) > 0 {
		rows := maxRows
		for rows*len(columns) > len(args) {
			rows /= 2
		}
		n := rows * len(columns)
		list = append(list, statement{text: rowsText(table, columns, rows), args: args[:n:n], checked: true})
		args = args[n:]
	}
	return list
}

func rowsText(table string, columns []string, rows int) string {
	row := ", (?" + strings.Repeat(", ?", len(columns)-1) + ")"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + strings.Repeat(row, rows)[2:]
}
