package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// Two plain scans in the order of rows, put together here: cheaper than any join of the
// databases'.
const (
	credentialStream = "SELECT row_id, id, tenant_id, organization_id, kind, principal_type, principal_id, state, " +
		"secret_version, not_before, expires_at, deleted_at, scopes, networks, limits, external_id, metadata, public_id " +
		"FROM credentials WHERE row_id >= ? AND row_id < ? ORDER BY row_id"
	credentialWidth = 18

	secretStream = "SELECT row_id, field, version, digest, pepper_version, valid_until, public_key, scheme, weak " +
		"FROM credential_secrets WHERE row_id >= ? AND row_id < ? ORDER BY row_id, field, version"
	secretWidth = 9
)

const (
	batchSize = 512  // credentials that travel together from a reader
	spanSize  = 8192 // rows that a reader takes at a time
)

// batch is some credentials, used again when they have been put.
type batch struct {
	credentials []verify.Credential
	material    []credential.Material
}

// reading is several views reading one table.
type reading struct {
	next    atomic.Int64 // the first row nobody has taken
	end     int64
	batches chan *batch
	free    chan *batch
	quotas  map[credential.ID][]verify.QuotaUsed
}

func (tx *Tx) allTenantsBigThings(views []*view, put func(verify.Item) error) error {
	quotas, err := tx.allTenantsQuotas()
	if err != nil {
		return err
	}
	var bounds struct{ First, Last *int64 }
	row := tx.db.QueryRowContext(tx.ctx, "SELECT min(row_id), max(row_id) FROM credentials")
	if err := row.Scan(&bounds.First, &bounds.Last); err != nil {
		return err
	}
	if bounds.First == nil || bounds.Last == nil {
		return nil
	}
	r := &reading{
		end: *bounds.Last + 1, quotas: quotas,
		batches: make(chan *batch, 2*len(views)), free: make(chan *batch, 4*len(views)),
	}
	r.next.Store(*bounds.First)
	return r.run(tx.ctx, views, put)
}

func (r *reading) run(ctx context.Context, views []*view, put func(verify.Item) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var readers sync.WaitGroup
	for _, v := range views {
		readers.Go(func() {
			if err := r.read(ctx, v); err != nil {
				cancel(err)
			}
		})
	}
	go func() {
		readers.Wait()
		close(r.batches)
	}()
	var failed error
	for b := range r.batches {
		if failed != nil {
			continue // let the readers end
		}
		for i := range b.credentials {
			if failed = put(verify.Item{Credential: &b.credentials[i]}); failed != nil {
				cancel(failed)
				break
			}
		}
		select {
		case r.free <- b:
		default:
		}
	}
	if failed != nil {
		return failed
	}
	return context.Cause(ctx)
}

