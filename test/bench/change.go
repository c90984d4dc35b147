package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// nothingChanges is the arm that shows what an engine is asked anyway.
const nothingChanges = "nothing changes"

// listening is how long calls are counted. Dogker's own looks at everything come more rarely than this.
const listening = 5 * time.Second

var change = benchmark{
	name:  "change",
	title: "One changed container among thousands",
	about: "An environment variable of one container (of 1,000 in profile quick, 5,000 in full; 0 replicas) changes, and every call to the " +
		"engine is counted for 5 s. Looks at everything that happen to be due are not counted in either arm. At the end the service has the variable.",
	goals: []measure.Goal{{Figure: "writes to the engine", AtMost: 1}, {Figure: "calls to the engine", AtMost: 10}},
	run: func(ctx context.Context, s *session) error {
		st, proxy, err := s.stage(ctx, tenants, true)
		if err != nil {
			return err
		}
		if _, err := st.standing(ctx, s.services); err != nil {
			return err
		}

		next := 0
		count := func(add adder) {
			proxy.Take()
			select {
			case <-time.After(listening):
			case <-ctx.Done():
			}
			calls, writes, what := tally(proxy.Take())
			add("calls to the engine", measure.Count, calls)
			add("writes to the engine", measure.Count, writes)
			s.say("calls: %s", what)
		}

		return s.take(ctx, s.rounds,
			arm{nothingChanges, func(_ context.Context, add adder) error {
				count(add)
				return nil
			}},
			arm{measure.Ours, func(ctx context.Context, add adder) error {
				tc := st.containers(next+1, 0)[next]
				next++
				if err := setVariable(ctx, st.server, tc); err != nil {
					return err
				}
				count(add)

				return st.hasVariable(ctx, tc)
			}},
		)
	},
}

// wholes are the calls that look at everything. They come at their own pace, whatever changes.
var wholes = []string{"GET /services", "GET /tasks", "GET /networks", "GET /secrets", "GET /configs", "GET /nodes"}

// tally counts calls and describes them.
func tally(calls []rig.Call) (all, writes float64, what string) {
	kinds := map[string]int{}
	for _, c := range calls {
		kinds[c.What]++
		if slices.Contains(wholes, c.What) {
			continue
		}
		all++
		if c.Write() {
			writes++
		}
	}

	var out []string
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		out = append(out, fmt.Sprintf("%d × %s", kinds[k], k))
	}

	return all, writes, strings.Join(out, ", ")
}

func setVariable(ctx context.Context, server *rig.Server, tc *v1alpha1.TenantContainer) error {
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"env":[{"name":"CHANGED","value":"yes"}]}}`))
	if err := server.Client.Patch(ctx, tc, patch); err != nil {
		return fmt.Errorf("patch container: %w", err)
	}

	return nil
}

func (st *stage) hasVariable(ctx context.Context, tc *v1alpha1.TenantContainer) error {
	services, err := st.engine.Services(ctx, tc.Namespace+"_"+tc.Name)
	if err != nil {
		return err
	}
	if len(services) != 1 || !slices.Contains(services[0].Spec.TaskTemplate.ContainerSpec.Env, "CHANGED=yes") {
		return fmt.Errorf("container %s/%s: the change has not arrived in Swarm", tc.Namespace, tc.Name)
	}

	return nil
}
