package authority_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

var policyRows = map[string]row{
	"ChangePolicy": {action: "tenant.change", input: func(w *world) any {
		return authority.ChangePolicyInput{Tenant: w.acme.ID, Policy: tenancy.Policy{SuspendIdleDays: 365}}
	}},
	"PreviewPolicy": {input: func(w *world) any {
		return authority.PreviewPolicyInput{Tenant: w.acme.ID, Policy: tenancy.Policy{SuspendIdleDays: 365}}
	}},
}

// policy sets acme's policy as its super admin.
func (w *world) policy(p tenancy.Policy, all bool) authority.ChangedPolicy {
	w.Helper()
	changed, err := w.a.ChangePolicy(w.Context(), w.super, authority.ChangePolicyInput{Policy: p, All: all})
	w.must(err)
	if all {
		w.must(w.a.WorkOperations(w.Context()))
	}
	return changed
}

func cidrs(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func (w *world) wantProblem(what string, err error, kind problem.Kind, code string) {
	w.Helper()
	if !problem.Is(err, kind) || code != "" && !problem.HasCode(err, code) {
		w.Errorf("%s: %v, want %s %s", what, err, kind, code)
	}
}

func (w *world) stored(id credential.ID) (k credential.Credential) {
	w.Helper()
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) (err error) {
		k, err = tx.Credential(id)
		return err
	}))
	return k
}

func (w *world) sealed(id credential.ID) (sealed bool) {
	w.Helper()
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
		material, err := tx.Material(id)
		for _, m := range material {
			sealed = sealed || m.Sealed != nil
		}
		return err
	}))
	return sealed
}

// B7: who may make credentials of which kind.
func TestPolicyMayCreate(t *testing.T) {
	engines(t, func(w *world) {
		issue := func(c access.Caller) error {
			_, err := w.a.IssueAPIKey(w.Context(), c, authority.IssueAPIKeyInput{Name: "k"})
			return err
		}
		before := w.key(w.holder)
		w.policy(tenancy.Policy{MayCreate: map[string]tenancy.Creators{"user_key": tenancy.CreatorsAdministrators, "app": tenancy.CreatorsNobody}}, false)
		w.refused("by a holder", problem.Denied, "policy_administrators_only", func() error { return issue(w.holder) })
		w.must(issue(w.super))
		w.refused("an app", problem.Denied, "policy_nobody_creates", func() error {
			_, err := w.a.CreateApp(w.Context(), w.super, authority.CreateAppInput{Name: "a", APIs: []string{"recent_calls"}})
			return err
		})
		w.organizationKey(w.north.ID) // another kind

		all := map[string]tenancy.Creators{}
		for _, kind := range []credential.Kind{
			credential.UserKey, credential.OrganizationKey, credential.AccountKey, credential.App, credential.ClientCredential, credential.ServiceAccountKey, credential.VerifierKey,
		} {
			all[string(kind)] = tenancy.CreatorsNobody
		}
		w.licence(w.super, "admin")
		account := w.account()
		w.policy(tenancy.Policy{MayCreate: all}, false)
		for what, make := range map[string]func() error{
			"user key": func() error { return issue(w.super) },
			"organization key": func() error {
				_, err := w.a.IssueOrganizationKey(w.Context(), w.super, authority.IssueOrganizationKeyInput{OrganizationID: w.north.ID, Name: "k"})
				return err
			},
			"account key": func() error {
				_, err := w.a.IssueAccountKey(w.Context(), w.super, authority.IssueAccountKeyInput{Name: "k"})
				return err
			},
			"client credential": func() error {
				_, err := w.a.IssueClientCredential(w.Context(), w.super, authority.IssueClientCredentialInput{Name: "c", Scopes: []access.Permission{"recent_calls:read"}})
				return err
			},
			"service account key": func() error {
				_, err := w.a.IssueServiceAccountKey(w.Context(), w.super, authority.IssueServiceAccountKeyInput{ServiceAccount: account.ID, PublicKeyPEM: w.publicKey()})
				return err
			},
			"verifier key": func() error {
				_, err := w.a.IssueVerifierKey(w.Context(), w.super, authority.IssueVerifierKeyInput{Name: "k"})
				return err
			},
			"by an operator": func() error {
				_, err := w.a.IssueAPIKey(w.Context(), w.system, authority.IssueAPIKeyInput{Tenant: w.acme.ID, Owner: userOf(w.holder), Name: "k"})
				return err
			},
		} {
			w.refused(what, problem.Denied, "policy_nobody_creates", make)
		}
		// What is there goes on: it may be rotated.
		_, err := w.a.RotateAPIKey(w.Context(), w.holder, authority.RotateKeyInput{ID: before.ID})
		w.must(err)
	})
}

