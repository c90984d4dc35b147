package job

import (
	"errors"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestHeldBy(t *testing.T) {
	with := func(key, value string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Annotations: map[string]string{key: value}}
	}

	for name, tc := range map[string]struct {
		reason string
		job    v1alpha1.TenantJob
		tenant *v1alpha1.Tenant
		want   string // Message; empty for none.
	}{
		"Nobody":  {"A job runs.", v1alpha1.TenantJob{}, &v1alpha1.Tenant{}, ""},
		"Spec":    {"spec.suspend stops nothing that runs; who decides knows of it.", v1alpha1.TenantJob{Spec: v1alpha1.TenantJobSpec{Suspend: true}}, nil, ""},
		"Job":     {"Its own annotation.", v1alpha1.TenantJob{ObjectMeta: with(v1alpha1.AnnotationSuspend, "moving")}, nil, "the job is suspended: moving"},
		"Tenant":  {"That of its tenant.", v1alpha1.TenantJob{}, &v1alpha1.Tenant{ObjectMeta: with(v1alpha1.AnnotationSuspend, "")}, "the tenant is suspended"},
		"Billing": {"That of billing.", v1alpha1.TenantJob{}, &v1alpha1.Tenant{ObjectMeta: with(v1alpha1.AnnotationBillingSuspend, "unpaid")}, "the tenant is suspended: unpaid"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if hold := heldBy(&tc.job, tc.tenant); hold != nil {
				got = hold.Message
			}
			if got != tc.want {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestHoldsOn(t *testing.T) {
	nodes := []swarm.Node{
		{ID: "up", Status: swarm.NodeStatus{State: swarm.NodeStateReady}}, {ID: "down", Status: swarm.NodeStatus{State: swarm.NodeStateDown}},
	}

	for name, tc := range map[string]struct {
		reason string
		task   swarmobj.Task
		want   bool
	}{
		"Runs":      {"It still has its addresses.", swarmobj.Task{State: swarm.TaskStateRunning, NodeID: "up"}, true},
		"Unplaced":  {"It may get a node yet.", swarmobj.Task{State: swarm.TaskStatePending}, true},
		"NodeDown":  {"Nobody can ask it.", swarmobj.Task{State: swarm.TaskStateRunning, NodeID: "down"}, false},
		"Ended":     {"It holds nothing.", swarmobj.Task{State: swarm.TaskStateComplete, Desired: swarm.TaskStateShutdown, NodeID: "up"}, false},
		"Forgotten": {"Engines crash on it.", swarmobj.Task{State: swarm.TaskStateComplete, Desired: swarm.TaskStateRemove, NodeID: "up"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := holdsOn(nodes, tc.task); got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

// TestObstructed: what is in the way is told, and looked at again; what means that nothing is known ends the pass.
func TestObstructed(t *testing.T) {
	var s situation
	if err := s.obstructed(&outcome.Wait{Reason: "ImageUnavailable", Message: "gone", After: 3 * time.Second}); err != nil || s.in.Obstacle == nil ||
		s.in.Obstacle.Reason != "ImageUnavailable" || s.in.Obstacle.Stalled || s.again != 3*time.Second {
		t.Errorf("a wait: %v, %+v", err, s.in.Obstacle)
	}

	s = situation{}
	if err := s.obstructed(&outcome.Stall{Reason: "InvalidSpec", Message: "bad"}); err != nil || s.in.Obstacle == nil || !s.in.Obstacle.Stalled {
		t.Errorf("a stall: %v, %+v", err, s.in.Obstacle)
	}

	for _, blind := range []error{errors.New("broken"), &outcome.Wait{Reason: "EngineUnavailable", Ready: metav1.ConditionUnknown}} {
		s = situation{}
		if err := s.obstructed(blind); !errors.Is(err, blind) || s.in.Obstacle != nil {
			t.Errorf("%v: %v, %+v", blind, err, s.in.Obstacle)
		}
	}
}
