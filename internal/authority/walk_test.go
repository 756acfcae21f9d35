package authority_test

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// row is one operation in the walk. prepare makes what the operation needs and returns
// the input; it runs anew for each call.
type row struct {
	input   func(w *world) any
	caller  func(w *world) access.Caller // who may; nil means the super admin
	refused []func(w *world) access.Caller
	denied  problem.Kind // what the refused get; zero means Denied
	foreign problem.Kind // what the other tenant's super admin gets; zero means NotFound
	action  string       // of the audit event; empty for reads
	events  int64        // how many there are, of which that is the last; zero means one
	chain   func(w *world, in any) tenancy.TenantID
}

func nobody(w *world) access.Caller  { return w.nobody }
func sysNone(w *world) access.Caller { return w.sysNone }
func system(w *world) access.Caller  { return w.system }
func super(w *world) access.Caller   { return w.super }

func apiKey(w *world) any {
	return authority.KeyInput{ID: w.key(w.super).ID}
}

func suspendedKey(w *world) any {
	k := w.key(w.super)
	_, err := w.a.SuspendAPIKey(w.Context(), w.super, authority.KeyInput{ID: k.ID})
	w.must(err)
	return authority.KeyInput{ID: k.ID}
}

func (w *world) verifier() credential.ID {
	k, err := w.a.IssueVerifierKey(w.Context(), w.super, authority.IssueVerifierKeyInput{Name: "gateway"})
	w.must(err)
	return k.ID
}

func verifierKey(w *world) any { return authority.KeyInput{ID: w.verifier()} }

func freshUser(w *world) any {
	return authority.UserInput{ID: userOf(w.someone())}
}

func freshOrganization(w *world) any {
	return authority.OrganizationInput{ID: w.organization(w.acme.RootOrg, "Fresh").ID}
}

func freshTenant(w *world) any {
	names++
	return authority.TenantInput{ID: w.tenant("t" + string(rune('a'+names%26)) + string(rune('a'+names/26%26)) + string(rune('a'+names/676%26))).ID}
}

func freshRole(w *world) access.RoleID {
	names++
	return w.role("fresh "+string(rune('a'+names%26))+string(rune('a'+names/26%26))+string(rune('a'+names/676%26)), "recordings:read")
}

func userPrincipal(id tenancy.UserID) access.Principal {
	return access.Principal{Type: access.PrincipalUser, ID: string(id)}
}

func ptr[T any](v T) *T { return &v }

func inSystem(*world, any) tenancy.TenantID { return tenancy.SystemTenantID }

func systemRow(action string, input func(w *world) any) row {
	return row{
		input: input, caller: system, action: action, foreign: problem.Denied,
		refused: []func(w *world) access.Caller{sysNone, super}, chain: inSystem,
	}
}

// inTenant is the chain of the tenant that a TenantInput names.
func tenantRow(action string, input func(w *world) any) row {
	r := systemRow(action, input)
	r.foreign, r.refused = problem.NotFound, []func(w *world) access.Caller{sysNone}
	r.chain = func(_ *world, in any) tenancy.TenantID {
		id, _ := reflect.ValueOf(in).FieldByName("ID").Interface().(tenancy.TenantID)
		return id
	}
	return r
}

