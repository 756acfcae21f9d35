package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// sessionCodec keeps session values, all of them strings, as JSON.
type sessionCodec struct{}

type encodedSession struct {
	Deadline time.Time         `json:"deadline"`
	Values   map[string]string `json:"values"`
}

// Encode implements scs.Codec.
func (sessionCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	out := encodedSession{Deadline: deadline, Values: make(map[string]string, len(values))}
	for k, v := range values {
		s, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("session value %s is not a string", k)
		}
		out.Values[k] = s
	}
	return json.Marshal(out)
}

// Decode implements scs.Codec.
func (sessionCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var in encodedSession
	if err := json.Unmarshal(b, &in); err != nil {
		return time.Time{}, nil, fmt.Errorf("decoding a session: %w", err)
	}
	values := make(map[string]any, len(in.Values))
	for k, v := range in.Values {
		values[k] = v
	}
	return in.Deadline, values, nil
}

// sessionStore is where the session library reads and writes: our database, under hashed
// tokens.
type sessionStore struct{ m *Manager }

var (
	errNoContext = errors.New("signin: sessions need a context")
	errNoPut     = errors.New("signin: sessions end through the authority")
)

// Find, Commit and Delete complete scs.Store; the library calls the methods with a context.
func (sessionStore) Find(string) ([]byte, bool, error)      { return nil, false, errNoContext }
func (sessionStore) Commit(string, []byte, time.Time) error { return errNoContext }
func (sessionStore) Delete(string) error                    { return errNoContext }

// loaded is what FindCtx learns beside the session library's own data.
type loaded struct {
	ok     bool
	row    store.Session
	user   tenancy.User
	rights rights
}

type loadedKey struct{}

func withLoaded(ctx context.Context, l *loaded) context.Context {
	return context.WithValue(ctx, loadedKey{}, l)
}

