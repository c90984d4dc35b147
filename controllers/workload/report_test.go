package workload

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestReport(t *testing.T) {
	up := task(swarm.TaskStateRunning, time.Minute)
	old := task(swarm.TaskStateRunning, time.Minute, func(t *swarmobj.Task) { t.Current = false })
	stuck := task(swarm.TaskStatePending, 0, slot(2), saying("no suitable node (insufficient resources on 1 node)"))
	crash := func(age time.Duration) swarmobj.Task {
		return task(swarm.TaskStateFailed, age, saying("task: non-zero exit (3)"))
	}

	cases := map[string]struct {
		reason string
		change func(*situation)

		ready   metav1.ConditionStatus
		why     string
		tasks   string
		stalled bool
		working bool
		also    string
	}{
		"Running": {
			reason: "All tasks run what is declared.", change: func(s *situation) { s.world.Tasks = []swarmobj.Task{up} },
			ready: metav1.ConditionTrue, why: v1alpha1.ReasonRunning, tasks: "1/1",
		},
		"JustCreated": {
			reason: "What Swarm has not confirmed is being worked on.", change: func(s *situation) { s.world.Uncertain = true },
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonProgressing, tasks: "0/1", working: true,
		},
		"Starting": {
			reason: "A task on its way.", change: func(s *situation) { s.world.Tasks = []swarmobj.Task{task(swarm.TaskStatePreparing, 0)} },
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonStarting, tasks: "0/1", working: true,
		},
		"OneCannotBePlaced": {
			reason: "The engine's words say why one is missing.", change: func(s *situation) {
				two := int32(2)
				s.tc.Spec.Replicas = &two
				s.world.Tasks = []swarmobj.Task{up, stuck}
			},
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonUnschedulable, tasks: "1/2", working: true,
		},
		"RollingOut": {
			reason: "Old tasks that serve are not what is declared.", change: func(s *situation) {
				s.world.Tasks = []swarmobj.Task{old}
				inState(s.world.Service, swarm.UpdateStateUpdating)
			},
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonProgressing, tasks: "1/1", working: true,
		},
		"RollingOutBadly": {
			reason: "What goes wrong in a rollout is said while it goes wrong.", change: func(s *situation) {
				s.world.Tasks = []swarmobj.Task{old, task(swarm.TaskStateRejected, 0, slot(2), saying("No such image: shop:9"))}
				inState(s.world.Service, swarm.UpdateStateUpdating)
			},
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonImageUnavailable, tasks: "1/1", working: true,
		},
		"CrashLoopBetweenCrashes": {
			reason: "A container that crashes every few seconds is not ready in between.",
			change: func(s *situation) {
				s.world.Tasks = []swarmobj.Task{task(swarm.TaskStateRunning, 2*time.Second), crash(8 * time.Second), crash(14 * time.Second), crash(20 * time.Second)}
			},
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonCrashLoop, tasks: "1/1", working: true,
		},
		"NodeLost": {
			reason: "What a lost node last said is not true any more.", change: func(s *situation) {
				s.world.Tasks = []swarmobj.Task{up}
				s.world.Nodes = []swarm.Node{node("n1", func(n *swarm.Node) { n.Status.State = swarm.NodeStateDown })}
			},
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonProgressing, tasks: "0/1", working: true,
		},
		"ScaledToZero": {
			reason: "Nothing is wanted and nothing runs: as declared.", change: func(s *situation) { s.tc.Spec.Replicas = new(int32) },
			ready: metav1.ConditionTrue, why: v1alpha1.ReasonScaledToZero, tasks: "0/0",
		},
		"Suspended": {
			reason: "A suspended container is not ready, and nobody works on it.", change: func(s *situation) {
				s.tc.Annotations = map[string]string{v1alpha1.AnnotationSuspend: "NoMoney"}
			},
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonSuspended, tasks: "0/0", also: v1alpha1.ConditionSuspended,
		},
		"OutsideOfItsWindows": {
			reason: "That nothing runs at night is as declared: others need not wait for it.", change: func(s *situation) {
				s.timetable = timetable{closed: true, change: epoch.Add(time.Hour), zone: time.UTC}
			},
			ready: metav1.ConditionTrue, why: v1alpha1.ReasonOutsideSchedule, tasks: "0/0",
		},
		"StoppingAtTheEndOfAWindow": {
			reason: "What is still running is being stopped.", change: func(s *situation) {
				s.timetable = timetable{closed: true, change: epoch.Add(time.Hour), zone: time.UTC}
				s.world.Tasks = []swarmobj.Task{up}
			},
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonProgressing, tasks: "1/0", working: true,
		},
		"RolledBack": {
			reason: "An earlier revision serves; only a change of the spec helps.", change: func(s *situation) {
				failed := revision(2, "b", v1alpha1.OutcomeFailed)
				failed.Status.Reason, failed.Status.Message = v1alpha1.ReasonCrashLoop, "non-zero exit (3)"
				s.target.failed, s.world.Tasks = &failed, []swarmobj.Task{up}
			},
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonRolledBack, tasks: "1/1", stalled: true, also: v1alpha1.ConditionRolledBack,
		},
		"PausedBySwarm": {
			reason: "A rollout that stopped waits for somebody.", change: func(s *situation) {
				s.world.Tasks = []swarmobj.Task{old, crash(time.Second)}
				inState(s.world.Service, swarm.UpdateStatePaused)
			},
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonRolloutPaused, tasks: "1/1", stalled: true,
		},
		"PausedByTheUser": {
			reason: "A change that is held back is said to be.", change: func(s *situation) {
				s.target.paused, s.world.Tasks = true, []swarmobj.Task{up}
			},
			ready: metav1.ConditionFalse, why: v1alpha1.ReasonPaused, tasks: "1/1", also: v1alpha1.ConditionPaused,
		},
		"NotPinned": {
			reason: "An image that no registry stands for is said to be one.", change: func(s *situation) {
				s.image, s.world.Tasks = "sha256:"+digest, []swarmobj.Task{up}
				again(s)
				s.world.Service.Spec = *s.want
			},
			ready: metav1.ConditionTrue, why: v1alpha1.ReasonRunning, tasks: "1/1", also: v1alpha1.ConditionImagePinned,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := scene(t, tc.change)
			if _, err := report(s, nil); err != nil {
				t.Fatal(err)
			}

			ready := conditions.Get(s.tc, conditions.Ready)
			if ready == nil || ready.Status != tc.ready || ready.Reason != tc.why {
				t.Errorf("%s\nReady = %+v, want %s %s", tc.reason, ready, tc.ready, tc.why)
			}
			if s.tc.Status.Tasks != tc.tasks {
				t.Errorf("%s\ntasks = %q, want %q", tc.reason, s.tc.Status.Tasks, tc.tasks)
			}
			if got := conditions.IsTrue(s.tc, conditions.Stalled); got != tc.stalled {
				t.Errorf("%s\nStalled = %v, want %v", tc.reason, got, tc.stalled)
			}
			if got := conditions.IsTrue(s.tc, conditions.Reconciling); got != tc.working {
				t.Errorf("%s\nReconciling = %v, want %v", tc.reason, got, tc.working)
			}
			if tc.also != "" && conditions.Get(s.tc, tc.also) == nil {
				t.Errorf("%s\ncondition %s is not there", tc.reason, tc.also)
			}
		})
	}
}
