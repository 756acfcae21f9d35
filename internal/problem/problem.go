// Package problem holds the one error type that may reach a caller.
//
// Its promise: Message, Code and Fields never hold a secret, a rejected value or an
// internal detail, so a transport may show them as they are. What caused the problem
// travels in Err, for the log alone.
package problem

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong in general; a transport turns it into a status.
type Kind uint8

// The kinds. The zero Kind is Internal, so that a forgotten kind is never shown as a caller's mistake.
const (
	Internal        Kind = iota // our fault; nothing of it is shown
	Invalid                     // the request is malformed or breaks a rule
	Unauthenticated             // we don't know who is asking
	Denied                      // we know, and they may not
	NotFound                    // no such object, or one of another tenant
	Conflict                    // the object's state, or another object, stands in the way
	TooMany                     // slow down; see RetryAfter
	Unavailable                 // we can't decide now; the answer is no, and asking again may help
)

var kindNames = [...]string{"internal", "invalid", "unauthenticated", "denied", "not_found", "conflict", "too_many", "unavailable"}

// String returns the kind's snake-case name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// Field is one thing wrong with one field of a request.
type Field struct {
	Pointer string // JSON pointer into the request body (RFC 6901), or "query.NAME", "path.NAME"
	Message string // what to do, in a sentence without the rejected value
}

// Object is a thing that a problem is about, which its reader may see.
type Object struct {
	ID   string
	Name string
	Kind string // of credentials: the credential's kind
}

// Problem is an error whose Message is safe to show.
type Problem struct {
	Kind       Kind
	Code       string        // stable and machine-readable, such as "name_taken"; empty means the kind's name
	Message    string        // what happened, then what to do
	Fields     []Field       // for Invalid: where
	InTheWay   []Object      // for Conflict: what has to go first; may be cut short
	RetryAfter time.Duration // for TooMany and Unavailable; zero means unknown
	Err        error         // the cause, for the log only; may be nil
}

// Error returns the message and the cause: for logs, never for callers.
func (p *Problem) Error() string {
	if p.Err != nil {
		return fmt.Sprintf("%s: %v", p.Message, p.Err)
	}
	return p.Message
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// As returns the Problem in err's chain. Any other error becomes an Internal problem
// that wraps it, so a caller of As always has something safe to show. As(nil) is nil.
func As(err error) *Problem {
	if err == nil {
		return nil
	}
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return &Problem{Kind: Internal, Message: "Something went wrong on our side. Try again, and give the request ID if it happens again.", Err: err}
}

// Is reports whether err holds a Problem of the kind.
func Is(err error, k Kind) bool {
	var p *Problem
	return errors.As(err, &p) && p.Kind == k
}

// HasCode reports whether err holds a Problem with the code.
func HasCode(err error, code string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}

// InvalidField is an Invalid problem of one field.
func InvalidField(pointer, message string) *Problem {
	return &Problem{Kind: Invalid, Message: "The request has a field that cannot be accepted.", Fields: []Field{{pointer, message}}}
}

// InvalidFields is an Invalid problem of several fields; nil when there are none.
func InvalidFields(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Problem{Kind: Invalid, Message: "The request has fields that cannot be accepted.", Fields: fields}
}

// New is a problem of the kind, with a code and a message that is safe to show.
func New(k Kind, code, message string) *Problem {
	return &Problem{Kind: k, Code: code, Message: message}
}

// Missing is the NotFound problem for a thing named in plain words, such as "API key".
// It reads the same for an object that never was and for another tenant's.
func Missing(thing string) *Problem {
	return &Problem{Kind: NotFound, Message: "There is no such " + thing + ", or you may not see it."}
}

// Wrap is an Unavailable problem around a cause: the decision could not be made.
func Wrap(err error) *Problem {
	return &Problem{Kind: Unavailable, Message: "Claviger cannot answer right now. Try again in a moment.", Err: err}
}
