package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/token"
)

// Names in the data folder.
const (
	databaseName    = "claviger.db"
	keyringName     = "keyring.json"
	journalName     = "revocations.journal"
	checkpointsName = "checkpoints.jsonl"
	demoName        = "demo.json"
)

func (p *program) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: "Run the server: the verification and management API, the gateway endpoint and the console.\n\n" +
			"The first start makes the data folder, the database and the keyring. Back up the keyring apart\n" +
			"from the database: neither is of any use without the other. Then run: claviger first-admin",
		Args: noArguments,
	}
	o := p.take(cmd, serverSettings...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if _, err := os.Lstat(filepath.Join(o.data, demoName)); err == nil {
			return hinted("Give another folder with --data. The demo's passwords and keys are written down in this one.",
				"%s is the folder of a demo, and a demo is for development", o.data)
		}
		c, err := nodeConfig(o, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		ctx := cmd.Context()
		n, err := node.Open(ctx, c)
		if err != nil {
			return err
		}
		return runNode(ctx, n, o, c.Logger, nil)
	}
	return cmd
}

// runNode runs the node until ctx ends, writes the ready file once it answers, and closes
// the node. whenReady is called before that file is there; nil means nothing is.
func runNode(ctx context.Context, n *node.Node, o *options, logger *slog.Logger, whenReady func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	announced := make(chan error, 1)
	go func() {
		announced <- func() error {
			select {
			case <-n.Ready():
			case <-ctx.Done():
				return nil
			}
			defer cancel()
			return node.TuneMemory(ctx, func() error {
				if err := announce(n, o, whenReady); err != nil {
					return err
				}
				logger.InfoContext(ctx, "ready", slog.String("url", n.URL()), slog.String("version", version))
				return nil
			})
		}()
	}()
	err := n.Run(ctx)
	cancel()
	err = errors.Join(err, <-announced, n.Close())
	if o.readyFile != "" {
		_ = os.Remove(o.readyFile)
	}
	if err == nil {
		logger.InfoContext(ctx, "stopped")
	}
	return err
}

func announce(n *node.Node, o *options, whenReady func() error) error {
	if whenReady != nil {
		if err := whenReady(); err != nil {
			return err
		}
	}
	if o.readyFile == "" {
		return nil
	}
	if err := node.WriteFileAtomic(o.readyFile, []byte(n.URL()+"\n"), 0o644); err != nil {
		return fmt.Errorf("writing the ready file: %w", err)
	}
	return nil
}

// nodeConfig turns options into what a node needs, and makes the data folder.
func nodeConfig(o *options, logTo io.Writer) (node.Config, error) {
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return node.Config{}, hinted("Give a folder that you may write to with --data.", "making the data folder: %w", err)
	}
	database, err := databaseURL(o)
	if err != nil {
		return node.Config{}, err
	}
	smtp, err := smtpOf(o)
	if err != nil {
		return node.Config{}, err
	}
	return node.Config{
		Addr: o.addr, Database: database, Brand: o.brand, SMTP: smtp,
		KeyringFile: orInside(o, o.keyring, keyringName),
		Journal:     orInside(o, o.journal, journalName),
		Checkpoints: orInside(o, o.checkpoints, checkpointsName),
		TLSCert:     o.tlsCert, TLSKey: o.tlsKey,
		BehindProxy: o.behindProxy, TrustedProxies: o.trustedProxies, WebhookAllow: o.webhookAllow,
		PublicURL:      strings.TrimSuffix(o.publicURL, "/"),
		TokenAlgorithm: token.Algorithm(o.tokenAlgorithm), TokenAudience: o.tokenAudience,
		MaxStaleness: time.Duration(o.maxStaleness),
		Version:      version,
		Logger:       newLogger(o, logTo),
	}, nil
}

func databaseURL(o *options) (string, error) {
	switch {
	case o.database == "":
		return "sqlite:" + filepath.Join(o.data, databaseName), nil
	case strings.HasPrefix(o.database, "sqlite:"), strings.HasPrefix(o.database, "postgres://"), strings.HasPrefix(o.database, "postgresql://"):
		return o.database, nil
	}
	// Not repeated: it may hold a password.
	return "", &usageError{
		err:  fmt.Errorf("the database URL begins with neither sqlite: nor postgres://"),
		hint: "Give --database sqlite:PATH or --database postgres://USER@HOST/NAME",
	}
}

// orInside is the path that was given, or the name in the data folder.
func orInside(o *options, given, name string) string {
	if given != "" {
		return given
	}
	return filepath.Join(o.data, name)
}

func newLogger(o *options, w io.Writer) *slog.Logger {
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
