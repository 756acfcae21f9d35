package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/envelope"
	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/secret"
	"github.com/claviger-io/claviger/internal/signin"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/token"
	"github.com/claviger-io/claviger/internal/verify"
	"github.com/claviger-io/claviger/internal/webhook"
)

const (
	shutdownGrace = 10 * time.Second
	usageGrace    = time.Minute // for the usage that a node that stops has still to write
	usageLeast    = 5 * time.Second
	usageMost     = time.Minute
	expireEvery   = 30 * time.Second
	signingEvery  = 10 * time.Minute
	idleEvery     = time.Hour
	dispatchEvery = time.Second
	pruneEvery    = time.Hour
)

// Node is one Claviger. Open it, Run it, Close it.
type Node struct {
	cfg       Config
	store     *store.Store
	keyring   *Keyring
	envelope  *envelope.Envelope
	index     *verify.Index
	tokens    *token.Ring
	authority *authority.Authority
	journal   *authority.Journal
	checks    *authority.CheckpointLog
	people    *signin.Manager
	registry  *prometheus.Registry
	outbox    *outbox.Worker
	hooks     *webhook.Sender
	handler   http.Handler
	listener  net.Listener
	url       string
	ready     chan struct{}
	following atomic.Bool         // the index follows the feed
	usage     []store.UsageRow    // drained from the index and not yet written
	previous  []store.PreviousUse // likewise
}

