package swarm

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"
)

// TaskLogs reads what the container of a task has written, wherever it is: the manager asks the task's node over the swarm's
// own network, so that a node which is cut off makes it wait. It blocks until the engine begins to answer. The log is in
// stdcopy's frames; one that is followed does not end with its container. The caller closes it.
func (e *Engine) TaskLogs(ctx context.Context, task string, o container.LogsOptions) (io.ReadCloser, error) {
	reading, end := context.WithCancel(ctx)
	patience := time.AfterFunc(readTimeout, end)

	start := time.Now()
	log, err := e.api.TaskLogs(reading, task, o)
	patience.Stop()
	if ctx.Err() != nil {
		end()
		return nil, ctx.Err() // Whoever asked has gone, which says nothing about the engine.
	}
	err = translateRead(err)
	e.observe("task_logs", start, err)
	if err != nil {
		end()
		return nil, fmt.Errorf("read log of task %q: %w", task, err)
	}

	return &openLog{ReadCloser: log, end: end}, nil
}

// openLog ends its request when it is closed.
type openLog struct {
	io.ReadCloser
	end context.CancelFunc
}

func (l *openLog) Close() error {
	l.end()

	return l.ReadCloser.Close()
}
