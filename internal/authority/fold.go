package authority

import (
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// FoldUsername is the form under which user names are unique and looked up: NFKC, case
// folded, NFKC again because folding can leave text that is not normalized.
func FoldUsername(name string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
}
