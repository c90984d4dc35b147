package jobrun_test

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/jobrun"
)

var (
	nothing = jobrun.World{Complete: true}
	blind   = jobrun.World{}
	eleven  = noon.Add(-time.Hour)
)

func TestDecideTicks(t *testing.T) {
	cases := map[string]story{
		"First":       {reason: "A run is on record before anything of it is there.", job: hourly(), now: noon, world: nothing, want: []string{"active 23@12 Pending WaitingForService"}},
		"ThenCreated": {reason: "What is on record is made.", job: hourly(active(noon, 0), decided(noon)), now: noon.Add(time.Second), world: nothing, want: []string{"active 23@12 Pending WaitingForService", "step create 23@12"}},
		"NotDue":      {reason: "Before the tick there is nothing to do.", job: hourly(), now: noon.Add(-time.Second), world: nothing, want: nil},
		"Blind":       {reason: "A tick needs no look at Swarm; a service does.", job: hourly(active(noon, 0), decided(noon)), now: noon.Add(time.Second), world: blind, want: []string{"active 23@12 Pending WaitingForService"}},
		"ClaimOver":   {reason: "Too late to make it by this record: the record is renewed first.", job: hourly(active(noon, time.Minute), decided(noon)), now: noon, world: nothing, want: []string{"active 23@12 Pending WaitingForService"}},
		"OtherClock": {
			reason: "A claim that is longer than claims are is renewed: nobody may make the service for years.", job: hourly(active(noon.Add(8760*time.Hour), -8760*time.Hour), decided(noon)), now: noon, world: nothing,
			want: []string{"active " + jobrun.Name(once(), noon.Add(8760*time.Hour)) + " Pending WaitingForService"},
			check: func(t *testing.T, p jobrun.Plan) {
				if at := p.Status.Active[0].StartBefore.Time; !at.Equal(noon.Add(30 * time.Second)) {
					t.Errorf("startBefore %s", at)
				}
			},
		},
		"Obstacle": {
			reason: "What cannot be made waits, and is not claimed.", job: hourly(active(noon, 0), decided(noon)), now: noon.Add(time.Second), world: nothing,
			change: func(in *jobrun.Input) {
				in.Obstacle = &jobrun.Obstacle{Reason: "ImageUnavailable", Message: "no such image"}
			},
			want: []string{"active 23@12 Pending ImageUnavailable no such image"},
		},
		"DownForADay": {
			reason: "The latest tick is made up for, the others are counted.", job: hourly(decided(noon.Add(-24 * time.Hour))), now: noon.Add(time.Minute), world: nothing,
			want: []string{"active 23@12 Pending WaitingForService", "missed 23 22@13 to 23@11 NotObserved"},
		},
		"TooLate": {
			reason: "Unless it is too late for that.", job: hourly(deadline(60)), now: noon.Add(61 * time.Second), world: nothing,
			want: []string{"missed 1 23@12 to 23@12 StartingDeadlineExceeded"},
		},
		"Forbid": {
			reason: "Not beside another one.", job: hourly(policy(v1alpha1.ConcurrencyForbid), active(eleven, time.Hour, began("svc"))), now: noon, running: true,
			want: []string{"active 23@11 Running Running", "missed 1 23@12 to 23@12 ConcurrencyForbidden"},
		},
		"Allow": {
			reason: "Beside another one.", job: hourly(active(eleven, time.Hour, began("svc"))), now: noon, running: true,
			want: []string{"active 23@11 Running Running", "active 23@12 Pending WaitingForService"},
		},
		"Replace": {
			reason: "In the place of another one.", job: hourly(policy(v1alpha1.ConcurrencyReplace), active(eleven, time.Hour, began("svc"))), now: noon, running: true,
			want: []string{"active 23@12 Pending WaitingForService", "over 23@11 Interrupted Replaced the next run has begun, and concurrencyPolicy is Replace"},
		},
		"ReplaceWaits": {
			reason: "Which has to stop first.", job: hourly(policy(v1alpha1.ConcurrencyReplace), over(eleven, 0, v1alpha1.RunInterrupted), active(noon, 0), decided(noon)), now: noon.Add(time.Second), running: true,
			want: []string{"active 23@12 Pending WaitingForOther run 23@11 is being stopped", "over 23@11 Interrupted", "step remove 23@11"},
		},
		"AloneWaits": {
			reason: "What two may not write at a time is written by one, also where runs may be beside each other.", job: hourly(active(eleven, time.Hour, began("svc")), active(noon, 0), decided(noon)), now: noon.Add(time.Second), running: true,
			change: alone, want: []string{"active 23@11 Running Running", "active 23@12 Pending WaitingForOther run 23@11 is not over, and there is one at a time, because of the data"},
		},
		"AloneBetweenTasks": {
			reason: "A run of which no task runs at the moment goes on.", job: hourly(active(eleven, time.Hour, began("svc"), missing(noon)), active(noon, 0), decided(noon)), now: noon.Add(time.Second), world: nothing,
			change: alone, want: []string{"active 23@11 Running Running", "active 23@12 Pending WaitingForOther run 23@11 is not over, and there is one at a time, because of the data"},
		},
		"AloneInTurn": {
			reason: "Of two that have waited the earlier one begins.", job: hourly(active(eleven, 0), active(noon, 0), decided(noon)), now: noon.Add(time.Second), world: nothing,
			change: alone, want: []string{"active 23@11 Pending WaitingForService", "active 23@12 Pending WaitingForOther run 23@11 is not over, and there is one at a time, because of the data", "step create 23@11"},
		},
		"AloneStopping": {
			reason: "A run that is over has tasks for a while.", job: hourly(over(eleven, 0, v1alpha1.RunFailed), active(noon, 0), decided(noon)), now: noon.Add(time.Second), running: true,
			change: alone, want: []string{"active 23@12 Pending WaitingForOther run 23@11 is being stopped", "over 23@11 Failed", "step remove 23@11"},
		},
		"SuspendedBySpec": {reason: "No run begins.", job: hourly(suspend), now: noon, world: nothing, want: nil},
		"Resumed": {
			reason: "Ticks of a suspension are counted when it ends, and not made up for.", job: hourly(suspendedSince(noon.Add(-90*time.Minute)), decided(noon.Add(-2*time.Hour))), now: noon.Add(time.Minute), world: nothing,
			want: []string{"missed 2 23@11 to 23@12 Suspended"},
		},
		"Rescheduled": {
			reason: "Another schedule has no ticks in the past; those of the old one are missed.", job: hourly(schedule("@daily"), decided(noon.Add(-2*time.Hour))), now: noon.Add(time.Minute), world: nothing,
			want: []string{"missed 2 23@11 to 23@12 ScheduleChanged"},
		},
		"Impossible": {
			reason: "A schedule that means nothing leaves runs alone.", job: hourly(schedule("0 0 30 2 *"), active(eleven, time.Hour, began("svc"))), now: noon, running: true,
			want: []string{"active 23@11 Running Running", `spec.schedule: Invalid value: "0 0 30 2 *": it never comes: no month that is named has a day that is named`},
		},
		"PutBackALittle": {
			reason: "What may have had its run is not decided again.", job: hourly(), now: noon.Add(-3 * time.Hour), world: nothing, want: nil,
			check: func(t *testing.T, p jobrun.Plan) {
				if !p.Status.Clock.DecidedUntil.Time.Equal(eleven) {
					t.Errorf("clock %+v", p.Status.Clock)
				}
			},
		},
		"PutBackAYear": {
			reason: "A clock that was ahead does not stop the job for as long as it was.", job: hourly(decided(noon.Add(8760*time.Hour)), ran(noon.Add(8760*time.Hour))), now: noon, world: nothing, want: nil,
			check: func(t *testing.T, p jobrun.Plan) {
				if !p.Status.Clock.DecidedUntil.Time.Equal(noon) {
					t.Errorf("clock %+v", p.Status.Clock)
				}
			},
		},
		"Ahead": {reason: "A tick that may have had its run has no second one.", job: hourly(ran(noon)), now: noon, world: nothing, want: nil},
		"TooMany": {
			reason: "There is a limit to runs at a time.", job: hourly(many(10)), now: noon, world: blind,
			want: append(manyActive(10), "missed 1 23@12 to 23@12 TooManyActive"),
		},
	}

	for name, tc := range cases {
		t.Run(name, tc.run)
	}
}