// B7: names fit the pattern when they are given, not before.
func TestPolicyNames(t *testing.T) {
	engines(t, func(w *world) {
		old := w.organizationKey(w.north.ID)
		app := w.app()
		w.policy(tenancy.Policy{NamePattern: "(prod|test)-[a-z]+", NameHint: "Begin with prod- or test-."}, true)
		for what, do := range map[string]func(name string) error{
			"issue": func(name string) error {
				_, err := w.a.IssueAPIKey(w.Context(), w.holder, authority.IssueAPIKeyInput{Name: name})
				return err
			},
			"rename": func(name string) error {
				_, err := w.a.RenameAPIKey(w.Context(), w.super, authority.RenameKeyInput{ID: old.ID, Name: name})
				return err
			},
			"edit": func(name string) error {
				_, err := w.a.ChangeOrganizationKey(w.Context(), w.super, authority.ChangeKeyInput{ID: old.ID, Name: &name})
				return err
			},
			"app": func(name string) error {
				_, err := w.a.ChangeApp(w.Context(), w.super, authority.ChangeAppInput{ID: app.ID, Name: &name})
				return err
			},
		} {
			for _, bad := range []string{"mine", "prod-", "xprod-a", "prod-a "} {
				w.refused(what+" "+bad, problem.Invalid, "", func() error { return do(bad) })
			}
			err := do("mine")
			if p := problem.As(err); p == nil || len(p.Fields) != 1 || p.Fields[0].Pointer != "/name" || !strings.Contains(p.Fields[0].Message, "Begin with prod- or test-.") {
				w.Errorf("%s: %v does not give the hint", what, err)
			}
		}
		if w.stored(old.ID).Name != "desktops" {
			w.Error("a name was changed by the policy")
		}
		// The old name may stay when something else is changed.
		w.must(func() error {
			_, err := w.a.ChangeOrganizationKey(w.Context(), w.super, authority.ChangeKeyInput{ID: old.ID, Name: ptr("desktops"), Labels: &tenancy.Labels{ExternalID: "x"}})
			return err
		}())
		_, err := w.a.RenameAPIKey(w.Context(), w.super, authority.RenameKeyInput{ID: old.ID, Name: "test-desktops"})
		w.must(err)
	})
}

