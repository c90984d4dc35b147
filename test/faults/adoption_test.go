package faults

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	dswarm "github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/converge"
)

// stackLabels are what `docker stack deploy` puts onto everything of a stack.
var stackLabels = map[string]string{"com.docker.stack.namespace": namespace}

// deployStack makes a stack with a network and a service, as somebody has done who knew nothing of Dogker.
func deployStack(r *converge.Run) {
	admin, ctx := r.World.(*world).admin, context.Background()

	net, err := admin.NetworkCreate(ctx, namespace+"_default", network.CreateOptions{Driver: "overlay", Scope: "swarm", Labels: stackLabels})
	must(err)
	_, err = admin.ServiceCreate(ctx, dswarm.ServiceSpec{
		Annotations: dswarm.Annotations{Name: namespace + "_web", Labels: map[string]string{
			"com.docker.stack.namespace": namespace, "com.docker.stack.image": imageV1,
		}},
		TaskTemplate: dswarm.TaskSpec{
			ContainerSpec: &dswarm.ContainerSpec{Image: imageV1 + "@" + r.World.(*world).registry.digests[imageV1], Labels: stackLabels, Hostname: "Web_1"},
			Networks:      []dswarm.NetworkAttachmentConfig{{Target: net.ID, Aliases: []string{"web"}}},
			ForceUpdate:   4,
		},
		Mode: dswarm.ServiceMode{Replicated: &dswarm.ReplicatedService{Replicas: ptr(uint64(2))}},
	}, dswarm.ServiceCreateOptions{})
	must(err)
}

// createTenantOnStack makes the tenant of the stack, on the network of the stack.
func createTenantOnStack(name string) func(*converge.Run) {
	return func(r *converge.Run) {
		net, err := r.World.(*world).admin.NetworkInspect(context.Background(), name+"_default", network.InspectOptions{})
		must(err)
		createTenant(name)(r)
		editTenant(name, func(t *v1alpha1.Tenant) {
			metav1.SetMetaDataAnnotation(&t.ObjectMeta, v1alpha1.AnnotationAdoptNetwork, net.ID)
		})(r)
	}
}

// adopt declares a container that is to have the service that is there.
func adopt(name, image string, replicas int32) func(*converge.Run) {
	return func(r *converge.Run) {
		s, err := service(r, name)
		must(err)

		c := container(name)
		c.Finalizers = []string{v1alpha1.Finalizer}
		c.Annotations = map[string]string{v1alpha1.AnnotationAdopt: s.ID}
		c.Spec = v1alpha1.TenantContainerSpec{
			Image: v1alpha1.Image(image), ImagePullPolicy: v1alpha1.PullIfNotPresent,
			Mode: v1alpha1.ModeReplicated, Replicas: &replicas,
		}
		r.Store.Create(c)
	}
}

// containersRun is true when so many containers of a service run, and notes which tasks they are of.
func containersRun(name, image string, want int) until {
	return func(r *converge.Run) error {
		if err := containersAre(r, name, image, want); err != nil {
			return err
		}

		w := r.World.(*world)
		w.tasks = nil
		for _, t := range runningTasks(r, name) {
			w.tasks = append(w.tasks, t.ID)
		}

		return nil
	}
}

// sameTasks is true while every task that was noted runs: nobody has restarted any.
func sameTasks(name string) until {
	return func(r *converge.Run) error {
		running := map[string]bool{}
		for _, t := range runningTasks(r, name) {
			running[t.ID] = true
		}

		w := r.World.(*world)
		if len(w.tasks) == 0 {
			return errors.New("no tasks were noted")
		}
		for _, id := range w.tasks {
			if !running[id] {
				w.violated("task %s was replaced by an adoption", id)

				return fmt.Errorf("task %s does not run any more", id)
			}
		}

		return nil
	}
}

func runningTasks(r *converge.Run, name string) []dswarm.Task {
	tasks, err := r.World.(*world).admin.TaskList(context.Background(), dswarm.TaskListOptions{
		Filters: filters.NewArgs(filters.Arg("service", namespace+"_"+name), filters.Arg("desired-state", "running")),
	})
	must(err)

	return tasks
}

// adopted is true for a service that is ours, and that runs what it ran before.
func adopted(name string) until {
	return func(r *converge.Run) error {
		s, err := service(r, name)
		if err != nil {
			return err
		}
		for label := range stackLabels {
			if s.Spec.Labels[label] != "" {
				return fmt.Errorf("the service has the label %q yet", label)
			}
		}
		if s.Spec.Labels[v1alpha1.SwarmLabelAdopted] == "" || s.Spec.Labels[v1alpha1.SwarmLabelManaged] != "true" {
			return fmt.Errorf("the service is not adopted: %v", s.Spec.Labels)
		}

		return nil
	}
}

// gone is true when neither a container nor a service is left. The network of the stack stays.
func gone(name string) until {
	return func(r *converge.Run) error {
		if r.Store.Get(namespace, name, container(name)) {
			return errors.New("the object is there yet")
		}
		if _, err := service(r, name); err == nil {
			return errors.New("the service is there yet")
		}
		_, err := r.World.(*world).admin.NetworkInspect(context.Background(), namespace+"_default", network.InspectOptions{})

		return err
	}
}