// FindCtx reads a live session, its user and their rights in one snapshot.
func (s sessionStore) FindCtx(ctx context.Context, hashed string) ([]byte, bool, error) {
	into, ok := ctx.Value(loadedKey{}).(*loaded)
	if !ok {
		into = &loaded{}
	}
	now := s.m.now()
	hashed = s.m.renewed.resolve(hashed, now)
	token, err := base64Token(hashed)
	if err != nil {
		return nil, false, nil //nolint:nilerr // a malformed token is no session
	}
	err = s.m.store.Read(ctx, tenancy.SystemTenantID, func(tx *store.Tx) error {
		*into = loaded{}
		return s.m.loadSession(tx, token, now, into)
	})
	if problem.Is(err, problem.NotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return into.row.Data, into.ok, nil
}

func (m *Manager) loadSession(tx *store.Tx, token []byte, now time.Time, into *loaded) error {
	row, err := tx.AllTenantsSession(token)
	if err != nil {
		return err
	}
	if !now.Before(row.ExpiresAt) || !now.Before(row.IdleExpiresAt) {
		return nil
	}
	tx = tx.AllTenantsIn(row.TenantID)
	user, err := tx.User(row.UserID)
	if err != nil {
		return err
	}
	// Nothing that decides who may do what has changed since the last look.
	if known, ok := rightsIn(row.Data); ok && known.revision == strconv.FormatUint(tx.RightsRevision(), 10) {
		*into = loaded{ok: true, row: row, user: user, rights: known}
		return nil
	}
	tenant, err := tx.Tenant()
	if err != nil {
		return err
	}
	active, err := mayEnter(tx, tenant, user)
	if err != nil || !active {
		return err
	}
	rights, err := readRights(tx, user)
	if err != nil {
		return err
	}
	*into = loaded{ok: true, row: row, user: user, rights: rights}
	return nil
}

// put writes a session's row under its new token. The row under the old one, which is nil
// when the session is new, goes in the same transaction.
type put func(ctx context.Context, row store.Session, old []byte) error

// putting carries a put through the session library.
type putting struct {
	do  put
	old []byte
}

type putKey struct{}

func withPut(ctx context.Context, do put) context.Context {
	return context.WithValue(ctx, putKey{}, &putting{do: do})
}

// CommitCtx writes the session's row, whose columns come from the session's own values.
// Without a put it only notes the use of a session that is there.
func (s sessionStore) CommitCtx(ctx context.Context, hashed string, b []byte, _ time.Time) error {
	// A request that came with the old token must not bring it back.
	token, err := base64Token(s.m.renewed.resolve(hashed, s.m.now()))
	if err != nil {
		return err
	}
	row, err := s.m.row(token, b)
	if err != nil {
		return err
	}
	if p, ok := ctx.Value(putKey{}).(*putting); ok {
		return p.do(ctx, row, p.old)
	}
	return s.m.touch(ctx, row)
}

// touch notes a session's use. It is bookkeeping and no change, so it may not begin a
// session either: one that was ended since it was loaded stays so.
func (m *Manager) touch(ctx context.Context, row store.Session) error {
	_, err := m.store.Write(ctx, row.TenantID, func(tx *store.Tx) error {
		if _, err := tx.AllTenantsSession(row.TokenHash); err != nil {
			if problem.Is(err, problem.NotFound) {
				return nil
			}
			return err
		}
		return tx.AllTenantsPutSession(row)
	})
	return err
}

var errSessionGone = errors.New("signin: the session was ended, or moved by another process")

// move puts a session under a new token. That too is bookkeeping and begins nothing.
func (m *Manager) move(ctx context.Context, row store.Session, old []byte) error {
	_, err := m.store.Write(ctx, row.TenantID, func(tx *store.Tx) error {
		_, err := tx.AllTenantsSession(old)
		if problem.Is(err, problem.NotFound) {
			// The browser may have its new token from elsewhere: it tries again, with that.
			return problem.Wrap(errSessionGone)
		}
		if err != nil {
			return err
		}
		if err := tx.AllTenantsDeleteSession(old); err != nil {
			return err
		}
		return tx.AllTenantsPutSession(row)
	})
	return err
}

func (m *Manager) row(token, data []byte) (store.Session, error) {
	_, values, err := sessionCodec{}.Decode(data)
	if err != nil {
		return store.Session{}, err
	}
	text := func(key string) string {
		s, _ := values[key].(string)
		return s
	}
	now, created := m.now(), unstamp(text(keyCreated))
	return store.Session{
		TokenHash: token, PublicID: text(keyID),
		TenantID: tenancy.TenantID(text(keyTenant)), UserID: tenancy.UserID(text(keyUser)),
		Data: data, Source: text(keySource), UserAgent: text(keyAgent),
		CreatedAt: created, SeenAt: now, IdleExpiresAt: now.Add(m.idle), ExpiresAt: created.Add(m.lifetime),
	}, nil
}

// DeleteCtx deletes nothing. The library calls it when a session is about to move to a new
// token; were the old one deleted first, a failure of the next step would end the session.
// So it goes with the writing of the new one.
func (s sessionStore) DeleteCtx(ctx context.Context, hashed string) error {
	p, ok := ctx.Value(putKey{}).(*putting)
	if !ok {
		return errNoPut
	}
	var err error
	p.old, err = base64Token(s.m.renewed.resolve(hashed, s.m.now()))
	return err
}

// base64Token takes the session library's text form of the hash apart.
func base64Token(hashed string) ([]byte, error) {
	token, err := base64.RawURLEncoding.DecodeString(hashed)
	if err != nil {
		return nil, errors.New("signin: a hashed token is not base64")
	}
	return token, nil
}

// rights is what of a user's rights is kept with a session.
type rights struct {
	fingerprint string
	revision    string
}

// rightsIn is what a session's data says of the rights at its last look.
func rightsIn(data []byte) (rights, bool) {
	_, values, err := sessionCodec{}.Decode(data)
	if err != nil {
		return rights{}, false
	}
	fingerprint, ok := values[keyRights].(string)
	revision, also := values[keyRightsRevision].(string)
	return rights{fingerprint: fingerprint, revision: revision}, ok && also
}

// readRights makes a fingerprint of the user's organization, assignments and the roles
// they name, those included too.
func readRights(tx *store.Tx, user tenancy.User) (rights, error) {
	assignments, err := tx.Assignments(access.Principal{Type: access.PrincipalUser, ID: string(user.ID)})
	if err != nil {
		return rights{}, err
	}
	roles, err := tx.Roles()
	if err != nil {
		return rights{}, err
	}
	lines := []string{"at " + string(user.OrganizationID)}
	for _, a := range assignments {
		line := string(a.OrganizationID)
		for _, g := range access.ResolveRole(a.RoleID, roles).Grants() {
			line += " " + string(g)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range lines {
		_, _ = h.Write([]byte(line + "\n"))
	}
	return rights{fingerprint: hex.EncodeToString(h.Sum(nil)), revision: strconv.FormatUint(tx.RightsRevision(), 10)}, nil
}

func (m *Manager) rightsOf(ctx context.Context, user tenancy.User) (rights, error) {
	var out rights
	err := m.store.Read(ctx, user.TenantID, func(tx *store.Tx) (err error) {
		out, err = readRights(tx, user)
		return err
	})
	return out, err
}

func (m *Manager) putRights(ctx context.Context, r rights) {
	m.scs.Put(ctx, keyRights, r.fingerprint)
	m.scs.Put(ctx, keyRightsRevision, r.revision)
}

// renewals lets requests that were under way when a token was renewed finish with the old
// one. It is kept in this process only: elsewhere the old token is simply over.
type renewals struct {
	mu sync.Mutex
	to map[string]renewal // by old hash; guarded by mu
}

type renewal struct {
	hashed string
	until  time.Time
}

const (
	renewalGrace = 30 * time.Second
	maxRenewals  = 10_000
)

// hashedToken is the session library's form of a token in the store.
func hashedToken(token string) string {
	h := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

func (r *renewals) add(old, hashed string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.to) >= maxRenewals {
		clear(r.to)
	}
	r.to[old] = renewal{hashed: hashed, until: now.Add(renewalGrace)}
}

func (r *renewals) has(hashed string, now time.Time) bool {
	return r.resolve(hashed, now) != hashed
}

func (r *renewals) resolve(hashed string, now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range 4 {
		next, ok := r.to[hashed]
		if !ok {
			break
		}
		if !now.Before(next.until) {
			delete(r.to, hashed)
			break
		}
		hashed = next.hashed
	}
	return hashed
}
