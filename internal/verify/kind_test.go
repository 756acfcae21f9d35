package verify

import (
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

var (
	tenantItself = access.Principal{Type: access.PrincipalTenant, ID: "ten_a"}
	northItself  = access.Principal{Type: access.PrincipalOrganization, ID: "org_north"}
	appItself    = access.Principal{Type: access.PrincipalApp, ID: "app_a"}
	botItself    = access.Principal{Type: access.PrincipalServiceAccount, ID: "sva_a"}
)

// kindsWorld is a world with a catalogue, an app, a service account and one credential of each
// kind, all at org_north.
type kindsWorld struct {
	*world
	catalog catalog.Catalog
	app     tenancy.App
	bot     tenancy.ServiceAccount
	held    map[string]Credential
	texts   map[string]string
}

func newKindsWorld(t *testing.T) *kindsWorld {
	t.Helper()
	w := &kindsWorld{world: newWorld(t), held: make(map[string]Credential), texts: make(map[string]string)}
	w.catalog = catalog.Catalog{
		Groups: []catalog.Group{{Key: "g", Name: "G", APIs: []catalog.API{
			{Key: "calling", Name: "Calling", Permissions: []access.Permission{"calls:read", "calls:write"}},
			{Key: "recording", Name: "Recording", Permissions: []access.Permission{"recordings:read"}},
			{Key: "old", Name: "Old", Permissions: []access.Permission{"statistics:read"}, Legacy: true},
		}}},
		Licences: []catalog.Licence{
			{Key: "admin", Name: "Admin", AllScopes: true},
			{Key: "supervisor", Name: "Supervisor", Scopes: []access.Permission{"calls:read"}},
			{Key: "agent", Name: "Agent"},
		},
	}
	w.app = tenancy.App{ID: "app_a", TenantID: "ten_a", OrganizationID: "org_north", Name: "App", APIs: []string{"recording", "calling"}, State: tenancy.Active}
	w.bot = tenancy.ServiceAccount{ID: "sva_a", TenantID: "ten_a", OrganizationID: "org_north", State: tenancy.Active}
	w.ann.Licence = "admin"
	w.apply(t, Item{Catalog: &w.catalog}, Item{App: &w.app}, Item{ServiceAccount: &w.bot}, Item{User: &w.ann})
	scopes := []access.Grant{"calls:read", "recordings:read"}
	w.add(t, "user key", credential.UserKey, secret.UserKey, userOf("usr_ann"))
	w.add(t, "organization key", credential.OrganizationKey, secret.OrganizationKey, northItself)
	w.add(t, "account key", credential.AccountKey, secret.AccountKey, tenantItself)
	w.add(t, "app", credential.App, secret.AppKey, appItself)
	w.add(t, "service account key", credential.ServiceAccountKey, secret.AppSecret, botItself)
	w.add(t, "verifier key", credential.VerifierKey, secret.VerifierKey, tenantItself)
	w.add(t, "user's client credential", credential.ClientCredential, secret.ClientSecret, userOf("usr_ann"), scopes...)
	w.add(t, "account's client credential", credential.ClientCredential, secret.ClientSecret, tenantItself, scopes...)
	return w
}

func (w *kindsWorld) add(t *testing.T, name string, k credential.Kind, text secret.Type, who access.Principal, scopes ...access.Grant) {
	t.Helper()
	c, clear := w.issue(t, text, w.clock.Now())
	c.Kind, c.TenantID, c.OrganizationID, c.Principal, c.Scopes = k, "ten_a", "org_north", who, scopes
	c.Material[0].Field = kindOf(k).materialField()
	switch k {
	case credential.ServiceAccountKey:
		c.PublicID = "9b2d7a80-0000-4000-8000-000000000001"
		c.Material[0].PublicKey = modelPublicKey(1)
	case credential.ClientCredential:
		c.PublicID = "client-" + string(who.Type)
	case credential.UserKey, credential.OrganizationKey, credential.AccountKey, credential.App, credential.VerifierKey:
	}
	w.held[name], w.texts[name] = c, clear
	w.apply(t, Item{Credential: &c})
}

// decide asks about a credential in the way that its kind is used: by its key, or, where
// that never verifies, as one that a signature or a token proved.
func (w *kindsWorld) decide(t *testing.T, name, permissions string) Result {
	t.Helper()
	if c := w.held[name]; keyTypes[kindOf(c.Kind)] == "" {
		res, err := w.index.Proved(c.ID, &Request{Permissions: permissions})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	return w.verify(t, Request{Credential: w.texts[name], Permissions: permissions})
}

func (w *kindsWorld) mustAllow(t *testing.T, name, want string) {
	t.Helper()
	res := w.decide(t, name, "")
	if !res.Valid {
		t.Errorf("%s: %s", name, res.Code)
		return
	}
	if got := string(res.Permissions.JSON); got != want {
		t.Errorf("%s: got %s, want %s", name, got, want)
	}
}

// What each kind may do, evaluated now. EE2, VX2, VX6, NV2, VC1, B1
func TestPermissionsByKind(t *testing.T) {
	w := newKindsWorld(t)
	w.apply(t, planItem("pln_full", true, "calls:read", "recordings:*", "statistics:read", "account:read"))
	for name, want := range map[string]string{
		"user key":                    `["calls:read","claviger.api_keys:generate","recordings:read"]`,
		"organization key":            `["claviger.sign_in:automatic"]`,
		"account key":                 `["account:read","calls:read","recordings:*","statistics:read"]`,
		"app":                         `["calls:read","recordings:read"]`,
		"service account key":         `["account:read"]`,
		"verifier key":                `["claviger.credentials:verify"]`,
		"user's client credential":    `["calls:read","recordings:read"]`,
		"account's client credential": `["calls:read","recordings:read"]`,
	} {
		w.mustAllow(t, name, want)
	}
}

// Neither an app's secret nor a client credential's verifies, whoever holds it; nor does
// any text in the name of a service account's key.
func TestSecretsThatNeverVerify(t *testing.T) {
	w := newKindsWorld(t)
	app := w.held["app"]
	s, p, err := secret.Format{}.GenerateFor(app.ID, secret.AppSecret, w.rand)
	if err != nil {
		t.Fatal(err)
	}
	m := w.material(t, p, 1, 2)
	m.Field = credential.FieldSecret
	app.Material = append(app.Material, m)
	w.apply(t, Item{Credential: &app})
	if res := w.verify(t, Request{Credential: w.texts["app"]}); !res.Valid {
		t.Fatalf("the app's key: %s", res.Code)
	}
	for name, text := range map[string]string{
		"an app's secret":                s.Reveal(),
		"a user's client secret":         w.texts["user's client credential"],
		"an account's client secret":     w.texts["account's client credential"],
		"a text for a service account":   w.texts["service account key"],
		"an app's key as its own secret": retyped(w.texts["app"], secret.AppSecret),
	} {
		for _, r := range []Request{{Credential: text}, {ID: "ten_a", Secret: text}, {ID: "1234567", Secret: text}} {
			if res := w.verify(t, r); res.Code != NotFound || res.CredentialID != (credential.ID{}) {
				t.Errorf("%s: %+v", name, res)
			}
		}
	}
}

// EE3: the choice of an app's APIs can be changed and counts at once.
func TestAppsFollowTheirChoice(t *testing.T) {
	w := newKindsWorld(t)
	for _, tt := range []struct {
		apis []string
		want string
	}{
		{[]string{"recording"}, `["recordings:read"]`},
		{[]string{"calling"}, `["calls:read","calls:write"]`},
		{nil, `[]`},
		{[]string{"unknown", "recording"}, `["recordings:read"]`},
		{[]string{"old", "recording"}, `["recordings:read"]`}, // it became legacy after it was chosen
		{[]string{"calling", "recording"}, `["calls:read","calls:write","recordings:read"]`},
	} {
		w.app.APIs = tt.apis
		w.apply(t, Item{App: &w.app})
		w.mustAllow(t, "app", tt.want)
	}
	// What is chosen for another app is this other's alone.
	other := w.app
	other.ID, other.APIs = "app_b", []string{"recording"}
	w.apply(t, Item{App: &other})
	w.mustAllow(t, "app", `["calls:read","calls:write","recordings:read"]`)
}

// EE4: APIs that the vendor changes, and what licences offer, change at once for everyone.
func TestPermissionsFollowTheCatalogue(t *testing.T) {
	w := newKindsWorld(t)
	w.catalog.Groups[0].APIs[1].Permissions = []access.Permission{"recordings:read", "recordings:delete"}
	w.apply(t, Item{Catalog: &w.catalog})
	w.mustAllow(t, "app", `["calls:read","calls:write","recordings:delete","recordings:read"]`)
	w.catalog.Groups[0].APIs = w.catalog.Groups[0].APIs[1:]
	w.catalog.Licences[0] = catalog.Licence{Key: "admin", Name: "Admin", Scopes: []access.Permission{"recordings:delete"}}
	w.apply(t, Item{Catalog: &w.catalog})
	w.mustAllow(t, "app", `["recordings:delete","recordings:read"]`)
	w.mustAllow(t, "account's client credential", `["recordings:read"]`)
	w.mustAllow(t, "user's client credential", `[]`)
	w.apply(t, Item{Catalog: &catalog.Catalog{}})
	for _, name := range []string{"app", "account's client credential", "user's client credential"} {
		w.mustAllow(t, name, `[]`)
	}
	w.mustAllow(t, "user key", `["calls:*","claviger.api_keys:generate","recordings:read"]`)
}

// VC1: a client credential carries what was chosen, as far as the user's licence and roles
// go now.
func TestClientCredentialsFollowLicenceAndRoles(t *testing.T) {
	w := newKindsWorld(t)
	const name = "user's client credential"
	for licence, want := range map[string]string{
		"admin": `["calls:read","recordings:read"]`, "supervisor": `["calls:read"]`, "agent": `[]`, "unknown": `[]`, "": `[]`,
	} {
		w.ann.Licence = licence
		w.apply(t, Item{User: &w.ann})
		w.mustAllow(t, name, want)
	}
	w.ann.Licence = "admin"
	w.apply(t, Item{User: &w.ann}, assignItem("ten_a", "usr_ann", "rol_reader", "org_root"))
	w.mustAllow(t, name, `["recordings:read"]`)
	w.reader.Permissions = []access.Grant{"calls:read"}
	w.apply(t, Item{Role: &w.reader})
	w.mustAllow(t, name, `["calls:read"]`)
}

// VX2, VX7: without a role at its organization a service account may do the basic things
// only, as far as the plan goes; with one, what the role says and no more.
func TestServiceAccountsFollowTheirRoles(t *testing.T) {
	w := newKindsWorld(t)
	const name, basic = "service account key", `["account:read","service_status:read"]`
	give := func(roleAt ...string) {
		it := assignItem("ten_a", "", roleAt...)
		it.Assignments.Principal = botItself
		w.apply(t, it)
	}
	w.mustAllow(t, name, basic)
	give("rol_reader", "org_root")
	w.mustAllow(t, name, `["claviger.api_keys:generate","recordings:read"]`)
	w.reader.Includes = []access.RoleID{"rol_caller"}
	w.apply(t, Item{Role: &w.reader})
	w.mustAllow(t, name, `["calls:*","claviger.api_keys:generate","recordings:read"]`)
	give("rol_reader", "org_elsewhere")
	w.mustAllow(t, name, basic)
	give()
	w.mustAllow(t, name, basic)
	w.apply(t, planItem("pln_full", true, "service_status:read"))
	w.mustAllow(t, name, `["service_status:read"]`)
}

// VC7: APIs marked legacy take account keys only, and say so before anything is said about
// permissions.
func TestLegacyAPIsTakeAccountKeysOnly(t *testing.T) {
	w := newKindsWorld(t)
	for name := range w.held {
		want := WrongKind
		if name == "account key" {
			want = Valid
		}
		for _, asked := range []string{"statistics:read", "calls:read OR statistics:read", "never:held AND statistics:read"} {
			if got := w.decide(t, name, asked).Code; got != want {
				t.Errorf("%s asked for %q: %s, want %s", name, asked, got, want)
			}
		}
		if got := w.decide(t, name, "statistics:write").Code; got == WrongKind {
			t.Errorf("%s: another permission is called legacy", name)
		}
	}
	// The mark counts at once, both ways, also for queries that were asked before.
	w.catalog.Groups[0].APIs[2].Legacy, w.catalog.Groups[0].APIs[1].Legacy = false, true
	w.apply(t, Item{Catalog: &w.catalog})
	for asked, want := range map[string]Code{"statistics:read": InsufficientPermissions, "recordings:read": WrongKind} {
		if got := w.decide(t, "user key", asked).Code; got != want {
			t.Errorf("asked for %q after the change: %s, want %s", asked, got, want)
		}
	}
	w.apply(t, Item{Catalog: &catalog.Catalog{}})
	if got := w.decide(t, "user key", "recordings:read").Code; got != Valid {
		t.Errorf("without a catalogue: %s", got)
	}
}

// EE6, PV4: what stops credentials of the other kinds, beside their own state.
func TestWhatStopsEachKind(t *testing.T) {
	all := []string{
		"user key", "organization key", "account key", "app", "service account key", "verifier key",
		"user's client credential", "account's client credential",
	}
	suspendedApp, deletedApp := tenancy.App{ID: "app_a", TenantID: "ten_a", State: tenancy.Suspended}, tenancy.App{ID: "app_a", TenantID: "ten_a", State: tenancy.Deleted}
	suspendedBot, deletedBot := tenancy.ServiceAccount{ID: "sva_a", TenantID: "ten_a", State: tenancy.Suspended}, tenancy.ServiceAccount{ID: "sva_a", TenantID: "ten_a", State: tenancy.Deleted}
	annIs := func(s tenancy.State) Item {
		return Item{User: &tenancy.User{ID: "usr_ann", TenantID: "ten_a", State: s, Licence: "admin"}}
	}
	northIs := func(s tenancy.State) Item {
		return Item{Organization: &tenancy.Organization{ID: "org_north", TenantID: "ten_a", Path: []tenancy.OrgID{"org_root", "org_sales", "org_north"}, State: s}}
	}
	for _, tt := range []struct {
		name   string
		change Item
		stops  []string
		code   Code
	}{
		{"app suspended", Item{App: &suspendedApp}, []string{"app"}, Suspended},
		{"app deleted", Item{App: &deletedApp}, []string{"app"}, Revoked},
		{"app gone", Item{App: &deletedApp, Gone: true}, []string{"app"}, Revoked},
		{"service account suspended", Item{ServiceAccount: &suspendedBot}, []string{"service account key"}, Suspended},
		{"service account deleted", Item{ServiceAccount: &deletedBot}, []string{"service account key"}, Revoked},
		{"service account gone", Item{ServiceAccount: &deletedBot, Gone: true}, []string{"service account key"}, Revoked},
		{"user suspended", annIs(tenancy.Suspended), []string{"user key", "user's client credential"}, Suspended},
		{"user deleted", annIs(tenancy.Deleted), []string{"user key", "user's client credential"}, Revoked},
		{"organization suspended", northIs(tenancy.Suspended), all, Suspended},
		{"organization deleted", northIs(tenancy.Deleted), all, Revoked},
		{"plan without API access", planItem("pln_full", false, "*:*"), all, Forbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newKindsWorld(t)
			w.apply(t, tt.change)
			stopped := make(map[string]bool)
			for _, name := range tt.stops {
				stopped[name] = true
			}
			for _, name := range all {
				want := Valid
				if stopped[name] {
					want = tt.code
				}
				if got := w.decide(t, name, "").Code; got != want {
					t.Errorf("%s: %s, want %s", name, got, want)
				}
			}
		})
	}
}

// A kind with a principal of another kind's type may do nothing, whatever the names.
func TestKindsAndPrincipalsBelongTogether(t *testing.T) {
	w := newKindsWorld(t)
	w.ann.Licence = "calling"
	w.apply(t, Item{User: &w.ann})
	w.add(t, "app of a user", credential.App, secret.AppKey, userOf("usr_ann"))
	w.add(t, "key of a user", credential.ServiceAccountKey, secret.AppSecret, userOf("usr_ann"))
	w.add(t, "client credential of an app", credential.ClientCredential, secret.ClientSecret, appItself, "calls:read")
	for _, name := range []string{"app of a user", "key of a user", "client credential of an app"} {
		w.mustAllow(t, name, `[]`)
	}
}

// Whatever was there and isn't in a snapshot that replaces it is gone, of every kind.
func TestOtherKindsAreSwept(t *testing.T) {
	w := newKindsWorld(t)
	other := newMemSource()
	other.put(planItem("pln_full", true, "*:*"), Item{Tenant: &w.tenant}, Item{Organization: &w.root}, Item{Organization: &w.sales}, Item{Organization: &w.north})
	for _, name := range []string{"app", "service account key", "account key"} {
		c := w.held[name]
		other.put(Item{Credential: &c})
	}
	w.source.replace(other)
	w.source.gone.Store(true)
	w.load(t)
	for name, want := range map[string]Code{
		"app": Revoked, "service account key": Revoked, "account key": Valid, "user's client credential": NotFound,
	} {
		if got := w.decide(t, name, "").Code; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := w.decide(t, "account key", "statistics:read").Code; got != Valid {
		t.Error(got)
	}
	w.add(t, "another", credential.UserKey, secret.UserKey, northItself)
	if got := w.decide(t, "another", "statistics:read").Code; got == WrongKind {
		t.Error("the catalogue that is gone still marks an API as legacy")
	}
	if _, ok := w.index.Public("client-user"); ok {
		t.Error("a credential that is gone is found by its client ID")
	}
}

// VX1, VX3: a key ID leads to the public key; ended ones are found for refusal only.
func TestPublic(t *testing.T) {
	w := newKindsWorld(t)
	c := w.held["service account key"]
	found, ok := w.index.Public(c.PublicID)
	if !ok || found.ID != c.ID || found.Kind != credential.ServiceAccountKey || found.TenantID != "ten_a" ||
		found.AccountID != "1234567" || string(found.PublicKey) != string(modelPublicKey(1)) {
		t.Errorf("%v %+v", ok, found)
	}
	if found, ok := w.index.Public("client-tenant"); !ok || found.Kind != credential.ClientCredential || found.PublicKey != nil {
		t.Errorf("%v %+v", ok, found)
	}
	for _, unknown := range []string{"", "client-nobody", c.ID.String()} {
		if _, ok := w.index.Public(unknown); ok {
			t.Errorf("%q is found", unknown)
		}
	}
	c.State = credential.Revoked
	w.apply(t, Item{Credential: &c})
	if _, ok := w.index.Public(c.PublicID); !ok {
		t.Error("a revoked key isn't found, so nothing can say why it is refused")
	}
	if res := w.decide(t, "service account key", ""); res.Code != Revoked {
		t.Error(res.Code)
	}
	c.Material = nil
	w.apply(t, Item{Credential: &c})
	if _, ok := w.index.Public(c.PublicID); ok || len(w.index.public.ids) != 2 {
		t.Errorf("found after its material went: %v, %d public IDs kept", ok, len(w.index.public.ids))
	}
	if res := w.decide(t, "service account key", ""); res.Code != NotFound {
		t.Error(res.Code)
	}
}

// Proved asks everything that Verify asks but the secret, and counts.
func TestProved(t *testing.T) {
	w := newKindsWorld(t)
	c := w.held["service account key"]
	ask := func(r Request) Result {
		t.Helper()
		res, err := w.index.Proved(c.ID, &r)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	if res := ask(Request{Permissions: "account:read"}); !res.Valid || res.Kind != credential.ServiceAccountKey || res.Principal != botItself || res.SecretVersion != 1 {
		t.Errorf("%+v", res)
	}
	if res := ask(Request{OnlyTenant: "ten_b"}); res.Code != NotFound || res.TenantID != "" {
		t.Errorf("of another tenant: %+v", res)
	}
	if res := ask(Request{Permissions: "calls:read"}); res.Code != InsufficientPermissions {
		t.Error(res.Code)
	}
	ask(Request{DryRun: true})
	var valid, denied int64
	for _, u := range w.drain(t) {
		valid, denied = valid+u.Valid, denied+u.Denied[InsufficientPermissions]
	}
	if valid != 1 || denied != 1 {
		t.Errorf("counted %d and %d, want 1 and 1", valid, denied)
	}
	for _, r := range []Request{{Credential: w.text}, {ID: "x"}, {Secret: "x"}, {Cost: -1}, {Permissions: "("}} {
		if _, err := w.index.Proved(c.ID, &r); err == nil {
			t.Errorf("%+v is accepted", r)
		}
	}
	c.ExpiresAt = w.clock.Now().Add(time.Minute)
	w.apply(t, Item{Credential: &c})
	w.clock.advance(time.Minute)
	w.load(t)
	if res := ask(Request{}); res.Code != Expired {
		t.Error(res.Code)
	}
	w.index.MarkUndecided()
	if _, err := w.index.Proved(c.ID, &Request{}); err == nil {
		t.Error("decided while undecided")
	}
}
