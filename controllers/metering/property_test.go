package metering

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/usage"
)

// run is one way through the history of a world.
type run struct {
	*world

	store *memory
	meter *Meter
	conn  *session
	// deaf is when no process of ours runs.
	deaf []span
	// taken are the moments that the samples show which were taken in.
	taken []time.Duration
}

func newRun(w *world) *run {
	r := &run{world: w}
	r.store = newMemory(w.wall)
	r.elect()

	return r
}

// elect begins with a new process.
func (r *run) elect() {
	r.conn = r.store.lead()
	r.meter = New(Options{Swarm: r.world, Store: r.conn, Clock: r.world})
}

// live plays the history to its end and until all of it is charged.
func (r *run) live(t *rapid.T) {
	for tick := time.Duration(0); tick < length+5*time.Minute; tick += interval {
		if r.absent(tick) {
			continue
		}
		r.now = tick
		err := r.meter.Tick(t.Context())
		for r.conn.dead {
			r.elect()
			r.now = tick
			err = r.meter.Tick(t.Context())
		}
		if err == nil {
			r.taken = append(r.taken, tick+half)
		}
	}
	if len(r.store.broken) > 0 {
		t.Fatalf("promises that were broken: %q", r.store.broken)
	}
}

// absent tells whether no process runs. The next one begins from what is stored.
func (r *run) absent(tick time.Duration) bool {
	for _, d := range r.deaf {
		if d.holds(tick) {
			r.elect()
			return true
		}
	}

	return false
}

// around is how long nobody looked, around a moment.
func (r *run) around(moment time.Duration) float64 {
	next, _ := slices.BinarySearch(r.taken, moment+1)
	switch {
	case len(r.taken) == 0 || next == len(r.taken):
		return math.Inf(1)
	case next == 0:
		return (r.taken[0] - moment + interval).Seconds()
	default:
		return (r.taken[next] - r.taken[next-1]).Seconds()
	}
}

// allowed is how much less than the truth may be charged for a task: two sample intervals at each end, seconds that are not
// whole, the time that its node could not be reached, and elections in which it began or ended.
func (r *run) allowed(l life) float64 {
	loss := 2 + 2*r.around(l.running.from+l.lag) + 2*r.around(l.running.to)
	for _, e := range r.elections {
		if e.from-interval < l.running.from+l.lag && e.to > l.running.from {
			loss += (e.to - e.from).Seconds() + 2*r.around(e.to)
		}
		if e.from < l.running.to+l.lag && e.to+usage.NodeSilence*time.Second > l.running.to-interval {
			loss += (e.to - e.from).Seconds() + usage.NodeSilence + r.around(e.from)
		}
	}
	for _, o := range r.outages {
		if o.node == l.node && o.from < l.running.to+l.lag && o.to > l.running.from {
			loss += (o.to - o.from).Seconds() + 2*r.around(o.from) + 2*r.around(o.to)
		}
	}

	return loss
}

// sawEnd tells whether a sample that was taken in showed that a task has ended.
func (r *run) sawEnd(l life) bool {
	return slices.ContainsFunc(r.taken, func(s time.Duration) bool { return s >= l.running.to+l.lag && s < l.forgotten })
}

// check holds what was charged against the truth (invariant 5).
func (r *run) check(t *rapid.T) {
	charged := r.store.seconds()
	for _, l := range r.tasks {
		real, got := (l.running.to - l.running.from).Seconds(), float64(charged[l.id])
		slack := 0.0
		if !r.sawEnd(l) {
			slack = l.lag.Seconds() // It was shown RUNNING when it was not, and vanished before that was put right.
		}
		if got > real+slack {
			t.Errorf("task %q ran %.3f s and is charged %v", l.id, real, got)
		}
		if got < real-r.allowed(l) {
			t.Errorf("task %q ran %.3f s and is charged %v, at least %.3f are due", l.id, real, got, real-r.allowed(l))
		}
		delete(charged, l.id)
	}
	if len(charged) > 0 {
		t.Errorf("charged for what never ran: %v", charged)
	}
}

// TestChargedIsTrue (invariant 5): with everything looked at in time, what is charged is what ran, less two sample
// intervals at most for each end of a task.
func TestChargedIsTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun(drawWorld(t))
		r.live(t)
		r.check(t)
	})
}

// TestChargedIsTrueThroughGaps: the engine does not answer for some time, and no process runs for some time.
func TestChargedIsTrueThroughGaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun(drawWorld(t))
		r.blind, r.deaf = drawSpans(t, "blind"), drawSpans(t, "deaf")
		r.live(t)
		r.check(t)
	})
}