func TestDecideRuns(t *testing.T) {
	running := hourly(active(eleven, time.Hour, began("svc")), decided(noon))
	complete, failed, live := swarm.TaskStateComplete, swarm.TaskStateFailed, swarm.TaskStateRunning

	cases := map[string]story{
		"Succeeded":  {reason: "Its result is on record before its service goes.", job: running, now: noon, world: shows(running, eleven, task(complete, 0, 0, "")), want: []string{"over 23@11 Succeeded CompletionsReached exit 0"}},
		"ThenRemove": {reason: "And then it goes.", job: hourly(over(eleven, time.Minute, v1alpha1.RunSucceeded), decided(noon)), now: noon, world: shows(running, eleven, task(complete, time.Minute, 0, "")), want: []string{"over 23@11 Succeeded", "step remove 23@11"}},
		"Retries":    {reason: "Swarm tries again; why is told.", job: running, now: noon, world: shows(running, eleven, task(failed, time.Second, 3, "task: non-zero exit (3)"), task(swarm.TaskStateReady, 0, 0, "")), want: []string{"active 23@11 Running TaskFailed task: non-zero exit (3)"}},
		"Backoff": {
			reason: "Three have failed of two that may.", job: running, now: noon,
			world: shows(running, eleven, task(failed, 3, 3, "a"), task(failed, 2, 3, "b"), task(failed, 1, 4, "c"), task(live, 0, 0, "")),
			want:  []string{"over 23@11 Failed BackoffLimitExceeded exit 4 3 tasks have failed, and backoffLimit is 2: c"},
		},
		"GivenUp": {reason: "Swarm has forgotten its count, or the node: nothing comes any more.", job: running, now: noon, world: shows(running, eleven, task(failed, time.Minute, 3, "a")), want: []string{"over 23@11 Failed TasksEnded exit 3 its tasks have ended, and Swarm starts no other: a"}},
		"MoreToAskFor": {
			reason: "Both have succeeded while nobody was there to ask for the others.", now: noon, job: completions(running, 2, 6),
			world: hasReplicas(shows(running, eleven, task(complete, time.Minute, 0, ""), task(complete, 2*time.Minute, 0, "")), 2, time.Hour),
			want:  []string{"active 23@11 Running Running"},
		},
		"JustAskedFor": {
			reason: "Swarm has been asked, and nothing has come yet.", now: noon, job: completions(running, 2, 6),
			world: hasReplicas(shows(running, eleven, task(complete, time.Minute, 0, ""), task(complete, 2*time.Minute, 0, "")), 4, time.Second),
			want:  []string{"active 23@11 Running Running"},
		},
		"AskedForAndNothing": {
			reason: "Swarm was asked long ago.", now: noon, job: completions(running, 2, 6),
			world: hasReplicas(shows(running, eleven, task(complete, time.Minute, 0, ""), task(complete, 2*time.Minute, 0, "")), 4, time.Hour),
			want:  []string{"over 23@11 Failed TasksEnded exit 0 its tasks have ended, and Swarm starts no other: exit code 0"},
		},
		"ScaledToNothing": {
			reason: "Somebody has told Swarm to start no more, and nobody asks again.", now: noon, job: completions(running, 2, 6),
			world: hasReplicas(shows(running, eleven, task(complete, time.Minute, 0, "")), 0, time.Hour),
			want:  []string{"over 23@11 Failed TasksEnded exit 0 its tasks have ended, and Swarm starts no other: exit code 0"},
		},
		"NotYet":      {reason: "It may be about to try again.", job: running, now: noon, world: shows(running, eleven, task(failed, 10*time.Second, 3, "a")), want: []string{"active 23@11 Running TaskFailed a"}},
		"Unscheduled": {reason: "What keeps a task from running is told in the engine's words.", job: hourly(active(eleven, time.Hour), decided(noon)), now: noon, world: shows(running, eleven, task(swarm.TaskStatePending, 0, 0, "no suitable node")), want: []string{"active 23@11 Pending Starting no suitable node"}},
		"Deadline":    {reason: "An hour is longer than 30 minutes.", job: hourly(active(eleven, time.Hour, began("svc")), decided(noon), activeDeadline(1800)), now: noon, world: shows(running, eleven, task(live, 0, 0, "")), want: []string{"over 23@11 Failed DeadlineExceeded it was not over after activeDeadlineSeconds, 1800"}},
		"Held": {
			reason: "A suspension stops what runs.", job: running, now: noon, running: true, change: held("billing: the balance is used up"),
			want: []string{"over 23@11 Interrupted Suspended billing: the balance is used up"},
		},
		"HeldTooLate": {
			reason: "What was done by then has succeeded.", job: running, now: noon, world: shows(running, eleven, task(complete, 0, 0, "")), change: held("billing"),
			want: []string{"over 23@11 Succeeded CompletionsReached exit 0"},
		},
		"SpecSuspendLetsRun": {reason: "What runs goes on.", job: hourly(active(eleven, time.Hour, began("svc")), decided(noon), suspend), now: noon, running: true, want: []string{"active 23@11 Running Running"}},
		"Lost":               {reason: "It is not made again; somebody may still find it.", job: running, now: noon, world: nothing, want: []string{"active 23@11 Running Running"}},
		"LostForLong":        {reason: "Nobody did.", job: hourly(active(eleven, time.Hour, began("svc"), missing(noon.Add(-time.Minute))), decided(noon)), now: noon, world: nothing, want: []string{"over 23@11 Failed ServiceLost somebody has removed its service in Swarm; it is not run again"}},
		"NotListed":          {reason: "What was not listed is not known to be gone.", job: hourly(active(eleven, time.Hour, began("svc"), missing(noon.Add(-time.Minute))), decided(noon)), now: noon, world: blind, want: []string{"active 23@11 Running Running"}},
		"Orphan":             {reason: "A service of no record goes, when it is not a record that is not known here yet.", job: hourly(decided(noon)), now: noon, world: shows(running, eleven, task(live, 0, 0, "")), want: []string{"step remove 23@11 (orphan)"}},
		"Deleting": {
			reason: "All stops.", job: running, now: noon, running: true, change: func(in *jobrun.Input) { in.Deleting = true },
			want: []string{"over 23@11 Interrupted Deleting the job is being deleted", "step remove 23@11"},
		},
		"Gone":    {reason: "Nothing is left.", job: running, now: noon, world: nothing, change: func(in *jobrun.Input) { in.Deleting = true }, want: []string{"over 23@11 Interrupted Deleting the job is being deleted", "gone"}},
		"NotGone": {reason: "Somebody may be making it.", job: hourly(active(noon, 0), decided(noon)), now: noon, world: nothing, change: func(in *jobrun.Input) { in.Deleting = true }, want: []string{"over 23@12 Interrupted Deleting the job is being deleted"}},
		"Limits": {
			reason: "Three that succeeded and one that did not are kept.", now: noon, world: nothing,
			job: hourly(decided(noon), over(noon.Add(-1*time.Hour), time.Hour, v1alpha1.RunFailed), over(noon.Add(-2*time.Hour), 2*time.Hour, v1alpha1.RunSucceeded),
				over(noon.Add(-3*time.Hour), 3*time.Hour, v1alpha1.RunInterrupted), over(noon.Add(-4*time.Hour), 4*time.Hour, v1alpha1.RunSucceeded),
				over(noon.Add(-5*time.Hour), 5*time.Hour, v1alpha1.RunSucceeded), over(noon.Add(-6*time.Hour), 6*time.Hour, v1alpha1.RunSucceeded)),
			want: []string{"over 23@11 Failed", "over 23@10 Succeeded", "over 23@08 Succeeded", "over 23@07 Succeeded"},
		},
		"TTL": {reason: "For as long as they are to be.", job: hourly(decided(noon), ttl(600), over(eleven, time.Hour, v1alpha1.RunSucceeded)), now: noon, world: nothing, want: nil},
	}

	for name, tc := range cases {
		t.Run(name, tc.run)
	}
}

