package swarm_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
)

func TestCacheEqualsEngineUnderRandomMutations(t *testing.T) {
	for seed := range uint64(3) {
		for name, tc := range map[string]struct {
			drop   func(events.Message) bool
			within time.Duration
		}{
			"WithEvents": {nil, 15 * time.Second},
			// The list of everything is the only source then; tasks are found by counting.
			"WithoutEvents": {func(events.Message) bool { return true }, 40 * time.Second},
		} {
			t.Run(fmt.Sprintf("%sSeed%d", name, seed), func(t *testing.T) {
				inBubble(t, func(b *bubble) {
					b.cluster.DropEvents(tc.drop)
					v := newVandal(b.T, b.admin, seed, 4)

					for range 200 {
						v.strike()
						b.after(time.Duration(v.rng.IntN(400)) * time.Millisecond)
						if v.rng.IntN(40) == 0 {
							b.cluster.CutEvents()
						}
					}
					v.agree(b.engine, tc.within, b.after)

					if n := len(b.client.Writes()); n != 0 {
						b.Errorf("writes: got %d, want none", n)
					}
				})
			})
		}
	}
}
