package main

import (
	"cmp"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/node"
)

// firstAdminPath is the console's page for the link.
const firstAdminPath = "/first-admin#token="

func (p *program) firstAdminCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "first-admin",
		Short: "Print the one-time link that makes the first administrator",
		Long: "Print a one-time link with which the installation's first administrator makes an account.\n\n" +
			"It works for 15 minutes, and once. After that this door is closed for ever: further people are\n" +
			"invited by those who are in. Run it on the server's machine, with the settings of serve.",
		Args: noArguments,
	}
	o := p.take(cmd, append([]string{"public-url", "json"}, databaseSettings...)...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := nodeConfig(o, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		c.Journal, c.Checkpoints = "", "" // the server's, which may be running
		n, err := node.OpenAuthority(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer func() { _ = n.Close() }()
		link, err := n.Authority().IssueFirstAdminLink(cmd.Context(), authority.SystemCaller(), authority.FirstAdminLinkInput{})
		if err != nil {
			return err
		}
		out := firstAdminOutput{Token: link.Token.Reveal(), URL: cmp.Or(c.PublicURL, "http://127.0.0.1:8080") + firstAdminPath + url.QueryEscape(link.Token.Reveal()), ExpiresAt: link.ExpiresAt}
		if o.json {
			return printJSON(cmd.OutOrStdout(), out)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", out.URL)
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "Open this link until %s; it works once.\n", link.ExpiresAt.Format("15:04 MST"))
		return err
	}
	return cmd
}

type firstAdminOutput struct {
	URL       string    `json:"url"`
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}
