package fleet

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
)

const (
	// runsEvery is how often we look whether a container that is followed through a manager still runs, and lastWords is how
	// long its log may take to arrive after that.
	runsEvery = 2 * time.Second
	lastWords = 3 * time.Second
)

// TaskLogs reads the log of a task through a manager of the swarm, which asks the task's node over the swarm's own network.
// It blocks until the engine begins to answer; the caller closes the log.
type TaskLogs interface {
	TaskLogs(ctx context.Context, task string, o container.LogsOptions) (io.ReadCloser, error)
}

// LogsThroughManager reads a log of a node that has no agent. A manager does not end a log that is followed when the container
// ends, so this looks for itself: runs tells whether the container has not ended, as far as anybody knows. The caller closes
// the log.
func LogsThroughManager(ctx context.Context, m TaskLogs, task string, o LogOptions, runs func() bool) (io.ReadCloser, error) {
	ctx, end := context.WithCancel(ctx)
	raw, err := m.TaskLogs(ctx, task, forEngine(o))
	if err != nil {
		end()
		return nil, fmt.Errorf("read log through a manager: %w", err)
	}
	over := &ending{ReadCloser: raw, ctx: ctx, end: end}
	if o.Follow {
		go over.watch(runs)
	}

	return over, nil
}

// ending is a log that somebody ends, which is no error.
type ending struct {
	io.ReadCloser
	ctx context.Context
	end context.CancelFunc
}

func (e *ending) watch(runs func() bool) {
	defer e.end()
	for wait := runsEvery; ; {
		select {
		case <-e.ctx.Done():
			return
		case <-time.After(wait):
		}
		if wait == lastWords {
			return
		}
		if !runs() {
			wait = lastWords
		}
	}
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if err != nil && e.ctx.Err() != nil {
		err = io.EOF
	}

	return n, err
}

// Close ends the request as well: an engine that says nothing would not notice otherwise.
func (e *ending) Close() error {
	e.end()

	return e.ReadCloser.Close()
}

// forEngine says it in the words of Docker.
func forEngine(o LogOptions) container.LogsOptions {
	out := container.LogsOptions{ShowStdout: o.Stdout, ShowStderr: o.Stderr, Follow: o.Follow, Timestamps: o.Timestamps, Tail: "all"}
	if o.Tail >= 0 {
		out.Tail = strconv.Itoa(o.Tail)
	}
	if !o.Since.IsZero() {
		out.Since = o.Since.Format(time.RFC3339Nano)
	}
	if !o.Until.IsZero() {
		out.Until = o.Until.Format(time.RFC3339Nano)
	}

	return out
}
