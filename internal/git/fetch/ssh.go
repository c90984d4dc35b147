package fetch

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/reconciler/source"
)

// sshTransport is a service of Git at the other end of an ssh connection.
type sshTransport struct {
	client *ssh.Client
	sess   *ssh.Session
	in     io.WriteCloser
	out    io.Reader
	said   *tail
	stop   func() bool
}

// dialSSH connects and logs in. The server must be one of those in KnownHosts: nothing is trusted on first use.
func dialSSH(ctx context.Context, auth source.Auth, e endpoint, dialer *outbound.Dialer, dir string) (*sshTransport, error) {
	port := e.url.Port()
	if port == "" {
		port = "22"
	}

	address := net.JoinHostPort(e.host(), port)

	config, err := sshConfig(auth, e.user, address, dir)
	if err != nil {
		return nil, err
	}

	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}

	// The connection has the deadline of ctx, but does not know when it is given up before that.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })

	c, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		stop()
		_ = conn.Close()

		return nil, refusal(err)
	}

	t := &sshTransport{client: ssh.NewClient(c, channels, requests), said: &tail{}, stop: stop}
	if err := t.start(e); err != nil {
		t.close()

		return nil, err
	}

	return t, nil
}

// sshConfig is how to log in, and whom to believe.
func sshConfig(auth source.Auth, user, address, dir string) (*ssh.ClientConfig, error) {
	refuse := func(field, message string) (*ssh.ClientConfig, error) {
		return nil, &source.Error{Reason: source.ReasonAuthenticationFailed, Field: "auth." + field, Message: message}
	}

	if strings.TrimSpace(auth.KnownHosts) == "" {
		return refuse("knownHosts", "is required for ssh: it says by which key the server is recognised")
	}

	known, err := parseKnownHosts(auth.KnownHosts, dir)
	if err != nil {
		return refuse("knownHosts", "is not in the format of ssh's known_hosts")
	}

	algorithms := known.HostKeyAlgorithms(address)
	if len(algorithms) == 0 {
		return refuse("knownHosts", "has no key of the server")
	}

	config := &ssh.ClientConfig{
		User: user, HostKeyCallback: known.HostKeyCallback(), HostKeyAlgorithms: algorithms, Timeout: connectTimeout,
		ClientVersion: "SSH-2.0-dogker",
	}

	switch {
	case auth.SSHIdentity != "":
		signer, err := signer(auth)
		if err != nil {
			return refuse("sshIdentity", "is no private key in PEM, or sshPassphrase does not open it")
		}

		config.Auth = []ssh.AuthMethod{ssh.PublicKeys(signer)}
	case auth.Password != "":
		config.Auth = []ssh.AuthMethod{ssh.Password(auth.Password.Reveal())}
	default:
		return refuse("sshIdentity", "is required for ssh")
	}

	return config, nil
}

func signer(auth source.Auth) (ssh.Signer, error) {
	if auth.SSHPassphrase != "" {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(auth.SSHIdentity), []byte(auth.SSHPassphrase))
	}

	return ssh.ParsePrivateKey([]byte(auth.SSHIdentity))
}

// parseKnownHosts goes by way of a file because that is what there is a parser for.
func parseKnownHosts(lines, dir string) (*knownhosts.HostKeyDB, error) {
	f, err := os.CreateTemp(dir, "known_hosts")
	if err != nil {
		return nil, err
	}

	defer func() { _ = os.Remove(f.Name()) }()

	_, err = f.WriteString(lines)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}

	return knownhosts.NewDB(f.Name())
}

// refusal says who refused whom. The library has no type for a refused login; a test pins its words.
func refusal(err error) error {
	switch {
	case knownhosts.IsHostKeyChanged(err), knownhosts.IsHostUnknown(err):
		return lasting(source.ReasonAuthenticationFailed, "the server's key is not the one in knownHosts")
	case strings.Contains(err.Error(), "unable to authenticate"):
		return lasting(source.ReasonAuthenticationFailed, "the server does not accept the credentials")
	default:
		return err
	}
}

// start runs the service.
func (t *sshTransport) start(e endpoint) error {
	var err error
	if t.sess, err = t.client.NewSession(); err != nil {
		return err
	}

	t.sess.Stderr = t.said

	if t.in, err = t.sess.StdinPipe(); err != nil {
		return err
	}

	if t.out, err = t.sess.StdoutPipe(); err != nil {
		return err
	}

	// A path that begins with the home directory of a user does so without the slash.
	path := e.url.Path
	if strings.HasPrefix(path, "/~") {
		path = path[1:]
	}

	return t.sess.Start(e.service + " " + quote(path))
}

// quote makes one word of the other side's shell, the way Git itself does.
func quote(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(s) + "'"
}

func (t *sshTransport) advertisement(context.Context) (io.Reader, error) {
	return &explained{r: t.out, sess: t.sess, said: t.said}, nil
}

func (t *sshTransport) upload(_ context.Context, request []byte) (io.Reader, error) {
	if _, err := t.in.Write(request); err != nil {
		return nil, err
	}

	return &explained{r: t.out, sess: t.sess, said: t.said}, nil
}

func (t *sshTransport) close() {
	t.stop()
	_ = t.client.Close()
}

// tail keeps the beginning of what a server says to people, and forgets the rest.
type tail struct {
	mu   sync.Mutex
	said []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()

	t.said = append(t.said, p[:min(len(p), 4*maxWords-len(t.said))]...)

	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()

	return clean(string(t.said), maxWords)
}

// explained is a stream that ends with what the server said about its end, where it ends before its first byte.
type explained struct {
	r    io.Reader
	sess *ssh.Session
	said *tail
	any  bool
}

func (e *explained) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.any = e.any || n > 0

	if err == io.EOF && !e.any {
		// What was said has come when the session is over; the connection's deadline ends this.
		_ = e.sess.Wait()

		if said := e.said.String(); said != "" {
			return n, failf("the server says: %s", said)
		}
	}

	return n, err
}
