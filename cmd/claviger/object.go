package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

// object is how the commands of one kind of thing speak of it.
type object[T any] struct {
	p      *program
	idOf   string // what the argument is, for people
	pairs  func(*T) []string
	header []string
	row    func(*T) []string
}

// action is a command that takes an ID and prints the thing as it is then.
func (k object[T]) action(verb, short string, do func(*client.Client, context.Context, string) (*T, error)) *cobra.Command {
	return k.change(verb, short, "", func(c *client.Client, cmd *cobra.Command, id string) (*T, error) {
		return do(c, cmd.Context(), id)
	})
}

// change is the same for a command with flags of its own.
func (k object[T]) change(verb, short, long string, do func(*client.Client, *cobra.Command, string) (*T, error)) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " ID", Short: short, Long: long, Args: oneArgument(k.idOf)}
	o := k.p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := k.p.connect(o)
		if err != nil {
			return err
		}
		thing, err := do(c, cmd, args[0])
		if err != nil {
			return err
		}
		return k.print(cmd.OutOrStdout(), o, thing)
	}
	return cmd
}

func (k object[T]) print(w io.Writer, o *options, thing *T) error {
	if o.json {
		return printJSON(w, thing)
	}
	return details(w, k.pairs(thing)...)
}

// end is a command that takes an ID and prints nothing.
func (k object[T]) end(short string, do func(*client.Client, context.Context, string) error) *cobra.Command {
	cmd := &cobra.Command{Use: "delete ID", Short: short, Args: oneArgument(k.idOf)}
	o := k.p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := k.p.connect(o)
		if err != nil {
			return err
		}
		return do(c, cmd.Context(), args[0])
	}
	return cmd
}

// list prints JSON lines as they come, so that long lists need no memory, and a table at
// the end, whose columns need to know every row.
func (k object[T]) list(use, short string, args cobra.PositionalArgs, all func(*client.Client, *cobra.Command, []string) iter.Seq2[T, error]) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: args}
	o := k.p.take(cmd, callerSettings...)
	tenant := tenantFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := k.p.connect(o)
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		t := newTable(out, k.header...)
		for thing, err := range all(c.InTenant(*tenant), cmd, args) {
			if err != nil {
				return err
			}
			if o.json {
				if err := printJSONLine(out, thing); err != nil {
					return err
				}
				continue
			}
			t.row(k.row(&thing)...)
		}
		if o.json {
			return nil
		}
		return t.flush()
	}
	return cmd
}

// group is a command that holds others.
func group(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// printSecrets prints what is shown once: for programs as JSON, for scripts the secrets
// alone on stdout, one a line; what they belong to goes to stderr.
func printSecrets(cmd *cobra.Command, o *options, whole any, available bool, again string, pairs []string, secrets ...api.Secret) error {
	if o.json {
		return printJSON(cmd.OutOrStdout(), whole)
	}
	if !available {
		return hinted(again, "this was made by an earlier request, which its secret was shown to")
	}
	for _, s := range secrets {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), s.Reveal()); err != nil {
			return fmt.Errorf("writing the secret: %w", err)
		}
	}
	return details(cmd.ErrOrStderr(), pairs...)
}

// rotateCommand gives something a new secret under the same ID.
func rotateCommand[T any](p *program, idOf, short string, do func(*client.Client, context.Context, string, time.Duration) (*T, error), show func(*cobra.Command, *options, *T) error) *cobra.Command {
	cmd := &cobra.Command{Use: "rotate ID", Short: short, Args: oneArgument(idOf)}
	o := p.take(cmd, callerSettings...)
	grace := cmd.Flags().String("grace", "0s", "`DURATION` for which the secret before still works, up to 30d")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := parseDuration(*grace)
		if err != nil {
			return &usageError{err: fmt.Errorf("--grace: %w", err), hint: "Give a duration such as 24h or 7d."}
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		made, err := do(c, cmd.Context(), args[0], d)
		if err != nil {
			return err
		}
		return show(cmd, o, made)
	}
	return cmd
}

// given returns the flag's value if it was given.
func given[T any](cmd *cobra.Command, flag string, value *T) *T {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	return value
}
