package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

func (p *program) policyCommand() *cobra.Command {
	return group("policy", "Show a tenant's policy, see what another would affect, and replace it",
		"Deal with what a tenant's credentials may be. The caller's credential comes from CLAVIGER_CREDENTIAL or\n"+
			"--credential-file and must be the operators', with claviger.tenants:manage: people of a tenant change their\n"+
			"policy in the console.",
		p.policyShowCommand(), p.policyPreviewCommand(), p.policySetCommand(),
	)
}

const argumentTenant = "tenant's ID, such as ten_01jd3x8q4w9k2m5n7p0r6t8v1y"

func (p *program) policyShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show TENANT",
		Short: "Print a tenant's policy as JSON, as preview and set read it",
		Args:  oneArgument(argumentTenant),
	}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		t, err := c.Tenant(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return printJSON(cmd.OutOrStdout(), t.Policy)
	}
	return cmd
}

func (p *program) policyPreviewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "preview TENANT FILE",
		Short: "List what a policy would affect if it were applied to all credentials",
		Long:  "List what a policy would affect if it were applied to all credentials. With --json the first 100 of each are named.",
		Args:  tenantAndPolicy,
	}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		policy, err := readPolicy(args[1])
		if err != nil {
			return err
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		preview, err := c.PreviewPolicy(cmd.Context(), args[0], policy)
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(cmd.OutOrStdout(), preview)
		}
		t := newTable(cmd.OutOrStdout(), "RULE", "KIND", "CREDENTIALS", "WHAT HAPPENS")
		for _, r := range preview.Rules {
			t.row(r.Rule, r.Kind, fmt.Sprint(r.Count), happens[r.Does])
		}
		return t.flush()
	}
	return cmd
}

// happens is what a rule does, in words.
var happens = map[string]string{
	"ends_earlier": "they end earlier", "secret_destroyed": "they can no longer be shown", "networks_narrowed": "they work from fewer networks",
	"suspended": "they are suspended", "listed": "nothing: they keep their names",
}

func (p *program) policySetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set TENANT FILE",
		Short: "Replace a tenant's policy, for new credentials or for all",
		Long: "Replace a tenant's policy by what a JSON file says; what is there now is the answer of claviger policy show.\n" +
			"With --apply all it is applied to the credentials that are there, too, and the command waits until it is:\n" +
			"see first with claviger policy preview what that does.",
		Args: tenantAndPolicy,
	}
	o := p.take(cmd, callerSettings...)
	apply := cmd.Flags().String("apply", "new", "`WHICH` credentials it is for: new or all")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		policy, err := readPolicy(args[1])
		if err != nil {
			return err
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		done, err := c.ChangePolicy(cmd.Context(), args[0], api.ChangePolicyRequest{Policy: policy, Apply: *apply})
		if err != nil {
			return err
		}
		if done.Operation != nil {
			if done.Operation, err = finished(cmd.Context(), c, done.Operation); err != nil {
				return err
			}
		}
		if o.json {
			return printJSON(cmd.OutOrStdout(), done)
		}
		pairs := []string{"Tenant", done.Tenant.ID, "For", "new credentials"}
		if done.Operation != nil {
			pairs = []string{"Tenant", done.Tenant.ID, "For", fmt.Sprintf("all %d credentials", done.Operation.Done)}
		}
		return details(cmd.OutOrStdout(), pairs...)
	}
	return cmd
}

// finished waits for an operation to end, and is an error where it could not do all.
func finished(ctx context.Context, c *client.Client, o *api.Operation) (*api.Operation, error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for o.State != "done" {
		select {
		case <-ctx.Done():
			return o, fmt.Errorf("waiting for operation %s: %w", o.ID, ctx.Err())
		case <-tick.C:
		}
		var err error
		if o, err = c.Operation(ctx, o.ID); err != nil {
			return o, err
		}
	}
	if o.FailedTotal > 0 {
		why := "unknown"
		if len(o.Failed) > 0 {
			why = o.Failed[0].Message
		}
		return o, fmt.Errorf("%d of %d credentials were left as they are: %s", o.FailedTotal, o.Total, why)
	}
	return o, nil
}

// readPolicy reads a policy's file. A rule that is not known is an error: left out silently, it
// would be none.
func readPolicy(file string) (policy api.Policy, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return policy, fmt.Errorf("reading the policy: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&policy); err != nil {
		return policy, hinted("Begin with what claviger policy show prints.", "reading the policy: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return policy, hinted("Give a file with one JSON object.", "reading the policy: there is more in the file than one")
	}
	return policy, nil
}

// tenantAndPolicy requires a tenant's ID and a file.
func tenantAndPolicy(cmd *cobra.Command, args []string) error {
	if len(args) == 2 {
		return nil
	}
	return &usageError{
		err:  errors.New(cmd.CommandPath() + " takes two arguments: the " + argumentTenant + ", and the policy's file"),
		hint: "Run: " + cmd.CommandPath() + " --help",
	}
}
