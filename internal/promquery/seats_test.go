package promquery

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestSeats: slow questions of one namespace keep nobody else from asking, and hold up whoever asks for a moment only.
func TestSeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeats(4)
		first, err1 := s.take(t.Context(), "slow")
		second, err2 := s.take(t.Context(), "slow")
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}

		began := time.Now()
		if _, err := s.take(t.Context(), "slow"); !errors.Is(err, ErrBusy) {
			t.Errorf("a third question of a namespace gives %v", err)
		}
		if waited := time.Since(began); waited != seatPatience {
			t.Errorf("it waited %v", waited)
		}

		began = time.Now()
		other, err := s.take(t.Context(), "other")
		if err != nil || time.Since(began) != 0 {
			t.Errorf("another namespace waited %v and got %v", time.Since(began), err)
		}

		time.AfterFunc(seatPatience/2, first)
		third, err := s.take(t.Context(), "slow")
		if err != nil {
			t.Errorf("a seat that becomes free in time gives %v", err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.take(ctx, "slow"); !errors.Is(err, context.Canceled) {
			t.Errorf("who gives up gets %v", err)
		}

		second()
		third()
		other()
		if len(s.tenants) != 0 {
			t.Errorf("%d namespaces are remembered without a question", len(s.tenants))
		}
	})
}
