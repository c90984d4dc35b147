package fleet

import (
	"context"
	"io"
	"net"
	"time"
)

// Place is where a task's container is. All three are the engine's IDs.
type Place struct {
	Node, Task, Container string
}

// Runtime does what only the engine of a container's own node can. Errors are of swarmobj's classes: ErrUnavailable when the
// node has no agent that can be asked, which the message explains, ErrNotFound when the container is gone, ErrRefused when
// the agent or the engine will not.
type Runtime interface {
	// Logs is what the container has written, as the engine keeps it: standard output and error in stdcopy's frames. The
	// caller closes it.
	Logs(ctx context.Context, at Place, o LogOptions) (io.ReadCloser, error)
	// Exec runs a command in the container and returns its exit code once it has ended. When the context ends the streams
	// do; the engine knows no way to end the process.
	Exec(ctx context.Context, at Place, o ExecOptions, s Streams) (exitCode int, err error)
	// Attach connects to the container's first process until it ends or the context does.
	Attach(ctx context.Context, at Place, s Streams) error
	// Dial connects to a TCP port that the container listens on, also when it is not published.
	Dial(ctx context.Context, at Place, port uint16) (net.Conn, error)
	// Stop stops the container, paused or not, and kills it after grace; Swarm starts another task in its place.
	Stop(ctx context.Context, at Place, grace time.Duration) error
}

// LogOptions say which part of a log is wanted.
type LogOptions struct {
	Stdout, Stderr     bool
	Follow, Timestamps bool
	// Since and Until bound the time; the zero time does not.
	Since, Until time.Time
	// Tail is how many lines from the end; negative for all.
	Tail int
}

// ExecOptions say what to run.
type ExecOptions struct {
	Command []string
	TTY     bool
}

// Streams of an exec or an attach; nil ones are not wanted. With a TTY everything comes on Out.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Resize gives the terminal's size, first and whenever it changes.
	Resize <-chan Size
}

// Size of a terminal in characters.
type Size struct{ Width, Height uint16 }

// NodeState is how the agent of a node stands.
type NodeState struct {
	// Node is its ID in the swarm.
	Node string
	// Own is true for the node of this process, which needs no agent.
	Own bool
	// Version of the agent; empty while it has not answered.
	Version string
	// Connected since, and Seen last; the zero time for never.
	Connected, Seen time.Time
	// Skew is how far the clock of the node is ahead of ours.
	Skew time.Duration
	// Problem says why it cannot be used, or only in part; empty when all is well.
	Problem string
}
