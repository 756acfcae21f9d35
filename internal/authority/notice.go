package authority

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/notice"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

const (
	// noticeBatch is how many credentials are announced in one transaction, so that the writer
	// is never held for long; noticePage is how many are looked for at once.
	noticeBatch = 100
	noticePage  = 1000
	// noticePeople is how many of those who hear of their own only get a delivery in one
	// transaction.
	noticePeople = 100
)

// errDigestClosed means that another process has closed the digest under way.
var errDigestClosed = errors.New("authority: the digest is closed")

// AnnounceExpiring tells people of credentials that expire soon (NV11): it looks for what is
// due, in every tenant that is active, and puts a message for everybody into the outbox. Any
// number of processes may run it at any time: what was announced is announced once, and a
// digest that a process left unfinished is finished by the next. It returns how many
// credentials it announced.
//
// Audited as <kind>.expiring of each credential, with the days, and as notice.send of the
// digest: the installation's own doing.
func (a *Authority) AnnounceExpiring(ctx context.Context) (announced int, err error) {
	var tenants []tenancy.Tenant
	err = a.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) (err error) {
		tenants, err = everyPage(func(p store.Page) (store.List[tenancy.Tenant], error) {
			return tx.AllTenantsTenants(store.TenantFilter{State: tenancy.Active}, p)
		})
		return err
	})
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, t := range tenants {
		if ctx.Err() != nil {
			break
		}
		n, err := a.announceTenant(ctx, t)
		announced += n
		if err != nil && !problem.Is(err, problem.NotFound) { // deleted meanwhile
			failed = append(failed, fmt.Errorf("tenant %s: %w", t.ID, err))
		}
	}
	return announced, errors.Join(append(failed, ctx.Err())...)
}

// announceTenant announces all that is due in a tenant in one digest.
func (a *Authority) announceTenant(ctx context.Context, t tenancy.Tenant) (announced int, err error) {
	due := notice.Due(t.Policy.Notices, a.now())
	var after store.DueNotice
	for {
		list, open, err := a.dueNotices(ctx, t.ID, due, after)
		if err != nil || len(list) == 0 && open == nil {
			return announced, err
		}
		if open != nil && !open.ClosedAt.IsZero() {
			if err := a.completeDigest(ctx, t.ID); err != nil {
				return announced, err
			}
		}
		for chunk := range slices.Chunk(list, noticeBatch) {
			n, err := a.announceSome(ctx, t.ID, chunk)
			announced += n
			if err != nil {
				return announced, err
			}
		}
		if len(list) < noticePage {
			return announced, a.completeDigest(ctx, t.ID)
		}
		after = list[len(list)-1]
	}
}

// dueNotices reads what is to be announced next, and the digest under way; nil means none.
func (a *Authority) dueNotices(ctx context.Context, tenant tenancy.TenantID, f store.DueFilter, after store.DueNotice) (list []store.DueNotice, open *store.Digest, err error) {
	err = a.store.Read(ctx, tenant, func(tx *store.Tx) error {
		open = nil
		d, err := tx.OpenDigest()
		if err == nil {
			open = &d
		} else if !problem.Is(err, problem.NotFound) {
			return err
		}
		list, err = tx.DueNotices(f, after, noticePage)
		return err
	})
	return list, open, err
}

// announceSome announces at most a batch, as far as it still is to be. A digest that was
// closed meanwhile is completed first: these go into the next.
func (a *Authority) announceSome(ctx context.Context, tenant tenancy.TenantID, chunk []store.DueNotice) (n int, err error) {
	id, err := newID("ndg_")
	if err != nil {
		return 0, err
	}
	ids := make([]credential.ID, len(chunk))
	for i, d := range chunk {
		ids[i] = d.ID
	}
	for {
		_, err = a.change(ctx, SystemCaller(), tenant, func(c *change) (err error) {
			n, err = c.announce(id, ids)
			c.replayed = n == 0
			return err
		})
		if !errors.Is(err, errDigestClosed) {
			return n, err
		}
		if err := a.completeDigest(ctx, tenant); err != nil {
			return 0, err
		}
	}
}

