package webhook_test

import (
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/webhook"
)

// B9: a message's ID is the event's own: the same at every writing, and another's for the
// event that gets the same number after a backup was restored.
func TestB9MessageIDs(t *testing.T) {
	head := audit.Head{TenantID: "ten_a", Sequence: 117}
	event := audit.Event{At: time.Unix(1_800_000_000, 0), Action: "api_key.revoke", TargetType: "credential", TargetID: "crd_8fK2mPq0Zr4T", TargetName: "Power BI"}
	first, _ := audit.Chain(head, event)
	event.At = event.At.Add(time.Hour)
	afterRestore, _ := audit.Chain(head, event)
	id := func(e audit.Event) string {
		t.Helper()
		m, err := webhook.Of("whk_06h032vhrnvjx90d47z3a74ht8", webhook.Revoked, &e, e.TargetID)
		if err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	once, again, other := id(first), id(first), id(afterRestore)
	if once != again || once == other || len(once) > 64 {
		t.Errorf("the same event has the IDs %s and %s; another with its number %s", once, again, other)
	}
}
