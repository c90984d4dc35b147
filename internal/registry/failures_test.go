package registry

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// script answers each operation with a status, and with a body where the status needs one.
type script map[op]reply

type reply struct {
	status int
	header http.Header
	body   io.Reader
}

// ServeHTTP implements http.Handler.
func (s script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s[opOf(r)]
	for k, v := range a.header {
		w.Header()[k] = v
	}

	if a.status != 0 {
		w.WriteHeader(a.status)
	}

	if a.body != nil {
		_, _ = io.Copy(w, a.body)
	}
}

func status(code int) reply { return reply{status: code} }

func challenge(format string, args ...any) reply {
	return reply{status: http.StatusUnauthorized, header: http.Header{"Www-Authenticate": {fmt.Sprintf(format, args...)}}}
}

func TestFailures(t *testing.T) {
	manifest := http.Header{"Content-Type": {"application/vnd.oci.image.index.v1+json"}}

	cases := map[string]struct {
		reason string
		script script
		class  error
		text   string
	}{
		"HeadNotFound":    {"It is not there; a GET would only repeat it.", script{opHead: status(404), opGet: status(500)}, swarmobj.ErrNotFound, "has no"},
		"HeadForbidden":   {"The credentials are right and not enough.", script{opHead: status(403)}, swarmobj.ErrRefused, "refuses the credentials"},
		"HeadRateLimited": {"It says nothing about the image.", script{opHead: status(429)}, swarmobj.ErrUnavailable, "too many requests"},
		"HeadFailed":      {"It says nothing about the image.", script{opHead: status(500)}, swarmobj.ErrUnavailable, "500 Internal Server Error"},
		"OutOfService":    {"It says nothing about the image.", script{opPing: status(503)}, swarmobj.ErrUnavailable, "out of service: 503 Service Unavailable"},
		"MadeUpStatus":    {"Registries do that.", script{opHead: status(599)}, swarmobj.ErrUnavailable, "failed: 599"},
		"NotARegistry":    {"A web server that knows nothing of /v2/.", script{opPing: status(404)}, swarmobj.ErrUnavailable, "is not a registry"},
		"OddChallenge":    {"Kerberos is not on offer.", script{opPing: challenge("Negotiate"), opHead: status(401)}, swarmobj.ErrRefused, "refuses the credentials"},
		"NoRealm":         {"A challenge nobody can follow.", script{opPing: challenge("Bearer service=x")}, swarmobj.ErrRefused, "not supported"},
		"RealmElsewhere":  {"A token server on an inner address is not asked: it may be anything.", script{opPing: challenge(`Bearer realm="http://169.254.169.254/latest"`)}, swarmobj.ErrRefused, "not supported"},
		"TokenRefused":    {"The token server decides who may look.", script{opPing: challenge(`Bearer realm="http://HOST/token"`), opToken: status(403)}, swarmobj.ErrRefused, "refuses the credentials"},
		"TokenGone":       {"A missing token server is no missing image.", script{opPing: challenge(`Bearer realm="http://HOST/token"`), opToken: status(404)}, swarmobj.ErrRefused, "refuses the credentials"},
		"TokenFailed":     {"It says nothing about the image.", script{opPing: challenge(`Bearer realm="http://HOST/token"`), opToken: status(502)}, swarmobj.ErrUnavailable, "502 Bad Gateway"},
		"TokenNoJSON":     {"It says nothing about the image.", script{opPing: challenge(`Bearer realm="http://HOST/token"`), opToken: {body: strings.NewReader("<html>")}}, swarmobj.ErrUnavailable, "gives no digest"},
		"GetNotFound":     {"The fallback decides where HEAD is not allowed.", script{opHead: status(405), opGet: status(404)}, swarmobj.ErrNotFound, "has no"},
		"GetBadRequest":   {"Asking again changes nothing.", script{opHead: status(400), opGet: status(400)}, swarmobj.ErrRefused, "does not accept"},
		"EndlessManifest": {"An answer is read to a limit.", script{opHead: status(405), opGet: {header: manifest, body: endless{}}}, swarmobj.ErrUnavailable, "its answer is too large"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var host string
			host = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for k, rep := range tc.script {
					if v := rep.header.Get("Www-Authenticate"); v != "" {
						tc.script[k].header.Set("Www-Authenticate", strings.ReplaceAll(v, "HOST", host))
					}
				}

				tc.script.ServeHTTP(w, r)
			}))

			_, err := newClient(t, Config{}).Resolve(t.Context(), host+"/team/app:1", [][]byte{login(host, "hunter2")})
			if !errors.Is(err, tc.class) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%s\nerror is %v, want class %q with %q", tc.reason, err, tc.class, tc.text)
			}

			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2") {
				t.Errorf("error holds the password: %v", err)
			}
		})
	}
}

