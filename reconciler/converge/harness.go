package converge

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Harness is a program under test, and what it lives in.
type Harness struct {
	// Scheme of the API, and its kinds that have a status of their own.
	Scheme *runtime.Scheme
	Status []client.Object
	// Indexes of the processes' caches.
	Indexes []Index
	// World makes the outside world of a run.
	World func(r *Run) World
	// Start makes the loops of a process. It must not block.
	Start func(p *Process)
	// Keys are the objects that the loop is about, as a client sees them.
	Keys func(c client.Client) []types.NamespacedName
	// State is what the API holds in the end, one line for each thing, without anything that differs from run to run.
	State func(r *Run) []string
	// Check lists what is wrong with the end of a run, beyond its state: conditions that break the rules, panics.
	Check func(r *Run) []string
	// Replay is the command that runs one test, with %s for the expression that selects it.
	Replay string
	// Sample runs one plan of so many, all when it is below two. Part says which, from 0: another one each time, and all have
	// had their turn after so many times.
	Sample, Part int
}

// Scenario is a story with an end that is declared.
type Scenario struct {
	Name  string
	Steps []Step
}

// Step is something that somebody does, and what it must lead to.
type Step struct {
	Name string
	Do   func(r *Run)
	// Until returns nil when what was declared is so.
	Until func(r *Run) error
	// Within is how long that may take without faults; two minutes when zero.
	Within time.Duration
}

const defaultWithin = 2 * time.Minute

// settleTime lets what is still going on after the last step come to its end: histories, status, and the removal of what
// a call that came late has left behind.
const settleTime = 3 * time.Minute

// Run runs the scenario without faults, lets plans be made from what was recorded, and runs it once with each.
func (h *Harness) Run(t *testing.T, s Scenario, planners ...Planner) {
	t.Helper()

	var reference result

	if !t.Run("reference", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			reference = h.once(t, s, &Plan{Name: "reference"})
			h.report(t, s, reference, reference)
		})
	}) {
		t.Fatal("without faults it does not work either")
	}

	var plans []Plan
	for _, planner := range planners {
		plans = append(plans, planner(reference.points)...)
	}

	plans = h.sample(plans)

	var struck atomic.Int64

	t.Run("plans", func(t *testing.T) {
		for _, plan := range plans {
			t.Run(plan.Name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					got := h.once(t, s, &plan)
					h.report(t, s, reference, got)

					if got.struck > 0 {
						struck.Add(1)
					}
				})
			})
		}
	})

	t.Logf("%s: %d points, %d plans, %d of them with faults at calls that came", s.Name, len(reference.points), len(plans), struck.Load())
}

func (h *Harness) sample(plans []Plan) []Plan {
	if h.Sample < 2 {
		return plans
	}

	var out []Plan

	for i, p := range plans {
		if i%h.Sample == h.Part%h.Sample {
			out = append(out, p)
		}
	}

	return out
}

// result is how a run ended.
type result struct {
	plan     string
	problems []string
	state    []string
	points   []Point
	writes   []string
	struck   int
	took     time.Duration
}

// once is one run, in a bubble of its own.
func (h *Harness) once(t testing.TB, s Scenario, plan *Plan) (out result) {
	r := newRun(t, h, plan)
	defer r.stop()

	out.plan = plan.Name

	if plan.Prepare != nil {
		plan.Prepare(r)
	}

	r.start()
	out.problems = r.play(s)
	out.took = time.Since(r.begun)

	if out.problems == nil {
		time.Sleep(settleTime + plan.View.Lag + plan.View.StaleFor)
		out.points = r.seen()

		if late := r.demandQuiet(); len(late) > 0 {
			out.problems = append(out.problems, fmt.Sprintf("it is not quiet: %d writes in %d passes over what is as declared:\n\t%s",
				len(late), quietPasses, strings.Join(late, "\n\t")))
		}

		last := s.Steps[len(s.Steps)-1]
		if err := last.Until(r); err != nil {
			out.problems = append(out.problems, fmt.Sprintf("what was declared is so no longer: %v", err))
		}
	}

	out.problems = append(out.problems, r.World.Violations()...)
	out.problems = append(out.problems, h.Check(r)...)
	out.state = append(h.State(r), r.World.State()...)
	out.writes, out.struck = r.written(), r.strikes()

	return out
}

// play goes through the story and returns where it got stuck.
func (r *Run) play(s Scenario) []string {
	for _, step := range s.Steps {
		if step.Do != nil {
			step.Do(r)
		}

		if err := r.await(step); err != nil {
			return []string{err.Error()}
		}
	}

	return nil
}

// faulty lists what is wrong with a run, against one without faults.
func faulty(want, got result) []string {
	problems := got.problems

	if diff := cmp.Diff(want.state, got.state); diff != "" && len(problems) == 0 {
		problems = append(problems, "the end is another one than without faults (-want +got):\n"+diff)
	}

	return problems
}

// report tells what is wrong with a run, with everything that is needed to see it again.
func (h *Harness) report(t *testing.T, s Scenario, want, got result) {
	t.Helper()

	problems := faulty(want, got)
	if len(problems) == 0 {
		return
	}

	writes := got.writes
	if len(writes) > maxShown {
		writes = append(slices.Clone(writes[:maxShown]), "…")
	}

	t.Errorf("%s\nscenario %q, plan %q\nreplay: %s\nwrites:\n\t%s\nstate:\n\t%s",
		strings.Join(problems, "\n"), s.Name, got.plan, fmt.Sprintf(h.Replay, replayExpression(t.Name())),
		strings.Join(writes, "\n\t"), strings.Join(got.state, "\n\t"))
}

// maxShown is how many writes a report shows.
const maxShown = 80

// replayExpression selects exactly this test, and with it the reference run that it is compared with.
func replayExpression(name string) string {
	var parts []string

	for part := range strings.SplitSeq(name, "/") {
		parts = append(parts, "^"+quote(part)+"$")
	}

	// The reference run is a sibling of the plans and must run as well.
	for i, part := range parts {
		if part == "^plans$" {
			parts[i] = "^(plans|reference)$"
		}
	}

	return strings.Join(parts, "/")
}

func quote(s string) string {
	return strings.NewReplacer("(", `\(`, ")", `\)`, "+", `\+`, ".", `\.`, "*", `\*`, "?", `\?`).Replace(s)
}
