// Package api holds the types that travel over the wire: what Claviger's HTTP API takes
// and what it answers. The server, the Go client and the commands share them.
//
// The package imports the standard library alone. Struct tags that are not "json" describe
// the API for its OpenAPI document and mean nothing to a user of this package.
//
// Conventions: times are RFC 3339 in UTC; durations are whole seconds in fields that end in
// _seconds; IDs carry a prefix that tells what they name ("crd_", "ten_", "org_", "usr_",
// "rol_", "asg_", "pln_", "app_", "sva_", "opn_"); an absent optional field means "none", and in a Change… request
// it means "leave it as it is". Lists are never null.
package api

import (
	"fmt"
	"log/slog"
)

// Secret is a string that must not be printed by accident: keys, passwords, one-time
// tokens. It prints as [redacted] through fmt and log/slog, and travels as a plain string
// in JSON. Reveal shows it.
type Secret string

const redacted = "[redacted]"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (s Secret) GoString() string { return redacted }

// Format writes "[redacted]" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
