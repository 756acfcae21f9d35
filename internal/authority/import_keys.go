package authority

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/token"
)

// importChunk is how many lines go into one transaction: other writers wait no longer than
// that takes.
const importChunk = 100

// preparedLine is a line with everything that is known without the database.
type preparedLine struct {
	ImportLine
	refused *problem.Problem // why it can't be; nil if nothing is known against it
	made    freshSecrets
	origin  credential.Origin
	expires *time.Time
	digests [][32]byte // under which it may be stored already
}

// ImportKeys brings the lines in, as user keys of their owners: each has a name, may be
// renamed and revoked like any other, and verifies by the string that its owner has. A line
// that can't be is refused and noted, and harms no other. Lines up to the last that was
// dealt with are left alone, so that sending some again does no harm.
//
// It needs what BeginImport needs, of whoever called that, and for each key the right to hand
// out what its owner holds. Whether a key is known in another tenant is never told, and
// makes no difference: who imports a key first has it. Problems: import_closed,
// import_finished. Audited as api_key.import, each.
func (a *Authority) ImportKeys(ctx context.Context, caller access.Caller, in ImportKeysInput) (out ImportProgress, err error) {
	tenant, err := a.operationTenant(ctx, caller, in.Tenant, in.ID)
	if err != nil {
		return out, err
	}
	work, err := a.openImport(ctx, caller, tenant, in.ID)
	if err != nil {
		return out, err
	}
	if err := in.checkLines(); err != nil {
		return out, err
	}
	for rest := in.Lines; len(rest) > 0; {
		n := min(len(rest), importChunk)
		lines := make([]preparedLine, n)
		for i, l := range rest[:n] {
			if lines[i], err = a.prepareLine(l, work); err != nil {
				return out, err
			}
		}
		begun := time.Now()
		if out.Operation, err = a.importLines(ctx, caller, tenant, in.ID, lines); err != nil {
			return out, err
		}
		if rest = rest[n:]; len(rest) > 0 {
			pause(ctx, time.Since(begun)) // others write, too
		}
	}
	err = a.store.Read(ctx, out.TenantID, func(tx *store.Tx) error {
		out.Refused, err = tx.ImportRefusals(in.ID, in.Lines[0].Line, in.Lines[len(in.Lines)-1].Line, MaxImportLines)
		return err
	})
	return out, err
}

// openImport checks the right to send lines, before any work is spent on them.
func (a *Authority) openImport(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, id string) (work importWork, err error) {
	err = a.view(ctx, caller, tenant, func(s *scope) error {
		if err := s.require(access.APIKeysManage, s.rootPath()); err != nil {
			return err
		}
		o, err := s.importOf(id)
		if err != nil {
			return err
		}
		if err := s.importsOpen(); err != nil {
			return err
		}
		_, work, err = o.position()
		return err
	})
	return work, err
}

// prepareLine does what takes time: the digests, and a new ID.
func (a *Authority) prepareLine(l ImportLine, work importWork) (preparedLine, error) {
	p := preparedLine{ImportLine: l}
	scheme, foreign, err := a.foreignOf(&p, work)
	if err != nil {
		p.refused = problem.As(err)
		return p, nil
	}
	return p, a.digestLine(&p, scheme, &foreign)
}

// foreignOf checks what a line holds by itself, and returns its key's digest as the other
// system has it, or would.
func (a *Authority) foreignOf(p *preparedLine, work importWork) (s secret.Scheme, d secret.Foreign, err error) {
	var ok bool
	text := p.Key.Reveal()
	switch {
	case p.Malformed:
		return s, d, problem.New(problem.Invalid, "malformed", "The line cannot be read: it has another number of cells than the first, or is no object.")
	case p.Key.IsZero() == (p.Digest == ""):
		return s, d, problem.New(problem.Invalid, "key_or_digest", "Give a key or a digest: one of the two.")
	case text != "" && (p.Name == text || p.Owner == text):
		return s, d, problem.New(problem.Invalid, "key_in_clear", "The key stands where its name or owner should. Look at which column is which.")
	}
	if p.expires, ok = importExpiry(p.ExpiresAt); !ok {
		return s, d, problem.InvalidField("/expires_at", "Write a date such as 2027-01-31, a time such as 2027-01-31T12:00:00Z, or nothing.")
	}
	if text != "" {
		if p.origin, err = credential.ValidateImported(a.format, p.Key, work.AcceptWeak); err != nil {
			return s, d, err
		}
		if token.Looks(text) {
			return s, d, problem.New(problem.Invalid, "key_is_token", "This is a signed token, not a key. Tokens are not imported.")
		}
		return secret.SHA256, secret.SumForeign(text), nil
	}
	// How strong the key is can't be told from a digest: whoever imports it answers for that.
	p.origin = credential.Imported
	if s, d, ok = secret.ParseForeign(p.Digest); !ok {
		return s, d, problem.New(problem.Invalid, "digest_malformed", "Write a digest as sha256:HEX or hmac-sha256:REF:HEX, with 64 hexadecimal digits.")
	}
	if !a.importKeys.Knows(s) {
		return s, d, problem.New(problem.Invalid, "import_key_unknown", "The keyring has no import key of this reference. Add it, and restart every node.")
	}
	return s, d, nil
}

