package store

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/claviger-io/claviger/internal/tenancy"
)

// forever is the stored expiry of what never expires, so that it sorts last.
const forever = math.MaxInt64

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func expiryMicros(t time.Time) int64 {
	if t.IsZero() {
		return forever
	}
	return t.UnixMicro()
}

func expiryMoment(us int64) time.Time {
	if us == forever {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// listText is a list as JSON; empty for an empty one, so that most rows cost nothing.
func listText[T any](list []T) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	return jsonText(list)
}

func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encoding a column: %w", err)
	}
	return string(b), nil
}

// fromText decodes what jsonText made; empty text is the zero value.
func fromText[T any](text string) (v T, err error) {
	if text == "" {
		return v, nil
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return v, fmt.Errorf("decoding a column: %w", err)
	}
	return v, nil
}

func metadataText(l tenancy.Labels) (string, error) {
	if len(l.Metadata) == 0 {
		return "", nil
	}
	return jsonText(l.Metadata)
}

func labels(externalID, metadata string) (tenancy.Labels, error) {
	m, err := fromText[map[string]string](metadata)
	return tenancy.Labels{ExternalID: externalID, Metadata: m}, err
}

// fold makes text that differs in case or compatibility form the same, for search and sorting.
func fold(s string) string {
	if isPlain(s) {
		return strings.ToLower(s)
	}
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// pathText is "/org_root/org_child/": a subtree is the range of texts that begin with it.
func pathText(path []tenancy.OrgID) string {
	var b strings.Builder
	b.WriteByte('/')
	for _, id := range path {
		b.WriteString(string(id))
		b.WriteByte('/')
	}
	return b.String()
}

func pathOf(text string) []tenancy.OrgID {
	parts := strings.Split(strings.Trim(text, "/"), "/")
	path := make([]tenancy.OrgID, len(parts))
	for i, p := range parts {
		path[i] = tenancy.OrgID(p)
	}
	return path
}

// below are the ends of the range of paths at and below a path: '0' follows '/'.
func below(path string) (from, until string) {
	return path, path[:len(path)-1] + "0"
}
