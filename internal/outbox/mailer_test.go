package outbox_test

import (
	"context"
	"errors"
	"mime"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/outbox/outboxtest"
	"github.com/claviger-io/claviger/internal/secret"
)

func mustMail(tb testing.TB, s outbox.SMTP) *outbox.Mailer {
	tb.Helper()
	m, err := outbox.NewMailer(outbox.MailerConfig{SMTP: s, Now: func() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) }})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

var aMail = outbox.Mail{To: "ada@example.com", Name: "Ada", Subject: "Two keys end soon", Text: "Look at them.", HTML: "<p>Look at them.</p>"}

// NV11: mail goes out over STARTTLS, over TLS from the first byte, and in plain text where
// that is asked for, signed in or not.
func TestMailConversation(t *testing.T) {
	for _, tc := range []struct {
		name     string
		tls      outbox.SMTPTLS
		password string
		secured  bool
	}{
		{"STARTTLS and AUTH", outbox.SMTPStartTLS, "correct horse", true},
		{"STARTTLS", outbox.SMTPStartTLS, "", true},
		{"implicit TLS and AUTH", outbox.SMTPImplicit, "correct horse", true},
		{"plain text to this machine and AUTH", outbox.SMTPPlain, "correct horse", false},
		{"plain text", outbox.SMTPPlain, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := outboxtest.MustListen(t, outboxtest.Options{TLS: tc.tls, Password: tc.password})
			answer, err := mustMail(t, server.Settings()).Deliver(t.Context(), "dlv_1", aMail)
			if err != nil || !strings.Contains(answer, "queued") {
				t.Fatalf("answered %q, %v", answer, err)
			}
			mails := server.Mails()
			if len(mails) != 1 {
				t.Fatalf("%d mails", len(mails))
			}
			m := mails[0]
			if m.From != "keys@claviger.test" || m.To != "ada@example.com" || m.TLS != tc.secured || (m.User != "") != (tc.password != "") {
				t.Errorf("arrived: %+v", m)
			}
			for name, want := range map[string]string{
				"Message-Id": "<dlv_1@claviger.test>", "From": `"Claviger" <keys@claviger.test>`, "To": `"Ada" <ada@example.com>`,
				"Subject": "Two keys end soon", "Date": "Sun, 22 Nov 2026 08:00:00 +0000", "Auto-Submitted": "auto-generated", "User-Agent": "", "X-Mailer": "",
			} {
				if got := m.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if text, html := m.MustParts(t); text != "Look at them." || html != "<p>Look at them.</p>" {
				t.Errorf("text %q, HTML %q", text, html)
			}
		})
	}
}

