package volume

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// world is a store, a swarm of two nodes and what they have.
type world struct {
	*testing.T
	client.Client

	controller *Controller
	nodes      []swarm.Node
	blind      error
	// has are the volumes of nodes, and silent the nodes that cannot be asked.
	has    map[string][]string
	silent map[string]bool
	// mounted are volumes that a container refers to.
	mounted map[string]bool
	asked   []string
	events  []string
	// services of all tenants.
	services []swarmobj.ServiceTasks
	// lingering are tasks of services that were removed.
	lingering []swarmobj.Writer
	work      *works
	// listed is what nodes have told, when that is older than what they have; nil when it is not.
	listed map[string][]string
	// failf ends the test.
	failf func(format string, args ...any)
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil { // Alone: the fake goes through all of it for every write.
		t.Fatal(err)
	}
	w := &world{T: t, has: map[string][]string{}, silent: map[string]bool{}, mounted: map[string]bool{}}
	w.work, w.failf = newWorks(w), t.Fatalf
	w.Client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.Volume{}).Build()
	for _, id := range []string{"a", "b"} {
		n := swarm.Node{ID: id}
		n.Description.Hostname, n.Status.State, n.Spec.Availability = "host-"+id, swarm.NodeStateReady, swarm.NodeAvailabilityActive
		n.Description.Resources = swarm.Resources{NanoCPUs: 4e9, MemoryBytes: 8 << 30}
		w.nodes = append(w.nodes, n)
	}
	w.controller = New(w.Client, w.Client, w, w.work, w, func(context.Context, string) (bool, error) { return true, nil }, w)

	return w
}

func (w *world) State() error        { return w.blind }
func (w *world) Nodes() []swarm.Node { return w.nodes }

func (w *world) Mounting(tenant, source string) []swarmobj.ServiceTasks {
	return slices.DeleteFunc(slices.Clone(w.services), func(s swarmobj.ServiceTasks) bool {
		return tenant != "" && s.Owner.Tenant != tenant || !slices.ContainsFunc(append(specsOf(s), &s.Service.Spec.TaskTemplate), func(t *swarm.TaskSpec) bool {
			return swarmobj.MountsVolume(t, source)
		})
	})
}

func (w *world) Writers(context.Context, string, string) ([]swarmobj.Writer, error) {
	return w.lingering, w.blind
}

// specsOf are those of tasks that have not ended.
func specsOf(s swarmobj.ServiceTasks) []*swarm.TaskSpec {
	var out []*swarm.TaskSpec
	for _, t := range s.Tasks {
		if !t.Ended() {
			out = append(out, t.Spec)
		}
	}

	return out
}

// service of a container that mounts a Volume where it lives.
func service(tenant, name string, v *v1alpha1.Volume) swarmobj.ServiceTasks {
	s := swarmobj.ServiceTasks{Owner: swarmobj.Owner{Tenant: tenant, Kind: kindContainer, Name: name, UID: "uid-" + name}, Service: &swarm.Service{}}
	t := &s.Service.Spec.TaskTemplate
	t.ContainerSpec = &swarm.ContainerSpec{Mounts: []mount.Mount{volume.Mount(v, class(), v1alpha1.VolumeMount{MountPath: "/data"})}}
	if v.Status.Node != nil {
		t.Placement = &swarm.Placement{Constraints: []string{swarmobj.PinnedConstraint(v.Status.Node.ID)}}
	}

	return s
}

func (w *world) Held(name string) []volume.Held {
	var out []volume.Held
	for _, n := range w.nodes {
		has := w.has
		if w.listed != nil {
			has = w.listed
		}
		if slices.Contains(has[n.ID], name) {
			out = append(out, volume.Held{Node: n.ID, Name: name})
		}
	}

	return out
}

func (w *world) Told(node string) bool { return !w.silent[node] }

func (w *world) Exists(_ context.Context, node, name string) (bool, error) {
	w.asked = append(w.asked, "exists "+node)
	if w.silent[node] {
		return false, fmt.Errorf("%w: gone", swarmobj.ErrUnavailable)
	}

	return slices.Contains(w.has[node], name), nil
}

