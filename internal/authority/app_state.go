package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// SuspendApp stops an app's key until it is resumed. It needs claviger.apps:manage there.
// Audited as app.suspend.
func (a *Authority) SuspendApp(ctx context.Context, caller access.Caller, in AppInput) (App, error) {
	return a.changeAppState(ctx, caller, in, "suspend", tenancy.Active, tenancy.Suspended)
}

// ResumeApp lets a suspended app work again. Rights as SuspendApp; audited as app.resume.
func (a *Authority) ResumeApp(ctx context.Context, caller access.Caller, in AppInput) (App, error) {
	return a.changeAppState(ctx, caller, in, "resume", tenancy.Suspended, tenancy.Active)
}

// DeleteApp ends an app for good: its key and secret are revoked (EE6). Rights as
// SuspendApp; audited as app.delete, and in the revocation journal before it returns.
func (a *Authority) DeleteApp(ctx context.Context, caller access.Caller, in AppInput) (App, error) {
	return a.changeAppState(ctx, caller, in, "delete", "", tenancy.Deleted)
}

func (a *Authority) changeAppState(ctx context.Context, caller access.Caller, in AppInput, action string, from, to tenancy.State) (App, error) {
	return a.changeAppOnce(ctx, caller, in, action, action == "resume", func(c *change, app tenancy.App) (func() (tenancy.App, error), error) {
		return func() (tenancy.App, error) {
			if from != "" && app.State != from {
				return app, stateConflict("app", app.State)
			}
			next := app
			next.State = to
			return next, c.applyAppState(app, next, action)
		}, nil
	})
}

// changeAppOnce runs a change of one app that a repeated request does not run again, and
// answers the app after it. prepare checks what more the caller needs, of a repeated request
// too, and returns the change.
func (a *Authority) changeAppOnce(ctx context.Context, caller access.Caller, in AppInput, action string, resuming bool,
	prepare func(*change, tenancy.App) (apply func() (tenancy.App, error), err error),
) (out App, err error) {
	revision, err := a.changeApp(ctx, caller, in, resuming, func(c *change, app tenancy.App, _ []tenancy.OrgID) error {
		apply, err := prepare(c, app)
		if err != nil {
			return err
		}
		out, err = once(c, "app."+action+"/"+string(app.ID), in.Idempotency, func() (App, string, error) {
			next, err := apply()
			if err != nil {
				return App{}, "", err
			}
			shown, err := c.showApp(next)
			return shown, string(app.ID), err
		}, c.appAgain)
		return err
	})
	if err != nil {
		return App{}, err
	}
	out.Revision = revision
	return out, nil
}

func (c *change) applyAppState(old, next tenancy.App, action string) error {
	if next.State == tenancy.Deleted {
		living, err := c.tx.CredentialsOf(appPrincipal(old.ID))
		if err != nil {
			return err
		}
		for _, k := range living {
			if _, err := c.transit(k, deleteKey); err != nil {
				return err
			}
		}
	}
	if next.State == tenancy.Active {
		if err := c.resumeAppKey(next); err != nil {
			return err
		}
	}
	if err := c.tx.UpdateApp(next); err != nil {
		return err
	}
	return c.record("app."+action, appTarget(next), fields{"state": old.State}, fields{"state": next.State})
}

// resumeAppKey notes at the app's credential that it may be used again.
func (c *change) resumeAppKey(a tenancy.App) error {
	k, err := c.appCredential(a.ID)
	if err != nil {
		return err
	}
	if err := k.MayResume(c.tenant.Policy); err != nil || finalState(k.StateAt(c.now)) {
		return err
	}
	k.ResumedAt = c.now.UTC().Truncate(time.Microsecond)
	return c.tx.UpdateCredential(k)
}
