package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// askTimeout bounds a question that an engine answers at once.
const askTimeout = 15 * time.Second

// open finds the engine of a place, and makes sure that the container is the task's: whoever names a place may have read it
// from a list that is no longer true.
func (f *Fleet) open(ctx context.Context, at Place) (*door, container.InspectResponse, error) {
	d, err := f.reach(at)
	if err != nil {
		return nil, container.InspectResponse{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()

	c, err := d.docker.ContainerInspect(ctx, at.Container)
	if err != nil {
		return nil, c, d.failed("inspect container", at, err)
	}
	if c.Config == nil || c.ContainerJSONBase == nil || c.State == nil || at.Task == "" || c.Config.Labels[agent.TaskLabel] != at.Task {
		return nil, c, d.failed("inspect container", at, fmt.Errorf("%w: it is not that of task %q", swarmobj.ErrNotFound, at.Task))
	}

	return d, c, nil
}

// failed says what could not be done, and where.
func (d *door) failed(what string, at Place, err error) error {
	return fmt.Errorf("%s %.12q on node %q: %w", what, at.Container, d.name, classed(err))
}

// Logs implements Runtime.
func (f *Fleet) Logs(ctx context.Context, at Place, o LogOptions) (io.ReadCloser, error) {
	d, c, err := f.open(ctx, at)
	if err != nil {
		return nil, err
	}
	tail := "all"
	if o.Tail >= 0 {
		tail = fmt.Sprint(o.Tail)
	}
	raw, err := d.docker.ContainerLogs(ctx, at.Container, container.LogsOptions{
		ShowStdout: o.Stdout, ShowStderr: o.Stderr, Follow: o.Follow, Timestamps: o.Timestamps,
		Since: stamp(o.Since), Until: stamp(o.Until), Tail: tail,
	})
	if err != nil {
		return nil, d.failed("read log of container", at, err)
	}
	if c.Config.Tty {
		return framed(raw), nil
	}

	return raw, nil
}

// stamp is a time as the engine reads it; none for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}

	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// framed puts the log of a container with a terminal into the frames that all others have. Closing what is returned ends
// reading, and with it the goroutine.
func framed(raw io.ReadCloser) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(stdcopy.NewStdWriter(w, stdcopy.Stdout), raw)
		w.CloseWithError(err)
	}()

	return closers{r, func() error { return errors.Join(raw.Close(), r.Close()) }}
}

type closers struct {
	io.Reader
	close func() error
}

func (c closers) Close() error { return c.close() }

// Exec implements Runtime.
func (f *Fleet) Exec(ctx context.Context, at Place, o ExecOptions, s Streams) (int, error) {
	d, _, err := f.open(ctx, at)
	if err != nil {
		return 0, err
	}
	made, err := d.docker.ContainerExecCreate(ctx, at.Container, container.ExecOptions{
		Cmd: o.Command, Tty: o.TTY, AttachStdin: s.In != nil, AttachStdout: s.Out != nil, AttachStderr: s.Err != nil && !o.TTY,
	})
	if err != nil {
		return 0, d.failed("execute in container", at, err)
	}
	conn, err := d.docker.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{Tty: o.TTY})
	if err != nil {
		return 0, d.failed("execute in container", at, err)
	}

	resize := func(ctx context.Context, o container.ResizeOptions) error {
		return d.docker.ContainerExecResize(ctx, made.ID, o)
	}
	started := func(ctx context.Context) {
		awaitStart(ctx, func(ctx context.Context) (container.ExecInspect, error) {
			return d.docker.ContainerExecInspect(ctx, made.ID)
		})
	}
	if err := carry(ctx, conn, o.TTY, s, resize, started); err != nil {
		return 0, d.failed("execute in container", at, err)
	}

	return d.exitCode(ctx, at, made.ID)
}

