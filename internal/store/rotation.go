package store

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/verify"
)

// Rotation is what is known of a credential's rotations beside its secrets.
type Rotation struct {
	Latest       int    // the highest version that any of its secrets had; zero means the present one
	PreviousHint string // what was shown of the secret before the present one; empty when that isn't known
	// Successor is the key that takes the place of this one of a service account; the zero ID
	// for none, and for all other kinds.
	Successor credential.ID
	// ExpiresAt is when a key with a Successor would end without one, the zero time for never;
	// nil means that it isn't known.
	ExpiresAt *time.Time
}

type rotationRow struct {
	bun.BaseModel `bun:"table:rotations,alias:r"`

	CredentialID  string
	LatestVersion int64
	PreviousHint  string
	Successor     string
	ExpiresAt     int64
}

func (r *rotationRow) rotation() (out Rotation, err error) {
	out = Rotation{Latest: int(r.LatestVersion), PreviousHint: r.PreviousHint}
	if r.Successor != "" {
		out.Successor, err = credentialID(r.Successor)
	}
	if r.ExpiresAt != 0 {
		ends := expiryMoment(r.ExpiresAt)
		out.ExpiresAt = &ends
	}
	return out, err
}

// Rotation tells of a credential's rotations; the zero Rotation for one that was never
// rotated, or only by releases that kept no record of it.
func (tx *Tx) Rotation(id credential.ID) (Rotation, error) {
	row, err := find[rotationRow](tx, "rotation", "credential_id = ? AND tenant_id = ?", string(id[:]), string(tx.tenant))
	if problem.Is(err, problem.NotFound) {
		return Rotation{}, nil
	}
	if err != nil {
		return Rotation{}, err
	}
	return row.rotation()
}

// Successors tells which keys of service accounts take the place of others, by the latter.
func (tx *Tx) Successors(ids []credential.ID) (map[credential.ID]credential.ID, error) {
	out := map[credential.ID]credential.ID{}
	for chunk := range slices.Chunk(ids, maxNamed) {
		texts := make([]string, len(chunk))
		for i := range chunk {
			texts[i] = string(chunk[i][:])
		}
		rows, err := all[rotationRow](tx, "rotations", func(q *bun.SelectQuery) *bun.SelectQuery {
			return tx.scope(q).Where("credential_id IN (?)", bun.List(texts)).Where("successor <> ''")
		})
		if err != nil {
			return nil, err
		}
		for i := range rows {
			id, err := credentialID(rows[i].CredentialID)
			if err != nil {
				return nil, err
			}
			r, err := rows[i].rotation()
			if err != nil {
				return nil, err
			}
			out[id] = r.Successor
		}
	}
	return out, nil
}

// PutRotation replaces what is known of a credential's rotations.
func (tx *Tx) PutRotation(id credential.ID, r Rotation) error {
	if tx.tenant == "" {
		return errNoTenant
	}
	successor := ""
	if !r.Successor.IsZero() {
		successor = string(r.Successor[:])
	}
	ends := int64(0)
	if r.ExpiresAt != nil {
		ends = expiryMicros(*r.ExpiresAt)
	}
	return tx.exec("INSERT INTO rotations (credential_id, tenant_id, latest_version, previous_hint, successor, expires_at) VALUES (?, ?, ?, ?, ?, ?) "+
		"ON CONFLICT (credential_id) DO UPDATE SET latest_version = excluded.latest_version, previous_hint = excluded.previous_hint, "+
		"successor = excluded.successor, expires_at = excluded.expires_at WHERE rotations.tenant_id = excluded.tenant_id",
		string(id[:]), string(tx.tenant), int64(r.Latest), r.PreviousHint, successor, ends)
}

// PreviousUse is the calls from one place with a secret that a rotation replaced.
type PreviousUse = verify.PreviousUse

// What is kept of one secret: calls from further places are counted together.
const (
	mostPreviousUses = 500
	otherPlaces      = "*" // stands as the source of those
)

type previousUseRow struct {
	bun.BaseModel `bun:"table:previous_secret_uses,alias:p"`

	CredentialID string
	TenantID     string
	Version      int64
	Source       string
	UserAgent    string
	LastAt       int64
	Calls        int64
}

