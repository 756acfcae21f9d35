package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
)

func (p *program) noticePreviewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "preview",
		Short: "What will be said next, and to whom",
		Long: "What people will be told next of credentials that expire, and who. Nothing is sent.\n\n" +
			"TOLD is when; what is due already goes out within a quarter of an hour.",
		Args: noArguments,
	}
	o := p.take(cmd, callerSettings...)
	tenant := tenantFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := p.connect(o)
		if err != nil {
			return err
		}
		preview, err := c.InTenant(*tenant).NoticePreview(cmd.Context())
		if err != nil {
			return err
		}
		if o.json {
			return printJSON(cmd.OutOrStdout(), preview)
		}
		return printNoticePreview(cmd, preview)
	}
	return cmd
}

func printNoticePreview(cmd *cobra.Command, preview *api.NoticePreview) error {
	out, about := cmd.OutOrStdout(), cmd.ErrOrStderr()
	if err := details(about, "Next digest", when(&preview.At, ""), "Days before", fmt.Sprint(preview.Days)); err != nil {
		return err
	}
	if len(preview.Recipients) == 0 {
		_, _ = fmt.Fprintln(about, "Nobody will be told: no administrator has an e-mail address.")
	}
	for _, r := range preview.Recipients {
		if err := details(about, "To", r.Username+" <"+r.Email+">"); err != nil {
			return err
		}
	}
	t := newTable(out, "ID", "NAME", "KIND", "EXPIRES", "DAYS", "TOLD")
	for _, i := range preview.Items {
		t.row(i.CredentialID, i.Name, i.Kind, when(&i.ExpiresAt, "never"), fmt.Sprint(i.Days), when(&i.At, ""))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if more := preview.Total - int64(len(preview.Items)); more > 0 {
		_, _ = fmt.Fprintf(about, "and %d more\n", more)
	}
	return nil
}
