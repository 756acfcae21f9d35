package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/authority"
	"github.com/claviger-io/claviger/internal/node"
	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/outbox/outboxtest"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// command runs the program within the test.
func command(tb testing.TB, env map[string]string, args ...string) (status int, out, errOut string) {
	tb.Helper()
	var o, e bytes.Buffer
	status = run(args, strings.NewReader(""), &o, &e, func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	})
	return status, o.String(), e.String()
}

// mustRunNode runs a node and returns it with the key of a system administrator.
func mustRunNode(t *testing.T) (n *node.Node, key string) {
	t.Helper()
	n, err := node.Open(t.Context(), node.Config{Database: "sqlite:" + filepath.Join(t.TempDir(), "claviger.db")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, n.Close()); err != nil {
			t.Error(err)
		}
	})
	<-n.Ready()
	a, system := n.Authority(), authority.SystemCaller()
	user, err := a.CreateUser(t.Context(), system, authority.CreateUserInput{Tenant: tenancy.SystemTenantID, Username: "operator"})
	if err != nil {
		t.Fatal(err)
	}
	roles, err := a.Roles(t.Context(), system, authority.RolesInput{Tenant: tenancy.SystemTenantID})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range roles {
		if r.BuiltIn == access.RoleSystemAdministrator {
			_, err = a.Assign(t.Context(), system, authority.AssignInput{Tenant: tenancy.SystemTenantID, Principal: access.Principal{Type: access.PrincipalUser, ID: string(user.User.ID)}, RoleID: r.ID})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	issued, err := a.IssueAPIKey(t.Context(), system, authority.IssueAPIKeyInput{Tenant: tenancy.SystemTenantID, Name: "operations", Owner: user.User.ID})
	if err != nil {
		t.Fatal(err)
	}
	return n, issued.Secret.Reveal()
}

// What was given up is listed, and tried again, one by one or all.
func TestOutboxCommands(t *testing.T) {
	n, key := mustRunNode(t)
	env := map[string]string{"CLAVIGER_URL": n.URL(), "CLAVIGER_CREDENTIAL": key}
	for _, id := range []string{"dlv_1", "dlv_2", "dlv_3"} {
		_, err := n.Store().Write(t.Context(), tenancy.SystemTenantID, func(tx *store.Tx) error {
			d := store.Delivery{ID: id, TenantID: tenancy.SystemTenantID, Kind: store.DeliveryMail, Recipient: "usr_ada", About: "notice", CreatedAt: time.Now()}
			if _, err := tx.InsertDelivery(d); err != nil {
				return err
			}
			claimed, err := tx.AllTenantsClaimDeliveries([]store.DeliveryKind{store.DeliveryMail}, "test", time.Now(), time.Minute, 1, id)
			if err != nil {
				return err
			}
			_, err = tx.AllTenantsFinishDelivery(id, claimed[0].Fence, store.DeliveryOutcome{State: store.DeliveryDead, At: time.Now(), Status: 550, Error: "no such user\x1b[2J"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		args   []string
		status int
		says   []string
	}{
		{[]string{"list", "--state", "dead"}, 0, []string{"LAST ERROR", "dlv_1", "dlv_3", "no such user"}},
		{[]string{"list", "--json", "--recipient", "usr_ada"}, 0, []string{`{"id":"dlv_1"`, `"last_status":550`}},
		{[]string{"list", "--kind", "webhook"}, 0, []string{"LAST ERROR"}},
		{[]string{"list", "--tenant", string(tenancy.SystemTenantID)}, 0, []string{"dlv_2"}},
		{[]string{"retry"}, 2, []string{"claviger: hint: Name deliveries"}},
		{[]string{"retry", "--dead", "dlv_1"}, 2, []string{"claviger: hint: Name deliveries"}},
		{[]string{"retry", "dlv_none"}, 1, []string{"no such delivery"}},
		{[]string{"retry", "dlv_2", "dlv_none"}, 1, []string{"dlv_2 is tried again.", "1 of 2 are tried again, before dlv_none."}},
		{[]string{"retry", "--dead", "--kind", "webhook"}, 0, []string{"nothing that was given up"}},
		{[]string{"retry", "--dead", "--json"}, 0, []string{`{"id":"dlv_1"`, `{"id":"dlv_3"`, `"state":"pending"`}},
		{[]string{"retry", "--dead"}, 0, []string{"nothing that was given up"}},
	} {
		status, out, errOut := command(t, env, append([]string{"outbox"}, tc.args...)...)
		if status != tc.status || strings.Contains(out, "\x1b") {
			t.Errorf("%v: status %d\n%s%s", tc.args, status, out, errOut)
		}
		for _, part := range tc.says {
			if !strings.Contains(out+errOut, part) {
				t.Errorf("%v does not say %q:\n%s%s", tc.args, part, out, errOut)
			}
		}
	}
}

// NV11: whether mail can be sent with the settings is tried before it matters, and told in
// words, in a conversation, and for programs.
func TestNoticeSendTest(t *testing.T) {
	const password = "hunter2hunter2"
	server := outboxtest.MustListen(t, outboxtest.Options{TLS: outbox.SMTPPlain, Password: password, Behave: func(step outboxtest.Step, value string) error {
		if step == outboxtest.StepTo && strings.HasPrefix(value, "nobody@") {
			return outboxtest.Refusal(550, "no such user")
		}
		return nil
	}})
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"CLAVIGER_SMTP_ADDR": server.Addr, "CLAVIGER_SMTP_FROM": "Claviger <keys@claviger.test>", "CLAVIGER_SMTP_USERNAME": "claviger",
		"CLAVIGER_SMTP_PASSWORD_FILE": file, "CLAVIGER_SMTP_TLS": "none",
	}
	for _, tc := range []struct {
		args   []string
		status int
		says   []string
	}{
		{[]string{"ada@example.com"}, 0, []string{server.Addr + " took the mail for ada@example.com: "}},
		{[]string{"ada@example.com", "--conversation"}, 0, []string{"C: MAIL FROM:<keys@claviger.test>", "S: 250"}},
		{[]string{"nobody@example.com"}, 3, []string{"claviger: error: the mail was not sent: the mail server refused the recipient: 550", "claviger: hint: "}},
		{[]string{"nobody@example.com", "--json"}, 3, []string{`"accepted": false`, `"permanent": true`, `"status": 550`}},
		{[]string{"not an address"}, 3, []string{"none that mail can be sent to"}},
		{[]string{"ada@example.com", "--smtp-tls", "starttls"}, 3, []string{"STARTTLS"}},
		{[]string{"ada@example.com", "--smtp-addr", "nowhere"}, 2, []string{"HOST:PORT"}},
		{[]string{"ada@example.com", "--smtp-password-file", file + "x"}, 1, []string{"reading the password for the mail server", "claviger: hint: "}},
		{nil, 2, []string{"claviger: hint: "}},
	} {
		status, out, errOut := command(t, env, append([]string{"notice", "send-test"}, tc.args...)...)
		if status != tc.status {
			t.Errorf("%v: status %d\n%s%s", tc.args, status, out, errOut)
		}
		for _, part := range tc.says {
			if !strings.Contains(out+errOut, part) {
				t.Errorf("%v does not say %q:\n%s%s", tc.args, part, out, errOut)
			}
		}
		if strings.Contains(out+errOut, "hunter2") || strings.Contains(out+errOut, base64.StdEncoding.EncodeToString([]byte("\x00claviger\x00"+password))) {
			t.Errorf("%v shows the password:\n%s%s", tc.args, out, errOut)
		}
	}
	if n := len(server.Mails()); n != 2 {
		t.Errorf("%d mails arrived", n)
	}
	if status, _, errOut := command(t, nil, "notice", "send-test", "ada@example.com"); status != 2 || !strings.Contains(errOut, "--smtp-addr") {
		t.Errorf("without a mail server: status %d, %s", status, errOut)
	}
	if status, _, errOut := command(t, map[string]string{"CLAVIGER_SMTP_FROM": "keys@claviger.test"}, "serve", "--data", t.TempDir()); status != 2 || !strings.Contains(errOut, "no mail server") {
		t.Errorf("settings without a server: status %d, %s", status, errOut)
	}
}
