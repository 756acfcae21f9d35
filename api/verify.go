package api

import (
	"fmt"
	"log/slog"
	"time"
)

// Limits of the verification endpoints.
const (
	MaxVerifyBytes      = 64 << 10 // body of POST /v1/verify
	MaxVerifyBatchBytes = 1 << 20  // body of POST /v1/verify/batch
	MaxVerifyBatch      = 1000     // items of POST /v1/verify/batch
)

// VerifyRequest asks: is this credential good right now, and for this? Exactly one of the
// three forms of a credential must be set: Credential; Authorization; ID and Secret.
type VerifyRequest struct {
	Credential    Secret `json:"credential,omitempty" doc:"A key, an access token, a session token or a service account's JWT."`
	Authorization Secret `json:"authorization,omitempty" doc:"A whole Authorization header value: Bearer, or Basic user-id:key."`
	ID            string `json:"id,omitempty" doc:"With secret: a user ID or account ID."`
	Secret        Secret `json:"secret,omitempty" doc:"With id: the key."`
	Permissions   string `json:"permissions,omitempty" maxLength:"1024" doc:"A permission query: names joined by AND and OR, AND binds tighter, with parentheses. Empty asks for nothing." example:"call_recordings:read AND (reports:read OR reports:write)"`
	SourceIP      string `json:"source_ip,omitempty" doc:"Where the call came from. A credential restricted to networks is FORBIDDEN without it." example:"192.0.2.7"`
	UserAgent     string `json:"user_agent,omitempty" doc:"The caller's User-Agent header, to tell who still uses a secret in its grace period. Of it 200 bytes are kept." example:"report-sync/2.1"`
	Cost          int64  `json:"cost,omitempty" minimum:"1" maximum:"1000000" doc:"What the call costs of the credential's limits; absent means 1."`
	DryRun        bool   `json:"dry_run,omitempty" doc:"Decide, but charge and count nothing."`
}

// String returns a form without the credential.
func (r VerifyRequest) String() string {
	return fmt.Sprintf("verify %q for %q", redacted, r.Permissions)
}

// LogValue returns a form without the credential.
func (r VerifyRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// VerifyCode is why a credential is good or not.
type VerifyCode string

// The codes, in the order in which they are decided.
const (
	VerifyNotFound                VerifyCode = "NOT_FOUND"                // malformed, unknown, wrong secret, another tenant's
	VerifyTenantSuspended         VerifyCode = "TENANT_SUSPENDED"         // the whole tenant is stopped
	VerifyRevoked                 VerifyCode = "REVOKED"                  // ended by someone, or its principal is deleted
	VerifySuspended               VerifyCode = "SUSPENDED"                // it, its principal or its organization is stopped
	VerifyNotYetValid             VerifyCode = "NOT_YET_VALID"            // its time has not come
	VerifyExpired                 VerifyCode = "EXPIRED"                  // its time is over
	VerifyWrongKind               VerifyCode = "WRONG_KIND"               // a legacy API takes account keys only
	VerifyForbidden               VerifyCode = "FORBIDDEN"                // the network or the tenant's plan
	VerifyInsufficientPermissions VerifyCode = "INSUFFICIENT_PERMISSIONS" // see Missing
	VerifyRateLimited             VerifyCode = "RATE_LIMITED"             // see Limits
	VerifyUsageExceeded           VerifyCode = "USAGE_EXCEEDED"           // see Limits
	VerifyValid                   VerifyCode = "VALID"
)

// VerifyResponse is the verdict. For NOT_FOUND it holds Valid, Code, Revision and
// StalenessMS alone.
type VerifyResponse struct {
	Valid          bool              `json:"valid"`
	Code           VerifyCode        `json:"code" enum:"NOT_FOUND,TENANT_SUSPENDED,REVOKED,SUSPENDED,NOT_YET_VALID,EXPIRED,WRONG_KIND,FORBIDDEN,INSUFFICIENT_PERMISSIONS,RATE_LIMITED,USAGE_EXCEEDED,VALID" doc:"Why, in the order in which it is decided."`
	CredentialID   string            `json:"credential_id,omitempty" example:"crd_8fK2mPq0Zr4T"`
	Kind           string            `json:"kind,omitempty" example:"user_key"`
	TenantID       string            `json:"tenant_id,omitempty"`
	OrganizationID string            `json:"organization_id,omitempty" doc:"Where its permissions hold, and everywhere below."`
	ExternalID     string            `json:"external_id,omitempty" doc:"Your own name for the credential."`
	Metadata       map[string]string `json:"metadata,omitempty"`
	Principal      *VerifyPrincipal  `json:"principal,omitempty" doc:"Whom it speaks for."`
	Permissions    []string          `json:"permissions,omitzero" nullable:"false" doc:"What it may do at this moment."`
	Missing        []string          `json:"missing,omitempty" nullable:"false" doc:"With INSUFFICIENT_PERMISSIONS: what was asked and is not held."`
	ExpiresAt      *time.Time        `json:"expires_at,omitempty" doc:"Exclusive; absent means never."`
	SecretVersion  int               `json:"secret_version,omitempty" doc:"Which secret was used: 1 at issue, one more at each rotation."`
	Limits         []LimitState      `json:"limits,omitempty" nullable:"false" doc:"What is left after this call."`
	Revision       uint64            `json:"revision" doc:"The change up to which the answer takes everything into account."`
	StalenessMS    int64             `json:"staleness_ms" doc:"How long ago the node last knew that there was no later change, in milliseconds."`
}

// VerifyPrincipal is whom a verified credential speaks for.
type VerifyPrincipal struct {
	Type       string            `json:"type" example:"user" doc:"user, service_account, app, organization, tenant or system"`
	ID         string            `json:"id"`
	ExternalID string            `json:"external_id,omitempty" doc:"Your own name for the principal."`
	Metadata   map[string]string `json:"metadata,omitempty"`
}

// LimitState is what is left of one limit of a credential.
type LimitState struct {
	Name      string     `json:"name"`
	Limit     int64      `json:"limit"`
	Remaining int64      `json:"remaining"`
	ResetAt   *time.Time `json:"reset_at,omitempty" doc:"When the count starts again; absent means never."`
}

// VerifyBatchRequest asks for up to MaxVerifyBatch verdicts at once. If one item is
// malformed the whole request is, and nothing is charged.
type VerifyBatchRequest struct {
	Items []VerifyRequest `json:"items" nullable:"false" minItems:"1" maxItems:"1000"`
}

// VerifyBatchResponse answers each item of a VerifyBatchRequest, in the same order.
type VerifyBatchResponse struct {
	Items []VerifyResponse `json:"items" nullable:"false"`
}
