package oauth

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/verify"
)

// clientCredentials is the one grant (RFC 6749 §4.4).
const clientCredentials = "client_credentials"

// answer is RFC 6749 §5.1.
type answer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Scope       string `json:"scope"`
}

// Token answers POST TokenPath: a client credential's ID and secret (VC6) or an app's key
// and secret (EE7) for an access token.
func (e *Endpoints) Token(w http.ResponseWriter, r *http.Request) {
	out, ft := e.token(w, r)
	if ft != nil {
		ft.write(w)
		return
	}
	body, err := json.Marshal(out) //nolint:gosec // handing it out is what the endpoint is for
	if err != nil {
		errServer.write(w)
		return
	}
	private(w, http.StatusOK, append(body, '\n'))
}

func (e *Endpoints) token(w http.ResponseWriter, r *http.Request) (out answer, ft *fault) {
	f, ft := readForm(w, r)
	if ft != nil {
		return out, ft
	}
	l, ft := loginOf(r, f, false)
	if ft != nil {
		return out, ft
	}
	switch f.get("grant_type") {
	case clientCredentials:
	case "":
		return out, invalidRequest("The parameter grant_type is missing.")
	default:
		return out, bad("unsupported_grant_type", "The grant_type must be client_credentials.")
	}
	c, ft := e.client(r, l)
	if ft != nil {
		return out, ft
	}
	scope, ft := scopeOf(f.get("scope"), &c)
	if ft != nil {
		return out, ft
	}
	return e.issue(r, &c, scope)
}

// issue makes the token. It ends with the credential at the latest.
func (e *Endpoints) issue(r *http.Request, c *verify.Client, scope []access.Permission) (out answer, ft *fault) {
	at := e.cfg.Now().UTC()
	now := at.Truncate(time.Second) // tokens know whole seconds
	ends := now.Add(c.TokenLifetime)
	if !c.ExpiresAt.IsZero() && c.ExpiresAt.Before(ends) {
		ends = c.ExpiresAt.Truncate(time.Second)
	}
	if !ends.After(at) {
		return out, errClient
	}
	id, err := token.NewID(rand.Reader)
	if err != nil {
		return out, e.failed(r.Context(), e.cfg.RequestID(r), err)
	}
	clientID := c.PublicID
	if clientID == "" {
		clientID = c.CredentialID.String() // an app's key is a secret, and never a name
	}
	raw, err := e.cfg.Tokens.Sign(token.Claims{
		Use: token.Access, ID: id, Subject: c.Principal.ID, ClientID: clientID, Credential: c.CredentialID,
		SecretVersion: c.SecretVersion, Tenant: c.TenantID, Scope: scope, IssuedAt: at, ExpiresAt: ends,
	})
	switch {
	case errors.Is(err, token.ErrTooLong):
		return out, invalidScope("So many scopes have no room in one token. Ask for those that are needed.")
	case errors.Is(err, token.ErrNoKey):
		return out, undecided(0)
	case err != nil:
		return out, e.failed(r.Context(), e.cfg.RequestID(r), err)
	}
	names := make([]string, len(scope))
	for i, p := range scope {
		names[i] = string(p)
	}
	return answer{AccessToken: raw, TokenType: "Bearer", ExpiresIn: int64(ends.Sub(now) / time.Second), Scope: strings.Join(names, " ")}, nil
}

// scopeOf is what a token may carry: what was asked for, all of which the client must have
// right now, or all that an app has. A client credential has to ask.
func scopeOf(asked string, c *verify.Client) ([]access.Permission, *fault) {
	held := heldBy(c)
	if asked == "" {
		switch {
		case c.Kind == credential.ClientCredential:
			return nil, invalidScope("The parameter scope is required for these credentials.")
		case len(held) == 0:
			return nil, invalidScope("This client has no permission at all.")
		}
		return held, nil
	}
	var scope []access.Permission
	for name := range strings.SplitSeq(asked, " ") {
		p, err := access.ParsePermission(name)
		if err != nil {
			return nil, invalidScope("The scope must be names of permissions with one space between two.")
		}
		if !slices.Contains(held, p) {
			return nil, invalidScope("The scope has a permission that this client does not have.")
		}
		scope = append(scope, p)
	}
	slices.Sort(scope)
	return slices.Compact(scope), nil
}

// heldBy is the permissions that a client has now, sorted. None is a pattern: apps and
// client credentials have what the catalogue names.
func heldBy(c *verify.Client) []access.Permission {
	if c.Permissions == nil {
		return nil
	}
	var held []access.Permission
	for _, g := range c.Permissions.Set.Grants() {
		if p, err := access.ParsePermission(string(g)); err == nil && !strings.HasPrefix(string(p), "claviger.") {
			held = append(held, p)
		}
	}
	return held
}
