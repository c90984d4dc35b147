package faults

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/volumesnapshot"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/snapshotrun"
	"github.com/dogker/dogker/reconciler/volume"
)

// quietedScenarios are what people do with snapshots of data whose container is frozen for them, with hooks. Whatever goes wrong, it runs
// in the end, its post hook has run after its pre hook, and there is an archive for each snapshot and for nothing else.
var quietedScenarios = []converge.Scenario{
	{Name: "make", Steps: []converge.Step{
		{Name: "create", Do: both(declareQuieted, makeQuieted("one")), Until: all(quietedMade("one"), atPeace), Within: 4 * time.Minute},
	}},
	{Name: "two", Steps: []converge.Step{
		{Name: "create", Do: both(declareQuieted, both(makeQuieted("one"), makeQuieted("two"))), Until: all(quietedMade("one"), quietedMade("two"), atPeace), Within: 6 * time.Minute},
		{Name: "delete", Do: deleteQuieted("one"), Until: all(quietedGone("one"), quietedMade("two"), atPeace)},
	}},
	{Name: "called-off", Steps: []converge.Step{
		{Name: "create", Do: both(declareQuieted, makeQuieted("one")), Until: quietedBegun("one")},
		{Name: "delete", Do: deleteQuieted("one"), Until: all(quietedGone("one"), atPeace), Within: 4 * time.Minute},
	}},
}

// newQuietedHarness wires the loop of snapshots alone.
func newQuietedHarness(t *testing.T) *converge.Harness {
	t.Helper()

	h := harnessFor(t)
	h.Status = append(h.Status, &v1alpha1.VolumeSnapshot{})
	h.World = func(*converge.Run) converge.World { return &ward{archives: map[string]bool{}} }
	h.Start = startQuieted
	h.Keys = func(c client.Client) []types.NamespacedName {
		var out []types.NamespacedName
		for _, s := range quietedOf(c) {
			out = append(out, client.ObjectKeyFromObject(&s))
		}

		return out
	}
	h.State = func(r *converge.Run) []string {
		var out []string
		for _, s := range quietedIn(r) {
			out = append(out, fmt.Sprintf("snapshot %s of %s made %t attempt %t", s.Name, s.Status.VolumeUID, snapshotrun.Made(&s.Status), s.Status.Attempt != nil))
			for _, c := range s.Status.Conditions {
				out = append(out, fmt.Sprintf("snapshot %s %s=%s %s: %s", s.Name, c.Type, c.Status, c.Reason, c.Message))
			}
		}
		sort.Strings(out)

		return out
	}
	h.Check = func(r *converge.Run) []string {
		var out []string
		for _, s := range quietedIn(r) {
			for _, problem := range check.Problems(&s) {
				out = append(out, fmt.Sprintf("status of %s: %s", s.Name, problem))
			}
		}

		return append(out, changedWhenMade(r)...)
	}

	return h
}

// changedWhenMade are snapshots that were made and have become something else.
func changedWhenMade(r *converge.Run) []string {
	var out []string
	made := map[types.UID]string{}
	for o := range r.Store.History() {
		s, is := o.(*v1alpha1.VolumeSnapshot)
		if !is {
			continue
		}
		sum := fmt.Sprint(s.Status.ArchiveSHA256, s.Status.Digest, s.Status.CreationTime)
		if before := made[s.UID]; before != "" && before != sum {
			out = append(out, fmt.Sprintf("snapshot %s was made, and has changed", s.Name))
		}
		if snapshotrun.Made(&s.Status) {
			made[s.UID] = sum
		}
	}

	return out
}

func startQuieted(p *converge.Process) {
	w := p.World.(*ward)
	work := newWardWork(p, w)
	w.mu.Lock()
	w.leads = p
	w.mu.Unlock()

	kind := volumesnapshot.New(p.Client, p.Live, volumesnapshot.Ports{Jobs: work, Storage: wardNodes{}, Swarm: wardNodes{}, Recorder: silent{}})
	loop := engine.New(p.Client, kind, engine.Options{
		Name: volumesnapshot.Name, Finalizer: v1alpha1.FinalizerVolumeSnapshot, Recorder: silent{}, Strict: true, Jitter: func() float64 { return 0 },
	})
	everyone := func(which func(*v1alpha1.VolumeSnapshot) bool) []reconcile.Request {
		var out []reconcile.Request
		for _, s := range quietedOf(p.Client) {
			if which(&s) {
				out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&s)})
			}
		}

		return out
	}
	work.told = func(owner string) {
		p.Enqueue(everyone(func(s *v1alpha1.VolumeSnapshot) bool { return string(s.UID) == owner })...)
	}
	p.Reconcile(loop)
	p.Watch(&v1alpha1.VolumeSnapshot{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		return asked(loop.IgnoreOwnWrites(), old, new)
	})
	for _, o := range []client.Object{&v1alpha1.Volume{}, &v1alpha1.VolumeSnapshotClass{}} {
		p.Watch(o, func(context.Context, client.Object, client.Object) []reconcile.Request {
			return everyone(func(*v1alpha1.VolumeSnapshot) bool { return true })
		})
	}
}

