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

func (p *program) appCommand() *cobra.Command {
	k := object[api.App]{
		p: p, idOf: "app's ID, such as app_01jd3x8q4w9k2m5n7p0r6t8v1y", pairs: appPairs,
		header: []string{"ID", "NAME", "STATE", "APIS", "CREATED", "LAST USED", "KEY"},
		row: func(a *api.App) []string {
			return []string{a.ID, a.Name, a.State, strings.Join(apiNames(a), ", "), when(&a.CreatedAt, ""), when(a.LastUsedAt, "never"), a.Hint}
		},
	}
	var f client.AppFilter
	list := k.list("list", "List apps", noArguments, func(c *client.Client, cmd *cobra.Command, _ []string) iter.Seq2[api.App, error] {
		return c.Apps(cmd.Context(), f)
	})
	list.Flags().StringVar(&f.OrganizationID, "organization", "", "apps at and below the organization with this `ID`")
	list.Flags().StringVar(&f.State, "state", "", "`STATE`: active or suspended")
	list.Flags().StringVar(&f.Search, "search", "", "`PART` of a word in a visible column")
	list.Flags().BoolVar(&f.IncludeDeleted, "include-deleted", false, "also deleted apps")
	return group("app", "Create, list, change, rotate and delete apps",
		"Manage apps on a server. The caller's credential comes from CLAVIGER_CREDENTIAL or --credential-file,\n"+
			"and its user must hold claviger.apps:manage.",
		p.appCreateCommand(), list, appChangeCommand(k),
		rotateCommand(p, k.idOf, "Give an app a new key and a new secret", (*client.Client).RotateApp, printIssuedApp),
		k.action("finish-rotation", finishRotationShort, (*client.Client).FinishAppRotation),
		k.action("roll-back", rollBackShort, (*client.Client).RollBackApp),
		previousUsesCommand(p, oneArgument(k.idOf), (*client.Client).AppPreviousUses),
		k.action("show", "Show an app, without its key and secret", (*client.Client).App),
		k.action("suspend", "Stop an app until it is resumed", (*client.Client).SuspendApp),
		k.action("resume", "Let a suspended app go on", (*client.Client).ResumeApp),
		k.end("End an app, its key and its tokens for good", (*client.Client).DeleteApp),
	)
}

func (p *program) appCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create --name NAME --apis API,…",
		Short: "Make an app with its key and secret",
		Long: "Make an app, and print its key and its secret, one a line. claviger catalog lists the APIs.\n" +
			"What else it is goes to stderr.",
		Args: noArguments,
	}
	o := p.take(cmd, callerSettings...)
	var r api.CreateAppRequest
	var expires string
	tenant := tenantFlag(cmd)
	cmd.Flags().StringVar(&r.Name, "name", "", "`NAME` by which people recognize the app")
	cmd.Flags().StringSliceVar(&r.APIs, "apis", nil, "`API,…` of the catalogue that it may call")
	cmd.Flags().StringVar(&r.OrganizationID, "organization", "", "the organization's `ID` (default: the account)")
	cmd.Flags().StringVar(&expires, "expires", "", "`WHEN` it ends: a date, a time, or a duration such as 90d or 12h")
	cmd.Flags().StringSliceVar(&r.Networks, "networks", nil, "`CIDR,…` it may be used from (default: anywhere)")
	cmd.Flags().StringVar(&r.ExternalID, "external-id", "", "your own `ID` for it")
	cmd.Flags().StringToStringVar(&r.Metadata, "metadata", nil, "your own `NAME=VALUE,…` for it")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if r.Name == "" || len(r.APIs) == 0 {
			return &usageError{err: fmt.Errorf("an app needs a name and at least one API"), hint: "Give them with --name and --apis."}
		}
		var err error
		if r.ExpiresAt, err = parseWhen(expires, time.Now()); err != nil {
			return err
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		made, err := c.InTenant(*tenant).CreateApp(cmd.Context(), r)
		if err != nil {
			return err
		}
		return printIssuedApp(cmd, o, made)
	}
	return cmd
}

func appChangeCommand(k object[api.App]) *cobra.Command {
	var name string
	var apis, networks []string
	cmd := k.change("change", "Rename an app, or choose other APIs for it", "", func(c *client.Client, cmd *cobra.Command, id string) (*api.App, error) {
		return c.ChangeApp(cmd.Context(), id, api.ChangeAppRequest{
			Name: given(cmd, "name", &name), APIs: given(cmd, "apis", &apis), Networks: given(cmd, "networks", &networks),
		})
	})
	cmd.Flags().StringVar(&name, "name", "", "the new `NAME`")
	cmd.Flags().StringSliceVar(&apis, "apis", nil, "`API,…` that it may call from now on")
	cmd.Flags().StringSliceVar(&networks, "networks", nil, "`CIDR,…` it may be used from")
	return cmd
}

func printIssuedApp(cmd *cobra.Command, o *options, a *api.IssuedApp) error {
	return printSecrets(cmd, o, a, a.SecretAvailable, "Rotate it for new ones: claviger app rotate "+a.ID, appPairs(&a.App), a.Key, a.Secret)
}

func apiNames(a *api.App) []string {
	var names []string
	for _, chosen := range a.APIs {
		names = append(names, chosen.Key)
	}
	return names
}

func appPairs(a *api.App) []string {
	pairs := []string{
		"ID", a.ID, "Name", a.Name, "State", a.State, "APIs", strings.Join(apiNames(a), ", "), "Key", a.Hint,
		"Credential", a.CredentialID, "Organization", a.OrganizationID, "Created", when(&a.CreatedAt, ""),
		"Expires", when(a.ExpiresAt, "never"), "Last used", when(a.LastUsedAt, "never"), "Secret version", fmt.Sprint(a.SecretVersion),
	}
	if a.PreviousUntil != nil {
		pairs = append(pairs, "Secret before", "until "+when(a.PreviousUntil, ""))
	}
	if a.ExternalID != "" {
		pairs = append(pairs, "External ID", a.ExternalID)
	}
	return pairs
}