// B7: networks of the policy are the widest, and what is chosen where nothing is.
func TestPolicyNetworks(t *testing.T) {
	engines(t, func(w *world) {
		outside := cidrs("192.0.2.0/24")
		far, err := w.a.IssueOrganizationKey(w.Context(), w.super, authority.IssueOrganizationKeyInput{OrganizationID: w.north.ID, Name: "far", Networks: outside})
		w.must(err)
		w.policy(tenancy.Policy{Networks: cidrs("10.0.0.0/8")}, true)

		if k := w.key(w.holder); fmt.Sprint(k.Networks) != "[10.0.0.0/8]" {
			w.Errorf("a key without networks got %v", k.Networks)
		}
		w.refused("issue elsewhere", problem.Invalid, "", func() error {
			_, err := w.a.IssueAPIKey(w.Context(), w.holder, authority.IssueAPIKeyInput{Name: "k", Networks: outside})
			return err
		})
		near, err := w.a.IssueOrganizationKey(w.Context(), w.super, authority.IssueOrganizationKeyInput{OrganizationID: w.north.ID, Name: "near", Networks: cidrs("10.1.0.0/16")})
		w.must(err)
		w.refused("edit to elsewhere", problem.Invalid, "", func() error {
			_, err := w.a.ChangeOrganizationKey(w.Context(), w.super, authority.ChangeKeyInput{ID: near.ID, Networks: &outside})
			return err
		})
		edited, err := w.a.ChangeOrganizationKey(w.Context(), w.super, authority.ChangeKeyInput{ID: near.ID, Networks: &[]netip.Prefix{}})
		w.must(err)
		if fmt.Sprint(edited.Networks) != "[10.0.0.0/8]" {
			w.Errorf("without networks it got %v", edited.Networks)
		}

		// It was suspended, and comes back once it has networks that the policy allows.
		if k := w.stored(far.ID); k.State != credential.Suspended || fmt.Sprint(k.Networks) != "[192.0.2.0/24]" {
			w.Errorf("the one from elsewhere is %s, from %v", k.State, k.Networks)
		}
		w.refused("resume", problem.Conflict, "outside_policy_networks", func() error {
			_, err := w.a.ResumeAPIKey(w.Context(), w.super, authority.KeyInput{ID: far.ID})
			return err
		})
		_, err = w.a.ChangeOrganizationKey(w.Context(), w.super, authority.ChangeKeyInput{ID: far.ID, Networks: ptr(cidrs("10.2.0.0/16"))})
		w.must(err)
		_, err = w.a.ResumeAPIKey(w.Context(), w.super, authority.KeyInput{ID: far.ID})
		w.must(err)
	})
}

// B7: show-once secrets are not kept, and where the rule is applied to all, those that were
// are destroyed.
func TestPolicyShowOnce(t *testing.T) {
	engines(t, func(w *world) {
		old, app := w.organizationKey(w.north.ID), w.app()
		reveal := func(id credential.ID) error {
			_, err := w.a.RevealKey(w.Context(), w.confirmed(w.super), authority.KeyInput{ID: id})
			return err
		}
		rule := tenancy.Policy{ShowOnce: []string{"organization_key"}}
		w.clock.Add(time.Minute)
		w.policy(rule, false)
		fresh := w.organizationKey(w.north.ID)
		if fresh.Recoverable || w.sealed(fresh.ID) {
			w.Error("a new secret is kept")
		}
		w.wantProblem("revealing a new one", reveal(fresh.ID), problem.Conflict, "not_recoverable")
		w.must(reveal(old.ID)) // made before a rule that is for new ones
		if !w.app().Credential.Recoverable {
			w.Error("a kind that the rule does not name is not kept")
		}

		changed, err := w.a.ChangePolicy(w.Context(), w.super, authority.ChangePolicyInput{Policy: rule, All: true})
		w.must(err)
		w.wantProblem("revealing before the operation got there", reveal(old.ID), problem.Conflict, "not_recoverable")
		w.must(w.a.WorkOperations(w.Context()))
		if w.sealed(old.ID) {
			w.Error("the sealed copy is still there")
		}
		if !w.sealed(app.Credential.ID) {
			w.Error("an app's was destroyed, too")
		}
		done, err := w.a.Operation(w.Context(), w.super, authority.OperationInput{ID: changed.Operation.ID})
		w.must(err)
		if done.State != authority.OperationDone || done.Done != done.Total || done.FailedTotal != 0 {
			w.Errorf("the operation is %+v", done)
		}
		// It still works, and a new secret is not kept either.
		rotated, err := w.a.RotateOrganizationKey(w.Context(), w.super, authority.RotateKeyInput{ID: old.ID})
		w.must(err)
		if rotated.Recoverable || w.sealed(old.ID) {
			w.Error("a rotated secret is kept")
		}
		// Taking the rule back brings no secret back.
		w.policy(tenancy.Policy{}, true)
		w.wantProblem("revealing after", reveal(old.ID), problem.Conflict, "not_recoverable")
		kept, err := w.a.RotateOrganizationKey(w.Context(), w.super, authority.RotateKeyInput{ID: old.ID})
		w.must(err)
		if !kept.Recoverable {
			w.Error("a secret made after the rule is not kept")
		}
		w.must(reveal(old.ID))
	})
}

