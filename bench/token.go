package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/catalog"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/verify"
)

const (
	tokenPath      = "/oauth2/token"
	introspectPath = "/oauth2/introspect"

	repeatedTokens = 1_000 // that come again and again
	firstTokens    = 50    // in one round of those that come for the first time
	firstRounds    = 10    // of them to each round of other figures
)

// signers are a service account and an OAuth client of the site.
type signers struct {
	key     *rsa.PrivateKey
	keyID   string
	account int64
	basic   string // the client's Authorization header
}

// jwt is a service account's JWT; each number makes another.
func (s *signers) jwt(n int) (string, error) {
	now := time.Now().Unix()
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","kid":"`+s.keyID+`","typ":"JWT"}`)) + "." +
		encode(fmt.Appendf(nil, `{"iss":%d,"iat":%d,"exp":%d,"jti":"%d"}`, s.account, now, now+3600, n))
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, sum[:])
	return signed + "." + encode(signature), err
}

// measureTokens measures what OAuth and service accounts cost.
func measureTokens(ctx context.Context, o options, s *site, t *table) error {
	with, err := s.addSigners(ctx)
	if err != nil {
		return fmt.Errorf("adding signers: %w", err)
	}
	if err := s.measureFirstUse(ctx, o, with, t); err != nil {
		return err
	}
	claviger, err := s.serve(ctx, o, s.dir)
	if err != nil {
		return err
	}
	defer claviger.stop()
	var jwts, tokens []string
	for n := range repeatedTokens {
		jwt, err := with.jwt(n)
		if err != nil {
			return err
		}
		jwts = append(jwts, jwt)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"call_recordings:read"}}.Encode()
	for range repeatedTokens {
		r, err := ask(ctx, claviger.url+tokenPath, with.basic, form)
		if err != nil {
			return err
		}
		var answer struct {
			Token string `json:"access_token"`
		}
		if err := json.Unmarshal(r.body, &answer); err != nil || answer.Token == "" {
			return fmt.Errorf("a token request answers %d: %s", r.status, r.body)
		}
		tokens = append(tokens, answer.Token)
	}
	bearer := "Bearer " + s.verifier
	for _, f := range []tokenFace{
		{face{"token", "POST /oauth2/token, client_credentials with ES256", 0.10, 0, "≥ 0.10", ""}, tokenPath, []string{form}, form, with.basic, with.basic},
		{face{"verify", "a repeated service account's JWT, POST /v1/verify", 0.75, 0, "≥ 0.75", ""}, "/v1/verify", jwts, `{"credential":"` + jwts[0] + `","permissions":"call_recordings:read"}`, bearer, s.verifier},
		{face{"verify", "a repeated access token, POST /v1/verify", 0.75, 0, "≥ 0.75", ""}, "/v1/verify", tokens, `{"credential":"` + tokens[0] + `","permissions":"call_recordings:read"}`, bearer, s.verifier},
		{face{"introspect", "introspection of an access token, POST /oauth2/introspect", 0.75, 0, "≥ 0.75", ""}, introspectPath, tokens, "token=" + tokens[0], bearer, s.verifier},
		{face{"introspect", "introspection of an API key, POST /oauth2/introspect", 0.75, 0, "≥ 0.75", ""}, introspectPath, s.keys[:min(wrkKeys, len(s.keys))], "token=" + s.keys[0], bearer, s.verifier},
	} {
		if err := f.measure(ctx, o, s, claviger, t); err != nil {
			return err
		}
	}
	return nil
}

// tokenFace is a face with its requests.
type tokenFace struct {
	face
	path          string
	lines         []string // what the requests differ in
	one           string   // the body of one of them, to see what is answered
	authorization string   // of that one
	caller        string   // as the load's script wants it
}

