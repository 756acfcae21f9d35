package access

// Template is a built-in role. Every tenant gets a copy of each when it is created.
type Template struct {
	Key         string // stays the same for ever: Role.BuiltIn
	Name        string
	Description string
	Permissions []Grant
	System      bool // for the system tenant only; the others are for the other tenants
}

// The keys of the built-in roles.
const (
	RoleSystemAdministrator   = "system_administrator"
	RoleSuperAdmin            = "super_admin"
	RoleCompanyAdmin          = "company_admin"
	RoleCustomerAdministrator = "customer_administrator"
	RoleAdmin                 = "admin"
	RoleSupervisor            = "supervisor"
	RoleTeamLeader            = "team_leader"
	RoleAnalyst               = "analyst"
	RoleAgent                 = "agent"
)

// BuiltInRoles lists the templates. The slice is the caller's.
func BuiltInRoles() []Template {
	return []Template{
		{
			Key: RoleSystemAdministrator, Name: "System Administrator", System: true,
			Description: "Runs this installation: tenants, plans, the API catalogue and everything in every tenant.",
			Permissions: Everything().Grants(),
		},
		{
			Key: RoleSuperAdmin, Name: "Super Admin",
			Description: "May do everything in the account.",
			Permissions: append(tenantLevel(), "*:*"),
		},
		{
			Key: RoleCompanyAdmin, Name: "Company Admin",
			Description: "Looks after the company's people, apps and service accounts.",
			Permissions: grants([]Permission{
				AppsManage, ServiceAccountsManage, OrganizationsRead, OrganizationsManage, UsersRead, UsersManage,
				RolesRead, AssignmentsManage, AuditEventsRead, UsageRead,
			}, "*:read", "*:write"),
		},
		{
			Key: RoleCustomerAdministrator, Name: "Customer Administrator",
			Description: "Looks after organizations, their users and their keys.",
			Permissions: grants([]Permission{
				OrganizationKeysGenerate, OrganizationsRead, OrganizationsManage, UsersRead, UsersManage,
				RolesRead, AssignmentsManage, AuditEventsRead, UsageRead,
			}, "*:read", "*:write"),
		},
		{
			Key: RoleAdmin, Name: "Admin",
			Description: "Looks after people and everybody's API credentials.",
			Permissions: grants([]Permission{
				ClientCredentialsManage, ClientCredentialsManageOwn, OrganizationsRead, UsersRead, UsersManage,
				RolesRead, AssignmentsManage, AuditEventsRead, UsageRead,
			}, "*:read", "*:write"),
		},
		{
			Key: RoleSupervisor, Name: "Supervisor",
			Description: "Leads agents and has API credentials of their own.",
			Permissions: grants([]Permission{ClientCredentialsManageOwn, OrganizationsRead, UsersRead}, "*:read", "*:write"),
		},
		{
			Key: RoleTeamLeader, Name: "Team Leader",
			Description: "Leads a team.",
			Permissions: grants([]Permission{OrganizationsRead, UsersRead}, "*:read", "*:write"),
		},
		{
			Key: RoleAnalyst, Name: "Analyst",
			Description: "Reads what there is to read.",
			Permissions: grants([]Permission{UsageRead}, "*:read"),
		},
		{
			Key: RoleAgent, Name: "Agent",
			Description: "Works with customers; has no part in administration.",
			Permissions: grants(nil, "call_recordings:read", "recent_calls:read", "evaluations:read", "contact_center_chat:read", "contact_center_chat:write"),
		},
	}
}

func grants(ours []Permission, vendor ...Grant) []Grant {
	list := make([]Grant, 0, len(ours)+len(vendor))
	for _, p := range ours {
		list = append(list, Grant(p))
	}
	return append(list, vendor...)
}
