package gitpreview

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// Metrics counts the previews in the cache whenever somebody asks. Nothing in it names a tenant.
type Metrics struct{ cached client.Reader }

// NewMetrics returns a collector over the GitPreviews that the cache holds.
func NewMetrics(cached client.Reader) *Metrics { return &Metrics{cached} }

var previewsDesc = prometheus.NewDesc("dogker_git_previews", "Previews of branches and pull requests, by how they stand; those that wait are references that have none.", []string{"phase"}, nil)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) { ch <- previewsDesc }

// Collect implements prometheus.Collector. A cache that cannot be read leaves a gap.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()

	var list gitopsv1.GitPreviewList
	if err := m.cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return
	}

	phases := map[gitopsv1.PreviewPhase]int{
		gitopsv1.PreviewReady: 0, gitopsv1.PreviewProgressing: 0, gitopsv1.PreviewFailed: 0, gitopsv1.PreviewDeleting: 0, gitopsv1.PreviewWaiting: 0,
	}

	for i := range list.Items {
		status := &list.Items[i].Status
		phases[gitopsv1.PreviewWaiting] += int(status.Waiting)

		for _, p := range status.Previews {
			if p.Phase != gitopsv1.PreviewWaiting {
				phases[p.Phase]++
			}
		}
	}

	for phase, n := range phases {
		ch <- prometheus.MustNewConstMetric(previewsDesc, prometheus.GaugeValue, float64(n), string(phase))
	}
}
