package store

import (
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
)

type secretRow struct {
	bun.BaseModel `bun:"table:credential_secrets,alias:s"`

	RowID         int64
	Field         string
	Version       int64
	Digest        []byte
	PepperVersion int64
	ValidUntil    int64
	Sealed        []byte
	PublicKey     []byte
	Scheme        string
	Weak          int64
}

var (
	newSecrets   = table{"credential_secrets", []string{"row_id", "field", "version", "digest", "pepper_version", "valid_until", "sealed", "public_key", "scheme", "weak"}}
	insertSecret = insertInto(newSecrets.name, newSecrets.columns...)
)

const (
	// thisRow finds a credential of the tenant, so that material of another tenant's stays untouched.
	thisRow         = "(SELECT row_id FROM credentials WHERE id = ? AND tenant_id = ?)"
	insertSecretFor = "INSERT INTO credential_secrets (row_id, field, version, digest, pepper_version, valid_until, sealed, public_key, scheme, weak) " +
		"SELECT row_id, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM credentials WHERE id = ? AND tenant_id = ?"
	endSecret     = "UPDATE credential_secrets SET valid_until = ? WHERE field = ? AND version = ? AND row_id = " + thisRow
	destroySecret = "UPDATE credential_secrets SET sealed = NULL WHERE sealed IS NOT NULL AND row_id = " + thisRow
)

// materialArgs are the columns after row_id, in the order of insertSecret.
func materialArgs(m credential.Material) []any {
	return []any{
		m.Field, int64(m.Version), m.Digest[:], int64(m.PepperVersion), micros(m.ValidUntil),
		orNull(m.Sealed), orNull(m.PublicKey), string(m.Scheme), oneIf(m.Weak),
	}
}

func oneIf(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

func orNull(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func (r *secretRow) material(id credential.ID) (credential.Material, error) {
	m := credential.Material{
		CredentialID: id, Field: r.Field, Version: int(r.Version), PepperVersion: int(r.PepperVersion),
		ValidUntil: moment(r.ValidUntil), Sealed: r.Sealed, PublicKey: r.PublicKey,
		Scheme: secret.Scheme(r.Scheme), Weak: r.Weak != 0,
	}
	if copy(m.Digest[:], r.Digest) != len(m.Digest) || len(r.Digest) != len(m.Digest) {
		return m, errors.New("store: a digest has the wrong length")
	}
	return m, nil
}

// Material lists what is kept of a credential's secrets, by field and version; nothing for
// a credential that the tenant doesn't have.
func (tx *Tx) Material(id credential.ID) ([]credential.Material, error) {
	rows, err := all[secretRow](tx, "material", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("row_id = "+thisRow, string(id[:]), string(tx.tenant)).Order("field", "version")
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, func(r *secretRow) (credential.Material, error) { return r.material(id) })
}

// InsertMaterial adds a version of a secret, as rotation does.
func (tx *Tx) InsertMaterial(m credential.Material) error {
	id := string(m.CredentialID[:])
	if _, err := tx.touch(itemCredential, id); err != nil {
		return err
	}
	return tx.write(statement{
		text: insertSecretFor, args: append(materialArgs(m), id, string(tx.tenant)), one: "credential",
		taken: problem.New(problem.Conflict, "version_exists", "The credential was rotated by someone else meanwhile. Read it again."),
	})
}

// EndMaterial sets until when a version of a secret is good.
func (tx *Tx) EndMaterial(id credential.ID, field string, version int, validUntil time.Time) error {
	if _, err := tx.touch(itemCredential, string(id[:])); err != nil {
		return err
	}
	return tx.write(statement{
		text: endSecret, args: []any{micros(validUntil), field, int64(version), string(id[:]), string(tx.tenant)}, one: "secret version",
	})
}

// DestroyMaterial removes every form from which the credential's secrets could be
// recovered. Digests stay, for refusal only, and so do public keys.
func (tx *Tx) DestroyMaterial(id credential.ID) error {
	if _, err := tx.touch(itemCredential, string(id[:])); err != nil {
		return err
	}
	return tx.exec(destroySecret, string(id[:]), string(tx.tenant))
}

// PublicKeyTaken reports whether a service account of the tenant has or had this public
// key, as PKIX DER.
func (tx *Tx) PublicKeyTaken(der []byte) (bool, error) {
	db, err := tx.rows()
	if err != nil {
		return false, err
	}
	taken, err := db.NewSelect().Model((*secretRow)(nil)).
		Where("public_key = ?", der).
		Where("row_id IN (SELECT row_id FROM credentials WHERE credentials.row_id = s.row_id AND tenant_id = ?)", string(tx.tenant)).
		Exists(tx.ctx)
	if err != nil {
		return false, tx.fail(err)
	}
	return taken, nil
}

// AllTenantsCredentialTenant finds the tenant of a credential.
func (tx *Tx) AllTenantsCredentialTenant(id credential.ID) (tenancy.TenantID, error) {
	return tenantOf[credentialRow](tx, "credential", string(id[:]))
}

// AllTenantsOrganizationTenant finds the tenant of an organization.
func (tx *Tx) AllTenantsOrganizationTenant(id tenancy.OrgID) (tenancy.TenantID, error) {
	return tenantOf[organizationRow](tx, "organization", string(id))
}

// AllTenantsUserTenant finds the tenant of a user.
func (tx *Tx) AllTenantsUserTenant(id tenancy.UserID) (tenancy.TenantID, error) {
	return tenantOf[userRow](tx, "user", string(id))
}

// AllTenantsRoleTenant finds the tenant of a role.
func (tx *Tx) AllTenantsRoleTenant(id access.RoleID) (tenancy.TenantID, error) {
	return tenantOf[roleRow](tx, "role", string(id))
}

// AllTenantsAssignmentTenant finds the tenant of an assignment.
func (tx *Tx) AllTenantsAssignmentTenant(id access.AssignmentID) (tenancy.TenantID, error) {
	return tenantOf[assignmentRow](tx, "assignment", string(id))
}

func tenantOf[M any](tx *Tx, thing, id string) (tenancy.TenantID, error) {
	if !validText(id) {
		return "", problem.Missing(thing)
	}
	db, err := tx.rows()
	if err != nil {
		return "", err
	}
	var tenant []string
	err = db.NewSelect().Model((*M)(nil)).Column("tenant_id").Where("id = ?", id).Scan(tx.ctx, &tenant)
	if err != nil {
		return "", tx.fail(err)
	}
	if len(tenant) == 0 {
		return "", problem.Missing(thing)
	}
	return tenancy.TenantID(tenant[0]), nil
}
