package worker_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/reconciler/source"
)

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

func await(t *testing.T, what string, done func() bool) {
	t.Helper()

	for until := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: not in 20 seconds", what)
		}
	}
}
