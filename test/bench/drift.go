package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

const program = "twenty-line program"

// repairTimeout bounds the wait for one repair: two periods of the adapter's full list.
const repairTimeout = time.Minute

var drift = benchmark{
	name:  "drift",
	title: "Drift repair by events",
	about: "Services (200 in profile quick, 1,000 in full, and as many of the program's own) are removed, scaled and given another image by " +
		"hand, one at a time; from the engine's event of the harm to its event of the repair. At the end every service is as it was.",
	goals: []measure.Goal{
		{Figure: "harm to repair, p99", AtMost: 0.100},
		{Figure: "harm to repair, p99", Against: program, AtMost: 2},
	},
	run: func(ctx context.Context, s *session) error {
		st, _, err := s.stage(ctx, tenants, false)
		if err != nil {
			return err
		}
		ours, err := st.standing(ctx, s.drifting)
		if err != nil {
			return err
		}
		theirs, err := st.programs(ctx, s.drifting)
		if err != nil {
			return err
		}
		each := s.drifting / (s.rounds + 1)

		return s.take(ctx, s.rounds,
			arm{program, func(ctx context.Context, add adder) error { return st.harmPrograms(ctx, theirs.cut(each), add) }},
			arm{measure.Ours, func(ctx context.Context, add adder) error { return st.harm(ctx, ours.cut(each), add) }},
		)
	},
}

var blindDrift = benchmark{
	name:  "blind-drift",
	title: "Drift repair without events",
	about: "The same harm while the engine's event stream stays open and silent, so that only Dogker's own look at everything can find it; " +
		"from the engine's event of the harm, which the benchmark hears, to that of the repair.",
	goals: []measure.Goal{{Figure: "harm to repair", AtMost: 30}},
	run: func(ctx context.Context, s *session) error {
		st, proxy, err := s.stage(ctx, tenants, true)
		if err != nil {
			return err
		}
		ours, err := st.standing(ctx, s.drifting)
		if err != nil {
			return err
		}
		proxy.SetSilent(true)
		h := newHarmer(ctx, st.engine)

		return s.take(ctx, s.rounds*len(harms), arm{measure.Ours, func(ctx context.Context, add adder) error {
			service := ours.cut(1)
			ctx, cancel := context.WithTimeout(ctx, repairTimeout)
			defer cancel()
			took, err := h.harm(ctx, service[0])
			add("harm to repair", measure.Seconds, took.Seconds())

			return errors.Join(err, st.unharmed(ctx, service))
		}})
	},
}

// supply hands out services, each once: whoever harms a service again and again is dealt with in another way.
type supply struct{ left []swarm.Service }

func (s *supply) cut(n int) []swarm.Service {
	out := s.left[:n]
	s.left = s.left[n:]

	return out
}

// standing makes n containers with 0 replicas and waits until all is quiet.
func (st *stage) standing(ctx context.Context, n int) (*supply, error) {
	watch, err := st.server.WatchReady(ctx)
	if err != nil {
		return nil, err
	}
	defer watch.Stop()

	if err := st.server.Apply(ctx, rig.Callers, st.containers(n, 0)); err != nil {
		return nil, err
	}
	if _, err := watch.Await(ctx, n+len(st.namespaces)); err != nil {
		return nil, err
	}
	services, err := st.ours(ctx, n)

	return &supply{services}, err
}

// programs makes n services for the program.
func (st *stage) programs(ctx context.Context, n int) (*supply, error) {
	specs, err := st.copies(n, 0)
	if err != nil {
		return nil, err
	}
	if err := st.engine.Create(ctx, specs); err != nil {
		return nil, err
	}
	services, err := st.engine.AwaitServices(ctx, "bare_", n)

	return &supply{services}, err
}

// harmPrograms harms services while the program runs.
func (st *stage) harmPrograms(ctx context.Context, services []swarm.Service, add adder) error {
	wanted := map[string]swarm.ServiceSpec{}
	for _, s := range services {
		wanted[s.Spec.Name] = s.Spec
	}

	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- repair(ctx, st.engine.Docker, wanted) }()
	time.Sleep(100 * time.Millisecond) // It subscribes.

	err := st.harm(ctx, services, add)
	cancel()
	if perr := <-ended; !errors.Is(perr, context.Canceled) {
		err = errors.Join(err, fmt.Errorf("run program: %w", perr))
	}

	return err
}

// harm harms the services one after the other.
func (st *stage) harm(ctx context.Context, services []swarm.Service, add adder) error {
	h := newHarmer(ctx, st.engine)

	var took measure.Values
	for _, s := range services {
		one, cancel := context.WithTimeout(ctx, repairTimeout)
		t, err := h.harm(one, s)
		cancel()
		if err != nil {
			return err
		}
		took = append(took, t.Seconds())
		time.Sleep(20 * time.Millisecond) // The engine also settles what the repair was about.
	}
	add("harm to repair, p50", measure.Seconds, took.Median())
	add("harm to repair, p99", measure.Seconds, took.Percentile(99))

	return st.unharmed(ctx, services)
}

// unharmed checks that services are as they were, but for their IDs.
func (st *stage) unharmed(ctx context.Context, services []swarm.Service) error {
	for _, was := range services {
		now, _, err := st.engine.Docker.ServiceInspectWithRaw(ctx, was.Spec.Name, swarm.ServiceInspectOptions{})
		if err != nil {
			return err
		}
		a, errA := json.Marshal(was.Spec)
		b, errB := json.Marshal(now.Spec)
		if string(a) != string(b) || errA != nil || errB != nil {
			return fmt.Errorf("service %q is not as it was:\n%s\n%s", was.Spec.Name, a, b)
		}
	}

	return nil
}
