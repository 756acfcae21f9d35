package server_test

import (
	"net/http"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/authority"
)

// importMatrix has the routes of imports. Lines are sent by whoever began the import, so those
// rows begin one first, where that is allowed.
var importMatrix = map[string]row{
	"POST /v1/imports": {where: byRoot, roles: superAdmins, call: func(w *world, c *client, at place) reply {
		w.openImports(at)
		return c.observed(http.MethodPost, of(at, "/v1/imports"), map[string]any{"source": "keys.csv"})
	}},
	"POST /v1/imports/{id}/lines": {where: personal, roles: superAdmins, call: onOwnImport("/lines", map[string]any{
		"lines": []any{map[string]any{"line": 1, "name": "k", "owner": "nobody of that name", "key": "9a0364b9e99bb480dd25e1f0284c8555"}},
	})},
	"POST /v1/imports/{id}/finish":          {where: personal, roles: superAdmins, call: onOwnImport("/finish", nil)},
	"GET /v1/imports/{id}/report":           {where: byRoot, roles: auditReaders, call: on(http.MethodGet, "/v1/imports/{id}/report", (*world).targetImport, nil)},
	"POST /v1/tenants/{id}/import-window":   {where: byRoot, roles: systemOnly, call: on(http.MethodPost, "/v1/tenants/{id}/import-window", theTenant, map[string]any{"open_seconds": 3600})},
	"DELETE /v1/tenants/{id}/import-window": {where: byRoot, roles: systemOnly, call: on(http.MethodDelete, "/v1/tenants/{id}/import-window", theTenant, nil)},
}

func onOwnImport(path string, body any) func(*world, *client, place) reply {
	return func(w *world, c *client, at place) reply {
		w.openImports(at)
		id := w.targetImport(at)
		if mine := c.do(http.MethodPost, of(at, "/v1/imports"), map[string]any{}); mine.status == http.StatusCreated {
			id = into[api.Operation](w, mine).ID
		}
		return c.observed(http.MethodPost, "/v1/imports/"+id+path, body)
	}
}

// openImports lets the tenant's own people import.
func (w *world) openImports(at place) {
	w.Helper()
	if at.ghost {
		return
	}
	ok2(w.node.Authority().OpenImportWindow(w.Context(), w.system, authority.OpenImportWindowInput{ID: at.tenant.ID, For: time.Hour}))(w)
}

// targetImport is one that the system has begun.
func (w *world) targetImport(at place) string {
	w.Helper()
	return ok2(w.node.Authority().BeginImport(w.Context(), w.system, authority.BeginImportInput{Tenant: at.tenant.ID}))(w).ID
}
