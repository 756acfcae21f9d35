package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/claviger-io/claviger/api"
)

// Page asks for one page of a list. The zero Page is the first page, of the server's
// size and in the list's own order.
type Page struct {
	Limit  int    // 0 means the server's default, 50
	Cursor string // NextCursor or PreviousCursor of an earlier answer
	Sort   string // a list's documentation names its sorts; empty means its first
	Desc   bool   // descending
}

func (p Page) values(v url.Values) url.Values {
	if p.Limit > 0 {
		v.Set("limit", strconv.Itoa(p.Limit))
	}
	set(v, "cursor", p.Cursor)
	set(v, "sort", p.Sort)
	if p.Desc {
		v.Set("order", "desc")
	}
	return v
}

// pageSize is what the iterators ask for: few round trips, and answers of modest size.
const pageSize = 200

// page reads one page.
func page[T any](ctx context.Context, c *Client, path string, filter url.Values, p Page) (*api.List[T], error) {
	var out api.List[T]
	if err := c.do(ctx, read(path, p.values(filter), &out)); err != nil {
		return nil, err
	}
	return &out, nil
}

// each reads all pages, one after another, while they are asked for. After an error
// nothing follows.
func each[T any](ctx context.Context, c *Client, path string, filter func() url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p := Page{Limit: pageSize}
		for {
			list, err := page[T](ctx, c, path, filter(), p)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range list.Items {
				if !yield(item, nil) {
					return
				}
			}
			if p.Cursor = list.NextCursor; p.Cursor == "" {
				return
			}
		}
	}
}

// set leaves out what is empty.
func set(v url.Values, name, value string) {
	if value != "" {
		v.Set(name, value)
	}
}

func setTime(v url.Values, name string, t time.Time) {
	if !t.IsZero() {
		v.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}

func setBool(v url.Values, name string, b bool) {
	if b {
		v.Set(name, "true")
	}
}

// at joins path segments, escaping each: an ID from elsewhere can't lead to another path.
func at(segments ...string) string {
	path := ""
	for _, s := range segments {
		path += "/" + url.PathEscape(s)
	}
	return path
}
