//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// jobOf declares a job that runs the lab's program with these arguments.
func jobOf(name string, args []string, changes ...func(*v1alpha1.TenantJob)) *v1alpha1.TenantJob {
	j := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Name: name}}
	j.Spec.Template = v1alpha1.JobTemplate{
		Image: v1alpha1.Image(lab.Image("v1")), ImagePullPolicy: v1alpha1.PullNever, TerminationGracePeriodSeconds: new(int64(5)),
	}
	for _, a := range args {
		j.Spec.Template.Args = append(j.Spec.Template.Args, v1alpha1.Text(a))
	}
	for _, change := range changes {
		change(j)
	}

	return j
}

func backoffLimit(n int32) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) { j.Spec.BackoffLimit = &n }
}

func (n *tenant) readJob(name string) (*v1alpha1.TenantJob, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()

	var j v1alpha1.TenantJob

	return &j, n.api.Get(ctx, client.ObjectKey{Namespace: n.name, Name: name}, &j)
}

// runOver waits until the first run of a job has ended so, and returns it.
func (n *tenant) runOver(within time.Duration, name string, phase v1alpha1.JobRunPhase) v1alpha1.JobRun {
	n.t.Helper()

	var run v1alpha1.JobRun
	await(n.t, within, fmt.Sprintf("the run of %s is %s", name, phase), func() error {
		j, err := n.readJob(name)
		if err != nil {
			return err
		}
		if len(j.Status.History) == 0 {
			return fmt.Errorf("no run is over: %+v, %+v", j.Status.Active, j.Status.Conditions)
		}
		run = j.Status.History[0]

		return wantf(run.Phase, phase, "phase (%s: %s)", run.Reason, run.Message)
	})

	return run
}

// runActive waits until a task of the job's run runs, and returns the run.
func (n *tenant) runActive(name string) v1alpha1.JobRun {
	n.t.Helper()

	var run v1alpha1.JobRun
	await(n.t, atLast, "a run of "+name+" goes on", func() error {
		j, err := n.readJob(name)
		if err != nil {
			return err
		}
		if len(j.Status.Active) == 0 || j.Status.Active[0].Phase != v1alpha1.RunRunning {
			return fmt.Errorf("none does: %+v, %+v", j.Status, j.Status.Conditions)
		}
		run = j.Status.Active[0]

		return nil
	})

	return run
}

// jobServices are the services in Swarm of a job.
func (n *tenant) jobServices(name string) []swarm.Service {
	n.t.Helper()

	ctx, cancel := contextFor(soon)
	defer cancel()

	list, err := n.docker().ServiceList(ctx, swarm.ServiceListOptions{Filters: filters.NewArgs(
		filters.Arg("label", v1alpha1.SwarmLabelTenant+"="+n.name), filters.Arg("label", v1alpha1.SwarmLabelName+"="+name),
		filters.Arg("label", v1alpha1.SwarmLabelKind+"=TenantJob"),
	)})
	if err != nil {
		n.t.Fatal(err)
	}

	return list
}

// jobTasks are all tasks in Swarm of the namespace's jobs, also of services that are gone.
func (n *tenant) jobTasks() ([]swarm.Task, error) {
	ctx, cancel := contextFor(soon)
	defer cancel()

	return n.docker().TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(
		filters.Arg("label", v1alpha1.SwarmLabelTenant+"="+n.name), filters.Arg("label", v1alpha1.SwarmLabelKind+"=TenantJob"),
	)})
}

// TestJobs runs jobs to their ends: well, badly, too long, and as far as somebody lets them. What is known of a run stays, and nothing
// of it in Swarm.
func TestJobs(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	n.create(jobOf("good", []string{"echo", "hello from a job"}))
	n.create(jobOf("bad", []string{"complain", "no such table"}, backoffLimit(1)))
	n.create(jobOf("endless", nil, func(j *v1alpha1.TenantJob) { j.Spec.ActiveDeadlineSeconds = new(int64(8)) }))
	n.create(jobOf("many", []string{"echo", "one of many"}, func(j *v1alpha1.TenantJob) {
		j.Spec.Parallelism, j.Spec.Completions = new(int32(2)), new(int32(4))
	}))
	n.create(jobOf("dropped", nil))

	good := n.runOver(atLast, "good", v1alpha1.RunSucceeded)
	if good.ExitCode == nil || *good.ExitCode != 0 || !strings.Contains(good.LogTail, "hello from a job") || good.Succeeded != 1 {
		t.Errorf("the record of a run that succeeded: %+v", good)
	}
	await(t, soon, "a job that has run is ready", func() error {
		j, err := n.readJob("good")
		if err != nil {
			return err
		}
		if !conditions.IsTrue(j, conditions.Ready) || !conditions.IsTrue(j, v1alpha1.ConditionComplete) {
			return fmt.Errorf("it is not: %+v", j.Status.Conditions)
		}

		return nil
	})

	bad := n.runOver(atLast, "bad", v1alpha1.RunFailed)
	if bad.ExitCode == nil || *bad.ExitCode != 1 || !strings.Contains(bad.LogTail, "no such table") || bad.Failed != 2 ||
		bad.Reason != v1alpha1.ReasonBackoffLimitExceeded || !strings.Contains(bad.Message, "non-zero exit (1)") {
		t.Errorf("the record of a run that failed, and was tried again once: %+v", bad)
	}

	if late := n.runOver(atLast, "endless", v1alpha1.RunFailed); late.Reason != v1alpha1.ReasonDeadlineExceeded {
		t.Errorf("the record of a run that took too long: %+v", late)
	}
	if many := n.runOver(atLast, "many", v1alpha1.RunSucceeded); many.Succeeded != 4 {
		t.Errorf("the record of a run of four tasks: %+v", many)
	}

	// One that is deleted while it runs is gone when nothing of it is left.
	n.runActive("dropped")
	if got := len(n.jobServices("dropped")); got != 1 {
		t.Errorf("a run has %d services", got)
	}
	n.remove(&v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Name: "dropped"}})
	await(t, goneBy, "the job is gone", func() error {
		if _, err := n.readJob("dropped"); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %w", err)
		}

		return nil
	})
	if left := n.jobServices("dropped"); len(left) > 0 {
		t.Errorf("services are left of a job that is gone: %v", left)
	}

	n.nothingOfJobs()
}

