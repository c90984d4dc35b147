package volume

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/snapshotplan"
	"github.com/dogker/dogker/reconciler/volume"
)

// hourly is a Volume with data on a node, of which there is a snapshot each hour.
func hourly(v *v1alpha1.Volume) {
	onA(v)
	v.Spec.Snapshots = &v1alpha1.VolumeSnapshots{Schedule: "@hourly", ClassName: "nightly", Keep: new(int32(2))}
}

// scheduled is a world whose clock shows what it is told, with one such Volume.
func scheduled(t *testing.T, change ...func(*v1alpha1.Volume)) (*world, *time.Time) {
	t.Helper()

	v := vol("data", append([]func(*v1alpha1.Volume){hourly}, change...)...)
	w := newWorld(t, class(), v)
	w.has["a"] = []string{volume.Name(v)}
	now := time.Date(2026, 11, 23, 11, 30, 0, 0, time.UTC)
	w.controller.now = func() time.Time { return now }

	return w, &now
}

// settle runs passes until one asks for nothing at once. It returns how long the last one waits.
func (w *world) settle() time.Duration {
	w.Helper()
	for range 10 {
		if _, result, err := w.pass("data"); err != nil {
			w.Fatal(err)
		} else if result.RequeueAfter != atOnce {
			return result.RequeueAfter
		}
	}
	w.Fatal("It does not come to rest")

	return 0
}

func (w *world) snapshotNames() []string {
	w.Helper()
	var list v1alpha1.VolumeSnapshotList
	if err := w.List(w.Context(), &list); err != nil {
		w.Fatal(err)
	}
	var names []string
	for i := range list.Items {
		if list.Items[i].DeletionTimestamp.IsZero() {
			names = append(names, list.Items[i].Name)
		}
	}
	slices.Sort(names)

	return names
}

// taken makes all snapshots good ones.
func (w *world) taken() {
	w.Helper()
	var list v1alpha1.VolumeSnapshotList
	if err := w.List(w.Context(), &list); err != nil {
		w.Fatal(err)
	}
	for i := range list.Items {
		s := &list.Items[i]
		at, _ := time.Parse(time.RFC3339, s.Annotations[v1alpha1.AnnotationScheduledAt])
		s.Status.Digest, s.Status.ArchiveSHA256, s.Status.VolumeUID = "d", "s", "uid-data"
		s.Status.CreationTime = &metav1.Time{Time: at}
		if err := w.Update(w.Context(), s); err != nil {
			w.Fatal(err)
		}
	}
}

func TestSchedule(t *testing.T) {
	w, now := scheduled(t)

	if after := w.settle(); after != 30*time.Minute {
		t.Errorf("it looks again after %s, want at the next tick", after)
	}
	if got := w.snapshotNames(); len(got) > 0 {
		t.Errorf("made %v before the first tick", got)
	}

	for hour := range 4 {
		*now = time.Date(2026, 11, 23, 12+hour, 0, 1, 0, time.UTC)
		w.settle()
		w.taken()
		w.settle()
	}
	if got, want := w.snapshotNames(), []string{"data-202611231400", "data-202611231500"}; !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}

	var v v1alpha1.Volume
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: "acme", Name: "data"}, &v); err != nil {
		t.Fatal(err)
	}
	before := v.Status.DeepCopy()
	s := v.Status.Snapshots
	if s == nil || s.Missed != 0 || s.Pending != nil || s.LastScheduleTime.UTC().Hour() != 15 || s.LastSuccessfulTime.UTC().Hour() != 15 || s.NextScheduleTime.UTC().Hour() != 16 {
		t.Errorf("status is %+v", s)
	}

	*now = now.Add(20 * time.Minute)
	w.settle()
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: "acme", Name: "data"}, &v); err != nil || !equality.Semantic.DeepEqual(&v.Status, before) {
		t.Errorf("between two ticks the status changes (%v)", err)
	}
}

// TestScheduleKilled ends the process after it has made a snapshot and before that is on record.
func TestScheduleKilled(t *testing.T) {
	w, now := scheduled(t)
	w.settle()
	*now = now.Add(time.Hour)
	w.pass("data") // Puts it on record.

	var v v1alpha1.Volume
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: "acme", Name: "data"}, &v); err != nil {
		t.Fatal(err)
	}
	if _, err := w.controller.Reconcile(t.Context(), &v); err != nil { // And is not written.
		t.Fatal(err)
	}
	w.settle()

	if got, want := w.snapshotNames(), []string{"data-202611231200"}; !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
}

