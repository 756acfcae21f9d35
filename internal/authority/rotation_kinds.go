package authority

import (
	"context"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// FinishAPIKeyRotation ends the grace period of a user or organization key now: only the secret of the last
// rotation goes on (B3). Rights as SuspendAPIKey. Problems: not_in_grace. Audited as
// api_key.finish_rotation, and in the revocation journal before it returns.
func (a *Authority) FinishAPIKeyRotation(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeRotation(ctx, caller, in, apiKeys, finishRotation)
}

// RollBackAPIKey ends the new secret of a user or organization key that is in its grace period now, and the
// one before is current again without an end (B3). Rights as RotateAPIKey. Problems:
// not_in_grace. Audited as api_key.roll_back, and in the revocation journal before it
// returns.
func (a *Authority) RollBackAPIKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeRotation(ctx, caller, in, apiKeys, rollBack)
}

// APIKeyPreviousUses answers from where the secret of a user or organization key before the present one was
// used since the rotation (B3). Rights as FinishAPIKeyRotation.
func (a *Authority) APIKeyPreviousUses(ctx context.Context, caller access.Caller, in KeyInput) (PreviousSecretUses, error) {
	return a.previousSecretUses(ctx, caller, in, apiKeys)
}

// FinishVerifierKeyRotation ends the grace period of a verifier key now: only the secret of the last
// rotation goes on (B3). Rights as SuspendVerifierKey. Problems: not_in_grace. Audited as
// verifier_key.finish_rotation, and in the revocation journal before it returns.
func (a *Authority) FinishVerifierKeyRotation(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeRotation(ctx, caller, in, kinds{verifierKeys}, finishRotation)
}

// RollBackVerifierKey ends the new secret of a verifier key that is in its grace period now, and the
// one before is current again without an end (B3). Rights as RotateVerifierKey. Problems:
// not_in_grace. Audited as verifier_key.roll_back, and in the revocation journal before it
// returns.
func (a *Authority) RollBackVerifierKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeRotation(ctx, caller, in, kinds{verifierKeys}, rollBack)
}

// VerifierKeyPreviousUses answers from where the secret of a verifier key before the present one was
// used since the rotation (B3). Rights as FinishVerifierKeyRotation.
func (a *Authority) VerifierKeyPreviousUses(ctx context.Context, caller access.Caller, in KeyInput) (PreviousSecretUses, error) {
	return a.previousSecretUses(ctx, caller, in, kinds{verifierKeys})
}

// FinishAccountKeyRotation ends the grace period of an account key now: only the secret of the last
// rotation goes on (B3). Rights as SuspendAccountKey. Problems: not_in_grace. Audited as
// account_key.finish_rotation, and in the revocation journal before it returns.
func (a *Authority) FinishAccountKeyRotation(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeRotation(ctx, caller, in, kinds{accountKeys}, finishRotation)
}

// RollBackAccountKey ends the new secret of an account key that is in its grace period now, and the
// one before is current again without an end (B3). Rights as RotateAccountKey. Problems:
// not_in_grace. Audited as account_key.roll_back, and in the revocation journal before it
// returns.
func (a *Authority) RollBackAccountKey(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeRotation(ctx, caller, in, kinds{accountKeys}, rollBack)
}

// AccountKeyPreviousUses answers from where the secret of an account key before the present one was
// used since the rotation (B3). Rights as FinishAccountKeyRotation.
func (a *Authority) AccountKeyPreviousUses(ctx context.Context, caller access.Caller, in KeyInput) (PreviousSecretUses, error) {
	return a.previousSecretUses(ctx, caller, in, kinds{accountKeys})
}

// FinishClientCredentialRotation ends the grace period of a client credential now: only the secret of the last
// rotation goes on (B3). Rights as SuspendClientCredential. Problems: not_in_grace. Audited as
// client_credential.finish_rotation, and in the revocation journal before it returns.
func (a *Authority) FinishClientCredentialRotation(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeRotation(ctx, caller, in, kinds{clientCredentials}, finishRotation)
}

// RollBackClientCredential ends the new secret of a client credential that is in its grace period now, and the
// one before is current again without an end (B3). Rights as RotateClientCredential. Problems:
// not_in_grace. Audited as client_credential.roll_back, and in the revocation journal before it
// returns.
func (a *Authority) RollBackClientCredential(ctx context.Context, caller access.Caller, in KeyInput) (Key, error) {
	return a.changeRotation(ctx, caller, in, kinds{clientCredentials}, rollBack)
}

// ClientCredentialPreviousUses answers from where the secret of a client credential before the present one was
// used since the rotation (B3). Rights as FinishClientCredentialRotation.
func (a *Authority) ClientCredentialPreviousUses(ctx context.Context, caller access.Caller, in KeyInput) (PreviousSecretUses, error) {
	return a.previousSecretUses(ctx, caller, in, kinds{clientCredentials})
}

// FinishAppRotation ends the grace period of an app's key and secret now: only those of the
// last rotation go on (B3). It needs claviger.apps:manage there. Problems: not_in_grace.
// Audited as app.finish_rotation, and in the revocation journal before it returns.
func (a *Authority) FinishAppRotation(ctx context.Context, caller access.Caller, in AppInput) (App, error) {
	return a.changeAppRotation(ctx, caller, in, finishRotation)
}

// RollBackApp ends an app's new key and secret in their grace period, and those before are
// current again without an end (B3). It needs claviger.apps:manage there and what the app
// carries. Problems: not_in_grace. Audited as app.roll_back, and in the revocation journal
// before it returns.
func (a *Authority) RollBackApp(ctx context.Context, caller access.Caller, in AppInput) (App, error) {
	return a.changeAppRotation(ctx, caller, in, rollBack)
}

func (a *Authority) changeAppRotation(ctx context.Context, caller access.Caller, in AppInput, r rotationChange) (App, error) {
	return a.changeAppOnce(ctx, caller, in, r.action, r.keeps, func(c *change, app tenancy.App) (func() (tenancy.App, error), error) {
		k, err := c.appCredential(app.ID)
		if err != nil {
			return nil, err
		}
		if r.keeps {
			if err := c.mayGiveApp(app, k); err != nil {
				return nil, err
			}
		}
		return func() (tenancy.App, error) {
			_, err := c.applyRotationChange("app", appTarget(app), k, r)
			return app, err
		}, nil
	})
}

// AppPreviousUses answers from where an app's key or secret before the present ones was
// used since the rotation (B3). Rights as FinishAppRotation.
func (a *Authority) AppPreviousUses(ctx context.Context, caller access.Caller, in AppInput) (out PreviousSecretUses, err error) {
	err = a.viewApp(ctx, caller, in, func(s *scope, app tenancy.App) error {
		k, err := s.appCredential(app.ID)
		if err != nil {
			return err
		}
		out, err = s.previousUses(k)
		return err
	})
	return out, err
}
