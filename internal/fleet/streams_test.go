package fleet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/pkg/stdcopy"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// each runs a test on the server's own node, and on another one through its agent: there must be no difference.
func each(t *testing.T, test func(t *testing.T, w *world, node string, e *engine)) {
	t.Helper()
	w := newWorld(t, nil).ready()
	t.Run("Own", func(t *testing.T) { test(t, w, own, w.own) })
	t.Run("Other", func(t *testing.T) { test(t, w, other, w.far) })
}

func at(node, container string) Place {
	return Place{Node: node, Task: taskOf(container), Container: container}
}

func TestLogs(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		for name, tc := range map[string]struct {
			container string
			o         LogOptions
			out, err  string
		}{
			"Both":     {plain, LogOptions{Stdout: true, Stderr: true, Tail: -1}, "out tail=all since=\n", "err\n"},
			"Part":     {plain, LogOptions{Stdout: true, Tail: 5, Since: time.Unix(7, 8)}, "out tail=5 since=7.000000008\n", "err\n"},
			"Terminal": {terminal, LogOptions{Stdout: true, Tail: -1}, "from a terminal\r\n", ""},
		} {
			t.Run(name, func(t *testing.T) {
				log, err := w.Logs(t.Context(), at(node, tc.container), tc.o)
				if err != nil {
					t.Fatal(err)
				}
				defer log.Close()
				var out, errOut bytes.Buffer
				if _, err := stdcopy.StdCopy(&out, &errOut, log); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]string{tc.out, tc.err}, []string{out.String(), errOut.String()}); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestExec(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, e *engine) {
		var out, errOut bytes.Buffer
		code, err := w.Exec(t.Context(), at(node, plain), ExecOptions{Command: []string{"cat"}},
			Streams{In: strings.NewReader("hello"), Out: &out, Err: &errOut})
		if err != nil || code != 0 || out.String() != "hello" {
			t.Errorf("cat: got %q, code %d, %v", out.String(), code, err)
		}

		code, err = w.Exec(t.Context(), at(node, plain), ExecOptions{Command: []string{"fail"}}, Streams{Out: &out, Err: &errOut})
		if err != nil || code != 3 || errOut.String() != "no\n" {
			t.Errorf("fail: got %q, code %d, %v, want code 3", errOut.String(), code, err)
		}

		sizes := make(chan Size, 1)
		sizes <- Size{Width: 80, Height: 24}
		r, in := io.Pipe()
		go func() {
			w.await("the size has arrived", func() error {
				if len(e.asked(&e.sizes)) == 0 {
					return errors.New("it has not")
				}

				return nil
			})
			_, _ = in.Write([]byte("typed"))
			in.Close()
		}()
		out.Reset()
		_, err = w.Exec(t.Context(), at(node, plain), ExecOptions{Command: []string{"cat"}, TTY: true}, Streams{In: r, Out: &out, Resize: sizes})
		if err != nil || out.String() != "typed" {
			t.Errorf("cat on a terminal: got %q, %v", out.String(), err)
		}
		if diff := cmp.Diff([]string{"80x24"}, e.asked(&e.sizes)); diff != "" {
			t.Errorf("sizes (-want +got):\n%s", diff)
		}
	})
}

func TestAttach(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		var out bytes.Buffer
		if err := w.Attach(t.Context(), at(node, plain), Streams{In: strings.NewReader("you\n"), Out: &out}); err != nil {
			t.Fatal(err)
		}
		if got, want := out.String(), "heard you\n"; got != want {
			t.Errorf("output: got %q, want %q", got, want)
		}
	})
}

func TestDial(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			data, _ := io.ReadAll(conn)
			_, _ = conn.Write(append([]byte("got "), data...))
			conn.Close()
		}
	}()
	port := uint16(l.Addr().(*net.TCPAddr).Port)

	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		conn, err := w.Dial(t.Context(), at(node, plain), port)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("bytes")); err != nil {
			t.Fatal(err)
		}
		// Whoever is done with writing may still have something to read.
		if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(conn); err != nil || string(got) != "got bytes" {
			t.Errorf("answer: got %q, %v", got, err)
		}

		if _, err := w.Dial(t.Context(), at(node, plain), 1); !errors.Is(err, swarmobj.ErrRefused) || !strings.Contains(err.Error(), "port 1 of container") {
			t.Errorf("port that nobody listens on: got %v, want that it is refused, and which", err)
		}
		if _, err := w.Dial(t.Context(), at(node, terminal), port); err == nil {
			t.Error("a container without an address is reached")
		}
	})
}

func TestStop(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, e *engine) {
		if err := w.Stop(t.Context(), at(node, plain), 1500*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a t=2"}, e.asked(&e.stops)); diff != "" {
			t.Errorf("stops (-want +got):\n%s", diff)
		}
	})
}

// TestErrorsOfRuntime: what cannot be done says why, in a class that callers decide by.
func TestErrorsOfRuntime(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, _ *engine) {
		for name, tc := range map[string]struct {
			reason string
			place  Place
			class  error
			text   string
		}{
			"NoNode":    {"Swarm may have lost it.", Place{Node: "gone", Task: "t", Container: plain}, swarmobj.ErrUnavailable, `node "gone" is not in the swarm`},
			"Gone":      {"Containers end.", Place{Node: node, Task: "t", Container: strings.Repeat("d", 64)}, swarmobj.ErrNotFound, "on node"},
			"OtherTask": {"A place may have been read from a list that is no longer true.", Place{Node: node, Task: "task-x", Container: plain}, swarmobj.ErrNotFound, `not that of task "task-x"`},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.Logs(t.Context(), tc.place, LogOptions{})
				if !errors.Is(err, tc.class) || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("got %v, want %q of class %q. %s", err, tc.text, tc.class, tc.reason)
				}
			})
		}
		// The engine of the own node has no door that would refuse; what Swarm did not start is no task's all the same.
		if _, err := w.Logs(t.Context(), Place{Node: node, Task: "", Container: strange}, LogOptions{}); err == nil {
			t.Error("the log of a container that Swarm did not start is shown")
		}
	})
}

// TestCallersGoAway: whoever goes away ends the stream, on the engine as well, and leaves nothing behind.
func TestCallersGoAway(t *testing.T) {
	each(t, func(t *testing.T, w *world, node string, e *engine) {
		for name, stream := range map[string]func(context.Context) error{
			"Logs": func(ctx context.Context) error {
				log, err := w.Logs(ctx, at(node, plain), LogOptions{Stdout: true, Follow: true, Tail: -1})
				if err != nil {
					return err
				}
				defer log.Close()
				_, err = io.Copy(io.Discard, log)

				return err
			},
			"Exec": func(ctx context.Context) error {
				r, in := io.Pipe()
				defer in.Close()
				_, err := w.Exec(ctx, at(node, plain), ExecOptions{Command: []string{"sleep"}}, Streams{In: r, Out: io.Discard})

				return err
			},
			"Attach": func(ctx context.Context) error {
				r, in := io.Pipe()
				defer in.Close()

				return w.Attach(ctx, at(node, plain), Streams{In: r, Out: io.Discard})
			},
		} {
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				began := time.Now()
				if err := stream(ctx); err == nil {
					t.Error("it ended without an error, before its caller went away")
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("it took %v to end", took)
				}

				ended := make(chan struct{})
				go func() { e.open.Wait(); close(ended) }()
				select {
				case <-ended:
				case <-time.After(5 * time.Second):
					t.Error("the engine goes on with it")
				}
			})
		}
	})
}
