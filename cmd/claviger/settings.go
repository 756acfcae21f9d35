package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// setting is one row of the table from which flags, the environment and the help come.
// The environment's name is CLAVIGER_ and the flag's, in capitals, with underscores.
type setting struct {
	flag  string
	usage string
	value func(*options) pflag.Value
}

// settings is the whole table. A command takes the rows it names.
var settings = []setting{
	// The server.
	{"addr", "`HOST:PORT` to listen at; port 0 takes a free one", text(func(o *options) *string { return &o.addr }, "127.0.0.1:8080")},
	{"data", "`FOLDER` for the database, the keyring and the journals", text(func(o *options) *string { return &o.data }, "./data")},
	{"database", "database `URL`: sqlite:PATH or postgres://… (default sqlite:DATA/claviger.db)", text(func(o *options) *string { return &o.database }, "")},
	{"keyring", "`FILE` with the keys that stay outside the database (default DATA/keyring.json)", text(func(o *options) *string { return &o.keyring }, "")},
	{"journal", "`FILE` of the revocation journal (default DATA/revocations.journal)", text(func(o *options) *string { return &o.journal }, "")},
	{"checkpoints", "`FILE` of the signed audit checkpoints (default DATA/checkpoints.jsonl)", text(func(o *options) *string { return &o.checkpoints }, "")},
	{"brand", "`LETTERS` that keys begin with", text(func(o *options) *string { return &o.brand }, "clv")},
	{"tls-cert", "`FILE` with the certificate chain, PEM", text(func(o *options) *string { return &o.tlsCert }, "")},
	{"tls-key", "`FILE` with the certificate's private key, PEM", text(func(o *options) *string { return &o.tlsKey }, "")},
	{"behind-proxy", "`CIDR,…` of the proxies that end TLS; others are refused", networks(func(o *options) *networkList { return &o.behindProxy })},
	{"trusted-proxies", "`CIDR,…` whose X-Forwarded-* and X-Original-URI headers are believed", networks(func(o *options) *networkList { return &o.trustedProxies })},
	{"public-url", "`URL` at which people reach the console, for links (default: the address listened at)", text(func(o *options) *string { return &o.publicURL }, "")},
	{"token-algorithm", "`ALGORITHM` that signs access and session tokens: ES256 or RS256", choice(func(o *options) *string { return &o.tokenAlgorithm }, "ES256", "RS256")},
	{"token-audience", "`NAME` or URL of your APIs, the aud of tokens (default: the public URL)", text(func(o *options) *string { return &o.tokenAudience }, "")},
	{"max-staleness", "how old the index may be before verification answers 503, as `DURATION`", duration(func(o *options) *durationValue { return &o.maxStaleness }, "30s")},
	{"smtp-addr", "`HOST:PORT` of the server that takes mail; without one, mail waits", text(func(o *options) *string { return &o.smtpAddr }, "")},
	{"smtp-from", "`ADDRESS` that mail comes from, such as claviger@example.com", text(func(o *options) *string { return &o.smtpFrom }, "")},
	{"smtp-username", "`NAME` to sign in to the mail server with; without one, nobody signs in", text(func(o *options) *string { return &o.smtpUsername }, "")},
	{"smtp-password-file", "`FILE` with the password for the mail server", text(func(o *options) *string { return &o.smtpPasswordFile }, "")},
	{"smtp-tls", "`HOW` the way to the mail server is protected: starttls, implicit (TLS from the first byte) or none", choice(func(o *options) *string { return &o.smtpTLS }, "starttls", "implicit", "none")},
	{"webhook-allow", "`CIDR,…` in which webhooks may be although they are not public, over http too", networks(func(o *options) *networkList { return &o.webhookAllow })},
	{"ready-file", "`FILE` to write the URL to once the server answers", text(func(o *options) *string { return &o.readyFile }, "")},
	{"log-format", "`FORMAT` of the log on stderr: text or json", choice(func(o *options) *string { return &o.logFormat }, "text", "json")},
	// The commands that speak to a server.
	{"url", "`URL` of the server", text(func(o *options) *string { return &o.url }, "http://127.0.0.1:8080")},
	{"credential-file", "`FILE` with the credential to call with (default: CLAVIGER_CREDENTIAL)", text(func(o *options) *string { return &o.credentialFile }, "")},
	{"json", "print JSON for programs instead of tables for people", onOff(func(o *options) *bool { return &o.json })},
}

