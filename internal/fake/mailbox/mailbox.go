package mailbox

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Stage is a step of a delivery.
type Stage string

// Stages, in their order.
const (
	// Connect is before the server has said anything.
	Connect Stage = "connect"
	// Login is when a client authenticates itself.
	Login Stage = "login"
	// From is when the sender is named, and Recipient when one who is to get the mail is.
	From      Stage = "from"
	Recipient Stage = "recipient"
	// Data is when the mail has arrived and is not taken yet.
	Data Stage = "data"
	// Taken is when the mail is in the box and only the answer is missing.
	Taken Stage = "taken"
)

// Failure is what the server does in place of what it should.
type Failure struct {
	At Stage
	// Code it answers with, such as 451 or 550; 0 hangs up without a word.
	Code int
	// Delay is how long it takes for that. A failure that has only a delay is none: the server is slow.
	Delay time.Duration
	// To limits it to mails for one recipient.
	To string
	// Always has it happen every time, until Mend.
	Always bool
}

// slow tells whether it is a delay and nothing else.
func (f Failure) slow() bool { return f.Code == 0 && f.Delay > 0 }

// Options of a Mailbox.
type Options struct {
	// Username and Password that clients have to log in with; nobody has to when empty.
	Username, Password string
	// TLS is used after STARTTLS, or from the first byte with Implicit. There is none when nil.
	TLS      *tls.Config
	Implicit bool
}

// Mailbox is a mail server and what it has taken. It is safe for concurrent use.
type Mailbox struct {
	o       Options
	address string

	mu          sync.Mutex
	server      *smtp.Server
	listener    net.Listener
	mails       []Mail
	failures    []Failure
	connections int
	arrived     chan struct{}
}

// Listen starts a server on an address, such as 127.0.0.1:0.
func Listen(address string, o Options) (*Mailbox, error) {
	m := &Mailbox{o: o, address: address, arrived: make(chan struct{})}

	return m, m.Start()
}

// Start listens, again at the same address after Stop.
func (m *Mailbox) Start() error {
	l, err := net.Listen("tcp", m.address)
	if err != nil {
		return fmt.Errorf("start mailbox: %w", err)
	}

	m.mu.Lock()
	defer m.mu.Unlock()

	m.address = l.Addr().String()
	l = door{l, m}
	if m.o.TLS != nil && m.o.Implicit {
		l = tls.NewListener(l, m.o.TLS)
	}

	server := smtp.NewServer(backend{m})
	server.Domain = "mailbox.test"
	server.AllowInsecureAuth = true
	server.MaxMessageBytes = 1 << 20
	server.ErrorLog = log.New(io.Discard, "", 0)
	if !m.o.Implicit {
		server.TLSConfig = m.o.TLS
	}
	m.server, m.listener = server, l

	go func() { _ = server.Serve(l) }()

	return nil
}

// door is where clients come in, or do not.
type door struct {
	net.Listener
	box *Mailbox
}

// Accept implements net.Listener. Clients that are turned away are not let in; the library would let them greet it first.
func (d door) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		d.box.mu.Lock()
		d.box.connections++
		d.box.mu.Unlock()

		f, failing := d.box.fail(Connect)
		if !failing {
			return conn, nil
		}
		if f.Code != 0 {
			_, _ = fmt.Fprintf(conn, "%d as it was told to\r\n", f.Code)
		}
		_ = conn.Close()
	}
}

// Stop stops listening and hangs up on everybody. What was taken stays.
func (m *Mailbox) Stop() error {
	m.mu.Lock()
	server, l := m.server, m.listener
	m.server = nil
	m.mu.Unlock()

	if server == nil {
		return nil
	}
	// A server that has just begun does not know its listener yet, and would not close it.
	_ = l.Close()
	if err := server.Close(); err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop mailbox: %w", err)
	}

	return nil
}

// Addr is where it listens, as host:port.
func (m *Mailbox) Addr() string {
	m.mu.Lock()
	defer m.mu.Unlock()

	return m.address
}

// Fail has what follows fail, each failure once and in this order among those of its stage.
func (m *Mailbox) Fail(failures ...Failure) {
	m.mu.Lock()
	defer m.mu.Unlock()

	m.failures = append(m.failures, failures...)
}

// Mend forgets all failures that have not happened.
func (m *Mailbox) Mend() {
	m.mu.Lock()
	defer m.mu.Unlock()

	m.failures = nil
}

// Mails are those it has taken, in the order in which they came.
func (m *Mailbox) Mails() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()

	return slices.Clone(m.mails)
}

// To are the mails for one recipient.
func (m *Mailbox) To(address string) []Mail {
	return slices.DeleteFunc(m.Mails(), func(mail Mail) bool { return !slices.Contains(mail.To, address) })
}

// Connections is how many were made, whatever became of them.
func (m *Mailbox) Connections() int {
	m.mu.Lock()
	defer m.mu.Unlock()

	return m.connections
}

// Wait blocks until so many mails are there, and returns them with those that came meanwhile. It gives up after a while.
func (m *Mailbox) Wait(n int, patience time.Duration) ([]Mail, error) {
	timeout := time.After(patience)
	for {
		m.mu.Lock()
		mails, arrived := slices.Clone(m.mails), m.arrived
		m.mu.Unlock()

		if len(mails) >= n {
			return mails, nil
		}
		select {
		case <-arrived:
		case <-timeout:
			return mails, fmt.Errorf("%d of %d mails arrived within %s", len(mails), n, patience)
		}
	}
}

// fail finds the next failure of a stage and takes its time.
func (m *Mailbox) fail(at Stage, to ...string) (Failure, bool) {
	m.mu.Lock()
	i := slices.IndexFunc(m.failures, func(f Failure) bool {
		return f.At == at && (f.To == "" || slices.Contains(to, f.To))
	})
	var f Failure
	if i >= 0 {
		f = m.failures[i]
		if !f.Always {
			m.failures = slices.Delete(m.failures, i, i+1)
		}
	}
	m.mu.Unlock()

	time.Sleep(f.Delay)

	return f, i >= 0 && !f.slow()
}

// put takes a mail.
func (m *Mailbox) put(mail Mail) {
	m.mu.Lock()
	defer m.mu.Unlock()

	m.mails = append(m.mails, mail)
	close(m.arrived)
	m.arrived = make(chan struct{})
}