func TestDecideOnce(t *testing.T) {
	never := time.Time{}

	cases := map[string]story{
		"Begins":      {reason: "It runs when it is made.", job: once(), now: noon, world: nothing, want: []string{"active run Pending WaitingForService"}},
		"Suspended":   {reason: "Or when it may.", job: once(suspend), now: noon, world: nothing, want: nil},
		"HeldBefore":  {reason: "A run that is on record and has not begun waits.", job: once(active(never, time.Minute), decided(noon)), now: noon, world: nothing, change: held("billing"), want: []string{"active run Pending Suspended billing"}},
		"HeldAmid":    {reason: "One that has is interrupted.", job: once(active(never, time.Minute), decided(noon)), now: noon, world: shows(once(), never, task(swarm.TaskStateRunning, 0, 0, "")), change: held("billing"), want: []string{"over run Interrupted Suspended billing"}},
		"OnlyOnce":    {reason: "It is not run again.", job: once(over(never, time.Hour, v1alpha1.RunFailed)), now: noon, world: nothing, want: []string{"over run Failed"}},
		"NotForgiven": {reason: "Nor when its record was lost.", job: once(decided(noon)), now: noon, world: nothing, want: nil},
		"TTL":         {reason: "It goes when its time is over.", job: once(over(never, time.Hour, v1alpha1.RunSucceeded), ttl(60)), now: noon, world: nothing, want: []string{"over run Succeeded", "step delete job"}},
		"TTLWaits":    {reason: "Not before nothing of it is left.", job: once(over(never, time.Hour, v1alpha1.RunSucceeded), ttl(60)), now: noon, world: shows(once(), never, task(swarm.TaskStateComplete, 0, 0, "")), want: []string{"over run Succeeded", "step remove run"}},
	}

	for name, tc := range cases {
		t.Run(name, tc.run)
	}
}

