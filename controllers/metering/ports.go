package metering

import (
	"context"
	"time"

	"github.com/dogker/dogker/reconciler/usage"
)

// Swarm is the part of Docker Swarm that metering uses.
type Swarm interface {
	// Sample lists tasks, nodes and what time the managers have, all of it asked for after the call began. What it cannot
	// know it must not leave out: it fails instead, because a task that is missing counts as ended. It changes nothing and
	// leaves volumes to others.
	Sample(ctx context.Context) (usage.Sample, error)
}

// Volumes is where declared volumes are found.
type Volumes interface {
	// Volumes lists all of them, or fails: one that is missing counts as deleted.
	Volumes(ctx context.Context) ([]usage.Volume, error)
}

// Store keeps the records of tenants and charges what they used. Every write of it is fenced: from the moment that another
// process leads, none of ours is done any more, however late it arrives.
type Store interface {
	// Load returns everything, as the last write that was done has left it.
	Load(ctx context.Context) (usage.Stored, error)
	// Reload returns the record of one tenant, likewise; without data when there is none.
	Reload(ctx context.Context, tenant string) (usage.Record, error)
	// Commit makes each change in a transaction of its own, some at once if it likes, and says what came of each, in their
	// order. No tenant occurs twice. A change whose record has another revision by now is ErrConflict, one that is fenced
	// is ErrFenced. A charge is done only with its record, and only if its After is where the last one ended.
	Commit(ctx context.Context, changes []usage.Change) []usage.Result
	// SaveMark replaces the mark, or fails with ErrFenced. A mark that was not saved, or saved without an answer, does no
	// harm.
	SaveMark(ctx context.Context, data []byte) error
}

// Clock tells the time in two ways that can be compared.
type Clock interface {
	// Read returns both at the same moment.
	Read() Reading
}

// Reading of a Clock.
type Reading struct {
	// Wall is what people call the time; somebody may set it.
	Wall time.Time
	// Mono is how long the process runs. It never jumps.
	Mono time.Duration
}

// slip is how much further the wall clock has gone than time since an earlier reading.
func (r Reading) slip(earlier Reading) time.Duration {
	return r.Wall.Sub(earlier.Wall) - (r.Mono - earlier.Mono)
}

// systemClock is that of the machine.
type systemClock struct{ started time.Time }

func (c systemClock) Read() Reading {
	now := time.Now()

	return Reading{Wall: now.Round(0), Mono: now.Sub(c.started)} // Round takes the monotonic reading off.
}
