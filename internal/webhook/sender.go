package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/store"
)

// Target is where a message goes, as it is at the moment of an attempt.
type Target struct {
	URL     string
	Secrets []secret.Secret // each signs; the newest first
}

// Errors of Config.Open.
var (
	// ErrGone says that the webhook is deleted: there is nobody to tell any more.
	ErrGone = errors.New("the webhook was deleted")
	// ErrWaits says that the webhook or its tenant is suspended: its deliveries wait.
	ErrWaits = errors.New("the webhook is suspended")
)

// Config says how messages are sent. Open is required.
type Config struct {
	// Open answers where a delivery goes, and the secrets that sign it. ErrGone and ErrWaits
	// say that it goes nowhere.
	Open func(ctx context.Context, d store.Delivery) (Target, error)
	// Allow are networks that may be reached although they are not public, over http too. Nil:
	// public addresses alone, over https.
	Allow []netip.Prefix
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Version of the program, for the User-Agent; empty means none.
	Version string
	// Timeout is for one attempt, from looking up the name to the end of the answer's
	// headers; 0 means 10 s.
	Timeout time.Duration
	// Roots are the certificate authorities that endpoints' certificates come from; nil means
	// those of the system.
	Roots *x509.CertPool
	// Resolver looks names up; nil means the system's.
	Resolver *net.Resolver
}

const (
	defaultTimeout = 10 * time.Second
	// pauseWhileSuspended is when a suspended webhook's delivery is looked at again.
	pauseWhileSuspended = 5 * time.Minute
	mostRetryAfter      = 24 * time.Hour
	// readAnswer is how much of an answer is read, so that the connection can be used again.
	readAnswer = 16 << 10
	maxHeaders = 16 << 10
)

// Sender sends deliveries to webhooks. It is safe for concurrent use.
type Sender struct {
	cfg Config
	// secure goes to public addresses and those that are allowed, plain to the latter alone.
	secure, plain *http.Client
}

// NewSender makes a sender.
func NewSender(c Config) (*Sender, error) {
	if c.Open == nil {
		return nil, errors.New("webhook: nobody tells where deliveries go")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	s := &Sender{cfg: c}
	s.secure = s.client(func(a netip.Addr) bool { return public(a) || a.Zone() == "" && within(c.Allow, a) })
	s.plain = s.client(func(a netip.Addr) bool { return a.Zone() == "" && within(c.Allow, a) })
	return s, nil
}

// errAddress is what the dialler says of an address that is not to be reached.
var errAddress = errors.New("webhook: this address is not to be reached")

// client makes a client whose every connection is checked at the moment when its address is
// known for good: after the name was looked up, before the first packet.
func (s *Sender) client(may func(netip.Addr) bool) *http.Client {
	dialer := &net.Dialer{
		Timeout: s.cfg.Timeout, Resolver: s.cfg.Resolver,
		Control: func(network, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || network != "tcp4" && network != "tcp6" || !may(to.Addr()) {
				return errAddress
			}
			return nil
		},
	}
	return &http.Client{
		Transport: &http.Transport{
			// No Proxy: one would look names up and connect by itself, past the check.
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.cfg.Roots},
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           64,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: maxHeaders,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close closes connections that no attempt uses.
func (s *Sender) Close() {
	s.secure.CloseIdleConnections()
	s.plain.CloseIdleConnections()
}

// Send makes one attempt. An answer from 200 to 299 is success; 410 says that the endpoint
// is gone for good; anything else, redirects included, is tried again.
func (s *Sender) Send(ctx context.Context, d store.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	to, err := s.cfg.Open(ctx, d)
	switch {
	case errors.Is(err, ErrGone):
		return &outbox.Failure{Permanent: true, Err: ErrGone}
	case errors.Is(err, ErrWaits):
		return &outbox.Failure{RetryAfter: pauseWhileSuspended, Err: ErrWaits}
	case err != nil:
		return fmt.Errorf("the webhook could not be read: %w", err)
	}
	var m Message
	if err := json.Unmarshal(d.Payload, &m); err != nil || m.ID == "" {
		return &outbox.Failure{Permanent: true, Err: errors.New("what is to be delivered cannot be read")}
	}
	req, err := s.request(ctx, to, m)
	if err != nil {
		return &outbox.Failure{Permanent: true, Err: errors.New("the webhook's address cannot be used")}
	}
	client := s.secure
	if req.URL.Scheme != "https" {
		client = s.plain
	}
	res, err := client.Do(req)
	if err != nil {
		return &outbox.Failure{Err: plainly(err)}
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, readAnswer)) // what it says counts for nothing
	return s.judge(res)
}

// request writes and signs one attempt.
func (s *Sender) request(ctx context.Context, to Target, m Message) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(m.Body))
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	signature, err := Sign(to.Secrets, m, now)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", strings.TrimSuffix("Claviger-Webhooks/"+s.cfg.Version, "/"))
	req.Header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return req, nil
}

// Sign is the value of the header webhook-signature: one signature for each secret.
func Sign(secrets []secret.Secret, m Message, at time.Time) (string, error) {
	list := make([]string, len(secrets))
	for i, key := range secrets {
		w, err := standardwebhooks.NewWebhook(key.Reveal())
		if err != nil {
			return "", errors.New("the webhook's secret cannot be used")
		}
		if list[i], err = w.Sign(m.ID, at, m.Body); err != nil {
			return "", errors.New("the message cannot be signed")
		}
	}
	return strings.Join(list, " "), nil
}

// judge turns an answer into the outcome.
func (s *Sender) judge(res *http.Response) error {
	switch {
	case res.StatusCode >= 200 && res.StatusCode <= 299:
		return nil
	case res.StatusCode == http.StatusGone:
		return &outbox.Failure{Permanent: true, Status: res.StatusCode, Err: errors.New("the endpoint says that it is gone")}
	case res.StatusCode >= 300 && res.StatusCode <= 399:
		return &outbox.Failure{Status: res.StatusCode, Err: errors.New("the endpoint answered with a redirect, which is not followed")}
	}
	return &outbox.Failure{Status: res.StatusCode, RetryAfter: retryAfter(res.Header.Get("Retry-After"), s.cfg.Now())}
}

// retryAfter reads the header's two forms; 0 for none.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, mostRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), mostRetryAfter)
	}
	return 0
}

// plainly says why there was no answer, without addresses: they would tell a tenant what
// names inside our network resolve to.
func plainly(err error) error {
	var (
		dns       *net.DNSError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		timeout   interface{ Timeout() bool }
		outer     *url.Error
	)
	switch {
	case errors.Is(err, errAddress):
		return errors.New("the address is private or local, and webhooks don't go there")
	case errors.As(err, &dns) && dns.IsNotFound:
		return errors.New("the host's name was not found")
	case errors.As(err, &dns):
		return errors.New("the host's name could not be looked up")
	case errors.As(err, &name):
		return errors.New("the certificate is not for this host")
	case errors.As(err, &authority):
		return errors.New("the certificate is of no authority that is known here")
	case errors.As(err, &invalid), errors.As(err, &verify):
		return errors.New("the certificate is not valid")
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("there was no answer in time")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the connection was refused")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection was cut off before the answer")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return errors.New("the host cannot be reached")
	case errors.Is(err, http.ErrSchemeMismatch):
		return errors.New("the endpoint does not speak TLS")
	case errors.As(err, &outer) && strings.Contains(outer.Err.Error(), "tls:"):
		return errors.New("the TLS handshake failed")
	}
	return errors.New("there was no answer that can be read")
}
