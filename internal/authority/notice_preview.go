package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/notice"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// NoticePreviewInput asks what will be said next about credentials that expire.
type NoticePreviewInput struct {
	Tenant tenancy.TenantID // empty means the caller's own
}

// NoticePreview is what will be said by the next digest, to whom.
type NoticePreview struct {
	At         time.Time // when the next digest is due
	Notices    tenancy.Notices
	Recipients []tenancy.User // the administrators; owners and creators come on top, by policy
	Items      []ComingNotice // the first ones, in the order of their ends
	Total      int64          // how many there are in all, counted up to mostComing
}

// ComingNotice is one credential that will be announced.
type ComingNotice struct {
	Key
	Days int       // the threshold
	At   time.Time // when; what is due already goes out within a quarter of an hour
}

const (
	mostPreviewed = 200
	mostComing    = 100_000
)

// NoticePreview answers what the tenant's people will be told next of credentials that
// expire, by what is true now. It needs claviger.tenant:manage at the root.
func (a *Authority) NoticePreview(ctx context.Context, caller access.Caller, in NoticePreviewInput) (out NoticePreview, err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		if err := s.require(access.TenantManage, s.rootPath()); err != nil {
			return err
		}
		n := s.tenant.Policy.Notices
		f, at := notice.Coming(n, s.now)
		out = NoticePreview{At: at, Notices: n}
		if out.Recipients, err = notice.Administrators(s.tx); err != nil {
			return err
		}
		coming, err := s.tx.DueNotices(f, store.DueNotice{}, mostComing)
		if err != nil {
			return err
		}
		out.Total = int64(len(coming))
		out.Items, err = s.showComing(coming[:min(len(coming), mostPreviewed)])
		return err
	})
	return out, err
}

func (s *scope) showComing(coming []store.DueNotice) ([]ComingNotice, error) {
	ids := make([]credential.ID, len(coming))
	for i, d := range coming {
		ids[i] = d.ID
	}
	found, err := s.tx.CredentialsByID(ids)
	if err != nil {
		return nil, err
	}
	shown, err := s.showAll(found)
	if err != nil {
		return nil, err
	}
	byID := make(map[credential.ID]Key, len(shown))
	for _, k := range shown {
		byID[k.ID] = k
	}
	out := make([]ComingNotice, len(coming))
	for i, d := range coming {
		out[i] = ComingNotice{Key: byID[d.ID], Days: d.Days, At: notice.At(s.tenant.Policy.Notices, d, s.now)}
	}
	return out, nil
}
