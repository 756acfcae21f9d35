package notice

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"

	"github.com/claviger-io/claviger/internal/access"
	"github.com/claviger-io/claviger/internal/credential"
	"github.com/claviger-io/claviger/internal/outbox"
	"github.com/claviger-io/claviger/internal/problem"
	"github.com/claviger-io/claviger/internal/store"
	"github.com/claviger-io/claviger/internal/tenancy"
)

// About is what deliveries of digests are about.
const About = "notice"

// payload is what the outbox keeps of a message: which digest, and which part of it. All else
// is read when it goes out.
type payload struct {
	Digest string
	Own    bool // only what the recipient owns or has made
}

// Delivery is the message about a digest to a user, for the outbox: one for each, however
// often it is made.
func Delivery(id string, d store.Digest, to tenancy.UserID, own bool, now time.Time) (store.Delivery, error) {
	text, err := json.Marshal(payload{Digest: d.ID, Own: own})
	if err != nil {
		return store.Delivery{}, fmt.Errorf("encoding a notice: %w", err)
	}
	return store.Delivery{
		ID: id, TenantID: d.TenantID, Kind: store.DeliveryMail, Once: d.ID + "/" + string(to), Recipient: string(to),
		About: About, Payload: text, CreatedAt: now,
	}, nil
}

