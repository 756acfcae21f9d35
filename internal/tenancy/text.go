package tenancy

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/claviger-io/claviger/internal/problem"
)

// The longest texts, in characters (runes) unless said otherwise.
const (
	MaxText        = 200
	MaxSlug        = 63
	MaxEmail       = 254  // bytes
	MaxMetadata    = 4096 // bytes of JSON
	MaxMetadataKey = 64
)

// TextFault says in a sentence what is wrong with a one-line text that people read: empty,
// too long, spaces at its ends, or characters that don't show or that change how others
// show (control, bidirectional, invisible). Empty means nothing is wrong.
func TextFault(s string, most int) string {
	switch {
	case !utf8.ValidString(s):
		return "This must be valid UTF-8."
	case strings.TrimSpace(s) == "":
		return "This must not be empty."
	case utf8.RuneCountInString(s) > most:
		return fmt.Sprintf("This must have at most %d characters.", most)
	case strings.TrimSpace(s) != s:
		return "This must not begin or end with a space."
	}
	visible := false
	for _, r := range s {
		if forbidden(r) {
			return "This must not have control, formatting or invisible characters."
		}
		visible = visible || shows(r)
	}
	if !visible {
		return "This must have a character that can be seen."
	}
	return ""
}

// forbidden reports whether r has no place in a name. The two joiners are allowed: some
// scripts and emoji can't be written without them.
func forbidden(r rune) bool {
	switch r {
	case '\u200c', '\u200d':
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) || r&0xfffe == 0xfffe ||
		r >= 0xfdd0 && r <= 0xfdef
}

// shows reports whether r can be seen: not a space, a joiner or one of the letters and
// symbols that are blank.
func shows(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800', '\u200c', '\u200d':
		return false
	}
	return !unicode.In(r, unicode.Zs, unicode.M)
}

// ValidateName checks a name that people read. The pointer says where in the request it is.
func ValidateName(pointer, s string) error {
	return fieldProblem(pointer, TextFault(s, MaxText))
}

func fieldProblem(pointer, fault string) error {
	if fault == "" {
		return nil
	}
	return problem.InvalidField(pointer, fault)
}

// ValidateSlug checks what a tenant is called at sign-in: 2 to 63 lower-case letters,
// digits and single hyphens, a letter first. The pointer is "/slug".
func ValidateSlug(s string) error {
	ok := len(s) >= 2 && len(s) <= MaxSlug && s[0] >= 'a' && s[0] <= 'z' && s[len(s)-1] != '-' && !strings.Contains(s, "--")
	for i := 0; ok && i < len(s); i++ {
		ok = s[i] >= 'a' && s[i] <= 'z' || s[i] >= '0' && s[i] <= '9' || s[i] == '-'
	}
	if ok {
		return nil
	}
	return problem.InvalidField("/slug", fmt.Sprintf("Use 2 to %d lower-case letters, digits and single hyphens, a letter first.", MaxSlug))
}

// ValidateUsername checks what a user types at sign-in. It may be an e-mail address; it
// has no backslash, because automatic sign-in takes DOMAIN\user apart there, and no colon.
// The pointer is "/username".
func ValidateUsername(s string) error {
	fault := TextFault(s, MaxText)
	if fault == "" && strings.ContainsAny(s, "\\:\u200c\u200d") {
		fault = "This must not have a backslash, a colon or a joiner."
	}
	return fieldProblem("/username", fault)
}

// ValidateEmail checks an e-mail address without a display name; empty means none. The
// pointer is "/email".
func ValidateEmail(s string) error {
	if s == "" {
		return nil
	}
	address, err := mail.ParseAddress(s)
	if err != nil || address.Address != s || len(s) > MaxEmail || TextFault(s, MaxEmail) != "" || strings.ContainsAny(s, " \"<>()") {
		return problem.InvalidField("/email", "Write one e-mail address, such as name@example.com, without a display name.")
	}
	return nil
}

// ValidateLabels checks an external ID and metadata. The pointers are "/external_id" and
// "/metadata".
func ValidateLabels(l Labels) error {
	var fields []problem.Field
	if l.ExternalID != "" {
		if fault := TextFault(l.ExternalID, MaxText); fault != "" {
			fields = append(fields, problem.Field{Pointer: "/external_id", Message: fault})
		}
	}
	if fault := metadataFault(l.Metadata); fault != "" {
		fields = append(fields, problem.Field{Pointer: "/metadata", Message: fault})
	}
	return problem.InvalidFields(fields)
}

func metadataFault(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	for key, value := range m {
		if fault := TextFault(key, MaxMetadataKey); fault != "" {
			return "Of each name: " + fault
		}
		if !utf8.ValidString(value) || strings.ContainsFunc(value, forbidden) {
			return "Values must be valid UTF-8 without control, formatting or invisible characters."
		}
	}
	if data, err := json.Marshal(m); err != nil || len(data) > MaxMetadata {
		return fmt.Sprintf("This must have at most %d bytes as JSON.", MaxMetadata)
	}
	return ""
}

// MaxDomains is how many domains an organization may have.
const MaxDomains = 20

// FoldDomain is the form in which domains are kept and compared.
func FoldDomain(s string) string { return strings.ToLower(s) }

// ValidateDomains checks an organization's domains, as Windows ("CORP") or e-mail
// ("example.com") knows them: in the form of FoldDomain, each once. The pointers are
// "/domains" and "/domains/N".
func ValidateDomains(list []string) error {
	if len(list) > MaxDomains {
		return problem.InvalidField("/domains", fmt.Sprintf("There may be at most %d domains.", MaxDomains))
	}
	var fields []problem.Field
	for i, d := range list {
		fault := ""
		switch {
		case !domainName(d):
			fault = "Use letters, digits, hyphens, dots and underscores, such as CORP or example.com."
		case slices.Contains(list[:i], d):
			fault = "This domain is there twice."
		}
		if fault != "" {
			fields = append(fields, problem.Field{Pointer: fmt.Sprintf("/domains/%d", i), Message: fault})
		}
	}
	return problem.InvalidFields(fields)
}

func domainName(s string) bool {
	if s == "" || len(s) > 253 || strings.Trim(s, ".-") != s || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}
