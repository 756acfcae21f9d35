package webhook_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/webhook"
)

const (
	firstSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	nextSecret  = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs="
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// receiver is a real HTTPS server that keeps what it got.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	got     []received
	answers []answering // one for each call; then 204
}

type received struct {
	header http.Header
	body   []byte
}

func newReceiver(t *testing.T, answers ...answering) *receiver {
	t.Helper()
	r := &receiver{answers: answers}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(r.serve))
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	r.StartTLS()
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.got = append(r.got, received{req.Header.Clone(), body})
	var answer answering
	if len(r.answers) > 0 {
		answer, r.answers = r.answers[0], r.answers[1:]
	}
	r.mu.Unlock()
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(w, req)
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

// config is a sender's for a server of the test.
func config(r *receiver, target string, secrets ...string) webhook.Config {
	c := webhook.Config{
		Allow: loopback, Version: "test",
		Open: func(context.Context, store.Delivery) (webhook.Target, error) {
			to := webhook.Target{URL: target}
			for _, s := range append(secrets, firstSecret)[:max(len(secrets), 1)] {
				to.Secrets = append(to.Secrets, secret.New(s))
			}
			return to, nil
		},
	}
	if r != nil && r.Certificate() != nil {
		c.Roots = x509.NewCertPool()
		c.Roots.AddCert(r.Certificate())
	}
	return c
}

