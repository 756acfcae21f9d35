package api

import (
	"errors"
	"strings"
	"time"
)

// Problem is what the API answers when it refuses or fails, as application/problem+json
// (RFC 9457). It is the error type of the Go client.
//
// It never holds a rejected value or a secret, so it can be shown and logged as it is.
type Problem struct {
	Type      string         `json:"type" doc:"A URI that names the problem's code." example:"urn:claviger:problem:name_taken"`
	Title     string         `json:"title" doc:"What the status means, in words." example:"Conflict"`
	Status    int            `json:"status" doc:"The HTTP status." example:"409"`
	Detail    string         `json:"detail" doc:"What happened, then what to do. Safe to show." example:"There is already a key with this name. Choose another name."`
	Code      string         `json:"code" doc:"Stable and machine-readable." example:"name_taken"`
	RequestID string         `json:"request_id" doc:"Names this request in Claviger's log." example:"req_0198f6c1a4b07f3e9d2c5a6b7c8d9e0f"`
	Errors    []ProblemError `json:"errors,omitempty" nullable:"false" doc:"For malformed requests: which fields, and what to do about each."`

	Credentials []ProblemCredential `json:"credentials,omitempty" nullable:"false" doc:"Where credentials stand in the way: which."`

	// RetryAfter is how long to wait before asking again, from the Retry-After header.
	// Zero means not stated.
	RetryAfter time.Duration `json:"-"`
}

// ProblemError is one thing wrong with one field of a request.
type ProblemError struct {
	Pointer string `json:"pointer" doc:"A JSON pointer into the request's body (RFC 6901), or query.NAME, path.NAME or header.NAME." example:"/name"`
	Message string `json:"message" doc:"What to do, without the rejected value." example:"Enter a name."`
}

// ProblemCredential is a credential that stands in the way of what was asked.
type ProblemCredential struct {
	ID   string `json:"id" example:"crd_8fK2mPq0Zr4T"`
	Name string `json:"name"`
	Kind string `json:"kind" example:"client_credential"`
}

// Codes that are the same for every operation. Others name a single rule, such as
// "name_taken"; each operation's documentation lists its own.
const (
	CodeInternal        = "internal"        // 500
	CodeInvalid         = "invalid"         // 400
	CodeUnauthenticated = "unauthenticated" // 401
	CodeDenied          = "denied"          // 403
	CodeNotFound        = "not_found"       // 404
	CodeConflict        = "conflict"        // 409
	CodeTooMany         = "too_many"        // 429, see RetryAfter
	CodeUnavailable     = "unavailable"     // 503: undecided; asking again may help
)

// Error returns the detail, the code and the request ID.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Detail)
	if p.Detail == "" {
		b.WriteString(p.Title)
	}
	for _, e := range p.Errors {
		b.WriteString(" " + e.Pointer + ": " + e.Message)
	}
	b.WriteString(" (" + p.Code)
	if p.RequestID != "" {
		b.WriteString(", request " + p.RequestID)
	}
	b.WriteString(")")
	return b.String()
}

// HasCode reports whether err holds a Problem with the code.
func HasCode(err error, code string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}
