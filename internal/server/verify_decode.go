package server

import (
	"bytes"
	"net/netip"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/gateway"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/verify"
)

// The decoder of verification requests is written by hand: it makes no garbage, and it is
// strict where encoding/json is not. Unknown, repeated and differently cased names, text
// that isn't UTF-8, lone surrogates and anything after the object are refused. Its strings
// alias the request's buffer; escapes are undone in place, since what they stand for is
// never longer.

// decoder reads one request body.
type decoder struct {
	b []byte
	i int
	// index is the batch item being read, -1 for a single request.
	index int
}

// refuse makes the problem of one field. It is told where, never what was sent.
func (d *decoder) refuse(name, message string) error {
	pointer := ""
	if d.index >= 0 {
		pointer = "/items/" + strconv.Itoa(d.index)
	}
	if name != "" {
		pointer += "/" + name
	}
	return problem.InvalidField(pointer, message)
}

func errNotJSON() error {
	return problem.InvalidField("", "The body must be one JSON object in UTF-8.")
}

const (
	hasCredential = 1 << iota
	hasAuthorization
	hasID
	hasSecret
	hasPermissions
	hasSourceIP
	hasUserAgent
	hasCost
	hasDryRun
)

const maxCost = 1_000_000

func (d *decoder) space() {
	for d.i < len(d.b) {
		switch d.b[d.i] {
		case ' ', '\t', '\n', '\r':
			d.i++
		default:
			return
		}
	}
}

// next skips white space and takes c.
func (d *decoder) next(c byte) bool {
	d.space()
	if d.i < len(d.b) && d.b[d.i] == c {
		d.i++
		return true
	}
	return false
}

// end reports whether only white space is left.
func (d *decoder) end() bool {
	d.space()
	return d.i == len(d.b)
}

// single decodes the body of POST /v1/verify.
func (d *decoder) single(into *verify.Request) error {
	d.index = -1
	if err := d.item(into); err != nil {
		return err
	}
	if !d.end() {
		return errNotJSON()
	}
	return nil
}

// batch decodes the body of POST /v1/verify/batch into items[:0].
func (d *decoder) batch(items []verify.Request) ([]verify.Request, error) {
	items, d.index = items[:0], -1
	if !d.next('{') {
		return items, errNotJSON()
	}
	name, ok := d.text()
	if !ok || !d.next(':') {
		return items, d.refuse("items", "This is required: a list of 1 to 1,000 requests.")
	}
	if name != "items" {
		return items, d.refuse("", "There is a name that is not known here; only items is.")
	}
	if !d.next('[') {
		return items, d.refuse("items", "This must be a list.")
	}
	for first := true; ; first = false {
		if first && d.next(']') {
			return items, d.refuse("items", "There must be at least one request.")
		}
		if len(items) == api.MaxVerifyBatch {
			d.index = -1
			return items, d.refuse("items", "There may be at most 1,000 requests.")
		}
		d.index = len(items)
		items = append(items, verify.Request{})
		if err := d.item(&items[d.index]); err != nil {
			return items, err
		}
		if d.next(',') {
			continue
		}
		if d.next(']') {
			break
		}
		return items, errNotJSON()
	}
	d.index = -1
	if d.next(',') {
		return items, d.refuse("", "There is a name that is not known here, or one that appears twice.")
	}
	if !d.next('}') || !d.end() {
		return items, errNotJSON()
	}
	return items, nil
}

// item decodes one request object.
func (d *decoder) item(into *verify.Request) error {
	*into = verify.Request{}
	if !d.next('{') {
		if d.index >= 0 {
			return d.refuse("", "This must be an object.")
		}
		return errNotJSON()
	}
	seen := 0
	for first := true; ; first = false {
		if first && d.next('}') {
			break
		}
		name, ok := d.text()
		if !ok || !d.next(':') {
			return errNotJSON()
		}
		d.space()
		bit, err := d.field(name, seen, into)
		if err != nil {
			return err
		}
		seen |= bit
		if d.next(',') {
			continue
		}
		if d.next('}') {
			break
		}
		return errNotJSON()
	}
	return d.form(seen, into)
}

// field decodes one value. seen says which names were there already.
func (d *decoder) field(name string, seen int, into *verify.Request) (bit int, err error) {
	var target *string
	var authorization, source string
	switch name {
	case "credential":
		bit, target = hasCredential, &into.Credential
	case "authorization":
		bit, target = hasAuthorization, &authorization
	case "id":
		bit, target = hasID, &into.ID
	case "secret":
		bit, target = hasSecret, &into.Secret
	case "permissions":
		bit, target = hasPermissions, &into.Permissions
	case "source_ip":
		bit, target = hasSourceIP, &source
	case "user_agent":
		bit, target = hasUserAgent, &into.UserAgent
	case "cost":
		bit = hasCost
	case "dry_run":
		bit = hasDryRun
	default:
		return 0, d.refuse("", "There is a name that is not known here.")
	}
	// name may alias the buffer that a value is undone in; known is a constant.
	known := fieldName(bit)
	if seen&bit != 0 {
		return 0, d.refuse(known, "This appears twice.")
	}
	switch bit {
	case hasCost:
		if into.Cost, err = d.cost(); err != nil {
			return 0, err
		}
	case hasDryRun:
		if into.DryRun, err = d.bool(); err != nil {
			return 0, err
		}
	default:
		var ok bool
		if d.i >= len(d.b) || d.b[d.i] != '"' {
			return 0, d.refuse(known, "This must be text.")
		}
		if *target, ok = d.text(); !ok {
			return 0, d.refuse(known, "This must be valid text.")
		}
	}
	switch bit {
	case hasSourceIP:
		if into.SourceIP, err = netip.ParseAddr(source); err != nil || into.SourceIP.Zone() != "" {
			return 0, d.refuse(known, "This must be an IP address.")
		}
		into.SourceIP = into.SourceIP.Unmap()
	case hasAuthorization:
		if authorization == "" {
			return 0, d.refuse(known, "This must not be empty.")
		}
		// A value that no scheme of ours fits is a credential that doesn't exist.
		if p, ok := gateway.FromAuthorization(authorization); ok {
			into.Credential, into.ID, into.Secret = p.Credential, p.ID, p.Secret
		} else {
			into.Credential = malformed
		}
	}
	return bit, nil
}

