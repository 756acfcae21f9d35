package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/secret"
)

// ExportRow is one key of an export.
type ExportRow struct {
	Key
	OrganizationName string
	Secret           secret.Secret // zero where it is not given
	// Reason says why there is no secret: "shown_once", "ended" or "not_yours". Empty when
	// there is one.
	Reason string
}

// ExportKeys hands out every key that the filter finds, in its order, page by page in
// constant memory; Page.Limit and Page.Cursor count for nothing. What row returns ends the
// export.
func (a *Authority) ExportKeys(ctx context.Context, caller access.Caller, in KeysInput, row func(ExportRow) error) error {
	return errUnfinished
}
