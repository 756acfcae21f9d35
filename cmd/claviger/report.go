package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/problem"
)

// usageError is a mistake in how the command was called.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// hinted is an error with advice.
func hinted(hint, format string, args ...any) error {
	return &node.HintedError{Err: fmt.Errorf(format, args...), Hint: hint}
}

// report prints an error as people read it: what happened, then what to do.
func report(w io.Writer, err error) {
	message, hint := describe(err)
	_, _ = fmt.Fprintf(w, "claviger: error: %s\n", printable(message))
	for line := range strings.SplitSeq(hint, "\n") {
		if line != "" {
			_, _ = fmt.Fprintf(w, "claviger: hint: %s\n", printable(line))
		}
	}
}

func describe(err error) (message, hint string) {
	var usage *usageError
	var withHint *node.HintedError
	var answered *api.Problem
	var refused *problem.Problem
	var dial *net.OpError
	switch {
	case errors.As(err, &usage):
		return usage.Error(), usage.hint
	case errors.As(err, &withHint):
		return err.Error(), withHint.Hint
	case errors.As(err, &answered):
		return describeProblem(answered)
	case errors.As(err, &refused):
		return err.Error(), fieldHints(refused)
	case errors.Is(err, context.Canceled):
		return "interrupted", ""
	case errors.As(err, &dial) && dial.Op == "dial":
		return err.Error(), "Is Claviger running there? --url or CLAVIGER_URL names the server."
	}
	return err.Error(), ""
}

func fieldHints(p *problem.Problem) string {
	var b strings.Builder
	for _, f := range p.Fields {
		fmt.Fprintf(&b, "%s: %s\n", f.Pointer, f.Message)
	}
	return b.String()
}

// describeProblem says what the server answered, and what the caller can do about it.
func describeProblem(p *api.Problem) (message, hint string) {
	message = p.Detail
	if message == "" {
		message = p.Title
	}
	var b strings.Builder
	for _, e := range p.Errors {
		fmt.Fprintf(&b, "%s: %s\n", e.Pointer, e.Message)
	}
	switch p.Status {
	case http.StatusUnauthorized:
		b.WriteString("Give a live credential in CLAVIGER_CREDENTIAL, or name a file that holds one with --credential-file.\n")
	case http.StatusInternalServerError:
		if p.RequestID != "" {
			b.WriteString("The server's log tells more under request ID " + p.RequestID + ".\n")
		}
	}
	return message, b.String()
}

// printable keeps what a server sends from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return '?'
		}
		return r
	}, s)
}