// B7: a tenant's administrators go further than the operators, not less far.
func TestPolicyFloor(t *testing.T) {
	engines(t, func(w *world) {
		set := func(c access.Caller, p tenancy.Policy) error {
			_, err := w.a.ChangePolicy(w.Context(), c, authority.ChangePolicyInput{Tenant: w.acme.ID, Policy: p})
			return err
		}
		lives := func(days int) map[string]time.Duration {
			return map[string]time.Duration{"user_key": time.Duration(days) * 24 * time.Hour}
		}
		w.must(set(w.system, tenancy.Policy{MaxLifetime: lives(90), Networks: cidrs("10.0.0.0/8")}))
		w.refused("a longer life", problem.Denied, "policy_floor", func() error {
			return set(w.super, tenancy.Policy{MaxLifetime: lives(91), Networks: cidrs("10.0.0.0/8")})
		})
		w.refused("by the tenant's settings", problem.Denied, "policy_floor", func() error {
			_, err := w.a.ChangeTenant(w.Context(), w.super, authority.ChangeTenantInput{Policy: &tenancy.Policy{}})
			return err
		})
		w.refused("a preview of it", problem.Denied, "policy_floor", func() error {
			_, err := w.a.PreviewPolicy(w.Context(), w.super, authority.PreviewPolicyInput{Policy: tenancy.Policy{}})
			return err
		})
		w.refused("with what is remembered thrown away", problem.Denied, "policy_floor", func() error {
			return set(w.super, tenancy.Policy{Kept: tenancy.PolicyKept{}})
		})
		w.must(set(w.super, tenancy.Policy{MaxLifetime: lives(30), Networks: cidrs("10.1.0.0/16"), NamePattern: "a+"}))
		w.must(set(w.super, tenancy.Policy{MaxLifetime: lives(90), Networks: cidrs("10.0.0.0/8")})) // its own may go
		w.must(set(w.system, tenancy.Policy{}))
		w.must(set(w.super, tenancy.Policy{MaxLifetime: lives(3650)}))
		e := w.lastEvent(w.acme.ID)
		if e.Action != "tenant.change" || !strings.Contains(string(e.After), `"max_lifetime"`) || !strings.Contains(string(e.After), "new credentials") {
			w.Errorf("audited as %s %s", e.Action, e.After)
		}
	})
}

// B7: narrower networks for new credentials do not set those free that the operators'
// networks bind.
func TestPolicyFloorBindsOldOnes(t *testing.T) {
	engines(t, func(w *world) {
		far, err := w.a.IssueOrganizationKey(w.Context(), w.super, authority.IssueOrganizationKeyInput{OrganizationID: w.north.ID, Name: "far", Networks: cidrs("192.0.2.0/24")})
		w.must(err)
		_, err = w.a.ChangePolicy(w.Context(), w.system, authority.ChangePolicyInput{Tenant: w.acme.ID, Policy: tenancy.Policy{Networks: cidrs("10.0.0.0/8")}, All: true})
		w.must(err)
		w.must(w.a.WorkOperations(w.Context()))
		w.clock.Add(time.Minute)
		w.policy(tenancy.Policy{Networks: cidrs("10.1.0.0/16")}, false)
		w.refused("resume", problem.Conflict, "outside_policy_networks", func() error {
			_, err := w.a.ResumeAPIKey(w.Context(), w.super, authority.KeyInput{ID: far.ID})
			return err
		})
	})
}

