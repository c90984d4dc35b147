package git_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/git"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/reconciler/source"
)

// TestMain is also a worker, for the test that builds what is hostile in processes of its own.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == worker.Command {
		if err := worker.Main(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}

		return
	}

	os.Exit(m.Run())
}

// hostile is a repository, or a server, that means no good.
type hostile struct {
	// reason is why it is contained the way it is.
	reason string
	// files are what main has, unless repo makes something else of it, or server answers instead.
	files  gittest.Files
	repo   func(*gittest.Repo)
	server http.HandlerFunc
	change func(*source.Request)
	// want is how it ends, and says what the error must name. Where want is empty it is built, and says is in what it is built to:
	// some of what looks hostile is only odd.
	want source.Reason
	says string
}

// limits are those of Flux' size, scaled down so that what exceeds them is cheap.
var limits = source.Limits{
	CloneBytes: 1 << 20, TreeBytes: 1 << 20, FileBytes: 128 << 10, Files: 100, Documents: 20, OutputBytes: 256 << 10, Time: 20 * time.Second,
}

// tree makes a commit of entries that no Git would write.
func tree(entries ...gittest.Entry) func(*gittest.Repo) {
	return func(r *gittest.Repo) {
		for i := range entries {
			if entries[i].Hash == "" {
				entries[i].Hash = r.Object("blob", []byte(configMap("a", "1")))
			}
		}

		r.Ref("refs/heads/main", r.Commit(r.Tree(entries...), "Mean no good"))
	}
}

// bomb is aliases of aliases.
func bomb(levels int) string {
	b := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < levels; i++ {
		b += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}

	return b
}

// advertise is a server that has a reference, and answers requests in its own way.
func advertise(answer func(w http.ResponseWriter, request string)) http.HandlerFunc {
	const commit = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			_, _ = io.WriteString(w, gittest.Line("# service=git-upload-pack\n")+gittest.Flush+
				gittest.Line("%s HEAD\x00side-band-64k shallow symref=HEAD:refs/heads/main\n", commit)+gittest.Line("%s refs/heads/main\n", commit)+gittest.Flush)

			return
		}

		request, _ := io.ReadAll(r.Body)

		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		_, _ = io.WriteString(w, gittest.Answer(string(request), commit))
		answer(w, string(request))
	}
}

// refs is a server that lists references in its own way.
func refs(list func(w io.Writer)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		_, _ = io.WriteString(w, gittest.Line("# service=git-upload-pack\n")+gittest.Flush)
		list(w)
	}
}

// endless writes until nobody reads.
func endless(w io.Writer, what string) {
	for {
		if _, err := io.WriteString(w, what); err != nil {
			return
		}
	}
}

// trickle writes a byte now and then until nobody reads.
func trickle(w http.ResponseWriter, r *http.Request, what string) {
	for i := 0; r.Context().Err() == nil; i++ {
		_, _ = w.Write([]byte{what[i%len(what)]})
		_ = http.NewResponseController(w).Flush()

		select {
		case <-r.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// packOf is a pack that says how many objects it has, and has whatever.
func packOf(count uint32, rest string) string {
	head := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), count)

	return string(head) + rest
}

// band puts data into the channel of packs.
func band(data string) string { return gittest.Line("\x01%s", data) }

func soon(r *source.Request) { r.Limits.Time = 300 * time.Millisecond }

func kustomization(lines string) gittest.Files {
	return gittest.Files{"k/kustomization.yaml": lines, "k/a.yaml": configMap("a", "1"), "secret.yaml": configMap("secret", "1")}
}

func at(path string) func(*source.Request) { return func(r *source.Request) { r.Path = path } }

func substituted(vars map[string]string) func(*source.Request) {
	return func(r *source.Request) { r.Substitute = vars }
}

// everything is all tables.
func everything() map[string]hostile {
	all := map[string]hostile{}

	for _, table := range []map[string]hostile{treesThatAreHostile(), yamlThatIsHostile(), kustomizationsThatAreHostile(), serversThatAreHostile()} {
		for name, tc := range table {
			all[name] = tc
		}
	}

	return all
}

// TestHostileRepositories builds all of them, each followed by a good one.
func TestHostileRepositories(t *testing.T) {
	played := play(t, git.Builder{Dir: t.TempDir()}, everything())

	if played < 40 {
		t.Errorf("there are %d hostile repositories; 40 are promised", played)
	}
}

// TestHostileRepositoriesInWorkers builds all of them the way a server does.
func TestHostileRepositoriesInWorkers(t *testing.T) {
	cases := everything()

	if os.Getenv("DOGKER_LONG") == "" {
		// One of each kind, in the common run.
		for name := range cases {
			if !slices.Contains([]string{"SymlinkOut", "AliasBomb", "RemoteBase", "PackWithoutEnd"}, name) {
				delete(cases, name)
			}
		}
	}

	play(t, workers(t, worker.Options{}), cases)
}

func play(t *testing.T, b source.Builder, cases map[string]hostile) int {
	t.Helper()

	s := gittest.NewStatic(t)
	s.Repo("good").Push(gittest.Files{"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": configMap("a", "1")})

	for name, tc := range cases {
		switch {
		case tc.server != nil:
			s.Add(name, tc.server)
		case tc.repo != nil:
			tc.repo(s.Repo(name))
		default:
			s.Repo(name).Push(tc.files)
		}
	}

	ask := func(name string) source.Request {
		return source.Request{Tenant: name, URL: s.At(name), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true, Limits: limits}
	}

	good, err := b.Build(t.Context(), ask("good"))
	if err != nil {
		t.Fatal(err)
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := ask(name)
			if tc.change != nil {
				tc.change(&r)
			}

			built, err := b.Build(t.Context(), r)
			contained(t, tc, built, err)

			again, err := b.Build(t.Context(), ask("good"))
			if err != nil || again.Digest != good.Digest {
				t.Errorf("a good repository is affected: %v, %+v", err, again)
			}
		})
	}

	return len(cases)
}

// contained demands that it ended the way it should, and says so fit for a condition.
func contained(t *testing.T, tc hostile, built source.Built, err error) {
	t.Helper()

	if tc.want == "" {
		if text := fmt.Sprintf("%s %+v", summaries(t, built.Objects), built.Commit); err != nil || !strings.Contains(text, tc.says) {
			t.Errorf("%s\ngot %s, %v; want it built to %q", tc.reason, text, err, tc.says)
		}

		return
	}

	var e *source.Error
	if !errors.As(err, &e) || e.Reason != tc.want || !strings.Contains(e.Error(), tc.says) {
		t.Errorf("%s\ngot %s: %v\nwant %s that says %q", tc.reason, reasonOf(err), err, tc.want, tc.says)
	}

	if text := fmt.Sprint(err); len(text) > 1000 || strings.ContainsAny(text, "\n\r\x1b\x00") || strings.Contains(text, os.TempDir()) {
		t.Errorf("the error is not fit to be shown: %q", text)
	}
}

func reasonOf(err error) source.Reason {
	var e *source.Error
	if errors.As(err, &e) {
		return e.Reason
	}

	return "(no *source.Error)"
}
