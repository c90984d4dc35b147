package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/internal/voldata/store/s3"
)

const (
	accessKey = "AKIATESTACCESS"
	secretKey = "very-secret-test-key"
)

// scripted is a server that answers everything alike.
func scripted(t *testing.T, change func(*s3.Options), answer http.HandlerFunc) *s3.Bucket {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)

	return connect(t, server.URL, change)
}

func connect(t *testing.T, url string, change func(*s3.Options)) *s3.Bucket {
	t.Helper()
	o := s3.Options{Endpoint: url, Bucket: "archives", AccessKey: accessKey, SecretKey: secretKey, AllowPrivate: true, PartSize: 5 << 20}
	if change != nil {
		change(&o)
	}
	b, err := s3.New(o)
	if err != nil {
		t.Fatal(err)
	}

	return b
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*s3.Options)
		says   string
	}{
		"Good":          {func(*s3.Options) {}, ""},
		"Port":          {func(o *s3.Options) { o.Endpoint = "https://s3.example.com:9000/" }, ""},
		"Folder":        {func(o *s3.Options) { o.Folder = "clusters/one/" }, ""},
		"NoScheme":      {func(o *s3.Options) { o.Endpoint = "s3.example.com" }, "endpoint"},
		"Plain":         {func(o *s3.Options) { o.Endpoint = "http://s3.example.com" }, "https"},
		"Path":          {func(o *s3.Options) { o.Endpoint = "https://s3.example.com/x" }, "endpoint"},
		"User":          {func(o *s3.Options) { o.Endpoint = "https://me:" + secretKey + "@s3.example.com" }, "endpoint"},
		"Bucket":        {func(o *s3.Options) { o.Bucket = "../x" }, "bucket"},
		"NoBucket":      {func(o *s3.Options) { o.Bucket = "" }, "bucket"},
		"Region":        {func(o *s3.Options) { o.Region = "a b" }, "region"},
		"BadFolder":     {func(o *s3.Options) { o.Folder = "a/../" }, "folder"},
		"FolderNoSlash": {func(o *s3.Options) { o.Folder = "a" }, "slash"},
		"NoSecret":      {func(o *s3.Options) { o.SecretKey = "" }, "credentials"},
		"SmallParts":    {func(o *s3.Options) { o.PartSize = 1 }, "part size"},
		"CA":            {func(o *s3.Options) { o.CA = []byte("none") }, "authorities"},
	} {
		o := s3.Options{Endpoint: "https://s3.example.com", Bucket: "archives", AccessKey: accessKey, SecretKey: secretKey}
		c.change(&o)
		_, err := s3.New(o)
		if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(strings.ToLower(err.Error()), c.says) || strings.Contains(err.Error(), secretKey)) {
			t.Errorf("%s: %v, want an error that says %q and no secret", name, err, c.says)
		}
	}
}

// TestErrors wants classes by what a server answers, and none of its words.
func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		code   string
		is     error
	}{
		"NoBucket":    {404, "NoSuchBucket", store.ErrNotFound},
		"NoUser":      {404, "NobodyOfThatName", store.ErrRefused},
		"Denied":      {403, "AccessDenied", store.ErrDenied},
		"WrongKey":    {403, "InvalidAccessKeyId", store.ErrDenied},
		"WrongSecret": {403, "SignatureDoesNotMatch", store.ErrDenied},
		"Full":        {507, "InsufficientStorage", store.ErrFull},
		"Quota":       {403, "QuotaExceeded", store.ErrFull},
		"Odd":         {400, "Somewhat", store.ErrRefused},
		"Unreadable":  {403, "", store.ErrDenied},
		"Evil":        {400, "10.1.2.3 " + secretKey, store.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			b := scripted(t, nil, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(c.status)
				if c.code != "" && r.Method != http.MethodHead {
					fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s from 10.1.2.3</Message><Resource>/archives</Resource><RequestId>4442587FB7D0A2F9</RequestId></Error>", c.code, secretKey)
				}
			})
			_, list := b.List(t.Context(), "")
			_, get := b.Get(t.Context(), "acme/one")
			for what, err := range map[string]error{"list": list, "get": get} {
				if !errors.Is(err, c.is) {
					t.Errorf("%s: %v, want %v", what, err, c.is)
				}
				for _, word := range []string{secretKey, accessKey, "10.1.2.3", "127.0.0.1", "4442587FB7D0A2F9"} {
					if err != nil && strings.Contains(err.Error(), word) {
						t.Errorf("%s: %v tells %s", what, err, word)
					}
				}
			}
		})
	}
}

