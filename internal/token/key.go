package token

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/claviger-io/claviger/internal/secret"
)

// Algorithm signs the installation's own tokens.
type Algorithm string

// The algorithms (RFC 7518 §3.1). ES256 is the default: its signatures are short and cheap.
const (
	ES256 Algorithm = "ES256"
	RS256 Algorithm = "RS256"
)

// Valid reports whether a is one of the algorithms.
func (a Algorithm) Valid() bool { return a == ES256 || a == RS256 }

// signingBits is the size of the installation's own RSA keys.
const signingBits = 2048

// SigningKey is a signing key as it is kept: the private half sealed, and when it signs.
type SigningKey struct {
	ID        string // kid: made of the public key
	Algorithm Algorithm
	Public    []byte // PKIX DER
	Sealed    []byte // PKCS #8 DER in base64, sealed for this ID; nil where it is not needed
	CreatedAt time.Time
	// SignsFrom is when it takes over from the one before. It is published earlier, so that
	// whoever checks tokens offline knows it by then.
	SignsFrom time.Time
	// VerifiesUntil is when its last token is over, exclusive; zero while no other took over.
	VerifiesUntil time.Time
}

// GenerateSigningKey makes a key pair for an algorithm. The private half is PKCS #8 DER in
// base64, for Sealed.
func GenerateSigningKey(alg Algorithm) (k SigningKey, private secret.Secret, err error) {
	var public any
	var pair any
	switch alg {
	case ES256:
		made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return k, private, fmt.Errorf("making a signing key: %w", err)
		}
		pair, public = made, &made.PublicKey
	case RS256:
		made, err := rsa.GenerateKey(rand.Reader, signingBits)
		if err != nil {
			return k, private, fmt.Errorf("making a signing key: %w", err)
		}
		pair, public = made, &made.PublicKey
	default:
		return k, private, errors.New("making a signing key: the algorithm is neither ES256 nor RS256")
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		return k, private, fmt.Errorf("encoding a signing key: %w", err)
	}
	k.Algorithm = alg
	if k.Public, err = x509.MarshalPKIXPublicKey(public); err != nil {
		return k, private, fmt.Errorf("encoding a signing key: %w", err)
	}
	k.ID = keyID(k.Public)
	private = secret.New(base64.StdEncoding.EncodeToString(der))
	clear(der)
	return k, private, nil
}

// keyID names a key by its public half, so that no two are ever taken for each other.
func keyID(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// key is a signing key that tokens are checked with, and signed if its private half opens.
type key struct {
	SigningKey
	ec      *ecdsa.PublicKey
	rsa     *rsa.PublicKey
	headers [2]string // base64url of the header, by use
}

var errKey = errors.New("a signing key cannot be read, or is not of its algorithm")

func newKey(k SigningKey) (*key, error) {
	parsed, err := x509.ParsePKIXPublicKey(k.Public)
	if err != nil || k.ID != keyID(k.Public) {
		return nil, errKey
	}
	// What is kept is a copy: a list may come from a buffer that is used again.
	k.Public, k.Sealed = bytes.Clone(k.Public), bytes.Clone(k.Sealed)
	made := &key{SigningKey: k}
	switch p := parsed.(type) {
	case *ecdsa.PublicKey:
		if k.Algorithm != ES256 || p.Curve != elliptic.P256() {
			return nil, errKey
		}
		made.ec = p
	case *rsa.PublicKey:
		if k.Algorithm != RS256 || CheckRSA(p) != nil {
			return nil, errKey
		}
		made.rsa = p
	default:
		return nil, errKey
	}
	for i, use := range []Use{Access, Session} {
		// None of the three needs an escape.
		header := `{"alg":"` + string(k.Algorithm) + `","kid":"` + k.ID + `","typ":"` + use.headerType() + `"}`
		made.headers[i] = base64.RawURLEncoding.EncodeToString([]byte(header))
	}
	return made, nil
}

func (k *key) header(u Use) string {
	if u == Session {
		return k.headers[1]
	}
	return k.headers[0]
}
