package autoscale

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// tick is how often it is decided.
const tick = 15 * time.Second

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// run is a container over time, whose tasks are there as soon as they are to be.
type run struct {
	spec    *v1alpha1.Autoscaling
	memory  *Memory
	current int32
	now     time.Time
	last    Decision
}

func begin(current int32, a *v1alpha1.Autoscaling) *run {
	return &run{spec: a, memory: Begin(current, Last{}, noon), current: current, now: noon}
}

// see decides once about readings, a tick later.
func (r *run) see(readings ...Reading) int32 {
	r.now = r.now.Add(tick)
	r.last = r.memory.Decide(r.spec, of(r.current), readings, r.now)
	if r.last.Desired != r.current {
		r.memory.Changed(r.current, r.last.Desired, r.now)
		r.current = r.last.Desired
	}

	return r.current
}

func bounds(least, most int32, b *v1alpha1.AutoscalingBehavior) *v1alpha1.Autoscaling {
	return &v1alpha1.Autoscaling{MinReplicas: &least, MaxReplicas: most, Behavior: b}
}

// cpu is a reading of all tasks at a share of the target.
func cpu(share float64) func(n int32) Reading {
	return func(n int32) Reading {
		values := make([]float64, n)
		for i := range values {
			values[i] = 50 * share
		}

		return Reading{Name: "cpu", Metric: PerTask{Values: values, Target: 50, Full: 100}}
	}
}

// load is a reading of so much load shared by all tasks, where one task is right for 1.
func load(total float64) func(n int32) Reading {
	return func(n int32) Reading { return cpu(total / float64(n))(n) }
}

func missing(int32) Reading { return Reading{Name: "cpu", Missing: "no sample"} }

func queue(length float64) func(int32) Reading {
	return func(int32) Reading {
		return Reading{Name: "queue", Metric: Shared{Value: length, Target: 10, Active: length > 0}}
	}
}

