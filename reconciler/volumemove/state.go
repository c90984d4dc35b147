package volumemove

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Phase is how far a move is.
type Phase string

// The phases, in their order. Abandoning is the other end.
const (
	Stopping   Phase = "Stopping"
	Copying    Phase = "Copying"
	Verifying  Phase = "Verifying"
	Moved      Phase = "Moved"
	Abandoning Phase = "Abandoning"
)

// Holds is true while containers that mount the volume must not run.
func (p Phase) Holds() bool { return p == Stopping || p == Copying || p == Verifying }

// State is what is on record of a volume: one object, written as a whole and only as a successor of what was read.
type State struct {
	// Node that the volume lives on.
	Node string
	// Move that is under way; nil when none is.
	Move *Move
	// Failed is the last move that was abandoned, so that it does not begin again until somebody wishes anew.
	Failed *Failure
	// Kept is a node where data was kept that had changed after it was copied, or whose copy has gone with its node; empty when there
	// is none.
	Kept string
}

// Move is one that is under way.
type Move struct {
	// Wish is the generation of the wish that it obeys.
	Wish int64
	// From and To are nodes.
	From, To string
	// Source is what had made the volume at From when the move began, as Presence has it. A volume there that something else
	// has made is not the one that was copied.
	Source string
	Phase  Phase
	// Try is the number of the present try to copy, from 1; 0 before the first.
	Try int
	// Failures is how many tries have failed, by themselves.
	Failures int
	// NotBefore is when the next try may begin.
	NotBefore time.Time
	// Digest of what was copied, from Verifying on.
	Digest string
	// Reason why it failed last, or is abandoned.
	Reason string
}

// Failure is a move that was abandoned.
type Failure struct {
	Wish   int64
	To     string
	Reason string
}

// Wish is where the volume is wished to live.
type Wish struct {
	// Volume is the UID of the Volume.
	Volume string
	// Generation of the wish; a later one is higher.
	Generation int64
	// Node; empty means wherever it is.
	Node string
}

// Presence is what is known of a volume on a node.
type Presence struct {
	// Known is false while the node cannot be asked, and Silent for how long that has been so. Gone is true when it has left
	// the swarm for good; then it cannot be asked either.
	Known, Gone bool
	Silent      time.Duration
	// There is whether the volume is there, and Operation what has made it; empty for what no move has made.
	There     bool
	Operation string
}

// Job is what was begun by this process: a copy or a verification.
type Job struct {
	// Operation that it is of.
	Operation string
	// Verifies is true for a verification, false for a copy.
	Verifies bool
	// Ended is false while it runs.
	Ended bool
	// Err is why it failed, empty if it did not. Permanent is true when another try would fail alike.
	Err       string
	Permanent bool
	// Digest of what was copied; of a verification the digests of both.
	Digest, Source, Target string
}

// Seen is what there is.
type Seen struct {
	Now            time.Time
	Source, Target Presence
	// Idle is true when it is known that nothing runs that mounts the volume, on any node.
	Idle bool
	// Run says which run of a job mounts the volume, or is about to; empty when none does. A run is not stopped by a move.
	Run string
	// Settled is true when what mounts the volume runs where it lives, or nothing is meant to mount it.
	Settled bool
	// Job of this process for this volume, running or just ended; nil when there is none.
	Job *Job
	// Never is true when the volume never had data: then there is nothing to copy, and another node is as good.
	Never bool
	// Changed is true when this process has been asked to remove the source and has found that it has changed.
	Changed bool
}

// Action is the one thing that is to be done.
type Action string

// The actions. All of them may be done again.
const (
	// Nothing: wait until something is seen that is different.
	Nothing Action = ""
	// Copy begins to copy From to To, under Operation.
	Copy Action = "Copy"
	// Verify begins to read both.
	Verify Action = "Verify"
	// Cancel ends the job of this process.
	Cancel Action = "Cancel"
	// Discard removes what Operation has made at To.
	Discard Action = "Discard"
	// RemoveSource removes the volume at From if Operation has made it and its digest still is Digest. When it is another one
	// or has another digest, that is reported as Changed.
	RemoveSource Action = "RemoveSource"
)

// Decision is what follows.
type Decision struct {
	// State to put on record. When it differs from what is there, nothing is to be done before it is on record.
	State State
	// Do is to be done when State is on record already.
	Do Action
	// Operation that Do is about.
	Operation string
	// Why nothing moves, in words that do not change from one look to the next; empty when something does.
	Why string
	// Refused is true when only people can change that.
	Refused bool
	// After is when to look again although nobody has called; zero for never.
	After time.Time
}

// Operation names a try of a move.
func Operation(volume string, wish int64, try int) string {
	return fmt.Sprintf("move/%s/%d/%d", volume, wish, try)
}

// tryOf is the number of the try of this move that has made something; false for what others have made.
func tryOf(operation, volume string, wish int64) (int, bool) {
	rest, is := strings.CutPrefix(operation, fmt.Sprintf("move/%s/%d/", volume, wish))
	n, err := strconv.Atoi(rest)

	return n, is && err == nil && n > 0
}

func (s State) with(change func(*State, *Move)) State {
	if s.Move != nil {
		m := *s.Move
		s.Move = &m
	}
	change(&s, s.Move)

	return s
}
