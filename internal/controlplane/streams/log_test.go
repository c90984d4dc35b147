package streams

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	api "k8s.io/kubernetes/pkg/apis/core"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

var insecure = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

// noManager has no logs.
type noManager struct{}

func (noManager) TaskLogs(context.Context, string, container.LogsOptions) (io.ReadCloser, error) {
	return nil, fmt.Errorf("%w: no manager", swarmobj.ErrUnavailable)
}

// get returns the answer, and what it says when it is an error.
func (w *world) get(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := insecure.Get(w.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var status metav1.Status
	if resp.StatusCode != http.StatusOK && json.Unmarshal(body, &status) == nil && status.Message != "" {
		return resp.StatusCode, status.Message
	}

	return resp.StatusCode, string(body)
}

func TestLog(t *testing.T) {
	w := newWorld(t, nil)
	began := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	w.web.PrintAt(began, stdcopy.Stdout, "one\n")
	w.web.PrintAt(began.Add(time.Second), stdcopy.Stderr, "two\n")
	w.web.PrintAt(began.Add(2*time.Second), stdcopy.Stdout, "three\n")

	for name, tc := range map[string]struct {
		reason string
		path   string
		code   int
		want   string
	}{
		"All":             {reason: "Both streams come in the order in which they were written.", path: "web/log", code: 200, want: "one\ntwo\nthree\n"},
		"NamedContainer":  {reason: "There is one container, and it has a name.", path: "web/log?container=main", code: 200, want: "one\ntwo\nthree\n"},
		"OtherContainer":  {reason: "A name that is wrong is told.", path: "web/log?container=side", code: 400, want: "container side is not valid for pod web"},
		"Tail":            {reason: "The last lines.", path: "web/log?tailLines=1", code: 200, want: "three\n"},
		"TailOfNothing":   {reason: "No line is no line.", path: "web/log?tailLines=0", code: 200},
		"TailNegative":    {reason: "Kubernetes refuses it, and so do we.", path: "web/log?tailLines=-1", code: 422, want: `PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0`},
		"Since":           {reason: "Nothing of before.", path: "web/log?sinceTime=2026-01-02T03:04:06Z", code: 200, want: "two\nthree\n"},
		"SinceSeconds":    {reason: "All of it is older than a minute.", path: "web/log?sinceSeconds=60", code: 200},
		"SinceTwice":      {reason: "One of two ways.", path: "web/log?sinceSeconds=60&sinceTime=2026-01-02T03:04:06Z", code: 422, want: "PodLogOptions \"web\" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"},
		"Limit":           {reason: "As many bytes as are wanted, also in the middle of a line.", path: "web/log?limitBytes=6", code: 200, want: "one\ntw"},
		"Timestamps":      {reason: "Times are before each line.", path: "web/log?timestamps=true&tailLines=1", code: 200, want: "2026-01-02T03:04:07.000000006Z three\n"},
		"StandardError":   {reason: "One of the streams.", path: "web/log?stream=Stderr", code: 200, want: "two\n"},
		"StandardOutput":  {reason: "The other one.", path: "web/log?stream=Stdout", code: 200, want: "one\nthree\n"},
		"UnknownStream":   {reason: "There are two.", path: "web/log?stream=Both", code: 422, want: `PodLogOptions "web" is invalid: stream: Unsupported value: "Both"`},
		"Previous":        {reason: "The task before in the slot.", path: "web/log?previous=true", code: 200, want: "what was before\n"},
		"PreviousFollows": {reason: "What has ended is not followed.", path: "web/log?previous=true&follow=true", code: 200, want: "what was before\n"},
		"NoPrevious":      {reason: "In the words of a kubelet.", path: "old/log?previous=true", code: 400, want: `previous terminated container "main" in pod "old" not found`},
		"Ended":           {reason: "What has ended can still be read.", path: "old/log", code: 200},
		"Waiting":         {reason: "There is nothing to read before there is a container.", path: "waiting/log", code: 400, want: `container "main" in pod "waiting" is waiting to start: ErrImagePull: no such image`},
		"Nothing":         {reason: "No pod.", path: "nope/log", code: 404, want: `pods "nope" not found`},
		"OtherTenants":    {reason: "A pod of another namespace is not there.", path: "db/log", code: 404, want: `pods "db" not found`},
		"InsecureBackend": {reason: "It is accepted, and agents are verified all the same.", path: "web/log?insecureSkipTLSVerifyBackend=true&tailLines=1", code: 200, want: "three\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, got := w.get(t, "/api/v1/namespaces/a/pods/"+tc.path)
			if code != tc.code {
				t.Errorf("%s: got code %d, want %d", tc.reason, code, tc.code)
			}
			if tc.code != http.StatusOK { // What is allowed comes after it.
				got = got[:min(len(got), len(tc.want))]
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLogFollows(t *testing.T) {
	w := newWorld(t, nil)
	w.web.Print("first\n")
	resp, err := insecure.Get(w.url + "/api/v1/namespaces/a/pods/web/log?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()

	for _, line := range []string{"first\n", "second\n", "third\n"} {
		if line != "first\n" {
			w.web.Print(line)
		}
		got := make([]byte, len(line))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != line {
			t.Fatalf("got %q and %v, want %q as soon as it was written", got, err, line)
		}
	}
	w.web.Print("last words\n")
	w.web.End()
	rest, err := io.ReadAll(resp.Body)
	if err != nil || string(rest) != "last words\n" {
		t.Fatalf("got %q and %v, want the last words and the end", rest, err)
	}
}

func TestLogEndsWithClient(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.PerNamespace = 1 })
	ctx, leave := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/api/v1/namespaces/a/pods/web/log?follow=true", nil)
	resp, err := insecure.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()

	if code, _ := w.get(t, "/api/v1/namespaces/a/pods/web/log"); code != http.StatusTooManyRequests {
		t.Errorf("got code %d for a second stream, want 429: the namespace may have one", code)
	}
	if code, _ := w.get(t, "/api/v1/namespaces/b/pods/db/log"); code != http.StatusOK {
		t.Errorf("got code %d for another tenant, want 200: each has its own places", code)
	}
	leave()
	await(t, "place of a client that has gone", func() bool {
		code, _ := w.get(t, "/api/v1/namespaces/a/pods/web/log")
		return code == http.StatusOK
	})
}

func TestLogEndsWithServer(t *testing.T) {
	w := newWorld(t, nil)
	resp, err := insecure.Get(w.url + "/api/v1/namespaces/a/pods/web/log?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	close(w.stop)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, resp.Body)
	}()
	select {
	case <-ended:
	case <-time.After(soon):
		t.Fatal("the log goes on although the server stops")
	}
}

// manager answers with a log that does not end by itself when it is followed, as a real one does.
type manager struct {
	task string
	o    container.LogsOptions
}

func (m *manager) TaskLogs(ctx context.Context, task string, o container.LogsOptions) (io.ReadCloser, error) {
	m.task, m.o = task, o
	var log bytes.Buffer
	_, _ = io.WriteString(stdcopy.NewStdWriter(&log, stdcopy.Stdout), "through a manager\n")
	if !o.Follow {
		return io.NopCloser(&log), nil
	}
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.CloseWithError(ctx.Err()) })

	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(&log, r), r}, nil
}

func TestLogThroughManager(t *testing.T) {
	m := &manager{}
	w := newWorld(t, func(o *Options) { o.TaskLogs = m })
	w.runtime.Lose("node1", "it has no agent")

	code, got := w.get(t, "/api/v1/namespaces/a/pods/web/log?tailLines=3&timestamps=true&sinceTime=2026-01-02T03:04:06Z")
	if code != http.StatusOK || got != "through a manager\n" {
		t.Errorf("got %d %q, want the log by way of a manager", code, got)
	}
	want := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Tail: "3", Since: "2026-01-02T03:04:06Z"}
	if diff := cmp.Diff(want, m.o); diff != "" || m.task != "task-web" {
		t.Errorf("asked for the log of %q (-want +got):\n%s", m.task, diff)
	}

	t.Run("EndsWithContainer", func(t *testing.T) {
		resp, err := insecure.Get(w.url + "/api/v1/namespaces/a/pods/web/log?follow=true")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		w.shown.change("a/web", func(p *found) { p.Status.Phase = corev1.PodSucceeded })
		if got, err := io.ReadAll(resp.Body); err != nil || string(got) != "through a manager\n" {
			t.Errorf("got %q and %v, want the log and its end", got, err)
		}
	})
	t.Run("NobodyThere", func(t *testing.T) {
		w := newWorld(t, nil)
		w.runtime.Lose("node1", "it has no agent")
		code, got := w.get(t, "/api/v1/namespaces/a/pods/web/log")
		if code != http.StatusServiceUnavailable || !strings.Contains(got, "no manager") {
			t.Errorf("got %d %q, want 503 and why", code, got)
		}
	})
}

