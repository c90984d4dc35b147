package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	dswarm "github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/converge"
)

// manager is the node that the swarm begins with. Half a list of it and the workers still holds a worker.
const manager = "node-1"

var workers = []string{"worker1", "worker2", "worker3"}

// createBaselinePlan makes a plan whose containers are confined.
func createBaselinePlan(r *converge.Run) {
	r.Store.Create(&v1alpha1.Plan{
		ObjectMeta: metav1.ObjectMeta{Name: "small"},
		Spec: v1alpha1.PlanSpec{
			SecurityProfile: v1alpha1.ProfileBaseline,
			Quota:           &v1alpha1.Quota{Containers: ptr(int64(20)), Replicas: ptr(int64(40))},
		},
	})
}

// createBounded makes a container as the API server lets it into the namespace of a tenant.
func createBounded(name, image string) func(*converge.Run) {
	return func(r *converge.Run) {
		cpu, memory := resource.MustParse("100m"), resource.MustParse("64Mi")

		c := container(name)
		c.Finalizers = []string{v1alpha1.Finalizer}
		c.Spec = v1alpha1.TenantContainerSpec{
			Image: v1alpha1.Image(image), ImagePullPolicy: v1alpha1.PullIfNotPresent,
			Mode: v1alpha1.ModeReplicated, Replicas: ptr(int32(1)),
			Security: &v1alpha1.Security{Capabilities: &v1alpha1.Capabilities{Drop: []string{"MKNOD", "NET_RAW"}}},
			Resources: &v1alpha1.Resources{
				Requests: &v1alpha1.ResourceRequests{CPU: &cpu, Memory: &memory},
				Limits:   &v1alpha1.ResourceLimits{CPU: &cpu, Memory: &memory, Pids: ptr(int64(64))},
			},
		}
		r.Store.Create(c)
	}
}

// addWorkers lets the workers join, and waits until the next list of nodes has told everybody: a rollout that begins before
// that is one on a swarm without workers.
func addWorkers(r *converge.Run) {
	for _, name := range workers {
		r.World.(*world).cluster.AddNode(name)
	}

	time.Sleep(time.Minute)
}

func editNodes(change func(*dswarm.Node), names ...string) func(*converge.Run) {
	return func(r *converge.Run) {
		for _, name := range names {
			r.World.(*world).cluster.EditNode(name, change)
		}
	}
}

func drain(n *dswarm.Node)    { n.Spec.Availability = dswarm.NodeAvailabilityDrain }
func activate(n *dswarm.Node) { n.Spec.Availability = dswarm.NodeAvailabilityActive }

// on is true when all containers of a service are on those nodes.
func on(name string, nodes ...string) until {
	return func(r *converge.Run) error {
		for _, c := range r.World.(*world).cluster.Containers() {
			if c.Service == namespace+"_"+name && !slices.Contains(nodes, c.Node) {
				return fmt.Errorf("a container of %s is on %s, not on %v", name, c.Node, nodes)
			}
		}

		return nil
	}
}

// waits is true when nothing of a service runs, and its container says that there is no node for it.
func waits(name string) until {
	return func(r *converge.Run) error {
		c := container(name)
		r.Store.Get(namespace, name, c)

		ready := conditions.Get(c, conditions.Ready)
		if ready == nil || ready.Reason != v1alpha1.ReasonUnschedulable {
			return fmt.Errorf("Ready is %+v", ready)
		}

		s, _, err := r.World.(*world).admin.ServiceInspectWithRaw(context.Background(), namespace+"_"+name, dswarm.ServiceInspectOptions{})
		if err != nil {
			return err
		}
		if s.Spec.TaskTemplate.Placement == nil || len(s.Spec.TaskTemplate.Placement.Constraints) == 0 {
			return errors.New("the service may run anywhere")
		}

		return containersAre(r, name, "", 0)
	}
}
