package mailbox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/smtp"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

const letter = "From: a@example.com\r\nTo: b@example.com\r\nSubject: =?utf-8?q?Sald=C3=B3?=\r\nMessage-ID: <1@x>\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=B\r\n\r\n" +
	"--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nfew=\r\n words\r\n" +
	"--B\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+aGk8L2I+\r\n--B--\r\n"

func listen(t *testing.T, o Options) *Mailbox {
	t.Helper()
	m, err := Listen("127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Stop(); err != nil {
			t.Error(err)
		}
	})

	return m
}

// send uses the client of the standard library, which knows nothing of the server's.
func send(m *Mailbox) error {
	return smtp.SendMail(m.Addr(), nil, "a@example.com", []string{"b@example.com"}, []byte(letter))
}

// code is what an error was answered with, -1 for a connection that was closed, 0 for none.
func code(err error) int {
	var said *textproto.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &said):
		return said.Code
	default:
		return -1
	}
}

// TestMail: what is taken reads as people would read it.
func TestMail(t *testing.T) {
	m := listen(t, Options{})
	if err := send(m); err != nil {
		t.Fatal(err)
	}
	mails, err := m.Wait(1, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	got := mails[0]
	if got.Subject != "Saldó" || got.Text != "few words" || got.HTML != "<b>hi</b>" || got.ID() != "<1@x>" || got.From != "a@example.com" {
		t.Errorf("%+v", got)
	}
	if len(m.To("b@example.com")) != 1 || len(m.To("c@example.com")) != 0 {
		t.Error("mails are found by the recipient of the envelope")
	}
}

// TestFailures: each happens where it is put, once.
func TestFailures(t *testing.T) {
	cases := map[string]struct {
		reason  string
		failure Failure
		want    int
		taken   int
	}{
		"Busy":      {"A server that takes nobody says so first.", Failure{At: Connect, Code: 421}, 421, 0},
		"HangsUp":   {"Or says nothing.", Failure{At: Connect}, -1, 0},
		"Sender":    {"The sender may not be wanted.", Failure{At: From, Code: 553}, 553, 0},
		"Greylist":  {"The recipient may be for later.", Failure{At: Recipient, Code: 450}, 450, 0},
		"Unknown":   {"Or unknown.", Failure{At: Recipient, Code: 550, To: "b@example.com"}, 550, 0},
		"Elsewhere": {"A failure for somebody else is none.", Failure{At: Recipient, Code: 550, To: "c@example.com"}, 0, 1},
		"Full":      {"The mail itself may not be taken.", Failure{At: Data, Code: 452}, 452, 0},
		"Dropped":   {"The answer to a mail that was taken may be lost.", Failure{At: Taken}, -1, 1},
		"Slow":      {"A slow server is no broken one.", Failure{At: Data, Delay: 10 * time.Millisecond}, 0, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := listen(t, Options{})
			m.Fail(tc.failure)
			if err := send(m); code(err) != tc.want {
				t.Errorf("%s\ngot %v, want %d", tc.reason, err, tc.want)
			}
			if got := len(m.Mails()); got != tc.taken {
				t.Errorf("%s\n%d mails are taken, want %d", tc.reason, got, tc.taken)
			}
			m.Mend()
			if err := send(m); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestStop: a server that was down answers at the same address when it is back, with what it had.
func TestStop(t *testing.T) {
	m := listen(t, Options{})
	if err := send(m); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := send(m); err == nil {
		t.Fatal("it answers though it was stopped")
	}
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	if err := send(m); err != nil || len(m.Mails()) != 2 {
		t.Errorf("%v; %d mails", err, len(m.Mails()))
	}
}

// TestLogin: who has no password is not let in, and passwords go over TLS.
func TestLogin(t *testing.T) {
	config, authority, err := Certificate()
	if err != nil {
		t.Fatal(err)
	}
	if err := send(listen(t, Options{Username: "dogker", Password: "word"})); code(err) != 502 {
		t.Errorf("without a login: %v", err)
	}
	m := listen(t, Options{Username: "dogker", Password: "word", TLS: config})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	for password, want := range map[string]int{"word": 0, "wrong": 535} {
		c, err := smtp.Dial(m.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.StartTLS(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}); err != nil {
			t.Fatal(err)
		}
		if err := c.Auth(smtp.PlainAuth("", "dogker", password, "127.0.0.1")); code(err) != want {
			t.Errorf("with %q: %v", password, err)
		}
		_ = c.Close()
	}
}

// TestImplicitTLS: with it the first byte is encrypted.
func TestImplicitTLS(t *testing.T) {
	config, authority, err := Certificate()
	if err != nil {
		t.Fatal(err)
	}
	m := listen(t, Options{TLS: config, Implicit: true})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	conn, err := tls.Dial("tcp", m.Addr(), &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	c, err := smtp.NewClient(conn, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := errors.Join(c.Mail("a@example.com"), c.Rcpt("b@example.com")); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, strings.NewReader(letter)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil || len(m.Mails()) != 1 || !m.Mails()[0].TLS {
		t.Errorf("%v; %+v", err, m.Mails())
	}
}
