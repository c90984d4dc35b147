package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// Security is how connections are encrypted.
type Security string

// The ways to encrypt.
const (
	// StartTLS begins in plain text and must go on encrypted.
	StartTLS Security = "starttls"
	// TLS is encrypted from the first byte.
	TLS Security = "tls"
	// None is plain text.
	None Security = "none"
)

// maxPasswordFile is how large the file of a password may be, in bytes.
const maxPasswordFile = 4 << 10

// Config says how mail is sent. Errors name the flags that it is made of.
type Config struct {
	// Address of the server, host:port. No mail is sent when empty.
	Address string
	// Username to log in as, and the file with the password; nobody logs in when empty.
	Username, PasswordFile string
	Security               Security
	// From is the sender: an address, with a name if it is to have one.
	From string
	// CAFile has the authorities that certify the server; those of the system when empty.
	CAFile string
	// Unsubscribe is where people ask for no more mail about alerts: a mailto or an https URL.
	Unsubscribe string
	// Version of this program.
	Version string
}

// checked is a Config whose parts are known to be right.
type checked struct {
	host        string
	port        int
	from        *mail.Address
	username    string
	password    string
	security    Security
	roots       *x509.CertPool
	unsubscribe string
	version     string
}

func (c Config) check() (checked, error) {
	out := checked{security: c.Security, username: c.Username, version: c.Version}
	host, port, err := net.SplitHostPort(c.Address)
	if err == nil {
		out.port, err = strconv.Atoi(port)
	}
	if err != nil || host == "" || out.port < 1 || out.port > 65535 {
		return checked{}, fmt.Errorf("--smtp-address: %q must be host:port, such as mail.example.com:587", c.Address)
	}
	out.host = host

	if out.from, err = mail.ParseAddress(c.From); err != nil || !strings.Contains(out.from.Address, "@") {
		return checked{}, fmt.Errorf("--smtp-from: %q must be an address, such as noreply@example.com or \"Dogker <noreply@example.com>\"", c.From)
	}
	switch c.Security {
	case StartTLS, TLS, None:
	default:
		return checked{}, fmt.Errorf("--smtp-tls: %q is not one of: %s, %s, %s", c.Security, StartTLS, TLS, None)
	}
	for _, read := range []func(Config) error{out.login, out.authorities, out.list} {
		if err := read(c); err != nil {
			return checked{}, err
		}
	}

	return out, nil
}

// login reads the password.
func (o *checked) login(c Config) error {
	switch {
	case (c.Username == "") != (c.PasswordFile == ""):
		return errors.New("--smtp-username and --smtp-password-file need each other")
	case c.Username == "":
		return nil
	case c.Security == None && !loopback(o.host):
		return errors.New("--smtp-tls: none sends the password of --smtp-password-file to another machine in plain text; use starttls or tls")
	}
	text, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return fmt.Errorf("--smtp-password-file: %w", err)
	}
	if o.password = strings.TrimRight(string(text), "\r\n"); o.password == "" || len(text) > maxPasswordFile {
		return fmt.Errorf("--smtp-password-file: %q must hold a password in one line", c.PasswordFile)
	}

	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)

	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// authorities reads the certificates that are believed.
func (o *checked) authorities(c Config) error {
	switch {
	case c.CAFile == "":
		return nil
	case c.Security == None:
		return errors.New("--smtp-ca-file needs --smtp-tls starttls or tls")
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return fmt.Errorf("--smtp-ca-file: %w", err)
	}
	if o.roots = x509.NewCertPool(); !o.roots.AppendCertsFromPEM(text) {
		return fmt.Errorf("--smtp-ca-file: %q has no certificate in PEM", c.CAFile)
	}

	return nil
}

// list checks the URL that is in headers.
func (o *checked) list(c Config) error {
	if c.Unsubscribe == "" {
		return nil
	}
	u, err := url.Parse(c.Unsubscribe)
	if err != nil || u.Scheme != "mailto" && (u.Scheme != "https" || u.Host == "") || strings.ContainsAny(c.Unsubscribe, "<>, \r\n") {
		return fmt.Errorf("--smtp-unsubscribe: %q must be a mailto or https URL, such as mailto:alerts@example.com", c.Unsubscribe)
	}
	o.unsubscribe = c.Unsubscribe

	return nil
}

func (o *checked) tls() *tls.Config {
	return &tls.Config{ServerName: o.host, RootCAs: o.roots, MinVersion: tls.VersionTLS12}
}

// domain of the sender, which IDs of mails end with.
func (o *checked) domain() string {
	_, domain, _ := strings.Cut(o.from.Address, "@")

	return domain
}
