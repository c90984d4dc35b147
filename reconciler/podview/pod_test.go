package podview_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/podview"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

var (
	web = swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "11111111-2222-3333-4444-555555555555"}
	t0  = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
)

// spec is what a small container's tasks are made from.
func spec() *swarm.TaskSpec {
	return &swarm.TaskSpec{
		ContainerSpec: &swarm.ContainerSpec{
			Image: "registry.example/shop:1.4@sha256:" + strings.Repeat("1", 64), Command: []string{"/shop"}, Env: []string{"GREETING=hello", "PASSWORD=secret", "OLD=x"},
			Labels: map[string]string{"team": "shop", "io.dogker.x": "no", "not a label": "x"}, StopGracePeriod: new(30 * time.Second),
		},
		Resources: &swarm.ResourceRequirements{
			Limits:       &swarm.Limit{NanoCPUs: 5e8, MemoryBytes: 64 << 20},
			Reservations: &swarm.Resources{NanoCPUs: 25e7, MemoryBytes: 64 << 20},
		},
	}
}

// task is one of slot 1 that runs, changed.
func task(change ...func(*swarmobj.TaskDetail)) swarmobj.TaskDetail {
	t := swarmobj.TaskDetail{
		Task: swarmobj.Task{
			ID: "abcdefghijklmnop", Slot: 1, NodeID: "node1", Current: true, State: swarm.TaskStateRunning, Desired: swarm.TaskStateRunning,
			Message: "started", Since: t0.Add(5 * time.Second), Created: t0,
		},
		Version: 7, Container: "c0ffee", Address: netip.MustParseAddr("10.1.0.5"), Updated: t0.Add(5 * time.Second), Spec: spec(),
	}
	for _, f := range change {
		f(&t)
	}

	return t
}

func in(state, desired swarm.TaskState) func(*swarmobj.TaskDetail) {
	return func(t *swarmobj.TaskDetail) { t.State, t.Desired = state, desired }
}

func ended(state swarm.TaskState, code int, err string) func(*swarmobj.TaskDetail) {
	return func(t *swarmobj.TaskDetail) {
		t.State, t.Desired, t.ExitCode, t.Err = state, swarm.TaskStateShutdown, code, err
	}
}

func named(id string, created time.Duration) func(*swarmobj.TaskDetail) {
	return func(t *swarmobj.TaskDetail) { t.ID, t.Created = id, t0.Add(created) }
}

func nowhere(t *swarmobj.TaskDetail) { t.NodeID, t.Container = "", "" }
func unmade(t *swarmobj.TaskDetail)  { t.Container = "" }

// look is what kubectl makes of a pod.
type look struct {
	Phase    corev1.PodPhase
	State    string
	Ready    bool
	Restarts int32
	Leaving  bool
	Problem  string // Why it is not scheduled, or not ready.
}

func lookAt(p *corev1.Pod) look {
	l := look{Phase: p.Status.Phase, Leaving: p.DeletionTimestamp != nil}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			l.Ready, l.Problem = c.Status == corev1.ConditionTrue, c.Reason
		}
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			l.Problem = c.Reason + ": " + c.Message
		}
	}
	for _, s := range p.Status.ContainerStatuses {
		l.Restarts = s.RestartCount
		switch {
		case s.State.Running != nil:
			l.State = "running"
		case s.State.Waiting != nil:
			l.State = "waiting: " + s.State.Waiting.Reason + ": " + s.State.Waiting.Message
		case s.State.Terminated != nil:
			l.State = fmt.Sprintf("terminated: %s %d", s.State.Terminated.Reason, s.State.Terminated.ExitCode)
		}
	}

	return l
}