// B7: a new tenant's policy is the operators'.
func TestPolicyFloorFromTheStart(t *testing.T) {
	engines(t, func(w *world) {
		made, err := w.a.CreateTenant(w.Context(), w.system, authority.CreateTenantInput{
			Slug: "bound", Name: "Bound", PlanID: w.plan, Policy: tenancy.Policy{SuspendIdleDays: 30},
		})
		w.must(err)
		own := w.member(made.ID, "", "boss", w.builtIn(made.ID, access.RoleSuperAdmin))
		_, err = w.a.ChangePolicy(w.Context(), own, authority.ChangePolicyInput{Policy: tenancy.Policy{SuspendIdleDays: 31}})
		w.wantProblem("a longer rest", err, problem.Denied, "policy_floor")
	})
}

func TestPolicyIsChecked(t *testing.T) {
	engines(t, func(w *world) {
		for pointer, p := range map[string]tenancy.Policy{
			"/policy/show_once":         {ShowOnce: []string{"user_key"}},
			"/policy/may_create":        {MayCreate: map[string]tenancy.Creators{"user_key": "everybody"}},
			"/policy/may_create ":       {MayCreate: map[string]tenancy.Creators{"car_key": tenancy.CreatorsNobody}},
			"/policy/name_pattern":      {NamePattern: "(("},
			"/policy/name_pattern ":     {NamePattern: strings.Repeat("a", 201)},
			"/policy/name_hint":         {NameHint: "No pattern"},
			"/policy/suspend_idle_days": {SuspendIdleDays: -1},
			"/policy/max_lifetime":      {MaxLifetime: map[string]time.Duration{"user_key": -time.Second}},
		} {
			_, err := w.a.PreviewPolicy(w.Context(), w.super, authority.PreviewPolicyInput{Policy: p})
			got := problem.As(err)
			if got == nil || got.Kind != problem.Invalid || len(got.Fields) != 1 || got.Fields[0].Pointer != strings.TrimSpace(pointer) {
				w.Errorf("%s: %+v", pointer, got)
			}
		}
	})
}

// idle moves the clock and has the job run.
func (w *world) idle(after time.Duration) int {
	w.Helper()
	w.clock.Add(after)
	n, err := w.a.SuspendIdle(w.Context())
	w.must(err)
	return n
}

func (w *world) used(id credential.ID, at time.Time) {
	w.Helper()
	w.must(w.store.AddUsage(w.Context(), []store.UsageRow{{CredentialID: id, TenantID: w.acme.ID, LastUsedAt: at, Hour: at.Truncate(time.Hour), Valid: 1}}))
}

// B7: what lies idle for longer than the policy says is suspended, once, with the reason.
func TestPolicyIdle(t *testing.T) {
	engines(t, func(w *world) {
		const day = 24 * time.Hour
		before := w.key(w.holder)
		w.clock.Add(time.Minute)
		w.policy(tenancy.Policy{SuspendIdleDays: 30}, false)
		w.clock.Add(time.Minute)
		k, used, later := w.key(w.holder), w.key(w.holder), w.organizationKey(w.north.ID)
		app := w.app()
		begins, err := w.a.IssueAPIKey(w.Context(), w.holder, authority.IssueAPIKeyInput{Name: "later", NotBefore: w.clock.Now().Add(20 * day)})
		w.must(err)
		last := w.clock.Now().Add(30*day - time.Second)
		if n := w.idle(30*day + credential.UseNoted - time.Second); n != 0 {
			w.Fatalf("%d were suspended, but their last use may not have been written down", n)
		}
		w.used(used.ID, last) // by another node, which writes it down now
		if n := w.idle(time.Second); n != 3 {
			w.Fatalf("%d were suspended, want the key, the organization's and the app", n)
		}
		for what, want := range map[credential.ID]credential.State{
			before.ID: credential.Active, used.ID: credential.Active, begins.ID: credential.Active,
			k.ID: credential.Suspended, later.ID: credential.Suspended,
		} {
			if got := w.stored(what).State; got != want {
				w.Errorf("%s is %s, want %s", what, got, want)
			}
		}
		shown, err := w.a.App(w.Context(), w.super, authority.AppInput{ID: app.ID})
		w.must(err)
		if shown.State != tenancy.Suspended || shown.Credential.State != credential.Active {
			w.Errorf("the app is %s, its key %s", shown.State, shown.Credential.State)
		}
		if e := w.lastEvent(w.acme.ID); !strings.HasSuffix(e.Action, ".suspend") || e.Actor.Type != access.PrincipalSystem || !strings.Contains(string(e.After), `"reason":"suspend_idle_days"`) {
			w.Errorf("audited as %s by %v: %s", e.Action, e.Actor, e.After)
		}
		if n := w.idle(time.Second); n != 0 {
			w.Errorf("%d more were suspended at once", n)
		}
		// Resumed, each has 30 days again.
		_, err = w.a.ResumeAPIKey(w.Context(), w.holder, authority.KeyInput{ID: k.ID})
		w.must(err)
		_, err = w.a.ResumeApp(w.Context(), w.super, authority.AppInput{ID: app.ID})
		w.must(err)
		if n := w.idle(29 * day); n != 1 || w.stored(begins.ID).State != credential.Suspended {
			w.Errorf("%d were suspended, want the one that began in the meantime", n)
		}
		if n := w.idle(day + credential.UseNoted); n != 3 {
			w.Errorf("%d were suspended, want the resumed key, the app and the one used last", n)
		}
		if w.stored(before.ID).State != credential.Active {
			w.Error("one that was made before a rule for new ones was suspended")
		}
		w.policy(tenancy.Policy{SuspendIdleDays: 30}, true)
		if w.stored(before.ID).State != credential.Suspended {
			w.Error("applied to all, it leaves one that was idle for months")
		}
	})
}

