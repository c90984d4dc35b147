package views

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dogker/dogker/internal/fleet"
)

// slowEngine takes a minute to stop a container.
type slowEngine struct {
	fleet.Runtime
	asked atomic.Int32
}

func (s *slowEngine) Stop(ctx context.Context, _ fleet.Place, _ time.Duration) error {
	s.asked.Add(1)
	select {
	case <-time.After(time.Minute):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestStopsOnce: whoever asks a hundred times for the end of one container has the engine asked once, and once more to force it.
func TestStopsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &slowEngine{}
		p := &podStore{views: &Views{Options: Options{Runtime: engine}}}
		for range 100 {
			for _, grace := range []time.Duration{time.Minute, 0} {
				if err := p.stop(t.Context(), "web-1-abc", fleet.Place{Container: "c1"}, grace); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := engine.asked.Load(); got != 2 {
			t.Errorf("the engine was asked %d times", got)
		}

		time.Sleep(2 * time.Minute)
		if err := p.stop(t.Context(), "web-1-abc", fleet.Place{Container: "c1"}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if got := engine.asked.Load(); got != 3 {
			t.Errorf("once it was over the engine was not asked again: %d times", got)
		}
		time.Sleep(2 * time.Minute)
	})
}
