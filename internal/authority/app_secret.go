package authority

import (
	"context"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// RotateApp gives an app a new key and a new secret under the same IDs; both of those
// before go on working for the grace period. It needs claviger.apps:manage there and what
// the app carries. Audited as app.rotate.
func (a *Authority) RotateApp(ctx context.Context, caller access.Caller, in RotateAppInput) (out IssuedApp, err error) {
	if err := credential.ValidateGrace(in.Grace); err != nil {
		return out, err
	}
	made, tenant, err := a.makeAppSecrets(ctx, caller, AppInput{Tenant: in.Tenant, ID: in.ID})
	if err != nil {
		return out, err
	}
	revision, err := a.changeApp(ctx, caller, AppInput{Tenant: tenant, ID: in.ID}, true, func(c *change, app tenancy.App, _ []tenancy.OrgID) error {
		k, err := c.appCredential(app.ID)
		if err != nil {
			return err
		}
		if err := c.mayGiveApp(app, k); err != nil {
			return err
		}
		out, err = once(c, "app.rotate/"+string(app.ID), in.Idempotency, func() (IssuedApp, string, error) {
			if err := c.rotateApp(app, k, made, in.Grace); err != nil {
				return IssuedApp{}, "", err
			}
			shown, err := c.showApp(app)
			return IssuedApp{App: shown, Key: made.parts[0].clear, Secret: made.parts[1].clear, SecretAvailable: true}, string(app.ID), err
		}, c.appWithoutSecret)
		return err
	})
	if err != nil {
		return IssuedApp{}, err
	}
	out.Revision = revision
	return out, nil
}

func (c *change) rotateApp(app tenancy.App, k credential.Credential, made freshSecrets, grace time.Duration) error {
	if k.ID != made.id {
		return problem.New(problem.Conflict, "changed_meanwhile", "The app was changed by someone else meanwhile. Try again.")
	}
	next, until, err := c.rotate(k, made, grace)
	if err != nil {
		return err
	}
	return c.record("app.rotate", appTarget(app), fields{"secret_version": k.SecretVersion},
		fields{"secret_version": next.SecretVersion, "grace_until": until})
}

// makeAppSecrets makes the next secrets of an app's credential.
func (a *Authority) makeAppSecrets(ctx context.Context, caller access.Caller, in AppInput) (made freshSecrets, tenant tenancy.TenantID, err error) {
	if tenant, err = a.appTenant(ctx, caller, in.Tenant, in.ID); err != nil {
		return made, tenant, err
	}
	var k credential.Credential
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		app, _, err := s.app(in.ID)
		if err != nil {
			return err
		}
		k, err = s.appCredential(app.ID)
		return err
	})
	if err != nil {
		return made, tenant, err
	}
	made, err = a.makeSecretsFor(ctx, caller, tenant, k.ID, kinds{appKeys})
	return made, tenant, err
}

// RevealApp answers an app's key and secret (EE5). It needs claviger.apps:manage there,
// what the app carries, and a session in which the person confirmed their password within
// 5 minutes. Problems: reauthentication_required. Audited as app.reveal before it returns.
func (a *Authority) RevealApp(ctx context.Context, caller access.Caller, in AppInput) (out RevealedApp, err error) {
	tenant, err := a.appTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	seal, err := a.sealingFor(ctx, caller, tenant)
	if err != nil {
		return out, err
	}
	revision, err := a.changeApp(ctx, caller, AppInput{Tenant: tenant, ID: in.ID}, false, func(c *change, app tenancy.App, _ []tenancy.OrgID) error {
		if out.App, err = c.showApp(app); err != nil {
			return err
		}
		k := out.Credential.Credential
		if err := c.mayReveal(appKeys, k); err != nil {
			return err
		}
		if out.Key, err = c.unseal(seal, k, credential.FieldKey); err != nil {
			return err
		}
		if out.Secret, err = c.unseal(seal, k, credential.FieldSecret); err != nil {
			return err
		}
		return c.record("app.reveal", appTarget(app), nil, fields{"credential_id": k.ID, "secret_version": k.SecretVersion})
	})
	if err != nil {
		return RevealedApp{}, err
	}
	out.Revision = revision
	return out, nil
}
