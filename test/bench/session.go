package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// size says how much of everything. Quick shows whether something is badly off; full is what is reported.
type size struct {
	name string
	// rounds of benchmarks whose turns take long, and samples of those whose turns are short.
	rounds, samples int
	// tasks that are started at a time, and services that are created at a time, per size.
	tasks  int
	create []int
	// services of the benchmarks about standing state, and those under drift.
	services, drifting int
	// objects that the API takes, and how long patches arrive at a fixed rate.
	objects    int
	openLoop   time.Duration
	footprints []int
	idle       time.Duration
	// tenants that stand when more are made, how many are made in a turn, and how often somebody applies in one.
	standing, newcomers, applies int
	// payers are tenants that are charged by the minute, each for ten tasks.
	payers int
	// declared are objects of one repository, and syncs are repositories that are synced beside each other.
	declared, syncs int
	// sampled are numbers of containers that an agent samples.
	sampled []int
	// listed are tasks that are listed, and logged are lines of a log that is read.
	listed, logged int
	// volumes are Volumes that there are, and nothing happens to.
	volumes int
	// stored is how many MiB are in a Volume whose snapshots are made.
	stored int
}

var sizes = map[string]size{
	"quick": {
		name: "quick", rounds: 2, samples: 5, tasks: 20, create: []int{500}, services: 1000, drifting: 200,
		objects: 1000, openLoop: 10 * time.Second, footprints: []int{10, 1000}, idle: 30 * time.Second,
		standing: 100, newcomers: 20, applies: 5, payers: 100, declared: 200, syncs: 50, sampled: []int{10, 20}, listed: 1000, logged: 20_000, volumes: 1000, stored: 128,
	},
	"full": {
		name: "full", rounds: 5, samples: 30, tasks: 100, create: []int{500, 5000}, services: 5000, drifting: 1000,
		objects: 5000, openLoop: time.Minute, footprints: []int{10, 1000, 5000}, idle: 5 * time.Minute,
		standing: 1000, newcomers: 100, applies: 20, payers: 1000, declared: 1000, syncs: 500, sampled: []int{10, 100, 500}, listed: 5000, logged: 200_000, volumes: 10_000, stored: 1024,
	},
}

// session is a benchmark while it runs, with everything that it has started.
type session struct {
	size
	report *measure.Report

	// flags are what the user asked for; dir is for files of this benchmark.
	flags
	dir       string
	started   time.Time
	running   *rig.Server
	consumers map[string]rig.Consumer
	engines   int
	stops     []func() error
	loads     []float64
	foreign   []float64
}

// timeout bounds a benchmark. The longest, with 5,000 services and five rounds, takes half of it on two cores.
const timeout = time.Hour

func runOne(ctx context.Context, b benchmark, p size, f flags, dir string) (r *measure.Report, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	s := &session{
		size: p, flags: f, dir: filepath.Join(dir, b.name), started: time.Now(),
		report:    &measure.Report{Name: b.name, Title: b.title, About: b.about, Goals: b.goals},
		consumers: map[string]rig.Consumer{"caller": rig.Self()},
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}

	defer func() {
		for _, stop := range slices.Backward(s.stops) {
			err = errors.Join(err, stop())
		}
	}()
	s.say("begins")
	if err := b.run(ctx, s); err != nil {
		return nil, err
	}
	s.report.Conditions = s.conditions()

	return s.report, nil
}

// say tells the user how far it is.
func (s *session) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s %s: %s\n", time.Now().Format(time.TimeOnly), s.report.Name, fmt.Sprintf(format, args...))
}

// engine starts an engine for the session.
func (s *session) engine(ctx context.Context) (*rig.Engine, error) {
	e, err := rig.StartEngine(ctx)
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, e.Down)
	s.engines++
	s.consumers[fmt.Sprintf("engine %d", s.engines)] = e.Consumer()

	return e, nil
}

// etcd starts an etcd for the session.
func (s *session) etcd() (*rig.Etcd, error) {
	e, err := rig.StartEtcd(filepath.Join(s.dir, "etcd"))
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, e.Stop)
	s.consumers["etcd"] = e.Process()

	return e, nil
}

