package api

import "time"

// Webhook is an address of the tenant's own that is told what happens to its credentials, by
// POST requests that are signed as Standard Webhooks says.
type Webhook struct {
	ID            string           `json:"id" example:"whk_01jd3x8q4w9k2m5n7p0r6t8v1y"`
	TenantID      string           `json:"tenant_id"`
	Name          string           `json:"name"`
	URL           string           `json:"url" example:"https://hooks.example.com/claviger"`
	Events        []string         `json:"events" nullable:"false" doc:"Types of events; empty means all."`
	State         string           `json:"state" enum:"active,suspended"`
	SecretVersion int              `json:"secret_version"`
	PreviousUntil *time.Time       `json:"previous_until,omitempty" doc:"Until then the secret before signs too."`
	LastDelivery  *WebhookDelivery `json:"last_delivery,omitempty" doc:"The newest one, without its message; absent when there is none."`
	CreatedAt     time.Time        `json:"created_at"`
	CreatedBy     Principal        `json:"created_by"`
	ModifiedAt    time.Time        `json:"modified_at"`
}

// CreateWebhookRequest makes a webhook.
type CreateWebhookRequest struct {
	Name   string   `json:"name" minLength:"1" maxLength:"200"`
	URL    string   `json:"url" minLength:"1" maxLength:"2000" doc:"An https:// address that is public; redirects are not followed."`
	Events []string `json:"events,omitempty" nullable:"false" maxItems:"50" enum:"credential.issued,credential.renamed,credential.changed,credential.suspended,credential.resumed,credential.rotated,credential.rotation_finished,credential.rotation_rolled_back,credential.expiring,credential.expired,credential.revoked,credential.deleted,credential.revealed" doc:"Types of events; none means all."`
}

// ChangeWebhookRequest changes what is set in it.
type ChangeWebhookRequest struct {
	Name   *string   `json:"name,omitempty" minLength:"1" maxLength:"200"`
	URL    *string   `json:"url,omitempty" minLength:"1" maxLength:"2000"`
	Events *[]string `json:"events,omitempty" nullable:"false" maxItems:"50" enum:"credential.issued,credential.renamed,credential.changed,credential.suspended,credential.resumed,credential.rotated,credential.rotation_finished,credential.rotation_rolled_back,credential.expiring,credential.expired,credential.revoked,credential.deleted,credential.revealed" doc:"Replaces them; an empty list means all."`
}

// IssuedWebhook is a webhook with its new secret.
type IssuedWebhook struct {
	Webhook
	Secret          Secret `json:"secret,omitempty" doc:"whsec_ and base64, as libraries for Standard Webhooks take it. Shown once."`
	SecretAvailable bool   `json:"secret_available"`
}

// ReplayWebhookRequest asks for events to be sent again.
type ReplayWebhookRequest struct {
	Since time.Time `json:"since" doc:"At most 30 days ago. Everything since is sent, with the message IDs of the first time."`
}

// WebhookDelivery is one message to a webhook, and what became of it.
type WebhookDelivery struct {
	ID            string         `json:"id" example:"dlv_01jd3x8q4w9k2m5n7p0r6t8v1y"`
	WebhookID     string         `json:"webhook_id"`
	MessageID     string         `json:"message_id" doc:"What the request's webhook-id says: the same at every attempt, and when it is sent again."`
	Event         string         `json:"event" example:"credential.revoked"`
	State         string         `json:"state" enum:"pending,delivered,dead" doc:"Dead: given up after 3 days, or because the endpoint said that it is gone."`
	Attempts      int            `json:"attempts"`
	Status        int            `json:"status,omitempty" doc:"What the endpoint answered to the last failed attempt; absent when it didn't answer."`
	Error         string         `json:"error,omitempty" doc:"Why the last attempt failed."`
	CreatedAt     time.Time      `json:"created_at"`
	FinishedAt    *time.Time     `json:"finished_at,omitempty" doc:"When it was delivered or given up."`
	NextAttemptAt *time.Time     `json:"next_attempt_at,omitempty" doc:"Of a pending one."`
	Message       map[string]any `json:"message,omitempty" doc:"The body of the request."`
}
