package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/source"
)

const (
	// grace is how long a worker may take beyond the time of its request: to start, and to say that time is up.
	grace = 5 * time.Second
	// maxSaid is how much is kept of what a worker says on standard error.
	maxSaid = 4 << 10
)

// process is a worker that runs.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.Reader
	said   *said
	limits source.Limits
}

// job is one question for a worker.
type job struct {
	tenant string
	limits source.Limits
	task   task
	// read takes the answer. What it returns is not looked at when the worker did not answer.
	read func(*json.Decoder) error
}

// run has a job done by a process, which is gone when it returns.
func (p *Pool) run(ctx context.Context, j job, slot int, dir string) error {
	j.task.MemoryBytes, j.task.Alone = p.options.MemoryBytes, os.Geteuid() == 0

	request, err := json.Marshal(j.task)
	if err != nil || len(request) > maxRequest {
		return &source.Error{Reason: source.ReasonLimitExceeded, Message: "the request is too large"}
	}

	ctx, cancel := context.WithTimeout(ctx, j.limits.Time+grace)
	defer cancel()

	done := make(chan error, 1)

	// The thread that starts a process is its parent, to the kernel: the process dies with it, and inherits what it may gain. So this
	// thread is locked, does nothing else, and ends with its goroutine, which does not unlock it.
	go func() {
		runtime.LockOSThread()

		done <- p.inProcess(ctx, j, request, slot, dir)
	}()

	return <-done
}

// inProcess starts a worker, talks to it, and buries it.
func (p *Pool) inProcess(ctx context.Context, j job, request []byte, slot int, dir string) error {
	w, err := p.start(ctx, j.limits, slot, dir, !p.together.Load())
	if errors.Is(err, unix.EPERM) && p.together.CompareAndSwap(false, true) {
		// A root that is none, as in most containers.
		p.log.WarnContext(ctx, "Git workers get no namespaces of their own: the server may not make any")

		w, err = p.start(ctx, j.limits, slot, dir, false)
	}

	if err != nil {
		p.log.ErrorContext(ctx, "A Git worker could not be started", logkey.Err, err)

		return workerFailed()
	}

	err = w.talk(request, j.read)
	timedOut := ctx.Err()

	// Whatever it has answered, it is over, and so is everything that it may have started.
	_ = unix.Kill(-w.cmd.Process.Pid, unix.SIGKILL)
	_ = w.cmd.Wait()

	var known *source.Error

	switch {
	case err == nil, errors.As(err, &known):
		return err
	case timedOut != nil:
		return &source.Error{
			Reason: source.ReasonTimeout, Transient: true, Message: "the repository could not be built in time", Cause: timedOut,
		}
	}

	verdict := w.autopsy()
	p.log.WarnContext(ctx, "A Git worker died",
		logkey.Tenant, j.tenant, logkey.Reason, string(verdict.Reason), logkey.Err, w.cmd.ProcessState.String())

	return verdict
}

// namespaces are what a worker has of its own. That of processes ends whatever it may have started, wherever that hides, when the
// worker ends.
const namespaces = unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS

// start starts a worker with nothing of the server's.
func (p *Pool) start(ctx context.Context, limits source.Limits, slot int, dir string, apart bool) (*process, error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return nil, err
	}

	// Go's own descriptors are closed on exec; those that somebody has started the server with may not be. Kernels before 5.11 do not
	// know the call, and workers there have them.
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)

	w := &process{said: &said{}, limits: limits}
	w.cmd = exec.CommandContext(ctx, p.options.Command[0], p.options.Command[1:]...)
	w.cmd.Env = []string{} // not nil, which would be the server's
	w.cmd.Dir = dir
	w.cmd.Stderr = w.said
	w.cmd.WaitDelay = time.Second
	w.cmd.Cancel = func() error { return unix.Kill(-w.cmd.Process.Pid, unix.SIGKILL) }
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}

	if id, root := p.uid(slot); root {
		w.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: id, Gid: id}

		if apart {
			w.cmd.SysProcAttr.Cloneflags = namespaces
		}
	}

	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}

	if w.out, err = w.cmd.StdoutPipe(); err != nil {
		return nil, err
	}

	return w, w.cmd.Start()
}

// talk has a worker do its work.
func (w *process) talk(request []byte, read func(*json.Decoder) error) error {
	// Escapes can make six bytes of one; what is left of the factor is for the rest of each line.
	d := json.NewDecoder(io.LimitReader(w.out, 8*w.limits.OutputBytes+1<<20))

	var ready line
	if err := d.Decode(&ready); err != nil || !ready.Ready {
		return errAnswer
	}

	_, err := w.in.Write(request)
	if err := errors.Join(err, w.in.Close()); err != nil {
		return err
	}

	return read(d)
}

// autopsy says why a worker has died without an answer.
func (w *process) autopsy() *source.Error {
	state := w.cmd.ProcessState

	// A process that has used up its time is killed like one that has used up the machine's memory.
	used := state.UserTime() + state.SystemTime()

	switch {
	case used >= time.Duration(cpuSeconds(w.limits)-1)*time.Second:
		return &source.Error{Reason: source.ReasonLimitExceeded, Message: "the build takes more processor time than it may"}
	case w.said.contains("out of memory"), w.said.contains("cannot allocate memory"), w.said.contains("stack exceeds"), w.said.contains("failed to create new OS thread"):
		return &source.Error{Reason: source.ReasonLimitExceeded, Message: "the build takes more memory than it may"}
	default:
		return workerFailed()
	}
}

// said keeps the beginning of what a worker says on standard error. Nobody is shown it: it may quote the repository, or the request.
type said struct {
	mu   sync.Mutex
	text []byte
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.text = append(s.text, p[:min(len(p), maxSaid-len(s.text))]...)

	return len(p), nil
}

func (s *said) contains(words string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()

	return bytes.Contains(s.text, []byte(words))
}
