package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// ExportAPIKeys writes the keys that the filter finds to w as CSV, with the whole key
// where it is recoverable and the caller may have it, and returns how many rows it wrote
// after the header. The context bounds how long it may take, not WithTimeout. It needs a
// session that gave its password within the last five minutes. When it returns an error, what was written
// is not all of it.
func (c *Client) ExportAPIKeys(ctx context.Context, f APIKeyFilter, w io.Writer) (rows int64, err error) {
	return c.export(ctx, read(at("v1", apiKeys, "export"), f.values(), nil), w)
}

// export copies a table and counts on the trailer that says it is whole.
func (c *Client) export(ctx context.Context, r request, w io.Writer) (rows int64, err error) {
	req, err := c.newRequest(ctx, r, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "text/csv, application/problem+json")
	patient := *c.http
	patient.Timeout = 0
	res, err := patient.Do(req)
	if err != nil {
		return 0, withoutURL(r, err)
	}
	defer func() { _ = res.Body.Close() }()
	c.cookie.keep(res)
	if res.StatusCode != http.StatusOK {
		data, err := readAll(res.Body)
		if err != nil {
			return 0, fmt.Errorf("reading the answer to %s %s: %w", r.method, r.path, err)
		}
		return 0, problemOf(res, data)
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		return 0, fmt.Errorf("reading the export: %w", err)
	}
	if rows, err = strconv.ParseInt(res.Trailer.Get("Claviger-Rows"), 10, 64); err != nil {
		return 0, errors.New("the export ended early")
	}
	return rows, nil
}
