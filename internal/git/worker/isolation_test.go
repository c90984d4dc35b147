package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/reconciler/source"
)

func TestWorkersSeeNothingOfTheServer(t *testing.T) {
	t.Setenv("DOGKER_SECRET_OF_THE_SERVER", "hunter3")

	f, err := os.Open(os.DevNull) // a descriptor that must not be inherited
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = f.Close() }()

	p, dir := pool(t, worker.Options{FirstUID: 2_146_100_000}, "look")

	built, err := p.Build(t.Context(), source.Request{URL: "https://git.test/a", Auth: source.Auth{Password: "hunter2"}})
	if err != nil {
		t.Fatal(err)
	}

	uid, gid := os.Getuid(), os.Getgid()
	groups := -1

	if uid == 0 {
		uid, gid, groups = 2_146_100_000, 2_146_100_000, 0
	}

	want := fmt.Sprintf("env=0 args=2 fds=0,1,2 nnp=1 uid=%d gid=%d groups=%d indir=0 secret=true", uid, gid, groups)

	got := built.Commit.Subject
	if groups < 0 {
		// Who is not root cannot take groups away.
		want, got = strings.Replace(want, " groups=-1", "", 1), strings.Join(slices.DeleteFunc(strings.Fields(got), func(f string) bool { return strings.HasPrefix(f, "groups=") }), " ")
	}

	if got != want {
		t.Errorf("a worker sees\n%s, want\n%s", got, want)
	}

	nothingLeft(t, dir)
}

func TestWhatAWorkerStartsEndsWithIt(t *testing.T) {
	p, dir := pool(t, worker.Options{}, "breed")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	done := make(chan error, 1)

	go func() {
		_, err := p.Build(ctx, source.Request{URL: "https://git.test/a"})
		done <- err
	}()

	await(t, "the worker starts something", func() bool { return running(dir) == 1 })
	cancel()

	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want what the caller has done", err)
	}

	await(t, "what the worker has started ends", func() bool { return running(dir) == 0 })
	nothingLeft(t, dir)
}

// running is how many processes have a directory in their arguments.
func running(dir string) int {
	found := 0

	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range all {
		if data, err := os.ReadFile(file); err == nil && bytes.Contains(data, []byte(dir)) {
			found++
		}
	}

	return found
}

// TestSecretsStayInside looks for a secret wherever one could get out.
func TestSecretsStayInside(t *testing.T) {
	const secret = "hunter2hunter2"

	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A server that says what it was told.
		_, password, _ := r.BasicAuth()
		http.Error(w, "wrong: "+password, http.StatusUnauthorized)
	}))
	defer s.Close()

	var logged bytes.Buffer

	var mu sync.Mutex

	log := slog.New(slog.NewTextHandler(locked{&mu, &logged}, nil))

	for _, play := range []string{worker.Command, "die", "garbage"} {
		p, dir := pool(t, worker.Options{Log: log}, play)

		_, err := p.Build(t.Context(), source.Request{
			Tenant: "t", URL: s.URL + "/a", AllowPrivateAddresses: true, AgeKeys: []source.Secret{secret},
			Auth: source.Auth{Username: "ada", Password: secret},
		})
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
			t.Errorf("%s: got %v", play, err)
		}

		nothingLeft(t, dir)
	}

	mu.Lock()
	defer mu.Unlock()

	if strings.Contains(logged.String(), secret) {
		t.Errorf("the log has it: %s", logged.String())
	}
}

type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.w.Write(p)
}

// TestOthersAreNotHeldUp has one tenant's repository hang while another's is built.
func TestOthersAreNotHeldUp(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))

	defer slow.Close()
	defer close(release)

	s := gittest.NewHTTP(t, nil)
	gittest.NewRepo(t, s.Root, "a").Push(gittest.Files{"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"})

	p, dir := pool(t, worker.Options{Workers: 2}, worker.Command)

	ctx, cancel := context.WithCancel(t.Context())

	var hanging sync.WaitGroup

	for range 8 {
		hanging.Go(func() {
			_, _ = p.Build(ctx, source.Request{Tenant: "hostile", URL: slow.URL + "/a", AllowPrivateAddresses: true})
		})
	}

	time.Sleep(50 * time.Millisecond)

	for range 3 {
		if _, err := p.Build(t.Context(), source.Request{
			Tenant: "good", URL: s.At("a"), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true,
		}); err != nil {
			t.Fatal(err)
		}
	}

	cancel()
	hanging.Wait()
	nothingLeft(t, dir)
}
