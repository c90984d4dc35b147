package logship

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// sendTimeout is how long a store may take for a batch.
	sendTimeout = 30 * time.Second
	// maxAnswer is how much of an answer is read: Elasticsearch says a few words about each line.
	maxAnswer = 1 << 20
	// maxCredential is how long the file with the credentials may be.
	maxCredential = 64 << 10
	// maxRetryAfter is the longest pause that a store can ask for.
	maxRetryAfter = 5 * time.Minute
)

// Endpoint is a store of logs.
type Endpoint struct {
	url         string
	dialect     dialect
	credentials string
	client      *http.Client
	now         func() time.Time
}

// dialect is how a kind of store is spoken to.
type dialect interface {
	// path of requests below the URL that is given.
	path(given string) (string, error)
	contentType() string
	// body of a request with lines.
	body(lines []*entry) ([]byte, error)
	// verdicts reads an answer with a status of success: what became of each line. nil means that it has all of them.
	verdicts(answer []byte, lines int) ([]verdict, error)
}

// dialects by the first part of the scheme.
var dialects = map[string]dialect{"loki": loki{}, "elasticsearch": elasticsearch{}}

// EndpointOptions of an Endpoint.
type EndpointOptions struct {
	// URL such as loki+https://logs.example.com or elasticsearch+https://search.example.com:9200/INDEX.
	URL string
	// CredentialsFile holds a token, or NAME:PASSWORD. It is read anew for each batch. Nobody logs in when empty.
	CredentialsFile string
	// CAFile holds the authorities that may have signed the certificate of the store; those of the system when empty.
	CAFile string
	// Transport is used instead of one that is made; for tests.
	Transport http.RoundTripper
}

// NewEndpoint checks what is given, and asks nobody.
func NewEndpoint(o EndpointOptions) (*Endpoint, error) {
	e := &Endpoint{credentials: o.CredentialsFile, now: time.Now}
	var err error
	if e.url, e.dialect, err = parse(o.URL); err != nil {
		return nil, err
	}
	transport := o.Transport
	if transport == nil {
		if transport, err = newTransport(o.CAFile); err != nil {
			return nil, err
		}
	}
	e.client = &http.Client{
		Transport: transport, Timeout: sendTimeout,
		// Credentials are for the server that is named, and for no other one that it points to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if err := e.authorize(&http.Request{Header: http.Header{}}); err != nil {
		return nil, err
	}

	return e, nil
}

// ErrCredentials and ErrAuthorities are files that cannot be used.
var (
	ErrCredentials = errors.New("read credentials of log store")
	ErrAuthorities = errors.New("read authorities of log store")
)

// ErrURL is a URL that no store can have.
var ErrURL = errors.New("must be loki+https://HOST, loki+http://HOST, elasticsearch+https://HOST/INDEX or elasticsearch+http://HOST/INDEX, without credentials, query and fragment")

func parse(given string) (string, dialect, error) {
	u, err := url.Parse(given)
	if err != nil {
		return "", nil, ErrURL // What cannot be read may be a password.
	}
	kind, scheme, _ := strings.Cut(u.Scheme, "+")
	d := dialects[kind]
	if d == nil || scheme != "http" && scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		u.User, u.RawQuery = nil, "" // They may be credentials.
		return "", nil, fmt.Errorf("%q %w", u, ErrURL)
	}
	path, err := d.path(strings.Trim(u.Path, "/"))
	if err != nil {
		return "", nil, fmt.Errorf("%q: %w", given, err)
	}
	path, query, _ := strings.Cut(path, "?")

	return (&url.URL{Scheme: scheme, Host: u.Host, Path: "/" + path, RawQuery: query}).String(), d, nil
}

func newTransport(caFile string) (*http.Transport, error) {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: atOnce, MaxConnsPerHost: atOnce,
		IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if caFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAuthorities, err)
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: %q holds no certificate in PEM", ErrAuthorities, caFile)
	}

	return t, nil
}

// authorize puts the credentials into a request.
func (e *Endpoint) authorize(r *http.Request) error {
	if e.credentials == "" {
		return nil
	}
	f, err := os.Open(e.credentials)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	defer f.Close() //nolint:errcheck // It was only read.

	data, err := io.ReadAll(io.LimitReader(f, maxCredential))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	if data = bytes.TrimSpace(data); len(data) == 0 || bytes.ContainsAny(data, "\r\n") {
		return fmt.Errorf("%w: %q must hold one line, a token or NAME:PASSWORD", ErrCredentials, e.credentials)
	}
	// A token has no colon.
	if name, password, ok := strings.Cut(string(data), ":"); ok {
		r.SetBasicAuth(name, password)
	} else {
		r.Header.Set("Authorization", "Bearer "+string(data))
	}

	return nil
}

// post sends lines, and says what became of them. It fails only when nothing did.
func (e *Endpoint) post(ctx context.Context, lines []*entry) ([]verdict, error) {
	plain, err := e.dialect.body(lines)
	if err != nil {
		return nil, &trouble{kind: whole, what: "a batch cannot be written"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(packed(plain)))
	if err != nil {
		return nil, &trouble{kind: atStore, what: "the URL cannot be asked"}
	}
	req.Header.Set("Content-Type", e.dialect.contentType())
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("User-Agent", "dogker")
	if err := e.authorize(req); err != nil {
		return nil, &trouble{kind: atStore, what: "the credentials cannot be read", detail: err.Error()}
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, unreachable(err)
	}
	defer resp.Body.Close() //nolint:errcheck // It was only read.

	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode/100 != 2 {
		return nil, e.refusal(resp)
	}
	if err != nil {
		return nil, &trouble{kind: atStore, what: "its answer broke off"}
	}
	verdicts, err := e.dialect.verdicts(answer, len(lines))
	if err != nil {
		return nil, &trouble{kind: atStore, what: err.Error()}
	}

	return verdicts, nil
}

// refusal is what a status means that is no success.
func (e *Endpoint) refusal(resp *http.Response) error {
	t := &trouble{kind: atStore, what: "it answers " + strconv.Itoa(resp.StatusCode), after: e.retryAfter(resp.Header.Get("Retry-After"))}
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		t.kind = whole
	case http.StatusRequestEntityTooLarge:
		t.kind = size
	case http.StatusTooManyRequests:
		t.kind = rate
	}

	return t
}

// retryAfter reads how long the store wants to be left alone: seconds, or a date.
func (e *Endpoint) retryAfter(header string) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return max(0, min(time.Duration(min(seconds, 3600))*time.Second, maxRetryAfter))
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, min(at.Sub(e.now()), maxRetryAfter))
	}

	return 0
}

// packed is smaller: logs are mostly the same words.
func packed(plain []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // The level exists.
	_, _ = w.Write(plain)
	_ = w.Close() // A buffer takes everything.

	return out.Bytes()
}

// unreachable is a request that was not answered. Its URL is said elsewhere.
func unreachable(err error) *trouble {
	if errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err) {
		return &trouble{kind: atStore, what: "it does not answer in time"}
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}

	return &trouble{kind: atStore, what: "it cannot be reached", detail: err.Error()}
}
