package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"mime"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claviger-io/claviger/api"
	"github.com/claviger-io/claviger/internal/outbox/outboxtest"
	"github.com/claviger-io/claviger/internal/store"
)

// post is a mail server whose moods the test sets.
type post struct {
	*outboxtest.Server
	held chan struct{} // gets a word for each mail whose answer is held back
	free chan struct{} // closed: none is held back any longer

	mu      sync.Mutex
	holds   string // mail to this address is taken, and the answer never given; mu guards it
	refuses string // this address does not exist; mu guards it
}

func (p *post) set(holds, refuses string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds, p.refuses = holds, refuses
}

// mustOpenPost starts a mail server with STARTTLS and AUTH, and returns the flags of programs
// that are to use it. They trust it by SSL_CERT_FILE, as an operator would have them.
func mustOpenPost(t *testing.T) (p *post, flags []string) {
	t.Helper()
	const password = "hunter2hunter2"
	p = &post{held: make(chan struct{}, 8), free: make(chan struct{})}
	p.Server = outboxtest.MustListen(t, outboxtest.Options{Password: password, Behave: p.behave})
	t.Cleanup(func() { close(p.free) })
	dir := t.TempDir()
	file, roots := filepath.Join(dir, "password"), filepath.Join(dir, "roots.pem")
	if err := errors.Join(os.WriteFile(file, []byte(password+"\n"), 0o600), os.WriteFile(roots, p.RootsPEM, 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", roots)
	return p, []string{
		"--smtp-addr", p.Addr, "--smtp-from", "Claviger <keys@claviger.test>", "--smtp-username", "claviger", "--smtp-password-file", file,
	}
}

// behave is what goes wrong at a step.
func (p *post) behave(step outboxtest.Step, value string) error {
	p.mu.Lock()
	holds, refuses := p.holds, p.refuses
	p.mu.Unlock()
	switch {
	case step == outboxtest.StepTo && value == refuses:
		return outboxtest.Refusal(550, "no such user")
	case step == outboxtest.StepAccepted && value == holds:
		p.held <- struct{}{}
		<-p.free
		return outboxtest.Drop
	}
	return nil
}

// to are the mails that came for an address.
func (p *post) to(address string) (list []outboxtest.Mail) {
	for _, m := range p.Mails() {
		if m.To == address {
			list = append(list, m)
		}
	}
	return list
}

// call runs a command that speaks to the node, as whoever has the credential.
func (i *installation) call(t *testing.T, credential string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(clavigerBinary, args...)
	cmd.Env = append(cleanEnvironment(), "CLAVIGER_URL="+i.URL, "CLAVIGER_CREDENTIAL="+credential)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}

// mustCall is call, insisting on success, and its output as JSON.
func mustCall[T any](t *testing.T, i *installation, credential string, args ...string) (list []T) {
	t.Helper()
	status, out, errOut := i.call(t, credential, append(args, "--json")...)
	if status != 0 {
		t.Fatalf("claviger %s: status %d\n%s%s", strings.Join(args, " "), status, out, errOut)
	}
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatalf("claviger %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		list = append(list, v)
	}
	return list
}

// mustAdminister makes somebody with an e-mail address whom digests go to.
func (n tenant) mustAdminister(t *testing.T, system caller, username string) (address string) {
	t.Helper()
	address = username + "@northwind.test"
	created := mustDo[api.CreatedUser](t, system, 201, "POST", "/v1/users", map[string]any{
		"organization_id": n.RootOrganizationID, "username": username, "email": address,
	})
	mustDo[api.Assignment](t, system, 201, "POST", "/v1/assignments", map[string]any{
		"principal_id": created.User.ID, "role_id": n.role(t, "customer_administrator"), "organization_id": n.RootOrganizationID,
	})
	return address
}

// mustEndLeases is two minutes later, as far as the outbox can tell: what a process had taken
// that was killed can be taken by another.
func (i *installation) mustEndLeases(t *testing.T) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: cmp.Or(i.database, "sqlite:"+filepath.Join(i.data, "claviger.db"))})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	_, err = s.Write(t.Context(), "", func(tx *store.Tx) error { return tx.AllTenantsMendDeliveries(now, now, now.AddDate(1, 0, 0)) })
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// outboxOf counts the deliveries of mail by their states.
func (i *installation) outboxOf(t *testing.T, credential string) map[string]int {
	t.Helper()
	count := map[string]int{}
	for _, d := range mustCall[api.Delivery](t, i, credential, "outbox", "list", "--kind", "mail") {
		count[d.State]++
	}
	return count
}

