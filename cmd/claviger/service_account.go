package main

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

func (p *program) serviceAccountCommand() *cobra.Command {
	k := object[api.ServiceAccount]{
		p: p, idOf: "service account's ID, such as sva_01jd3x8q4w9k2m5n7p0r6t8v1y", pairs: serviceAccountPairs,
		header: []string{"ID", "ACCOUNT E-MAIL", "STATE", "ROLES", "DESCRIPTION", "CREATED"},
		row: func(a *api.ServiceAccount) []string {
			return []string{a.ID, a.AccountEmail, a.State, fmt.Sprint(len(a.Roles)), a.Description, when(&a.CreatedAt, "")}
		},
	}
	var f client.ServiceAccountFilter
	list := k.list("list", "List service accounts", noArguments, func(c *client.Client, cmd *cobra.Command, _ []string) iter.Seq2[api.ServiceAccount, error] {
		return c.ServiceAccounts(cmd.Context(), f)
	})
	list.Flags().StringVar(&f.OrganizationID, "organization", "", "those at and below the organization with this `ID`")
	list.Flags().StringVar(&f.State, "state", "", "`STATE`: active or suspended")
	list.Flags().StringVar(&f.Search, "search", "", "`PART` of a word in a visible column")
	list.Flags().BoolVar(&f.IncludeDeleted, "include-deleted", false, "also deleted ones")
	return group("service-account", "Create, list, change and delete service accounts and their keys",
		"Manage service accounts on a server. The caller's credential comes from CLAVIGER_CREDENTIAL or\n"+
			"--credential-file, and its user must hold claviger.service_accounts:manage.",
		p.serviceAccountCreateCommand(k), list, serviceAccountChangeCommand(k),
		k.action("show", "Show a service account", (*client.Client).ServiceAccount),
		k.action("suspend", "Stop a service account until it is resumed", (*client.Client).SuspendServiceAccount),
		k.action("resume", "Let a suspended service account go on", (*client.Client).ResumeServiceAccount),
		k.end("End a service account and its keys for good", (*client.Client).DeleteServiceAccount),
		p.serviceAccountKeyCommand(k.idOf), p.serviceAccountJWTCommand(),
	)
}

func (p *program) serviceAccountCreateCommand(k object[api.ServiceAccount]) *cobra.Command {
	cmd := &cobra.Command{Use: "create", Short: "Make a service account with any number of roles", Args: noArguments}
	o := p.take(cmd, callerSettings...)
	var r api.CreateServiceAccountRequest
	tenant := tenantFlag(cmd)
	cmd.Flags().StringVar(&r.Description, "description", "", "`TEXT` that says what it is for")
	cmd.Flags().StringSliceVar(&r.Roles, "roles", nil, "role `ID,…` (default: none, and so the basic methods only)")
	cmd.Flags().StringVar(&r.OrganizationID, "organization", "", "the organization's `ID` (default: the account)")
	cmd.Flags().StringVar(&r.ExternalID, "external-id", "", "your own `ID` for it")
	cmd.Flags().StringToStringVar(&r.Metadata, "metadata", nil, "your own `NAME=VALUE,…` for it")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		made, err := c.InTenant(*tenant).CreateServiceAccount(cmd.Context(), r)
		if err != nil {
			return err
		}
		return k.print(cmd.OutOrStdout(), o, made)
	}
	return cmd
}

func serviceAccountChangeCommand(k object[api.ServiceAccount]) *cobra.Command {
	var description string
	var roles []string
	cmd := k.change("change", "Change the description or the roles", "", func(c *client.Client, cmd *cobra.Command, id string) (*api.ServiceAccount, error) {
		return c.ChangeServiceAccount(cmd.Context(), id, api.ChangeServiceAccountRequest{
			Description: given(cmd, "description", &description), Roles: given(cmd, "roles", &roles),
		})
	})
	cmd.Flags().StringVar(&description, "description", "", "the new `TEXT`")
	cmd.Flags().StringSliceVar(&roles, "roles", nil, "role `ID,…` that it has at its own organization from now on")
	return cmd
}

func serviceAccountPairs(a *api.ServiceAccount) []string {
	roles := make([]string, 0, len(a.Roles))
	for _, r := range a.Roles {
		roles = append(roles, r.RoleID)
	}
	return []string{
		"ID", a.ID, "Account e-mail", a.AccountEmail, "State", a.State, "Description", a.Description,
		"Roles", strings.Join(roles, ", "), "Organization", a.OrganizationID, "Created", when(&a.CreatedAt, "") + " by " + a.CreatedBy,
	}
}

func (p *program) serviceAccountKeyCommand(accountID string) *cobra.Command {
	k := object[api.ServiceAccountKey]{
		p: p, idOf: argumentClient, pairs: serviceAccountKeyPairs,
		header: []string{"ID", "KEY ID", "NAME", "STATE", "EXPIRES", "CREATED", "LAST USED"},
		row: func(k *api.ServiceAccountKey) []string {
			return []string{k.ID, k.KeyID, k.Name, k.State, when(k.ExpiresAt, "never"), when(&k.CreatedAt, ""), when(k.LastUsedAt, "never")}
		},
	}
	return group("key", "Make, list, rotate and revoke the keys of a service account", "",
		p.serviceAccountKeyIssueCommand(accountID),
		k.list("list ACCOUNT", "List the keys of a service account", oneArgument(accountID),
			func(c *client.Client, cmd *cobra.Command, args []string) iter.Seq2[api.ServiceAccountKey, error] {
				return c.ServiceAccountKeys(cmd.Context(), args[0])
			}),
		p.serviceAccountKeyRotateCommand(),
		k.action("finish-rotation", "Revoke a key whose place another takes, before its grace period is over", (*client.Client).FinishServiceAccountKeyRotation),
		k.action("roll-back", "Revoke the key that takes the place of this one, which goes on", (*client.Client).RollBackServiceAccountKey),
		previousUsesCommand(p, oneArgument(k.idOf), (*client.Client).ServiceAccountKeyPreviousUses),
		k.action("show", "Show a key of a service account", (*client.Client).ServiceAccountKey),
		k.action("suspend", "Stop a key until it is resumed", (*client.Client).SuspendServiceAccountKey),
		k.action("resume", "Let a suspended key work again", (*client.Client).ResumeServiceAccountKey),
		k.action("revoke", "End a key for good; the account's others go on", (*client.Client).RevokeServiceAccountKey),
		k.end("End a key for good and hide it from lists", (*client.Client).DeleteServiceAccountKey),
	)
}

