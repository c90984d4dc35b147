package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// failure is an error of a class of swarmobj with a text of its own, because those of swarmobj speak of engines.
type failure struct {
	class error
	text  string
}

// Error is the text, without the class.
func (f *failure) Error() string { return f.text }

// Unwrap is the class.
func (f *failure) Unwrap() error { return f.class }

func notFound(format string, args ...any) error {
	return &failure{class: swarmobj.ErrNotFound, text: fmt.Sprintf(format, args...)}
}

func refused(format string, args ...any) error {
	return &failure{class: swarmobj.ErrRefused, text: fmt.Sprintf(format, args...)}
}

func unavailable(format string, args ...any) error {
	return &failure{class: swarmobj.ErrUnavailable, text: fmt.Sprintf(format, args...)}
}

// causeText says in stable words why a connection failed. The error's own text is not used: it names resolvers,
// addresses and ephemeral ports, which differ from one try to the next and are not the tenant's business.
func causeText(err error) string {
	var (
		dns       *net.DNSError
		timeout   net.Error
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)

	switch {
	case errors.Is(err, errTooLarge):
		return "its answer is too large"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "its name does not resolve"
	case errors.As(err, &dns):
		return "its name cannot be resolved now"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return "it did not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refuses connections"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no network route leads to it"
	case errors.As(err, &authority):
		return "its certificate is signed by an authority that is not known; name a caFile in the registries file"
	case errors.As(err, &hostname):
		return "its certificate is for another name"
	case errors.As(err, &invalid):
		return "its certificate is not valid"
	case errors.As(err, &record):
		return "it speaks plain HTTP; if that is meant, set plainHTTP in the registries file"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "it closed the connection"
	default:
		return "the connection failed"
	}
}