// Config says what a Renderer works with. Store is required.
type Config struct {
	Store *store.Store
	// PublicURL begins the links; it has no slash at its end.
	PublicURL string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Renderer words digests.
type Renderer struct{ cfg Config }

// New checks the configuration.
func New(c Config) (*Renderer, error) {
	if c.Store == nil {
		return nil, errors.New("notice: no store configured")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Renderer{cfg: c}, nil
}

// mostListed is how many credentials a message names; it counts the others.
const mostListed = 200

// Render words the message of a delivery, of what is true now. send is false when there is
// nothing to say, or nobody to say it to: all has ended, was renewed or announced again, or
// the recipient left, has no address, or is no administrator any more. It is an outbox.Render.
func (r *Renderer) Render(ctx context.Context, d store.Delivery) (m outbox.Mail, send bool, err error) {
	var p payload
	if err := json.Unmarshal(d.Payload, &p); err != nil {
		return m, false, fmt.Errorf("reading a notice: %w", err)
	}
	var l *letter
	err = r.cfg.Store.Read(ctx, d.TenantID, func(tx *store.Tx) (err error) {
		l, err = r.letter(tx, p, tenancy.UserID(d.Recipient))
		return err
	})
	if err != nil || l == nil {
		return m, false, err
	}
	m = outbox.Mail{To: l.To.Email, Name: oneLine(l.Greeting), Subject: l.subject()}
	if m.Text, err = l.text(); err != nil {
		return m, false, err
	}
	m.HTML, err = l.html()
	return m, err == nil, err
}

// letter is what a message says.
type letter struct {
	To       tenancy.User
	Greeting string // what the recipient is called
	Tenant   string
	Own      bool
	Things   string // "API keys"
	Total    int64
	More     int64 // how many are not among Items
	Items    []item
	ListURL  string // of all API keys that expire soon; empty when there is no API key
	Settings string // where notices are chosen
}

// item is one credential in a message.
type item struct {
	Name, Thing, Place, Owner string
	Ends, In                  string // "14 Dec 2026 08:00 UTC", "in 7 days"
	Suspended                 bool
	URL                       string // empty where no page shows it
}

// letter reads what there is to say; nil means nothing.
func (r *Renderer) letter(tx *store.Tx, p payload, to tenancy.UserID) (*letter, error) {
	tenant, err := tx.Tenant()
	if problem.Is(err, problem.NotFound) || err == nil && tenant.State != tenancy.Active {
		return nil, nil //nolint:nilnil // nothing to say
	}
	if err != nil {
		return nil, err
	}
	u, ok, err := told(tx, tenant, p, to)
	if err != nil || !ok {
		return nil, err
	}
	now := r.cfg.Now()
	f := store.DigestFilter{Digest: p.Digest, EndAfter: now}
	if p.Own {
		f.Of, f.Owned, f.Made = u.ID, tenant.Policy.Notices.Owners, tenant.Policy.Notices.Creators
	}
	list, total, err := tx.DigestCredentials(f, mostListed)
	if err != nil || total == 0 {
		return nil, err
	}
	l := &letter{
		To: u, Greeting: u.DisplayName, Tenant: oneLine(tenant.Name), Own: p.Own, Things: things(list), Total: total, More: total - int64(len(list)),
		Settings: r.cfg.PublicURL + "/settings",
	}
	if l.Greeting == "" {
		l.Greeting = u.Username
	}
	return l, r.list(tx, l, list, zone(tenant.Policy.Notices), now)
}

// told finds the recipient, if it still is one.
func told(tx *store.Tx, tenant tenancy.Tenant, p payload, to tenancy.UserID) (tenancy.User, bool, error) {
	if p.Own {
		if !tenant.Policy.Notices.Owners && !tenant.Policy.Notices.Creators {
			return tenancy.User{}, false, nil
		}
		return reachable(tx, to)
	}
	list, err := Administrators(tx)
	if err != nil {
		return tenancy.User{}, false, err
	}
	for _, u := range list {
		if u.ID == to {
			return u, true, nil
		}
	}
	return tenancy.User{}, false, nil
}

// list adds the credentials with the names that people know things by.
func (r *Renderer) list(tx *store.Tx, l *letter, list []credential.Credential, loc *time.Location, now time.Time) error {
	var people []access.Principal
	var places []tenancy.OrgID
	for _, k := range list {
		people, places = append(people, k.Principal), append(places, k.OrganizationID)
	}
	names, err := tx.Names(people)
	if err != nil {
		return err
	}
	organizations, err := tx.OrganizationNames(places)
	if err != nil {
		return err
	}
	for _, k := range list {
		owner := names[k.Principal]
		if owner.DisplayName != "" {
			owner.Name = owner.DisplayName
		}
		if k.Principal.Type == access.PrincipalOrganization {
			owner.Name = "" // the place says it
		}
		l.Items = append(l.Items, item{
			Name: oneLine(k.Name), Thing: words[k.Kind].one, Place: oneLine(organizations[k.OrganizationID]), Owner: oneLine(owner.Name),
			Ends: k.ExpiresAt.In(loc).Format("2 Jan 2006 15:04 MST"), In: distance(k.ExpiresAt.Sub(now)),
			Suspended: k.State == credential.Suspended, URL: r.pageOf(k),
		})
		if k.Kind == credential.UserKey || k.Kind == credential.OrganizationKey {
			l.ListURL = r.cfg.PublicURL + "/settings/api-keys?expiring=30"
		}
	}
	return nil
}

// pageOf is where the console shows a credential.
func (r *Renderer) pageOf(k credential.Credential) string {
	switch k.Kind {
	case credential.UserKey, credential.OrganizationKey:
		return r.cfg.PublicURL + "/settings/api-keys/" + url.PathEscape(k.ID.String())
	case credential.App:
		return r.cfg.PublicURL + "/apps/" + url.PathEscape(k.Principal.ID)
	case credential.ServiceAccountKey:
		return r.cfg.PublicURL + "/service-accounts/" + url.PathEscape(k.Principal.ID)
	case credential.ClientCredential:
		return r.cfg.PublicURL + "/api-credentials/" + url.PathEscape(k.ID.String())
	case credential.AccountKey, credential.VerifierKey:
	}
	return ""
}

// words are what people call the kinds.
var words = map[credential.Kind]struct{ one, many string }{
	credential.UserKey:           {"API key", "API keys"},
	credential.OrganizationKey:   {"API key", "API keys"},
	credential.AccountKey:        {"account API key", "account API keys"},
	credential.App:               {"app", "apps"},
	credential.ClientCredential:  {"API credentials", "API credentials"},
	credential.ServiceAccountKey: {"service account key", "service account keys"},
	credential.VerifierKey:       {"verifier key", "verifier keys"},
}

// things is what all of them together are called.
func things(list []credential.Credential) string {
	name := ""
	for _, k := range list {
		if many := words[k.Kind].many; name == "" || name == many {
			name = many
			continue
		}
		return "credentials"
	}
	return name
}

// distance says how far off an end is, never more than it is.
func distance(d time.Duration) string {
	count := func(n int, unit string) string {
		if n == 1 {
			return "in 1 " + unit
		}
		return fmt.Sprintf("in %d %ss", n, unit)
	}
	switch {
	case d >= 24*time.Hour:
		return count(int(d/(24*time.Hour)), "day")
	case d >= time.Hour:
		return count(int(d/time.Hour), "hour")
	}
	return "in less than an hour"
}

func (l *letter) subject() string {
	if l.Total == 1 {
		return "“" + shortened(l.Items[0].Name) + "” expires " + l.Items[0].In
	}
	return fmt.Sprintf("%d %s of %s expire soon", l.Total, l.Things, shortened(l.Tenant))
}

// longestInSubject is how much of a name a subject shows, in characters.
const longestInSubject = 80

func shortened(s string) string {
	if r := []rune(s); len(r) > longestInSubject {
		return string(r[:longestInSubject-1]) + "…"
	}
	return s
}

// oneLine makes a name fit for a header and for one line of text, whatever it holds.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\u200c', r == '\u200d':
			return r
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp), r == unicode.ReplacementChar:
			return ' '
		case unicode.In(r, unicode.Cf):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return strings.Join(strings.Fields(s), " ")
}

//go:embed mail.txt mail.html
var templates embed.FS

var (
	textMail = texttemplate.Must(texttemplate.ParseFS(templates, "mail.txt"))
	htmlMail = htmltemplate.Must(htmltemplate.ParseFS(templates, "mail.html"))
)

func (l *letter) text() (string, error) {
	var b bytes.Buffer
	if err := textMail.Execute(&b, l); err != nil {
		return "", fmt.Errorf("wording a notice: %w", err)
	}
	return b.String(), nil
}

func (l *letter) html() (string, error) {
	var b bytes.Buffer
	if err := htmlMail.Execute(&b, l); err != nil {
		return "", fmt.Errorf("wording a notice: %w", err)
	}
	return b.String(), nil
}
