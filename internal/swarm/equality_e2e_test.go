//go:build e2e

package swarm_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"

	"github.com/dogker/dogker/internal/swarm"
)

// deaf is an engine whose events do not arrive.
type deaf struct{ swarm.API }

func (deaf) Events(ctx context.Context, _ events.ListOptions) (<-chan events.Message, <-chan error) {
	errs := make(chan error, 1)
	context.AfterFunc(ctx, func() { errs <- ctx.Err() })

	return nil, errs
}

func TestLiveCacheEqualsEngineUnderRandomMutations(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("SEED=%d repeats this run", seed)

	for name, tc := range map[string]struct {
		api    swarm.API
		within time.Duration
	}{
		"WithEvents":    {engine.Docker, 40 * time.Second},
		"WithoutEvents": {deaf{engine.Docker}, 75 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t, tc.api, swarm.Options{})
			v := newVandal(t, engine.Docker, seed, 5)

			for range 200 {
				v.strike()
				time.Sleep(time.Duration(v.rng.IntN(30)) * time.Millisecond)
			}
			v.agree(e, tc.within, time.Sleep)
		})
	}
}
