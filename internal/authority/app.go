package authority

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
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

func (a *Authority) CreateApp(ctx context.Context, caller access.Caller, in CreateAppInput) (out IssuedApp, err error) {
	return out, errUnfinished
}

func (a *Authority) ChangeApp(ctx context.Context, caller access.Caller, in ChangeAppInput) (out App, err error) {
	return out, errUnfinished
}

func (a *Authority) SuspendApp(ctx context.Context, caller access.Caller, in AppInput) (out App, err error) {
	return out, errUnfinished
}

func (a *Authority) ResumeApp(ctx context.Context, caller access.Caller, in AppInput) (out App, err error) {
	return out, errUnfinished
}

func (a *Authority) RotateApp(ctx context.Context, caller access.Caller, in RotateAppInput) (out IssuedApp, err error) {
	return out, errUnfinished
}

func (a *Authority) RevealApp(ctx context.Context, caller access.Caller, in AppInput) (out RevealedApp, err error) {
	return out, errUnfinished
}

func (a *Authority) DeleteApp(ctx context.Context, caller access.Caller, in AppInput) (out App, err error) {
	return out, errUnfinished
}

func (a *Authority) App(ctx context.Context, caller access.Caller, in AppInput) (out App, err error) {
	return out, errUnfinished
}

func (a *Authority) Apps(ctx context.Context, caller access.Caller, in AppsInput) (out store.List[App], err error) {
	return out, errUnfinished
}
