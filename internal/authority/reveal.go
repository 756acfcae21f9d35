package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/secret"
)

// RevealedKey is a credential with its secret.
type RevealedKey struct {
	Key
	Secret secret.Secret
}

func (a *Authority) RevealKey(ctx context.Context, caller access.Caller, in KeyInput) (out RevealedKey, err error) {
	return out, errUnfinished
}
