package oauth

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/verify"
)

// login is how a request says who it comes from: a client's ID and secret, or, where that is
// allowed, a credential alone.
type login struct {
	id, secret string
	alone      string
}

const maxHeader = 16 << 10

// loginOf reads client authentication: HTTP Basic, or the body, never both (RFC 6749 §2.3).
// A client_id beside Basic is no authentication, and must be the same. bearer allows a
// credential alone.
func loginOf(r *http.Request, f *form, bearer bool) (l login, ft *fault) {
	authorization, key := r.Header["Authorization"], r.Header["X-Api-Key"]
	id, clientSecret := f.get("client_id"), f.get("client_secret")
	if len(authorization) > 1 || len(key) > 1 || len(authorization)+len(key) > 1 {
		return l, invalidRequest("There is more than one credential in the headers.")
	}
	if f.get("client_assertion") != "" || f.get("client_assertion_type") != "" {
		return l, &fault{status: http.StatusUnauthorized, code: "invalid_client", description: "Clients authenticate themselves with a secret here, not with an assertion."}
	}
	inHeader := len(authorization) == 1 || len(key) == 1 && bearer
	switch {
	case inHeader && clientSecret != "":
		return l, invalidRequest("Authenticate in the header or in the body, not in both.")
	case !inHeader && clientSecret == "":
		return l, errNobody
	case !inHeader:
		l.id, l.secret = id, clientSecret
		return l, nil
	}
	if len(key) == 1 {
		return login{alone: key[0]}, nil
	}
	scheme, rest, _ := strings.Cut(authorization[0], " ")
	rest = strings.TrimLeft(rest, " ")
	switch {
	case len(rest) > maxHeader:
		return l, errClient
	case strings.EqualFold(scheme, "Bearer") && bearer:
		return login{alone: rest}, nil
	case !strings.EqualFold(scheme, "Basic"):
		return l, errNobody
	}
	l, ok := basic(rest)
	switch {
	case !ok:
		return l, errClient
	case id != "" && id != l.id:
		return l, invalidRequest("The client_id in the body is another than the one in the header.")
	}
	return l, nil
}

// basic decodes what RFC 6749 §2.3.1 makes of ID and secret: both are encoded as in forms
// before RFC 7617 joins them.
func basic(encoded string) (l login, ok bool) {
	clear, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return l, false
	}
	id, clientSecret, found := strings.Cut(string(clear), ":")
	if !found {
		return l, false
	}
	var ok1, ok2 bool
	l.id, ok1 = unescape(id)
	l.secret, ok2 = unescape(clientSecret)
	return l, ok1 && ok2
}

// client finds the client of a token request and what it may do.
func (e *Endpoints) client(r *http.Request, l login) (verify.Client, *fault) {
	c, err := e.cfg.Index.Client(&verify.Request{ID: l.id, Secret: l.secret, SourceIP: e.cfg.Source(r), UserAgent: r.UserAgent()})
	if err != nil {
		return c, e.failed(r.Context(), e.cfg.RequestID(r), err)
	}
	return c, e.accepted(r, &c.Result)
}

// caller finds whoever may ask about tokens or revoke their own: clients, and holders of any
// other credential, alone or as the pair of its ID and itself.
func (e *Endpoints) caller(r *http.Request, l login) (verify.Result, *fault) {
	q := verify.Request{Credential: l.alone, SourceIP: e.cfg.Source(r), UserAgent: r.UserAgent()}
	if l.alone == "" {
		found, ok := e.cfg.Format.Parse(l.secret)
		switch {
		case ok && (found.Type == secret.ClientSecret || found.Type == secret.AppSecret):
			c, ft := e.client(r, l)
			return c.Result, ft
		case l.id == "" || ok && l.id == credential.ID(found.ID).String():
			q.Credential = l.secret
		case l.secret == "":
			q.Credential = l.id
		default:
			q.ID, q.Secret = l.id, l.secret
		}
	}
	res, err := e.cfg.Index.Verify(&q)
	if err != nil {
		return res, e.failed(r.Context(), e.cfg.RequestID(r), err)
	}
	return res, e.accepted(r, &res)
}

// accepted turns the verdict on a client into its refusal; nil for none.
func (e *Endpoints) accepted(r *http.Request, res *verify.Result) *fault {
	if res.Code != verify.NotFound {
		e.cfg.Seen(r, res)
	}
	switch {
	case res.Valid:
		return nil
	case res.Code == verify.Forbidden:
		return errHere
	case res.Code == verify.RateLimited || res.Code == verify.UsageExceeded:
		return undecided(0)
	}
	return errClient
}
