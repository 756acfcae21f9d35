package store

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// TenantID is the tenant this transaction is for.
func (tx *Tx) TenantID() tenancy.TenantID { return "" }

// Context is the context of the Write or Read this transaction belongs to.
func (tx *Tx) Context() context.Context { return nil }

// AllTenantsIn is the same transaction, for another tenant.
func (tx *Tx) AllTenantsIn(tenant tenancy.TenantID) *Tx { return nil }

// Head is the feed's head revision, with what this transaction has added so far.
func (tx *Tx) Head() uint64 { return 0 }

// RightsRevision is the revision of the last change to anything that decides who may do
// what: roles, assignments, plans, tenants, organizations, users.
func (tx *Tx) RightsRevision() uint64 { return 0 }

func (tx *Tx) Tenant() (tenancy.Tenant, error)     { return tenancy.Tenant{}, errNotYet }
func (tx *Tx) InsertTenant(t tenancy.Tenant) error { return errNotYet }
func (tx *Tx) UpdateTenant(t tenancy.Tenant) error { return errNotYet }
func (tx *Tx) AllTenantsTenant(id tenancy.TenantID) (tenancy.Tenant, error) {
	return tenancy.Tenant{}, errNotYet
}
func (tx *Tx) AllTenantsTenantBySlug(slug string) (tenancy.Tenant, error) {
	return tenancy.Tenant{}, errNotYet
}
func (tx *Tx) AllTenantsTenants(f TenantFilter, p Page) (List[tenancy.Tenant], error) {
	return List[tenancy.Tenant]{}, errNotYet
}

func (tx *Tx) AllTenantsPlan(id tenancy.PlanID) (catalog.Plan, error) {
	return catalog.Plan{}, errNotYet
}
func (tx *Tx) AllTenantsPlanByKey(key string) (catalog.Plan, error) { return catalog.Plan{}, errNotYet }
func (tx *Tx) AllTenantsPlans() ([]catalog.Plan, error)             { return nil, errNotYet }
func (tx *Tx) AllTenantsInsertPlan(p catalog.Plan) error            { return errNotYet }
func (tx *Tx) AllTenantsUpdatePlan(p catalog.Plan) error            { return errNotYet }
func (tx *Tx) AllTenantsDeletePlan(id tenancy.PlanID) error         { return errNotYet }

func (tx *Tx) Organization(id tenancy.OrgID) (tenancy.Organization, error) {
	return tenancy.Organization{}, errNotYet
}
func (tx *Tx) Organizations(f OrganizationFilter, p Page) (List[tenancy.Organization], error) {
	return List[tenancy.Organization]{}, errNotYet
}
func (tx *Tx) InsertOrganization(o tenancy.Organization) error { return errNotYet }
func (tx *Tx) UpdateOrganization(o tenancy.Organization) error { return errNotYet }

// MoveOrganization puts the organization, with all below it, under another parent.
func (tx *Tx) MoveOrganization(id, newParent tenancy.OrgID) error { return errNotYet }

func (tx *Tx) User(id tenancy.UserID) (tenancy.User, error)     { return tenancy.User{}, errNotYet }
func (tx *Tx) UserByFolded(folded string) (tenancy.User, error) { return tenancy.User{}, errNotYet }
func (tx *Tx) Users(f UserFilter, p Page) (List[tenancy.User], error) {
	return List[tenancy.User]{}, errNotYet
}
func (tx *Tx) InsertUser(u tenancy.User, folded string) error { return errNotYet }
func (tx *Tx) UpdateUser(u tenancy.User, folded string) error { return errNotYet }

func (tx *Tx) Role(id access.RoleID) (access.Role, error)    { return access.Role{}, errNotYet }
func (tx *Tx) Roles() (map[access.RoleID]access.Role, error) { return nil, errNotYet }
func (tx *Tx) InsertRole(r access.Role) error                { return errNotYet }
func (tx *Tx) UpdateRole(r access.Role) error                { return errNotYet }
func (tx *Tx) DeleteRole(id access.RoleID) error             { return errNotYet }
func (tx *Tx) RoleHolders(id access.RoleID, p Page) (List[access.Assignment], error) {
	return List[access.Assignment]{}, errNotYet
}

