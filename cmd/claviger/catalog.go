package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
)

func (p *program) catalogCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "List the APIs that apps can be given, or replace them",
		Long:  "List the vendor's APIs, and say which of them you may choose for an app.",
		Args:  noArguments,
	}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		catalog, err := c.Catalog(cmd.Context())
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(cmd.OutOrStdout(), catalog)
		}
		t := newTable(cmd.OutOrStdout(), "API", "NAME", "GROUP", "DOCUMENTATION", "YOU MAY CHOOSE IT")
		for _, g := range catalog.Groups {
			for _, a := range g.APIs {
				may := "yes"
				if why, no := catalog.NotChoosable[a.Key]; no {
					may = "no: " + why
				}
				t.row(a.Key, a.Name, g.Name, a.DocumentationURL, may)
			}
		}
		return t.flush()
	}
	cmd.AddCommand(p.catalogReplaceCommand())
	return cmd
}

func (p *program) catalogReplaceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replace FILE",
		Short: "Replace the catalogue by a JSON file; system administrators only",
		Long: "Replace the catalogue by what a JSON file says: groups with APIs, clients and licences. Apps and licences\n" +
			"feel it at once. What is there now is the answer of claviger catalog --json, without choosable and\n" +
			"not_choosable. Where the file has a revision, it must be the present one.",
		Args: oneArgument("catalogue's file"),
	}
	o := p.take(cmd, callerSettings...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		data, err := os.ReadFile(args[0])
		if err != nil {
			return fmt.Errorf("reading the catalogue: %w", err)
		}
		var to api.Catalog
		if err := json.Unmarshal(data, &to); err != nil {
			return fmt.Errorf("reading the catalogue: %w", err)
		}
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		if to.Revision == 0 {
			now, err := c.Catalog(cmd.Context())
			if err != nil {
				return err
			}
			to.Revision = now.Revision
		}
		made, err := c.ChangeCatalog(cmd.Context(), to)
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(cmd.OutOrStdout(), made)
		}
		return details(cmd.OutOrStdout(), "Revision", fmt.Sprint(made.Revision), "Groups", fmt.Sprint(len(made.Groups)),
			"Clients", fmt.Sprint(len(made.Clients)), "Licences", fmt.Sprint(len(made.Licences)))
	}
	return cmd
}
