package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"

	"github.com/claviger-io/claviger/internal/secret"
)

// halfOrder is half of the order of P-256. Of the two signatures (r, s) and (r, n-s), which
// are equally right, only the one with the smaller s is made and taken: so a token has one
// form.
var (
	order     = elliptic.P256().Params().N
	halfOrder = new(big.Int).Rsh(order, 1)
)

const es256Size = 64

// signer is the private half of a key.
type signer struct {
	ec  *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
}

func newSigner(alg Algorithm, private secret.Secret) (*signer, error) {
	der, err := base64.StdEncoding.DecodeString(private.Reveal())
	if err != nil {
		return nil, errKey
	}
	defer clear(der)
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errKey
	}
	switch p := parsed.(type) {
	case *ecdsa.PrivateKey:
		if alg == ES256 && p.Curve == elliptic.P256() {
			return &signer{ec: p}, nil
		}
	case *rsa.PrivateKey:
		if alg == RS256 {
			return &signer{rsa: p}, nil
		}
	}
	return nil, errKey
}

// sign returns the signature in the form of RFC 7518.
func (s *signer) sign(signed string) ([]byte, error) {
	sum := sha256.Sum256([]byte(signed))
	if s.rsa != nil {
		signature, err := rsa.SignPKCS1v15(nil, s.rsa, crypto.SHA256, sum[:])
		if err != nil {
			return nil, fmt.Errorf("signing: %w", err)
		}
		return signature, nil
	}
	r, v, err := ecdsa.Sign(rand.Reader, s.ec, sum[:])
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if v.Cmp(halfOrder) > 0 {
		v.Sub(order, v)
	}
	signature := make([]byte, es256Size)
	r.FillBytes(signature[:es256Size/2])
	v.FillBytes(signature[es256Size/2:])
	return signature, nil
}

// made reports whether the key's private half made the signature.
func (k *key) made(signed string, signature []byte) bool {
	sum := sha256.Sum256([]byte(signed))
	if k.rsa != nil {
		return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, sum[:], signature) == nil
	}
	if len(signature) != es256Size {
		return false
	}
	r, v := new(big.Int).SetBytes(signature[:es256Size/2]), new(big.Int).SetBytes(signature[es256Size/2:])
	return v.Cmp(halfOrder) <= 0 && ecdsa.Verify(k.ec, sum[:], r, v)
}
