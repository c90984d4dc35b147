package volumerestore

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

const (
	// maxFailures is how many tries may fail before a restore is given up.
	maxFailures = 8
	// pause between tries grows from the first to the longest.
	firstPause, longestPause = 10 * time.Second, 10 * time.Minute
	// maxSuperseded is how much of what it had before a volume may still hold on to.
	maxSuperseded = 8
)

// Decide says what follows. Nothing that is passed is changed.
func Decide(s State, w Wish, seen Seen) Decision {
	switch {
	case s.Restore == nil:
		return begin(s, w, seen)
	case s.Restore.Phase == Abandoning:
		return abandon(s, w, seen)
	default:
		return writing(s, w, seen)
	}
}

// record asks for nothing but a new state.
func record(s State) Decision { return Decision{State: s} }

func wait(s State, why string) Decision { return Decision{State: s, Why: why} }

func refuse(s State, why string, args ...any) Decision {
	return Decision{State: s, Why: fmt.Sprintf(why, args...), Refused: true}
}

// begin starts a restore once everything for it is there.
func begin(s State, w Wish, seen Seen) Decision {
	if s.Failed != nil && s.Failed.Snapshot != w.Snapshot {
		return record(s.with(func(s *State, _ *Restore) { s.Failed = nil }))
	}

	switch snapshot := seen.Snapshot; {
	case w.Snapshot == "" && s.Done != nil && !s.Done.Removed:
		return record(s.with(func(s *State, _ *Restore) { s.Done = &Done{s.Done.Snapshot, s.Done.UID, true} }))
	case w.Snapshot == "", s.Done != nil && s.Done.Snapshot == w.Snapshot && !s.Done.Removed:
		return Decision{State: s}
	case s.Failed != nil:
		return refuse(s, "%s", s.Failed.Reason)
	case seen.Refusal != "":
		return refuse(s, "%s", seen.Refusal)
	case snapshot.Standing == Missing:
		return wait(s, fmt.Sprintf("there is no VolumeSnapshot %q", w.Snapshot))
	case snapshot.Standing == Broken:
		return refuse(s, "VolumeSnapshot %q cannot be restored: %s", w.Snapshot, snapshot.Message)
	case snapshot.Standing != Ready:
		return wait(s, fmt.Sprintf("VolumeSnapshot %q is not ready yet", w.Snapshot))
	case snapshot.Bytes > seen.MaxBytes:
		return refuse(s, "VolumeSnapshot %q holds %d bytes, which is more than spec.size, %d bytes; make that larger", w.Snapshot, snapshot.Bytes, seen.MaxBytes)
	case seen.Busy != "":
		return wait(s, seen.Busy)
	case w.Node == "":
		return wait(s, "no node is chosen for it yet")
	case len(s.Superseded) >= maxSuperseded:
		return wait(s, "data that it had before earlier restores is still mounted, or on nodes that do not answer")
	case seen.Target.Gone:
		return refuse(s, "the node that it would be restored on has left the swarm")
	case !seen.Target.Known:
		return wait(s, "the node that it is to be restored on does not answer")
	case seen.Target.There:
		return refuse(s, "the node that it is to be restored on has a volume named %q, which this restore has not made; remove it there, or change spec", w.Name)
	}

	return record(s.with(func(s *State, _ *Restore) {
		s.Restore = &Restore{Wish: w.Generation, Snapshot: w.Snapshot, UID: seen.Snapshot.UID, Place: w.Place, Phase: Writing, Try: 1}
	}))
}