func TestHistories(t *testing.T) {
	t.Parallel()

	type step struct {
		times    int
		readings []func(int32) Reading
		// want after the last of them, and the reasons of Able, Active and Limited where they are not the usual ones.
		want                  int32
		able, active, limited string
	}
	one := func(times int, r func(int32) Reading, want int32) step {
		return step{times: times, readings: []func(int32) Reading{r}, want: want}
	}
	because := func(s step, able, active, limited string) step {
		s.able, s.active, s.limited = able, active, limited

		return s
	}
	down := func(seconds int32, policies ...v1alpha1.ScalingPolicy) *v1alpha1.AutoscalingBehavior {
		return &v1alpha1.AutoscalingBehavior{ScaleDown: &v1alpha1.ScalingRules{StabilizationWindowSeconds: &seconds, Policies: policies}}
	}
	up := func(r v1alpha1.ScalingRules) *v1alpha1.AutoscalingBehavior {
		return &v1alpha1.AutoscalingBehavior{ScaleUp: &r}
	}

	for name, c := range map[string]struct {
		reason string
		spec   *v1alpha1.Autoscaling
		begin  int32
		steps  []step
	}{
		"UpAtOnce": {
			"Load is answered in the same round.", bounds(1, 10, nil), 2,
			[]step{one(1, load(4), 4), one(1, load(4), 4)},
		},
		"UpByPolicy": {
			"By 4 tasks or as many again in 15 seconds, whichever is more.", bounds(1, 100, nil), 2,
			[]step{because(one(1, load(60), 6), "", "", v1alpha1.ReasonScaleUpLimit), one(1, load(60), 12), one(1, load(60), 24), one(1, load(60), 48), one(1, load(60), 60)},
		},
		"DownAfterWindow": {
			"Tasks go when more have not been needed for 300 seconds: at the twentieth look, and not before.", bounds(1, 10, nil), 4,
			[]step{because(one(19, load(2), 4), v1alpha1.ReasonScaleDownStabilized, "", ""), one(1, load(2), 2)},
		},
		"DownToMostOfWindow": {
			"To the most that was needed within it.", bounds(1, 10, nil), 6,
			[]step{one(1, load(2), 6), one(19, load(3), 3), one(15, load(2), 3), one(10, load(2), 2)},
		},
		"PeakStartsWindowAnew": {
			"A peak within the window holds everything for another one.", bounds(1, 10, nil), 4,
			[]step{one(15, load(1), 4), one(1, load(4), 4), one(19, load(1), 4), one(1, load(1), 1)},
		},
		"Bounds": {
			"Neither more nor fewer than the bounds.", bounds(2, 5, down(0)), 3,
			[]step{because(one(1, load(9), 5), "", "", v1alpha1.ReasonTooManyReplicas), because(one(1, load(0.1), 2), "", "", v1alpha1.ReasonTooFewReplicas)},
		},
		"MissingHolds": {
			"Nothing measured, nothing changed, however long.", bounds(1, 10, down(0)), 4,
			[]step{because(one(100, missing, 4), "", v1alpha1.ReasonFailedGetMetric, "")},
		},
		"MissingCountsAsStaying": {
			"After a gap the window begins anew: one low value does not undo what nobody has seen.", bounds(1, 10, nil), 4,
			[]step{one(20, missing, 4), one(19, load(1), 4), one(1, load(1), 1)},
		},
		"OneMissingNotDown": {
			"While one metric is missing, the other takes nothing away.", bounds(1, 10, down(0)), 4,
			[]step{because(step{times: 5, readings: []func(int32) Reading{load(1), missing}, want: 4}, "", v1alpha1.ReasonFailedGetMetric, "")},
		},
		"OneMissingUp": {
			"But it may add.", bounds(1, 10, down(0)), 4,
			[]step{{times: 1, readings: []func(int32) Reading{load(6), missing}, want: 6}},
		},
		"LargestCounts": {
			"Of two metrics the one that needs more counts.", bounds(1, 10, down(0)), 2,
			[]step{{times: 1, readings: []func(int32) Reading{load(3), queue(55)}, want: 6}, {times: 1, readings: []func(int32) Reading{load(3), queue(5)}, want: 3}},
		},
		"Cooldown": {
			"After a change nothing is taken away for a while.",
			&v1alpha1.Autoscaling{MinReplicas: new(int32(1)), MaxReplicas: 10, CooldownSeconds: new(int32(120)), Behavior: down(0)}, 2,
			[]step{one(1, load(4), 4), because(one(7, load(1), 4), v1alpha1.ReasonCoolingDown, "", ""), one(1, load(1), 1)},
		},
		"DownByPolicy": {
			"One task a minute, where that is what is declared.",
			bounds(1, 10, down(0, v1alpha1.ScalingPolicy{Type: v1alpha1.PolicyPods, Value: 1, PeriodSeconds: 60})), 5,
			[]step{because(one(1, load(1), 4), "", "", v1alpha1.ReasonScaleDownLimit), one(3, load(1), 4), one(1, load(1), 3), one(4, load(1), 2)},
		},
		"DownDisabled": {
			"Where fewer are not to be had, there are never fewer.",
			bounds(1, 10, &v1alpha1.AutoscalingBehavior{ScaleDown: &v1alpha1.ScalingRules{SelectPolicy: new(v1alpha1.SelectDisabled)}}), 5,
			[]step{because(one(50, load(1), 5), "", "", v1alpha1.ReasonScaleDownLimit)},
		},
		"UpDisabled": {
			"And never more.", bounds(1, 10, up(v1alpha1.ScalingRules{SelectPolicy: new(v1alpha1.SelectDisabled)})), 5,
			[]step{because(one(5, load(9), 5), "", "", v1alpha1.ReasonScaleUpLimit)},
		},
		"UpLeastPolicy": {
			"The policy that allows least, where that is declared.",
			bounds(1, 50, up(v1alpha1.ScalingRules{SelectPolicy: new(v1alpha1.SelectMin), Policies: []v1alpha1.ScalingPolicy{
				{Type: v1alpha1.PolicyPods, Value: 2, PeriodSeconds: 15}, {Type: v1alpha1.PolicyPercent, Value: 100, PeriodSeconds: 15},
			}})), 5,
			[]step{one(1, load(50), 7), one(1, load(50), 9)},
		},
		"UpStabilized": {
			"With a window for more, a short peak adds nothing.",
			bounds(1, 10, up(v1alpha1.ScalingRules{StabilizationWindowSeconds: new(int32(60))})), 2,
			[]step{because(one(3, load(6), 2), v1alpha1.ReasonScaleUpStabilized, "", ""), one(1, load(2), 2), one(3, load(6), 2), one(1, load(6), 6)},
		},
		"Tolerance": {
			"A narrower tolerance sees smaller changes.",
			bounds(1, 100, up(v1alpha1.ScalingRules{Tolerance: new(resource.MustParse("0.02"))})), 20,
			[]step{one(1, load(20.3), 20), one(1, load(21), 21)},
		},
		"Sleeps": {
			"Nothing to do for a whole window: no task.", bounds(0, 10, nil), 1,
			[]step{one(19, queue(0), 1), one(1, queue(0), 0), one(10, queue(0), 0)},
		},
		"Wakes": {
			"Something to do: as many as it needs, at once.", bounds(0, 10, nil), 0,
			[]step{one(1, queue(35), 4)},
		},
		"WakesByPercent": {
			"A share of nothing is nothing; it wakes all the same.",
			bounds(0, 10, up(v1alpha1.ScalingRules{Policies: []v1alpha1.ScalingPolicy{{Type: v1alpha1.PolicyPercent, Value: 100, PeriodSeconds: 15}}})), 0,
			[]step{one(1, queue(35), 1), one(1, queue(35), 2), one(1, queue(35), 4)},
		},
		"BusyDoesNotSleep": {
			"An empty queue does not stop tasks that work on what was in it.", bounds(0, 10, down(0)), 3,
			[]step{{times: 1, readings: []func(int32) Reading{load(3), queue(0)}, want: 3}, {times: 1, readings: []func(int32) Reading{load(0.4), queue(0)}, want: 0}},
		},
		"AsleepIsNotMissing": {
			"While there are no tasks there is nothing to be measured of them.", bounds(0, 10, nil), 0,
			[]step{{times: 1, readings: []func(int32) Reading{func(int32) Reading { return Reading{Name: "cpu", Asleep: true} }, queue(15)}, want: 2}},
		},
		"DoesNotSleepUnseen": {
			"While a trigger cannot be asked, nothing is put to sleep.", bounds(0, 10, down(0)), 1,
			[]step{because(step{times: 30, readings: []func(int32) Reading{queue(0), missing}, want: 1}, "", v1alpha1.ReasonFailedGetMetric, "")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r := begin(c.begin, c.spec)
			for i, s := range c.steps {
				for range s.times {
					readings := make([]Reading, len(s.readings))
					for j, reading := range s.readings {
						readings[j] = reading(r.current)
					}
					r.see(readings...)
				}
				if r.current != s.want {
					t.Fatalf("%s\nstep %d: got %d tasks, want %d (%+v)", c.reason, i, r.current, s.want, r.last)
				}
				for _, want := range []struct {
					reason string
					got    Remark
				}{{s.able, r.last.Able}, {s.active, r.last.Active}, {s.limited, r.last.Limited}} {
					if want.reason != "" && want.got.Reason != want.reason {
						t.Errorf("%s\nstep %d: %s", c.reason, i, cmp.Diff(want.reason, want.got.Reason))
					}
				}
			}
		})
	}
}

