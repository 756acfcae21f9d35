package tenancy

import "slices"

// Notices says when a tenant's people are told of credentials that expire, and who beside
// its administrators. The zero Notices is the default.
type Notices struct {
	// Days are how many days before the end people are told, from 1 to MaxNoticeDays each; none
	// means DefaultNoticeDays.
	Days []int
	// Hour of the day at which they are, 0 to 23 in TimeZone; nil means DefaultNoticeHour.
	Hour *int
	// TimeZone is an IANA name, such as Europe/Lisbon; empty means UTC.
	TimeZone string
	// Owners are told of what speaks for them, Creators of what they have made.
	Owners, Creators bool
}

// What a tenant's notices may be.
const (
	DefaultNoticeHour = 8
	MaxNoticeDays     = 365
	MaxNotices        = 10 // thresholds
)

// DefaultNoticeDays are the thresholds of tenants that have chosen none (NV11). The slice is
// the caller's.
func DefaultNoticeDays() []int { return []int{30, 14, 7, 3, 1} }

// Thresholds are how many days before the end people are told, the most first. The slice is
// the caller's.
func (n Notices) Thresholds() []int {
	days := slices.Clone(n.Days)
	if len(days) == 0 {
		days = DefaultNoticeDays()
	}
	slices.SortFunc(days, func(a, b int) int { return b - a })
	return slices.Compact(days)
}

// AtHour is the hour of the day at which people are told, in the tenant's time zone.
func (n Notices) AtHour() int {
	if n.Hour == nil {
		return DefaultNoticeHour
	}
	return *n.Hour
}
