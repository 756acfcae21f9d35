package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type credentialRow struct {
	bun.BaseModel `bun:"table:credentials,alias:c"`

	RowID          int64
	ID             string
	TenantID       string
	OrganizationID string
	Kind           string
	PrincipalType  string
	PrincipalID    string
	State          string
	SecretVersion  int64
	NotBefore      int64
	ExpiresAt      int64
	DeletedAt      int64
	Scopes         string
	Networks       string
	Limits         string
	ExternalID     string
	Metadata       string
	Name           string
	NameKey        string
	Hint           string
	CreatedAt      int64
	CreatedByType  string
	CreatedByID    string
	CreatedByName  string
	EndedAt        int64
	LastUsedAt     int64
	ResumedAt      int64
	PublicID       string
	Origin         int64
	ExpiresSetAt   int64

	SortKey string `bun:",scanonly"` // of an order by another thing's name
	Many    int64  `bun:",scanonly"` // how many match, where the page tells
}

func credentialID(text string) (id credential.ID, err error) {
	if len(text) != len(id) {
		return id, errors.New("store: a credential's ID has the wrong length")
	}
	copy(id[:], text)
	return id, nil
}

func (r *credentialRow) credential() (c credential.Credential, err error) {
	if c.ID, err = credentialID(r.ID); err != nil {
		return c, err
	}
	c.TenantID, c.OrganizationID = tenancy.TenantID(r.TenantID), tenancy.OrgID(r.OrganizationID)
	c.Kind, c.State = credential.Kind(r.Kind), credential.State(r.State)
	c.Principal = access.Principal{Type: access.PrincipalType(r.PrincipalType), ID: r.PrincipalID}
	c.Name, c.Hint, c.PublicID = r.Name, r.Hint, r.PublicID
	c.SecretVersion, c.Origin = int(r.SecretVersion), credential.Origin(r.Origin)
	c.NotBefore, c.ExpiresAt, c.ExpiresSetAt = moment(r.NotBefore), expiryMoment(r.ExpiresAt), moment(r.ExpiresSetAt)
	c.CreatedAt, c.EndedAt = moment(r.CreatedAt), moment(r.EndedAt)
	c.DeletedAt, c.LastUsedAt, c.ResumedAt = moment(r.DeletedAt), moment(r.LastUsedAt), moment(r.ResumedAt)
	c.CreatedBy = access.Principal{Type: access.PrincipalType(r.CreatedByType), ID: r.CreatedByID}
	c.CreatedByName = r.CreatedByName
	return c, setExtras(&c, r.Scopes, r.Networks, r.Limits, r.ExternalID, r.Metadata)
}

// setExtras sets what most credentials have none of.
func setExtras(c *credential.Credential, scopes, networks, limits, externalID, metadata string) error {
	if scopes == "" && networks == "" && limits == "" && metadata == "" {
		c.Labels.ExternalID = externalID
		return nil
	}
	var err [4]error
	c.Scopes, err[0] = fromText[[]access.Grant](scopes)
	c.Networks, err[1] = fromText[[]netip.Prefix](networks)
	c.Limits, err[2] = fromText[credential.Limits](limits)
	c.Labels, err[3] = labels(externalID, metadata)
	return errors.Join(err[:]...)
}

var (
	newCredentials = table{"credentials", []string{
		"row_id", "id", "tenant_id", "created_at", "created_by_type", "created_by_id",
		"created_by_name", "last_used_at", "organization_id", "kind", "principal_type", "principal_id", "state", "secret_version",
		"not_before", "expires_at", "deleted_at", "ended_at", "resumed_at", "scopes", "networks", "limits", "external_id", "metadata",
		"name", "name_key", "hint", "public_id", "origin", "search_text",
	}}
	insertCredential = insertInto(newCredentials.name, newCredentials.columns...)
	// Whoever changes an expiry has it noted when: what was announced of the one before counts
	// no longer.
	updateCredential = strings.Replace(update("credentials", "organization_id", "kind", "principal_type", "principal_id", "state", "secret_version",
		"not_before", "expires_at", "deleted_at", "ended_at", "resumed_at", "scopes", "networks", "limits", "external_id", "metadata",
		"name", "name_key", "hint", "public_id", "origin", "search_text"),
		" WHERE ", ", expires_set_at = CASE WHEN expires_at = ? THEN expires_set_at ELSE ? END WHERE ", 1)
	credentialTaken = problem.New(problem.Conflict, "credential_exists",
		"Another credential has this external ID, client ID or key ID. Choose another.")
)

const (
	// SQLite's text index holds no text of its own, so it must be told what the old one was.
	// Rows of this group of writes are not in it yet.
	unindexChanged = "INSERT INTO credential_search (credential_search, rowid, search_text) " +
		"SELECT 'delete', row_id, search_text FROM credentials WHERE search_text <> ? AND row_id <= ? AND id = ? AND tenant_id = ?"
	indexChanged = "INSERT INTO credential_search (rowid, search_text) " +
		"SELECT row_id, ? FROM credentials WHERE search_text <> ? AND row_id <= ? AND id = ? AND tenant_id = ?"
	// New rows come into the index at the end of the group, all at once: it would write a
	// segment of its own at every savepoint. Their numbers are this group's revisions.
	indexNew = "INSERT INTO credential_search (rowid, search_text) SELECT row_id, search_text FROM credentials WHERE row_id > ?"
)

// credentialText is what a search looks through: what a list shows of the credential itself.
func credentialText(c credential.Credential) string {
	date := ""
	if !c.ExpiresAt.IsZero() {
		date = c.ExpiresAt.UTC().Format("2006-01-02")
	}
	return searchTextOf([]string{c.Name, c.Labels.ExternalID}, c.Hint+" "+c.PublicID+" "+date)
}

