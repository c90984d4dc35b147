package workload

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

var epoch = time.Unix(1_700_000_000, 0)

// task is one task of slot 1; age tells newer from older ones.
func task(state swarm.TaskState, age time.Duration, change ...func(*swarmobj.Task)) swarmobj.Task {
	t := swarmobj.Task{
		ID: "t-" + string(state) + age.String(), Slot: 1, NodeID: "n1", State: state, Desired: swarm.TaskStateRunning,
		Current: true, Since: epoch.Add(-age), Created: epoch.Add(-age),
	}
	if t.Ended() {
		t.Desired = swarm.TaskStateShutdown
	}
	for _, c := range change {
		c(&t)
	}

	return t
}

func saying(err string) func(*swarmobj.Task) { return func(t *swarmobj.Task) { t.Err = err } }

func slot(n int) func(*swarmobj.Task) { return func(t *swarmobj.Task) { t.Slot = n } }

func TestCauseOf(t *testing.T) {
	const exit3 = "task: non-zero exit (3)"

	cases := map[string]struct {
		reason  string
		tasks   []swarmobj.Task
		want    string
		message string
	}{
		"Healthy": {"A running task has nothing to explain.", []swarmobj.Task{task(swarm.TaskStateRunning, 0)}, "", ""},
		"Starting": {
			"A task on its way is on its way.", []swarmobj.Task{task(swarm.TaskStatePreparing, 0)},
			v1alpha1.ReasonStarting, "A task is preparing",
		},
		"NoSuitableNode": {
			"Swarm's own words say why a task waits.",
			[]swarmobj.Task{task(swarm.TaskStatePending, 0, saying("no suitable node (insufficient resources on 1 node)"))},
			v1alpha1.ReasonUnschedulable, "no suitable node (insufficient resources on 1 node)",
		},
		"NoSuchImage": {
			"A fresh task says nothing; the rejected one before it does.",
			[]swarmobj.Task{task(swarm.TaskStateReady, 0), task(swarm.TaskStateRejected, time.Second, saying("No such image: shop:9"))},
			v1alpha1.ReasonImageUnavailable, "No such image: shop:9",
		},
		"FailedOnce": {
			"One failure is a failure.",
			[]swarmobj.Task{task(swarm.TaskStateReady, 0), task(swarm.TaskStateFailed, time.Second, saying(exit3))},
			v1alpha1.ReasonTaskFailed, "non-zero exit (3)",
		},
		"CrashLoop": {
			"The same again and again is a loop, also in the moment in which it runs.",
			[]swarmobj.Task{
				task(swarm.TaskStateRunning, 0), task(swarm.TaskStateFailed, 5*time.Second, saying(exit3)),
				task(swarm.TaskStateFailed, 10*time.Second, saying(exit3)), task(swarm.TaskStateFailed, 15*time.Second, saying(exit3)),
			},
			v1alpha1.ReasonCrashLoop, "non-zero exit (3)",
		},
		"FailuresOfAnotherTemplate": {
			"What went wrong with a template that is not run any more explains nothing.",
			[]swarmobj.Task{
				task(swarm.TaskStateRunning, 0),
				task(swarm.TaskStateFailed, 5*time.Second, saying(exit3), func(t *swarmobj.Task) { t.Current = false }),
			},
			"", "",
		},
		"OutOfMemory": {
			"Exit code 137 alone does not tell; the kernel does.",
			[]swarmobj.Task{
				task(swarm.TaskStateReady, 0),
				task(swarm.TaskStateFailed, time.Second, saying("task: non-zero exit (137)"), func(t *swarmobj.Task) { t.OOMKilled = true }),
			},
			v1alpha1.ReasonOOMKilled, "A task was killed for using more memory than its limit",
		},
		"Unhealthy": {
			"A failed health check is no crash.",
			[]swarmobj.Task{
				task(swarm.TaskStateStarting, 0),
				task(swarm.TaskStateFailed, time.Second, saying("task: non-zero exit (137): dockerexec: unhealthy container")),
			},
			v1alpha1.ReasonUnhealthy, "A task failed its health check: unhealthy container",
		},
		"UnhealthyAndObedient": {
			"A process that obeys the engine's signal ends well, and was not well.",
			[]swarmobj.Task{
				task(swarm.TaskStateStarting, 0),
				task(swarm.TaskStateComplete, time.Second, func(t *swarmobj.Task) { t.Unhealthy = true }),
			},
			v1alpha1.ReasonUnhealthy, "A task failed its health check: unhealthy container",
		},
		"Completed": {
			"A process that ended well and is not started again.",
			[]swarmobj.Task{task(swarm.TaskStateComplete, 0)}, v1alpha1.ReasonCompleted, "A task ended with exit code 0",
		},
		"WorstSlotSpeaks": {
			"What does not mend itself comes first.",
			[]swarmobj.Task{
				task(swarm.TaskStatePreparing, 0),
				task(swarm.TaskStatePending, 0, slot(2), saying("no suitable node (scheduling constraints not satisfied on 1 node)")),
			},
			v1alpha1.ReasonUnschedulable, "no suitable node (scheduling constraints not satisfied on 1 node)",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, _ := causeOf(tc.tasks)
			if got.reason != tc.want || got.message != tc.message {
				t.Errorf("%s\ngot %q %q, want %q %q", tc.reason, got.reason, got.message, tc.want, tc.message)
			}
		})
	}
}

func TestRelay(t *testing.T) {
	cases := map[string]struct{ reason, in, want string }{
		"KeepsTheTenantsOwn": {
			"What the tenant wrote is what helps the tenant.",
			`task: starting container failed: exec: "/bin/nope": stat /bin/nope: no such file or directory`,
			`starting container failed: exec: "/bin/nope": stat /bin/nope: no such file or directory`,
		},
		"HidesTheEnginesFolders": {
			"Folders of the node are the platform's.",
			"error mounting /var/lib/docker/containers/0a1b/mounts: denied", "error mounting …: denied",
		},
		"HidesIDs": {
			"An ID that changes with every attempt would make the condition flap.",
			"container 4f66ad9a0b2e51cd1c8f2a7b33bb0aa64f66ad9a0b2e51cd1c8f2a7b33bb0aa6 is gone", "container … is gone",
		},
		"HidesAddresses": {
			"Addresses of nodes are the platform's.", "dial tcp 10.1.2.3:443: refused", "dial tcp …: refused",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := swarmobj.Relay(tc.in); got != tc.want {
				t.Errorf("%s\nrelay = %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestSettled(t *testing.T) {
	failed := task(swarm.TaskStateFailed, 20*time.Second)

	cases := map[string]struct {
		reason string
		slot   []swarmobj.Task
		want   bool
		again  time.Duration
	}{
		"FirstOfItsSlot": {"A first task is believed at once.", []swarmobj.Task{task(swarm.TaskStateRunning, 0)}, true, 0},
		"JustBack": {
			"A task that follows a failure has to stay for a while.",
			[]swarmobj.Task{task(swarm.TaskStateRunning, 4*time.Second), failed}, false, 6 * time.Second,
		},
		"BackForGood": {
			"Then it is believed.", []swarmobj.Task{task(swarm.TaskStateRunning, 10*time.Second), failed}, true, 0,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, again := settled(tc.slot, epoch, 10*time.Second)
			if got != tc.want || again != tc.again {
				t.Errorf("%s\nsettled = %v, again in %v, want %v, %v", tc.reason, got, again, tc.want, tc.again)
			}
		})
	}
}
