package exposition

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Kind of a metric.
type Kind string

// The kinds that are shown here.
const (
	Counter Kind = "counter"
	Gauge   Kind = "gauge"
)

// Metric is one that is shown: what people read about it, and what tests hold against that.
type Metric struct {
	Name   string
	Kind   Kind
	Help   string
	Labels []string
}

// Catalogue is every metric of this package, by name.
func Catalogue() []Metric {
	var out []Metric
	for _, r := range usage {
		out = append(out, r.Metric)
	}
	for _, m := range slices.Concat(machineMetrics, workloadMetrics, objectMetrics, nodeMetrics) {
		out = append(out, *m)
	}
	slices.SortFunc(out, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })

	return out
}

// gathered are families that were put together already.
type gathered []*dto.MetricFamily

// Gather implements prometheus.Gatherer.
func (g gathered) Gather() ([]*dto.MetricFamily, error) { return g, nil }

var _ prometheus.Gatherer = gathered{}

// page collects single values. Families stand in it in the order of their names.
type page struct{ families map[*Metric]*dto.MetricFamily }

func newPage() *page { return &page{families: map[*Metric]*dto.MetricFamily{}} }

// add puts a value on the page; the labels' values are in the order of the metric's labels. An empty one is left out.
func (p *page) add(m *Metric, value float64, labels ...string) {
	f := p.families[m]
	if f == nil {
		f = m.family()
		p.families[m] = f
	}
	one := &dto.Metric{Label: pairs(m.Labels, labels)}
	if m.Kind == Counter {
		one.Counter = &dto.Counter{Value: &value}
	} else {
		one.Gauge = &dto.Gauge{Value: &value}
	}
	f.Metric = append(f.Metric, one)
}

func (p *page) all() gathered {
	out := make(gathered, 0, len(p.families))
	for _, f := range p.families {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })

	return out
}

func (m *Metric) family() *dto.MetricFamily {
	kind := dto.MetricType_GAUGE
	if m.Kind == Counter {
		kind = dto.MetricType_COUNTER
	}

	return &dto.MetricFamily{Name: &m.Name, Help: &m.Help, Type: &kind}
}

// pairs are labels in the order of their names, as names are in the tables.
func pairs(names, values []string) []*dto.LabelPair {
	out := make([]*dto.LabelPair, 0, len(names))
	for i := range names {
		if values[i] != "" {
			out = append(out, &dto.LabelPair{Name: &names[i], Value: &values[i]})
		}
	}

	return out
}