// credentialArgs are the columns that may change, in the order of updateCredential; the
// last is the search text.
func credentialArgs(c credential.Credential) ([]any, error) {
	if err := checkHidden(c); err != nil {
		return nil, err
	}
	scopes, err := listText(c.Scopes)
	networks, err2 := listText(c.Networks)
	metadata, err3 := metadataText(c.Labels)
	limits := ""
	if len(c.Limits.Rates)+len(c.Limits.Quotas) > 0 {
		b, err := json.Marshal(c.Limits)
		if err != nil {
			return nil, fmt.Errorf("encoding limits: %w", err)
		}
		limits = string(b)
	}
	return []any{
		string(c.OrganizationID), string(c.Kind), string(c.Principal.Type), c.Principal.ID, string(c.State), int64(c.SecretVersion),
		micros(c.NotBefore), expiryMicros(c.ExpiresAt), micros(c.DeletedAt), micros(c.EndedAt), micros(c.ResumedAt), scopes, networks, limits,
		c.Labels.ExternalID, metadata, c.Name, fold(c.Name), c.Hint, c.PublicID, int64(c.Origin), credentialText(c),
	}, errors.Join(err, err2, err3)
}

// checkHidden refuses what lists would go on to show.
func checkHidden(c credential.Credential) error {
	if c.State == credential.Expired && c.DeletedAt.IsZero() {
		return errors.New("store: a credential that expired and is not hidden")
	}
	return nil
}

// Credential is one credential of the tenant, also one at its end or deleted.
func (tx *Tx) Credential(id credential.ID) (credential.Credential, error) {
	row, err := find[credentialRow](tx, "credential", "id = ? AND tenant_id = ?", string(id[:]), string(tx.tenant))
	if err != nil {
		return credential.Credential{}, err
	}
	return row.credential()
}

// CallersCredential is Credential for whoever acts by one, who is asked for in every
// change: in a Write it is remembered as long as nobody changes it. Its last use may be older.
func (tx *Tx) CallersCredential(id credential.ID) (credential.Credential, error) {
	w := tx.writer
	if w == nil {
		return tx.Credential(id)
	}
	if c, ok := w.callers[id]; ok && c.TenantID == tx.tenant {
		return c, nil
	}
	c, err := tx.Credential(id)
	if err == nil && !w.touched[id] {
		w.callers[id] = c
	}
	return c, err
}

// CredentialByPublicID is the credential of the tenant with a client ID or key ID, also one
// at its end or deleted.
func (tx *Tx) CredentialByPublicID(publicID string) (credential.Credential, error) {
	if publicID == "" {
		return credential.Credential{}, problem.Missing("credential")
	}
	row, err := find[credentialRow](tx, "credential", "public_id = ? AND tenant_id = ?", publicID, string(tx.tenant))
	if err != nil {
		return credential.Credential{}, err
	}
	return row.credential()
}

// CredentialsOf lists the credentials of a principal that are active or suspended as
// recorded, in the order of creation.
func (tx *Tx) CredentialsOf(p access.Principal) ([]credential.Credential, error) {
	if !validText(p.ID) || !validText(string(p.Type)) {
		return nil, nil
	}
	rows, err := all[credentialRow](tx, "credentials", func(q *bun.SelectQuery) *bun.SelectQuery {
		return tx.scope(q).Where("principal_id = ? AND principal_type = ?", p.ID, string(p.Type)).
			Where("state IN ('active', 'suspended') AND deleted_at = 0").Order("row_id")
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*credentialRow).credential)
}

// InsertCredential adds a credential with the material of its secrets. An external ID or
// public ID that is taken is a Conflict, code credential_exists.
func (tx *Tx) InsertCredential(c credential.Credential, material ...credential.Material) error {
	if err := tx.own(c.TenantID); err != nil {
		return err
	}
	args, err := credentialArgs(c)
	if err != nil {
		return err
	}
	row, err := tx.touch(itemCredential, string(c.ID[:]))
	if err != nil {
		return err
	}
	args = append([]any{
		row, string(c.ID[:]), string(c.TenantID), micros(c.CreatedAt),
		string(c.CreatedBy.Type), c.CreatedBy.ID, c.CreatedByName, micros(c.LastUsedAt),
	}, args...)
	if err := tx.write(statement{text: insertCredential, args: args, taken: credentialTaken, into: &newCredentials}); err != nil {
		return err
	}
	for _, m := range material {
		if m.CredentialID != c.ID {
			return errors.New("store: material of another credential")
		}
		if err := tx.write(statement{text: insertSecret, args: append([]any{row}, materialArgs(m)...), into: &newSecrets}); err != nil {
			return err
		}
	}
	return nil
}

// UpdateCredential changes all but ID, creation and last use. Of an expiry that is another
// than before it notes the present as ExpiresSetAt.
func (tx *Tx) UpdateCredential(c credential.Credential) error {
	if err := tx.own(c.TenantID); err != nil {
		return err
	}
	args, err := credentialArgs(c)
	if err != nil {
		return err
	}
	id, tenant, text := string(c.ID[:]), string(tx.tenant), args[len(args)-1]
	if _, err := tx.touch(itemCredential, id); err != nil {
		return err
	}
	if tx.store.db.engine == engineSQLite {
		indexed := int64(tx.committed.revision)
		if err := tx.exec(unindexChanged, text, indexed, id, tenant); err != nil {
			return err
		}
		if err := tx.exec(indexChanged, text, text, indexed, id, tenant); err != nil {
			return err
		}
	}
	return tx.write(statement{text: updateCredential, args: append(args, expiryMicros(c.ExpiresAt), micros(tx.store.now()), id, tenant), one: "credential", taken: credentialTaken})
}
