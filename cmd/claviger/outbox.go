package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

func (p *program) outboxCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "outbox",
		Short: "What goes out by mail and to webhooks",
		Long: "Look after mail and calls of webhooks: what waits, and what was given up. What fails is tried again for three\n" +
			"days by itself. Operators of the installation (claviger.tenants:manage) see those of all tenants.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.outboxListCommand(), p.outboxRetryCommand())
	return cmd
}

func (p *program) outboxListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List what goes out", Args: noArguments}
	o := p.take(cmd, callerSettings...)
	var f client.DeliveryFilter
	tenant := cmd.Flags().String("tenant", "", "tenant `ID`; system callers only (default: all tenants)")
	cmd.Flags().StringVar(&f.State, "state", "", "`STATE`: pending, delivered or dead")
	cmd.Flags().StringVar(&f.Kind, "kind", "", "`KIND`: mail or webhook")
	cmd.Flags().StringVar(&f.Recipient, "recipient", "", "for the user or the webhook with this `ID`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		t := newTable(out, "ID", "KIND", "TENANT", "RECIPIENT", "ABOUT", "STATE", "ATTEMPTS", "MADE", "NEXT", "LAST ERROR")
		for d, err := range c.InTenant(*tenant).Deliveries(cmd.Context(), f) {
			if err != nil {
				return err
			}
			if o.json {
				if err := printJSONLine(out, d); err != nil {
					return err
				}
				continue
			}
			t.row(d.ID, d.Kind, d.TenantID, d.Recipient, d.About, d.State, strconv.Itoa(d.Attempts), when(&d.CreatedAt, ""), when(d.NextAt, ""), d.LastError)
		}
		if o.json {
			return nil
		}
		return t.flush()
	}
	return cmd
}

func (p *program) outboxRetryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retry ID…",
		Short: "Try deliveries again that were given up, or that wait",
		Long: "Try deliveries again at once, and then for three days more. Name them, or take all that were given up with\n" +
			"--dead, such as after the mail server was put right.",
	}
	o := p.take(cmd, callerSettings...)
	tenant := cmd.Flags().String("tenant", "", "with --dead: tenant `ID`; system callers only (default: all tenants)")
	kind := cmd.Flags().String("kind", "", "with --dead: `KIND`: mail or webhook (default: both)")
	dead := cmd.Flags().Bool("dead", false, "all that were given up")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *dead == (len(args) > 0) {
			return &usageError{err: errors.New("nothing to try again, or two ways to say what"), hint: "Name deliveries, or give --dead."}
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		if *dead {
			// All are found before the first is changed: pages of what changes would skip some.
			for d, err := range c.InTenant(*tenant).Deliveries(cmd.Context(), client.DeliveryFilter{State: "dead", Kind: *kind}) {
				if err != nil {
					return err
				}
				args = append(args, d.ID)
			}
		}
		return retryDeliveries(cmd, o, c, args)
	}
	return cmd
}

func retryDeliveries(cmd *cobra.Command, o *options, c *client.Client, ids []string) error {
	out := cmd.OutOrStdout()
	for i, id := range ids {
		d, err := c.RetryDelivery(cmd.Context(), id)
		if err != nil {
			if len(ids) > 1 {
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d are tried again, before %s.\n", i, len(ids), printable(id))
			}
			return err
		}
		if err := printRetried(cmd, o, d); err != nil {
			return err
		}
	}
	if len(ids) == 0 && !o.json {
		_, err := fmt.Fprintln(out, "There is nothing that was given up.")
		return err
	}
	return nil
}

func printRetried(cmd *cobra.Command, o *options, d *api.Delivery) error {
	if o.json {
		return printJSONLine(cmd.OutOrStdout(), d)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is tried again.\n", printable(d.ID))
	return err
}