// TestBegin: who takes over knows of no proposals, and takes nothing away before a window has passed; the change on record
// counts against policies and the cooldown.
func TestBegin(t *testing.T) {
	t.Parallel()

	a := bounds(1, 10, &v1alpha1.AutoscalingBehavior{
		ScaleUp: &v1alpha1.ScalingRules{Policies: []v1alpha1.ScalingPolicy{{Type: v1alpha1.PolicyPods, Value: 2, PeriodSeconds: 60}}},
	})
	a.CooldownSeconds = new(int32(600))

	r := &run{spec: a, memory: Begin(4, Last{At: noon.Add(-15 * time.Second), From: 2}, noon), current: 4, now: noon}
	if got := r.see(load(8)(4)); got != 4 {
		t.Errorf("two were added less than a minute ago, and there are %d at once", got)
	}
	r.now = r.now.Add(time.Minute)
	if got := r.see(load(8)(4)); got != 6 {
		t.Errorf("a minute later there are %d", got)
	}

	r = &run{spec: a, memory: Begin(4, Last{At: noon.Add(-time.Minute), From: 8}, noon), current: 4, now: noon}
	for range 20 {
		r.see(load(1)(4))
	}
	if r.current != 4 || r.last.Able.Reason != v1alpha1.ReasonCoolingDown {
		t.Errorf("%d tasks, %+v; the change on record was six minutes ago", r.current, r.last.Able)
	}
}

