package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/fake/mailbox"
	"github.com/dogker/dogker/internal/notice"
	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/reconciler/alert"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func down(name string) alert.Notification {
	return alert.Notification{
		ID: "alert-1", Tenant: "acme", Topic: alert.TopicContainers, Title: "containers", GroupKey: "uid/group",
		Status: alert.StatusFiring, Severity: alert.SeverityCritical, At: start,
		Incidents: []alert.Incident{{
			Status: alert.StatusFiring, Reason: alert.ReasonContainerDown, StartsAt: start,
			Subject: alert.ObjectRef{Kind: "TenantContainer", Namespace: "acme", Name: name}, Facts: map[string]string{alert.FactTasks: "0/2"},
		}},
	}
}

func listen(t *testing.T, o mailbox.Options) *mailbox.Mailbox {
	t.Helper()
	box, err := mailbox.Listen("127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Stop() })

	return box
}

func newSender(t *testing.T, box *mailbox.Mailbox, change func(*Config)) *Sender {
	t.Helper()
	c := Config{Address: box.Addr(), Security: None, From: "Dogker <noreply@example.com>", Version: "test"}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)

	return s
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	return path
}

var ops = Recipient{Name: "Ops", Address: "ops@acme.example", Language: notice.English}

// TestMail: what arrives is what people should read, from whom, with headers that tell machines what it is.
func TestMail(t *testing.T) {
	box := listen(t, mailbox.Options{})
	s := newSender(t, box, func(c *Config) { c.Unsubscribe = "mailto:stop@example.com" })
	if err := s.To(ops).Send(t.Context(), down("web")); err != nil {
		t.Fatal(err)
	}
	got := box.Mails()[0]
	want := map[string]string{
		"From": `"Dogker" <noreply@example.com>`, "To": `"Ops" <ops@acme.example>`, "Auto-Submitted": "auto-generated",
		"X-Auto-Response-Suppress": "All", "List-Unsubscribe": "<mailto:stop@example.com>", "User-Agent": "dogker/test",
	}
	for name, value := range want {
		if diff := cmp.Diff(value, got.Header.Get(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got.Subject != "web is down (acme)" || !strings.HasSuffix(got.ID(), "@example.com>") || got.From != "noreply@example.com" {
		t.Errorf("subject %q, ID %q, from %q", got.Subject, got.ID(), got.From)
	}
	for part, text := range map[string]string{"text": got.Text, "HTML": got.HTML} {
		for _, word := range []string{"Container web is down: 0/2 tasks are ready.", "Since: 22 Nov 2026 10:00 UTC", "acme", "You get this because"} {
			if !strings.Contains(text, word) {
				t.Errorf("the %s lacks %q:\n%s", part, word, text)
			}
		}
	}
}

// TestLocale: whoever reads Indonesian gets it, in the time of his zone.
func TestLocale(t *testing.T) {
	box := listen(t, mailbox.Options{})
	to := ops
	to.Language = notice.Language{Locale: "id", Zone: time.FixedZone("WIB", 7*60*60)}
	if err := newSender(t, box, nil).To(to).Send(t.Context(), down("web")); err != nil {
		t.Fatal(err)
	}
	got := box.Mails()[0]
	if got.Subject != "web tidak berjalan (acme)" || !strings.Contains(got.Text, "Sejak: 22-11-2026 17.00 WIB") || !strings.Contains(got.HTML, `lang="id"`) {
		t.Errorf("%s\n%s", got.Subject, got.Text)
	}
}

// TestIDs: the same notice for the same address has the same ID however often it is sent; what belongs together refers to
// the same thread, and the next incident to another.
func TestIDs(t *testing.T) {
	box := listen(t, mailbox.Options{})
	s := newSender(t, box, nil)
	over := down("web")
	over.ID, over.Status = "alert-2", alert.StatusResolved
	over.Incidents[0].Status, over.Incidents[0].EndsAt = alert.StatusResolved, start.Add(time.Hour)
	again := down("web")
	again.ID, again.Incidents = "alert-3", []alert.Incident{again.Incidents[0]}
	again.Incidents[0].StartsAt = start.Add(24 * time.Hour)
	other := ops
	other.Address = "boss@acme.example"
	for _, send := range []struct {
		to Recipient
		n  alert.Notification
	}{{ops, down("web")}, {ops, down("web")}, {ops, over}, {ops, again}, {other, down("web")}} {
		if err := s.To(send.to).Send(t.Context(), send.n); err != nil {
			t.Fatal(err)
		}
	}
	m := box.Mails()
	if m[0].ID() != m[1].ID() || m[0].ID() == m[2].ID() || m[0].ID() == m[4].ID() {
		t.Errorf("IDs: %q %q %q %q", m[0].ID(), m[1].ID(), m[2].ID(), m[4].ID())
	}
	thread := func(i int) string { return m[i].Header.Get("References") }
	if thread(0) == "" || thread(0) != thread(2) || thread(0) == thread(3) || thread(0) != m[0].Header.Get("In-Reply-To") {
		t.Errorf("threads: %q %q %q", thread(0), thread(2), thread(3))
	}
	paid := down("web")
	paid.Status, paid.Topic = alert.StatusInformed, alert.TopicBilling
	if err := s.To(ops).Send(t.Context(), paid); err != nil || box.Mails()[5].Header.Get("References") != "" {
		t.Errorf("what has no end belongs to a thread: %v", err)
	}
	if n := box.Connections(); n != 1 {
		t.Errorf("it has taken %d connections", n)
	}
}

// TestHostile: whatever tenants write adds no header and no tag.
func TestHostile(t *testing.T) {
	box := listen(t, mailbox.Options{})
	s := newSender(t, box, nil)
	for _, evil := range []string{
		"web\r\nBcc: victim@example.com", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "{{.Tenant}}", "a\r\n.\r\nMAIL FROM:<x@y>", "=?utf-8?q?evil?=",
	} {
		n := down(evil)
		n.Title, n.Incidents[0].Annotations = evil, map[string]string{"summary": evil, "description": evil + "\n" + evil}
		to := ops
		to.Name = evil
		if err := s.To(to).Send(t.Context(), n); err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		mails := box.Mails()
		got := mails[len(mails)-1]
		if got.Header.Get("Bcc") != "" || len(got.To) != 1 || got.To[0] != ops.Address {
			t.Errorf("%q: headers %v, to %v", evil, got.Header, got.To)
		}
		if strings.Contains(got.HTML, "<script") || strings.Contains(got.HTML, "<img") {
			t.Errorf("%q is a tag in\n%s", evil, got.HTML)
		}
		if strings.ContainsAny(got.Subject, "\r\n") {
			t.Errorf("subject %q", got.Subject)
		}
	}
	if n := len(box.Mails()); n != 6 {
		t.Errorf("%d mails arrived", n)
	}
}

// TestFailures: what the server answers decides what follows.
func TestFailures(t *testing.T) {
	cases := map[string]struct {
		reason  string
		failure mailbox.Failure
		want    error
		taken   int
	}{
		"Busy":       {"A server that takes nobody lets all wait.", mailbox.Failure{At: mailbox.Connect, Code: 421}, outbox.ErrUnreachable, 0},
		"HangsUp":    {"So does one that hangs up.", mailbox.Failure{At: mailbox.Connect}, outbox.ErrUnreachable, 0},
		"Sender":     {"A sender that is not wanted is the operator's to mend.", mailbox.Failure{At: mailbox.From, Code: 553}, outbox.ErrUnreachable, 0},
		"Greylisted": {"One address is for later, the others are not.", mailbox.Failure{At: mailbox.Recipient, Code: 450}, outbox.ErrLater, 0},
		"Unknown":    {"An address that there is not is given up.", mailbox.Failure{At: mailbox.Recipient, Code: 550}, outbox.ErrFinal, 0},
		"Relay":      {"What we may not do, the operator can change.", mailbox.Failure{At: mailbox.Recipient, Code: 554}, outbox.ErrRefused, 0},
		"Stops":      {"A server that stops says so anywhere.", mailbox.Failure{At: mailbox.Recipient, Code: 421}, outbox.ErrUnreachable, 0},
		"Full":       {"What is full gets emptied.", mailbox.Failure{At: mailbox.Data, Code: 452}, outbox.ErrLater, 0},
		"Spam":       {"What is not wanted is not sent again.", mailbox.Failure{At: mailbox.Data, Code: 554}, outbox.ErrFinal, 0},
		"Dropped":    {"A mail whose answer is lost is sent again.", mailbox.Failure{At: mailbox.Taken}, outbox.ErrUnreachable, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			box := listen(t, mailbox.Options{})
			box.Fail(tc.failure)
			s := newSender(t, box, nil)
			if err := s.To(ops).Send(t.Context(), down("web")); !errors.Is(err, tc.want) {
				t.Errorf("%s\ngot %v, want %v", tc.reason, err, tc.want)
			}
			if got := len(box.Mails()); got != tc.taken {
				t.Errorf("%s\n%d are taken, want %d", tc.reason, got, tc.taken)
			}
			if err := s.To(ops).Send(t.Context(), down("web")); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if m := box.Mails(); len(m) == 2 && m[0].ID() != m[1].ID() {
				t.Errorf("the IDs are %q and %q", m[0].ID(), m[1].ID())
			}
		})
	}
}

// TestSlow: a server that takes its time is left when the time is up.
func TestSlow(t *testing.T) {
	box := listen(t, mailbox.Options{})
	box.Fail(mailbox.Failure{At: mailbox.Recipient, Delay: 3 * time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := newSender(t, box, nil).To(ops).Send(ctx, down("web")); !errors.Is(err, outbox.ErrUnreachable) || time.Since(began) > 2*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// TestReconnect: a server that has hung up since the last mail is called again.
func TestReconnect(t *testing.T) {
	box := listen(t, mailbox.Options{})
	s := newSender(t, box, nil)
	for range 2 {
		if err := s.To(ops).Send(t.Context(), down("web")); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(box.Stop(), box.Start()); err != nil {
			t.Fatal(err)
		}
	}
	if len(box.Mails()) != 2 || box.Connections() != 2 {
		t.Errorf("%d mails over %d connections", len(box.Mails()), box.Connections())
	}
}

// TestSecurity: mail and passwords go out encrypted, to a server that is who it says.
func TestSecurity(t *testing.T) {
	config, authority, err := mailbox.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason   string
		server   *tls.Config
		implicit bool
		change   func(*Config)
		fails    bool
	}{
		"StartTLS":    {"Plain text at first, then not.", config, false, func(c *Config) { c.Security = StartTLS }, false},
		"TLS":         {"Encrypted from the first byte.", config, true, func(c *Config) { c.Security = TLS }, false},
		"NoStartTLS":  {"A server that does not encrypt gets no mail.", nil, false, func(c *Config) { c.Security = StartTLS }, true},
		"Stranger":    {"A server that nobody certifies gets none.", config, false, func(c *Config) { c.Security, c.CAFile = StartTLS, "" }, true},
		"StrangerTLS": {"Nor does it with TLS.", config, true, func(c *Config) { c.Security, c.CAFile = TLS, "" }, true},
		"Password":    {"A wrong password is the operator's to mend.", config, false, func(c *Config) { c.Security, c.PasswordFile = StartTLS, file(t, "wrong\n") }, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			box := listen(t, mailbox.Options{Username: "dogker", Password: "word", TLS: tc.server, Implicit: tc.implicit})
			s := newSender(t, box, func(c *Config) {
				c.Username, c.PasswordFile, c.CAFile = "dogker", file(t, "word\n"), file(t, string(authority))
				tc.change(c)
			})
			sent, checked := s.To(ops).Send(t.Context(), down("web")), s.Check(t.Context())
			if (sent != nil) != tc.fails || (checked != nil) != tc.fails || tc.fails && !errors.Is(sent, outbox.ErrUnreachable) {
				t.Errorf("%s\nsending: %v\nchecking: %v", tc.reason, sent, checked)
			}
			if sent != nil && (strings.Contains(sent.Error(), "word") || strings.Contains(sent.Error(), "wrong")) {
				t.Errorf("a password is shown: %v", sent)
			}
			if m := box.Mails(); !tc.fails && (len(m) != 1 || !m[0].TLS || m[0].User != "dogker") {
				t.Errorf("%s\n%+v", tc.reason, m)
			}
		})
	}
}

// TestConfig: what cannot work is refused at the start, by the name of the flag.
func TestConfig(t *testing.T) {
	good := Config{Address: "mail.example.com:587", Security: StartTLS, From: "noreply@example.com"}
	cases := map[string]struct {
		reason string
		change func(*Config)
		fails  string
	}{
		"Good":        {"Nothing more is needed.", func(*Config) {}, ""},
		"NoPort":      {"A server has a port.", func(c *Config) { c.Address = "mail.example.com" }, `--smtp-address: "mail.example.com" must be host:port`},
		"NoFrom":      {"Mail has a sender.", func(c *Config) { c.From = "" }, `--smtp-from: ""`},
		"BadFrom":     {"Who has an address.", func(c *Config) { c.From = "Dogker" }, "--smtp-from: "},
		"BadTLS":      {"There are three ways.", func(c *Config) { c.Security = "ssl" }, `--smtp-tls: "ssl" is not one of: starttls, tls, none`},
		"NoPassword":  {"Who logs in has a password.", func(c *Config) { c.Username = "x" }, "--smtp-username and --smtp-password-file need each other"},
		"Plain":       {"A password goes to no other machine in plain text.", func(c *Config) { c.Username, c.PasswordFile, c.Security = "x", file(t, "y"), None }, "--smtp-tls: none"},
		"Empty":       {"A file without one is a mistake.", func(c *Config) { c.Username, c.PasswordFile = "x", file(t, "\n") }, "--smtp-password-file: "},
		"NoFile":      {"So is one that is not there.", func(c *Config) { c.Username, c.PasswordFile = "x", "/nowhere" }, "--smtp-password-file: "},
		"NoAuthority": {"Authorities are PEM.", func(c *Config) { c.CAFile = file(t, "x") }, "has no certificate in PEM"},
		"Unsubscribe": {"A header holds one URL.", func(c *Config) { c.Unsubscribe = "mailto:a@b.example>, <https://c.example" }, "--smtp-unsubscribe: "},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := good
			tc.change(&c)
			_, err := New(c)
			if (err == nil) != (tc.fails == "") || err != nil && !strings.Contains(err.Error(), tc.fails) {
				t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.fails)
			}
		})
	}
}
