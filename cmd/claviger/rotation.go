package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

// What the commands of all kinds say of a rotation in its grace period.
const (
	finishRotationShort = "End the secret before now, before its grace period does"
	rollBackShort       = "Undo a rotation in its grace period: the secret before is current again"
)

// previousUsesCommand lists who still uses the secret before.
func previousUsesCommand(p *program, args cobra.PositionalArgs, read func(*client.Client, context.Context, string) (*api.PreviousSecretUses, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "previous-uses ID",
		Short: "List who still uses the secret before: address, program and last time",
		Long: "List from where the secret before the present one was used since the rotation, to about a minute ago.\n" +
			"Addresses and programs are known as far as whoever asks for verification tells them.",
		Args: args,
	}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		uses, err := read(c, cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(cmd.OutOrStdout(), uses)
		}
		t := newTable(cmd.OutOrStdout(), "SOURCE", "USER AGENT", "LAST USED", "CALLS")
		for _, u := range uses.Items {
			t.row(u.SourceIP, u.UserAgent, when(&u.LastUsedAt, ""), strconv.FormatInt(u.Calls, 10))
		}
		if uses.OtherCalls > 0 {
			t.row("others", "", "", strconv.FormatInt(uses.OtherCalls, 10))
		}
		return t.flush()
	}
	return cmd
}
