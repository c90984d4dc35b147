package mounts_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
)

// data is a Volume of the namespace acme that lives on node n1.
func data(change ...func(*v1alpha1.Volume)) *v1alpha1.Volume {
	v := &v1alpha1.Volume{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "data", UID: "uid-data"},
		Spec:       v1alpha1.VolumeSpec{ClassName: "local"},
	}
	v.Status.VolumeName, v.Status.Node = volume.Name(v), &v1alpha1.VolumeNode{ID: "n1", Hostname: "node1"}
	conditions.MarkReady(v, v1alpha1.ReasonBound, "It lives on node1")
	for _, c := range change {
		c(v)
	}

	return v
}

func class(name string, access v1alpha1.VolumeAccess, options map[string]v1alpha1.DriverOption) *v1alpha1.VolumeClass {
	return &v1alpha1.VolumeClass{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.VolumeClassSpec{Driver: "local", Access: access, Options: options},
	}
}

func reader(t *testing.T, objects ...client.Object) client.Reader {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}

	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

// live is a service that mounts the Volume on node n1, as a pass before has made it.
func live() *swarm.Service {
	m := volume.Mount(data(), class("local", v1alpha1.AccessSingle, nil), v1alpha1.VolumeMount{Name: "data", MountPath: "/data"})

	return &swarm.Service{Spec: swarm.ServiceSpec{TaskTemplate: swarm.TaskSpec{
		ContainerSpec: &swarm.ContainerSpec{Mounts: []mount.Mount{m}},
		Placement:     &swarm.Placement{Constraints: []string{"node.labels.a==b", "node.id==n1"}},
	}}}
}

func TestFind(t *testing.T) {
	local := class("local", v1alpha1.AccessSingle, nil)
	shared := class("shared", v1alpha1.AccessMany, map[string]v1alpha1.DriverOption{"type": "nfs", "device": ":/export/${uid}"})
	here := servicespec.ResolvedVolume{Name: "data", Source: volume.Name(data()), Labels: volume.Owner(data()).Labels(), NodeID: "n1"}
	says := func(reason string) func(*v1alpha1.Volume) {
		return func(v *v1alpha1.Volume) {
			conditions.Set(v, conditions.Ready, metav1.ConditionFalse, reason, "So it is")
		}
	}
	deleted := func(v *v1alpha1.Volume) {
		v.DeletionTimestamp, v.Finalizers = &metav1.Time{Time: time.Unix(1, 0)}, []string{v1alpha1.FinalizerVolume}
	}

	cases := map[string]struct {
		reason   string
		objects  []client.Object
		live     *swarm.Service
		want     []servicespec.ResolvedVolume
		obstacle string
		missing  bool
		lost     bool
	}{
		"Placed":      {reason: "With the node that has it.", objects: []client.Object{data(), local}, want: []servicespec.ResolvedVolume{here}},
		"NotThere":    {reason: "It may come later.", objects: []client.Object{local}, obstacle: v1alpha1.ReasonVolumeNotFound, missing: true},
		"NotPlaced":   {reason: "A node is chosen before anything is made.", objects: []client.Object{data(func(v *v1alpha1.Volume) { v.Status.Node = nil }), local}, obstacle: v1alpha1.ReasonWaitForFirstConsumer, missing: true},
		"NoClass":     {reason: "Nobody knows how it is made.", objects: []client.Object{data()}, obstacle: v1alpha1.ReasonClassNotFound, missing: true},
		"OnADownNode": {reason: "It is there again when the node is.", objects: []client.Object{data(says(v1alpha1.ReasonNodeDown)), local}, want: []servicespec.ResolvedVolume{here}},
		"Shared": {
			reason: "Every node reaches it, by the options of its class.",
			objects: []client.Object{shared, data(func(v *v1alpha1.Volume) {
				v.Spec.ClassName, v.Status.Node = "shared", nil
			})},
			want: []servicespec.ResolvedVolume{{
				Name: "data", Source: here.Source, Labels: here.Labels, Driver: "local", Options: map[string]string{"type": "nfs", "device": ":/export/uid-data"},
			}},
		},
		"Lost": {
			reason: "What was there is not replaced by nothing.", objects: []client.Object{data(says(v1alpha1.ReasonLost)), local},
			obstacle: v1alpha1.ReasonLost, missing: true, lost: true,
		},
		"LostUnderARunningService": {
			reason: "It is known still, so that its tasks can be kept from starting.", objects: []client.Object{data(says(v1alpha1.ReasonLost)), local},
			live: live(), want: []servicespec.ResolvedVolume{here}, obstacle: v1alpha1.ReasonLost, lost: true,
		},
		"GoneUnderARunningService": {
			reason: "Who takes the object away by force does not take the container out of reach.", objects: []client.Object{local},
			live: live(), want: []servicespec.ResolvedVolume{here}, obstacle: v1alpha1.ReasonVolumeNotFound,
		},
		"Deleted": {
			reason: "Nothing new mounts it.", objects: []client.Object{data(deleted), local}, obstacle: v1alpha1.ReasonDeleting, missing: true,
		},
		"DeletedAndInUse": {
			reason: "It waits until nothing mounts it, and what does goes on.", objects: []client.Object{data(deleted), local},
			live: live(), want: []servicespec.ResolvedVolume{here},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			list := []v1alpha1.VolumeMount{{Name: "data", MountPath: "/a"}, {Name: "data", MountPath: "/b", ReadOnly: true}}
			got, err := mounts.Find(t.Context(), reader(t, tc.objects...), 0, "acme", list, tc.live)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.Volumes); diff != "" {
				t.Errorf("%s\nvolumes, -want +got:\n%s", tc.reason, diff)
			}
			reason := ""
			if got.Obstacle != nil {
				reason = got.Obstacle.Reason
			}
			if reason != tc.obstacle || got.Missing != tc.missing || got.Lost != tc.lost {
				t.Errorf("%s\ngot obstacle %q, missing %t, lost %t; want %q, %t, %t", tc.reason, reason, got.Missing, got.Lost, tc.obstacle, tc.missing, tc.lost)
			}
		})
	}
}

