package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/claviger-io/claviger/internal/node"
)

// seedingName marks a folder whose demo is being made. When it is found later, the making
// was interrupted, and is done again.
const seedingName = "demo.seeding"

func (p *program) demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a demonstration with made-up customers, for development",
		Long: "Run a server with made-up customers, people and credentials in every state. The first start makes\n" +
			"them; later ones go on with what is there. Passwords and keys are printed and written to demo.json in\n" +
			"the data folder, so this is for development only: it listens at loopback addresses and nowhere else.",
		Args: noArguments,
	}
	o := p.take(cmd, demoSettings...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !loopbackHost(o.addr) {
			return hinted("Give --addr 127.0.0.1:PORT. To serve others, run: claviger serve",
				"the demo listens at loopback addresses only, and %s is not one", o.addr)
		}
		c, err := nodeConfig(o, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		d, err := openDemo(cmd.Context(), o.data, c)
		if err != nil {
			return err
		}
		// A page of somebody's web site could make its own name mean this machine, and so
		// read the demo from a visitor's browser.
		c.Hosts = demoHosts(o.addr)
		// A proxy that is tried with the demo is on this machine too.
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
		c.WebhookAllow = c.TrustedProxies // and so is a program that is told by webhooks
		n, err := node.Open(cmd.Context(), c)
		if err != nil {
			return err
		}
		return runNode(cmd.Context(), n, o, c.Logger, func() error {
			d.URL = n.URL()
			if err := d.save(o.data); err != nil {
				return err
			}
			return d.print(cmd.OutOrStdout(), filepath.Join(o.data, demoName))
		})
	}
	return cmd
}

// demoFile is demo.json.
type demoFile struct {
	URL            string       `json:"url"`
	VerifierKey    string       `json:"verifier_key"`
	SystemTenantID string       `json:"system_tenant_id"`
	SystemAdmin    demoAdmin    `json:"system_admin"`
	Tenants        []demoTenant `json:"tenants"`
}

type demoAdmin struct {
	Tenant   string `json:"tenant"`
	Username string `json:"username"`
	Password string `json:"password"`
}

type demoTenant struct {
	ID            string             `json:"id"`
	Slug          string             `json:"slug"`
	Name          string             `json:"name"`
	Model         string             `json:"model"`
	AccountID     int64              `json:"account_id"`
	Organizations []demoOrganization `json:"organizations"`
	Users         []demoUser         `json:"users"`
	Credentials   []demoCredential   `json:"credentials"`
}

type demoOrganization struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	ParentID *string `json:"parent_id"` // null for the root
}

type demoUser struct {
	ID             string `json:"id"`
	Username       string `json:"username"`
	Password       string `json:"password"`
	Role           string `json:"role"`
	OrganizationID string `json:"organization_id"`
}

// demoCredential names what verification will say of it in State: active, suspended,
// revoked, expired, deleted or not_yet_valid.
type demoCredential struct {
	ID             string   `json:"id"`
	Kind           string   `json:"kind"`
	Name           string   `json:"name"`
	State          string   `json:"state"`
	Owner          string   `json:"owner"`
	OrganizationID string   `json:"organization_id"`
	Permissions    []string `json:"permissions"`
	ExpiresAt      *string  `json:"expires_at"`
	Key            string   `json:"key,omitempty"`
	Secret         string   `json:"secret,omitempty"`
	UserID         string   `json:"user_id,omitempty"`
	ClientID       string   `json:"client_id,omitempty"`
	ClientSecret   string   `json:"client_secret,omitempty"`
	Scopes         []string `json:"scopes,omitempty"`
	KeyID          string   `json:"key_id,omitempty"`
	PrivateKeyFile string   `json:"private_key_file,omitempty"` // absolute; PEM, beside the JSON file of the same name
}

// loadDemo reads demo.json; fs.ErrNotExist when there is none.
func loadDemo(folder string) (*demoFile, error) {
	data, err := os.ReadFile(filepath.Join(folder, demoName))
	if err != nil {
		return nil, fmt.Errorf("reading the demo: %w", err)
	}
	d := &demoFile{}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, hinted("Remove the folder for a new demo.", "%s is damaged", filepath.Join(folder, demoName))
	}
	return d, nil
}

func (d *demoFile) save(folder string) error {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the demo: %w", err)
	}
	if err := node.WriteFileAtomic(filepath.Join(folder, demoName), append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", demoName, err)
	}
	return nil
}

// print tells people who they can be and what they can try.
func (d *demoFile) print(w io.Writer, path string) error {
	_, _ = fmt.Fprintf(w, "\nTHIS IS A DEMO, FOR DEVELOPMENT ONLY. Its passwords and keys are below and in %s.\n"+
		"Keep nothing real in it.\n\nIt runs at %s. People sign in with POST /v1/sessions:\n\n", path, d.URL)
	t := newTable(w, "TENANT", "USER NAME", "PASSWORD", "ROLE")
	t.row(d.SystemAdmin.Tenant, d.SystemAdmin.Username, d.SystemAdmin.Password, "System Administrator")
	for _, tenant := range d.Tenants {
		for _, u := range tenant.Users {
			t.row(tenant.Slug, u.Username, u.Password, u.Role)
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	key := d.firstActive()
	_, err := fmt.Fprintf(w, "\nTry: who is this key, and may it read call recordings?\n\n"+
		"  curl -s %s/v1/verify -H 'Authorization: Bearer %s' \\\n"+
		"    -d '{\"credential\":\"%s\",\"permissions\":\"call_recordings:read\"}' -H 'Content-Type: application/json'\n\n"+
		"Stop with Ctrl-C. Remove %s for a new demo.\n\n", d.URL, d.VerifierKey, key, filepath.Dir(path))
	return err
}

func (d *demoFile) firstActive() string {
	for _, t := range d.Tenants {
		for _, c := range t.Credentials {
			if c.State == "active" && c.Key != "" {
				return c.Key
			}
		}
	}
	return ""
}

// demoState says what is in the folder.
func demoState(folder string) (d *demoFile, fresh bool, err error) {
	if exists(folder, seedingName) {
		if err := clearDemo(folder); err != nil {
			return nil, false, err
		}
	}
	d, err = loadDemo(folder)
	hasDemo, hasDatabase := err == nil, exists(folder, databaseName)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, false, err
	case hasDemo && !hasDatabase:
		return nil, false, hinted("Remove the folder for a new demo.", "%s has a demo.json and no database", folder)
	case !hasDemo && hasDatabase:
		return nil, false, hinted("Give another folder with --data.", "%s has a database that is not a demo's", folder)
	}
	return d, !hasDemo, nil
}

// clearDemo removes what an interrupted start left.
func clearDemo(folder string) error {
	for _, name := range []string{
		databaseName, databaseName + "-wal", databaseName + "-shm", keyringName, journalName, checkpointsName, demoName, seedingName,
	} {
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing an unfinished demo: %w", err)
		}
	}
	if err := os.RemoveAll(filepath.Join(folder, keysName)); err != nil {
		return fmt.Errorf("removing an unfinished demo: %w", err)
	}
	return nil
}

func exists(folder, name string) bool {
	_, err := os.Lstat(filepath.Join(folder, name))
	return err == nil
}

// demoHosts are the names under which the demo answers.
func demoHosts(addr string) []string {
	hosts := []string{"localhost", "127.0.0.1", "[::1]"}
	host, _, err := net.SplitHostPort(addr)
	if err == nil && !strings.Contains(host, ":") {
		hosts = append(hosts, host)
	}
	return hosts
}

// loopbackHost reports whether HOST or HOST:PORT names this machine to itself.
func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
