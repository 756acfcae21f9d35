package client

import (
	"context"

	"github.com/claviger-io/claviger/api"
)

// FinishAPIKeyRotation ends the grace period after an API key was rotated: from now on only
// the new secret works.
func (c *Client) FinishAPIKeyRotation(ctx context.Context, id string) (*api.APIKey, error) {
	return one[api.APIKey](ctx, c, change(at("v1", apiKeys, id, "finish-rotation"), nil))
}

// RollBackAPIKey undoes the rotation of an API key in its grace period: the new secret
// ends, and the one before works without an end again.
func (c *Client) RollBackAPIKey(ctx context.Context, id string) (*api.APIKey, error) {
	return one[api.APIKey](ctx, c, change(at("v1", apiKeys, id, "roll-back"), nil))
}

// APIKeyPreviousUses says from where the secret before was used since an API key was rotated.
func (c *Client) APIKeyPreviousUses(ctx context.Context, id string) (*api.PreviousSecretUses, error) {
	return one[api.PreviousSecretUses](ctx, c, read(at("v1", apiKeys, id, "previous-secret-uses"), nil, nil))
}

// FinishVerifierKeyRotation ends the grace period after a verifier key was rotated: from now on only
// the new secret works.
func (c *Client) FinishVerifierKeyRotation(ctx context.Context, id string) (*api.VerifierKey, error) {
	return one[api.VerifierKey](ctx, c, change(at("v1", verifierKeys, id, "finish-rotation"), nil))
}

// RollBackVerifierKey undoes the rotation of a verifier key in its grace period: the new secret
// ends, and the one before works without an end again.
func (c *Client) RollBackVerifierKey(ctx context.Context, id string) (*api.VerifierKey, error) {
	return one[api.VerifierKey](ctx, c, change(at("v1", verifierKeys, id, "roll-back"), nil))
}

// VerifierKeyPreviousUses says from where the secret before was used since a verifier key was rotated.
func (c *Client) VerifierKeyPreviousUses(ctx context.Context, id string) (*api.PreviousSecretUses, error) {
	return one[api.PreviousSecretUses](ctx, c, read(at("v1", verifierKeys, id, "previous-secret-uses"), nil, nil))
}

// FinishAccountKeyRotation ends the grace period after an account key was rotated: from now on only
// the new secret works.
func (c *Client) FinishAccountKeyRotation(ctx context.Context, id string) (*api.AccountKey, error) {
	return one[api.AccountKey](ctx, c, change(at("v1", accountKeys, id, "finish-rotation"), nil))
}

// RollBackAccountKey undoes the rotation of an account key in its grace period: the new secret
// ends, and the one before works without an end again.
func (c *Client) RollBackAccountKey(ctx context.Context, id string) (*api.AccountKey, error) {
	return one[api.AccountKey](ctx, c, change(at("v1", accountKeys, id, "roll-back"), nil))
}

// AccountKeyPreviousUses says from where the secret before was used since an account key was rotated.
func (c *Client) AccountKeyPreviousUses(ctx context.Context, id string) (*api.PreviousSecretUses, error) {
	return one[api.PreviousSecretUses](ctx, c, read(at("v1", accountKeys, id, "previous-secret-uses"), nil, nil))
}

// FinishClientCredentialRotation ends the grace period after a client credential was rotated: from now on only
// the new secret works.
func (c *Client) FinishClientCredentialRotation(ctx context.Context, id string) (*api.ClientCredential, error) {
	return one[api.ClientCredential](ctx, c, change(at("v1", clientCredentials, id, "finish-rotation"), nil))
}

// RollBackClientCredential undoes the rotation of a client credential in its grace period: the new secret
// ends, and the one before works without an end again.
func (c *Client) RollBackClientCredential(ctx context.Context, id string) (*api.ClientCredential, error) {
	return one[api.ClientCredential](ctx, c, change(at("v1", clientCredentials, id, "roll-back"), nil))
}

// ClientCredentialPreviousUses says from where the secret before was used since a client credential was rotated.
func (c *Client) ClientCredentialPreviousUses(ctx context.Context, id string) (*api.PreviousSecretUses, error) {
	return one[api.PreviousSecretUses](ctx, c, read(at("v1", clientCredentials, id, "previous-secret-uses"), nil, nil))
}

// FinishAppRotation ends the grace period after an app was rotated: from now on only
// the new secret works.
func (c *Client) FinishAppRotation(ctx context.Context, id string) (*api.App, error) {
	return one[api.App](ctx, c, change(at("v1", apps, id, "finish-rotation"), nil))
}

// RollBackApp undoes the rotation of an app in its grace period: the new secret
// ends, and the one before works without an end again.
func (c *Client) RollBackApp(ctx context.Context, id string) (*api.App, error) {
	return one[api.App](ctx, c, change(at("v1", apps, id, "roll-back"), nil))
}

// AppPreviousUses says from where the secret before was used since an app was rotated.
func (c *Client) AppPreviousUses(ctx context.Context, id string) (*api.PreviousSecretUses, error) {
	return one[api.PreviousSecretUses](ctx, c, read(at("v1", apps, id, "previous-secret-uses"), nil, nil))
}

// RotateServiceAccountKey makes a second key pair in the place of one, which goes on working
// for the grace period of the request. The answer holds the key file: it is shown this once.
func (c *Client) RotateServiceAccountKey(ctx context.Context, id string, r api.RotateServiceAccountKeyRequest) (*api.IssuedServiceAccountKey, error) {
	return one[api.IssuedServiceAccountKey](ctx, c, change(at("v1", "service-account-keys", id, "rotate"), r))
}

// FinishServiceAccountKeyRotation revokes a key whose place another takes.
func (c *Client) FinishServiceAccountKeyRotation(ctx context.Context, id string) (*api.ServiceAccountKey, error) {
	return one[api.ServiceAccountKey](ctx, c, change(at("v1", "service-account-keys", id, "finish-rotation"), nil))
}

// RollBackServiceAccountKey revokes the key that was to take the place of one in its grace
// period, and lets that live on.
func (c *Client) RollBackServiceAccountKey(ctx context.Context, id string) (*api.ServiceAccountKey, error) {
	return one[api.ServiceAccountKey](ctx, c, change(at("v1", "service-account-keys", id, "roll-back"), nil))
}

// ServiceAccountKeyPreviousUses says from where a key was used since another takes its place.
func (c *Client) ServiceAccountKeyPreviousUses(ctx context.Context, id string) (*api.PreviousSecretUses, error) {
	return one[api.PreviousSecretUses](ctx, c, read(at("v1", "service-account-keys", id, "previous-secret-uses"), nil, nil))
}
