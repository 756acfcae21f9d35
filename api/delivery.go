package api

import "time"

// Delivery is one message on its way out: a mail, or a call of a webhook.
type Delivery struct {
	ID         string     `json:"id" example:"dlv_018f3b1e-7c2d-7a51-9c06-3f7f1c2a9b10"`
	TenantID   string     `json:"tenant_id"`
	Kind       string     `json:"kind" enum:"mail,webhook"`
	Recipient  string     `json:"recipient" doc:"Whom it is for: a user's ID, a webhook's ID."`
	About      string     `json:"about" doc:"What about: notice, or the type of an event."`
	State      string     `json:"state" enum:"pending,delivered,dead" doc:"Pending ones are tried again for three days; dead ones when somebody says so."`
	Attempts   int        `json:"attempts" doc:"Since it was made, or last tried again by somebody."`
	CreatedAt  time.Time  `json:"created_at"`
	NextAt     *time.Time `json:"next_at,omitempty" doc:"Of a pending one: not before."`
	FinishedAt *time.Time `json:"finished_at,omitempty" doc:"When it was delivered or given up."`
	LastStatus int        `json:"last_status,omitempty" doc:"What the other side answered last: SMTP's code, HTTP's status."`
	LastError  string     `json:"last_error,omitempty" doc:"Why the last attempt failed."`
}
