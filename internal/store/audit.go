package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type eventRow struct {
	bun.BaseModel `bun:"table:audit_events,alias:e"`

	TenantID       string
	Sequence       int64
	At             int64
	Action         string
	ActorType      string
	ActorID        string
	ActorName      string
	ActorTenant    string
	Via            string
	CredentialID   string
	SessionID      string
	Source         string
	UserAgent      string
	RequestID      string
	TargetType     string
	TargetID       string
	TargetName     string
	OrganizationID string
	Before         *string
	After          *string
	Previous       []byte
	Hash           []byte
}

func (r *eventRow) event() (e audit.Event, err error) {
	e = audit.Event{
		TenantID: tenancy.TenantID(r.TenantID), Sequence: r.Sequence, At: moment(r.At), Action: r.Action,
		Actor:     access.Principal{Type: access.PrincipalType(r.ActorType), ID: r.ActorID},
		ActorName: r.ActorName, ActorTenant: tenancy.TenantID(r.ActorTenant), Via: access.Via(r.Via),
		CredentialID: r.CredentialID, SessionID: r.SessionID, Source: r.Source, UserAgent: r.UserAgent,
		RequestID: r.RequestID, TargetType: r.TargetType, TargetID: r.TargetID, TargetName: r.TargetName,
		OrganizationID: tenancy.OrgID(r.OrganizationID), Before: rawJSON(r.Before), After: rawJSON(r.After),
	}
	if e.Previous, err = hashOf(r.Previous); err != nil {
		return e, err
	}
	e.Hash, err = hashOf(r.Hash)
	return e, err
}

func hashOf(b []byte) (h audit.Hash, err error) {
	if len(b) != len(h) {
		return h, errors.New("store: an audit hash has the wrong length")
	}
	copy(h[:], b)
	return h, nil
}

// rawJSON keeps the very bytes: they are hashed.
func rawJSON(s *string) json.RawMessage {
	if s == nil {
		return nil
	}
	return json.RawMessage(*s)
}

func rawText(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return string(raw)
}

type headRow struct {
	bun.BaseModel `bun:"table:audit_heads,alias:h"`

	TenantID string
	Sequence int64
	Hash     []byte
	Linked   int64
}

func (r *headRow) head() (audit.Head, error) {
	hash, err := hashOf(r.Hash)
	return audit.Head{TenantID: tenancy.TenantID(r.TenantID), Sequence: r.Sequence, Hash: hash}, err
}

// AuditHead is the end of the tenant's chain, with what this transaction has added; the
// zero sequence and hash when the chain is empty.
func (tx *Tx) AuditHead() (audit.Head, error) {
	for _, ends := range []map[tenancy.TenantID]audit.Head{tx.late.heads, tx.ends} {
		if h, ok := ends[tx.tenant]; ok {
			return h, nil
		}
	}
	if tx.writer != nil {
		if h, ok := tx.writer.heads[tx.tenant]; ok {
			return h, nil
		}
	}
	row, err := find[headRow](tx, "audit chain", "tenant_id = ?", string(tx.tenant))
	if problem.Is(err, problem.NotFound) {
		return audit.Head{TenantID: tx.tenant}, nil
	}
	if err != nil {
		return audit.Head{}, err
	}
	return row.head()
}

// AppendAudit adds an event, already chained to AuditHead, to the tenant's chain.
func (tx *Tx) AppendAudit(e audit.Event) error {
	if err := tx.own(e.TenantID); err != nil {
		return err
	}
	end, err := tx.AuditHead()
	if err != nil {
		return err
	}
	if e.Sequence != end.Sequence+1 || e.Previous != end.Hash {
		return errors.New("store: the audit event does not continue the tenant's chain")
	}
	if e.At.Nanosecond()%int(time.Microsecond) != 0 {
		return errors.New("store: the audit event's time is finer than a microsecond and would not hash the same when read")
	}
	if tx.writer == nil {
		return errReadOnly
	}
	row := statement{args: []any{
		string(e.TenantID), e.Sequence, micros(e.At), e.Action, string(e.Actor.Type), e.Actor.ID, e.ActorName,
		string(e.ActorTenant), string(e.Via), e.CredentialID, e.SessionID, e.Source, e.UserAgent, e.RequestID, e.TargetType, e.TargetID,
		e.TargetName, string(e.OrganizationID), rawText(e.Before), rawText(e.After), e.Previous[:], e.Hash[:],
	}}
	if err := row.checkText(); err != nil {
		return err
	}
	tx.late.events = append(tx.late.events, row.args...)
	if tx.late.heads == nil {
		tx.late.heads = map[tenancy.TenantID]audit.Head{}
	}
	tx.late.heads[e.TenantID] = audit.Head{TenantID: e.TenantID, Sequence: e.Sequence, Hash: e.Hash}
	return nil
}

