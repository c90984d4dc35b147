package faults

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/snapshotrun"
)

// snapshotScenarios are snapshots by schedule and by hand, from the first tick to the last archive.
var snapshotScenarios = []converge.Scenario{
	{Name: "snapshots-by-schedule", Steps: []converge.Step{
		{
			Name: "create", Do: both(declareStore, both(declareVolume, both(scheduleEvery5, createMounting("web", imageV1)))),
			Until: all(livesOn(manager), runs("web", imageV1, 1)),
		},
		{Name: "ticks", Do: func(*converge.Run) {}, Until: all(ticksWere(3), kept(1)), Within: 20 * time.Minute},
		{Name: "suspend", Do: suspendSnapshots, Until: all(nothingPending, kept(1), nothingStands)},
		{Name: "restore", Do: restoreLast, Until: all(restoredWhole, runs("web", imageV1, 1), mounted("web")), Within: 4 * time.Minute},
	}},
	{Name: "snapshot-by-hand", Steps: []converge.Step{
		{Name: "create", Do: both(declareStore, both(declareVolume, createMounting("web", imageV1))), Until: all(livesOn(manager), runs("web", imageV1, 1))},
		{Name: "snapshot", Do: takeSnapshot, Until: all(kept(1), nothingStands)},
		{Name: "delete", Do: removeSnapshot, Until: all(kept(0), nothingStands)},
	}},
}

// newSnapshotHarness wires the loops of containers, Volumes and snapshots.
func newSnapshotHarness(t *testing.T) *converge.Harness {
	t.Helper()

	h := newMoveHarness(t)
	h.Status = append(h.Status, &v1alpha1.VolumeSnapshot{})
	state, broken, keys := h.State, h.Check, h.Keys
	h.State = func(r *converge.Run) []string { return append(state(r), stateOfSnapshots(r)...) }
	h.Check = func(r *converge.Run) []string { return append(broken(r), brokenSnapshots(r)...) }
	h.Keys = func(c client.Client) []types.NamespacedName {
		out := keys(c)
		for _, req := range snapshotsSeen(c) {
			out = append(out, req.NamespacedName)
		}

		return out
	}

	return h
}

// isSnapshot tells requests for snapshots that are really made.
func isSnapshot(req reconcile.Request) bool { return strings.HasPrefix(req.Name, "data-") }

func snapshotRequests(p *converge.Process) []reconcile.Request { return snapshotsSeen(p.Client) }

func snapshotsSeen(c client.Client) []reconcile.Request {
	var list v1alpha1.VolumeSnapshotList
	if err := c.List(context.Background(), &list); err != nil {
		return nil
	}

	var out []reconcile.Request
	for i := range list.Items {
		if req := (reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])}); isSnapshot(req) {
			out = append(out, req)
		}
	}

	return out
}

func listSnapshots(r *converge.Run) []v1alpha1.VolumeSnapshot {
	var list v1alpha1.VolumeSnapshotList
	r.Store.List(&list)

	return list.Items
}

// stateOfSnapshots is how snapshots stand. Which ticks they are of differs when something was late.
func stateOfSnapshots(r *converge.Run) []string {
	var out []string
	for _, s := range listSnapshots(r) {
		out = append(out, fmt.Sprintf("snapshot made %t failed %t", snapshotrun.Made(&s.Status), snapshotrun.Failed(&s.Status)))
	}

	return out
}

// brokenSnapshots: a tick has one snapshot in its life, and conditions keep to the rules.
func brokenSnapshots(r *converge.Run) []string {
	var out []string
	for _, s := range listSnapshots(r) {
		for _, problem := range check.Problems(&s) {
			out = append(out, fmt.Sprintf("status of %s: %s", s.Name, problem))
		}
	}

	of := map[string]types.UID{}
	for o := range r.Store.History() {
		s, ok := o.(*v1alpha1.VolumeSnapshot)
		if !ok || s.Annotations[v1alpha1.AnnotationScheduledAt] == "" {
			continue
		}
		tick := s.Annotations[v1alpha1.AnnotationScheduledAt]
		if first, known := of[tick]; known && first != s.UID {
			out = append(out, fmt.Sprintf("the tick %s has two snapshots", tick))
		}
		of[tick] = s.UID
	}
	if r.World.(*world).disks.stands() {
		out = append(out, "containers stand still")
	}

	return out
}

