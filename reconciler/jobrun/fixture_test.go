package jobrun_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// noon is when the stories of the tables take place.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func stamp(t time.Time) *metav1.Time { return new(metav1.NewTime(t)) }

// hourly is a job that has decided its ticks up to 11:00.
func hourly(change ...func(*v1alpha1.TenantJob)) *v1alpha1.TenantJob {
	j := once()
	j.Spec.Schedule = "@hourly"
	j.Status.Clock = &v1alpha1.JobClock{
		Schedule: "@hourly UTC", DecidedUntil: *stamp(noon.Add(-time.Hour)),
		Ran: []v1alpha1.TickStretch{{Since: *stamp(noon.Add(-9 * time.Hour)), Until: *stamp(noon.Add(-time.Hour))}},
	}

	for _, c := range change {
		c(j)
	}

	return j
}

// once is a job without a schedule.
func once(change ...func(*v1alpha1.TenantJob)) *v1alpha1.TenantJob {
	j := &v1alpha1.TenantJob{}
	j.Name, j.Namespace, j.UID, j.Generation = "report", "acme", types.UID("6f1c"), 1
	j.CreationTimestamp = *stamp(noon.Add(-10 * time.Hour))
	j.Spec.Template.Image = "busybox:1"
	j.Spec.BackoffLimit = new(int32(2))

	for _, c := range change {
		c(j)
	}

	return j
}

// active puts a run of a tick on record, begun so long ago.
func active(tick time.Time, ago time.Duration, change ...func(*v1alpha1.JobRun)) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) {
		r := v1alpha1.JobRun{
			Name: jobrun.Name(j, tick), StartTime: *stamp(noon.Add(-ago)), StartBefore: *stamp(noon.Add(-ago + 30*time.Second)),
			Phase: v1alpha1.RunPending, Reason: v1alpha1.ReasonWaitingForService, Generation: 1,
		}
		if !tick.IsZero() {
			r.ScheduledTime = stamp(tick)
			j.Status.LastScheduleTime = r.ScheduledTime
		}
		for _, c := range change {
			c(&r)
		}

		j.Status.Active = append(j.Status.Active, r)
		j.Status.Running++
	}
}

// over puts a run on record that was over so long ago, ten minutes after it began.
func over(tick time.Time, ago time.Duration, phase v1alpha1.JobRunPhase) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) {
		r := v1alpha1.JobRun{
			Name: jobrun.Name(j, tick), StartTime: *stamp(noon.Add(-ago - 10*time.Minute)), StartBefore: *stamp(noon.Add(-ago - 9*time.Minute)),
			CompletionTime: stamp(noon.Add(-ago)), Phase: phase, ServiceID: "gone",
		}
		if !tick.IsZero() {
			r.ScheduledTime = stamp(tick)
		}

		j.Status.History = append(j.Status.History, r)
	}
}

func began(id string) func(*v1alpha1.JobRun) {
	return func(r *v1alpha1.JobRun) {
		r.ServiceID, r.Phase, r.Reason, r.Attempts = id, v1alpha1.RunRunning, v1alpha1.ReasonRunning, 1
	}
}

// a task in a state since so long ago.
func task(state swarm.TaskState, ago time.Duration, exit int, words string) swarmobj.Task {
	return swarmobj.Task{
		ID: fmt.Sprintf("%s-%s", state, ago), NodeID: "node1", State: state, Desired: swarm.TaskStateComplete,
		Err: words, ExitCode: exit, Since: noon.Add(-ago), Created: noon.Add(-ago),
	}
}

// shows is a world with one service of a tick's run.
func shows(j *v1alpha1.TenantJob, tick time.Time, tasks ...swarmobj.Task) jobrun.World {
	return jobrun.World{Complete: true, Services: map[string]jobrun.Service{
		jobrun.Name(j, tick): {ID: "svc", Created: noon.Add(-time.Hour), Tasks: tasks, TasksFresh: true},
	}}
}

// told is a plan as a table has it: what is recorded of runs, what is missed, what is done.
func told(j *v1alpha1.TenantJob, p jobrun.Plan) string {
	names := map[string]string{jobrun.Name(j, time.Time{}): "run"}
	for h := range 48 {
		tick := noon.Truncate(24 * time.Hour).Add(time.Duration(h-24) * time.Hour)
		names[jobrun.Name(j, tick)] = tick.Format("02@15")
	}

	var lines []string
	for _, r := range p.Status.Active {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("active %s %s %s %s", r.Name, r.Phase, r.Reason, r.Message)))
	}
	for _, r := range p.Status.History {
		exit := ""
		if r.ExitCode != nil {
			exit = fmt.Sprintf(" exit %d", *r.ExitCode)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("over %s %s %s%s %s", r.Name, r.Phase, r.Reason, exit, r.Message)))
	}
	for _, m := range p.Status.Missed {
		lines = append(lines, fmt.Sprintf("missed %d %s to %s %s", m.Count, m.FirstTime.UTC().Format("02@15"), m.LastTime.UTC().Format("02@15"), m.Reason))
	}
	for _, s := range p.Steps {
		lines = append(lines, "step "+s.String())
	}
	if p.Invalid != nil {
		lines = append(lines, p.Invalid.Error())
	}
	if p.Gone {
		lines = append(lines, "gone")
	}

	var pairs []string
	for run, short := range names {
		pairs = append(pairs, run, short)
	}

	return strings.NewReplacer(pairs...).Replace(strings.Join(lines, "\n"))
}
