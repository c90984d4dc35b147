package login

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/internal/identity"
)

const (
	requestTimeout = 30 * time.Second
	// maxAnswer is more than any answer has.
	maxAnswer = 1 << 20
)

// Client speaks to the paths of a server by which people log in.
type Client struct {
	server string
	http   *http.Client
}

// NewClient makes a client. ca is the authority in PEM that has signed the server's certificate; empty for those that
// the machine trusts.
func NewClient(server string, ca []byte) (*Client, error) {
	server, err := ParseServer(server)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(ca) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("the certificate authority holds no certificate in PEM")
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config

	return &Client{server: server, http: &http.Client{
		Timeout: requestTimeout, Transport: transport,
		// What is sent is for this server only.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// ParseServer reads the address of a server as people write it: with or without the scheme, which is always https.
func ParseServer(text string) (string, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("server %q must be https://HOST:PORT", text)
	}

	return u.String(), nil
}

// Login begins a session.
func (c *Client) Login(ctx context.Context, r identity.LoginRequest) (identity.Tokens, error) {
	var tokens identity.Tokens
	err := c.post(ctx, identity.PathLogin, r, &tokens)

	return tokens, err
}

// Refresh takes the next tokens of a session.
func (c *Client) Refresh(ctx context.Context, refreshToken string) (identity.Tokens, error) {
	var tokens identity.Tokens
	err := c.post(ctx, identity.PathRefresh, identity.RefreshRequest{RefreshToken: refreshToken}, &tokens)

	return tokens, err
}

// Logout ends a session.
func (c *Client) Logout(ctx context.Context, r identity.LogoutRequest) error {
	return c.post(ctx, identity.PathLogout, r, nil)
}

// ChangePassword sets one's own password.
func (c *Client) ChangePassword(ctx context.Context, r identity.PasswordRequest) error {
	return c.post(ctx, identity.PathPassword, r, nil)
}

// Register asks to become a User.
func (c *Client) Register(ctx context.Context, r identity.RegisterRequest) (identity.RegisterResponse, error) {
	var answer identity.RegisterResponse
	err := c.post(ctx, identity.PathRegister, r, &answer)

	return answer, err
}

// post sends a request once. It is not sent again when there is no answer: whether it arrived is not known, and most of
// them count.
func (c *Client) post(ctx context.Context, path string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.server, withoutPath(err))
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read answer of %s: %w", c.server, err)
	}
	if resp.StatusCode != http.StatusOK {
		return refusal(c.server, resp.StatusCode, raw)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("read answer of %s: it is not what was asked for", c.server)
	}

	return nil
}

// withoutPath keeps the part of the error that helps: which path was asked for is of no interest to people.
func withoutPath(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}

	return err
}

// refusal is the server's error, as Kubernetes' clients know errors.
func refusal(server string, code int, raw []byte) error {
	var status metav1.Status
	if json.Unmarshal(raw, &status) == nil && status.Kind == "Status" && status.Status == metav1.StatusFailure {
		return &apierrors.StatusError{ErrStatus: status}
	}

	return fmt.Errorf("%s answered %d %s: is it a Dogker server?", server, code, http.StatusText(code))
}
