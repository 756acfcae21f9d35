package authority

import (
	"time"

	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// AuditEventsInput filters the list of audit events.
type AuditEventsInput struct {
	Tenant     tenancy.TenantID
	Action     string
	TargetType string
	TargetID   string
	ActorID    string
	From, To   time.Time // From inclusive, To exclusive; zero means open
	Page       store.Page
}
