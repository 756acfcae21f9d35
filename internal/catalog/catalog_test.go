package catalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/problem"
)

var everything = catalog.Plan{Key: "all", Name: "All", APIAccess: true, Permissions: []access.Grant{"*:*"}}

// EE4: the demo catalogue's groups and APIs, each with its documentation.
func TestDemoHasTheGroupsAndAPIs(t *testing.T) {
	got := map[string][]string{}
	for _, g := range catalog.Demo().Groups {
		for _, a := range g.APIs {
			if !a.Legacy {
				got[g.Name] = append(got[g.Name], a.Name)
			}
			if !strings.HasPrefix(a.DocumentationURL, "https://") {
				t.Errorf("%s has no link to its documentation", a.Name)
			}
		}
	}
	want := map[string][]string{
		"Analytics & Content": {
			"Analytics for Contact Center", "Call Recordings & Storage", "Customer Experience Post Call Survey",
			"Customer Experience Recent Calls", "Quality Management & Speech Analytics",
		},
		"Actions": {"CHAPI Work Chat", "Contact Center Chat"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A catalogue's revision is the store's: a file has none, and can't set one.
func TestRevisionIsNotInFiles(t *testing.T) {
	c := catalog.Demo()
	c.Revision = 7
	text, err := c.Format()
	if err != nil {
		t.Fatal(err)
	}
	back, err := catalog.Parse(text)
	if err != nil || back.Revision != 0 {
		t.Errorf("revision %d, %v", back.Revision, err)
	}
	if _, err := catalog.Parse([]byte(`{"revision": 7, "groups": []}`)); !problem.Is(err, problem.Invalid) {
		t.Errorf("a file with a revision: %v", err)
	}
}

func TestFormatIsReadBack(t *testing.T) {
	for _, c := range []catalog.Catalog{catalog.Demo(), {}} {
		data, err := c.Format()
		if err != nil {
			t.Fatal(err)
		}
		back, err := catalog.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, back); diff != "" {
			t.Error(diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	api := func(fields string) string {
		return `{"groups":[{"key":"g","name":"G","apis":[{"key":"a","name":"A","permissions":["a:read"]` + fields + `}]}]}`
	}
	tests := []struct{ name, text, pointer string }{
		{"nothing", ``, ""},
		{"not an object", `[]`, ""},
		{"a string", `"x"`, ""},
		{"null", `null`, ""},
		{"cut off", `{"groups":[`, "/groups"},
		{"something after it", `{} {}`, ""},
		{"rubbish after it", `{} x`, ""},
		{"unknown field", `{"canary":1}`, ""},
		{"unknown field inside", api(`,"canary":1`), "/groups/0/apis/0"},
		{"other case", `{"Groups":[]}`, ""},
		{"field twice", `{"groups":[],"groups":[]}`, "/groups"},
		{"field twice inside", api(`,"key":"b"`), "/groups/0/apis/0/key"},
		{"wrong type", `{"groups":1}`, ""},
		{"object for a list", `{"groups":{}}`, ""},
		{"object for a text", api(`,"documentation_url":{}`), "/groups/0/apis/0/documentation_url"},
		{"null for a list", `{"groups":null}`, "/groups"},
		{"nested deeply", `{"groups":` + strings.Repeat("[", 1000), "/groups/0/0/0/0/0/0/0"},
		{"not UTF-8", "{\"groups\":[{\"key\":\"g\",\"name\":\"\xff\"}]}", ""},
		{"too big", strings.Repeat(" ", catalog.MaxFile+1), ""},
		{"bad key", `{"groups":[{"key":"G!","name":"G","apis":[]}]}`, "/groups/0/key"},
		{"no key", `{"groups":[{"name":"G","apis":[]}]}`, "/groups/0/key"},
		{"no name", `{"groups":[{"key":"g","apis":[]}]}`, "/groups/0/name"},
		{"bidi in a name", `{"groups":[{"key":"g","name":"a\u202eb","apis":[]}]}`, "/groups/0/name"},
		{"key twice", `{"clients":[{"key":"c","name":"C","permissions":[]},{"key":"c","name":"D","permissions":[]}]}`, "/clients/1/key"},
		{"no permission", `{"groups":[{"key":"g","name":"G","apis":[{"key":"a","name":"A"}]}]}`, "/groups/0/apis/0/permissions"},
		{"star in an API", api(`,"requires":["*:read"]`), "/groups/0/apis/0/requires/0"},
		{"ours in an API", api(`,"requires":["claviger.users:read"]`), "/groups/0/apis/0/requires/0"},
		{"ours in a client", `{"clients":[{"key":"c","name":"C","permissions":["claviger.*:read"]}]}`, "/clients/0/permissions/0"},
		{"permission twice", api(`,"requires":["b:read","b:read"]`), "/groups/0/apis/0/requires/1"},
		{"script link", api(`,"documentation_url":"javascript:alert(1)"`), "/groups/0/apis/0/documentation_url"},
		{"relative link", api(`,"documentation_url":"/x"`), "/groups/0/apis/0/documentation_url"},
		{"link with a password", api(`,"documentation_url":"https://u:p@example.com/"`), "/groups/0/apis/0/documentation_url"},
		{"unknown scope", `{"licences":[{"key":"l","name":"L","scopes":["x:read"]}]}`, "/licences/0/scopes/0"},
		{"unknown client", `{"licences":[{"key":"l","name":"L","clients":["x"]}]}`, "/licences/0/clients/0"},
		{"all and some", `{"groups":[{"key":"g","name":"G","apis":[{"key":"a","name":"A","permissions":["a:read"]}]}],"licences":[{"key":"l","name":"L","all_scopes":true,"scopes":["a:read"]}]}`, "/licences/0/scopes"},
		{"legacy shares", `{"groups":[{"key":"g","name":"G","apis":[{"key":"a","name":"A","permissions":["a:read"]},{"key":"b","name":"B","permissions":["a:read"],"legacy":true}]}]}`, "/groups/0/apis/0/permissions/0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := catalog.Parse([]byte(test.text))
			if !problem.Is(err, problem.Invalid) {
				t.Fatalf("got %v, want an Invalid problem", err)
			}
			p := problem.As(err)
			if p.Fields[0].Pointer != test.pointer {
				t.Errorf("it points at %q, want %q", p.Fields[0].Pointer, test.pointer)
			}
			if strings.Contains(p.Message+p.Fields[0].Pointer+p.Fields[0].Message, "canary") {
				t.Error("it repeats what was in the file")
			}
		})
	}
}

func TestValidatePlan(t *testing.T) {
	if err := catalog.ValidatePlan(everything); err != nil {
		t.Error(err)
	}
	for name, p := range map[string]catalog.Plan{
		"no key":   {Name: "A"},
		"no name":  {Key: "a"},
		"bad":      {Key: "a", Name: "A", Permissions: []access.Grant{"x"}},
		"ours":     {Key: "a", Name: "A", Permissions: []access.Grant{"claviger.*:*"}},
		"twice":    {Key: "a", Name: "A", Permissions: []access.Grant{"a:b", "a:b"}},
		"too many": {Key: "a", Name: "A", Permissions: make([]access.Grant, catalog.MaxPermissions+1)},
	} {
		if !problem.Is(catalog.ValidatePlan(p), problem.Invalid) {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestPermissionsOf(t *testing.T) {
	c := catalog.Demo()
	got, err := c.PermissionsOf([]string{"post_call_survey", "chapi_work_chat"})
	if want := access.NewSet("surveys:read", "work_chat:read", "work_chat:write"); err != nil || !got.Equal(want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, keys := range [][]string{{"post_call_survey", "nope"}, {"post_call_survey", "post_call_survey"}} {
		_, err := c.PermissionsOf(keys)
		if !problem.Is(err, problem.Invalid) || problem.As(err).Fields[0].Pointer != "/apis/1" {
			t.Errorf("%v: got %v", keys, err)
		}
	}
}

// EE8: Call Recordings & Storage needs the Storage API assignment.
func TestChooseNeedsThePrerequisite(t *testing.T) {
	c, keys := catalog.Demo(), []string{"recent_calls", "call_recordings_storage"}
	var admin, super access.Set
	for _, role := range access.BuiltInRoles() {
		switch role.Key {
		case access.RoleCompanyAdmin:
			admin = access.NewSet(role.Permissions...)
		case access.RoleSuperAdmin:
			super = access.NewSet(role.Permissions...)
		}
	}
	if _, err := c.Choose(keys, admin, everything); !problem.HasCode(err, "prerequisite_missing") {
		t.Errorf("a Company Admin alone: %v", err)
	}
	if c.Givable(admin, everything).Allows("call_recordings:delete") {
		t.Error("a Company Admin alone may give it")
	}
	given := admin.Union(access.NewSet("storage_api:use"))
	for name, held := range map[string]access.Set{"with the assignment": given, "Super Admin": super} {
		got, err := c.Choose(keys, held, everything)
		if err != nil || !got.Allows("call_recordings:delete") {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if !c.Givable(held, everything).Covers(got) {
			t.Errorf("%s: chosen but not givable", name)
		}
	}
}

func TestChooseKeepsToThePlan(t *testing.T) {
	c := catalog.Demo()
	small := catalog.Plan{Permissions: []access.Grant{"surveys:*", "work_chat:read"}}
	if _, err := c.Choose([]string{"post_call_survey"}, access.Set{}, small); err != nil {
		t.Error(err)
	}
	if _, err := c.Choose([]string{"chapi_work_chat"}, access.Set{}, small); !problem.HasCode(err, "not_in_plan") {
		t.Errorf("an API of which the plan has a part: %v", err)
	}
	var names []string
	for _, a := range c.Choosable(access.Set{}, small) {
		names = append(names, a.Key)
	}
	if diff := cmp.Diff([]string{"post_call_survey"}, names); diff != "" {
		t.Error(diff)
	}
}

// VC7: legacy APIs take account keys only.
func TestLegacyAPIsAreForAccountKeys(t *testing.T) {
	c := catalog.Demo()
	if !c.Legacy().Equal(access.NewSet("statistics:read")) {
		t.Errorf("legacy permissions: %v", c.Legacy())
	}
	if _, err := c.Choose([]string{"statistics"}, access.Everything(), everything); !problem.Is(err, problem.Invalid) {
		t.Errorf("an app got a legacy API: %v", err)
	}
	if c.Givable(access.Everything(), everything).Allows("statistics:read") {
		t.Error("a legacy API may be given to apps")
	}
}

// VC1: the licence decides the scopes offered.
func TestScopesOffered(t *testing.T) {
	c, all := catalog.Demo(), access.NewSet("*:*")
	admin, ok := c.ScopesOffered("admin", all)
	if want := len(c.Permissions()) - 1; !ok || len(admin) != want { // all but the legacy one
		t.Errorf("admin: %v of %d", admin, want)
	}
	supervisor, ok := c.ScopesOffered("supervisor", all)
	want := []access.Permission{"contact_center_analytics:read", "evaluations:read", "recent_calls:read"}
	if diff := cmp.Diff(want, supervisor); !ok || diff != "" {
		t.Error(diff)
	}
	bounded, ok := c.ScopesOffered("supervisor", access.NewSet("evaluations:read", "surveys:read"))
	if diff := cmp.Diff([]access.Permission{"evaluations:read"}, bounded); !ok || diff != "" {
		t.Error("more is offered than they may do: ", diff)
	}
	for _, licence := range []string{"agent", "", "nope"} {
		if scopes, ok := c.ScopesOffered(licence, all); ok || len(scopes) > 0 {
			t.Errorf("licence %q is offered %v", licence, scopes)
		}
	}
}

func TestClientPermissions(t *testing.T) {
	c := catalog.Demo()
	got, ok := c.ClientPermissions("desktop", "agent")
	if !ok || !got.Allows("recent_calls:read") || got.Allows("surveys:read") {
		t.Errorf("got %v, %v", got, ok)
	}
	for _, bad := range [][2]string{{"desktop", ""}, {"nope", "agent"}, {"", ""}} {
		if _, ok := c.ClientPermissions(bad[0], bad[1]); ok {
			t.Errorf("%v is licensed", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	data, err := catalog.Demo().Format()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"groups":[{"key":"g","name":"G","apis":[{"key":"a","name":"A","permissions":["a:read"],"legacy":true}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := catalog.Parse(data)
		if err != nil {
			if !problem.Is(err, problem.Invalid) {
				t.Fatalf("not an Invalid problem: %v", err)
			}
			return
		}
		again, err := c.Format()
		if err != nil {
			t.Fatal(err)
		}
		back, err := catalog.Parse(again)
		if err != nil {
			t.Fatalf("what was accepted is refused when written again: %v", err)
		}
		if !c.Legacy().Covers(back.Legacy()) || len(c.APIs()) != len(back.APIs()) {
			t.Fatal("it changed on the way")
		}
	})
}
