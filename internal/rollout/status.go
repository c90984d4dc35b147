package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// pollInterval between two looks at a rollout that goes on.
const pollInterval = 200 * time.Millisecond

// ErrFailed is returned for a rollout that will not end well without somebody's help.
var ErrFailed = errors.New("rollout failed")

// Status prints how the rollout of the declared spec goes, a line at each change, until it has ended. It returns
// ErrFailed when it ended badly, and the context's error when it has not ended in time. Without wait it prints one line.
func (r *Rollout) Status(ctx context.Context, wait bool) error {
	last := ""

	for {
		tc, err := r.get(ctx)
		if err != nil {
			return err
		}

		line, ended, failed := describe(tc)
		if line != last {
			fmt.Fprintln(r.Out, line)
			last = line
		}

		switch {
		case failed:
			return fmt.Errorf("%w: %s", ErrFailed, line)
		case ended, !wait:
			return nil
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("the rollout has not ended in time: %w", ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

// describe says in one line how it stands, whether that is the end, and whether it is a bad one.
func describe(tc *v1alpha1.TenantContainer) (line string, ended, failed bool) {
	if tc.Status.ObservedGeneration < tc.Generation {
		return "Waiting until the change is seen", false, false
	}

	ready := conditions.Get(tc, conditions.Ready)
	if ready == nil {
		return "Waiting until the change is seen", false, false
	}

	line = fmt.Sprintf("%s (%s tasks ready): %s", ready.Reason, tc.Status.Tasks, ready.Message)
	if conditions.IsTrue(tc, conditions.Ready) {
		return line, true, false
	}

	switch ready.Reason {
	case v1alpha1.ReasonSuspended, v1alpha1.ReasonPaused:
		return line, true, false
	}

	stalled := conditions.IsTrue(tc, conditions.Stalled)

	return line, stalled, stalled
}