func (r *previousUseRow) use() (u PreviousUse, err error) {
	if u.CredentialID, err = credentialID(r.CredentialID); err != nil {
		return u, err
	}
	u.Version, u.UserAgent, u.LastAt, u.Calls = int(r.Version), r.UserAgent, moment(r.LastAt), r.Calls
	switch r.Source {
	case "":
	case otherPlaces:
		u.Others = true
	default:
		u.Source, err = netip.ParseAddr(r.Source)
	}
	return u, err
}

// PreviousUses lists from where a version of a credential's secret was used after its
// rotation, the latest first. Calls from too many places to tell apart are one of them.
func (tx *Tx) PreviousUses(id credential.ID, version int) ([]PreviousUse, error) {
	rows, err := all[previousUseRow](tx, "uses of earlier secrets", func(q *bun.SelectQuery) *bun.SelectQuery {
		return tx.scope(q).Where("credential_id = ? AND version = ?", string(id[:]), int64(version)).
			Order("last_at DESC", "source", "user_agent")
	})
	if err != nil {
		return nil, err
	}
	return convert(rows, (*previousUseRow).use)
}

// DropPreviousUses removes what is known of the use of a credential's earlier secrets.
func (tx *Tx) DropPreviousUses(id credential.ID) error {
	return tx.exec("DELETE FROM previous_secret_uses WHERE credential_id = ? AND tenant_id = ?", string(id[:]), string(tx.tenant))
}

const addPreviousUse = "INSERT INTO previous_secret_uses (credential_id, tenant_id, version, source, user_agent, last_at, calls) " +
	"VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (credential_id, version, source, user_agent) DO UPDATE SET " +
	"calls = previous_secret_uses.calls + excluded.calls, " +
	"last_at = CASE WHEN excluded.last_at > previous_secret_uses.last_at THEN excluded.last_at ELSE previous_secret_uses.last_at END"

// AddPreviousUses records the use of earlier secrets, in chunks. Like AddUsage it changes
// nothing that verification holds. It returns how many it recorded before an error.
func (s *Store) AddPreviousUses(ctx context.Context, list []PreviousUse) (done int, err error) {
	slices.SortStableFunc(list, func(a, b PreviousUse) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), slices.Compare(a.CredentialID[:], b.CredentialID[:]), cmp.Compare(a.Version, b.Version))
	})
	for chunk := range slices.Chunk(list, UsageChunk) {
		_, err := s.Write(ctx, "", func(tx *Tx) error { return tx.allTenantsAddPreviousUses(chunk) })
		if err != nil {
			return done, err
		}
		done += len(chunk)
	}
	return done, nil
}

// allTenantsAddPreviousUses adds uses in the order of their secrets.
func (tx *Tx) allTenantsAddPreviousUses(list []PreviousUse) error {
	var known map[[2]string]bool
	for i := range list {
		u := &list[i]
		if i == 0 || u.CredentialID != list[i-1].CredentialID || u.Version != list[i-1].Version {
			var err error
			if known, err = tx.allTenantsPlaces(u.CredentialID, u.Version); err != nil {
				return err
			}
		}
		place := [2]string{"", u.UserAgent}
		if u.Source.IsValid() {
			place[0] = u.Source.String()
		}
		if u.Others || !known[place] && len(known) >= mostPreviousUses {
			place = [2]string{otherPlaces, ""}
		}
		known[place] = true
		err := tx.exec(addPreviousUse, string(u.CredentialID[:]), string(u.TenantID), int64(u.Version), place[0], place[1], micros(u.LastAt), u.Calls)
		if err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) allTenantsPlaces(id credential.ID, version int) (map[[2]string]bool, error) {
	rows, err := all[previousUseRow](tx, "uses of earlier secrets", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Column("source", "user_agent").Where("credential_id = ? AND version = ?", string(id[:]), int64(version))
	})
	known := make(map[[2]string]bool, len(rows))
	for _, r := range rows {
		known[[2]string{r.Source, r.UserAgent}] = true
	}
	return known, err
}

// AllTenantsPrunePreviousUses removes what is known of uses before a time.
func (tx *Tx) AllTenantsPrunePreviousUses(before time.Time) error {
	return tx.exec("DELETE FROM previous_secret_uses WHERE last_at < ?", micros(before))
}
