//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// pods are those of a container, as the API shows them.
func (n *tenant) pods(name string) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := n.api.List(n.t.Context(), &list, client.InNamespace(n.name), client.MatchingLabels{v1alpha1.LabelContainer: name})

	return list.Items, err
}

// onePod is the only pod of a container, in a phase.
func (n *tenant) onePod(name string, phase corev1.PodPhase) (corev1.Pod, error) {
	pods, err := n.pods(name)
	if err != nil {
		return corev1.Pod{}, err
	}
	if len(pods) != 1 {
		return corev1.Pod{}, fmt.Errorf("%d pods are shown, want one", len(pods))
	}

	return pods[0], wantf(pods[0].Status.Phase, phase, "phase of pod %s", pods[0].Name)
}

// TestPods: what the engine runs is what the API shows, and a pod that is deleted is replaced.
func TestPods(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	n.run(app("web", "v1"))
	var pod corev1.Pod
	await(t, soon, "the pod runs", func() (err error) {
		pod, err = n.onePod("web", corev1.PodRunning)
		return err
	})
	task := n.running("web")[0]
	if got := pod.Annotations["dogker.io/task"]; got != task.ID {
		t.Errorf("task of the pod: got %s, want %s", got, task.ID)
	}
	if got, want := pod.Status.ContainerStatuses[0].ContainerID, "docker://"+task.Status.ContainerStatus.ContainerID; got != want {
		t.Errorf("container of the pod: got %s, want %s", got, want)
	}
	address := task.NetworksAttachments[0].Addresses[0]
	if pod.Status.PodIP == "" || !strings.HasPrefix(address, pod.Status.PodIP+"/") {
		t.Errorf("address of the pod: got %q, want that of %s", pod.Status.PodIP, address)
	}

	var node corev1.Node
	if err := n.api.Get(t.Context(), client.ObjectKey{Name: pod.Spec.NodeName}, &node); err != nil {
		t.Fatal(err)
	}
	if node.Status.Capacity.Memory().IsZero() || !strings.HasPrefix(node.Status.NodeInfo.ContainerRuntimeVersion, "docker://") {
		t.Errorf("node: %+v", node.Status)
	}

	if err := n.api.Delete(t.Context(), &pod); err != nil {
		t.Fatal(err)
	}
	took := await(t, time.Minute, "another pod runs in its place", func() error {
		next, err := n.onePod("web", corev1.PodRunning)
		if err == nil && next.UID == pod.UID {
			return errors.New("it is the same pod")
		}

		return err
	})
	t.Logf("the next pod ran %v after the deletion", took)
}

// TestPodThatEnds: the exit code of a program is its pod's.
func TestPodThatEnds(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	n.create(app("job", "v1", env("APP_CRASH_AFTER", "100ms"), env("APP_EXIT_CODE", "3"), func(tc *v1alpha1.TenantContainer) {
		tc.Spec.RestartPolicy = &v1alpha1.RestartPolicy{Condition: v1alpha1.RestartNever}
	}))
	await(t, time.Minute, "the pod has failed", func() error {
		pod, err := n.onePod("job", corev1.PodFailed)
		if err != nil {
			return err
		}
		end := pod.Status.ContainerStatuses[0].State.Terminated
		if end == nil {
			return errors.New("its container has not ended")
		}

		return wantf(end.ExitCode, 3, "exit code")
	})
}
