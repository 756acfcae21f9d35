package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
)

func (p *program) signingKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "signing-key",
		Short: "The keys that sign tokens; system administrators only",
		Long: "The keys that sign access tokens and session tokens. A new one takes over by itself every 90 days, an hour\n" +
			"after it was published at /.well-known/jwks.json; tokens of the one before stay good until their end.",
	}
	cmd.AddCommand(p.signingKeyListCommand(), p.signingKeyRotateCommand(), p.signingKeyWithdrawCommand())
	return cmd
}

func (p *program) signingKeyListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the signing keys", Args: noArguments}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		list, err := c.SigningKeys(cmd.Context())
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(cmd.OutOrStdout(), list)
		}
		t := newTable(cmd.OutOrStdout(), "ID", "ALGORITHM", "SIGNS FROM", "PROVES UNTIL")
		for _, k := range list {
			t.row(k.ID, k.Algorithm, k.SignsFrom.Format(time.RFC3339), untilText(k.VerifiesUntil))
		}
		return t.flush()
	}
	return cmd
}

func (p *program) signingKeyRotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Let a new signing key take over",
		Long: "Let a new signing key take over, within an hour. With --at-once it signs from now on, and whoever checks\n" +
			"tokens offline with a list of keys that they kept refuses its tokens until they fetch the list again.",
		Args: noArguments,
	}
	o := p.take(cmd, callerSettings...)
	var r api.RotateSigningKeyRequest
	cmd.Flags().StringVar(&r.Algorithm, "algorithm", "", "`ALGORITHM` of the new key: ES256 or RS256 (default: as before)")
	cmd.Flags().BoolVar(&r.AtOnce, "at-once", false, "sign with it from now on")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		k, err := c.RotateSigningKey(cmd.Context(), r)
		if err != nil {
			return err
		}
		return printSigningKey(cmd, o, k)
	}
	return cmd
}

func (p *program) signingKeyWithdrawCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "withdraw ID",
		Short: "End a signing key with all its tokens, at once",
		Long: "End a signing key whose private half others may know: none of its tokens is good any more. If it was the\n" +
			"one that signs, a new one takes its place.",
		Args: oneArgument("signing key's ID"),
	}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		k, err := c.WithdrawSigningKey(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return printSigningKey(cmd, o, k)
	}
	return cmd
}

func printSigningKey(cmd *cobra.Command, o *options, k *api.SigningKey) error {
	if o.json {
		return printJSON(cmd.OutOrStdout(), k)
	}
	return details(cmd.OutOrStdout(), "ID", k.ID, "Algorithm", k.Algorithm, "Signs from", k.SignsFrom.Format(time.RFC3339),
		"Proves until", untilText(k.VerifiesUntil))
}

func untilText(t *time.Time) string {
	if t == nil {
		return "the next takes over"
	}
	return t.Format(time.RFC3339)
}