// announce announces what of the credentials is due in this transaction.
func (c *change) announce(digest string, ids []credential.ID) (n int, err error) {
	f := notice.Due(c.tenant.Policy.Notices, c.now)
	f.IDs = ids
	due, err := c.tx.DueNotices(f, store.DueNotice{}, len(ids))
	if err != nil || len(due) == 0 {
		return 0, err
	}
	found, err := c.tx.CredentialsByID(ids)
	if err != nil {
		return 0, err
	}
	d, err := c.tx.OpenDigest()
	switch {
	case problem.Is(err, problem.NotFound):
		d = store.Digest{ID: digest, TenantID: c.tenant.ID, At: c.now}
		if err := c.tx.InsertDigest(d); err != nil {
			return 0, err
		}
	case err != nil:
		return 0, err
	case !d.ClosedAt.IsZero():
		return 0, errDigestClosed
	}
	byID := make(map[credential.ID]credential.Credential, len(found))
	for _, k := range found {
		byID[k.ID] = k
	}
	for _, one := range due {
		k := byID[one.ID]
		if err := c.tx.PutNotice(store.Notice{CredentialID: k.ID, ExpiresAt: k.ExpiresAt, Days: one.Days, DigestID: d.ID, At: c.now}); err != nil {
			return 0, err
		}
		if err := c.record(rulesOf(k.Kind).noun+".expiring", keyTarget(k), nil, fields{"days": one.Days, "expires_at": k.ExpiresAt}); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// completeDigest puts a message for everybody into the outbox, as far as none is there:
// first for the administrators, which closes the digest, then for those who hear of their
// own. Without a digest under way it does nothing.
func (a *Authority) completeDigest(ctx context.Context, tenant tenancy.TenantID) error {
	for {
		var own []tenancy.UserID
		var seen store.Digest
		err := a.store.Read(ctx, tenant, func(tx *store.Tx) (err error) {
			own, seen, err = nextToTell(tx)
			return err
		})
		if problem.Is(err, problem.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		over := false
		_, err = a.change(ctx, SystemCaller(), tenant, func(c *change) (err error) {
			over, err = c.tell(seen, own)
			return err
		})
		if err != nil || over {
			return err
		}
	}
}

// nextToTell is the digest under way, and when it is closed who of those who hear of their own
// comes next.
func nextToTell(tx *store.Tx) (own []tenancy.UserID, d store.Digest, err error) {
	if d, err = tx.OpenDigest(); err != nil || d.ClosedAt.IsZero() {
		return nil, d, err
	}
	t, err := tx.Tenant()
	if err != nil {
		return nil, d, err
	}
	own, err = tx.DigestPeople(d.ID, t.Policy.Notices.Owners, t.Policy.Notices.Creators, d.Told, noticePeople)
	return own, d, err
}

// tell makes the next deliveries of a digest, unless another process has. over says that
// nobody is left.
func (c *change) tell(seen store.Digest, own []tenancy.UserID) (over bool, err error) {
	d, err := c.tx.OpenDigest()
	if problem.Is(err, problem.NotFound) {
		c.replayed = true
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if d != seen {
		c.replayed = true
		return false, nil
	}
	people := own
	if d.ClosedAt.IsZero() {
		d.ClosedAt = c.now
		administrators, err := notice.Administrators(c.tx)
		if err != nil {
			return false, err
		}
		for _, u := range administrators {
			people = append(people, u.ID)
		}
		if n := c.tenant.Policy.Notices; !n.Owners && !n.Creators {
			d.CompletedAt = c.now
		}
	} else if len(own) < noticePeople {
		d.CompletedAt = c.now
	}
	if len(own) > 0 {
		d.Told = own[len(own)-1]
	}
	made := 0
	for _, to := range people {
		inserted, err := c.deliverNotice(d, to, !seen.ClosedAt.IsZero())
		if err != nil {
			return false, err
		}
		if inserted {
			made++
		}
	}
	if made == 0 && seen.ClosedAt.IsZero() {
		c.a.logger.WarnContext(c.ctx, "nobody can be told of credentials that expire: no administrator has an e-mail address",
			slog.String("tenant", string(c.tenant.ID)))
	}
	if err := c.tx.UpdateDigest(d); err != nil {
		return false, err
	}
	return !d.CompletedAt.IsZero(), c.record("notice.send", target{kind: "notice_digest", id: d.ID}, nil, fields{"recipients": made})
}

func (c *change) deliverNotice(d store.Digest, to tenancy.UserID, own bool) (inserted bool, err error) {
	id, err := newID("dlv_")
	if err != nil {
		return false, err
	}
	delivery, err := notice.Delivery(id, d, to, own, c.now)
	if err != nil {
		return false, err
	}
	return c.tx.InsertDelivery(delivery)
}

// noticeFields are a tenant's choice as audit shows it.
func noticeFields(n tenancy.Notices) fields {
	return fields{
		"days": n.Thresholds(), "hour": n.AtHour(), "time_zone": n.TimeZone, "owners": n.Owners, "creators": n.Creators,
	}
}
