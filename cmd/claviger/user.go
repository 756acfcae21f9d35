package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/client"
)

const argumentUser = "user's ID, such as usr_01jd3x8q4w9k2m5n7p0r6t8v1y"

func (p *program) userCommand() *cobra.Command {
	k := object[api.UserCredential]{
		p: p, header: []string{"ID", "KIND", "NAME", "STATE", "EXPIRES", "LAST USED", "YOU MAY"},
		row: func(k *api.UserCredential) []string {
			return []string{k.ID, k.Kind, k.Name, k.State, when(k.ExpiresAt, "never"), when(k.LastUsedAt, "never"), strings.Join(k.Actions, ", ")}
		},
	}
	return group("user", "Look at a user's credentials, and decide about them when the user leaves",
		"Deal with users who leave. The caller's credential comes from CLAVIGER_CREDENTIAL or --credential-file, and\n"+
			"its user must hold claviger.users:manage, and the right to change each credential that is named.",
		k.list("credentials ID", "List the active and suspended credentials of a user", oneArgument(argumentUser),
			func(c *client.Client, cmd *cobra.Command, args []string) iter.Seq2[api.UserCredential, error] {
				return c.UserCredentials(cmd.Context(), args[0])
			}),
		p.offboardCommand(),
	)
}

// fates are the flags of offboard that say what happens to credentials.
type fates struct {
	suspend, revoke []string
	handOver        map[string]string
}

func (f fates) list() (list []api.CredentialFate) {
	for _, id := range f.suspend {
		list = append(list, api.CredentialFate{ID: id, Action: "suspend"})
	}
	for _, id := range f.revoke {
		list = append(list, api.CredentialFate{ID: id, Action: "revoke"})
	}
	for _, id := range slices.Sorted(maps.Keys(f.handOver)) {
		list = append(list, api.CredentialFate{ID: id, Action: "hand_over", To: f.handOver[id]})
	}
	return list
}

func (p *program) offboardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "offboard ID",
		Short: "Suspend, revoke or hand over a user's credentials, and suspend or delete the user",
		Long: "Decide about a user who leaves and about their credentials: all of it happens, or nothing.\n" +
			"What is handed over gets a new secret at once, and the one before stops working. The new secret is shown to\n" +
			"its new owner: you see those that you take over yourself, others rotate theirs.\n" +
			"Credentials that are not named stop with a suspended user. Of a deleted user API keys end, and every client\n" +
			"credential has to be named.",
		Args: oneArgument(argumentUser),
	}
	o := p.take(cmd, callerSettings...)
	var f fates
	var then string
	cmd.Flags().StringVar(&then, "then", "", "what becomes of the user: `WHAT` is suspend or delete (default: nothing)")
	cmd.Flags().StringSliceVar(&f.suspend, "suspend", nil, "credentials to suspend: `ID,…`")
	cmd.Flags().StringSliceVar(&f.revoke, "revoke", nil, "credentials to end for good: `ID,…`")
	cmd.Flags().StringToStringVar(&f.handOver, "hand-over", nil, "credentials to hand over, each to a user: `ID=USER,…`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r := api.OffboardUserRequest{Then: then, Credentials: f.list()}
		if then == "" && len(r.Credentials) == 0 {
			return &usageError{err: errors.New("nothing to do"), hint: "Name credentials with --suspend, --revoke or --hand-over, or the user's end with --then."}
		}
		return p.offboard(cmd.Context(), cmd.OutOrStdout(), o, args[0], r)
	}
	return cmd
}

func (p *program) offboard(ctx context.Context, out io.Writer, o *options, id string, r api.OffboardUserRequest) error {
	c, err := p.connect(o)
	if err != nil {
		return err
	}
	done, err := c.OffboardUser(ctx, id, r)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(out, done)
	}
	if err := details(out, "User", done.User.ID, "Name", done.User.Username, "State", done.User.State); err != nil {
		return err
	}
	if len(done.Credentials) == 0 {
		return nil
	}
	_, _ = fmt.Fprintln(out)
	t := newTable(out, "ID", "NAME", "STATE", "OWNER", "NEW SECRET")
	for _, k := range done.Credentials {
		t.row(k.ID, k.Name, k.State, nameOr(k.Owner), newSecret(id, k))
	}
	return t.flush()
}

// newSecret is a credential's new secret, or how its owner gets one.
func newSecret(user string, k api.OffboardedCredential) string {
	switch {
	case k.SecretAvailable:
		return k.Secret.Reveal()
	case k.Owner.ID != user:
		return "the owner rotates it"
	}
	return ""
}