// TestTasks: further tasks come as earlier ones succeed, never more at a time than parallelism, and never more than are asked for.
func TestTasks(t *testing.T) {
	for name, tc := range map[string]struct {
		parallelism, completions *int32
		succeeded                int32
		want                     uint64
	}{
		"One":       {want: 1},
		"Parallel":  {parallelism: new(int32(4)), want: 4},
		"First":     {parallelism: new(int32(2)), completions: new(int32(5)), want: 2},
		"OneMore":   {parallelism: new(int32(2)), completions: new(int32(5)), succeeded: 1, want: 3},
		"Last":      {parallelism: new(int32(2)), completions: new(int32(5)), succeeded: 4, want: 5},
		"All":       {parallelism: new(int32(2)), completions: new(int32(5)), succeeded: 5, want: 5},
		"TooManyAt": {parallelism: new(int32(9)), completions: new(int32(5)), want: 5},
	} {
		t.Run(name, func(t *testing.T) {
			spec := v1alpha1.TenantJobSpec{Parallelism: tc.parallelism, Completions: tc.completions}
			if got := jobrun.Tasks(&spec, tc.succeeded); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

type story struct {
	reason string
	job    *v1alpha1.TenantJob
	now    time.Time
	world  jobrun.World
	// running: Swarm shows the run of 11:00 running.
	running bool
	change  func(*jobrun.Input)
	want    []string
	check   func(*testing.T, jobrun.Plan)
}

func (s story) run(t *testing.T) {
	in := jobrun.Input{Now: s.now, Job: s.job, World: s.world}
	if s.running {
		in.World = shows(s.job, eleven, task(swarm.TaskStateRunning, time.Minute, 0, ""))
	}
	if s.change != nil {
		s.change(&in)
	}

	before := s.job.DeepCopy()
	p := jobrun.Decide(in)

	if diff := cmp.Diff(strings.Join(s.want, "\n"), told(s.job, p)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", s.reason, diff)
	}
	if diff := cmp.Diff(before, s.job); diff != "" {
		t.Errorf("the job was changed (-was +is):\n%s", diff)
	}
	if s.check != nil {
		s.check(t, p)
	}
}

func decided(until time.Time) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) {
		if j.Status.Clock == nil {
			j.Status.Clock = &v1alpha1.JobClock{}
		}
		j.Status.Clock.DecidedUntil = *stamp(until)
		if until.Before(eleven) {
			j.Status.Clock.Ran = nil
		}
	}
}

func ran(tick time.Time) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) {
		j.Status.Clock.Ran = append(j.Status.Clock.Ran, v1alpha1.TickStretch{Since: *stamp(tick), Until: *stamp(tick)})
	}
}

