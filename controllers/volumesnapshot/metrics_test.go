package volumesnapshot

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestMetrics: snapshots are counted by the classes that there are, whatever people have named.
func TestMetrics(t *testing.T) {
	made := func(s *v1alpha1.VolumeSnapshot) {
		s.Status.Digest, s.Status.ArchiveSHA256, s.Status.ArchiveSize = "d", "s", new(resource.MustParse("1Ki"))
	}
	w := newWorld(t, class(), snap("a", made), snap("b", made), snap("c"),
		snap("d", func(s *v1alpha1.VolumeSnapshot) { s.Status.LastFailure = &v1alpha1.SnapshotFailure{Final: true} }),
		snap("e", func(s *v1alpha1.VolumeSnapshot) { s.Status.Attempt = &v1alpha1.SnapshotAttempt{Number: 2} }),
		snap("f", func(s *v1alpha1.VolumeSnapshot) { s.Spec.ClassName = "made-up" }),
		vol(func(v *v1alpha1.Volume) {
			v.Spec.Snapshots = &v1alpha1.VolumeSnapshots{Schedule: "@daily"}
			v.Status.Snapshots = &v1alpha1.VolumeSnapshotsStatus{LastScheduleTime: &metav1.Time{Time: time.Now().Add(-2 * time.Hour)}}
		}))

	want := `
# HELP dogker_volume_snapshot_archives_bytes What the archives of VolumeSnapshots that are Ready take, by class.
# TYPE dogker_volume_snapshot_archives_bytes gauge
dogker_volume_snapshot_archives_bytes{class="offsite"} 2048
# HELP dogker_volume_snapshots VolumeSnapshots, by class and by how they stand.
# TYPE dogker_volume_snapshots gauge
dogker_volume_snapshots{class="offsite",state="Deleting"} 0
dogker_volume_snapshots{class="offsite",state="Failed"} 1
dogker_volume_snapshots{class="offsite",state="Making"} 1
dogker_volume_snapshots{class="offsite",state="Ready"} 2
dogker_volume_snapshots{class="offsite",state="Waiting"} 1
# HELP dogker_volume_snapshots_overdue Volumes with a schedule for snapshots that have no good one since its last tick, an hour after that.
# TYPE dogker_volume_snapshots_overdue gauge
dogker_volume_snapshots_overdue 1
`
	if err := testutil.CollectAndCompare(NewMetrics(w.Client), strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestOverdue(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ago := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: now.Add(-d)} }

	for name, c := range map[string]struct {
		why    string
		spec   v1alpha1.VolumeSnapshots
		status v1alpha1.VolumeSnapshotsStatus
		want   bool
	}{
		"Good":      {"The last tick has a snapshot.", v1alpha1.VolumeSnapshots{Schedule: "@daily"}, v1alpha1.VolumeSnapshotsStatus{LastScheduleTime: ago(3 * time.Hour), LastSuccessfulTime: ago(2 * time.Hour)}, false},
		"Late":      {"It has none, and had time enough.", v1alpha1.VolumeSnapshots{Schedule: "@daily"}, v1alpha1.VolumeSnapshotsStatus{LastScheduleTime: ago(2 * time.Hour), LastSuccessfulTime: ago(26 * time.Hour)}, true},
		"Never":     {"It never had any.", v1alpha1.VolumeSnapshots{Schedule: "@daily"}, v1alpha1.VolumeSnapshotsStatus{LastScheduleTime: ago(2 * time.Hour)}, true},
		"Soon":      {"One may be under way.", v1alpha1.VolumeSnapshots{Schedule: "@daily"}, v1alpha1.VolumeSnapshotsStatus{LastScheduleTime: ago(time.Minute)}, false},
		"Missed":    {"A tick that was missed counts like one that failed.", v1alpha1.VolumeSnapshots{Schedule: "@daily"}, v1alpha1.VolumeSnapshotsStatus{LastMissed: &v1alpha1.MissedRuns{LastTime: *ago(2 * time.Hour)}, LastSuccessfulTime: ago(26 * time.Hour)}, true},
		"Suspended": {"Whoever has suspended it knows.", v1alpha1.VolumeSnapshots{Schedule: "@daily", Suspend: true}, v1alpha1.VolumeSnapshotsStatus{LastScheduleTime: ago(26 * time.Hour)}, false},
		"ByHand":    {"Without a schedule nothing is due.", v1alpha1.VolumeSnapshots{}, v1alpha1.VolumeSnapshotsStatus{LastScheduleTime: ago(26 * time.Hour)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := vol()
			v.Spec.Snapshots, v.Status.Snapshots = &c.spec, &c.status
			if got := overdue(v, now); got != c.want {
				t.Errorf("%s\ngot %v", c.why, got)
			}
		})
	}
}
