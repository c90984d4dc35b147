package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/volume"
	"github.com/dogker/dogker/controllers/volumesnapshot"
	"github.com/dogker/dogker/controllers/workload"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/swarmobj"
	decide "github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// moveScenarios are what people do with data while a container writes to it. Whatever goes wrong, what it has written is there in the
// end, once, and where the record says.
var moveScenarios = []converge.Scenario{
	{Name: "move", Steps: []converge.Step{
		{Name: "create", Do: both(addWorkers, both(declareVolume, createMounting("web", imageV1))), Until: all(livesOn(manager), runs("web", imageV1, 1))},
		{Name: "move", Do: moveTo(workers[0]), Until: all(livesOn(workers[0]), runs("web", imageV1, 1), on("web", workers[0])), Within: 4 * time.Minute},
	}},
	{Name: "move-called-off", Steps: []converge.Step{
		{Name: "create", Do: both(addWorkers, both(declareVolume, createMounting("web", imageV1))), Until: all(livesOn(manager), runs("web", imageV1, 1))},
		{Name: "move", Do: moveTo(workers[0]), Until: copying},
		{Name: "back", Do: moveTo(manager), Until: all(livesOn(manager), runs("web", imageV1, 1), on("web", manager)), Within: 4 * time.Minute},
	}},
	{Name: "restore-waits", Steps: []converge.Step{
		{Name: "create", Do: both(addWorkers, both(declareVolume, createMounting("web", imageV1))), Until: all(livesOn(manager), runs("web", imageV1, 1))},
		{Name: "restore", Do: restoreFrom("nightly"), Until: all(livesOn(manager), runs("web", imageV1, 1))},
	}},
	{Name: "restore", Steps: []converge.Step{
		{Name: "create", Do: both(addWorkers, both(declareVolume, createMounting("web", imageV1))), Until: all(livesOn(manager), runs("web", imageV1, 1))},
		{Name: "restore", Do: both(storeSnapshot, restoreFrom("nightly")), Until: all(has("monday"), runs("web", imageV1, 1), mounted("web")), Within: 4 * time.Minute},
	}},
}

// newMoveHarness wires the loops of containers and of Volumes.
func newMoveHarness(t *testing.T) *converge.Harness {
	t.Helper()

	h := harnessFor(t)
	h.Status = append(h.Status, &v1alpha1.Volume{})
	h.World = func(r *converge.Run) converge.World {
		w := newWorld(r)
		w.disks = newDisks(w)

		return w
	}
	h.Start = startMoves
	h.Keys = func(c client.Client) []types.NamespacedName {
		return append(keys(c), types.NamespacedName{Namespace: namespace, Name: "data"})
	}
	h.State = func(r *converge.Run) []string { return append(stateOfAPI(r), stateOfVolumes(r)...) }
	h.Check = func(r *converge.Run) []string { return append(brokenRules(r), brokenVolumes(r)...) }

	return h
}

func startMoves(p *converge.Process) {
	w := p.World.(*world)
	docker := swarm.New(w.client(p), swarm.Options{})
	it := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: "data"}}

	docker.Subscribe(func(o swarmobj.Owner) {
		p.Enqueue(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: o.Tenant, Name: o.Name}})
	})
	p.Go(func(ctx context.Context) { _ = docker.Run(ctx) })

	metrics := prometheus.NewRegistry()
	passes := engine.NewMetrics(metrics)
	w.watchPanics(metrics)
	options := func(name, finalizer string) engine.Options {
		return engine.Options{
			Name: name, Finalizer: finalizer, Recorder: silent{}, Strict: true, Metrics: passes, Jitter: func() float64 { return 0 },
		}
	}

	w.disks.lead(p, func() { p.Enqueue(it) })
	work := newDataWork(p, w.disks)
	work.told = func(string) { p.Enqueue(append(snapshotRequests(p), it)...) }
	confined := func(context.Context, string) (bool, error) { return false, nil }
	volumes := engine.New(p.Client, volume.New(p.Client, p.Live, inventory{work}, work, docker, confined, silent{}), options(volume.Name, v1alpha1.FinalizerVolume))
	snapshots := engine.New(p.Client, volumesnapshot.New(p.Client, p.Live, volumesnapshot.Ports{Jobs: work, Storage: inventory{work}, Swarm: docker, Recorder: silent{}}),
		options(volumesnapshot.Name, v1alpha1.FinalizerVolumeSnapshot))
	containers := engine.New(p.Client, workload.New(p.Client, p.Live, docker, door{p.Seam, w.registry}, silent{}, w.digests()), options(workload.Name, v1alpha1.Finalizer))

	p.Reconcile(reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		switch {
		case req == it:
			return volumes.Reconcile(ctx, req)
		case isSnapshot(req):
			return snapshots.Reconcile(ctx, req)
		}

		return containers.Reconcile(ctx, req)
	}))

	p.Watch(&v1alpha1.TenantContainer{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		out := asked(containers.IgnoreOwnWrites(), old, new)
		var v v1alpha1.Volume
		if old == nil || new == nil || old.GetGeneration() != new.GetGeneration() ||
			p.Client.Get(p.Context(), it.NamespacedName, &v) == nil && v.Status.MountedAt == nil {
			out = append(out, it)
		}

		return out
	})
	p.Watch(&v1alpha1.ContainerRevision{}, recorded)
	p.Watch(&v1alpha1.Volume{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		o := either(old, new)

		return slices.Concat(asked(volumes.IgnoreOwnWrites(), old, new), byIndex(p, o.GetNamespace(), "spec.volumes", o.GetName()), snapshotRequests(p))
	})
	p.Watch(&v1alpha1.VolumeSnapshot{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		out := []reconcile.Request{it}
		if o := either(old, new); isSnapshot(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)}) {
			out = append(out, asked(snapshots.IgnoreOwnWrites(), old, new)...)
		}

		return out
	})
}

