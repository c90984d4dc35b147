//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// tally knows all runs of a namespace: those that the API had on record, and those that the engine has made services for.
type tally struct {
	*tenant

	mu sync.Mutex
	// recorded are the runs by the name of their service, as they were seen last, and jobs those that they are of.
	recorded map[string]v1alpha1.JobRun
	jobs     map[string]string
	// made is how often the engine made a service of that name.
	made map[string]int
	err  error
}

// tally follows the namespace until the test ends. A server that is down is asked again.
func (n *tenant) tally() *tally {
	n.t.Helper()

	ctx, cancel := context.WithCancel(context.Background())
	var both sync.WaitGroup
	n.t.Cleanup(func() { cancel(); both.Wait() })

	y := &tally{tenant: n, recorded: map[string]v1alpha1.JobRun{}, jobs: map[string]string{}, made: map[string]int{}}
	both.Go(func() {
		for ctx.Err() == nil {
			y.look()
			time.Sleep(4 * glance)
		}
	})
	messages, failed := n.docker().Events(ctx, events.ListOptions{Filters: filters.NewArgs(filters.Arg("type", string(events.ServiceEventType)))})
	both.Go(func() {
		for {
			select {
			case m := <-messages:
				y.note(m)
			case err := <-failed:
				y.mu.Lock()
				defer y.mu.Unlock()
				y.err = err

				return
			}
		}
	})

	return y
}

// look takes down which runs are on record.
func (y *tally) look() {
	jobs, err := y.tenant.jobs()
	if err != nil {
		return
	}

	y.mu.Lock()
	defer y.mu.Unlock()
	for name, j := range jobs {
		for _, r := range append(j.Status.Active, j.Status.History...) {
			service := swarmobj.RunServiceName(y.name, r.Name)
			y.recorded[service], y.jobs[service] = r, name
		}
	}
}

func (y *tally) note(m events.Message) {
	name := m.Actor.Attributes["name"]
	if m.Action != events.ActionCreate || !strings.HasPrefix(name, swarmobj.RunServiceName(y.name, "")) {
		return
	}

	y.mu.Lock()
	defer y.mu.Unlock()
	y.made[name]++
}

// servicesOf are the services that the engine has made for runs of a job.
func (y *tally) servicesOf(job string) []string { return y.services()[job] }

// services are those that the engine has made for runs, by job.
func (y *tally) services() map[string][]string {
	y.look()
	y.mu.Lock()
	defer y.mu.Unlock()

	all := map[string][]string{}
	for service := range y.made {
		all[y.jobs[service]] = append(all[y.jobs[service]], service)
	}
	for _, services := range all {
		slices.Sort(services)
	}

	return all
}

// wantAll wants at least so many runs; that each has had one service, and no service was of none; and that jobs which are there
// have counted all of theirs, and remember as many as they are to.
func (y *tally) wantAll(least int) {
	y.t.Helper()

	y.look()
	jobs, err := y.tenant.jobs()
	if err != nil {
		y.t.Fatal(err)
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.err != nil && !errors.Is(y.err, context.Canceled) {
		y.t.Fatalf("events of services were missed: %v", y.err)
	}

	if len(y.recorded) < least {
		y.t.Errorf("there were %d runs, want %d at least", len(y.recorded), least)
	}
	for service, run := range y.recorded {
		if y.made[service] > 1 || run.ServiceID != "" && y.made[service] == 0 {
			y.t.Errorf("service %s was made %d times, for the run %+v", service, y.made[service], run)
		}
	}
	for service := range y.made {
		if _, known := y.recorded[service]; !known {
			y.t.Errorf("service %s is of no run that was on record", service)
		}
	}

	had, over := map[string]int64{}, map[v1alpha1.JobRunPhase]int{}
	for service, job := range y.jobs {
		had[job]++
		over[y.recorded[service].Phase]++
	}
	for name, j := range jobs {
		if counted := j.Status.Succeeded + j.Status.Failed; counted != had[name] || len(j.Status.History) == 0 {
			y.t.Errorf("%s has had %d runs, and counts %d; it remembers %+v", name, had[name], counted, j.Status.History)
		}
	}
	y.t.Logf("%d runs (%v) had %d services", len(y.recorded), over, len(y.made))
}

// wantNothingOfRuns waits until Swarm has no service, no task and no container of any run, on any node.
func (n *tenant) wantNothingOfRuns() {
	n.t.Helper()

	await(n.t, goneBy, "nothing is left of runs", func() error {
		ctx, cancel := contextFor(soon)
		defer cancel()

		services, err := n.docker().ServiceList(ctx, swarm.ServiceListOptions{Filters: filters.NewArgs(
			filters.Arg("label", v1alpha1.SwarmLabelTenant+"="+n.name), filters.Arg("label", v1alpha1.SwarmLabelKind+"=TenantJob"),
		)})
		if err != nil {
			return err
		}
		tasks, err := n.jobTasks()
		if err != nil {
			return err
		}
		var containers []string
		for _, node := range n.lab.Nodes {
			all, err := node.Docker.ContainerList(ctx, container.ListOptions{All: true})
			if err != nil {
				return fmt.Errorf("list containers of node %q: %w", node.Name, err)
			}
			for _, c := range all {
				if strings.HasPrefix(c.Labels["com.docker.swarm.service.name"], swarmobj.RunServiceName(n.name, "")) {
					containers = append(containers, c.Names[0])
				}
			}
		}
		if len(services)+len(tasks)+len(containers) > 0 {
			return fmt.Errorf("%d services, %d tasks and the containers %v are", len(services), len(tasks), containers)
		}

		return nil
	})
}