// NV11: the program as it is shipped tells administrators of a key that expires soon, by a
// real mail server. Killed after the server took a mail and before that could be noted, it
// sends this one once more, and no other; what the server refused is shown, and goes out
// when somebody says so.
func TestNoticesByMail(t *testing.T) {
	for _, name := range engines {
		t.Run(name, func(t *testing.T) {
			p, flags := mustOpenPost(t)
			i := mustStart(t, mustEngine(t, name), flags...)
			root := i.mustAdministrator(t)
			n := i.mustTenant(t, root, "northwind")
			operator, ada := mustIssue(t, root, "operations").Key.Reveal(), mustIssue(t, n.admin, "reports").Key.Reveal()
			// Another hour than this one: what is due at the digest's own hour is another matter.
			hour := (time.Now().UTC().Hour() + 12) % 24
			mustDo[api.ChangedPolicy](t, root, 200, "PUT", "/v1/tenants/"+n.ID+"/policy", map[string]any{
				"policy": map[string]any{"notices": map[string]any{"hour": hour}},
			})
			told, held, refused := n.mustAdminister(t, root, "grace"), n.mustAdminister(t, root, "katherine"), n.mustAdminister(t, root, "nobody")
			p.set(held, refused)
			key := mustIssue(t, n.admin, "nightly & export", map[string]any{"expires_at": time.Now().Add(24*time.Hour + 30*time.Minute)})

			coming := mustCall[api.NoticePreview](t, i, ada, "notice", "preview")[0]
			if coming.Total != 1 || coming.Items[0].CredentialID != key.ID || coming.Items[0].Days != 1 || len(coming.Recipients) != 3 || coming.Hour != hour {
				t.Errorf("the preview says %+v", coming)
			}
			testSendTest(t, i, p, flags)

			i.stop(t)
			i.mustRestart(t) // which looks for what is due
			<-p.held
			mustHappen(t, 20*time.Second, "the outbox noting two of three mails", func() bool {
				count := i.outboxOf(t, operator)
				return count["delivered"] == 1 && count["dead"] == 1
			})
			i.kill()
			checkDigest(t, p.to(told), i.URL, key)
			if n := len(p.to(refused)); n != 0 {
				t.Errorf("%d mails came to somebody who was refused", n)
			}

			p.set("", "")
			i.mustEndLeases(t)
			i.mustRestart(t)
			mustHappen(t, 20*time.Second, "the mail that was not noted coming again", func() bool { return len(p.to(held)) == 2 })
			if first, second := p.to(held)[0].Header.Get("Message-Id"), p.to(held)[1].Header.Get("Message-Id"); first != second || first == "" {
				t.Errorf("the same mail came as %q and as %q", first, second)
			}
			testDeadLetter(t, i, operator, p, refused)
			checkDigest(t, p.to(refused), i.URL, key)
			mustHappen(t, 20*time.Second, "the outbox noting all", func() bool { return i.outboxOf(t, operator)["delivered"] == 3 })

			i.stop(t)
			i.mustRestart(t)
			if again := mustCall[api.NoticePreview](t, i, ada, "notice", "preview")[0]; again.Total != 0 {
				t.Errorf("what was said is said again: %+v", again)
			}
			if count := i.outboxOf(t, operator); len(count) != 1 || count["delivered"] != 3 || len(p.to(told)) != 1 || len(p.to(held)) != 2 || len(p.to(refused)) != 1 {
				t.Errorf("the outbox has %v; %d, %d and %d mails came", count, len(p.to(told)), len(p.to(held)), len(p.to(refused)))
			}
		})
	}
}

// testSendTest tries the settings, which need no node.
func testSendTest(t *testing.T, i *installation, p *post, flags []string) {
	t.Helper()
	const address = "operator@claviger.test"
	status, out, errOut := i.call(t, "", append([]string{"notice", "send-test", address}, flags...)...)
	list := p.to(address)
	if status != 0 || !strings.Contains(out, "took the mail for "+address) || len(list) != 1 || !list[0].TLS || list[0].User != "claviger" {
		t.Errorf("send-test: status %d, %d mails\n%s%s", status, len(list), out, errOut)
	}
	status, out, errOut = i.call(t, "", append([]string{"notice", "send-test", "nobody@northwind.test"}, flags...)...)
	if status != 3 || !strings.Contains(errOut, "550") || strings.Contains(out+errOut, "hunter2") {
		t.Errorf("send-test to nobody: status %d\n%s%s", status, out, errOut)
	}
}

// checkDigest wants one digest, sent as it should be, with links to the key.
func checkDigest(t *testing.T, list []outboxtest.Mail, url string, key api.IssuedAPIKey) {
	t.Helper()
	if len(list) != 1 {
		t.Fatalf("%d digests came", len(list))
	}
	m := list[0]
	if !m.TLS || m.User != "claviger" || m.From != "keys@claviger.test" {
		t.Errorf("the digest came from %s, signed in as %q, in TLS: %t", m.From, m.User, m.TLS)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || !strings.Contains(subject, "“nightly & export” expires in 1 day") {
		t.Errorf("the subject is %q: %v", subject, err)
	}
	text, html := m.MustParts(t)
	for form, name := range map[string]string{text: "nightly & export", html: "nightly &amp; export"} {
		for _, want := range []string{name, url + "/settings/api-keys/" + key.ID, url + "/settings/api-keys?expiring=30"} {
			if !strings.Contains(form, want) {
				t.Errorf("the digest lacks %q:\n%s", want, form)
			}
		}
		if strings.Contains(form, key.Key.Reveal()) {
			t.Error("the digest holds the key")
		}
	}
}

// testDeadLetter finds what was given up and has it tried again.
func testDeadLetter(t *testing.T, i *installation, operator string, p *post, address string) {
	t.Helper()
	dead := mustCall[api.Delivery](t, i, operator, "outbox", "list", "--state", "dead")
	if len(dead) != 1 || dead[0].LastStatus != 550 || !strings.Contains(dead[0].LastError, "no such user") || dead[0].About != "notice" {
		t.Fatalf("dead letters: %+v", dead)
	}
	if status, out, errOut := i.call(t, operator, "outbox", "retry", dead[0].ID); status != 0 {
		t.Fatalf("outbox retry: status %d\n%s%s", status, out, errOut)
	}
	mustHappen(t, 20*time.Second, "the dead letter going out", func() bool { return len(p.to(address)) == 1 })
}
