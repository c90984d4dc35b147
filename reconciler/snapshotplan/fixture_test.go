package snapshotplan_test

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/snapshotplan"
)

// noon is when the stories of the tables take place.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func stamp(t time.Time) *metav1.Time { return new(metav1.NewTime(t)) }

// data is a Volume that has data since a while.
func data(spec v1alpha1.VolumeSnapshots, change ...func(*v1alpha1.Volume)) *v1alpha1.Volume {
	v := &v1alpha1.Volume{}
	v.Name, v.Namespace, v.UID = "data", "acme", types.UID("6f1c")
	v.CreationTimestamp = *stamp(noon.Add(-100 * time.Hour))
	v.Status.ProvisionedAt = stamp(noon.Add(-99 * time.Hour))
	v.Spec.Snapshots = &spec
	for _, c := range change {
		c(v)
	}

	return v
}

// hourly is one that has decided its ticks up to 11:00.
func hourly(change ...func(*v1alpha1.Volume)) *v1alpha1.Volume {
	v := data(v1alpha1.VolumeSnapshots{Schedule: "@hourly", ClassName: "nightly", Keep: new(int32(2))})
	v.Status.Snapshots = &v1alpha1.VolumeSnapshotsStatus{Clock: &v1alpha1.JobClock{
		Schedule: "@hourly UTC", DecidedUntil: *stamp(noon.Add(-time.Hour)),
		Ran: []v1alpha1.TickStretch{{Since: *stamp(noon.Add(-9 * time.Hour)), Until: *stamp(noon.Add(-time.Hour))}},
	}}
	for _, c := range change {
		c(v)
	}

	return v
}

// pending has the snapshot of a tick on record.
func pending(at time.Time, name int) func(*v1alpha1.Volume) {
	return func(v *v1alpha1.Volume) {
		s := v.Status.Snapshots
		s.Pending = &v1alpha1.PendingSnapshot{Name: v1alpha1.ObjectName(snapshotplan.Names(v, at)[name]), ScheduledTime: *stamp(at)}
		s.LastScheduleTime, s.Clock.DecidedUntil = stamp(at), *stamp(at)
		s.Clock.Ran[0].Until = *stamp(at)
	}
}

// of is the snapshot of a tick.
func of(at time.Time, change ...func(*v1alpha1.VolumeSnapshot)) v1alpha1.VolumeSnapshot {
	v := data(v1alpha1.VolumeSnapshots{ClassName: "nightly"})
	s := snapshotplan.New(v, &v1alpha1.PendingSnapshot{Name: v1alpha1.ObjectName(snapshotplan.Names(v, at)[0]), ScheduledTime: *stamp(at)})
	s.CreationTimestamp = *stamp(at)
	for _, c := range change {
		c(s)
	}

	return *s
}

// taken makes it a good one.
func taken(at time.Time) func(*v1alpha1.VolumeSnapshot) {
	return func(s *v1alpha1.VolumeSnapshot) {
		s.Status.VolumeUID, s.Status.CreationTime = "6f1c", stamp(at.Truncate(time.Second))
		s.Status.Digest, s.Status.ArchiveSHA256 = "d", "s"
	}
}

func broken(s *v1alpha1.VolumeSnapshot) {
	s.Status.LastFailure = &v1alpha1.SnapshotFailure{Reason: v1alpha1.ReasonHookFailed, Message: "the hook has failed", Final: true}
}

// foreign makes it somebody else's.
func foreign(s *v1alpha1.VolumeSnapshot) { s.Labels, s.Annotations = nil, nil }

func going(s *v1alpha1.VolumeSnapshot) { s.DeletionTimestamp = stamp(noon) }
