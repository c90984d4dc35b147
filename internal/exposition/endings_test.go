package exposition

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// ended is a task that ended after the counting began.
func ended(id string, change func(*swarmobj.TaskDetail)) task {
	t := task{owner: swarmobj.Owner{UID: "web"}}
	t.ID, t.State, t.Since = id, swarm.TaskStateFailed, clock.Add(time.Second)
	if change != nil {
		change(&t.TaskDetail)
	}

	return t
}

func TestCausesOfEnds(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*swarmobj.TaskDetail)
		want   cause // Empty for one that is not counted.
	}{
		"Failed":      {"A process that ends with a code other than 0 has failed.", nil, causeFailed},
		"Completed":   {"One that ends with 0 has ended all the same.", func(d *swarmobj.TaskDetail) { d.State = swarm.TaskStateComplete }, causeCompleted},
		"OutOfMemory": {"The kernel's reason is told apart, whatever the code.", func(d *swarmobj.TaskDetail) { d.OOMKilled = true }, causeOOMKilled},
		"Unhealthy": {"A process that obeys the signal ends with 0.", func(d *swarmobj.TaskDetail) {
			d.State, d.Unhealthy = swarm.TaskStateComplete, true
		}, causeUnhealthy},
		"Rejected": {"It never ran.", func(d *swarmobj.TaskDetail) { d.State = swarm.TaskStateRejected }, causeRejected},
		"Stopped":  {"Swarm has stopped it, to scale or to roll out.", func(d *swarmobj.TaskDetail) { d.State = swarm.TaskStateShutdown }, ""},
		"Running":  {"It goes on.", func(d *swarmobj.TaskDetail) { d.State = swarm.TaskStateRunning }, ""},
		"Before":   {"It was counted by the server before this one.", func(d *swarmobj.TaskDetail) { d.Since = clock.Add(-time.Second) }, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			e := newEndings(clock)
			e.look([]task{ended("t1", tc.change)}, clock.Add(time.Minute))
			for _, c := range causes {
				want := uint64(0)
				if c == tc.want {
					want = 1
				}
				if got := e.of("web")[c]; got != want {
					t.Errorf("%s: got %d, want %d. %s", c, got, want, tc.reason)
				}
			}
		})
	}
}

// TestAnEndIsCountedOnce: Swarm shows a task long after its end, and forgets it one day.
func TestAnEndIsCountedOnce(t *testing.T) {
	e := newEndings(clock)
	for i := range 3 {
		e.look([]task{ended("t1", nil)}, clock.Add(time.Duration(i+1)*time.Minute))
	}
	e.look(nil, clock.Add(10*time.Minute))
	if got := e.of("web")[causeFailed]; got != 1 {
		t.Errorf("counted %d times", got)
	}
	if len(e.counted) != 0 {
		t.Errorf("remembers %v, which Swarm has forgotten", e.counted)
	}
	e.look(nil, clock.Add(2*time.Hour))
	if len(e.counts) != 0 || len(e.seen) != 0 {
		t.Errorf("remembers %v of a container that is gone", e.counts)
	}
}

// TestTheCauseIsWaitedFor: it is learned a moment later that the kernel has killed a task.
func TestTheCauseIsWaitedFor(t *testing.T) {
	e := newEndings(clock)
	e.look([]task{ended("t1", nil)}, clock.Add(3*time.Second))
	if got := e.of("web")[causeFailed]; got != 0 {
		t.Errorf("judged after two seconds")
	}
	e.look([]task{ended("t1", func(d *swarmobj.TaskDetail) { d.OOMKilled = true })}, clock.Add(4*time.Second))
	if got := e.of("web")[causeOOMKilled]; got != 1 {
		t.Errorf("got %d, want 1", got)
	}
}

// TestEndsAreShown on the page of their namespace, and none are counted while the swarm is not known.
func TestEndsAreShown(t *testing.T) {
	w := newWorld()
	tc := w.container("acme", "web", 1)
	w.task(tc, 0, func(d *swarmobj.TaskDetail) { d.State, d.OOMKilled = swarm.TaskStateFailed, true })
	s := w.server(t)
	s.lookForEnds()

	want := `dogker_workload_tasks_ended_total{cause="OOMKilled",container="web",namespace="acme"} 1`
	if got := get(t, s, acmeMetrics).Body.String(); !strings.Contains(got, want+"\n") {
		t.Errorf("%s is missing in:\n%s", want, got)
	}
}
