package store

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"
)

// A backup is gzip over lines of text: one with a BackupInfo; for each table one that names
// its columns, then its rows in the text format of PostgreSQL's COPY, then "\."; at last one
// with what everything before it comes to. All but the rows is JSON. The same file fits both
// engines.

// BackupFormat is the version of the format that this program writes, and the only one that
// it reads.
const BackupFormat = 1

// ErrDamagedBackup means that a file is no backup, or not a whole and unchanged one.
var ErrDamagedBackup = errors.New("the file is not a whole and unchanged backup")

// BackupInfo is what a backup says of itself.
type BackupInfo struct {
	Format   int               `json:"claviger_backup"` // BackupFormat
	At       time.Time         `json:"at"`
	Engine   string            `json:"engine"`   // of the database it was made of, for people
	Schema   int64             `json:"schema"`   // the last migration that the database had
	Revision uint64            `json:"revision"` // of the feed: what was committed up to here is in it
	Settings map[string]string `json:"settings"` // of the installation, so that they can be looked at before the rest is read
	// Tables and Rows are how much is in it, and Checksum the SHA-256 of the text, in hex.
	// They stand at its end.
	Tables   int    `json:"-"`
	Rows     int64  `json:"-"`
	Checksum string `json:"-"`
}

// archiveTable is a table of a backup.
type archiveTable struct {
	Name    string          `json:"table"`
	Columns []archiveColumn `json:"columns"`
}

type archiveColumn struct {
	Name string     `json:"name"`
	Type columnType `json:"type"`
}

// columnType is what a column holds, on either engine.
type columnType string

const (
	columnInteger columnType = "integer"
	columnBoolean columnType = "boolean"
	columnText    columnType = "text"
	columnBytes   columnType = "bytes"
)

type archiveEnd struct {
	End    bool             `json:"end"`
	Rows   map[string]int64 `json:"rows"` // by table
	SHA256 string           `json:"sha256"`
}

const (
	endOfRows = "\\.\n"
	// longestLine bounds a line of a backup: more than any row has.
	longestLine = 64 << 20
)

// archiveWriter writes a backup.
type archiveWriter struct {
	zip  *gzip.Writer
	text *bufio.Writer // into zip and sum
	sum  hash.Hash
	rows map[string]int64
}

func newArchiveWriter(w io.Writer, info BackupInfo) (*archiveWriter, error) {
	// The best compression takes several times as long for a few percent.
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	a := &archiveWriter{zip: zip, sum: sha256.New(), rows: map[string]int64{}}
	a.text = bufio.NewWriterSize(io.MultiWriter(zip, a.sum), 1<<16)
	return a, a.line(info)
}

func (a *archiveWriter) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a backup: %w", err)
	}
	_, err = a.text.Write(append(text, '\n'))
	return err
}

// table writes a table; rows writes its rows and returns how many.
func (a *archiveWriter) table(t archiveTable, rows func(io.Writer) (int64, error)) error {
	if err := a.line(t); err != nil {
		return err
	}
	n, err := rows(a.text)
	if err != nil {
		return fmt.Errorf("reading table %s: %w", t.Name, err)
	}
	a.rows[t.Name] = n
	_, err = a.text.WriteString(endOfRows)
	return err
}

// close writes the end and completes the info with it.
func (a *archiveWriter) close(info *BackupInfo) error {
	if err := a.text.Flush(); err != nil {
		return err
	}
	end := archiveEnd{End: true, Rows: a.rows, SHA256: hex.EncodeToString(a.sum.Sum(nil))}
	end.tell(info)
	if err := a.line(end); err != nil {
		return err
	}
	return errors.Join(a.text.Flush(), a.zip.Close())
}

func (e archiveEnd) tell(info *BackupInfo) {
	info.Tables, info.Rows, info.Checksum = len(e.Rows), 0, e.SHA256
	for _, n := range e.Rows {
		info.Rows += n
	}
}

