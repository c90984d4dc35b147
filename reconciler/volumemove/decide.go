package volumemove

import (
	"fmt"
	"time"
)

const (
	// maxFailures is how many tries may fail before a move is abandoned and containers run where they ran before.
	maxFailures = 5
	// maxSilence is how long a node may not answer before a move is abandoned, which holds containers meanwhile.
	maxSilence = 10 * time.Minute
	// pause between tries grows from the first to the longest.
	firstPause, longestPause = 10 * time.Second, 5 * time.Minute
)

// Decide says what follows. Nothing that is passed is changed.
func Decide(s State, w Wish, seen Seen) Decision {
	if s.Move == nil {
		return begin(s, w, seen)
	}

	switch s.Move.Phase {
	case Moved:
		return clean(s, w, seen)
	case Abandoning:
		return abandon(s, w, seen)
	case Stopping, Copying, Verifying:
	}

	m := s.Move
	if w.Node != m.To {
		return record(s.with(func(_ *State, m *Move) { m.Phase, m.Reason = Abandoning, "it is not wished any more" }))
	}
	if silent(seen.Source) || silent(seen.Target) {
		return record(s.with(func(_ *State, m *Move) { m.Phase, m.Reason = Abandoning, "a node does not answer" }))
	}
	if at := seen.Target; at.Known && at.There {
		// A name that somebody else has taken is not ours to clear.
		if _, ours := tryOf(at.Operation, w.Volume, m.Wish); !ours {
			return record(s.with(func(_ *State, m *Move) {
				m.Phase, m.Reason = Abandoning, "the target has a volume of that name that this move has not made"
			}))
		}
	}
	switch m.Phase {
	case Stopping:
		return stop(s, seen)
	case Copying:
		return copying(s, w, seen)
	default:
		return verifying(s, w, seen)
	}
}

func silent(p Presence) bool { return p.Gone || !p.Known && p.Silent > maxSilence }

// record asks for nothing but a new state.
func record(s State) Decision { return Decision{State: s} }

func refuse(s State, why string) Decision { return Decision{State: s, Why: why, Refused: true} }

func wait(s State, why string) Decision { return Decision{State: s, Why: why} }

// begin looks whether a move is wished and can be tried. Until it can, containers go on running.
func begin(s State, w Wish, seen Seen) Decision {
	switch {
	case w.Node == "" || w.Node == s.Node || s.Node == "":
		return record(s.with(func(s *State, _ *Move) { s.Failed = nil }))
	case s.Failed != nil && s.Failed.Wish >= w.Generation:
		return refuse(s, s.Failed.Reason)
	case s.Kept == w.Node:
		return refuse(s, "the target keeps data of an earlier move that had changed after it was copied; remove it there first")
	case !seen.Source.Known:
		return wait(s, "the node that it lives on does not answer")
	case !seen.Source.There && !seen.Never:
		return wait(s, "its data is not on the node that it lives on")
	case !seen.Target.Known:
		return wait(s, "the node that it is to move to does not answer")
	case seen.Target.There:
		return refuse(s, "the node that it is to move to has a volume of that name; remove it there first")
	case seen.Run != "":
		// Containers would stand still for as long as it runs.
		return wait(s, seen.Run)
	}

	return record(s.with(func(s *State, _ *Move) {
		s.Failed = nil
		s.Move = &Move{Wish: w.Generation, From: s.Node, To: w.Node, Source: seen.Source.Operation, Phase: Stopping}
	}))
}

// stop waits until nothing runs that could write.
func stop(s State, seen Seen) Decision {
	if !seen.Idle {
		return wait(s, "containers that use it are being stopped")
	}
	if seen.Never && seen.Source.Known && !seen.Source.There && seen.Target.Known && !seen.Target.There {
		return record(s.with(func(s *State, m *Move) { s.Node, s.Move = m.To, nil }))
	}

	return record(s.with(func(_ *State, m *Move) { m.Phase = Copying; m.Try++ }))
}

func copying(s State, w Wish, seen Seen) Decision {
	m := s.Move
	operation := Operation(w.Volume, m.Wish, m.Try)
	job := jobOf(seen.Job, operation, false)

	switch {
	case !seen.Idle:
		return disturbed(s, seen)
	case seen.Job != nil && job == nil:
		return Decision{State: s, Do: Cancel, Operation: seen.Job.Operation, Why: "something else is being ended"}
	case job != nil && !job.Ended:
		return wait(s, "it is being copied")
	case job != nil && job.Err != "":
		return failed(s, seen.Now, job.Err, job.Permanent)
	case job != nil:
		return record(s.with(func(_ *State, m *Move) { m.Phase, m.Digest, m.Reason = Verifying, job.Digest, "" }))
	case !seen.Target.Known || !seen.Source.Known:
		return wait(s, "a node does not answer")
	case !seen.Source.There:
		return failed(s, seen.Now, "its data is not on the node that it lives on", true)
	case seen.Target.There && seen.Target.Operation == operation:
		// Somebody has begun this try and is not there any more.
		return record(s.with(func(_ *State, m *Move) { m.Try++ }))
	case seen.Target.There:
		if try, _ := tryOf(seen.Target.Operation, w.Volume, m.Wish); try > m.Try {
			return wait(s, "what is on record is older than what is there")
		}

		return Decision{State: s, Do: Discard, Operation: seen.Target.Operation, Why: "what an earlier try has left is being removed"}
	case seen.Now.Before(m.NotBefore):
		return Decision{State: s, Why: "it is tried again later: " + m.Reason, After: m.NotBefore}
	}

	return Decision{State: s, Do: Copy, Operation: operation}
}

