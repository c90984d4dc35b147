package streams

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// private are headers of requests that say who somebody is or where, which is nothing to a container; those that a proxy in
// front of this server may have added are among them. The others would turn a request into something else than one.
var private = []string{
	"Authorization", "Proxy-Authorization", "Cookie", "Forwarded", "X-Real-Ip", "Connection", "Upgrade", "Te", "Trailer",
	"Sec-Websocket-Protocol", "Sec-Websocket-Key",
}

// privatePrefixes are beginnings of such headers.
var privatePrefixes = []string{"Impersonate-", "X-Remote-", "X-Forwarded-"}

// withoutCredentials is the request as a container may see it.
func withoutCredentials(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	for _, name := range private {
		r.Header.Del(name)
	}
	for name := range r.Header {
		for _, prefix := range privatePrefixes {
			if strings.HasPrefix(name, prefix) {
				r.Header.Del(name)
			}
		}
	}
	r.Body, r.ContentLength = http.NoBody, 0

	return r
}

// ofOrigin are headers of answers that speak for a whole origin. The origin here is the API's, and no container speaks for
// that.
var ofOrigin = []string{
	"Set-Cookie", "Strict-Transport-Security", "Clear-Site-Data", "Service-Worker-Allowed", "Alt-Svc", "Nel", "Report-To",
	"Reporting-Endpoints", "Www-Authenticate", "Proxy-Authenticate", "Public-Key-Pins", "Origin-Agent-Cluster",
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
	"Access-Control-Allow-Methods", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
}

// sandbox has a browser treat a page as one of nowhere: its scripts run, and are strangers to the API.
const sandbox = "sandbox allow-forms allow-scripts"

// disarmed takes from answers what could harm somebody who looks at them in a browser, and bounds them.
type disarmed struct{ next http.RoundTripper }

func (d disarmed) RoundTrip(r *http.Request) (*http.Response, error) {
	// The proxy has added the address of the client.
	r.Header.Del("X-Forwarded-For")
	resp, err := d.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		resp.Body.Close()
		return nil, errors.New("the container wants to switch protocols, which goes through a port-forward only")
	}
	for _, name := range ofOrigin {
		resp.Header.Del(name)
	}
	resp.Header.Add("Content-Security-Policy", sandbox)
	resp.Header.Set("X-Content-Type-Options", "nosniff")
	resp.Body = &bounded{ReadCloser: resp.Body, left: maxAnswerBytes, tooMuch: errTooMuch}
	if isPage(resp) {
		resp.Body = &bounded{ReadCloser: plain(resp), left: maxPageBytes, tooMuch: errTooLongPage}
	}

	return resp, nil
}

var (
	errTooMuch     = errors.New("the answer is larger than 64 MiB, which is the most that goes through the proxy")
	errTooLongPage = apierrors.NewServiceUnavailable("the page is larger than 4 MiB, which is the most HTML that goes through the proxy: use a port-forward")
)

// isPage is true for what the proxy of k8s.io/apimachinery takes into memory as a whole to put its links right.
func isPage(resp *http.Response) bool {
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")

	return strings.TrimSpace(kind) == "text/html"
}

// plain is the body of a page without its compression. That library would undo it without a bound, and a page that grows a
// thousandfold fills all the memory there is.
func plain(resp *http.Response) io.ReadCloser {
	var unpack func(io.Reader) (io.Reader, error)
	switch resp.Header.Get("Content-Encoding") {
	case "gzip":
		unpack = func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case "deflate":
		unpack = func(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil }
	default:
		return resp.Body
	}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength, resp.Uncompressed = -1, true

	return &unpacked{Closer: resp.Body, packed: resp.Body, unpack: unpack}
}

// unpacked begins to read when it is read: the answer to HEAD has nothing to begin with.
type unpacked struct {
	io.Closer
	packed io.Reader
	unpack func(io.Reader) (io.Reader, error)
	from   io.Reader
}

func (u *unpacked) Read(p []byte) (int, error) {
	if u.from == nil {
		from, err := u.unpack(u.packed)
		if err != nil {
			return 0, err
		}
		u.from = from
	}

	return u.from.Read(p)
}

// bounded fails once more has come than may.
type bounded struct {
	io.ReadCloser
	left    int64
	tooMuch error
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, b.tooMuch
	}

	return n, err
}