func TestStatus(t *testing.T) {
	before := func(change ...func(*swarmobj.TaskDetail)) *swarmobj.TaskDetail {
		t := task(append([]func(*swarmobj.TaskDetail){named("before", -time.Minute)}, change...)...)
		return &t
	}

	for name, tc := range map[string]struct {
		reason string
		task   swarmobj.TaskDetail
		before *swarmobj.TaskDetail
		lost   string
		want   look
	}{
		"Runs": {
			reason: "Swarm keeps a task in starting until its health check passes: one that runs is ready.",
			task:   task(), want: look{Phase: corev1.PodRunning, State: "running", Ready: true},
		},
		"Unschedulable": {
			reason: "The engine's words say which node lacks what.",
			task: task(in(swarm.TaskStatePending, swarm.TaskStateRunning), nowhere, func(t *swarmobj.TaskDetail) {
				t.Message, t.Err = "pending task scheduling", "no suitable node (insufficient resources on 1 node)"
			}),
			want: look{Phase: corev1.PodPending, Problem: "Unschedulable: no suitable node (insufficient resources on 1 node)"},
		},
		"Prepares": {
			reason: "Images are pulled while a task prepares.",
			task:   task(in(swarm.TaskStatePreparing, swarm.TaskStateRunning), unmade, func(t *swarmobj.TaskDetail) { t.Message = "preparing" }),
			want:   look{Phase: corev1.PodPending, State: "waiting: ContainerCreating: preparing", Problem: "ContainersNotReady"},
		},
		"WaitsForItsHealthCheck": {
			reason: "The container runs, and nobody is to be sent to it yet.",
			task:   task(in(swarm.TaskStateStarting, swarm.TaskStateRunning)),
			want:   look{Phase: corev1.PodRunning, State: "running", Problem: "ContainersNotReady"},
		},
		"HeldBackAfterAFailure": {
			reason: "Swarm makes the next task at once and starts it after the delay.",
			task:   task(in(swarm.TaskStateReady, swarm.TaskStateReady), unmade), before: before(ended(swarm.TaskStateFailed, 3, "task: non-zero exit (3)")),
			want: look{Phase: corev1.PodPending, State: "waiting: CrashLoopBackOff: task: non-zero exit (3)", Restarts: 1, Problem: "ContainersNotReady"},
		},
		"HeldBackWithoutAnImage": {
			reason: "It is the image that is missing, not the program that fails.",
			task:   task(in(swarm.TaskStateReady, swarm.TaskStateReady), unmade), before: before(ended(swarm.TaskStateRejected, 0, "No such image: x"), unmade),
			want: look{Phase: corev1.PodPending, State: "waiting: ImagePullBackOff: No such image: x", Restarts: 1, Problem: "ContainersNotReady"},
		},
		"Rejected": {
			reason: "A container that was never made has no exit code.",
			task:   task(ended(swarm.TaskStateRejected, 0, "No such image: x"), unmade),
			want:   look{Phase: corev1.PodFailed, State: "waiting: ErrImagePull: No such image: x", Problem: "PodFailed"},
		},
		"RejectedForAnotherReason": {
			reason: "Not everything that cannot be made lacks an image.",
			task:   task(ended(swarm.TaskStateRejected, 0, "invalid mount config"), unmade),
			want:   look{Phase: corev1.PodFailed, State: "waiting: CreateContainerError: invalid mount config", Problem: "PodFailed"},
		},
		"Failed": {
			reason: "The exit code is the program's.",
			task:   task(ended(swarm.TaskStateFailed, 3, "task: non-zero exit (3)")),
			want:   look{Phase: corev1.PodFailed, State: "terminated: Error 3", Problem: "PodFailed"},
		},
		"OutOfMemory": {
			reason: "The kernel's kill has a name of its own in Kubernetes.",
			task:   task(ended(swarm.TaskStateFailed, 137, "task: non-zero exit (137)"), func(t *swarmobj.TaskDetail) { t.OOMKilled = true }),
			want:   look{Phase: corev1.PodFailed, State: "terminated: OOMKilled 137", Problem: "PodFailed"},
		},
		"Completed": {
			reason: "A program that ends well has done its work.",
			task:   task(ended(swarm.TaskStateComplete, 0, "")),
			want:   look{Phase: corev1.PodSucceeded, State: "terminated: Completed 0", Problem: "PodCompleted"},
		},
		"IsShutDown": {
			reason: "It runs until it has ended, and is leaving.",
			task:   task(in(swarm.TaskStateRunning, swarm.TaskStateShutdown)),
			want:   look{Phase: corev1.PodRunning, State: "running", Leaving: true, Problem: "ContainersNotReady"},
		},
		"NodeIsLost": {
			reason: "Nobody knows whether it runs.",
			task:   task(), lost: "the swarm's managers do not hear of the node",
			want: look{Phase: corev1.PodRunning, State: "running", Problem: "NodeNotReady"},
		},
		"Orphaned": {
			reason: "Swarm has given it up.",
			task:   task(ended(swarm.TaskStateOrphaned, 0, "")),
			want:   look{Phase: corev1.PodFailed, State: "terminated: NodeLost 0", Problem: "PodFailed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tasks := []swarmobj.TaskDetail{tc.task}
			if tc.before != nil {
				tasks = append(tasks, *tc.before)
			}
			chosen := podview.Select(tasks)
			if len(chosen) != 1 {
				t.Fatalf("%d tasks are shown, want one", len(chosen))
			}
			got := lookAt(podview.Pod(podview.Input{Owner: web, Task: chosen[0], Node: podview.Where{Name: "a", Lost: tc.lost}}))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSelect(t *testing.T) {
	failed := ended(swarm.TaskStateFailed, 1, "x")

	for name, tc := range map[string]struct {
		reason string
		tasks  []swarmobj.TaskDetail
		want   []string // ID and how many failed before.
	}{
		"None": {reason: "A service without tasks has no pods."},
		"HistoryIsHidden": {
			reason: "What runs is shown; what ended before it counts.",
			tasks:  []swarmobj.TaskDetail{task(named("b", 2)), task(named("a", 1), failed)},
			want:   []string{"b 1"},
		},
		"TheLastEndIsShown": {
			reason: "Where nothing runs, people want to see why.",
			tasks:  []swarmobj.TaskDetail{task(named("a", 1), failed), task(named("b", 2), failed)},
			want:   []string{"b 1"},
		},
		"BothDuringARollout": {
			reason: "The old task goes on until the new one has taken over.",
			tasks:  []swarmobj.TaskDetail{task(named("a", 1), in(swarm.TaskStateRunning, swarm.TaskStateShutdown)), task(named("b", 2))},
			want:   []string{"a 0", "b 0"},
		},
		"SlotsAreOnTheirOwn": {
			reason: "A slot has its own history.",
			tasks:  []swarmobj.TaskDetail{task(named("a", 1), failed), task(named("b", 2), func(t *swarmobj.TaskDetail) { t.Slot = 2 })},
			want:   []string{"a 0", "b 0"},
		},
		"NodesAreSlots": {
			reason: "A global service has one task on each node.",
			tasks: []swarmobj.TaskDetail{
				task(named("a", 1), func(t *swarmobj.TaskDetail) { t.Slot = 0 }),
				task(named("b", 2), func(t *swarmobj.TaskDetail) { t.Slot, t.NodeID = 0, "node2" }),
			},
			want: []string{"a 0", "b 0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range podview.Select(tc.tasks) {
				got = append(got, fmt.Sprintf("%s %d", c.ID, c.Failed))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPod: everything beside the status.
func TestPod(t *testing.T) {
	declared := &v1alpha1.TenantContainerSpec{
		Env: []v1alpha1.EnvVar{
			{Name: "GREETING", Value: new(v1alpha1.Text("hello"))},
			{Name: "OLD", Value: new(v1alpha1.Text("not what the task has"))},
			{Name: "PASSWORD", ValueFrom: &v1alpha1.EnvVarSource{SecretKeyRef: &v1alpha1.KeySelector{Name: "key", Key: "password"}}},
		},
		EnvFrom: []v1alpha1.EnvFromSource{{Prefix: "X_", ConfigMapRef: &v1alpha1.ObjectSource{Name: "all", Optional: true}}},
		Ports:   []v1alpha1.Port{{Name: "http", ContainerPort: 80, Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishHost, Port: 8080}}},
	}
	service := &swarm.Service{Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{
		Name: "acme_web", Labels: map[string]string{v1alpha1.SwarmLabelRevision: "3"},
	}}}
	pod := podview.Pod(podview.Input{
		Owner: web, Service: service, Task: podview.Select([]swarmobj.TaskDetail{task()})[0], Declared: declared,
		Node: podview.Where{Name: "a.example", Address: "192.0.2.1"},
	})

	want := metav1.ObjectMeta{
		Name: "web-1-abcdefghij", Namespace: "acme", UID: pod.UID, CreationTimestamp: metav1.NewTime(t0),
		Labels:      map[string]string{"team": "shop", "dogker.io/container": "web", "app.kubernetes.io/name": "web", "dogker.io/slot": "1"},
		Annotations: map[string]string{"dogker.io/task": "abcdefghijklmnop", "dogker.io/service": "acme_web", "dogker.io/revision": "3"},
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "dogker.io/v1alpha1", Kind: "TenantContainer", Name: "web", UID: "11111111-2222-3333-4444-555555555555",
			Controller: new(true), BlockOwnerDeletion: new(false),
		}},
	}
	if diff := cmp.Diff(want, pod.ObjectMeta); diff != "" {
		t.Errorf("metadata:\n%s", diff)
	}

	c := pod.Spec.Containers[0]
	env := []corev1.EnvVar{
		{Name: "GREETING", Value: "hello"},
		{Name: "PASSWORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "key"}, Key: "password"}}},
	}
	if diff := cmp.Diff(env, c.Env); diff != "" {
		t.Errorf("env:\n%s", diff)
	}
	if diff := cmp.Diff([]corev1.ContainerPort{{Name: "http", ContainerPort: 80, HostPort: 8080, Protocol: "TCP"}}, c.Ports); diff != "" {
		t.Errorf("ports:\n%s", diff)
	}
	got := []string{
		c.Name, c.Image, c.Resources.Limits.Cpu().String(), c.Resources.Limits.Memory().String(), c.Resources.Requests.Cpu().String(),
		pod.Spec.NodeName, pod.Status.HostIP, pod.Status.PodIP, string(pod.Status.QOSClass), c.Command[0], c.EnvFrom[0].Prefix + c.EnvFrom[0].ConfigMapRef.Name,
	}
	if diff := cmp.Diff([]string{"web", "registry.example/shop:1.4", "500m", "64Mi", "250m", "a.example", "192.0.2.1", "10.1.0.5", "Burstable", "/shop", "X_all"}, got); diff != "" {
		t.Errorf("container:\n%s", diff)
	}
}

// TestImageThatWasNotPulled: people see what they have written, and the ID is the ID.
func TestImageThatWasNotPulled(t *testing.T) {
	id := "sha256:" + strings.Repeat("a", 64)
	never := func(t *swarmobj.TaskDetail) {
		s := *t.Spec
		c := *s.ContainerSpec
		c.Image = id
		s.ContainerSpec = &c
		t.Spec = &s
	}
	older := func(t *swarmobj.TaskDetail) { t.Current = false }
	service := &swarm.Service{Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Labels: map[string]string{v1alpha1.SwarmLabelImage: "shop:dev"}}}}

	for name, tc := range map[string]struct {
		reason  string
		task    swarmobj.TaskDetail
		service *swarm.Service
		want    string
		wantID  string
	}{
		"Current":   {"It is what the service was made of.", task(never), service, "shop:dev", id},
		"Older":     {"The service says nothing of tasks that are made of what it was before.", task(never, older), service, id, id},
		"NoService": {"Nobody knows what was written.", task(never), nil, id, id},
		"Pulled":    {"An image with a name is called by it.", task(), service, "registry.example/shop:1.4", spec().ContainerSpec.Image},
	} {
		t.Run(name, func(t *testing.T) {
			pod := podview.Pod(podview.Input{Owner: web, Service: tc.service, Task: podview.Select([]swarmobj.TaskDetail{tc.task})[0]})
			s := pod.Status.ContainerStatuses[0]
			if pod.Spec.Containers[0].Image != tc.want || s.Image != tc.want || s.ImageID != tc.wantID {
				t.Errorf("%s: got %q, in the status %q with ID %q; want %q and %q", tc.reason, pod.Spec.Containers[0].Image, s.Image, s.ImageID, tc.want, tc.wantID)
			}
		})
	}
}

// TestNothingUndeclaredIsShown: of what the tenant has not declared, pods show nothing that could be secret.
func TestNothingUndeclaredIsShown(t *testing.T) {
	chosen := podview.Select([]swarmobj.TaskDetail{task()})[0]
	adopted := &swarm.Service{Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Labels: map[string]string{v1alpha1.SwarmLabelAdopted: "x"}}}}

	for name, input := range map[string]podview.Input{
		"Unknown": {Owner: web, Task: chosen},
		"Adopted": {Owner: web, Task: chosen, Service: adopted},
	} {
		t.Run(name, func(t *testing.T) {
			c := podview.Pod(input).Spec.Containers[0]
			if len(c.Env) != 0 {
				t.Errorf("env: got %v, want none", c.Env)
			}
			if name == "Adopted" && len(c.Command) != 0 {
				t.Errorf("command: got %v, want none", c.Command)
			}
		})
	}
}

// TestBareTask: what is missing breaks nothing.
func TestBareTask(t *testing.T) {
	for _, state := range []swarm.TaskState{"", swarm.TaskStateNew, swarm.TaskStateRunning, swarm.TaskStateFailed, swarm.TaskStateRemove} {
		bare := swarmobj.TaskDetail{Task: swarmobj.Task{ID: "x", State: state}}
		if pod := podview.Pod(podview.Input{Task: podview.Chosen{TaskDetail: bare}}); pod.Status.Phase == "" {
			t.Errorf("state %q has no phase", state)
		}
	}
}
