package main

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// bareList is one list of the services with the numbers of their tasks, which nobody who wants to know can do without.
const bareList = "one bare list"

var resync = benchmark{
	name:  "resync",
	title: "A look at everything, nothing changed",
	about: "Services (1,000 in profile quick, 5,000 in full; 0 replicas) are in sync. Dogker lists them at its own pace; from the beginning " +
		"of the list until each service has been compared, by Dogker's own metric. `docker stack deploy` deploys again, on an engine of its own, " +
		"a file with as many services. At the end no service's version has moved.",
	goals: []measure.Goal{
		{Figure: lookTime, Against: bareList, AtMost: 1.5},
		{Figure: lookTime, Against: stackDeploy, AtMost: 0.01},
		{Figure: lookWrites, AtMost: 0},
	},
	run: func(ctx context.Context, s *session) error {
		st, proxy, err := s.stage(ctx, tenants, true)
		if err != nil {
			return err
		}
		if _, err := st.standing(ctx, s.services); err != nil {
			return err
		}
		other, err := s.engine(ctx)
		if err != nil {
			return err
		}
		stack, err := st.deployElsewhere(ctx, other, s.dir, s.services)
		if err != nil {
			return err
		}

		return s.take(ctx, s.rounds,
			arm{bareList, func(ctx context.Context, add adder) error { return st.bareList(ctx, add) }},
			arm{stackDeploy, func(ctx context.Context, add adder) error {
				began := time.Now()
				err := stack.Deploy(ctx)
				add(lookTime, measure.Seconds, time.Since(began).Seconds())
				return err
			}},
			arm{measure.Ours, func(ctx context.Context, add adder) error { return st.look(ctx, proxy, add) }},
		)
	},
}

const (
	lookTime   = "a look at everything"
	lookWrites = "writes to the engine"
)

// bareList is the list by itself. The best of a few, because Dogker's own may be under way at the same time.
func (st *stage) bareList(ctx context.Context, add adder) error {
	const tries = 5

	best := time.Duration(0)
	for i := range tries {
		began := time.Now()
		if _, err := st.engine.Docker.ServiceList(ctx, swarm.ServiceListOptions{Status: true}); err != nil {
			return err
		}
		if took := time.Since(began); i == 0 || took < best {
			best = took
		}
	}
	add(lookTime, measure.Seconds, best.Seconds())

	return nil
}

// look waits until Dogker has looked at all services twice, and reports how long that took it.
func (st *stage) look(ctx context.Context, proxy *rig.Proxy, add adder) error {
	const (
		metric = "dogker_swarm_resync_duration_seconds"
		kind   = `kind="service"`
		looks  = 2
	)

	before, err := st.versions(ctx)
	if err != nil {
		return err
	}
	sum, err := st.server.Metric(ctx, metric+"_sum", kind)
	if err != nil {
		return err
	}
	count, err := st.server.Metric(ctx, metric+"_count", kind)
	if err != nil {
		return err
	}
	proxy.Take()

	for {
		now, err := st.server.Metric(ctx, metric+"_count", kind)
		if err != nil {
			return err
		}
		if now >= count+looks {
			total, err := st.server.Metric(ctx, metric+"_sum", kind)
			if err != nil {
				return err
			}
			add(lookTime, measure.Seconds, (total-sum)/(now-count))
			break
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}

	_, writes, _ := tally(proxy.Take())
	add(lookWrites, measure.Count, writes)

	return st.unmoved(ctx, before)
}

// versions are those of all services.
func (st *stage) versions(ctx context.Context) (map[string]uint64, error) {
	services, err := st.engine.Services(ctx, "")
	if err != nil {
		return nil, err
	}

	out := map[string]uint64{}
	for _, s := range services {
		out[s.ID] = s.Version.Index
	}

	return out, nil
}

func (st *stage) unmoved(ctx context.Context, before map[string]uint64) error {
	now, err := st.versions(ctx)
	if err != nil {
		return err
	}
	if len(now) != len(before) {
		return fmt.Errorf("there were %d services, and now there are %d", len(before), len(now))
	}
	for id, version := range now {
		if version != before[id] {
			return fmt.Errorf("version of service %q moved from %d to %d", id, before[id], version)
		}
	}

	return nil
}

// deployElsewhere deploys a stack of n services on an engine of its own, so that it has no more services to deal with
// than Dogker has.
func (st *stage) deployElsewhere(ctx context.Context, e *rig.Engine, dir string, n int) (*rig.Stack, error) {
	networkID, err := e.CreateNetwork(ctx, bareNetwork)
	if err != nil {
		return nil, err
	}
	there := &stage{engine: e, like: st.like, networkID: networkID}
	stack, err := there.stack(dir, n, 0)
	if err != nil {
		return nil, err
	}
	if err := stack.Deploy(ctx); err != nil {
		return nil, err
	}
	_, err = e.AwaitServices(ctx, stack.Name, n)

	return stack, err
}
