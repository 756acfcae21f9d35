// Package outboxtest has a real mail server for tests: it speaks SMTP over the loopback
// interface, in TLS and with AUTH, keeps what it took, and fails where it is told to.
package outboxtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/secret"
)

// Step is where in a conversation something can go wrong.
type Step string

// The steps.
const (
	StepHello    Step = "hello"
	StepAuth     Step = "auth"
	StepFrom     Step = "from"
	StepTo       Step = "to"
	StepData     Step = "data"     // after the text was read, before the answer; the mail isn't kept
	StepAccepted Step = "accepted" // the same, but the mail is kept: the client can't know
	StepGoodbye  Step = "goodbye"  // after the answer
)

// Drop, answered by Behave, closes the connection without another word.
var Drop = errors.New("drop the connection") //nolint:errname,staticcheck // an order to the server, not what went wrong

// Refusal is an answer that Behave gives, such as Refusal(550, "no such user").
func Refusal(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: text}
}

// Options say what the server is like.
type Options struct {
	TLS outbox.SMTPTLS // empty means starttls
	// Password makes AUTH PLAIN necessary, for the user "claviger".
	Password string
	// Behave says what goes wrong at a step; value is the address at StepFrom, and the
	// recipient's at StepTo and StepAccepted; at StepData the subject. Nil: nothing does.
	Behave func(step Step, value string) error
}

// Mail is one mail as it arrived.
type Mail struct {
	From, To string
	TLS      bool
	User     string // who signed in; empty: nobody
	Raw      string
	Header   mail.Header
}

// MustParts are the two forms of a mail.
func (m Mail) MustParts(tb testing.TB) (text, html string) {
	tb.Helper()
	msg, err := mail.ReadMessage(strings.NewReader(m.Raw))
	if err != nil {
		tb.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		tb.Fatalf("%q, %v", kind, err)
	}
	var found []string
	for r := multipart.NewReader(msg.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			tb.Fatal(err)
		}
		found = append(found, strings.TrimSpace(string(body)))
	}
	if len(found) != 2 {
		tb.Fatalf("%d parts", len(found))
	}
	return found[0], found[1]
}

// Server is a mail server. It ends with the test.
type Server struct {
	Addr  string
	Roots *x509.CertPool
	// RootsPEM are the Roots for another process, such as in a file that SSL_CERT_FILE names.
	RootsPEM []byte
	options  Options

	mu    sync.Mutex
	mails []Mail // mu guards it
}

// MustListen starts a mail server.
func MustListen(tb testing.TB, o Options) *Server {
	tb.Helper()
	if o.TLS == "" {
		o.TLS = outbox.SMTPStartTLS
	}
	certificate, roots := mustCertify(tb)
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	s := &Server{Roots: roots, RootsPEM: encoded, options: o}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.Addr = l.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(s.session))
	server.Domain, server.AllowInsecureAuth, server.EnableSMTPUTF8 = "mail.test", o.TLS == outbox.SMTPPlain, true
	server.ReadTimeout, server.WriteTimeout = 10*time.Second, 10*time.Second
	server.ErrorLog = silent{}
	switch o.TLS {
	case outbox.SMTPStartTLS:
		server.TLSConfig = config
	case outbox.SMTPImplicit:
		l = tls.NewListener(l, config)
	case outbox.SMTPPlain:
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	tb.Cleanup(func() {
		_ = server.Close()
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			tb.Error(err)
		}
	})
	return s
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// Settings are those with which the server can be used.
func (s *Server) Settings() outbox.SMTP {
	out := outbox.SMTP{Addr: s.Addr, From: "Claviger <keys@claviger.test>", TLS: s.options.TLS, RootCAs: s.Roots, Timeout: 5 * time.Second}
	if s.options.Password != "" {
		out.Username, out.Password = "claviger", secret.New(s.options.Password)
	}
	return out
}

// Mails are those that the server took, in order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

func (s *Server) behave(step Step, value string) error {
	if s.options.Behave == nil {
		return nil
	}
	return s.options.Behave(step, value)
}

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	v := &session{server: s, conn: c}
	return v, v.step(StepHello, "")
}

// session is one conversation.
type session struct {
	server         *Server
	conn           *smtp.Conn
	user, from, to string
}

// step asks what goes wrong here.
func (v *session) step(step Step, value string) error {
	err := v.server.behave(step, value)
	if errors.Is(err, Drop) {
		_ = v.conn.Conn().Close()
	}
	return err
}

func (v *session) Reset() {
	if v.to != "" {
		_ = v.step(StepGoodbye, "")
	}
	v.from, v.to = "", ""
}

func (v *session) Logout() error { return nil }

func (v *session) AuthMechanisms() []string {
	if v.server.options.Password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (v *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if err := v.step(StepAuth, user); err != nil {
			return err
		}
		if user != "claviger" || password != v.server.options.Password {
			return smtp.ErrAuthFailed
		}
		v.user = user
		return nil
	}), nil
}

func (v *session) Mail(from string, _ *smtp.MailOptions) error {
	if v.server.options.Password != "" && v.user == "" {
		return smtp.ErrAuthRequired
	}
	v.from = from
	return v.step(StepFrom, from)
}

func (v *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.to = to
	return v.step(StepTo, to)
}

func (v *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return Refusal(554, "this is no mail: "+err.Error())
	}
	if err := v.step(StepData, m.Header.Get("Subject")); err != nil {
		return err
	}
	_, secured := v.conn.TLSConnectionState()
	v.server.mu.Lock()
	v.server.mails = append(v.server.mails, Mail{From: v.from, To: v.to, TLS: secured, User: v.user, Raw: string(raw), Header: m.Header})
	v.server.mu.Unlock()
	return v.step(StepAccepted, v.to)
}

// mustCertify makes a certificate for the loopback address, and who vouches for it.
func mustCertify(tb testing.TB) (tls.Certificate, *x509.CertPool) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots
}
