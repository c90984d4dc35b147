package alert

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
)

// Labels that series have by themselves, or notices add.
const (
	// LabelContainer names a TenantContainer.
	LabelContainer = "container"
	// LabelKind and LabelName are those of an object.
	LabelKind = "kind"
	LabelName = "name"
	// LabelNamespace is that of either.
	LabelNamespace = "namespace"
	// LabelAlert is the name of the Alert, as Prometheus has it.
	LabelAlert = "alertname"
	// LabelSeverity is the severity.
	LabelSeverity = "severity"
)

// Notifications are the notices that are on record and may not be in the outbox, one for each receiver. They are made of what
// is on record, so that they are the same however often they are made.
func Notifications(a *monitoringv1.Alert) []Notification {
	series := map[string]*monitoringv1.AlertSeries{}
	for i := range a.Status.Series {
		series[a.Status.Series[i].Fingerprint] = &a.Status.Series[i]
	}

	var out []Notification

	for i := range a.Status.Groups {
		g := &a.Status.Groups[i]
		if g.Notice == nil {
			continue
		}

		n := notification(a, g, series)
		if len(n.Incidents) == 0 {
			continue // Somebody has written into the status.
		}

		for _, name := range g.Notice.Receivers {
			to := n
			to.Receiver = ReceiverRef{Namespace: a.Namespace, Name: name}
			to.ID = NoticeID(to.Receiver, "alert", string(a.UID), g.Key, strconv.FormatInt(g.Notice.Number, 10), strconv.FormatInt(g.Notice.At.Unix(), 10))
			out = append(out, to)
		}
	}

	return out
}

func notification(a *monitoringv1.Alert, g *monitoringv1.AlertGroup, series map[string]*monitoringv1.AlertSeries) Notification {
	n := Notification{
		Tenant: a.Namespace, Topic: Topic(cmp.Or(a.Spec.Topic, monitoringv1.TopicAlerts)),
		Source: ObjectRef{Kind: "Alert", Namespace: a.Namespace, Name: a.Name}, Title: a.Name,
		GroupKey: string(a.UID) + "/" + g.Key, Status: StatusResolved, Severity: Severity(a.Spec.Severity),
		At: g.Notice.At.UTC(), Repeat: g.Notice.Repeat,
	}

	size := 0
	add := func(prints []string, status Status) {
		for _, print := range prints {
			s := series[print]
			if s == nil {
				continue
			}

			one := incident(a, s, status)
			if size += one.Size(); size > maxSize && len(n.Incidents) > 0 {
				n.Omitted++

				continue
			}

			n.GroupLabels = groupLabels(&a.Spec, s)
			n.Incidents = append(n.Incidents, one)
		}
	}
	add(g.Notice.Firing, StatusFiring)

	if len(n.Incidents) > 0 {
		n.Status = StatusFiring
	}

	add(g.Notice.Resolved, StatusResolved)

	return n
}

// maxSize is how much text there is in the incidents of a notice, in bytes.
const maxSize = 96 << 10

// Size is how much text there is in an incident, in bytes.
func (i *Incident) Size() int {
	n := 0

	for _, texts := range []map[string]string{i.Labels, i.Annotations, i.Facts} {
		for name, text := range texts {
			n += len(name) + len(text)
		}
	}

	return n
}

func incident(a *monitoringv1.Alert, s *monitoringv1.AlertSeries, status Status) Incident {
	labels := labelsOf(&a.Spec, s)
	labels[LabelAlert], labels[LabelSeverity] = a.Name, string(a.Spec.Severity)

	if labels[LabelNamespace] == "" {
		labels[LabelNamespace] = a.Namespace
	}

	i := Incident{
		Fingerprint: s.Fingerprint, Status: status, Reason: reasonOf(&a.Spec), Severity: Severity(a.Spec.Severity),
		Subject: subjectOf(a, s), Labels: labels, Facts: factsOf(&a.Spec, s), StartsAt: s.StartsAt.UTC(),
	}

	for name, text := range a.Spec.Annotations {
		if i.Annotations == nil {
			i.Annotations = map[string]string{}
		}

		i.Annotations[name] = expand(string(text), labels, s.Value)
	}

	if status == StatusResolved && s.EndsAt != nil {
		i.EndsAt = s.EndsAt.UTC()
	}

	return i
}

