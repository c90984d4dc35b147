package volumesnapshot

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// world is a store, a swarm of two nodes, and a worker that does what is ordered when a test says so.
type world struct {
	*testing.T
	client.Client

	controller *Controller
	engine     *engine.Engine[*v1alpha1.VolumeSnapshot]
	nodes      []swarm.Node
	blind      error
	held       []string
	silent     bool // Nodes do not tell what they have.
	jobs       map[string]volumejob.Job
	// ordered is all that ever was.
	ordered   []volumejob.Order
	cancelled []string
	events    []string
	writes    int
	clock     time.Time
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), clientgoscheme.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, jobs: map[string]volumejob.Job{}, clock: time.Unix(1_700_000_000, 0)}
	store := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&v1alpha1.VolumeSnapshot{}, &v1alpha1.Volume{}, &v1alpha1.VolumeSnapshotClass{}).Build()
	w.Client = interceptor.NewClient(store, interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			w.writes++
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
	})
	for _, id := range []string{"a", "b"} {
		n := swarm.Node{ID: id}
		n.Status.State = swarm.NodeStateReady
		w.nodes = append(w.nodes, n)
	}
	w.restart()

	return w
}

// restart is a new process, which knows of no job.
func (w *world) restart() {
	w.jobs = map[string]volumejob.Job{}
	w.controller = New(w.Client, w.Client, Ports{Jobs: w, Storage: w, Swarm: w, Recorder: w})
	w.controller.now = func() time.Time { return w.clock }
	w.engine = engine.New(w.Client, w.controller, engine.Options{Name: Name, Finalizer: v1alpha1.FinalizerVolumeSnapshot, Recorder: w, Strict: true})
}

func (w *world) State() error        { return w.blind }
func (w *world) Nodes() []swarm.Node { return w.nodes }

func (w *world) Held(name string) []volume.Held {
	var out []volume.Held
	for _, id := range w.held {
		out = append(out, volume.Held{Node: id, Name: name})
	}

	return out
}

func (w *world) Told(string) bool { return !w.silent }

func (w *world) Job(owner string) (volumejob.Job, bool) {
	j, is := w.jobs[owner]
	return j, is
}

func (w *world) Order(o volumejob.Order) {
	if _, is := w.jobs[o.Owner]; is {
		return
	}
	w.ordered = append(w.ordered, o)
	w.jobs[o.Owner] = volumejob.Job{Kind: o.Kind, Operation: o.Operation, Began: w.clock, Thawed: true}
}

func (w *world) Cancel(owner string) { w.cancelled = append(w.cancelled, owner) }

func (w *world) Dismiss(owner string) {
	if w.jobs[owner].Ended {
		delete(w.jobs, owner)
	}
}

// end ends the job of a snapshot.
func (w *world) end(name string, change func(*volumejob.Job)) {
	w.Helper()

	j, is := w.jobs["uid-"+name]
	if !is {
		w.Fatalf("snapshot %s has no job", name)
	}
	j.Ended = true
	change(&j)
	w.jobs["uid-"+name] = j
}

// stored is a job that has stored what it should.
func stored(j *volumejob.Job) {
	j.Receipt = volumejob.Receipt{Digest: "d1", Bytes: 1 << 20, Entries: 3, SHA256: "5a1c", Size: 1 << 19, UID: "uid-v-data", Time: time.Unix(1_700_000_000, 0)}
}

// failed is a job that has not.
func failed(fault volumejob.Fault, err string, thawed bool) func(*volumejob.Job) {
	return func(j *volumejob.Job) { j.Fault, j.Err, j.Thawed = fault, err, thawed }
}

func (w *world) Event(_ runtime.Object, kind, reason, _ string) {
	w.events = append(w.events, kind+" "+reason)
}

// pass makes passes until none asks for another at once, and says when the next is due.
func (w *world) pass(name string) (*v1alpha1.VolumeSnapshot, time.Duration) {
	w.Helper()

	key := types.NamespacedName{Namespace: "acme", Name: name}
	var after time.Duration
	for range 20 {
		result, err := w.engine.Reconcile(w.Context(), reconcile.Request{NamespacedName: key})
		if err != nil {
			w.Fatal(err)
		}
		if after = result.RequeueAfter; after != atOnce {
			break
		}
	}
	if after == atOnce {
		w.Fatalf("snapshot %s does not come to rest", name)
	}

	var s v1alpha1.VolumeSnapshot
	if err := w.Get(w.Context(), key, &s); client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	} else if err != nil {
		return nil, after
	}
	check.Status(w, &s)

	return &s, after
}

// reason is that of Ready.
func reason(s *v1alpha1.VolumeSnapshot) string {
	if c := conditions.Get(s, conditions.Ready); c != nil {
		return string(c.Status) + " " + c.Reason
	}

	return ""
}

// change changes an object in the store.
func change[T client.Object](w *world, o T, name string, f func(T)) {
	w.Helper()

	key := client.ObjectKey{Name: name}
	if _, cluster := any(o).(*v1alpha1.VolumeSnapshotClass); !cluster {
		key.Namespace = "acme"
	}
	if err := w.Get(w.Context(), key, o); err != nil {
		w.Fatal(err)
	}
	f(o)
	status := o.DeepCopyObject().(T)
	if err := errors.Join(w.Update(w.Context(), o), w.update(o, status)); err != nil {
		w.Fatal(err)
	}
}

func (w *world) update(updated, status client.Object) error {
	status.SetResourceVersion(updated.GetResourceVersion())
	return w.Client.Status().Update(w.Context(), status)
}

func class(change ...func(*v1alpha1.VolumeSnapshotClass)) *v1alpha1.VolumeSnapshotClass {
	c := &v1alpha1.VolumeSnapshotClass{ObjectMeta: metav1.ObjectMeta{Name: "offsite", Generation: 1}}
	c.Spec.DeletionPolicy = v1alpha1.ReclaimDelete
	conditions.MarkReady(c, v1alpha1.ReasonStoreReady, "Snapshots can be kept there")
	for _, f := range change {
		f(c)
	}

	return c
}

func vol(change ...func(*v1alpha1.Volume)) *v1alpha1.Volume {
	v := &v1alpha1.Volume{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "data", UID: "uid-v-data"}}
	v.Spec.ClassName = "local"
	v.Status.Node, v.Status.ProvisionedAt = &v1alpha1.VolumeNode{ID: "a"}, new(metav1.Now())
	for _, f := range change {
		f(v)
	}

	return v
}

// quieted freezes what mounts it, and has both hooks.
func quieted(v *v1alpha1.Volume) {
	v.Spec.Snapshots = &v1alpha1.VolumeSnapshots{Quiesce: v1alpha1.QuiescePause, Hooks: &v1alpha1.SnapshotHooks{
		Pre:  &v1alpha1.SnapshotHook{Command: []v1alpha1.Text{"pre"}},
		Post: &v1alpha1.SnapshotHook{Command: []v1alpha1.Text{"post", "x"}, TimeoutSeconds: new(int32(7))},
	}}
}

func snap(name string, change ...func(*v1alpha1.VolumeSnapshot)) *v1alpha1.VolumeSnapshot {
	s := &v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{
		Namespace: "acme", Name: name, UID: types.UID("uid-" + name), Generation: 1, Finalizers: []string{v1alpha1.FinalizerVolumeSnapshot},
	}}
	s.Spec.Source.VolumeName, s.Spec.ClassName = "data", "offsite"
	for _, f := range change {
		f(s)
	}

	return s
}

func writer(name string) *v1alpha1.TenantContainer {
	tc := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name}}
	tc.Spec.Volumes = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/data"}}

	return tc
}
