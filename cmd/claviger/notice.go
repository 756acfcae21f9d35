package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/secret"
)

// smtpOf turns options into the settings of the mail server.
func smtpOf(o *options) (outbox.SMTP, error) {
	s := outbox.SMTP{Addr: o.smtpAddr, From: o.smtpFrom, Username: o.smtpUsername, TLS: outbox.SMTPTLS(o.smtpTLS)}
	if o.smtpPasswordFile != "" {
		data, err := os.ReadFile(o.smtpPasswordFile)
		if err != nil {
			return s, hinted("Name a file that this program may read with --smtp-password-file.", "reading the password for the mail server: %w", err)
		}
		s.Password = secret.New(strings.TrimRight(string(data), "\r\n"))
	}
	if !s.Given() && (s.From != "" || s.Username != "" || !s.Password.IsZero()) {
		return s, &usageError{err: errors.New("there are settings for mail, but no mail server"), hint: "Name it with --smtp-addr HOST:PORT."}
	}
	return s, nil
}

func (p *program) noticeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notice",
		Short: "Look after the mail that tells of keys which end soon",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.noticePreviewCommand(), p.noticeSendTestCommand())
	return cmd
}

func (p *program) noticeSendTestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "send-test ADDRESS",
		Short: "Send a mail, to see whether the settings work",
		Long: "Send a short mail with the settings that are given, at once and without a server of ours, and tell\n" +
			"what the mail server said. With --conversation every line is shown, but for the password.\n\n" +
			"Exit status: 0 when the mail server took the mail, 3 when it did not.",
		Args: oneArgument("address to send the mail to"),
	}
	o := p.take(cmd, append([]string{"json"}, mailSettings...)...)
	conversation := cmd.Flags().Bool("conversation", false, "show what is said, on stderr")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		smtp, err := smtpOf(o)
		if err != nil {
			return err
		}
		if !smtp.Given() {
			return &usageError{err: errors.New("no mail server to send with"), hint: "Name it with --smtp-addr HOST:PORT, as for: claviger serve"}
		}
		c := outbox.MailerConfig{SMTP: smtp}
		if *conversation {
			c.Trace = func(line string) { _, _ = fmt.Fprintln(cmd.ErrOrStderr(), printable(line)) }
		}
		mailer, err := outbox.NewMailer(c)
		if err != nil {
			return &usageError{err: err, hint: "Run: " + cmd.CommandPath() + " --help"}
		}
		answer, err := mailer.Deliver(cmd.Context(), "test-"+uuid.NewString(), testMail(args[0], time.Now()))
		return tellSendTest(cmd, o, args[0], answer, err)
	}
	return cmd
}

func testMail(to string, now time.Time) outbox.Mail {
	return outbox.Mail{
		To: to, Subject: "Test mail from Claviger",
		Text: "This mail was sent with: claviger notice send-test, at " + now.UTC().Format(time.RFC1123) + ".\n\n" +
			"It came through, so mail about keys that end soon will, too.\n",
	}
}

// sentTest is the outcome of a test mail for programs.
type sentTest struct {
	To        string `json:"to"`
	Server    string `json:"server"`
	Accepted  bool   `json:"accepted"`
	Permanent bool   `json:"permanent,omitempty"` // refused for good: the server would not try again
	Status    int    `json:"status,omitempty"`
	Answer    string `json:"answer"`
}

func tellSendTest(cmd *cobra.Command, o *options, to, answer string, err error) error {
	out := sentTest{To: to, Server: o.smtpAddr, Accepted: err == nil, Answer: answer}
	var failure *outbox.Failure
	if err != nil {
		out.Answer = err.Error()
		if errors.As(err, &failure) {
			out.Permanent, out.Status = failure.Permanent, failure.Status
		}
	}
	if o.json {
		if e := printJSON(cmd.OutOrStdout(), out); e != nil {
			return e
		}
	} else if err == nil {
		_, e := fmt.Fprintf(cmd.OutOrStdout(), "%s took the mail for %s: %s\n", printable(out.Server), printable(to), printable(answer))
		return e
	}
	if err == nil {
		return nil
	}
	if !o.json {
		report(cmd.ErrOrStderr(), hinted("See every line that was said with --conversation.", "the mail was not sent: %w", err))
	}
	return statusError(exitDenied)
}
