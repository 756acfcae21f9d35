package verify

import (
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
)

// kind and state are the small forms of credential.Kind and credential.State.
type (
	kind  uint8
	state uint8
)

const (
	stateGone state = iota
	stateActive
	stateSuspended
	stateRevoked
	stateExpired
)

// kinds maps kind to its name; 0 is none.
var kinds = [...]credential.Kind{
	"",
	credential.UserKey, credential.OrganizationKey, credential.AccountKey, credential.App,
	credential.ClientCredential, credential.ServiceAccountKey, credential.VerifierKey,
}

const (
	kindUserKey kind = iota + 1
	kindOrganizationKey
	kindAccountKey
	kindApp
	kindClientCredential
	kindServiceAccountKey
	kindVerifierKey
)

// keyTypes are the strings that are accepted alone, by kind. A client credential's secret
// isn't: only its tokens verify. A service account has no string at all.
var keyTypes = [len(kinds)]secret.Type{
	kindUserKey:         secret.UserKey,
	kindOrganizationKey: secret.OrganizationKey,
	kindAccountKey:      secret.AccountKey,
	kindApp:             secret.AppKey,
	kindVerifierKey:     secret.VerifierKey,
}

func kindOf(k credential.Kind) kind {
	for i, name := range kinds {
		if name == k {
			return kind(i)
		}
	}
	return 0
}

// stateOfCredential treats a state that it doesn't know as revoked: undecided means no.
func stateOfCredential(s credential.State) state {
	switch s {
	case credential.Active:
		return stateActive
	case credential.Suspended:
		return stateSuspended
	case credential.Expired:
		return stateExpired
	case credential.Revoked:
	}
	return stateRevoked
}

// materialField is the field of a credential's material that proves it.
func (k kind) materialField() string {
	if k == kindClientCredential {
		return credential.FieldSecret
	}
	return credential.FieldKey
}

// basisOf is what the permissions of a credential of the kind are computed from: nothing
// where the principal is of another type than the kind's. Client credentials are cut to
// their scopes besides.
func (k kind) basisOf(t access.PrincipalType) basis {
	switch k {
	case kindUserKey:
		return byRoles
	case kindServiceAccountKey:
		if t == access.PrincipalServiceAccount {
			return byRolesOrBasic
		}
	case kindAccountKey:
		return byPlan
	case kindApp:
		if t == access.PrincipalApp {
			return byAPIs
		}
	case kindClientCredential:
		switch t {
		case access.PrincipalUser:
			return byLicence
		case access.PrincipalTenant:
			return byCatalogue
		case access.PrincipalServiceAccount, access.PrincipalApp, access.PrincipalOrganization, access.PrincipalSystem:
		}
	case kindVerifierKey:
		return byVerifier
	case kindOrganizationKey:
		return bySignIn
	}
	return byNothing
}

// scoped reports whether a credential of the kind may do only what was chosen for it, and
// nothing where nothing was.
func (k kind) scoped() bool { return k == kindClientCredential }
