package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/internal/outbox"
)

const (
	// postTimeout is how long an endpoint may take for one notice.
	postTimeout = 10 * time.Second
	// maxAnswer is how much of an answer is read, so that the connection can be used again.
	maxAnswer = 4 << 10
)

// Headers of a request.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
	// HeaderDogker is what the endpoint of the platform gets besides: when a notice was sent and, for each secret, the
	// HMAC-SHA256 of that time, a point and the body, in hexadecimal: t=1767225600,v1=5257a8…
	HeaderDogker = "Dogker-Signature"
)

// Client posts. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	version string
	now     func() time.Time
}

// NewClient makes a client for URLs that the operator chose: it dials what they say, through the proxies of the environment.
func NewClient(version string, now func() time.Time) *Client {
	transport := newTransport()
	transport.Proxy = http.ProxyFromEnvironment
	transport.DialContext = (&net.Dialer{Timeout: postTimeout / 2}).DialContext
	transport.IdleConnTimeout = 30 * time.Second
	transport.MaxIdleConnsPerHost = 1

	return &Client{newHTTP(transport), version, now}
}

// NewPublicClient makes a client for URLs of tenants. It dials public addresses only, unless all are allowed, and keeps no
// connection: what one tenant has begun is of no use to another.
func NewPublicClient(version string, now func() time.Time, allowPrivate bool) *Client {
	transport := newTransport()
	transport.DialContext = (&outbound.Dialer{AllowPrivate: allowPrivate, Timeout: postTimeout / 2}).DialContext
	transport.DisableKeepAlives = true

	return &Client{newHTTP(transport), version, now}
}

func newTransport() *http.Transport {
	return &http.Transport{TLSHandshakeTimeout: postTimeout / 2, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true}
}

func newHTTP(t *http.Transport) *http.Client {
	return &http.Client{
		Timeout:   postTimeout,
		Transport: t,
		// The next host was not chosen by whoever has chosen this one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Endpoint is where something is posted, and how it is signed.
type Endpoint struct {
	client  *Client
	url     string
	secrets [][]byte
	// dogker has requests signed by HeaderDogker as well.
	dogker bool
}

// post posts a body. Its errors have the classes of package outbox.
func (e *Endpoint) post(ctx context.Context, id string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return outbox.Failed(outbox.ErrRefused, "Its URL cannot be used.", errors.New("the URL cannot be parsed"))
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "dogker/"+e.client.version)
	at := strconv.FormatInt(e.client.now().Unix(), 10)
	r.Header.Set(HeaderID, id)
	r.Header.Set(HeaderTimestamp, at)
	if len(e.secrets) > 0 {
		r.Header.Set(HeaderSignature, Sign(e.secrets, id, at, body))
		if e.dogker {
			r.Header.Set(HeaderDogker, signDogker(e.secrets, at, body))
		}
	}

	answer, err := e.client.http.Do(r)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)

	return judge(answer.StatusCode)
}

// judge says what an answer means.
func judge(code int) error {
	class := outbox.ErrUnreachable
	switch {
	case code/100 == 2:
		return nil
	case code == http.StatusGone:
		class = outbox.ErrFinal
	case code/100 == 4 && code != http.StatusRequestTimeout && code != http.StatusTooEarly && code != http.StatusTooManyRequests:
		class = outbox.ErrRefused
	}

	return outbox.Failed(class, fmt.Sprintf("It answers HTTP %d.", code), fmt.Errorf("HTTP %d", code))
}

// failed says why there was no answer, without the URL.
func failed(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var (
		name    *net.DNSError
		timeout net.Error
	)
	switch {
	case errors.Is(err, outbound.ErrNotPublic):
		return outbox.Failed(outbox.ErrRefused, "Its address is not public.", err)
	case errors.As(err, &name):
		return outbox.Failed(outbox.ErrUnreachable, "Its name cannot be resolved.", errors.New("its name cannot be resolved"))
	case errors.As(err, &timeout) && timeout.Timeout():
		return outbox.Failed(outbox.ErrUnreachable, "It does not answer in time.", err)
	case strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: "):
		return outbox.Failed(outbox.ErrUnreachable, "No secure connection to it is possible.", err)
	default:
		return outbox.Failed(outbox.ErrUnreachable, "It cannot be reached.", err)
	}
}

// Sign makes the value of HeaderSignature.
func Sign(secrets [][]byte, id, timestamp string, body []byte) string {
	signatures := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}

	return strings.Join(signatures, " ")
}

func signDogker(secrets [][]byte, timestamp string, body []byte) string {
	header := "t=" + timestamp
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(timestamp + "."))
		mac.Write(body)
		header += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}

	return header
}
