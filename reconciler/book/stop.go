package book

import "github.com/dogker/dogker/reconciler/money"

// Compute tells whether a meter is of what runs, and stops with the account. Volumes are kept, and traffic has flowed.
func Compute(m money.Meter) bool {
	return m == money.CPU || m == money.Memory || m == money.Replica
}

// Free is the last of the windows from one through another in which compute is free because the account does not run, or
// did not; 0 when it is free in none. Windows that were charged count no more.
//
// One number suffices. When an account stops, every window behind the cursor is free until it runs again. When it does, they
// are free through the window of that moment; those behind it are not, until it stops once more, and then again all of them
// behind the cursor are. So what is free always begins at the cursor.
func (h Head) Free(from, through int64) int64 {
	last := min(h.FreeThrough, through)
	if h.Stopped {
		last = through
	}
	if last < from {
		return 0
	}

	return last
}

// stop carries out what was decided about whether the account runs. What was used until it stops is settled with that: who
// is stopped pays for nothing afterwards that he did not see then.
func (d *draft) stop(decided Decision) error {
	h := &d.State.Head
	switch {
	case decided.Stopped && !h.Stopped:
		h.Stopped = true
		if d.open() {
			return d.settle(decided.Floor)
		}
	case !decided.Stopped && h.Stopped:
		h.Stopped, h.FreeThrough = false, max(h.FreeThrough, WindowAt(d.now))
	}

	return nil
}
