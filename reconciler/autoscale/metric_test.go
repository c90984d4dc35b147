package autoscale

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// of is n tasks that are all there and ready.
func of(n int32) Crowd { return Crowd{Current: n, Exist: n, Ready: n} }

// each is a value for each task.
func each(values ...float64) PerTask { return PerTask{Values: values, Target: 50, Full: 100} }

func TestPropose(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		reason string
		metric Metric
		crowd  Crowd
		want   int32
	}{
		"OnTarget":         {"On target nothing is to do.", each(50, 50), of(2), 2},
		"Double":           {"Twice the load is twice the tasks.", each(100, 100), of(2), 4},
		"Half":             {"Half the load is half the tasks.", each(25, 25), of(2), 1},
		"RoundsUp":         {"A part of a task is a task.", each(60, 60), of(2), 3},
		"Average":          {"It is the average that counts.", each(90, 10), of(2), 2},
		"WithinAbove":      {"A little more is no more.", each(54, 55), of(2), 2},
		"WithinBelow":      {"A little less is no less.", each(46, 45), of(2), 2},
		"EdgeAbove":        {"The tolerance belongs to it.", each(55, 55, 55), of(3), 3},
		"JustAbove":        {"And no more than it.", each(55.1, 55.1, 55.1), of(3), 4},
		"NothingToDo":      {"Idle tasks propose none.", each(0, 0), of(2), 0},
		"MissingUp":        {"Who could not be measured has nothing when more are to be had: 200 of 3 is 4, not 6.", each(100, 100), of(3), 4},
		"MissingUpTurns":   {"When that turns it around, nothing is to do.", each(60), of(3), 3},
		"MissingDown":      {"Who could not be measured has everything when some are to be taken away: 110 of 3 is 3.", each(5, 5), of(3), 3},
		"MissingDownStill": {"Unless the others have so little that it does not matter.", each(5, 5, 5, 5, 5, 5, 5, 5, 5), of(10), 3},
		"MissingDownTurns": {"When that turns it around, nothing is to do.", each(45), of(4), 4},
		"MissingOnTarget":  {"On target those who could not be measured do not matter.", each(50), of(4), 4},
		"HighTarget":       {"A target above what is requested is what they have then.", PerTask{Values: []float64{10}, Target: 300, Full: 100}, of(2), 2},
		"StillStarting":    {"Those that are to come count: with two of four, 160 is no reason for more.", each(80, 80), Crowd{Current: 4, Exist: 2, Ready: 2}, 4},
		"StartingAfterUp":  {"Those that have just come count as idle while the load is high.", each(100, 100), Crowd{Current: 4, Exist: 4, Ready: 2}, 4},
		"NotReadyDown":     {"Those that are not ready count as busy when it is low.", each(10, 10), Crowd{Current: 4, Exist: 4, Ready: 2}, 4},

		"QueueShared":      {"Each task has its part of a queue.", Shared{Value: 90, Target: 10, Active: true}, of(3), 9},
		"QueueOnTarget":    {"On target nothing is to do.", Shared{Value: 31, Target: 10, Active: true}, of(3), 3},
		"QueueShort":       {"A short queue needs one.", Shared{Value: 0.1, Target: 10, Active: true}, of(3), 1},
		"QueueWakes":       {"From nothing it is what the queue needs.", Shared{Value: 25, Target: 10, Active: true}, of(0), 3},
		"QueueIdle":        {"Nothing to do, nobody to do it.", Shared{Value: 4, Target: 10}, of(3), 0},
		"QueueIdleAtZero":  {"And it stays so.", Shared{Value: 4, Target: 10}, of(0), 0},
		"QueueEndless":     {"A number without an end is the largest there is.", Shared{Value: math.Inf(1), Target: 1, Active: true}, of(1), math.MaxInt32},
		"QueueBelowZero":   {"What is below zero and counts as active needs one.", Shared{Value: -5, Target: 10, Active: true}, of(3), 1},
		"LatencyDouble":    {"Twice the latency is twice the tasks.", Ratio{Value: 2, Target: 1, Active: true}, of(3), 6},
		"LatencyReady":     {"Of those that work.", Ratio{Value: 2, Target: 1, Active: true}, Crowd{Current: 4, Exist: 4, Ready: 3}, 6},
		"LatencyFewReady":  {"But not fewer than there are to be.", Ratio{Value: 2, Target: 1, Active: true}, Crowd{Current: 4, Exist: 4, Ready: 1}, 4},
		"LatencyHalf":      {"Half the latency is half the tasks.", Ratio{Value: 0.5, Target: 1, Active: true}, of(3), 2},
		"LatencyNothing":   {"While something is going on there is one.", Ratio{Value: 0, Target: 1, Active: true}, of(3), 1},
		"LatencyWakes":     {"From nothing it is the ratio.", Ratio{Value: 2.5, Target: 1, Active: true}, of(0), 3},
		"LatencyOnTarget":  {"On target nothing is to do.", Ratio{Value: 1.05, Target: 1, Active: true}, of(3), 3},
		"LatencyIdle":      {"Idle is none.", Ratio{Value: 0, Target: 1}, of(3), 0},
		"ExactlyWhole":     {"What a division leaves over of a whole number is no task.", PerTask{Values: []float64{0.3, 0.3, 0.3}, Target: 0.1, Full: 1}, of(3), 9},
		"NotANumber":       {"What is no number asks for nothing more.", Shared{Value: math.NaN(), Target: 10, Active: true}, of(3), 1},
		"NobodyYetToCome":  {"One that is there too many is measured as well.", each(50, 50, 50), Crowd{Current: 2, Exist: 3, Ready: 3}, 2},
		"MoreThanMeasured": {"Load of one that is there too many counts.", each(100, 100, 100), Crowd{Current: 2, Exist: 3, Ready: 3}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got := c.metric.propose(c.crowd, tolerance{0.1, 0.1}); got != c.want {
				t.Errorf("%s\ngot %d, want %d", c.reason, got, c.want)
			}
		})
	}
}

