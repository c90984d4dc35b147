package main

import (
	"context"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// The arms.
const (
	bareCalls   = "bare calls"
	stackDeploy = "docker stack deploy"
)

// Figures of the benchmarks about starting.
const (
	untilSeen    = "until it is seen to run"
	untilRuns    = "until it runs, by the engine's clock"
	untilCreated = "until its service exists, by the engine's clock"
	addedToBare  = "added to bare calls, p50"
)

var startOne = benchmark{
	name:  "start-one",
	title: "Spec to running, one container",
	about: "One container of one task, from the first call until it is seen to run: with Dogker in the object's status, by a watch; " +
		"otherwise in the engine's list of tasks, asked every 5 ms.",
	goals: []measure.Goal{
		{Figure: untilSeen, Against: bareCalls, AtMost: 1.05},
		{Figure: untilSeen, Against: stackDeploy, AtMost: 1},
		{Figure: addedToBare, AtMost: 0.010},
	},
	run: func(ctx context.Context, s *session) error {
		if err := starts(ctx, s, s.samples, 1, 5*time.Millisecond); err != nil {
			return err
		}
		added := s.report.Values(measure.Ours, untilSeen).Median() - s.report.Values(bareCalls, untilSeen).Median()
		s.report.Add(measure.Ours, addedToBare, measure.Seconds, added)

		return nil
	},
}

var startMany = benchmark{
	name:  "start-many",
	title: "Spec to running, many containers",
	about: "Containers of one task each (20 in profile quick, 100 in full), all at once, until the last is seen to run. Bare calls and calls " +
		"of the API are made eight at a time; the engine's list of tasks is asked every 50 ms.",
	goals: []measure.Goal{
		{Figure: untilSeen, Against: bareCalls, AtMost: 1.05},
		{Figure: untilSeen, Against: stackDeploy, AtMost: 1},
	},
	run: func(ctx context.Context, s *session) error {
		return starts(ctx, s, s.rounds, s.tasks, 50*time.Millisecond)
	},
}

// starts lets the arms start n containers each.
func starts(ctx context.Context, s *session, rounds, n int, every time.Duration) error {
	st, _, err := s.stage(ctx, 1, false)
	if err != nil {
		return err
	}
	specs, err := st.copies(n, 1)
	if err != nil {
		return err
	}
	stack, err := st.stack(s.dir, n, 1)
	if err != nil {
		return err
	}
	watch, err := st.server.WatchReady(ctx)
	if err != nil {
		return err
	}
	defer watch.Stop()

	return s.take(ctx, rounds,
		arm{bareCalls, func(ctx context.Context, add adder) error {
			return st.startBare(ctx, "bare_", n, every, add, func() error { return st.engine.Create(ctx, specs) })
		}},
		arm{stackDeploy, func(ctx context.Context, add adder) error {
			return st.startBare(ctx, stack.Name+"_", n, every, add, func() error { return stack.Deploy(ctx) })
		}},
		arm{measure.Ours, func(ctx context.Context, add adder) error { return st.startOurs(ctx, watch, n, add) }},
	)
}

// startBare starts services, asks the engine until all run, and removes them.
func (st *stage) startBare(ctx context.Context, prefix string, n int, every time.Duration, add adder, start func() error) error {
	began := time.Now()
	if err := start(); err != nil {
		return err
	}
	services, err := st.engine.AwaitServices(ctx, prefix, n)
	if err != nil {
		return err
	}
	last, err := st.engine.AwaitRunning(ctx, services, every)
	if err != nil {
		return err
	}
	add(untilSeen, measure.Seconds, time.Since(began).Seconds())
	add(untilRuns, measure.Seconds, last.Sub(began).Seconds())
	add(untilCreated, measure.Seconds, lastCreated(services).Sub(began).Seconds())

	return st.engine.Remove(ctx, services)
}

// startOurs starts containers, waits until all are Ready, and deletes them.
func (st *stage) startOurs(ctx context.Context, watch *rig.Watch, n int, add adder) error {
	containers := st.containers(n, 1)

	began := time.Now()
	if err := st.server.Apply(ctx, rig.Callers, containers); err != nil {
		return err
	}
	ready, err := watch.Await(ctx, n+len(st.namespaces))
	if err != nil {
		return err
	}
	add(untilSeen, measure.Seconds, ready.Sub(began).Seconds())

	services, err := st.engine.Services(ctx, st.namespaces[0]+"_c")
	if err != nil {
		return err
	}
	last, err := st.engine.AwaitRunning(ctx, services, time.Millisecond)
	if err != nil {
		return err
	}
	add(untilRuns, measure.Seconds, last.Sub(began).Seconds())
	add(untilCreated, measure.Seconds, lastCreated(services).Sub(began).Seconds())

	return st.clear(ctx)
}

// lastCreated is when the last of the services was created, by the engine's clock.
func lastCreated(services []swarm.Service) (last time.Time) {
	for _, s := range services {
		if s.CreatedAt.After(last) {
			last = s.CreatedAt
		}
	}

	return last
}
