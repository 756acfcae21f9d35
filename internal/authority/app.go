package authority

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// App is an app with its one credential.
type App struct {
	tenancy.App
	Credential Key
	Chosen     []catalog.API // of App.APIs, those that are in the catalogue, in the same order
	Revision   uint64        // of the change that answered it; zero on reads
}

// IssuedApp is an app whose key and secret were just made.
type IssuedApp struct {
	App
	Key, Secret secret.Secret
	// SecretAvailable is false when an idempotent request was repeated: both are zero then.
	SecretAvailable bool
}

// RevealedApp is an app with its key and secret.
type RevealedApp struct {
	App
	Key, Secret secret.Secret
}

// CreateAppInput describes a new app.
type CreateAppInput struct {
	Tenant         tenancy.TenantID
	OrganizationID tenancy.OrgID // empty means the root
	Name           string
	APIs           []string   // keys of the catalogue's, at least one
	ExpiresAt      *time.Time // nil means the tenant's default, or never
	Networks       []netip.Prefix
	Limits         credential.Limits
	Labels         tenancy.Labels
	Idempotency
}

// ChangeAppInput changes what is not nil.
type ChangeAppInput struct {
	Tenant   tenancy.TenantID
	ID       tenancy.AppID
	Name     *string
	APIs     *[]string
	Networks *[]netip.Prefix
	Limits   *credential.Limits
	Labels   *tenancy.Labels
}

// AppInput names one app.
type AppInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.AppID
	Idempotency
}

// RotateAppInput asks for a new key and secret under the same IDs.
type RotateAppInput struct {
	Tenant tenancy.TenantID
	ID     tenancy.AppID
	Grace  time.Duration // 0 to 30 days
	Idempotency
}

// AppsInput filters the list of apps.
type AppsInput struct {
	Tenant         tenancy.TenantID
	At             tenancy.OrgID // at and below
	States         []tenancy.State
	Search         string
	IncludeDeleted bool
	Page           store.Page
}

// mostAPIs bounds what one app may have.
const mostAPIs = 200

// appKeys are the rules of apps' credentials. They are reached through their apps only.
var appKeys = ruledBy(keyRules{
	kind: credential.App, noun: "app", thing: "app", field: credential.FieldKey, recoverable: true,
	mayGive: func(s *scope, k credential.Credential) error {
		p, err := s.principalFacts(k.TenantID, k.Principal)
		if err != nil {
			return err
		}
		if p.app == nil {
			return problem.Missing("app")
		}
		return s.mayGiveApp(*p.app, k)
	},
}, func(s *scope, k credential.Credential) error {
	path, err := s.path(k.OrganizationID)
	if err != nil {
		return err
	}
	return s.require(access.AppsManage, path)
})

func appPrincipal(id tenancy.AppID) access.Principal {
	return access.Principal{Type: access.PrincipalApp, ID: string(id)}
}

func appTarget(a tenancy.App) target {
	return target{kind: "app", id: string(a.ID), name: a.Name, org: a.OrganizationID}
}

func appFields(a tenancy.App) fields {
	return fields{"name": a.Name, "apis": a.APIs, "external_id": a.Labels.ExternalID, "metadata": a.Labels.Metadata}
}

// carries is what an app may do now: the permissions of its APIs that the catalogue still
// has, as far as the plan goes.
func (s *scope) carries(a tenancy.App) (access.Set, error) {
	c, err := s.tx.AllTenantsCatalog()
	if err != nil {
		return access.Set{}, err
	}
	var all access.Set
	for _, key := range a.APIs {
		if api, ok := c.API(key); ok && !api.Legacy {
			all = all.Union(access.SetOf(api.Permissions...))
		}
	}
	return all.Intersect(s.plan.Set()), nil
}

