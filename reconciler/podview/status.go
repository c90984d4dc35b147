package podview

import (
	"cmp"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of container states, in the words that people know from Kubernetes.
const (
	reasonCreating    = "ContainerCreating"
	reasonPull        = "ErrImagePull"
	reasonPullBackOff = "ImagePullBackOff"
	reasonCrash       = "CrashLoopBackOff"
	reasonNotCreated  = "CreateContainerError"
	reasonOOM         = "OOMKilled"
	reasonError       = "Error"
	reasonCompleted   = "Completed"
	reasonUnhealthy   = "Unhealthy"
	reasonNodeLost    = "NodeLost"
)

func status(in *Input, pod *corev1.Pod) corev1.PodStatus {
	t := &in.Task
	out := corev1.PodStatus{Phase: phase(t), QOSClass: qos(pod.Spec.Containers[0].Resources)}

	if t.NodeID != "" {
		out.StartTime = timeOf(t.Created)
		out.HostIP = in.Node.Address
		if out.HostIP != "" {
			out.HostIPs = []corev1.HostIP{{IP: out.HostIP}}
		}
		out.ContainerStatuses = []corev1.ContainerStatus{containerStatus(in, pod)}
	}
	if t.Address.IsValid() && !t.Ended() {
		out.PodIP = t.Address.String()
		out.PodIPs = []corev1.PodIP{{IP: out.PodIP}}
	}
	switch t.State {
	case swarm.TaskStateRejected:
		out.Reason, out.Message = notMade(t.Err), words(t)
	case swarm.TaskStateOrphaned:
		out.Reason, out.Message = reasonNodeLost, cmp.Or(words(t), "The node was away for so long that Swarm has given its tasks up.")
	}
	out.Conditions = conditions(in, &out)

	return out
}

func phase(t *Chosen) corev1.PodPhase {
	switch t.State {
	case swarm.TaskStateRunning:
		return corev1.PodRunning
	case swarm.TaskStateStarting:
		if t.Container != "" {
			return corev1.PodRunning
		}

		return corev1.PodPending
	case swarm.TaskStateComplete:
		return corev1.PodSucceeded
	case swarm.TaskStateShutdown, swarm.TaskStateRemove:
		if t.ExitCode == 0 && !t.OOMKilled && !t.Unhealthy {
			return corev1.PodSucceeded
		}

		return corev1.PodFailed
	case swarm.TaskStateFailed, swarm.TaskStateRejected, swarm.TaskStateOrphaned:
		return corev1.PodFailed
	default:
		return corev1.PodPending
	}
}

// containerStatus is what becomes of the container of a task that has a node.
func containerStatus(in *Input, pod *corev1.Pod) corev1.ContainerStatus {
	t := &in.Task
	out := corev1.ContainerStatus{
		Name: in.Owner.Name, RestartCount: t.Failed, Image: pod.Spec.Containers[0].Image,
		Started: new(t.State == swarm.TaskStateRunning),
	}
	if t.Container != "" {
		out.ContainerID = "docker://" + t.Container
	}
	if c := containerSpecOf(t.Spec); c != nil && (strings.Contains(c.Image, "@") || isID(c.Image)) {
		out.ImageID = c.Image
	}

	switch {
	case t.Ended() && (t.Container != "" || t.State != swarm.TaskStateRejected):
		out.State.Terminated = terminated(t.Task.Since, t.Created, t)
	case t.State == swarm.TaskStateRejected:
		out.State.Waiting = &corev1.ContainerStateWaiting{Reason: notMade(t.Err), Message: words(t)}
	case t.State == swarm.TaskStateRunning || t.State == swarm.TaskStateStarting && t.Container != "":
		out.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(t.Since)}
		out.Ready = t.Running() && in.Node.Lost == ""
	default:
		out.State.Waiting = waiting(t)
	}
	if b := t.Before; b != nil && b.Container != "" {
		before := Chosen{TaskDetail: *b}
		out.LastTerminationState.Terminated = terminated(b.Since, b.Created, &before)
	}

	return out
}

