package authority

import (
	"context"
	"net/netip"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// ChangeKeyInput changes what is not nil of a credential.
type ChangeKeyInput struct {
	Tenant tenancy.TenantID
	ID     credential.ID
	Name   *string
	// ExpiresAt is within the tenant's policy, counted from when the credential was made; a
	// pointer to the zero time means never.
	ExpiresAt *time.Time
	Networks  *[]netip.Prefix
	Limits    *credential.Limits
	Labels    *tenancy.Labels
}

// editKey changes what a credential is, not its state.
func (a *Authority) editKey(ctx context.Context, caller access.Caller, in ChangeKeyInput, of kinds,
	more func(*change, *credential.Credential) error,
) (out Key, err error) {
	revision, err := a.changeOne(ctx, caller, in.Tenant, in.ID, of, func(c *change, old credential.Credential, r keyRules) (err error) {
		if err := r.mayEdit(&c.scope, old); err != nil {
			return err
		}
		if err := c.apiAccess(false); err != nil {
			return err
		}
		next := old
		if err := c.edit(r, &next, in, more); err != nil {
			return err
		}
		if err := c.tx.UpdateCredential(next); err != nil {
			return err
		}
		before, after := differences(editable(old), editable(next))
		if err := c.record(r.noun+".change", keyTarget(next), before, after); err != nil {
			return err
		}
		out, err = c.show(next)
		return err
	})
	if err != nil {
		return Key{}, err
	}
	out.Revision = revision
	return out, nil
}

func editable(k credential.Credential) fields {
	return fields{
		"name": k.Name, "expires_at": k.ExpiresAt, "networks": k.Networks, "limits": k.Limits, "scopes": k.Scopes,
		"external_id": k.Labels.ExternalID, "metadata": k.Labels.Metadata,
	}
}

// edit applies the core's rules to an edit. One that makes more of the credential than a
// name or labels hands it out anew, as far as the giving rule is concerned.
func (c *change) edit(r keyRules, k *credential.Credential, in ChangeKeyInput, more func(*change, *credential.Credential) error) error {
	ended := *k
	ended.State = k.StateAt(c.now) // also what is over by the clock stays as it is
	if _, err := ended.Rename(k.Name); err != nil {
		return err
	}
	if in.Name != nil {
		if err := c.rename(k, *in.Name); err != nil {
			return err
		}
	}
	if in.Labels != nil {
		if err := tenancy.ValidateLabels(*in.Labels); err != nil {
			return err
		}
		k.Labels = *in.Labels
	}
	if err := c.restrict(k, in.Networks, in.Limits); err != nil {
		return err
	}
	if in.ExpiresAt != nil {
		if err := c.extend(k, *in.ExpiresAt); err != nil {
			return err
		}
	}
	if more != nil {
		if err := more(c, k); err != nil {
			return err
		}
	}
	if in.Networks == nil && in.Limits == nil && in.ExpiresAt == nil && more == nil {
		return nil
	}
	return r.mayGive(&c.scope, *k)
}

// restrict sets networks and limits where they are given.
func (c *change) restrict(k *credential.Credential, networks *[]netip.Prefix, limits *credential.Limits) error {
	if networks != nil {
		list, err := c.networksOf(*networks)
		if err != nil {
			return err
		}
		k.Networks = list
	}
	if limits != nil {
		if err := credential.ValidateLimits(*limits); err != nil {
			return err
		}
		k.Limits = *limits
	}
	return nil
}

// extend sets another end. The policy's longest life counts from the making, so that a key
// cannot be kept alive for ever by renewing it.
func (c *change) extend(k *credential.Credential, to time.Time) error {
	ends, err := credential.Expiry(k.Kind, &to, c.tenant.Policy, c.caller.CredentialExpires, c.now)
	if err != nil {
		return err
	}
	if longest, ok := c.tenant.Policy.MaxLifetime[string(k.Kind)]; ok {
		last := k.CreatedAt.Add(longest)
		if ends.IsZero() || ends.After(last) {
			return problem.InvalidField("/expires_at", "The tenant's policy allows this credential a life until "+last.Format(time.RFC3339)+". Choose that or an earlier time.")
		}
	}
	if !ends.IsZero() && !k.NotBefore.Before(ends) {
		return problem.InvalidField("/expires_at", "Choose a time after the key begins to work.")
	}
	k.ExpiresAt = ends
	return nil
}
