package snapshotrun_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/snapshotrun"
)

// TestStory is the plain one: begun, made.
func TestStory(t *testing.T) {
	w := newWorld(v1alpha1.QuiescePause)
	w.settle()
	w.verified(t)
	if len(w.history) != 3 {
		t.Errorf("%d records, want that before, the attempt, and what was made\n%s", len(w.history), strings.Join(w.log, "\n"))
	}
	s := w.last()
	if !snapshotrun.Made(&s.Status) || s.Status.ArchiveName != "acme/data/5a1c.age" || s.Status.VolumeUID != "v-1" || s.Status.Failures != 0 {
		t.Errorf("it was made as %s", show(&s.Status))
	}

	s.DeletionTimestamp = new(metav1.Now())
	w.settle()
	w.verified(t)
	if !w.gone {
		t.Error("it was deleted, and is not gone")
	}
}

// TestKilledAtEveryStep kills the process after each step, and again and again after that, and wants the snapshot made all the same.
func TestKilledAtEveryStep(t *testing.T) {
	for _, lingers := range []bool{false, true} {
		for _, every := range []int{3, 7, 1000} {
			for first := range 25 {
				w := newWorld(v1alpha1.QuiescePause)
				for step := range 60 {
					w.pass(w.leader, w.last())
					w.work(w.jobs[w.leader])
					w.write()
					for _, z := range w.zombies {
						w.work(z)
					}
					w.clock = w.clock.Add(time.Second)
					if step == first || step > first && (step-first)%every == 0 {
						w.kill(lingers)
					}
				}
				w.settle()
				w.verified(t)
				if s := w.last(); !snapshotrun.Made(&s.Status) || s.Status.Failures > 0 {
					t.Fatalf("killed after step %d: it was not made, or a kill counts for a failure: %s", first, show(&s.Status))
				}
			}
		}
	}
}

// TestAnythingHappens kills, elects, lets views be old, nodes and stores be away and hooks fail, deletes the snapshot and the Volume, and
// wants everything undone and nothing left.
func TestAnythingHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rapid.SampledFrom([]v1alpha1.QuiesceMode{v1alpha1.QuiesceNone, v1alpha1.QuiescePause}).Draw(t, "quiesce"))
		seen := map[string]int{} // The newest record that a server knows.
		for range rapid.IntRange(20, 200).Draw(t, "steps") {
			if w.gone {
				break
			}
			switch step := rapid.SampledFrom([]string{
				"pass", "pass", "pass", "pass", "pass", "work", "work", "work", "work", "work", "stale", "zombie", "zombie", "write", "write", "time",
				"kill", "linger", "usurp", "old", "old", "lose", "node", "place", "hooks", "delete", "volume",
			}).Draw(t, "step"); step {
			case "pass":
				w.pass(w.leader, w.last())
				seen[w.leader] = len(w.history) - 1
			case "stale":
				// No server sees less than what it has seen before, or has written itself.
				n := rapid.IntRange(seen[w.leader], len(w.history)-1).Draw(t, "record")
				before := len(w.history)
				w.pass(w.leader, w.history[n])
				seen[w.leader] = max(n, (len(w.history)-1)*min(1, len(w.history)-before))
			case "work":
				w.work(w.jobs[w.leader])
			case "zombie":
				for _, z := range w.zombies {
					w.work(z)
				}
			case "write":
				w.write()
			case "time":
				w.clock = w.clock.Add(time.Duration(rapid.IntRange(-100, 600).Draw(t, "seconds")) * time.Second)
			case "kill", "linger":
				w.kill(step == "linger")
			case "usurp":
				w.usurp()
			case "old":
				if n := rapid.IntRange(seen[w.old], len(w.history)-1).Draw(t, "record"); w.old != "" {
					w.pass(w.old, w.history[n])
					w.work(w.jobs[w.old])
					seen[w.old] = n
				}
			case "lose":
				// What ran is gone without a trace, as after a panic that was caught.
				if j := w.jobs[w.leader]; j != nil && j.job.Ended {
					delete(w.jobs, w.leader)
				}
			case "node":
				w.down = !w.down
			case "place":
				w.away = !w.away
			case "hooks":
				w.hooks = !w.hooks
			case "delete":
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 && w.last().DeletionTimestamp == nil {
					s := w.last().DeepCopy()
					s.DeletionTimestamp = new(metav1.Now())
					w.history = append(w.history, s)
					w.say("deleted")
				}
			case "volume":
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 && w.volume.DeletionTimestamp == nil {
					w.volume.DeletionTimestamp = new(metav1.Now())
					w.say("the Volume is deleted")
				}
			}
		}
		w.settle()
		w.verified(t)
	})
}

// TestFailsTooOften: attempts that fail by themselves have an end, which is told once, and nothing is left frozen.
func TestFailsTooOften(t *testing.T) {
	w := newWorld(v1alpha1.QuiescePause)
	w.away = true
	for range 200 {
		w.pass(w.leader, w.last())
		w.work(w.jobs[w.leader])
		w.clock = w.clock.Add(20 * time.Second)
	}
	s := w.last()
	if !snapshotrun.Failed(&s.Status) || s.Status.Failures != 5 || w.frozen || w.hooked {
		t.Fatalf("got %s, frozen %v\n%s", show(&s.Status), w.frozen, strings.Join(w.log, "\n"))
	}
	w.settle()
	w.verified(t)
	if got := fmt.Sprint(s.Status.LastFailure.Message); got != "the store does not answer" {
		t.Errorf("it failed with %q", got)
	}
}
