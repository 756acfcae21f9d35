// Package node assembles one running Claviger: store, authority, resident index, sign-in
// and HTTP, from a keyring and a few settings, and runs them until told to stop.
//
// It is a package of its own since the program, the public test helper and the benchmarks
// must run one and the same assembly, and a main package can't be imported.
package node

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/token"
)

// Config says what to run. Database is required; the rest has defaults.
type Config struct {
	// Addr is HOST:PORT to listen at; empty means 127.0.0.1:0, a free port.
	Addr string
	// Database is "sqlite:PATH" or "postgres://…". The folder of PATH must exist.
	Database string
	// KeyringFile is made on the first start, and must then be kept with the database.
	// Empty means that Keyring is used.
	KeyringFile string
	// Keyring is used when there is no KeyringFile; nil means a fresh one, which makes
	// sense with a fresh database only.
	Keyring *Keyring
	// Brand is what keys begin with; empty means "clv".
	Brand string

	// TLSCert and TLSKey name PEM files. Without them, and without BehindProxy, Addr must
	// be a loopback address.
	TLSCert, TLSKey string
	// BehindProxy are the proxies that end TLS. When set, others are refused, except this
	// machine itself.
	BehindProxy []netip.Prefix
	// TrustedProxies may say in headers where a request came from and what was asked for.
	TrustedProxies []netip.Prefix
	// MaxStaleness is how old the index may be before verification answers 503; 0 means 30 s.
	MaxStaleness time.Duration

	// FeedKept is how many changes the change feed keeps for nodes that follow it. A node
	// that is further behind reads everything anew. 0 means 1,000,000.
	FeedKept uint64
	// UsageKept is how long the use of credentials by hours is kept; 0 means 400 days.
	UsageKept time.Duration

	// Journal is the file of the revocation journal; empty means none is kept.
	Journal string
	// Checkpoints is the file of signed audit checkpoints; empty means none are made.
	Checkpoints string

	// TokenAlgorithm signs access and session tokens; empty means ES256. Another than before
	// takes over within an hour.
	TokenAlgorithm token.Algorithm
	// TokenAudience is the aud of tokens: the vendor's APIs. Empty means PublicURL.
	TokenAudience string

	// SMTP is the server that takes our mail; its zero value means none, and mail waits.
	SMTP outbox.SMTP

	// WebhookAllow are networks in which webhooks may be although they are not public, over
	// http too: for installations inside a company, and for tests. Nil: public addresses
	// alone, over https.
	WebhookAllow []netip.Prefix

	// Version is what /healthz tells; empty means nothing.
	Version string
	// PublicURL is where people reach the console; it begins the links of invitations.
	// Empty means the URL of the listener.
	PublicURL string
	// Hosts are the Host headers that are answered, without port; empty means all.
	Hosts []string
	// Hashing is how much work the hash of a password is; nil means what OWASP asks of
	// argon2id. Tests take less: they sign in hundreds of people.
	Hashing *argon2id.Params
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Rand is where secrets come from; nil means crypto/rand.
	Rand io.Reader
	// Logger receives the log; nil discards it.
	Logger *slog.Logger
}

func (c *Config) fill() {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.TokenAlgorithm == "" {
		c.TokenAlgorithm = token.ES256
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.FeedKept == 0 {
		c.FeedKept = 1_000_000
	}
	if c.UsageKept == 0 {
		c.UsageKept = 400 * 24 * time.Hour
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}