// B7: several nodes suspend each credential once.
func TestPolicyIdleOnTwoNodes(t *testing.T) {
	engines(t, func(w *world) {
		w.policy(tenancy.Policy{SuspendIdleDays: 1}, true)
		for range 5 {
			w.key(w.holder)
		}
		second := w.another()
		w.clock.Add(48 * time.Hour)
		before := w.state()
		done := make(chan int, 2)
		for _, a := range []*authority.Authority{w.a, second} {
			go func() {
				n, err := a.SuspendIdle(w.Context())
				if err != nil {
					t.Error(err)
				}
				done <- n
			}()
		}
		if total := <-done + <-done; total != 5 || w.state()[1]-before[1] != 5 {
			w.Errorf("%d were suspended with %d events, want 5", total, w.state()[1]-before[1])
		}
	})
}

// B7: an operation stops when the policy that it applies is another by then.
func TestPolicyChangedMeanwhile(t *testing.T) {
	engines(t, func(w *world) {
		k := w.key(w.holder)
		changed, err := w.a.ChangePolicy(w.Context(), w.super, authority.ChangePolicyInput{
			All: true, Policy: tenancy.Policy{MaxLifetime: map[string]time.Duration{"user_key": 24 * time.Hour}},
		})
		w.must(err)
		w.policy(tenancy.Policy{}, false)
		w.must(w.a.WorkOperations(w.Context()))
		o, err := w.a.Operation(w.Context(), w.super, authority.OperationInput{ID: changed.Operation.ID})
		w.must(err)
		if o.State != authority.OperationDone || o.FailedTotal != o.Total || len(o.Failed) != 1 || o.Failed[0].Code != "policy_changed" {
			w.Errorf("the operation is %+v", o)
		}
		if !w.stored(k.ID).ExpiresAt.IsZero() {
			w.Error("a policy was applied that no longer is")
		}
	})
}