var rows = map[string]row{
	"IssueAPIKey":   {action: "api_key.issue", input: func(w *world) any { return authority.IssueAPIKeyInput{Tenant: w.acme.ID, Name: "k"} }},
	"RenameAPIKey":  {action: "api_key.rename", input: func(w *world) any { return authority.RenameKeyInput{ID: w.key(w.super).ID, Name: "new"} }}, // PV8
	"SuspendAPIKey": {action: "api_key.suspend", input: apiKey},
	"ResumeAPIKey":  {action: "api_key.resume", input: suspendedKey},
	"RotateAPIKey":  {action: "api_key.rotate", input: func(w *world) any { return authority.RotateKeyInput{ID: w.key(w.super).ID} }},
	"RevokeAPIKey":  {action: "api_key.revoke", input: apiKey}, // PV9
	"DeleteAPIKey":  {action: "api_key.delete", input: apiKey},
	"APIKey":        {input: apiKey},
	"APIKeys":       {input: func(w *world) any { return authority.KeysInput{Tenant: w.acme.ID} }}, // PV6

	"IssueVerifierKey": {action: "verifier_key.issue", input: func(w *world) any { return authority.IssueVerifierKeyInput{Tenant: w.acme.ID, Name: "k"} }},
	"RenameVerifierKey": {action: "verifier_key.rename", input: func(w *world) any {
		return authority.RenameKeyInput{ID: w.verifier(), Name: "new"}
	}},
	"SuspendVerifierKey": {action: "verifier_key.suspend", input: verifierKey},
	"ResumeVerifierKey": {action: "verifier_key.resume", input: func(w *world) any {
		in := authority.KeyInput{ID: w.verifier()}
		_, err := w.a.SuspendVerifierKey(w.Context(), w.super, in)
		w.must(err)
		return in
	}},
	"RotateVerifierKey": {action: "verifier_key.rotate", input: func(w *world) any { return authority.RotateKeyInput{ID: w.verifier()} }},
	"RevokeVerifierKey": {action: "verifier_key.revoke", input: verifierKey},
	"DeleteVerifierKey": {action: "verifier_key.delete", input: verifierKey},
	"VerifierKey":       {input: verifierKey},
	"VerifierKeys":      {input: func(w *world) any { return authority.KeysInput{Tenant: w.acme.ID} }},

	"CreateTenant": {
		action: "tenant.create", caller: system, foreign: problem.Denied, refused: []func(w *world) access.Caller{sysNone, super},
		input: func(w *world) any {
			return authority.CreateTenantInput{Slug: "newcomer", Name: "Newcomer", PlanID: w.plan}
		},
		chain: func(w *world, _ any) tenancy.TenantID {
			list, err := w.a.Tenants(w.Context(), w.system, authority.TenantsInput{})
			w.must(err)
			for _, t := range list.Items {
				if t.Slug == "newcomer" {
					return t.ID
				}
			}
			return ""
		},
	},
	"ChangeTenant": {action: "tenant.change", input: func(w *world) any {
		return authority.ChangeTenantInput{ID: w.acme.ID, Name: ptr("Acme renamed")}
	}},
	"SuspendTenant": tenantRow("tenant.suspend", freshTenant),
	"ResumeTenant": tenantRow("tenant.resume", func(w *world) any {
		in, _ := freshTenant(w).(authority.TenantInput)
		_, err := w.a.SuspendTenant(w.Context(), w.system, in)
		w.must(err)
		return in
	}),
	"DeleteTenant": tenantRow("tenant.delete", freshTenant),
	"Tenant":       {input: func(w *world) any { return authority.TenantInput{ID: w.acme.ID} }},
	"Tenants":      {input: func(*world) any { return authority.TenantsInput{} }, caller: system, foreign: problem.Denied, refused: []func(w *world) access.Caller{sysNone, super}},

	"CreatePlan":       systemRow("plan.create", func(*world) any { return authority.CreatePlanInput{Key: "silver", Name: "Silver"} }),
	"ChangePlan":       systemRow("plan.change", func(w *world) any { return authority.ChangePlanInput{ID: w.starter, Name: ptr("Start")} }),
	"SigningKeys":      {input: func(*world) any { return authority.SigningKeysInput{} }, caller: system, foreign: problem.Denied, refused: []func(w *world) access.Caller{sysNone, super}},
	"RotateSigningKey": systemRow("signing_key.rotate", func(*world) any { return authority.RotateSigningKeyInput{AtOnce: true} }),
	"WithdrawSigningKey": systemRow("signing_key.withdraw", func(w *world) any {
		k, err := w.a.RotateSigningKey(w.Context(), w.system, authority.RotateSigningKeyInput{AtOnce: true})
		w.must(err)
		return authority.WithdrawSigningKeyInput{ID: k.ID}
	}),
	"DeletePlan": systemRow("plan.delete", func(w *world) any {
		p, err := w.a.CreatePlan(w.Context(), w.system, authority.CreatePlanInput{Key: "gone-" + string(rune('a'+w.state()[1]%26)) + string(rune('a'+w.state()[1]/26%26)), Name: "Gone"})
		w.must(err)
		return authority.PlanInput{ID: p.ID}
	}),
	"Plan":  {input: func(w *world) any { return authority.PlanInput{ID: w.starter} }, caller: system, refused: []func(w *world) access.Caller{sysNone}},
	"Plans": {input: func(*world) any { return authority.PlansInput{} }, caller: system, foreign: problem.Denied, refused: []func(w *world) access.Caller{sysNone, super}},

	"CreateOrganization": {action: "organization.create", input: func(w *world) any {
		return authority.CreateOrganizationInput{Parent: w.north.ID, Name: "West"}
	}},
	"ChangeOrganization": {action: "organization.change", input: func(w *world) any {
		return authority.ChangeOrganizationInput{ID: w.organization(w.acme.RootOrg, "East").ID, Name: ptr("Far East"), Parent: &w.south.ID}
	}},
	"SuspendOrganization": {action: "organization.suspend", input: freshOrganization},
	"ResumeOrganization": {action: "organization.resume", input: func(w *world) any {
		in, _ := freshOrganization(w).(authority.OrganizationInput)
		_, err := w.a.SuspendOrganization(w.Context(), w.super, in)
		w.must(err)
		return in
	}},
	"RemoveOrganization": {action: "organization.remove", input: freshOrganization},
	"Organization":       {input: freshOrganization},
	"Organizations":      {input: func(w *world) any { return authority.OrganizationsInput{Tenant: w.acme.ID} }},

	"CreateUser": {action: "user.create", input: func(w *world) any {
		return authority.CreateUserInput{OrganizationID: w.north.ID, Username: "new.user"}
	}},
	"InviteUser": {action: "user.invite", input: freshUser},
	"ChangeUser": {action: "user.change", input: func(w *world) any {
		return authority.ChangeUserInput{ID: userOf(w.someone()), DisplayName: ptr("Some One")}
	}},
	"SuspendUser": {action: "user.suspend", input: freshUser},
	"ResumeUser": {action: "user.resume", input: func(w *world) any {
		in, _ := freshUser(w).(authority.UserInput)
		_, err := w.a.SuspendUser(w.Context(), w.super, in)
		w.must(err)
		return in
	}},
	"DeleteUser": {action: "user.delete", input: freshUser},
	"User":       {input: freshUser},
	"Users":      {input: func(w *world) any { return authority.UsersInput{Tenant: w.acme.ID} }},

	"CreateRole": {action: "role.create", input: func(w *world) any {
		return authority.CreateRoleInput{Tenant: w.acme.ID, Name: "Reader", Permissions: []access.Grant{"recordings:read"}}
	}},
	"ChangeRole": {action: "role.change", input: func(w *world) any {
		return authority.ChangeRoleInput{ID: freshRole(w), Permissions: &[]access.Grant{"recordings:write"}}
	}},
	"DeleteRole": {action: "role.delete", input: func(w *world) any { return authority.RoleInput{ID: freshRole(w)} }},
	"Role":       {input: func(w *world) any { return authority.RoleInput{ID: freshRole(w)} }},
	"Roles":      {input: func(w *world) any { return authority.RolesInput{Tenant: w.acme.ID} }},

	"Assign": {action: "assignment.create", foreign: problem.Invalid, input: func(w *world) any {
		return authority.AssignInput{Principal: userPrincipal(userOf(w.someone())), RoleID: freshRole(w)}
	}},
	"Unassign": {action: "assignment.delete", input: func(w *world) any {
		return authority.AssignmentInput{ID: w.assign(w.acme.ID, userOf(w.someone()), freshRole(w), w.acme.RootOrg).ID}
	}},
	"Assignments":           {input: func(w *world) any { return authority.AssignmentsInput{Tenant: w.acme.ID} }},
	"AuditEvents":           {input: func(w *world) any { return authority.AuditEventsInput{Tenant: w.acme.ID} }},
	"NoticePreview":         {input: func(w *world) any { return authority.NoticePreviewInput{Tenant: w.acme.ID} }}, // NV11
	"LatestAuditCheckpoint": {input: func(w *world) any { return authority.AuditCheckpointInput{Tenant: w.acme.ID} }},
	"CheckAudit":            {input: func(w *world) any { return authority.AuditCheckInput{Tenant: w.acme.ID} }},
	"OrganizationImpact":    {input: freshOrganization},
	"APIAccess":             {input: func(w *world) any { return authority.APIAccessInput{Tenant: w.acme.ID} }},
	"RequestAPIAccess": { // PV4
		action: "api_access.request", caller: system, refused: []func(w *world) access.Caller{sysNone},
		input: func(w *world) any {
			in, _ := freshTenant(w).(authority.TenantInput)
			_, err := w.a.ChangeTenant(w.Context(), w.system, authority.ChangeTenantInput{ID: in.ID, PlanID: &w.starter})
			w.must(err)
			return authority.APIAccessInput{Tenant: in.ID}
		},
		chain: func(_ *world, in any) tenancy.TenantID {
			asked, _ := in.(authority.APIAccessInput)
			return asked.Tenant
		},
	},

	"IssueFirstAdminLink": {
		action: "first_admin.issue_link", chain: inSystem, foreign: problem.Denied,
		caller:  func(*world) access.Caller { return authority.SystemCaller() },
		refused: []func(w *world) access.Caller{sysNone, system, super},
		input:   func(*world) any { return authority.FirstAdminLinkInput{} },
	},

	// Of one's own there is nothing that others could be allowed.
	"BeginSession": {action: "session.begin", denied: problem.NotFound, input: func(w *world) any {
		return authority.BeginSessionInput{Session: w.session(w.super, "ses_begun")}
	}},
	"EndOwnSession": {action: "session.end", denied: problem.NotFound, input: func(w *world) any {
		w.begin(w.super, w.super.SessionID)
		w.begin(w.super, "ses_other")
		return authority.EndOwnSessionInput{ID: "ses_other"}
	}},
	"Reauthenticated": {action: "session.reauthenticate", denied: problem.NotFound, input: func(w *world) any {
		next := w.begin(w.super, w.super.SessionID)
		next.TokenHash = tokenHash("renewed")
		return authority.ReauthenticatedInput{Session: next}
	}},
	"ChangeOwnPassword": {
		action: "user.change_password", denied: problem.Unauthenticated, foreign: problem.Unauthenticated,
		input: func(w *world) any {
			w.begin(w.super, w.super.SessionID)
			return authority.ChangeOwnPasswordInput{PasswordHash: "hash"}
		},
	},
}

