package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// lockOf is a lock whose store answers as it is told.
type lockOf struct {
	resourcelock.Interface

	takes time.Duration
	err   error
}

func (l *lockOf) Identity() string { return "me" }

func (l *lockOf) Create(context.Context, resourcelock.LeaderElectionRecord) error {
	time.Sleep(l.takes)
	return l.err
}

func (l *lockOf) Update(context.Context, resourcelock.LeaderElectionRecord) error {
	time.Sleep(l.takes)
	return l.err
}

func TestLeaseIsHeld(t *testing.T) {
	mine := resourcelock.LeaderElectionRecord{HolderIdentity: "me"}

	cases := map[string]struct {
		reason string
		do     func(context.Context, *lease, *lockOf)
		want   bool
	}{
		"Never": {reason: "Nobody has it yet.", do: func(context.Context, *lease, *lockOf) {}},
		"Taken": {
			reason: "It is ours from then on.", want: true,
			do: func(ctx context.Context, l *lease, _ *lockOf) { _ = l.Create(ctx, mine) },
		},
		"Renewed": {
			reason: "Each renewal counts anew.", want: true,
			do: func(ctx context.Context, l *lease, _ *lockOf) {
				_ = l.Create(ctx, mine)
				time.Sleep(4 * time.Second)
				_ = l.Update(ctx, mine)
				time.Sleep(4 * time.Second)
			},
		},
		"Frozen": {
			reason: "Whoever has slept for so long may have a successor.",
			do: func(ctx context.Context, l *lease, _ *lockOf) {
				_ = l.Create(ctx, mine)
				time.Sleep(5 * time.Second)
			},
		},
		"SlowStore": {
			reason: "Others count from when the store had it, and that was before it answered.",
			do: func(ctx context.Context, l *lease, lock *lockOf) {
				lock.takes = 3 * time.Second
				_ = l.Create(ctx, mine)
				time.Sleep(2 * time.Second)
			},
		},
		"RenewalFailed": {
			reason: "The one before it holds until its own end.", want: true,
			do: func(ctx context.Context, l *lease, lock *lockOf) {
				_ = l.Create(ctx, mine)
				lock.err = errors.New("no answer")
				_ = l.Update(ctx, mine)
			},
		},
		"GivenBack": {
			reason: "A lease that is given back is nobody's.",
			do: func(ctx context.Context, l *lease, _ *lockOf) {
				_ = l.Create(ctx, mine)
				_ = l.Update(ctx, resourcelock.LeaderElectionRecord{})
			},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lock := &lockOf{}
				l := newHeldLease(lock, 5*time.Second)
				tc.do(t.Context(), l, lock)

				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				if err := l.hold(ctx); (err == nil) != tc.want {
					t.Errorf("%s\nhold: got %v, want it held: %v", tc.reason, err, tc.want)
				}
			})
		})
	}
}

// TestLeaseIsAwaited: what waits goes on with the next renewal.
func TestLeaseIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newHeldLease(&lockOf{}, 5*time.Second)
		done := make(chan error, 1)
		go func() { done <- l.hold(t.Context()) }()
		synctest.Wait()
		if len(done) > 0 {
			t.Fatal("a lease that nobody has is held")
		}

		if err := l.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me"}); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("hold: %v", err)
		}
	})
}
