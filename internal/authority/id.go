package authority

import (
	"encoding/base32"
	"fmt"
	"io"
	"sync"

	"github.com/google/uuid"
)

// crockford is Crockford's base32 in lower case: no i, l, o, u, and it sorts like the bytes.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// newID returns the prefix and 26 characters that sort by time.
func newID(prefix string) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("making an ID: %w", err)
	}
	return prefix + crockford.EncodeToString(id[:]), nil
}

// lockedReader lets many goroutines read from one source, such as a test's.
type lockedReader struct {
	mu   sync.Mutex
	from io.Reader // guarded by mu
}

func (r *lockedReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from.Read(p)
}