// writing has tries made until one is whole.
func writing(s State, w Wish, seen Seen) Decision {
	r, at := s.Restore, seen.Target
	operation := Operation(w.Volume, r.Wish, r.Try)
	job := seen.Job
	if job != nil && job.Operation != operation {
		job = nil
	}
	_, ours := tryOf(at.Operation, w.Volume, r.Wish)

	switch {
	case w.Snapshot != r.Snapshot:
		return abandoned(s, "")
	case seen.Snapshot.Standing != Missing && seen.Snapshot.UID != r.UID:
		return abandoned(s, "the VolumeSnapshot was replaced by another one of its name")
	case at.Gone:
		return abandoned(s, "the node that it is restored on has left the swarm")
	case w.Node != "" && w.Node != r.Node:
		return abandoned(s, "the volume lives on another node by now")
	case at.Known && at.There && !ours:
		return abandoned(s, fmt.Sprintf("the node has a volume named %q that this restore has not made", r.Name))
	case seen.Job != nil && job == nil:
		return Decision{State: s, Do: Cancel, Operation: seen.Job.Operation, Why: "something else is being ended"}
	case job != nil && !job.Ended:
		return wait(s, "its data is being verified and written")
	case job != nil && job.Err != "":
		return failed(s, seen.Now, job.Err, job.Permanent)
	case !at.Known:
		return wait(s, "the node that it is restored on does not answer")
	case job != nil && at.There && at.Operation == operation:
		return done(s)
	case job != nil:
		return failed(s, seen.Now, "what was written is not there any more", false)
	}

	return attempt(s, w, seen, operation)
}

// attempt clears the place of what earlier tries have left, and begins one.
func attempt(s State, w Wish, seen Seen, operation string) Decision {
	r, at := s.Restore, seen.Target

	switch try, _ := tryOf(at.Operation, w.Volume, r.Wish); {
	case at.There && at.Operation == operation:
		// Somebody has begun this try and is not there any more.
		return record(s.with(func(_ *State, r *Restore) { r.Try++ }))
	case at.There && try > r.Try:
		return wait(s, "what is on record is older than what is there")
	case at.There:
		return Decision{State: s, Do: Discard, Operation: at.Operation, Why: "what an earlier try has left is being removed"}
	case seen.Snapshot.Standing == Missing:
		return abandoned(s, fmt.Sprintf("there is no VolumeSnapshot %q any more", r.Snapshot))
	case seen.Snapshot.Standing == Broken:
		return abandoned(s, fmt.Sprintf("VolumeSnapshot %q cannot be restored: %s", r.Snapshot, seen.Snapshot.Message))
	case seen.Now.Before(r.NotBefore):
		return Decision{State: s, Why: "it is tried again later: " + r.Reason, After: r.NotBefore}
	}

	return Decision{State: s, Do: Write, Operation: operation}
}

// done has the new volume count, from one write to the next.
func done(s State) Decision {
	return record(s.with(func(s *State, r *Restore) {
		if s.Has && s.Place != r.Place && !slices.Contains(s.Superseded, s.Place) {
			s.Superseded = append(s.Superseded, s.Place)
		}
		s.Place, s.Has = r.Place, true
		s.Done = &Done{Snapshot: r.Snapshot, UID: r.UID}
		s.Restore, s.Failed = nil, nil
	}))
}

// abandon leaves the volume what it has, and takes away what was made.
func abandon(s State, w Wish, seen Seen) Decision {
	r, at := s.Restore, seen.Target
	if seen.Job != nil && !seen.Job.Ended {
		return Decision{State: s, Do: Cancel, Operation: seen.Job.Operation, Why: "it is being ended"}
	}
	if !at.Gone && !at.Known {
		return wait(s, "the node that it was being restored on does not answer, and may have a part of it")
	}
	if _, ours := tryOf(at.Operation, w.Volume, r.Wish); !at.Gone && at.There && ours {
		return Decision{State: s, Do: Discard, Operation: at.Operation, Why: "what was written is being removed"}
	}

	return record(s.with(func(s *State, r *Restore) {
		if r.Reason != "" {
			s.Failed = &Failure{Wish: r.Wish, Snapshot: r.Snapshot, Reason: fmt.Sprintf("restoring VolumeSnapshot %q was given up: %s", r.Snapshot, r.Reason)}
		}
		s.Restore = nil
	}))
}

func abandoned(s State, why string) Decision {
	return record(s.with(func(_ *State, r *Restore) { r.Phase, r.Reason = Abandoning, why }))
}

// failed ends a try, and with too many of them the restore.
func failed(s State, now time.Time, why string, permanent bool) Decision {
	return record(s.with(func(_ *State, r *Restore) {
		r.Failures++
		r.Reason = cmp.Or(why, "it has failed")
		if permanent || r.Failures >= maxFailures {
			r.Phase = Abandoning
			return
		}
		r.Try++
		r.NotBefore = now.Add(min(firstPause<<(r.Failures-1), longestPause))
	}))
}
