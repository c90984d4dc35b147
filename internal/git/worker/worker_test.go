package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/reconciler/source"
)

// TestMain is also the workers of the tests: those that work, and those that a repository has taken over.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if play, ok := plays[os.Args[1]]; ok {
			play()
			os.Exit(0)
		}
	}

	os.Exit(m.Run())
}

// plays are what a process can be, by its first argument.
var plays = map[string]func(){
	worker.Command: func() {
		if err := worker.Main(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	},
	"look":    look,
	"hog":     func() { begin(); hog() },
	"spin":    func() { begin(); spin() },
	"hang":    func() { begin(); time.Sleep(time.Hour) },
	"breed":   func() { begin(); breed() },
	"sit":     func() { time.Sleep(time.Hour) },
	"never":   func() { time.Sleep(time.Hour) },
	"die":     func() { begin(); os.Exit(3) },
	"garbage": func() { begin(); fmt.Println("what?") },
	"flood":   func() { begin(); flood() },
	"lie":     func() { begin(); fmt.Println(`{"built":{"revision":"main@sha1:x","commit":{"hash":"y"}}}`) },
	"many":    func() { begin(); many() },
	"speak": func() {
		begin()
		fmt.Println(`{"error":{"reason":"Build\u0007Failed <b>","message":"\u001b[31mred\u001b[0m","file":"a\nb"}}`)
	},
}

// begin is what every worker does first.
func begin() {
	fmt.Println(`{"ready":true}`)

	if err := worker.Confine(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hog() {
	var all [][]byte

	for {
		b := make([]byte, 16<<20)
		for i := range b {
			b[i] = 1
		}

		all = append(all, b)
		if len(all) > 1000 {
			return
		}
	}
}

func spin() {
	for i := 0; ; i++ {
		if i < 0 {
			return
		}
	}
}

func flood() {
	for line := strings.Repeat("x", 1<<16); ; {
		if _, err := fmt.Printf("{\"object\":{\"json\":{\"a\":%q}}}\n", line); err != nil {
			return
		}
	}
}

func many() {
	for range 1 << 20 {
		if _, err := fmt.Println(`{"object":{"json":{}}}`); err != nil {
			return
		}
	}
}

// breed starts a process that hides: in a session of its own, where its namespace finds it, and else in the worker's group.
func breed() {
	dir, _ := os.Getwd()
	cmd := exec.Command("/proc/self/exe", "sit", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: os.Getpid() == 1}
	_ = cmd.Start()

	time.Sleep(time.Hour)
}

// look answers with what a worker can see, as the subject of a commit.
func look() {
	fmt.Println(`{"ready":true}`)

	request, _ := io.ReadAll(os.Stdin)

	var fds []string

	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !ownOfGo(to) {
			fds = append(fds, e.Name())
		}
	}

	status, _ := os.ReadFile("/proc/self/status")

	var nnp string

	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "NoNewPrivs:"); ok {
			nnp = strings.TrimSpace(v)
		}
	}

	dir, _ := os.Getwd()
	inDir, _ := os.ReadDir(dir)

	groups, _ := os.Getgroups()
	hash := strings.Repeat("0", 40)
	seen := fmt.Sprintf("env=%d args=%d fds=%s nnp=%s uid=%d gid=%d groups=%d indir=%d secret=%t",
		len(os.Environ()), len(os.Args), strings.Join(fds, ","), nnp, os.Getuid(), os.Getgid(), len(groups), len(inDir), bytes.Contains(request, []byte("hunter2")))

	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"built": source.Built{
		Revision: "sha1:" + hash, Commit: source.Commit{Hash: hash, Subject: seen},
	}})
}

// ownOfGo tells whether a file is one that every program in Go has open: what it waits with, what it looks at processors in, and the
// list that is being read.
func ownOfGo(file string) bool {
	return strings.HasPrefix(file, "/proc/") || strings.HasPrefix(file, "/sys/fs/cgroup/") || strings.Contains(file, "anon_inode:")
}

// open has a directory that every user can pass.
func open(t *testing.T) string {
	t.Helper()

	dir, err := os.MkdirTemp("", "worker-test-")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = os.RemoveAll(dir) })

	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}

	return dir
}