func verifying(s State, w Wish, seen Seen) Decision {
	m := s.Move
	operation := Operation(w.Volume, m.Wish, m.Try)
	job := jobOf(seen.Job, operation, true)

	switch {
	case !seen.Idle:
		return disturbed(s, seen)
	case seen.Job != nil && job == nil && seen.Job.Ended:
		// The copy that was just put on record.
	case seen.Job != nil && job == nil:
		return Decision{State: s, Do: Cancel, Operation: seen.Job.Operation, Why: "something else is being ended"}
	case job != nil && !job.Ended:
		return wait(s, "the copy is being verified")
	case job != nil && job.Err != "":
		return failed(s, seen.Now, job.Err, job.Permanent)
	case job != nil && (job.Source != m.Digest || job.Target != m.Digest):
		return failed(s, seen.Now, "the copy is not what is at the source", false)
	case job != nil:
		return record(s.with(func(s *State, m *Move) { s.Node, m.Phase, m.Reason = m.To, Moved, "" }))
	}

	switch at := seen.Target; {
	case !at.Known || !seen.Source.Known:
		return wait(s, "a node does not answer")
	case !at.There || at.Operation != operation || !seen.Source.There:
		return failed(s, seen.Now, "the copy is not there any more", false)
	}

	return Decision{State: s, Do: Verify, Operation: operation}
}

// clean ends a move whose volume lives at the target.
func clean(s State, w Wish, seen Seen) Decision {
	m := s.Move
	source, target := seen.Source, seen.Target
	done := func(change func(*State)) Decision {
		return record(s.with(func(s *State, _ *Move) {
			s.Move = nil
			if change != nil {
				change(s)
			}
		}))
	}

	switch {
	case source.Gone, source.Known && !source.There:
		return done(nil)
	case seen.Changed, source.Known && source.Operation != m.Source, target.Gone:
		// A target that has left the swarm has taken the data along: what is at the source is all that is left, if older.
		return done(func(s *State) { s.Kept = m.From })
	case !source.Known:
		return wait(s, "the node that it has left does not answer, and still has a copy")
	case !seen.Settled && w.Node == m.To:
		return wait(s, "the copy on the node that it has left is kept until containers run with the new one")
	case !target.Known || !target.There || target.Operation != Operation(w.Volume, m.Wish, m.Try):
		return wait(s, "the copy on the node that it has left is kept because the new one cannot be seen")
	}

	return Decision{State: s, Do: RemoveSource, Operation: m.Source}
}

// abandon leaves the volume where it is, and takes away what was made elsewhere. Containers run again meanwhile.
func abandon(s State, w Wish, seen Seen) Decision {
	m, at := s.Move, seen.Target
	if seen.Job != nil && !seen.Job.Ended {
		return Decision{State: s, Do: Cancel, Operation: seen.Job.Operation}
	}
	if !at.Gone && !at.Known {
		return wait(s, "the node that it was to move to does not answer, and may have a part of it")
	}
	if _, ours := tryOf(at.Operation, w.Volume, m.Wish); !at.Gone && at.There && ours {
		return Decision{State: s, Do: Discard, Operation: at.Operation}
	}

	return record(s.with(func(s *State, m *Move) {
		s.Failed = &Failure{Wish: m.Wish, To: m.To, Reason: fmt.Sprintf("moving to node %q was given up: %s", m.To, m.Reason)}
		s.Move = nil
	}))
}

// jobOf is the job if it is the one that is meant.
func jobOf(j *Job, operation string, verifies bool) *Job {
	if j == nil || j.Operation != operation || j.Verifies != verifies {
		return nil
	}

	return j
}

// disturbed begins a try anew, because something runs that may have written: what was copied is not what is there.
func disturbed(s State, seen Seen) Decision {
	if seen.Job != nil && !seen.Job.Ended {
		return Decision{State: s, Do: Cancel, Operation: seen.Job.Operation, Why: "a container uses it although none may"}
	}

	return record(s.with(func(_ *State, m *Move) {
		m.Phase, m.Digest, m.Reason = Stopping, "", "a container has used it meanwhile"
	}))
}

// failed ends a try, and with too many of them the move.
func failed(s State, now time.Time, why string, permanent bool) Decision {
	return record(s.with(func(_ *State, m *Move) {
		m.Failures++
		m.Reason, m.Digest = why, ""
		if permanent || m.Failures >= maxFailures {
			m.Phase = Abandoning
			return
		}
		m.Phase = Copying
		m.Try++
		m.NotBefore = now.Add(min(firstPause<<(m.Failures-1), longestPause))
	}))
}
