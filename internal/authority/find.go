package authority

import (
	"context"
	"strings"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// FindInput looks for things by name, or for a credential by its ID.
type FindInput struct {
	Tenant tenancy.TenantID
	Text   string // part of a word, "crd_…", or a whole key, of which only the ID counts
}

// Found is one thing that was found.
type Found struct {
	Type             string // api_key, app, service_account, client_credential, account_key, verifier_key, user, organization, tenant
	ID               string // of the thing: for apps and service accounts theirs, not their credential's
	Name             string
	Detail           string          // what tells it from others of the name: a user name, a key's shown characters
	Credential       string          // "crd_…", where the thing is one or was found by its credential's
	Kind             credential.Kind // of the credential
	State            string
	OrganizationID   tenancy.OrgID
	OrganizationName string
}

// mostFound is how many of each type are answered.
const mostFound = 8

// Find answers up to eight things of each type whose names hold the text, and the one
// credential that an ID names: of what the caller may see, and nothing of the rest. Every
// caller may ask.
func (a *Authority) Find(ctx context.Context, caller access.Caller, in FindInput) (out []Found, err error) {
	text := strings.TrimSpace(in.Text)
	id, pasted := secret.CutToID(text)
	if !pasted {
		id = text
	}
	exact, isID := parseCredential(id)
	if isID {
		in.Tenant, err = a.keyTenant(ctx, caller, in.Tenant, exact)
		if problem.Is(err, problem.NotFound) {
			return []Found{}, nil
		}
		if err != nil {
			return nil, err
		}
	}
	err = a.view(ctx, caller, in.Tenant, func(s *scope) error {
		out = []Found{}
		if text == "" {
			return nil
		}
		looks := []func(string) ([]Found, error){s.findKeys, s.findApps, s.findAccounts, s.findUsers, s.findOrganizations, s.findTenants}
		if isID {
			looks = []func(string) ([]Found, error){func(string) ([]Found, error) { return s.findCredential(exact) }}
		}
		for _, look := range looks {
			found, err := look(text)
			if err != nil && !problem.Is(err, problem.Denied) && !problem.Is(err, problem.NotFound) {
				return err
			}
			out = append(out, found...)
		}
		return s.namePlaces(out)
	})
	return out, err
}

func parseCredential(text string) (credential.ID, bool) {
	id, err := credential.ParseID(text)
	return id, err == nil
}

func (s *scope) namePlaces(list []Found) error {
	ids := make([]tenancy.OrgID, len(list))
	for i := range list {
		ids[i] = list[i].OrganizationID
	}
	names, err := s.tx.OrganizationNames(ids)
	for i := range list {
		list[i].OrganizationName = names[list[i].OrganizationID]
	}
	return err
}

func foundPage() store.Page { return store.Page{Limit: mostFound} }

func (s *scope) findKeys(text string) (out []Found, err error) {
	f, err := s.visibleKeys(KeysInput{Search: text})
	if err != nil {
		return nil, err
	}
	list, err := s.tx.Credentials(f, foundPage())
	for _, k := range list.Items {
		out = append(out, foundKey("api_key", k))
	}
	return out, err
}

func foundKey(kind string, k credential.Credential) Found {
	return Found{
		Type: kind, ID: k.ID.String(), Name: k.Name, Detail: k.Hint, Credential: k.ID.String(), Kind: k.Kind,
		State: string(k.State), OrganizationID: k.OrganizationID,
	}
}

func (s *scope) findApps(text string) (out []Found, err error) {
	at, err := s.visible("", access.AppsManage)
	if err == nil {
		err = s.apiAccess(false)
	}
	if err != nil {
		return nil, err
	}
	list, err := s.tx.Apps(store.AppFilter{At: at, Search: text}, foundPage())
	for _, a := range list.Items {
		out = append(out, foundApp(a))
	}
	return out, err
}

func foundApp(a tenancy.App) Found {
	return Found{Type: "app", ID: string(a.ID), Name: a.Name, State: string(a.State), OrganizationID: a.OrganizationID}
}

func (s *scope) findAccounts(text string) (out []Found, err error) {
	at, err := s.visible("", access.ServiceAccountsManage)
	if err == nil {
		err = s.apiAccess(false)
	}
	if err != nil {
		return nil, err
	}
	list, err := s.tx.ServiceAccounts(store.ServiceAccountFilter{At: at, Search: text}, foundPage())
	for _, a := range list.Items {
		out = append(out, foundAccount(a))
	}
	return out, err
}

func foundAccount(a tenancy.ServiceAccount) Found {
	f := Found{Type: "service_account", ID: string(a.ID), Name: a.Description, Detail: a.Email, State: string(a.State), OrganizationID: a.OrganizationID}
	if f.Name == "" {
		f.Name = a.Email
	}
	return f
}

func (s *scope) findUsers(text string) (out []Found, err error) {
	at, err := s.visible("", access.UsersRead, access.UsersManage)
	if err != nil {
		return nil, err
	}
	list, err := s.tx.Users(store.UserFilter{At: at, Search: text}, foundPage())
	for _, u := range list.Items {
		f := Found{Type: "user", ID: string(u.ID), Name: u.DisplayName, Detail: u.Username, State: string(u.State), OrganizationID: u.OrganizationID}
		if f.Name == "" {
			f.Name = u.Username
		}
		out = append(out, f)
	}
	return out, err
}

func (s *scope) findOrganizations(text string) (out []Found, err error) {
	at, err := s.visible("", access.OrganizationsRead, access.OrganizationsManage)
	if err != nil {
		return nil, err
	}
	list, err := s.tx.Organizations(store.OrganizationFilter{At: at, Search: text}, foundPage())
	for _, o := range list.Items {
		out = append(out, Found{Type: "organization", ID: string(o.ID), Name: o.Name, State: string(o.State), OrganizationID: o.ParentID})
	}
	return out, err
}

func (s *scope) findTenants(text string) (out []Found, err error) {
	if err := s.mayReadTenants(); err != nil {
		return nil, err
	}
	list, err := s.tx.AllTenantsTenants(store.TenantFilter{Search: text}, foundPage())
	for _, t := range list.Items {
		out = append(out, Found{Type: "tenant", ID: string(t.ID), Name: t.Name, Detail: t.Slug, State: string(t.State)})
	}
	return out, err
}

// findCredential finds one by its ID, if the caller may read it, also one at its end.
func (s *scope) findCredential(id credential.ID) ([]Found, error) {
	k, err := s.tx.Credential(id)
	if err != nil {
		return nil, err
	}
	r := rulesOf(k.Kind)
	if r.mayRead == nil {
		return nil, nil
	}
	if err := r.mayRead(s, k); err != nil {
		return nil, err
	}
	if err := s.apiAccess(false); err != nil {
		return nil, err
	}
	f := foundKey("api_key", k)
	switch k.Kind {
	case credential.UserKey, credential.OrganizationKey:
	case credential.App:
		a, err := s.tx.App(tenancy.AppID(k.Principal.ID))
		if err != nil {
			return nil, err
		}
		f = foundApp(a)
	case credential.ServiceAccountKey:
		a, err := s.tx.ServiceAccount(tenancy.ServiceAccountID(k.Principal.ID))
		if err != nil {
			return nil, err
		}
		f = foundAccount(a)
	case credential.ClientCredential, credential.AccountKey, credential.VerifierKey:
		f.Type = string(k.Kind)
	}
	f.Credential, f.Kind, f.State = id.String(), k.Kind, string(k.State)
	return []Found{f}, nil
}