// stateOfVolumes is what the API holds of Volumes, without times.
func stateOfVolumes(r *converge.Run) []string {
	var list v1alpha1.VolumeList
	r.Store.List(&list)

	var out []string
	for i := range list.Items {
		v := &list.Items[i]
		s := v.Status
		out = append(out, fmt.Sprintf("volume %s observed %d node %+v moving %t restoring %t superseded %d provisioned %t",
			v.Name, s.ObservedGeneration, s.Node, s.Move != nil, s.Restore != nil, len(s.Superseded), s.ProvisionedAt != nil))
		for _, c := range s.Conditions {
			out = append(out, fmt.Sprintf("volume %s %s=%s %s: %s", v.Name, c.Type, c.Status, c.Reason, c.Message))
		}
	}
	sort.Strings(out)

	return out
}

func brokenVolumes(r *converge.Run) []string {
	var list v1alpha1.VolumeList
	r.Store.List(&list)

	var out []string
	for i := range list.Items {
		for _, problem := range check.Problems(&list.Items[i]) {
			out = append(out, fmt.Sprintf("status of %s: %s", list.Items[i].Name, problem))
		}
	}

	return out
}

// declareVolume makes a Volume that is to live on the node that the swarm begins with.
func declareVolume(r *converge.Run) {
	r.Store.Create(&v1alpha1.VolumeClass{
		ObjectMeta: metav1.ObjectMeta{Name: "local"}, Spec: v1alpha1.VolumeClassSpec{Driver: "local", Access: v1alpha1.AccessSingle},
	})

	v := data()
	v.Finalizers = []string{v1alpha1.FinalizerVolume}
	v.Spec = v1alpha1.VolumeSpec{ClassName: "local", Size: resource.MustParse("1Gi"), ReclaimPolicy: v1alpha1.ReclaimDelete, Node: manager}
	r.Store.Create(v)
}

func moveTo(node string) func(*converge.Run) {
	return func(r *converge.Run) {
		v := data()
		r.Store.Edit(v, func() { v.Spec.Node = node })
	}
}

func restoreFrom(snapshot v1alpha1.ObjectName) func(*converge.Run) {
	return func(r *converge.Run) {
		v := data()
		r.Store.Edit(v, func() { v.Spec.RestoreFrom = snapshot })
	}
}

// storeSnapshot makes a snapshot that is ready.
func storeSnapshot(r *converge.Run) {
	v := data()
	r.Store.Get(namespace, v.Name, v)
	r.World.(*world).disks.archives["archive"] = []string{"monday"}

	s := &v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "nightly"}}
	s.Spec = v1alpha1.VolumeSnapshotSpec{ClassName: "there", Source: v1alpha1.VolumeSnapshotSource{VolumeName: "data"}}
	r.Store.Create(s)
	r.Store.Edit(s, func() {
		s.Status.ArchiveName, s.Status.VolumeUID, s.Status.Digest, s.Status.ArchiveSHA256 = "archive", string(v.UID), digestOf([]string{"monday"}), "sum"
		s.Status.CreationTime = &metav1.Time{Time: time.Now().Truncate(time.Second)}
		conditions.MarkReady(s, v1alpha1.ReasonSnapshotReady, "So the test says")
	})
}

// at is where the data of the Volume is by the record, and nil when nothing is under way.
func at(r *converge.Run) (volumejob.Place, error) {
	v := data()
	if !r.Store.Get(namespace, v.Name, v) || v.Status.Node == nil {
		return volumejob.Place{}, errors.New("the Volume lives nowhere")
	}
	if v.Status.Move != nil || v.Status.Restore != nil || len(v.Status.Superseded) > 0 {
		return volumejob.Place{}, fmt.Errorf("something is under way: %+v", v.Status)
	}

	return volumejob.Place{Node: v.Status.Node.ID, Name: decide.Name(v)}, nil
}

// livesOn is true when the data is on a node with all that was written, and nowhere else.
func livesOn(node string) until {
	return func(r *converge.Run) error {
		place, err := at(r)
		if err != nil {
			return err
		}
		w := r.World.(*world)
		if place.Node != w.node(node).ID {
			return fmt.Errorf("it does not live on %s", node)
		}

		return w.disks.whole(place)
	}
}

// has is true when the data begins with that word.
func has(word string) until {
	return func(r *converge.Run) error {
		place, err := at(r)
		if err != nil {
			return err
		}
		d := r.World.(*world).disks
		found, _ := d.read(place)
		if len(found.words) == 0 || found.words[0] != word {
			return fmt.Errorf("it has %q", strings.Join(found.words, ","))
		}

		return d.whole(place)
	}
}

// copying is true once a move has stopped what runs.
func copying(r *converge.Run) error {
	v := data()
	if !r.Store.Get(namespace, v.Name, v) || v.Status.Move == nil || v.Status.Move.Phase == v1alpha1.MoveStopping {
		return fmt.Errorf("nothing is copied: %+v", v.Status.Move)
	}

	return nil
}

func TestMoveFaults(t *testing.T) {
	for _, scenario := range moveScenarios {
		t.Run(scenario.Name, func(t *testing.T) { newMoveHarness(t).Run(t, scenario, converge.EveryPoint) })
	}
}

func TestMoveStaleViews(t *testing.T) {
	for _, scenario := range moveScenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			newMoveHarness(t).Run(t, scenario, converge.StaleRestarts(1, 2), converge.LostNotifications(10))
		})
	}
}