// TestFindTellsBlindness: an API that does not answer is not one without Volumes.
func TestFindTellsBlindness(t *testing.T) {
	broken := errors.New("etcd is away")
	_, err := mounts.Find(t.Context(), blind{broken}, 0, "acme", []v1alpha1.VolumeMount{{Name: "data", MountPath: "/a"}}, nil)
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the client", err)
	}
}

type blind struct{ err error }

func (b blind) Get(_ context.Context, _ client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return b.err
}
func (b blind) List(_ context.Context, _ client.ObjectList, _ ...client.ListOption) error {
	return b.err
}

// TestForeignMountsAreNotTaken: what a service mounts by somebody else's hand is no Volume of the namespace.
func TestForeignMountsAreNotTaken(t *testing.T) {
	for name, change := range map[string]func(*mount.Mount){
		"NoLabels":     func(m *mount.Mount) { m.VolumeOptions = nil },
		"OtherTenants": func(m *mount.Mount) { m.VolumeOptions.Labels[v1alpha1.SwarmLabelTenant] = "other" },
		"OtherKind":    func(m *mount.Mount) { m.VolumeOptions.Labels[v1alpha1.SwarmLabelKind] = "TenantContainer" },
		"OtherName":    func(m *mount.Mount) { m.VolumeOptions.Labels[v1alpha1.SwarmLabelName] = "logs" },
		"Bind":         func(m *mount.Mount) { m.Type = mount.TypeBind },
	} {
		t.Run(name, func(t *testing.T) {
			service := live()
			change(&service.Spec.TaskTemplate.ContainerSpec.Mounts[0])
			got, err := mounts.Find(t.Context(), reader(t), 0, "acme", []v1alpha1.VolumeMount{{Name: "data", MountPath: "/a"}}, service)
			if err != nil || !got.Missing || len(got.Volumes) > 0 {
				t.Errorf("got %+v, %v; want nothing", got, err)
			}
		})
	}
}

func node(id string, change ...func(*swarm.Node)) swarm.Node {
	n := swarm.Node{ID: id}
	n.Description.Hostname = "host-" + id
	n.Description.Platform = swarm.Platform{OS: "linux", Architecture: "x86_64"}
	n.Spec.Role, n.Spec.Availability, n.Status.State = swarm.NodeRoleWorker, swarm.NodeAvailabilityActive, swarm.NodeStateReady
	for _, c := range change {
		c(&n)
	}

	return n
}