// labelsOf are all labels of a series: its own, and those that the spec adds, which replace none.
func labelsOf(spec *monitoringv1.AlertSpec, s *monitoringv1.AlertSeries) map[string]string {
	out := map[string]string{}
	for name, text := range spec.Labels {
		out[name] = expand(string(text), s.Labels, "")
	}

	maps.Copy(out, s.Labels)

	return out
}

// reasonOf is why an Alert fires, in one word.
func reasonOf(spec *monitoringv1.AlertSpec) string {
	switch {
	case spec.Absent != nil:
		return ReasonAbsent
	case spec.Anomaly != nil:
		return ReasonAnomaly
	case spec.Threshold != nil:
		return ReasonThreshold
	case spec.Topic == monitoringv1.TopicContainers:
		return ReasonContainerDown
	default:
		return ReasonCondition
	}
}

// factsOf are those of a series, and those that the spec has.
func factsOf(spec *monitoringv1.AlertSpec, s *monitoringv1.AlertSeries) map[string]string {
	out := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}

	switch {
	case spec.Threshold != nil:
		set(FactMetric, string(spec.Threshold.Metric))
		set(FactQuery, spec.Threshold.Query)
		set(FactOperator, string(spec.Threshold.Operator))
		set(FactThreshold, Number(spec.Threshold.Value.AsApproximateFloat64()))
	case spec.Absent != nil:
		set(FactOf, string(spec.Absent.Of))
		set(FactQuery, spec.Absent.Query)
	case spec.Condition != nil:
		set(FactCondition, spec.Condition.Type)
		set(FactConditionStatus, string(spec.Condition.Status))
	case spec.Anomaly != nil:
		set(FactMetric, string(spec.Anomaly.Metric))
	}

	maps.Copy(out, s.Facts)
	set(FactValue, s.Value)
	set(FactEnding, s.Ending)

	if s.Occurrences > 1 {
		set(FactOccurrences, strconv.Itoa(int(s.Occurrences)))
	}

	return out
}

// subjectOf is the object that a series is about; none for the result of a query and for a heartbeat.
func subjectOf(a *monitoringv1.Alert, s *monitoringv1.AlertSeries) ObjectRef {
	if a.Spec.Threshold != nil && a.Spec.Threshold.Query != "" || a.Spec.Absent != nil && a.Spec.Absent.Query != "" {
		return ObjectRef{}
	}

	namespace := cmp.Or(s.Labels[LabelNamespace], a.Namespace)

	switch {
	case s.Labels[LabelContainer] != "":
		return ObjectRef{Kind: "TenantContainer", Namespace: namespace, Name: s.Labels[LabelContainer]}
	case s.Labels[LabelKind] == "":
		return ObjectRef{}
	case clusterWide[s.Labels[LabelKind]]:
		return ObjectRef{Kind: s.Labels[LabelKind], Name: s.Labels[LabelName]}
	default:
		return ObjectRef{Kind: s.Labels[LabelKind], Namespace: namespace, Name: s.Labels[LabelName]}
	}
}

// clusterWide are the kinds that have no namespace.
var clusterWide = map[string]bool{string(monitoringv1.WatchedTenant): true, string(monitoringv1.WatchedNode): true}

// maxText is how long a text may become by what is put into it.
const maxText = 1024

// expand puts labels, and the value, in the place of their names: $container, $value. A name that is not known stays.
func expand(text string, labels map[string]string, value string) string {
	var out strings.Builder

	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)

		if !found {
			break
		}

		length := strings.IndexFunc(rest, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		})
		if length < 0 {
			length = len(rest)
		}

		name := rest[:length]

		switch replacement, known := labels[name]; {
		case name == "value" && value != "":
			out.WriteString(value)
		case known:
			out.WriteString(replacement)
		default:
			out.WriteString("$" + name)
		}

		text = rest[length:]
	}

	return cut(out.String(), maxText)
}

// cut shortens a text to so many characters.
func cut(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if runes := []rune(text); len(runes) > limit {
		return string(slices.Concat(runes[:limit-1], []rune("…")))
	}

	return text
}
