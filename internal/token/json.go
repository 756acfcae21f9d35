package token

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of what a token's JSON may be. Tokens need far less; hostile ones get no further.
const (
	maxDepth   = 8
	maxMembers = 64
)

// kindOfValue is the first byte of what a value is: s, n, o, a, t, f or 0 (null).
type kindOfValue byte

const (
	isString kindOfValue = 's'
	isNumber kindOfValue = 'n'
	isObject kindOfValue = 'o'
	isArray  kindOfValue = 'a'
	isOther  kindOfValue = 'x'
)

// value is one JSON value: of a string its meaning, of all others how it is written.
type value struct {
	kind kindOfValue
	text string
}

// readObject reads a text that is one JSON object and nothing else, and gives its members
// in their order. It is stricter than encoding/json where programs disagree about what they
// read: duplicate names, also below the top and however escaped, invalid UTF-8, lone
// surrogates, a byte order mark and anything after the end are refused.
func readObject(text string, member func(name string, v value)) bool {
	if !utf8.ValidString(text) {
		return false
	}
	r := reader{text: text}
	r.space()
	if !r.object(1, member) {
		return false
	}
	r.space()
	return r.at == len(text)
}

type reader struct {
	text string
	at   int
}

func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

func (r *reader) take(c byte) bool {
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *reader) object(depth int, member func(string, value)) bool {
	if depth > maxDepth || !r.take('{') {
		return false
	}
	r.space()
	if r.take('}') {
		return true
	}
	var room [12]string
	names := room[:0]
	for {
		r.space()
		name, ok := r.str()
		if !ok || len(names) == maxMembers || slices.Contains(names, name) {
			return false
		}
		names = append(names, name)
		r.space()
		if !r.take(':') {
			return false
		}
		v, ok := r.value(depth)
		if !ok {
			return false
		}
		if member != nil {
			member(name, v)
		}
		r.space()
		if !r.take(',') {
			return r.take('}')
		}
	}
}

func (r *reader) array(depth int) bool {
	if depth > maxDepth || !r.take('[') {
		return false
	}
	r.space()
	if r.take(']') {
		return true
	}
	for {
		if _, ok := r.value(depth); !ok {
			return false
		}
		r.space()
		if !r.take(',') {
			return r.take(']')
		}
	}
}

// value reads one value of an object or array at a depth.
func (r *reader) value(depth int) (v value, ok bool) {
	r.space()
	if r.at == len(r.text) {
		return v, false
	}
	start := r.at
	switch c := r.text[r.at]; {
	case c == '"':
		v.kind = isString
		v.text, ok = r.str()
		return v, ok
	case c == '{':
		v.kind, ok = isObject, r.object(depth+1, nil)
	case c == '[':
		v.kind, ok = isArray, r.array(depth+1)
	case c == '-' || c >= '0' && c <= '9':
		v.kind, ok = isNumber, r.number()
	default:
		v.kind, ok = isOther, r.literal("true") || r.literal("false") || r.literal("null")
	}
	v.text = r.text[start:r.at]
	return v, ok
}

func (r *reader) literal(word string) bool {
	if !strings.HasPrefix(r.text[r.at:], word) {
		return false
	}
	r.at += len(word)
	return true
}

func (r *reader) digits() (n int) {
	for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' {
		r.at++
		n++
	}
	return n
}

func (r *reader) number() bool {
	r.take('-')
	if !r.take('0') && r.digits() == 0 {
		return false
	}
	if r.take('.') && r.digits() == 0 {
		return false
	}
	if r.take('e') || r.take('E') {
		if !r.take('+') {
			r.take('-')
		}
		return r.digits() > 0
	}
	return true
}

// str reads a string and returns what it means.
func (r *reader) str() (string, bool) {
	if !r.take('"') {
		return "", false
	}
	start := r.at
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == '"':
			r.at++
			return r.text[start : r.at-1], true
		case c < ' ':
			return "", false
		case c == '\\':
			return r.escaped(start)
		}
		r.at++
	}
	return "", false
}

// escaped goes on with a string that has escapes.
func (r *reader) escaped(start int) (string, bool) {
	out := []byte(r.text[start:r.at])
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"':
			return string(out), true
		case c < ' ':
			return "", false
		case c != '\\':
			out = append(out, c)
			continue
		}
		meant, ok := r.escape()
		if !ok {
			return "", false
		}
		out = utf8.AppendRune(out, meant)
	}
	return "", false
}

// escape reads what follows a backslash.
func (r *reader) escape() (rune, bool) {
	if r.at == len(r.text) {
		return 0, false
	}
	c := r.text[r.at]
	r.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		return r.unicode()
	}
	return 0, false
}

func (r *reader) unicode() (rune, bool) {
	first, ok := r.hex()
	if !ok || !utf16.IsSurrogate(first) {
		return first, ok
	}
	if !r.take('\\') || !r.take('u') {
		return 0, false
	}
	second, ok := r.hex()
	whole := utf16.DecodeRune(first, second)
	return whole, ok && whole != utf8.RuneError
}

func (r *reader) hex() (rune, bool) {
	if len(r.text)-r.at < 4 {
		return 0, false
	}
	four := r.text[r.at : r.at+4]
	r.at += 4
	for i := range len(four) {
		if c := four[i]; c == '_' || c == '+' || c == '-' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(four, 16, 16)
	return rune(n), err == nil
}

// micros reads a time: a number of seconds since 1970, whole or with a fraction. Signs and
// exponents are refused, and what no calendar of ours reaches.
func (v value) micros() (int64, bool) {
	if v.kind != isNumber {
		return 0, false
	}
	whole, fraction, _ := strings.Cut(v.text, ".")
	if len(whole) > len("99999999999") {
		return 0, false
	}
	at := int64(0)
	for i := range len(whole) {
		if whole[i] < '0' || whole[i] > '9' {
			return 0, false
		}
		at = at*10 + int64(whole[i]-'0')
	}
	for i := range 6 {
		at *= 10
		if i < len(fraction) && fraction[i] >= '0' && fraction[i] <= '9' {
			at += int64(fraction[i] - '0')
		}
	}
	for i := range len(fraction) {
		if fraction[i] < '0' || fraction[i] > '9' {
			return 0, false
		}
	}
	return at, true
}

// count reads a whole number of at most 9 digits.
func (v value) count() (int, bool) {
	if v.kind != isNumber || len(v.text) > 9 {
		return 0, false
	}
	n, err := strconv.ParseUint(v.text, 10, 31)
	return int(n), err == nil
}
