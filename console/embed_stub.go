//go:build !console

package console

import "io/fs"

// Files is the built console, nil when this program has none.
func Files() fs.FS { return nil }
