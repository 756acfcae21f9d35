package tenancy

import (
	"fmt"
	"slices"

	"github.com/claviger-io/claviger/internal/problem"
)

// SystemRootOrg is the root organization of the system tenant. What someone of the system
// tenant holds there reaches every tenant.
const SystemRootOrg OrgID = "org_system"

// MaxDepth is the most organizations on a path, the root included.
const MaxDepth = 16

// IsWithin reports whether the organization whose path is given is org or below it.
func IsWithin(path []OrgID, org OrgID) bool {
	return org != "" && slices.Contains(path, org)
}

// ChildPath is the path of a child of the organization whose path is given. It shares no
// memory with it.
func ChildPath(parent []OrgID, child OrgID) []OrgID {
	return append(slices.Clone(parent), child)
}

// ValidatePlacement checks that an organization may stand below a parent. height is the
// number of levels of the organization and what is below it, 1 for a leaf. It returns an
// Invalid problem with the pointer "/parent_id".
func ValidatePlacement(org OrgID, height int, parent []OrgID) error {
	switch {
	case len(parent) == 0:
		return problem.InvalidField("/parent_id", "Name the organization that this one is to stand below.")
	case IsWithin(parent, org):
		return problem.InvalidField("/parent_id", "An organization can't stand below itself.")
	case len(parent)+height > MaxDepth:
		return problem.InvalidField("/parent_id", fmt.Sprintf("The tree can't be deeper than %d levels.", MaxDepth))
	}
	return nil
}