// Methods without a row, and why.
var exempt = map[string]string{
	"Me":               "every known caller may ask who they are",
	"Find":             "every known caller may look for what they may see; TestFind",
	"Permissions":      "every known caller may ask what there is to grant; TestGrantable",
	"AcceptFirstAdmin": "the token is the right; TestFirstAdmin",
	"AcceptInvitation": "the token is the right; TestAcceptInvitation",
}

// operations are the methods that take a caller.
func operations() []reflect.Method {
	var list []reflect.Method
	t := reflect.TypeFor[*authority.Authority]()
	for i := range t.NumMethod() {
		m := t.Method(i)
		if m.Type.NumIn() == 4 && m.Type.In(1) == reflect.TypeFor[context.Context]() && m.Type.In(2) == reflect.TypeFor[access.Caller]() {
			list = append(list, m)
		}
	}
	return list
}

// jobs are the methods that change without a caller: they act as the installation itself.
var jobs = []string{"AnnounceExpiring", "BootstrapSystem", "Checkpoint", "DispatchWebhooks", "ExpireDue", "FinishRestore", "ForgetEnded", "ForgetWebhookSecrets", "KeepSigningKeys", "OpenSigningKey", "OpenWebhook", "Restoration", "Run", "SuspendIdle", "WorkOperations"}