// NV11: whatever a key or a person is called, a header stays one header.
func TestMailHeadersAreSafe(t *testing.T) {
	server := outboxtest.MustListen(t, outboxtest.Options{})
	m := mustMail(t, server.Settings())
	for _, tc := range []struct{ name, subject, wantName, wantSubject string }{
		{"Ada\r\nBcc: eve@example.com", "Key \"x\"\r\nBcc: eve@example.com\r\n\r\nHello", "Ada Bcc: eve@example.com", "Key \"x\" Bcc: eve@example.com Hello"},
		{`Ada" <eve@example.com>, "`, "Schlüssel für Zürich 🔑", `Ada" <eve@example.com>, "`, "Schlüssel für Zürich 🔑"},
		{"=?utf-8?q?x?=", "tab\tand\u2028line\u202eback", "=?utf-8?q?x?=", "tab and line back"},
		{"", strings.Repeat("é", 300), "", strings.Repeat("é", 199) + "…"},
		{"Ada\xff", "bad \xff text", "Ada\uFFFD", "bad \uFFFD text"},
	} {
		out := outbox.Mail{To: "ada@example.com", Name: tc.name, Subject: tc.subject, Text: "x"}
		if _, err := m.Deliver(t.Context(), "dlv_1", out); err != nil {
			t.Fatal(err)
		}
		mails := server.Mails()
		got := mails[len(mails)-1]
		if got.To != "ada@example.com" || got.Header.Get("Bcc") != "" {
			t.Errorf("%q went to %q, with Bcc %q", tc.name, got.To, got.Header.Get("Bcc"))
		}
		to, err := got.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Name != tc.wantName || to[0].Address != "ada@example.com" {
			t.Errorf("%q: to %v, %v", tc.name, to, err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
		if err != nil || subject != tc.wantSubject {
			t.Errorf("subject %q, %v, want %q", subject, err, tc.wantSubject)
		}
		for line := range strings.Lines(got.Raw) {
			if len(line) > 1000 {
				t.Errorf("a line of %d bytes", len(line))
			}
		}
	}
	for _, to := range []string{"", "nobody", "Ada <ada@example.com>", "ada@example.com, eve@example.com", "ada@example.com\r\nRCPT TO:<eve@example.com>"} {
		_, err := m.Deliver(t.Context(), "dlv_1", outbox.Mail{To: to, Subject: "x", Text: "x"})
		var failure *outbox.Failure
		if !errors.As(err, &failure) || !failure.Permanent {
			t.Errorf("to %q: %v", to, err)
		}
	}
}

// NV11: what the mail server refuses for a while is tried again, what it refuses for good
// isn't, and what is wrong with our settings can be put right.
func TestMailRefused(t *testing.T) {
	for _, tc := range []struct {
		name      string
		at        outboxtest.Step
		answer    error
		permanent bool
		status    int
		says      string
	}{
		{"421 at the greeting", outboxtest.StepHello, outboxtest.Refusal(421, "too busy"), false, 0, "refused the conversation: 421"},
		{"554 at the greeting", outboxtest.StepHello, outboxtest.Refusal(554, "go away"), false, 0, "refused the conversation: 554"},
		{"454 at AUTH", outboxtest.StepAuth, outboxtest.Refusal(454, "later"), false, 0, "454"},
		{"535 at AUTH", outboxtest.StepAuth, outboxtest.Refusal(535, "wrong password"), false, 0, "535"},
		{"451 for the sender", outboxtest.StepFrom, outboxtest.Refusal(451, "greylisted"), false, 451, "greylisted"},
		{"550 for the sender", outboxtest.StepFrom, outboxtest.Refusal(550, "not you"), false, 550, "refused the sender: 550 5.1.1 not you"},
		{"450 for the recipient", outboxtest.StepTo, outboxtest.Refusal(450, "mailbox busy"), false, 450, "mailbox busy"},
		{"550 for the recipient", outboxtest.StepTo, outboxtest.Refusal(550, "no such user"), true, 550, "refused the recipient: 550 5.1.1 no such user"},
		{"452 for the text", outboxtest.StepData, outboxtest.Refusal(452, "disk full"), false, 452, "disk full"},
		{"554 for the text", outboxtest.StepData, outboxtest.Refusal(554, "looks like spam"), true, 554, "refused the mail: 554 5.1.1 looks like spam"},
		{"dropped at the greeting", outboxtest.StepHello, outboxtest.Drop, false, 0, "broke off"},
		{"dropped at AUTH", outboxtest.StepAuth, outboxtest.Drop, false, 0, "broke off"},
		{"dropped after the sender", outboxtest.StepFrom, outboxtest.Drop, false, 0, "broke off"},
		{"dropped after the recipient", outboxtest.StepTo, outboxtest.Drop, false, 0, "broke off"},
		{"dropped in the text", outboxtest.StepData, outboxtest.Drop, false, 0, "broke off"},
		{"dropped before the answer", outboxtest.StepAccepted, outboxtest.Drop, false, 0, "broke off"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var healthy atomic.Bool
			server := outboxtest.MustListen(t, outboxtest.Options{Password: "hunter2hunter2", Behave: func(step outboxtest.Step, _ string) error {
				if step == tc.at && !healthy.Load() {
					return tc.answer
				}
				return nil
			}})
			m := mustMail(t, server.Settings())
			_, err := m.Deliver(t.Context(), "dlv_1", aMail)
			var failure *outbox.Failure
			if !errors.As(err, &failure) || failure.Permanent != tc.permanent || failure.Status != tc.status || !strings.Contains(failure.Error(), tc.says) {
				t.Errorf("%+v, %v", failure, err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error has the password")
			}
			healthy.Store(true)
			if _, err := m.Deliver(t.Context(), "dlv_1", aMail); err != nil {
				t.Errorf("then: %v", err)
			}
			for _, got := range server.Mails() {
				if got.Header.Get("Message-Id") != "<dlv_1@claviger.test>" {
					t.Errorf("another attempt has another Message-ID: %q", got.Header.Get("Message-Id"))
				}
			}
		})
	}
}

// A mail that the server took is delivered, whatever becomes of the goodbye.
func TestMailGoodbye(t *testing.T) {
	server := outboxtest.MustListen(t, outboxtest.Options{Behave: func(step outboxtest.Step, _ string) error {
		if step == outboxtest.StepGoodbye {
			return outboxtest.Drop
		}
		return nil
	}})
	if _, err := mustMail(t, server.Settings()).Deliver(t.Context(), "dlv_1", aMail); err != nil || len(server.Mails()) != 1 {
		t.Errorf("%d mails, %v", len(server.Mails()), err)
	}
}

// The password is sent to nobody whose certificate isn't trusted, and never in plain text
// through a network.
func TestMailTrust(t *testing.T) {
	server := outboxtest.MustListen(t, outboxtest.Options{Password: "hunter2hunter2"})
	plain := outboxtest.MustListen(t, outboxtest.Options{TLS: outbox.SMTPPlain, Password: "hunter2hunter2"})
	untrusted, downgraded, wrong := server.Settings(), plain.Settings(), server.Settings()
	untrusted.RootCAs = nil
	downgraded.TLS = outbox.SMTPStartTLS
	wrong.Password = secret.New("not it")
	for name, tc := range map[string]struct {
		settings outbox.SMTP
		says     string
	}{
		"unknown certificate": {untrusted, "certificate of the mail server is not trusted"},
		"no STARTTLS":         {downgraded, "STARTTLS"},
		"wrong password":      {wrong, "535"},
	} {
		_, err := mustMail(t, tc.settings).Deliver(t.Context(), "dlv_1", aMail)
		var failure *outbox.Failure
		if !errors.As(err, &failure) || failure.Permanent || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(server.Mails()) + len(plain.Mails()); n != 0 {
		t.Errorf("%d mails arrived", n)
	}
}

// A mail server that can't be reached, hangs up or says nothing costs no more than the time
// that there is.
func TestMailServerAway(t *testing.T) {
	var list net.ListenConfig
	l, err := list.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	silent, err := list.Listen(t.Context(), "tcp", "127.0.0.1:0") // connects by itself, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	for addr, says := range map[string]string{gone: "could not be reached", silent.Addr().String(): "did not answer in time"} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := mustMail(t, outbox.SMTP{Addr: addr, From: "keys@claviger.test"}).Deliver(ctx, "dlv_1", aMail)
		cancel()
		var failure *outbox.Failure
		if !errors.As(err, &failure) || failure.Permanent || !strings.Contains(err.Error(), says) {
			t.Errorf("%v", err)
		}
	}
}

func TestMailSettings(t *testing.T) {
	good := outbox.SMTP{Addr: "mail.example.com:587", From: "keys@example.com"}
	if _, err := outbox.NewMailer(outbox.MailerConfig{SMTP: good}); err != nil {
		t.Error(err)
	}
	for says, change := range map[string]func(*outbox.SMTP){
		"HOST:PORT":    func(s *outbox.SMTP) { s.Addr = "mail.example.com" },
		"given as":     func(s *outbox.SMTP) { s.Addr = "mail.example.com:0" },
		"address":      func(s *outbox.SMTP) { s.From = "" },
		"starttls":     func(s *outbox.SMTP) { s.TLS = "sometimes" },
		"no user name": func(s *outbox.SMTP) { s.Password = secret.New("x") },
	} {
		bad := good
		change(&bad)
		if _, err := outbox.NewMailer(outbox.MailerConfig{SMTP: bad}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
