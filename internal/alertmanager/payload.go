package alertmanager

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/alert"
)

// Payload is the body of a request, as far as it is used.
type Payload struct {
	Version string  `json:"version"`
	Alerts  []Alert `json:"alerts"`
	// TruncatedAlerts are those that the sender has left out.
	TruncatedAlerts int               `json:"truncatedAlerts"`
	GroupLabels     map[string]string `json:"groupLabels"`
	GroupKey        string            `json:"groupKey"`
}

// Alert is one of them.
type Alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

const (
	// version of the payload.
	version = "4"
	// maxAlerts of one request.
	maxAlerts = 1000
	// maxTexts are how many labels or annotations of an alert are taken, and maxText how long each may be, in characters.
	maxTexts = 32
	maxText  = 1024
	// maxNotice is how much text there is in one notice, in bytes.
	maxNotice = 96 << 10
)

// check refuses what cannot be told.
func (p *Payload) check() error {
	if p.Version != version {
		return fmt.Errorf("version: %q must be %q", p.Version, version)
	}

	if len(p.Alerts) == 0 || len(p.Alerts) > maxAlerts {
		return fmt.Errorf("alerts: there are %d; there must be 1 to %d", len(p.Alerts), maxAlerts)
	}

	for i, a := range p.Alerts {
		switch {
		case a.Status != string(alert.StatusFiring) && a.Status != string(alert.StatusResolved):
			return fmt.Errorf("alerts[%d].status: %q must be firing or resolved", i, a.Status)
		case a.StartsAt.IsZero():
			return fmt.Errorf("alerts[%d].startsAt: must be set", i)
		}
	}

	return nil
}

// incident is what is told of an alert.
func (a *Alert) incident() alert.Incident {
	labels, annotations := bounded(a.Labels), bounded(a.Annotations)
	i := alert.Incident{
		// Some senders have no fingerprints, or those of others: ours is of the labels as they came.
		Fingerprint: alert.Fingerprint(a.Labels), Status: alert.Status(a.Status), Reason: alert.ReasonExternal, Severity: severity(a.Labels),
		Labels: labels, Annotations: annotations, StartsAt: a.StartsAt.UTC().Truncate(time.Second),
	}

	if name := labels[alert.LabelContainer]; name != "" {
		i.Subject = alert.ObjectRef{Kind: "TenantContainer", Namespace: labels[alert.LabelNamespace], Name: name}
	}

	if i.Status == alert.StatusResolved {
		i.EndsAt = a.EndsAt.UTC().Truncate(time.Second)
	}

	return i
}

// severity is the one of ours that a label means, by the words that rules use.
func severity(labels map[string]string) alert.Severity {
	switch strings.ToLower(labels[alert.LabelSeverity]) {
	case "critical", "page", "error", "emergency":
		return alert.SeverityCritical
	case "info", "none", "notice":
		return alert.SeverityInfo
	default:
		return alert.SeverityWarning
	}
}

// bounded takes the first texts, by name, and the beginning of each.
func bounded(texts map[string]string) map[string]string {
	if len(texts) == 0 {
		return nil
	}

	out := map[string]string{}

	names := slices.Sorted(maps.Keys(texts))
	for _, name := range names[:min(len(names), maxTexts)] {
		out[cut(name)] = cut(texts[name])
	}

	return out
}

func cut(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText-1]) + "…"
	}

	return text
}

// notification is what is told of alerts of one tenant; to whom is not in it.
func (p *Payload) notification(tenant string, alerts []*Alert, now time.Time) alert.Notification {
	n := alert.Notification{
		Tenant: tenant, Topic: alert.TopicAlerts, GroupKey: "alertmanager/" + alert.Fingerprint(map[string]string{"": p.GroupKey}),
		GroupLabels: bounded(p.GroupLabels), Status: alert.StatusResolved, Severity: alert.SeverityInfo, At: now.UTC(), Omitted: p.TruncatedAlerts,
	}

	// What fires comes first; the order of the rest is one that a sender does not change.
	incidents := make([]alert.Incident, len(alerts))
	for i, a := range alerts {
		incidents[i] = a.incident()
	}

	slices.SortFunc(incidents, func(a, b alert.Incident) int {
		return cmp.Or(strings.Compare(string(a.Status), string(b.Status)), strings.Compare(a.Fingerprint, b.Fingerprint), a.StartsAt.Compare(b.StartsAt))
	})

	size := 0

	for _, i := range incidents {
		if i.Status == alert.StatusFiring {
			n.Status = alert.StatusFiring
		}

		if worse(i.Severity, n.Severity) {
			n.Severity = i.Severity
		}

		if size += i.Size(); size > maxNotice && len(n.Incidents) > 0 {
			n.Omitted++

			continue
		}

		n.Incidents = append(n.Incidents, i)
	}

	n.Title = n.Incidents[0].Labels[alert.LabelAlert]

	return n
}

func worse(a, b alert.Severity) bool {
	order := []alert.Severity{alert.SeverityInfo, alert.SeverityWarning, alert.SeverityCritical}

	return slices.Index(order, a) > slices.Index(order, b)
}

// parts tell this set of alerts from any other one, whoever sends it.
func parts(alerts []*Alert) []string {
	out := make([]string, len(alerts))
	for i, a := range alerts {
		out[i] = alert.Fingerprint(a.Labels) + "/" + strconv.FormatInt(a.StartsAt.Unix(), 10) + "/" + a.Status
	}

	slices.Sort(out)

	return append([]string{"alertmanager"}, slices.Compact(out)...)
}