// Open opens the database and the keyring, makes the system tenant on the first start,
// and listens. Nothing is answered before Run.
func Open(ctx context.Context, c Config) (*Node, error) {
	c.fill()
	n := &Node{cfg: c, ready: make(chan struct{})}
	if err := n.open(ctx); err != nil {
		_ = n.Close()
		return nil, err
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) (err error) {
	// Listening comes first: an address that is taken or not allowed must not leave a
	// new database behind.
	if n.listener, n.url, err = listen(ctx, &n.cfg); err != nil {
		return err
	}
	if err = n.openData(ctx); err != nil {
		return err
	}
	n.handler, err = n.assemble()
	return err
}

// OpenAuthority is Open without HTTP and without verification, for commands that work on
// the database by themselves. What it changes, running nodes read from the feed. The
// journal and the checkpoint file belong to one process at a time: leave them empty where
// a node may be running, and revoke nothing then.
func OpenAuthority(ctx context.Context, c Config) (*Node, error) {
	c.fill()
	n := &Node{cfg: c, ready: make(chan struct{})}
	if err := n.openData(ctx); err != nil {
		_ = n.Close()
		return nil, err
	}
	return n, nil
}

func (n *Node) openData(ctx context.Context) (err error) {
	c := &n.cfg
	if err = privateFile(c.Database); err != nil {
		return err
	}
	held := n.writerMetric()
	if n.store, err = store.Open(ctx, store.Config{URL: c.Database, Now: c.Now, Logger: c.Logger, Held: held}); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	if n.keyring, err = matchKeyring(ctx, n.store, c); err != nil {
		return err
	}
	peppers, err := n.keyring.Peppers()
	if err != nil {
		return fmt.Errorf("reading the peppers: %w", err)
	}
	imports, err := n.keyring.ImportKeys()
	if err != nil {
		return fmt.Errorf("reading the import keys: %w", err)
	}
	if n.envelope, err = n.keyring.Envelope(ctx); err != nil {
		return err
	}
	if c.Journal != "" {
		if n.journal, err = authority.OpenJournal(c.Journal); err != nil {
			return fmt.Errorf("opening the revocation journal: %w", err)
		}
	}
	if c.Checkpoints != "" {
		if n.checks, err = authority.OpenCheckpointLog(c.Checkpoints, n.keyring.SigningKey()); err != nil {
			return fmt.Errorf("opening the audit checkpoints: %w", err)
		}
	}
	format := secret.Format{Brand: c.Brand}
	work := authority.Config{
		Store: n.store, Format: format, Peppers: peppers, ImportKeys: imports, Envelope: n.envelope, Now: c.Now, Rand: c.Rand,
		Logger: c.Logger, Journal: n.journal, Checkpoints: n.checks, WebhookAllow: c.WebhookAllow,
	}
	if n.listener != nil {
		n.tokens = token.NewRing(token.Config{Issuer: n.publicURL(), Audience: c.TokenAudience, Open: n.openSigningKey})
		n.index = verify.New(verify.Config{
			Source: n.store, Format: format, Peppers: peppers, ImportKeys: imports, Tokens: n.tokens, Now: c.Now,
			MaxStaleness: c.MaxStaleness, Logger: c.Logger,
		})
		work.Applied, work.Undecided = n.applied, n.index.MarkUndecided
	}
	if n.authority, err = authority.New(work); err != nil {
		return fmt.Errorf("starting the authority: %w", err)
	}
	n.people, err = signin.New(signin.Config{
		Store: n.store, Authority: n.authority, Index: n.index, Tokens: n.tokens, Hashing: c.Hashing, Now: c.Now, Logger: c.Logger,
	})
	if err != nil {
		return fmt.Errorf("starting sign-in: %w", err)
	}
	if err = n.openOutbox(); err != nil {
		return err
	}
	if err = n.authority.BootstrapSystem(ctx); err != nil {
		return fmt.Errorf("making the system tenant: %w", err)
	}
	if n.tokens == nil {
		return nil
	}
	if err = n.warnHeld(ctx); err != nil {
		return err
	}
	if err = n.authority.KeepSigningKeys(ctx, c.TokenAlgorithm); err != nil {
		return fmt.Errorf("making the signing key: %w", err)
	}
	return nil
}

// warnHeld says so when no credential verifies because a restore is not finished.
func (n *Node) warnHeld(ctx context.Context) error {
	r, err := n.authority.Restoration(ctx)
	if err == nil && r.Held {
		n.cfg.Logger.WarnContext(ctx, "every credential is suspended: a backup was restored, and what was revoked after it was made is not known",
			slog.Time("backup_at", r.BackupAt), slog.String("hint", "run claviger restore --journal FILE, or --accept-risk"))
	}
	return err
}

// openTimeout ends the opening of a signing key when the database hangs.
const openTimeout = 10 * time.Second

func (n *Node) openSigningKey(id string, sealed []byte) (secret.Secret, error) {
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	return n.authority.OpenSigningKey(ctx, id, sealed)
}

// publicURL is where people and programs reach the node.
func (n *Node) publicURL() string {
	if n.cfg.PublicURL != "" {
		return strings.TrimSuffix(n.cfg.PublicURL, "/") // tokens name it, in one form
	}
	return n.url
}

// applied waits for the index. Before Run nothing is verified, and the snapshot that Run
// begins with has every change so far.
func (n *Node) applied(ctx context.Context, revision uint64) error {
	if !n.following.Load() {
		return nil
	}
	return n.index.Applied(ctx, revision)
}

// URL is where the node is reached from this machine.
func (n *Node) URL() string { return n.url }

// Ready is closed once the index is loaded and requests are answered.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// Authority makes changes.
func (n *Node) Authority() *authority.Authority { return n.authority }

// SignIn is how people prove who they are.
func (n *Node) SignIn() *signin.Manager { return n.people }

// Index answers verifications.
func (n *Node) Index() *verify.Index { return n.index }

// Tokens signs and reads the installation's own tokens.
func (n *Node) Tokens() *token.Ring { return n.tokens }

// Store is the database.
func (n *Node) Store() *store.Store { return n.store }

// Keyring holds the keys outside the database.
func (n *Node) Keyring() *Keyring { return n.keyring }

// Handler answers HTTP requests, without the listener.
func (n *Node) Handler() http.Handler { return n.handler }

// Run answers requests until ctx ends. Then it lets requests under way finish, writes the
// usage that was counted, and returns nil. It returns an error when the node can't go on.
func (n *Node) Run(ctx context.Context) error {
	n.following.Store(true)
	srv := n.httpServer()
	serving, stopServing := errgroup.WithContext(ctx)
	// Jobs go on until the last request is answered: a change waits for the index.
	jobs, endJobs := context.WithCancel(context.WithoutCancel(ctx))
	defer endJobs()
	work, workCtx := errgroup.WithContext(jobs)
	work.Go(func() error { return endedBy(jobs, n.index.Run(workCtx)) })
	work.Go(func() error { return endedBy(jobs, n.authority.Run(workCtx)) })
	work.Go(func() error { return endedBy(jobs, n.people.Run(workCtx)) })
	work.Go(func() error { return endedBy(jobs, n.outbox.Run(workCtx)) })
	work.Go(func() error { return n.dispatchWebhooks(workCtx) })
	work.Go(func() error { return n.keepUsage(workCtx) })
	work.Go(func() error { return n.keepPrevious(workCtx) })
	work.Go(func() error { return n.expire(workCtx) })
	work.Go(func() error { return n.suspendIdle(workCtx) })
	work.Go(func() error { return n.announceExpiring(workCtx) })
	work.Go(func() error { return n.keepSigningKeys(workCtx) })
	work.Go(func() error { return n.prune(workCtx) })
	work.Go(func() error { return n.announce(workCtx) })

	serving.Go(func() error {
		if err := srv.Serve(n.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("answering requests: %w", err)
		}
		return nil
	})
	serving.Go(func() error {
		select {
		case <-stopServing.Done():
		case <-workCtx.Done(): // a job failed
		}
		return n.shutdown(ctx, srv)
	})
	err := serving.Wait()
	endJobs()
	err = errors.Join(err, work.Wait())
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), usageGrace)
	defer cancel()
	return errors.Join(err, n.flushPrevious(flush), n.flushUsage(flush, lastChunk, 0))
}

