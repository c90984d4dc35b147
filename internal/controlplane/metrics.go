package controlplane

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/component-base/metrics/legacyregistry"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
)

// metricsHandler serves the metrics of Kubernetes' libraries and ours under one path. Both registries hold the families
// of the Go runtime and the process; they are served once.
func metricsHandler() http.Handler {
	return promhttp.HandlerFor(firstOf{legacyregistry.DefaultGatherer, ctrlmetrics.Registry}, promhttp.HandlerOpts{})
}

// showPages answers what Prometheus asks about what runs; all else goes on to next.
func (s peopleSettings) showPages(next http.Handler) http.Handler {
	if s.pages == nil {
		return next
	}

	return s.pages.Handler(next)
}

// firstOf gathers from each in turn, and takes each family from the first that has it.
type firstOf []prometheus.Gatherer

// Gather implements prometheus.Gatherer.
func (g firstOf) Gather() ([]*dto.MetricFamily, error) {
	var families []*dto.MetricFamily
	seen := map[string]bool{}
	var errs prometheus.MultiError

	for _, gatherer := range g {
		got, err := gatherer.Gather()
		errs.Append(err)
		for _, f := range got {
			if !seen[f.GetName()] {
				families = append(families, f)
			}
		}
		for _, f := range got {
			seen[f.GetName()] = true
		}
	}

	return families, errs.MaybeUnwrap()
}