// read takes spans of rows until none is left.
func (r *reading) read(ctx context.Context, v *view) error {
	b := r.empty()
	send := func() error {
		select {
		case r.batches <- b:
			b = r.empty()
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var secrets []storedSecret
	for ctx.Err() == nil {
		from := r.next.Add(spanSize) - spanSize
		if from >= r.end {
			break
		}
		secrets = secrets[:0]
		err := v.scan(ctx, secretStream, from, from+spanSize, secretWidth, func(row columns) error {
			s, err := readSecret(row)
			secrets = append(secrets, s)
			return err
		})
		if err != nil {
			return err
		}
		unread := secrets
		err = v.scan(ctx, credentialStream, from, from+spanSize, credentialWidth, func(row columns) error {
			if len(b.credentials) == batchSize {
				if err := send(); err != nil {
					return err
				}
			}
			var err error
			unread, err = b.add(row, unread, r.quotas)
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(b.credentials) == 0 {
		return ctx.Err()
	}
	return send()
}

func (r *reading) empty() *batch {
	select {
	case b := <-r.free:
		b.credentials, b.material = b.credentials[:0], b.material[:0]
		return b
	default:
		return &batch{credentials: make([]verify.Credential, 0, batchSize), material: make([]credential.Material, 0, 2*batchSize)}
	}
}

var errDigest = errors.New("store: a digest has the wrong length")

// storedSecret is material with the row it belongs to.
type storedSecret struct {
	row int64
	credential.Material
}

func readSecret(row columns) (storedSecret, error) {
	s := storedSecret{row: row.number(0), Material: credential.Material{
		Field: row.name(1), Version: int(row.number(2)), PepperVersion: int(row.number(4)), ValidUntil: moment(row.number(5)),
	}}
	digest := row.bytes(3)
	if len(digest) != len(s.Digest) {
		return s, errDigest
	}
	copy(s.Digest[:], digest)
	s.PublicKey = slices.Clone(row.bytes(6))
	s.Scheme, s.Weak = secret.Scheme(row.name(7)), row.number(8) != 0
	return s, nil
}

// add takes a credential with its secrets, which come first of those not taken yet. What
// has no secrets left can't be verified and isn't sent.
func (b *batch) add(row columns, secrets []storedSecret, quotas map[credential.ID][]verify.QuotaUsed) (unread []storedSecret, err error) {
	number := row.number(0)
	for len(secrets) > 0 && secrets[0].row < number {
		secrets = secrets[1:]
	}
	if len(secrets) == 0 || secrets[0].row != number {
		return secrets, nil
	}
	b.credentials = append(b.credentials, verify.Credential{})
	c := &b.credentials[len(b.credentials)-1]
	if err := readCredential(c, row, quotas); err != nil {
		return secrets, err
	}
	first := len(b.material)
	for len(secrets) > 0 && secrets[0].row == number {
		m := secrets[0].Material
		m.CredentialID = c.ID
		b.material = append(b.material, m)
		secrets = secrets[1:]
	}
	c.Material = b.material[first:len(b.material):len(b.material)]
	return secrets, nil
}

func readCredential(c *verify.Credential, row columns, quotas map[credential.ID][]verify.QuotaUsed) (err error) {
	if c.ID, err = credentialID(row.text(1)); err != nil {
		return err
	}
	c.TenantID, c.OrganizationID = tenancy.TenantID(row.name(2)), tenancy.OrgID(row.name(3))
	c.Kind, c.State = credential.Kind(row.name(4)), credential.State(row.name(7))
	c.Principal = access.Principal{Type: access.PrincipalType(row.name(5)), ID: row.text(6)}
	c.Row = uint64(row.number(0))
	c.SecretVersion, c.PublicID = int(row.number(8)), row.text(17)
	c.NotBefore, c.DeletedAt = moment(row.number(9)), moment(row.number(11))
	if at := row.number(10); at != forever {
		c.ExpiresAt = time.UnixMicro(at).UTC()
	}
	if len(quotas) > 0 {
		c.QuotaUsed = quotas[c.ID]
	}
	return setExtras(&c.Credential, row.text(12), row.text(13), row.text(14), row.text(15), row.text(16))
}

type quotaRow struct {
	bun.BaseModel `bun:"table:quota_usage,alias:q"`

	CredentialID string
	Name         string
	PeriodStart  int64
	Used         int64
}

// allTenantsQuotas are the counts of all quotas.
func (tx *Tx) allTenantsQuotas() (map[credential.ID][]verify.QuotaUsed, error) {
	var rows []quotaRow
	err := tx.db.NewSelect().Model(&rows).Order("credential_id", "name", "period_start").Scan(tx.ctx)
	if err != nil {
		return nil, err
	}
	quotas := make(map[credential.ID][]verify.QuotaUsed)
	for _, r := range rows {
		id, err := credentialID(r.CredentialID)
		if err != nil {
			return nil, err
		}
		// A quota without a period begins at the epoch, which is not "none" here.
		quotas[id] = append(quotas[id], verify.QuotaUsed{Name: r.Name, PeriodStart: time.UnixMicro(r.PeriodStart).UTC(), Used: r.Used})
	}
	return quotas, nil
}