// TestFramesAnyCut is that text comes out as it went in, however it is cut into frames and reads, and that times stand at the
// beginning of lines only.
func TestFramesAnyCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringMatching(`[a-z \x00]{0,40}\n`), 0, 20).Draw(t, "lines")
		cut := rapid.IntRange(1, 50).Draw(t, "cut")
		stamped := rapid.Bool().Draw(t, "stamped")
		reads := rapid.IntRange(1, 100).Draw(t, "reads")

		const stamp = "2026-01-02T03:04:05.000000006Z "
		var raw bytes.Buffer
		var want strings.Builder
		for _, line := range lines {
			if stamped {
				want.WriteString(stamp)
			}
			want.WriteString(line)
			for part := line; part != ""; part = part[min(cut, len(part)):] {
				text := part[:min(cut, len(part))]
				if stamped {
					text = stamp + text
				}
				_, _ = io.WriteString(stdcopy.NewStdWriter(&raw, stdcopy.Stdout), text)
				_, _ = io.WriteString(stdcopy.NewStdWriter(&raw, stdcopy.Stderr), "noise")
			}
		}

		f := newFrames(iotest.OneByteReader(&raw), api.LogStreamStdout, stamped)
		var got strings.Builder
		if _, err := io.CopyBuffer(&got, struct{ io.Reader }{f}, make([]byte, reads)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestLogOfAnything(t *testing.T) {
	w := newWorld(t, nil)
	noise := make([]byte, 300<<10)
	_, _ = rand.Read(noise)
	w.web.Print(string(noise) + "\n")
	w.web.Print(strings.Repeat("x", 100<<10) + "\n")

	if _, got := w.get(t, "/api/v1/namespaces/a/pods/web/log"); got != string(noise)+"\n"+strings.Repeat("x", 100<<10)+"\n" {
		t.Error("what was written is not what was read")
	}
	_, got := w.get(t, "/api/v1/namespaces/a/pods/web/log?timestamps=true")
	_, last, _ := strings.Cut(got[len(noise):], "Z ")
	if want := strings.Repeat("x", 100<<10) + "\n"; !strings.HasSuffix(last, want) {
		t.Error("times stand in the middle of a long line")
	}
}

func TestFramesRefuseNonsense(t *testing.T) {
	for name, raw := range map[string]string{
		"UnknownStream": "\x09\x00\x00\x00\x00\x00\x00\x01x",
		"CutInFrame":    "\x01\x00\x00\x00\x00\x00\x00\x05x",
		"CutInHeader":   "\x01\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := io.ReadAll(newFrames(strings.NewReader(raw), api.LogStreamAll, false)); err == nil {
				t.Error("it was read as if it was a log")
			}
		})
	}
}
