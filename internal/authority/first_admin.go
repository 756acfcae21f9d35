package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// FirstAdminLifetime is how long a first-administrator link can be used.
const FirstAdminLifetime = 15 * time.Minute

// FirstAdminLinkInput asks for the link of the first start.
type FirstAdminLinkInput struct{}

// FirstAdminLink is a one-time token with which the installation's first administrator
// makes their own account.
type FirstAdminLink struct {
	Token     secret.Secret
	ExpiresAt time.Time
}

// AcceptFirstAdminInput makes the first administrator.
type AcceptFirstAdminInput struct {
	Token        secret.Secret
	Username     string
	DisplayName  string
	PasswordHash string // argon2id, encoded; never the password
}

// settingFirstAdminClosed is set once the first administrator exists: the door never opens again.
const settingFirstAdminClosed = "first_admin_closed"

func (c *change) doorOpen() error {
	closed, err := c.tx.AllTenantsSetting(settingFirstAdminClosed)
	if err != nil {
		return err
	}
	if closed != "" {
		return problem.New(problem.Conflict, "first_admin_closed", "The first administrator exists already. Sign in, or ask them for an invitation.")
	}
	return nil
}

// IssueFirstAdminLink makes the one-time link of the first start. Only the installation
// itself may ask (SystemCaller), that is, whoever can run its commands. Problems:
// first_admin_closed. Audited as first_admin.issue_link.
func (a *Authority) IssueFirstAdminLink(ctx context.Context, caller access.Caller, _ FirstAdminLinkInput) (out FirstAdminLink, err error) {
	token, hash, err := a.makeToken()
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, caller, "", func(c *change) error {
		if !c.all() {
			return problem.New(problem.Denied, "system_only", "This link is made by a command on the server.")
		}
		if err := c.doorOpen(); err != nil {
			return err
		}
		out = FirstAdminLink{Token: token, ExpiresAt: c.now.Add(FirstAdminLifetime)}
		err := c.tx.InsertOneTimeLink(store.OneTimeLink{
			TokenHash: hash, Purpose: purposeFirstAdmin, CreatedAt: c.now, ExpiresAt: out.ExpiresAt,
		})
		if err != nil {
			return err
		}
		return c.record("first_admin.issue_link", tenantTarget(c.tenant), nil, fields{"expires_at": out.ExpiresAt})
	})
	if err != nil {
		return FirstAdminLink{}, err
	}
	return out, nil
}

// AcceptFirstAdmin makes the installation's first administrator and closes the door for
// ever. The token is all the right it takes; of the caller only the origin of the request
// counts. Problems: first_admin_closed, first_admin_link. Audited as user.create,
// assignment.create and first_admin.accept.
func (a *Authority) AcceptFirstAdmin(ctx context.Context, caller access.Caller, in AcceptFirstAdminInput) (out tenancy.User, err error) {
	id, err := newID("usr_")
	if err != nil {
		return out, err
	}
	_, err = a.change(ctx, systemFrom(caller), "", func(c *change) error {
		if err := c.doorOpen(); err != nil {
			return err
		}
		_, _, err := c.tx.AllTenantsTakeOneTimeLink(hashToken(in.Token), purposeFirstAdmin, c.now)
		if problem.Is(err, problem.NotFound) {
			return problem.New(problem.Denied, "first_admin_link", "This link does not work: it was used, is older than 15 minutes, or is not complete. Make a new one.")
		}
		if err != nil {
			return err
		}
		if in.PasswordHash == "" {
			return problem.InvalidField("/password", "Choose a password.")
		}
		out, err = c.firstAdmin(tenancy.UserID(id), in)
		return err
	})
	if err != nil {
		return tenancy.User{}, err
	}
	return out, nil
}

func (c *change) firstAdmin(id tenancy.UserID, in AcceptFirstAdminInput) (tenancy.User, error) {
	u := tenancy.User{
		ID: id, TenantID: c.tenant.ID, OrganizationID: c.tenant.RootOrg, Username: in.Username,
		DisplayName: in.DisplayName, State: tenancy.Active, CreatedAt: c.now,
	}
	if err := c.insertUser(u); err != nil {
		return u, err
	}
	if err := c.tx.SetPassword(u.ID, in.PasswordHash, c.now); err != nil {
		return u, err
	}
	role, err := c.builtIn(access.RoleSystemAdministrator)
	if err != nil {
		return u, err
	}
	asg, err := newID("asg_")
	if err != nil {
		return u, err
	}
	err = c.assign(access.Assignment{
		ID: access.AssignmentID(asg), TenantID: c.tenant.ID, Principal: userPrincipal(u.ID), RoleID: role,
		OrganizationID: c.tenant.RootOrg, CreatedAt: c.now,
	}, c.rootPath())
	if err != nil {
		return u, err
	}
	if err := c.tx.AllTenantsPutSetting(settingFirstAdminClosed, c.now.Format(time.RFC3339)); err != nil {
		return u, err
	}
	return u, c.record("first_admin.accept", userTarget(u), nil, nil)
}

// builtIn finds the tenant's copy of a built-in role.
func (s *scope) builtIn(key string) (access.RoleID, error) {
	roles, err := s.roles(s.target)
	if err != nil {
		return "", err
	}
	for id, r := range roles {
		if r.BuiltIn == key {
			return id, nil
		}
	}
	return "", problem.Missing("role")
}
