package wake

import (
	"context"
	"time"
)

// Every looks once in each interval until the context ends, for the first time when one has passed. What a look fails with is
// given to failed, unless it is the end of the context; the next look comes all the same.
func Every(ctx context.Context, interval time.Duration, look func(context.Context) error, failed func(error)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()

	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}

		if err := look(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}
