package api

// OpenImportWindowRequest lets a tenant's own people import keys for a while.
type OpenImportWindowRequest struct {
	OpenSeconds int64 `json:"open_seconds" minimum:"60" maximum:"2592000" doc:"For how long from now, up to 30 days." example:"86400"`
}

// BeginImportRequest begins to bring in keys that another system made.
type BeginImportRequest struct {
	Total      int64  `json:"total,omitempty" minimum:"0" maximum:"2147483647" doc:"How many lines there will be, for whoever watches."`
	DryRun     bool   `json:"dry_run,omitempty" doc:"Check every line and bring nothing in."`
	AcceptWeak bool   `json:"accept_weak,omitempty" doc:"Take keys of less than 112 bits, too. They are marked, and guessing at them is slowed down."`
	Source     string `json:"source,omitempty" maxLength:"200" doc:"What the lines come from, such as a file's name, for the audit log." example:"keys.csv"`
}

// ImportKeysRequest is the next lines of an import. Lines up to the last that was dealt with
// are left alone, so that sending some again does no harm.
type ImportKeysRequest struct {
	Lines []ImportLine `json:"lines" nullable:"false" minItems:"1" maxItems:"1000" doc:"In the order of their numbers."`
}

// ImportLine is one key of another system. A line that cannot be brought in is refused by
// itself, whatever is wrong with it.
type ImportLine struct {
	Line      int64  `json:"line" minimum:"1" doc:"Its number in the file."`
	Name      string `json:"name,omitempty" doc:"By which people recognize the key."`
	Owner     string `json:"owner,omitempty" doc:"The user whom it speaks for: ID, user name or external ID."`
	Key       Secret `json:"key,omitempty" doc:"The key in clear; or else digest."`
	Digest    string `json:"digest,omitempty" doc:"What the other system keeps of it: sha256:HEX or hmac-sha256:REF:HEX." example:"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`
	ExpiresAt string `json:"expires_at,omitempty" doc:"A date or a time; absent means the tenant's default." example:"2027-01-31"`
	Malformed bool   `json:"malformed,omitempty" doc:"The line could not be read; it is refused."`
}

// ImportProgress is how far an import is after some lines.
type ImportProgress struct {
	Operation
	Refused []ImportRefusal `json:"refused" nullable:"false" doc:"Of the lines that were sent."`
}

// ImportRefusal is a line of an import that was refused.
type ImportRefusal struct {
	Line    int64  `json:"line"`
	Code    string `json:"code" example:"owner_unknown"`
	Message string `json:"message"`
}