func TestStrands(t *testing.T) {
	one := servicespec.ResolvedVolume{Name: "data", NodeID: "n1"}
	down := func(n *swarm.Node) { n.Status.State = swarm.NodeStateDown }
	drained := func(n *swarm.Node) { n.Spec.Availability = swarm.NodeAvailabilityDrain }
	manager := func(n *swarm.Node) { n.Spec.Role = swarm.NodeRoleManager }

	cases := map[string]struct {
		reason      string
		volumes     []servicespec.ResolvedVolume
		constraints []string
		platforms   []swarm.Platform
		nodes       []swarm.Node
		want        string
		says        string
	}{
		"NodeUp":       {reason: "It can run there.", volumes: []servicespec.ResolvedVolume{one}, nodes: []swarm.Node{node("n1"), node("n2", down)}},
		"Anywhere":     {reason: "No node has it alone.", volumes: []servicespec.ResolvedVolume{{Name: "shared"}}, nodes: []swarm.Node{node("n2", down)}},
		"NoNodesKnown": {reason: "An empty list tells nothing.", volumes: []servicespec.ResolvedVolume{one}},
		"NodeDown": {
			reason: "The data is there again when the node is.", volumes: []servicespec.ResolvedVolume{one}, nodes: []swarm.Node{node("n1", down), node("n2")},
			want: v1alpha1.ReasonNodeDown, says: `Volume "data" lives on node host-n1, which is down; its tasks wait for it, because no other node has the data`,
		},
		"NodeDrained": {
			reason: "Somebody has sent its tasks away.", volumes: []servicespec.ResolvedVolume{one}, nodes: []swarm.Node{node("n1", drained), node("n2")},
			want: v1alpha1.ReasonNodeDown, says: `Volume "data" lives on node host-n1, which takes no tasks (drain); they wait for it, because no other node has the data`,
		},
		"NodeGone": {
			reason: "It does not come back by itself.", volumes: []servicespec.ResolvedVolume{one}, nodes: []swarm.Node{node("n2")},
			want: v1alpha1.ReasonNodeGone, says: `Volume "data" lives on node n1, which has left the swarm`,
		},
		"TwoNodes": {
			reason: "No task is on both.", volumes: []servicespec.ResolvedVolume{one, {Name: "shared"}, {Name: "logs", NodeID: "n2"}}, nodes: []swarm.Node{node("n1"), node("n2")},
			want: v1alpha1.ReasonVolumeConflict, says: `Volume "data" lives on node host-n1 and Volume "logs" on node host-n2, so no task can mount both`,
		},
		"PlacedElsewhere": {
			reason: "What is declared about nodes leaves out the one that counts.", volumes: []servicespec.ResolvedVolume{one},
			constraints: []string{"node.hostname!=host-n1"}, nodes: []swarm.Node{node("n1"), node("n2")},
			want: v1alpha1.ReasonVolumeConflict, says: `Volume "data" lives on node host-n1, which spec.placement.constraints leaves out`,
		},
		"OnAManager": {
			reason: "The tenant has not declared that, and must not look for a mistake of its own.", volumes: []servicespec.ResolvedVolume{one},
			constraints: []string{servicespec.OffManagersConstraint}, nodes: []swarm.Node{node("n1", manager), node("n2")},
			want: v1alpha1.ReasonVolumeConflict, says: `Volume "data" lives on node host-n1, which is a manager of the swarm, and containers of tenants run on workers`,
		},
		"OtherPlatform": {
			reason: "The node cannot run it.", volumes: []servicespec.ResolvedVolume{one}, platforms: []swarm.Platform{{OS: "linux", Architecture: "arm64"}},
			nodes: []swarm.Node{node("n1")},
			want:  v1alpha1.ReasonVolumeConflict, says: `Volume "data" lives on node host-n1, which is of none of spec.placement.platforms`,
		},
		"Suspended": {
			reason: "That no node will do is on purpose.", volumes: []servicespec.ResolvedVolume{one}, constraints: []string{servicespec.SuspendedConstraint},
			nodes: []swarm.Node{node("n1")},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := &swarm.Placement{Platforms: tc.platforms, Constraints: tc.constraints}
			for _, v := range tc.volumes {
				if v.NodeID != "" {
					p.Constraints = append(p.Constraints, servicespec.PinnedConstraint(v.NodeID))
				}
			}

			got := mounts.Set{Volumes: tc.volumes}.Strands(p, tc.nodes)
			switch {
			case tc.want == "" && got != nil:
				t.Errorf("%s\ngot %+v, want nothing", tc.reason, *got)
			case tc.want == "":
			case got == nil || got.Reason != tc.want || got.Message != tc.says:
				t.Errorf("%s\ngot %+v\nwant %s: %s", tc.reason, got, tc.want, tc.says)
			case got.Passing() != (tc.want == v1alpha1.ReasonNodeDown):
				t.Errorf("%s\npassing: %t", tc.reason, got.Passing())
			}
		})
	}
}

// TestGuarded: the guard is told what may only be read.
func TestGuarded(t *testing.T) {
	set := mounts.Set{Volumes: []servicespec.ResolvedVolume{{Name: "a", Source: "acme_a", NodeID: "n1"}, {Name: "b", Source: "acme_b", Driver: "nfs"}}}
	got := set.Guarded([]v1alpha1.VolumeMount{{Name: "a", MountPath: "/a", ReadOnly: true}, {Name: "b", MountPath: "/b"}})
	want := map[string]guard.Volume{"acme_a": {NodeID: "n1", ReadOnly: true}, "acme_b": {Driver: "nfs"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
