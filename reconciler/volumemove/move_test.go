package volumemove_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/volumemove"
)

// settle lets everything come to its end: all nodes answer, nobody is killed, and views are fresh.
func (w *world) settle() (passes int) {
	clear(w.down)
	for _, z := range w.zombies {
		for !z.job.Ended && len(z.steps) > 0 {
			w.work(z)
		}
	}
	for quiet := 0; quiet < 3 && passes < 500; passes++ {
		w.containers(w.state())
		moved := w.pass(w.state(), true)
		if w.job != nil && !w.job.job.Ended {
			w.work(w.job)
			moved = true
		} else if w.job != nil && w.state().Move == nil {
			w.job = nil
		}
		w.clock = w.clock.Add(time.Minute)
		if quiet++; moved || (w.state().Move != nil && passes < 400) {
			quiet = 0
		}
	}

	return passes
}

// verify holds the end against what must be.
func (w *world) verify(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, tidy bool,
) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf(format+"\n%s", append(args, strings.Join(w.log, "\n"))...)
	}

	s := w.state()
	switch {
	case w.broken != "":
		fail("%s", w.broken)
	case s.Move != nil:
		fail("the move does not end: %s", show(s))
	case s.Failed == nil && s.Kept == "" && w.wish.Node != "" && s.Node != w.wish.Node && w.nodes[w.wish.Node] == nil:
		fail("it is wished on %s and lives on %s, without a word", w.wish.Node, s.Node)
	case w.nodes[s.Node] == nil:
		fail("there is no volume on %s, where it lives", s.Node)
	case w.runs != s.Node:
		fail("the container runs on %q, want %s", w.runs, s.Node)
	}
	if tidy && len(w.nodes) != 1 {
		fail("there are %d volumes, want one", len(w.nodes))
	}
	if tidy && strings.Count(w.nodes[s.Node].content, ",") != w.writes {
		fail("%q is in the volume, want all %d writes", w.nodes[s.Node].content, w.writes)
	}

	n := len(w.history)
	for range 10 {
		if w.pass(w.state(), true) {
			fail("it is not quiet at the end")
		}
	}
	if len(w.history) != n {
		fail("something is written at the end")
	}
}

// TestMove is the plain story.
func TestMove(t *testing.T) {
	w := newWorld()
	w.wish = volumemove.Wish{Volume: uid, Generation: 2, Node: "b"}
	w.settle()
	w.verify(t, true)
	if w.state().Node != "b" {
		t.Errorf("it lives on %s, want b", w.state().Node)
	}

	var phases []volumemove.Phase
	for _, s := range w.history {
		if s.Move != nil {
			phases = append(phases, s.Move.Phase)
		}
	}
	if got := strings.Join(strings.Fields(sprint(phases)), " "); got != "[Stopping Copying Verifying Moved]" {
		t.Errorf("the phases were %s", got)
	}
}

// TestKilledAtEveryStep kills the process once after each step of a move, and once more for good measure after each later one.
func TestKilledAtEveryStep(t *testing.T) {
	kills := 0
	for first := range 40 {
		for _, lingers := range []bool{false, true} {
			w := newWorld()
			w.wish = volumemove.Wish{Volume: uid, Generation: 2, Node: "b"}
			for step := range 60 {
				w.containers(w.state())
				w.pass(w.state(), true)
				w.work(w.job)
				for _, z := range w.zombies {
					w.work(z)
				}
				w.clock = w.clock.Add(time.Minute)
				if step == first || step > first && (step-first)%7 == 0 && step < 50 {
					w.kill(lingers)
					kills++
				}
				if s := w.state(); s.Node == "a" && w.nodes["a"] == nil {
					t.Fatalf("the source is touched before the move is verified\n%s", strings.Join(w.log, "\n"))
				}
			}
			w.settle()
			w.verify(t, true)
			if w.state().Node != "b" && w.state().Failed == nil {
				t.Errorf("killed after step %d: it lives on %s, want b", first, w.state().Node)
			}
		}
	}
	if kills < 30 {
		t.Errorf("there were %d kills, want 30 and more", kills)
	}
}

// TestAnythingHappens kills, cuts nodes off, changes the wish, lets views be old and containers run where they may not, and
// wants nothing that was ever written to be lost.
func TestAnythingHappens(t *testing.T) {
	kills := 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		stray := rapid.Bool().Draw(t, "strayWriter")
		for range rapid.IntRange(20, 150).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{
				"pass", "pass", "pass", "pass", "stale", "work", "work", "work", "work", "zombie", "containers", "containers", "write", "kill", "linger", "node", "wish", "time", "stray",
			}).Draw(t, "step") {
			case "pass":
				w.pass(w.state(), true)
			case "stale":
				at := len(w.history) - 1 - rapid.IntRange(1, 6).Draw(t, "age")
				if at >= 0 {
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
			case "write":
				w.write()
			case "kill":
				w.kill(false)
				kills++
			case "linger":
				w.kill(true)
				kills++
			case "node":
				node := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "node")
				w.down[node] = !w.down[node]
			case "wish":
				w.wish.Generation++
				w.wish.Node = rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "wish")
			case "time":
				w.clock = w.clock.Add(time.Minute)
			case "stray":
				// A container that was started by hand, and ends before anybody looks.
				if node := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "at"); stray && w.runs == "" && w.nodes[node] != nil && node == w.state().Node {
					w.runs = node
					w.write()
					w.runs = ""
				}
			}
			if w.broken != "" {
				break
			}
		}
		w.settle()
		// With a stray writer, or an old view, a copy may stay: for people, never silently.
		w.verify(t, false)
		kept := 0
		for _, v := range w.nodes {
			kept = max(kept, strings.Count(v.content, ","))
		}
		if !stray && kept != w.writes {
			t.Fatalf("%d writes are kept, want %d\n%s", kept, w.writes, strings.Join(w.log, "\n"))
		}
	})
	if kills < 30 {
		t.Errorf("there were %d kills, want 30 and more", kills)
	}
}

