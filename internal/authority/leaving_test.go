package authority_test

import (
	"slices"
	"testing"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

func freshUserID(w *world) authority.UserInput { return authority.UserInput{ID: userOf(w.someone())} }

// The rows of users who leave.
var leavingRows = map[string]row{
	"UserCredentials": {input: func(w *world) any { return authority.UserCredentialsInput{ID: freshUserID(w).ID} }},
	"NewOwners":       {input: func(w *world) any { return authority.NewOwnersInput{ID: freshUserID(w).ID} }},
	"OffboardUser": {action: "user.suspend", input: func(w *world) any {
		return authority.OffboardUserInput{ID: freshUserID(w).ID, Departure: authority.DepartureSuspend}
	}},
}

func handedOver(k authority.IssuedKey, to access.Caller) authority.CredentialFate {
	return authority.CredentialFate{ID: k.ID, Fate: authority.FateHandOver, To: userOf(to)}
}

// eventsOf are the actions of a tenant's events after a number of them.
func (w *world) eventsSince(before [2]int64) (actions []string) {
	w.Helper()
	n := w.state()[1] - before[1]
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
		head, err := tx.AuditHead()
		if err != nil {
			return err
		}
		list, err := tx.AuditEventsAfter(head.Sequence-n, int(n))
		for _, e := range list {
			actions = append(actions, e.Action)
		}
		return err
	}))
	return actions
}

// Keys of one who leaves get another owner and another secret at once, in one change with
// the user's end; the secret is for the new owner alone.
func TestHandOver(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		heir := w.member(w.acme.ID, w.team.ID, "heir", w.role("Heir", string(access.APIKeysGenerate)))
		given, kept, revoked, mine := w.key(w.holder), w.key(w.holder), w.key(w.holder), w.key(w.holder)
		before := w.state()
		done, err := w.a.OffboardUser(ctx, w.super, authority.OffboardUserInput{
			ID: userOf(w.holder), Departure: authority.DepartureDelete, Credentials: []authority.CredentialFate{
				{ID: revoked.ID, Fate: authority.FateRevoke}, handedOver(given, heir), handedOver(mine, w.super),
			},
		})
		w.must(err)
		if want := []string{
			"api_key.revoke", "api_key.hand_over", "api_key.rotate", "api_key.hand_over", "api_key.rotate", "api_key.revoke", "user.delete",
		}; !slices.Equal(w.eventsSince(before), want) {
			t.Errorf("events = %v, want %v", w.eventsSince(before), want)
		}
		for i, want := range []struct {
			id        credential.ID
			state     credential.State
			owner     access.Caller
			version   int
			available bool
		}{
			{revoked.ID, credential.Revoked, w.holder, 1, false},
			{given.ID, credential.Active, heir, 2, false},
			{mine.ID, credential.Active, w.super, 2, true}, // who leads the change gets what is theirs now
		} {
			got := done.Credentials[i]
			if got.ID != want.id || got.State != want.state || got.Principal != want.owner.Principal || got.SecretVersion != want.version ||
				got.SecretAvailable != want.available || got.Secret.IsZero() == want.available {
				t.Errorf("credential %d: %+v, want %+v", i, got.Key, want)
			}
		}
		if done.Credentials[1].OrganizationID != w.team.ID {
			t.Errorf("the key is at %s, not at its new owner's place", done.Credentials[1].OrganizationID)
		}
		if parsed, ok := (secret.Format{}).Parse(done.Credentials[2].Secret.Reveal()); !ok || credential.ID(parsed.ID) != mine.ID {
			t.Error("the new secret is not one of the key")
		}
		ended, err := w.a.APIKey(ctx, w.super, authority.KeyInput{ID: kept.ID})
		w.must(err)
		if ended.State != credential.Revoked {
			t.Errorf("a key that was not named is %s", ended.State)
		}
		w.wantEnded(given.ID, 1)
		if again, err := w.a.RotateAPIKey(ctx, heir, authority.RotateKeyInput{ID: given.ID}); err != nil || again.Secret.IsZero() {
			t.Errorf("the new owner gets no secret: %v", err)
		}
	})
}

