package authority_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// runners is how many do something at once in each round of a race.
const runners = 16

// rounds is how often a race is run: normally a few times, with SOAK=1 a thousand, or as
// often as ROUNDS says.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("ROUNDS")); err == nil {
		return n
	}
	if os.Getenv("SOAK") != "" {
		return 1000
	}
	return 8
}

// together calls do for 0 to runners-1 at once and waits for all.
func together(do func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(runners)
	for i := range runners {
		done.Go(func() {
			ready.Done()
			<-start
			do(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// expect fails unless the error is nil or one of the codes.
func (w *world) expect(what string, err error, codes ...string) bool {
	w.Helper()
	if err == nil {
		return true
	}
	for _, code := range codes {
		if problem.HasCode(err, code) || (code == "not_found" && problem.Is(err, problem.NotFound)) {
			return false
		}
	}
	w.Errorf("%s: %v (%s)", what, err, problem.As(err).Code)
	return false
}

// Two administrators take each other's rights at once, in two ways: one stays.
func TestRaceOfAdministrators(t *testing.T) {
	engines(t, func(w *world) {
		for round := range rounds() {
			tenant := w.tenant(fmt.Sprintf("duel-%d", round))
			role := w.builtIn(tenant.ID, access.RoleSuperAdmin)
			a, b := w.member(tenant.ID, "", "a", ""), w.member(tenant.ID, "", "b", "")
			givenA, givenB := w.assign(tenant.ID, userOf(a), role, tenant.RootOrg), w.assign(tenant.ID, userOf(b), role, tenant.RootOrg)
			var wins atomic.Int32
			together(func(i int) {
				actor, victim, given := a, b, givenB
				if i%2 == 1 {
					actor, victim, given = b, a, givenA
				}
				var err error
				if i%4 < 2 {
					_, err = w.a.Unassign(w.Context(), actor, authority.AssignmentInput{ID: given.ID})
				} else {
					_, err = w.a.SuspendUser(w.Context(), actor, authority.UserInput{ID: userOf(victim)})
				}
				if w.expect("demote", err, "last_administrator", "caller_stopped", "permission_required", "already_suspended", "not_found") {
					wins.Add(1)
				}
			})
			w.wantAdministrator(tenant)
			if n := wins.Load(); n < 1 || n > 2 { // the winner may both suspend and demote the other
				w.Fatalf("round %d: %d won", round, n)
			}
		}
	})
}

// wantAdministrator looks at the rows: someone active has the right to give roles at the root.
func (w *world) wantAdministrator(t tenancy.Tenant) {
	w.Helper()
	w.must(w.store.Read(w.Context(), t.ID, func(tx *store.Tx) error {
		roles, err := tx.Roles()
		if err != nil {
			return err
		}
		given, err := tx.AssignmentsOf(store.AssignmentFilter{}, store.Page{Limit: store.MaxLimit})
		if err != nil {
			return err
		}
		for _, as := range given.Items {
			u, err := tx.User(tenancy.UserID(as.Principal.ID))
			if err != nil {
				return err
			}
			if u.State == tenancy.Active && as.OrganizationID == t.RootOrg && access.ResolveRole(as.RoleID, roles).Allows(access.AssignmentsManage) {
				return nil
			}
		}
		w.Fatal("the tenant has no administrator left")
		return nil
	}))
}

// A user is deleted while they make credentials: nothing living is left of a deleted user,
// and who owns client credentials was not deleted.
func TestRaceOfDeletionAndIssuing(t *testing.T) {
	engines(t, func(w *world) {
		role := w.builtIn(w.acme.ID, access.RoleSupervisor)
		more := w.role("Keys too", string(access.APIKeysGenerate))
		for round := range rounds() {
			u := w.member(w.acme.ID, "", fmt.Sprintf("leaver-%d", round), role)
			w.assign(w.acme.ID, userOf(u), more, w.acme.RootOrg)
			w.licence(u, "supervisor")
			var deleted atomic.Bool
			together(func(i int) {
				switch {
				case i%4 == 0:
					_, err := w.a.DeleteUser(w.Context(), w.super, authority.UserInput{ID: userOf(u)})
					if w.expect("delete", err, "owns_client_credentials", "not_found") {
						deleted.Store(true)
					}
				case round%2 == 0 && i%4 == 1:
					_, err := w.a.IssueClientCredential(w.Context(), u, authority.IssueClientCredentialInput{Name: "c", Scopes: []access.Permission{"recent_calls:read"}})
					w.expect("issue", err, "caller_stopped")
				default:
					_, err := w.a.IssueAPIKey(w.Context(), u, authority.IssueAPIKeyInput{Name: "k"})
					w.expect("issue", err, "caller_stopped")
				}
			})
			w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
				user, err := tx.User(userOf(u))
				if err != nil {
					return err
				}
				living, err := tx.CredentialsOf(u.Principal)
				if (user.State == tenancy.Deleted) != deleted.Load() || (deleted.Load() && len(living) > 0) {
					w.Errorf("round %d: the user is %s with %d living credentials", round, user.State, len(living))
				}
				return err
			}))
		}
	})
}

// An app is deleted while its APIs are changed: it stays deleted, and its key dead.
func TestRaceOfAppDeletionAndChange(t *testing.T) {
	engines(t, func(w *world) {
		apis := []string{"recent_calls", "post_call_survey", "contact_center_chat", "chapi_work_chat"}
		for round := range rounds() {
			a := w.app()
			together(func(i int) {
				var err error
				switch i % 4 {
				case 0:
					_, err = w.a.DeleteApp(w.Context(), w.super, authority.AppInput{ID: a.ID})
				case 1:
					_, err = w.a.RotateApp(w.Context(), w.super, authority.RotateAppInput{ID: a.ID, Grace: time.Hour})
				default:
					_, err = w.a.ChangeApp(w.Context(), w.super, authority.ChangeAppInput{ID: a.ID, APIs: &[]string{apis[i%len(apis)]}})
				}
				w.expect("change", err, "not_found")
			})
			w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
				app, err := tx.App(a.ID)
				if err != nil {
					return err
				}
				k, err := tx.Credential(a.Credential.ID)
				if app.State != tenancy.Deleted || k.State != credential.Revoked || k.DeletedAt.IsZero() {
					w.Errorf("round %d: app %s, credential %s", round, app.State, k.State)
				}
				return err
			}))
			w.wantNothingSealed(a.Credential.ID)
		}
	})
}