// TestGivesUp wants containers to run again where they ran when copying fails for good, and no second try unasked.
func TestGivesUp(t *testing.T) {
	w := newWorld()
	w.wish = volumemove.Wish{Volume: uid, Generation: 2, Node: "b"}
	for range 400 {
		w.containers(w.state())
		w.pass(w.state(), true)
		w.work(w.job)
		if w.job != nil && w.job.call > 0 && !w.job.job.Ended {
			w.job.job.Ended, w.job.job.Err = true, "the disk is full"
			delete(w.nodes, "b")
		}
		w.clock = w.clock.Add(time.Minute)
	}
	w.verify(t, true)
	s := w.state()
	if s.Node != "a" || s.Failed == nil || !strings.Contains(s.Failed.Reason, "the disk is full") {
		t.Errorf("the end is %s, want it on a, and told why", show(s))
	}

	w.wish.Generation++
	w.settle()
	w.verify(t, true)
	if w.state().Node != "b" {
		t.Errorf("wished anew it lives on %s, want b", w.state().Node)
	}
}

// TestWaits wants containers to go on running while a move cannot begin, and its reason to be told.
func TestWaits(t *testing.T) {
	w := newWorld()
	w.wish = volumemove.Wish{Volume: uid, Generation: 2, Node: "b"}
	for name, c := range map[string]struct {
		seen volumemove.Seen
		says string
	}{
		"SourceDown":  {volumemove.Seen{Target: volumemove.Presence{Known: true}}, "lives on does not answer"},
		"SourceEmpty": {volumemove.Seen{Source: volumemove.Presence{Known: true}, Target: volumemove.Presence{Known: true}}, "its data is not on the node"},
		"TargetDown":  {volumemove.Seen{Source: volumemove.Presence{Known: true, There: true}}, "move to does not answer"},
		"TargetTaken": {volumemove.Seen{
			Source: volumemove.Presence{Known: true, There: true}, Target: volumemove.Presence{Known: true, There: true},
		}, "has a volume of that name"},
	} {
		d := volumemove.Decide(w.state(), w.wish, c.seen)
		if d.Do != volumemove.Nothing || !same(d.State, w.state()) || !strings.Contains(d.Why, c.says) {
			t.Errorf("%s: %+v, want it to wait and say %q", name, d, c.says)
		}
	}
}

// TestNothingToMove: what never had data lives elsewhere once nothing can make any on the node before.
func TestNothingToMove(t *testing.T) {
	s := volumemove.State{Node: "a"}
	w := volumemove.Wish{Volume: uid, Generation: 2, Node: "b"}
	seen := volumemove.Seen{Source: volumemove.Presence{Known: true}, Target: volumemove.Presence{Known: true}, Never: true}

	d := volumemove.Decide(s, w, seen)
	if d.State.Move == nil || d.State.Move.Phase != volumemove.Stopping {
		t.Fatalf("it begins with %+v", d)
	}
	if stays := volumemove.Decide(d.State, w, seen); !same(stays.State, d.State) || stays.Why == "" {
		t.Errorf("while something runs: %+v", stays)
	}
	seen.Idle = true
	if end := volumemove.Decide(d.State, w, seen); end.State.Move != nil || end.State.Node != "b" {
		t.Errorf("the end is %+v", end)
	}
	seen.Source.There = true
	if copies := volumemove.Decide(d.State, w, seen); copies.State.Move == nil || copies.State.Move.Phase != volumemove.Copying {
		t.Errorf("with data that came in time: %+v", copies)
	}
}

// TestSilentNode wants a node that is down to hold containers no longer than it must.
func TestSilentNode(t *testing.T) {
	w := newWorld()
	w.wish = volumemove.Wish{Volume: uid, Generation: 2, Node: "b"}
	for range 6 {
		w.containers(w.state())
		w.pass(w.state(), true)
	}
	s := w.state()
	if s.Move == nil || !s.Move.Phase.Holds() {
		t.Fatalf("it is %s, want a move that holds", show(s))
	}

	seen := w.seen(s)
	seen.Job, seen.Target = nil, volumemove.Presence{Silent: 5 * time.Minute}
	if d := volumemove.Decide(s, w.wish, seen); d.Do != volumemove.Nothing || !same(d.State, s) {
		t.Errorf("after five minutes: %+v, want it to wait", d)
	}
	seen.Target.Silent = 11 * time.Minute
	if d := volumemove.Decide(s, w.wish, seen); d.State.Move == nil || d.State.Move.Phase.Holds() {
		t.Errorf("after eleven minutes: %+v, want containers to run again", d)
	}
}

func sprint(phases []volumemove.Phase) string {
	var out []string
	for _, p := range phases {
		out = append(out, string(p))
	}

	return "[" + strings.Join(out, " ") + "]"
}