// exitCode asks for the code of a command whose streams have ended. The engine notes it a moment later.
func (d *door) exitCode(ctx context.Context, at Place, exec string) (int, error) {
	const tries, gap = 50, 20 * time.Millisecond

	for range tries {
		got, err := d.docker.ContainerExecInspect(ctx, exec)
		if err != nil {
			return 0, d.failed("learn exit code in container", at, err)
		}
		if !got.Running {
			return got.ExitCode, nil
		}
		if !pause(ctx, gap) {
			return 0, ctx.Err()
		}
	}

	return 0, d.failed("learn exit code in container", at,
		fmt.Errorf("%w: the command runs on, and has closed its output", swarmobj.ErrUnavailable))
}

// Attach implements Runtime.
func (f *Fleet) Attach(ctx context.Context, at Place, s Streams) error {
	d, c, err := f.open(ctx, at)
	if err != nil {
		return err
	}
	conn, err := d.docker.ContainerAttach(ctx, at.Container, container.AttachOptions{
		Stream: true, Stdin: s.In != nil, Stdout: s.Out != nil, Stderr: s.Err != nil && !c.Config.Tty,
	})
	if err != nil {
		return d.failed("attach to container", at, err)
	}

	resize := func(ctx context.Context, o container.ResizeOptions) error {
		return d.docker.ContainerResize(ctx, at.Container, o)
	}
	running := func(context.Context) {} // The process of a container that is attached to has been started by Swarm.
	if err := carry(ctx, conn, c.Config.Tty, s, resize, running); err != nil {
		return d.failed("attach to container", at, err)
	}

	return nil
}

// carry moves bytes both ways until the output ends or the context does. Input is read until then; whoever reads for it is
// waited for by nobody, since only the owner of the input can end a read of it. The end of input is passed on once started
// returns, which it does at the latest when its context ends.
func carry(
	ctx context.Context, conn types.HijackedResponse, tty bool, s Streams,
	resize func(context.Context, container.ResizeOptions) error, started func(context.Context),
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer conn.Close()
	stop := context.AfterFunc(ctx, conn.Close)
	defer stop()

	if s.In != nil {
		go func() {
			_, _ = io.Copy(conn.Conn, s.In) // The output tells when the other side has gone.
			started(ctx)
			_ = conn.CloseWrite()
		}()
	}
	if s.Resize != nil {
		go follow(ctx, s.Resize, resize)
	}

	out, errOut := orDiscard(s.Out), orDiscard(s.Err)
	var err error
	if tty {
		_, err = io.Copy(out, conn.Reader)
	} else {
		err = separate(out, errOut, conn.Reader)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}

	return err
}

// follow tells the engine each size until there are no more, or the context ends. A size that is not taken is no reason to
// end anything.
func follow(ctx context.Context, sizes <-chan Size, resize func(context.Context, container.ResizeOptions) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case size, more := <-sizes:
			if !more {
				return
			}
			_ = resize(ctx, container.ResizeOptions{Width: uint(size.Width), Height: uint(size.Height)})
		}
	}
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}

	return w
}

// Dial implements Runtime.
func (f *Fleet) Dial(ctx context.Context, at Place, port uint16) (net.Conn, error) {
	d, c, err := f.open(ctx, at)
	if err != nil {
		return nil, err
	}
	if !c.State.Running {
		return nil, d.failed("connect to container", at, fmt.Errorf("%w: it does not run", swarmobj.ErrNotFound))
	}
	conn, err := d.dial(ctx, at.Container, port)
	if err != nil {
		return nil, d.failed(fmt.Sprintf("connect to port %d of container", port), at, err)
	}

	return conn, nil
}

// Stop implements Runtime. The engine lets a paused container go on to stop it.
func (f *Fleet) Stop(ctx context.Context, at Place, grace time.Duration) error {
	d, _, err := f.open(ctx, at)
	if err != nil {
		return err
	}
	seconds := int(math.Ceil(grace.Seconds()))
	ctx, cancel := context.WithTimeout(ctx, grace+askTimeout)
	defer cancel()

	if err := d.docker.ContainerStop(ctx, at.Container, container.StopOptions{Timeout: &seconds}); err != nil {
		return d.failed("stop container", at, err)
	}

	return nil
}
