package streams

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
)

func (w *world) config() *rest.Config {
	return &rest.Config{Host: w.url, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
}

// protocols are the ways in which clients talk.
var protocols = map[string]func(*rest.Config, *url.URL) (remotecommand.Executor, error){
	"WebSocket": func(cfg *rest.Config, u *url.URL) (remotecommand.Executor, error) {
		return remotecommand.NewWebSocketExecutor(cfg, http.MethodGet, u.String())
	},
	"WebSocketV4": func(cfg *rest.Config, u *url.URL) (remotecommand.Executor, error) {
		return remotecommand.NewWebSocketExecutorForProtocols(cfg, http.MethodGet, u.String(), "v4.channel.k8s.io")
	},
	"SPDY": func(cfg *rest.Config, u *url.URL) (remotecommand.Executor, error) {
		return remotecommand.NewSPDYExecutor(cfg, http.MethodPost, u)
	},
}

// path of a subresource with a query of pairs.
func (w *world) path(pod, sub string, query ...string) *url.URL {
	u, err := url.Parse(w.url + "/api/v1/namespaces/a/pods/" + pod + "/" + sub)
	if err != nil {
		panic(err)
	}
	q := url.Values{}
	for i := 0; i < len(query); i += 2 {
		q.Add(query[i], query[i+1])
	}
	u.RawQuery = q.Encode()

	return u
}

func TestExec(t *testing.T) {
	w := newWorld(t, nil)
	type result struct{ Out, Err, Failure string }

	for name, tc := range map[string]struct {
		reason  string
		command []string
		in      string
		tty     bool
		size    *remotecommand.TerminalSize
		want    result
		code    int
		not     string // A protocol that cannot.
	}{
		"Says":      {reason: "What it writes comes back.", command: []string{"echo", "hello", "there"}, want: result{Out: "hello there\n"}},
		"Complains": {reason: "Standard error is by itself, and the code is told.", command: []string{"complain", "no"}, want: result{Err: "no\n", Failure: "command terminated with exit code 1"}, code: 1},
		"Ends":      {reason: "Any code.", command: []string{"exit", "42"}, want: result{Failure: "command terminated with exit code 42"}, code: 42},
		"Hears":     {reason: "The end of the input ends it.", command: []string{"cat"}, in: "one\ntwo\n", want: result{Out: "one\ntwo\n"}, not: "WebSocketV4"},
		"HearsMuch": {reason: "More than fits into any buffer.", command: []string{"cat"}, in: strings.Repeat("0123456789", 100_000), want: result{Out: strings.Repeat("0123456789", 100_000)}, not: "WebSocketV4"},
		"Unknown":   {reason: "What is not there is told as a shell tells it.", command: []string{"nope"}, want: result{Err: "OCI runtime exec failed: exec: \"nope\": executable file not found in $PATH\n", Failure: "command terminated with exit code 127"}, code: 127},
		"Terminal":  {reason: "With a terminal comes its size, and everything is on one stream.", command: []string{"size"}, tty: true, size: &remotecommand.TerminalSize{Width: 80, Height: 24}, want: result{Out: "80x24 tty=true\n"}},
	} {
		for protocol, dial := range protocols {
			if protocol == tc.not {
				continue
			}
			t.Run(name+"/"+protocol, func(t *testing.T) {
				query := []string{"stdout", "true", "container", "main"}
				for _, word := range tc.command {
					query = append(query, "command", word)
				}
				var out, errs bytes.Buffer
				o := remotecommand.StreamOptions{Stdout: &out, Tty: tc.tty}
				if tc.tty {
					query = append(query, "tty", "true")
					o.TerminalSizeQueue = &once{size: tc.size}
				} else {
					query = append(query, "stderr", "true")
					o.Stderr = &errs
				}
				if tc.in != "" {
					query = append(query, "stdin", "true")
					o.Stdin = strings.NewReader(tc.in)
				}

				e, err := dial(w.config(), w.path("web", "exec", query...))
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), soon)
				defer cancel()
				err = e.StreamWithContext(ctx, o)

				got := result{Out: out.String(), Err: errs.String()}
				if err != nil {
					got.Failure = err.Error()
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
				}
				var exit utilexec.CodeExitError
				if errors.As(err, &exit); exit.Code != tc.code {
					t.Errorf("%s: got code %d, want %d", tc.reason, exit.Code, tc.code)
				}
			})
		}
	}
}

// once gives one size.
type once struct{ size *remotecommand.TerminalSize }

func (o *once) Next() *remotecommand.TerminalSize {
	size := o.size
	o.size = nil

	return size
}