// archiveReader reads a backup.
type archiveReader struct {
	in   *bufio.Reader
	sum  hash.Hash
	long bytes.Buffer // a line that doesn't fit into in
	rows map[string]int64
	BackupInfo
}

// openArchive reads the info.
func openArchive(r io.Reader) (*archiveReader, error) {
	zip, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, damaged(err)
	}
	a := &archiveReader{in: bufio.NewReaderSize(zip, 1<<16), sum: sha256.New(), rows: map[string]int64{}}
	first, err := a.next()
	if err != nil {
		return nil, damaged(err)
	}
	if err := json.Unmarshal(first, &a.BackupInfo); err != nil || a.Format == 0 {
		return nil, damaged(errors.New("its first line is not that of a backup"))
	}
	if a.Format != BackupFormat {
		return nil, fmt.Errorf("the backup has format %d and this program reads %d", a.Format, BackupFormat)
	}
	a.sum.Write(first)
	return a, nil
}

func damaged(err error) error {
	if errors.Is(err, ErrDamagedBackup) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamagedBackup, err)
}

// next reads a line with its end. It is good until the next one.
func (a *archiveReader) next() ([]byte, error) {
	line, err := a.in.ReadSlice('\n')
	if err == nil {
		return line, nil
	}
	a.long.Reset()
	for errors.Is(err, bufio.ErrBufferFull) {
		a.long.Write(line)
		if a.long.Len() > longestLine {
			return nil, errors.New("a line is too long")
		}
		line, err = a.in.ReadSlice('\n')
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	a.long.Write(line)
	return a.long.Bytes(), nil
}

// tables gives every table to fn, which reads as many of its rows as it likes, and then
// checks the end. An ErrDamagedBackup may come at the very end.
func (a *archiveReader) tables(fn func(archiveTable, *archiveRows) error) error {
	for {
		line, err := a.next()
		if err != nil {
			return damaged(err)
		}
		var end archiveEnd
		if json.Unmarshal(line, &end) == nil && end.End {
			return a.finish(end)
		}
		var t archiveTable
		if err := json.Unmarshal(line, &t); err != nil || t.Name == "" || len(t.Columns) == 0 {
			return damaged(errors.New("a table has no name or no columns"))
		}
		a.sum.Write(line)
		rows := &archiveRows{archive: a}
		if err := fn(t, rows); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		for !rows.over {
			if _, err := rows.next(); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
		a.rows[t.Name] += rows.count
	}
}

func (a *archiveReader) finish(end archiveEnd) error {
	if end.SHA256 != hex.EncodeToString(a.sum.Sum(nil)) {
		return damaged(errors.New("its checksum is wrong"))
	}
	for name, n := range end.Rows {
		if a.rows[name] != n {
			return damaged(fmt.Errorf("table %s has %d rows and should have %d", name, a.rows[name], n))
		}
	}
	if _, err := a.in.ReadByte(); !errors.Is(err, io.EOF) {
		return damaged(errors.New("something follows on its end"))
	}
	end.tell(&a.BackupInfo)
	return nil
}

// archiveRows are the rows of the table that is being read. As an io.Reader they are what
// PostgreSQL's COPY reads.
type archiveRows struct {
	archive *archiveReader
	count   int64
	over    bool
	rest    []byte
}

// next reads a row with the end of its line, good until the next one; io.EOF after the last.
func (r *archiveRows) next() ([]byte, error) {
	if r.over {
		return nil, io.EOF
	}
	line, err := r.archive.next()
	if err != nil {
		r.over = true
		return nil, damaged(err)
	}
	r.archive.sum.Write(line)
	if string(line) == endOfRows {
		r.over = true
		return nil, io.EOF
	}
	r.count++
	return line, nil
}

// Read gives the rows as one stream.
func (r *archiveRows) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(r.rest) == 0 {
			if r.rest, err = r.next(); err != nil {
				if n > 0 && errors.Is(err, io.EOF) {
					return n, nil
				}
				return n, err
			}
		}
		k := copy(p[n:], r.rest)
		n, r.rest = n+k, r.rest[k:]
	}
	return n, nil
}
