package verify

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/token/tokentest"
)

// modelToken is a token or a service account's JWT that somebody got at some time.
type modelToken struct {
	raw         string
	key         *modelKey
	version     int // of the secret; 0 for assertions
	scope       []access.Permission
	user        tenancy.UserID // of session tokens
	from, until time.Time
	id          string
	revoked     bool
	account     int64
}

var testKey = sync.OnceValues(func() (token.SigningKey, secret.Secret) {
	k, private, err := token.GenerateSigningKey(token.ES256)
	if err != nil {
		panic(err)
	}
	k.Sealed = []byte("sealed")
	return k, private
})

// testRing signs with one key, which is always there.
func testRing() *token.Ring {
	k, private := testKey()
	return ringOf(k, private)
}

func ringOf(k token.SigningKey, private secret.Secret) *token.Ring {
	k.Sealed = []byte("sealed")
	r := token.NewRing(token.Config{Issuer: "https://keys.example", Open: func(string, []byte) (secret.Secret, error) { return private, nil }})
	if err := r.Replace([]token.SigningKey{k}); err != nil {
		panic(err)
	}
	return r
}

func modelAccount(ten tenancy.TenantID) int64 { return 1_000_000 + int64(ten[len(ten)-1]) }

// modelPublicKey is the key of which the test has the private half, and in even versions
// another.
func modelPublicKey(version int) []byte {
	public := tokentest.Key().PublicKey
	if version%2 == 0 {
		public.E = 65539
	}
	der, err := x509.MarshalPKIXPublicKey(&public)
	if err != nil {
		panic(err)
	}
	return der
}

func (m *model) licensed(u *tenancy.User) bool {
	l, ok := m.catalog.Licence(u.Licence)
	return ok && slices.Contains(l.Clients, "desk")
}

// mint makes a token of a key that can have one, whether or not it may have it.
func (m *model) mint(t *rapid.T) {
	k := rapid.SampledFrom(m.keys).Draw(t, "minted for")
	now := m.latest.Truncate(time.Second)
	life := time.Duration(rapid.IntRange(1, 30).Draw(t, "life")) * time.Second
	made := &modelToken{key: k, version: k.SecretVersion, from: now.Add(-token.Skew), until: now.Add(life), id: fmt.Sprintf("tok_%d", len(m.tokens))}
	c := token.Claims{
		Use: token.Access, ID: made.id, Subject: k.Principal.ID, ClientID: k.ID.String(), Credential: k.ID, SecretVersion: k.SecretVersion,
		Tenant: k.TenantID, IssuedAt: now, ExpiresAt: made.until,
	}
	switch k.Kind {
	case credential.App, credential.ClientCredential:
		made.scope = rapid.SliceOfNDistinct(rapid.SampledFrom([]access.Permission{"a:read", "a:write", "b:x", "c.d:read"}), 1, 3, rapid.ID).Draw(t, "scope")
		c.Scope = made.scope
	case credential.OrganizationKey:
		made.user = tenancy.UserID(fmt.Sprintf("usr_%d%s", rapid.IntRange(0, 2).Draw(t, "signed in"), k.TenantID))
		c.Use, c.User, c.Subject, c.ClientID, c.Client = token.Session, made.user, string(made.user), "", "desk"
	case credential.ServiceAccountKey:
		a := &tokentest.Account{Key: tokentest.Key(), KeyID: k.PublicID, Issuer: modelAccount(k.TenantID)}
		made.raw, made.until, made.account = a.Good(now), now.Add(5*time.Minute+token.Skew), a.Issuer
		m.tokens = append(m.tokens, made)
		return
	case credential.UserKey, credential.AccountKey, credential.VerifierKey:
		return
	}
	raw, err := m.w.tokens.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	made.raw = raw
	m.tokens = append(m.tokens, made)
}

// changeTokens revokes one now and then.
func (m *model) changeTokens(t *rapid.T) {
	if len(m.tokens) == 0 || rapid.IntRange(0, 9).Draw(t, "revoke a token") > 0 {
		return
	}
	tok := rapid.SampledFrom(m.tokens).Draw(t, "token")
	tok.revoked = tok.version > 0 && tok.account == 0
	if tok.revoked {
		m.tell(Item{RevokedToken: &RevokedToken{ID: tok.id, ExpiresAt: tok.until}})
	}
}

// wantToken is what the answer must be, from what the token's credential is now.
func (m *model) wantToken(tok *modelToken, query string, from netip.Addr) (Code, access.Set) {
	k := tok.key
	if m.latest.Before(tok.from) || !m.latest.Before(tok.until) || tok.revoked || k.gone {
		return NotFound, access.Set{}
	}
	held := m.wantSet(k, m.planSet(k.TenantID))
	switch {
	case tok.account != 0:
		if k.SecretVersion%2 == 0 { // its key was replaced
			return NotFound, access.Set{}
		}
		return m.wantNow(k, query, from, held, nil)
	case k.expiredSecret(tok.version, m.latest):
		return NotFound, access.Set{}
	case tok.user == "":
		return m.wantNow(k, query, from, held.Intersect(access.SetOf(tok.scope...)), nil)
	}
	u := m.users[tok.user]
	desk, _ := m.catalog.ClientPermissions("desk", u.Licence)
	byRoles := access.EffectiveAt(m.given[string(u.ID)], m.roles, m.path(u.OrganizationID))
	set := access.Effective(byRoles, m.planSet(k.TenantID)).Vendor().Intersect(desk)
	return m.wantNow(k, query, from, set, u)
}

// checkTokens holds the index to the promise that no token is ever accepted for more than
// its credential holds at that moment. Each token is shown twice: the second time its
// signature is remembered.
func (m *model) checkTokens(t *rapid.T) {
	from := rapid.SampledFrom([]netip.Addr{{}, netip.MustParseAddr("192.0.2.1")}).Draw(t, "token from")
	for n, tok := range m.tokens {
		for i, query := range slices.Concat(modelQueries, modelQueries) {
			res, err := m.w.index.Verify(&Request{Credential: tok.raw, Permissions: query, SourceIP: from})
			if err != nil {
				t.Fatal(err)
			}
			code, set := m.wantToken(tok, query, from)
			name := fmt.Sprintf("token %d of a %s, asked for %q, %s time", n, tok.key.Kind, query, strconv.Itoa(1+i/len(modelQueries)))
			if res.Code != code {
				t.Fatalf("%s: %s, want %s", name, res.Code, code)
			}
			if code != NotFound && res.Permissions.Set.String() != set.String() {
				t.Fatalf("%s: may do %s, want %s", name, res.Permissions.Set, set)
			}
			if held := m.wantSet(tok.key, m.planSet(tok.key.TenantID)); tok.user == "" && code != NotFound && !held.Covers(res.Permissions.Set) {
				t.Fatalf("%s: may do %s, and its credential %s", name, res.Permissions.Set, held)
			}
			if tok.user != "" && code != NotFound && (res.Principal.ID != string(tok.user) || !res.Permissions.Set.Claviger().Empty()) {
				t.Fatalf("%s: speaks for %s with %s", name, res.Principal.ID, res.Permissions.Set)
			}
		}
	}
}
