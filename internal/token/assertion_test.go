package token_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/token/tokentest"
)

// VX4: what is accepted, at the edges of what VX4 says.
func TestGoodAssertions(t *testing.T) {
	a := account()
	header := `{"alg":"RS256","kid":"` + a.KeyID + `","typ":"JWT"}`
	claims := func(iss string, iat, exp int64, more string) string {
		return fmt.Sprintf(`{"iss":%s,"iat":%d,"exp":%d%s}`, iss, iat, exp, more)
	}
	now := noon.Unix()
	for name, jwt := range map[string]string{
		"a number for issuer":    a.Sign(header, claims("1234567", now, now+300, "")),
		"a text for issuer":      a.Sign(header, claims(`"1234567"`, now, now+300, "")),
		"an hour long":           a.Sign(header, claims("1234567", now, now+3600, "")),
		"a second long":          a.Sign(header, claims("1234567", now, now+1, "")),
		"59 seconds over":        a.Sign(header, claims("1234567", now-300, now-59, "")),
		"a minute ahead":         a.Sign(header, claims("1234567", now+60, now+300, "")),
		"times with a fraction":  a.Sign(header, fmt.Sprintf(`{"iss":1234567,"iat":%d.25,"exp":%d.123456789}`, now, now+300)),
		"nbf now":                a.Sign(header, claims("1234567", now, now+300, fmt.Sprintf(`,"nbf":%d`, now))),
		"no type":                a.Sign(`{"alg":"RS256","kid":"`+a.KeyID+`"}`, claims("1234567", now, now+300, "")),
		"a type in small":        a.Sign(`{"typ":"jwt","alg":"RS256","kid":"`+a.KeyID+`"}`, claims("1234567", now, now+300, "")),
		"other header members":   a.Sign(`{"alg":"RS256","kid":"`+a.KeyID+`","x5t":"abc","cty":"x"}`, claims("1234567", now, now+300, "")),
		"other claims":           a.Sign(header, claims("1234567", now, now+300, `,"sub":"x","aud":["a","b"],"jti":"1","nested":{"a":[1,{"b":null}],"c":-1.5e3}`)),
		"spaces and line breaks": a.Sign("{ \"alg\" : \"RS256\",\n\t\"kid\":\""+a.KeyID+"\" }\r\n", " "+claims("1234567", now, now+300, "")+"\n"),
		"escapes":                a.Sign(header, claims("1234567", now, now+300, `,"x":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é😀"`)),
		"an escaped name":        a.Sign(header, fmt.Sprintf(`{"i\u0073s":1234567,"iat":%d,"exp":%d}`, now, now+300)),
	} {
		if fault := read(a, jwt, noon); fault != token.None {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// Go-jose signs as any client does, and takes what is taken here.
func TestAssertionsOfAnotherLibrary(t *testing.T) {
	a := account()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: a.Key, KeyID: a.KeyID}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jwt.Signed(signer).Claims(map[string]any{"iss": 1234567, "iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix()}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	if fault := read(a, raw, noon); fault != token.None {
		t.Error(fault)
	}
	mustParse(t, a, a.Good(noon))
}

// mustParse reads a JWT with go-jose and encoding/json, and returns its claims.
func mustParse(t *testing.T, a *tokentest.Account, raw string) map[string]any {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatalf("go-jose does not read what is taken here: %v", err)
	}
	payload, err := parsed.Verify(&a.Key.PublicKey)
	if err != nil {
		t.Fatalf("go-jose finds the signature wrong: %v", err)
	}
	d := json.NewDecoder(strings.NewReader(string(payload)))
	d.UseNumber()
	var claims map[string]any
	if err := d.Decode(&claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// Whatever is taken here, go-jose takes too, with the same claims; nothing panics. Header
// and claims are signed, so that what is tried is what comes after the signature.
func FuzzAssertion(f *testing.F) {
	a := account()
	f.Add(`{"alg":"RS256","kid":"`+a.KeyID+`","typ":"JWT"}`, fmt.Sprintf(`{"iss":1234567,"iat":%d,"exp":%d}`, noon.Unix(), noon.Unix()+300))
	f.Add(`{"alg":"RS256","kid":"`+a.KeyID+`"}`, fmt.Sprintf(`{"iss":"1234567","iat":%d.5,"exp":%d,"x":{"y":[1,"\u00e9",null,true]}}`, noon.Unix(), noon.Unix()+3600))
	f.Add(`{"alg":"none","kid":"`+a.KeyID+`"}`, `{"iss":1234567,"iat":1,"exp":2,"iat":3}`)
	f.Add(`{"\u0061lg":"RS256","kid":"`+a.KeyID+`","crit":[]}`, `{"iss":1e6,"iat":99999999999.5,"exp":1E5}`)
	for i, c := range a.Hostile(noon) {
		if part := strings.Split(c.JWT, "."); i%7 == 0 && len(part) == 3 {
			f.Add(part[0], part[1])
		}
	}
	f.Fuzz(func(t *testing.T, header, claims string) {
		_ = read(a, header+"."+claims, noon) // as it is
		jwt := a.Sign(header, claims)
		if read(a, jwt, noon) != token.None {
			return
		}
		got := mustParse(t, a, jwt)
		if iss := fmt.Sprint(got["iss"]); iss != "1234567" {
			t.Errorf("iss is %q", iss)
		}
		times := map[string]float64{}
		for _, name := range []string{"iat", "exp"} {
			n, ok := got[name].(json.Number)
			if !ok {
				t.Fatalf("%s is a %T", name, got[name])
			}
			var err error
			if times[name], err = n.Float64(); err != nil {
				t.Fatal(err)
			}
		}
		now := float64(noon.Unix())
		if life := times["exp"] - times["iat"]; life <= -1e-3 || life > 3600+1e-3 || times["iat"] > now+60+1e-3 || times["exp"]+60 < now-1e-3 {
			t.Errorf("taken with iat %v and exp %v at %v", times["iat"], times["exp"], now)
		}
	})
}

func BenchmarkAssertion(b *testing.B) {
	a := account()
	raw := a.Good(noon)
	b.Run("rsa alone", func(b *testing.B) {
		p, _ := token.Parse(raw)
		got, fault := p.Assertion()
		if fault != token.None {
			b.Fatal(fault)
		}
		for b.Loop() {
			if !got.SignedBy(&a.Key.PublicKey) {
				b.Fatal("wrong")
			}
		}
	})
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if fault := read(a, raw, noon); fault != token.None {
				b.Fatal(fault)
			}
		}
	})
}
