//go:build e2e

package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/internal/voldata/store/s3"
	"github.com/dogker/dogker/internal/voldata/store/storetest"
)

// gateway runs a real S3 server on a directory, and returns its URL.
func gateway(t *testing.T) string {
	t.Helper()
	program := filepath.Join(os.Getenv("DOGKER_TOOLS"), "versitygw")
	if os.Getenv("DOGKER_TOOLS") == "" {
		program = filepath.Join(t.TempDir(), "versitygw")
		if out, err := exec.Command("go", "build", "-C", "../../../../hack/tools/s3", "-ldflags", "-s -w", "-o", program, "tool").CombinedOutput(); err != nil {
			t.Fatalf("build an S3 server: %v\n%s", err, out)
		}
	} else if _, err := os.Stat(program); errors.Is(err, os.ErrNotExist) && os.Getenv("DOGKER_LONG") == "" {
		t.Skip("hack/test.sh builds the S3 server with DOGKER_LONG=1 only: its libraries take minutes to compile")
	}

	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	dir := t.TempDir()
	if err := errors.Join(free.Close(), os.Mkdir(filepath.Join(dir, "archives"), 0o700)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--port", address, "--access", accessKey, "--secret", secretKey, "posix", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})

	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()

			return "http://" + address
		}
	}
	t.Fatalf("the S3 server does not answer:\n%s", log.String())

	return ""
}

// between is a proxy that fails as it is told. The name of the host is passed on: it is signed.
func between(t *testing.T, to string, harm func(w http.ResponseWriter, r *http.Request, pass http.Handler)) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	pass := &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { harm(w, r, pass) }))
	t.Cleanup(server.Close)

	return server.URL
}

// shorn cuts an answer off.
type shorn struct {
	http.ResponseWriter
	left int
}

func (s *shorn) Write(p []byte) (int, error) {
	if len(p) > s.left {
		_, _ = s.ResponseWriter.Write(p[:s.left])
		panic(http.ErrAbortHandler)
	}
	s.left -= len(p)

	return s.ResponseWriter.Write(p)
}

func TestLiveStore(t *testing.T) {
	server := gateway(t)
	t.Run("Bucket", func(t *testing.T) { storetest.Run(t, connect(t, server, nil)) })
	t.Run("Folder", func(t *testing.T) {
		storetest.Run(t, connect(t, server, func(o *s3.Options) { o.Folder = "clusters/one/" }))
	})
	t.Run("Failures", func(t *testing.T) { failures(t, server) })
	t.Run("Killed", func(t *testing.T) { killed(t, server) })
	t.Run("Credentials", func(t *testing.T) { credentials(t, server) })
}

// failures puts and gets an object of several parts through a network that fails now and then.
func failures(t *testing.T, server string) {
	want := storetest.Bytes(7, storetest.Large)

	for name, harm := range map[string]func(n int64, w http.ResponseWriter, r *http.Request, pass http.Handler){
		"Unavailable": func(n int64, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if n%3 == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			pass.ServeHTTP(w, r)
		},
		"CutUpload": func(n int64, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if r.Method == http.MethodPut && n%2 == 1 {
				_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
				panic(http.ErrAbortHandler)
			}
			pass.ServeHTTP(w, r)
		},
		"CutDownload": func(_ int64, w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if r.Method == http.MethodGet && r.URL.RawQuery == "" {
				w = &shorn{w, 3 << 20}
			}
			pass.ServeHTTP(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			b := connect(t, between(t, server, func(w http.ResponseWriter, r *http.Request, pass http.Handler) { harm(n.Add(1), w, r, pass) }), nil)
			object := "acme/" + strings.ToLower(name)
			if _, err := b.Put(t.Context(), object, struct{ io.Reader }{bytes.NewReader(want)}); err != nil {
				t.Fatalf("put: %v", err)
			}
			r, err := b.Get(t.Context(), object)
			if err != nil {
				t.Fatalf("get: %v", err)
			}
			got, err := io.ReadAll(r)
			if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes came back, %v, want the %d that were put", len(got), err, len(want))
			}
			if err := b.Delete(t.Context(), object); err != nil {
				t.Errorf("delete: %v", err)
			}
		})
	}

	t.Run("NeverEnds", func(t *testing.T) {
		b := connect(t, between(t, server, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
			if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			pass.ServeHTTP(w, r)
		}), nil)
		if _, err := b.Put(t.Context(), "acme/never", struct{ io.Reader }{bytes.NewReader(want)}); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("put whose last call fails: %v, want ErrUnavailable", err)
		}
		if names := storetest.Names(t, connect(t, server, nil), ""); len(names) > 0 {
			t.Errorf("%v is listed, want nothing", names)
		}
	})
}

// killed is an upload whose process dies after a part: its parts are swept when they are old, and nobody ever sees them.
func killed(t *testing.T, server string) {
	ctx, cancel := context.WithCancel(t.Context())
	var died atomic.Bool
	b := connect(t, between(t, server, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		if died.Load() {
			panic(http.ErrAbortHandler) // Not even the end of the upload is told.
		}
		pass.ServeHTTP(w, r)
		if r.Method == http.MethodPut {
			died.Store(true)
			cancel()
		}
	}), nil)
	if _, err := b.Put(ctx, "acme/killed", bytes.NewReader(storetest.Bytes(8, storetest.Large))); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v, want context.Canceled", err)
	}

	direct := connect(t, server, nil)
	if names := storetest.Names(t, direct, ""); len(names) > 0 {
		t.Errorf("%v is listed, want nothing", names)
	}
	if n, err := direct.Sweep(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("%d were swept that may still be uploaded, %v", n, err)
	}
	if n, err := direct.Sweep(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("%d were swept, %v, want the one", n, err)
	}
}

func credentials(t *testing.T, server string) {
	for name, change := range map[string]func(*s3.Options){
		"Secret": func(o *s3.Options) { o.SecretKey = "wrong-secret-key" },
		"Access": func(o *s3.Options) { o.AccessKey = "AKIANOBODY" },
	} {
		b := connect(t, server, change)
		_, put := b.Put(t.Context(), "acme/one", strings.NewReader("x"))
		_, list := b.List(t.Context(), "")
		for what, err := range map[string]error{"put": put, "list": list} {
			if !errors.Is(err, store.ErrDenied) || strings.Contains(fmt.Sprint(err), "wrong") || strings.Contains(fmt.Sprint(err), "NOBODY") {
				t.Errorf("%s, %s: %v, want ErrDenied without credentials", name, what, err)
			}
		}
	}
	if _, err := connect(t, server, func(o *s3.Options) { o.Bucket = "nowhere" }).List(t.Context(), ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a bucket that is not there: %v, want ErrNotFound", err)
	}
}
