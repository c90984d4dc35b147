package volumerestore_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/volumerestore"
)

// TestRestore is the plain story, of a volume that has data and of one that has none yet.
func TestRestore(t *testing.T) {
	for _, has := range []bool{true, false} {
		w := newWorld(has)
		w.ask("monday")
		w.settle()
		w.verify(t)
		s := w.state()
		if s.Done == nil || s.Done.Snapshot != "monday" || s.Name != "data-r2" || w.restored != 1 {
			t.Errorf("has %v: the end is %s", has, show(s))
		}

		// What is written from then on stays, whoever looks.
		w.write()
		w.ask("monday")
		w.settle()
		w.verify(t)
		if w.restored != 1 {
			t.Errorf("another generation of the same wish has restored again")
		}

		// The wish is taken back, and made again: that is another one.
		w.ask("")
		w.settle()
		w.ask("monday")
		w.settle()
		w.verify(t)
		if s := w.state(); w.restored != 2 || s.Name == "data-r2" {
			t.Errorf("wished again: %s", show(s))
		}
		w.ask("tuesday")
		w.settle()
		w.verify(t)
		if s := w.state(); s.Done.Snapshot != "tuesday" {
			t.Errorf("another snapshot: %s", show(s))
		}
	}
}

// TestKilledAtEveryStep kills the process once after each step, and once more for good measure after each later one.
func TestKilledAtEveryStep(t *testing.T) {
	kills := 0
	for first := range 40 {
		for _, lingers := range []bool{false, true} {
			w := newWorld(first%2 == 0)
			w.ask("monday")
			for step := range 60 {
				w.pass(w.state(), true)
				w.work(w.job)
				for _, z := range w.zombies {
					w.work(z)
				}
				w.containers(w.state())
				w.write()
				w.reclaim()
				w.clock = w.clock.Add(time.Minute)
				if step == first || step > first && (step-first)%7 == 0 && step < 50 {
					w.kill(lingers)
					kills++
				}
			}
			w.settle()
			w.verify(t)
			if s := w.state(); s.Done == nil && s.Failed == nil {
				t.Errorf("killed after step %d: the end is %s", first, show(s))
			}
		}
	}
	if kills < 30 {
		t.Errorf("there were %d kills, want 30 and more", kills)
	}
}

// TestAnythingHappens kills, cuts nodes off, changes the wish, deletes and remakes snapshots, lets views be old and two servers work, and
// wants one volume to count that is whole, nothing to be lost that was written and not asked to be replaced, and quiet at the end.
func TestAnythingHappens(t *testing.T) {
	kills := 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rapid.Bool().Draw(t, "has"))
		for range rapid.IntRange(20, 150).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{
				"pass", "pass", "pass", "pass", "stale", "work", "work", "work", "work", "zombie", "containers", "stalecontainers", "write", "kill", "linger",
				"node", "wish", "time", "snapshot", "reclaim", "failing",
			}).Draw(t, "step") {
			case "pass":
				w.pass(w.state(), true)
			case "stale":
				if at := len(w.history) - 1 - rapid.IntRange(1, 6).Draw(t, "age"); at >= 0 {
					w.pass(w.history[at], false)
				}
			case "work":
				w.work(w.job)
			case "zombie":
				for _, z := range w.zombies {
					w.work(z)
				}
			case "containers":
				w.containers(w.state())
			case "stalecontainers":
				if at := len(w.history) - 1 - rapid.IntRange(1, 6).Draw(t, "age"); at >= 0 {
					w.containers(w.history[at])
				}
			case "write":
				w.write()
			case "kill":
				w.kill(false)
				kills++
			case "linger":
				w.kill(true)
				kills++
			case "node":
				w.down["a"] = !w.down["a"]
			case "wish":
				w.ask(rapid.SampledFrom([]string{"", "monday", "tuesday"}).Draw(t, "wish"))
			case "time":
				w.clock = w.clock.Add(time.Minute)
			case "snapshot":
				name := rapid.SampledFrom([]string{"monday", "tuesday"}).Draw(t, "snapshot")
				w.taken[name] = rapid.SampledFrom([]volumerestore.Snapshot{
					{}, {Standing: volumerestore.Making, UID: "uid-" + name}, {Standing: volumerestore.Ready, UID: "uid-" + name, Bytes: 7},
					{Standing: volumerestore.Broken, UID: "uid-" + name, Message: "no"},
				}).Draw(t, "now")
			case "reclaim":
				w.reclaim()
			case "failing":
				w.failing = rapid.SampledFrom([]string{"", "the disk is full"}).Draw(t, "why")
			}
			if s := w.state(); s.Has && w.has[s.Place] == nil {
				w.violate("what counts is not there")
			}
			if w.broken != "" {
				break
			}
		}
		w.settle()
		w.verify(t)
	})
	if kills < 30 {
		t.Errorf("there were %d kills, want 30 and more", kills)
	}
}

