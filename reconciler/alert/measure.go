package alert

import (
	"math"
	"slices"
	"strconv"
	"time"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// Window that rates are taken over unless a rule says otherwise, and that failures are counted in.
const (
	DefaultWindow         = time.Minute
	DefaultRestartsWindow = 10 * time.Minute
)

// gauge is a number of one task at the end of some samples of it, and how those of several tasks are put together.
type gauge struct {
	of      func([]telemetry.Sample) (float64, bool)
	largest bool
}

// gauges are the metrics that samples tell.
var gauges = map[monitoringv1.Metric]gauge{
	monitoringv1.MetricCPU:    {of: telemetry.CPURate},
	monitoringv1.MetricMemory: {of: func(w []telemetry.Sample) (float64, bool) { n, ok := telemetry.WorkingSet(w); return float64(n), ok }},
	monitoringv1.MetricMemoryLimitRatio: {largest: true, of: func(w []telemetry.Sample) (float64, bool) {
		if len(w) == 0 || w[len(w)-1].Memory.Limit == 0 {
			return 0, false
		}
		last := w[len(w)-1].Memory

		return float64(last.WorkingSet) / float64(last.Limit), true
	}},
	monitoringv1.MetricThrottling: {largest: true, of: throttled},
	monitoringv1.MetricNetworkReceive: {of: func(w []telemetry.Sample) (float64, bool) {
		f, ok := telemetry.NetworkRate(w)
		return f.In, ok
	}},
	monitoringv1.MetricNetworkTransmit: {of: func(w []telemetry.Sample) (float64, bool) {
		f, ok := telemetry.NetworkRate(w)
		return f.Out, ok
	}},
	monitoringv1.MetricDiskRead:  {of: func(w []telemetry.Sample) (float64, bool) { f, ok := telemetry.DiskRate(w); return f.In, ok }},
	monitoringv1.MetricDiskWrite: {of: func(w []telemetry.Sample) (float64, bool) { f, ok := telemetry.DiskRate(w); return f.Out, ok }},
	monitoringv1.MetricProcesses: {largest: true, of: func(w []telemetry.Sample) (float64, bool) {
		if len(w) == 0 {
			return 0, false
		}

		return float64(w[len(w)-1].PIDs), true
	}},
}

// throttled is zero for a task that did not want to run: nothing holds it up.
func throttled(w []telemetry.Sample) (float64, bool) {
	ratio, ok := telemetry.ThrottledRatio(w)
	if _, _, known := telemetry.Span(w); known && !ok {
		return 0, true
	}

	return ratio, ok
}

// Measure is a metric of a container now, over a window that ends now. It is false when it is not known.
func Measure(r telemetry.Reader, owner swarmobj.Owner, m monitoringv1.Metric, window time.Duration, now time.Time) (float64, bool) {
	var tasks [][]telemetry.Sample

	for _, s := range r.Subjects(owner) {
		if _, live := r.Latest(s.Task); live {
			tasks = append(tasks, r.Window(s.Task, now.Add(-window)))
		}
	}

	return combine(m, tasks)
}

// combine puts together what the samples of tasks say.
func combine(m monitoringv1.Metric, tasks [][]telemetry.Sample) (total float64, known bool) {
	g, ok := gauges[m]
	if !ok {
		return 0, false
	}

	for _, samples := range tasks {
		value, ok := g.of(samples)
		if !ok {
			continue
		}

		if known = true; g.largest {
			total = max(total, value)
		} else {
			total += value
		}
	}

	return total, known
}

// Failures is how many tasks of a container failed within a window, as far as Swarm remembers.
func Failures(tasks []swarmobj.Task, window time.Duration, now time.Time) float64 {
	n := 0

	for _, t := range tasks {
		failed := t.Ended() && (t.ExitCode != 0 || t.OOMKilled || t.Unhealthy) && !t.Since.Before(now.Add(-window))
		// What was told to end and obeyed by a signal has not failed.
		if failed && (t.Desired != "shutdown" || t.State == "failed" || t.State == "rejected") {
			n++
		}
	}

	return float64(n)
}

// bucket is how finely the past is looked at, and lately what is compared with it.
const (
	bucket = time.Minute
	lately = 2 * time.Minute
)

// deviations that are unusual, by sensitivity.
var deviations = map[monitoringv1.Sensitivity]float64{
	monitoringv1.SensitivityLow: 10, monitoringv1.SensitivityMedium: 6, monitoringv1.SensitivityHigh: 4,
}

// leastUsual is how far from its median a metric is always taken to be, so that what never moved may move a little: bytes for
// memory, bytes per second, cores, processes, ratios.
var leastUsual = map[monitoringv1.Metric]float64{
	monitoringv1.MetricCPU: 0.01, monitoringv1.MetricMemory: 1 << 20, monitoringv1.MetricMemoryLimitRatio: 0.01,
	monitoringv1.MetricThrottling: 0.01, monitoringv1.MetricNetworkReceive: 1 << 10, monitoringv1.MetricNetworkTransmit: 1 << 10,
	monitoringv1.MetricDiskRead: 16 << 10, monitoringv1.MetricDiskWrite: 16 << 10, monitoringv1.MetricProcesses: 1,
}

// leastShare is the same as a part of the median.
const leastShare = 0.05

// Unusual judges a container by its own past.
func Unusual(r telemetry.Reader, owner swarmobj.Owner, rule *monitoringv1.AnomalyRule, now time.Time) Observation {
	value, ok := Measure(r, owner, rule.Metric, lately, now)
	if !ok {
		return Observation{}
	}

	past := history(r, owner, rule.Metric, now.Add(-rule.Window.Duration), now.Add(-lately))
	if time.Duration(len(past))*bucket < min(rule.MinimumHistory.Duration, rule.Window.Duration-lately) {
		return Observation{}
	}

	median := middle(past)
	for i := range past {
		past[i] = math.Abs(past[i] - median)
	}
	// 1.4826 makes of the median distance what a standard deviation would be.
	usual := max(1.4826*middle(past), leastShare*math.Abs(median), leastUsual[rule.Metric])
	distance := (value - median) / usual

	switch rule.Direction {
	case monitoringv1.DirectionBelow:
		distance = -distance
	case monitoringv1.DirectionBoth:
		distance = math.Abs(distance)
	case monitoringv1.DirectionAbove:
	}

	o := Observation{Verdict: Well, Value: Number(value), Facts: map[string]string{FactUsual: Number(median)}}
	if distance > deviations[rule.Sensitivity] {
		o.Verdict = Wrong
	}

	return o
}

// history are the values of a metric, one for each bucket in which it is known.
func history(r telemetry.Reader, owner swarmobj.Owner, m monitoringv1.Metric, from, to time.Time) []float64 {
	var tasks [][]telemetry.Sample
	for _, s := range r.Subjects(owner) {
		tasks = append(tasks, r.Window(s.Task, from))
	}

	var out []float64

	for at := from; at.Before(to); at = at.Add(bucket) {
		parts := make([][]telemetry.Sample, len(tasks))
		for i, samples := range tasks {
			// The rate of a bucket begins at the last sample before it.
			parts[i] = between(samples, at.Add(-telemetry.Interval), at.Add(bucket))
		}

		if value, ok := combine(m, parts); ok {
			out = append(out, value)
		}
	}

	return out
}

func between(samples []telemetry.Sample, from, to time.Time) []telemetry.Sample {
	first, _ := slices.BinarySearchFunc(samples, from, func(s telemetry.Sample, t time.Time) int { return s.At.Compare(t) })
	last, _ := slices.BinarySearchFunc(samples, to, func(s telemetry.Sample, t time.Time) int { return s.At.Compare(t) })

	return samples[first:max(first, last)]
}

// middle is the median.
func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)

	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Compare is whether an operator holds.
func Compare(value float64, operator monitoringv1.Operator, with float64) bool {
	switch operator {
	case ">=":
		return value >= with
	case "<":
		return value < with
	case "<=":
		return value <= with
	case "==":
		return value == with
	case "!=":
		return value != with
	default:
		return value > with
	}
}

// Number writes a number for people, with four digits that count.
func Number(value float64) string {
	if math.Abs(value) >= 1000 && math.Abs(value) < 1e15 {
		return strconv.FormatFloat(value, 'f', 0, 64)
	}

	return strconv.FormatFloat(value, 'g', 4, 64)
}