// AuditFilter narrows a list of audit events. The zero filter is all of the tenant.
type AuditFilter struct {
	Action       string
	ActorID      string
	Who          string // part of a word of what the actor is called now, or of the name in the event
	TargetType   string
	TargetID     string
	CredentialID string        // the credential that the actor used
	About        string        // a credential, "crd_…": what was done to it, and what was done with it
	At           tenancy.OrgID // about things at this organization and all below
	From, Until  time.Time     // Until is exclusive; zero means no bound
	UpTo         int64         // the last sequence wanted; 0 means no bound
}

// AuditEvents lists the tenant's events in the order of the chain ("sequence"). In a Write
// it doesn't see the events of that very transaction.
func (tx *Tx) AuditEvents(f AuditFilter, p Page) (List[audit.Event], error) {
	l, err := tx.auditEvents(f)
	if err != nil {
		return List[audit.Event]{}, err
	}
	return list(tx, l, p)
}

// CountAuditEvents counts all that match, however many.
func (tx *Tx) CountAuditEvents(f AuditFilter) (int64, error) {
	l, err := tx.auditEvents(f)
	if err != nil {
		return 0, err
	}
	db, err := tx.rows()
	if err != nil {
		return 0, err
	}
	n, err := l.filtered(db.NewSelect().Model((*eventRow)(nil))).Count(tx.ctx)
	if err != nil {
		return 0, tx.fail(fmt.Errorf("counting audit events: %w", err))
	}
	return n, nil
}

func (tx *Tx) auditEvents(f AuditFilter) (l listing[eventRow, audit.Event], err error) {
	for _, text := range []string{f.Action, f.ActorID, f.TargetType, f.TargetID, f.CredentialID, f.About} {
		if !validText(text) {
			return l, errText
		}
	}
	who, err := newNeedle(f.Who)
	if err != nil {
		return l, err
	}
	at, err := tx.pathAt(f.At)
	if err != nil {
		return l, err
	}
	from, until := micros(f.From), micros(f.Until)
	f.From, f.Until = time.Time{}, time.Time{}
	return listing[eventRow, audit.Event]{
		name: "audit events", filter: fmt.Sprintf("%q %d %d", fmt.Sprintf("%+v", f), from, until),
		sorts: []sorting[eventRow]{{name: "sequence"}},
		row:   func(r *eventRow) int64 { return r.Sequence },
		rowID: "sequence",
		scope: tx.scope,
		where: func(q *bun.SelectQuery) *bun.SelectQuery {
			if from != 0 {
				q = q.Where("at >= ?", from)
			}
			if until != 0 {
				q = q.Where("at < ?", until)
			}
			if f.UpTo != 0 {
				q = q.Where("sequence <= ?", f.UpTo)
			}
			return tx.whereBelow(tx.whereWho(whereEvent(q, f), who, f.Who), at)
		},
		item: (*eventRow).event,
	}, nil
}

func whereEvent(q *bun.SelectQuery, f AuditFilter) *bun.SelectQuery {
	for _, e := range []struct{ column, value string }{
		{"action", f.Action},
		{"actor_id", f.ActorID},
		{"target_type", f.TargetType},
		{"target_id", f.TargetID},
		{"credential_id", f.CredentialID},
	} {
		if e.value != "" {
			q = q.Where("? = ?", bun.Ident(e.column), e.value)
		}
	}
	if f.About != "" {
		// Both halves have an index; the second one only where a credential was used.
		q = q.Where("(target_id = ? AND target_type = 'credential' OR credential_id = ? AND credential_id <> '')", f.About, f.About)
	}
	return q
}

// whereWho keeps events of actors who are called so: now, or in the event itself, which
// keeps the name of those who are gone. The database folds the latter's ASCII only.
func (tx *Tx) whereWho(q *bun.SelectQuery, who needle, text string) *bun.SelectQuery {
	if who == "" {
		return q
	}
	old := needle(strings.ToLower(strings.TrimSpace(text)))
	return q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("actor_id IN ("+namedPrincipals+")", tx.namedArgs(namedPrincipals, who)...).
			WhereOr(`lower(actor_name) LIKE ? ESCAPE '\'`, old.like())
	})
}

// AuditEventsAfter lists at most limit events of the tenant's chain after a sequence.
func (tx *Tx) AuditEventsAfter(sequence int64, limit int) ([]audit.Event, error) {
	rows, err := all[eventRow](tx, "audit events", func(q *bun.SelectQuery) *bun.SelectQuery {
		return tx.scope(q).Where("sequence > ?", sequence).Order("sequence").Limit(int64(limit))
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*eventRow).event)
}
