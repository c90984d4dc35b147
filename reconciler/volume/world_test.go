package volume

import (
	"time"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// data is the Volume of tests, on the class that local returns.
func data(change ...func(*v1alpha1.Volume)) *v1alpha1.Volume {
	v := &v1alpha1.Volume{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "data", UID: types.UID("uid-1"), Generation: 1}}
	v.Spec = v1alpha1.VolumeSpec{ClassName: "local", Size: resource.MustParse("1Gi"), ReclaimPolicy: v1alpha1.ReclaimDelete}
	for _, f := range change {
		f(v)
	}

	return v
}

func on(id string) func(*v1alpha1.Volume) {
	return func(v *v1alpha1.Volume) { v.Status.Node = &v1alpha1.VolumeNode{ID: id, Hostname: "host-" + id} }
}

func provisioned(v *v1alpha1.Volume) { v.Status.ProvisionedAt = &metav1.Time{Time: time.Unix(1, 0)} }

// mounted, born and followed: something has mounted it, it was made long ago, and its record was never lost.
func mounted(v *v1alpha1.Volume)  { v.Status.MountedAt = &metav1.Time{Time: time.Unix(1, 0)} }
func born(v *v1alpha1.Volume)     { v.CreationTimestamp = metav1.Time{Time: time.Unix(1, 0)} }
func followed(v *v1alpha1.Volume) { v.Status.Restores = new(int64(0)) }

func wish(node string) func(*v1alpha1.Volume) {
	return func(v *v1alpha1.Volume) { v.Spec.Node = node }
}

func moving(phase v1alpha1.MovePhase) func(*v1alpha1.Volume) {
	return func(v *v1alpha1.Volume) {
		v.Status.Move = &v1alpha1.VolumeMove{Phase: phase, From: v1alpha1.VolumeNode{ID: "a"}, To: v1alpha1.VolumeNode{ID: "b", Hostname: "host-b"}}
	}
}

func restores(v *v1alpha1.Volume) { v.Spec.RestoreFrom = "monday" }

func adopts(name string) func(*v1alpha1.Volume) {
	return func(v *v1alpha1.Volume) { v.Spec.Adopt = name }
}

func judgedAs(reason string) func(*v1alpha1.Volume) {
	return func(v *v1alpha1.Volume) {
		v.Status.VolumeName = Name(v)
		conditions.Set(v, conditions.Ready, metav1.ConditionFalse, reason, "because")
	}
}

func deleted(v *v1alpha1.Volume) { v.DeletionTimestamp = &metav1.Time{Time: time.Unix(2, 0)} }

func local(change ...func(*v1alpha1.VolumeClass)) *v1alpha1.VolumeClass {
	c := &v1alpha1.VolumeClass{ObjectMeta: metav1.ObjectMeta{Name: "local"}}
	c.Spec = v1alpha1.VolumeClassSpec{Driver: "local", Access: v1alpha1.AccessSingle, ReclaimPolicy: v1alpha1.ReclaimDelete}
	for _, f := range change {
		f(c)
	}

	return c
}

func share(options map[string]v1alpha1.DriverOption) func(*v1alpha1.VolumeClass) {
	return func(c *v1alpha1.VolumeClass) { c.Spec.Options, c.Spec.Access = options, v1alpha1.AccessMany }
}

func node(id string, change ...func(*swarm.Node)) swarm.Node {
	n := swarm.Node{ID: id}
	n.Description.Hostname = "host-" + id
	n.Description.Resources = swarm.Resources{NanoCPUs: 4e9, MemoryBytes: 8 << 30}
	n.Spec.Role, n.Spec.Availability = swarm.NodeRoleWorker, swarm.NodeAvailabilityActive
	n.Status.State = swarm.NodeStateReady
	for _, f := range change {
		f(&n)
	}

	return n
}

func manager(n *swarm.Node) { n.Spec.Role = swarm.NodeRoleManager }
func down(n *swarm.Node)    { n.Status.State = swarm.NodeStateDown }
func drained(n *swarm.Node) { n.Spec.Availability = swarm.NodeAvailabilityDrain }
func called(name string) func(*swarm.Node) {
	return func(n *swarm.Node) { n.Description.Hostname = name }
}
func zone(z string) func(*swarm.Node) {
	return func(n *swarm.Node) { n.Spec.Labels = map[string]string{"zone": z} }
}

func web(change ...func(*Consumer)) Consumer {
	c := Consumer{Kind: "TenantContainer", Name: "web"}
	for _, f := range change {
		f(&c)
	}

	return c
}

func held(node string, v *v1alpha1.Volume) Held {
	return Held{Node: node, Name: Name(v), Owner: swarmobj.Owner{Tenant: v.Namespace, Kind: v1alpha1.KindVolume, Name: v.Name, UID: string(v.UID)}}
}