func (f *tokenFace) measure(ctx context.Context, o options, s *site, claviger *server, t *table) error {
	answer, err := ask(ctx, claviger.url+f.path, f.authorization, f.one)
	if err != nil {
		return err
	}
	good := strings.Contains(string(answer.body), `"access_token"`) || strings.Contains(string(answer.body), `"active":true`) || strings.Contains(string(answer.body), `"valid":true`)
	if answer.status != http.StatusOK || !good {
		return fmt.Errorf("%s answers %d: %s", f.path, answer.status, answer.body)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	more := 0 // headers that OAuth asks for, which the bare handler does not send
	for name, values := range answer.header {
		if name != "Date" && name != "Content-Type" && name != "Content-Length" {
			more += len(name) + len(values[0]) + len(": \r\n")
		}
	}
	bare, err := spawn(ctx, self, bareCommand, "--body", string(answer.body), "--pad", strconv.Itoa(more))
	if err != nil {
		return err
	}
	defer bare.stop()
	script, file := filepath.Join(s.dir, "load.lua"), filepath.Join(s.dir, "load.lines")
	if err := os.WriteFile(script, loadScript, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(strings.Join(f.lines, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	load := func(srv *server, span time.Duration) (sample, error) {
		return runLoad(ctx, srv, span, script, file, f.name, f.caller)
	}
	return compare(o, f.face, load, bare, claviger, t)
}

// ask sends a form, or JSON where it looks like it.
func ask(ctx context.Context, to, authorization, body string) (reply, error) {
	kind := "application/x-www-form-urlencoded"
	if strings.HasPrefix(body, "{") {
		kind = "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", authorization)
	req.Header.Set("Content-Type", kind)
	return read(req)
}

// measureFirstUse compares a JWT that comes for the first time with one RSA verification and
// a key's verification together.
func (s *site) measureFirstUse(ctx context.Context, o options, with *signers, t *table) error {
	index, end, err := s.load(ctx)
	if err != nil {
		return err
	}
	defer end()
	var ratios, times []float64
	for round := range o.rounds * firstRounds {
		jwts := make([]string, firstTokens)
		for n := range jwts {
			if jwts[n], err = with.jwt(-1 - round*firstTokens - n); err != nil {
				return err
			}
		}
		alone, err := timeEach(jwts, func(jwt string) error { return verifyRSA(&with.key.PublicKey, jwt) })
		if err != nil {
			return err
		}
		decide := func(credential string) error {
			res, err := index.Verify(&verify.Request{Credential: credential, Permissions: "call_recordings:read"})
			if err == nil && !res.Valid {
				err = errors.New("a good one is " + string(res.Code))
			}
			return err
		}
		plain, err := timeEach(s.keys[:firstTokens], decide)
		if err != nil {
			return err
		}
		whole, err := timeEach(jwts, decide)
		if err != nil {
			return err
		}
		ratios, times = append(ratios, float64(whole-plain)/float64(alone)), append(times, float64(whole)/1000)
	}
	ratio := spreadOf(ratios)
	t.add(ratio.median <= 1.15, "first use of a service account's JWT less a key's verification, against one RSA verification",
		fmt.Sprintf("%s; %.1f µs", ratio, spreadOf(times).median), "≤ 1.15")
	return nil
}

func timeEach(list []string, do func(string) error) (time.Duration, error) {
	began := time.Now()
	for _, one := range list {
		if err := do(one); err != nil {
			return 0, err
		}
	}
	return time.Since(began) / time.Duration(len(list)), nil
}

// verifyRSA is nothing but the digest and the signature.
func verifyRSA(key *rsa.PublicKey, jwt string) error {
	at := strings.LastIndexByte(jwt, '.')
	signature, err := base64.RawURLEncoding.DecodeString(jwt[at+1:])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(jwt[:at]))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
}

// addSigners gives the issuer's tenant a service account and an OAuth client.
func (s *site) addSigners(ctx context.Context) (*signers, error) {
	n, err := node.OpenAuthority(ctx, node.Config{Database: s.url(), KeyringFile: filepath.Join(s.dir, "keyring.json")})
	if err != nil {
		return nil, err
	}
	with, err := s.makeSigners(ctx, n.Authority())
	if e := n.Close(); err == nil {
		err = e
	}
	return with, err
}

func (s *site) makeSigners(ctx context.Context, a *authority.Authority) (*signers, error) {
	system := authority.SystemCaller()
	if _, err := a.ChangeCatalog(ctx, system, authority.ChangeCatalogInput{Catalog: catalog.Demo()}); err != nil {
		return nil, err
	}
	roles, err := a.Roles(ctx, system, authority.RolesInput{Tenant: s.tenant})
	if err != nil {
		return nil, err
	}
	account, err := a.CreateServiceAccount(ctx, system, authority.CreateServiceAccountInput{
		Tenant: s.tenant, Roles: []access.RoleID{roleNamed(roles, access.RoleAnalyst)},
	})
	if err != nil {
		return nil, err
	}
	with := &signers{}
	if with.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(&with.key.PublicKey)
	if err != nil {
		return nil, err
	}
	key, err := a.IssueServiceAccountKey(ctx, system, authority.IssueServiceAccountKeyInput{
		Tenant: s.tenant, ServiceAccount: account.ID, PublicKeyPEM: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
	})
	if err != nil {
		return nil, err
	}
	client, err := a.IssueClientCredential(ctx, system, authority.IssueClientCredentialInput{
		Tenant: s.tenant, Level: authority.LevelAccount, Name: "bench", Scopes: []access.Permission{"call_recordings:read"},
	})
	if err != nil {
		return nil, err
	}
	with.keyID, with.account = key.PublicID, key.AccountID
	pair := url.QueryEscape(client.PublicID) + ":" + url.QueryEscape(client.Secret.Reveal())
	with.basic = "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	return with, nil
}