// pool has workers that play something.
func pool(t *testing.T, o worker.Options, play ...string) (*worker.Pool, string) {
	t.Helper()

	o.Dir = open(t)
	if len(play) > 0 {
		o.Command = append([]string{"/proc/self/exe"}, play...)
	}

	return worker.NewPool(o), o.Dir
}

// nothingLeft demands that workers took everything along.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()

	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestWorkerBuilds(t *testing.T) {
	s := gittest.NewHTTP(t, nil)
	commit := gittest.NewRepo(t, s.Root, "a").Push(gittest.Files{
		"kustomization.yaml": "resources: [a.yaml]\nnamePrefix: p-\n",
		"a.yaml":             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: <&>}\n",
	})

	p, dir := pool(t, worker.Options{}, worker.Command)

	built, err := p.Build(t.Context(), source.Request{Tenant: "t", URL: s.At("a"), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true})
	if err != nil {
		t.Fatal(err)
	}

	if built.Revision != "main@sha1:"+commit || len(built.Objects) != 1 || built.Objects[0].File != "a.yaml" || built.Digest != source.DigestOf(built.Objects) {
		t.Errorf("got %+v", built)
	}

	if got := string(built.Objects[0].JSON); !strings.Contains(got, `"p-a"`) || !strings.Contains(got, `\u003c\u0026\u003e`) {
		t.Errorf("got %s", got)
	}

	_, err = p.Build(t.Context(), source.Request{URL: s.At("b"), Auth: source.Auth{CAFile: s.CA()}})

	var e *source.Error
	if !errors.As(err, &e) || e.Reason != source.ReasonAddressRefused {
		t.Errorf("an address inside: %v", err)
	}

	nothingLeft(t, dir)
}

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

func TestWorkersThatAreNone(t *testing.T) {
	for name, tc := range map[string]struct {
		reason    string
		play      string
		want      source.Reason
		transient bool
	}{
		"Hog":     {"Memory has a limit, and the limit is the tenant's.", "hog", source.ReasonLimitExceeded, false},
		"Spin":    {"Time has a limit as well.", "spin", source.ReasonLimitExceeded, false},
		"Hang":    {"Waiting is no use of a processor, and ends all the same.", "hang", source.ReasonTimeout, true},
		"Never":   {"Nor is it when nothing has begun.", "never", source.ReasonTimeout, true},
		"Die":     {"What nobody can explain is not blamed on the tenant.", "die", source.ReasonWorkerFailed, true},
		"Garbage": {"An answer in another form is none.", "garbage", source.ReasonWorkerFailed, true},
		"Flood":   {"An answer without end is none.", "flood", source.ReasonWorkerFailed, true},
		"Many":    {"More objects than a worker would send are none.", "many", source.ReasonWorkerFailed, true},
		"Lie":     {"A revision that is none is not believed.", "lie", source.ReasonWorkerFailed, true},
		"Speak":   {"What a worker says is shown without what a terminal would obey.", "speak", "BuildFailedb", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			p, dir := pool(t, worker.Options{MemoryBytes: 64 << 20}, tc.play)

			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()

			if tc.want == source.ReasonTimeout {
				ctx, cancel = context.WithTimeout(ctx, time.Second)
				defer cancel()
			}

			_, err := p.Build(ctx, source.Request{URL: "https://git.test/a", Limits: source.Limits{Time: time.Second, OutputBytes: 1 << 20}})

			var e *source.Error
			if errors.As(err, &e) && name == "Spin" && e.Reason == source.ReasonTimeout {
				return // a machine that is busy enough gives it no time to use up
			}

			if raced && name == "Hog" && errors.As(err, &e) && e.Reason == source.ReasonWorkerFailed {
				return // it is contained, and what it says of its end is the race detector's
			}

			if !errors.As(err, &e) || e.Reason != tc.want || e.Transient != tc.transient {
				t.Errorf("%s\ngot %#v, want %s", tc.reason, err, tc.want)
			}

			if e != nil && strings.ContainsAny(e.Error(), "\x1b\n\x07") {
				t.Errorf("got %q", e.Error())
			}

			nothingLeft(t, dir)
		})
	}
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

func await(t *testing.T, what string, done func() bool) {
	t.Helper()

	for until := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: not in 20 seconds", what)
		}
	}
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
