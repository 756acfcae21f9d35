package authority_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"

	"github.com/claviger-io/claviger/internal/token"
)

// publicKey is a new RSA public key as PEM. No private key belongs to it: nothing here
// signs, and making real pairs takes long.
func (w *world) publicKey() string {
	w.Helper()
	for {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 2047))
		w.must(err)
		n.SetBit(n.SetBit(n, 2047, 1), 0, 1)
		if key := (&rsa.PublicKey{N: n, E: 65537}); token.CheckNewRSA(key) == nil {
			return w.pem(key)
		}
	}
}

func (w *world) pem(key any) string {
	w.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	w.must(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