// TestScheduleStale shows a process what was on record before the snapshot was made and removed again.
func TestScheduleStale(t *testing.T) {
	w, now := scheduled(t)
	w.settle()
	*now = now.Add(time.Hour)
	w.pass("data")

	var stale v1alpha1.Volume
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: "acme", Name: "data"}, &stale); err != nil {
		t.Fatal(err)
	}
	w.settle()
	for _, name := range w.snapshotNames() {
		s := &v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name}}
		if err := errors.Join(w.Patch(t.Context(), s, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))), w.Delete(t.Context(), s)); err != nil {
			t.Fatal(err)
		}
	}

	if _, err := w.controller.Reconcile(t.Context(), &stale); err != nil {
		t.Fatal(err)
	}
	if got := w.snapshotNames(); len(got) > 0 {
		t.Errorf("%v was made a second time", got)
	}
}

// TestScheduleRefused wants the Volume to stay ready when its snapshots are refused, and why to be told once.
func TestScheduleRefused(t *testing.T) {
	w, now := scheduled(t)
	w.settle()
	*now = now.Add(time.Hour)
	full := interceptor.NewClient(w.Client.(client.WithWatch), interceptor.Funcs{
		Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "volumesnapshots"}, "data-202611231200", errors.New("exceeded quota"))
		},
	})
	w.controller.client = full

	if after := w.settle(); after != again {
		t.Errorf("it looks again after %s, want %s", after, again)
	}
	v, _, err := w.pass("data")
	if err != nil || v.Status.Snapshots.Pending == nil || v.Status.Snapshots.Pending.Message == "" {
		t.Fatalf("got %v and %+v", err, v.Status.Snapshots)
	}
	before := v.Status.DeepCopy()
	if v, _, _ = w.pass("data"); !equality.Semantic.DeepEqual(&v.Status, before) {
		t.Error("something else is told the next time")
	}

	*now = now.Add(time.Hour)
	w.controller.client = w.Client
	w.settle()
	if got, want := w.snapshotNames(), []string{"data-202611231300"}; !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
	if v, _, _ = w.pass("data"); v.Status.Snapshots.Missed != 1 || v.Status.Snapshots.LastMissed.Reason != v1alpha1.MissedRefused {
		t.Errorf("status is %+v", v.Status.Snapshots)
	}
}

// TestScheduleRestored wants one to stay that a Volume is restored from, as the store has it and the cache not yet.
func TestScheduleRestored(t *testing.T) {
	w, now := scheduled(t)
	w.settle()
	for hour := range 2 {
		*now = time.Date(2026, 11, 23, 12+hour, 0, 1, 0, time.UTC)
		w.settle()
		w.taken()
		w.settle()
	}

	if err := w.Create(t.Context(), vol("copy", func(v *v1alpha1.Volume) { v.Spec.RestoreFrom = "data-202611231200" })); err != nil {
		t.Fatal(err)
	}
	w.controller.client = interceptor.NewClient(w.Client.(client.WithWatch), interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			err := c.List(ctx, list, opts...)
			if l, ok := list.(*v1alpha1.VolumeList); ok {
				l.Items = slices.DeleteFunc(l.Items, func(v v1alpha1.Volume) bool { return v.Name == "copy" })
			}

			return err
		},
	})
	*now = time.Date(2026, 11, 23, 14, 0, 1, 0, time.UTC)
	w.settle()
	w.taken()
	w.settle()

	if got, want := w.snapshotNames(), []string{"data-202611231200", "data-202611231300", "data-202611231400"}; !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
}

// TestScheduleEnds wants snapshots to stay when the schedule goes.
func TestScheduleEnds(t *testing.T) {
	w, now := scheduled(t)
	w.settle()
	*now = now.Add(time.Hour)
	w.settle()

	var v v1alpha1.Volume
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: "acme", Name: "data"}, &v); err != nil {
		t.Fatal(err)
	}
	v.Spec.Snapshots.Schedule = ""
	if err := w.Update(t.Context(), &v); err != nil {
		t.Fatal(err)
	}
	w.settle()
	after, _, err := w.pass("data")
	if err != nil || after.Status.Snapshots != nil {
		t.Errorf("got %v and %+v", err, after.Status.Snapshots)
	}
	if got := w.snapshotNames(); len(got) != 1 {
		t.Errorf("there are %v", got)
	}
}

// TestScheduledSnapshotsStay wants a Volume that is deleted to leave its snapshots.
func TestScheduledSnapshotsStay(t *testing.T) {
	w, now := scheduled(t)
	w.settle()
	*now = now.Add(time.Hour)
	w.settle()

	var v v1alpha1.Volume
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: "acme", Name: "data"}, &v); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(t.Context(), &v); err != nil {
		t.Fatal(err)
	}
	if _, result, err := w.pass("data"); err != nil || !result.Finalized {
		t.Fatalf("got %+v, %v", result, err)
	}
	if got := w.snapshotNames(); !slices.Equal(got, []string{snapshotplan.Names(&v, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))[0]}) {
		t.Errorf("there are %v", got)
	}
}
