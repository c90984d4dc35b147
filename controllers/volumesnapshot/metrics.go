package volumesnapshot

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/snapshotrun"
)

// overdueAfter is how long after a tick of a schedule a snapshot of it has to be there.
const overdueAfter = time.Hour

// Metrics counts the snapshots in the cache whenever somebody asks. Of names there are only those of classes, which the platform gives.
type Metrics struct {
	cached client.Reader
	now    func() time.Time
}

// NewMetrics returns a collector over the snapshots and Volumes that the cache holds.
func NewMetrics(cached client.Reader) *Metrics { return &Metrics{cached, time.Now} }

var (
	snapshotsDesc = prometheus.NewDesc("dogker_volume_snapshots",
		"VolumeSnapshots, by class and by how they stand.", []string{"class", "state"}, nil)
	archivesDesc = prometheus.NewDesc("dogker_volume_snapshot_archives_bytes",
		"What the archives of VolumeSnapshots that are Ready take, by class.", []string{"class"}, nil)
	overdueDesc = prometheus.NewDesc("dogker_volume_snapshots_overdue",
		"Volumes with a schedule for snapshots that have no good one since its last tick, an hour after that.", nil, nil)
)

// The states.
const (
	stateReady    = "Ready"
	stateMaking   = "Making"
	stateWaiting  = "Waiting"
	stateFailed   = "Failed"
	stateDeleting = "Deleting"
)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- snapshotsDesc
	ch <- archivesDesc
	ch <- overdueDesc
}

// Collect implements prometheus.Collector. A cache that cannot be read leaves a gap.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()

	var classes v1alpha1.VolumeSnapshotClassList
	var snapshots v1alpha1.VolumeSnapshotList
	var volumes v1alpha1.VolumeList
	for _, list := range []client.ObjectList{&classes, &snapshots, &volumes} {
		if err := m.cached.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return
		}
	}

	counts, bytes := map[string]map[string]int{}, map[string]int64{}
	for i := range classes.Items {
		counts[classes.Items[i].Name] = map[string]int{stateReady: 0, stateMaking: 0, stateWaiting: 0, stateFailed: 0, stateDeleting: 0}
	}
	for i := range snapshots.Items {
		s := &snapshots.Items[i]
		class := string(s.Spec.ClassName)
		if counts[class] == nil {
			continue // There is no such class: whoever made it has named it.
		}
		counts[class][stateOf(s)]++
		if size := s.Status.ArchiveSize; size != nil && snapshotrun.Made(&s.Status) {
			bytes[class] += size.Value()
		}
	}

	for class, states := range counts {
		for state, n := range states {
			ch <- prometheus.MustNewConstMetric(snapshotsDesc, prometheus.GaugeValue, float64(n), class, state)
		}
		ch <- prometheus.MustNewConstMetric(archivesDesc, prometheus.GaugeValue, float64(bytes[class]), class)
	}

	late := 0
	for i := range volumes.Items {
		if overdue(&volumes.Items[i], m.now()) {
			late++
		}
	}
	ch <- prometheus.MustNewConstMetric(overdueDesc, prometheus.GaugeValue, float64(late))
}

func stateOf(s *v1alpha1.VolumeSnapshot) string {
	switch {
	case !s.DeletionTimestamp.IsZero():
		return stateDeleting
	case snapshotrun.Made(&s.Status):
		return stateReady
	case snapshotrun.Failed(&s.Status):
		return stateFailed
	case s.Status.Attempt != nil:
		return stateMaking
	default:
		return stateWaiting
	}
}

// overdue is true for a Volume whose last tick was a while ago, and whose newest good snapshot is of before that.
func overdue(v *v1alpha1.Volume, now time.Time) bool {
	spec, status := v.Spec.Snapshots, v.Status.Snapshots
	if spec == nil || spec.Schedule == "" || spec.Suspend || status == nil {
		return false
	}

	var tick time.Time
	if t := status.LastScheduleTime; t != nil {
		tick = t.Time
	}
	if m := status.LastMissed; m != nil && m.LastTime.After(tick) {
		tick = m.LastTime.Time
	}
	good := status.LastSuccessfulTime

	return !tick.IsZero() && now.Sub(tick) > overdueAfter && (good == nil || good.Time.Before(tick))
}
