package server_test

import "net/http"

// leavingMatrix has the routes for users who leave: who may suspend and delete users may
// look at what that touches. What happens to each credential needs more; see leaving_test.go.
var leavingMatrix = map[string]row{
	"GET /v1/users/{id}/credentials": {where: byPlace, roles: userManagers, call: on(http.MethodGet, "/v1/users/{id}/credentials", (*world).targetUser, nil)},
	"GET /v1/users/{id}/new-owners":  {where: byPlace, roles: userManagers, call: on(http.MethodGet, "/v1/users/{id}/new-owners", (*world).targetUser, nil)},
	"POST /v1/users/{id}/offboard":   {where: byPlace, roles: userManagers, call: on(http.MethodPost, "/v1/users/{id}/offboard", (*world).targetUser, map[string]any{"then": "delete"})},
}
