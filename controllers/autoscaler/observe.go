package autoscaler

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/allotment"
	"github.com/dogker/dogker/reconciler/autoscale"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// averaging is how long the time is of which CPU use is the average: of two intervals between samples, and what they are late.
const averaging = 2*telemetry.Interval + telemetry.Interval/2

// sight is what one look has found.
type sight struct {
	crowd autoscale.Crowd
	// ready are the tasks that run and are healthy.
	ready []swarmobj.Task
	// blind says why nothing is known of tasks; empty when something is.
	blind string
}

// measured is one metric, and how it is shown.
type measured struct {
	reading autoscale.Reading
	shown   v1alpha1.AutoscalingMetricStatus
}

func (m *measured) missing(format string, args ...any) measured {
	m.reading.Missing = fmt.Sprintf(format, args...)
	m.shown.Message = m.reading.Missing

	return *m
}

// look finds the tasks of a container that are meant to run.
func (a *Autoscaler) look(ctx context.Context, tc *v1alpha1.TenantContainer, current int32) sight {
	s := sight{crowd: autoscale.Crowd{Current: current}}

	w, err := a.Swarm.Look(ctx, swarmobj.Owner{Tenant: tc.Namespace, Kind: "TenantContainer", Name: tc.Name, UID: string(tc.UID)})
	if err != nil {
		s.blind = "the swarm cannot be asked for tasks"

		return s
	}

	for _, t := range w.Tasks {
		if t.Desired != swarm.TaskStateRunning || t.Ended() {
			continue
		}
		s.crowd.Exist++
		if t.Running() && !down(w.Nodes, t.NodeID) {
			s.crowd.Ready++
			s.ready = append(s.ready, t)
		}
	}

	return s
}

// down is true for a node that the swarm has given up: what its tasks last said is not true any more.
func down(nodes []swarm.Node, id string) bool {
	return slices.ContainsFunc(nodes, func(n swarm.Node) bool { return n.ID == id && n.Status.State == swarm.NodeStateDown })
}

// measure measures all metrics, in their order.
func (a *Autoscaler) measure(ctx context.Context, tc *v1alpha1.TenantContainer, s sight, st *state, now time.Time) []measured {
	out := make([]measured, len(tc.Spec.Autoscaling.Metrics))
	counters := map[string]reading{}

	for i, m := range tc.Spec.Autoscaling.Metrics {
		switch {
		case m.Resource != nil:
			out[i] = a.resource(ctx, tc, m.Resource, s, now)
		case m.RequestsPerSecond != nil:
			out[i] = a.requests(ctx, tc, m.RequestsPerSecond, s, st.counters, counters)
		case m.Prometheus != nil:
			out[i] = a.prometheus(ctx, tc, m.Prometheus)
		}
		out[i].shown.Type, out[i].shown.Name = m.Type, out[i].reading.Name
	}
	st.counters = counters

	return out
}

// asleep is true when tasks cannot be measured because there are to be none; unseen when they cannot for another reason.
func (s sight) asleep() bool { return s.crowd.Current == 0 && len(s.ready) == 0 && s.blind == "" }

func (s sight) unseen() string {
	switch {
	case s.blind != "":
		return s.blind
	case len(s.ready) == 0:
		return "no task is ready"
	default:
		return ""
	}
}

// resource measures CPU time or memory of the tasks that are ready.
func (a *Autoscaler) resource(ctx context.Context, tc *v1alpha1.TenantContainer, m *v1alpha1.ResourceMetric, s sight, now time.Time) measured {
	out := measured{reading: autoscale.Reading{Name: m.Name, Asleep: s.asleep()}}
	if out.reading.Asleep {
		return out
	}
	if why := s.unseen(); why != "" {
		return out.missing("%s", why)
	}

	var values []float64
	for _, t := range s.ready {
		if v, ok := a.uses(m.Name, t, now); ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return out.missing("no samples of tasks")
	}

	request, err := a.requested(ctx, tc, m.Name)
	if err != nil {
		return out.missing("what tasks request is not known")
	}
	task := autoscale.PerTask{Values: values}
	average := mean(values)
	if percent := m.Target.AverageUtilization; percent != nil {
		if request <= 0 {
			return out.missing("the revision that runs requests none, and averageUtilization is a percentage of that")
		}
		task.Target, task.Full = request*float64(*percent)/100, request
		out.shown.AverageUtilization = new(int32(min(math.Round(average/request*100), math.MaxInt32)))
	} else {
		task.Target = autoscale.Float(*m.Target.AverageValue)
		task.Full = task.Target
	}
	out.reading.Metric = task
	out.shown.AverageValue = amount(m.Name, average)
	out.partly(len(values), s)

	return out
}

