package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/reconciler/source"
)

const (
	// userAgent begins the way servers demand it that tell Git from browsers.
	userAgent = "git/2.0 (dogker)"
	// infoRefs is what is appended to a URL to ask for its references.
	infoRefs = "/info/refs"
	// maxRedirects is how often a repository may have moved.
	maxRedirects = 5
)

// httpTransport is Git's smart protocol over https, and over http for who has nothing to hide.
type httpTransport struct {
	client *http.Client
	auth   source.Auth
	// service is what is asked of the server.
	service string
	// base is the URL of the repository, after redirects.
	base *url.URL
	body io.ReadCloser
}

func newHTTP(auth source.Auth, e endpoint, dialer *outbound.Dialer) (*httpTransport, error) {
	roots, err := roots(auth.CAFile)
	if err != nil {
		return nil, err
	}

	t := &httpTransport{auth: auth, service: e.service, base: e.url}
	t.client = &http.Client{
		CheckRedirect: t.redirect,
		Transport: &http.Transport{
			Proxy:                  nil, // one that the environment names would be dialed past the checks
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    connectTimeout,
			DisableCompression:     true, // what was compressed would be counted before it is unpacked
			MaxResponseHeaderBytes: 64 << 10,
			ExpectContinueTimeout:  time.Second,
		},
	}

	return t, nil
}

// roots are the certificates that are trusted: the system's, and those of the request.
func roots(pem []byte) (*x509.CertPool, error) {
	if len(pem) == 0 {
		return nil, nil
	}

	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}

	if !pool.AppendCertsFromPEM(pem) {
		return nil, &source.Error{Reason: source.ReasonAuthenticationFailed, Field: "auth.caFile", Message: "has no certificate in PEM"}
	}

	return pool, nil
}

// redirect follows a repository that has moved. Each hop is dialed like the first one, so addresses need no look here.
func (t *httpTransport) redirect(next *http.Request, via []*http.Request) error {
	first := via[0].URL

	switch {
	case next.Method != http.MethodGet:
		return lasting(source.ReasonGitOperationFailed, "the server redirects an upload, which is not followed")
	case len(via) > maxRedirects:
		return lasting(source.ReasonGitOperationFailed, "the server redirects more than %d times", maxRedirects)
	case next.URL.User != nil, next.URL.Scheme != "https" && next.URL.Scheme != first.Scheme:
		return lasting(source.ReasonGitOperationFailed, "the server redirects to %q, which is not followed", clean(next.URL.Redacted(), maxWords))
	case hasHTTPCredentials(t.auth) && !strings.EqualFold(next.URL.Host, first.Host):
		return lasting(source.ReasonGitOperationFailed,
			"the server redirects to host %q, and credentials are not sent to another host: name that host in the URL", clean(next.URL.Host, maxWords))
	}

	return nil
}

func (t *httpTransport) advertisement(ctx context.Context) (io.Reader, error) {
	at := *t.base
	at.Path = strings.TrimSuffix(at.Path, "/") + infoRefs
	at.RawPath = ""
	at.RawQuery = "service=" + t.service

	resp, err := t.do(ctx, http.MethodGet, &at, nil, "application/x-"+t.service+"-advertisement")
	if err != nil {
		return nil, err
	}

	// The upload goes to where the references were.
	moved := *resp.Request.URL
	if !strings.HasSuffix(moved.Path, infoRefs) {
		return nil, lasting(source.ReasonGitOperationFailed, "the server redirects to what is no repository")
	}

	moved.Path, moved.RawPath, moved.RawQuery = strings.TrimSuffix(moved.Path, infoRefs), "", ""
	t.base = &moved

	return resp.Body, nil
}

func (t *httpTransport) upload(ctx context.Context, request []byte) (io.Reader, error) {
	at := *t.base
	at.Path += "/" + t.service

	resp, err := t.do(ctx, http.MethodPost, &at, request, "application/x-"+t.service+"-result")
	if err != nil {
		return nil, err
	}

	return resp.Body, nil
}

// do sends one request and accepts one kind of answer: a server that speaks the old protocol, or shows a page where people log
// in, answers otherwise.
func (t *httpTransport) do(ctx context.Context, method string, at *url.URL, body []byte, want string) (*http.Response, error) {
	t.close()

	req, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}

	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", want)

	if body != nil {
		req.Header.Set("Content-Type", "application/x-"+t.service+"-request")
	}

	switch {
	case t.auth.BearerToken != "":
		req.Header.Set("Authorization", "Bearer "+t.auth.BearerToken.Reveal())
	case hasHTTPCredentials(t.auth):
		req.SetBasicAuth(t.auth.Username, t.auth.Password.Reveal())
	}

	resp, err := t.client.Do(req)
	if err != nil {
		// The URL that net/http puts around it is said already, and may be one that the server made up.
		var around *url.Error
		if errors.As(err, &around) {
			err = around.Err
		}

		return nil, err
	}

	t.body = resp.Body

	return resp, t.accept(resp, want)
}

// accept judges an answer by its status and its kind.
func (t *httpTransport) accept(resp *http.Response, want string) error {
	got, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")

	switch {
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		message := "the server wants credentials"
		if hasHTTPCredentials(t.auth) {
			message = "the server does not accept the credentials"
		}

		return lasting(source.ReasonAuthenticationFailed, "%s (%d)", message, resp.StatusCode)
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusGone:
		return failf("there is no such repository, or the credentials do not open it (%d)", resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return failf("the server answers %d", resp.StatusCode)
	case got != want:
		return failf("the server answers %q, which is not how repositories answer", clean(got, 80))
	default:
		return nil
	}
}

func (t *httpTransport) close() {
	if t.body != nil {
		_ = t.body.Close()
		t.body = nil
	}

	t.client.CloseIdleConnections()
}

// String keeps credentials out of what is printed.
func (t *httpTransport) String() string { return fmt.Sprintf("repository at %s", t.base.Redacted()) }
