package volumerestore

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Phase is how far a restore is.
type Phase string

// The phases. Abandoning is the other end.
const (
	Writing    Phase = "Writing"
	Abandoning Phase = "Abandoning"
)

// Place is a volume of an engine: the ID of its node, and what the engine calls it.
type Place struct {
	Node, Name string
}

// State is what is on record of a volume: one object, written as a whole and only as a successor of what was read.
type State struct {
	// Place of the data that counts. Has is false while there never was any.
	Place
	Has bool
	// Restore that is under way; nil when none is.
	Restore *Restore
	// Failed is the last restore that was given up, so that it does not begin again until somebody wishes anew.
	Failed *Failure
	// Done is the last one that was done; nil before the first.
	Done *Done
	// Superseded is what counted before.
	Superseded []Place
}

// Restore is one that is under way.
type Restore struct {
	// Wish is the generation of the wish that it obeys.
	Wish int64
	// Snapshot is the name of it, and UID its UID.
	Snapshot, UID string
	// Place that is filled.
	Place
	Phase Phase
	// Try is the number of the present try, from 1.
	Try int
	// Failures is how many tries have failed, by themselves.
	Failures int
	// NotBefore is when the next try may begin.
	NotBefore time.Time
	// Reason why it failed last, or is given up. It is empty for one that is abandoned only because it is not wished any more.
	Reason string
}

// Failure is a restore that was given up.
type Failure struct {
	Wish     int64
	Snapshot string
	Reason   string
}

// Done is a restore that was done.
type Done struct {
	Snapshot, UID string
	// Removed is true once nothing was wished since: then the same snapshot counts as another wish.
	Removed bool
}

// Wish is what data the volume is wished to have.
type Wish struct {
	// Volume is the UID of the Volume.
	Volume string
	// Generation of the wish; a later one is higher.
	Generation int64
	// Snapshot is the name of it; empty for none.
	Snapshot string
	// Place that it would be restored into. The name is of this generation alone. Its node is empty while none is chosen.
	Place
}

// Standing is how a snapshot stands.
type Standing string

// The standings of snapshots.
const (
	// Missing: there is none of that name.
	Missing Standing = ""
	// Making: it is being made, or waits for something.
	Making Standing = "Making"
	// Ready: it can be restored.
	Ready Standing = "Ready"
	// Broken: it never will be one, or goes.
	Broken Standing = "Broken"
)

// Snapshot is what is known of the snapshot that is wished.
type Snapshot struct {
	Standing Standing
	UID      string
	// Message is why it is not Ready.
	Message string
	// Bytes of its files; 0 when that is not known.
	Bytes int64
}

// Presence is what is known of a volume on a node.
type Presence struct {
	// Known is false while the node cannot be asked. Gone is true when it has left the swarm for good; then it cannot be asked either.
	Known, Gone bool
	// There is whether the volume is there, and Operation what has made it.
	There     bool
	Operation string
}

// Job is what was begun by this process.
type Job struct {
	// Operation that it is of.
	Operation string
	// Ended is false while it runs.
	Ended bool
	// Err is why it failed, empty if it did not. Permanent is true when another try would fail alike.
	Err       string
	Permanent bool
}

// Seen is what there is.
type Seen struct {
	Now time.Time
	// Refusal is why no snapshot can be restored into this volume at all; empty when one can.
	Refusal string
	// Busy is what has to end before a restore begins; empty when nothing has.
	Busy     string
	Snapshot Snapshot
	// MaxBytes is how much the volume may hold.
	MaxBytes int64
	// Target is the new volume: that of the restore under way, or else of the wish.
	Target Presence
	// Job of this process for this volume, running or just ended; nil when there is none.
	Job *Job
}

// Action is the one thing that is to be done.
type Action string

// The actions. All of them may be done again.
const (
	// Nothing: wait until something is seen that is different.
	Nothing Action = ""
	// Write begins to restore the snapshot into the new volume, under Operation.
	Write Action = "Write"
	// Cancel ends the job of this process.
	Cancel Action = "Cancel"
	// Discard removes what Operation has made as the new volume.
	Discard Action = "Discard"
)

// Decision is what follows.
type Decision struct {
	// State to put on record. When it differs from what is there, nothing is to be done before it is on record.
	State State
	// Do is to be done when State is on record already.
	Do Action
	// Operation that Do is about.
	Operation string
	// Why nothing moves, in words that do not change from one look to the next; empty when something does, or nothing is wished.
	Why string
	// Refused is true when only people can change that.
	Refused bool
	// After is when to look again although nobody has called; zero for never.
	After time.Time
}

// Operation names a try of a restore.
func Operation(volume string, wish int64, try int) string {
	return fmt.Sprintf("restore/%s/%d/%d", volume, wish, try)
}

// tryOf is the number of the try of this restore that has made something; false for what others have made.
func tryOf(operation, volume string, wish int64) (int, bool) {
	rest, is := strings.CutPrefix(operation, fmt.Sprintf("restore/%s/%d/", volume, wish))
	n, err := strconv.Atoi(rest)

	return n, is && err == nil && n > 0
}

func (s State) with(change func(*State, *Restore)) State {
	if s.Restore != nil {
		r := *s.Restore
		s.Restore = &r
	}
	s.Superseded = slices.Clone(s.Superseded)
	change(&s, s.Restore)

	return s
}
