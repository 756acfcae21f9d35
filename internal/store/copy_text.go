package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// The text format of PostgreSQL's COPY, for SQLite: a row a line, values apart by tabs, \N
// for none.

// appendRow appends a row of values as database/sql gives them.
func appendRow(to []byte, columns []archiveColumn, values []any) ([]byte, error) {
	for i, v := range values {
		if i > 0 {
			to = append(to, '\t')
		}
		var err error
		if to, err = appendValue(to, columns[i].Type, v); err != nil {
			return to, fmt.Errorf("column %s: %w", columns[i].Name, err)
		}
	}
	return append(to, '\n'), nil
}

func appendValue(to []byte, is columnType, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(to, '\\', 'N'), nil
	case int64:
		switch is {
		case columnBoolean:
			return appendTruth(to, v != 0), nil
		case columnInteger:
			return strconv.AppendInt(to, v, 10), nil
		case columnText, columnBytes:
		}
	case bool:
		if is == columnBoolean {
			return appendTruth(to, v), nil
		}
	case string:
		switch is {
		case columnText:
			return appendText(to, v)
		case columnBytes:
			return hex.AppendEncode(append(to, `\\x`...), []byte(v)), nil
		case columnInteger, columnBoolean:
		}
	case []byte:
		switch is {
		case columnBytes:
			return hex.AppendEncode(append(to, `\\x`...), v), nil
		case columnText:
			return appendText(to, string(v))
		case columnInteger, columnBoolean:
		}
	}
	return to, fmt.Errorf("a value of type %T where %s should be", v, is)
}

func appendTruth(to []byte, v bool) []byte {
	if v {
		return append(to, 't')
	}
	return append(to, 'f')
}

// escapes are the letters after a backslash that stand for a character.
var escapes = map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\'}

var escaped = func() (list [256]byte) {
	for letter, char := range escapes {
		list[char] = letter
	}
	return list
}()

func appendText(to []byte, s string) ([]byte, error) {
	if !validText(s) {
		return to, errText
	}
	for i := range len(s) {
		if letter := escaped[s[i]]; letter != 0 {
			to = append(to, '\\', letter)
		} else {
			to = append(to, s[i])
		}
	}
	return to, nil
}

var errRow = errors.New("a row is not in the text format of COPY")

// splitRow reads a line of rows into values for SQLite.
func splitRow(line []byte, columns []archiveColumn, values []any) error {
	if len(line) == 0 || line[len(line)-1] != '\n' {
		return io.ErrUnexpectedEOF
	}
	line = line[:len(line)-1]
	for i, c := range columns {
		end := 0
		for end < len(line) && line[end] != '\t' {
			end++
		}
		if last := i == len(columns)-1; last != (end == len(line)) {
			return errRow
		}
		v, err := valueOf(c.Type, line[:end])
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		values[i] = v
		line = line[min(end+1, len(line)):]
	}
	return nil
}

func valueOf(is columnType, text []byte) (any, error) {
	if string(text) == `\N` {
		return nil, nil
	}
	switch is {
	case columnInteger:
		return strconv.ParseInt(string(text), 10, 64)
	case columnBoolean:
		if len(text) != 1 || text[0] != 't' && text[0] != 'f' {
			return nil, errRow
		}
		return text[0] == 't', nil
	case columnText:
		return unescape(text)
	case columnBytes:
		if len(text) < 3 || string(text[:3]) != `\\x` {
			return nil, errRow
		}
		b := make([]byte, hex.DecodedLen(len(text)-3))
		_, err := hex.Decode(b, text[3:])
		return b, err
	}
	return nil, fmt.Errorf("a column of unknown type %q", is)
}

func unescape(text []byte) (string, error) {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		i++
		if i == len(text) || escapes[text[i]] == 0 {
			return "", errRow
		}
		out = append(out, escapes[text[i]])
	}
	if !utf8.Valid(out) {
		return "", errRow
	}
	return string(out), nil
}
