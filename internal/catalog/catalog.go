// Package catalog knows what the vendor sells: its APIs in groups, the permissions each
// needs, what must be held before one can be chosen, named desktop clients, and plans.
package catalog

import (
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// Catalog is the vendor's, loaded from a file and edited by system administrators.
type Catalog struct {
	// Revision grows with every change; the store sets it. 0 means none was ever stored.
	Revision int64
	Groups   []Group
	Clients  []Client
	Licences []Licence
}

// Group is a heading under which APIs are shown.
type Group struct {
	Key, Name string
	APIs      []API
}

// API is one of the vendor's APIs.
type API struct {
	Key              string
	Name             string
	DocumentationURL string
	Permissions      []access.Permission
	// Requires are permissions that whoever chooses this API must hold (EE8).
	Requires []access.Permission
	// Legacy APIs take account keys only (VC7).
	Legacy bool
}

// Client is a desktop program that people are signed in to automatically (NV2).
type Client struct {
	Key, Name   string
	Permissions []access.Grant
}

// Licence is what a user may use, and which scopes their client credentials may carry.
type Licence struct {
	Key, Name string
	AllScopes bool
	Scopes    []access.Permission
	Clients   []string
}

// Plan is what a tenant has bought.
type Plan struct {
	ID          tenancy.PlanID
	Key         string // unique, such as "starter"
	Name        string
	APIAccess   bool           // false: no key of the tenant can be managed, and none verifies (PV4)
	Permissions []access.Grant // the vendor's permissions it includes; "*:*" is all with one-segment resources
	CreatedAt   time.Time
}