// waiting says what a container that is not there yet waits for. A task that Swarm holds back has the delay to wait for
// that follows a failure.
func waiting(t *Chosen) *corev1.ContainerStateWaiting {
	heldBack := t.Desired == swarm.TaskStateReady
	switch b := t.Before; {
	case !heldBack || b == nil || !hasFailed(b):
		return &corev1.ContainerStateWaiting{Reason: reasonCreating, Message: words(t)}
	case b.State == swarm.TaskStateRejected && notMade(b.Err) == reasonPull:
		return &corev1.ContainerStateWaiting{Reason: reasonPullBackOff, Message: b.Err}
	default:
		return &corev1.ContainerStateWaiting{Reason: reasonCrash, Message: cmp.Or(b.Err, b.Message)}
	}
}

func terminated(finished, started time.Time, t *Chosen) *corev1.ContainerStateTerminated {
	out := &corev1.ContainerStateTerminated{
		ExitCode: int32(t.ExitCode), //nolint:gosec // Exit codes are below 256.
		Reason:   reasonError, Message: t.Err,
		StartedAt: metav1.NewTime(started), FinishedAt: metav1.NewTime(finished),
	}
	if t.Container != "" {
		out.ContainerID = "docker://" + t.Container
	}

	switch {
	case t.OOMKilled:
		out.Reason = reasonOOM
	case t.Unhealthy:
		out.Reason = reasonUnhealthy
	case t.State == swarm.TaskStateOrphaned:
		out.Reason = reasonNodeLost
	case t.ExitCode == 0 && t.State != swarm.TaskStateFailed && t.State != swarm.TaskStateRejected:
		out.Reason = reasonCompleted
	}

	return out
}

// notMade is why a container could not be made, by the engine's words.
func notMade(err string) string {
	lower := strings.ToLower(err)
	for _, sign := range []string{"no such image", "pull access denied", "manifest unknown", "manifest for", "not found: manifest", "unauthorized", "error pulling", "registry"} {
		if strings.Contains(lower, sign) {
			return reasonPull
		}
	}

	return reasonNotCreated
}

// words are what the engine says of a task.
func words(t *Chosen) string { return cmp.Or(t.Err, t.Message) }

func conditions(in *Input, s *corev1.PodStatus) []corev1.PodCondition {
	t := &in.Task
	since, made := metav1.NewTime(t.Since), metav1.NewTime(t.Created)

	scheduled := corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: made}
	if t.NodeID == "" {
		scheduled.Status, scheduled.Reason, scheduled.Message = corev1.ConditionFalse, corev1.PodReasonUnschedulable, words(t)
	}

	initialized := corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue, LastTransitionTime: made}
	ready := corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionFalse, LastTransitionTime: since}
	switch {
	case len(s.ContainerStatuses) > 0 && s.ContainerStatuses[0].Ready:
		ready.Status = corev1.ConditionTrue
	case in.Node.Lost != "" && t.Running():
		ready.Reason, ready.Message = "NodeNotReady", in.Node.Lost
	case s.Phase == corev1.PodSucceeded:
		ready.Reason = "PodCompleted"
	case s.Phase == corev1.PodFailed:
		ready.Reason, ready.Message = "PodFailed", t.Err
	default:
		ready.Reason, ready.Message = "ContainersNotReady", "containers with unready status: ["+in.Owner.Name+"]"
	}

	whole := ready
	whole.Type = corev1.PodReady

	return []corev1.PodCondition{initialized, whole, ready, scheduled}
}

// qos is Kubernetes' word for what the resources promise.
func qos(r corev1.ResourceRequirements) corev1.PodQOSClass {
	if len(r.Limits) == 0 && len(r.Requests) == 0 {
		return corev1.PodQOSBestEffort
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		limit, limited := r.Limits[name]
		request, asked := r.Requests[name]
		if !limited || asked && request.Cmp(limit) != 0 {
			return corev1.PodQOSBurstable
		}
	}

	return corev1.PodQOSGuaranteed
}

func timeOf(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}

	return new(metav1.NewTime(t))
}
