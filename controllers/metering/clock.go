package metering

import (
	"time"

	"github.com/dogker/dogker/reconciler/usage"
)

// Bounds on clocks.
const (
	// maxStep is how far the wall clock may be off time from one tick to the next, or off a manager's clock.
	maxStep = 5 * time.Second
	// maxDrift is how far it may be off since the last sample that was taken in.
	maxDrift = time.Minute
	// agreement is for how long the managers must have agreed with a clock that jumped before it is believed again.
	agreement = 2 * time.Minute
)

// trust is whether the clock may be believed.
type trust string

const (
	trusted trust = "trusted"
	// skewed: it jumped, or at the start differs from the managers', and they have not agreed with it for long enough.
	skewed trust = "skewed"
	// behind: it shows a time that was metered already.
	behind trust = "behind"
)

// watch judges the clock. It is told every reading, and which of them were used.
type watch struct {
	last, used Reading
	read       bool // last is set
	taken      bool // used is set

	frozen bool
	agreed time.Duration // since when they agree, while frozen; negative when they do not
}

// judge tells whether a reading may be used. A sample was taken right after it, which took some time and brought what the
// managers say the time is. at is the last sample that was taken in, in Unix time.
func (w *watch) judge(now Reading, took time.Duration, managers []time.Time, at int64) trust {
	agree := agrees(now.Wall, took, managers)
	jumped := w.read && now.slip(w.last).Abs() > maxStep

	if w.read && now.slip(w.last) > maxStep || w.taken && now.slip(w.used) > maxDrift && !w.frozen || !w.read && !agree {
		w.frozen, w.agreed = true, -1
	}
	w.last, w.read = now, true

	if w.frozen && !w.thaw(now, agree, jumped) {
		return skewed
	}
	if now.Wall.Unix() < at {
		return behind
	}

	return trusted
}

// thaw is true when the managers have agreed long enough.
func (w *watch) thaw(now Reading, agree, jumped bool) bool {
	switch {
	case !agree:
		w.agreed = -1
	case jumped || w.agreed < 0:
		w.agreed = now.Mono
	case now.Mono-w.agreed >= agreement:
		w.frozen = false
	}

	return !w.frozen
}

// agrees is true when there are managers to ask and each of them has our time.
func agrees(wall time.Time, took time.Duration, managers []time.Time) bool {
	for _, m := range managers {
		if m.Before(wall.Add(-maxStep)) || m.After(wall.Add(took+maxStep)) {
			return false
		}
	}

	return len(managers) > 0
}

// use notes that a reading is used, and returns what of the clock's time since the last one did not pass, or passed twice.
// It is asked after judge has trusted the reading.
func (w *watch) use(now Reading) []usage.Skip {
	defer func() { w.used, w.taken = now, true }()
	if !w.taken {
		return nil
	}

	slip, from := now.slip(w.used), w.used.Wall.Unix()
	switch {
	case slip > maxStep:
		to := min(from+int64((slip+time.Second-1)/time.Second), now.Wall.Unix())

		return []usage.Skip{{Cause: usage.CauseClockForward, From: from, To: to}}
	case slip < -maxStep:
		return []usage.Skip{{Cause: usage.CauseClockBackward, From: from, To: from, Seconds: int64(-slip / time.Second)}}
	default:
		return nil
	}
}
