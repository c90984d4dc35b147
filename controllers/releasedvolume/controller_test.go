package releasedvolume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// world is a store, and one node with what it has.
type world struct {
	client.Client

	sweeper *Sweeper
	has     []string
	// unlisted are on the node, and not in its last list.
	unlisted []string
	// made is which operation has made what, and removedSince are in its last list, and not on the node any more.
	made         map[string]string
	removedSince []string
	silent       bool
	removed      []string
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	w := &world{Client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()}
	w.sweeper = NewSweeper(New(w.Client, w.Client, w, w), slog.New(slog.DiscardHandler))

	return w
}

func (*world) State() error { return nil }

func (*world) Nodes() []swarm.Node { return []swarm.Node{{ID: "a"}} }

func (w *world) All() []volume.Held {
	var out []volume.Held
	for _, name := range w.has {
		out = append(out, volume.Held{
			Node: "a", Name: name, Owner: swarmobj.Owner{Tenant: "acme", Kind: "Volume", Name: "data", UID: "uid-0"}, Operation: w.made[name],
		})
	}

	return out
}

func (w *world) Held(name string) []volume.Held {
	return slices.DeleteFunc(w.All(), func(h volume.Held) bool { return h.Name != name })
}

func (w *world) Told(string) bool { return !w.silent }

func (w *world) Exists(_ context.Context, _, name string) (bool, error) {
	return slices.Contains(w.has, name) && !slices.Contains(w.removedSince, name) || slices.Contains(w.unlisted, name), nil
}

func (w *world) Remove(_ context.Context, _, name string) error {
	if w.silent {
		return fmt.Errorf("%w: gone", swarmobj.ErrUnavailable)
	}
	w.removed = append(w.removed, name)

	return nil
}

// records are what is on record, and not being deleted.
func (w *world) records(t *testing.T) []v1alpha1.ReleasedVolume {
	t.Helper()

	var all v1alpha1.ReleasedVolumeList
	if err := w.List(t.Context(), &all); err != nil {
		t.Fatal(err)
	}

	return slices.DeleteFunc(all.Items, func(r v1alpha1.ReleasedVolume) bool { return !r.DeletionTimestamp.IsZero() })
}

func owner(uid string, change ...func(*v1alpha1.Volume)) *v1alpha1.Volume {
	v := &v1alpha1.Volume{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "data", UID: types.UID(uid)}}
	for _, f := range change {
		f(v)
	}

	return v
}

func record(name string) *v1alpha1.ReleasedVolume {
	return &v1alpha1.ReleasedVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name: volume.ReleasedName(name), Finalizers: []string{v1alpha1.FinalizerReleasedVolume}, CreationTimestamp: metav1.Time{Time: time.Now().Add(-time.Hour)},
		},
		Spec: v1alpha1.ReleasedVolumeSpec{VolumeName: name, Nodes: []v1alpha1.VolumeNode{{ID: "a"}}},
	}
}

func TestSweep(t *testing.T) {
	mine := owner("uid-1")
	name := volume.Name(mine)
	const old = "acme_data_000000000000"
	adopts := func(v *v1alpha1.Volume) { v.Name, v.Spec.Adopt = "rescued", old }

	cases := map[string]struct {
		why     string
		objects []client.Object
		set     func(*world)
		want    []string
	}{
		"Owned":     {"What has an owner is no business of ours.", []client.Object{mine}, func(w *world) { w.has = []string{name} }, nil},
		"Ownerless": {"What has none is put on record.", []client.Object{mine}, func(w *world) { w.has = []string{name, old} }, []string{old}},
		"Recorded":  {"Once.", []client.Object{record(old)}, func(w *world) { w.has = []string{old} }, []string{old}},
		"Adopted":   {"Data that is adopted is released no more.", []client.Object{record(old), owner("uid-2", adopts)}, func(w *world) { w.has = []string{old} }, nil},
		"Gone":      {"Nor is data that is gone.", []client.Object{record(old)}, nil, nil},
		"NotTold":   {"What a node does not tell is not gone.", []client.Object{record(old)}, func(w *world) { w.silent = true }, []string{old}},
		"Unlisted":  {"Nor what its engine has.", []client.Object{record(old)}, func(w *world) { w.unlisted = []string{old} }, []string{old}},
	}
	for n, tc := range cases {
		t.Run(n, func(t *testing.T) {
			w := newWorld(t, tc.objects...)
			if tc.set != nil {
				tc.set(w)
			}
			for range 2 { // The second changes nothing.
				if err := w.sweeper.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}

			var got []string
			for _, r := range w.records(t) {
				got = append(got, r.Spec.VolumeName)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s\non record are %v, want %v", tc.why, got, tc.want)
			}
			if len(w.removed) > 0 {
				t.Errorf("the sweep has removed %v", w.removed)
			}
		})
	}
}

