package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

func (p *program) apiKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "api-key",
		Short: "Issue, list, rename, suspend, rotate and revoke API keys",
		Long: "Manage API keys on a server. The caller's credential comes from CLAVIGER_CREDENTIAL or --credential-file,\n" +
			"and its user must hold claviger.api_keys:generate, or claviger.api_keys:manage for keys of others, or\n" +
			"claviger.organization_keys:generate for keys of organizations.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		p.apiKeyIssueCommand(), p.apiKeyListCommand(), p.apiKeyRenameCommand(), p.apiKeyChangeCommand(), p.apiKeyRotateCommand(), p.apiKeyDeleteCommand(),
		p.apiKeyActionCommand("show", "Show an API key, without its secret", (*client.Client).APIKey),
		p.apiKeyActionCommand("suspend", "Stop an API key until it is resumed", (*client.Client).SuspendAPIKey),
		p.apiKeyActionCommand("resume", "Let a suspended API key verify again", (*client.Client).ResumeAPIKey),
		p.apiKeyActionCommand("finish-rotation", finishRotationShort, (*client.Client).FinishAPIKeyRotation),
		p.apiKeyActionCommand("roll-back", rollBackShort, (*client.Client).RollBackAPIKey),
		previousUsesCommand(p, oneKeyID, (*client.Client).APIKeyPreviousUses),
		p.apiKeyActionCommand("revoke", "End an API key for good", (*client.Client).RevokeAPIKey),
	)
	return cmd
}

func (p *program) apiKeyIssueCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issue --name NAME",
		Short: "Make an API key; its secret is shown this once",
		Long: "Make an API key for the caller, and print it. The key is shown this once.\n" +
			"Without --json stdout holds the key alone, for scripts; what it is goes to stderr.",
		Args: noArguments,
	}
	o := p.take(cmd, callerSettings...)
	var r api.IssueAPIKeyRequest
	var expires string
	cmd.Flags().StringVar(&r.Name, "name", "", "`NAME` by which people recognize the key")
	cmd.Flags().StringVar(&r.OrganizationID, "organization", "", "make a key of the organization with this `ID`, which signs its people in")
	tenant := tenantFlag(cmd)
	cmd.Flags().StringVar(&r.OwnerID, "owner", "", "user `ID` it shall speak for; system callers only (default: yourself)")
	cmd.Flags().StringVar(&expires, "expires", "", "`WHEN` it ends: a date, a time, or a duration such as 90d or 12h")
	cmd.Flags().StringSliceVar(&r.Networks, "networks", nil, "`CIDR,…` it may be used from (default: anywhere)")
	cmd.Flags().StringVar(&r.ExternalID, "external-id", "", "your own `ID` for it")
	cmd.Flags().StringToStringVar(&r.Metadata, "metadata", nil, "your own `NAME=VALUE,…` for it")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if r.Name == "" {
			return &usageError{err: fmt.Errorf("a key needs a name"), hint: "Give one with --name."}
		}
		if r.OrganizationID != "" {
			r.Kind = "organization_key"
		}
		var err error
		if r.ExpiresAt, err = parseWhen(expires, time.Now()); err != nil {
			return err
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		k, err := c.InTenant(*tenant).IssueAPIKey(cmd.Context(), r)
		if err != nil {
			return err
		}
		return printIssued(cmd, o, k)
	}
	return cmd
}

func (p *program) apiKeyRotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate ID",
		Short: "Give an API key a new secret under the same ID",
		Args:  oneKeyID,
	}
	o := p.take(cmd, callerSettings...)
	grace := cmd.Flags().String("grace", "0s", "`DURATION` for which the secret before still verifies, up to 30d")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := parseDuration(*grace)
		if err != nil {
			return &usageError{err: fmt.Errorf("--grace: %w", err), hint: "Give a duration such as 24h or 7d."}
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		k, err := c.RotateAPIKey(cmd.Context(), args[0], d)
		if err != nil {
			return err
		}
		return printIssued(cmd, o, k)
	}
	return cmd
}

func (p *program) apiKeyListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List API keys",
		Args:  noArguments,
	}
	o := p.take(cmd, callerSettings...)
	var f client.APIKeyFilter
	var expiring string
	tenant := tenantFlag(cmd)
	cmd.Flags().StringVar(&f.Kind, "kind", "", "`KIND`: user_key or organization_key (default: both)")
	cmd.Flags().StringVar(&f.OrganizationID, "organization", "", "keys at and below the organization with this `ID`")
	cmd.Flags().StringVar(&f.OwnerID, "owner", "", "keys of the user with this `ID`")
	cmd.Flags().StringVar(&f.State, "state", "", "`STATE`: active, suspended, revoked or expired")
	cmd.Flags().StringVar(&f.Search, "search", "", "`PART` of a word in a visible column")
	cmd.Flags().StringVar(&expiring, "expiring", "", "keys that end before `WHEN`: a date, a time, or a duration such as 30d")
	cmd.Flags().BoolVar(&f.IncludeDeleted, "include-deleted", false, "also deleted and expired keys")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		before, err := parseWhen(expiring, time.Now())
		if err != nil {
			return err
		}
		if before != nil {
			f.ExpiringBefore = *before
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		return listAPIKeys(cmd, o, c.InTenant(*tenant), f)
	}
	return cmd
}

func tenantFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("tenant", "", "tenant `ID`; system callers only (default: your own)")
}

// listAPIKeys prints JSON lines as they come, so that long lists need no memory, and a
// table at the end, whose columns need to know every row.
func listAPIKeys(cmd *cobra.Command, o *options, c *client.Client, f client.APIKeyFilter) error {
	out := cmd.OutOrStdout()
	t := newTable(out, "ID", "NAME", "OWNER", "STATE", "EXPIRES", "LAST USED", "KEY")
	for k, err := range c.APIKeys(cmd.Context(), f) {
		if err != nil {
			return err
		}
		if o.json {
			if err := printJSONLine(out, k); err != nil {
				return err
			}
			continue
		}
		t.row(k.ID, k.Name, nameOr(k.Owner), k.State, when(k.ExpiresAt, "never"), when(k.LastUsedAt, "never"), k.Hint)
	}
	if o.json {
		return nil
	}
	return t.flush()
}

func (p *program) apiKeyRenameCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rename ID --name NAME",
		Short: "Give an API key another name",
		Args:  oneKeyID,
	}
	o := p.take(cmd, callerSettings...)
	name := cmd.Flags().String("name", "", "the new `NAME`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *name == "" {
			return &usageError{err: fmt.Errorf("no new name"), hint: "Give one with --name."}
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		k, err := c.RenameAPIKey(cmd.Context(), args[0], *name)
		if err != nil {
			return err
		}
		return printAPIKey(cmd.OutOrStdout(), o, k)
	}
	return cmd
}

func (p *program) apiKeyChangeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "change ID",
		Short: "Change an organization's key: its name, or when it ends",
		Long:  "Change an organization's key. Of a user's key the name is all that can be changed.",
		Args:  oneKeyID,
	}
	o := p.take(cmd, callerSettings...)
	name := cmd.Flags().String("name", "", "the new `NAME`")
	expires := cmd.Flags().String("expires", "", "`WHEN` it ends: a date, a time, a duration such as 90d, or never")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r := api.ChangeAPIKeyRequest{Name: given(cmd, "name", name), NeverExpires: *expires == "never"}
		if !r.NeverExpires {
			var err error
			if r.ExpiresAt, err = parseWhen(*expires, time.Now()); err != nil {
				return err
			}
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		k, err := c.ChangeAPIKey(cmd.Context(), args[0], r)
		if err != nil {
			return err
		}
		return printAPIKey(cmd.OutOrStdout(), o, k)
	}
	return cmd
}

func (p *program) apiKeyDeleteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete ID",
		Short: "End an API key for good and hide it from lists",
		Args:  oneKeyID,
	}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		return c.DeleteAPIKey(cmd.Context(), args[0])
	}
	return cmd
}

type apiKeyAction func(*client.Client, context.Context, string) (*api.APIKey, error)

// apiKeyActionCommand is a command that takes an ID and prints the key as it is then.
func (p *program) apiKeyActionCommand(verb, short string, do apiKeyAction) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " ID", Short: short, Args: oneKeyID}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		k, err := do(c, cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return printAPIKey(cmd.OutOrStdout(), o, k)
	}
	return cmd
}

func printIssued(cmd *cobra.Command, o *options, k *api.IssuedAPIKey) error {
	if o.json {
		return printJSON(cmd.OutOrStdout(), k)
	}
	if !k.SecretAvailable {
		return hinted("Rotate it for a new secret: claviger api-key rotate "+k.ID,
			"the key %s was made by an earlier request, which its secret was shown to", k.ID)
	}
	if _, err := fmt.Fprintln(cmd.OutOrStdout(), k.Key.Reveal()); err != nil {
		return fmt.Errorf("writing the key: %w", err)
	}
	pairs := apiKeyPairs(&k.APIKey)
	return details(cmd.ErrOrStderr(), pairs...)
}

func printAPIKey(w io.Writer, o *options, k *api.APIKey) error {
	if o.json {
		return printJSON(w, k)
	}
	return details(w, apiKeyPairs(k)...)
}

func apiKeyPairs(k *api.APIKey) []string {
	pairs := []string{
		"ID", k.ID, "Name", k.Name, "State", k.State, "Key", k.Hint,
		"Owner", k.Owner.ID + " " + k.Owner.Name, "Organization", k.OrganizationID,
		"Created", when(&k.CreatedAt, ""), "Expires", when(k.ExpiresAt, "never"),
		"Last used", when(k.LastUsedAt, "never"), "Secret version", fmt.Sprint(k.SecretVersion),
	}
	if k.PreviousUntil != nil {
		pairs = append(pairs, "Secret before", "until "+when(k.PreviousUntil, ""))
	}
	if k.NotBefore != nil {
		pairs = append(pairs, "Not before", when(k.NotBefore, ""))
	}
	if k.ExternalID != "" {
		pairs = append(pairs, "External ID", k.ExternalID)
	}
	return pairs
}
