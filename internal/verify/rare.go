package verify

import (
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// rare is what few credentials have, and apps. Records are never changed but for the limiter's
// counts and the narrowed set, which is computed when it is first asked for.
type rare struct {
	networks  []netip.Prefix
	limiter   *limiter
	labels    *tenancy.Labels
	notBefore int64 // Unix microseconds; 0 means at once
	past      []pastSecret
	second    []pastSecret   // an app's secrets beside its key, the current one among them
	scopes    []access.Grant // within which its rights are cut
	narrowed  atomic.Pointer[narrowed]
	public    *public // of kinds that have one
	replaced  bool    // a key of a service account whose successor is there
}

// pastSecret is an earlier secret in its grace period.
type pastSecret struct {
	digest  secret.Digest
	until   int64 // Unix microseconds, exclusive
	version uint32
	pepper  uint16
}

// narrowed is base cut to the scopes. It is out of date once base is another set.
type narrowed struct {
	base *PermissionSet
	set  *PermissionSet
}

// rareOf returns nil for a credential without anything rare. before is the record it had.
func rareOf(c *Credential, before *rare, past []pastSecret) *rare {
	if past == nil && !hasRare(c) {
		return nil // nearly all
	}
	r := &rare{labels: labelsOf(c.Labels), past: past, second: secondSecrets(c)}
	for _, n := range c.Networks {
		r.networks = append(r.networks, plainPrefix(n))
	}
	var old *limiter
	var shown *public
	if before != nil {
		old, shown = before.limiter, before.public
	}
	r.public = publicOf(c, shown)
	r.replaced = c.Kind == credential.ServiceAccountKey &&
		slices.ContainsFunc(c.Material, func(m credential.Material) bool { return !m.ValidUntil.IsZero() })
	r.limiter = newLimiter(c.Limits, old, c.QuotaUsed)
	if !c.NotBefore.IsZero() {
		r.notBefore = c.NotBefore.UnixMicro()
	}
	for _, g := range c.Scopes {
		r.scopes = append(r.scopes, access.Grant(strings.Clone(string(g))))
	}
	return r
}

// shown is nil for no record.
func (r *rare) shown() *public {
	if r == nil {
		return nil
	}
	return r.public
}

func hasRare(c *Credential) bool {
	return len(c.Networks) > 0 || len(c.Limits.Rates) > 0 || len(c.Limits.Quotas) > 0 ||
		c.Labels.ExternalID != "" || len(c.Labels.Metadata) > 0 || !c.NotBefore.IsZero() || len(c.Scopes) > 0 ||
		c.PublicID != "" || c.Kind == credential.App
}

// currentMaterial returns the index of the secret that holds without an end, the newest
// of several. Where all have an end, as a revoked credential's may, the newest stands for
// it if the credential has ended too; -1 when there is none.
func currentMaterial(c *Credential, k kind) int {
	best := -1
	for i := range c.Material {
		m := &c.Material[i]
		if m.Field != k.materialField() {
			continue
		}
		open := m.ValidUntil.IsZero()
		ended := c.State == credential.Revoked || c.State == credential.Expired
		if !open && !ended && k != kindServiceAccountKey { // whose end, when it is replaced, is the credential's
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		b := &c.Material[best]
		if bOpen := b.ValidUntil.IsZero(); open != bOpen {
			if open {
				best = i
			}
		} else if m.Version > b.Version {
			best = i
		}
	}
	return best
}

// pastSecrets are the earlier secrets whose grace period hasn't ended at a time, in Unix
// microseconds.
func pastSecrets(c *Credential, k kind, current int, at int64) []pastSecret {
	var list []pastSecret
	for i := range c.Material {
		m := &c.Material[i]
		if i == current || m.Field != k.materialField() || m.ValidUntil.IsZero() || m.ValidUntil.UnixMicro() <= at {
			continue
		}
		list = append(list, pastSecret{
			digest: m.Digest, until: m.ValidUntil.UnixMicro(), version: uint32(m.Version), pepper: pepperOf(m),
		})
	}
	return list
}

// pepperOf returns 0, a version that no pepper has, for versions out of range.
func pepperOf(m *credential.Material) uint16 {
	if m.PepperVersion < 1 || m.PepperVersion > 1<<16-1 {
		return 0
	}
	return uint16(m.PepperVersion)
}

// plainPrefix turns an IPv4 network written as IPv6 into IPv4, as addresses are.
func plainPrefix(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p
}

// admits reports whether the credential may be used from an address.
func (r *rare) admits(from netip.Addr) bool {
	if len(r.networks) == 0 {
		return true
	}
	if !from.IsValid() {
		return false
	}
	from = from.Unmap().WithZone("")
	return slices.ContainsFunc(r.networks, func(n netip.Prefix) bool { return n.Contains(from) })
}

// narrow cuts a set to the scopes.
func (r *rare) narrow(base *PermissionSet) *PermissionSet {
	if n := r.narrowed.Load(); n != nil && n.base == base {
		return n.set
	}
	n := &narrowed{base: base, set: setOf(base.Set.Intersect(access.NewSet(r.scopes...)))}
	r.narrowed.Store(n)
	return n.set
}
