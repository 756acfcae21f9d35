package authority

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

var errNotYet = errors.New("authority: not there yet")

// IssueAPIKey is described with its input.
func (a *Authority) IssueAPIKey(ctx context.Context, caller access.Caller, in IssueAPIKeyInput) (out IssuedKey, err error) {
	return out, errNotYet
}

// RenameAPIKey is described with its input.
func (a *Authority) RenameAPIKey(ctx context.Context, caller access.Caller, in RenameKeyInput) (out Key, err error) {
	return out, errNotYet
}

// SuspendAPIKey is described with its input.
func (a *Authority) SuspendAPIKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errNotYet
}

// ResumeAPIKey is described with its input.
func (a *Authority) ResumeAPIKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errNotYet
}

// RotateAPIKey is described with its input.
func (a *Authority) RotateAPIKey(ctx context.Context, caller access.Caller, in RotateKeyInput) (out IssuedKey, err error) {
	return out, errNotYet
}

// RevokeAPIKey is described with its input.
func (a *Authority) RevokeAPIKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errNotYet
}

// DeleteAPIKey is described with its input.
func (a *Authority) DeleteAPIKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errNotYet
}

// APIKey is described with its input.
func (a *Authority) APIKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errNotYet
}

// APIKeys is described with its input.
func (a *Authority) APIKeys(ctx context.Context, caller access.Caller, in KeysInput) (out store.List[Key], err error) {
	return out, errNotYet
}

// IssueVerifierKey is described with its input.
func (a *Authority) IssueVerifierKey(ctx context.Context, caller access.Caller, in IssueVerifierKeyInput) (out IssuedKey, err error) {
	return out, errNotYet
}

// RenameVerifierKey is described with its input.
func (a *Authority) RenameVerifierKey(ctx context.Context, caller access.Caller, in RenameKeyInput) (out Key, err error) {
	return out, errNotYet
}

// SuspendVerifierKey is described with its input.
func (a *Authority) SuspendVerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errNotYet
}

// ResumeVerifierKey is described with its input.
func (a *Authority) ResumeVerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errNotYet
}

// RotateVerifierKey is described with its input.
func (a *Authority) RotateVerifierKey(ctx context.Context, caller access.Caller, in RotateKeyInput) (out IssuedKey, err error) {
	return out, errNotYet
}

// RevokeVerifierKey is described with its input.
func (a *Authority) RevokeVerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errNotYet
}

// DeleteVerifierKey is described with its input.
func (a *Authority) DeleteVerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errNotYet
}

// VerifierKey is described with its input.
func (a *Authority) VerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (out Key, err error) {
	return out, errNotYet
}

// VerifierKeys is described with its input.
func (a *Authority) VerifierKeys(ctx context.Context, caller access.Caller, in KeysInput) (out store.List[Key], err error) {
	return out, errNotYet
}

// CreateTenant is described with its input.
func (a *Authority) CreateTenant(ctx context.Context, caller access.Caller, in CreateTenantInput) (out tenancy.Tenant, err error) {
	return out, errNotYet
}

// ChangeTenant is described with its input.
func (a *Authority) ChangeTenant(ctx context.Context, caller access.Caller, in ChangeTenantInput) (out tenancy.Tenant, err error) {
	return out, errNotYet
}

// SuspendTenant is described with its input.
func (a *Authority) SuspendTenant(ctx context.Context, caller access.Caller, in TenantInput) (out tenancy.Tenant, err error) {
	return out, errNotYet
}

// ResumeTenant is described with its input.
func (a *Authority) ResumeTenant(ctx context.Context, caller access.Caller, in TenantInput) (out tenancy.Tenant, err error) {
	return out, errNotYet
}

// DeleteTenant is described with its input.
func (a *Authority) DeleteTenant(ctx context.Context, caller access.Caller, in TenantInput) (out tenancy.Tenant, err error) {
	return out, errNotYet
}

// Tenant is described with its input.
func (a *Authority) Tenant(ctx context.Context, caller access.Caller, in TenantInput) (out tenancy.Tenant, err error) {
	return out, errNotYet
}

// Tenants is described with its input.
func (a *Authority) Tenants(ctx context.Context, caller access.Caller, in TenantsInput) (out store.List[tenancy.Tenant], err error) {
	return out, errNotYet
}