// declareStore makes a class whose place can be used.
func declareStore(r *converge.Run) {
	c := &v1alpha1.VolumeSnapshotClass{ObjectMeta: metav1.ObjectMeta{Name: "there"}}
	c.Spec.Directory, c.Spec.DeletionPolicy = &v1alpha1.SnapshotDirectory{Path: "/srv/snapshots"}, v1alpha1.ReclaimDelete
	r.Store.Create(c)
	r.Store.Edit(c, func() { conditions.MarkReady(c, v1alpha1.ReasonStoreReady, "So the test says") })
}

func scheduleEvery5(r *converge.Run) {
	v := data()
	r.Store.Edit(v, func() {
		v.Spec.Snapshots = &v1alpha1.VolumeSnapshots{ClassName: "there", Schedule: "*/5 * * * *", Keep: ptr(int32(1)), Quiesce: v1alpha1.QuiescePause}
	})
}

func suspendSnapshots(r *converge.Run) {
	v := data()
	r.Store.Edit(v, func() { v.Spec.Snapshots.Suspend = true })
}

// takeSnapshot makes one by hand, as the API server would let it in.
func takeSnapshot(r *converge.Run) {
	s := &v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "data-now", Finalizers: []string{v1alpha1.FinalizerVolumeSnapshot}}}
	s.Spec = v1alpha1.VolumeSnapshotSpec{ClassName: "there", Source: v1alpha1.VolumeSnapshotSource{VolumeName: "data"}}
	r.Store.Create(s)
}

func removeSnapshot(r *converge.Run) {
	r.Store.Delete(&v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "data-now"}})
}

// restoreLast restores the only snapshot that there is.
func restoreLast(r *converge.Run) {
	restoreFrom(v1alpha1.ObjectName(listSnapshots(r)[0].Name))(r)
}

// ticksWere is true when that many ticks have had a snapshot that was made.
func ticksWere(n int) until {
	return func(r *converge.Run) error {
		made := map[types.UID]bool{}
		for o := range r.Store.History() {
			if s, ok := o.(*v1alpha1.VolumeSnapshot); ok && snapshotrun.Made(&s.Status) {
				made[s.UID] = true
			}
		}
		if len(made) < n {
			return fmt.Errorf("%d snapshots were made of %d", len(made), n)
		}

		return nil
	}
}

// kept is true when there are so many snapshots, all made, and as many archives.
func kept(n int) until {
	return func(r *converge.Run) error {
		list, d := listSnapshots(r), r.World.(*world).disks
		if len(list) != n {
			return fmt.Errorf("there are %d snapshots, want %d: %+v", len(list), n, list)
		}
		for _, s := range list {
			if !snapshotrun.Made(&s.Status) || digestOf(d.archive(s.Status.ArchiveName)) != s.Status.Digest {
				return fmt.Errorf("snapshot %s is %+v", s.Name, s.Status)
			}
		}
		if got := d.lines(); got[len(got)-1] != fmt.Sprintf("archives %d", n) {
			return fmt.Errorf("%s, want %d", got[len(got)-1], n)
		}

		return nil
	}
}

func nothingPending(r *converge.Run) error {
	v := data()
	if !r.Store.Get(namespace, v.Name, v) || v.Status.Snapshots == nil || v.Status.Snapshots.Pending != nil || v.Status.Snapshots.NextScheduleTime != nil {
		return fmt.Errorf("snapshots are %+v", v.Status.Snapshots)
	}

	return nil
}

func nothingStands(r *converge.Run) error {
	if r.World.(*world).disks.stands() {
		return errors.New("containers stand still")
	}

	return nil
}

// restoredWhole is true when the Volume has what is in the snapshot, and what was written since.
func restoredWhole(r *converge.Run) error {
	v := data()
	if !r.Store.Get(namespace, v.Name, v) || v.Status.Restored == nil {
		return errors.New("nothing was restored")
	}
	place, err := at(r)
	if err != nil {
		return err
	}
	d := r.World.(*world).disks
	found, _ := d.read(place)
	if saved := d.archive(listSnapshots(r)[0].Status.ArchiveName); !strings.HasPrefix(strings.Join(found.words, ","), strings.Join(saved, ",")) {
		return fmt.Errorf("it has %v, and the snapshot %v", found.words, saved)
	}

	return d.whole(place)
}

func TestSnapshotFaults(t *testing.T) {
	for _, scenario := range snapshotScenarios {
		t.Run(scenario.Name, func(t *testing.T) { newSnapshotHarness(t).Run(t, scenario, converge.EveryPoint) })
	}
}

func TestSnapshotStaleViews(t *testing.T) {
	for _, scenario := range snapshotScenarios {
		t.Run(scenario.Name, func(t *testing.T) { newSnapshotHarness(t).Run(t, scenario, converge.StaleRestarts(1, 2)) })
	}
}
