package authority

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
)

// Whether a commit took place is unknown: nothing is acknowledged, and the index is told to
// answer nothing until it has read the feed again.
func TestUnknownOutcomeMakesTheIndexUndecided(t *testing.T) {
	told := 0
	a := &Authority{logger: slog.New(slog.DiscardHandler), undecided: func() { told++ }}
	err := a.refused(t.Context(), nil, fmt.Errorf("committing: %w", store.ErrOutcomeUnknown))
	if !problem.Is(err, problem.Unavailable) || told != 1 {
		t.Errorf("%v, told %d times", err, told)
	}
	other := problem.Missing("API key")
	if err := a.refused(t.Context(), nil, other); err != other || told != 1 { //nolint:errorlint // the very same error must come back
		t.Errorf("%v, told %d times", err, told)
	}
}