// streams are the operations that hand out rows one by one; TestExport and
// TestExportAuditEvents show them.
var streams = []string{"ExportKeys", "ExportAuditEvents"}

// rowOf is the row of an operation.
func rowOf(name string) (row, bool) {
	for _, part := range []map[string]row{
		rows,
		kindRows,
		importRows,
		leavingRows,
		policyRows,
		proofRows,
		rotationRows,
		webhookRows,
		deliveryRows,
	} {
		if r, ok := part[name]; ok {
			return r, true
		}
	}
	return row{}, false
}

func TestEveryOperationHasARow(t *testing.T) {
	known := slices.Concat(jobs, streams)
	for _, m := range operations() {
		known = append(known, m.Name)
		_, ok := rowOf(m.Name)
		if _, why := exempt[m.Name]; ok == why {
			t.Errorf("%s needs exactly one of a row in this test and a reason for having none", m.Name)
		}
	}
	typ := reflect.TypeFor[*authority.Authority]()
	for i := range typ.NumMethod() {
		if !slices.Contains(known, typ.Method(i).Name) {
			t.Errorf("%s takes no caller and is not a known job", typ.Method(i).Name)
		}
	}
}

func (w *world) call(method string, c access.Caller, in any) error {
	out := reflect.ValueOf(w.a).MethodByName(method).Call([]reflect.Value{reflect.ValueOf(w.Context()), reflect.ValueOf(c), reflect.ValueOf(in)})
	err, _ := out[1].Interface().(error)
	return err
}