// nothingOfJobs waits until Swarm has no service, no task and no container of the namespace's jobs.
func (n *tenant) nothingOfJobs() {
	n.t.Helper()

	await(n.t, goneBy, "nothing is left of runs that are over", func() error {
		tasks, err := n.jobTasks()
		if err != nil {
			return err
		}
		containers, err := n.containers(n.t.Context(), true)
		if err != nil {
			return err
		}
		if len(tasks)+len(containers) > 0 {
			return fmt.Errorf("%d tasks and containers %v are left", len(tasks), containers)
		}

		return nil
	})
}

// TestJobRunsOnceAcrossKills kills the server while a run is about to begin, and while it goes on.
func TestJobRunsOnceAcrossKills(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{})
	n := c.tenant(t)

	n.create(jobOf("once", nil, func(j *v1alpha1.TenantJob) {
		j.Spec.Template.Env = []v1alpha1.EnvVar{{Name: "APP_CRASH_AFTER", Value: new(v1alpha1.Text("20s"))}, {Name: "APP_EXIT_CODE", Value: new(v1alpha1.Text("0"))}}
	}))

	seen := map[string]bool{}
	note := func() {
		for _, s := range n.jobServices("once") {
			seen[s.ID] = true
		}
	}

	for kill := range 3 {
		time.Sleep(time.Duration(kill) * 700 * time.Millisecond)
		note()
		if err := errors.Join(c.server.kill(), c.start(t.Context())); err != nil {
			t.Fatal(err)
		}
	}

	await(t, atLast, "the run is over", func() error {
		note()
		j, err := n.readJob("once")
		if err != nil {
			return err
		}
		if len(j.Status.History) == 0 {
			return fmt.Errorf("it is not: %+v", j.Status)
		}

		return wantf(j.Status.History[0].Phase, v1alpha1.RunSucceeded, "phase (%s)", j.Status.History[0].Message)
	})
	if len(seen) != 1 {
		t.Errorf("a run has had %d services", len(seen))
	}
	if run := n.runOver(soon, "once", v1alpha1.RunSucceeded); run.Attempts != 1 {
		t.Errorf("a run of one task has had %d", run.Attempts)
	}
	n.nothingOfJobs()
}

// TestScheduledJob waits for one tick of the clock: it has its run, at most one, and the next is announced.
func TestScheduledJob(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	n.create(jobOf("minutely", []string{"echo", "tick"}, func(j *v1alpha1.TenantJob) { j.Spec.Schedule = "* * * * *" }))
	run := n.runOver(3*time.Minute, "minutely", v1alpha1.RunSucceeded)
	if run.ScheduledTime == nil || run.ScheduledTime.Second() != 0 || run.StartTime.Before(run.ScheduledTime) {
		t.Errorf("a run of the tick %v was put on record at %v", run.ScheduledTime, run.StartTime)
	}

	j, err := n.readJob("minutely")
	if err != nil {
		t.Fatal(err)
	}
	ticks := map[string]int{}
	for _, r := range append(j.Status.History, j.Status.Active...) {
		ticks[r.ScheduledTime.String()]++
		if ticks[r.ScheduledTime.String()] > 1 {
			t.Errorf("the tick %v has had two runs", r.ScheduledTime)
		}
	}
	if j.Status.NextScheduleTime == nil || !conditions.IsTrue(j, conditions.Ready) {
		t.Errorf("a job that waits for its next tick: %+v", j.Status)
	}
}

// TestManyJobsLeaveNothing runs twenty jobs at the same time.
func TestManyJobsLeaveNothing(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	const jobs = 20
	for i := range jobs {
		n.create(jobOf(fmt.Sprintf("job-%d", i), []string{"echo", "done"}))
	}

	var all sync.WaitGroup
	for i := range jobs {
		all.Go(func() {
			if _, err := poll(goneBy, func() error {
				j, err := n.readJob(fmt.Sprintf("job-%d", i))
				if err != nil {
					return err
				}
				if j.Status.Succeeded != 1 || j.Status.Failed != 0 {
					return fmt.Errorf("%+v", j.Status)
				}

				return nil
			}); err != nil {
				t.Errorf("job %d: %v", i, err)
			}
		})
	}
	all.Wait()

	n.nothingOfJobs()
}
