package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
)

// B2: two nodes on one PostgreSQL. Where the revocation was made it is felt on return; the
// other node feels it within milliseconds.
func TestTwoNodesRefuseWhatOneRevoked(t *testing.T) {
	i := mustStart(t, mustPostgres(t))
	ada := i.mustTenant(t, i.mustAdministrator(t), "northwind")
	verifier := mustVerifier(t, ada.admin)
	second := i.mustSpawnNode(t, t.TempDir())

	n := rounds(50, 1000)
	delays := make([]time.Duration, 0, n)
	for round := range n {
		issued := mustIssue(t, ada.admin, fmt.Sprintf("key %d", round))
		key := issued.Key.Reveal()
		mustHappen(t, 5*time.Second, "the second node knowing the key", func() bool {
			v, err := verdict(second.URL, verifier.header, key)
			return err == nil && v.Valid
		})
		mustDo[api.APIKey](t, ada.admin, 200, "POST", "/v1/api-keys/"+issued.ID+"/revoke", nil)
		returned := time.Now()
		if v, err := verdict(i.URL, verifier.header, key); err != nil || v.Valid || v.Code != api.VerifyRevoked {
			t.Fatalf("the node that revoked says %s, %v", v.Code, err)
		}
		mustHappen(t, 5*time.Second, "the second node refusing", func() bool {
			v, err := verdict(second.URL, verifier.header, key)
			return err == nil && v.Code == api.VerifyRevoked
		})
		delays = append(delays, time.Since(returned))
	}
	slices.Sort(delays)
	p99 := delays[min(len(delays)-1, len(delays)*99/100)]
	t.Logf("the second node refused after: median %s, p99 %s", delays[len(delays)/2], p99)
	// The bound here is for a machine that does other things too; make bench measures.
	if p99 > time.Second {
		t.Errorf("p99 is %s", p99)
	}
}

// A node that starts later, or that was killed, knows everything that was done without it.
func TestNodeCatchesUp(t *testing.T) {
	i := mustStart(t, mustPostgres(t))
	ada := i.mustTenant(t, i.mustAdministrator(t), "northwind")
	verifier := mustVerifier(t, ada.admin)
	folder := t.TempDir()
	second := i.mustSpawnNode(t, folder)
	kept, gone := mustIssue(t, ada.admin, "kept"), mustIssue(t, ada.admin, "gone")
	second.kill()
	mustDo[api.APIKey](t, ada.admin, 200, "POST", "/v1/api-keys/"+gone.ID+"/revoke", nil)
	later := mustIssue(t, ada.admin, "later")

	second = i.mustSpawnNode(t, folder)
	for key, want := range map[string]api.VerifyCode{
		kept.Key.Reveal(): api.VerifyValid, gone.Key.Reveal(): api.VerifyRevoked, later.Key.Reveal(): api.VerifyValid,
	} {
		if v, err := verdict(second.URL, verifier.header, key); err != nil || v.Code != want {
			t.Errorf("the node that was away says %s, %v; want %s", v.Code, err, want)
		}
	}
}