// uses is how many cores a task uses, or bytes of memory. What was before it was ready is no measure of it.
func (a *Autoscaler) uses(name string, t swarmobj.Task, now time.Time) (float64, bool) {
	if _, ok := a.Telemetry.Latest(t.ID); !ok {
		return 0, false
	}

	since := now.Add(-averaging)
	if t.Since.After(since) {
		since = t.Since
	}
	window := a.Telemetry.Window(t.ID, since)
	if name == string(corev1.ResourceMemory) {
		bytes, ok := telemetry.WorkingSet(window)

		return float64(bytes), ok
	}

	return telemetry.CPURate(window)
}

// requested is what a task of the revision that runs requests of a resource, or is limited to where it requests nothing.
func (a *Autoscaler) requested(ctx context.Context, tc *v1alpha1.TenantContainer, name string) (float64, error) {
	template := &tc.Spec
	var revision v1alpha1.ContainerRevision
	key := client.ObjectKey{Namespace: tc.Namespace, Name: fmt.Sprintf("%s-%d", tc.Name, tc.Status.Revision)}
	err := a.Cached.Get(ctx, key, &revision, &client.GetOptions{UnsafeDisableDeepCopy: new(true)})
	switch {
	case client.IgnoreNotFound(err) != nil:
		return 0, fmt.Errorf("read revision %q: %w", key.Name, err)
	case err == nil:
		template = &revision.Spec.Template
	}

	declared := allotment.Declared(template)
	of := []corev1.ResourceName{v1alpha1.ResourceRequestsCPU, v1alpha1.ResourceLimitsCPU}
	if name == string(corev1.ResourceMemory) {
		of = []corev1.ResourceName{v1alpha1.ResourceRequestsMemory, v1alpha1.ResourceLimitsMemory}
	}
	for _, n := range of {
		if q := declared[n]; q != nil {
			return autoscale.Float(*q), nil
		}
	}

	return 0, nil
}

// prometheus asks a query.
func (a *Autoscaler) prometheus(ctx context.Context, tc *v1alpha1.TenantContainer, m *v1alpha1.PrometheusMetric) measured {
	out := measured{reading: autoscale.Reading{Name: m.Query}}
	if a.Prometheus == nil {
		return out.missing("the platform has no Prometheus to ask")
	}

	value, err := a.Prometheus.Number(ctx, tc.Namespace, m.Query)
	if err != nil {
		return out.missing("%v", err)
	}

	active := value > 0
	if m.ActivationValue != nil {
		active = value > autoscale.Float(*m.ActivationValue)
	}
	if m.Target.AverageValue != nil {
		out.reading.Metric = autoscale.Shared{Value: value, Target: autoscale.Float(*m.Target.AverageValue), Active: active}
	} else {
		out.reading.Metric = autoscale.Ratio{Value: value, Target: autoscale.Float(*m.Target.Value), Active: active}
	}
	out.shown.Value = amount("", value)

	return out
}

// partly says of how many tasks a value is, where that is not all of them.
func (m *measured) partly(n int, s sight) {
	if all := int(max(s.crowd.Current, s.crowd.Exist)); n < all {
		m.shown.Message = fmt.Sprintf("%d of %d tasks are measured", n, all)
	}
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}

	return sum / float64(len(values))
}

// amount is a number as the API shows it: memory in bytes, everything else in thousandths.
func amount(name string, v float64) *resource.Quantity {
	const most = math.MaxInt64 / 2000

	v = min(max(v, -most), most)
	if name == string(corev1.ResourceMemory) {
		return resource.NewQuantity(int64(math.Round(v)), resource.BinarySI)
	}

	return resource.NewMilliQuantity(int64(math.Round(v*1000)), resource.DecimalSI)
}
