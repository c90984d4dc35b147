//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// longHundred is how many hundreds of runs there are when DOGKER_LONG is set.
const longHundred = 5

// errand is a job that runs once, and what is to become of its run.
type errand struct {
	job       *v1alpha1.TenantJob
	phase     v1alpha1.JobRunPhase
	reason    string
	exit      int32 // Where the phase is Succeeded, or the reason BackoffLimitExceeded.
	succeeded int32
	failed    int32
	// halt has the run stopped while it goes on, and drop its job deleted.
	halt, drop bool
}

// errands are about ninety of them; those that are asked for by hand while they run come last.
func errands(round int) []errand {
	var all []errand
	add := func(kind string, count int, one func(i int) errand) {
		for i := range count {
			e := one(i)
			e.job.Name = fmt.Sprintf("%s-%d-%d", kind, round, i)
			all = append(all, e)
		}
	}

	add("good", 52, func(i int) errand {
		return errand{job: jobOf("", []string{"echo", fmt.Sprint("errand ", i)}), phase: v1alpha1.RunSucceeded, succeeded: 1}
	})
	add("bad", 14, func(i int) errand {
		return errand{
			job: jobOf("", []string{"exit", strconv.Itoa(3 + i)}, backoffLimit(0)), phase: v1alpha1.RunFailed,
			reason: v1alpha1.ReasonBackoffLimitExceeded, exit: int32(3 + i), failed: 1,
		}
	})
	add("again", 4, func(int) errand {
		return errand{
			job: jobOf("", []string{"exit", "77"}, backoffLimit(1)), phase: v1alpha1.RunFailed,
			reason: v1alpha1.ReasonBackoffLimitExceeded, exit: 77, failed: 2,
		}
	})
	add("many", 6, func(int) errand {
		return errand{job: jobOf("", []string{"echo", "one of many"}, func(j *v1alpha1.TenantJob) {
			j.Spec.Parallelism, j.Spec.Completions = new(int32(2)), new(int32(4))
		}), phase: v1alpha1.RunSucceeded, succeeded: 4}
	})
	add("late", 5, func(int) errand {
		return errand{job: jobOf("", nil, func(j *v1alpha1.TenantJob) {
			j.Spec.ActiveDeadlineSeconds = new(int64(20))
		}), phase: v1alpha1.RunFailed, reason: v1alpha1.ReasonDeadlineExceeded}
	})
	add("halted", 5, func(int) errand {
		return errand{job: jobOf("", nil), phase: v1alpha1.RunInterrupted, halt: true}
	})
	add("dropped", 8, func(int) errand { return errand{job: jobOf("", nil), drop: true} })

	return all
}

// TestHundredRuns has a hundred runs and more: good ones and bad ones, of several tasks at a time, tried again, too long, stopped,
// deleted and replaced while they go on, of schedules and of a rollout; and Dogker is killed when about half of them are over. The
// engine's own word says how often each was run, and with which exit code. At the end each run is on record or counted, and nothing of
// any is left in Swarm.
func TestHundredRuns(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Versions: []string{"v1", "v2"}})
	n := c.tenant(t)
	p := n.tally()
	w := c.watch(t)

	n.create(jobOf("replaced", nil, minutely(v1alpha1.ConcurrencyReplace)))
	n.create(jobOf("ticks", []string{"exit", "5"}, minutely(v1alpha1.ConcurrencyAllow), backoffLimit(0)))
	n.run(app("shop", "v1", preDeploy("echo", "migrated to one")))

	hundreds := 1
	if os.Getenv("DOGKER_LONG") != "" {
		hundreds = longHundred
	}
	for round := range hundreds {
		all := errands(round)
		for _, e := range all {
			n.create(e.job)
		}
		await(t, goneBy, "half of the runs are over", func() error { return n.overOf(all, len(all)/2) })
		if err := errors.Join(c.server.kill(), c.start(t.Context())); err != nil {
			t.Fatal(err)
		}
		n.interfere(all)
		await(t, 2*goneBy, "all runs are over", func() error { return n.overOf(all, len(all)) })
		for _, e := range all {
			n.wantErrand(e, w)
		}
	}

	n.edit("shop", version("v2"), preDeploy("echo", "migrated to two"))
	n.ready("shop")
	shop := n.taskIDs("shop")
	for _, name := range []string{"replaced", "ticks"} {
		await(t, goneBy, name+" has had two runs", func() error {
			j, err := n.readJob(name)
			if err == nil && j.Status.Failed < 2 {
				err = fmt.Errorf("%+v", j.Status)
			}

			return err
		})
		n.halt(name)
	}
	await(t, goneBy, "no run goes on", n.idle)
	n.wantNothingOfRuns()
	if got := n.taskIDs("shop"); len(got) != 1 || fmt.Sprint(got) != fmt.Sprint(shop) {
		t.Errorf("tasks of the container beside the jobs: %v, and before %v", got, shop)
	}

	p.wantAll(100 * hundreds)
}

