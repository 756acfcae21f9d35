package server

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) importRoutes() {
	const tag, need = "Imports", access.APIKeysManage
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/imports", Operation: "BeginImport", Permission: need, tag: tag,
		summary: "Begin to bring in keys that another system made", status: http.StatusCreated,
	}, s.beginImport)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/imports/{id}/lines", Operation: "ImportKeys", Permission: need, tag: tag,
		summary: "Bring in up to 1,000 keys; each is refused by itself",
	}, s.importKeys)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/imports/{id}/finish", Operation: "FinishImport", Permission: need, tag: tag,
		summary: "End an import",
	}, s.finishImport)
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/imports/{id}/report", Operation: "ImportReport", tag: tag,
		summary: "Every line that was refused, and why, as CSV", csv: true,
	}, s.importReport)
	add(s, Route{
		Method: http.MethodPost, Pattern: "/v1/tenants/{id}/import-window", Operation: "OpenImportWindow", Permission: access.TenantsManage, tag: tag,
		summary: "Let a tenant's own people import keys for a while",
	}, s.openImportWindow)
	add(s, Route{
		Method: http.MethodDelete, Pattern: "/v1/tenants/{id}/import-window", Operation: "CloseImportWindow", Permission: access.TenantsManage, tag: tag,
		summary: "Let a tenant's own people import keys no longer",
	}, s.closeImportWindow)
}

type beginImportInput struct {
	TenantInput
	OnceInput
	Body api.BeginImportRequest
}

func (s *Server) beginImport(ctx context.Context, c *call, in *beginImportInput) (*accepted, error) {
	once, err := in.once("BeginImport", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	op, err := s.authority.BeginImport(ctx, c.caller, authority.BeginImportInput{
		Tenant: in.tenant(), Total: in.Body.Total, DryRun: in.Body.DryRun, AcceptWeak: in.Body.AcceptWeak, Source: in.Body.Source, Idempotency: once,
	})
	if err != nil {
		return nil, err
	}
	return &accepted{Location: "/v1/operations/" + op.ID, Body: operationOf(op)}, nil
}

type importKeysInput struct {
	IDInput
	Body api.ImportKeysRequest
}

func (s *Server) importKeys(ctx context.Context, c *call, in *importKeysInput) (*body[api.ImportProgress], error) {
	ask := authority.ImportKeysInput{ID: in.ID, Lines: make([]authority.ImportLine, len(in.Body.Lines))}
	for i, l := range in.Body.Lines {
		ask.Lines[i] = authority.ImportLine{
			Line: l.Line, Name: l.Name, Owner: l.Owner, Key: secret.New(l.Key.Reveal()), Digest: l.Digest, ExpiresAt: l.ExpiresAt, Malformed: l.Malformed,
		}
	}
	progress, err := s.authority.ImportKeys(ctx, c.caller, ask)
	return answerWith(progress, err, func(p authority.ImportProgress) api.ImportProgress {
		out := api.ImportProgress{Operation: operationOf(p.Operation), Refused: make([]api.ImportRefusal, len(p.Refused))}
		for i, r := range p.Refused {
			out.Refused[i] = api.ImportRefusal{Line: r.Line, Code: r.Code, Message: r.Message}
		}
		return out
	})
}

func (s *Server) finishImport(ctx context.Context, c *call, in *IDInput) (*body[api.Operation], error) {
	op, err := s.authority.FinishImport(ctx, c.caller, authority.OperationInput{ID: in.ID})
	return answerWith(op, err, operationOf)
}

type importReportInput struct {
	IDInput
	Site string `header:"Sec-Fetch-Site" maxLength:"32" hidden:"true"`
}

// importReport answers every refused line, as CSV, as exportAPIKeys does with keys.
func (s *Server) importReport(ctx context.Context, c *call, in *importReportInput) (*huma.StreamResponse, error) {
	if err := ownPage(in.Site); err != nil {
		return nil, err
	}
	op, err := s.authority.Operation(ctx, c.caller, authority.OperationInput{ID: in.ID})
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		out := &csvAnswer{w: w, name: "import-report", total: op.FailedTotal, day: s.now(), columns: []string{"Line", "Code", "Why it was refused"}}
		s.endExport(ctx, c, out, s.everyRefusal(ctx, c, in.ID, out.refusal))
	}}, nil
}

func (a *csvAnswer) refusal(r store.ImportRefusal) error {
	return a.row(strconv.FormatInt(r.Line, 10), r.Code, r.Message)
}

func (s *Server) everyRefusal(ctx context.Context, c *call, id string, put func(store.ImportRefusal) error) error {
	ask := authority.ImportRefusalsInput{ID: id}
	for {
		some, err := s.authority.ImportRefusals(ctx, c.caller, ask)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, r := range some {
			if err := put(r); err != nil {
				return err
			}
		}
		ask.After = some[len(some)-1].Line
	}
}

type openImportWindowInput struct {
	IDInput
	Body api.OpenImportWindowRequest
}

func (s *Server) openImportWindow(ctx context.Context, c *call, in *openImportWindowInput) (*body[api.Tenant], error) {
	return tenantAnswer(s.authority.OpenImportWindow(ctx, c.caller, authority.OpenImportWindowInput{
		ID: tenancy.TenantID(in.ID), For: time.Duration(in.Body.OpenSeconds) * time.Second,
	}))
}

func (s *Server) closeImportWindow(ctx context.Context, c *call, in *IDInput) (*body[api.Tenant], error) {
	return tenantAnswer(s.authority.CloseImportWindow(ctx, c.caller, authority.TenantInput{ID: tenancy.TenantID(in.ID)}))
}
