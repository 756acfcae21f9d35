package authority

import (
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// showNew is a credential that was made a moment ago, as its managers see it. It asks for
// names only, and those are mostly remembered: a read in the middle of a change would send
// what is written so far by itself.
func (s *scope) showNew(k credential.Credential, r keyRules) (Key, error) {
	out := Key{Credential: k, Recoverable: r.recoverable && !s.shownOnce(k)}
	owner, err := s.named(k.TenantID, k.Principal)
	if err != nil {
		return out, err
	}
	var creator store.Named
	if k.CreatedBy != s.caller.Principal || s.caller.Tenant == k.TenantID { // callers of the system are not the tenant's
		if creator, err = s.named(k.TenantID, k.CreatedBy); err != nil {
			return out, err
		}
	}
	out.OwnerName, out.OwnerDisplayName, out.CreatorDisplayName = owner.Name, owner.DisplayName, creator.DisplayName
	out.OrganizationName, err = s.organizationName(k.OrganizationID)
	return out, err
}

// show is one credential as its managers see it.
func (s *scope) show(k credential.Credential) (Key, error) {
	out, err := s.showNew(k, keyRules{})
	if err == nil && k.Kind == credential.ServiceAccountKey {
		var known store.Rotation
		known, err = s.tx.Rotation(k.ID)
		out.Successor = known.Successor
	}
	if err != nil || !s.hasMaterial(k) {
		return out, err
	}
	material, err := s.tx.Material(k.ID)
	out.fill(s, material)
	return out, err
}

// hasMaterial says whether there is more to know of a credential's secrets than that they are.
func (s *scope) hasMaterial(k credential.Credential) bool {
	return !finalState(k.StateAt(s.now)) && (k.SecretVersion > 1 || rulesOf(k.Kind).recoverable)
}

func (k *Key) fill(s *scope, material []credential.Material) {
	r := rulesOf(k.Kind)
	for _, m := range material {
		switch {
		case m.Version == k.SecretVersion:
			k.Recoverable = k.Recoverable || r.recoverable && m.Field == r.field && m.Sealed != nil && !s.shownOnce(k.Credential)
		case m.ValidUntil.After(s.now) && m.ValidUntil.After(k.GraceUntil):
			k.GraceUntil = m.ValidUntil
		}
	}
}

// showAll is show for many, with one query for each kind of thing.
func (s *scope) showAll(list []credential.Credential) ([]Key, error) {
	var people []access.Principal
	var places []tenancy.OrgID
	var stored, pairs []credential.ID
	for _, k := range list {
		if k.Kind == credential.ServiceAccountKey {
			pairs = append(pairs, k.ID)
		}
		people = append(people, k.Principal, k.CreatedBy)
		places = append(places, k.OrganizationID)
		if s.hasMaterial(k) {
			stored = append(stored, k.ID)
		}
	}
	names, err := s.tx.Names(people)
	if err != nil {
		return nil, err
	}
	organizations, err := s.tx.OrganizationNames(places)
	if err != nil {
		return nil, err
	}
	material, err := s.tx.MaterialOf(stored)
	if err != nil {
		return nil, err
	}
	successors, err := s.tx.Successors(pairs)
	if err != nil {
		return nil, err
	}
	out := make([]Key, len(list))
	for i, k := range list {
		owner := names[k.Principal]
		if k.Principal.Type == access.PrincipalTenant {
			owner.Name = s.tenant.Name
		}
		out[i] = Key{
			Credential: k, OwnerName: owner.Name, OwnerDisplayName: owner.DisplayName,
			CreatorDisplayName: names[k.CreatedBy].DisplayName, OrganizationName: organizations[k.OrganizationID],
			Successor: successors[k.ID],
		}
		out[i].fill(s, material[k.ID])
	}
	return out, nil
}

// named is what people call a principal of a tenant.
func (s *scope) named(tenant tenancy.TenantID, who access.Principal) (store.Named, error) {
	switch who.Type {
	case access.PrincipalTenant:
		return store.Named{Name: s.tenant.Name}, nil
	case access.PrincipalOrganization:
		name, err := s.organizationName(tenancy.OrgID(who.ID))
		return store.Named{Name: name}, err
	case access.PrincipalSystem:
		return store.Named{}, nil
	case access.PrincipalUser, access.PrincipalServiceAccount, access.PrincipalApp:
	}
	p, err := s.principalFacts(tenant, who)
	switch {
	case err != nil:
		return store.Named{}, err
	case p.user != nil:
		return store.Named{Name: p.user.Username, DisplayName: p.user.DisplayName}, nil
	case p.account != nil:
		return store.Named{Name: p.account.Email}, nil
	case p.app != nil:
		return store.Named{Name: p.app.Name}, nil
	}
	return store.Named{}, nil
}