// CreatePlan is described with its input.
func (a *Authority) CreatePlan(ctx context.Context, caller access.Caller, in CreatePlanInput) (out catalog.Plan, err error) {
	return out, errNotYet
}

// ChangePlan is described with its input.
func (a *Authority) ChangePlan(ctx context.Context, caller access.Caller, in ChangePlanInput) (out catalog.Plan, err error) {
	return out, errNotYet
}

// DeletePlan is described with its input.
func (a *Authority) DeletePlan(ctx context.Context, caller access.Caller, in PlanInput) (out catalog.Plan, err error) {
	return out, errNotYet
}

// Plan is described with its input.
func (a *Authority) Plan(ctx context.Context, caller access.Caller, in PlanInput) (out catalog.Plan, err error) {
	return out, errNotYet
}

// Plans is described with its input.
func (a *Authority) Plans(ctx context.Context, caller access.Caller, in PlansInput) (out []catalog.Plan, err error) {
	return out, errNotYet
}

// CreateOrganization is described with its input.
func (a *Authority) CreateOrganization(ctx context.Context, caller access.Caller, in CreateOrganizationInput) (out tenancy.Organization, err error) {
	return out, errNotYet
}

// ChangeOrganization is described with its input.
func (a *Authority) ChangeOrganization(ctx context.Context, caller access.Caller, in ChangeOrganizationInput) (out tenancy.Organization, err error) {
	return out, errNotYet
}

// SuspendOrganization is described with its input.
func (a *Authority) SuspendOrganization(ctx context.Context, caller access.Caller, in OrganizationInput) (out tenancy.Organization, err error) {
	return out, errNotYet
}

// ResumeOrganization is described with its input.
func (a *Authority) ResumeOrganization(ctx context.Context, caller access.Caller, in OrganizationInput) (out tenancy.Organization, err error) {
	return out, errNotYet
}

// RemoveOrganization is described with its input.
func (a *Authority) RemoveOrganization(ctx context.Context, caller access.Caller, in OrganizationInput) (out tenancy.Organization, err error) {
	return out, errNotYet
}

// Organization is described with its input.
func (a *Authority) Organization(ctx context.Context, caller access.Caller, in OrganizationInput) (out tenancy.Organization, err error) {
	return out, errNotYet
}

// Organizations is described with its input.
func (a *Authority) Organizations(ctx context.Context, caller access.Caller, in OrganizationsInput) (out store.List[tenancy.Organization], err error) {
	return out, errNotYet
}

// CreateUser is described with its input.
func (a *Authority) CreateUser(ctx context.Context, caller access.Caller, in CreateUserInput) (out InvitedUser, err error) {
	return out, errNotYet
}

// InviteUser is described with its input.
func (a *Authority) InviteUser(ctx context.Context, caller access.Caller, in UserInput) (out InvitedUser, err error) {
	return out, errNotYet
}

// ChangeUser is described with its input.
func (a *Authority) ChangeUser(ctx context.Context, caller access.Caller, in ChangeUserInput) (out tenancy.User, err error) {
	return out, errNotYet
}

// SuspendUser is described with its input.
func (a *Authority) SuspendUser(ctx context.Context, caller access.Caller, in UserInput) (out tenancy.User, err error) {
	return out, errNotYet
}

// ResumeUser is described with its input.
func (a *Authority) ResumeUser(ctx context.Context, caller access.Caller, in UserInput) (out tenancy.User, err error) {
	return out, errNotYet
}

// DeleteUser is described with its input.
func (a *Authority) DeleteUser(ctx context.Context, caller access.Caller, in UserInput) (out tenancy.User, err error) {
	return out, errNotYet
}

// User is described with its input.
func (a *Authority) User(ctx context.Context, caller access.Caller, in UserInput) (out tenancy.User, err error) {
	return out, errNotYet
}

// Users is described with its input.
func (a *Authority) Users(ctx context.Context, caller access.Caller, in UsersInput) (out store.List[tenancy.User], err error) {
	return out, errNotYet
}

// CreateRole is described with its input.
func (a *Authority) CreateRole(ctx context.Context, caller access.Caller, in CreateRoleInput) (out access.Role, err error) {
	return out, errNotYet
}

