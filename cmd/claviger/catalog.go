package main

import (
	"github.com/spf13/cobra"
)

func (p *program) catalogCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "List the APIs that apps can be given",
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
				if !a.Choosable {
					may = "no: " + a.Reason
				}
				t.row(a.Key, a.Name, g.Name, a.DocumentationURL, may)
			}
		}
		return t.flush()
	}
	return cmd
}
