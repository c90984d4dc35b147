package gitsync

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/source"
)

// metrics of all syncs together. Nothing in them names a tenant.
type metrics struct {
	builds   *prometheus.HistogramVec
	visits   *prometheus.HistogramVec
	changes  *prometheus.CounterVec
	failures *prometheus.CounterVec
}

// other counts the failures whose reason is none of ours.
const other = "Other"

// reasons are all by which failures are counted.
var reasons = []string{
	gitopsv1.ReasonSecretNotFound, gitopsv1.ReasonHealthCheckFailed, gitopsv1.ReasonPruneFailed, gitopsv1.ReasonReconciliationFailed,
	gitopsv1.ReasonInventoryInvalid, string(source.ReasonURLInvalid), string(source.ReasonAddressRefused),
	string(source.ReasonAuthenticationFailed), string(source.ReasonReferenceNotFound), string(source.ReasonReferenceInvalid),
	string(source.ReasonGitOperationFailed), string(source.ReasonInvalidCommitSignature), string(source.ReasonPathNotFound),
	string(source.ReasonRepositoryRefused), string(source.ReasonLimitExceeded), string(source.ReasonTimeout),
	string(source.ReasonDecryptionFailed), string(source.ReasonBuildFailed), string(source.ReasonWorkerFailed),
	string(delivery.ReasonInvalid), string(delivery.ReasonForbidden), string(delivery.ReasonQuotaExceeded),
	string(delivery.ReasonNamespaceRefused), string(delivery.ReasonKindUnknown), string(delivery.ReasonImmutable),
	string(delivery.ReasonForeign), string(delivery.ReasonConflict), string(delivery.ReasonTerminating), other,
}

// newMetrics makes the metrics and registers them, unless reg is nil. All values of labels are there from the start.
func newMetrics(reg prometheus.Registerer, c *Controller) *metrics {
	m := &metrics{
		builds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dogker_gitsync_build_duration_seconds",
			Help:    "How long builds of repositories took, with the wait for a worker, by what they came to.",
			Buckets: prometheus.ExponentialBuckets(0.05, 2, 12),
		}, []string{"result"}),
		visits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dogker_gitsync_visit_duration_seconds",
			Help:    "How long visits took, from the question about the repository to their end, by what they came to.",
			Buckets: prometheus.ExponentialBuckets(0.05, 2, 14),
		}, []string{"result"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_gitsync_changes_total",
			Help: "Objects that were written, by what was done with them.",
		}, []string{"action"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_gitsync_failures_total",
			Help: "Builds and visits that failed, by reason.",
		}, []string{"reason"}),
	}

	for _, result := range []string{"built", "unchanged", "failed"} {
		m.builds.WithLabelValues(result)
	}

	for _, result := range []string{"applied", "unchanged", "failed"} {
		m.visits.WithLabelValues(result)
	}

	for _, a := range []delivery.Action{delivery.Created, delivery.Configured, delivery.Recreated, delivery.Deleted} {
		m.changes.WithLabelValues(string(a))
	}

	for _, reason := range reasons {
		m.failures.WithLabelValues(reason)
	}

	if reg != nil {
		reg.MustRegister(m.builds, m.visits, m.changes, m.failures, &levels{c})
	}

	return m
}

func (m *metrics) build(b source.Built, err error, took time.Duration) {
	result := "built"

	switch {
	case err != nil:
		result = "failed"
	case b.Unchanged:
		result = "unchanged"
	}

	m.builds.WithLabelValues(result).Observe(took.Seconds())
}

func (m *metrics) failed(reason string) {
	for _, known := range reasons {
		if reason == known {
			m.failures.WithLabelValues(reason).Inc()

			return
		}
	}

	m.failures.WithLabelValues(other).Inc()
}

func (m *metrics) visited(e *ending, changes delivery.Changes, took time.Duration) {
	result := "unchanged"

	switch {
	case e.failed != nil:
		result = "failed"
	case len(changes) > 0:
		result = "applied"
	}

	m.visits.WithLabelValues(result).Observe(took.Seconds())

	for _, c := range changes {
		m.changes.WithLabelValues(string(c.Action)).Inc()
	}
}

// levels are read when somebody asks.
type levels struct{ c *Controller }

var (
	objectsDesc = prometheus.NewDesc("dogker_gitsync_objects", "Objects that GitSyncs answer for.", nil, nil)
	cacheDesc   = prometheus.NewDesc("dogker_gitsync_cache_bytes", "Memory in which builds are kept.", nil, nil)
	jobsDesc    = prometheus.NewDesc("dogker_gitsync_jobs", "Builds that run, wait for a worker, or wait to be looked at.", nil, nil)
)

// Describe implements prometheus.Collector.
func (l *levels) Describe(ch chan<- *prometheus.Desc) {
	ch <- objectsDesc
	ch <- cacheDesc
	ch <- jobsDesc
}

// Collect implements prometheus.Collector. A cache that cannot be read leaves a gap.
func (l *levels) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(cacheDesc, prometheus.GaugeValue, float64(l.c.cache.size()))
	ch <- prometheus.MustNewConstMetric(jobsDesc, prometheus.GaugeValue, float64(l.c.jobs.Len()))

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()

	var list gitopsv1.GitSyncList
	if err := l.c.cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return
	}

	objects := 0
	for i := range list.Items {
		objects += int(list.Items[i].Status.Objects)
	}

	ch <- prometheus.MustNewConstMetric(objectsDesc, prometheus.GaugeValue, float64(objects))
}