// wantEnded checks that a version of a key's secret works no more, and that the revocation
// journal knows.
func (w *world) wantEnded(id credential.ID, version int) {
	w.Helper()
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
		list, err := tx.Material(id)
		for _, m := range list {
			if m.Version == version && (m.ValidUntil.IsZero() || m.ValidUntil.After(w.clock.Now())) {
				w.Errorf("version %d works until %v", version, m.ValidUntil)
			}
		}
		return err
	}))
	if !slices.ContainsFunc(w.entries(), func(e authority.JournalEntry) bool {
		return e.Action == authority.JournalRotated && e.CredentialID == id.String()
	}) {
		w.Error("the journal does not know that the secret has ended")
	}
}

// VC5: nothing of a leaving user's client credentials ends unseen: each is named, and goes
// only to who may have all of it.
func TestClientCredentialsOfLeavingUsers(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		_, supervisor, colleague, agent := w.contactCentre()
		first, second := w.client(supervisor, "recent_calls:read", "evaluations:read"), w.client(supervisor)
		offboard := func(c access.Caller, d authority.Departure, fates ...authority.CredentialFate) func() error {
			return func() error {
				_, err := w.a.OffboardUser(ctx, c, authority.OffboardUserInput{ID: userOf(supervisor), Departure: d, Credentials: fates})
				return err
			}
		}
		const remove = authority.DepartureDelete
		w.refused("unnamed", problem.Conflict, "owns_client_credentials", offboard(w.super, remove, handedOver(first, colleague)))
		w.refused("another licence", problem.Conflict, "may_not_hold", offboard(w.super, remove, handedOver(first, agent)))
		w.refused("no right to any", problem.Conflict, "may_not_hold", offboard(w.super, remove, handedOver(first, w.nobody)))
		w.refused("another tenant's user", problem.Invalid, "", offboard(w.super, remove, handedOver(first, w.foreign)))
		w.refused("to who leaves", problem.Invalid, "", offboard(w.super, remove, handedOver(first, supervisor)))
		w.refused("suspended and deleted", problem.Invalid, "", offboard(w.super, remove, authority.CredentialFate{ID: first.ID, Fate: authority.FateSuspend}))
		w.refused("another's", problem.Invalid, "", offboard(w.super, remove, authority.CredentialFate{ID: w.key(w.holder).ID, Fate: authority.FateRevoke}))
		w.refused("twice", problem.Invalid, "", offboard(w.super, remove, handedOver(first, colleague), handedOver(first, colleague)))
		w.refused("nothing", problem.Invalid, "", offboard(w.super, ""))
		_, err := w.a.SuspendUser(ctx, w.super, authority.UserInput{ID: userOf(colleague)})
		w.must(err)
		w.refused("to one who is suspended", problem.Conflict, "may_not_hold", offboard(w.super, remove, handedOver(first, colleague)))
		_, err = w.a.ResumeUser(ctx, w.super, authority.UserInput{ID: userOf(colleague)})
		w.must(err)
		w.must(offboard(w.super, remove, handedOver(first, colleague), authority.CredentialFate{ID: second.ID, Fate: authority.FateRevoke})())
		got, err := w.a.ClientCredential(ctx, colleague, authority.KeyInput{ID: first.ID})
		w.must(err)
		if got.Principal != colleague.Principal || got.PublicID != first.PublicID || got.SecretVersion != 2 || len(got.Scopes) != 2 {
			t.Errorf("handed over: %+v", got.Credential)
		}
		w.refused("the owner is gone", problem.NotFound, "", func() error { return w.call("User", w.super, authority.UserInput{ID: userOf(supervisor)}) })
	})
}

// Whoever may stop users but not their credentials hands nothing over, and nobody hands over
// to where they have no rights.
func TestWhoHandsOver(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		role := w.role("Maker", string(access.APIKeysGenerate))
		leaver, inside, beside := w.member(w.acme.ID, w.team.ID, "leaver", role), w.member(w.acme.ID, w.north.ID, "inside", role), w.member(w.acme.ID, w.south.ID, "beside", role)
		greater := w.member(w.acme.ID, w.team.ID, "greater", role)
		w.assign(w.acme.ID, userOf(greater), w.role("Tenants", string(access.TenantsManage)), w.acme.RootOrg)
		k := w.key(leaver)
		offboard := func(c access.Caller, fates ...authority.CredentialFate) func() error {
			return func() error {
				_, err := w.a.OffboardUser(ctx, c, authority.OffboardUserInput{ID: userOf(leaver), Departure: authority.DepartureSuspend, Credentials: fates})
				return err
			}
		}
		clerk := w.someone(string(access.UsersManage), string(access.APIKeysGenerate))
		w.refused("no right to the key", problem.Denied, "permission_required", offboard(clerk, handedOver(k, inside)))
		w.refused("out of reach", problem.Denied, "permission_required", offboard(w.northern, handedOver(k, beside)))
		w.refused("more than the giver holds", problem.Denied, "more_than_held", offboard(w.northern, handedOver(k, greater)))
		w.must(offboard(w.northern, handedOver(k, inside))())
		w.refused("it is another's now", problem.Conflict, "already_suspended", offboard(w.northern))
	})
}