func (tx *Tx) Assignment(id access.AssignmentID) (access.Assignment, error) {
	return access.Assignment{}, errNotYet
}
func (tx *Tx) Assignments(p access.Principal) ([]access.Assignment, error) { return nil, errNotYet }
func (tx *Tx) AssignmentsOf(f AssignmentFilter, p Page) (List[access.Assignment], error) {
	return List[access.Assignment]{}, errNotYet
}
func (tx *Tx) InsertAssignment(a access.Assignment) error    { return errNotYet }
func (tx *Tx) DeleteAssignment(id access.AssignmentID) error { return errNotYet }

// Administrators lists the assignments of the given roles (none: of any) that active users
// have at the tenant's root organization.
func (tx *Tx) Administrators(roles ...access.RoleID) ([]access.Assignment, error) {
	return nil, errNotYet
}

func (tx *Tx) Credential(id credential.ID) (credential.Credential, error) {
	return credential.Credential{}, errNotYet
}
func (tx *Tx) Credentials(f CredentialFilter, p Page) (List[credential.Credential], error) {
	return List[credential.Credential]{}, errNotYet
}

// CountCredentials counts all that match, without a limit.
func (tx *Tx) CountCredentials(f CredentialFilter) (int64, error) { return 0, errNotYet }
func (tx *Tx) InsertCredential(c credential.Credential, material ...credential.Material) error {
	return errNotYet
}
func (tx *Tx) UpdateCredential(c credential.Credential) error           { return errNotYet }
func (tx *Tx) Material(id credential.ID) ([]credential.Material, error) { return nil, errNotYet }
func (tx *Tx) InsertMaterial(m credential.Material) error               { return errNotYet }
func (tx *Tx) EndMaterial(id credential.ID, field string, version int, validUntil time.Time) error {
	return errNotYet
}
func (tx *Tx) DestroyMaterial(id credential.ID) error { return errNotYet }

func (tx *Tx) AllTenantsCredentialTenant(id credential.ID) (tenancy.TenantID, error) {
	return "", errNotYet
}
func (tx *Tx) AllTenantsOrganizationTenant(id tenancy.OrgID) (tenancy.TenantID, error) {
	return "", errNotYet
}
func (tx *Tx) AllTenantsUserTenant(id tenancy.UserID) (tenancy.TenantID, error) { return "", errNotYet }
func (tx *Tx) AllTenantsRoleTenant(id access.RoleID) (tenancy.TenantID, error)  { return "", errNotYet }
func (tx *Tx) AllTenantsAssignmentTenant(id access.AssignmentID) (tenancy.TenantID, error) {
	return "", errNotYet
}

func (tx *Tx) AuditHead() (audit.Head, error)  { return audit.Head{}, errNotYet }
func (tx *Tx) AppendAudit(e audit.Event) error { return errNotYet }
func (tx *Tx) AuditEvents(f AuditFilter, p Page) (List[audit.Event], error) {
	return List[audit.Event]{}, errNotYet
}

// AuditEventsAfter lists at most limit events of the tenant's chain after a sequence, in order.
func (tx *Tx) AuditEventsAfter(sequence int64, limit int) ([]audit.Event, error) {
	return nil, errNotYet
}

// AllTenantsAuditAnchors lists every tenant's head.
func (tx *Tx) AllTenantsAuditAnchors() ([]AuditAnchor, error) { return nil, errNotYet }

// AllTenantsMovedHeads lists the heads that no link covers yet, sorted by tenant ID.
func (tx *Tx) AllTenantsMovedHeads() ([]audit.Head, error) { return nil, errNotYet }

