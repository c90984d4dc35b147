package registry

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// target is what is asked about: a tag, or a digest where the reference has one.
type target struct {
	ref  reference.Named
	host string
}

// in is the target in the language of the protocol's library.
func (t target) in(reg name.Registry) name.Reference {
	repository := reg.Repo(reference.Path(t.ref))

	if digested, ok := t.ref.(reference.Digested); ok {
		return repository.Digest(digested.Digest().String())
	}

	return repository.Tag(reference.TagNameOnly(t.ref).(reference.Tagged).Tag())
}

// familiar is the image as people write it.
func (t target) familiar() string { return reference.FamiliarString(t.ref) }

// attempt is one try with one credential, or with none. On failure, hold says for how long the registry should not be
// asked again at all (host) or not with this credential (account); zero is not at all.
type attempt struct {
	digest        string
	tags          []string
	err           error
	host, account hold
}

// hold is a reason to leave a registry alone.
type hold struct {
	on      bool
	atLeast time.Duration
}

// try asks the registry by HEAD, and by GET where HEAD gives no digest.
func (c *Client) try(ctx context.Context, t target, auth authn.Authenticator, withSecret bool) attempt {
	reg, err := name.NewRegistry(t.host)
	if err != nil {
		return attempt{err: refused("%q is no host of a registry", t.host)}
	}

	x := &exchange{base: c.transport(t.host), plain: c.plain(t.host), count: c.requests}
	opts := c.options(ctx, x, auth)

	if x.plain {
		reg, err = name.NewRegistry(t.host, name.Insecure)
		if err != nil {
			return attempt{err: refused("%q is no host of a registry", t.host)}
		}
	}

	desc, err := head(t.in(reg), x, opts)
	if err != nil {
		return x.judge(t, withSecret)
	}

	return attempt{digest: desc.Digest.String()}
}

// options of one attempt.
func (c *Client) options(ctx context.Context, x *exchange, auth authn.Authenticator) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithAuth(auth),
		remote.WithTransport(x),
		remote.WithUserAgent(c.userAgent),
		// The controller tries again; a registry in trouble is not helped by more.
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}),
		remote.WithRetryStatusCodes(),
	}
}

// head falls back to GET when the registry answered the HEAD with something that decides nothing.
func head(ref name.Reference, x *exchange, opts []remote.Option) (*v1.Descriptor, error) {
	desc, err := remote.Head(ref, opts...)
	if err == nil {
		return desc, nil
	}

	last, downward := x.ended()
	if last.op != opHead || last.err != nil || downward || decides(last.status) {
		return nil, err
	}

	got, err := remote.Get(ref, opts...)
	if err != nil {
		return nil, err
	}

	return &got.Descriptor, nil
}

// decides is true for statuses that a GET would only repeat.
func decides(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests:
		return true
	default:
		return status >= 500
	}
}

// judge turns how an attempt ended into an error of a class. What speaks of the connection and not of the image holds
// the whole host back; a rate limit holds back the account that has reached it.
func (e *exchange) judge(t target, withSecret bool) attempt {
	last, downward := e.ended()
	host := t.host

	switch status := last.status; {
	case last.err != nil:
		return attempt{err: unavailable("registry %q cannot be asked: %s", host, causeText(last.err)), host: hold{on: true}}
	case downward:
		return attempt{err: unavailable("registry %q redirects from TLS to plain HTTP, which is not followed", host)}
	case status == http.StatusTooManyRequests:
		return attempt{
			err:     unavailable("registry %q has had too many requests", host),
			account: hold{on: true, atLeast: last.retryAfter},
		}
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return attempt{
			err:  unavailable("registry %q is out of service: %s", host, statusText(status)),
			host: hold{on: true, atLeast: last.retryAfter},
		}
	case status >= 500:
		return attempt{err: unavailable("registry %q failed: %s", host, statusText(status))}
	case last.op == opPing && status != http.StatusUnauthorized && status != http.StatusForbidden:
		return attempt{err: unavailable("%q is not a registry, or not at this address: %s", host, statusText(status))}
	case last.op == opPing && status == http.StatusUnauthorized:
		return attempt{err: refused("registry %q asks for credentials in a way that is not supported", host)}
	case status == http.StatusUnauthorized, status == http.StatusForbidden, last.op == opToken && status >= 400:
		return attempt{err: noAccess(t, withSecret)}
	case status == http.StatusNotFound:
		return attempt{err: notFound("registry %q has no %q", host, t.familiar())}
	case status >= 400:
		return attempt{err: refused("registry %q does not accept the request for %q: %s", host, t.familiar(), statusText(status))}
	case last.op == opTags:
		return attempt{err: unavailable("registry %q gives no list of tags that can be read for %q", host, t.familiar())}
	default:
		return attempt{err: unavailable("registry %q gives no digest for %q", host, t.familiar())}
	}
}

func noAccess(t target, withSecret bool) error {
	if withSecret {
		return refused("registry %q refuses the credentials of the pull secrets for %q", t.host, t.familiar())
	}

	return refused("registry %q gives nobody %q without credentials, and no pull secret is for it: it is private or does not exist",
		t.host, t.familiar())
}

func statusText(status int) string {
	text := http.StatusText(status)
	if text == "" {
		return strconv.Itoa(status)
	}

	return strconv.Itoa(status) + " " + text
}

// maxRetryAfter bounds how long a registry can ask to be left alone.
const maxRetryAfter = 5 * time.Minute

// retryAfter reads the header in seconds. Its other form, a date, is not worth a clock.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds < 0 {
		return 0
	}

	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}

// decided picks the error that tells most of several attempts, in their order: an answer to accepted credentials, then
// a refusal, then what anonymous was told.
func decided(errs []error) error {
	for i, err := range errs {
		if anonymous := i == len(errs)-1; !anonymous && errors.Is(err, swarmobj.ErrNotFound) {
			return err
		}
	}

	for _, err := range errs {
		if errors.Is(err, swarmobj.ErrRefused) {
			return err
		}
	}

	return errs[len(errs)-1]
}
