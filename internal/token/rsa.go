package token

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/claviger-io/claviger/internal/problem"
)

// The RSA keys that service accounts may have. Longer ones make verification slow.
const (
	LeastRSABits = 2048
	MostRSABits  = 4096
	RSAExponent  = 65537
)

func badKey(message string) error { return problem.New(problem.Invalid, "bad_rsa_key", message) }

// CheckRSA checks the form of a key, at every use: it is cheap. Its problem is Invalid.
func CheckRSA(k *rsa.PublicKey) error {
	if bits := k.N.BitLen(); bits < LeastRSABits || bits > MostRSABits || k.N.Bit(0) == 0 {
		return badKey(fmt.Sprintf("Use an RSA key of %d to %d bits.", LeastRSABits, MostRSABits))
	}
	if k.E != RSAExponent {
		return badKey(fmt.Sprintf("Use an RSA key with the public exponent %d.", RSAExponent))
	}
	return nil
}

// CheckNewRSA checks a key that someone brings: its form, and whether its private half is
// known to the world or easy to find. It costs about a millisecond. Its problem is Invalid.
func CheckNewRSA(k *rsa.PublicKey) error {
	if err := CheckRSA(k); err != nil {
		return err
	}
	switch {
	case published(k.N):
		return badKey("The private half of this key is published. Make a new pair.")
	case smallFactor(k.N), closePrimes(k.N), fingerprinted(k.N):
		return badKey("This key is weak: its private half can be computed. Make a new pair with another program.")
	}
	return nil
}

// primorial is the product of the odd primes below 1,000.
var primorial = func() *big.Int {
	p := big.NewInt(1)
	for n := int64(3); n < 1000; n += 2 {
		if big.NewInt(n).ProbablyPrime(0) {
			p.Mul(p, big.NewInt(n))
		}
	}
	return p
}()

func smallFactor(n *big.Int) bool {
	return new(big.Int).GCD(nil, nil, n, primorial).Cmp(big.NewInt(1)) != 0
}

// closeRounds is how far Fermat's method looks for two primes next to each other.
const closeRounds = 100

// closePrimes finds keys whose primes are so close that Fermat's method factors them at
// once (CVE-2022-26320).
func closePrimes(n *big.Int) bool {
	a := new(big.Int).Sqrt(n)
	one, b, root := big.NewInt(1), new(big.Int), new(big.Int)
	for range closeRounds {
		if b.Mul(a, a); b.Cmp(n) >= 0 {
			b.Sub(b, n)
			if root.Sqrt(b); root.Mul(root, root).Cmp(b) == 0 {
				return true
			}
		}
		a.Add(a, one)
	}
	return false
}

// fingerprintPrimes are those by which the keys of a faulty generator are known
// (CVE-2017-15361): modulo each, they are a power of 65537, which of other keys about one in
// a hundred million is.
var fingerprintPrimes = []int64{
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73,
	79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
}

func fingerprinted(n *big.Int) bool {
	rest := new(big.Int)
	for _, p := range fingerprintPrimes {
		want := rest.Mod(n, big.NewInt(p)).Int64()
		power, found := int64(1), false
		for range p {
			if power == want {
				found = true
				break
			}
			power = power * RSAExponent % p
		}
		if !found {
			return false
		}
	}
	return true
}

// publishedModuli are SHA-256 of the moduli of keys whose private halves stand in
// documents that everyone reads, and copies from.
var publishedModuli = map[string]bool{
	"26d6872d476b20e7eaa7cc894dcbc03f2347e88fb8cb46066642213cacf257d5": true, // RFC 7515 A.2
	"cfd9828d5c4be180a7f4eb8b33725769db37cf9d3e7e71e3522158c39b34537c": true, // RFC 7517 A.1
	"3cddc52754c3ed62adfa8db8243e084101b33b92ae29c3d78fcde8d84d0be8c2": true, // RFC 7517 C.1
	"91c2c702c0240040ba2a82a55357ac081cbac4b463632d77efa71d25b2c2b2a2": true, // RFC 7520 3.4
	"2da8a492573f9cd453d9a68d7a24c62b4c2c8bd0c3497283ff438b606f65e0d3": true, // jwt.io, the example of RS256
	"bc36b242df011f1bee2b193f00bbc1d78dd9af5dcb2cf6df9cea7e58dbdb9225": true, // jwt.io, the one before
}

func published(n *big.Int) bool {
	sum := sha256.Sum256(n.Bytes())
	return publishedModuli[hex.EncodeToString(sum[:])]
}