// TestMoreLoadNeverGetsFewerTasks: whatever is measured, and whoever is missing.
func TestMoreLoadNeverGetsFewerTasks(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		crowd := crowds(t)
		tol := tolerance{rapid.Float64Range(0, 1).Draw(t, "up"), rapid.Float64Range(0, 1).Draw(t, "down")}
		target := rapid.Float64Range(0.001, 1000).Draw(t, "target")
		load := rapid.Float64Range(0, 1e6)

		values := rapid.SliceOfN(load, 1, 20).Draw(t, "values")
		more := slices.Clone(values)
		more[rapid.IntRange(0, len(values)-1).Draw(t, "which")] += load.Draw(t, "more")
		full := rapid.Float64Range(0, 2000).Draw(t, "full")
		lesser := []Metric{PerTask{values, target, full}, Shared{values[0], target, true}, Ratio{values[0], target, true}}
		greater := []Metric{PerTask{more, target, full}, Shared{max(more[0], values[0]), target, true}, Ratio{max(more[0], values[0]), target, true}}

		for i := range lesser {
			a, b := lesser[i].propose(crowd, tol), greater[i].propose(crowd, tol)
			if b < a {
				t.Fatalf("%+v gets %d tasks, and %+v gets %d", lesser[i], a, greater[i], b)
			}
		}
	})
}

// TestWhatIsMissingTakesNothingAway: a task that is not measured counts for no less than one that has all that it requested.
func TestWhatIsMissingTakesNothingAway(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 100), 2, 20).Draw(t, "values")
		crowd := of(int32(len(values)))
		known := rapid.IntRange(1, len(values)-1).Draw(t, "known")
		tol := tolerance{0.1, 0.1}

		all := PerTask{values, 50, 100}.propose(crowd, tol)
		some := PerTask{values[:known], 50, 100}.propose(crowd, tol)
		if some < min(all, crowd.Current) {
			t.Fatalf("%d of %d values propose %d tasks, all of them %d", known, len(values), some, all)
		}
	})
}

func crowds(t *rapid.T) Crowd {
	current := rapid.Int32Range(0, 50).Draw(t, "current")
	exist := rapid.Int32Range(0, 60).Draw(t, "exist")

	return Crowd{Current: current, Exist: exist, Ready: rapid.Int32Range(0, exist).Draw(t, "ready")}
}