// B7: to be handed over is to be made for the new owner, so whoever may make none hands none
// over. It can still be ended.
func TestHandOverUnderAPolicy(t *testing.T) {
	engines(t, func(w *world) {
		ctx := w.Context()
		role := w.role("Maker", string(access.APIKeysGenerate))
		leaver, heir := w.member(w.acme.ID, w.team.ID, "leaver", role), w.member(w.acme.ID, w.north.ID, "heir", role)
		k, other := w.key(leaver), w.key(leaver)
		handOver := func(c access.Caller) error {
			_, err := w.a.OffboardUser(ctx, c, authority.OffboardUserInput{ID: userOf(leaver), Credentials: []authority.CredentialFate{handedOver(k, heir)}})
			return err
		}
		wantOffered := func(who string, c access.Caller, want bool) {
			w.Helper()
			l, err := w.a.UserCredentials(ctx, c, authority.UserCredentialsInput{ID: userOf(leaver)})
			w.must(err)
			for _, o := range l.Items {
				if slices.Contains(o.Fates, authority.FateHandOver) != want || !slices.Contains(o.Fates, authority.FateRevoke) {
					w.Errorf("%s is offered %v", who, o.Fates)
				}
			}
			owners, err := w.a.NewOwners(ctx, c, authority.NewOwnersInput{ID: userOf(leaver), Search: "heir"})
			w.must(err)
			if len(owners) != 1 || (len(owners[0].Refused) == 0) != want {
				w.Errorf("%s is told of %+v", who, owners)
			}
		}
		only := func(who tenancy.Creators) {
			w.Helper()
			w.policy(tenancy.Policy{MayCreate: map[string]tenancy.Creators{"user_key": who}}, false)
		}
		only(tenancy.CreatorsAdministrators)
		wantOffered("a manager", w.northern, false)
		w.refused("by a manager", problem.Denied, "policy_administrators_only", func() error { return handOver(w.northern) })
		only(tenancy.CreatorsNobody)
		wantOffered("an administrator", w.super, false)
		w.refused("by an administrator", problem.Denied, "policy_nobody_creates", func() error { return handOver(w.super) })
		_, err := w.a.OffboardUser(ctx, w.super, authority.OffboardUserInput{
			ID: userOf(leaver), Credentials: []authority.CredentialFate{{ID: other.ID, Fate: authority.FateRevoke}},
		})
		w.must(err)
		only(tenancy.CreatorsAdministrators)
		wantOffered("an administrator", w.super, true)
		w.must(handOver(w.super))
		if got := w.stored(k.ID); got.Principal != heir.Principal {
			w.Errorf("the key speaks for %v", got.Principal)
		}
	})
}

// Suspended with the user, or by itself, so that it stays stopped when the user comes back.
func TestSuspendedWithTheirKeys(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		stays, stops := w.key(w.holder), w.key(w.holder)
		done, err := w.a.OffboardUser(ctx, w.super, authority.OffboardUserInput{
			ID: userOf(w.holder), Departure: authority.DepartureSuspend,
			Credentials: []authority.CredentialFate{{ID: stops.ID, Fate: authority.FateSuspend}},
		})
		w.must(err)
		if done.User.State != "suspended" || len(done.Credentials) != 1 || done.Credentials[0].State != credential.Suspended {
			t.Errorf("done: %+v", done)
		}
		_, err = w.a.ResumeUser(ctx, w.super, authority.UserInput{ID: userOf(w.holder)})
		w.must(err)
		for id, want := range map[credential.ID]credential.State{stays.ID: credential.Active, stops.ID: credential.Suspended} {
			got, err := w.a.APIKey(ctx, w.super, authority.KeyInput{ID: id})
			w.must(err)
			if got.State != want {
				t.Errorf("%s is %s, want %s", id, got.State, want)
			}
		}
	})
}

