package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/dogker/dogker/internal/notice"
	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/reconciler/alert"
)

const (
	// stepTimeout is how long a server may take to let us in, and then for a mail.
	stepTimeout = 30 * time.Second
	// maxIdle connections are kept for the next mail, for idleTime at most: servers hang up on those that say nothing.
	maxIdle  = 2
	idleTime = 30 * time.Second
)

// Sender sends mail. It is safe for concurrent use.
type Sender struct {
	checked
	client *gomail.Client
	now    func() time.Time

	mu   sync.Mutex
	idle []*connection
}

// connection to the server that has let us in.
type connection struct {
	*smtp.Client
	conn net.Conn
	used time.Time
}

// New makes a Sender. It connects to nobody before there is something to send.
func New(c Config) (*Sender, error) {
	o, err := c.check()
	if err != nil {
		return nil, err
	}
	s := &Sender{checked: o, now: time.Now}
	policy := gomail.TLSMandatory
	if o.security != StartTLS {
		policy = gomail.NoTLS // The connection is encrypted when it is made, or is not to be.
	}
	options := []gomail.Option{
		gomail.WithPort(o.port), gomail.WithTimeout(stepTimeout), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(o.tls()),
		gomail.WithDialContextFunc(o.open),
	}
	if o.username != "" {
		options = append(options, gomail.WithUsername(o.username), gomail.WithPassword(o.password), gomail.WithOpportunisticSMTPAuth(
			gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	if s.client, err = gomail.NewClient(o.host, options...); err != nil {
		return nil, fmt.Errorf("set up mail: %w", err)
	}

	return s, nil
}

// Check connects to the server, logs in, and leaves.
func (s *Sender) Check(ctx context.Context) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	_ = c.Quit()

	return nil
}

// Close hangs up.
func (s *Sender) Close() {
	s.mu.Lock()
	idle := s.idle
	s.idle = nil
	s.mu.Unlock()
	for _, c := range idle {
		_ = c.conn.Close()
	}
}

// send sends a message. It has been taken when the error is nil, and may have been when the connection broke.
func (s *Sender) send(ctx context.Context, m *gomail.Msg) error {
	for {
		c, used := s.take(), true
		if c == nil {
			var err error
			if c, err = s.dial(ctx); err != nil {
				return err
			}
			used = false
		}
		stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
		err := s.client.SendWithSMTPClient(c.Client, m)
		stop()
		if err == nil {
			s.keep(c)
			return nil
		}
		_ = c.conn.Close()
		var failed *gomail.SendError
		switch {
		case m.IsDelivered():
			return nil // Only what came after it has failed.
		case used && errors.As(err, &failed) && failed.Reason == gomail.ErrConnCheck:
			continue // The server has hung up since.
		default:
			return err
		}
	}
}

// take is a connection that was used before, or nil.
func (s *Sender) take() *connection {
	s.mu.Lock()
	defer s.mu.Unlock()

	for len(s.idle) > 0 {
		c := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		if time.Since(c.used) < idleTime {
			return c
		}
		_ = c.conn.Close()
	}

	return nil
}

// keep keeps a connection for the next mail.
func (s *Sender) keep(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if len(s.idle) >= maxIdle {
		_ = c.conn.Close()
		return
	}
	c.used = time.Now()
	s.idle = append(s.idle, c)
	// What is not used again is not kept open until it is.
	time.AfterFunc(idleTime, s.tidy)
}

// tidy hangs up where nothing was sent for long.
func (s *Sender) tidy() {
	s.mu.Lock()
	defer s.mu.Unlock()

	kept := s.idle[:0]
	for _, c := range s.idle {
		if time.Since(c.used) < idleTime {
			kept = append(kept, c)
		} else {
			_ = c.conn.Close()
		}
	}
	clear(s.idle[len(kept):])
	s.idle = kept
}

// dial connects and logs in.
func (s *Sender) dial(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()

	var h handle
	defer context.AfterFunc(ctx, h.close)()
	c, err := s.client.DialToSMTPClientWithContext(context.WithValue(ctx, handleKey{}, &h))
	if err != nil {
		h.close()
		return nil, fmt.Errorf("connect to the mail server: %w", err)
	}

	return &connection{Client: c, conn: h.conn}, nil
}

// handle holds the connection that the library has dialed, which it does not close when the server does not let us in, and
// does not give up when the context ends.
type handle struct {
	mu   sync.Mutex
	conn net.Conn
}

type handleKey struct{}

func (h *handle) set(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()

	h.conn = conn
}

func (h *handle) close() {
	h.mu.Lock()
	defer h.mu.Unlock()

	if h.conn != nil {
		_ = h.conn.Close()
	}
}

// open dials for the library.
func (o *checked) open(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if o.security == TLS {
		encrypted := tls.Client(conn, o.tls())
		if err := encrypted.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		conn = encrypted
	}
	if h, ok := ctx.Value(handleKey{}).(*handle); ok {
		h.set(conn)
	}

	return conn, nil
}

// Recipient is somebody who gets mail.
type Recipient struct {
	Name, Address string
	Language      notice.Language
}

// To is the target of mail for somebody.
func (s *Sender) To(r Recipient) outbox.Target { return target{s, r} }

type target struct {
	sender *Sender
	to     Recipient
}

// Key implements outbox.Target.
func (t target) Key() string { return "mail:" + strings.ToLower(t.to.Address) }

// Lane implements outbox.Target.
func (target) Lane() string { return "mail" }

// Send implements outbox.Target.
func (t target) Send(ctx context.Context, n alert.Notification) error {
	m, err := t.sender.message(n, t.to, t.sender.now())
	if err != nil {
		return outbox.Failed(outbox.ErrFinal, "No mail can be written to this address.", err)
	}

	return judge(t.sender.send(ctx, m))
}
