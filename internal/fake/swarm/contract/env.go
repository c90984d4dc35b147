package contract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/filters"
	dswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/swarm"
)

// Engine is what a case runs on: an engine that is the only node of a swarm and its manager.
type Engine struct {
	API swarm.API
	// Image is a reference that the engine holds, of an image that obeys the APP_… variables of the live tests' image.
	Image string
	// Missing is a reference that no engine holds and no registry has.
	Missing string
	// Entrypoint of the image, for health checks.
	Entrypoint string
}

// Case is one thing that Dogker relies on.
type Case struct {
	Name   string
	Reason string
	Run    func(t *testing.T, e Engine)
}

// All cases, in no particular order.
func All() []Case {
	var all []Case
	for _, group := range [][]Case{writes, tasks, updates, content, watching} {
		all = append(all, group...)
	}

	return all
}

// patience is how long a case waits for what must happen. A loaded machine starts containers slowly.
const patience = time.Minute

// spec is the smallest service of the image, with restarts soon enough for a test.
func (e Engine) spec(name string, env ...string) dswarm.ServiceSpec {
	one, delay, grace := uint64(1), 500*time.Millisecond, 2*time.Second

	return dswarm.ServiceSpec{
		Annotations: dswarm.Annotations{Name: name, Labels: map[string]string{"contract": name}},
		TaskTemplate: dswarm.TaskSpec{
			ContainerSpec: &dswarm.ContainerSpec{Image: e.Image, Env: env, StopGracePeriod: &grace},
			RestartPolicy: &dswarm.RestartPolicy{Condition: dswarm.RestartPolicyConditionAny, Delay: &delay},
		},
		Mode:         dswarm.ServiceMode{Replicated: &dswarm.ReplicatedService{Replicas: &one}},
		EndpointSpec: &dswarm.EndpointSpec{Mode: dswarm.ResolutionModeDNSRR},
	}
}

// create makes the service and takes it away, containers and all, when the case ends.
func (e Engine) create(t *testing.T, spec dswarm.ServiceSpec) string {
	t.Helper()

	created, err := e.API.ServiceCreate(t.Context(), spec, dswarm.ServiceCreateOptions{})
	if err != nil {
		t.Fatalf("create service %q: %v", spec.Name, err)
	}

	return created.ID
}

// cleanUp removes the service and waits until none of its tasks is left, so that cases do not meet.
func (e Engine) cleanUp(t *testing.T, id string) {
	t.Helper()

	_ = e.API.ServiceRemove(t.Context(), id)

	e.await(t, func() error {
		if left := e.tasksOf(t, id); len(left) > 0 {
			return fmt.Errorf("%d tasks are left", len(left))
		}

		return nil
	})
}

func (e Engine) inspect(t *testing.T, id string) dswarm.Service {
	t.Helper()

	s, _, err := e.API.ServiceInspectWithRaw(t.Context(), id, dswarm.ServiceInspectOptions{})
	if err != nil {
		t.Fatalf("inspect service %q: %v", id, err)
	}

	return s
}

// update changes the service's spec, again if the engine has written to it meanwhile.
func (e Engine) update(t *testing.T, id string, change func(*dswarm.ServiceSpec)) {
	t.Helper()

	e.await(t, func() error {
		s := e.inspect(t, id)
		change(&s.Spec)

		_, err := e.API.ServiceUpdate(t.Context(), id, s.Version, s.Spec, dswarm.ServiceUpdateOptions{})

		return err
	})
}

// tasksOf lists all tasks of a service, which may be gone, oldest first.
func (e Engine) tasksOf(t *testing.T, id string) []dswarm.Task {
	t.Helper()

	all, err := e.API.TaskList(t.Context(), dswarm.TaskListOptions{})
	if err != nil {
		t.Fatalf("list tasks: %v", err)
	}

	var mine []dswarm.Task

	for _, task := range all {
		if task.ServiceID == id {
			mine = append(mine, task)
		}
	}

	return mine
}

// runningTasks are the tasks of a service that run and are meant to.
func (e Engine) runningTasks(t *testing.T, id string) []dswarm.Task {
	t.Helper()

	var up []dswarm.Task

	for _, task := range e.tasksOf(t, id) {
		if task.Status.State == dswarm.TaskStateRunning && task.DesiredState == dswarm.TaskStateRunning {
			up = append(up, task)
		}
	}

	return up
}

// awaitRunning waits until so many tasks run.
func (e Engine) awaitRunning(t *testing.T, id string, want int) []dswarm.Task {
	t.Helper()

	e.await(t, func() error {
		if got := len(e.runningTasks(t, id)); got != want {
			return fmt.Errorf("%d tasks run, want %d: %s", got, want, describe(e.tasksOf(t, id)))
		}

		return nil
	})

	return e.runningTasks(t, id)
}

// awaitTask waits for a task of which that is true.
func (e Engine) awaitTask(t *testing.T, id string, such func(dswarm.Task) bool) dswarm.Task {
	t.Helper()

	var found dswarm.Task

	e.await(t, func() error {
		for _, task := range e.tasksOf(t, id) {
			if such(task) {
				found = task

				return nil
			}
		}

		return errors.New("there is no such task: " + describe(e.tasksOf(t, id)))
	})

	return found
}

// awaitUpdate waits for the state of the update.
func (e Engine) awaitUpdate(t *testing.T, id string, want dswarm.UpdateState) dswarm.Service {
	t.Helper()

	var s dswarm.Service

	e.await(t, func() error {
		if s = e.inspect(t, id); s.UpdateStatus == nil || s.UpdateStatus.State != want {
			return fmt.Errorf("update status %+v, want %s", s.UpdateStatus, want)
		}

		return nil
	})

	return s
}

// await polls until the check passes.
func (e Engine) await(t *testing.T, check func() error) {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	for {
		err := check()
		if err == nil {
			return
		}

		select {
		case <-ctx.Done():
			t.Fatalf("after %v: %v", patience, err)
		case <-time.After(25 * time.Millisecond):
		}
	}
}

// never fails if the condition becomes true within the time.
func (e Engine) never(t *testing.T, within time.Duration, bad func() error) {
	t.Helper()

	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err := bad(); err != nil {
			t.Fatal(err)
		}
	}
}

func describe(tasks []dswarm.Task) string {
	var out []string
	for _, t := range tasks {
		out = append(out, fmt.Sprintf("slot %d %s/%s %q %q", t.Slot, t.Status.State, t.DesiredState, t.Status.Message, t.Status.Err))
	}

	return strings.Join(out, "; ")
}

func label(key, value string) filters.Args {
	return filters.NewArgs(filters.Arg("label", key+"="+value))
}