func TestExecRefused(t *testing.T) {
	w := newWorld(t, nil)
	w.rights = func(a authorizer.Attributes) bool { return a.GetVerb() != "create" || a.GetName() != "old" }

	for name, tc := range map[string]struct {
		reason string
		pod    string
		query  []string
		want   string
	}{
		"NoCommand": {reason: "There is nothing to run.", pod: "web", query: []string{"stdout", "true"}, want: "you must specify at least one command for the container"},
		"NoStream":  {reason: "Nobody would hear of it.", pod: "web", query: []string{"command", "echo"}, want: "you must specify at least 1 of stdin, stdout, stderr"},
		"Waiting":   {reason: "There is no container yet.", pod: "waiting", query: []string{"command", "echo", "stdout", "true"}, want: `container "main" in pod "waiting" is waiting to start: ErrImagePull: no such image`},
		"Other":     {reason: "There is one container.", pod: "web", query: []string{"command", "echo", "stdout", "true", "container", "side"}, want: "container side is not valid for pod web"},
		"Elsewhere": {reason: "A pod of another namespace is not there.", pod: "db", query: []string{"command", "echo", "stdout", "true"}, want: `pods "db" not found`},
		"LooksOnly": {reason: "Who may get, which is all that a WebSocket asks for, may not run anything.", pod: "old", query: []string{"command", "echo", "stdout", "true"}, want: `pods/exec "old" is forbidden: user "ann" may not create it`},
	} {
		t.Run(name, func(t *testing.T) {
			u := w.path(tc.pod, "exec", tc.query...)
			r, _ := http.NewRequest(http.MethodGet, u.String(), nil)
			for header, value := range map[string]string{
				"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
				"Sec-WebSocket-Protocol": "v5.channel.k8s.io",
			} {
				r.Header.Set(header, value)
			}
			resp, err := insecure.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode == http.StatusSwitchingProtocols || !strings.Contains(strings.ReplaceAll(string(body), `\"`, `"`), tc.want) {
				t.Errorf("%s: got %d %s, want %q", tc.reason, resp.StatusCode, body, tc.want)
			}
		})
	}
}

func TestExecNeedsUpgrade(t *testing.T) {
	w := newWorld(t, nil)
	resp, err := insecure.Post(w.path("web", "exec", "command", "echo", "stdout", "true").String(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("got code %d, want 400: nothing can be streamed", resp.StatusCode)
	}
}

func TestExecOnLostNode(t *testing.T) {
	w := newWorld(t, nil)
	w.runtime.Lose("node1", "its agent is not reached")
	for protocol, dial := range protocols {
		e, err := dial(w.config(), w.path("web", "exec", "command", "echo", "stdout", "true"))
		if err != nil {
			t.Fatal(err)
		}
		err = e.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdout: io.Discard})
		if err == nil || !strings.Contains(err.Error(), "error executing command in container: ask agent of node \"node1\"") || !strings.Contains(err.Error(), "its agent is not reached") {
			t.Errorf("%s: got %v, want what is the matter with the node", protocol, err)
		}
	}
}

// TestExecEnds is that a process that says nothing is left when nobody is there any more, in every way in which that can be.
func TestExecEnds(t *testing.T) {
	for protocol, dial := range protocols {
		for name, tc := range map[string]struct {
			reason string
			change func(*Options)
			do     func(w *world, leave func())
			told   string
		}{
			"ClientGoes":  {reason: "The client has gone.", do: func(_ *world, leave func()) { leave() }},
			"ServerStops": {reason: "The server stops, and says so.", do: func(w *world, _ func()) { close(w.stop) }, told: "the server stops"},
			"Idle":        {reason: "Nothing moves.", change: func(o *Options) { o.Idle = 50 * time.Millisecond }, do: func(*world, func()) {}, told: "nothing has moved for too long"},
		} {
			t.Run(protocol+name, func(t *testing.T) {
				w := newWorld(t, tc.change)
				e, err := dial(w.config(), w.path("web", "exec", "command", "sleep", "stdout", "true"))
				if err != nil {
					t.Fatal(err)
				}
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				ended := make(chan error, 1)
				hear, out := io.Pipe()
				go func() {
					ended <- e.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: out})
				}()
				if _, err := io.ReadFull(hear, make([]byte, len("asleep\n"))); err != nil {
					t.Fatal(err)
				}
				tc.do(w, leave)

				select {
				case err = <-ended:
				case <-time.After(soon):
					t.Fatalf("%s: the client still waits", tc.reason)
				}
				if err == nil || !strings.Contains(err.Error(), tc.told) {
					t.Errorf("%s: the client was told %v, want %q", tc.reason, err, tc.told)
				}
				await(t, "giving the place back", func() bool { return w.held("a") == 0 })
			})
		}
	}
}

// held is how many streams a namespace has.
func (w *world) held(namespace string) int {
	w.server.rooms.mu.Lock()
	defer w.server.rooms.mu.Unlock()

	return w.server.rooms.held[namespace]
}

func TestAttach(t *testing.T) {
	for protocol, dial := range protocols {
		t.Run(protocol, func(t *testing.T) {
			w := newWorld(t, nil)
			e, err := dial(w.config(), w.path("web", "attach", "stdout", "true", "stdin", "true"))
			if err != nil {
				t.Fatal(err)
			}
			in, say := io.Pipe()
			hear, out := io.Pipe()
			ended := make(chan error, 1)
			go func() {
				ended <- e.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdin: in, Stdout: out})
			}()
			await(t, "opening the stream", func() bool { return w.held("a") == 1 })

			fmt.Fprint(say, "hello\n")
			want := "heard hello\n"
			got := make([]byte, len(want))
			if _, err := io.ReadFull(hear, got); err != nil || string(got) != want {
				t.Errorf("got %q and %v, want %q", got, err, want)
			}
			w.web.End()
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("got %v at the end of the container, want nothing", err)
				}
			case <-time.After(soon):
				t.Fatal("the container has ended, and the stream has not")
			}
			say.Close()
		})
	}
}
