package usage

// Use is charged in windows of a minute of Unix time, numbered from its beginning. A window lies in one hour.
const (
	windowSeconds  = 60
	windowsPerHour = 60
)

// WindowAt is the number of the window in which a Unix time lies.
func WindowAt(unix int64) int64 { return unix / windowSeconds }

// WindowStart is when a window begins, in Unix time.
func WindowStart(window int64) int64 { return window * windowSeconds }

// WindowEnd is when a window is over, in Unix time.
func WindowEnd(window int64) int64 { return (window + 1) * windowSeconds }

// hourEnd is the last window of the hour in which a window lies.
func hourEnd(window int64) int64 { return window - window%windowsPerHour + windowsPerHour - 1 }

// Window is what a tenant used in one minute.
type Window struct {
	Index int64
	// Lines in the order of workload, meter and amount; there are no two with the same.
	Lines []Line
}

// Charge is what can be charged to a tenant now.
type Charge struct {
	Tenant string
	// After is the Through of the charge before, or lies right before the first use ever; Through is the last window that
	// is closed now. In what lies between the two and is not among Windows nothing was used, however long that is.
	After, Through int64
	// Windows with use, in order, all in one hour. There may be none: an hour that was begun is closed to its end, and a
	// gap is told, even when nothing runs any more.
	Windows []Window
	// Gaps that became known and were not told before.
	Gaps []Gap
}

// Cause says why time is not charged.
type Cause string

// The causes of gaps. The names are stored and must not change.
const (
	// CauseCatchUp: nobody has looked for longer than is caught up with.
	CauseCatchUp Cause = "CatchUpLimit"
	// CauseClockForward: the clock jumped over this time, which has not passed.
	CauseClockForward Cause = "ClockForward"
	// CauseClockBackward: the clock was set back, and the time that it showed twice is charged once.
	CauseClockBackward Cause = "ClockBackward"
)

// Causes are all causes.
func Causes() []Cause { return []Cause{CauseCatchUp, CauseClockForward, CauseClockBackward} }

// Gap is time that is not charged although something ran, or seems to have run.
type Gap struct {
	Cause Cause `json:"cause"`
	// From and To are Unix times. They are the same for time that the clock shows no place for.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Seconds that are not charged, those of all tasks and volumes together.
	Seconds int64 `json:"seconds"`
}
