package outbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	gomaillog "github.com/wneessen/go-mail/log"

	"github.com/claviger-io/claviger/internal/secret"
)

// SMTPTLS says how the way to the mail server is protected.
type SMTPTLS string

// The ways. There is none that falls back to plain text by itself.
const (
	SMTPStartTLS SMTPTLS = "starttls" // begun in plain text, refused when the server can't go on in TLS
	SMTPImplicit SMTPTLS = "implicit" // TLS from the first byte
	SMTPPlain    SMTPTLS = "none"     // for a server on this machine or in a network that you trust
)

// SMTP says which mail server takes our mail. The zero value means none: mail waits.
type SMTP struct {
	Addr string // HOST:PORT; empty means that there is no mail server
	From string // an address, or "Name <address>"
	// Username and Password are for AUTH; without a user name there is none. Over plain text
	// they are sent to a server on this machine alone, unless it can do without seeing them.
	Username string
	Password secret.Secret
	TLS      SMTPTLS // empty means SMTPStartTLS
	// RootCAs are who may vouch for the server; nil means whom this machine trusts.
	RootCAs *x509.CertPool
	// Timeout ends the way up to AUTH, and once more the rest; 0 means 20 s.
	Timeout time.Duration
}

// Given reports whether there is a mail server.
func (s SMTP) Given() bool { return s.Addr != "" }

// check finds what is wrong with the settings, fills in what is left out, and returns the sender.
func (s *SMTP) check() (from *mail.Address, err error) {
	host, port, err := net.SplitHostPort(s.Addr)
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || host == "" || e != nil || n == 0 {
		return nil, errors.New("the mail server must be given as HOST:PORT")
	}
	from, err = mail.ParseAddress(s.From)
	if err != nil {
		return nil, errors.New("the sender of mail must be an address, such as claviger@example.com")
	}
	switch s.TLS {
	case "":
		s.TLS = SMTPStartTLS
	case SMTPStartTLS, SMTPImplicit, SMTPPlain:
	default:
		return nil, errors.New("the TLS of the mail server must be starttls, implicit or none")
	}
	if s.Username == "" && !s.Password.IsZero() {
		return nil, errors.New("there is a password for the mail server, but no user name")
	}
	if s.Timeout == 0 {
		s.Timeout = 20 * time.Second
	}
	return from, nil
}

// mechanisms are ways of AUTH in the order in which they are tried. What servers keep for the
// others is often missing although they offer them, so over TLS the password itself comes first.
func (s *SMTP) mechanisms() []gomail.SMTPAuthType {
	hidden := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthCramMD5}
	shown := []gomail.SMTPAuthType{gomail.SMTPAuthPlain, gomail.SMTPAuthLogin}
	if s.TLS == SMTPPlain {
		return append(hidden, shown...)
	}
	return append(shown, hidden...)
}

func (s *SMTP) dial(ctx context.Context, config *tls.Config) (net.Conn, error) {
	if s.TLS == SMTPImplicit {
		return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", s.Addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
}

// converse is one conversation with the mail server about one mail.
func (m *Mailer) converse(ctx context.Context, msg *gomail.Msg) (answer string, err error) {
	s := &m.cfg.SMTP
	host, portText, _ := net.SplitHostPort(s.Addr) // checked by NewMailer
	port, _ := strconv.Atoi(portText)
	config := &tls.Config{ServerName: host, RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}
	policy := gomail.TLSMandatory
	if s.TLS != SMTPStartTLS {
		policy = gomail.NoTLS // of STARTTLS
	}
	// Whatever happens, the connection ends with the attempt: the library looks at its own
	// time-outs alone once it is connected, and leaves connections behind that go wrong.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options := []gomail.Option{
		gomail.WithPort(port), gomail.WithTimeout(s.Timeout), gomail.WithTLSConfig(config), gomail.WithTLSPolicy(policy),
		gomail.WithoutNoop(), gomail.WithoutRset(),
		gomail.WithDialContextFunc(func(dialling context.Context, _, _ string) (net.Conn, error) {
			conn, err := s.dial(dialling, config)
			if err == nil {
				context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		}),
	}
	if s.Username != "" {
		options = append(options, gomail.WithUsername(s.Username), gomail.WithPassword(s.Password.Reveal()), gomail.WithOpportunisticSMTPAuth(s.mechanisms()...))
	}
	if m.cfg.Trace != nil {
		options = append(options, gomail.WithDebugLog(), gomail.WithLogger(trace(m.cfg.Trace)))
	}
	client, err := gomail.NewClient(host, options...)
	if err != nil {
		return "", &Failure{Err: fmt.Errorf("the mail settings cannot be used: %w", err)}
	}
	to, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return "", failureOf(ctx, err)
	}
	if err := client.SendWithSMTPClient(to, msg); err != nil && !msg.IsDelivered() {
		return "", failureOf(ctx, err)
	}
	// The mail is the server's. What goes wrong with the goodbye changes nothing about it.
	_ = to.Quit()
	return oneLine(msg.ServerResponse()), nil
}

// conversationError says in words what went wrong before anything was said about the mail.
func conversationError(ctx context.Context, err error) error {
	var answer *textproto.Error
	var dns *net.DNSError
	var op *net.OpError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.As(err, &answer):
		return fmt.Errorf("the mail server refused the conversation: %d %s", answer.Code, oneLine(answer.Msg))
	case errors.As(err, &unknown), errors.As(err, &name):
		return fmt.Errorf("the certificate of the mail server is not trusted: %s", oneLine(err.Error()))
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return errors.New("the mail server did not answer in time")
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("the mail server could not be reached: %s", oneLine(err.Error()))
	}
	return fmt.Errorf("the conversation with the mail server broke off: %s", oneLine(err.Error()))
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// trace writes a conversation down.
type trace func(line string)

var _ gomaillog.Logger = trace(nil)

// Debugf gets every line that is said. AUTH's are left out by the library.
func (t trace) Debugf(l gomaillog.Log) {
	who := "S: "
	if l.Direction == gomaillog.DirClientToServer {
		who = "C: "
	}
	for line := range strings.Lines(fmt.Sprintf(l.Format, l.Messages...)) {
		t(who + oneLine(line))
	}
}

// Infof gets nothing of interest.
func (t trace) Infof(gomaillog.Log) {}

// Warnf gets nothing of interest.
func (t trace) Warnf(gomaillog.Log) {}

// Errorf gets nothing of interest: errors are returned, too.
func (t trace) Errorf(gomaillog.Log) {}
