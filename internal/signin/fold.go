package signin

import (
	"strings"

	"github.com/claviger-io/claviger/internal/authority"
)

// Fold is the form under which user names are compared. People type spaces around a name
// without seeing them, so these go.
func Fold(username string) string { return authority.FoldUsername(strings.TrimSpace(username)) }