func (w *world) Remove(_ context.Context, node, name string) error {
	w.asked = append(w.asked, "remove "+node+" "+name)
	switch {
	case w.silent[node]:
		return fmt.Errorf("%w: gone", swarmobj.ErrUnavailable)
	case w.mounted[name]:
		return fmt.Errorf("%w: by 0123456789ab", swarmobj.ErrInUse)
	}
	at := volumejob.Place{Node: node, Name: name}
	if w.work.pinned(at) {
		return fmt.Errorf("%w: by a task", swarmobj.ErrInUse)
	}
	w.work.remove(at)

	return nil
}

func (w *world) Event(_ runtime.Object, _, reason, _ string) { w.events = append(w.events, reason) }

// pass runs one pass and stores the status, as the engine does.
func (w *world) pass(name string) (*v1alpha1.Volume, outcome.Result, error) {
	w.Helper()

	var v v1alpha1.Volume
	if err := w.Get(w.Context(), client.ObjectKey{Namespace: "acme", Name: name}, &v); err != nil {
		w.Fatal(err)
	}
	result, err := w.controller.Reconcile(w.Context(), &v)
	if uerr := w.Status().Update(w.Context(), v.DeepCopy()); uerr != nil {
		w.Fatal(uerr)
	}

	return &v, result, err
}

// lose deletes a status.
func (w *world) lose(name string) {
	w.Helper()

	var v v1alpha1.Volume
	if err := w.Get(w.Context(), client.ObjectKey{Namespace: "acme", Name: name}, &v); err != nil {
		w.Fatal(err)
	}
	v.Status = v1alpha1.VolumeStatus{}
	if err := w.Status().Update(w.Context(), &v); err != nil {
		w.Fatal(err)
	}
}

func class() *v1alpha1.VolumeClass {
	return &v1alpha1.VolumeClass{
		ObjectMeta: metav1.ObjectMeta{Name: "local"},
		Spec:       v1alpha1.VolumeClassSpec{Driver: "local", Access: v1alpha1.AccessSingle, ReclaimPolicy: v1alpha1.ReclaimDelete},
	}
}

func vol(name string, change ...func(*v1alpha1.Volume)) *v1alpha1.Volume {
	v := &v1alpha1.Volume{ObjectMeta: metav1.ObjectMeta{
		Namespace: "acme", Name: name, UID: types.UID("uid-" + name), Generation: 1, Finalizers: []string{v1alpha1.FinalizerVolume},
	}}
	v.Spec = v1alpha1.VolumeSpec{ClassName: "local", Size: resource.MustParse("1Gi"), ReclaimPolicy: v1alpha1.ReclaimDelete}
	for _, f := range change {
		f(v)
	}

	return v
}

func retained(v *v1alpha1.Volume) { v.Spec.ReclaimPolicy = v1alpha1.ReclaimRetain }
func unsaid(v *v1alpha1.Volume)   { v.Spec.ReclaimPolicy = "" }
func deleted(v *v1alpha1.Volume)  { v.DeletionTimestamp = new(metav1.Now()) }
func onA(v *v1alpha1.Volume) {
	v.Status.Node, v.Status.ProvisionedAt = &v1alpha1.VolumeNode{ID: "a", Hostname: "host-a"}, new(metav1.Now())
}

func container(name string, volumes ...string) *v1alpha1.TenantContainer {
	tc := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name}}
	for _, v := range volumes {
		tc.Spec.Volumes = append(tc.Spec.Volumes, v1alpha1.VolumeMount{Name: v1alpha1.DNSLabel(v), MountPath: v1alpha1.AbsolutePath("/" + v)})
	}

	return tc
}

// job has run once.
func job(schedule v1alpha1.CronExpression, volumes ...string) *v1alpha1.TenantJob {
	j := &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "copy"}}
	j.Spec.Schedule, j.Spec.Template.Volumes = schedule, container("", volumes...).Spec.Volumes
	j.Status.History = []v1alpha1.JobRun{{Name: "copy-1"}}

	return j
}