func (p *program) serviceAccountKeyIssueCommand(accountID string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issue ACCOUNT",
		Short: "Make a key pair and print its JSON file, or take a public key",
		Long: "Make a key pair for a service account, and print the JSON file with which a program signs its tokens.\n" +
			"The private key is made for you and not kept: this is the only time it is shown. With --public-key the\n" +
			"pair is your own, and the private half never leaves you.",
		Args: oneArgument(accountID),
	}
	o := p.take(cmd, callerSettings...)
	var r api.IssueServiceAccountKeyRequest
	var expires, file, publicKey string
	cmd.Flags().StringVar(&r.Name, "name", "", "`NAME` by which people recognize the key")
	cmd.Flags().StringVar(&expires, "expires", "", "`WHEN` it ends: a date, a time, or a duration such as 90d or 12h")
	cmd.Flags().StringVar(&publicKey, "public-key", "", "`FILE` with your own RSA public key as PEM")
	cmd.Flags().StringVar(&file, "out", "", "`FILE` for the JSON, which must not exist yet (default: stdout)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if r.ExpiresAt, err = parseWhen(expires, time.Now()); err != nil {
			return err
		}
		if publicKey != "" {
			pem, err := os.ReadFile(publicKey)
			if err != nil {
				return fmt.Errorf("reading the public key: %w", err)
			}
			r.PublicKey = string(pem)
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		return saveKeyFile(cmd, o, file, func() (*api.IssuedServiceAccountKey, error) {
			return c.IssueServiceAccountKey(cmd.Context(), args[0], r)
		})
	}
	return cmd
}

func (p *program) serviceAccountKeyRotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate ID",
		Short: "Make a second key pair in the place of one, and print its JSON file",
		Long: "Make a second key pair with the name and networks of one, and print the JSON file with which a program\n" +
			"signs its tokens. Both work for the grace period; then the one before ends. With --public-key the pair\n" +
			"is your own.",
		Args: oneArgument(argumentClient),
	}
	o := p.take(cmd, callerSettings...)
	var file, publicKey string
	grace := cmd.Flags().String("grace", "0s", "`DURATION` for which the key before still works, up to 30d")
	cmd.Flags().StringVar(&publicKey, "public-key", "", "`FILE` with your own RSA public key as PEM")
	cmd.Flags().StringVar(&file, "out", "", "`FILE` for the JSON, which must not exist yet (default: stdout)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d, err := parseDuration(*grace)
		if err != nil {
			return &usageError{err: fmt.Errorf("--grace: %w", err), hint: "Give a duration such as 24h or 7d."}
		}
		r := api.RotateServiceAccountKeyRequest{GracePeriodSeconds: int64(d / time.Second)}
		if publicKey != "" {
			pem, err := os.ReadFile(publicKey)
			if err != nil {
				return fmt.Errorf("reading the public key: %w", err)
			}
			r.PublicKey = string(pem)
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		return saveKeyFile(cmd, o, file, func() (*api.IssuedServiceAccountKey, error) {
			return c.RotateServiceAccountKey(cmd.Context(), args[0], r)
		})
	}
	return cmd
}

// saveKeyFile makes a key and prints its file, or writes it. The file comes first: a private
// key that can't be kept would be lost.
func saveKeyFile(cmd *cobra.Command, o *options, file string, make func() (*api.IssuedServiceAccountKey, error)) error {
	out := cmd.OutOrStdout()
	if file != "" {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return hinted("Give another name, so that no key is lost.", "%s is there already", file)
		}
		if err != nil {
			return fmt.Errorf("making the key file: %w", err)
		}
		defer func() { _ = f.Close() }()
		out = f
	}
	made, err := make()
	if err != nil || made.KeyFile == nil {
		if file != "" {
			_ = os.Remove(file)
		}
		if err != nil {
			return err
		}
		return (object[api.ServiceAccountKey]{pairs: serviceAccountKeyPairs}).print(cmd.OutOrStdout(), o, &made.ServiceAccountKey)
	}
	if err := printJSON(out, made.KeyFile); err != nil {
		return err
	}
	return details(cmd.ErrOrStderr(), serviceAccountKeyPairs(&made.ServiceAccountKey)...)
}

func serviceAccountKeyPairs(k *api.ServiceAccountKey) []string {
	return []string{
		"ID", k.ID, "Key ID", k.KeyID, "Name", k.Name, "State", k.State, "Service account", k.ServiceAccountID,
		"Created", when(&k.CreatedAt, ""), "Expires", when(k.ExpiresAt, "never"), "Last used", when(k.LastUsedAt, "never"),
	}
}
