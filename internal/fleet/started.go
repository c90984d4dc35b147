package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// How long the end of the input of a command waits for the command to run, and how often the engine is asked whether it does.
const (
	startBound            = 10 * time.Second
	startGap, startGapMax = 20 * time.Millisecond, 200 * time.Millisecond
)

// awaitStart returns when a command has been started, as inspect shows it, or can no longer be, when ctx ends, or after
// startBound.
//
// Engines have lost an end of input that comes before the process runs (moby/moby#37870): they tell it to a process whose
// input does not exist yet, and whoever reads all of its input then reads forever. The end of input is better late than lost,
// and after the bound it is said all the same, since not every engine loses it.
func awaitStart(ctx context.Context, inspect func(context.Context) (container.ExecInspect, error)) {
	ctx, cancel := context.WithTimeout(ctx, startBound)
	defer cancel()

	for gap := startGap; ; gap = min(2*gap, startGapMax) {
		switch got, err := inspect(ctx); {
		case err != nil && errors.Is(classed(err), swarmobj.ErrNotFound):
			return // It is over, and the engine has forgotten it.
		case err != nil: // The engine may answer next time.
		case got.Pid > 0:
			return // The engine says that it runs before it does; a process it names only then. It keeps the name after the end.
		case !got.Running && got.ExitCode != 0:
			return // It could not be started. Without a code it may be that the engine has not come to it.
		}
		if !pause(ctx, gap) {
			return
		}
	}
}
