package token_test

import (
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/token/tokentest"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func account() *tokentest.Account {
	return &tokentest.Account{Key: tokentest.Key(), KeyID: "9b2d7a80-1c7e-4e0e-8a6b-2f6f7f5f0a01", Issuer: 1234567}
}

// read reads a JWT as package verify does, and returns what refuses it.
func read(a *tokentest.Account, jwt string, now time.Time) token.Fault {
	if !token.Looks(jwt) {
		return token.BadForm
	}
	p, fault := token.Parse(jwt)
	if fault != token.None {
		return fault
	}
	if p.Own() {
		return token.BadType
	}
	got, fault := p.Assertion()
	if fault != token.None {
		return fault
	}
	if fault := got.When(now.UnixMicro()); fault != token.None {
		return fault
	}
	switch {
	case got.KeyID != a.KeyID:
		return token.UnknownKey
	case got.Issuer != "1234567":
		return token.OtherIssuer
	case !got.SignedBy(&a.Key.PublicKey):
		return token.BadSignature
	}
	return token.None
}

// VX4: nothing else is accepted as valid.
func TestHostileAssertions(t *testing.T) {
	a := account()
	if fault := read(a, a.Good(noon), noon); fault != token.None {
		t.Fatalf("a good one: %s", fault)
	}
	cases := a.Hostile(noon)
	if len(cases) < 150 {
		t.Fatalf("%d cases, want 150 and more", len(cases))
	}
	faults, seen := map[token.Fault]int{}, map[string]string{}
	for _, c := range cases {
		fault := read(a, c.JWT, noon)
		if fault == token.None {
			t.Errorf("accepted: %s", c.Name)
		}
		faults[fault]++
		if other, twice := seen[c.JWT]; twice {
			t.Logf("%s is the same as %s", c.Name, other)
		}
		seen[c.JWT] = c.Name
	}
	t.Logf("%d cases, %d different: %v", len(cases), len(seen), faults)
}
