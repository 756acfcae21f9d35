package authority

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// SuspendUser stops a user and the user's credentials until resumed, and ends the user's
// sessions. It needs claviger.users:manage where the user is, and every administrative
// right that the user has. Problems: last_administrator. Audited as user.suspend.
func (a *Authority) SuspendUser(ctx context.Context, caller access.Caller, in UserInput) (tenancy.User, error) {
	return a.changeUserState(ctx, caller, in, "suspend", tenancy.Active, tenancy.Suspended)
}

// ResumeUser lets a suspended user work again. Rights as SuspendUser; audited as user.resume.
func (a *Authority) ResumeUser(ctx context.Context, caller access.Caller, in UserInput) (tenancy.User, error) {
	return a.changeUserState(ctx, caller, in, "resume", tenancy.Suspended, tenancy.Active)
}

// DeleteUser ends a user for good: credentials revoked, sessions ended, assignments
// removed. Rights as SuspendUser; problems: last_administrator, owns_client_credentials. Audited as user.delete and
// one event per credential, and in the revocation journal before it returns.
func (a *Authority) DeleteUser(ctx context.Context, caller access.Caller, in UserInput) (tenancy.User, error) {
	return a.changeUserState(ctx, caller, in, "delete", "", tenancy.Deleted)
}

func (a *Authority) changeUserState(ctx context.Context, caller access.Caller, in UserInput, action string, from, to tenancy.State) (out tenancy.User, err error) {
	err = a.changeUser(ctx, caller, in, false, func(c *change, u tenancy.User, p principalFacts) error {
		out, err = once(c, "user."+action+"/"+string(u.ID), in.Idempotency, func() (tenancy.User, string, error) {
			if from != "" && u.State != from {
				return u, "", stateConflict("user", u.State)
			}
			next := u
			next.State = to
			if to == tenancy.Deleted {
				if err := c.ownsNoClients(u); err != nil {
					return u, "", err
				}
			}
			err := c.keepingAdministrator(func() error { return c.applyUserState(u, next, p, action) })
			return next, string(u.ID), err
		}, func(string) (tenancy.User, error) { return u, nil })
		return err
	})
	return out, err
}

// mostInTheWay bounds what a refusal lists for programs.
const mostInTheWay = 1000

// ownsNoClients refuses to delete a user who owns client credentials that are not at their
// end, and names them (VC5): programs of the company run on them.
func (c *change) ownsNoClients(u tenancy.User) error {
	living, err := c.tx.CredentialsOf(userPrincipal(u.ID))
	if err != nil {
		return err
	}
	var names []string
	var owned []problem.Object
	for _, k := range living {
		if k.Kind == credential.ClientCredential && !finalState(k.StateAt(c.now)) {
			names = append(names, strconv.Quote(k.Name)+" ("+k.PublicID+")")
			owned = append(owned, problem.Object{ID: k.ID.String(), Name: k.Name, Kind: string(k.Kind)})
		}
	}
	if len(names) == 0 {
		return nil
	}
	const shown = 20
	more := ""
	if len(names) > shown {
		names, more = names[:shown], fmt.Sprintf(" and %d more", len(names)-shown)
	}
	refusal := problem.New(problem.Conflict, "owns_client_credentials",
		"The user owns API credentials: "+strings.Join(names, ", ")+more+". Delete those first.")
	refusal.InTheWay = owned[:min(len(owned), mostInTheWay)]
	return refusal
}

func (c *change) applyUserState(old, next tenancy.User, p principalFacts, action string) error {
	if next.State == tenancy.Deleted {
		if err := c.endUser(next, p); err != nil {
			return err
		}
	}
	if next.State != tenancy.Active {
		if err := c.tx.EndSessions(next.ID, ""); err != nil {
			return err
		}
	}
	if err := c.tx.UpdateUser(next, FoldUsername(next.Username)); err != nil {
		return err
	}
	return c.record("user."+action, userTarget(next), fields{"state": old.State}, fields{"state": next.State})
}

// endUser revokes what speaks for a user and takes away what the user holds.
func (c *change) endUser(u tenancy.User, p principalFacts) error {
	keys, err := c.keysOf(u.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if finalState(k.State) {
			continue
		}
		if _, err := c.applyTransition(rulesOf(k.Kind), k, revokeKey); err != nil {
			return err
		}
	}
	for _, as := range p.assignments {
		if err := c.tx.DeleteAssignment(as.ID); err != nil {
			return err
		}
	}
	c.revocations = append(c.revocations, JournalEntry{At: c.now, Action: JournalUserDeleted, TenantID: u.TenantID, UserID: u.ID})
	return c.tx.EndOneTimeLinks(u.ID, PurposeInvitation)
}