// All of it or nothing: the last administrator stays, and so do their keys.
func TestLastAdministratorKeepsKeys(t *testing.T) {
	engines(t, func(w *world) {
		k := w.key(w.super)
		w.refused("the last one leaves", problem.Conflict, "last_administrator", func() error {
			_, err := w.a.OffboardUser(w.Context(), authority.SystemCaller(), authority.OffboardUserInput{
				Tenant: w.acme.ID, ID: userOf(w.super), Departure: authority.DepartureDelete,
				Credentials: []authority.CredentialFate{handedOver(k, w.holder)},
			})
			return err
		})
	})
}

// A repeated request hands nothing over again and shows no secret.
func TestOffboardOnce(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		k := w.key(w.holder)
		in := authority.OffboardUserInput{
			ID: userOf(w.holder), Departure: authority.DepartureSuspend, Credentials: []authority.CredentialFate{handedOver(k, w.super)},
			Idempotency: authority.Idempotency{Key: "leaves"},
		}
		first, err := w.a.OffboardUser(t.Context(), w.super, in)
		w.must(err)
		before := w.state()
		again, err := w.a.OffboardUser(t.Context(), w.super, in)
		w.must(err)
		if !first.Credentials[0].SecretAvailable || again.Credentials[0].SecretAvailable || again.Credentials[0].SecretVersion != 2 || !again.Credentials[0].Secret.IsZero() {
			t.Errorf("first %+v, again %+v", first.Credentials[0].Key, again.Credentials[0].Key)
		}
		if w.state()[1] != before[1] {
			t.Error("a repeated request was audited")
		}
	})
}

// The dialogue's data: what there is, what the caller may choose, and who could get it.
func TestWhatALeavingUserHas(t *testing.T) {
	engines(t, func(w *world) {
		t := w.TB
		ctx := t.Context()
		_, supervisor, colleague, agent := w.contactCentre()
		client := w.client(supervisor)
		revoked := w.client(supervisor)
		_, err := w.a.RevokeClientCredential(ctx, supervisor, authority.KeyInput{ID: revoked.ID})
		w.must(err)
		list := func(c access.Caller) []authority.OwnedKey {
			t.Helper()
			l, err := w.a.UserCredentials(ctx, c, authority.UserCredentialsInput{ID: userOf(supervisor)})
			w.must(err)
			return l.Items
		}
		all := []authority.Fate{authority.FateSuspend, authority.FateRevoke, authority.FateHandOver}
		if got := list(w.super); len(got) != 1 || got[0].ID != client.ID || !slices.Equal(got[0].Fates, all) || got[0].Hint == "" {
			t.Errorf("a super admin sees %+v", got)
		}
		if got := list(w.someone(string(access.UsersManage))); len(got) != 1 || got[0].Name != client.Name || got[0].Fates != nil || got[0].Hint != "" {
			t.Errorf("who manages users alone sees %+v", got)
		}
		owners, err := w.a.NewOwners(ctx, w.super, authority.NewOwnersInput{ID: userOf(supervisor)})
		w.must(err)
		found := map[string]bool{}
		for _, o := range owners {
			found[string(o.User.ID)] = len(o.Refused) == 0
			if len(o.Refused) > 0 && (o.Refused[0].ID != client.ID || o.Refused[0].Why.Code != "may_not_hold" || o.Refused[0].Why.Message == "") {
				t.Errorf("%s is refused by %+v", o.User.Username, o.Refused[0].Why)
			}
		}
		for c, want := range map[*access.Caller]bool{&colleague: true, &agent: false} {
			if able, ok := found[c.Principal.ID]; !ok || able != want {
				t.Errorf("%s: listed %v, able %v, want %v", c.Principal.ID, ok, able, want)
			}
		}
		if _, ok := found[supervisor.Principal.ID]; ok {
			t.Error("who leaves is offered")
		}
		some, err := w.a.NewOwners(ctx, w.super, authority.NewOwnersInput{ID: userOf(supervisor), Search: "sam"})
		w.must(err)
		if len(some) != 1 || some[0].User.ID != userOf(colleague) {
			t.Errorf("the search finds %d", len(some))
		}
	})
}
