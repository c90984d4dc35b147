package git_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/reconciler/source"
)

// smaller is how many times smaller than in life repositories and limits are, unless DOGKER_LONG is set.
const smaller = 64

// scale divides a size that is too large for the common run.
func scale(n int64) int64 {
	if os.Getenv("DOGKER_LONG") != "" {
		return n
	}

	return n / smaller
}

// workers are as a server has them, in a directory that their users can pass.
func workers(t *testing.T, o worker.Options) *worker.Pool {
	t.Helper()

	dir, err := os.MkdirTemp("", "hostile-")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = os.RemoveAll(dir) })

	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}

	o.Dir = dir

	return worker.NewPool(o)
}

// noise is text that does not become smaller.
func noise(n int64) string {
	var b strings.Builder

	b.Grow(int(n) + 8)

	for r := rand.New(rand.NewPCG(1, 2)); int64(b.Len()) < n; {
		v := r.Uint64()
		for range 8 {
			b.WriteByte(byte(v))
			v >>= 8
		}
	}

	return b.String()
}

// TestLargeRepositories has a real Git server send a gigabyte, a gigabyte that is a megabyte on the way, and 100,000 files, to
// workers with the limits of a server.
func TestLargeRepositories(t *testing.T) {
	limits := source.DefaultLimits
	limits.CloneBytes, limits.TreeBytes, limits.FileBytes = scale(limits.CloneBytes), scale(limits.TreeBytes), scale(limits.FileBytes)
	limits.Files = int(scale(int64(limits.Files)))
	limits.Time = 2 * time.Minute

	s := gittest.NewHTTP(t, nil)
	pool := workers(t, worker.Options{})

	for name, tc := range map[string]struct {
		reason string
		files  func() gittest.Files
		says   string
	}{
		"Gigabyte": {
			reason: "What comes in is counted while it comes.",
			files:  func() gittest.Files { return gittest.Files{"blob.bin": noise(scale(1 << 30))} },
			says:   "bytes",
		},
		"GigabyteOfNothing": {
			reason: "What something unpacks to is known before it is unpacked.",
			files:  func() gittest.Files { return gittest.Files{"blob.bin": strings.Repeat("\x00", int(scale(1<<30)))} },
			says:   "bytes",
		},
		"Files": {
			reason: "A file is counted before it is looked at.",
			files: func() gittest.Files {
				files := gittest.Files{}
				for i := range scale(100_000) {
					files[fmt.Sprintf("d%03d/f%05d.yaml", i%500, i)] = configMap(fmt.Sprintf("c%d", i), "1")
				}

				return files
			},
			says: "files",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := gittest.NewRepo(t, s.Root, name)
			r.Push(tc.files())

			start := time.Now()
			built, err := pool.Build(t.Context(), source.Request{
				Tenant: name, URL: s.At(name), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true, Limits: limits,
			})
			t.Logf("refused after %.2f s: %v", time.Since(start).Seconds(), err)
			contained(t, hostile{reason: tc.reason, want: source.ReasonLimitExceeded, says: tc.says}, built, err)
		})
	}
}

// TestOthersAreNotLate has one tenant build everything that is hostile, again and again and several at a time, while another builds
// what is good. That takes longer, because processors are shared, and does not wait for any of it to end.
func TestOthersAreNotLate(t *testing.T) {
	cases := everything()
	s := gittest.NewStatic(t)
	s.Repo("good").Push(gittest.Files{"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": configMap("a", "1")})

	var names []string
	for name, tc := range cases {
		switch {
		case tc.server != nil:
			s.Add(name, tc.server)
		case tc.repo != nil:
			tc.repo(s.Repo(name))
		default:
			s.Repo(name).Push(tc.files)
		}
		names = append(names, name)
	}
	slices.Sort(names)

	pool := workers(t, worker.Options{Workers: 4})
	ask := func(tenant, name string) source.Request {
		return source.Request{Tenant: tenant, URL: s.At(name), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true, Limits: limits}
	}
	good := func() time.Duration {
		var all []time.Duration
		for range 5 {
			start := time.Now()
			if _, err := pool.Build(t.Context(), ask("good", "good")); err != nil {
				t.Fatal(err)
			}
			all = append(all, time.Since(start))
		}
		slices.Sort(all)

		return all[len(all)/2]
	}

	alone := good()

	ctx, stop := context.WithCancel(t.Context())
	var noisy sync.WaitGroup
	for i := range 8 {
		noisy.Go(func() {
			for n := i; ctx.Err() == nil; n += 8 {
				name := names[n%len(names)]
				r := ask("hostile", name)
				if change := cases[name].change; change != nil {
					change(&r)
				}
				_, _ = pool.Build(ctx, r)
			}
		})
	}
	// What hangs until its time is up is there all the time, too.
	for range 2 {
		noisy.Go(func() {
			for ctx.Err() == nil {
				_, _ = pool.Build(ctx, ask("hostile", "SlowReferences"))
			}
		})
	}
	time.Sleep(time.Second)
	beside := good()
	stop()
	noisy.Wait()

	t.Logf("a good repository is built in %v alone, and in %v beside hostile ones", alone, beside)

	// The least is for machines on which a build takes no time worth a ratio.
	const ratio, least = 8, 3 * time.Second
	if beside > max(ratio*alone, least) {
		t.Errorf("another tenant's hostile repositories make a build take %v instead of %v", beside, alone)
	}
}
