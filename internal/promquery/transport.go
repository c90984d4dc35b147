package promquery

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Credentials are how the server of Prometheus knows us, and how we know it. Files are read anew for every question, so that
// a change counts at once.
type Credentials struct {
	// BearerTokenFile holds a token; BasicAuthFile holds NAME:PASSWORD. At most one of them is set.
	BearerTokenFile, BasicAuthFile string
	// CAFile holds the authorities that may have signed the certificate of the server; those of the system when empty.
	CAFile string
}

// maxCredential is how long a file with a credential may be.
const maxCredential = 64 << 10

// Transport reaches a server with credentials. It fails when they contradict each other or a file cannot be used.
func Transport(c Credentials) (http.RoundTripper, error) {
	if c.BearerTokenFile != "" && c.BasicAuthFile != "" {
		return nil, errors.New("use credentials of Prometheus: set a file with a token or one with a name and a password, not both")
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: defaultAtOnce,
		IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: questionTime,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read authorities of Prometheus: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read authorities of Prometheus: %q holds no certificate in PEM", c.CAFile)
		}
	}

	a := authorized{next: t, credentials: c}
	if _, err := a.header(); err != nil {
		return nil, err
	}

	return a, nil
}

// authorized adds credentials to requests.
type authorized struct {
	next        http.RoundTripper
	credentials Credentials
}

// RoundTrip implements http.RoundTripper.
func (a authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	set, err := a.header()
	if err != nil {
		return nil, err
	}
	if set != nil {
		req = req.Clone(req.Context())
		set(req)
	}

	return a.next.RoundTrip(req)
}

// header is what puts the credentials into a request; nil when there are none.
func (a authorized) header() (func(*http.Request), error) {
	switch c := a.credentials; {
	case c.BearerTokenFile != "":
		token, err := credential(c.BearerTokenFile)
		if err != nil {
			return nil, err
		}

		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }, nil
	case c.BasicAuthFile != "":
		pair, err := credential(c.BasicAuthFile)
		if err != nil {
			return nil, err
		}
		name, password, ok := strings.Cut(pair, ":")
		if !ok {
			return nil, fmt.Errorf("read credentials of Prometheus: %q must hold NAME:PASSWORD", c.BasicAuthFile)
		}

		return func(r *http.Request) { r.SetBasicAuth(name, password) }, nil
	default:
		return nil, nil
	}
}

func credential(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read credentials of Prometheus: %w", err)
	}
	defer f.Close() //nolint:errcheck // It was only read.

	data, err := io.ReadAll(io.LimitReader(f, maxCredential))
	if err != nil {
		return "", fmt.Errorf("read credentials of Prometheus: %w", err)
	}
	if data = bytes.TrimSpace(data); len(data) == 0 || bytes.ContainsAny(data, "\r\n") {
		return "", fmt.Errorf("read credentials of Prometheus: %q must hold one line", file)
	}

	return string(data), nil
}

// bounded reads no more of an answer than it may have.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer}

	return resp, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

var errTooLong = fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)

	return n, err
}
