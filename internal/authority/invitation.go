package authority

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/claviger-io/claviger/internal/secret"
)

// PurposeInvitation is the purpose of the one-time links that invite a user.
const PurposeInvitation = "invitation"

const purposeFirstAdmin = "first_admin"

// makeToken returns a one-time token of 256 bits and the hash that is stored of it.
func (a *Authority) makeToken() (token secret.Secret, hash []byte, err error) {
	var b [32]byte
	if _, err := io.ReadFull(a.rand, b[:]); err != nil {
		return token, nil, fmt.Errorf("making a one-time token: %w", err)
	}
	token = secret.New(base64.RawURLEncoding.EncodeToString(b[:]))
	return token, hashToken(token), nil
}

func hashToken(token secret.Secret) []byte {
	sum := sha256.Sum256([]byte(token.Reveal()))
	return sum[:]
}
