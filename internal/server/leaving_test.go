package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
)

// A user leaves: what is handed over speaks for its new owner from now on, and nothing that
// the one who left knows or still has works any longer.
func TestLeavingUser(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada, eve := w.licensed("admin", access.RoleSuperAdmin), w.licensed("admin", access.RoleSuperAdmin)
		omar := w.licensed("supervisor", access.RoleSupervisor)
		key, unnamed, client := eve.issue(map[string]any{"name": "Nightly"}), eve.issue(map[string]any{"name": "Forgotten"}), eve.clientCredential("user", "recent_calls:read")
		before := oauthClient{w: w, id: client.ClientID, secret: client.ClientSecret.Reveal()}
		token := before.token("recent_calls:read").AccessToken.Reveal()
		if w.code(key.Key.Reveal()) != api.VerifyValid || w.code(token) != api.VerifyValid {
			t.Fatal("they do not work in the first place")
		}
		path := "/v1/users/" + string(eve.user.ID)
		owned := into[api.List[api.UserCredential]](t, ada.must(http.StatusOK, http.MethodGet, path+"/credentials", nil))
		if len(owned.Items) != 3 || !slices.Equal(owned.Items[0].Actions, []string{"suspend", "revoke", "hand_over"}) {
			t.Errorf("the user has %+v", owned.Items)
		}
		owners := into[api.NewOwners](t, ada.must(http.StatusOK, http.MethodGet, path+"/new-owners?search="+omar.user.Username, nil))
		if len(owners.Items) != 1 || len(owners.Items[0].Refused) != 2 || owners.Items[0].Refused[0].CredentialID == client.ID {
			t.Errorf("a supervisor can get all but keys: %+v", owners.Items)
		}
		for name, body := range map[string]map[string]any{
			"an ID that is none":   {"then": "delete", "credentials": []any{map[string]any{"id": "crd_x", "action": "revoke"}}},
			"an unknown action":    {"credentials": []any{map[string]any{"id": key.ID, "action": "keep"}}},
			"nobody to get it":     {"credentials": []any{map[string]any{"id": key.ID, "action": "hand_over"}}},
			"another end":          {"then": "retire"},
			"no decision whatever": {},
		} {
			if r := ada.do(http.MethodPost, path+"/offboard", body); r.status != http.StatusBadRequest {
				t.Errorf("%s: %d: %s", name, r.status, r.body)
			}
		}
		if r := ada.do(http.MethodPost, path+"/offboard", map[string]any{"then": "delete"}); r.status != http.StatusConflict || len(r.problem(t).Credentials) != 1 {
			t.Errorf("VC5: %d: %s", r.status, r.body)
		}
		done := into[api.OffboardedUser](t, ada.must(http.StatusOK, http.MethodPost, path+"/offboard", map[string]any{"then": "delete", "credentials": []any{
			map[string]any{"id": key.ID, "action": "hand_over", "to": string(ada.user.ID)},
			map[string]any{"id": client.ID, "action": "hand_over", "to": string(omar.user.ID)},
		}}))
		if got := done.Credentials; len(got) != 2 || got[0].Owner.ID != string(ada.user.ID) || !got[0].SecretAvailable || got[1].Owner.ID != string(omar.user.ID) || got[1].SecretAvailable {
			t.Fatalf("done: %+v", done)
		}
		for name, old := range map[string]string{"the key": key.Key.Reveal(), "a key that was not named": unnamed.Key.Reveal(), "a token": token} {
			if w.code(old) == api.VerifyValid {
				t.Errorf("%s of the one who left still works", name)
			}
		}
		if r := before.ask("scope", "recent_calls:read"); r.status != http.StatusUnauthorized {
			t.Errorf("the old client secret gets %d: %s", r.status, r.body)
		}
		v := w.verify(map[string]any{"credential": done.Credentials[0].Secret.Reveal()})
		if v.Code != api.VerifyValid || v.Principal.ID != string(ada.user.ID) || v.SecretVersion != 2 || v.CredentialID != key.ID {
			t.Errorf("the new key: %+v", v)
		}
		next := into[api.IssuedClientCredential](t, omar.must(http.StatusOK, http.MethodPost, "/v1/client-credentials/"+client.ID+"/rotate", nil))
		after := oauthClient{w: w, id: next.ClientID, secret: next.ClientSecret.Reveal()}
		if v := w.verify(map[string]any{"credential": after.token("recent_calls:read").AccessToken.Reveal()}); v.Principal == nil || v.Principal.ID != string(omar.user.ID) || next.ClientID != client.ClientID {
			t.Errorf("a token under the same client ID: %+v", v)
		}
		if strings.Contains(w.log.String(), done.Credentials[0].Secret.Reveal()) {
			t.Error("the log has the new key")
		}
	})
}