// B7: what the preview says is what applying the policy to all does, to the credential.
func TestPolicyPreviewIsTrue(t *testing.T) {
	engines(t, func(w *world) {
		made := w.variety()
		w.clock.Add(100 * 24 * time.Hour)
		w.used(made[0], w.clock.Now())
		p := tenancy.Policy{
			MaxLifetime: map[string]time.Duration{"user_key": 120 * 24 * time.Hour, "organization_key": 24 * time.Hour, "app": 24 * time.Hour},
			ShowOnce:    []string{"organization_key", "app"}, Networks: cidrs("10.0.0.0/8", "2001:db8::/32"),
			NamePattern: "key", SuspendIdleDays: 90,
		}
		before := map[credential.ID]credential.Credential{}
		sealed := map[credential.ID]bool{}
		for _, id := range made {
			before[id], sealed[id] = w.stored(id), w.sealed(id)
		}
		state := w.state()
		preview, err := w.a.PreviewPolicy(w.Context(), w.super, authority.PreviewPolicyInput{Policy: p})
		w.must(err)
		if w.state() != state {
			w.Error("a preview changed something")
		}
		said := w.said(preview)
		w.policy(p, true)
		did := map[string]int64{"name_pattern listed": said["name_pattern listed"]}
		suspended := map[credential.ID]bool{}
		for _, id := range made {
			was, is := before[id], w.stored(id)
			if !was.ExpiresAt.Equal(is.ExpiresAt) {
				did["max_lifetime ends_earlier"]++
			}
			if fmt.Sprint(was.Networks) != fmt.Sprint(is.Networks) {
				did["networks networks_narrowed"]++
			}
			if sealed[id] && !w.sealed(id) {
				did["show_once secret_destroyed"]++
			}
			suspended[id] = w.stopped(was) != w.stopped(is) || was.Kind == credential.App && w.stopped(is)
		}
		for _, rule := range []string{"max_lifetime ends_earlier", "show_once secret_destroyed", "networks networks_narrowed"} {
			if said[rule] != did[rule] {
				w.Errorf("%s: %d were said, %d done", rule, said[rule], did[rule])
			}
		}
		w.wantEffects(preview, suspended)
		w.wantNothingLeft(p)
	})
}

// said counts what a preview says, by rule and consequence. It has something of every rule.
func (w *world) said(preview authority.PolicyPreview) (said map[string]int64) {
	w.Helper()
	said = map[string]int64{}
	for _, r := range preview.Rules {
		if int64(len(r.First)) != r.Count {
			w.Errorf("%s %s: %d of %d are named", r.Rule, r.Does, len(r.First), r.Count)
		}
		said[string(r.Rule)+" "+string(r.Does)] += r.Count
		for _, e := range r.First {
			if e.Name == "" || e.OrganizationName == "" {
				w.Errorf("%s names a credential without its name or organization: %+v", r.Rule, e)
			}
		}
	}
	for _, rule := range []string{
		"max_lifetime ends_earlier", "show_once secret_destroyed", "networks networks_narrowed", "networks suspended", "suspend_idle_days suspended", "name_pattern listed",
	} {
		if said[rule] == 0 {
			w.Errorf("the preview has nothing of %q: the test shows nothing", rule)
		}
	}
	return said
}

// wantEffects checks that what a preview named has become what it said.
func (w *world) wantEffects(preview authority.PolicyPreview, suspended map[credential.ID]bool) {
	w.Helper()
	for _, r := range preview.Rules {
		for _, e := range r.First {
			is := w.stored(e.ID)
			if r.Does == credential.IsSuspended && !suspended[e.ID] {
				w.Errorf("%s was to be suspended by %s, and is %s", e.Name, r.Rule, is.State)
			}
			if r.Does == credential.EndsEarlier && !is.ExpiresAt.Equal(e.NewExpiresAt) {
				w.Errorf("%s ends at %v, not at %v", e.Name, is.ExpiresAt, e.NewExpiresAt)
			}
			if r.Does == credential.NetworksNarrowed && fmt.Sprint(is.Networks) != fmt.Sprint(e.NewNetworks) {
				w.Errorf("%s works from %v, not from %v", e.Name, is.Networks, e.NewNetworks)
			}
		}
	}
}

// stopped says whether a credential is suspended, or its app is.
func (w *world) stopped(k credential.Credential) bool {
	w.Helper()
	if k.Kind != credential.App {
		return k.State == credential.Suspended
	}
	a, err := w.a.App(w.Context(), w.super, authority.AppInput{ID: tenancy.AppID(k.Principal.ID)})
	w.must(err)
	return a.State == tenancy.Suspended
}

