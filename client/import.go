package client

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/claviger-io/claviger/api"
)

const imports = "imports"

// BeginImport begins to bring in keys that another system made. Send the lines with
// ImportKeys, then call FinishImport; after a day no more lines are taken.
func (c *Client) BeginImport(ctx context.Context, r api.BeginImportRequest) (*api.Operation, error) {
	return one[api.Operation](ctx, c, change(at("v1", imports), r))
}

// ImportKeys brings in up to 1,000 keys; a request may have 1 MiB. Lines that can't be are
// in the answer, with the reason. Sending lines again, as after an answer that was lost, does
// no harm: it is done by itself when no answer came.
func (c *Client) ImportKeys(ctx context.Context, id string, r api.ImportKeysRequest) (*api.ImportProgress, error) {
	return one[api.ImportProgress](ctx, c, request{method: http.MethodPost, path: at("v1", imports, id, "lines"), body: r, idempotent: true})
}

// FinishImport ends an import.
func (c *Client) FinishImport(ctx context.Context, id string) (*api.Operation, error) {
	return one[api.Operation](ctx, c, request{method: http.MethodPost, path: at("v1", imports, id, "finish"), idempotent: true})
}

// ImportReport writes every line that was refused to w as CSV, with the reason, and returns
// how many rows it wrote after the header. When it returns an error, what was written is not
// all of it.
func (c *Client) ImportReport(ctx context.Context, id string, w io.Writer) (rows int64, err error) {
	return c.export(ctx, read(at("v1", imports, id, "report"), nil, nil), w)
}

// OpenImportWindow lets a tenant's own people import keys for a while: whole seconds, from a
// minute to 30 days. System callers only.
func (c *Client) OpenImportWindow(ctx context.Context, tenant string, open time.Duration) (*api.Tenant, error) {
	return one[api.Tenant](ctx, c, request{
		method: http.MethodPost, path: at("v1", tenants, tenant, "import-window"), body: api.OpenImportWindowRequest{OpenSeconds: int64(open / time.Second)},
	})
}

// CloseImportWindow lets a tenant's own people import keys no longer.
func (c *Client) CloseImportWindow(ctx context.Context, tenant string) (*api.Tenant, error) {
	return one[api.Tenant](ctx, c, modify(http.MethodDelete, at("v1", tenants, tenant, "import-window"), nil))
}
