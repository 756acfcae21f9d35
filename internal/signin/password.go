package signin

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"github.com/claviger-io/claviger/internal/problem"
)

// Bounds of a password, in characters after NFKC.
const (
	MinPassword = 12
	MaxPassword = 128
)

// ValidatePassword checks a new password: 12 to 128 characters and not the user name. The
// problem names the pointer and never the password.
func ValidatePassword(pointer, password, username string) error {
	if !utf8.ValidString(password) {
		return problem.InvalidField(pointer, "Choose a password that is valid text.")
	}
	switch n := utf8.RuneCountInString(norm.NFKC.String(password)); {
	case n < MinPassword:
		return problem.InvalidField(pointer, "Choose a password of at least 12 characters.")
	case n > MaxPassword:
		return problem.InvalidField(pointer, "Choose a password of at most 128 characters.")
	}
	if folded := Fold(password); folded == Fold(username) || strings.ReplaceAll(folded, Fold(username), "") == "" {
		return problem.InvalidField(pointer, "Choose a password that is not the user name.")
	}
	return nil
}

// hasher hashes passwords, few at a time: each takes megabytes and milliseconds, and a
// flood of sign-ins must not take all of either.
type hasher struct {
	params *argon2id.Params
	slots  chan struct{}
	// nobody is the hash compared with when there is no user, so that the work is equal.
	nobody string
}

func newHasher(params *argon2id.Params) (*hasher, error) {
	if params == nil {
		params = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	}
	nobody, err := argon2id.CreateHash("nobody has this password", params)
	if err != nil {
		return nil, fmt.Errorf("hashing: %w", err)
	}
	return &hasher{params: params, slots: make(chan struct{}, 2*runtime.GOMAXPROCS(0)), nobody: nobody}, nil
}

// take waits for a slot; an overloaded process says so instead of piling up memory.
func (h *hasher) take(ctx context.Context) (release func(), err error) {
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, problem.Wrap(ctx.Err())
	}
}

// hash returns the encoded argon2id hash of the password's NFKC form.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	release, err := h.take(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	encoded, err := argon2id.CreateHash(norm.NFKC.String(password), h.params)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return encoded, nil
}

// check compares. With an empty hash it does the same work and says no.
func (h *hasher) check(ctx context.Context, password, hash string) (bool, error) {
	release, err := h.take(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	if len(password) > 4*MaxPassword {
		password = password[:4*MaxPassword] // it can't be right; don't normalize a megabyte
		hash = ""
	}
	known := hash != ""
	if !known {
		hash = h.nobody
	}
	good, err := argon2id.ComparePasswordAndHash(norm.NFKC.String(password), hash)
	if err != nil {
		return false, fmt.Errorf("comparing a password: %w", err)
	}
	return good && known, nil
}

// HashPassword checks a new password against the rules and returns its encoded argon2id
// hash. pointer names the field for the problem.
func (m *Manager) HashPassword(ctx context.Context, pointer, password, username string) (string, error) {
	if err := ValidatePassword(pointer, password, username); err != nil {
		return "", err
	}
	return m.hasher.hash(ctx, password)
}