// AllTenantsLastLink is the end of the system chain; the zero Link when there is none.
func (tx *Tx) AllTenantsLastLink() (audit.Link, error) { return audit.Link{}, errNotYet }
func (tx *Tx) AllTenantsAppendLink(l audit.Link) error { return errNotYet }
func (tx *Tx) AllTenantsLinksAfter(sequence int64, limit int) ([]audit.Link, error) {
	return nil, errNotYet
}

// AllTenantsAuditCount is how many events there are.
func (tx *Tx) AllTenantsAuditCount() (int64, error) { return 0, errNotYet }

// Password is the user's password hash; Missing when none is set.
func (tx *Tx) Password(id tenancy.UserID) (hash string, err error)            { return "", errNotYet }
func (tx *Tx) SetPassword(id tenancy.UserID, hash string, at time.Time) error { return errNotYet }
func (tx *Tx) InsertOneTimeLink(l OneTimeLink) error                          { return errNotYet }

// AllTenantsOneTimeLink looks a link up without using it; Missing when unknown, used or past.
func (tx *Tx) AllTenantsOneTimeLink(tokenHash []byte, purpose string, now time.Time) (OneTimeLink, tenancy.TenantID, error) {
	return OneTimeLink{}, "", errNotYet
}

// AllTenantsTakeOneTimeLink takes a link, once; Missing when unknown, used or past.
func (tx *Tx) AllTenantsTakeOneTimeLink(tokenHash []byte, purpose string, now time.Time) (OneTimeLink, tenancy.TenantID, error) {
	return OneTimeLink{}, "", errNotYet
}

// EndOneTimeLinks removes a user's links of a purpose.
func (tx *Tx) EndOneTimeLinks(id tenancy.UserID, purpose string) error { return errNotYet }

func (tx *Tx) AllTenantsSession(tokenHash []byte) (Session, error) { return Session{}, errNotYet }
func (tx *Tx) AllTenantsPutSession(se Session) error               { return errNotYet }
func (tx *Tx) AllTenantsDeleteSession(tokenHash []byte) error      { return errNotYet }
func (tx *Tx) AllTenantsPruneSessions(now time.Time) error         { return errNotYet }
func (tx *Tx) SessionsOf(id tenancy.UserID) ([]Session, error)     { return nil, errNotYet }

// EndSessions ends the user's sessions, all but the one with the public ID except.
func (tx *Tx) EndSessions(id tenancy.UserID, except string) error { return errNotYet }

// Idempotency is the record of a key; Missing when there is none that is still alive.
func (tx *Tx) Idempotency(scope, key string, now time.Time) (IdempotencyRecord, error) {
	return IdempotencyRecord{}, errNotYet
}
func (tx *Tx) PutIdempotency(r IdempotencyRecord) error       { return errNotYet }
func (tx *Tx) AllTenantsPruneIdempotency(now time.Time) error { return errNotYet }

// AllTenantsSetting is a setting of the installation; empty when never set.
func (tx *Tx) AllTenantsSetting(key string) (string, error) { return "", errNotYet }
func (tx *Tx) AllTenantsPutSetting(key, value string) error { return errNotYet }

// TenantKeyset is the tenant's wrapped envelope keyset; Missing when there is none.
func (tx *Tx) TenantKeyset() ([]byte, error)                      { return nil, errNotYet }
func (tx *Tx) PutTenantKeyset(wrapped []byte, at time.Time) error { return errNotYet }

// AddUsage adds a batch of usage to what is known.
func (s *Store) AddUsage(ctx context.Context, rows []UsageRow) error { return errNotYet }

// Usage is the hourly use of one credential from an hour on, oldest first.
func (tx *Tx) Usage(id credential.ID, from, until time.Time) ([]UsageHour, error) {
	return nil, errNotYet
}

func (s *Store) Snapshot(ctx context.Context, put func(verify.Item) error) (uint64, error) {
	return 0, errNotYet
}
func (s *Store) Changes(ctx context.Context, after uint64, limit int) ([]verify.Change, uint64, error) {
	return nil, 0, errNotYet
}
func (s *Store) Wait(ctx context.Context, after uint64) error { return errNotYet }

var _ verify.Source = (*Store)(nil)
