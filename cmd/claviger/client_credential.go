package main

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

const argumentClient = "credential's ID, such as crd_8fK2mPq0Zr4T"

func (p *program) clientCredentialCommand() *cobra.Command {
	k := object[api.ClientCredential]{
		p: p, idOf: argumentClient, pairs: clientCredentialPairs,
		header: []string{"ID", "NAME", "LEVEL", "OWNER", "STATE", "CLIENT ID", "SCOPES"},
		row: func(k *api.ClientCredential) []string {
			return []string{k.ID, k.Name, k.Level, nameOr(k.Owner), k.State, k.ClientID, strings.Join(k.Scopes, " ")}
		},
	}
	var f client.ClientCredentialFilter
	list := k.list("list", "List API credentials: your own, or all where you administer them", noArguments,
		func(c *client.Client, cmd *cobra.Command, _ []string) iter.Seq2[api.ClientCredential, error] {
			return c.ClientCredentials(cmd.Context(), f)
		})
	list.Flags().StringVar(&f.Level, "level", "", "`LEVEL`: user or account")
	list.Flags().BoolVar(&f.Mine, "mine", false, "your own only")
	list.Flags().StringVar(&f.State, "state", "", "`STATE`: active, suspended, revoked or expired")
	list.Flags().StringVar(&f.Search, "search", "", "`PART` of a word in a visible column")
	list.Flags().BoolVar(&f.IncludeDeleted, "include-deleted", false, "also deleted and expired ones")
	return group("client-credential", "Create, list, change, rotate and revoke OAuth client credentials",
		"Manage client IDs and client secrets on a server. The caller's credential comes from CLAVIGER_CREDENTIAL\n"+
			"or --credential-file, and its user needs a licence that offers scopes.",
		p.clientCredentialCreateCommand(), list, p.scopesCommand(), clientCredentialChangeCommand(k),
		rotateCommand(p, k.idOf, "Make a new secret under the same client ID", (*client.Client).RotateClientCredential, printIssuedClientCredential),
		k.action("finish-rotation", finishRotationShort, (*client.Client).FinishClientCredentialRotation),
		k.action("roll-back", rollBackShort, (*client.Client).RollBackClientCredential),
		previousUsesCommand(p, oneArgument(k.idOf), (*client.Client).ClientCredentialPreviousUses),
		k.action("show", "Show an API credential, without its secret", (*client.Client).ClientCredential),
		k.action("suspend", "Stop an API credential until it is resumed", (*client.Client).SuspendClientCredential),
		k.action("resume", "Let a suspended API credential work again", (*client.Client).ResumeClientCredential),
		k.action("revoke", "End an API credential for good", (*client.Client).RevokeClientCredential),
		k.end("End an API credential for good and hide it from lists", (*client.Client).DeleteClientCredential),
	)
}

func (p *program) clientCredentialCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create --name NAME --scopes SCOPE,…",
		Short: "Make a client ID and a client secret, which is shown this once",
		Long: "Make a client credential, and print its client ID and its client secret, one a line. The secret is\n" +
			"shown this once. What else it is goes to stderr.",
		Args: noArguments,
	}
	o := p.take(cmd, callerSettings...)
	var r api.IssueClientCredentialRequest
	var expires string
	tenant := tenantFlag(cmd)
	cmd.Flags().StringVar(&r.Name, "name", "", "`NAME` by which people recognize it")
	cmd.Flags().StringSliceVar(&r.Scopes, "scopes", nil, "`SCOPE,…` of those that your licence offers")
	cmd.Flags().StringVar(&r.Level, "level", "user", "`LEVEL`: user, or account for one that belongs to the tenant")
	cmd.Flags().StringVar(&r.OwnerID, "owner", "", "user `ID` it shall belong to; system callers only (default: yourself)")
	cmd.Flags().StringVar(&expires, "expires", "", "`WHEN` it ends: a date, a time, or a duration such as 90d or 12h")
	cmd.Flags().StringVar(&r.ExternalID, "external-id", "", "your own `ID` for it")
	cmd.Flags().StringToStringVar(&r.Metadata, "metadata", nil, "your own `NAME=VALUE,…` for it")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if r.Name == "" || len(r.Scopes) == 0 {
			return &usageError{err: fmt.Errorf("an API credential needs a name and at least one scope"), hint: "Give them with --name and --scopes."}
		}
		var err error
		if r.ExpiresAt, err = parseWhen(expires, time.Now()); err != nil {
			return err
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		made, err := c.InTenant(*tenant).IssueClientCredential(cmd.Context(), r)
		if err != nil {
			return err
		}
		return printIssuedClientCredential(cmd, o, made)
	}
	return cmd
}

func (p *program) scopesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "scopes", Short: "List the scopes that you may choose from", Args: noArguments}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		offered, err := c.ClientCredentialScopes(cmd.Context())
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(cmd.OutOrStdout(), offered)
		}
		for _, scope := range offered.Scopes {
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), scope); err != nil {
				return fmt.Errorf("writing the scopes: %w", err)
			}
		}
		return nil
	}
	return cmd
}

func clientCredentialChangeCommand(k object[api.ClientCredential]) *cobra.Command {
	var name string
	var scopes []string
	cmd := k.change("change", "Change the name or the scopes", "", func(c *client.Client, cmd *cobra.Command, id string) (*api.ClientCredential, error) {
		return c.ChangeClientCredential(cmd.Context(), id, api.ChangeClientCredentialRequest{
			Name: given(cmd, "name", &name), Scopes: given(cmd, "scopes", &scopes),
		})
	})
	cmd.Flags().StringVar(&name, "name", "", "the new `NAME`")
	cmd.Flags().StringSliceVar(&scopes, "scopes", nil, "`SCOPE,…` from now on")
	return cmd
}

func printIssuedClientCredential(cmd *cobra.Command, o *options, k *api.IssuedClientCredential) error {
	return printSecrets(cmd, o, k, k.SecretAvailable, "Rotate it for a new secret: claviger client-credential rotate "+k.ID,
		clientCredentialPairs(&k.ClientCredential), api.Secret(k.ClientID), k.ClientSecret)
}

func clientCredentialPairs(k *api.ClientCredential) []string {
	pairs := []string{
		"ID", k.ID, "Name", k.Name, "State", k.State, "Client ID", k.ClientID, "Client secret", k.Hint, "Scopes", strings.Join(k.Scopes, " "),
		"Level", k.Level, "Owner", k.Owner.ID + " " + k.Owner.Name, "Created", when(&k.CreatedAt, ""),
		"Expires", when(k.ExpiresAt, "never"), "Last used", when(k.LastUsedAt, "never"), "Secret version", fmt.Sprint(k.SecretVersion),
	}
	if k.PreviousUntil != nil {
		pairs = append(pairs, "Secret before", "until "+when(k.PreviousUntil, ""))
	}
	return pairs
}

func nameOr(p api.Principal) string {
	if p.Name == "" {
		return p.ID
	}
	return p.Name
}