// malformed stands for a credential that can't be one.
const malformed = "-"

func fieldName(bit int) string {
	switch bit {
	case hasCredential:
		return "credential"
	case hasAuthorization:
		return "authorization"
	case hasID:
		return "id"
	case hasSecret:
		return "secret"
	case hasPermissions:
		return "permissions"
	case hasSourceIP:
		return "source_ip"
	case hasUserAgent:
		return "user_agent"
	case hasCost:
		return "cost"
	default:
		return "dry_run"
	}
}

// form checks that there is exactly one of the three forms of a credential.
func (d *decoder) form(seen int, r *verify.Request) error {
	const pair = hasID | hasSecret
	switch seen & (hasCredential | hasAuthorization | pair) {
	case hasCredential:
		if r.Credential == "" {
			return d.refuse("credential", "This must not be empty.")
		}
	case hasAuthorization:
	case pair:
		if r.ID == "" {
			return d.refuse("id", "This must not be empty.")
		}
		if r.Secret == "" {
			return d.refuse("secret", "This must not be empty.")
		}
	case hasID:
		return d.refuse("secret", "This is required beside id.")
	case hasSecret:
		return d.refuse("id", "This is required beside secret.")
	case 0:
		return d.refuse("credential", "Give a credential: credential, or authorization, or id and secret.")
	default:
		return d.refuse("", "Give the credential in one form only: credential, or authorization, or id and secret.")
	}
	return nil
}

// cost takes a whole number from 1 on, written without fraction or exponent.
func (d *decoder) cost() (int64, error) {
	start := d.i
	var n int64
	for d.i < len(d.b) && d.b[d.i] >= '0' && d.b[d.i] <= '9' && d.i-start < 8 {
		n = n*10 + int64(d.b[d.i]-'0')
		d.i++
	}
	// What follows a number must end it.
	whole := d.i > start && d.b[start] != '0' && d.i < len(d.b) && bytes.IndexByte([]byte(",} \t\r\n"), d.b[d.i]) >= 0
	if !whole || n < 1 || n > maxCost {
		return 0, d.refuse("cost", "This must be a whole number from 1 to 1,000,000.")
	}
	return n, nil
}

func (d *decoder) bool() (bool, error) {
	switch {
	case bytes.HasPrefix(d.b[d.i:], []byte("true")):
		d.i += 4
		return true, nil
	case bytes.HasPrefix(d.b[d.i:], []byte("false")):
		d.i += 5
		return false, nil
	}
	return false, d.refuse("dry_run", "This must be true or false.")
}

// text takes a JSON string.
func (d *decoder) text() (string, bool) {
	if !d.next('"') {
		return "", false
	}
	start, plain := d.i, true
	for d.i < len(d.b) {
		switch c := d.b[d.i]; {
		case c == '"':
			raw := d.b[start:d.i]
			d.i++
			if !plain && !utf8.Valid(raw) {
				return "", false
			}
			return alias(raw), true
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return "", false
		case c >= utf8.RuneSelf:
			plain = false
		}
		d.i++
	}
	return "", false
}

// escaped takes the rest of a string that has escapes, undoing them in place.
func (d *decoder) escaped(start int) (string, bool) {
	out := d.i
	for d.i < len(d.b) {
		c := d.b[d.i]
		d.i++
		switch {
		case c == '"':
			if !utf8.Valid(d.b[start:out]) {
				return "", false
			}
			return alias(d.b[start:out]), true
		case c < ' ':
			return "", false
		case c != '\\':
			d.b[out] = c
			out++
			continue
		}
		r, ok := d.escape()
		if !ok {
			return "", false
		}
		out = len(utf8.AppendRune(d.b[:out], r)) // never longer than what was read
	}
	return "", false
}

// escape takes what follows a backslash.
func (d *decoder) escape() (rune, bool) {
	if d.i >= len(d.b) {
		return 0, false
	}
	c := d.b[d.i]
	d.i++
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
	default:
		return 0, false
	}
	r, ok := d.hex4()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if d.i+2 > len(d.b) || d.b[d.i] != '\\' || d.b[d.i+1] != 'u' {
		return 0, false
	}
	d.i += 2
	low, ok := d.hex4()
	r = utf16.DecodeRune(r, low)
	return r, ok && r != utf8.RuneError
}

func (d *decoder) hex4() (rune, bool) {
	if d.i+4 > len(d.b) {
		return 0, false
	}
	var r rune
	for _, c := range d.b[d.i : d.i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	d.i += 4
	return r, true
}

// alias is a string over bytes that stay as they are until the request is answered.
func alias(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // the buffer outlives the request; nothing of it is kept
}
