package converge

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// World is what is outside of the API in one run. It is fresh, and it is driven by the run's fake clock.
type World interface {
	// State is what is there, one line for each thing, without anything that differs from run to run.
	State() []string
	// Violations are what must never have been, and was.
	Violations() []string
}

// Run is one run of a scenario.
type Run struct {
	T     testing.TB
	Store *Store
	World World

	harness *Harness
	plan    *Plan
	begun   time.Time

	mu        sync.Mutex
	processes []*Process
	numbers   map[Call]int
	points    []Point
	struck    int
	writes    []string
	starting  int
}

func newRun(t testing.TB, h *Harness, plan *Plan) *Run {
	r := &Run{T: t, harness: h, plan: plan, begun: time.Now(), numbers: map[Call]int{}}
	r.Store = newStore(h)
	r.World = h.World(r)

	return r
}

// number counts the calls of one kind, over all processes.
func (r *Run) number(call Call) int {
	r.mu.Lock()
	defer r.mu.Unlock()

	r.numbers[call]++

	return r.numbers[call]
}

func (r *Run) recorded(p Point, kind Kind) {
	r.mu.Lock()
	defer r.mu.Unlock()

	r.points = append(r.points, p)

	if kind != "" {
		r.struck++
	}

	if p.Write {
		r.writes = append(r.writes, fmt.Sprintf("%v %s", time.Since(r.begun).Round(time.Millisecond), p))
	}
}

// start begins a new life of the program under test.
func (r *Run) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Process{World: r.World, run: r, ctx: ctx, cancel: cancel, queue: newQueue()}
	p.Seam = &Seam{run: r, process: p}
	p.cache = newCache(p, r.plan.View)
	p.Client, p.Live = p.connect()

	known := r.Store.since(0)

	r.mu.Lock()
	first := len(r.processes) == 0
	r.processes = append(r.processes, p)
	r.mu.Unlock()

	if !first && r.plan.View.Restart > 0 {
		known = known[:max(0, len(known)-r.plan.View.Restart)]
	}

	p.cache.fill(known)
	r.harness.Start(p)

	for _, key := range r.harness.Keys(p.Client) {
		p.Enqueue(reconcile.Request{NamespacedName: key})
	}

	p.Go(p.cache.follow)
	p.Go(p.work)
}

// crashed starts a new process in place of one that has crashed.
func (r *Run) crashed(*Process) { r.startAfter(restartTime) }

func (r *Run) startAfter(d time.Duration) {
	r.mu.Lock()
	r.starting++
	r.mu.Unlock()

	time.AfterFunc(d, func() {
		r.mu.Lock()
		r.starting--
		over := r.starting < 0
		r.mu.Unlock()

		if !over {
			r.start()
		}
	})
}

// Restart kills the program under test and starts it again. It is for steps of a scenario.
func (r *Run) Restart() {
	r.mu.Lock()
	processes, starting := slices.Clone(r.processes), r.starting > 0
	r.mu.Unlock()

	for _, p := range processes {
		p.kill()
	}

	// After a crash a new process is on its way already.
	if !starting {
		r.startAfter(restartTime)
	}
}

// leaseTime is after how long another process takes over from one that is silent.
const leaseTime = 6 * time.Second

// takeOver lets another process take the place of one that is paused, which does not know and goes on for a moment when
// it wakes up.
func (r *Run) takeOver(paused *Process) {
	paused.pause(pauseTime)
	r.startAfter(leaseTime)
	time.AfterFunc(pauseTime+zombieTime, paused.kill)
}

// stop ends all processes and waits for them.
func (r *Run) stop() {
	r.mu.Lock()
	processes := r.processes
	r.starting = -1000
	r.mu.Unlock()

	for _, p := range processes {
		p.kill()
	}

	for _, p := range processes {
		p.wg.Wait()
	}
}

// written returns the writes that have crossed the seams so far.
func (r *Run) written() []string {
	r.mu.Lock()
	defer r.mu.Unlock()

	return slices.Clone(r.writes)
}

// seen returns the calls that have been made so far.
func (r *Run) seen() []Point {
	r.mu.Lock()
	defer r.mu.Unlock()

	return slices.Clone(r.points)
}

// strikes is how many calls something went wrong with.
func (r *Run) strikes() int {
	r.mu.Lock()
	defer r.mu.Unlock()

	return r.struck
}

// poll is how often a step looks whether it has come to what was declared.
const poll = 250 * time.Millisecond

// await waits until the step has come to what was declared.
func (r *Run) await(s Step) error {
	within := s.Within
	if within == 0 {
		within = defaultWithin
	}

	end := time.Now().Add(within + r.plan.Patience)

	for {
		err := s.Until(r)
		if err == nil {
			return nil
		}

		if time.Now().After(end) {
			return fmt.Errorf("step %q has not come to what was declared within %v: %w", s.Name, within+r.plan.Patience, err)
		}

		time.Sleep(poll)
	}
}

// quiet is how many times everything is looked at once more, and nothing may be written. In between, every periodic pass
// has its turn.
const (
	quietPasses = 10
	quietPause  = 35 * time.Second
)

// demandQuiet looks at everything again and again, and returns what was written meanwhile.
func (r *Run) demandQuiet() []string {
	before := len(r.written())

	for range quietPasses {
		r.mu.Lock()
		p := r.processes[len(r.processes)-1]
		r.mu.Unlock()

		for _, key := range r.harness.Keys(p.Client) {
			p.Enqueue(reconcile.Request{NamespacedName: key})
		}

		time.Sleep(quietPause)
	}

	return r.written()[before:]
}
