package authority

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// change is one change under way. It is made anew each time the store runs the callback,
// so nothing of a run that was rolled back survives.
type change struct {
	scope
	events      []audit.Event
	revocations []JournalEntry
	replayed    bool // an idempotent request was repeated: nothing changes
}

// change runs fn on the one road. target is the tenant to change; empty means the
// caller's own. It returns the feed revision that holds the change.
func (a *Authority) change(ctx context.Context, caller access.Caller, target tenancy.TenantID, fn func(*change) error) (uint64, error) {
	return a.changeIn(ctx, caller, target, false, fn)
}

// changeIn is change; absent says that the target tenant need not be there yet.
func (a *Authority) changeIn(ctx context.Context, caller access.Caller, target tenancy.TenantID, absent bool, fn func(*change) error) (uint64, error) {
	return a.changeOpened(ctx, caller, target, func(s *scope) error { return s.open(absent) }, fn)
}

// changeOpened is change; open says what the target tenant may be.
func (a *Authority) changeOpened(ctx context.Context, caller access.Caller, target tenancy.TenantID, open func(*scope) error, fn func(*change) error) (uint64, error) {
	target, err := targetOf(caller, target)
	if err != nil {
		return 0, err
	}
	var last *change
	revision, err := a.store.Write(ctx, target, func(tx *store.Tx) error {
		c := &change{scope: a.newScope(ctx, tx, caller, target)}
		last = c
		if err := open(&c.scope); err != nil {
			return err
		}
		if err := fn(c); err != nil {
			return err
		}
		return c.writeAudit()
	})
	if err != nil {
		return 0, a.refused(ctx, last, err)
	}
	a.facts.learn(&last.scope)
	if err := a.follow(ctx, last, revision); err != nil {
		return 0, err
	}
	return revision, nil
}

// follow does what must happen between the commit and the acknowledgement. The index is
// told even when the journal failed: the change stands, and this node should refuse.
func (a *Authority) follow(ctx context.Context, c *change, revision uint64) error {
	journalErr := a.remember(ctx, c.revocations, revision)
	if a.applied != nil {
		if err := a.applied(ctx, revision); err != nil {
			a.logger.ErrorContext(ctx, "applying a committed change failed", "revision", revision, "error", err)
			return problem.Wrap(fmt.Errorf("applying revision %d: %w", revision, err))
		}
	}
	if journalErr != nil {
		a.logger.ErrorContext(ctx, "writing the revocation journal failed", "revision", revision, "error", journalErr)
		return problem.Wrap(journalErr)
	}
	a.countEvents(len(c.events))
	return nil
}

func (a *Authority) remember(ctx context.Context, entries []JournalEntry, revision uint64) error {
	if a.journal == nil || len(entries) == 0 {
		return nil
	}
	installation := a.installationName(ctx)
	for i := range entries {
		entries[i].Revision, entries[i].Installation = revision, installation
	}
	return a.journal.Append(entries...)
}

// installationName is the installation's random name. It is empty where that can't be read:
// an entry of the journal is worth more than its name.
func (a *Authority) installationName(ctx context.Context) string {
	if known := a.installation.Load(); known != nil {
		return *known
	}
	var name string
	err := a.store.Read(context.WithoutCancel(ctx), tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		name, err = tx.AllTenantsSetting(settingInstallation)
		return err
	})
	if err == nil && name != "" {
		a.installation.Store(&name)
	}
	return name
}

// refused turns what the store said into what the caller may see. A Conflict that leans
// on an earlier revocation is an acknowledgement of it, so that revocation is written to
// the journal again: the process may have died between its commit and its entry.
func (a *Authority) refused(ctx context.Context, c *change, err error) error {
	if errors.Is(err, store.ErrOutcomeUnknown) {
		a.logger.ErrorContext(ctx, "the outcome of a change is unknown", "error", err)
		if a.undecided != nil {
			a.undecided()
		}
		return problem.Wrap(err)
	}
	if c != nil && problem.Is(err, problem.Conflict) && len(c.revocations) > 0 {
		if jerr := a.remember(ctx, c.revocations, 0); jerr != nil {
			return problem.Wrap(jerr)
		}
	}
	return err
}

