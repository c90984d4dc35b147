package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"

	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/reconciler/source"
)

// maxWords is how much is shown of what a server says.
const maxWords = 200

// clean is text of somebody else's, made fit for a condition: one line, no control characters, not long.
func clean(s string, limit int) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t' || c == '\r':
			return ' '
		case unicode.IsControl(c) || c == unicode.ReplacementChar || unicode.Is(unicode.Cf, c):
			return -1
		default:
			return c
		}
	}, s)

	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}

	return string(runes)
}

// failf is a failure that a new try may repair, as most failures between two machines are.
func failf(format string, args ...any) *source.Error {
	return &source.Error{Reason: source.ReasonGitOperationFailed, Transient: true, Message: fmt.Sprintf(format, args...)}
}

// lasting is a failure that stays until the repository or the request changes.
func lasting(reason source.Reason, format string, args ...any) *source.Error {
	return &source.Error{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// explain says what a failed operation means to whom the repository belongs. Addresses, ports of this machine and resolvers
// stay out of it: tenants read this, and it must not change from one try to the next.
func (s *session) explain(ctx context.Context, err error) error {
	var known *source.Error

	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, outbound.ErrNotPublic):
		e := lasting(source.ReasonAddressRefused, "host %q leads to an address that is not public", s.endpoint.host())
		e.Field = "url"
		// Names can be made to lead elsewhere, and often are while a repository moves.
		e.Transient = true

		return e
	case errors.Is(err, outbound.ErrBudget), s.budget.Exceeded():
		return lasting(source.ReasonLimitExceeded, "the server sent more than %d bytes", s.limits.CloneBytes)
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded):
		return timeout(ctx)
	}

	e := failf("%s: %s", s.endpoint.host(), words(err))
	e.Cause = err

	return e
}

// timeout is the end of a request's time, or of its caller's patience.
func timeout(ctx context.Context) *source.Error {
	cause := ctx.Err()
	if cause == nil {
		cause = context.DeadlineExceeded
	}

	return &source.Error{
		Reason: source.ReasonTimeout, Transient: true, Message: "the repository could not be fetched in time", Cause: cause,
	}
}

// words is what went wrong, in words that hold no addresses.
func words(err error) string {
	var (
		dns         *net.DNSError
		op          *net.OpError
		line        *pktline.ErrorLine
		unknown     x509.UnknownAuthorityError
		hostname    x509.HostnameError
		certificate x509.CertificateInvalidError
		record      tls.RecordHeaderError
	)

	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "there is no such host"
	case errors.As(err, &dns):
		return "the host's name could not be looked up"
	case errors.As(err, &unknown):
		return "the server's certificate is signed by an unknown authority"
	case errors.As(err, &hostname):
		return "the server's certificate is for another host"
	case errors.As(err, &certificate):
		return "the server's certificate is not valid"
	case errors.As(err, &record):
		return "the server does not speak TLS"
	case errors.As(err, &line):
		return "the server says: " + clean(line.Text, maxWords)
	case errors.As(err, &op) && op.Op == "dial":
		return "the server could not be connected to"
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server ended the connection"
	default:
		return clean(err.Error(), maxWords)
	}
}
