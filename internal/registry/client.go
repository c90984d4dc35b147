package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	// timeout of one question, with all its credentials and redirects.
	timeout = 10 * time.Second
	// dialTimeout includes the name's resolution: a machine without DNS learns quickly that it has none.
	dialTimeout = 4 * time.Second
)

// Client resolves images. It is safe for concurrent use.
type Client struct {
	userAgent string
	requests  *prometheus.CounterVec
	cache     cache
	lists     lists
	breaker   breaker

	standard http.RoundTripper
	// special transports of the hosts that have authorities of their own.
	special map[string]http.RoundTripper
	// scheme holds true for hosts reached in plain HTTP and false for hosts reached by TLS, where the operator says so.
	scheme map[string]bool
}

// New makes a client. The metrics are registered with reg unless it is nil.
func New(cfg Config, version string, reg prometheus.Registerer) (*Client, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}

	c := &Client{
		userAgent: "dogker/" + version,
		requests:  newRequests(),
		cache:     cache{results: map[string]result{}},
		lists:     lists{known: map[string]tagList{}},
		breaker:   breaker{outages: map[string]*outage{}},
		standard:  newTransport(nil),
		special:   map[string]http.RoundTripper{},
		scheme:    map[string]bool{},
	}

	for _, h := range cfg.Registries {
		host := canonicalHost(h.Host)
		c.scheme[host] = h.PlainHTTP

		if h.CAFile == "" {
			continue
		}

		pool, err := authorities(h.CAFile)
		if err != nil {
			return nil, fmt.Errorf("set up registry %q: %w", h.Host, err)
		}

		c.special[host] = newTransport(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})
	}

	if reg != nil {
		if err := reg.Register(c.requests); err != nil {
			return nil, fmt.Errorf("register metrics of registries: %w", err)
		}
	}

	return c, nil
}

func newTransport(cfg *tls.Config) http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:        cfg,
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  timeout,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        16,
		MaxIdleConnsPerHost:    4,
		MaxIdleConns:           64,
		IdleConnTimeout:        30 * time.Second,
	}
}

func (c *Client) transport(host string) http.RoundTripper {
	if t, ok := c.special[host]; ok {
		return t
	}

	return c.standard
}

func (c *Client) plain(host string) bool {
	if plain, ok := c.scheme[host]; ok {
		return plain
	}

	return isLoopback(host)
}

// Resolve returns ref with the digest that its registry has for it now, in the form in which people write images:
// nginx:1@sha256:…. A ref that has a digest is returned as it is; no registry is asked, so there is nothing to say about
// credentials. The answer may be two seconds old; a refusal or an outage up to five, and an outage longer when it lasts.
func (c *Client) Resolve(ctx context.Context, ref string, pullSecrets [][]byte) (swarmobj.ResolvedImage, error) {
	named, creds, err := parse(ref, pullSecrets)
	if err != nil {
		return swarmobj.ResolvedImage{}, fmt.Errorf("resolve image %q: %w", ref, err)
	}

	if _, ok := named.(reference.Digested); ok {
		return swarmobj.ResolvedImage{Reference: ref}, nil
	}

	image, err := c.question(ctx, reference.TagNameOnly(named), creds)
	if err != nil {
		return swarmobj.ResolvedImage{}, fmt.Errorf("resolve image %q: %w", ref, err)
	}

	return image, nil
}

// question is one question to a registry, which others who ask the same share.
func (c *Client) question(ctx context.Context, named reference.Named, creds []credential) (swarmobj.ResolvedImage, error) {
	t := target{ref: named, host: canonicalHost(reference.Domain(named))}

	return c.cache.get(ctx, questionKey(t, creds), func(ctx context.Context) (swarmobj.ResolvedImage, error) {
		return c.ask(ctx, t, creds)
	})
}

// Auths are X-Registry-Auth of the credentials that are for ref, in the order in which Resolve tries them. No registry is
// asked, so which of several works is not known here: Resolve tells.
func (c *Client) Auths(ref string, pullSecrets [][]byte) ([]string, error) {
	_, creds, err := parse(ref, pullSecrets)
	if err != nil {
		return nil, fmt.Errorf("find credentials for image %q: %w", ref, err)
	}

	headers := make([]string, len(creds))
	for i, cr := range creds {
		if headers[i], err = cr.header(); err != nil {
			return nil, err
		}
	}

	return headers, nil
}

func parse(ref string, pullSecrets [][]byte) (reference.Named, []credential, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, nil, refused("it is no reference of an image: %v", err)
	}

	creds, err := match(pullSecrets, named)
	if err != nil {
		return nil, nil, err
	}

	return named, creds, nil
}

// questionKey is the same for questions that have the same answer: namespaces share what is public, and nothing else.
func questionKey(t target, creds []credential) string {
	parts := []string{t.ref.String()}
	for _, cr := range creds {
		parts = append(parts, cr.fingerprint())
	}

	return strings.Join(parts, "\x00")
}

// ask tries the credentials in order and then without. An outage ends it: it says nothing about the credentials.
func (c *Client) ask(ctx context.Context, t target, creds []credential) (swarmobj.ResolvedImage, error) {
	var errs []error

	for _, cr := range creds {
		digest, err := c.guarded(ctx, t, cr.authenticator(), cr.fingerprint())
		if err == nil {
			return resolved(t, digest, &cr)
		}

		if errors.Is(err, swarmobj.ErrUnavailable) {
			return swarmobj.ResolvedImage{}, err
		}

		errs = append(errs, err)
	}

	digest, err := c.guarded(ctx, t, authn.Anonymous, "")
	if err == nil {
		return resolved(t, digest, nil)
	}

	if errors.Is(err, swarmobj.ErrUnavailable) {
		return swarmobj.ResolvedImage{}, err
	}

	return swarmobj.ResolvedImage{}, decided(append(errs, err))
}

// guarded is one try to get a digest.
func (c *Client) guarded(ctx context.Context, t target, auth authn.Authenticator, account string) (string, error) {
	a := c.through(t.host, account, func() attempt { return c.try(ctx, t, auth, account != "") })

	return a.digest, a.err
}

// through is one try that the breaker lets through and learns from.
func (c *Client) through(host, account string, try func() attempt) attempt {
	accountKey := host + "\x00" + account
	for _, key := range []string{host, accountKey} {
		if err := c.breaker.check(key); err != nil {
			return attempt{err: err}
		}
	}

	a := try()

	if a.host.on {
		c.breaker.failed(host, a.err, a.host.atLeast)
		return a
	}

	c.breaker.answered(host)

	if a.account.on {
		c.breaker.failed(accountKey, a.err, a.account.atLeast)
		return a
	}

	c.breaker.answered(accountKey)

	return a
}

// resolved puts the digest to the image as Docker does it: the familiar name, the tag, the digest.
func resolved(t target, digest string, cr *credential) (swarmobj.ResolvedImage, error) {
	image := swarmobj.ResolvedImage{Reference: t.familiar() + "@" + digest}
	if cr == nil {
		return image, nil
	}

	var err error
	image.Auth, err = cr.header()

	return image, err
}