// TestWalk calls every operation as callers who may not, then as one who may: refusals
// write nothing, changes write their audit event.
func TestWalk(t *testing.T) {
	engines(t, func(w *world) {
		for _, m := range operations() {
			r, ok := rowOf(m.Name)
			if !ok {
				continue
			}
			w.walk(m.Name, r)
		}
	})
}

func (w *world) walk(method string, r row) {
	w.Helper()
	in := r.input(w)
	w.refused(method+" by no one", problem.Unauthenticated, "", func() error { return w.call(method, access.Caller{}, in) })
	refused := r.refused
	if refused == nil {
		refused = []func(w *world) access.Caller{nobody, sysNone}
	}
	denied := problem.Denied
	if r.denied != problem.Internal {
		denied = r.denied
	}
	for _, c := range refused {
		caller := c(w)
		w.refused(method+" by "+caller.Principal.ID, denied, "", func() error { return w.call(method, caller, in) })
	}
	foreign := problem.NotFound
	if r.foreign != problem.Internal {
		foreign = r.foreign
	}
	w.refused(method+" by another tenant", foreign, "", func() error { return w.call(method, w.foreign, in) })
	caller := w.super
	if r.caller != nil {
		caller = r.caller(w)
	}
	before := w.state()
	if err := w.call(method, caller, in); err != nil {
		w.Errorf("%s by one who may: %v", method, err)
		return
	}
	after := w.state()
	if r.action == "" {
		if after != before {
			w.Errorf("%s reads, but something was written", method)
		}
		return
	}
	w.wantEvent(method, r, in, caller, after[1]-before[1])
}

func (w *world) wantEvent(method string, r row, in any, caller access.Caller, events int64) {
	w.Helper()
	chain := w.acme.ID
	if r.chain != nil {
		chain = r.chain(w, in)
	}
	e := w.lastEvent(chain)
	if events != max(r.events, 1) || e.Action != r.action || e.Actor != caller.Principal || e.Via != caller.Via || e.TargetID == "" {
		w.Errorf("%s wrote %d events, the last %s by %s on %q; want one %s by %s", method, events, e.Action, e.Actor.ID, e.TargetID, r.action, caller.Principal.ID)
	}
}
