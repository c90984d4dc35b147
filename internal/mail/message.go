package mail

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base32"
	"fmt"
	htmltemplate "html/template"
	"net/mail"
	"strings"
	"text/template"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/dogker/dogker/internal/notice"
	"github.com/dogker/dogker/reconciler/alert"
)

//go:embed templates
var files embed.FS

var (
	textTemplate = template.Must(template.ParseFS(files, "templates/mail.txt"))
	htmlTemplate = htmltemplate.Must(htmltemplate.ParseFS(files, "templates/mail.html"))
)

// content is what the templates are filled with.
type content struct {
	Locale string
	Tenant string
	Words  notice.Words
	Frame  notice.Frame
	// Color of the line above.
	Color string
}

// body is a notice in both forms.
func body(n alert.Notification, l notice.Language) (subject, text, html string, err error) {
	c := content{Locale: l.Locale, Tenant: n.Tenant, Words: notice.Say(n, l), Frame: l.Frame(), Color: colorOf(n)}
	var plain, rich bytes.Buffer
	if err := textTemplate.Execute(&plain, c); err != nil {
		return "", "", "", fmt.Errorf("write text of mail: %w", err)
	}
	if err := htmlTemplate.Execute(&rich, c); err != nil {
		return "", "", "", fmt.Errorf("write HTML of mail: %w", err)
	}

	return c.Words.Subject, plain.String(), rich.String(), nil
}

func colorOf(n alert.Notification) string {
	switch {
	case n.Status == alert.StatusResolved:
		return "#2e7d32"
	case n.Severity == alert.SeverityCritical:
		return "#c62828"
	case n.Severity == alert.SeverityWarning:
		return "#e08a00"
	default:
		return "#2563c9"
	}
}

// message is a notice for an address.
func (o *checked) message(n alert.Notification, to Recipient, now time.Time) (*gomail.Msg, error) {
	subject, text, html, err := body(n, to.Language)
	if err != nil {
		return nil, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := m.FromFormat(o.from.Name, o.from.Address); err != nil {
		return nil, fmt.Errorf("set sender: %w", err)
	}
	if _, err := mail.ParseAddress(to.Address); err != nil {
		return nil, fmt.Errorf("set recipient: %w", err)
	}
	m.ToMailAddress(&mail.Address{Name: notice.Line(to.Name), Address: to.Address})
	m.Subject(subject)
	m.SetDateWithValue(now)
	m.SetMessageIDWithValue(o.id("mail", n.Tenant, n.ID, to.Address))
	m.SetGenHeader("User-Agent", "dogker/"+o.version)
	// Nobody's absence is answered to us, whoever knows which header.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")
	if thread := threadOf(n); thread != "" {
		root := "<" + o.id("thread", n.Tenant, thread, to.Address) + ">"
		m.SetGenHeader(gomail.HeaderInReplyTo, root)
		m.SetGenHeader(gomail.HeaderReferences, root)
	}
	if o.unsubscribe != "" && n.Topic != alert.TopicBilling {
		m.SetGenHeader(gomail.HeaderListUnsubscribe, "<"+o.unsubscribe+">")
	}
	m.SetBodyString(gomail.TypeTextPlain, text)
	m.AddAlternativeString(gomail.TypeTextHTML, html)

	return m, nil
}

// threadOf is the same for a notice that something is wrong and those about its end, and another for the next time. What only
// informs belongs to none.
func threadOf(n alert.Notification) string {
	if n.Status == alert.StatusInformed {
		return ""
	}
	var first time.Time
	for _, i := range n.Incidents {
		if first.IsZero() || i.StartsAt.Before(first) {
			first = i.StartsAt
		}
	}

	return n.GroupKey + "@" + first.UTC().Format(time.RFC3339)
}

// id makes the ID of a mail out of what it is about.
func (o *checked) id(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))

	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20])) + "@" + o.domain()
}
