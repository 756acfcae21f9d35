package api

import "time"

// Operation is work on many objects that goes on after it was accepted.
type Operation struct {
	ID          string             `json:"id" example:"opn_01jd3x8q4w9k2m5n7p0r6t8v1y"`
	TenantID    string             `json:"tenant_id"`
	Action      string             `json:"action" example:"revoke"`
	State       string             `json:"state" enum:"pending,running,done"`
	Total       int64              `json:"total" doc:"How many objects it is about."`
	Done        int64              `json:"done" doc:"How many were dealt with so far, those that failed included."`
	Failed      []OperationFailure `json:"failed" nullable:"false" doc:"Those that could not be changed, and why: the first 1,000."`
	FailedTotal int64              `json:"failed_total"`
	CreatedAt   time.Time          `json:"created_at"`
	CreatedBy   Principal          `json:"created_by"`
	FinishedAt  *time.Time         `json:"finished_at,omitempty"`
}

// OperationFailure is one object that an operation could not change.
type OperationFailure struct {
	ID      string `json:"id"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// BulkAPIKeysRequest changes many keys: those with the IDs, or those that a filter finds.
type BulkAPIKeysRequest struct {
	Action string        `json:"action" enum:"suspend,resume,revoke,delete"`
	IDs    []string      `json:"ids,omitempty" nullable:"false" maxItems:"10000" maxLength:"64"`
	Filter *APIKeyFilter `json:"filter,omitempty" doc:"Instead of ids. Needs as_of and expected_count."`
	// AsOf and ExpectedCount make sure that what is changed is what was seen.
	AsOf          uint64 `json:"as_of,omitempty" doc:"The revision of GET /v1/api-keys/count; keys made later are left alone."`
	ExpectedCount *int64 `json:"expected_count,omitempty" minimum:"0" doc:"How many the filter found; another count is a conflict."`
}

// APIKeyFilter is what a list of keys may be narrowed by.
type APIKeyFilter struct {
	OrganizationID string     `json:"organization_id,omitempty" maxLength:"64" doc:"At this organization and all below it."`
	OwnerID        string     `json:"owner_id,omitempty" maxLength:"64"`
	Kind           string     `json:"kind,omitempty" enum:"user_key,organization_key"`
	State          string     `json:"state,omitempty" enum:"active,suspended,revoked,expired,living" doc:"Living are active and suspended ones."`
	Search         string     `json:"search,omitempty" maxLength:"200"`
	ExpiringBefore *time.Time `json:"expiring_before,omitempty"`
	IncludeDeleted bool       `json:"include_deleted,omitempty"`
}

// APIKeyCount is how many keys a filter finds, for a bulk change.
type APIKeyCount struct {
	Count        int64            `json:"count" doc:"Send it as expected_count."`
	Revision     uint64           `json:"revision" doc:"Send it as as_of."`
	ByKind       map[string]int64 `json:"by_kind" doc:"How many of each kind; kinds without any are left out."`
	UsedLately   int64            `json:"used_last_7_days"`
	ExpiringSoon int64            `json:"expiring_within_30_days" doc:"Active and suspended ones that end in that time."`
}

// RevealedKey is a recoverable key, shown again.
type RevealedKey struct {
	Key Secret `json:"key"`
}

// Usage is how credentials were used, by hour or by day.
type Usage struct {
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	By       string           `json:"by" enum:"hour,day"`
	Items    []UsagePeriod    `json:"items" nullable:"false" doc:"Oldest first; periods in which nothing happened are left out."`
	MostUsed []UsedCredential `json:"most_used,omitempty" nullable:"false" doc:"Without credential_id: the 20 that were used most."`
}

// UsedCredential is a credential with how much it was used.
type UsedCredential struct {
	ID               string    `json:"id" example:"crd_8fK2mPq0Zr4T"`
	Kind             string    `json:"kind"`
	Name             string    `json:"name"`
	State            string    `json:"state" enum:"active,suspended,revoked,expired"`
	Owner            Principal `json:"owner"`
	OrganizationID   string    `json:"organization_id"`
	OrganizationName string    `json:"organization_name,omitempty"`
	Valid            int64     `json:"valid" doc:"How often the verdict was VALID."`
	Denied           int64     `json:"denied" doc:"How often it was something else."`
}

// UsagePeriod is the verdicts of one hour or day (UTC).
type UsagePeriod struct {
	At     time.Time        `json:"at" doc:"When the period begins."`
	Valid  int64            `json:"valid" doc:"How often the verdict was VALID."`
	Denied map[string]int64 `json:"denied" doc:"How often it was something else, by code."`
}
