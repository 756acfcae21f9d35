package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
)

// The formats of files of keys.
const (
	formatCSV   = "csv"
	formatLines = "jsonl"
)

// maxImportLine is the longest line of a file, in bytes.
const maxImportLine = 64 << 10

// importColumns are what a file may tell of a key.
var importColumns = []string{"name", "owner", "key", "digest", "expires_at"}

func (f importFlags) formatOf(path string) (string, error) {
	for column := range f.columns {
		if !slices.Contains(importColumns, column) {
			return "", &usageError{
				err:  fmt.Errorf("--map: a key has no column %q", column),
				hint: "The columns are: " + strings.Join(importColumns, ", ") + ".",
			}
		}
	}
	switch f.format {
	case formatCSV, formatLines:
		return f.format, nil
	case "":
		if strings.HasSuffix(path, ".jsonl") || strings.HasSuffix(path, ".ndjson") {
			return formatLines, nil
		}
		return formatCSV, nil
	}
	return "", &usageError{err: fmt.Errorf("--format: it is not known"), hint: "Give csv or jsonl."}
}

// openImport opens the file, and counts its lines where it can be read again.
func openImport(cmd *cobra.Command, path, format string) (in io.ReadCloser, lines int64, err error) {
	if path == "-" {
		return io.NopCloser(cmd.InOrStdin()), 0, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the keys: %w", err)
	}
	buf := make([]byte, 64<<10)
	ended := true
	for {
		n, err := f.Read(buf)
		if n > 0 {
			lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
			ended = bytes.HasSuffix(buf[:n], []byte{'\n'})
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, errors.Join(fmt.Errorf("reading the keys: %w", err), f.Close())
		}
	}
	if !ended {
		lines++
	}
	if format == formatCSV {
		lines-- // the head
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("reading the keys: %w", err), f.Close())
	}
	return f, max(lines, 0), nil
}

// readImport returns a function that answers the file's lines, and io.EOF after the last.
// What is wrong with one line is told of that line; an error ends it all.
func readImport(in io.Reader, format string, columns map[string]string) (next func() (api.ImportLine, error), err error) {
	buffered := bufio.NewReaderSize(in, maxImportLine)
	if bom, err := buffered.Peek(3); err == nil && string(bom) == "\ufeff" {
		_, _ = buffered.Discard(3) // what was seen can be discarded
	}
	if format == formatLines {
		return readLines(buffered, columns), nil
	}
	return readTable(buffered, columns)
}

// readTable reads CSV (RFC 4180) whose first line tells the columns. A comma, a semicolon or a
// tab separates them, whichever the head has.
func readTable(in *bufio.Reader, columns map[string]string) (func() (api.ImportLine, error), error) {
	start, _ := in.Peek(4096) // of a shorter file there is less
	head, _, _ := bytes.Cut(start, []byte{'\n'})
	r := csv.NewReader(in)
	r.ReuseRecord = true
	for _, separator := range ";\t" {
		if bytes.Count(head, []byte(string(separator))) > bytes.Count(head, []byte{byte(r.Comma)}) {
			r.Comma = separator
		}
	}
	names, err := r.Read()
	if err != nil {
		return nil, &usageError{err: errors.New("the file has no head"), hint: "Its first line names the columns: " + strings.Join(importColumns, ",")}
	}
	at, err := columnsAt(names, columns)
	if err != nil {
		return nil, err
	}
	return func() (api.ImportLine, error) {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return api.ImportLine{}, io.EOF
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			return api.ImportLine{Line: int64(broken.StartLine), Malformed: true}, nil
		}
		if err != nil {
			return api.ImportLine{}, fmt.Errorf("reading the keys: %w", err)
		}
		line, _ := r.FieldPos(0)
		return lineOf(int64(line), func(column string) string {
			if i, ok := at[column]; ok {
				return cells[i]
			}
			return ""
		}), nil
	}, nil
}

// columnsAt finds the columns by their heads, of which the case doesn't matter.
func columnsAt(names []string, columns map[string]string) (map[string]int, error) {
	at := make(map[string]int)
	for _, column := range importColumns {
		head, mapped := columns[column]
		if !mapped {
			head = column
		}
		i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(strings.TrimSpace(n), strings.TrimSpace(head)) })
		if i < 0 && mapped {
			return nil, &usageError{err: fmt.Errorf("--map: the file has no head %q", head), hint: "The heads stand in the file's first line."}
		}
		if i >= 0 {
			at[column] = i
		}
	}
	_, key := at["key"]
	_, digest := at["digest"]
	_, name := at["name"]
	_, owner := at["owner"]
	if !name || !owner || !key && !digest {
		return nil, &usageError{
			err:  errors.New("the file's first line does not name the columns name, owner, and key or digest"),
			hint: "If they are called otherwise, say so: --map name=label,owner=user,key=token",
		}
	}
	return at, nil
}

// readLines reads JSON Lines: an object a line. Empty lines are skipped.
func readLines(in *bufio.Reader, columns map[string]string) func() (api.ImportLine, error) {
	line := int64(0)
	return func() (api.ImportLine, error) {
		for {
			line++
			text, err := in.ReadSlice('\n')
			long := errors.Is(err, bufio.ErrBufferFull)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = in.ReadSlice('\n')
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return api.ImportLine{}, fmt.Errorf("reading the keys: %w", err)
			}
			if len(bytes.TrimSpace(text)) == 0 && !long {
				if err != nil {
					return api.ImportLine{}, io.EOF
				}
				continue
			}
			object, ok := objectOf(text)
			if long || !ok {
				return api.ImportLine{Line: line, Malformed: true}, nil
			}
			return lineOf(line, func(column string) string {
				if mapped, ok := columns[column]; ok {
					column = mapped
				}
				switch v := object[column].(type) {
				case nil:
					return ""
				case string:
					return v
				}
				return "\xff" // no text: the line can't be read
			}), nil
		}
	}
}

func objectOf(text []byte) (object map[string]any, ok bool) {
	err := json.Unmarshal(text, &object)
	return object, err == nil && object != nil
}

func lineOf(number int64, cell func(column string) string) api.ImportLine {
	l := api.ImportLine{
		Line: number, Name: strings.TrimSpace(cell("name")), Owner: strings.TrimSpace(cell("owner")), Key: api.Secret(strings.TrimSpace(cell("key"))),
		Digest: strings.TrimSpace(cell("digest")), ExpiresAt: strings.TrimSpace(cell("expires_at")),
	}
	for _, text := range []string{l.Name, l.Owner, l.Key.Reveal(), l.Digest, l.ExpiresAt} {
		if !utf8.ValidString(text) || len(text) > maxImportLine/8 {
			return api.ImportLine{Line: number, Malformed: true}
		}
	}
	return l
}
