package api

import "time"

// ChangePolicyRequest replaces a tenant's policy.
type ChangePolicyRequest struct {
	Policy Policy `json:"policy"`
	Apply  string `json:"apply,omitempty" enum:"new,all" default:"new" doc:"Whether the rules are for new credentials only, or are applied to those that are there, too."`
}

// ChangedPolicy is a tenant whose policy was changed.
type ChangedPolicy struct {
	Tenant    Tenant     `json:"tenant"`
	Operation *Operation `json:"operation,omitempty" doc:"With apply=all: the work of applying it; GET /v1/operations/{id} says how far it is."`
}

// PreviewPolicyRequest asks what a policy would do if it were applied to all.
type PreviewPolicyRequest struct {
	Policy Policy `json:"policy"`
}

// PolicyPreview is what a policy would do to the credentials that are there.
type PolicyPreview struct {
	Rules    []RulePreview `json:"rules" nullable:"false" doc:"One for each rule of the policy that can touch credentials that are there, also where it touches none."`
	Living   int64         `json:"living" doc:"Active and suspended credentials that there are."`
	Revision uint64        `json:"revision"`
}

// RulePreview is what one rule would do.
type RulePreview struct {
	Rule  string         `json:"rule" enum:"max_lifetime,show_once,networks,name_pattern,suspend_idle_days"`
	Kind  string         `json:"kind,omitempty" doc:"Of rules that are set by kind."`
	Does  string         `json:"does" enum:"ends_earlier,secret_destroyed,networks_narrowed,suspended,listed" doc:"What happens to the credentials; those that are listed stay as they are."`
	Count int64          `json:"count" doc:"How many it touches."`
	First []PolicyEffect `json:"first" nullable:"false" doc:"The first 100 of them, oldest first."`
}

// PolicyEffect is one credential that a rule would touch.
type PolicyEffect struct {
	ID               string     `json:"id" example:"crd_8fK2mPq0Zr4T"`
	Kind             string     `json:"kind"`
	Name             string     `json:"name"`
	State            string     `json:"state" enum:"active,suspended"`
	Owner            Principal  `json:"owner"`
	OrganizationID   string     `json:"organization_id"`
	OrganizationName string     `json:"organization_name,omitempty"`
	ExpiresAt        *time.Time `json:"expires_at,omitempty" doc:"When it ends as it is; absent means never."`
	LastUsedAt       *time.Time `json:"last_used_at,omitempty"`
	NewExpiresAt     *time.Time `json:"new_expires_at,omitempty" doc:"When it would end."`
	NewNetworks      []string   `json:"new_networks,omitempty" doc:"Where it could still be used from."`
}
