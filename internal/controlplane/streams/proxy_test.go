package streams

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/fake/containers"
)

// listener hands out the connections that a container is given.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   *sync.Once
}

func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (listener) Addr() net.Addr { return &net.TCPAddr{} }

// serveHTTP has a handler answer on a port of a container.
func serveHTTP(t *testing.T, c *containers.Container, port uint16, h http.HandlerFunc) {
	t.Helper()
	l := listener{make(chan net.Conn), make(chan struct{}), &sync.Once{}}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })

	c.Listen(port, func(conn net.Conn) {
		done := make(chan struct{})
		l.conns <- &tracked{Conn: conn, done: done}
		<-done
	})
}

// tracked tells when it is closed.
type tracked struct {
	net.Conn
	once sync.Once
	done chan struct{}
}

func (c *tracked) Close() error {
	c.once.Do(func() { close(c.done) })

	return c.Conn.Close()
}

func TestPodProxy(t *testing.T) {
	w := newWorld(t, nil)
	answer := func(who string) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(rw, "%s %s %s host=%s", who, r.Method, r.URL.RequestURI(), r.Host)
		}
	}
	serveHTTP(t, w.web, 8080, answer("http"))
	serveHTTP(t, w.web, 9090, answer("metrics"))
	serveHTTP(t, w.db, 8080, answer("secret"))

	for name, tc := range map[string]struct {
		reason, path string
		code         int
		want         string
	}{
		"ByNumber":   {reason: "The port is a number.", path: "a/pods/web:9090/proxy/metrics?name[]=x", code: 200, want: "metrics GET /metrics?name[]=x host=web:9090"},
		"ByName":     {reason: "Or the name of one.", path: "a/pods/web:metrics/proxy/metrics", code: 200, want: "metrics GET /metrics host=web:9090"},
		"First":      {reason: "The first that is declared.", path: "a/pods/web/proxy/", code: 200, want: "http GET / host=web:8080"},
		"Scheme":     {reason: "Kubernetes' names have one.", path: "a/pods/http:web:8080/proxy/x", code: 200, want: "http GET /x host=web:8080"},
		"Dots":       {reason: "A path leads nowhere but into the container.", path: "a/pods/web:8080/proxy/%2e%2e/%2e%2e/%2e%2e/b/pods/db:8080/proxy/", code: 200, want: "http GET /b/pods/db:8080/proxy/ host=web:8080"},
		"Elsewhere":  {reason: "A pod of another namespace is not there.", path: "a/pods/db:8080/proxy/", code: 404, want: `pods "db" not found`},
		"UnknownTo":  {reason: "A port that is no port is told.", path: "a/pods/web:nope/proxy/", code: 400, want: `pod "web" has no port "nope": give a number from 1 to 65535, or the name of a port that it declares`},
		"Host":       {reason: "An address is no port.", path: "a/pods/web:169.254.169.254/proxy/", code: 400},
		"FarPort":    {reason: "Nor is a number that is too large.", path: "a/pods/web:70000/proxy/", code: 400},
		"Closed":     {reason: "Nothing listens.", path: "a/pods/web:81/proxy/", code: 503, want: "error trying to reach service: dial tcp: connection refused"},
		"NotRunning": {reason: "It has ended.", path: "a/pods/old:8080/proxy/", code: 400, want: `container "main" in pod "old" has ended; current phase is Failed`},
	} {
		t.Run(name, func(t *testing.T) {
			code, got := w.get(t, "/api/v1/namespaces/"+tc.path)
			if code != tc.code {
				t.Errorf("%s: got code %d, want %d", tc.reason, code, tc.code)
			}
			if diff := cmp.Diff(tc.want, got); tc.want != "" && diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPodProxyPassesNothingOn is that a container learns nothing of who asks, and that a page of one cannot act as its reader.
func TestPodProxyPassesNothingOn(t *testing.T) {
	w := newWorld(t, nil)
	var seen http.Header
	serveHTTP(t, w.web, 8080, func(rw http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		for _, header := range ofOrigin {
			rw.Header().Set(header, "x")
		}
		fmt.Fprint(rw, "page")
	})

	r, _ := http.NewRequest(http.MethodGet, w.url+"/api/v1/namespaces/a/pods/web:8080/proxy/", nil)
	for _, header := range []string{
		"Authorization", "Cookie", "Impersonate-User", "Impersonate-Extra-Scopes", "X-Remote-User", "X-Remote-Group", "X-Forwarded-For",
		"X-Forwarded-Client-Cert", "Forwarded", "X-Real-Ip", "Proxy-Authorization", "Accept",
	} {
		r.Header.Set(header, "secret")
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	resp, err := insecure.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()

	for header, values := range seen {
		if strings.Join(values, "") == "secret" && header != "Accept" || header == "X-Forwarded-For" || header == "Upgrade" {
			t.Errorf("the container was told %s: %q", header, values)
		}
	}
	for _, header := range ofOrigin {
		if v := resp.Header.Get(header); v != "" {
			t.Errorf("the client was told %s: %q", header, v)
		}
	}
	if got := resp.Header.Get("Content-Security-Policy"); got != sandbox {
		t.Errorf("got the policy %q, want %q", got, sandbox)
	}
}

func TestPodProxyBounds(t *testing.T) {
	w := newWorld(t, nil)
	serveHTTP(t, w.web, 8080, func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.CopyN(rw, endless{}, maxAnswerBytes+1)
	})
	resp, err := insecure.Get(w.url + "/api/v1/namespaces/a/pods/web:8080/proxy/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err == nil || n > maxAnswerBytes {
		t.Errorf("got %d bytes and %v, want an answer that breaks off before %d", n, err, int64(maxAnswerBytes))
	}
}

// TestPodProxyPages is that a page has its links put right, compressed or not, and that none takes all memory for that.
func TestPodProxyPages(t *testing.T) {
	w := newWorld(t, nil)
	const link = `<a href="/next">next</a>`
	packed := func(n int64) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
			rw.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(rw)
			defer z.Close()
			_, _ = io.WriteString(z, link)
			_, _ = io.CopyN(z, endless{}, n)
		}
	}
	serveHTTP(t, w.web, 8080, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprint(rw, link)
	})
	serveHTTP(t, w.web, 8081, packed(0))
	serveHTTP(t, w.web, 8082, packed(maxPageBytes+1))

	for name, tc := range map[string]struct {
		reason string
		port   int
		code   int
		want   string
	}{
		"Plain":  {reason: "A link leads through the proxy.", port: 8080, code: 200, want: `/api/v1/namespaces/a/pods/web:8080/proxy/next"`},
		"Packed": {reason: "So does one that was compressed.", port: 8081, code: 200, want: `/api/v1/namespaces/a/pods/web:8081/proxy/next"`},
		"Bomb":   {reason: "A page that is small only while it is compressed is refused.", port: 8082, code: 503},
	} {
		t.Run(name, func(t *testing.T) {
			code, got := w.get(t, fmt.Sprintf("/api/v1/namespaces/a/pods/web:%d/proxy/", tc.port))
			if code != tc.code || !strings.Contains(got, tc.want) {
				t.Errorf("%s: got %d %.200q, want %d and %q", tc.reason, code, got, tc.code, tc.want)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// pages are those of one node.
type pages struct{}

func (pages) NodePage(node, path string) (http.Handler, bool) {
	if path == "healthz" {
		return nil, false
	}

	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%s of %s", path, node) }), true
}

func TestNodeProxy(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Pages = pages{} })
	for name, tc := range map[string]struct {
		reason, path string
		code         int
		want         string
	}{
		"CAdvisor":  {reason: "What Prometheus asks for.", path: "n1/proxy/metrics/cadvisor", code: 200, want: "metrics/cadvisor of node1"},
		"WithPort":  {reason: "Kubernetes' own targets have the port of the kubelet.", path: "n1:10250/proxy/metrics/resource", code: 200, want: "metrics/resource of node1"},
		"NoPage":    {reason: "There is none.", path: "n1/proxy/healthz", code: 404},
		"Run":       {reason: "A kubelet runs commands under this path; nothing else than pages is served.", path: "n1/proxy/run/a/web/main", code: 404},
		"Around":    {reason: "No path leads to another one.", path: "n1/proxy/metrics/cadvisor/../../configz", code: 404},
		"OtherNode": {reason: "There is no such node.", path: "n9/proxy/metrics/cadvisor", code: 404, want: `nodes "n9" not found`},
	} {
		t.Run(name, func(t *testing.T) {
			code, got := w.get(t, "/api/v1/nodes/"+tc.path)
			if code != tc.code || tc.want != "" && got != tc.want {
				t.Errorf("%s: got %d %q, want %d %q", tc.reason, code, got, tc.code, tc.want)
			}
		})
	}
}
