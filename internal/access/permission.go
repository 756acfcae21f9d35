package access

import (
	"strings"

	"github.com/claviger-io/claviger/internal/problem"
)

// MaxPermission is the longest permission or grant, in bytes.
const MaxPermission = 128

// MaxSegments is the most dotted segments a resource may have.
const MaxSegments = 8

// own is the first segment of Claviger's own permissions. A "*" there never matches it.
const own = "claviger"

const permissionHelp = "Write it as resource:action, in lower-case letters, digits and underscores; the resource may have dotted segments."

// ParsePermission checks the form of a permission. A "*" is refused: it has a meaning in
// grants only. The problem is Invalid and doesn't repeat the text.
func ParsePermission(s string) (Permission, error) {
	if !wellFormed(s, false) {
		return "", problem.New(problem.Invalid, "bad_permission", "This is not a permission. "+permissionHelp)
	}
	return Permission(s), nil
}

// ParseGrant checks the form of a grant, in which whole segments may be "*". The problem
// is Invalid and doesn't repeat the text.
func ParseGrant(s string) (Grant, error) {
	if !wellFormed(s, true) {
		return "", problem.New(problem.Invalid, "bad_grant", "This is not a permission. "+permissionHelp+" A whole segment may be *.")
	}
	return Grant(s), nil
}

// wellFormed reports whether s is resource:action, with "*" segments only where stars says so.
func wellFormed(s string, stars bool) bool {
	if len(s) > MaxPermission {
		return false
	}
	segments, action := 0, false
	for rest := s; ; {
		n := segmentLen(rest)
		if n == 0 || (rest[0] == '*' && !stars) {
			return false
		}
		if !action {
			segments++
		}
		if n == len(rest) {
			return action && segments <= MaxSegments
		}
		switch {
		case action:
			return false // nothing follows an action
		case rest[n] == ':':
			action = true
		case rest[n] != '.':
			return false
		}
		rest = rest[n+1:]
	}
}

// segmentLen is the length of the segment that s begins with; 0 when it begins with none.
func segmentLen(s string) int {
	if s != "" && s[0] == '*' {
		if len(s) > 1 && !isSeparator(s[1]) {
			return 0
		}
		return 1
	}
	for i := range len(s) {
		if !isSegmentByte(s[i]) {
			return i
		}
	}
	return len(s)
}

func isSegmentByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '_'
}

func isSeparator(b byte) bool { return b == '.' || b == ':' }

// ownSegment reports whether the first segment of s is Claviger's.
func ownSegment(s string) bool {
	return len(s) > len(own) && s[:len(own)] == own && isSeparator(s[len(own)])
}

// Own reports whether p is one of Claviger's own permissions and not the vendor's.
func (p Permission) Own() bool { return ownSegment(string(p)) }

// Own reports whether g grants Claviger's own permissions; it then grants no vendor's.
func (g Grant) Own() bool { return ownSegment(string(g)) }

// wild reports whether g has a "*" segment.
func (g Grant) wild() bool { return strings.IndexByte(string(g), '*') >= 0 }

// Matches reports whether g grants p. A "*" matches one whole segment, but never the
// "claviger" at the beginning: Claviger's own rights are granted by name. It allocates nothing.
func (g Grant) Matches(p Permission) bool { return matches(string(g), string(p)) }

// Covers reports whether everything that h grants is granted by g.
func (g Grant) Covers(h Grant) bool { return matches(string(g), string(h)) }

// matches walks both segment by segment. A "*" in p is one more value of a segment: only a
// "*" in g matches it. That makes matching a grant the same as covering it.
func matches(g, p string) bool {
	if g == "" || (g[0] == '*' && ownSegment(p)) {
		return false
	}
	for {
		if g == "" || p == "" {
			return false
		}
		n := segmentLen(p)
		if n == 0 {
			return false
		}
		m := n
		if g[0] == '*' {
			m = 1
		} else if len(g) < n || g[:n] != p[:n] {
			return false
		}
		g, p = g[m:], p[n:]
		if g == "" || p == "" {
			return g == p
		}
		if g[0] != p[0] {
			return false
		}
		g, p = g[1:], p[1:]
	}
}

// meet is the grant of what both grant; false when nothing.
func meet(g, h Grant) (Grant, bool) {
	switch {
	case g.Covers(h):
		return h, true
	case h.Covers(g):
		return g, true
	case g.Own() != h.Own():
		return "", false
	}
	var b strings.Builder
	a, c := string(g), string(h)
	for {
		n, m := segmentLen(a), segmentLen(c)
		switch {
		case n == 0 || m == 0:
			return "", false
		case a[0] == '*':
			b.WriteString(c[:m])
		case c[0] == '*' || a[:n] == c[:m]:
			b.WriteString(a[:n])
		default:
			return "", false
		}
		a, c = a[n:], c[m:]
		if a == "" || c == "" {
			return Grant(b.String()), a == c
		}
		if a[0] != c[0] {
			return "", false
		}
		b.WriteByte(a[0])
		a, c = a[1:], c[1:]
	}
}
