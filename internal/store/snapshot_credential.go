package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// A row for each version of a secret; the versions of one credential follow each other.
// What has no material left can't be verified and isn't sent.
const credentialStream = "SELECT c.row_id, c.id, c.tenant_id, c.organization_id, c.kind, c.principal_type, c.principal_id, c.state, " +
	"c.secret_version, c.not_before, c.expires_at, c.deleted_at, c.scopes, c.networks, c.limits, c.external_id, c.metadata, " +
	"s.field, s.version, s.digest, s.pepper_version, s.valid_until " +
	"FROM credentials AS c JOIN credential_secrets AS s ON s.row_id = c.row_id " +
	"WHERE c.row_id >= ? AND c.row_id < ? ORDER BY c.row_id, s.field, s.version"

const credentialWidth = 22

const (
	batchSize = 512  // credentials that travel together from a reader
	spanSize  = 8192 // rows that a reader takes at a time
)

// batch is some credentials, used again when they have been put.
type batch struct {
	credentials []verify.Credential
	material    []credential.Material
	last        int64 // row of the last credential
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
	for ctx.Err() == nil {
		from := r.next.Add(spanSize) - spanSize
		if from >= r.end {
			break
		}
		err := v.scan(ctx, credentialStream, from, from+spanSize, credentialWidth, func(c columns) error {
			if len(b.credentials) == batchSize && c.number(0) != b.last {
				if err := send(); err != nil {
					return err
				}
			}
			return b.add(c, r.quotas)
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
		b.credentials, b.material, b.last = b.credentials[:0], b.material[:0], 0
		return b
	default:
		return &batch{credentials: make([]verify.Credential, 0, batchSize), material: make([]credential.Material, 0, 2*batchSize)}
	}
}

var errDigest = errors.New("store: a digest has the wrong length")

// add takes one row: a credential, or one more version of the last one's secret.
func (b *batch) add(row columns, quotas map[credential.ID][]verify.QuotaUsed) error {
	const material = 17 // the first of its columns
	if n := row.number(0); n != b.last || len(b.credentials) == 0 {
		b.last = n
		b.credentials = append(b.credentials, verify.Credential{})
		if err := readCredential(&b.credentials[len(b.credentials)-1], row, quotas); err != nil {
			return err
		}
	}
	c := &b.credentials[len(b.credentials)-1]
	m := credential.Material{
		CredentialID: c.ID, Field: row.name(material), Version: int(row.number(material + 1)),
		PepperVersion: int(row.number(material + 3)), ValidUntil: moment(row.number(material + 4)),
	}
	digest := row.bytes(material + 2)
	if len(digest) != len(m.Digest) {
		return errDigest
	}
	copy(m.Digest[:], digest)
	if len(c.Material) > 0 {
		c.Material = append(c.Material, m) // rare: moves the list out of the batch's own
		return nil
	}
	b.material = append(b.material, m)
	n := len(b.material)
	c.Material = b.material[n-1 : n : n]
	return nil
}

func readCredential(c *verify.Credential, row columns, quotas map[credential.ID][]verify.QuotaUsed) (err error) {
	if c.ID, err = credentialID(row.text(1)); err != nil {
		return err
	}
	c.TenantID, c.OrganizationID = tenancy.TenantID(row.name(2)), tenancy.OrgID(row.name(3))
	c.Kind, c.State = credential.Kind(row.name(4)), credential.State(row.name(7))
	c.Principal = access.Principal{Type: access.PrincipalType(row.name(5)), ID: row.text(6)}
	c.SecretVersion = int(row.number(8))
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
	CredentialID string
	Name         string
	PeriodStart  int64
	Used         int64
}

// allTenantsQuotas are the counts of all processes, summed.
func (tx *Tx) allTenantsQuotas() (map[credential.ID][]verify.QuotaUsed, error) {
	var rows []quotaRow
	err := tx.db.NewSelect().TableExpr("quota_usage").
		ColumnExpr("credential_id, name, period_start, CAST(sum(used) AS BIGINT) AS used").
		GroupExpr("credential_id, name, period_start").OrderExpr("credential_id, name, period_start").Scan(tx.ctx, &rows)
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
