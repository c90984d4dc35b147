package workload

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func inState(s *swarm.Service, state swarm.UpdateState) *swarm.Service {
	s.UpdateStatus = &swarm.UpdateStatus{State: state}

	return s
}

func TestJudge(t *testing.T) {
	const (
		none        = v1alpha1.RevisionOutcome("")
		progressing = v1alpha1.OutcomeProgressing
		complete    = v1alpha1.OutcomeComplete
		failed      = v1alpha1.OutcomeFailed
	)

	running := []swarmobj.Task{task(swarm.TaskStateRunning, time.Minute)}
	old := []swarmobj.Task{task(swarm.TaskStateRunning, time.Minute, func(t *swarmobj.Task) { t.Current = false })}
	crashed := append([]swarmobj.Task{task(swarm.TaskStateFailed, time.Second, slot(2), saying("task: non-zero exit (3)"))}, old...)

	cases := map[string]struct {
		reason  string
		outcome v1alpha1.RevisionOutcome // of revision 2
		live    *swarm.Service
		tasks   []swarmobj.Task
		age     time.Duration // of revision 2
		suspend bool
		blurred bool
		old     bool // the tasks are older than the service

		want  v1alpha1.RevisionOutcome
		cause string
		held  bool // nothing may be written until there is a verdict
	}{
		"Sent": {
			reason: "What Swarm runs has been sent.", live: inState(service(2, "b"), swarm.UpdateStateUpdating), tasks: old, want: progressing,
		},
		"NotSent": {
			reason: "A record without an update says nothing, whatever an earlier rollout left behind.",
			live:   inState(service(1, "a"), swarm.UpdateStateRollbackCompleted), tasks: running,
		},
		"Complete": {
			reason: "All tasks run it and Swarm is done.", outcome: progressing,
			live: inState(service(2, "b"), swarm.UpdateStateCompleted), tasks: running, want: complete,
		},
		"CompleteWithoutAWord": {
			reason: "A scaling clears Swarm's word; the tasks still tell.", outcome: progressing, live: service(2, "b"), tasks: running, want: complete,
		},
		"RunningAgainAfterFailures": {
			reason: "A crash loop runs now and then; that does not complete it.", outcome: progressing, live: service(2, "b"),
			tasks: []swarmobj.Task{task(swarm.TaskStateRunning, time.Second), task(swarm.TaskStateFailed, time.Minute, saying("task: non-zero exit (3)"))},
		},
		"StillMonitored": {
			reason: "Tasks that run while Swarm still watches them may yet fail.", outcome: progressing,
			live: inState(service(2, "b"), swarm.UpdateStateUpdating), tasks: running,
		},
		"RolledBackBySwarm": {
			reason: "Swarm went back by itself: the revision failed, and its tasks say why.", outcome: progressing,
			live: inState(service(1, "a"), swarm.UpdateStateRollbackCompleted), tasks: crashed, want: failed, cause: v1alpha1.ReasonTaskFailed,
		},
		"RolledBackAfterAGoodEnd": {
			reason: "Swarm counts a task that ends at all, and so may one that its health check has stopped.", outcome: progressing,
			live:  inState(service(1, "a"), swarm.UpdateStateRollbackCompleted),
			tasks: append([]swarmobj.Task{task(swarm.TaskStateComplete, time.Second, slot(2))}, old...),
			want:  failed, cause: v1alpha1.ReasonCompleted,
		},
		"RolledBackBeforeTheTasksAreKnown": {
			reason: "A verdict waits for the tasks that can explain it, and everything else for the verdict.", outcome: progressing, old: true, held: true,
			live: inState(service(1, "a"), swarm.UpdateStateRollbackStarted), tasks: running,
		},
		"PausedBySwarm": {
			reason: "failureAction Pause ends a rollout as well.", outcome: progressing,
			live: inState(service(2, "b"), swarm.UpdateStatePaused), tasks: crashed, want: failed, cause: v1alpha1.ReasonTaskFailed,
		},
		"DeadlinePassed": {
			reason: "Swarm would wait for ever.", outcome: progressing, age: time.Hour,
			live: inState(service(2, "b"), swarm.UpdateStateUpdating), tasks: old, want: failed, cause: v1alpha1.ReasonProgressDeadlineExceeded,
		},
		"DeadlineExtendedByProgress": {
			reason: "A large rollout that goes on is left to go on.", outcome: progressing, age: time.Hour,
			live:  inState(service(2, "b"), swarm.UpdateStateUpdating),
			tasks: []swarmobj.Task{old[0], task(swarm.TaskStateRunning, time.Minute, slot(2)), task(swarm.TaskStatePreparing, 0, slot(3))},
		},
		"CompleteStaysComplete": {
			reason: "What happens to a revision after it has run is no failed rollout.", outcome: complete, age: time.Hour,
			live: service(2, "b"), tasks: crashed,
		},
		"FailedThatRecovers": {
			reason: "A first deployment that was slow is not held against it.", outcome: failed, live: service(2, "b"), tasks: running, want: complete,
		},
		"Suspended": {
			reason: "While nothing is meant to run nothing can be judged.", outcome: progressing, age: time.Hour, suspend: true,
			live: service(2, "b"),
		},
		"Unconfirmed": {
			reason: "What Swarm has not confirmed is not evidence.", outcome: progressing, blurred: true, live: service(2, "b"), tasks: running,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			replicas := int32(len(tc.tasks))
			c := &v1alpha1.TenantContainer{Spec: v1alpha1.TenantContainerSpec{Replicas: &replicas}}
			if tc.suspend {
				c.Annotations = map[string]string{v1alpha1.AnnotationSuspend: "test"}
			}

			latest := revision(2, "b", tc.outcome)
			latest.CreationTimestamp = metav1.NewTime(epoch.Add(-tc.age))
			w := swarmobj.World{Service: tc.live, Tasks: tc.tasks, TasksFresh: !tc.old, Uncertain: tc.blurred}

			v, news := judge(c, effective(c, nil, timetable{}, nil), w, history{revision(1, "a", complete), latest}, epoch)
			if !news {
				v = verdict{outcome: none}
			}
			if v.outcome != tc.want || v.cause.reason != tc.cause {
				t.Errorf("%s\nverdict %q %q, want %q %q", tc.reason, v.outcome, v.cause.reason, tc.want, tc.cause)
			}
			if held := unexplained(effective(c, nil, timetable{}, nil), w, history{revision(1, "a", complete), latest}); held != tc.held {
				t.Errorf("%s\nunexplained %t, want %t", tc.reason, held, tc.held)
			}
		})
	}
}