// minutely gives a job a run every minute, of which only the last one is remembered.
func minutely(policy v1alpha1.ConcurrencyPolicy) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) {
		j.Spec.Schedule, j.Spec.ConcurrencyPolicy = "* * * * *", policy
		j.Spec.SuccessfulJobsHistoryLimit, j.Spec.FailedJobsHistoryLimit = new(int32(1)), new(int32(1))
	}
}

// halt stops a job as its owner would, until further notice.
func (n *tenant) halt(name string) {
	n.t.Helper()

	j, err := n.readJob(name)
	if err != nil {
		n.t.Fatal(err)
	}
	before := j.DeepCopy()
	metav1.SetMetaDataAnnotation(&j.ObjectMeta, v1alpha1.AnnotationSuspend, "enough")
	if err := n.api.Patch(n.t.Context(), j, client.MergeFrom(before)); err != nil {
		n.t.Fatal(err)
	}
}

// interfere stops and deletes what is to be stopped and deleted, each while it goes on.
func (n *tenant) interfere(all []errand) {
	n.t.Helper()

	for _, e := range all {
		switch {
		case e.halt:
			n.runActive(e.job.Name)
			n.halt(e.job.Name)
		case e.drop:
			n.runActive(e.job.Name)
			if err := n.api.Delete(n.t.Context(), e.job); err != nil {
				n.t.Fatal(err)
			}
		}
	}
}

// overOf is an error until so many of the jobs have had their run, or are gone.
func (n *tenant) overOf(all []errand, want int) error {
	jobs, err := n.jobs()
	if err != nil {
		return err
	}

	over, open := 0, []string(nil)
	for _, e := range all {
		switch j, there := jobs[e.job.Name]; {
		case !there, !e.drop && len(j.Status.History) > 0:
			over++
		default:
			open = append(open, e.job.Name)
		}
	}
	if over < want {
		return fmt.Errorf("%d are, of %d; not %s", over, len(all), strings.Join(open, ", "))
	}

	return nil
}

// jobs are the namespace's, by name.
func (n *tenant) jobs() (map[string]v1alpha1.TenantJob, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()

	var list v1alpha1.TenantJobList
	if err := n.api.List(ctx, &list, client.InNamespace(n.name)); err != nil {
		return nil, err
	}
	all := map[string]v1alpha1.TenantJob{}
	for _, j := range list.Items {
		all[j.Name] = j
	}

	return all, nil
}

// idle is an error while a run of any job goes on.
func (n *tenant) idle() error {
	jobs, err := n.jobs()
	if err != nil {
		return err
	}
	for name, j := range jobs {
		if j.Status.Running > 0 {
			return fmt.Errorf("one of %s does: %+v", name, j.Status.Active)
		}
	}

	return nil
}

// wantErrand holds the record of a run that is over against what was to become of it, and against what the engine has told.
func (n *tenant) wantErrand(e errand, w *watch) {
	n.t.Helper()

	if e.drop {
		return
	}
	j, err := n.readJob(e.job.Name)
	if err != nil {
		n.t.Error(err)
		return
	}
	if len(j.Status.History) != 1 || len(j.Status.Active) != 0 || j.Status.Succeeded+j.Status.Failed != 1 {
		n.t.Errorf("%s runs once, and its status is %+v", j.Name, j.Status)
		return
	}

	run := j.Status.History[0]
	if run.Phase != e.phase || e.reason != "" && run.Reason != e.reason {
		n.t.Errorf("the run of %s: got %s %s (%s), want %s %s", j.Name, run.Phase, run.Reason, run.Message, e.phase, e.reason)
	}
	if conditions.IsTrue(j, v1alpha1.ConditionComplete) != (e.phase == v1alpha1.RunSucceeded) {
		n.t.Errorf("the conditions of %s, whose run is %s: %+v", j.Name, e.phase, j.Status.Conditions)
	}
	if e.phase != v1alpha1.RunSucceeded && e.reason != v1alpha1.ReasonBackoffLimitExceeded {
		return
	}

	if run.ExitCode == nil || *run.ExitCode != e.exit || run.Succeeded != e.succeeded || run.Failed != e.failed {
		n.t.Errorf("the record of %s: got %+v, want exit code %d, %d tasks that succeeded and %d that failed", j.Name, run, e.exit, e.succeeded, e.failed)
	}
	lives := w.of(n.t, n.name, "job_"+run.Name)
	if len(lives) != int(e.succeeded+e.failed) || slices.ContainsFunc(lives, func(l life) bool { return l.code != fmt.Sprint(e.exit) }) {
		n.t.Errorf("containers of %s: got %+v, want %d that ended with %d", j.Name, lives, e.succeeded+e.failed, e.exit)
	}
}