// endless is a body without an end.
type endless struct{}

// Read implements io.Reader.
func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestFallsBackToGet(t *testing.T) {
	s := newShelf(t)

	cases := map[string]struct {
		reason string
		head   func(http.ResponseWriter)
	}{
		"HeadNotAllowed": {"Some registries have no HEAD.", func(w http.ResponseWriter) { w.WriteHeader(http.StatusMethodNotAllowed) }},
		"NoDigest":       {"Some registries answer HEAD without a digest.", func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain") }},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodHead {
					tc.head(w)
					return
				}

				s.handler.ServeHTTP(w, r)
			}))

			got, err := newClient(t, Config{}).Resolve(t.Context(), host+"/team/multi:1", nil)
			if err != nil {
				t.Fatalf("%s\n%v", tc.reason, err)
			}

			if want := host + "/team/multi:1@" + s.multi; got.Reference != want {
				t.Errorf("%s\nreference is %q, want %q", tc.reason, got.Reference, want)
			}
		})
	}
}

func TestTLSIsNeverLeft(t *testing.T) {
	var asked atomic.Int32

	plain := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))

	cases := map[string]struct {
		reason  string
		handler http.HandlerFunc
		class   error
		text    string
	}{
		"Redirect": {
			reason: "What follows could be read and changed on the way.",
			handler: func(w http.ResponseWriter, r *http.Request) {
				if opOf(r) != opPing {
					http.Redirect(w, r, "http://"+plain+r.URL.Path, http.StatusTemporaryRedirect)
				}
			},
			class: swarmobj.ErrUnavailable,
			text:  "redirects from TLS to plain HTTP",
		},
		"Realm": {
			reason: "The password would go there in the clear.",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+plain+`/token"`)
				w.WriteHeader(http.StatusUnauthorized)
			},
			class: swarmobj.ErrRefused,
			text:  "not supported",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			host, caFile := serveTLS(t, tc.handler)
			c := newClient(t, Config{Registries: []Host{{Host: host, CAFile: caFile}}})

			_, err := c.Resolve(t.Context(), host+"/team/app:1", [][]byte{login(host, "p")})
			if !errors.Is(err, tc.class) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%s\nerror is %v, want class %q with %q", tc.reason, err, tc.class, tc.text)
			}

			if asked.Load() != 0 {
				t.Errorf("%s\nthe server without TLS was asked", tc.reason)
			}
		})
	}
}

func TestWordsOfTLSMistakes(t *testing.T) {
	secured, _ := serveTLS(t, newShelf(t).handler)
	plain := serve(t, newShelf(t).handler)

	cases := map[string]struct {
		reason, host string
		cfg          Config
		text         string
	}{
		"UnknownAuthority": {
			reason: "The operator learns what to write where.",
			host:   secured, cfg: Config{Registries: []Host{{Host: secured}}},
			text: "name a caFile in the registries file",
		},
		"PlainHTTP": {
			reason: "The operator learns what to write where.",
			host:   plain, cfg: Config{Registries: []Host{{Host: plain}}},
			text: "set plainHTTP in the registries file",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := newClient(t, tc.cfg).Resolve(t.Context(), tc.host+"/team/app:1", nil)
			if !errors.Is(err, swarmobj.ErrUnavailable) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%s\nerror is %v, want ErrUnavailable with %q", tc.reason, err, tc.text)
			}
		})
	}
}

func TestCauseTextIsStable(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 9), Port: 54321}, Err: err}
	}

	cases := map[string]struct {
		reason string
		err    error
		want   string
	}{
		"NoSuchName":  {"A typing error, most often.", dial(&net.DNSError{Name: "x", Server: "10.0.0.2:53", IsNotFound: true}), "its name does not resolve"},
		"NoResolver":  {"The machine has no DNS.", dial(&net.DNSError{Name: "x", Server: "10.0.0.2:53", IsTimeout: true}), "its name cannot be resolved now"},
		"Refused":     {"Nobody listens.", dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "it refuses connections"},
		"Timeout":     {"A packet filter, most often.", dial(os.ErrDeadlineExceeded), "it did not answer in time"},
		"Unreachable": {"A machine without a network.", dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "no network route leads to it"},
		"Reset":       {"A proxy, most often.", dial(os.NewSyscallError("read", syscall.ECONNRESET)), "it closed the connection"},
		"Other":       {"What is not known is not quoted.", dial(errors.New("10.0.0.9:54321")), "the connection failed"},
	}

	for name, tc := range cases {
		if got := causeText(tc.err); got != tc.want {
			t.Errorf("%s: %s\ncauseText = %q, want %q", name, tc.reason, got, tc.want)
		}
	}
}
