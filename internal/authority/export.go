package authority

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/envelope"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// ExportRow is one key of an export.
type ExportRow struct {
	Key
	OrganizationName string
	Secret           secret.Secret // zero where it is not given
	// Reason says why there is no secret: one of the reasons, empty when there is one.
	Reason string
}

// The reasons why an export does not show a secret.
const (
	ExportShownOnce = "shown_once" // it was shown when it was made, and is not kept
	ExportEnded     = "ended"      // it was destroyed when the credential ended
	ExportNotYours  = "not_yours"  // the caller may not hand out what it carries
)

// errRightsMoved means that rights changed between reading a page and auditing it.
var errRightsMoved = errors.New("authority: rights changed meanwhile")

// ExportKeys hands out every key that the filter finds (NV4), in its order, page by page in
// constant memory; Page.Limit and Page.Cursor count for nothing. It needs the right to list
// them and a session in which the person confirmed their password within 5 minutes when it
// begins; secrets come with those that the caller could reveal. What row returns ends the
// export. Problems: reauthentication_required.
//
// Audited as api_key.export before any of it is answered: one event for each 1,000 keys,
// with the filter, their count and the SHA-256 of their IDs in order, one a line.
func (a *Authority) ExportKeys(ctx context.Context, caller access.Caller, in KeysInput, row func(ExportRow) error) error {
	seal, err := a.sealingFor(ctx, caller, in.Tenant)
	if err != nil {
		return err
	}
	e := export{a: a, caller: caller, in: in, seal: seal, page: store.Page{Limit: store.MaxLimit, Sort: in.Page.Sort, Desc: in.Page.Desc, Uncounted: true}}
	for {
		rows, err := e.next(ctx)
		if err != nil {
			return err
		}
		for i := range rows {
			if err := row(rows[i]); err != nil {
				return err
			}
		}
		if e.page.Cursor == "" {
			return nil
		}
	}
}

// export is one export under way.
type export struct {
	a      *Authority
	caller access.Caller
	in     KeysInput
	seal   *sealing
	page   store.Page
	part   int   // pages so far
	count  int64 // keys so far
}

// next reads a page, audits it and returns it. The cursor is empty after the last.
func (e *export) next(ctx context.Context) ([]ExportRow, error) {
	for {
		var rows []ExportRow
		var list store.List[credential.Credential]
		var rights uint64
		err := e.a.view(ctx, e.caller, e.in.Tenant, func(s *scope) (err error) {
			rights = s.rights
			list, rows, err = e.read(s)
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 || e.part == 0 {
			err = e.audit(ctx, rows, rights)
		}
		if errors.Is(err, errRightsMoved) {
			continue
		}
		e.part++
		e.count += int64(len(rows))
		e.page.Cursor = list.Next
		return rows, err
	}
}

// check is the right to export. Only the beginning needs the person: a long export would
// break off in the middle otherwise.
func (e *export) check(s *scope) (store.CredentialFilter, error) {
	f, err := s.visibleKeys(e.in)
	if err == nil && e.part == 0 {
		err = s.reauthenticated()
	}
	return f, err
}

func (e *export) audit(ctx context.Context, rows []ExportRow, rights uint64) error {
	hash := sha256.New()
	secrets := 0
	for i := range rows {
		hash.Write([]byte(rows[i].ID.String() + "\n"))
		if !rows[i].Secret.IsZero() {
			secrets++
		}
	}
	_, err := e.a.change(ctx, e.caller, e.in.Tenant, func(c *change) error {
		f, err := e.check(&c.scope)
		if err != nil {
			return err
		}
		if c.rights != rights {
			return errRightsMoved
		}
		after := fields{
			"filter": f, "part": e.part + 1, "count": len(rows), "count_before": e.count, "with_secret": secrets,
			"ids_sha256": hex.EncodeToString(hash.Sum(nil)),
		}
		return c.record("api_key.export", target{kind: "tenant", id: string(c.tenant.ID), name: c.tenant.Name, org: e.in.At}, nil, after)
	})
	return err
}

// read reads one page with everything that is shown of its keys, each kind of thing at once.
func (e *export) read(s *scope) (list store.List[credential.Credential], rows []ExportRow, err error) {
	f, err := e.check(s)
	if err != nil {
		return list, nil, err
	}
	if list, err = s.tx.Credentials(f, e.page); err != nil {
		return list, nil, err
	}
	var owners []tenancy.UserID
	var stored []credential.ID
	for _, k := range list.Items {
		if k.Principal.Type == access.PrincipalUser {
			owners = append(owners, tenancy.UserID(k.Principal.ID))
		}
		if rulesOf(k.Kind).recoverable {
			stored = append(stored, k.ID)
		}
	}
	names, err := s.tx.Usernames(owners)
	if err != nil {
		return list, nil, err
	}
	material, err := s.tx.MaterialOf(stored)
	if err != nil {
		return list, nil, err
	}
	rows = make([]ExportRow, 0, len(list.Items))
	for _, k := range list.Items {
		row := ExportRow{Key: Key{Credential: k, OwnerName: names[tenancy.UserID(k.Principal.ID)]}}
		if err := e.fill(s, &row, material[k.ID]); err != nil {
			return list, nil, err
		}
		rows = append(rows, row)
	}
	return list, rows, nil
}

func (e *export) fill(s *scope, row *ExportRow, material []credential.Material) error {
	o, err := s.organization(row.OrganizationID)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return err
	}
	row.OrganizationName = o.Name
	if row.Principal.Type == access.PrincipalOrganization {
		row.OwnerName = o.Name
	}
	r := rulesOf(row.Kind)
	if !r.recoverable || s.shownOnce(row.Credential) {
		row.Reason = ExportShownOnce
		return nil
	}
	if state := row.StateAt(s.now); state != credential.Active && state != credential.Suspended {
		row.Reason = ExportEnded
		return nil
	}
	if err := r.mayGive(s, row.Credential); err != nil {
		if !problem.Is(err, problem.Denied) {
			return err
		}
		row.Reason = ExportNotYours
		return nil
	}
	row.Reason = ExportShownOnce
	for _, m := range material {
		if m.Field != r.field || m.Version != row.SecretVersion || m.Sealed == nil {
			continue
		}
		row.Secret, err = e.seal.keys.Open(m.Sealed, envelope.AAD{Tenant: row.TenantID, Credential: row.ID, Field: m.Field, Version: m.Version})
		row.Reason = ""
	}
	return err
}
