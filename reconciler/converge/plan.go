package converge

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Plan is what goes wrong in a run.
type Plan struct {
	// Name identifies the plan within its scenario.
	Name string
	// Faults by the point at which they strike.
	Faults map[Point]Kind
	// Weather strikes at any call, on top; nil is good weather.
	Weather Weather
	// Prepare changes the run before it starts; it may be nil.
	Prepare func(r *Run)
	// View is how processes see the store.
	View View
	// Patience is added to the time the run may take.
	Patience time.Duration
}

// Weather decides about any call, at so long after the start of the run.
type Weather func(p Point, after time.Duration) Kind

// View is how the caches of processes differ from the store.
type View struct {
	// Lag of the cache behind the store; a few milliseconds when zero.
	Lag time.Duration
	// Restart makes a process that starts anew see the store as it was so many changes before, and catch up after
	// StaleFor.
	Restart  int
	StaleFor time.Duration
	// DropEvery loses the nth notification of the cache, counted from 1, until the same object changes again or the
	// cache is listed anew; all of them when negative.
	Drop int
}

func (p *Plan) at(point Point, after time.Duration) Kind {
	if kind, ok := p.Faults[point]; ok {
		return kind
	}

	if p.Weather != nil {
		return p.Weather(point, after)
	}

	return ""
}

// maxReads is how many of the reads of one kind are tampered with, one at a time. Later ones are like them.
const maxReads = 2

// Planner makes plans from the calls of a run without faults.
type Planner func(record []Point) []Plan

// Just is a planner whose plans do not depend on any record.
func Just(plans ...Plan) Planner {
	return func([]Point) []Plan { return plans }
}

// EveryPoint makes a plan for every recorded call and everything that can go wrong with it.
func EveryPoint(record []Point) []Plan {
	var plans []Plan

	for _, point := range record {
		for _, kind := range kindsOf(point) {
			plans = append(plans, Plan{
				Name:     fmt.Sprintf("%s@%s", kind, point),
				Faults:   map[Point]Kind{point: kind},
				Patience: 2 * time.Minute,
			})
		}
	}

	return plans
}

func kindsOf(p Point) []Kind {
	switch {
	case p.Write:
		return writeKinds
	case p.N > maxReads:
		return nil
	case p.Target == "" && p.Seam != storeSeam:
		return append(listKinds, readKinds...)
	default:
		return readKinds
	}
}

// StaleRestarts makes plans in which the process dies right after each write, and the next one sees the store for a while
// as it was so many changes before: its watch is answered by a server that lags. It looks at what has been deleted as if
// it were still there.
func StaleRestarts(back ...int) Planner {
	return func(record []Point) []Plan {
		var plans []Plan

		for _, point := range record {
			if !point.Write {
				continue
			}

			for _, n := range back {
				plans = append(plans, Plan{
					Name:     fmt.Sprintf("stale-by-%d@%s", n, point),
					Faults:   map[Point]Kind{point: CrashAfter},
					View:     View{Restart: n, StaleFor: staleTime},
					Patience: 3 * time.Minute,
				})
			}
		}

		return plans
	}
}

// staleTime is for how long a stale cache stays so.
const staleTime = 20 * time.Second

// LostNotifications makes plans in which one notification of the store gets lost, the first up to the nth, and one in
// which all do.
func LostNotifications(n int) Planner {
	plans := []Plan{{Name: "all-notifications-lost", View: View{Drop: -1}, Patience: 10 * time.Minute}}

	for i := range n {
		plans = append(plans, Plan{Name: fmt.Sprintf("notification-%d-lost", i+1), View: View{Drop: i + 1}, Patience: 2 * time.Minute})
	}

	return Just(plans...)
}

// Lags makes plans in which the cache is behind the store by that much all the time.
func Lags(lags ...time.Duration) Planner {
	var plans []Plan
	for _, lag := range lags {
		plans = append(plans, Plan{Name: "lag-" + lag.String(), View: View{Lag: lag}, Patience: 20*lag + 5*time.Minute})
	}

	return Just(plans...)
}

// Storms makes plans in which calls fail at random for a minute, by seed. Each is the same in every run.
func Storms(seeds, percent int) Planner {
	var plans []Plan

	for seed := range seeds {
		plans = append(plans, Plan{
			Name:     fmt.Sprintf("storm-%d%%:seed=%d", percent, seed),
			Weather:  storm(uint64(seed), percent),
			Patience: 10 * time.Minute,
		})
	}

	return Just(plans...)
}

// stormTime is how long a storm lasts.
const stormTime = time.Minute

func storm(seed uint64, percent int) Weather {
	return func(p Point, after time.Duration) Kind {
		if after > stormTime {
			return ""
		}

		// What happens at a point depends on the seed and the point alone, so that the order in which goroutines take
		// their turns does not matter.
		h := fnv.New64a()
		_, _ = h.Write([]byte(p.String()))
		r := rand.New(rand.NewPCG(seed, h.Sum64()))

		if r.IntN(100) >= percent {
			return ""
		}

		kinds := []Kind{Refuse, Refuse, Refuse}
		if p.Write {
			kinds = append(kinds, Lose, Lose, Late, CrashBefore, CrashAfter)
		}

		return kinds[r.IntN(len(kinds))]
	}
}

// Outage makes every call that matches fail in that way from the start of the run for a while.
func Outage(name string, kind Kind, from, until time.Duration, match func(Point) bool) Plan {
	return Plan{
		Name: name,
		Weather: func(p Point, after time.Duration) Kind {
			if after >= from && after < until && match(p) {
				return kind
			}

			return ""
		},
		Patience: until + 10*time.Minute,
	}
}