// view runs fn in one snapshot for reading.
func (a *Authority) view(ctx context.Context, caller access.Caller, target tenancy.TenantID, fn func(*scope) error) error {
	target, err := targetOf(caller, target)
	if err != nil {
		return err
	}
	var last *scope
	err = a.store.Read(ctx, target, func(tx *store.Tx) error {
		s := a.newScope(ctx, tx, caller, target)
		last = &s
		if err := s.open(false); err != nil {
			return err
		}
		return fn(&s)
	})
	if err == nil {
		a.facts.learn(last)
	}
	return err
}

// targetOf is the tenant to act on: the one named, or the caller's own.
func targetOf(caller access.Caller, named tenancy.TenantID) (tenancy.TenantID, error) {
	if caller.Tenant == "" || caller.Principal.ID == "" {
		return "", problem.New(problem.Unauthenticated, "unauthenticated", "Sign in, or send a credential.")
	}
	if named == "" {
		return caller.Tenant, nil
	}
	return named, nil
}

// locate finds the tenant of an object for callers who may act on any tenant; for all
// others the object is looked for in their own.
func (a *Authority) locate(ctx context.Context, caller access.Caller, named tenancy.TenantID, find func(*store.Tx) (tenancy.TenantID, error)) (tenancy.TenantID, error) {
	if named != "" || caller.Tenant != tenancy.SystemTenantID {
		return named, nil
	}
	var found tenancy.TenantID
	err := a.store.Read(ctx, caller.Tenant, func(tx *store.Tx) (err error) {
		found, err = find(tx)
		return err
	})
	return found, err
}

// target is what an event is about.
type target struct {
	kind string // "credential", "user", …
	id   string
	name string
	org  tenancy.OrgID
}

// fields are the changed fields of an event; nil means none. encoding/json sorts the
// names of a map, which makes the JSON canonical.
type fields map[string]any

// record adds the audit event of this change. Every change records at least one.
func (c *change) record(action string, t target, before, after fields) error {
	b, err := canonical(before)
	if err != nil {
		return err
	}
	f, err := canonical(after)
	if err != nil {
		return err
	}
	source := ""
	if c.caller.Source.IsValid() {
		source = c.caller.Source.String()
	}
	c.events = append(c.events, audit.Event{
		TenantID: c.tenant.ID, At: c.now, Action: action,
		Actor: c.caller.Principal, ActorName: plain(c.caller.Name), ActorTenant: c.caller.Tenant, Via: c.caller.Via,
		CredentialID: plain(c.caller.CredentialID), SessionID: plain(c.caller.SessionID),
		Source: source, UserAgent: plain(c.caller.UserAgent), RequestID: plain(c.caller.RequestID),
		TargetType: t.kind, TargetID: t.id, TargetName: t.name, OrganizationID: t.org,
		Before: b, After: f,
	})
	return nil
}

// writeAudit chains the events to the tenant's head, as the last statements of the change.
func (c *change) writeAudit() error {
	if len(c.events) == 0 {
		if c.replayed {
			return nil
		}
		return errors.New("authority: a change recorded no audit event")
	}
	head, err := c.tx.AuditHead()
	if err != nil {
		return fmt.Errorf("reading the audit head: %w", err)
	}
	for i := range c.events {
		c.events[i], head = audit.Chain(head, c.events[i])
		if err := c.tx.AppendAudit(c.events[i]); err != nil {
			return fmt.Errorf("appending to the audit chain: %w", err)
		}
	}
	return nil
}

func canonical(f fields) (json.RawMessage, error) {
	if len(f) == 0 {
		return nil, nil
	}
	for name, v := range f {
		if t, ok := v.(time.Time); ok && t.IsZero() {
			f[name] = nil
		}
	}
	b, err := json.Marshal(map[string]any(f))
	if err != nil {
		return nil, fmt.Errorf("encoding an audit event: %w", err)
	}
	return b, nil
}

// plain makes text from outside, such as a user agent, fit for audit: valid, printable, short.
func plain(s string) string {
	const longest = 256
	if len(s) > 4*longest {
		s = s[:4*longest]
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return -1
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > longest {
		s = string([]rune(s)[:longest])
	}
	return s
}