func (n *Node) shutdown(ctx context.Context, srv *http.Server) error {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		n.cfg.Logger.WarnContext(ctx, "requests were cut off at shutdown", slog.Any("error", err))
		return srv.Close()
	}
	return nil
}

func (n *Node) httpServer() *http.Server {
	return &http.Server{
		Handler:           n.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(n.cfg.Logger.Handler(), slog.LevelWarn),
	}
}

// announce says that the node is ready.
func (n *Node) announce(ctx context.Context) error {
	select {
	case <-n.index.Loaded():
		close(n.ready)
	case <-ctx.Done():
	}
	return nil
}

// endedBy makes the end that we asked for no error.
func endedBy(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the job was told to end
	}
	return err
}

// Close closes what Open opened. Run must have returned.
func (n *Node) Close() error {
	var err error
	if n.listener != nil {
		if e := n.listener.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	if n.hooks != nil {
		n.hooks.Close()
	}
	if n.journal != nil {
		err = errors.Join(err, n.journal.Close())
	}
	if n.checks != nil {
		err = errors.Join(err, n.checks.Close())
	}
	if n.store != nil {
		err = errors.Join(err, n.store.Close())
	}
	if n.envelope != nil {
		err = errors.Join(err, n.envelope.Close())
	}
	return err
}

// OpenForAudit opens the database and the keyring for a check of the audit log: nothing
// but that can be done with them. The caller closes the store.
func OpenForAudit(ctx context.Context, c Config) (*store.Store, ed25519.PublicKey, error) {
	c.fill()
	s, err := store.Open(ctx, store.Config{URL: c.Database, Now: c.Now, Logger: c.Logger})
	if err != nil {
		return nil, nil, fmt.Errorf("opening the database: %w", err)
	}
	k, err := matchKeyring(ctx, s, &c)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	key, ok := k.SigningKey().Public().(ed25519.PublicKey)
	if !ok {
		return nil, nil, errors.Join(errors.New("the audit signing key is not an Ed25519 key"), s.Close())
	}
	return s, key, nil
}