// TestAnHourOfNoise: load that goes up and down around its mean as it likes. Within the tolerance nothing happens at all;
// beyond it tasks are added, and taken away no sooner than a window after they were last needed, so that there is no back and
// forth within one.
func TestAnHourOfNoise(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int32Range(1, 40).Draw(t, "tasks")
		amplitude := rapid.SampledFrom([]float64{0.099, 0.3, 0.9}).Draw(t, "amplitude")
		r := begin(n, bounds(1, 200, nil))
		var changes, turns int
		var direction int32
		var lastUp time.Time

		for range int(time.Hour / tick) {
			before := r.current
			noise := rapid.Float64Range(-amplitude, amplitude).Draw(t, "noise")
			r.see(load(float64(n) * (1 + noise))(r.current))

			d := r.current - before
			if d == 0 {
				continue
			}
			if changes++; d*direction < 0 {
				turns++
			}
			direction = d
			if d > 0 {
				lastUp = r.now
			} else if r.now.Sub(lastUp) < defaultDownWindow {
				t.Fatalf("tasks were taken away %s after some were added", r.now.Sub(lastUp))
			}
		}
		if amplitude < 0.1 && changes > 0 {
			t.Fatalf("noise within the tolerance changed the number %d times", changes)
		}
		if most := 2 * int(time.Hour/defaultDownWindow); turns > most {
			t.Fatalf("it turned around %d times in an hour; a window allows %d", turns, most)
		}
	})
}

// TestNeverOutOfBounds: whatever is declared and measured, in whatever order.
func TestNeverOutOfBounds(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		a := specs(t)
		current := within(rapid.Int32Range(0, 30).Draw(t, "current"), a)
		m := Begin(current, Last{}, noon)
		now := noon

		for range rapid.IntRange(1, 40).Draw(t, "rounds") {
			now = now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second)
			crowd := Crowd{Current: current, Exist: rapid.Int32Range(0, 40).Draw(t, "exist")}
			crowd.Ready = rapid.Int32Range(0, crowd.Exist).Draw(t, "ready")
			readings := readingsOf(t, current)

			d := m.Decide(a, crowd, readings, now)
			if d.Desired < least(a) || d.Desired > a.MaxReplicas {
				t.Fatalf("%d is not from %d to %d", d.Desired, least(a), a.MaxReplicas)
			}
			if unknown(readings) && d.Desired < current {
				t.Fatalf("%d of %d tasks are left, and %+v is what is known", d.Desired, current, readings)
			}
			if (d.Desired != current) != (d.Why != "") {
				t.Fatalf("from %d to %d, because %q", current, d.Desired, d.Why)
			}
			if d.Desired != current {
				m.Changed(current, d.Desired, now)
				current = d.Desired
			}
		}
	})
}

func unknown(readings []Reading) bool {
	for _, r := range readings {
		if r.Metric == nil && !r.Asleep {
			return true
		}
	}

	return false
}

func readingsOf(t *rapid.T, current int32) []Reading {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Reading {
		value := rapid.Float64Range(0, 500).Draw(t, "value")
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return missing(current)
		case 1:
			return queue(value)(current)
		case 2:
			return Reading{Name: "latency", Metric: Ratio{Value: value, Target: 50, Active: rapid.Bool().Draw(t, "active")}}
		default:
			if current == 0 {
				return Reading{Name: "cpu", Asleep: true}
			}

			return load(value)(current)
		}
	}), 1, 4).Draw(t, "readings")
}

func specs(t *rapid.T) *v1alpha1.Autoscaling {
	low := rapid.Int32Range(0, 10).Draw(t, "min")
	rules := rapid.Custom(func(t *rapid.T) *v1alpha1.ScalingRules {
		r := &v1alpha1.ScalingRules{}
		if rapid.Bool().Draw(t, "window") {
			r.StabilizationWindowSeconds = new(rapid.Int32Range(0, 3600).Draw(t, "seconds"))
		}
		if rapid.Bool().Draw(t, "choose") {
			r.SelectPolicy = new(rapid.SampledFrom([]v1alpha1.ScalingPolicySelect{v1alpha1.SelectMax, v1alpha1.SelectMin, v1alpha1.SelectDisabled}).Draw(t, "policy"))
		}
		r.Policies = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) v1alpha1.ScalingPolicy {
			return v1alpha1.ScalingPolicy{
				Type:  rapid.SampledFrom([]v1alpha1.ScalingPolicyType{v1alpha1.PolicyPods, v1alpha1.PolicyPercent}).Draw(t, "type"),
				Value: rapid.Int32Range(1, 10000).Draw(t, "value"), PeriodSeconds: rapid.Int32Range(1, 1800).Draw(t, "period"),
			}
		}), 0, 3).Draw(t, "policies")

		return r
	})

	return &v1alpha1.Autoscaling{
		MinReplicas: &low, MaxReplicas: rapid.Int32Range(max(low, 1), 30).Draw(t, "max"),
		Behavior: &v1alpha1.AutoscalingBehavior{ScaleUp: rules.Draw(t, "up"), ScaleDown: rules.Draw(t, "down")},
	}
}
