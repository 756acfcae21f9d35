package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// UsageInput asks how a credential was used in a span of time.
type UsageInput struct {
	Tenant     tenancy.TenantID
	Credential credential.ID
	From, To   time.Time // whole hours or days; zero means the last 24 hours, or 30 days
	By         string    // "hour", or "day" (UTC); empty means hour
}

// UsagePeriod is the verdicts of one hour or day.
type UsagePeriod struct {
	At     time.Time
	Valid  int64
	Denied map[string]int64 // by code; nil means none
}

// UsageOutput is how a credential was used, oldest first, without periods in which
// nothing happened.
type UsageOutput struct {
	From, To time.Time
	By       string
	Items    []UsagePeriod
}

func (a *Authority) Usage(ctx context.Context, caller access.Caller, in UsageInput) (out UsageOutput, err error) {
	return out, errUnfinished
}
