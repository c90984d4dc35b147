package containers

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Runtime holds containers by the engine's ID. Make one with New.
type Runtime struct {
	mu         sync.Mutex
	containers map[string]*Container
	lost       map[string]string
	stopped    []string
}

var _ fleet.Runtime = (*Runtime)(nil)

// New returns a Runtime without containers.
func New() *Runtime {
	return &Runtime{containers: map[string]*Container{}, lost: map[string]string{}}
}

// Add makes a container that runs, on any node.
func (r *Runtime) Add(id string) *Container {
	r.mu.Lock()
	defer r.mu.Unlock()

	c := &Container{ports: map[uint16]func(net.Conn){}, ended: make(chan struct{}), wrote: make(chan struct{})}
	r.containers[id] = c

	return c
}

// Lose makes the agent of a node unreachable, and says why; empty brings it back.
func (r *Runtime) Lose(node, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()

	r.lost[node] = why
}

// Stopped are the containers that were stopped, in order.
func (r *Runtime) Stopped() []string {
	r.mu.Lock()
	defer r.mu.Unlock()

	return append([]string(nil), r.stopped...)
}

func (r *Runtime) at(p fleet.Place) (*Container, error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if why := r.lost[p.Node]; why != "" {
		return nil, fmt.Errorf("ask agent of node %q: %w: %s", p.Node, swarmobj.ErrUnavailable, why)
	}
	c := r.containers[p.Container]
	if c == nil {
		return nil, fmt.Errorf("find container %q: %w", p.Container, swarmobj.ErrNotFound)
	}

	return c, nil
}

// Logs implements fleet.Runtime.
func (r *Runtime) Logs(ctx context.Context, at fleet.Place, o fleet.LogOptions) (io.ReadCloser, error) {
	c, err := r.at(at)
	if err != nil {
		return nil, err
	}

	return c.logs(ctx, o), nil
}

// Exec implements fleet.Runtime. See commands for what can be run.
func (r *Runtime) Exec(ctx context.Context, at fleet.Place, o fleet.ExecOptions, s fleet.Streams) (int, error) {
	if _, err := r.at(at); err != nil {
		return 0, err
	}
	run, known := commands[o.Command[0]]
	if !known {
		fmt.Fprintf(orNowhere(s.Err, s.Out), "OCI runtime exec failed: exec: %q: executable file not found in $PATH\n", o.Command[0])
		return 127, nil
	}
	if s.Out == nil {
		s.Out = io.Discard
	}
	if s.In == nil {
		s.In = eof{}
	}

	return run(ctx, o, s)
}

// Attach implements fleet.Runtime: what the container writes from now on, until it ends.
func (r *Runtime) Attach(ctx context.Context, at fleet.Place, s fleet.Streams) error {
	c, err := r.at(at)
	if err != nil {
		return err
	}
	if s.In != nil {
		go func() {
			buf := make([]byte, 4096)
			for {
				n, err := s.In.Read(buf)
				if n > 0 {
					c.Print("heard " + string(buf[:n]))
				}
				if err != nil {
					return
				}
			}
		}()
	}

	return c.follow(ctx, s)
}

// Dial implements fleet.Runtime. A port that nothing listens on refuses, as the kernel does.
func (r *Runtime) Dial(_ context.Context, at fleet.Place, port uint16) (net.Conn, error) {
	c, err := r.at(at)
	if err != nil {
		return nil, err
	}
	serve := c.port(port)
	if serve == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		serve(far)
	}()

	return near, nil
}

// Stop implements fleet.Runtime.
func (r *Runtime) Stop(_ context.Context, at fleet.Place, _ time.Duration) error {
	c, err := r.at(at)
	if err != nil {
		return err
	}
	c.End()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = append(r.stopped, at.Container)

	return nil
}

func orNowhere(writers ...io.Writer) io.Writer {
	for _, w := range writers {
		if w != nil {
			return w
		}
	}

	return io.Discard
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
