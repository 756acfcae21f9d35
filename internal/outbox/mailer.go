package outbox

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/claviger-io/claviger/internal/store"
)

// Mail is one e-mail. Name and subject may be any text: they are encoded as headers need it.
type Mail struct {
	To      string // an address
	Name    string // whose; empty: only the address
	Subject string
	Text    string
	HTML    string // empty: text alone
}

// Render makes a mail of a delivery when it is its turn, of what is still true then. send is
// false when there is nothing left to say: that counts as delivered.
type Render func(ctx context.Context, d store.Delivery) (m Mail, send bool, err error)

// MailerConfig says how mail is sent.
type MailerConfig struct {
	SMTP SMTP
	// Render makes mails of deliveries; nil means that only Deliver is used.
	Render Render
	// Now is the clock, for the Date of mails; nil means time.Now.
	Now func() time.Time
	// Trace, when set, is told every line of the conversations, without passwords.
	Trace func(line string)
}

// Mailer is the Sender of mail.
type Mailer struct {
	cfg  MailerConfig
	from mail.Address
}

var _ Sender = (*Mailer)(nil)

// NewMailer makes a mailer. What is wrong with the settings is an error that says so.
func NewMailer(c MailerConfig) (*Mailer, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	from, err := c.SMTP.check()
	if err != nil {
		return nil, err
	}
	return &Mailer{cfg: c, from: *from}, nil
}

// Send renders a delivery's mail and hands it to the mail server.
func (m *Mailer) Send(ctx context.Context, d store.Delivery) error {
	if m.cfg.Render == nil {
		return errors.New("outbox: a mailer without Render")
	}
	out, send, err := m.cfg.Render(ctx, d)
	var said *Failure
	if err != nil && !errors.As(err, &said) {
		return &Failure{Err: &hidden{text: "the mail could not be put together; the server's log says why", cause: err}}
	}
	if err != nil || !send {
		return err
	}
	_, err = m.Deliver(ctx, d.ID, out)
	return err
}

// Deliver hands one mail to the mail server and returns what that answered. id, of which the
// Message-ID is made, is the same for every attempt at the same mail. Errors are *Failure.
func (m *Mailer) Deliver(ctx context.Context, id string, out Mail) (answer string, err error) {
	msg, err := m.message(id, out)
	if err != nil {
		return "", &Failure{Permanent: true, Err: err}
	}
	return m.converse(ctx, msg)
}

// message is the mail as it travels.
func (m *Mailer) message(id string, out Mail) (*gomail.Msg, error) {
	to, err := mail.ParseAddress(out.To)
	if err != nil || to.Name != "" || to.Address != out.To {
		return nil, errors.New("the address of the recipient is none that mail can be sent to")
	}
	to.Name = oneLine(out.Name)
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&m.from)
	msg.ToMailAddress(to)
	msg.Subject(oneLine(out.Subject))
	msg.SetDateWithValue(m.cfg.Now())
	msg.SetMessageIDWithValue(id + "@" + domainOf(m.from.Address))
	// No mailing list, no holiday answer should reply.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetBodyString(gomail.TypeTextPlain, out.Text)
	if out.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, out.HTML)
	}
	return msg, nil
}

// mostHeader is how many characters of a name or a subject are sent.
const mostHeader = 200

// oneLine makes any text fit for a header: whatever is sent must not begin another.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
	}), " ")
	if list := []rune(s); len(list) > mostHeader {
		s = string(list[:mostHeader-1]) + "…"
	}
	return s
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address[strings.LastIndexByte(address, '@'):], "@")
	return domain
}

// failureOf says what an error of a conversation means for the delivery. Only an answer about
// this recipient or this text is a reason to give up: the rest may be put right.
func failureOf(ctx context.Context, err error) *Failure {
	var said *gomail.SendError
	if !errors.As(err, &said) {
		return &Failure{Err: conversationError(ctx, err)}
	}
	about := map[gomail.SendErrReason]string{
		gomail.ErrGetRcpts:      "the recipient's address cannot be used",
		gomail.ErrSMTPMailFrom:  "the mail server refused the sender",
		gomail.ErrSMTPRcptTo:    "the mail server refused the recipient",
		gomail.ErrSMTPData:      "the mail server refused to take a mail",
		gomail.ErrSMTPDataClose: "the mail server refused the mail",
	}[said.Reason]
	code := said.ErrorCode()
	if about == "" || code == 0 {
		return &Failure{Err: conversationError(ctx, err)}
	}
	permanent := code >= 500 && said.Reason != gomail.ErrSMTPMailFrom
	return &Failure{Permanent: permanent, Status: code, Err: fmt.Errorf("%s: %s", about, answerOf(said))}
}

// answerOf is the server's answer in an error, in one line, without what is put around it.
func answerOf(e *gomail.SendError) string {
	text := strings.TrimPrefix(e.Error(), e.Reason.String()+": ")
	text, _, _ = strings.Cut(text, ", affected ")
	if code, quoted, ok := strings.Cut(text, " "); ok {
		if plain, err := strconv.Unquote(quoted); err == nil {
			text = code + " " + plain
		}
	}
	return oneLine(text)
}
