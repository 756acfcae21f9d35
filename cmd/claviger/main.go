// Command claviger issues, shows, rotates, revokes and verifies API credentials: it is
// the server, and the program with which people and scripts speak to one.
//
// Data goes to stdout; errors go to stderr as "claviger: error: …", followed by
// "claviger: hint: …" where there is something to be done about it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit statuses. Scripts may rely on them.
const (
	exitOK     = 0
	exitError  = 1
	exitUsage  = 2
	exitDenied = 3 // claviger verify: the answer came, and it is no
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv)) }

// run is main with its surroundings given, so that nothing else reads them.
func run(args []string, in io.Reader, out, errOut io.Writer, env func(string) (string, bool)) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	root := newRoot(env)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	var status statusError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status):
		return int(status)
	}
	report(errOut, err)
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitError
}

// statusError ends the program with a status and without a message: what there is to say
// has been said as data.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func newRoot(env func(string) (string, bool)) *cobra.Command {
	root := &cobra.Command{
		Use:   "claviger",
		Short: "Issue, rotate, revoke and verify API credentials",
		Long: "Claviger issues, shows, rotates, revokes and verifies API credentials.\n\n" +
			"Every flag can also be given in the environment: --max-staleness is CLAVIGER_MAX_STALENESS.\n" +
			"A flag wins over the environment.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{err: err, hint: "Run: " + cmd.CommandPath() + " --help"}
	})
	p := &program{env: env}
	root.AddCommand(
		p.serveCommand(), p.demoCommand(), p.firstAdminCommand(), p.verifyCommand(),
		p.apiKeyCommand(), p.appCommand(), p.serviceAccountCommand(), p.clientCredentialCommand(), p.userCommand(), p.tokenCommand(), p.signingKeyCommand(), p.catalogCommand(), p.policyCommand(),
		p.auditCommand(), p.backupCommand(), p.restoreCommand(), p.noticeCommand(), p.outboxCommand(), p.versionCommand(),
		p.webhookCommand(), p.importCommand(),
	)
	return root
}

// program is what the commands share.
type program struct {
	env func(string) (string, bool)
}

// noArguments is cobra.NoArgs with the program's own words and a hint.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return &usageError{
			err:  fmt.Errorf("%s has no command %q", cmd.CommandPath(), args[0]),
			hint: "Run: " + cmd.CommandPath() + " --help",
		}
	}
	return &usageError{
		err:  fmt.Errorf("%s takes no argument", cmd.CommandPath()),
		hint: "Run: " + cmd.CommandPath() + " --help",
	}
}

// oneArgument requires exactly one argument, named for people.
func oneArgument(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return &usageError{
			err:  fmt.Errorf("%s takes exactly one argument: the %s", cmd.CommandPath(), name),
			hint: "Run: " + cmd.CommandPath() + " --help",
		}
	}
}

// oneKeyID requires exactly one key's ID.
func oneKeyID(cmd *cobra.Command, args []string) error {
	return oneArgument("key's ID, such as crd_8fK2mPq0Zr4T")(cmd, args)
}
