package alert

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// observe looks at everything that an Alert is about. The error says why nothing could be seen at all.
func (c *Controller) observe(ctx context.Context, a *monitoringv1.Alert, now time.Time) ([]alert.Observation, error) {
	switch {
	case heartbeat(a):
		return c.beat(a, now), nil
	case a.Spec.Absent != nil && a.Spec.Absent.Of == monitoringv1.AbsentQuery:
		return c.silent(ctx, a)
	case a.Spec.Threshold != nil && a.Spec.Threshold.Query != "":
		return c.queried(ctx, a)
	case a.Spec.Condition != nil:
		return c.objects(ctx, a)
	default:
		return c.containers(ctx, a, now)
	}
}

// containers judges each container that is selected.
func (c *Controller) containers(ctx context.Context, a *monitoringv1.Alert, now time.Time) ([]alert.Observation, error) {
	choice, err := chosen(a.Spec.Containers)
	if err != nil {
		return nil, &outcome.Stall{Reason: monitoringv1.ReasonInvalidSpec, Message: "spec.containers.selector: " + err.Error()}
	}

	var all v1alpha1.TenantContainerList
	if err := c.cached.List(ctx, &all, c.within(a)...); err != nil {
		return nil, err
	}

	var out []alert.Observation

	for i := range all.Items {
		tc := &all.Items[i]
		if !choice(tc) {
			continue
		}

		o := alert.Observation{Verdict: alert.Stopped}
		if !alert.Resting(tc) {
			o = c.judge(ctx, a, tc, now)
		}

		o.Labels = c.labels(a, tc, map[string]string{alert.LabelContainer: tc.Name})
		out = append(out, o)
	}

	return out, nil
}

// within are the options of lists of what an Alert may see. Nobody changes what is listed.
func (c *Controller) within(a *monitoringv1.Alert) []client.ListOption {
	if c.everywhere(a) {
		return []client.ListOption{client.UnsafeDisableDeepCopy}
	}

	return []client.ListOption{client.UnsafeDisableDeepCopy, client.InNamespace(a.Namespace)}
}

// everywhere is true for an Alert of the platform that looks at all namespaces.
func (c *Controller) everywhere(a *monitoringv1.Alert) bool {
	return a.Spec.AllNamespaces && c.platforms(a)
}

func (c *Controller) platforms(a *monitoringv1.Alert) bool {
	return c.opts.Platform != "" && a.Namespace == c.opts.Platform
}

// labels adds the namespace where there are several.
func (c *Controller) labels(a *monitoringv1.Alert, o client.Object, own map[string]string) map[string]string {
	if c.everywhere(a) && o.GetNamespace() != "" {
		own[alert.LabelNamespace] = o.GetNamespace()
	}

	return own
}

// chosen is a choice of containers: those that are named, and those that have the labels.
func chosen(s *monitoringv1.ContainerSelection) (func(*v1alpha1.TenantContainer) bool, error) {
	if s == nil {
		return func(*v1alpha1.TenantContainer) bool { return true }, nil
	}

	selector := labels.Nothing()

	if s.Selector != nil {
		var err error
		if selector, err = metav1.LabelSelectorAsSelector(s.Selector); err != nil {
			return nil, err
		}
	}

	return func(tc *v1alpha1.TenantContainer) bool {
		return slices.Contains(s.Names, v1alpha1.DNSLabel(tc.Name)) || selector.Matches(labels.Set(tc.Labels))
	}, nil
}

// judge looks at one container that is meant to run.
func (c *Controller) judge(ctx context.Context, a *monitoringv1.Alert, tc *v1alpha1.TenantContainer, now time.Time) alert.Observation {
	owner := swarmobj.Owner{Tenant: tc.Namespace, Kind: "TenantContainer", Name: tc.Name, UID: string(tc.UID)}

	switch spec := &a.Spec; {
	case spec.Anomaly != nil:
		return alert.Unusual(c.ports.Telemetry, owner, spec.Anomaly, now)
	case spec.Absent != nil && spec.Absent.Of == monitoringv1.AbsentTasks:
		return tasksOf(tc)
	case spec.Absent != nil:
		return c.sampled(owner, now)
	default:
		return c.measure(ctx, spec.Threshold, owner, now)
	}
}

// tasksOf judges whether a container has tasks that are ready. Before anybody has seen it, and while the engine is not seen,
// that is not known.
func tasksOf(tc *v1alpha1.TenantContainer) alert.Observation {
	i := slices.IndexFunc(tc.Status.Conditions, func(c metav1.Condition) bool { return c.Type == v1alpha1.ConditionReady })

	switch {
	case i < 0 || tc.Status.Conditions[i].Status == metav1.ConditionUnknown:
		return alert.Observation{}
	case tc.Status.ReadyReplicas > 0:
		return alert.Observation{Verdict: alert.Well}
	default:
		c := tc.Status.Conditions[i]

		return alert.Observation{Verdict: alert.Wrong, Facts: map[string]string{alert.FactReason: c.Reason}}
	}
}