// A key is rotated while it is revoked: no secret of it lives on, and no rotation counts
// after the revocation.
func TestRaceOfRotationAndRevocation(t *testing.T) {
	engines(t, func(w *world) {
		for round := range rounds() {
			k := w.organizationKey(w.north.ID)
			var revoked, rotated atomic.Uint64
			together(func(i int) {
				if i%2 == 0 {
					out, err := w.a.RotateAPIKey(w.Context(), w.super, authority.RotateKeyInput{ID: k.ID, Grace: time.Hour})
					if w.expect("rotate", err, "revoked") {
						maximum(&rotated, uint64(out.SecretVersion))
					}
					return
				}
				_, err := w.a.RevokeAPIKey(w.Context(), w.super, authority.KeyInput{ID: k.ID})
				if w.expect("revoke", err, "revoked") {
					revoked.Add(1)
				}
			})
			now, err := w.a.APIKey(w.Context(), w.super, authority.KeyInput{ID: k.ID})
			w.must(err)
			if revoked.Load() != 1 || now.State != credential.Revoked || now.SecretVersion != int(max(rotated.Load(), 1)) {
				w.Errorf("round %d: %d revocations, then %s at version %d, last rotated to %d", round, revoked.Load(), now.State, now.SecretVersion, rotated.Load())
			}
			w.wantNothingSealed(k.ID)
		}
	})
}

func maximum(to *atomic.Uint64, v uint64) {
	for old := to.Load(); v > old && !to.CompareAndSwap(old, v); old = to.Load() {
	}
}

// All of somebody's keys are revoked while new ones are made: those that were counted end,
// the others live. Each round is about another person, so that none grows with those before.
func TestRaceOfBulkAndIssuing(t *testing.T) {
	engines(t, func(w *world) {
		role := w.role("Makers", string(access.APIKeysGenerate))
		for round := range rounds() {
			maker := w.member(w.acme.ID, "", fmt.Sprintf("maker-%d", round), role)
			filter := authority.KeysInput{Owner: userOf(maker), States: []credential.State{credential.Active}}
			w.key(maker)
			var done atomic.Uint64
			together(func(i int) {
				if i > 2 {
					_, err := w.a.IssueAPIKey(w.Context(), maker, authority.IssueAPIKeyInput{Name: "k"})
					w.expect("issue", err)
					return
				}
				count, err := w.a.CountAPIKeys(w.Context(), w.super, filter)
				w.expect("count", err)
				_, err = w.a.BulkKeys(w.Context(), w.super, authority.BulkKeysInput{
					Action: authority.BulkRevoke, Filter: &filter, AsOf: count.Revision, ExpectedCount: count.Count,
				})
				if w.expect("bulk", err, "selection_changed") {
					maximum(&done, count.Revision)
				}
				w.expect("work", w.a.WorkOperations(w.Context()))
			})
			w.must(w.a.WorkOperations(w.Context()))
			w.wantSplit(round, maker.Principal, done.Load())
		}
	})
}

// wantSplit looks at the rows: the owner's keys up to a revision are revoked, all since are
// active.
func (w *world) wantSplit(round int, owner access.Principal, at uint64) {
	w.Helper()
	if at == 0 {
		w.Fatalf("round %d: nothing was revoked", round)
	}
	w.must(w.store.Read(w.Context(), w.acme.ID, func(tx *store.Tx) error {
		page := store.Page{Limit: store.MaxLimit, Sort: "created_at", Desc: true}
		old, err := tx.Credentials(store.CredentialFilter{Owner: &owner, AsOf: at}, page)
		if err != nil {
			return err
		}
		list, err := tx.Credentials(store.CredentialFilter{Owner: &owner}, page)
		if err != nil {
			return err
		}
		if len(list.Items) != runners-2 {
			w.Errorf("round %d: %d keys, want %d", round, len(list.Items), runners-2)
		}
		for _, k := range list.Items {
			want := credential.Active
			if slices.ContainsFunc(old.Items, func(o credential.Credential) bool { return o.ID == k.ID }) {
				want = credential.Revoked
			}
			if k.State != want {
				w.Errorf("round %d: a key is %s, want %s", round, k.State, want)
			}
		}
		return nil
	}))
}
