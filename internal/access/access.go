// Package access decides: permissions, roles, callers, and the one rule that nobody
// gives what they may not give.
//
// It is pure and undecided means no: an empty Set allows nothing, the zero Caller holds
// nothing, a malformed permission is an error and never matches.
package access

import (
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/tenancy"
)

// Permission is one right, "resource:action", such as "call_recordings:read". The
// resource may have dotted segments. Claviger's own are "claviger.<resource>:<action>".
type Permission string

// Grant is a permission in which whole segments may be "*". A "*" matches exactly one
// segment: "claviger.*:read" matches "claviger.users:read"; "*:*" matches
// "call_recordings:read" and not "claviger.users:read".
type Grant string

// PrincipalType says what kind of thing a principal is.
type PrincipalType string

// The principal types.
const (
	PrincipalUser           PrincipalType = "user"
	PrincipalServiceAccount PrincipalType = "service_account"
	PrincipalApp            PrincipalType = "app"
	PrincipalOrganization   PrincipalType = "organization"
	PrincipalTenant         PrincipalType = "tenant"
	PrincipalSystem         PrincipalType = "system" // the installation itself: jobs and first start
)

// Principal is whom a credential speaks for.
type Principal struct {
	Type PrincipalType
	ID   string // a tenancy.UserID, tenancy.OrgID, … by Type
}

// RoleID names a role: "rol_…".
type RoleID string

// AssignmentID names an assignment: "asg_…".
type AssignmentID string

// Role is a named set of permissions that may include other roles.
type Role struct {
	ID          RoleID
	TenantID    tenancy.TenantID
	Name        string
	Description string
	BuiltIn     string // the template's key, such as "super_admin"; empty for custom roles
	Permissions []Grant
	Includes    []RoleID
	CreatedAt   time.Time
}

// Assignment gives a principal a role at an organization and everything below it.
type Assignment struct {
	ID             AssignmentID
	TenantID       tenancy.TenantID
	Principal      Principal
	RoleID         RoleID
	OrganizationID tenancy.OrgID
	CreatedAt      time.Time
}

// Via says how a caller proved who they are.
type Via string

// The ways. Tenants' credentials cannot manage roles, sign-in or encryption.
const (
	ViaSession    Via = "session"    // a person at the console
	ViaCredential Via = "credential" // a credential that Claviger issued
	ViaSystem     Via = "system"     // this process: jobs, the demo's seed, the first start
)

// Holding is what a caller holds at an organization and everything below it.
type Holding struct {
	Organization tenancy.OrgID
	Set          Set
}

// Caller is a principal plus what it holds, for this request. The zero Caller is nobody.
type Caller struct {
	Tenant       tenancy.TenantID
	Principal    Principal
	Name         string // for audit: user name or display name
	Organization tenancy.OrgID
	Via          Via

	CredentialID      string    // "crd_…" when Via is ViaCredential
	CredentialExpires time.Time // zero means never; bounds what this caller gives
	SessionID         string    // when Via is ViaSession: public ID of the session, never its token
	ReauthenticatedAt time.Time // when the person last proved themselves; zero for credentials

	Source    netip.Addr // where the request came from; the zero Addr when unknown
	UserAgent string
	RequestID string

	// Ceiling bounds what the caller does by a token's scope; nil bounds nothing.
	Ceiling *Set

	// Holdings are resolved inside the transaction that uses them, never before it.
	Holdings []Holding
}