// sampled judges whether a container is measured. A process that has just begun has seen no samples, which says nothing.
func (c *Controller) sampled(owner swarmobj.Owner, now time.Time) alert.Observation {
	for _, s := range c.ports.Telemetry.Subjects(owner) {
		if _, live := c.ports.Telemetry.Latest(s.Task); live {
			return alert.Observation{Verdict: alert.Well}
		}
	}

	if now.Sub(c.began) < telemetry.Stale+telemetry.Interval {
		return alert.Observation{}
	}

	return alert.Observation{Verdict: alert.Wrong}
}

// measure compares a metric of a container with the rule's value.
func (c *Controller) measure(ctx context.Context, rule *monitoringv1.ThresholdRule, owner swarmobj.Owner, now time.Time) alert.Observation {
	value, known := 0.0, false

	if rule.Metric == monitoringv1.MetricRestarts {
		if world, err := c.ports.Swarm.Look(ctx, owner); err == nil && world.TasksFresh {
			value, known = alert.Failures(world.Tasks, windowOf(rule), now), true
		}
	} else {
		value, known = alert.Measure(c.ports.Telemetry, owner, rule.Metric, windowOf(rule), now)
	}

	if !known {
		return alert.Observation{}
	}

	return compared(rule, value)
}

func compared(rule *monitoringv1.ThresholdRule, value float64) alert.Observation {
	if math.IsNaN(value) {
		return alert.Observation{} // Nothing divided by nothing, as queries have it.
	}

	o := alert.Observation{Verdict: alert.Well, Value: alert.Number(value)}
	if alert.Compare(value, rule.Operator, rule.Value.AsApproximateFloat64()) {
		o.Verdict = alert.Wrong
	}

	return o
}

func windowOf(rule *monitoringv1.ThresholdRule) time.Duration {
	switch {
	case rule.Window != nil:
		return rule.Window.Duration
	case rule.Metric == monitoringv1.MetricRestarts:
		return alert.DefaultRestartsWindow
	default:
		return alert.DefaultWindow
	}
}

// beat judges whether the heartbeat is late. While this server was down nobody could send one, so that an Alert that does not
// fire waits as long again.
func (c *Controller) beat(a *monitoringv1.Alert, now time.Time) []alert.Observation {
	value := a.Annotations[monitoringv1.AnnotationHeartbeat]
	if last := a.Status.Heartbeat; last == nil || last.Value != value {
		a.Status.Heartbeat = &monitoringv1.HeartbeatStatus{Value: value, Time: metav1.NewTime(now.Truncate(time.Second))}
	}

	since := a.Status.Heartbeat.Time.Time
	if a.Status.Firing == 0 && c.began.After(since) {
		since = c.began
	}

	o := alert.Observation{Verdict: alert.Well}
	if now.Sub(since) >= a.Spec.For.Duration {
		o.Verdict = alert.Wrong
	}

	return []alert.Observation{o}
}

// silent judges whether a query gives no result.
func (c *Controller) silent(ctx context.Context, a *monitoringv1.Alert) ([]alert.Observation, error) {
	results, err := c.ask(ctx, a, a.Spec.Absent.Query)
	if err != nil {
		return nil, err
	}

	if len(results) > 0 {
		return []alert.Observation{{Verdict: alert.Well}}, nil
	}

	return []alert.Observation{{Verdict: alert.Wrong}}, nil
}

// queried compares each result of a query. A series that the query gives no more is well: a query may compare by itself.
func (c *Controller) queried(ctx context.Context, a *monitoringv1.Alert) ([]alert.Observation, error) {
	results, err := c.ask(ctx, a, a.Spec.Threshold.Query)
	if err != nil {
		return nil, err
	}

	var out []alert.Observation

	given := map[string]bool{}

	for _, r := range results {
		o := compared(a.Spec.Threshold, r.Value)
		o.Labels = maps.Clone(r.Labels)
		delete(o.Labels, "__name__")

		given[alert.Fingerprint(o.Labels)] = true
		out = append(out, o)
	}

	for _, s := range a.Status.Series {
		if !given[s.Fingerprint] {
			out = append(out, alert.Observation{Labels: s.Labels, Verdict: alert.Well})
		}
	}

	return out, nil
}

// ask asks Prometheus, as one that sees the namespace of the Alert.
func (c *Controller) ask(ctx context.Context, a *monitoringv1.Alert, query string) ([]Result, error) {
	if c.ports.Queries == nil {
		return nil, &outcome.Stall{
			Reason:  monitoringv1.ReasonQueriesUnavailable,
			Message: "The platform has no Prometheus that could be asked: its server has no --prometheus-url",
		}
	}

	namespace := a.Namespace
	if c.everywhere(a) {
		namespace = ""
	}

	results, err := c.ports.Queries.Query(ctx, namespace, query)
	if err != nil {
		return nil, &outcome.Wait{Reason: monitoringv1.ReasonQueryFailed, Err: err, After: queryRetry, Ready: metav1.ConditionUnknown}
	}

	return results, nil
}
