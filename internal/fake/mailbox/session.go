package mailbox

import (
	"crypto/subtle"
	"errors"
	"io"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// backend makes sessions for the library.
type backend struct{ box *Mailbox }

// NewSession implements smtp.Backend.
func (b backend) NewSession(c *smtp.Conn) (smtp.Session, error) {
	s := &session{box: b.box, conn: c}
	if b.box.o.Username != "" {
		return &loginSession{session: s}, nil
	}

	return s, nil
}

// session is one connection of a client.
type session struct {
	box  *Mailbox
	conn *smtp.Conn
	user string
	from string
	to   []string
}

var errHungUp = errors.New("hung up")

// fail does what a Failure of the stage says, if there is one.
func (s *session) fail(at Stage, to ...string) error {
	f, failing := s.box.fail(at, to...)
	switch {
	case !failing:
		return nil
	case f.Code == 0:
		_ = s.conn.Conn().Close()
		return errHungUp
	default:
		return &smtp.SMTPError{Code: f.Code, EnhancedCode: smtp.EnhancedCode{f.Code / 100, 0, 0}, Message: "as it was told to"}
	}
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.box.o.Username != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.from = from

	return s.fail(From)
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.fail(Recipient, to); err != nil {
		return err
	}
	s.to = append(s.to, to)

	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.fail(Data, s.to...); err != nil {
		return err
	}
	mail, err := parse(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: err.Error()}
	}
	_, mail.TLS = s.conn.TLSConnectionState()
	mail.From, mail.To, mail.User = s.from, s.to, s.user
	s.box.put(mail)

	return s.fail(Taken, s.to...)
}

// loginSession is one that asks who it is.
type loginSession struct{ *session }

// AuthMechanisms implements smtp.AuthSession.
func (*loginSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (s *loginSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if err := s.fail(Login); err != nil {
			return err
		}
		o := s.box.o
		if subtle.ConstantTimeCompare([]byte(username+"\x00"+password), []byte(o.Username+"\x00"+o.Password)) != 1 {
			return smtp.ErrAuthFailed
		}
		s.user = username

		return nil
	}), nil
}
