package token

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// complete reports whether a token can be made of c: one that Read would take.
func (c *Claims) complete() bool {
	if c.ID == "" || c.Subject == "" || c.Credential.IsZero() || c.SecretVersion < 1 || c.Tenant == "" ||
		c.IssuedAt.IsZero() || !c.ExpiresAt.After(c.IssuedAt) {
		return false
	}
	if c.Use == Session {
		return c.User != "" && string(c.User) == c.Subject && c.Client != "" && len(c.Scope) == 0
	}
	return c.Use == Access && c.ClientID != "" && len(c.Scope) > 0 && c.User == "" && c.Client == ""
}

// append writes the claims as JSON. Times are whole seconds.
func (c *Claims) append(b []byte) []byte {
	b = appendText(append(b, `{"iss":`...), c.Issuer)
	b = appendText(append(b, `,"aud":`...), c.Audience)
	b = appendText(append(b, `,"sub":`...), c.Subject)
	if c.Use == Session {
		b = appendText(append(b, `,"client":`...), c.Client)
	} else {
		b = appendText(append(b, `,"client_id":`...), c.ClientID)
		b = append(b, `,"scope":"`...)
		for i, p := range c.Scope {
			if i > 0 {
				b = append(b, ' ')
			}
			b = append(b, p...) // permissions need no escapes
		}
		b = append(b, '"')
	}
	b = appendTime(append(b, `,"iat":`...), c.IssuedAt)
	b = appendTime(append(b, `,"exp":`...), c.ExpiresAt)
	if !c.AuthTime.IsZero() {
		b = appendTime(append(b, `,"auth_time":`...), c.AuthTime)
	}
	b = appendText(append(b, `,"jti":`...), c.ID)
	b = appendText(append(b, `,"tenant_id":`...), string(c.Tenant))
	b = appendText(append(b, `,"credential_id":`...), c.Credential.String())
	b = strconv.AppendInt(append(b, `,"secret_version":`...), int64(c.SecretVersion), 10)
	return append(b, '}')
}

func appendTime(b []byte, t time.Time) []byte { return strconv.AppendInt(b, t.Unix(), 10) }

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			text, _ := json.Marshal(s) // a string always marshals
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// ownClaims reads the claims of one of our own tokens, whose signature is right: what is
// missing or odd here was signed by mistake, and is refused all the same.
func (p *Parsed) ownClaims() (c Claims, f Fault) {
	c.Use = Access
	if p.Type == typeSession {
		c.Use = Session
	}
	good := true
	text := func(v value) string {
		good = good && v.kind == isString && v.text != ""
		return v.text
	}
	moment := func(v value) time.Time {
		at, ok := v.micros()
		good = good && ok && at < math.MaxInt64/2
		return time.UnixMicro(at).UTC()
	}
	ok := readObject(p.claims, func(name string, v value) {
		switch name {
		case "iss":
			c.Issuer = text(v)
		case "aud":
			c.Audience = text(v)
		case "sub":
			c.Subject = text(v)
		case "client_id":
			c.ClientID = text(v)
		case "client":
			c.Client = text(v)
		case "scope":
			for name := range strings.SplitSeq(text(v), " ") {
				permission, err := access.ParsePermission(name)
				good = good && err == nil
				c.Scope = append(c.Scope, permission)
			}
		case "iat":
			c.IssuedAt = moment(v)
		case "exp":
			c.ExpiresAt = moment(v)
		case "auth_time":
			c.AuthTime = moment(v)
		case "jti":
			c.ID = text(v)
		case "tenant_id":
			c.Tenant = tenancy.TenantID(text(v))
		case "credential_id":
			id, err := credential.ParseID(text(v))
			good = good && err == nil
			c.Credential = id
		case "secret_version":
			var whole bool
			c.SecretVersion, whole = v.count()
			good = good && whole
		}
	})
	if c.Use == Session {
		c.User = tenancy.UserID(c.Subject)
	}
	if !ok || !good || !c.complete() {
		return Claims{}, BadClaims
	}
	return c, None
}
