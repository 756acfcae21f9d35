package server

import (
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// appendVerdict appends the JSON of an api.VerifyResponse.
func appendVerdict(b []byte, r *verify.Result) []byte {
	if r.Valid {
		b = append(b, `{"valid":true,"code":"`...)
	} else {
		b = append(b, `{"valid":false,"code":"`...)
	}
	b = append(b, r.Code...)
	b = append(b, '"')
	if r.Code != verify.NotFound {
		b = appendSubject(b, r)
	}
	b = append(b, `,"revision":`...)
	b = strconv.AppendUint(b, r.Revision, 10)
	b = append(b, `,"staleness_ms":`...)
	b = strconv.AppendInt(b, max(0, r.Staleness.Milliseconds()), 10)
	return append(b, '}')
}

// appendSubject appends what may be told once the digest matched.
func appendSubject(b []byte, r *verify.Result) []byte {
	b = append(b, `,"credential_id":"crd_`...)
	b = append(b, r.CredentialID[:]...)
	b = append(b, `","kind":"`...)
	b = append(b, r.Kind...)
	b = append(b, `","tenant_id":`...)
	b = appendText(b, string(r.TenantID))
	if r.OrganizationID != "" {
		b = append(b, `,"organization_id":`...)
		b = appendText(b, string(r.OrganizationID))
	}
	b = appendLabels(b, r.Labels)
	b = append(b, `,"principal":{"type":"`...)
	b = append(b, r.Principal.Type...)
	b = append(b, `","id":`...)
	b = appendText(b, r.Principal.ID)
	b = appendLabels(b, r.PrincipalLabel)
	b = append(b, `},"permissions":`...)
	if r.Permissions != nil && len(r.Permissions.JSON) > 0 {
		b = append(b, r.Permissions.JSON...)
	} else {
		b = append(b, '[', ']')
	}
	if len(r.Missing) > 0 {
		b = append(b, `,"missing":[`...)
		for i, p := range r.Missing {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, string(p))
		}
		b = append(b, ']')
	}
	if !r.ExpiresAt.IsZero() {
		b = append(b, `,"expires_at":`...)
		b = appendTime(b, r.ExpiresAt)
	}
	b = append(b, `,"secret_version":`...)
	b = strconv.AppendInt(b, int64(r.SecretVersion), 10)
	return appendLimits(b, r.Limits)
}

func appendLabels(b []byte, l *tenancy.Labels) []byte {
	if l == nil {
		return b
	}
	if l.ExternalID != "" {
		b = append(b, `,"external_id":`...)
		b = appendText(b, l.ExternalID)
	}
	if len(l.Metadata) == 0 {
		return b
	}
	b = append(b, `,"metadata":{`...)
	for i, k := range slices.Sorted(maps.Keys(l.Metadata)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, k)
		b = append(b, ':')
		b = appendText(b, l.Metadata[k])
	}
	return append(b, '}')
}

func appendLimits(b []byte, limits []verify.LimitState) []byte {
	if len(limits) == 0 {
		return b
	}
	b = append(b, `,"limits":[`...)
	for i, l := range limits {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		b = appendText(b, l.Name)
		b = append(b, `,"limit":`...)
		b = strconv.AppendInt(b, l.Limit, 10)
		b = append(b, `,"remaining":`...)
		b = strconv.AppendInt(b, l.Remaining, 10)
		if !l.ResetAt.IsZero() {
			b = append(b, `,"reset_at":`...)
			b = appendTime(b, l.ResetAt)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

// appendText appends a JSON string. What we hold is valid UTF-8 without control
// characters, which is checked in one pass; anything else is escaped.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
				b = append(b, s[start:i]...)
				b = append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
				start = i + size
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		if c == '"' || c == '\\' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
