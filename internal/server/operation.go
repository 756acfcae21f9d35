package server

import (
	"context"
	"net/http"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func (s *Server) operationRoutes() {
	add(s, Route{
		Method: http.MethodGet, Pattern: "/v1/operations/{id}", Operation: "Operation", tag: "Operations",
		summary: "How far a bulk change is, and what of it failed",
	}, s.operation)
}

func (s *Server) operation(ctx context.Context, c *call, in *IDInput) (*body[api.Operation], error) {
	op, err := s.authority.Operation(ctx, c.caller, authority.OperationInput{ID: in.ID})
	return answerWith(op, err, operationOf)
}

func (s *Server) countAPIKeys(ctx context.Context, c *call, in *APIKeysFilter) (*body[api.APIKeyCount], error) {
	n, err := s.authority.CountAPIKeys(ctx, c.caller, in.ask())
	return answerWith(n, err, func(n authority.KeysCount) api.APIKeyCount {
		return api.APIKeyCount{
			Count: n.Count, Revision: n.Revision, ByKind: byKind(n.Kinds), UsedLately: n.UsedLately, ExpiringSoon: n.ExpiringSoon,
		}
	})
}

func byKind(counts map[credential.Kind]int64) map[string]int64 {
	out := make(map[string]int64, len(counts))
	for kind, n := range counts {
		out[string(kind)] = n
	}
	return out
}

type bulkAPIKeysInput struct {
	TenantInput
	OnceInput
	Body api.BulkAPIKeysRequest
}

// accepted is the answer that work has begun, and where to ask how far it is.
type accepted struct {
	Location string `header:"Location"`
	Body     api.Operation
}

func (s *Server) bulkAPIKeys(ctx context.Context, c *call, in *bulkAPIKeysInput) (*accepted, error) {
	once, err := in.once("BulkAPIKeys", in.TenantID, in.Body)
	if err != nil {
		return nil, err
	}
	ask := authority.BulkKeysInput{Tenant: in.tenant(), Action: authority.BulkAction(in.Body.Action), Idempotency: once}
	if err := bulkChoice(in.Body, &ask); err != nil {
		return nil, err
	}
	op, err := s.authority.BulkKeys(ctx, c.caller, ask)
	if err != nil {
		return nil, err
	}
	return &accepted{Location: "/v1/operations/" + op.ID, Body: operationOf(op)}, nil
}

// bulkChoice reads which keys are meant: those with the IDs, or those that a filter finds.
func bulkChoice(b api.BulkAPIKeysRequest, ask *authority.BulkKeysInput) error {
	if (len(b.IDs) > 0) == (b.Filter != nil) {
		return problem.InvalidField("/ids", "Give either ids or filter.")
	}
	for _, text := range b.IDs {
		id, err := credential.ParseID(text)
		if err != nil {
			return problem.InvalidField("/ids", "There is one that is no key's ID.")
		}
		ask.IDs = append(ask.IDs, id)
	}
	if b.Filter == nil {
		return nil
	}
	var fields []problem.Field
	if b.AsOf == 0 {
		fields = append(fields, problem.Field{Pointer: "/as_of", Message: "With a filter this is required: GET /v1/api-keys/count answers it."})
	}
	if b.ExpectedCount == nil {
		fields = append(fields, problem.Field{Pointer: "/expected_count", Message: "With a filter this is required: GET /v1/api-keys/count answers it."})
	}
	if len(fields) > 0 {
		return problem.InvalidFields(fields)
	}
	f := authority.KeysInput{
		Tenant: ask.Tenant, Kinds: kindsOf(b.Filter.Kind), At: tenancy.OrgID(b.Filter.OrganizationID), Owner: tenancy.UserID(b.Filter.OwnerID),
		Search: b.Filter.Search, ExpiringBefore: given(b.Filter.ExpiringBefore), IncludeDeleted: b.Filter.IncludeDeleted,
		States: statesOf(b.Filter.State),
	}
	ask.Filter, ask.AsOf, ask.ExpectedCount = &f, b.AsOf, *b.ExpectedCount
	return nil
}

func operationOf(o authority.Operation) api.Operation {
	out := api.Operation{
		ID: o.ID, TenantID: string(o.TenantID), Action: string(o.Action), State: string(o.State), Total: o.Total, Done: o.Done,
		Failed: make([]api.OperationFailure, 0, len(o.Failed)), FailedTotal: o.FailedTotal,
		CreatedAt: o.CreatedAt, CreatedBy: principalOf(o.CreatedBy, o.CreatedByName), FinishedAt: optional(o.FinishedAt),
	}
	for _, f := range o.Failed {
		out.Failed = append(out.Failed, api.OperationFailure{ID: f.ID, Code: f.Code, Message: f.Message})
	}
	return out
}
