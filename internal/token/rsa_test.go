package token

import (
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"testing"

	"github.com/claviger-io/claviger/internal/token/tokentest"
)

func number(tb testing.TB, text string) *big.Int {
	tb.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	return new(big.Int).SetBytes(b)
}

// VX1: weak and known-bad keys are refused at upload.
func TestBadRSAKeys(t *testing.T) {
	good := tokentest.Key().N
	if err := CheckNewRSA(&rsa.PublicKey{N: good, E: 65537}); err != nil {
		t.Fatal(err)
	}
	// RFC 7515 A.2.
	published := number(t, "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ")
	for name, k := range map[string]*rsa.PublicKey{
		"1024 bits":               {N: new(big.Int).Rsh(good, 1024), E: 65537},
		"4104 bits":               {N: new(big.Int).SetBit(new(big.Int), 4103, 1), E: 65537},
		"exponent 3":              {N: good, E: 3},
		"exponent 65539":          {N: good, E: 65539},
		"even":                    {N: new(big.Int).SetBit(good, 0, 0), E: 65537},
		"a multiple of 3":         {N: multiple(good, 3), E: 65537},
		"a multiple of 997":       {N: multiple(good, 997), E: 65537},
		"primes close together":   {N: near(t), E: 65537},
		"a square":                {N: square(t), E: 65537},
		"of the faulty generator": {N: faulty(), E: 65537},
		"published":               {N: published, E: 65537},
	} {
		if CheckNewRSA(k) == nil {
			t.Errorf("accepted: %s", name)
		}
	}
}

// multiple is the next multiple of an odd number that is odd itself.
func multiple(n *big.Int, of int64) *big.Int {
	m := new(big.Int).Sub(n, new(big.Int).Mod(n, big.NewInt(of)))
	if m.Bit(0) == 0 {
		m.Add(m, big.NewInt(of))
	}
	return m
}

func nextPrime(p *big.Int) *big.Int {
	q := new(big.Int).Add(p, big.NewInt(2))
	for !q.ProbablyPrime(1) {
		q.Add(q, big.NewInt(2))
	}
	return q
}

func near(tb testing.TB) *big.Int {
	tb.Helper()
	p := tokentest.Key().Primes[0]
	return new(big.Int).Mul(p, nextPrime(p))
}

func square(tb testing.TB) *big.Int {
	tb.Helper()
	p := tokentest.Key().Primes[0]
	return new(big.Int).Mul(p, p)
}

// faulty is a power of 65537 modulo all the small primes, as the keys of CVE-2017-15361
// are, built by the Chinese remainder theorem.
func faulty() *big.Int {
	n, m := big.NewInt(1), big.NewInt(2)
	for _, p := range fingerprintPrimes {
		for new(big.Int).Mod(n, big.NewInt(p)).Int64() != 65537%p {
			n.Add(n, m)
		}
		m.Mul(m, big.NewInt(p))
	}
	// A multiple of the product moves it to 2,048 bits and changes no remainder.
	k := new(big.Int).Div(new(big.Int).SetBit(new(big.Int), 2047, 1), m)
	k.Add(k, big.NewInt(1))
	for {
		v := new(big.Int).Add(n, new(big.Int).Mul(k, m))
		if !smallFactor(v) {
			return v
		}
		k.Add(k, big.NewInt(1))
	}
}

func TestFingerprintSparesOtherKeys(t *testing.T) {
	n := new(big.Int).Set(tokentest.Key().N)
	for range 10_000 {
		if n.Add(n, big.NewInt(2)); fingerprinted(n) {
			t.Fatalf("%x", n)
		}
	}
}