// digestLine makes what is stored of a line: a new ID, and the digest under the pepper.
func (a *Authority) digestLine(p *preparedLine, scheme secret.Scheme, foreign *secret.Foreign) error {
	_, parsed, err := a.format.Generate(secret.UserKey, a.rand) // of which only the ID is used
	if err != nil {
		return err
	}
	version := a.peppers.Current()
	digest, _ := a.peppers.Imported(version, foreign) // the current version is always known
	p.made = freshSecrets{id: parsed.ID, parts: []madeSecret{{hint: credential.ImportedHint(p.Key), material: credential.Material{
		CredentialID: parsed.ID, Field: credential.FieldKey, Version: 1, Digest: digest, PepperVersion: version,
		Scheme: scheme, Weak: p.origin == credential.ImportedWeak,
	}}}}
	var known []secret.PastPepper
	if p.Key.IsZero() {
		known = a.peppers.AllImported(nil, foreign)
	} else {
		known = a.peppers.Presented(nil, a.importKeys, p.Key.Reveal())
	}
	for _, k := range known {
		p.digests = append(p.digests, k.Digest)
	}
	return nil
}

// importExpiry reads when a key ends; nil means that nobody says.
func importExpiry(text string) (*time.Time, bool) {
	if text == "" {
		return nil, true
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return &t, true
		}
	}
	return nil, false
}

// importLines brings some lines in, in one transaction, and moves the import on.
func (a *Authority) importLines(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, id string, lines []preparedLine) (out Operation, err error) {
	if err := a.learnOwners(ctx, caller, tenant, lines); err != nil {
		return out, err
	}
	revision, err := a.change(ctx, caller, tenant, func(c *change) error {
		if err := c.require(access.APIKeysManage, c.rootPath()); err != nil {
			return err
		}
		o, err := c.importOf(id)
		if err != nil {
			return err
		}
		if err := c.importsOpen(); err != nil {
			return err
		}
		if o.State == OperationDone || !c.now.Before(o.CreatedAt.Add(importOpen)) {
			return problem.New(problem.Conflict, "import_finished", "This import has ended and takes no more lines. Begin another one.")
		}
		if err := c.importSome(&o, lines); err != nil {
			return err
		}
		c.replayed = len(c.events) == 0 // nothing was brought in: there is nothing to audit
		out, err = showOperation(o.Operation)
		return err
	})
	out.Revision = revision
	return out, err
}

// importSome decides about all lines before anything is written: each read would send what
// is written so far by itself.
func (c *change) importSome(o *importOperation, lines []preparedLine) error {
	p, work, err := o.position()
	if err != nil {
		return err
	}
	for len(lines) > 0 && lines[0].Line <= p.Line {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return nil
	}
	batch, err := c.lookUp(o.ID, lines)
	if err != nil {
		return err
	}
	keys := make([]credential.Credential, len(lines))
	refused := make([]*problem.Problem, len(lines))
	for i := range lines {
		if keys[i], err = c.importable(&lines[i], batch); err == nil {
			continue
		}
		if refused[i] = problem.As(err); refused[i].Kind == problem.Internal || refused[i].Kind == problem.Unavailable {
			return err
		}
	}
	for i := range lines {
		switch {
		case refused[i] != nil:
			err = c.refuseLine(o, lines[i].Line, refused[i])
			p.FailedTotal++
		case work.DryRun:
			err = c.tryLine(o.ID, &lines[i])
		default:
			err = c.importLine(o.ID, keys[i], &lines[i])
		}
		if err != nil {
			return err
		}
		if refused[i] == nil && lines[i].origin == credential.ImportedWeak {
			p.Weak++
		}
	}
	o.Done += int64(len(lines))
	o.Total = max(o.Total, o.Done)
	p.Line = lines[len(lines)-1].Line
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding the position of an import: %w", err)
	}
	o.Position = string(text)
	return c.tx.UpdateOperation(o.Operation)
}

// tryLine notes a line that would be brought in, so that its key counts as there.
func (c *change) tryLine(operation string, l *preparedLine) error {
	for _, d := range l.digests {
		if err := c.tx.InsertImportDigest(operation, d); err != nil {
			return err
		}
	}
	return nil
}

func (c *change) refuseLine(o *importOperation, line int64, why *problem.Problem) error {
	f := failureOf(fmt.Sprintf("line %d", line), why)
	if len(why.Fields) > 0 {
		f.Code, f.Message = strings.TrimPrefix(why.Fields[0].Pointer, "/"), why.Fields[0].Message
	}
	if len(o.Failed) < mostFailures {
		o.Failed = append(o.Failed, f)
	}
	return c.tx.InsertImportRefusal(o.ID, store.ImportRefusal{Line: line, Code: f.Code, Message: f.Message})
}

