package main

import (
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// demoCustomers is one customer for each of the five models, with credentials in every
// state, oldest first.
var demoCustomers = []customerPlan{
	northwind, meadowbrook, pebble, cobalt, alder,
}

// northwind's keys inherit their users' roles (PV).
var northwind = customerPlan{
	slug: "northwind", name: "Northwind Voice", model: "PV", externalID: "customer-1001",
	organizations: []organizationPlan{
		{name: "Europe"},
		{name: "Americas"},
		{name: "Berlin", parent: "Europe"},
		{name: "Lisbon", parent: "Europe"},
		{name: "Austin", parent: "Americas"},
		{name: "Berlin Night Shift", parent: "Berlin"},
	},
	users: []userPlan{
		{name: "mara.lindt", display: "Mara Lindt", role: access.RoleSuperAdmin, licence: "admin"},
		{name: "tom.okafor", display: "Tom Okafor", role: access.RoleAdmin, organization: "Europe", licence: "admin"},
		{name: "lea.simon", display: "Lea Simon", role: access.RoleTeamLeader, organization: "Berlin", licence: "agent"},
		{name: "noor.haddad", display: "Noor Haddad", role: access.RoleAnalyst, organization: "Berlin", licence: "agent"},
		{name: "eva.soto", display: "Eva Soto", role: access.RoleAgent, organization: "Berlin Night Shift", licence: "agent"},
	},
	credentials: userKeys(
		credentialPlan{owner: "mara.lindt", name: "Nightly report export", issued: 110 * day},
		credentialPlan{owner: "mara.lindt", name: "Trial of the API", issued: 100 * day, end: deleted},
		credentialPlan{owner: "noor.haddad", name: "Power BI dashboards", issued: 95 * day},
		credentialPlan{owner: "noor.haddad", name: "Spring campaign", issued: 90 * day, expires: -10 * day},
		credentialPlan{owner: "tom.okafor", name: "CRM synchronization", issued: 85 * day, expires: 5 * day},
		credentialPlan{owner: "noor.haddad", name: "Quarterly audit", issued: 70 * day, expires: 20 * day},
		credentialPlan{owner: "tom.okafor", name: "Old dialler", issued: 60 * day, end: suspended},
		credentialPlan{owner: "eva.soto", name: "Lost laptop", issued: 50 * day, end: revoked},
		credentialPlan{owner: "tom.okafor", name: "Recording archive", issued: 40 * day, end: rotated},
		credentialPlan{owner: "eva.soto", name: "Wallboard", issued: 30 * day},
		credentialPlan{owner: "mara.lindt", name: "Chat bot", issued: 10 * day, limits: credential.Limits{
			Rates: []credential.Rate{{Name: "burst", Limit: 1000, Window: time.Minute}},
		}},
		credentialPlan{owner: "tom.okafor", name: "New call centre", issued: 5 * day, notBefore: 365 * day},
	),
}

// meadowbrook signs its desktop clients in with keys of its organizations (NV).
var meadowbrook = customerPlan{
	slug: "meadowbrook", name: "Meadowbrook Clinics", model: "NV", externalID: "customer-1002",
	organizations: []organizationPlan{
		{name: "North Hospital", domains: []string{"NORTH", "north.meadowbrook.example"}},
		{name: "South Hospital", domains: []string{"SOUTH", "south.meadowbrook.example"}},
		{name: "Radiology", parent: "North Hospital"},
		{name: "Surgery", parent: "North Hospital"},
		{name: "Emergency", parent: "South Hospital"},
		{name: "Radiology Night Desk", parent: "Radiology"},
	},
	users: []userPlan{
		{name: "ines.moreau", display: "Ines Moreau", role: access.RoleSuperAdmin, licence: "admin"},
		{name: "carl.jensen", display: "Carl Jensen", role: access.RoleCustomerAdministrator, licence: "admin"},
		{name: "lena.fischer", display: "Lena Fischer", role: access.RoleCustomerAdministrator, organization: "Radiology", licence: "agent"},
		{name: "raj.patel", display: "Raj Patel", role: access.RoleAgent, organization: "Radiology Night Desk", licence: "agent"},
		{name: "sofia.rossi", display: "Sofia Rossi", role: access.RoleAgent, organization: "Surgery", licence: "agent"},
		{name: "ana.costa", display: "Ana Costa", role: access.RoleAgent, organization: "Emergency", licence: "agent"},
	},
	credentials: organizationKeys(
		credentialPlan{owner: "", name: "All workstations", issued: 110 * day},
		credentialPlan{owner: "North Hospital", name: "Dictation desktops", issued: 105 * day},
		credentialPlan{owner: "South Hospital", name: "Pilot desktops", issued: 100 * day, end: deleted},
		credentialPlan{owner: "Radiology", name: "Reading room", issued: 95 * day, expires: 3 * day},
		credentialPlan{owner: "Surgery", name: "Operating theatres", issued: 90 * day, expires: 14 * day},
		credentialPlan{owner: "Emergency", name: "Winter tents", issued: 85 * day, expires: -20 * day},
		credentialPlan{owner: "Emergency", name: "Ambulance tablets", issued: 70 * day, end: suspended},
		credentialPlan{owner: "Surgery", name: "Stolen trolley", issued: 60 * day, end: revoked},
		credentialPlan{owner: "Radiology", name: "Radiology laptops", issued: 45 * day, end: rotated},
		credentialPlan{owner: "Radiology Night Desk", name: "Night desk", issued: 30 * day, networks: []string{"192.0.2.0/24", "2001:db8::/32"}},
		credentialPlan{owner: "South Hospital", name: "New wing", issued: 5 * day, notBefore: 180 * day},
	),
}

// pebble's programs sign their own tokens, and an old one sends the account's key in the
// query (VX).
var pebble = customerPlan{
	slug: "pebble", name: "Pebble Telephony", model: "VX", externalID: "customer-1003",
	policy: tenancy.Policy{LegacyAccountKeys: true},
	organizations: []organizationPlan{
		{name: "Production"},
		{name: "Staging"},
		{name: "Call Campaigns", parent: "Production"},
	},
	roles: []rolePlan{
		{name: "Recordings reader", description: "Listens to recordings.", permissions: []access.Grant{"call_recordings:read"}},
		{
			name: "Scenario developer", description: "Starts scenarios, and reads what they recorded.",
			permissions: []access.Grant{"scenarios:start", "scenarios:read"}, includes: []string{"Recordings reader"},
		},
	},
	users: []userPlan{
		{name: "olga.petrov", display: "Olga Petrov", role: access.RoleSuperAdmin, licence: "admin"},
		{name: "ben.carter", display: "Ben Carter", role: access.RoleCompanyAdmin, licence: "admin"},
		{name: "yuki.tanaka", display: "Yuki Tanaka", role: access.RoleAnalyst, organization: "Call Campaigns", licence: "agent"},
	},
	accounts: []accountPlan{
		{description: "Scenario runner", organization: "Production", roles: []string{"Scenario developer"}},
		{description: "Recording archive", roles: []string{"Recordings reader"}},
		{description: "Status monitor"},
	},
	credentials: append(serviceAccountKeys(
		credentialPlan{owner: "Scenario runner", name: "Production signing key", issued: 100 * day},
		credentialPlan{owner: "Scenario runner", name: "Key before the move", issued: 90 * day, end: revoked},
		credentialPlan{owner: "Recording archive", name: "Archive, this quarter", issued: 60 * day, expires: 7 * day},
		credentialPlan{owner: "Recording archive", name: "Archive, last quarter", issued: 80 * day, expires: -15 * day},
		credentialPlan{owner: "Recording archive", name: "Archive, under review", issued: 40 * day, end: suspended},
		credentialPlan{owner: "Status monitor", name: "Monitoring", issued: 30 * day},
		credentialPlan{owner: "Status monitor", name: "First attempt", issued: 31 * day, end: deleted},
		credentialPlan{owner: "Scenario runner", name: "Key for next year", issued: 4 * day, notBefore: 120 * day},
	), accountKeys(
		credentialPlan{name: "Legacy dialler", issued: 115 * day},
		credentialPlan{name: "Legacy statistics", issued: 112 * day, end: suspended},
		credentialPlan{name: "Legacy portal", issued: 111 * day, end: revoked},
		credentialPlan{name: "Legacy importer", issued: 108 * day, expires: -30 * day},
		credentialPlan{name: "Legacy billing", issued: 107 * day, end: rotated},
		credentialPlan{name: "Legacy trial", issued: 106 * day, end: deleted},
	)...),
}

// cobalt gives apps the APIs that they may call (EE).
var cobalt = customerPlan{
	slug: "cobalt", name: "Cobalt Outfitters", model: "EE", externalID: "customer-1004",
	organizations: []organizationPlan{
		{name: "Online Shop"},
		{name: "Stores"},
		{name: "Store Support", parent: "Stores"},
	},
	roles: []rolePlan{
		{name: "Storage API", description: "May choose Call Recordings & Storage for apps.", permissions: []access.Grant{"storage_api:use"}},
	},
	users: []userPlan{
		{name: "nadia.kowalski", display: "Nadia Kowalski", role: access.RoleSuperAdmin, licence: "admin"},
		{name: "paul.nguyen", display: "Paul Nguyen", role: access.RoleCompanyAdmin, licence: "admin"},
		{name: "ana.silva", display: "Ana Silva", role: access.RoleCompanyAdmin, licence: "admin", more: []string{"Storage API"}},
		{name: "kim.larsen", display: "Kim Larsen", role: access.RoleAgent, organization: "Store Support", licence: "agent"},
	},
	credentials: appKeys(
		credentialPlan{name: "Shop analytics", issued: 100 * day, apis: []string{"analytics_contact_center", "recent_calls"}},
		credentialPlan{name: "Recording vault", issued: 95 * day, apis: []string{"call_recordings_storage"}},
		credentialPlan{name: "Survey importer", issued: 90 * day, expires: -12 * day, apis: []string{"post_call_survey"}},
		credentialPlan{name: "Season dashboards", issued: 80 * day, expires: 6 * day, apis: []string{"analytics_contact_center", "quality_speech_analytics"}},
		credentialPlan{name: "Chat connector", issued: 70 * day, apis: []string{"chapi_work_chat", "contact_center_chat"}, end: suspended},
		credentialPlan{name: "Old agency", issued: 60 * day, apis: []string{"recent_calls"}, end: deleted},
		credentialPlan{name: "Quality coach", issued: 40 * day, apis: []string{"quality_speech_analytics"}, end: rotated},
		credentialPlan{name: "Store bot", issued: 20 * day, apis: []string{"contact_center_chat"}, limits: credential.Limits{
			Quotas: []credential.Quota{{Name: "monthly", Limit: 100_000, Period: credential.PerMonth}},
		}},
	),
}

// alder's users and the account itself have client IDs and secrets (VC).
var alder = customerPlan{
	slug: "alder", name: "Alder Insurance", model: "VC", externalID: "customer-1005",
	organizations: []organizationPlan{
		{name: "Claims"},
		{name: "Sales"},
		{name: "Claims Hotline", parent: "Claims"},
	},
	users: []userPlan{
		{name: "henri.dubois", display: "Henri Dubois", role: access.RoleSuperAdmin, licence: "admin"},
		{name: "grace.hall", display: "Grace Hall", role: access.RoleAdmin, licence: "admin"},
		{name: "omar.aziz", display: "Omar Aziz", role: access.RoleSupervisor, organization: "Claims", licence: "supervisor"},
		{name: "julia.brandt", display: "Julia Brandt", role: access.RoleSupervisor, organization: "Sales", licence: "supervisor"},
		{name: "felix.braun", display: "Felix Braun", role: access.RoleAgent, organization: "Claims Hotline", licence: "agent"},
	},
	credentials: clientCredentials(
		credentialPlan{owner: "grace.hall", name: "Workforce planning", issued: 100 * day, scopes: []access.Permission{"contact_center_analytics:read", "recent_calls:read", "surveys:read"}},
		credentialPlan{owner: "omar.aziz", name: "Claims wallboard", issued: 90 * day, scopes: []access.Permission{"contact_center_analytics:read", "recent_calls:read"}},
		credentialPlan{owner: "julia.brandt", name: "Sales coaching", issued: 80 * day, scopes: []access.Permission{"evaluations:read"}},
		credentialPlan{owner: "omar.aziz", name: "Storm season", issued: 75 * day, expires: -8 * day, scopes: []access.Permission{"recent_calls:read"}},
		credentialPlan{owner: "omar.aziz", name: "Hotline report", issued: 60 * day, expires: 10 * day, scopes: []access.Permission{"recent_calls:read"}},
		credentialPlan{owner: "julia.brandt", name: "Paused campaign", issued: 50 * day, scopes: []access.Permission{"contact_center_analytics:read"}, end: suspended},
		credentialPlan{owner: "grace.hall", name: "Former consultant", issued: 45 * day, scopes: []access.Permission{"evaluations:read"}, end: revoked},
		credentialPlan{owner: "grace.hall", name: "Test of the API", issued: 44 * day, scopes: []access.Permission{"recent_calls:read"}, end: deleted},
		credentialPlan{owner: "grace.hall", name: "Data warehouse", issued: 35 * day, scopes: []access.Permission{"contact_center_analytics:read", "call_recordings:read"}, end: rotated},
		credentialPlan{name: "Group reporting", issued: 95 * day, scopes: []access.Permission{"contact_center_analytics:read", "surveys:read"}},
		credentialPlan{name: "Old group reporting", issued: 94 * day, scopes: []access.Permission{"contact_center_analytics:read"}, end: revoked},
		credentialPlan{owner: "grace.hall", name: "Merger preparation", issued: 3 * day, notBefore: 90 * day, scopes: []access.Permission{"recent_calls:read"}},
	),
}

func ofKind(kind credential.Kind, list []credentialPlan) []credentialPlan {
	for i := range list {
		list[i].kind = kind
	}
	return list
}

func userKeys(list ...credentialPlan) []credentialPlan { return ofKind(credential.UserKey, list) }
func organizationKeys(list ...credentialPlan) []credentialPlan {
	return ofKind(credential.OrganizationKey, list)
}

func accountKeys(list ...credentialPlan) []credentialPlan { return ofKind(credential.AccountKey, list) }
func appKeys(list ...credentialPlan) []credentialPlan     { return ofKind(credential.App, list) }
func serviceAccountKeys(list ...credentialPlan) []credentialPlan {
	return ofKind(credential.ServiceAccountKey, list)
}

func clientCredentials(list ...credentialPlan) []credentialPlan {
	return ofKind(credential.ClientCredential, list)
}
