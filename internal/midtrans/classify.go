package midtrans

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/payment"
)

// meaning is what a status code of Midtrans says about a call.
type meaning struct {
	class error
	cause string
}

// meanings are the codes that say something more exact than their first digit. 407 is the status of an expired payment
// and no error.
var meanings = map[int]meaning{
	401: {payment.ErrMisconfigured, "the server key is not accepted"},
	402: {payment.ErrMisconfigured, "the merchant may not use this payment method"},
	403: {payment.ErrMisconfigured, "access is denied"},
	404: {payment.ErrNotFound, ""},
	406: {payment.ErrDuplicateOrder, ""},
	407: {},
	409: {payment.ErrRateLimited, "there were too many similar payments"},
	410: {payment.ErrMisconfigured, "the merchant's account is deactivated"},
	412: {payment.ErrNotModifiable, ""},
	429: {payment.ErrRateLimited, ""},
}

// means is what a code says: nil for success.
func means(code int) meaning {
	if m, ok := meanings[code]; ok {
		return m
	}

	switch {
	case code >= 200 && code < 300:
		return meaning{}
	case code >= 400 && code < 500:
		return meaning{class: payment.ErrRefused}
	default:
		return meaning{payment.ErrUnknownOutcome, "it failed"}
	}
}

// classify decides what an answer means. The code in the body is Midtrans' word and counts more than that of HTTP, which
// may be a proxy's, but only where the body is Midtrans' and the two do not contradict each other.
func (x *exchange) classify(status int, header http.Header, body []byte) error {
	x.code = strconv.Itoa(status)

	// A server that failed may have done it or not, whatever else it says.
	if status >= 500 {
		cause := "it failed"
		after := retryAfter(header)
		x.g.breaker.failed(time.Now(), payment.ErrUnavailable, cause, after)

		return x.fail(payment.ErrUnknownOutcome, cause, after)
	}

	answer, err := payment.ParseAnswer(body)
	if err != nil {
		return x.foreign(status, header)
	}

	code, err := bodyCode(answer, status)
	if err != nil || status >= 400 && code < 300 {
		return x.unusable("its answer contradicts itself")
	}

	x.code = strconv.Itoa(code)

	m := means(code)
	if answer.Duplicate() && m.class == payment.ErrRefused {
		m = meaning{class: payment.ErrDuplicateOrder}
	}

	switch {
	case status >= 300 && status < 400:
		return x.unusable("it answers with a redirect")
	case code == http.StatusAccepted && x.key != "" && answer.TransactionStatus() == "":
		return x.unusable("the same call is still under way")
	case m.class == nil:
		x.g.breaker.answered()
		x.answer = answer

		return nil
	default:
		return x.declined(m, header, answer)
	}
}

// bodyCode is the code of an answer: its own, or that of HTTP where it has none, as on pages' host.
func bodyCode(a payment.Answer, status int) (int, error) {
	text := a.Code()
	if text == "" {
		return status, nil
	}

	code, err := strconv.Atoi(text)
	if err != nil || code < 100 || code > 999 {
		return 0, errors.New("read status code: it is none")
	}

	return code, nil
}

// foreign is an answer that is not Midtrans' JSON: of a proxy, a portal, a wrong address. Only what HTTP says beyond doubt
// is taken from it.
func (x *exchange) foreign(status int, header http.Header) error {
	switch status {
	case http.StatusUnauthorized, http.StatusTooManyRequests:
		return x.declined(means(status), header, payment.Answer{})
	default:
		return x.unusable("its answer is not JSON")
	}
}

// declined is an answer that says no. What it says in words is for whoever reads the log.
func (x *exchange) declined(m meaning, header http.Header, answer payment.Answer) error {
	after := retryAfter(header)

	switch {
	case x.code == "401", m.class == payment.ErrRateLimited && x.code == "429":
		x.g.breaker.failed(time.Now(), m.class, m.cause, after)
	default:
		x.g.breaker.answered()
	}

	// Not found is what Midtrans says of every order until its payer has chosen a method.
	if m.class != payment.ErrNotFound {
		x.g.log.LogAttrs(x.ctx, slog.LevelInfo, "Midtrans declined a call",
			slog.String(logkey.Operation, string(x.op)), slog.String(logkey.Order, x.ref.OrderID),
			slog.String(logkey.Code, x.code), slog.String(logkey.Reason, redact(answer.Message(), x.g.key)))
	}

	return x.fail(m.class, m.cause, after)
}

// maxRetryAfter bounds what a server can ask for.
const maxRetryAfter = 15 * time.Minute

// retryAfter is how long an answer asks to wait, in seconds; the other form, a date, would need our clocks to agree.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}

	return min(time.Duration(min(seconds, 1<<20))*time.Second, maxRetryAfter)
}

// causeText says in stable words why a connection failed. The error's own text names addresses and ports.
func causeText(err error) string {
	var (
		dns       *net.DNSError
		slow      net.Error
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)

	switch {
	case errors.As(err, &dns):
		return "its name does not resolve"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &slow) && slow.Timeout():
		return "it did not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refuses connections"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no network route leads to it"
	case errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &invalid):
		return "its certificate is not valid"
	case errors.As(err, &record):
		return "it does not speak TLS"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "it closed the connection"
	default:
		return "the connection failed"
	}
}
