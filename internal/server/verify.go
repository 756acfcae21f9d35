package server

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/gateway"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/tenancy"
	"github.com/claviger-io/claviger/internal/verify"
)

// scratch is what one verification works in; it is used again by the next.
type scratch struct {
	in    []byte
	out   []byte
	items []verify.Request
}

// maxScratch is the largest buffer that is kept for the next request.
const maxScratch = 128 << 10

var scratches = sync.Pool{New: func() any {
	return &scratch{in: make([]byte, 0, 2048), out: make([]byte, 0, 2048)}
}}

func (sc *scratch) release() {
	if cap(sc.in) > maxScratch || cap(sc.out) > maxScratch {
		return
	}
	clear(sc.items) // they hold what callers sent
	clear(sc.in)
	scratches.Put(sc)
}

// Header values that are the same for every verdict. They are shared, never changed.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
	noSniff  = []string{"nosniff"}
)

// shortAnswer is up to where net/http finds the length of an answer by itself.
const shortAnswer = 2000

// verifyOne answers POST /v1/verify: 200 for every verdict.
func (s *Server) verifyOne(w http.ResponseWriter, r *http.Request) {
	began := s.now()
	only, err := s.verifier(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	sc := scratches.Get().(*scratch) //nolint:errcheck // the pool holds nothing else
	defer sc.release()
	if sc.in, err = readBody(w, r, sc.in, api.MaxVerifyBytes); err != nil {
		s.refuse(w, r, err)
		return
	}
	var q verify.Request
	d := decoder{b: sc.in}
	if err := d.single(&q); err != nil {
		s.refuse(w, r, err)
		return
	}
	q.OnlyTenant = only
	res, err := s.index.Verify(&q)
	if err != nil {
		s.refuse(w, r, at(err, ""))
		return
	}
	sc.out = append(appendVerdict(sc.out[:0], &res), '\n')
	writeVerdict(w, sc.out)
	s.metrics.verdict(res.Code)
	s.metrics.verifyTime.Observe(s.now().Sub(began).Seconds())
	if s.logVerifications {
		s.logVerdict(r, &res)
	}
}

// verifyBatch answers POST /v1/verify/batch. Everything is checked before anything is
// charged.
func (s *Server) verifyBatch(w http.ResponseWriter, r *http.Request) {
	only, err := s.verifier(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	sc := scratches.Get().(*scratch) //nolint:errcheck // the pool holds nothing else
	defer sc.release()
	if sc.in, err = readBody(w, r, sc.in, api.MaxVerifyBatchBytes); err != nil {
		s.refuse(w, r, err)
		return
	}
	d := decoder{b: sc.in}
	if sc.items, err = d.batch(sc.items); err == nil {
		err = checkQueries(sc.items)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	sc.out = append(sc.out[:0], `{"items":[`...)
	for i := range sc.items {
		sc.items[i].OnlyTenant = only
		res, err := s.index.Verify(&sc.items[i])
		if err != nil {
			s.refuse(w, r, atItem(err, i))
			return
		}
		if i > 0 {
			sc.out = append(sc.out, ',')
		}
		sc.out = appendVerdict(sc.out, &res)
		s.metrics.verdict(res.Code)
		if s.logVerifications {
			s.logVerdict(r, &res)
		}
	}
	sc.out = append(sc.out, ']', '}', '\n')
	writeVerdict(w, sc.out)
}

// checkQueries refuses a batch with a malformed query. Batches tend to ask one question
// about many credentials, so that a query is read once.
func checkQueries(items []verify.Request) error {
	last := ""
	for i := range items {
		if q := items[i].Permissions; q != "" && q != last {
			if _, err := access.ParseQuery(q); err != nil {
				return atItem(err, i)
			}
			last = q
		}
	}
	return nil
}

func atItem(err error, i int) error { return at(err, "/items/"+strconv.Itoa(i)) }

// at points an Invalid problem into the body. A malformed query says where in the query it
// is wrong, and not where the query is.
func at(err error, item string) error {
	p := problem.As(err)
	if p.Kind != problem.Invalid {
		return err
	}
	there := *p
	there.Fields = nil
	for _, f := range p.Fields {
		there.Fields = append(there.Fields, problem.Field{Pointer: item + f.Pointer, Message: f.Message})
	}
	if len(there.Fields) == 0 {
		there.Fields = []problem.Field{{Pointer: item + "/permissions", Message: p.Message}}
	}
	return &there
}

// verifier checks who asks: a verifier key, or a principal with the permission to verify.
// The same index decides. only is the tenant whose credentials the caller may see; empty
// means all.
func (s *Server) verifier(r *http.Request) (only tenancy.TenantID, err error) {
	p, ok := gateway.FromHeader(r.Header)
	if !ok {
		return "", errCredential(r.Header)
	}
	q := verify.Request{Credential: p.Credential, ID: p.ID, Secret: p.Secret, UserAgent: r.UserAgent()}
	if s.sourceMatters {
		q.SourceIP = s.source(r)
	} else {
		q.SourceIP = remote(r)
	}
	res, err := s.index.Verify(&q)
	if err != nil {
		return "", err
	}
	if err := notValid(&res); err != nil {
		return "", err
	}
	if err := notForSessions(&res); err != nil {
		return "", err
	}
	if res.Kind != credential.VerifierKey && (res.Permissions == nil || !res.Permissions.Set.Allows(access.CredentialsVerify)) {
		return "", problem.New(problem.Denied, "permission_required",
			"This needs a verifier key, or the permission "+string(access.CredentialsVerify)+".")
	}
	if res.TenantID == tenancy.SystemTenantID {
		return "", nil
	}
	return res.TenantID, nil
}

// errCredential says what is wrong with a request that doesn't present one credential.
func errCredential(h http.Header) error {
	if len(h["Authorization"]) == 0 && len(h["X-Api-Key"]) == 0 {
		return problem.New(problem.Unauthenticated, "credential_required",
			"Give a credential: Authorization: Bearer, Basic, or X-API-Key.")
	}
	return problem.New(problem.Unauthenticated, "credential_malformed",
		"Give exactly one credential: Authorization: Bearer, Basic, or X-API-Key.")
}

// notValid turns the verdict on a caller's own credential into a problem; nil when it is
// good. One message covers everything that a stranger might try.
func notValid(res *verify.Result) error {
	if res.Valid {
		return nil
	}
	switch res.Code {
	case verify.Forbidden, verify.WrongKind, verify.InsufficientPermissions:
		return problem.New(problem.Denied, "credential_forbidden",
			"This credential may not be used here: the network it came from or the tenant's plan does not allow it.")
	case verify.RateLimited, verify.UsageExceeded:
		p := problem.New(problem.TooMany, "credential_limited", "This credential has reached one of its limits.")
		p.RetryAfter = time.Minute
		for _, l := range res.Limits {
			if l.Remaining <= 0 && !l.ResetAt.IsZero() {
				p.RetryAfter = max(time.Until(l.ResetAt), time.Second)
			}
		}
		return p
	default:
		return problem.New(problem.Unauthenticated, "credential_refused",
			"The credential is not accepted: it does not exist, or it no longer works.")
	}
}

// refuse answers a verification that could not be made.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	id := newRequestID()
	s.logCause(r.Context(), err, id)
	a := answerOf(err, id)
	s.metrics.refused(a.Status)
	a.write(w)
}

func writeVerdict(w http.ResponseWriter, out []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	h["X-Content-Type-Options"] = noSniff
	if len(out) > shortAnswer {
		h["Content-Length"] = []string{strconv.Itoa(len(out))}
	}
	_, _ = w.Write(out)
}

// readBody reads a whole body of at most limit bytes into buf[:0].
func readBody(w http.ResponseWriter, r *http.Request, buf []byte, limit int) ([]byte, error) {
	buf = buf[:0]
	if r.ContentLength > int64(limit) {
		w.Header().Set("Connection", "close")
		return buf, errTooLarge(limit)
	}
	if n := int(r.ContentLength); n >= 0 {
		if cap(buf) < n {
			buf = make([]byte, 0, n)
		}
		buf = buf[:n]
		if _, err := io.ReadFull(r.Body, buf); err != nil {
			return buf[:0], errUnread(err)
		}
		return buf, nil
	}
	body := http.MaxBytesReader(w, r.Body, int64(limit))
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return buf[:0], errTooLarge(limit)
		}
		if err != nil {
			return buf[:0], errUnread(err)
		}
	}
}

func errTooLarge(limit int) error {
	return problem.New(problem.Invalid, codeTooLarge, "The body may have at most "+strconv.Itoa(limit>>10)+" KiB.")
}

func errUnread(err error) error {
	p := problem.New(problem.Invalid, "body_unreadable", "The body ended early.")
	p.Err = err
	return p
}

// logVerdict logs one verification, when the operator asked for it.
func (s *Server) logVerdict(r *http.Request, res *verify.Result) {
	attrs := []slog.Attr{slog.String("code", string(res.Code)), slog.Uint64("revision", res.Revision)}
	if res.Code != verify.NotFound {
		attrs = append(attrs, slog.String("credential_id", res.CredentialID.String()), slog.String("tenant_id", string(res.TenantID)))
	}
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "verification", attrs...)
}

// remote is the address of the peer itself.
func remote(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}
