package converge

import (
	"fmt"
	"strings"
	"time"
)

// Call is one call across a seam.
type Call struct {
	// Seam it crosses: "Store", or what the world calls itself.
	Seam string
	// Op is what is asked for, such as Create.
	Op string
	// Target is what it is about. It must be the same in every run.
	Target string
	// Write is true for a call that means to change something.
	Write bool
}

// Point is a call at which something can go wrong: the nth one of its kind. It means the same in every run, although
// goroutines may take turns in another order.
type Point struct {
	Call
	N int
}

// String identifies the point, in a form that the name of a test can have.
func (p Point) String() string {
	target := strings.NewReplacer("/", ".", " ", "_").Replace(p.Target)

	return fmt.Sprintf("%s.%s:%s:%d", p.Seam, p.Op, target, p.N)
}

// Kind is what goes wrong with a call.
type Kind string

// The kinds of faults.
const (
	// CrashBefore ends the process as it makes the call; the call does not happen.
	CrashBefore Kind = "crash-before"
	// CrashAfter lets the call happen and ends the process before it hears the answer.
	CrashAfter Kind = "crash-after"
	// Refuse answers with an internal error; the call does not happen.
	Refuse Kind = "refuse"
	// Hang does not answer for twenty seconds and then says so; the call does not happen.
	Hang Kind = "hang"
	// Lose lets the call happen and loses the answer.
	Lose Kind = "lose"
	// Late says at once that no answer came in time; the call happens three seconds later.
	Late Kind = "late"
	// Pause stops the process before the call for half a minute, in which another one takes over; then the call happens,
	// and the process goes on for a moment before it notices.
	Pause Kind = "pause"
	// Empty answers a list with nothing.
	Empty Kind = "empty"
	// Half answers a list with half of it.
	Half Kind = "half"
)

const (
	hangTime  = 20 * time.Second
	lateTime  = 3 * time.Second
	pauseTime = 30 * time.Second
	// zombieTime is how long a process goes on that has lost its lease while it was paused.
	zombieTime = 2 * time.Second
	// restartTime is from the end of a process to the start of the next.
	restartTime = time.Second
)

// Late and hanging calls of the world take as long as those of the store.
const (
	HangTime = hangTime
	LateTime = lateTime
)

// writeKinds and readKinds are what can go wrong with a call that changes something, and with one that does not.
var (
	writeKinds = []Kind{CrashBefore, CrashAfter, Refuse, Hang, Lose, Late, Pause}
	readKinds  = []Kind{CrashBefore, Refuse, Hang}
	listKinds  = []Kind{Empty, Half}
)