// wardNodes is a swarm of one node that answers and has told all.
type wardNodes struct{}

func (wardNodes) State() error              { return nil }
func (wardNodes) Held(string) []volume.Held { return nil }
func (wardNodes) Told(string) bool          { return true }

func (wardNodes) Nodes() []swarm.Node {
	n := swarm.Node{ID: manager}
	n.Status.State = swarm.NodeStateReady

	return []swarm.Node{n}
}

// quietedOf are the snapshots that a client sees, and quietedIn those that the store has.
func quietedOf(c client.Client) []v1alpha1.VolumeSnapshot {
	var all v1alpha1.VolumeSnapshotList
	if c.List(context.Background(), &all) != nil {
		return nil
	}

	return all.Items
}

func quietedIn(r *converge.Run) []v1alpha1.VolumeSnapshot {
	var all v1alpha1.VolumeSnapshotList
	r.Store.List(&all)

	return all.Items
}

// declareQuieted makes a Volume whose containers are to be frozen, the container that writes to it, and the place of archives.
func declareQuieted(r *converge.Run) {
	class := &v1alpha1.VolumeSnapshotClass{ObjectMeta: metav1.ObjectMeta{Name: "offsite"}}
	class.Spec.DeletionPolicy = v1alpha1.ReclaimDelete
	r.Store.Create(class)
	r.Store.Edit(class, func() { conditions.MarkReady(class, v1alpha1.ReasonStoreReady, "So the test says") })

	tc := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "db"}}
	tc.Spec.Volumes = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/data"}}
	r.Store.Create(tc)

	v := data()
	hook := func(word v1alpha1.Text) *v1alpha1.SnapshotHook {
		return &v1alpha1.SnapshotHook{Command: []v1alpha1.Text{word}}
	}
	v.Spec.Snapshots = &v1alpha1.VolumeSnapshots{Quiesce: v1alpha1.QuiescePause, Hooks: &v1alpha1.SnapshotHooks{Pre: hook("pre"), Post: hook("post")}}
	r.Store.Create(v)
	r.Store.Edit(v, func() {
		v.Status.Node, v.Status.ProvisionedAt = &v1alpha1.VolumeNode{ID: manager}, &metav1.Time{Time: time.Now().Truncate(time.Second)}
	})
}

func quietedNamed(name string) *v1alpha1.VolumeSnapshot {
	return &v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func makeQuieted(name string) func(*converge.Run) {
	return func(r *converge.Run) {
		s := quietedNamed(name)
		s.Finalizers = []string{v1alpha1.FinalizerVolumeSnapshot}
		s.Spec = v1alpha1.VolumeSnapshotSpec{ClassName: "offsite", Source: v1alpha1.VolumeSnapshotSource{VolumeName: "data"}}
		r.Store.Create(s)
	}
}

func deleteQuieted(name string) func(*converge.Run) {
	return func(r *converge.Run) { r.Store.Delete(quietedNamed(name)) }
}

func quietedBegun(name string) until {
	return func(r *converge.Run) error {
		s := quietedNamed(name)
		if r.Store.Get(namespace, name, s); s.Status.Attempt == nil && !snapshotrun.Made(&s.Status) {
			return errors.New("it is not begun")
		}

		return nil
	}
}

// quietedMade is true when it is Ready and its archive is there.
func quietedMade(name string) until {
	return func(r *converge.Run) error {
		s := quietedNamed(name)
		switch r.Store.Get(namespace, name, s); {
		case !conditions.IsTrue(s, conditions.Ready):
			return fmt.Errorf("snapshot %s: %+v", name, s.Status)
		case !r.World.(*ward).stored(s.Status.ArchiveName):
			return fmt.Errorf("snapshot %s has no archive", name)
		}

		return nil
	}
}

// quietedGone is true when neither the snapshot is there nor an archive that no snapshot is of.
func quietedGone(name string) until {
	return func(r *converge.Run) error {
		if s := quietedNamed(name); r.Store.Get(namespace, name, s) {
			return fmt.Errorf("snapshot %s is there: %+v", name, s.Status)
		}
		if have, want := r.World.(*ward).count(), len(quietedIn(r)); have != want {
			return fmt.Errorf("there are %d archives, want %d", have, want)
		}

		return nil
	}
}

// atPeace is true when what writes runs, and its post hook has run after its pre hook.
func atPeace(r *converge.Run) error { return r.World.(*ward).peace() }

// TestQuietedFaults lets something go wrong at every call, one thing at a time.
func TestQuietedFaults(t *testing.T) {
	for _, scenario := range quietedScenarios {
		t.Run(scenario.Name, func(t *testing.T) { newQuietedHarness(t).Run(t, scenario, converge.EveryPoint) })
	}
}

// TestQuietedViews lets the process die after every write, hints get lost, and calls fail at random for a minute.
func TestQuietedViews(t *testing.T) {
	for _, scenario := range quietedScenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			newQuietedHarness(t).Run(t, scenario, converge.StaleRestarts(1, 2, 4), converge.LostNotifications(10), converge.Lags(time.Second, 20*time.Second), converge.Storms(10, 20))
		})
	}
}
