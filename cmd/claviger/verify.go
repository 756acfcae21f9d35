package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
)

func (p *program) verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify < KEY",
		Short: "Ask whether a credential is good, and for what",
		Long: "Read a credential from stdin and ask the server whether it is good right now. Credentials are never\n" +
			"arguments: other users of the machine could see them.\n\n" +
			"Exit status: 0 when it is valid, 3 when it is not, 1 when the question could not be answered.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{
					err:  fmt.Errorf("%s reads the credential from stdin", cmd.CommandPath()),
					hint: "Other users can see arguments. Pipe it in: " + cmd.CommandPath() + " < key.txt",
				}
			}
			return nil
		},
	}
	o := p.take(cmd, callerSettings...)
	var q api.VerifyRequest
	cmd.Flags().StringVar(&q.ID, "id", "", "the user `ID` that goes with the key (HTTP Basic)")
	cmd.Flags().StringVar(&q.Permissions, "permissions", "", "ask for these too, as a `QUERY` such as \"reports:read AND calls:read\"")
	cmd.Flags().StringVar(&q.SourceIP, "source-ip", "", "`ADDRESS` that the call came from")
	cmd.Flags().BoolVar(&q.DryRun, "dry-run", false, "charge nothing to the credential's limits")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		key, err := readSecret(cmd)
		if err != nil {
			return err
		}
		if q.ID != "" {
			q.Secret = api.Secret(key)
		} else {
			q.Credential = api.Secret(key)
		}
		v, err := c.Verify(cmd.Context(), q)
		if err != nil {
			return err
		}
		return printVerdict(cmd, o, v)
	}
	return cmd
}

func printVerdict(cmd *cobra.Command, o *options, v api.VerifyResponse) error {
	var err error
	if o.json {
		err = printJSON(cmd.OutOrStdout(), v)
	} else {
		err = details(cmd.OutOrStdout(), verdictPairs(v)...)
	}
	if err != nil {
		return err
	}
	if !v.Valid {
		return statusError(exitDenied)
	}
	return nil
}

func verdictPairs(v api.VerifyResponse) []string {
	pairs := []string{"Verdict", string(v.Code)}
	if v.CredentialID == "" {
		return pairs
	}
	pairs = append(pairs, "Credential", v.CredentialID, "Kind", v.Kind, "Tenant", v.TenantID, "Organization", v.OrganizationID)
	if v.Principal != nil {
		pairs = append(pairs, "Principal", v.Principal.Type+" "+v.Principal.ID)
	}
	pairs = append(pairs, "Expires", when(v.ExpiresAt, "never"), "Permissions", strings.Join(v.Permissions, ", "))
	if len(v.Missing) > 0 {
		pairs = append(pairs, "Missing", strings.Join(v.Missing, ", "))
	}
	for _, l := range v.Limits {
		pairs = append(pairs, "Limit "+l.Name, fmt.Sprintf("%d of %d left", l.Remaining, l.Limit))
	}
	return pairs
}
