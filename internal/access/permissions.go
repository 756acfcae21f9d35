package access

// Claviger's own permissions.
const (
	APIKeysGenerate            Permission = "claviger.api_keys:generate"
	APIKeysManage              Permission = "claviger.api_keys:manage"
	OrganizationKeysGenerate   Permission = "claviger.organization_keys:generate"
	AccountKeysManage          Permission = "claviger.account_keys:manage"
	AppsManage                 Permission = "claviger.apps:manage"
	ClientCredentialsManage    Permission = "claviger.client_credentials:manage"
	ClientCredentialsManageOwn Permission = "claviger.client_credentials:manage_own"
	ServiceAccountsManage      Permission = "claviger.service_accounts:manage"
	VerifierKeysManage         Permission = "claviger.verifier_keys:manage"
	CredentialsVerify          Permission = "claviger.credentials:verify"

	OrganizationsRead   Permission = "claviger.organizations:read"
	OrganizationsManage Permission = "claviger.organizations:manage"
	UsersRead           Permission = "claviger.users:read"
	UsersManage         Permission = "claviger.users:manage"
	RolesRead           Permission = "claviger.roles:read"
	RolesManage         Permission = "claviger.roles:manage"
	AssignmentsManage   Permission = "claviger.assignments:manage"

	AuditEventsRead Permission = "claviger.audit_events:read"
	UsageRead       Permission = "claviger.usage:read"
	TenantManage    Permission = "claviger.tenant:manage"

	// These mean something in the system tenant only.
	TenantsRead   Permission = "claviger.tenants:read"
	TenantsManage Permission = "claviger.tenants:manage"
	PlansManage   Permission = "claviger.plans:manage"
	CatalogManage Permission = "claviger.catalog:manage"

	SigningKeysManage Permission = "claviger.signing_keys:manage"
)

// SignInAutomatic lets an organization key sign people at or below its organization in
// (NV2). Only organization keys have it: it is given with OrganizationKeysGenerate, as the
// Extra of a Gift, and is no part of any role.
const SignInAutomatic Permission = "claviger.sign_in:automatic"

// BasicPermissions is what a service account without any role may do (VX2), as far as the
// tenant's plan goes: look at the account and at the service's status.
func BasicPermissions() Set { return SetOf("account:read", "service_status:read") }

// PermissionInfo describes one of Claviger's own permissions for the role's page (PV5).
type PermissionInfo struct {
	Permission  Permission
	Name        string // the name of the right, such as "Application Credentials"
	Group       string // the heading it stands under on the role's page
	Label       string // the checkbox's label
	System      bool   // means something in the system tenant only
	SessionOnly bool   // a tenant's credentials can't use it, even if their principal holds it
}

// The groups of the role's page, "Essentials".
const (
	groupAPIKeys     = "API Keys Permissions"
	groupCredentials = "Credentials Permissions"
	groupPeople      = "People and Access Permissions"
	groupRecords     = "Records Permissions"
	groupAccount     = "Account Permissions"
	groupSystem      = "System Permissions"
)

// Permissions lists Claviger's own permissions, in the order in which the role's page
// shows them. The slice is the caller's.
func Permissions() []PermissionInfo {
	return []PermissionInfo{
		{Permission: APIKeysGenerate, Group: groupAPIKeys, Name: "API keys generation", Label: "Grant access to API keys generation"},
		{Permission: APIKeysManage, Group: groupAPIKeys, Name: "API keys management", Label: "Grant management of other people's API keys"},

		{Permission: OrganizationKeysGenerate, Group: groupCredentials, Name: "Organization keys", Label: "Grant access to organization keys"},
		{Permission: AppsManage, Group: groupCredentials, Name: "Application Credentials", Label: "Grant access to apps and their credentials"},
		{Permission: ServiceAccountsManage, Group: groupCredentials, Name: "Service accounts", Label: "Grant access to service accounts and their keys"},
		{Permission: ClientCredentialsManageOwn, Group: groupCredentials, Name: "Own API credentials", Label: "Grant access to one's own API credentials"},
		{Permission: ClientCredentialsManage, Group: groupCredentials, Name: "API credentials", Label: "Grant access to everybody's API credentials"},
		{Permission: AccountKeysManage, Group: groupCredentials, Name: "Account keys (deprecated)", Label: "Grant access to account keys (deprecated)"},
		{Permission: VerifierKeysManage, Group: groupCredentials, Name: "Verifier keys", Label: "Grant access to verifier keys"},
		{Permission: CredentialsVerify, Group: groupCredentials, Name: "Verification", Label: "Allow asking whether credentials are valid"},

		{Permission: OrganizationsRead, Group: groupPeople, Name: "Organizations: look", Label: "Show organizations"},
		{Permission: OrganizationsManage, Group: groupPeople, Name: "Organizations: change", Label: "Create, rename, move and suspend organizations"},
		{Permission: UsersRead, Group: groupPeople, Name: "Users: look", Label: "Show users"},
		{Permission: UsersManage, Group: groupPeople, Name: "Users: change", Label: "Invite, change, suspend and delete users", SessionOnly: true},
		{Permission: RolesRead, Group: groupPeople, Name: "Roles: look", Label: "Show roles"},
		{Permission: RolesManage, Group: groupPeople, Name: "Roles: change", Label: "Create, change and delete roles", SessionOnly: true},
		{Permission: AssignmentsManage, Group: groupPeople, Name: "Role assignments", Label: "Give roles to people and take them away", SessionOnly: true},

		{Permission: AuditEventsRead, Group: groupRecords, Name: "Audit log", Label: "Show the audit log"},
		{Permission: UsageRead, Group: groupRecords, Name: "Usage", Label: "Show how credentials are used"},
		{Permission: TenantManage, Group: groupAccount, Name: "Account settings", Label: "Change the account's settings and policy", SessionOnly: true},

		{Permission: TenantsRead, Group: groupSystem, Name: "Tenants: look", Label: "Show tenants", System: true},
		{Permission: TenantsManage, Group: groupSystem, Name: "Tenants: change", Label: "Create, change, suspend and delete tenants", System: true},
		{Permission: PlansManage, Group: groupSystem, Name: "Plans", Label: "Change plans", System: true},
		{Permission: CatalogManage, Group: groupSystem, Name: "API catalogue", Label: "Change the API catalogue", System: true},
		{Permission: SigningKeysManage, Group: groupSystem, Name: "Signing keys", Label: "Change the keys that sign tokens", System: true},
	}
}

// Known reports whether p is one of Claviger's own permissions that exist. Vendors'
// permissions are the catalogue's business.
func Known(p Permission) bool {
	for _, info := range Permissions() {
		if info.Permission == p {
			return true
		}
	}
	return false
}

// tenantLevel is Claviger's own permissions that mean something in every tenant.
func tenantLevel() []Grant {
	var grants []Grant
	for _, info := range Permissions() {
		if !info.System {
			grants = append(grants, Grant(info.Permission))
		}
	}
	return grants
}

// Administrative reports whether a set lets its holder look after others: people, their
// rights and their credentials, or the account's records. Looking at people and
// organizations, usage, and what one does for oneself are not administration.
func Administrative(s Set) bool {
	for _, info := range Permissions() {
		switch info.Permission {
		case APIKeysGenerate, ClientCredentialsManageOwn, CredentialsVerify, OrganizationsRead, UsersRead, RolesRead, UsageRead:
		default:
			if s.Allows(info.Permission) {
				return true
			}
		}
	}
	return false
}
