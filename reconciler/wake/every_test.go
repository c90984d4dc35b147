package wake_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dogker/dogker/reconciler/wake"
)

// TestEvery: a look that fails is told of and keeps no other from coming, and the end of the context is no failure.
func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began, looks, failures := time.Now(), 0, 0
		wake.Every(ctx, time.Minute, func(context.Context) error {
			if looks++; looks == 4 {
				cancel()
			}

			return errors.New("boom")
		}, func(error) { failures++ })

		if looks != 4 || failures != 3 {
			t.Errorf("%d looks and %d failures, want 4 and 3", looks, failures)
		}
		if took := time.Since(began); took != 4*time.Minute {
			t.Errorf("it took %v, want an interval before each look", took)
		}
	})
}
