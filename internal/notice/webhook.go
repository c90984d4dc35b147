package notice

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/book"
)

const (
	// postTimeout is how long an endpoint may take for one notice.
	postTimeout = 10 * time.Second
	// maxAnswer is how much of an answer is read, so that the connection can be used again.
	maxAnswer = 4 << 10
	// maxSecretFile is how large the file of secrets may be, in bytes.
	maxSecretFile = 4 << 10
	// maxSecrets are the one in use and, while it is changed, the one before or after it.
	maxSecrets = 2
	// minSecret is how short a secret may be: less can be guessed by whoever has seen one signature.
	minSecret = 16
)

// SignatureHeader holds when a notice was sent and, for each secret, the HMAC-SHA256 of that time, a point and the body, in
// hexadecimal: t=1767225600,v1=5257a8…
const SignatureHeader = "Dogker-Signature"

var (
	// errEndpoint is an endpoint that takes nothing now.
	errEndpoint = errors.New("the endpoint takes nothing now")
	// errRefused is an endpoint that does not take this one.
	errRefused = errors.New("the endpoint refuses it")
)

// Message is the body of a request.
type Message struct {
	// ID is the same however often the notice is sent.
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	// Kind of notice, such as LowBalance.
	Kind string `json:"kind"`
	// Time it was decided, and the last entry of the tenant's ledger then.
	Time time.Time `json:"time"`
	Seq  int64     `json:"seq"`
	// Text is a sentence for people.
	Text string `json:"text"`
	// Data is what the text is made of.
	Data map[string]string `json:"data,omitempty"`
	// Contacts are whom the tenant wants to have written to about money, now.
	Contacts []Contact `json:"contacts,omitempty"`
}

// Contact is somebody to write to.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
}

func messageOf(n book.Notice, contacts []Contact) Message {
	return Message{
		ID: n.Tenant + "/" + n.ID, Tenant: n.Tenant, Kind: n.Kind, Time: time.Unix(n.Time, 0).UTC(), Seq: n.Seq,
		Text: Text(n), Data: n.Data, Contacts: contacts,
	}
}

// Endpoint is where notices are posted.
type Endpoint struct {
	url     string
	secrets [][]byte
	version string
	client  *http.Client
}

// NewEndpoint makes an endpoint. The secrets sign what is sent; without any, nothing is signed.
func NewEndpoint(address string, secrets [][]byte, version string) (*Endpoint, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		// Nothing of it is repeated: its query may hold a secret.
		return nil, errors.New("--notice-webhook-url: must be a URL, such as https://hooks.example.com/dogker")
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Fragment != "":
		return nil, errors.New("--notice-webhook-url: must be an https or http URL with a host and without a fragment, such as https://hooks.example.com/dogker")
	case u.User != nil:
		return nil, errors.New("--notice-webhook-url: must not hold credentials; notices are signed with --notice-webhook-secret-file")
	}

	return &Endpoint{url: address, secrets: secrets, version: version, client: &http.Client{
		Timeout: postTimeout,
		// The next host was not chosen by the operator.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: postTimeout / 2}).DialContext,
			TLSHandshakeTimeout:    postTimeout / 2,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
		},
	}}, nil
}

// ReadSecrets reads secrets from a file: one a line, empty lines and those that begin with # left out. Each signs what is
// sent, so that a secret can be changed without a notice that is not accepted. Errors repeat nothing of the file.
func ReadSecrets(path string) ([][]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--notice-webhook-secret-file: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return nil, fmt.Errorf("--notice-webhook-secret-file: %w", err)
	}
	if len(text) > maxSecretFile {
		return nil, fmt.Errorf("--notice-webhook-secret-file: %q has more than %d bytes", path, maxSecretFile)
	}

	var secrets [][]byte
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if len(line) < minSecret {
			return nil, fmt.Errorf("--notice-webhook-secret-file: the secret in line %d of %q must have at least %d characters", n, path, minSecret)
		}
		secrets = append(secrets, []byte(line))
	}
	if len(secrets) < 1 || len(secrets) > maxSecrets {
		return nil, fmt.Errorf("--notice-webhook-secret-file: %q has %d secrets, and must have 1 to %d", path, len(secrets), maxSecrets)
	}

	return secrets, nil
}

// post sends one notice. Its error is errRefused when the endpoint does not take this one, and errEndpoint otherwise.
func (e *Endpoint) post(ctx context.Context, m Message, now time.Time) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode notice: %w: %w", errRefused, err)
	}
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post notice: %w: %w", errEndpoint, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "dogker/"+e.version)
	if len(e.secrets) > 0 {
		r.Header.Set(SignatureHeader, e.sign(body, now))
	}

	answer, err := e.client.Do(r)
	if err != nil {
		return fmt.Errorf("post notice: %w: %w", errEndpoint, unaddressed(err))
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)

	switch code := answer.StatusCode; {
	case code/100 == 2:
		return nil
	case code/100 == 4 && code != http.StatusRequestTimeout && code != http.StatusTooEarly && code != http.StatusTooManyRequests:
		return fmt.Errorf("post notice: %w: HTTP %d", errRefused, code)
	default:
		return fmt.Errorf("post notice: %w: HTTP %d", errEndpoint, code)
	}
}

// unaddressed takes the address off an error: its query may hold a secret.
func unaddressed(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}

	return err
}

func (e *Endpoint) sign(body []byte, now time.Time) string {
	at := strconv.FormatInt(now.Unix(), 10)
	header := "t=" + at
	for _, secret := range e.secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(at + "."))
		mac.Write(body)
		header += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}

	return header
}
