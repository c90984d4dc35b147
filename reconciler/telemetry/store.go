package telemetry

import (
	"time"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Reader answers what was sampled lately. Times are the reader's own clock: the skew of a node's clock is taken out when its
// report comes in. It is safe for concurrent use, and never blocks on an agent.
type Reader interface {
	// Subjects of a workload that have samples, or of everything when owner is the zero Owner; ended ones for as long as
	// their samples are kept.
	Subjects(owner swarmobj.Owner) []Subject
	// Window is the samples of a task since a time, oldest first; what belongs to an earlier container of it is left out.
	Window(task string, since time.Time) []Sample
	// Latest is the last sample of a task; false when there is none within Stale.
	Latest(task string) (Sample, bool)
	// Machine is the last of a node and, when there are two that can be compared, the CPU time per second between them
	// (cores); false when there is none within Stale.
	Machine(node string) (m Machine, cores float64, ok bool)
	// Totals is what the tasks of a workload have used in all since this server began to count: sums of differences, which
	// never go backwards, whatever tasks or agents end. The time is when it began.
	Totals(owner swarmobj.Owner) (Totals, time.Time)
}

// Totals are sums of the counters of all tasks that a workload has had.
type Totals struct {
	CPU              time.Duration
	ThrottledPeriods uint64
	Periods          uint64
	ReceiveBytes     uint64
	TransmitBytes    uint64
	ReadBytes        uint64
	WriteBytes       uint64
}

// Interval is how often agents sample, and Stale is how old a sample may be before it says nothing about now.
const (
	Interval = 15 * time.Second
	Stale    = 3 * Interval
	// Kept is for how long samples are kept.
	Kept = 2 * time.Hour
)
