package server

import (
	"context"
	"net/http"
	"reflect"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) noticeRoutes() {
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/notices/preview", Operation: "NoticePreview", Permission: access.TenantManage, tag: "Notices",
		summary: "What people will be told next of credentials that expire, and who",
	}, s.noticePreview)
}

func (s *Server) noticePreview(ctx context.Context, c *call, in *TenantInput) (*body[api.NoticePreview], error) {
	p, err := s.authority.NoticePreview(ctx, c.caller, authority.NoticePreviewInput{Tenant: in.tenant()})
	return answerWith(p, err, noticePreviewOf)
}

func noticePreviewOf(p authority.NoticePreview) api.NoticePreview {
	out := api.NoticePreview{
		At: p.At, Days: p.Notices.Thresholds(), Hour: p.Notices.AtHour(), TimeZone: p.Notices.TimeZone, Total: p.Total,
		Recipients: make([]api.Recipient, 0, len(p.Recipients)), Items: make([]api.ComingNotice, 0, len(p.Items)),
	}
	if out.TimeZone == "" {
		out.TimeZone = "UTC"
	}
	for _, u := range p.Recipients {
		out.Recipients = append(out.Recipients, api.Recipient{ID: string(u.ID), Username: u.Username, DisplayName: u.DisplayName, Email: u.Email})
	}
	for _, n := range p.Items {
		out.Items = append(out.Items, api.ComingNotice{
			CredentialID: n.ID.String(), Kind: string(n.Kind), Name: n.Name, OrganizationID: string(n.OrganizationID), OrganizationName: n.OrganizationName,
			Owner: principalOf(n.Principal, n.OwnerName), ExpiresAt: n.ExpiresAt, Days: n.Days, At: n.At,
		})
	}
	return out
}

func noticesOf(n tenancy.Notices) *api.Notices {
	if reflect.ValueOf(n).IsZero() {
		return nil
	}
	return &api.Notices{Days: n.Days, Hour: n.Hour, TimeZone: n.TimeZone, TellOwners: n.Owners, TellCreators: n.Creators}
}

func noticesFrom(n *api.Notices) tenancy.Notices {
	if n == nil {
		return tenancy.Notices{}
	}
	return tenancy.Notices{Days: n.Days, Hour: n.Hour, TimeZone: n.TimeZone, Owners: n.TellOwners, Creators: n.TellCreators}
}
