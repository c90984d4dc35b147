package gitsync

import (
	"time"
)

// Schedule says when a sync is looked at again.
type Schedule struct {
	// Interval between two visits when all is well.
	Interval time.Duration
	// RetryInterval is the time to the first try after a failure. Zero is Interval.
	RetryInterval time.Duration
}

const (
	// jitter is how much of an interval chance may add or take, as Flux has it by default.
	jitter = 0.05
	// maxRetry is the longest that a failing sync waits because it fails. One that waits longer anyway keeps to its interval.
	maxRetry = 15 * time.Minute
	// minWait keeps a mistaken interval from becoming a loop.
	minWait = time.Second
)

// Next is the time to the next visit when all is well. roll is from [0,1): the same for every sync keeps them in step.
func (s Schedule) Next(roll float64) time.Duration { return spread(s.Interval, roll) }

// Retry is the time to the next try after so many failures in a row, at least one. It doubles, and ends where failing would
// make a sync slower than fifteen minutes, or slower than it is anyway.
func (s Schedule) Retry(failures int, roll float64) time.Duration {
	first := s.RetryInterval
	if first <= 0 {
		first = s.Interval
	}

	longest := max(first, maxRetry)
	delay := first

	for range failures - 1 {
		if delay >= longest/2 {
			delay = longest

			break
		}

		delay *= 2
	}

	return spread(delay, roll)
}

// spread moves a duration by chance, to both sides.
func spread(d time.Duration, roll float64) time.Duration {
	return max(minWait, d+time.Duration(float64(d)*jitter*(2*roll-1)))
}

// Due is whether a visit is due now: because somebody asks for it, or because it is time. requested is what the annotation
// reconcile.fluxcd.io/requestedAt says, handled what it said at the last visit.
func Due(now, next time.Time, requested, handled string) bool {
	return requested != "" && requested != handled || !now.Before(next)
}
