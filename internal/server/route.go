package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Route is one operation that is served.
type Route struct {
	Method    string
	Pattern   string // of net/http's ServeMux, without the method
	Operation string // also the name of the authority's and the client's method, where there is one
	// Permission is what the caller needs; empty means that being somebody is enough.
	Permission access.Permission
	// Public routes need no caller.
	Public bool

	also    access.Permission // holding this instead will do for some objects
	summary string
	tag     string
	// deprecated routes still work, and are marked.
	deprecated bool
	csv        bool // the answer is a table, not an object
	status     int  // of success; 0 means 200, or 204 without a body
}

// none is the output of operations that answer nothing.
type none struct{}

// body is the output of operations that answer one object.
type body[T any] struct{ Body T }

// add registers an operation. The caller is an argument of its handler.
func add[I, O any](s *Server, rt Route, handle func(ctx context.Context, c *call, in *I) (*O, error)) {
	s.routes = append(s.routes, rt)
	op := huma.Operation{
		OperationID: rt.Operation, Method: rt.Method, Path: rt.Pattern, Summary: rt.summary, Tags: []string{rt.tag},
		DefaultStatus: rt.status, MaxBodyBytes: maxBody, Middlewares: huma.Middlewares{s.identify(rt)},
		Responses: s.problemResponses(), Security: security(rt), Deprecated: rt.deprecated,
		Metadata: map[string]any{registryKey: s.api.OpenAPI().Components.Schemas},
	}
	if rt.Permission != "" {
		op.Description = "Needs the permission `" + string(rt.Permission) + "`."
	}
	if rt.csv {
		op.Responses["200"] = &huma.Response{
			Description: "The table. The trailer " + rowsTrailer + " says how many rows it has; without it, it is not whole.",
			Headers:     map[string]*huma.Param{totalHeader: {Description: "How many rows there will be, for a progress bar.", Schema: &huma.Schema{Type: huma.TypeInteger}}},
			Content:     map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}
	}
	if rt.also != "" {
		op.Description = "Needs the permission `" + string(rt.Permission) + "` for keys of users, `" + string(rt.also) + "` for keys of organizations."
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		c := callOf(ctx)
		out, err := handle(ctx, c, in)
		if err != nil {
			s.logCause(ctx, err, c.id)
			return nil, answerOf(err, c.id)
		}
		return out, nil
	})
}

// register is the route list.
func (s *Server) register() {
	s.meRoutes()
	s.findRoutes()
	s.apiAccessRoutes()
	s.sessionRoutes()
	s.firstAdminRoutes()
	s.tenantRoutes()
	s.policyRoutes()
	s.planRoutes()
	s.organizationRoutes()
	s.userRoutes()
	s.leavingRoutes()
	s.roleRoutes()
	s.assignmentRoutes()
	s.apiKeyRoutes()
	s.rotationRoutes()
	s.accountKeyRoutes()
	s.appRoutes()
	s.serviceAccountRoutes()
	s.clientCredentialRoutes()
	s.verifierKeyRoutes()
	s.catalogRoutes()
	s.signingKeyRoutes()
	s.webhookRoutes()
	s.operationRoutes()
	s.noticeRoutes()
	s.deliveryRoutes()
	s.importRoutes()
	s.usageRoutes()
	s.auditEventRoutes()
	// These two and the gateway are answered before the router.
	s.routes = append(s.routes,
		Route{Method: http.MethodPost, Pattern: "/v1/verify", Operation: "Verify", Permission: access.CredentialsVerify},
		Route{Method: http.MethodPost, Pattern: "/v1/verify/batch", Operation: "VerifyBatch", Permission: access.CredentialsVerify},
		Route{Method: http.MethodGet, Pattern: "/gateway/auth", Operation: "GatewayAuth", Public: true},
	)
}

// IDInput names one object in the path.
type IDInput struct {
	ID string `path:"id" maxLength:"64" doc:"The object's ID."`
}

// TenantInput lets callers of the system tenant act in another.
type TenantInput struct {
	TenantID string `query:"tenant_id" maxLength:"64" doc:"System callers only: which tenant; absent means your own."`
}

func (t TenantInput) tenant() tenancy.TenantID { return tenancy.TenantID(t.TenantID) }

// PageInput asks for one page of a list.
type PageInput struct {
	Cursor string `query:"cursor" maxLength:"2048" doc:"next_cursor or previous_cursor of an earlier answer, with the same filters."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	SortInput
}

// SortInput asks for an order.
type SortInput struct {
	Sort  string `query:"sort" maxLength:"32" doc:"By what; a list names its sorts in its problems. Without it lists come by name or as they were made, and keys that are searched for latest first."`
	Order string `query:"order" enum:"asc,desc" default:"asc"`
}

func (p PageInput) page() store.Page {
	return store.Page{Limit: p.Limit, Cursor: p.Cursor, Sort: p.Sort, Desc: p.Order == "desc"}
}

// SearchInput narrows a list by part of a word.
type SearchInput struct {
	Search string `query:"search" maxLength:"200" doc:"Part of a word in any visible column."`
}

// OnceInput makes repeating a request harmless.
type OnceInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Chosen by you. Within 24 hours the same key answers what the first request made, without its secret; with another body it is a 409."`
}

// once binds the key to the operation and everything that was asked.
func (o OnceInput) once(operation string, asked ...any) (authority.Idempotency, error) {
	if o.IdempotencyKey == "" {
		return authority.Idempotency{}, nil
	}
	h := sha256.New()
	_, _ = h.Write([]byte(operation))
	for _, part := range asked {
		b, err := json.Marshal(part)
		if err != nil {
			return authority.Idempotency{}, problem.As(err)
		}
		_, _ = h.Write([]byte{0})
		_, _ = h.Write(b)
	}
	out := authority.Idempotency{Key: o.IdempotencyKey}
	h.Sum(out.Request[:0])
	return out, nil
}

// link makes a page's URL for people, with a one-time token where no server sees it.
func (s *Server) link(page, token string) string {
	return s.publicURL + page + "#token=" + url.QueryEscape(token)
}