func newSender(t *testing.T, c webhook.Config) *webhook.Sender {
	t.Helper()
	s, err := webhook.NewSender(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func delivery(t *testing.T) store.Delivery {
	t.Helper()
	m, err := webhook.OfTest("dlv_1", "whk_1", "ten_1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return store.Delivery{ID: "dlv_1", TenantID: "ten_1", Kind: store.DeliveryWebhook, Recipient: "whk_1", Payload: payload}
}

// answering is what an endpoint does.
type answering = func(http.ResponseWriter, *http.Request)

func status(code int) answering {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// B9: what arrives is a Standard Webhook: the library of the standard takes it with either
// secret while both sign, and with no other.
func TestB9Signatures(t *testing.T) {
	r := newReceiver(t)
	s := newSender(t, config(r, r.URL+"/claviger?x=1", nextSecret, firstSecret))
	d := delivery(t)
	for range 2 {
		if err := s.Send(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	got := r.all()
	if len(got) != 2 || got[0].header.Get("webhook-id") != "msg_1" || got[1].header.Get("webhook-id") != "msg_1" || !bytes.Equal(got[0].body, got[1].body) {
		t.Fatalf("two attempts of one message: %v", got)
	}
	for _, key := range []string{firstSecret, nextSecret} {
		wh, err := standardwebhooks.NewWebhook(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := wh.Verify(got[0].body, got[0].header); err != nil {
			t.Errorf("with %.9s…: %v", key, err)
		}
		if wh.Verify(append(got[0].body, ' '), got[0].header) == nil {
			t.Error("another body is taken")
		}
	}
	other, err := standardwebhooks.NewWebhook("whsec_" + strings.Repeat("A", 32))
	if err != nil {
		t.Fatal(err)
	}
	if other.Verify(got[0].body, got[0].header) == nil {
		t.Error("another secret's signature is taken")
	}
	h := got[0].header
	if h.Get("Content-Type") != "application/json" || h.Get("User-Agent") != "Claviger-Webhooks/test" {
		t.Errorf("headers %v", h)
	}
}

// B9: the standard's own example.
func TestB9SignatureVector(t *testing.T) {
	m := webhook.Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Body: json.RawMessage(`{"test": 2432232314}`)}
	got, err := webhook.Sign([]secret.Secret{secret.New(firstSecret)}, m, time.Unix(1614265330, 0))
	if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("%s, %v", got, err)
	}
}

// B9: what an endpoint may answer, and what becomes of it.
func TestB9Answers(t *testing.T) {
	elsewhere := newReceiver(t)
	redirect := func(code int) answering {
		return func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, elsewhere.URL, code) }
	}
	later := func(value string) answering {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	for what, c := range map[string]struct {
		answer    answering
		status    int // 0: success
		permanent bool
		after     time.Duration
	}{
		"200":                 {status(200), 0, false, 0},
		"299":                 {status(299), 0, false, 0},
		"301":                 {redirect(301), 301, false, 0},
		"307":                 {redirect(307), 307, false, 0},
		"308":                 {redirect(308), 308, false, 0},
		"400":                 {status(400), 400, false, 0},
		"404":                 {status(404), 404, false, 0},
		"410":                 {status(410), 410, true, 0},
		"500":                 {status(500), 500, false, 0},
		"503 in 2 minutes":    {later("120"), 503, false, 2 * time.Minute},
		"503 in ten years":    {later("315360000"), 503, false, 24 * time.Hour},
		"503 at a past time":  {later("Fri, 31 Dec 1999 23:59:59 GMT"), 503, false, 0},
		"503 with a bad time": {later("soon"), 503, false, 0},
	} {
		t.Run(what, func(t *testing.T) {
			r := newReceiver(t, c.answer)
			err := newSender(t, config(r, r.URL)).Send(t.Context(), delivery(t))
			if c.status == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var f *outbox.Failure
			if !errors.As(err, &f) || f.Status != c.status || f.Permanent != c.permanent || f.RetryAfter != c.after {
				t.Errorf("%#v", err)
			}
		})
	}
	if n := len(elsewhere.all()); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

// wantFailure makes an attempt and expects a reason, which names no address.
func wantFailure(t *testing.T, c webhook.Config, want string) {
	t.Helper()
	err := newSender(t, c).Send(t.Context(), delivery(t))
	var f *outbox.Failure
	if !errors.As(err, &f) || f.Permanent || f.Status != 0 || f.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

const privateAddress = "the address is private or local, and webhooks don't go there"

// B9: connections go to public addresses alone, whatever form an address has; nothing is
// sent, and nothing is even connected to.
func TestB9PrivateAddressesAreRefused(t *testing.T) {
	r := newReceiver(t)
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	var connected atomic.Int32
	r.Config.ConnState = func(net.Conn, http.ConnState) { connected.Add(1) }
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1.2.3", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::]", "10.0.0.1", "169.254.169.254",
		"100.64.0.1", "192.168.0.1", "172.16.0.1", "[fd00::1]", "[64:ff9b::7f00:1]", "224.0.0.1",
	} {
		c := config(r, "https://"+host+":"+u.Port()+"/")
		c.Allow = []netip.Prefix{netip.MustParsePrefix("10.99.0.0/16")}
		wantFailure(t, c, privateAddress)
	}
	if connected.Load() != 0 {
		t.Error("there was a connection")
	}
	// http is for networks that the operator allows.
	c := config(nil, "http://8.8.8.8:9/")
	wantFailure(t, c, privateAddress)
	plain := httptest.NewServer(http.HandlerFunc(status(200)))
	defer plain.Close()
	if err := newSender(t, config(nil, plain.URL)).Send(t.Context(), delivery(t)); err != nil {
		t.Errorf("http in an allowed network: %v", err)
	}
}

// B9: a name that resolved to a good address before does not lead elsewhere now (DNS
// rebinding): each connection is judged by the address that it goes to.
func TestB9ChangedDNS(t *testing.T) {
	r := newReceiver(t)
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	dns := newNameServer(t)
	c := config(r, "https://example.com:"+u.Port()+"/") // the name in httptest's certificate
	c.Resolver = dns.resolver()
	s := newSender(t, c)
	for _, step := range []struct {
		address string
		ok      bool
	}{{"127.0.0.1", true}, {"127.0.0.2", false}, {"10.0.0.1", false}, {"127.0.0.1", true}, {"169.254.169.254", false}} {
		dns.answer(netip.MustParseAddr(step.address))
		s.Close() // no connection is left from before
		before := len(r.all())
		err := s.Send(t.Context(), delivery(t))
		if (err == nil) != step.ok || err != nil && err.Error() != privateAddress {
			t.Errorf("%s: %v", step.address, err)
		}
		if n := len(r.all()) - before; (n == 1) != step.ok {
			t.Errorf("%s: %d messages arrived", step.address, n)
		}
	}
	dns.answer()
	wantFailure(t, c, "the host's name was not found")
}

// nameServer is a DNS server whose answers change.
type nameServer struct {
	conn    net.PacketConn
	mu      sync.Mutex
	answers []netip.Addr
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	var listen net.ListenConfig
	conn, err := listen.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &nameServer{conn: conn}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.serve()
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return n
}

func (n *nameServer) answer(list ...netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers = list
}

func (n *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

func (n *nameServer) serve() {
	buffer := make([]byte, 1500)
	for {
		size, from, err := n.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buffer[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		n.mu.Lock()
		if len(n.answers) == 0 {
			m.RCode = dnsmessage.RCodeNameError
		}
		for _, a := range n.answers {
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = append(m.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: a.As4()},
				})
			}
		}
		n.mu.Unlock()
		if out, err := m.Pack(); err == nil {
			_, _ = n.conn.WriteTo(out, from)
		}
	}
}

// What goes wrong without an answer is said in plain words, without addresses.
func TestFailuresArePlain(t *testing.T) {
	r := newReceiver(t)
	unknown := config(nil, r.URL)
	unknown.Roots = x509.NewCertPool()
	wantFailure(t, unknown, "the certificate is of no authority that is known here")

	closed := newReceiver(t)
	closed.Close()
	wantFailure(t, config(nil, closed.URL), "the connection was refused")

	cut := newReceiver(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	wantFailure(t, config(cut, cut.URL), "the connection was cut off before the answer")

	hang := make(chan struct{})
	slow := newReceiver(t, func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-hang:
		case <-req.Context().Done():
		}
	})
	defer close(hang)
	c := config(slow, slow.URL)
	c.Timeout = 50 * time.Millisecond
	wantFailure(t, c, "there was no answer in time")

	plain := httptest.NewServer(http.HandlerFunc(status(200)))
	defer plain.Close()
	wantFailure(t, config(nil, strings.Replace(plain.URL, "http:", "https:", 1)), "the endpoint does not speak TLS")

	old := httptest.NewUnstartedServer(http.HandlerFunc(status(200)))
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	old.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	old.StartTLS()
	defer old.Close()
	wantFailure(t, config(nil, old.URL), "the TLS handshake failed")
}

// A long answer is not read to its end, and one that never ends takes no longer than the
// time for an attempt.
func TestEndlessAnswer(t *testing.T) {
	r := newReceiver(t, func(w http.ResponseWriter, req *http.Request) {
		for req.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
	})
	if err := newSender(t, config(r, r.URL)).Send(t.Context(), delivery(t)); err != nil {
		t.Error(err)
	}
}

// Deliveries of a webhook that is deleted are given up, those of a suspended one wait.
func TestDeliveriesThatGoNowhere(t *testing.T) {
	for _, c := range []struct {
		open, want error
		permanent  bool
	}{{webhook.ErrGone, webhook.ErrGone, true}, {webhook.ErrWaits, webhook.ErrWaits, false}} {
		s := newSender(t, webhook.Config{Open: func(context.Context, store.Delivery) (webhook.Target, error) { return webhook.Target{}, c.open }})
		var f *outbox.Failure
		if err := s.Send(t.Context(), delivery(t)); !errors.As(err, &f) || !errors.Is(err, c.want) || f.Permanent != c.permanent || !f.Permanent && f.RetryAfter == 0 {
			t.Errorf("%v: %#v", c.open, err)
		}
	}
}