// ChangeRole is described with its input.
func (a *Authority) ChangeRole(ctx context.Context, caller access.Caller, in ChangeRoleInput) (out access.Role, err error) {
	return out, errNotYet
}

// DeleteRole is described with its input.
func (a *Authority) DeleteRole(ctx context.Context, caller access.Caller, in RoleInput) (out access.Role, err error) {
	return out, errNotYet
}

// Role is described with its input.
func (a *Authority) Role(ctx context.Context, caller access.Caller, in RoleInput) (out access.Role, err error) {
	return out, errNotYet
}

// Roles is described with its input.
func (a *Authority) Roles(ctx context.Context, caller access.Caller, in RolesInput) (out []access.Role, err error) {
	return out, errNotYet
}

// Assign is described with its input.
func (a *Authority) Assign(ctx context.Context, caller access.Caller, in AssignInput) (out access.Assignment, err error) {
	return out, errNotYet
}

// Unassign is described with its input.
func (a *Authority) Unassign(ctx context.Context, caller access.Caller, in AssignmentInput) (out access.Assignment, err error) {
	return out, errNotYet
}

// Assignments is described with its input.
func (a *Authority) Assignments(ctx context.Context, caller access.Caller, in AssignmentsInput) (out store.List[access.Assignment], err error) {
	return out, errNotYet
}

// AuditEvents is described with its input.
func (a *Authority) AuditEvents(ctx context.Context, caller access.Caller, in AuditEventsInput) (out store.List[audit.Event], err error) {
	return out, errNotYet
}

// Me is described with its input.
func (a *Authority) Me(ctx context.Context, caller access.Caller, in MeInput) (out MeOutput, err error) {
	return out, errNotYet
}

// IssueFirstAdminLink is described with its input.
func (a *Authority) IssueFirstAdminLink(ctx context.Context, caller access.Caller, in FirstAdminLinkInput) (out FirstAdminLink, err error) {
	return out, errNotYet
}

// AcceptFirstAdmin is described with its input.
func (a *Authority) AcceptFirstAdmin(ctx context.Context, caller access.Caller, in AcceptFirstAdminInput) (out tenancy.User, err error) {
	return out, errNotYet
}

// BootstrapSystem creates the system tenant, its plan and its roles, once.
func (a *Authority) BootstrapSystem(ctx context.Context) error { return errNotYet }

// ExpireDue ends at most a batch of expired credentials and says how many it ended.
func (a *Authority) ExpireDue(ctx context.Context) (ended int, err error) { return 0, errNotYet }

// Run writes checkpoints every 60 s or 1,000 events until ctx ends.
func (a *Authority) Run(ctx context.Context) error { return errNotYet }

// Checkpoint writes a checkpoint now, if any event happened since the last.
func (a *Authority) Checkpoint(ctx context.Context) error { return errNotYet }

// Journal is the revocation journal, a file outside the database.
type Journal struct{}

// OpenJournal opens or creates it.
func OpenJournal(path string) (*Journal, error) { return nil, errNotYet }

// Close closes the file.
func (j *Journal) Close() error { return errNotYet }

// CheckpointLog is the file of signed checkpoints.
type CheckpointLog struct{}

// OpenCheckpointLog opens or creates it.
func OpenCheckpointLog(path string, key ed25519.PrivateKey) (*CheckpointLog, error) {
	return nil, errNotYet
}

// Close closes the file.
func (l *CheckpointLog) Close() error { return errNotYet }

// AuditReport is what VerifyAudit found.
type AuditReport struct {
	Tenants     int
	Events      int64
	Checkpoints int64
	LastAt      string
	Findings    []AuditFinding
}

// AuditFinding is one thing that does not hold.
type AuditFinding struct {
	Tenant   tenancy.TenantID // empty for the system chain of links and for the checkpoint file
	Sequence int64
	Message  string
}

// VerifyAudit checks the audit chain against the checkpoints and each other.
func VerifyAudit(ctx context.Context, s *store.Store, checkpoints io.Reader, key ed25519.PublicKey) (AuditReport, error) {
	return AuditReport{}, errNotYet
}

// FoldUsername is the form under which user names are unique: NFKC, then case folded.
func FoldUsername(name string) string { return name }

type facts struct{}

func newFacts() *facts { return &facts{} }
