package problem_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/claviger-io/claviger/internal/problem"
)

var errCause = errors.New("dial tcp 10.0.0.5: refused")

func TestAs(t *testing.T) {
	if problem.As(nil) != nil {
		t.Error("nothing is a problem")
	}
	p := problem.New(problem.Conflict, "name_taken", "The name is taken. Choose another.")
	if got := problem.As(fmt.Errorf("issuing: %w", p)); got != p {
		t.Errorf("the problem is lost: %v", got)
	}
	unknown := problem.As(errCause)
	if unknown.Kind != problem.Internal || !errors.Is(unknown, errCause) {
		t.Errorf("%#v", unknown)
	}
	if strings.Contains(unknown.Message, "10.0.0.5") {
		t.Error("the message shows the cause")
	}
}

func TestIsAndHasCode(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", problem.New(problem.Denied, "outlives_caller", "No."))
	if !problem.Is(err, problem.Denied) || problem.Is(err, problem.Internal) || !problem.HasCode(err, "outlives_caller") {
		t.Error("a wrapped problem is not recognised")
	}
	// The zero kind is Internal: an error that is no problem must not pass for one.
	if problem.Is(errCause, problem.Internal) || problem.Is(nil, problem.Internal) || problem.HasCode(errCause, "") {
		t.Error("an error that is no problem is taken for one")
	}
}

func TestInvalidFields(t *testing.T) {
	if err := problem.InvalidFields(nil); err != nil {
		t.Errorf("no fields make %v", err)
	}
	err := problem.InvalidFields([]problem.Field{{Pointer: "/name", Message: "Give a name."}})
	if p := problem.As(err); p.Kind != problem.Invalid || len(p.Fields) != 1 {
		t.Errorf("%#v", p)
	}
	if p := problem.InvalidField("/name", "Give a name."); p.Kind != problem.Invalid || p.Fields[0].Pointer != "/name" {
		t.Errorf("%#v", p)
	}
}

// Missing must read the same for what never was and what belongs to somebody else, and
// Wrap must keep the cause for the log without showing it.
func TestMissingAndWrap(t *testing.T) {
	if a, b := problem.Missing("API key"), problem.Missing("API key"); a.Error() != b.Error() || a.Kind != problem.NotFound || a.Err != nil {
		t.Errorf("%#v", a)
	}
	p := problem.Wrap(errCause)
	if p.Kind != problem.Unavailable || !errors.Is(p, errCause) || strings.Contains(p.Message, "10.0.0.5") || !strings.Contains(p.Error(), "10.0.0.5") {
		t.Errorf("%#v", p)
	}
}

func TestKindNames(t *testing.T) {
	seen := make(map[string]bool)
	for k := problem.Internal; k <= problem.Unavailable; k++ {
		if seen[k.String()] {
			t.Errorf("%s twice", k)
		}
		seen[k.String()] = true
	}
	if problem.Kind(200).String() != "internal" {
		t.Error("an unknown kind must be our fault")
	}
}
