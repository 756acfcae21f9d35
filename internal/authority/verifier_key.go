package authority

import (
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// IssueVerifierKeyInput describes a new verifier key. One of the system tenant verifies
// credentials of every tenant, another only those of its own.
type IssueVerifierKeyInput struct {
	Tenant    tenancy.TenantID // empty means the caller's own
	Name      string
	NotBefore time.Time
	ExpiresAt *time.Time
	Networks  []netip.Prefix
	Limits    credential.Limits
	Labels    tenancy.Labels
	Idempotency
}
