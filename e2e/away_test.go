package e2e

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
)

// wire is a TCP proxy that can be cut: the network between Claviger and its database.
type wire struct {
	net.Listener
	to string

	mu    sync.Mutex // guards cut and conns
	cut   bool
	conns map[net.Conn]bool
}

// mustWire puts a wire before the database and returns the engine behind it.
func mustWire(t *testing.T, e engine) (*wire, engine) {
	t.Helper()
	u, err := url.Parse(e.database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: u.Host, conns: map[net.Conn]bool{}}
	done := make(chan struct{})
	go func() { defer close(done); w.serve(t.Context()) }()
	t.Cleanup(func() {
		_ = l.Close()
		w.setCut(true)
		<-done
	})
	u.Host = l.Addr().String()
	e.database = u.String()
	return w, e
}

func (w *wire) serve(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := w.Accept()
		if err != nil {
			return
		}
		all.Go(func() { w.carry(ctx, conn) })
	}
}

// carry joins one connection to the database until either side or the wire ends it.
func (w *wire) carry(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	far, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.to)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	if !w.add(conn, far) {
		return
	}
	defer w.remove(conn, far)
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(far, conn); _ = far.Close() })
	both.Go(func() { _, _ = io.Copy(conn, far); _ = conn.Close() })
	both.Wait()
}

func (w *wire) add(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.conns[c] = true
	}
	return !w.cut
}

func (w *wire) remove(conns ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		delete(w.conns, c)
	}
}

// setCut cuts the wire, or mends it.
func (w *wire) setCut(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if cut {
		for c := range w.conns {
			_ = c.Close()
		}
	}
}

// B11: with the database away, known keys go on verifying; past the bound nothing does,
// and nothing is VALID; with the database back everything goes on.
func TestDatabaseAway(t *testing.T) {
	w, e := mustWire(t, mustPostgres(t))
	const bound = 3 * time.Second
	i := mustStart(t, e, "--max-staleness", bound.String())
	ada := i.mustTenant(t, i.mustAdministrator(t), "northwind")
	verifier := mustVerifier(t, ada.admin)
	key := mustIssue(t, ada.admin, "survivor").Key.Reveal()

	cutAt := time.Now()
	w.setCut(true)
	if a := mustSend(t, "GET", i.URL+"/readyz", nil); a.Status != 200 || mustDecode[api.Health](t, a).Status != "degraded" {
		t.Errorf("a node that can still verify is taken out: %d %s", a.Status, a.Body)
	}
	var answered int
	mustHappen(t, 4*bound, "verification stopping", func() bool {
		a := mustSend(t, "POST", i.URL+"/v1/verify", map[string]string{"credential": key}, verifier.header)
		switch a.Status {
		case 200:
			v := mustDecode[api.VerifyResponse](t, a)
			if !v.Valid {
				t.Fatalf("a good key became %s while the database was away", v.Code)
			}
			if v.StalenessMS > bound.Milliseconds() {
				t.Fatalf("an answer %d ms stale was given; the bound is %s", v.StalenessMS, bound)
			}
			answered++
		case 503:
			return true
		default:
			t.Fatalf("status %d: %s", a.Status, a.Body)
		}
		return false
	})
	lasted := time.Since(cutAt)
	t.Logf("went on for %s after the cut, %d answers; bound %s", lasted.Round(time.Millisecond), answered, bound)
	if answered == 0 || lasted < bound/2 || lasted > bound+time.Second {
		t.Errorf("verification went on for %s with %d answers; the bound is %s", lasted, answered, bound)
	}
	if a := mustSend(t, "GET", i.URL+"/readyz", nil); a.Status != 503 {
		t.Errorf("a node past the bound calls itself ready: %d", a.Status)
	}
	if a := mustSend(t, "GET", i.URL+"/gateway/auth", nil, bearer(key)); a.Status != 503 {
		t.Errorf("the gateway's answer past the bound is %d, want 503", a.Status)
	}
	if a := mustSend(t, "POST", i.URL+"/v1/api-keys", map[string]string{"name": "x"}, ada.admin.header); a.Status != 503 {
		t.Errorf("a change without a database is answered %d, want 503: %s", a.Status, a.Body)
	}

	w.setCut(false)
	mustHappen(t, 30*time.Second, "verification going on", func() bool {
		v, err := verdict(i.URL, verifier.header, key)
		return err == nil && v.Valid
	})
	mustHappen(t, 30*time.Second, "changes going on", func() bool {
		a, err := try("POST", i.URL+"/v1/api-keys", map[string]string{"name": "back"}, ada.admin.header)
		return err == nil && a.Status == 201
	})
}
