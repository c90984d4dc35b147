package volumemove_test

import (
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/volumemove"
)

// TestDecisions looks at single decisions. Most dangers have two guards, so that stories go well with one of them gone; here
// each stands alone.
func TestDecisions(t *testing.T) {
	const wish = 2
	now := time.Unix(1e9, 0)
	try := func(n int) string { return volumemove.Operation(uid, wish, n) }
	state := func(phase volumemove.Phase, n int) volumemove.State {
		s := volumemove.State{Node: "a", Move: &volumemove.Move{Wish: wish, From: "a", To: "b", Phase: phase, Try: n}}
		if phase == volumemove.Verifying || phase == volumemove.Moved {
			s.Move.Digest = "d"
		}
		if phase == volumemove.Moved {
			s.Node = "b"
		}

		return s
	}
	there := volumemove.Presence{Known: true, There: true}
	nothing := volumemove.Presence{Known: true}
	made := func(n int) volumemove.Presence {
		return volumemove.Presence{Known: true, There: true, Operation: try(n)}
	}
	verified := func(source, target string) *volumemove.Job {
		return &volumemove.Job{Operation: try(2), Verifies: true, Ended: true, Source: source, Target: target}
	}

	for name, c := range map[string]struct {
		reason string
		state  volumemove.State
		seen   volumemove.Seen
		do     volumemove.Action
		about  string
		phase  volumemove.Phase
		node   string
		try    int
	}{
		"StopsFirst":        {"Nothing is copied while something may write.", state(volumemove.Stopping, 0), volumemove.Seen{Source: there, Target: nothing}, "", "", volumemove.Stopping, "a", 0},
		"ThenCopies":        {"Then it is, as the first try.", state(volumemove.Stopping, 0), volumemove.Seen{Source: there, Target: nothing, Idle: true}, "", "", volumemove.Copying, "a", 1},
		"BeginsToCopy":      {"A try is on record before it begins.", state(volumemove.Copying, 1), volumemove.Seen{Source: there, Target: nothing, Idle: true}, volumemove.Copy, try(1), volumemove.Copying, "a", 1},
		"NeverTheSameTry":   {"What a try has left that nobody knows of is not gone on with.", state(volumemove.Copying, 1), volumemove.Seen{Source: there, Target: made(1), Idle: true}, "", "", volumemove.Copying, "a", 2},
		"ClearsEarlier":     {"What an earlier one has left goes first.", state(volumemove.Copying, 2), volumemove.Seen{Source: there, Target: made(1), Idle: true}, volumemove.Discard, try(1), volumemove.Copying, "a", 2},
		"OldView":           {"What a later try has made is not for who sees an old record.", state(volumemove.Copying, 2), volumemove.Seen{Source: there, Target: made(3), Idle: true}, "", "", volumemove.Copying, "a", 2},
		"SomebodysTarget":   {"What no try has made is nobody's to clear.", state(volumemove.Copying, 1), volumemove.Seen{Source: there, Target: there, Idle: true}, "", "", volumemove.Abandoning, "a", 1},
		"WriterEndsJob":     {"A container that runs ends the copy.", state(volumemove.Copying, 1), volumemove.Seen{Source: there, Target: made(1), Job: &volumemove.Job{Operation: try(1)}}, volumemove.Cancel, try(1), volumemove.Copying, "a", 1},
		"WriterEndsTry":     {"And the try.", state(volumemove.Copying, 1), volumemove.Seen{Source: there, Target: nothing}, "", "", volumemove.Stopping, "a", 1},
		"WriterAfterCopy":   {"Also once it was copied, and whatever was verified.", state(volumemove.Verifying, 2), volumemove.Seen{Source: there, Target: made(2), Job: verified("d", "d")}, "", "", volumemove.Stopping, "a", 2},
		"SourceChanged":     {"A source that has changed is copied again.", state(volumemove.Verifying, 2), volumemove.Seen{Source: there, Target: made(2), Idle: true, Job: verified("e", "d")}, "", "", volumemove.Copying, "a", 3},
		"TargetChanged":     {"So is one whose copy is not the same.", state(volumemove.Verifying, 2), volumemove.Seen{Source: there, Target: made(2), Idle: true, Job: verified("d", "e")}, "", "", volumemove.Copying, "a", 3},
		"BothChanged":       {"Or both.", state(volumemove.Verifying, 2), volumemove.Seen{Source: there, Target: made(2), Idle: true, Job: verified("e", "e")}, "", "", volumemove.Copying, "a", 3},
		"OtherVerification": {"That of another try says nothing of this one.", state(volumemove.Verifying, 3), volumemove.Seen{Source: there, Target: made(3), Idle: true, Job: verified("d", "d")}, volumemove.Verify, try(3), volumemove.Verifying, "a", 3},
		"Verifies":          {"Before that it is verified.", state(volumemove.Verifying, 2), volumemove.Seen{Source: there, Target: made(2), Idle: true}, volumemove.Verify, try(2), volumemove.Verifying, "a", 2},
		"CopyVanished":      {"Unless the copy is gone.", state(volumemove.Verifying, 2), volumemove.Seen{Source: there, Target: nothing, Idle: true}, "", "", volumemove.Copying, "a", 3},
		"Equal":             {"With three equal digests the volume lives at its target.", state(volumemove.Verifying, 2), volumemove.Seen{Source: there, Target: made(2), Idle: true, Job: verified("d", "d")}, "", "", volumemove.Moved, "b", 2},
		"KeptUntilSettled":  {"The source stays until containers run with the new one.", state(volumemove.Moved, 2), volumemove.Seen{Source: there, Target: made(2)}, "", "", volumemove.Moved, "b", 2},
		"KeptUnseen":        {"And as long as the new one cannot be seen.", state(volumemove.Moved, 2), volumemove.Seen{Source: there, Settled: true}, "", "", volumemove.Moved, "b", 2},
		"KeptOtherTarget":   {"Or is another one.", state(volumemove.Moved, 2), volumemove.Seen{Source: there, Target: made(1), Settled: true}, "", "", volumemove.Moved, "b", 2},
		"SourceGoes":        {"Then it goes.", state(volumemove.Moved, 2), volumemove.Seen{Source: there, Target: made(2), Settled: true}, volumemove.RemoveSource, "", volumemove.Moved, "b", 2},
		"OtherSource":       {"One that was made since is not it.", state(volumemove.Moved, 2), volumemove.Seen{Source: made(7), Target: made(2), Settled: true}, "", "", "", "b", 0},
		"AbandonsCleanly":   {"What was made at the target goes.", state(volumemove.Abandoning, 2), volumemove.Seen{Source: there, Target: made(1)}, volumemove.Discard, try(1), volumemove.Abandoning, "a", 2},
		"AbandonsOwn":       {"What others have made stays.", state(volumemove.Abandoning, 2), volumemove.Seen{Source: there, Target: there}, "", "", "", "a", 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.seen.Now = now
			d := volumemove.Decide(c.state, volumemove.Wish{Volume: uid, Generation: wish, Node: "b"}, c.seen)
			phase, n := volumemove.Phase(""), 0
			if d.State.Move != nil {
				phase, n = d.State.Move.Phase, d.State.Move.Try
			}
			if d.Do != c.do || d.Operation != c.about || phase != c.phase || d.State.Node != c.node || n != c.try {
				t.Errorf("%s\nit does %q %q and records %s, want %q %q, %q, try %d, on %s", c.reason, d.Do, d.Operation, show(d.State), c.do, c.about, c.phase, c.try, c.node)
			}
			if d.Do != volumemove.Nothing && !same(d.State, c.state) {
				t.Error("it records and acts at once")
			}
		})
	}
}

