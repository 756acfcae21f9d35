// Package tokentest makes service accounts' JWTs for tests: good ones, and ones that nobody
// may ever accept.
package tokentest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Account is a service account that signs: its key pair, key ID and account ID.
type Account struct {
	Key    *rsa.PrivateKey
	KeyID  string
	Issuer int64
}

var pair = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// Key is an RSA key pair, the same one for the whole test.
func Key() *rsa.PrivateKey { return pair() }

// PublicPEM is the public half, as it is uploaded.
func PublicPEM(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Good is a JWT that is good for five minutes.
func (a *Account) Good(now time.Time) string {
	return a.Sign(a.header(), a.claims(now.Unix(), now.Unix()+300))
}

// Sign signs any header and claims with RS256.
func (a *Account) Sign(header, claims string) string {
	return a.sign(encode(header) + "." + encode(claims))
}

func (a *Account) sign(signed string) string {
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, a.Key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + encode(string(signature))
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func (a *Account) header() string { return `{"alg":"RS256","kid":"` + a.KeyID + `","typ":"JWT"}` }

func (a *Account) claims(iat, exp int64) string {
	return fmt.Sprintf(`{"iss":%d,"iat":%d,"exp":%d}`, a.Issuer, iat, exp)
}

// Case is a JWT that must be refused.
type Case struct{ Name, JWT string }

type table struct {
	a     *Account
	now   int64
	cases []Case
}

func (t *table) add(name, jwt string) { t.cases = append(t.cases, Case{name, jwt}) }

// header adds a JWT that is good but for its header.
func (t *table) header(name, header string) {
	t.add("header: "+name, t.a.Sign(header, t.a.claims(t.now, t.now+300)))
}

// claims adds a JWT that is good but for its claims.
func (t *table) claims(name, claims string) {
	t.add("claims: "+name, t.a.Sign(t.a.header(), claims))
}

// Hostile lists JWTs that must all be refused with one and the same answer. Nearly all are
// signed with the account's own key, so that nothing but the fault named refuses them.
func (a *Account) Hostile(now time.Time) []Case {
	t := &table{a: a, now: now.Unix()}
	t.algorithms()
	t.foreignKeys()
	t.headers()
	t.forms()
	t.times()
	t.issuers()
	t.json()
	t.sizes()
	return t.cases
}

// algorithms: none, confusion of public keys with shared secrets, and all others.
func (t *table) algorithms() {
	a := t.a
	with := func(alg string) string { return `{"alg":` + alg + `,"kid":"` + a.KeyID + `","typ":"JWT"}` }
	claims := encode(a.claims(t.now, t.now+300))
	for _, alg := range []string{`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `""`, `null`, `0`, `["RS256"]`, `{"alg":"RS256"}`, `true`} {
		signed := encode(with(alg)) + "." + claims
		t.add("algorithm "+alg+" without a signature", signed+".")
		t.add("algorithm "+alg+" with a signature", a.sign(signed))
	}
	for _, alg := range []string{"rs256", "RS256 ", " RS256", "RS-256", "RS256\\u0000", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "HS256", "RSA-OAEP", "dir", "RS1"} {
		t.header("algorithm "+alg+" over RS256", with(`"`+alg+`"`))
	}
	public, err := x509.MarshalPKIXPublicKey(&a.Key.PublicKey)
	if err != nil {
		panic(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(&a.Key.PublicKey)
	for name, key := range map[string][]byte{
		"PKIX DER": public, "PKCS #1 DER": pkcs1, "PEM": []byte(PublicPEM(a.Key)), "trimmed PEM": []byte(strings.TrimSpace(PublicPEM(a.Key))),
		"modulus": a.Key.N.Bytes(), "nothing": nil, "key ID": []byte(a.KeyID),
	} {
		for _, alg := range []string{"HS256", "RS256"} {
			signed := encode(with(`"`+alg+`"`)) + "." + claims
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(signed))
			t.add(alg+" keyed with the public key's "+name, signed+"."+encode(string(mac.Sum(nil))))
		}
	}
	t.signatures(with, claims)
}

// signatures of the right key with the wrong scheme.
func (t *table) signatures(with func(string) string, claims string) {
	a := t.a
	for _, alg := range []string{"RS256", "PS256"} {
		signed := encode(with(`"`+alg+`"`)) + "." + claims
		sum := sha256.Sum256([]byte(signed))
		signature, err := rsa.SignPSS(rand.Reader, a.Key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		if err != nil {
			panic(err)
		}
		t.add(alg+" with a PSS signature", signed+"."+encode(string(signature)))
	}
	for _, alg := range []string{"RS256", "RS512"} {
		signed := encode(with(`"`+alg+`"`)) + "." + claims
		sum := sha512.Sum512([]byte(signed))
		signature, err := rsa.SignPKCS1v15(nil, a.Key, crypto.SHA512, sum[:])
		if err != nil {
			panic(err)
		}
		t.add(alg+" with a signature over SHA-512", signed+"."+encode(string(signature)))
	}
	signed := encode(with(`"RS256"`)) + "." + claims
	raw, err := rsa.SignPKCS1v15(nil, a.Key, 0, []byte("no digest at all"))
	if err != nil {
		panic(err)
	}
	t.add("a signature without a digest's name", signed+"."+encode(string(raw)))
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256([]byte(signed))
	asn, err := ecdsa.SignASN1(rand.Reader, ec, sum[:])
	if err != nil {
		panic(err)
	}
	t.add("an ECDSA signature", signed+"."+encode(string(asn)))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	t.add("an Ed25519 signature", signed+"."+encode(string(ed25519.Sign(ed, []byte(signed)))))
	for _, n := range []int{0, 1, 32, 255, 256, 257, 512} {
		t.add("a signature of "+strconv.Itoa(n)+" zero bytes", signed+"."+encode(string(make([]byte, n))))
	}
	one := make([]byte, 256)
	one[255] = 1
	t.add("the number one as signature", signed+"."+encode(string(one)))
	t.add("the modulus as signature", signed+"."+encode(string(a.Key.N.Bytes())))
}

// foreignKeys: another key's signature, and headers that bring or name a key.
func (t *table) foreignKeys() {
	a := t.a
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	foreign := &Account{Key: key, KeyID: a.KeyID, Issuer: a.Issuer}
	claims := a.claims(t.now, t.now+300)
	t.add("another key's signature", foreign.Sign(a.header(), claims))
	jwk := `{"kty":"RSA","n":"` + encode(string(key.N.Bytes())) + `","e":"AQAB"}`
	own := `{"kty":"RSA","n":"` + encode(string(a.Key.N.Bytes())) + `","e":"AQAB"}`
	for name, member := range map[string]string{
		"jwk": `"jwk":` + jwk, "jku": `"jku":"https://attacker.example/keys.json"`, "x5u": `"x5u":"https://attacker.example/chain.pem"`,
		"x5c": `"x5c":["MIIB"]`, "crit": `"crit":["exp"],"exp":1`, "empty crit": `"crit":[]`, "unknown crit": `"crit":["x"],"x":1`,
		"b64": `"b64":false`, "b64 with crit": `"b64":false,"crit":["b64"]`, "zip": `"zip":"DEF"`, "enc": `"enc":"A128GCM"`,
		"jku of a file": `"jku":"file:///etc/passwd"`, "jwk null": `"jwk":null`,
	} {
		header := `{"alg":"RS256","kid":"` + a.KeyID + `",` + member + `}`
		t.add(name+", signed with that key", foreign.Sign(header, claims))
		t.add(name+", signed with the right key", a.Sign(header, claims))
	}
	t.header("its own key as jwk", `{"alg":"RS256","kid":"`+a.KeyID+`","jwk":`+own+`}`)
}

func (t *table) headers() {
	a := t.a
	for name, kid := range map[string]string{
		"missing": "", "empty": `,"kid":""`, "null": `,"kid":null`, "a number": `,"kid":1`, "a list": `,"kid":["` + a.KeyID + `"]`,
		"unknown": `,"kid":"00000000-0000-4000-8000-000000000000"`, "in capitals": `,"kid":"` + strings.ToUpper(a.KeyID) + `"`,
		"with a space": `,"kid":" ` + a.KeyID + `"`, "without hyphens": `,"kid":"` + strings.ReplaceAll(a.KeyID, "-", "") + `"`,
		"in braces": `,"kid":"{` + a.KeyID + `}"`, "a path": `,"kid":"../../../../dev/null"`, "SQL": `,"kid":"x' OR '1'='1"`,
		"with a zero byte": `,"kid":"` + a.KeyID + `\u0000"`, "very long": `,"kid":"` + strings.Repeat("a", 500) + `"`, "twice": `,"kid":"` + a.KeyID + `","kid":"` + a.KeyID + `"`,
	} {
		t.header("kid "+name, `{"alg":"RS256"`+kid+`,"typ":"JWT"}`)
	}
	for _, typ := range []string{`"at+jwt"`, `"application/at+jwt"`, `"session+jwt"`, `"JWE"`, `"JWT "`, `""`, `null`, `1`, `["JWT"]`, `"logout+jwt"`} {
		t.header("typ "+typ, `{"alg":"RS256","kid":"`+a.KeyID+`","typ":`+typ+`}`)
	}
	t.header("alg missing", `{"kid":"`+a.KeyID+`","typ":"JWT"}`)
	t.header("alg twice", `{"alg":"none","alg":"RS256","kid":"`+a.KeyID+`"}`)
	t.header("alg twice, escaped", `{"alg":"RS256","\u0061lg":"none","kid":"`+a.KeyID+`"}`)
	t.header("alg in capitals", `{"ALG":"RS256","kid":"`+a.KeyID+`"}`)
	t.header("no object", `["RS256","`+a.KeyID+`"]`)
	t.header("a string", `"RS256"`)
	t.header("not closed", `{"alg":"RS256","kid":"`+a.KeyID+`"`)
	t.header("closed twice", a.header()+"}")
	t.header("followed by another", a.header()+a.header())
	t.header("with a comma at the end", `{"alg":"RS256","kid":"`+a.KeyID+`",}`)
	t.header("with a comment", `{"alg":"RS256","kid":"`+a.KeyID+`"/**/}`)
	t.header("in single quotes", `{'alg':'RS256','kid':'`+a.KeyID+`'}`)
	t.header("with a byte order mark", "\ufeff"+a.header())
	t.header("empty", "")
	t.header("of invalid UTF-8", strings.Replace(a.header(), "JWT", "J\xffT", 1))
	t.header("in UTF-16", strings.Join(strings.Split(a.header(), ""), "\x00"))
}

// forms: what is not three parts of strict base64url.
func (t *table) forms() {
	a := t.a
	good := a.Sign(a.header(), a.claims(t.now, t.now+300))
	part := strings.Split(good, ".")
	join := func(parts ...string) string { return strings.Join(parts, ".") }
	t.add("two parts", join(part[0], part[1]))
	t.add("an empty signature", join(part[0], part[1], ""))
	t.add("four parts", good+"."+part[2])
	t.add("five parts", join(part[0], "", "", part[1], part[2]))
	t.add("no header", join("", part[1], part[2]))
	t.add("no claims", join(part[0], "", part[2]))
	t.add("a dot behind", good+".")
	t.add("a dot before", "."+good)
	for _, pad := range []string{"=", "==", "%3D", "\n", "\r\n", " ", "\t", "\x00", "+", "/", "~", "\u00e9", "."} {
		t.add(fmt.Sprintf("%q behind", pad), good+pad)
		t.add(fmt.Sprintf("%q in the signature", pad), join(part[0], part[1], part[2][:40]+pad+part[2][40:]))
	}
	t.add("padded parts, signed so", a.sign(pad(part[0])+"."+pad(part[1])))
	t.add("a line break in the header, signed so", a.sign(part[0][:8]+"\n"+part[0][8:]+"."+part[1]))
	t.add("standard base64", join(part[0], part[1], standard(part[2])))
	t.add("stray bits at the end of the signature", join(part[0], part[1], stray(part[2])))
	for _, spaces := range []string{"", " ", "  "} { // one of them leaves stray room
		p := encode(a.claims(t.now, t.now+300) + spaces)
		if len(p)%4 != 0 {
			t.add("stray bits at the end of the claims, signed so, "+strconv.Itoa(len(p)%4), a.sign(part[0]+"."+stray(p)))
		}
	}
	t.add("claims of another", join(part[0], encode(a.claims(t.now, t.now+301)), part[2]))
	t.add("header of another", join(encode(`{"kid":"`+a.KeyID+`","alg":"RS256"}`), part[1], part[2]))
	t.add("the first bit of the signature turned", join(part[0], part[1], turned(part[2])))
	t.add("the signature cut by a byte", join(part[0], part[1], encode(string(decoded(part[2])[:255]))))
	t.add("a zero byte before the signature", join(part[0], part[1], encode("\x00"+string(decoded(part[2])))))
	t.add("a zero byte behind the signature", join(part[0], part[1], encode(string(decoded(part[2]))+"\x00")))
	t.add("the JSON serialization", `{"protected":"`+part[0]+`","payload":"`+part[1]+`","signature":"`+part[2]+`"}`)
	t.add("encoded twice", encode(good))
	t.add("upper case", strings.ToUpper(good))
	t.add("detached claims", join(part[0], "", part[2]))
}

func pad(s string) string {
	if n := len(s) % 4; n > 0 {
		return s + strings.Repeat("=", 4-n)
	}
	return s + "="
}

func standard(s string) string {
	return strings.NewReplacer("-", "+", "_", "/").Replace(s) + "=="
}

func decoded(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// stray sets a bit that belongs to no byte. The text has a length that leaves some.
func stray(s string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(digits, s[len(s)-1])
	return s[:len(s)-1] + string(digits[last|1])
}

func turned(s string) string {
	b := decoded(s)
	b[0] ^= 0x80
	return encode(string(b))
}

func (t *table) times() {
	a := t.a
	iss := `{"iss":` + strconv.FormatInt(a.Issuer, 10)
	at := func(n int64) string { return strconv.FormatInt(t.now+n, 10) }
	t.claims("no iat", iss+`,"exp":`+at(300)+`}`)
	t.claims("no exp", iss+`,"iat":`+at(0)+`}`)
	t.claims("neither iat nor exp", iss+`}`)
	t.claims("an hour and a second long", a.claims(t.now, t.now+3601))
	t.claims("a day long", a.claims(t.now, t.now+86400))
	t.claims("over a minute ago", a.claims(t.now-300, t.now-60))
	t.claims("over long ago", a.claims(t.now-7200, t.now-3700))
	t.claims("from the future", a.claims(t.now+180, t.now+300))
	t.claims("from next year", a.claims(t.now+31536000, t.now+31536300))
	t.claims("no time long", a.claims(t.now, t.now))
	t.claims("ending before it begins", a.claims(t.now+10, t.now+5))
	t.claims("not before later", iss+`,"iat":`+at(0)+`,"exp":`+at(600)+`,"nbf":`+at(300)+`}`)
	t.claims("nbf as text", iss+`,"iat":`+at(0)+`,"exp":`+at(300)+`,"nbf":"`+at(0)+`"}`)
	t.claims("nbf null", iss+`,"iat":`+at(0)+`,"exp":`+at(300)+`,"nbf":null}`)
	for _, bad := range []string{
		`"%s"`, `null`, `true`, `[%s]`, `{"v":%s}`, `-%s`, `%se0`, `%sE1`, `0x65000000`, `+%s`, `0%s`, `%s.`, `.5`, `1e10`, `1e999`, `-1e999`,
		`NaN`, `Infinity`, `9223372036854775807`, `9223372036854775808`, `18446744073709551616`, `340282366920938463463374607431768211456`, `1e-9`, `-0`, `0`, `%s000`,
		`%s.5e1`, `1_000_000`, `""`,
	} {
		value := func(n int64) string { return strings.ReplaceAll(bad, "%s", at(n)) }
		t.claims("iat "+bad, iss+`,"iat":`+value(0)+`,"exp":`+at(300)+`}`)
		t.claims("exp "+bad, iss+`,"iat":`+at(0)+`,"exp":`+value(300)+`}`)
	}
	t.claims("times that overflow together", iss+`,"iat":-9223372036854775808,"exp":9223372036854775807}`)
	t.claims("times beyond every calendar", iss+`,"iat":99999999999,"exp":99999999999.5}`)
}

func (t *table) issuers() {
	at := `,"iat":` + strconv.FormatInt(t.now, 10) + `,"exp":` + strconv.FormatInt(t.now+300, 10) + `}`
	id := strconv.FormatInt(t.a.Issuer, 10)
	for _, iss := range []string{
		strconv.FormatInt(t.a.Issuer+1, 10), `"` + strconv.FormatInt(t.a.Issuer+1, 10) + `"`, id + ".0", id + "e0", "-" + id, "0" + id, `" ` + id + `"`, `"` + id + ` "`,
		`"0` + id + `"`, `"+` + id + `"`, `"` + id + `.0"`, `[` + id + `]`, `["` + id + `"]`, `{"id":` + id + `}`, `null`, `true`, `""`, `0`, `"*"`, id + "0",
		`"` + id + `\u0000"`, `1e300`, `"claviger"`,
	} {
		t.claims("iss "+iss, `{"iss":`+iss+at)
	}
	t.claims("no iss", `{"sub":"x"`+at)
	t.claims("iss under another case", `{"ISS":`+id+at)
	t.claims("iss twice", `{"iss":`+strconv.FormatInt(t.a.Issuer+1, 10)+`,"iss":`+id+at)
}

func (t *table) json() {
	good := t.a.claims(t.now, t.now+300)
	inner := strings.TrimSuffix(good, "}")
	t.claims("exp twice", inner+`,"exp":`+strconv.FormatInt(t.now+300, 10)+`}`)
	t.claims("iat twice, escaped", inner+`,"\u0069at":`+strconv.FormatInt(t.now, 10)+`}`)
	t.claims("a name twice that means nothing", inner+`,"x":1,"x":2}`)
	t.claims("a name twice below the top", inner+`,"x":{"y":1,"y":2}}`)
	t.claims("a byte order mark", "\ufeff"+good)
	t.claims("a byte order mark behind", good+"\ufeff")
	t.claims("two objects", good+good)
	t.claims("something behind", good+"x")
	t.claims("a zero byte behind", good+"\x00")
	t.claims("a comma at the end", inner+",}")
	t.claims("a list", "["+good+"]")
	t.claims("empty", "")
	t.claims("null", "null")
	t.claims("a string", `"`+strings.ReplaceAll(good, `"`, `\"`)+`"`)
	t.claims("not closed", inner)
	t.claims("invalid UTF-8", inner+",\"x\":\"\xff\"}")
	t.claims("invalid UTF-8 in a name", inner+",\"\xc3\x28\":1}")
	t.claims("a lone surrogate", inner+`,"x":"\ud800"}`)
	t.claims("surrogates the wrong way round", inner+`,"x":"\udc00\ud800"}`)
	t.claims("a control character in a string", inner+",\"x\":\"\n\"}")
	t.claims("an unknown escape", inner+`,"x":"\x41"}`)
	t.claims("half an escape", inner+`,"x":"\u00"}`)
	t.claims("a comment", inner+"/* */}")
	t.claims("a name without quotes", strings.Replace(good, `"iss"`, "iss", 1))
	t.claims("a deep list", inner+`,"x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`}`)
	t.claims("a deep object", inner+`,"x":`+strings.Repeat(`{"x":`, 500)+"1"+strings.Repeat("}", 500)+`}`)
	t.claims("vertical tabs for spaces", strings.Replace(good, ",", ",\v", 1))
	t.claims("a no-break space", strings.Replace(good, ",", ",\u00a0", 1))
	var many strings.Builder
	for n := range 200 {
		fmt.Fprintf(&many, `,"m%d":%d`, n, n)
	}
	t.claims("two hundred members", inner+many.String()+"}")
}

func (t *table) sizes() {
	good := t.a.claims(t.now, t.now+300)
	inner := strings.TrimSuffix(good, "}")
	for _, n := range []int{6 << 10, 8 << 10, 15 << 10} {
		t.claims(strconv.Itoa(n)+" bytes", inner+`,"x":"`+strings.Repeat("x", n)+`"}`)
	}
	t.add("a signature of 10 KiB", encode(t.a.header())+"."+encode(good)+"."+strings.Repeat("A", 10<<10))
	t.add("a header of 10 KiB", t.a.Sign(strings.Replace(t.a.header(), "{", `{"x":"`+strings.Repeat("x", 10<<10)+`",`, 1), good))
	t.add("nothing but dots", "e"+strings.Repeat(".", 4000))
}
