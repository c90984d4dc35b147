package autoscale

import (
	"math"
)

// Crowd is who is there to be measured.
type Crowd struct {
	// Current is how many tasks there are to be at the moment.
	Current int32
	// Exist is how many there are that are meant to run, ready or not.
	Exist int32
	// Ready is how many of them run and are healthy.
	Ready int32
}

// Metric is what was measured of one metric.
type Metric interface {
	// propose is how many tasks it asks for, by itself.
	propose(c Crowd, t tolerance) int32
}

// PerTask is measured of each task: CPU time, memory, requests.
type PerTask struct {
	// Values of the tasks that are ready and could be measured; there is one at least.
	Values []float64
	// Target is what the average is to be, greater than 0.
	Target float64
	// Full is what a task is taken to have that could not be measured, when tasks are to be taken away: all that it requested, and
	// no less than the target.
	Full float64
}

// Shared is measured of all tasks together, and each is to have its part: the length of a queue.
type Shared struct {
	Value float64
	// Target is what each task is to have of it, greater than 0.
	Target float64
	// Active is false while nothing is going on.
	Active bool
}

// Ratio is what falls when there are more tasks: a latency.
type Ratio struct {
	Value float64
	// Target is what it is to be, greater than 0.
	Target float64
	// Active is false while nothing is going on.
	Active bool
}

// propose holds the average against the target. Tasks that could not be measured have the value that changes least: nothing
// when more tasks are to be had, everything when some are to be taken away. Where that turns the direction around, nothing is
// to be done.
func (m PerTask) propose(c Crowd, t tolerance) int32 {
	measured := float64(len(m.Values))
	blank := float64(max(c.Current, c.Exist)) - measured
	if blank < 0 {
		blank = 0
	}

	sum := 0.0
	for _, v := range m.Values {
		sum += v
	}
	switch direction := sum - m.Target*measured; {
	case direction == 0:
		return c.Current
	case direction < 0:
		sum += blank * max(m.Full, m.Target)
		if sum > m.Target*(measured+blank) {
			return c.Current
		}
	case direction > 0:
		if sum < m.Target*(measured+blank) {
			return c.Current
		}
	}

	ratio := sum / (m.Target * (measured + blank))
	if t.within(ratio) {
		return c.Current
	}

	return toward(ratio, ceil(sum/m.Target), c.Current)
}

func (m Shared) propose(c Crowd, t tolerance) int32 {
	if !m.Active {
		return 0
	}
	n := max(ceil(m.Value/m.Target), 1)
	if c.Current == 0 {
		return n
	}

	ratio := m.Value / (m.Target * float64(c.Current))
	if t.within(ratio) {
		return c.Current
	}

	return toward(ratio, n, c.Current)
}

func (m Ratio) propose(c Crowd, t tolerance) int32 {
	if !m.Active {
		return 0
	}

	ratio := m.Value / m.Target
	switch {
	case c.Current == 0:
		return max(ceil(ratio), 1)
	case t.within(ratio):
		return c.Current
	case ratio > 1:
		// What more tasks come to is known of those that work.
		return toward(ratio, ceil(ratio*float64(c.Ready)), c.Current)
	default:
		return max(toward(ratio, ceil(ratio*float64(c.Current)), c.Current), 1)
	}
}

// toward is n, unless that lies in the other direction than the ratio points to.
func toward(ratio float64, n, current int32) int32 {
	if ratio > 1 {
		return max(n, current)
	}

	return min(n, current)
}

// ceil rounds up to a number of tasks. What a division leaves over of a whole number is no task.
func ceil(n float64) int32 {
	const rounding = 1e-9

	switch {
	case !(n > 0): // Neither are NaN and what is below zero.
		return 0
	case n >= math.MaxInt32:
		return math.MaxInt32
	default:
		return int32(math.Ceil(n - rounding))
	}
}

// tolerance is by what share a metric may be off its target.
type tolerance struct{ up, down float64 }

func (t tolerance) within(ratio float64) bool {
	const rounding = 1e-9

	return ratio >= 1-t.down-rounding && ratio <= 1+t.up+rounding
}
