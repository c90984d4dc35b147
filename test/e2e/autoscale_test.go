//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	// scaleSoon is how long it may take from load to the number that it needs: two samples, a round, and a loaded machine.
	scaleSoon = 90 * time.Second
	// scaleDownSoon is how long it may take from the end of the load to its tasks being gone: what CPU use is averaged over, a
	// round, the cooldown.
	scaleDownSoon = 2 * time.Minute
)

// byLoad scales so that each task uses a tenth of a core.
func byLoad(least, most int32) change {
	return func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Autoscaling = &v1alpha1.Autoscaling{
			MinReplicas: &least, MaxReplicas: most, CooldownSeconds: new(int32(30)),
			Metrics: []v1alpha1.AutoscalingMetric{{Type: v1alpha1.MetricResource, Resource: &v1alpha1.ResourceMetric{
				Name: "cpu", Target: v1alpha1.ResourceTarget{AverageValue: new(resource.MustParse("100m"))},
			}}},
			Behavior: &v1alpha1.AutoscalingBehavior{ScaleDown: &v1alpha1.ScalingRules{StabilizationWindowSeconds: new(int32(0))}},
		}
	}
}

// TestAutoscaling has load rise and fall, and reports how long each takes. The spec stays what its owner has written, and no
// task is restarted for a decision.
func TestAutoscaling(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	n.create(app("web", "v1", byLoad(1, 3)))
	before := n.ready("web")
	one := n.running("web")[0]
	n.metricsFound("web")

	// It lasts until the tasks are there, and a little longer.
	n.ask("web", http.MethodPost, "/burn?seconds=30&percent=60")
	began := time.Now()
	decided := await(t, scaleSoon, "it is decided to have three tasks", func() error { return n.decided("web", 3) })
	await(t, soon, "three tasks run", func() error { return n.tasksAre("web", "3/3") })
	t.Logf("from load to a decision: %v; to three tasks that are ready: %v", decided.Round(time.Second), time.Since(began).Round(time.Second))
	if !n.taskIDs("web")[one.ID] {
		t.Error("the task that was there was replaced")
	}
	if events := strings.Join(n.eventsFor("web"), "\n"); !strings.Contains(events, "Scaled from 1 to 3 tasks: cpu is above its target") {
		t.Errorf("no event tells of it:\n%s", events)
	}

	took := await(t, 30*time.Second+scaleDownSoon, "the load is over and one task is left", func() error {
		return errors.Join(n.decided("web", 1), n.tasksAre("web", "1/1"))
	})
	t.Logf("from three tasks to one, with some of the load before it: %v", took.Round(time.Second))

	after := n.ready("web")
	if err := errors.Join(
		wantf(after.Generation, before.Generation, "generation"), wantf(after.Status.Revision, before.Status.Revision, "revision"),
		wantf(*after.Spec.Replicas, *before.Spec.Replicas, "declared replicas"),
		// It goes by way of two where the load ends between two rounds.
		wantf(*after.Status.Autoscaling.LastScaleFrom > 1, true, "the last decision was to have fewer"),
	); err != nil {
		t.Error(err)
	}

	n.edit("web", func(tc *v1alpha1.TenantContainer) { tc.Spec.Autoscaling, tc.Spec.Replicas = nil, new(int32(2)) })
	await(t, scaleSoon, "without spec.autoscaling what is declared counts, and nothing is left of it", func() error {
		tc, err := n.read("web")
		if err != nil {
			return err
		}
		_, left := tc.Annotations[v1alpha1.AnnotationReplicas]

		return errors.Join(wantf(left, false, "annotation left"), wantf(tc.Status.Autoscaling == nil, true, "status gone"), n.tasksAre("web", "2/2"))
	})
}

// metricsFound waits until a container that scales is measured.
func (n *tenant) metricsFound(name string) {
	n.t.Helper()

	await(n.t, scaleSoon, name+" is measured", func() error {
		tc, err := n.read(name)
		if err != nil {
			return err
		}
		s := tc.Status.Autoscaling
		if s == nil {
			return errors.New("nothing has been decided")
		}
		for _, c := range s.Conditions {
			if c.Type == v1alpha1.ConditionScalingActive && c.Status == metav1.ConditionTrue {
				return nil
			}
		}

		return fmt.Errorf("conditions are %+v", s.Conditions)
	})
}

// decided is what the autoscaler has written.
func (n *tenant) decided(name string, want int32) error {
	tc, err := n.read(name)
	if err != nil {
		return err
	}

	return wantf(tc.Annotations[v1alpha1.AnnotationReplicas], fmt.Sprint(want), "decided number of tasks")
}

func (n *tenant) tasksAre(name, want string) error {
	tc, err := n.read(name)
	if err != nil {
		return err
	}

	return wantf(tc.Status.Tasks, want, "tasks")
}

// ask asks the one task of a container of the lab's app, past everything that is published.
func (n *tenant) ask(name, method, path string) {
	n.t.Helper()

	engine := n.lab.Nodes[0]
	task := n.running(name)[0]
	bridge, err := engine.Docker.NetworkInspect(n.t.Context(), "docker_gwbridge", network.InspectOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
	door, ok := bridge.Containers[task.Status.ContainerStatus.ContainerID]
	if !ok {
		n.t.Fatalf("task %s is not at the bridge: %+v", task.ID, bridge.Containers)
	}
	ip, _, _ := strings.Cut(door.IPv4Address, "/")
	address, err := forward(n.t, engine, fmt.Sprintf("%s:%d", ip, ofTheApp))
	if err != nil {
		n.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(n.t.Context(), method, "http://"+address+path, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	_ = resp.Body.Close() // It is not read.
	if resp.StatusCode != http.StatusOK {
		n.t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
}
