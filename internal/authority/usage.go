package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// UsageInput asks how a credential was used in a span of time; or, without one, all
// credentials together.
type UsageInput struct {
	Tenant     tenancy.TenantID
	Credential credential.ID // the zero ID means all
	At         tenancy.OrgID // without a credential: at and below
	// From and To are cut to whole hours or days; To is exclusive. Zero means now, and for
	// From 24 hours or 30 days before To.
	From, To time.Time
	By       string // UsageByHour or UsageByDay; empty means hours
}

// How long the periods of an answer are. Days are UTC.
const (
	UsageByHour = "hour"
	UsageByDay  = "day"
)

// UsagePeriod is the verdicts of one hour or day.
type UsagePeriod struct {
	At     time.Time
	Valid  int64
	Denied map[string]int64 // by code; nil means none
}

// UsageOutput is how a credential was used, or all together, oldest first, without periods
// in which nothing happened.
type UsageOutput struct {
	From, To time.Time
	By       string
	Items    []UsagePeriod
	Most     []UsedKey // without a credential: those that were used most
}

// UsedKey is a credential with how much it was used.
type UsedKey struct {
	Key
	Valid, Denied int64
}

// mostUsed is how many credentials are named beside the sums.
const mostUsed = 20

const (
	day = 24 * time.Hour
	// mostUsageHours and mostUsageDays bound one answer.
	mostUsageHours = 93 * 24
	mostUsageDays  = 1100
)

// span completes and checks a span of time.
func (in UsageInput) span(now time.Time) (from, to time.Time, unit time.Duration, err error) {
	usual, most := 24, mostUsageHours
	unit = time.Hour
	switch in.By {
	case UsageByHour, "":
	case UsageByDay:
		unit, usual, most = day, 30, mostUsageDays
	default:
		return from, to, unit, problem.InvalidField("query.by", "Choose hour or day.")
	}
	to = in.To
	if to.IsZero() {
		to = now.Add(unit)
	}
	to = to.UTC().Truncate(unit)
	from = in.From.UTC().Truncate(unit)
	if in.From.IsZero() {
		from = to.Add(-time.Duration(usual) * unit)
	}
	if !from.Before(to) {
		return from, to, unit, problem.InvalidField("query.from", "Choose a time before the end.")
	}
	if to.Sub(from) > time.Duration(most)*unit {
		return from, to, unit, problem.InvalidField("query.from", "Ask for a shorter time: at most 93 days by hour or 3 years by day.")
	}
	return from, to, unit, nil
}

// Usage answers how one credential was used, to about a minute ago. It needs
// claviger.usage:read at its organization, unless it is the caller's own. Without a
// credential it answers the sums of the part of the tree where the caller has that right,
// and the credentials that were used most.
func (a *Authority) Usage(ctx context.Context, caller access.Caller, in UsageInput) (out UsageOutput, err error) {
	if in.Credential.IsZero() {
		err = a.view(ctx, caller, in.Tenant, func(s *scope) (err error) {
			out, err = s.usageOfAll(in)
			return err
		})
		return out, err
	}
	tenant, err := a.keyTenant(ctx, caller, in.Tenant, in.Credential)
	if err != nil {
		return out, err
	}
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		k, err := s.tx.Credential(in.Credential)
		if err != nil {
			return err
		}
		if !s.owns(k) {
			path, err := s.path(k.OrganizationID)
			if err != nil {
				return err
			}
			if err := s.require(access.UsageRead, path); err != nil {
				return err
			}
		}
		from, to, unit, err := in.span(s.now)
		if err != nil {
			return err
		}
		hours, err := s.tx.Usage(k.ID, from, to)
		if err != nil {
			return err
		}
		out = UsageOutput{From: from, To: to, By: UsageByHour, Items: usagePeriods(hours, unit)}
		if in.By != "" {
			out.By = in.By
		}
		return nil
	})
	return out, err
}

func (s *scope) usageOfAll(in UsageInput) (out UsageOutput, err error) {
	at, err := s.visible(in.At, access.UsageRead)
	if err != nil {
		return out, err
	}
	from, to, unit, err := in.span(s.now)
	if err != nil {
		return out, err
	}
	span := store.UsageSpan{At: at, From: from, Until: to}
	sums, err := s.tx.UsageSums(span, unit)
	if err != nil {
		return out, err
	}
	out = UsageOutput{From: from, To: to, By: UsageByHour, Items: usagePeriods(sums, unit)}
	if in.By != "" {
		out.By = in.By
	}
	most, err := s.tx.MostUsed(span, mostUsed)
	if err != nil {
		return out, err
	}
	ids := make([]credential.ID, len(most))
	for i, m := range most {
		ids[i] = m.Credential
	}
	found, err := s.tx.CredentialsByID(ids)
	if err != nil {
		return out, err
	}
	shown, err := s.showAll(found)
	if err != nil {
		return out, err
	}
	byID := make(map[credential.ID]Key, len(shown))
	for _, k := range shown {
		byID[k.ID] = k
	}
	for _, m := range most {
		if k, ok := byID[m.Credential]; ok {
			out.Most = append(out.Most, UsedKey{Key: k, Valid: m.Valid, Denied: m.Denied})
		}
	}
	return out, nil
}

// usagePeriods adds hours up to periods.
func usagePeriods(hours []store.UsageHour, unit time.Duration) []UsagePeriod {
	list := []UsagePeriod{}
	for _, h := range hours {
		at := h.Hour.UTC().Truncate(unit)
		if n := len(list); n == 0 || !list[n-1].At.Equal(at) {
			list = append(list, UsagePeriod{At: at})
		}
		p := &list[len(list)-1]
		p.Valid += h.Valid
		for code, n := range h.Denied {
			if p.Denied == nil {
				p.Denied = map[string]int64{}
			}
			p.Denied[code] += n
		}
	}
	return list
}