// TestGivesUp wants what there is to go on when writing fails for good or too often, nothing to be left, and no other try unasked.
func TestGivesUp(t *testing.T) {
	for _, permanent := range []bool{false, true} {
		w := newWorld(true)
		w.failing, w.permanent = "the disk is full", permanent
		w.ask("monday")
		w.settle()
		w.verify(t)
		s := w.state()
		if s.Failed == nil || !strings.Contains(s.Failed.Reason, "the disk is full") || s.Name != "data" {
			t.Fatalf("the end is %s, want it told why", show(s))
		}
		if calls := w.calls; permanent && calls != 1 || !permanent && calls != 8 {
			t.Errorf("permanent %v: it was tried %d times", permanent, calls)
		}

		w.failing = ""
		w.ask("monday")
		w.settle()
		if s := w.state(); s.Done != nil {
			t.Errorf("it was tried again unasked: %s", show(s))
		}
		w.ask("")
		w.settle()
		w.ask("monday")
		w.settle()
		w.verify(t)
		if s := w.state(); s.Done == nil {
			t.Errorf("wished anew the end is %s", show(s))
		}
	}
}

// TestWaits wants the reason told for which a restore cannot begin, and whether only people can help.
func TestWaits(t *testing.T) {
	ready := volumerestore.Snapshot{Standing: volumerestore.Ready, UID: "uid-monday", Bytes: 7}
	known := volumerestore.Presence{Known: true}
	cases := map[string]struct {
		seen    volumerestore.Seen
		nowhere bool
		says    string
		refused bool
	}{
		"Missing":     {volumerestore.Seen{MaxBytes: 9, Target: known}, false, "no VolumeSnapshot", false},
		"Making":      {volumerestore.Seen{MaxBytes: 9, Target: known, Snapshot: volumerestore.Snapshot{Standing: volumerestore.Making}}, false, "not ready", false},
		"Broken":      {volumerestore.Seen{MaxBytes: 9, Target: known, Snapshot: volumerestore.Snapshot{Standing: volumerestore.Broken, Message: "a hook"}}, false, "a hook", true},
		"NotPortable": {volumerestore.Seen{MaxBytes: 9, Target: known, Snapshot: ready, Refusal: "its class"}, false, "its class", true},
		"TooLarge":    {volumerestore.Seen{MaxBytes: 6, Target: known, Snapshot: ready}, false, "7 bytes, which is more than spec.size, 6 bytes", true},
		"Busy":        {volumerestore.Seen{MaxBytes: 9, Target: known, Snapshot: ready, Busy: "it moves"}, false, "it moves", false},
		"Nowhere":     {volumerestore.Seen{MaxBytes: 9, Target: known, Snapshot: ready}, true, "no node", false},
		"NodeDown":    {volumerestore.Seen{MaxBytes: 9, Snapshot: ready}, false, "does not answer", false},
		"NodeGone":    {volumerestore.Seen{MaxBytes: 9, Snapshot: ready, Target: volumerestore.Presence{Gone: true}}, false, "left the swarm", true},
		"NameTaken": {
			volumerestore.Seen{MaxBytes: 9, Snapshot: ready, Target: volumerestore.Presence{Known: true, There: true, Operation: "restore/5a1c/2/1"}}, false, "has a volume named", true,
		},
	}
	for name, c := range cases {
		w := newWorld(true)
		w.ask("monday")
		if c.nowhere {
			w.wish.Node = ""
		}
		d := volumerestore.Decide(w.state(), w.wish, c.seen)
		if d.Do != volumerestore.Nothing || show(d.State) != show(w.state()) || !strings.Contains(d.Why, c.says) || d.Refused != c.refused {
			t.Errorf("%s: %+v, want it to say %q, refused %v", name, d, c.says, c.refused)
		}
	}
}

// TestEndsOfWriting: a try ends when the snapshot, the node or the wish is not what it was, and what it has made goes.
func TestEndsOfWriting(t *testing.T) {
	cases := map[string]struct {
		change func(*world)
		failed string
	}{
		"SnapshotDeleted": {func(w *world) { delete(w.taken, "monday"); w.kill(false) }, "no VolumeSnapshot"},
		"SnapshotReplaced": {func(w *world) {
			w.taken["monday"] = volumerestore.Snapshot{Standing: volumerestore.Ready, UID: "uid-tuesday"}
		}, "replaced"},
		"SnapshotBroken": {func(w *world) {
			w.taken["monday"] = volumerestore.Snapshot{Standing: volumerestore.Broken, UID: "uid-monday", Message: "cut"}
			w.kill(false)
		}, "cut"},
		"LivesElsewhere": {func(w *world) { w.wish.Node = "b" }, "another node"},
		"WishGone":       {func(w *world) { w.ask("") }, ""},
	}
	for name, c := range cases {
		w := newWorld(true)
		w.ask("monday")
		for range 2 {
			w.pass(w.state(), true)
		}
		w.work(w.job)
		w.work(w.job)
		if len(w.has) != 2 {
			t.Fatalf("%s: nothing was begun: %v", name, w.log)
		}
		c.change(w)
		w.settle()
		w.verify(t)
		s := w.state()
		if s.Done != nil && s.Done.UID != "" || (s.Failed != nil) != (c.failed != "") || s.Failed != nil && !strings.Contains(s.Failed.Reason, c.failed) {
			t.Errorf("%s: the end is %s", name, show(s))
		}
	}
}
