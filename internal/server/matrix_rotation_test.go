package server_test

import (
	"context"
	"net/http"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// rotationMatrix has the routes of rotations in their grace period. Whoever may end a key
// may end its earlier secret; to go back to that is to give it anew.
var rotationMatrix = map[string]row{
	"POST /v1/api-keys/{id}/finish-rotation":               {where: byPlace, roles: superAdmins, call: on(http.MethodPost, "/v1/api-keys/{id}/finish-rotation", rotatedKey((*world).targetKey, (*authority.Authority).RotateAPIKey), nil)},
	"POST /v1/api-keys/{id}/roll-back":                     {where: byPlace, roles: nil, call: on(http.MethodPost, "/v1/api-keys/{id}/roll-back", rotatedKey((*world).targetKey, (*authority.Authority).RotateAPIKey), nil)},
	"GET /v1/api-keys/{id}/previous-secret-uses":           {where: byPlace, roles: superAdmins, call: on(http.MethodGet, "/v1/api-keys/{id}/previous-secret-uses", rotatedKey((*world).targetKey, (*authority.Authority).RotateAPIKey), nil)},
	"POST /v1/verifier-keys/{id}/finish-rotation":          {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/verifier-keys/{id}/finish-rotation", rotatedKey((*world).targetVerifierKey, (*authority.Authority).RotateVerifierKey), nil)},
	"POST /v1/verifier-keys/{id}/roll-back":                {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/verifier-keys/{id}/roll-back", rotatedKey((*world).targetVerifierKey, (*authority.Authority).RotateVerifierKey), nil)},
	"GET /v1/verifier-keys/{id}/previous-secret-uses":      {where: byRoot, roles: superAdmins, call: on(http.MethodGet, "/v1/verifier-keys/{id}/previous-secret-uses", rotatedKey((*world).targetVerifierKey, (*authority.Authority).RotateVerifierKey), nil)},
	"POST /v1/account-keys/{id}/finish-rotation":           {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/account-keys/{id}/finish-rotation", rotatedKey((*world).targetAccountKey, (*authority.Authority).RotateAccountKey), nil)},
	"POST /v1/account-keys/{id}/roll-back":                 {where: byRoot, roles: superAdmins, call: on(http.MethodPost, "/v1/account-keys/{id}/roll-back", rotatedKey((*world).targetAccountKey, (*authority.Authority).RotateAccountKey), nil)},
	"GET /v1/account-keys/{id}/previous-secret-uses":       {where: byRoot, roles: superAdmins, call: on(http.MethodGet, "/v1/account-keys/{id}/previous-secret-uses", rotatedKey((*world).targetAccountKey, (*authority.Authority).RotateAccountKey), nil)},
	"POST /v1/client-credentials/{id}/finish-rotation":     {where: byPlace, roles: clientAdmins, call: on(http.MethodPost, "/v1/client-credentials/{id}/finish-rotation", rotatedKey((*world).targetClientCredential, (*authority.Authority).RotateClientCredential), nil)},
	"POST /v1/client-credentials/{id}/roll-back":           {where: byPlace, roles: nil, call: on(http.MethodPost, "/v1/client-credentials/{id}/roll-back", rotatedKey((*world).targetClientCredential, (*authority.Authority).RotateClientCredential), nil)},
	"GET /v1/client-credentials/{id}/previous-secret-uses": {where: byPlace, roles: clientAdmins, call: on(http.MethodGet, "/v1/client-credentials/{id}/previous-secret-uses", rotatedKey((*world).targetClientCredential, (*authority.Authority).RotateClientCredential), nil)},
	"POST /v1/apps/{id}/finish-rotation":                   {where: byPlace, roles: appMakers, call: on(http.MethodPost, "/v1/apps/{id}/finish-rotation", rotatedApp, nil)},
	"POST /v1/apps/{id}/roll-back":                         {where: byPlace, roles: appMakers, call: on(http.MethodPost, "/v1/apps/{id}/roll-back", rotatedApp, nil)},
	"GET /v1/apps/{id}/previous-secret-uses":               {where: byPlace, roles: appMakers, call: on(http.MethodGet, "/v1/apps/{id}/previous-secret-uses", rotatedApp, nil)},
	"POST /v1/service-account-keys/{id}/rotate": {where: byPlace, roles: appMakers, call: func(w *world, c *client, at place) reply {
		return on(http.MethodPost, "/v1/service-account-keys/{id}/rotate", (*world).targetServiceAccountKey, map[string]any{"public_key": publicKey()})(w, c, at)
	}},
	"POST /v1/service-account-keys/{id}/finish-rotation":     {where: byPlace, roles: appMakers, call: on(http.MethodPost, "/v1/service-account-keys/{id}/finish-rotation", replacedPair, nil)},
	"POST /v1/service-account-keys/{id}/roll-back":           {where: byPlace, roles: appMakers, call: on(http.MethodPost, "/v1/service-account-keys/{id}/roll-back", replacedPair, nil)},
	"GET /v1/service-account-keys/{id}/previous-secret-uses": {where: byPlace, roles: appMakers, call: on(http.MethodGet, "/v1/service-account-keys/{id}/previous-secret-uses", replacedPair, nil)},
}

func replacedPair(w *world, at place) string {
	id := w.targetServiceAccountKey(at)
	parsed, err := credential.ParseID(id)
	if err != nil {
		w.Fatal(err)
	}
	ok2(w.node.Authority().RotateServiceAccountKey(w.Context(), w.system, authority.RotateServiceAccountKeyInput{
		Tenant: at.tenant.ID, ID: parsed, PublicKeyPEM: publicKey(), Grace: time.Hour,
	}))(w)
	return id
}

type rotate = func(*authority.Authority, context.Context, access.Caller, authority.RotateKeyInput) (authority.IssuedKey, error)

// rotatedKey is a target that was rotated a moment ago.
func rotatedKey(make func(*world, place) string, rotate rotate) func(*world, place) string {
	return func(w *world, at place) string {
		id := make(w, at)
		parsed, err := credential.ParseID(id)
		if err != nil {
			w.Fatal(err)
		}
		ok2(rotate(w.node.Authority(), w.Context(), w.system, authority.RotateKeyInput{Tenant: at.tenant.ID, ID: parsed, Grace: time.Hour}))(w)
		return id
	}
}

func rotatedApp(w *world, at place) string {
	id := w.targetApp(at)
	ok2(w.node.Authority().RotateApp(w.Context(), w.system, authority.RotateAppInput{Tenant: at.tenant.ID, ID: tenancy.AppID(id), Grace: time.Hour}))(w)
	return id
}