// refusing is a store that takes no record of one name.
type refusing struct {
	client.Client
	name string
}

func (r refusing) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	if o.GetName() == r.name {
		return errors.New("no")
	}

	return r.Client.Create(ctx, o, opts...)
}

// TestTries: what belongs to a Volume in any way is not nobody's, and what was removed since the last list is not there.
func TestTries(t *testing.T) {
	first := volume.Name(owner("uid-0"))
	mine := owner("uid-0", func(v *v1alpha1.Volume) {
		v.Status.Restored = &v1alpha1.VolumeRestored{VolumeName: first + "-r2"}
		v.Status.Restore = &v1alpha1.VolumeRestore{VolumeName: first + "-r4", Phase: v1alpha1.RestoreWriting}
		v.Status.Superseded = []v1alpha1.SupersededData{{VolumeName: first, Node: "a"}}
	})
	fresh := record(first)
	fresh.CreationTimestamp = metav1.Now()
	w := newWorld(t, mine, fresh)
	w.has = []string{first, first + "-r2", first + "-r3", first + "-r4", first + "-r5"}
	w.made = map[string]string{first + "-r2": "restore/uid-0/2/1", first + "-r3": "restore/uid-0/3/1", first + "-r4": "restore/uid-0/4/1", first + "-r5": "restore/uid-0/5/1"}
	w.removedSince = []string{first + "-r5"}

	if err := w.sweeper.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range w.records(t) {
		names = append(names, r.Spec.VolumeName)
	}
	slices.Sort(names)
	// The record of what is just being let go stays; what a lost record has left is put on record; what a list is too old for is not.
	if want := []string{first, first + "-r3"}; !slices.Equal(names, want) {
		t.Errorf("on record are %q, want %q", names, want)
	}
}

// TestOneRefusalStopsNothing: data whose record cannot be made keeps no other data from its own, and no record from being taken back.
func TestOneRefusalStopsNothing(t *testing.T) {
	const bad, good, gone = "acme_bad_000000000000", "acme_good_00000000000", "acme_gone_00000000000"
	w := newWorld(t, record(gone))
	w.sweeper.client = refusing{w.Client, volume.ReleasedName(bad)}
	w.has = []string{bad, good}
	if err := w.sweeper.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), bad) {
		t.Errorf("the refusal is not told: %v", err)
	}
	if got := w.records(t); len(got) != 1 || got[0].Spec.VolumeName != good {
		t.Errorf("on record are %+v, want %s alone", got, good)
	}
}

// TestTakenBackKeepsData: a record that Dogker takes back takes nothing along, whatever has become of the owner meanwhile.
func TestTakenBackKeepsData(t *testing.T) {
	const old = "acme_data_000000000000"
	adopter := owner("uid-2", func(v *v1alpha1.Volume) { v.Spec.Adopt = old })
	w := newWorld(t, record(old), adopter)
	w.has = []string{old}
	if err := w.sweeper.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), adopter); err != nil {
		t.Fatal(err)
	}

	var r v1alpha1.ReleasedVolume
	if err := w.Get(t.Context(), client.ObjectKey{Name: volume.ReleasedName(old)}, &r); err != nil {
		t.Fatal(err)
	}
	result, err := w.sweeper.Reconcile(t.Context(), &r)
	if err != nil || !result.Finalized || len(w.removed) > 0 {
		t.Errorf("got %+v, %v, and %v is removed", result, err, w.removed)
	}
}

func TestDeletion(t *testing.T) {
	const old = "acme_data_000000000000"
	deleted := record(old)
	deleted.DeletionTimestamp = new(metav1.Now())

	w := newWorld(t, deleted)
	if result, err := w.sweeper.Reconcile(t.Context(), deleted); err != nil || !result.Finalized || !slices.Equal(w.removed, []string{old}) {
		t.Errorf("nobody's data: got %+v, %v, and %v is removed", result, err, w.removed)
	}

	w = newWorld(t, deleted, owner("uid-2", func(v *v1alpha1.Volume) { v.Spec.Adopt = old }))
	if result, err := w.sweeper.Reconcile(t.Context(), deleted); err != nil || !result.Finalized || len(w.removed) > 0 {
		t.Errorf("data that is adopted: got %+v, %v, and %v is removed", result, err, w.removed)
	}

	w = newWorld(t, deleted)
	w.silent = true
	result, err := w.sweeper.Reconcile(t.Context(), deleted)
	var wait *outcome.Wait
	if result.Finalized || !errors.As(err, &wait) || wait.Reason != v1alpha1.ReasonNodeUnreachable {
		t.Errorf("a node that cannot be asked: got %+v, %v", result, err)
	}
}
