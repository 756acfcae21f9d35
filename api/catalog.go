package api

// Catalog is what the vendor offers: its APIs in groups, desktop clients and licences.
type Catalog struct {
	Revision int64          `json:"revision" doc:"Grows with each change. Send it back when you change the catalogue."`
	Groups   []CatalogGroup `json:"groups" nullable:"false" maxItems:"100"`
	Clients  []Client       `json:"clients" nullable:"false" maxItems:"100"`
	Licences []Licence      `json:"licences" nullable:"false" maxItems:"100"`
}

// CatalogView is the catalogue as somebody may use it.
type CatalogView struct {
	Catalog
	Choosable    []string            `json:"choosable" nullable:"false" doc:"Keys of the APIs that you may choose for an app."`
	NotChoosable map[string]string   `json:"not_choosable" doc:"By key of the others: why not, for people."`
	Missing      map[string][]string `json:"missing" doc:"By key of those for which you lack an assignment: which, by name, such as Storage API."`
}

// CatalogGroup is a heading under which APIs are shown.
type CatalogGroup struct {
	Key  string       `json:"key" minLength:"1" maxLength:"63"`
	Name string       `json:"name" minLength:"1" maxLength:"200" example:"Analytics & Content"`
	APIs []CatalogAPI `json:"apis" nullable:"false" maxItems:"500"`
}

// CatalogAPI is one of the vendor's APIs.
type CatalogAPI struct {
	Key              string   `json:"key" minLength:"1" maxLength:"63" example:"recent_calls"`
	Name             string   `json:"name" minLength:"1" maxLength:"200"`
	DocumentationURL string   `json:"documentation_url,omitempty" maxLength:"2000"`
	Permissions      []string `json:"permissions" nullable:"false" maxItems:"200" maxLength:"128" doc:"What calling it needs."`
	Requires         []string `json:"requires,omitempty" nullable:"false" maxItems:"200" maxLength:"128" doc:"What whoever chooses it must hold."`
	Legacy           bool     `json:"legacy,omitempty" doc:"It takes account keys only."`
}

// Client is a desktop program that people are signed in to automatically.
type Client struct {
	Key         string   `json:"key" minLength:"1" maxLength:"63"`
	Name        string   `json:"name" minLength:"1" maxLength:"200"`
	Permissions []string `json:"permissions" nullable:"false" maxItems:"200" maxLength:"128"`
}

// Licence is what a user may use, and which scopes their client credentials may carry.
type Licence struct {
	Key       string   `json:"key" minLength:"1" maxLength:"63"`
	Name      string   `json:"name" minLength:"1" maxLength:"200"`
	AllScopes bool     `json:"all_scopes,omitempty" doc:"Every scope that the user may use themselves."`
	Scopes    []string `json:"scopes,omitempty" nullable:"false" maxItems:"1000" maxLength:"128"`
	Clients   []string `json:"clients,omitempty" nullable:"false" maxItems:"100" maxLength:"63"`
}
