package api

// List is one page. Ask for the next with ?cursor=NextCursor and the same filters.
type List[T any] struct {
	Items          []T    `json:"items" nullable:"false"`
	NextCursor     string `json:"next_cursor,omitempty" doc:"Opaque; absent on the last page."`
	PreviousCursor string `json:"previous_cursor,omitempty" doc:"Opaque; absent on the first page."`
	Total          int64  `json:"total" doc:"How many match the filters on all pages. Exact for keys that are narrowed by nothing but kind, state and organization; otherwise counted up to 1,000, and 1,001 means more."`
}

// Principal is whom a credential speaks for, or who did something.
type Principal struct {
	Type string `json:"type" example:"user" doc:"user, service_account, app, organization, tenant or system"`
	ID   string `json:"id"`
	Name string `json:"name,omitempty" doc:"For people: the user name, or what it was called at the time."`

	DisplayName string `json:"display_name,omitempty" doc:"Of people, where they have one: what they are called now."`
}