// importLine writes a key with its event.
func (c *change) importLine(operation string, k credential.Credential, l *preparedLine) error {
	material, err := l.made.material(c, 1)
	if err != nil {
		return err
	}
	if err := c.tx.InsertCredential(k, material...); err != nil {
		return err
	}
	after := issuedFields(k)
	after["operation"], after["scheme"] = operation, string(material[0].Scheme)
	if material[0].Weak {
		after["weak"] = true
	}
	return c.record("api_key.import", keyTarget(k), nil, after)
}

// originOf is where a version of a secret was made.
func originOf(m credential.Material) credential.Origin {
	switch {
	case m.Scheme == "":
		return credential.Made
	case m.Weak:
		return credential.ImportedWeak
	}
	return credential.Imported
}

// importBatch is what the database knows about some lines.
type importBatch struct {
	owners map[string]owned
	taken  map[[32]byte]bool // digests that are in the tenant, or in a line before
}

// owned is whom a line's owner means.
type owned struct {
	user  tenancy.User
	known int // how many users it may mean
}

// learnOwners reads what the owners hold before the transaction, so that other writers need
// not wait for that.
func (a *Authority) learnOwners(ctx context.Context, caller access.Caller, tenant tenancy.TenantID, lines []preparedLine) error {
	names := make(map[string]bool)
	for i := range lines {
		names[lines[i].Owner] = true
	}
	return a.view(ctx, caller, tenant, func(s *scope) error {
		owners, err := s.ownersOf(names)
		if err != nil {
			return err
		}
		for _, o := range owners {
			if o.known != 1 {
				continue
			}
			if _, err := s.principalFacts(s.target, userPrincipal(o.user.ID)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *change) lookUp(operation string, lines []preparedLine) (b importBatch, err error) {
	var digests [][32]byte
	names := make(map[string]bool)
	for i := range lines {
		if lines[i].refused == nil {
			digests = append(digests, lines[i].digests...)
			names[lines[i].Owner] = true
		}
	}
	if b.taken, err = c.tx.ImportedDigests(operation, digests); err != nil {
		return b, err
	}
	b.owners, err = c.ownersOf(names)
	return b, err
}

// ownersOf finds the users that are meant by ID, by user name or by external ID.
func (s *scope) ownersOf(names map[string]bool) (map[string]owned, error) {
	var list, folded []string
	for name := range names {
		list, folded = append(list, name), append(folded, FoldUsername(name))
	}
	users, err := s.tx.UsersCalled(list, folded, list)
	if err != nil {
		return nil, err
	}
	out := make(map[string]owned, len(names))
	for name := range names {
		seen := map[tenancy.UserID]bool{}
		var o owned
		for _, u := range users {
			if seen[u.ID] || string(u.ID) != name && u.Labels.ExternalID != name && FoldUsername(u.Username) != FoldUsername(name) {
				continue
			}
			seen[u.ID] = true
			o = owned{user: u, known: o.known + 1}
			if string(u.ID) == name {
				o.known = 1
				break // an ID is nobody else's
			}
		}
		out[name] = o
	}
	return out, nil
}

// importable makes the key of a line, or says why it can't be. It reads what decides about
// rights and writes nothing.
func (c *change) importable(l *preparedLine, b importBatch) (k credential.Credential, err error) {
	if l.refused != nil {
		return k, l.refused
	}
	owner := b.owners[l.Owner]
	switch {
	case l.Owner == "" || owner.known == 0:
		return k, problem.New(problem.Invalid, "owner_unknown", "There is no such user in this tenant. Name the owner by ID, user name or external ID.")
	case owner.known > 1:
		return k, problem.New(problem.Invalid, "owner_ambiguous", "The owner's name is one user's user name and another's external ID. Give the ID.")
	case owner.user.State != tenancy.Active:
		return k, problem.New(problem.Conflict, "owner_suspended", "The owner is suspended. Resume them first.")
	}
	for _, d := range l.digests {
		if b.taken[d] {
			return k, problem.New(problem.Conflict, "key_taken", "This key has been imported already, perhaps under another name, or has been revoked since.")
		}
	}
	if k, err = c.newKey(userKeys, wish{name: l.Name, expiresAt: l.expires}, l.made); err != nil {
		return k, err
	}
	k.Origin, k.OrganizationID, k.Principal = l.origin, owner.user.OrganizationID, userPrincipal(owner.user.ID)
	path, err := c.path(owner.user.OrganizationID)
	if err != nil {
		return k, err
	}
	if err := c.mayGiveKey(k.Principal, path, k.ExpiresAt); err != nil {
		return k, err
	}
	for _, d := range l.digests {
		b.taken[d] = true
	}
	return k, nil
}
