package snapshotplan

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/retention"
	"github.com/dogker/dogker/reconciler/snapshotrun"
)

// defaultKeep is how many stay when nobody has said; the schema has the same.
const defaultKeep = 7

// Names that the snapshot of a tick may have, the first that is free: the same for everybody, and others for every tick. Somebody may
// have taken the first one; the second has a hash of the Volume's UID.
func Names(v *v1alpha1.Volume, at time.Time) []string {
	first := v.Name + "-" + at.UTC().Format("200601021504")
	sum := sha256.Sum256([]byte(string(v.UID) + "/" + first))

	return []string{first, first + "-" + hex.EncodeToString(sum[:])[:10]}
}

// Scheduled tells whether a snapshot was made by schedule for the Volume, and for which tick; the zero time for one that somebody has
// taken the tick from.
func Scheduled(v *v1alpha1.Volume, s *v1alpha1.VolumeSnapshot) (time.Time, bool) {
	if s.Namespace != v.Namespace || v.UID == "" || s.Labels[v1alpha1.LabelSnapshotVolume] != string(v.UID) {
		return time.Time{}, false
	}

	at, err := time.Parse(time.RFC3339, s.Annotations[v1alpha1.AnnotationScheduledAt])
	if err != nil {
		return time.Time{}, true
	}

	return at.UTC(), true
}

// IsOf tells whether it is the snapshot of that tick.
func IsOf(v *v1alpha1.Volume, s *v1alpha1.VolumeSnapshot, at time.Time) bool {
	of, ours := Scheduled(v, s)

	return ours && of.Equal(at)
}

// New is the snapshot of a tick. It belongs to nobody, since it outlives the Volume.
func New(v *v1alpha1.Volume, p *v1alpha1.PendingSnapshot) *v1alpha1.VolumeSnapshot {
	s := &v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{
		Namespace:   v.Namespace,
		Name:        string(p.Name),
		Labels:      map[string]string{v1alpha1.LabelSnapshotVolume: string(v.UID)},
		Annotations: map[string]string{v1alpha1.AnnotationScheduledAt: p.ScheduledTime.UTC().Format(time.RFC3339)},
		Finalizers:  []string{v1alpha1.FinalizerVolumeSnapshot},
	}}
	s.Spec.Source.VolumeName = v1alpha1.DNSLabel(v.Name)
	if v.Spec.Snapshots != nil {
		s.Spec.ClassName = v.Spec.Snapshots.ClassName
	}

	return s
}

// Expired are those made by schedule for the Volume that are to go, the oldest first. restoring are the names of snapshots of the
// namespace that Volumes name in spec.restoreFrom.
func Expired(v *v1alpha1.Volume, all []v1alpha1.VolumeSnapshot, restoring map[string]bool, now time.Time) []*v1alpha1.VolumeSnapshot {
	spec := v.Spec.Snapshots
	if spec == nil || spec.Schedule == "" || spec.Suspend {
		return nil
	}

	byName := map[string]*v1alpha1.VolumeSnapshot{}
	var list []retention.Snapshot
	for i := range all {
		s := &all[i]
		if _, ours := Scheduled(v, s); !ours || !s.DeletionTimestamp.IsZero() {
			continue
		}
		byName[s.Name] = s
		list = append(list, retention.Snapshot{
			Name: s.Name, Time: age(v, s), Good: snapshotrun.Made(&s.Status), Failed: snapshotrun.Failed(&s.Status), Pinned: restoring[s.Name],
		})
	}

	keep := defaultKeep
	if spec.Keep != nil {
		keep = int(*spec.Keep)
	}

	var out []*v1alpha1.VolumeSnapshot
	for _, name := range retention.Expired(list, retention.Policy{Count: keep}, now) {
		out = append(out, byName[name])
	}

	return out
}

// farBack is further back than any tick of a clock that was right.
const farBack = 200 * 365 * 24 * time.Hour

// age is the time by which snapshots are ordered: their tick. One whose tick is after all that are decided was made by a clock that
// has been put back since, and so before all that are made now.
func age(v *v1alpha1.Volume, s *v1alpha1.VolumeSnapshot) time.Time {
	at, _ := Scheduled(v, s)
	if at.IsZero() {
		at = s.CreationTimestamp.UTC()
	}
	if st := v.Status.Snapshots; st != nil && st.Clock != nil && at.After(st.Clock.DecidedUntil.Time) {
		return at.Add(-farBack)
	}

	return at
}

// latest is when the newest good snapshot of the Volume was taken, by schedule or not; nil when there is none.
func latest(v *v1alpha1.Volume, all []v1alpha1.VolumeSnapshot) *metav1.Time {
	var out *metav1.Time
	for i := range all {
		s := &all[i]
		of := s.Namespace == v.Namespace && v.UID != "" && s.Status.VolumeUID == string(v.UID)
		if at := s.Status.CreationTime; of && at != nil && snapshotrun.Made(&s.Status) && s.DeletionTimestamp.IsZero() && (out == nil || out.Before(at)) {
			out = new(metav1.NewTime(at.UTC()))
		}
	}

	return out
}
