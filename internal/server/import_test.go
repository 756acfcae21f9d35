package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
)

// oldKeyOf is a key as the system before made them.
func oldKeyOf(n int) string {
	sum := sha256.Sum256(fmt.Append(nil, "server test key ", n))
	return hex.EncodeToString(sum[:16])
}

// PV3: keys that existed before go on working over HTTP, each with its owner and name; they
// are listed, renamed and revoked like any other.
func TestPV3ImportedKeysGoOnWorking(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		t.Helper()
		ada := w.person(access.RoleSuperAdmin, "root")
		id := string(ada.user.ID)
		digest := sha256.Sum256([]byte(oldKeyOf(2)))
		op := into[api.Operation](t, w.admin.must(http.StatusCreated, http.MethodPost, "/v1/imports?tenant_id="+string(w.a.ID), map[string]any{"total": 3, "source": "keys.csv"}))
		body := map[string]any{"lines": []any{
			map[string]any{"line": 2, "name": "Reports", "owner": ada.user.Username, "key": oldKeyOf(1)},
			map[string]any{"line": 3, "name": "Export", "owner": id, "digest": "sha256:" + hex.EncodeToString(digest[:]), "expires_at": "2199-01-01"},
			map[string]any{"line": 4, "name": "Whose", "owner": "=nobody", "key": oldKeyOf(3)},
		}}
		got := into[api.ImportProgress](t, w.admin.must(http.StatusOK, http.MethodPost, "/v1/imports/"+op.ID+"/lines", body))
		if got.Done != 3 || got.FailedTotal != 1 || len(got.Refused) != 1 || got.Refused[0].Line != 4 || got.Refused[0].Code != "owner_unknown" {
			t.Fatalf("%+v", got)
		}
		report := w.admin.must(http.StatusOK, http.MethodGet, "/v1/imports/"+op.ID+"/report", nil)
		if want := "\"Line\",\"Code\",\"Why it was refused\"\r\n\"4\",\"owner_unknown\","; !strings.HasPrefix(string(report.body), want) || report.trailer.Get("Claviger-Rows") != "1" {
			t.Errorf("the report is %q", report.body)
		}
		if again := into[api.ImportProgress](t, w.admin.must(http.StatusOK, http.MethodPost, "/v1/imports/"+op.ID+"/lines", body)); again.Done != 3 || len(again.Refused) != 1 {
			t.Errorf("sent again: %+v", again)
		}
		done := into[api.Operation](t, w.admin.must(http.StatusOK, http.MethodPost, "/v1/imports/"+op.ID+"/finish", nil))
		if done.State != "done" || done.FinishedAt == nil || done.Action != "import" {
			t.Errorf("%+v", done)
		}
		if r := w.admin.do(http.MethodPost, "/v1/imports/"+op.ID+"/lines", map[string]any{"lines": []any{map[string]any{"line": 9}}}); r.status != http.StatusConflict {
			t.Errorf("after its end: %d", r.status)
		}

		for name, ask := range map[string]map[string]any{
			"alone":  {"credential": oldKeyOf(1)},
			"pair":   {"id": id, "secret": oldKeyOf(1)},
			"Basic":  {"authorization": basic(id, oldKeyOf(2))},
			"Bearer": {"authorization": "Bearer " + oldKeyOf(2)},
		} {
			if got := w.verify(ask); got.Code != api.VerifyValid || got.Principal.ID != id {
				t.Errorf("%s: %s", name, got.Code)
			}
		}
		for name, c := range map[string]*client{"the API": w.bearer(oldKeyOf(1)), "with its user": {w: w, authorization: basic(id, oldKeyOf(2))}} {
			if me := into[api.Me](t, c.must(http.StatusOK, http.MethodGet, "/v1/me", nil)); me.Principal.ID != id {
				t.Errorf("%s: %+v", name, me)
			}
		}
		if r := w.bearer(oldKeyOf(2)).do(http.MethodGet, "/gateway/auth", nil); r.status != http.StatusNoContent || r.header.Get("Claviger-Principal") != id {
			t.Errorf("the gateway says %d", r.status)
		}
		list := into[api.List[api.APIKey]](t, ada.must(http.StatusOK, http.MethodGet, "/v1/api-keys?search=Reports&owner_id="+id, nil))
		if len(list.Items) != 1 || !list.Items[0].Imported || list.Items[0].Weak || list.Items[0].Owner.ID != id {
			t.Fatalf("listed: %+v", list.Items)
		}
		path := "/v1/api-keys/" + list.Items[0].ID
		if k := into[api.APIKey](t, ada.must(http.StatusOK, http.MethodPatch, path, map[string]any{"name": "Weekly"})); k.Name != "Weekly" {
			t.Errorf("renamed: %+v", k)
		}
		ada.must(http.StatusOK, http.MethodPost, path+"/revoke", nil)
		if got := w.code(oldKeyOf(1)); got != api.VerifyRevoked {
			t.Errorf("revoked: %s", got)
		}
		if log := w.log.String(); strings.Contains(log, oldKeyOf(1)) || strings.Contains(log, oldKeyOf(3)) {
			t.Error("a key is in the log")
		}
	})
}

// Whatever arrives, the answer is a problem, and no value is repeated.
func TestImportTakesNothingElse(t *testing.T) {
	w := newWorld(t, sqlite(t))
	op := into[api.Operation](t, w.admin.must(http.StatusCreated, http.MethodPost, "/v1/imports?tenant_id="+string(w.a.ID), map[string]any{}))
	secret := oldKeyOf(7)
	for name, body := range map[string]string{
		"no lines":         `{"lines":[]}`,
		"line 0":           `{"lines":[{"line":0,"key":"` + secret + `"}]}`,
		"falling":          `{"lines":[{"line":2,"key":"` + secret + `"},{"line":1}]}`,
		"another name":     `{"lines":[{"line":2,"` + secret + `":"x"}]}`,
		"a number for key": `{"lines":[{"line":2,"key":1}]}`,
		"twice":            `{"lines":[{"line":2,"key":"` + secret + `","key":"` + secret + `"}]}`,
	} {
		r := w.admin.raw(http.MethodPost, "/v1/imports/"+op.ID+"/lines", []byte(body))
		if r.status != http.StatusBadRequest || r.problem(t).Code == "" || strings.Contains(string(r.body), secret) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := w.admin.do(http.MethodPost, "/v1/imports/opn_none/lines", map[string]any{"lines": []any{map[string]any{"line": 1}}}); r.status != http.StatusNotFound {
		t.Errorf("no such import: %d", r.status)
	}
	if r := w.admin.do(http.MethodGet, "/v1/imports/"+op.ID+"/report", nil, "Sec-Fetch-Site", "cross-site"); r.status != http.StatusForbidden {
		t.Errorf("a page of another site: %d", r.status)
	}
}
