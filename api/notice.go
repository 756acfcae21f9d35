package api

import "time"

// Notices says when a tenant's people are told of credentials that expire, and who beside its
// Customer Administrators.
type Notices struct {
	Days         []int  `json:"days,omitempty" nullable:"false" maxItems:"10" doc:"How many days before the end, from 1 to 365 each; absent means 30, 14, 7, 3 and 1." example:"[30,14,7,3,1]"`
	Hour         *int   `json:"hour,omitempty" minimum:"0" maximum:"23" doc:"Of the day, in the time zone; absent means 8."`
	TimeZone     string `json:"time_zone,omitempty" maxLength:"64" doc:"An IANA name; absent means UTC." example:"Europe/Lisbon"`
	TellOwners   bool   `json:"tell_owners,omitempty" doc:"Whether users are told of credentials that speak for them."`
	TellCreators bool   `json:"tell_creators,omitempty" doc:"Whether users are told of credentials that they have made."`
}

// NoticePreview is what a tenant's people will be told next of credentials that expire, by
// what is true now.
type NoticePreview struct {
	At         time.Time      `json:"at" doc:"When the next digest is due."`
	Days       []int          `json:"days" nullable:"false" doc:"The thresholds in effect."`
	Hour       int            `json:"hour"`
	TimeZone   string         `json:"time_zone" example:"UTC"`
	Recipients []Recipient    `json:"recipients" nullable:"false" doc:"The administrators who get the digest. Owners and creators come on top where the policy says so."`
	Items      []ComingNotice `json:"items" nullable:"false" doc:"The first 200, in the order of their ends."`
	Total      int64          `json:"total"`
}

// Recipient is a user who gets a message.
type Recipient struct {
	ID          string `json:"id"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name,omitempty"`
	Email       string `json:"email"`
}

// ComingNotice is one credential of which people will be told.
type ComingNotice struct {
	CredentialID     string    `json:"credential_id" example:"crd_8fK2mPq0Zr4T"`
	Kind             string    `json:"kind" example:"organization_key"`
	Name             string    `json:"name"`
	OrganizationID   string    `json:"organization_id"`
	OrganizationName string    `json:"organization_name,omitempty"`
	Owner            Principal `json:"owner"`
	ExpiresAt        time.Time `json:"expires_at"`
	Days             int       `json:"days" doc:"The threshold: so many days before the end."`
	At               time.Time `json:"at" doc:"When they will be told. What is due already goes out within a quarter of an hour."`
}