// TestGone is a server that is not there.
func TestGone(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	_, err := connect(t, url, nil).Stat(ctx, "acme/one")
	if !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("error is %v, want ErrUnavailable without its address", err)
	}
}

// TestNotPublic wants no connection into the network of the server.
func TestNotPublic(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	b := connect(t, server.URL, func(o *s3.Options) { o.AllowPrivate = false })
	if _, err := b.Stat(t.Context(), "acme/one"); !errors.Is(err, store.ErrDenied) || !errors.Is(err, outbound.ErrNotPublic) {
		t.Errorf("error is %v, want ErrDenied and that it is not public", err)
	}
	if asked.Load() > 0 {
		t.Error("it was asked")
	}
}

// TestNoRedirects wants credentials to go where they belong.
func TestNoRedirects(t *testing.T) {
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer other.Close()
	b := scripted(t, nil, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := b.Get(ctx, "acme/one"); err == nil {
		t.Error("a redirect was followed to an answer")
	}
	if asked.Load() > 0 {
		t.Error("the other server was asked")
	}
}

// TestSilentServer answers and then sends nothing more: it is left, and asked anew, and left for good.
func TestSilentServer(t *testing.T) {
	var asked atomic.Int64
	end := make(chan struct{})
	b := scripted(t, func(o *s3.Options) { o.Idle = 100 * time.Millisecond }, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Last-Modified", "Mon, 23 Nov 2026 00:00:00 GMT")
		if r.Header.Get("Range") != "" {
			w.Header().Set("Content-Range", "bytes 10-999/1000")
			w.Header().Set("Content-Length", "990")
			w.WriteHeader(http.StatusPartialContent)
		} else {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(make([]byte, 10))
		}
		w.(http.Flusher).Flush()
		select {
		case <-end:
		case <-r.Context().Done():
		}
	})
	defer close(end)

	r, err := b.Get(t.Context(), "acme/one")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("error is %v, want ErrUnavailable", err)
	}
	if n := asked.Load(); n < 2 {
		t.Errorf("it was asked %d times, want it asked again", n)
	}
}

// TestNoRanges is a server that begins anew when it is asked to go on.
func TestNoRanges(t *testing.T) {
	b := scripted(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Last-Modified", "Mon, 23 Nov 2026 00:00:00 GMT")
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(make([]byte, 400))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	r, err := b.Get(t.Context(), "acme/one")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if data, err := io.ReadAll(r); !errors.Is(err, store.ErrRefused) || len(data) != 400 {
		t.Errorf("%d bytes, %v, want the 400 of the first and ErrRefused", len(data), err)
	}
}

// TestOtherVersion wants the rest of an object never to be that of another one.
func TestOtherVersion(t *testing.T) {
	var asked atomic.Int64
	b := scripted(t, nil, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", "Mon, 23 Nov 2026 00:00:00 GMT")
		if asked.Add(1) > 1 {
			if r.Header.Get("If-Match") == "" || r.Header.Get("Range") != "bytes=400-" {
				t.Errorf("the rest is asked for by %v", r.Header)
			}
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(make([]byte, 400))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})

	r, err := b.Get(t.Context(), "acme/one")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if data, err := io.ReadAll(r); err == nil || len(data) != 400 {
		t.Errorf("%d bytes, %v, want the 400 of the first and an error", len(data), err)
	}
}