// wantNothingLeft looks again, and applies again: there is nothing more to do but names.
func (w *world) wantNothingLeft(p tenancy.Policy) {
	w.Helper()
	again, err := w.a.PreviewPolicy(w.Context(), w.super, authority.PreviewPolicyInput{Policy: p})
	w.must(err)
	for _, r := range again.Rules {
		if r.Count != 0 && r.Does != credential.IsListed {
			w.Errorf("after it was applied, %s still touches %d", r.Rule, r.Count)
		}
	}
	before := w.state()
	w.policy(p, true)
	if events := w.state()[1] - before[1]; events != 2 { // of the policy and its operation
		w.Errorf("applied a second time it wrote %d events", events)
	}
}

// variety is credentials of several kinds with networks, ends and states of all sorts.
func (w *world) variety() (ids []credential.ID) {
	w.Helper()
	now := w.clock.Now()
	at := func(days int) *time.Time { return ptr(now.AddDate(0, 0, days)) }
	for i, networks := range [][]netip.Prefix{nil, cidrs("10.1.0.0/16"), cidrs("0.0.0.0/0"), cidrs("192.0.2.0/24"), cidrs("10.1.0.0/16", "192.0.2.0/24"), cidrs("::/0", "198.51.100.7/32")} {
		name := "key"
		if i%2 == 1 {
			name = "other"
		}
		for _, ends := range []*time.Time{nil, at(110), at(125), at(400)} {
			k, err := w.a.IssueAPIKey(w.Context(), w.holder, authority.IssueAPIKeyInput{Name: name, Networks: networks, ExpiresAt: ends})
			w.must(err)
			ids = append(ids, k.ID)
		}
		k, err := w.a.IssueOrganizationKey(w.Context(), w.super, authority.IssueOrganizationKeyInput{OrganizationID: w.north.ID, Name: name, Networks: networks})
		w.must(err)
		a, err := w.a.CreateApp(w.Context(), w.super, authority.CreateAppInput{Name: name, APIs: []string{"recent_calls"}, Networks: networks})
		w.must(err)
		ids = append(ids, k.ID, a.Credential.ID)
		if i%3 == 0 {
			_, err := w.a.SuspendAPIKey(w.Context(), w.super, authority.KeyInput{ID: k.ID})
			w.must(err)
			_, err = w.a.SuspendApp(w.Context(), w.super, authority.AppInput{ID: a.ID})
			w.must(err)
		}
	}
	gone, err := w.a.IssueAPIKey(w.Context(), w.holder, authority.IssueAPIKeyInput{Name: "gone"})
	w.must(err)
	_, err = w.a.RevokeAPIKey(w.Context(), w.holder, authority.KeyInput{ID: gone.ID})
	w.must(err)
	return append(ids, gone.ID)
}

// What is remembered of a policy survives the database, on both engines.
func TestPolicyIsKept(t *testing.T) {
	engines(t, func(w *world) {
		p := tenancy.Policy{
			MaxLifetime: map[string]time.Duration{"user_key": time.Hour}, ShowOnce: []string{"app", "app", "organization_key"}, Networks: cidrs("10.0.0.0/8"),
			MayCreate:   map[string]tenancy.Creators{"app": tenancy.CreatorsPermitted, "user_key": tenancy.CreatorsNobody},
			NamePattern: "a+", NameHint: "Only a.", SuspendIdleDays: 3,
		}
		changed := w.policy(p, false)
		got, err := w.a.Tenant(w.Context(), w.super, authority.TenantInput{})
		w.must(err)
		a, err := json.Marshal(changed.Tenant.Policy)
		w.must(err)
		b, err := json.Marshal(got.Policy)
		w.must(err)
		if string(a) != string(b) {
			w.Errorf("%s is kept as %s", a, b)
		}
		if len(got.Policy.ShowOnce) != 2 || len(got.Policy.MayCreate) != 1 || len(got.Policy.Kept.ShowOnceSince) != 2 || len(got.Policy.Kept.Networks) != 1 || len(got.Policy.Kept.Idle) != 1 {
			w.Errorf("kept as %s", b)
		}
	})
}
