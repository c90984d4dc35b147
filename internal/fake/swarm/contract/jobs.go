package contract

import (
	"fmt"
	"testing"
	"time"

	"github.com/docker/docker/api/types/filters"
	dswarm "github.com/docker/docker/api/types/swarm"
)

// asJob makes a spec a job of so many tasks at a time and to complete, which tries a failed task again so often.
func asJob(spec dswarm.ServiceSpec, parallel, completions, retries uint64) dswarm.ServiceSpec {
	delay, window := 500*time.Millisecond, time.Duration(0)
	spec.Mode = dswarm.ServiceMode{ReplicatedJob: &dswarm.ReplicatedJob{MaxConcurrent: &parallel, TotalCompletions: &completions}}
	spec.TaskTemplate.RestartPolicy = &dswarm.RestartPolicy{
		Condition: dswarm.RestartPolicyConditionOnFailure, Delay: &delay, MaxAttempts: &retries, Window: &window,
	}
	if retries == 0 {
		spec.TaskTemplate.RestartPolicy.Condition = dswarm.RestartPolicyConditionNone
	}

	return spec
}

// inState counts tasks by their state.
func inState(tasks []dswarm.Task, state dswarm.TaskState) int {
	n := 0
	for _, task := range tasks {
		if task.Status.State == state {
			n++
		}
	}

	return n
}

// rests demands that a service has those tasks, and goes on to have no others.
func (e Engine) rests(t *testing.T, id string, complete, failed int) {
	t.Helper()

	look := func() error {
		tasks := e.tasksOf(t, id)
		if inState(tasks, dswarm.TaskStateComplete) != complete || inState(tasks, dswarm.TaskStateFailed) != failed || len(tasks) != complete+failed {
			return fmt.Errorf("want %d complete and %d failed: %s", complete, failed, describe(tasks))
		}

		return nil
	}

	e.await(t, look)
	time.Sleep(3 * time.Second)
	if err := look(); err != nil {
		t.Errorf("a job that is over goes on: %v", err)
	}
}

var jobs = []Case{
	{
		Name:   "JobRunsToItsEnd",
		Reason: "A run is over when as many tasks are complete as were asked for; its tasks stay until the service goes.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, asJob(e.spec("job", "APP_CRASH_AFTER=300ms", "APP_EXIT_CODE=0"), 2, 3, 0))
			e.rests(t, id, 3, 0)

			for _, task := range e.tasksOf(t, id) {
				if task.DesiredState != dswarm.TaskStateComplete || task.Slot < 0 || task.Slot > 2 || task.JobIteration == nil || task.JobIteration.Index != 0 {
					t.Errorf("a task of a job looks like %+v", task)
				}
			}
			if s := e.inspect(t, id); s.JobStatus == nil || s.JobStatus.JobIteration.Index != 0 || s.UpdateStatus != nil {
				t.Errorf("the job looks like %+v", s)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "JobTriesFailedTasksAgain",
		Reason: "Retries go on while Dogker is down; MaxAttempts is how many there are after the first try.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, asJob(e.spec("tries", "APP_CRASH_AFTER=300ms", "APP_EXIT_CODE=3"), 1, 1, 2))
			e.rests(t, id, 0, 3)

			for _, task := range e.tasksOf(t, id) {
				if task.Slot != 0 || task.Status.Err != "task: non-zero exit (3)" || task.Status.ContainerStatus.ExitCode != 3 {
					t.Errorf("a failed task of a job looks like %+v", task)
				}
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "JobWithoutRetriesRests",
		Reason: "For Swarm a limit of 0 is none: the condition none is what lets a failed task be.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, asJob(e.spec("single", "APP_CRASH_AFTER=300ms", "APP_EXIT_CODE=1"), 1, 1, 0))
			e.rests(t, id, 0, 1)
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "UpdateRunsJobAgain",
		Reason: "Any update of a job's service, of a label alone, runs it again: so it is never updated.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, asJob(e.spec("again", "APP_CRASH_AFTER=300ms", "APP_EXIT_CODE=0"), 1, 1, 0))
			e.rests(t, id, 1, 0)
			e.update(t, id, func(s *dswarm.ServiceSpec) { s.Labels["more"] = "than before" })
			e.rests(t, id, 2, 0)

			if s := e.inspect(t, id); s.JobStatus == nil || s.JobStatus.JobIteration.Index == 0 {
				t.Errorf("the job that ran again looks like %+v", s.JobStatus)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "JobTakesNoUpdateConfig",
		Reason: "A job knows no rollouts, and says so.",
		Run: func(t *testing.T, e Engine) {
			spec := asJob(e.spec("rolling"), 1, 1, 0)
			spec.UpdateConfig = &dswarm.UpdateConfig{Parallelism: 1}
			if _, err := e.API.ServiceCreate(t.Context(), spec, dswarm.ServiceCreateOptions{}); err == nil {
				t.Error("a job with an update config was made")
			}
		},
	},
	{
		Name:   "TasksAreFoundByLabelsOfTheirService",
		Reason: "What is left of a service that is gone is found by its labels, by which alone it can be.",
		Run: func(t *testing.T, e Engine) {
			labelled := func() []dswarm.Task {
				list, err := e.API.TaskList(t.Context(), dswarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("label", "contract=stubborn"))})
				if err != nil {
					t.Fatal(err)
				}

				return list
			}

			spec := asJob(e.spec("stubborn", "APP_IGNORE_TERM=true"), 1, 1, 0)
			grace := 4 * time.Second
			spec.TaskTemplate.ContainerSpec.StopGracePeriod = &grace
			id := e.create(t, spec)
			e.awaitTask(t, id, func(task dswarm.Task) bool { return task.Status.State == dswarm.TaskStateRunning })

			if err := e.API.ServiceRemove(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if left := labelled(); len(left) != 1 || left[0].ServiceID != id {
				t.Errorf("of a service that was removed and whose task takes its time to end, these are left: %s", describe(left))
			}

			e.cleanUp(t, id)
			if left := labelled(); len(left) > 0 {
				t.Errorf("these are left for ever: %s", describe(left))
			}
		},
	},
}