func suspendedSince(since time.Time) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) { j.Status.Clock.SuspendedSince = stamp(since) }
}

func policy(p v1alpha1.ConcurrencyPolicy) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) { j.Spec.ConcurrencyPolicy = p }
}

func schedule(s v1alpha1.CronExpression) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) { j.Spec.Schedule = s }
}

func deadline(seconds int64) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) { j.Spec.StartingDeadlineSeconds = &seconds }
}

func activeDeadline(seconds int64) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) { j.Spec.ActiveDeadlineSeconds = &seconds }
}

func ttl(seconds int32) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) { j.Spec.TTLSecondsAfterFinished = &seconds }
}

func suspend(j *v1alpha1.TenantJob) { j.Spec.Suspend = true }

func missing(since time.Time) func(*v1alpha1.JobRun) {
	return func(r *v1alpha1.JobRun) { r.MissingSince = stamp(since) }
}

// completions is a job of which so many tasks are to succeed, some of them at a time.
func completions(j *v1alpha1.TenantJob, parallelism, all int32) *v1alpha1.TenantJob {
	j = j.DeepCopy()
	j.Spec.Parallelism, j.Spec.Completions = &parallelism, &all

	return j
}

// hasReplicas is a world in which every service has been told so long ago to have so many tasks.
func hasReplicas(w jobrun.World, n uint64, ago time.Duration) jobrun.World {
	for name, s := range w.Services {
		s.Replicas, s.Changed = n, noon.Add(-ago)
		w.Services[name] = s
	}

	return w
}

func alone(in *jobrun.Input) { in.Alone = "of the data" }

func held(message string) func(*jobrun.Input) {
	return func(in *jobrun.Input) { in.Held = &jobrun.Hold{Reason: "Suspended", Message: message} }
}

func many(n int) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) {
		for i := range n {
			active(noon.Add(time.Duration(i-n)*time.Hour), time.Duration(n-i)*time.Hour, began("svc"))(j)
		}
	}
}

func manyActive(n int) []string {
	var lines []string
	for i := range n {
		lines = append(lines, "active "+noon.Add(time.Duration(i-n)*time.Hour).Format("02@15")+" Running Running")
	}

	return lines
}
