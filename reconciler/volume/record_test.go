package volume

import (
	"testing"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestMountingOf(t *testing.T) {
	spec := func(v *v1alpha1.Volume, constraints ...string) swarm.TaskSpec {
		s := swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{}, Placement: &swarm.Placement{Constraints: constraints}}
		if v != nil {
			s.ContainerSpec.Mounts = []mount.Mount{Mount(v, local(), v1alpha1.VolumeMount{MountPath: "/data"})}
		}

		return s
	}
	task := func(node string, state swarm.TaskState, s swarm.TaskSpec) swarmobj.TaskDetail {
		return swarmobj.TaskDetail{Task: swarmobj.Task{NodeID: node, State: state}, Spec: &s}
	}
	v := data()

	cases := map[string]struct {
		why   string
		spec  swarm.TaskSpec
		tasks []swarmobj.TaskDetail
		// found tells whether it counts, and node where it is held to.
		found bool
		node  string
	}{
		"Pinned":       {why: "The pin says where.", spec: spec(v, "node.labels.zone==a", "node.id==n1", "node.id==n1"), found: true, node: "n1"},
		"TwoPins":      {why: "What is held to two nodes runs on none, and one of the two is the tenant's own wish.", spec: spec(v, "node.id==n1", "node.id==n2"), found: true},
		"NoPin":        {why: "What all nodes see is held to none.", spec: spec(v), found: true},
		"Running":      {why: "A task that runs is the best witness.", spec: spec(v, "node.id==n1"), tasks: []swarmobj.TaskDetail{task("n2", "running", spec(v)), task("", "pending", spec(v))}, found: true, node: "n2"},
		"OldTask":      {why: "A task of the spec before still mounts it.", spec: spec(nil), tasks: []swarmobj.TaskDetail{task("n1", "running", spec(v))}, found: true, node: "n1"},
		"EndedTask":    {why: "One that has ended does not.", spec: spec(nil, "node.id==n1"), tasks: []swarmobj.TaskDetail{task("n1", "shutdown", spec(v))}},
		"AnotherMount": {why: "Nor does one that mounts something else.", spec: spec(data(adopts("acme_old_1")), "node.id==n1")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := swarmobj.ServiceTasks{Owner: swarmobj.Owner{Tenant: "acme", Name: "web"}, Service: &swarm.Service{}, Tasks: tc.tasks}
			s.Service.Spec.TaskTemplate = tc.spec
			got := MountingOf([]swarmobj.ServiceTasks{s}, Name(v))
			if (len(got) == 1) != tc.found || tc.found && (got[0].Node != tc.node || got[0].Owner != s.Owner || got[0].For != Owner(v)) {
				t.Errorf("%s\ngot %+v", tc.why, got)
			}
		})
	}
}
