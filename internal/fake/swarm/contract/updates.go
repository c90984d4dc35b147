package contract

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	dswarm "github.com/docker/docker/api/types/swarm"
)

var updates = []Case{
	{
		Name:   "NoOpUpdateDestroysTheWayBack",
		Reason: "The most important fact about Swarm: a write that changes nothing is not harmless.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.rolling("noop", dswarm.UpdateOrderStartFirst))
			e.awaitRunning(t, id, 1)
			e.update(t, id, setEnv("V=2"))
			e.awaitUpdate(t, id, dswarm.UpdateStateCompleted)

			if e.inspect(t, id).PreviousSpec.TaskTemplate.ContainerSpec.Env != nil {
				t.Fatal("the previous spec is not the one before")
			}

			before := e.runningTasks(t, id)
			e.update(t, id, func(*dswarm.ServiceSpec) {})
			s := e.inspect(t, id)

			if diff := cmp.Diff(s.Spec, *s.PreviousSpec); diff != "" {
				t.Errorf("the previous spec has survived a write of the same spec:\n%s", diff)
			}

			if s.UpdateStatus != nil {
				t.Errorf("the status of the update has survived: %+v", s.UpdateStatus)
			}

			e.sameTasks(t, id, before)
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "LabelsAndScaleRestartNothing",
		Reason: "Bookkeeping stands in labels of the service, because those cost nothing.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.rolling("labels", dswarm.UpdateOrderStartFirst))
			before := e.awaitRunning(t, id, 1)
			e.update(t, id, func(s *dswarm.ServiceSpec) { s.Labels["more"] = "yes" })
			e.update(t, id, func(s *dswarm.ServiceSpec) { *s.Mode.Replicated.Replicas = 2 })
			e.awaitRunning(t, id, 2)
			e.update(t, id, func(s *dswarm.ServiceSpec) { *s.Mode.Replicated.Replicas = 1 })
			e.awaitRunning(t, id, 1)
			e.sameTasks(t, id, before)

			if s := e.inspect(t, id); s.UpdateStatus != nil {
				t.Errorf("scaling has an update status: %+v", s.UpdateStatus)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "ForceUpdateRestarts",
		Reason: "It is how a restart is asked for, and why the counter must be carried over by every write.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.rolling("force", dswarm.UpdateOrderStartFirst))
			before := e.awaitRunning(t, id, 1)
			e.update(t, id, func(s *dswarm.ServiceSpec) { s.TaskTemplate.ForceUpdate++ })
			e.awaitUpdate(t, id, dswarm.UpdateStateCompleted)

			if after := e.awaitRunning(t, id, 1); after[0].ID == before[0].ID {
				t.Error("the task was not replaced")
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "ConstraintThatHoldsRestartsNothing",
		Reason: "A change of placement that the task's node satisfies is no change for the task.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.rolling("constraint", dswarm.UpdateOrderStartFirst))
			before := e.awaitRunning(t, id, 1)
			e.update(t, id, func(s *dswarm.ServiceSpec) {
				s.TaskTemplate.Placement = &dswarm.Placement{Constraints: []string{"node.labels.contract!=none"}}
			})
			e.never(t, 2*time.Second, func() error {
				if s := e.inspect(t, id); s.UpdateStatus != nil {
					return fmt.Errorf("a rollout began: %+v", s.UpdateStatus)
				}

				return nil
			})
			e.sameTasks(t, id, before)
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "StartFirstKeepsServing",
		Reason: "The old task runs until the new one does.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.rolling("serving", dswarm.UpdateOrderStartFirst))
			e.awaitRunning(t, id, 1)
			e.update(t, id, setEnv("V=2"))

			done := false
			e.await(t, func() error {
				if len(e.runningTasks(t, id)) == 0 {
					t.Fatalf("nothing serves: %s", describe(e.tasksOf(t, id)))
				}

				s := e.inspect(t, id)
				if done = s.UpdateStatus != nil && s.UpdateStatus.State == dswarm.UpdateStateCompleted; !done {
					return fmt.Errorf("update status %+v", s.UpdateStatus)
				}

				return nil
			})
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "BadUpdateRollsBack",
		Reason: "After it the spec is the old one and there is no previous one: to the naive that looks like drift.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.rolling("bad", dswarm.UpdateOrderStartFirst))
			before := e.awaitRunning(t, id, 1)
			e.update(t, id, func(s *dswarm.ServiceSpec) {
				c := *s.TaskTemplate.ContainerSpec
				c.Image = e.Missing
				s.TaskTemplate.ContainerSpec = &c
			})
			s := e.awaitUpdate(t, id, dswarm.UpdateStateRollbackCompleted)

			if s.PreviousSpec != nil || s.Spec.TaskTemplate.ContainerSpec.Image != e.Image {
				t.Errorf("after the rollback: image %q, previous spec %v", s.Spec.TaskTemplate.ContainerSpec.Image, s.PreviousSpec)
			}

			e.sameTasks(t, id, before)
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "CrashingUpdateRollsBack",
		Reason: "A task that ends within the time it is watched is a failure of the update, though it did run.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.rolling("crashing", dswarm.UpdateOrderStopFirst))
			e.awaitRunning(t, id, 1)
			e.update(t, id, setEnv("APP_CRASH_AFTER=200ms"))
			s := e.awaitUpdate(t, id, dswarm.UpdateStateRollbackCompleted)

			if s.Spec.TaskTemplate.ContainerSpec.Env != nil {
				t.Errorf("after the rollback: env %q", s.Spec.TaskTemplate.ContainerSpec.Env)
			}

			e.awaitRunning(t, id, 1)
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "WriteDuringBadUpdatePreventsRollback",
		Reason: "Whoever applies the same spec again while a rollout fails makes the failure permanent.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.rolling("prevented", dswarm.UpdateOrderStartFirst))
			e.awaitRunning(t, id, 1)
			e.update(t, id, setEnv("APP_CRASH_AFTER=1s"))
			e.awaitTask(t, id, func(task dswarm.Task) bool {
				return task.Status.State == dswarm.TaskStateRunning && len(task.Spec.ContainerSpec.Env) > 0
			})
			e.update(t, id, func(*dswarm.ServiceSpec) {})
			e.never(t, 8*time.Second, func() error {
				if s := e.inspect(t, id); s.UpdateStatus != nil {
					return fmt.Errorf("the rollout has a status again: %+v", s.UpdateStatus)
				}

				return nil
			})
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "PausedUpdateWaits",
		Reason: "It stays as it is until somebody writes a spec.",
		Run: func(t *testing.T, e Engine) {
			spec := e.rolling("paused", dswarm.UpdateOrderStopFirst)
			spec.UpdateConfig.FailureAction = dswarm.UpdateFailureActionPause
			id := e.create(t, spec)
			e.awaitRunning(t, id, 1)
			e.update(t, id, setEnv("APP_CRASH_AFTER=100ms"))
			e.awaitUpdate(t, id, dswarm.UpdateStatePaused)
			e.update(t, id, setEnv("V=3"))
			e.awaitUpdate(t, id, dswarm.UpdateStateCompleted)
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "UnplaceableUpdateWaitsForEver",
		Reason: "Swarm has no deadline for a rollout: with stop-first it is an outage that nobody reports.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.rolling("stuck", dswarm.UpdateOrderStopFirst))
			e.awaitRunning(t, id, 1)
			e.update(t, id, func(s *dswarm.ServiceSpec) {
				s.TaskTemplate.Placement = &dswarm.Placement{Constraints: []string{"node.labels.contract==none"}}
			})
			e.awaitTask(t, id, func(task dswarm.Task) bool { return task.Status.State == dswarm.TaskStateShutdown })
			e.never(t, 6*time.Second, func() error {
				if s := e.inspect(t, id); s.UpdateStatus == nil || s.UpdateStatus.State != dswarm.UpdateStateUpdating {
					return fmt.Errorf("update status %+v", s.UpdateStatus)
				}

				return nil
			})
			e.cleanUp(t, id)
		},
	},
}

// rolling is a service whose failed updates roll back, watched for a second and a half.
func (e Engine) rolling(name, order string) dswarm.ServiceSpec {
	spec := e.spec(name)
	monitor := 1500 * time.Millisecond
	spec.UpdateConfig = &dswarm.UpdateConfig{Parallelism: 1, Order: order, FailureAction: dswarm.UpdateFailureActionRollback, Monitor: monitor}
	spec.RollbackConfig = &dswarm.UpdateConfig{Parallelism: 1, Order: order, Monitor: monitor}

	return spec
}

func setEnv(env ...string) func(*dswarm.ServiceSpec) {
	return func(s *dswarm.ServiceSpec) {
		c := *s.TaskTemplate.ContainerSpec
		c.Env = env
		s.TaskTemplate.ContainerSpec = &c
	}
}

// sameTasks fails unless the tasks that ran before run still.
func (e Engine) sameTasks(t *testing.T, id string, before []dswarm.Task) {
	t.Helper()

	now := map[string]bool{}
	for _, task := range e.runningTasks(t, id) {
		now[task.ID] = true
	}

	for _, task := range before {
		if !now[task.ID] {
			t.Errorf("task %s runs no longer: %s", task.ID, describe(e.tasksOf(t, id)))
		}
	}
}
