package swarm

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// TaskLogs shows what the container of a task has written: what its image's behaviour says, at once when it started. Times
// are not modelled, and a log that is followed goes on until the caller is done.
func (c *Client) TaskLogs(ctx context.Context, taskID string, o container.LogsOptions) (io.ReadCloser, error) {
	return do(ctx, c, "TaskLogs", taskID, false, func() (io.ReadCloser, error) {
		t := c.cluster.tasks[taskID]
		switch {
		case t == nil:
			return nil, refuse(http.StatusNotFound, "task %s not found", taskID)
		case !o.ShowStdout && !o.ShowStderr:
			return nil, refuse(http.StatusBadRequest, "Bad parameters: you must choose at least one stream")
		}

		var log bytes.Buffer
		if b := c.cluster.behaviour(t); t.started && o.ShowStdout {
			lines := strings.SplitAfter(strings.TrimSuffix(b.Log, "\n"), "\n")
			if n, err := strconv.Atoi(o.Tail); err == nil {
				lines = lines[max(0, len(lines)-n):]
			}
			frames := stdcopy.NewStdWriter(&log, stdcopy.Stdout)
			for _, line := range lines {
				if line != "" {
					_, _ = io.WriteString(frames, strings.TrimSuffix(line, "\n")+"\n")
				}
			}
		}
		if !o.Follow {
			return io.NopCloser(&log), nil
		}

		return io.NopCloser(io.MultiReader(&log, until{ctx})), nil
	})
}

// until reads nothing until its context ends, which is the error of a connection that was cut.
type until struct{ ctx context.Context }

func (u until) Read([]byte) (int, error) {
	<-u.ctx.Done()

	return 0, u.ctx.Err()
}