// TestBeginsAfterRuns wants no container to be stopped while a run of a job mounts the volume, and what has begun not to care.
func TestBeginsAfterRuns(t *testing.T) {
	s, w := volumemove.State{Node: "a"}, volumemove.Wish{Volume: uid, Generation: 2, Node: "b"}
	seen := volumemove.Seen{Source: volumemove.Presence{Known: true, There: true}, Target: volumemove.Presence{Known: true}, Run: "run copy-1 mounts it"}
	if d := volumemove.Decide(s, w, seen); !same(d.State, s) || d.Why != seen.Run || d.Refused || d.Do != volumemove.Nothing {
		t.Errorf("while a run mounts it: %+v", d)
	}
	seen.Target.There = true
	if d := volumemove.Decide(s, w, seen); !d.Refused {
		t.Errorf("what only people can change is told of at once: %+v", d)
	}
	seen.Target.There, seen.Run = false, ""
	d := volumemove.Decide(s, w, seen)
	if d.State.Move == nil || d.State.Move.Phase != volumemove.Stopping {
		t.Fatalf("without a run: %+v", d)
	}
	seen.Run, seen.Idle = "run copy-2 mounts it", true
	if d := volumemove.Decide(d.State, w, seen); d.State.Move == nil || d.State.Move.Phase != volumemove.Copying {
		t.Errorf("once it has begun only what is idle counts: %+v", d)
	}
}
