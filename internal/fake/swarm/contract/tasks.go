package contract

import (
	"fmt"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	dswarm "github.com/docker/docker/api/types/swarm"
)

var tasks = []Case{
	{
		Name:   "TaskRuns",
		Reason: "What a running task looks like is what Ready means.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.spec("up"))
			up := e.awaitRunning(t, id, 1)[0]

			if up.Slot != 1 || up.NodeID == "" || up.Status.Message != "started" || up.Status.Err != "" || up.Status.ContainerStatus == nil {
				t.Errorf("a running task looks like %+v", up)
			}

			got := e.inspect(t, id)
			if got.UpdateStatus != nil || got.PreviousSpec != nil {
				t.Errorf("a new service has update status %+v and previous spec %v", got.UpdateStatus, got.PreviousSpec)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "EndedTaskSaysWhy",
		Reason: "The reason a tenant needs is only in the task, and not for long.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.spec("crash", "APP_CRASH_AFTER=300ms", "APP_EXIT_CODE=3"))
			down := e.awaitTask(t, id, func(task dswarm.Task) bool { return task.Status.State == dswarm.TaskStateFailed })

			if down.Status.Err != "task: non-zero exit (3)" || down.Status.ContainerStatus.ExitCode != 3 {
				t.Errorf("a task that crashed says %+v %+v", down.Status, down.Status.ContainerStatus)
			}

			e.awaitTask(t, id, func(task dswarm.Task) bool { return task.ID != down.ID && task.Slot == down.Slot })
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "ExitZeroIsComplete",
		Reason: "A container that ends well is not a failed one, and with restart on failure it rests.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("done", "APP_CRASH_AFTER=300ms", "APP_EXIT_CODE=0")
			spec.TaskTemplate.RestartPolicy.Condition = dswarm.RestartPolicyConditionOnFailure
			id := e.create(t, spec)
			down := e.awaitTask(t, id, func(task dswarm.Task) bool {
				return task.Status.State == dswarm.TaskStateComplete && task.DesiredState == dswarm.TaskStateShutdown
			})

			if down.Status.Message != "finished" || down.Status.Err != "" {
				t.Errorf("a task that ended well says %+v", down.Status)
			}

			e.never(t, 3*time.Second, func() error {
				if n := len(e.tasksOf(t, id)); n != 1 {
					return fmt.Errorf("a task at rest was restarted: %d tasks", n)
				}

				return nil
			})
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "RestartNeverRests",
		Reason: "A failed task whose policy is never to restart leaves the service with no running task.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("once", "APP_CRASH_AFTER=300ms", "APP_EXIT_CODE=4")
			spec.TaskTemplate.RestartPolicy.Condition = dswarm.RestartPolicyConditionNone
			id := e.create(t, spec)
			e.awaitTask(t, id, func(task dswarm.Task) bool { return task.Status.State == dswarm.TaskStateFailed })
			e.never(t, 3*time.Second, func() error {
				if n := len(e.tasksOf(t, id)); n != 1 {
					return fmt.Errorf("a task that must rest was restarted: %d tasks", n)
				}

				return nil
			})
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "MissingImageIsRejected",
		Reason: "A missing image is the most common mistake, and it must be told in the engine's words.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("missing")
			spec.TaskTemplate.ContainerSpec.Image = e.Missing
			id := e.create(t, spec)
			down := e.awaitTask(t, id, func(task dswarm.Task) bool { return task.Status.State == dswarm.TaskStateRejected })

			if down.Status.Err != "No such image: "+e.Missing {
				t.Errorf("a task without an image says %+v", down.Status)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "UnhealthyTaskEndsAsItsProcessDoes",
		Reason: "The engine asks a sick container to end. One that obeys is complete, without a word of its health.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("sick", "APP_UNHEALTHY=true")
			spec.TaskTemplate.ContainerSpec.Healthcheck = e.check()
			id := e.create(t, spec)
			down := e.awaitTask(t, id, func(task dswarm.Task) bool { return task.Status.State == dswarm.TaskStateComplete })

			if down.Status.Err != "" || down.Status.Message != "finished" {
				t.Errorf("a sick task that obeys says %+v", down.Status)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "UnhealthyTaskThatIsKilledSaysSo",
		Reason: "One that does not obey is killed, and only then the health check is named.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("stubborn", "APP_UNHEALTHY=true", "APP_IGNORE_TERM=true")
			spec.TaskTemplate.ContainerSpec.Healthcheck = e.check()
			id := e.create(t, spec)
			down := e.awaitTask(t, id, func(task dswarm.Task) bool { return task.Status.State == dswarm.TaskStateFailed })

			if down.Status.Err != "task: non-zero exit (137): dockerexec: unhealthy container" {
				t.Errorf("a sick task that was killed says %+v", down.Status)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "HealthyTaskStartsWhenItsCheckPasses",
		Reason: "Until then it is starting, and counts for nothing.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("healthy")
			spec.TaskTemplate.ContainerSpec.Healthcheck = e.check()
			id := e.create(t, spec)
			e.awaitTask(t, id, func(task dswarm.Task) bool { return task.Status.State == dswarm.TaskStateStarting })
			e.awaitRunning(t, id, 1)
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "UnplaceableTaskSaysWhy",
		Reason: "Each obstacle has the engine's own words.",
		Run: func(t *testing.T, e Engine) {
			one := uint64(1)
			cases := map[string]func(*dswarm.ServiceSpec){
				"no suitable node (scheduling constraints not satisfied on 1 node)": func(s *dswarm.ServiceSpec) {
					s.TaskTemplate.Placement = &dswarm.Placement{Constraints: []string{"node.labels.contract==none"}}
				},
				"no suitable node (insufficient resources on 1 node)": func(s *dswarm.ServiceSpec) {
					s.TaskTemplate.Resources = &dswarm.ResourceRequirements{Reservations: &dswarm.Resources{MemoryBytes: 1 << 50}}
				},
				"no suitable node (unsupported platform on 1 node)": func(s *dswarm.ServiceSpec) {
					s.TaskTemplate.Placement = &dswarm.Placement{Platforms: []dswarm.Platform{{OS: "linux", Architecture: "s390x"}}}
				},
				"no suitable node (max replicas per node limit exceed)": func(s *dswarm.ServiceSpec) {
					s.TaskTemplate.Placement = &dswarm.Placement{MaxReplicas: one}
					*s.Mode.Replicated.Replicas = 2
				},
				"no suitable node (host-mode port already in use on 1 node)": func(s *dswarm.ServiceSpec) {
					s.EndpointSpec.Ports = []dswarm.PortConfig{{
						Protocol: dswarm.PortConfigProtocolTCP, TargetPort: 80, PublishedPort: 30090, PublishMode: dswarm.PortConfigPublishModeHost,
					}}
					*s.Mode.Replicated.Replicas = 2
				},
			}
			for why, change := range cases {
				spec := e.spec("unplaceable")
				change(&spec)
				id := e.create(t, spec)
				e.awaitTask(t, id, func(task dswarm.Task) bool {
					return task.Status.State == dswarm.TaskStatePending && task.Status.Err == why
				})
				e.cleanUp(t, id)
			}
		},
	},
	{
		Name:   "HistoryIsFivePerSlot",
		Reason: "Why a task ended must be read before the engine forgets it.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.spec("history", "APP_CRASH_AFTER=10ms"))
			seen := map[string]bool{}

			e.await(t, func() error {
				for _, task := range e.tasksOf(t, id) {
					seen[task.ID] = true
				}

				if len(seen) < 8 {
					return fmt.Errorf("only %d tasks were made", len(seen))
				}

				return nil
			})

			if n := len(e.tasksOf(t, id)); n > 7 {
				t.Errorf("%d tasks of one slot are kept", n)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "RemovedServiceLeavesTasksBehind",
		Reason: "Its containers go on until they end, and can no longer be found by service.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.spec("stays", "APP_IGNORE_TERM=true"))
			e.awaitRunning(t, id, 1)

			if err := e.API.ServiceRemove(t.Context(), id); err != nil {
				t.Fatal(err)
			}

			e.awaitTask(t, id, func(task dswarm.Task) bool { return task.DesiredState == dswarm.TaskStateRemove })

			_, err := e.API.TaskList(t.Context(), dswarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", id))})
			wants(t, err, errdefs.IsNotFound, "service "+id+" not found")

			kept, err := e.API.TaskList(t.Context(), dswarm.TaskListOptions{Filters: label("contract", "stays")})
			if err != nil || len(kept) != 1 {
				t.Errorf("by the service's label: %d tasks, %v", len(kept), err)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "GlobalServiceRunsOncePerNode",
		Reason: "It has nodes instead of slots.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("everywhere")
			spec.Mode = dswarm.ServiceMode{Global: &dswarm.GlobalService{}}
			id := e.create(t, spec)

			if up := e.awaitRunning(t, id, 1)[0]; up.Slot != 0 || up.NodeID == "" {
				t.Errorf("a task of a global service has slot %d on node %q", up.Slot, up.NodeID)
			}

			e.cleanUp(t, id)
		},
	},
}

// check is a health check of the live tests' image, quick enough for a test.
func (e Engine) check() *container.HealthConfig {
	return &container.HealthConfig{
		Test: []string{"CMD", e.Entrypoint, "-check"}, Interval: 500 * time.Millisecond, Timeout: 2 * time.Second, Retries: 2,
	}
}
