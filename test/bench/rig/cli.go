package rig

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// Answer is what a program has written, how long it took from its start to its end, and the CPU time that it has used itself.
type Answer struct {
	Text      []byte
	Took, CPU time.Duration
}

// Docker runs Docker's program against an engine.
func Docker(ctx context.Context, host string, args ...string) (Answer, error) {
	return ask(ctx, "docker", "docker", append([]string{"--host", host}, args...)...)
}

// ask runs a program. The end of its complaints is in the error.
func ask(ctx context.Context, name, program string, args ...string) (Answer, error) {
	const enough = 3000

	cmd := exec.CommandContext(ctx, program, args...)
	began := time.Now()
	out, err := cmd.Output()
	took := time.Since(began)
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, failed.Stderr[max(0, len(failed.Stderr)-enough):])
	}
	if err != nil {
		return Answer{}, fmt.Errorf("run %s: %w", name, err)
	}

	return Answer{Text: out, Took: took, CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}