// swarm starts a swarm in memory for the session.
func (s *session) swarm() (*rig.Swarm, error) {
	sw, err := rig.StartSwarm()
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, sw.Stop)
	s.consumers["swarm"] = sw.Process()

	return sw, nil
}

// proxy starts a proxy in front of the engine.
func (s *session) proxy(e *rig.Engine) (*rig.Proxy, error) {
	p, err := rig.StartProxy(filepath.Join(s.dir, "proxy.sock"), e.Host)
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, p.Close)

	return p, nil
}

// server starts Dogker for the session, on a data directory of its own.
func (s *session) server(ctx context.Context, dockerHost string, flags ...string) (*rig.Server, error) {
	srv, err := rig.StartServer(ctx, s.program, filepath.Join(s.dir, "data"), dockerHost, flags...)
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, srv.Stop)
	s.running = srv
	s.consumers["dogker"] = srv.Process()

	return srv, nil
}

// arm is one of those that are compared. A turn adds its figures to the report by add, and leaves everything as it was
// before: cleaning up is part of the turn, and not of what it measures.
type arm struct {
	name string
	turn func(ctx context.Context, add adder) error
}

// adder notes a figure of the turn.
type adder func(figure string, unit measure.Unit, value float64)

// take lets the arms take turns for n rounds. The first round is not counted: it pays for what happens only once.
func (s *session) take(ctx context.Context, n int, arms ...arm) error {
	for round := range n + 1 {
		for _, a := range arms {
			s.loads = append(s.loads, rig.Load())
			meter := rig.StartMeter(s.consumers)
			if round == n && a.name == measure.Ours {
				defer s.profileCPU(ctx)()
			}

			var took []string
			err := a.turn(ctx, func(figure string, unit measure.Unit, value float64) {
				took = append(took, figure+" "+unit.Format(value))
				if round > 0 {
					s.report.Add(a.name, figure, unit, value)
				}
			})
			if err != nil {
				return fmt.Errorf("round %d of %s: %w", round, a.name, err)
			}

			cpu, foreign := meter.Stop()
			s.foreign = append(s.foreign, foreign)
			s.say("round %d of %d, %s: %s (CPU of the turn:%s)", round, n, a.name, strings.Join(took, ", "), seconds(cpu))
		}
	}

	return nil
}

// profileCPU writes a CPU profile of Dogker's turn, if that is asked for, and returns what waits for it.
func (s *session) profileCPU(ctx context.Context) (wait func()) {
	const window = 10

	if s.profiles == "" {
		return func() {}
	}

	done := make(chan error, 1)
	go func() {
		done <- s.running.CPUProfile(ctx, filepath.Join(s.profiles, s.report.Name+".pprof"), window)
	}()

	return func() {
		if err := <-done; err != nil {
			s.say("no profile: %v", err)
		}
	}
}

// seconds prints the CPU time of consumers.
func seconds(consumers map[string]float64) string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(consumers)) {
		fmt.Fprintf(&out, " %s %.2f s", name, consumers[name])
	}

	return out.String()
}

// conditions say under which circumstances the figures came about.
func (s *session) conditions() []string {
	out := []string{fmt.Sprintf("Measured %s, %s, profile %s.", s.started.UTC().Format("2006-01-02 15:04 UTC"), commit(), s.size.name)}
	machine := fmt.Sprintf("%d cores, Linux %s, %s.", runtime.NumCPU(), kernel(), runtime.Version())
	if len(s.foreign) > 0 {
		machine += fmt.Sprintf(" Load average before the turns %.1f to %.1f; other processes kept %.1f to %.1f cores busy during them.",
			slices.Min(s.loads), slices.Max(s.loads), slices.Min(s.foreign), slices.Max(s.foreign))
	}

	return append(out, machine)
}

func commit() string {
	hash, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "outside of a repository"
	}
	dirty, _ := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output()
	if len(dirty) > 0 {
		return "commit " + strings.TrimSpace(string(hash)) + " with changes"
	}

	return "commit " + strings.TrimSpace(string(hash))
}

func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "of an unknown version"
	}

	return strings.TrimSpace(string(release))
}