// mayGiveApp is whether the caller may hand out what the app carries: what they hold, and,
// as managers of apps, every API of the plan whose prerequisites they hold (EE8).
func (s *scope) mayGiveApp(a tenancy.App, k credential.Credential) error {
	path, err := s.path(a.OrganizationID)
	if err != nil {
		return err
	}
	c, err := s.tx.AllTenantsCatalog()
	if err != nil {
		return err
	}
	carried, err := s.carries(a)
	if err != nil {
		return err
	}
	return s.mayGive(access.Gift{
		Permissions: carried, Extra: c.Givable(s.caller.At(path), s.plan),
		Path: path, Recipient: appPrincipal(a.ID), ExpiresAt: k.ExpiresAt,
	})
}

// mayChoose checks the APIs that are new in a choice.
func (s *scope) mayChoose(keys, before []string, path []tenancy.OrgID) error {
	if len(keys) == 0 || len(keys) > mostAPIs {
		return problem.InvalidField("/apis", "Choose 1 to "+strconv.Itoa(mostAPIs)+" APIs.")
	}
	c, err := s.tx.AllTenantsCatalog()
	if err != nil {
		return err
	}
	if _, err := c.PermissionsOf(keys); err != nil {
		return err
	}
	for i, key := range keys {
		if slices.Contains(before, key) {
			continue
		}
		_, err := c.Choose([]string{key}, s.caller.At(path), s.plan)
		if problem.Is(err, problem.Invalid) {
			return problem.InvalidField("/apis/"+strconv.Itoa(i), "This API takes account keys only, so an app can't have it.")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// app loads an app that is not deleted, where the caller may manage it.
func (s *scope) app(id tenancy.AppID) (a tenancy.App, path []tenancy.OrgID, err error) {
	if a, err = s.tx.App(id); err != nil {
		return a, nil, err
	}
	if a.State == tenancy.Deleted {
		return a, nil, problem.Missing("app")
	}
	if path, err = s.path(a.OrganizationID); err != nil {
		return a, nil, err
	}
	return a, path, s.require(access.AppsManage, path)
}

// appCredential is the one credential of an app, also when it has ended.
func (s *scope) appCredential(id tenancy.AppID) (credential.Credential, error) {
	owner := appPrincipal(id)
	living, err := s.tx.CredentialsOf(owner)
	if err != nil {
		return credential.Credential{}, err
	}
	if len(living) > 0 {
		return living[0], nil
	}
	ended, err := s.tx.Credentials(store.CredentialFilter{Owner: &owner, IncludeDeleted: true}, store.Page{Limit: 1, Sort: "created_at", Desc: true})
	if err != nil {
		return credential.Credential{}, err
	}
	if len(ended.Items) == 0 {
		return credential.Credential{}, problem.Missing("credential")
	}
	return ended.Items[0], nil
}

func (s *scope) showApp(a tenancy.App) (App, error) {
	k, err := s.appCredential(a.ID)
	if err != nil {
		return App{App: a}, err
	}
	shown, err := s.show(k)
	if err != nil {
		return App{App: a}, err
	}
	return s.appWith(a, shown)
}

func (s *scope) appWith(a tenancy.App, k Key) (App, error) {
	out := App{App: a, Credential: k}
	c, err := s.tx.AllTenantsCatalog()
	if err != nil {
		return out, err
	}
	for _, key := range a.APIs {
		if api, ok := c.API(key); ok {
			out.Chosen = append(out.Chosen, api)
		}
	}
	return out, nil
}

// showApps is showApp for many, with one query for each kind of thing.
func (s *scope) showApps(list []tenancy.App) ([]App, error) {
	ids := make([]string, len(list))
	for i, a := range list {
		ids[i] = string(a.ID)
	}
	owned, err := s.tx.LatestCredentials(access.PrincipalApp, ids)
	if err != nil {
		return nil, err
	}
	var found []credential.Credential
	for _, id := range ids {
		if k, ok := owned[id]; ok {
			found = append(found, k)
		}
	}
	if len(found) != len(list) {
		return nil, problem.Missing("credential")
	}
	shown, err := s.showAll(found)
	if err != nil {
		return nil, err
	}
	out := make([]App, len(list))
	for i, a := range list {
		if out[i], err = s.appWith(a, shown[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CreateApp makes an app with its key and secret (EE2), which can be revealed later. It
// needs claviger.apps:manage at the organization (EE1) and, for each API, its
// prerequisites (EE8). Problems: not_in_plan, prerequisite_missing. Audited as app.create.
func (a *Authority) CreateApp(ctx context.Context, caller access.Caller, in CreateAppInput) (out IssuedApp, err error) {
	tenant, err := a.organizationTenant(ctx, caller, in.Tenant, in.OrganizationID)
	if err != nil {
		return out, err
	}
	id, err := newID("app_")
	if err != nil {
		return out, err
	}
	made, err := a.makeSecrets(ctx, caller, tenant, appKeys)
	if err != nil {
		return out, err
	}
	revision, err := a.change(ctx, caller, tenant, func(c *change) error {
		path, err := c.path(in.OrganizationID)
		if err != nil {
			return err
		}
		if err := c.require(access.AppsManage, path); err != nil {
			return err
		}
		if err := c.apiAccess(true); err != nil {
			return err
		}
		out, err = once(c, "app.create", in.Idempotency, func() (IssuedApp, string, error) {
			app, err := c.createApp(tenancy.AppID(id), in, path, made)
			return IssuedApp{App: app, Key: made.parts[0].clear, Secret: made.parts[1].clear, SecretAvailable: true}, id, err
		}, c.appWithoutSecret)
		return err
	})
	if err != nil {
		return IssuedApp{}, err
	}
	out.Revision = revision
	return out, nil
}

func (c *change) appWithoutSecret(id string) (IssuedApp, error) {
	app, err := c.appAgain(id)
	return IssuedApp{App: app}, err
}

func (c *change) appAgain(id string) (App, error) {
	a, err := c.tx.App(tenancy.AppID(id))
	if err != nil {
		return App{}, err
	}
	return c.showApp(a)
}

func (c *change) createApp(id tenancy.AppID, in CreateAppInput, path []tenancy.OrgID, made freshSecrets) (App, error) {
	a := tenancy.App{
		ID: id, TenantID: c.tenant.ID, OrganizationID: path[len(path)-1], Name: in.Name, APIs: in.APIs,
		State: tenancy.Active, Labels: in.Labels, CreatedAt: c.now, CreatedByName: plain(c.caller.Name),
	}
	k, err := c.newKey(appKeys, wish{name: in.Name, expiresAt: in.ExpiresAt, networks: in.Networks, limits: in.Limits}, made)
	if err != nil {
		return App{}, err
	}
	if err := tenancy.ValidateLabels(in.Labels); err != nil {
		return App{}, err
	}
	k.OrganizationID, k.Principal = a.OrganizationID, appPrincipal(id)
	if err := c.mayChoose(in.APIs, nil, path); err != nil {
		return App{}, err
	}
	if err := c.mayGiveApp(a, k); err != nil {
		return App{}, err
	}
	material, err := made.material(c, 1)
	if err != nil {
		return App{}, err
	}
	if err := c.tx.InsertApp(a); err != nil {
		return App{}, err
	}
	if err := c.tx.InsertCredential(k, material...); err != nil {
		return App{}, err
	}
	after := appFields(a)
	after["credential_id"], after["expires_at"] = k.ID, k.ExpiresAt
	if err := c.record("app.create", appTarget(a), nil, after); err != nil {
		return App{}, err
	}
	return c.showApp(a)
}

// changeApp runs a change of one app where the caller may manage it.
func (a *Authority) changeApp(ctx context.Context, caller access.Caller, in AppInput, resuming bool, do func(*change, tenancy.App, []tenancy.OrgID) error) (uint64, error) {
	tenant, err := a.appTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return 0, err
	}
	return a.change(ctx, caller, tenant, func(c *change) error {
		app, path, err := c.app(in.ID)
		if err != nil {
			return err
		}
		if err := c.apiAccess(resuming); err != nil {
			return err
		}
		return do(c, app, path)
	})
}

// ChangeApp changes what is given, at once (EE3). It needs claviger.apps:manage there. New
// APIs need their prerequisites; adding one, and other networks or limits, also need that
// the caller may give all that the app will carry. Audited as app.change.
func (a *Authority) ChangeApp(ctx context.Context, caller access.Caller, in ChangeAppInput) (out App, err error) {
	revision, err := a.changeApp(ctx, caller, AppInput{Tenant: in.Tenant, ID: in.ID}, false, func(c *change, old tenancy.App, path []tenancy.OrgID) error {
		k, err := c.appCredential(old.ID)
		if err != nil {
			return err
		}
		app, edited := old, k
		if err := c.editApp(&app, &edited, in, path); err != nil {
			return err
		}
		if err := c.tx.UpdateApp(app); err != nil {
			return err
		}
		if err := c.tx.UpdateCredential(edited); err != nil {
			return err
		}
		before, after := appFields(old), appFields(app)
		before["networks"], after["networks"] = k.Networks, edited.Networks
		before["limits"], after["limits"] = k.Limits, edited.Limits
		before, after = differences(before, after)
		if err := c.record("app.change", appTarget(app), before, after); err != nil {
			return err
		}
		out, err = c.showApp(app)
		return err
	})
	if err != nil {
		return App{}, err
	}
	out.Revision = revision
	return out, nil
}

func (c *change) editApp(app *tenancy.App, k *credential.Credential, in ChangeAppInput, path []tenancy.OrgID) error {
	set(&app.Name, in.Name)
	set(&app.Labels, in.Labels)
	if err := c.rename(k, app.Name); err != nil {
		return err
	}
	if err := tenancy.ValidateLabels(app.Labels); err != nil {
		return err
	}
	if err := c.restrict(k, in.Networks, in.Limits); err != nil {
		return err
	}
	more := in.Networks != nil || in.Limits != nil
	if in.APIs != nil {
		if err := c.mayChoose(*in.APIs, app.APIs, path); err != nil {
			return err
		}
		more = more || slices.ContainsFunc(*in.APIs, func(key string) bool { return !slices.Contains(app.APIs, key) })
		app.APIs = *in.APIs
	}
	if !more {
		return nil
	}
	return c.mayGiveApp(*app, *k)
}

// viewApp looks at one app where the caller may manage it.
func (a *Authority) viewApp(ctx context.Context, caller access.Caller, in AppInput, look func(*scope, tenancy.App) error) error {
	tenant, err := a.appTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return err
	}
	return a.view(ctx, caller, tenant, func(s *scope) error {
		app, _, err := s.app(in.ID)
		if err != nil {
			return err
		}
		if err := s.apiAccess(false); err != nil {
			return err
		}
		return look(s, app)
	})
}

// App answers one app, never with its secrets. It needs claviger.apps:manage there.
func (a *Authority) App(ctx context.Context, caller access.Caller, in AppInput) (out App, err error) {
	err = a.viewApp(ctx, caller, in, func(s *scope, app tenancy.App) (err error) {
		out, err = s.showApp(app)
		return err
	})
	return out, err
}

// Apps lists the apps of the part of the tree where the caller has claviger.apps:manage.
func (a *Authority) Apps(ctx context.Context, caller access.Caller, in AppsInput) (out store.List[App], err error) {
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		at, err := s.visible(in.At, access.AppsManage)
		if err != nil {
			return err
		}
		if err := s.apiAccess(false); err != nil {
			return err
		}
		list, err := s.tx.Apps(store.AppFilter{At: at, Search: in.Search, States: in.States, IncludeDeleted: in.IncludeDeleted}, in.Page)
		if err != nil {
			return err
		}
		out, err = pageOf(list, s.showApps)
		return err
	})
	return out, err
}

func (a *Authority) appTenant(ctx context.Context, caller access.Caller, named tenancy.TenantID, id tenancy.AppID) (tenancy.TenantID, error) {
	return a.locate(ctx, caller, named, func(tx *store.Tx) (tenancy.TenantID, error) { return tx.AllTenantsAppTenant(id) })
}