// The rows that go together.
var (
	databaseSettings = []string{"data", "database", "keyring", "journal", "checkpoints", "brand", "log-format"}
	mailSettings     = []string{"smtp-addr", "smtp-from", "smtp-username", "smtp-password-file", "smtp-tls"}
	serverSettings   = slices.Concat([]string{
		"addr", "tls-cert", "tls-key", "behind-proxy", "trusted-proxies", "public-url", "token-algorithm", "token-audience", "max-staleness", "webhook-allow", "ready-file",
	}, mailSettings, databaseSettings)
	demoSettings   = []string{"addr", "data", "ready-file", "log-format"}
	callerSettings = []string{"url", "credential-file", "json"}
)

// options holds the values of all rows.
type options struct {
	addr, data, database, keyring, journal, checkpoints string
	brand, tlsCert, tlsKey, readyFile, logFormat        string
	behindProxy, trustedProxies, webhookAllow           networkList
	maxStaleness                                        durationValue
	publicURL, tokenAlgorithm, tokenAudience            string

	smtpAddr, smtpFrom, smtpUsername, smtpPasswordFile, smtpTLS string

	url, credentialFile string
	json                bool
}

// environmentName is where a flag's value is looked for when the flag isn't given.
func environmentName(flag string) string {
	return "CLAVIGER_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// take gives the command the named rows, and makes the environment fill those that no
// flag was given for, before the command runs.
func (p *program) take(cmd *cobra.Command, names ...string) *options {
	o := &options{}
	for _, name := range names {
		s := settingNamed(name)
		f := cmd.Flags().VarPF(s.value(o), s.flag, "", s.usage+" ["+environmentName(s.flag)+"]")
		if f.Value.Type() == "bool" {
			f.NoOptDefVal = "true"
		}
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range names {
			if err := p.fromEnvironment(cmd, name); err != nil {
				return err
			}
		}
		return nil
	}
	return o
}

func settingNamed(name string) setting {
	for _, s := range settings {
		if s.flag == name {
			return s
		}
	}
	panic("no setting is called " + name)
}

func (p *program) fromEnvironment(cmd *cobra.Command, flag string) error {
	value, ok := p.env(environmentName(flag))
	if !ok || value == "" || cmd.Flags().Changed(flag) {
		return nil
	}
	if err := cmd.Flags().Lookup(flag).Value.Set(value); err != nil {
		return &usageError{
			err:  fmt.Errorf("%s cannot be used: %w", environmentName(flag), err),
			hint: "It is the environment's form of --" + flag + "; run: " + cmd.CommandPath() + " --help",
		}
	}
	return nil
}

// credential reads what the command calls with. It is never a flag: other users of the
// machine can see a program's arguments.
func (p *program) credential(o *options) (string, error) {
	if o.credentialFile != "" {
		data, err := os.ReadFile(o.credentialFile)
		if err != nil {
			return "", fmt.Errorf("reading the credential: %w", err)
		}
		return strings.TrimSpace(string(data)), nil
	}
	if value, ok := p.env("CLAVIGER_CREDENTIAL"); ok && value != "" {
		return strings.TrimSpace(value), nil
	}
	return "", &usageError{
		err:  fmt.Errorf("no credential to call with"),
		hint: "Set CLAVIGER_CREDENTIAL, or name a file that holds one with --credential-file.",
	}
}
