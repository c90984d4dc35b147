package main

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// tenants is over how many namespaces large numbers of containers are spread.
const tenants = 20

var create = benchmark{
	name:  "create",
	title: "Spec to service, hundreds and thousands",
	about: "New containers with 0 replicas in 20 namespaces, all at once, from the first call until the last service exists by the engine's " +
		"clock. Bare calls and calls of the API are made eight at a time. At the end all services are there, and no others.",
	goals: []measure.Goal{
		{Figure: createFigure(500), Against: stackDeploy, AtMost: 1},
		{Figure: createFigure(5000), Against: stackDeploy, AtMost: 1},
	},
	run: func(ctx context.Context, s *session) error {
		st, _, err := s.stage(ctx, tenants, false)
		if err != nil {
			return err
		}
		for _, n := range s.create {
			if err := creates(ctx, s, st, n); err != nil {
				return fmt.Errorf("create %d: %w", n, err)
			}
		}

		return nil
	},
}

func createFigure(n int) string { return fmt.Sprintf("%d services: until the last exists", n) }

func creates(ctx context.Context, s *session, st *stage, n int) error {
	specs, err := st.copies(n, 0)
	if err != nil {
		return err
	}
	stack, err := st.stack(s.dir, n, 0)
	if err != nil {
		return err
	}
	watch, err := st.server.WatchReady(ctx)
	if err != nil {
		return err
	}
	defer watch.Stop()

	// bare makes a turn of those who talk to the engine themselves.
	bare := func(prefix string, start func() error) func(context.Context, adder) error {
		return func(ctx context.Context, add adder) error {
			work := rig.StartMeter(s.consumers)
			began := time.Now()
			if err := start(); err != nil {
				return err
			}
			services, err := st.engine.AwaitServices(ctx, prefix, n)
			if err != nil {
				return err
			}
			addCreated(add, n, work, began, services)

			return st.engine.Remove(ctx, services)
		}
	}

	return s.take(ctx, s.rounds,
		arm{bareCalls, bare("bare_", func() error { return st.engine.Create(ctx, specs) })},
		arm{stackDeploy, bare(stack.Name+"_", func() error { return stack.Deploy(ctx) })},
		arm{measure.Ours, func(ctx context.Context, add adder) error { return st.createOurs(ctx, s, watch, n, add) }},
	)
}

func (st *stage) createOurs(ctx context.Context, s *session, watch *rig.Watch, n int, add adder) error {
	containers := st.containers(n, 0)

	work := rig.StartMeter(s.consumers)
	began := time.Now()
	if err := st.server.Apply(ctx, rig.Callers, containers); err != nil {
		return err
	}
	taken := time.Now()
	services, err := st.ours(ctx, n)
	if err != nil {
		return err
	}
	ready, err := watch.Await(ctx, n+len(st.namespaces))
	if err != nil {
		return err
	}
	addCreated(add, n, work, began, services)
	add(fmt.Sprintf("%d services: until the API has all", n), measure.Seconds, taken.Sub(began).Seconds())
	add(fmt.Sprintf("%d services: until the last is Ready", n), measure.Seconds, ready.Sub(began).Seconds())

	return st.clear(ctx)
}

func addCreated(add adder, n int, work *rig.Meter, began time.Time, services []swarm.Service) {
	cpu, _ := work.Stop()
	total := 0.0
	for _, seconds := range cpu {
		total += seconds
	}

	add(createFigure(n), measure.Seconds, lastCreated(services).Sub(began).Seconds())
	add(fmt.Sprintf("%d services: CPU of all that take part", n), measure.CPUSeconds, total)
}
