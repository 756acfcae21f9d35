// Package webhook says what tenants' webhooks are told, and tells it: which audit events
// become events of a webhook, how a message is written and signed (Standard Webhooks), and
// how it is sent without reaching into networks that are not the tenant's.
//
// What it promises:
//
//   - A message says what the audit chain says and nothing more: no secret, no digest of one.
//   - A message's ID and its body are the same at every attempt, and when it is sent again
//     because somebody asked for that. Its signature and its time are those of the attempt.
//   - No connection goes to an address that is private, local or otherwise not public,
//     whatever a name resolved to before; and no redirect is followed.
package webhook

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/audit"
	"github.com/claviger-io/claviger/internal/credential"
)

// Type is what an event is of.
type Type string

// The types of events.
const (
	Issued             Type = "credential.issued"
	Renamed            Type = "credential.renamed"
	Changed            Type = "credential.changed"
	Suspended          Type = "credential.suspended"
	Resumed            Type = "credential.resumed"
	Rotated            Type = "credential.rotated"
	RotationFinished   Type = "credential.rotation_finished"
	RotationRolledBack Type = "credential.rotation_rolled_back"
	Revoked            Type = "credential.revoked"
	Deleted            Type = "credential.deleted"
	Expired            Type = "credential.expired"
	Expiring           Type = "credential.expiring"
	Revealed           Type = "credential.revealed"

	// Test is sent when somebody asks for it, to any webhook.
	Test Type = "webhook.test"
)

// Types are those that a webhook can be for, in the order of a credential's life.
func Types() []Type {
	return []Type{
		Issued, Renamed, Changed, Suspended, Resumed, Rotated, RotationFinished, RotationRolledBack, Expiring, Expired, Revoked, Deleted, Revealed,
	}
}

// verbs are the last words of audit actions.
var verbs = map[string]Type{
	"issue": Issued, "create": Issued, "import": Issued, "rename": Renamed, "change": Changed, "suspend": Suspended, "resume": Resumed,
	"rotate": Rotated, "finish_rotation": RotationFinished, "roll_back": RotationRolledBack, "revoke": Revoked, "delete": Deleted,
	"expire": Expired, "expiring": Expiring, "reveal": Revealed, "hand_over": Changed,
}

// What audit events about credentials have as their target. An app stands for its one
// credential.
const (
	targetCredential = "credential"
	targetApp        = "app"
)

// TypeOf is what an audit event is for webhooks; ok is false when it is nothing to them.
func TypeOf(e *audit.Event) (t Type, ok bool) {
	noun, verb, _ := strings.Cut(e.Action, ".")
	if e.TargetType != targetCredential && (e.TargetType != targetApp || noun != targetApp) {
		return "", false
	}
	t, ok = verbs[verb]
	return t, ok
}

// OfApp is the app that an event is about; empty for others, whose target is the credential.
func OfApp(e *audit.Event) string {
	if e.TargetType == targetApp {
		return e.TargetID
	}
	return ""
}

// Wants reports whether a webhook for these types, empty meaning all, gets an event.
func Wants(types []string, t Type) bool {
	return len(types) == 0 || slices.Contains(types, string(t))
}

// Message is what is delivered, as it is kept until then.
type Message struct {
	ID   string          `json:"id"` // the same at every attempt, and when it is sent again
	Body json.RawMessage `json:"body"`
}

// body is a message's body, in the form that Standard Webhooks recommends.
type body struct {
	Type      Type      `json:"type"`
	Timestamp time.Time `json:"timestamp"` // when it happened
	Data      data      `json:"data"`
}

type data struct {
	TenantID   string      `json:"tenant_id"`
	Sequence   int64       `json:"sequence,omitempty"` // of the event in the tenant's audit log
	Credential *subject    `json:"credential,omitempty"`
	Actor      *actor      `json:"actor,omitempty"`
	Days       *int64      `json:"days,omitempty"` // until it expires
	Changes    *alteration `json:"changes,omitempty"`
	WebhookID  string      `json:"webhook_id,omitempty"`
}

type subject struct {
	ID             string `json:"id"`
	Kind           string `json:"kind"`
	Name           string `json:"name"`
	OrganizationID string `json:"organization_id"`
	AppID          string `json:"app_id,omitempty"`
}

type actor struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// CredentialID is what the actor came with; empty for people in the console.
	CredentialID string `json:"credential_id,omitempty"`
}

type alteration struct {
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// kindOf is the kind of credential that an action's first word stands for.
func kindOf(action string) string {
	noun, _, _ := strings.Cut(action, ".")
	if noun == "api_key" {
		return string(credential.UserKey)
	}
	return noun
}

// Of writes the message of an audit event for one webhook. credentialID is that of the
// event's credential.
func Of(webhookID string, t Type, e *audit.Event, credentialID string) (Message, error) {
	b := body{Type: t, Timestamp: e.At, Data: data{
		TenantID: string(e.TenantID), Sequence: e.Sequence,
		Credential: &subject{
			ID: credentialID, Kind: kindOf(e.Action), Name: e.TargetName, OrganizationID: string(e.OrganizationID), AppID: OfApp(e),
		},
		Actor: &actor{Type: string(e.Actor.Type), ID: e.Actor.ID, Name: e.ActorName, CredentialID: e.CredentialID},
	}}
	if e.Before != nil || e.After != nil {
		b.Data.Changes = &alteration{Before: e.Before, After: e.After}
	}
	if t == Expiring {
		var after struct{ Days *int64 }
		if err := json.Unmarshal(e.After, &after); err != nil {
			return Message{}, fmt.Errorf("reading an audit event: %w", err)
		}
		b.Data.Days = after.Days
	}
	return written(messageID(webhookID, e), b)
}

// messageID is the same whenever the message of an event is written. The event's hash is in it
// because numbers of events are given out again where a backup was restored: receivers that
// have seen the lost event's message would take the other's for the same.
func messageID(webhookID string, e *audit.Event) string {
	return "msg_" + strings.TrimPrefix(webhookID, "whk_") + "_" + strconv.FormatInt(e.Sequence, 10) + "_" + hex.EncodeToString(e.Hash[:6])
}

// OfTest writes the message of a test. id is the delivery's.
func OfTest(id, webhookID, tenantID string, now time.Time) (Message, error) {
	return written("msg_"+strings.TrimPrefix(id, "dlv_"), body{
		Type: Test, Timestamp: now, Data: data{TenantID: tenantID, WebhookID: webhookID},
	})
}

func written(id string, b body) (Message, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return Message{}, fmt.Errorf("writing a message: %w", err)
	}
	return Message{ID: id, Body: text}, nil
}