func drawSpans(t *rapid.T, label string) []span {
	var out []span
	for range rapid.IntRange(0, 3).Draw(t, label) {
		from := moment(t, 0, length, label+" from")
		out = append(out, span{from, moment(t, from, min(from+10*time.Minute, length+2*time.Minute), label+" to")})
	}

	return out
}

// TestKilledAnywhere (invariant 7): a process that is killed before or after any write, and followed by another, leaves
// behind what one would have left that was not.
func TestKilledAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		calm := newRun(w)
		calm.live(t)

		often := rapid.IntRange(1, 40).Draw(t, "every")
		kills := rapid.SliceOfN(rapid.SampledFrom([]fault{killBefore, killAfter}), 1, 10).Draw(t, "kills")
		cruel := newRun(w)
		cruel.store.fault = func(n int) fault {
			if n%often != often-1 || n/often >= 3*len(kills) {
				return none
			}

			return kills[n/often%len(kills)]
		}
		cruel.live(t)

		if diff := cmp.Diff(calm.store.windows, cruel.store.windows); diff != "" {
			t.Errorf("windows (-calm +killed):\n%s", diff)
		}
	})
}

// TestWritesFail: writes that are refused or whose answer is lost are samples that are missed, and nothing worse.
func TestWritesFail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun(drawWorld(t))
		faults := rapid.SliceOfN(rapid.SampledFrom([]fault{none, none, none, before, after}), 1, 60).Draw(t, "faults")
		r.store.fault = func(n int) fault {
			if n/len(faults) >= 3 {
				return none
			}

			return faults[n%len(faults)]
		}
		r.live(t)

		charged := r.store.seconds()
		for id, real := range r.truth() {
			if got := float64(charged[id]); got > real+2 {
				t.Errorf("task %q ran %.3f s and is charged %v", id, real, got)
			}
		}
	})
}

// TestTwoLeaders: one that was replaced and does not know it charges nothing any more. Even a store that would let him
// charges no window twice, because a record that has changed is not written over.
func TestTwoLeaders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun(drawWorld(t))
		r.store.unfenced = rapid.Bool().Draw(t, "unfenced")
		from := moment(t, time.Minute, length, "replaced")
		turns := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 20).Draw(t, "turns")

		old := r.meter
		for i, tick := 0, time.Duration(0); tick < length+5*time.Minute; i, tick = i+1, tick+interval {
			if tick >= from && r.meter == old {
				r.elect()
			}
			r.now = tick
			if turn := turns[i%len(turns)]; turn != 0 {
				_ = r.meter.Tick(t.Context())
			}
			if turn := turns[i%len(turns)]; turn != 1 && r.meter != old {
				r.now = tick
				if err := old.Tick(t.Context()); !r.store.unfenced && !errors.Is(err, usage.ErrFenced) {
					t.Fatalf("the old leader at %s: got %v, want ErrFenced", tick, err)
				}
			}
		}

		if len(r.store.broken) > 0 {
			t.Fatalf("promises that were broken: %q", r.store.broken)
		}
		charged := r.store.seconds()
		for id, real := range r.truth() {
			if got := float64(charged[id]); got > real+2 {
				t.Errorf("task %q ran %.3f s and is charged %v", id, real, got)
			}
		}
	})
}

// clockScript sets the clock at moments of a history.
type clockScript []struct {
	at     time.Duration
	offset time.Duration
}

// TestClockScripts (invariant 8): whatever somebody does to the clock, no window is charged twice, none before its end,
// and nobody pays for time that did not pass.
func TestClockScripts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRun(drawWorld(t))
		script := make(clockScript, rapid.IntRange(1, 5).Draw(t, "steps"))
		for i := range script {
			script[i].at = moment(t, 0, length, "step")
			script[i].offset = rapid.SampledFrom([]time.Duration{
				0, time.Second, -time.Second, 20 * time.Second, -20 * time.Second, 3 * time.Minute, -3 * time.Minute, 2 * time.Hour, -time.Hour,
			}).Draw(t, "offset")
		}

		for tick := time.Duration(0); tick < length+5*time.Minute; tick += interval {
			r.now = tick
			for _, s := range script {
				if s.at >= tick && s.at < tick+interval {
					r.set(s.offset)
				}
			}
			_ = r.meter.Tick(t.Context())
		}

		if len(r.store.broken) > 0 {
			t.Fatalf("promises that were broken: %q", r.store.broken)
		}
		charged := r.store.seconds()
		for id, real := range r.truth() {
			// While our clock differs from those of nodes, an end is known to one sample interval.
			if got, most := float64(charged[id]), real+2*interval.Seconds()+float64(len(script))*maxStep.Seconds(); got > most {
				t.Errorf("task %q ran %.3f s and is charged %v, at most %.0f are due", id, real, got, most)
			}
		}
	})
}
