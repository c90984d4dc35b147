package gitsync

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/delivery"
)

// TestRestsWithoutWrites: while nothing changes nothing is written, and a repository is asked one question an interval.
func TestRestsWithoutWrites(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		before func(*world)
		asks   int
		builds int
	}{
		"Ready":     {"What is applied is applied.", func(*world) {}, 6, 0},
		"Bad":       {"A revision that cannot be built is not fetched again.", func(w *world) { w.repo.pushBad() }, 6, 0},
		"Refused":   {"It is refused in the same words.", func(w *world) { w.space.refuses["a"] = delivery.ReasonInvalid }, 6, 0},
		"Unhealthy": {"So is what does not become healthy.", func(w *world) { w.edit(waits); w.space.sick["a"] = true }, 6, 0},
		"Suspended": {"Nobody is asked.", func(w *world) { w.edit(func(s *gitopsv1.GitSync) { s.Spec.Suspend = true }) }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				w.repo.push("a=1", "b=1")
				w.run(30 * time.Second)
				tc.before(w)
				w.run(3 * time.Hour)

				patches, writes, asks, builds, events := w.patches, w.space.writes, w.repo.asks, w.repo.builds, len(w.events)
				w.run(time.Hour)

				if w.patches != patches || w.space.writes != writes {
					t.Errorf("%s\nat rest there were %d patches of the status and %d writes", tc.reason, w.patches-patches, w.space.writes-writes)
				}
				if got := w.repo.asks - asks; got != tc.asks || w.repo.builds-builds != tc.builds {
					t.Errorf("%s\nthe repository was asked %d times in an hour, and built %d times", tc.reason, got, w.repo.builds-builds)
				}
				if len(w.events) != events {
					t.Errorf("%s\nat rest it is said: %q", tc.reason, w.events[events:])
				}
			})
		})
	}
}

// TestRecordsFirst: a process that dies between any two writes leaves nothing that nobody answers for, and the next one ends
// what it began.
func TestRecordsFirst(t *testing.T) {
	for dies := 1; dies <= 5; dies++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.close()
			w.space.foreign("theirs")
			w.repo.push("a=1", "b=1", "c=1")
			w.space.dies = dies
			w.run(time.Second)
			w.space.dies = 0
			// The commit that the process has died over is gone when the next one looks.
			w.repo.push("c=2")
			w.start()
			w.run(time.Minute)

			if diff := cmp.Diff(map[string]string{"c": "2", "theirs": "foreign"}, w.space.has()); diff != "" {
				t.Errorf("died at write %d\n-want +got\n%s", dies, diff)
			}
		})
	}
}

// TestLostStatus: how a visit has ended is in the status, also when that could not be written at first.
func TestLostStatus(t *testing.T) {
	for lost := range 4 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.close()
			w.lose = lost
			w.repo.push("a=1")
			w.run(time.Minute)
			s := w.stored(app.Name)
			if len(s.Status.History) != 1 || s.Status.Objects != 1 || !conditions.IsTrue(s, conditions.Ready) {
				t.Errorf("%d patches were lost, and the status is %+v", lost, s.Status)
			}
		})
	}
}
