package server

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
)

// ofEitherKind makes one operation of a user key's and an organization key's: an ID says
// nothing about the kind, and to the operations of one kind the other does not exist.
func ofEitherKind[I, O any](user, organization func(context.Context, access.Caller, I) (O, error)) func(context.Context, access.Caller, I) (O, error) {
	return func(ctx context.Context, c access.Caller, in I) (O, error) {
		out, err := user(ctx, c, in)
		if problem.Is(err, problem.NotFound) {
			return organization(ctx, c, in)
		}
		return out, err
	}
}

// kindsOf reads the filter of a list of keys; none means every kind that the caller may see.
func kindsOf(kind string) []credential.Kind {
	if kind == "" {
		return nil
	}
	return []credential.Kind{credential.Kind(kind)}
}
