package alert

import (
	"slices"
	"strings"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
)

// Question is for whom something is.
type Question struct {
	Topic    Topic
	Severity Severity
	// Named are the Receivers that the source names; none for all that have the topic.
	Named []string
	// Contacts is whether there is mail that goes to contacts without a Receiver.
	Contacts bool
}

// Route is who is told: names of Receivers of the namespace, sorted. The empty name is the mail that a tenant has without
// declaring it. missing are those that were named and are not there.
//
//   - Who is named is told. When none of those is there, it goes by mail.
//   - When nobody is named, those are told that have the topic. When none has it, it goes by mail.
//   - A Receiver that is suspended, or that the severity is too low for, has the topic, and is told nothing.
func Route(receivers []monitoringv1.Receiver, q Question) (names, missing []string) {
	claimed := false

	for i := range receivers {
		r := &receivers[i]
		if !chosen(r, q) {
			continue
		}

		claimed = true

		if !r.Spec.Suspend && severe(r, q) {
			names = append(names, r.Name)
		}
	}

	for _, name := range q.Named {
		if !slices.ContainsFunc(receivers, func(r monitoringv1.Receiver) bool { return r.Name == name }) {
			missing = append(missing, name)
		}
	}

	if !claimed && q.Contacts {
		names = append(names, "")
	}

	slices.Sort(names)
	slices.SortFunc(missing, strings.Compare)

	return names, missing
}

// Technical is whether one of these contacts is written to about technical matters.
func Technical(contacts []v1alpha1.Contact) bool {
	return slices.ContainsFunc(contacts, func(c v1alpha1.Contact) bool {
		return len(c.Purposes) == 0 || slices.Contains(c.Purposes, "technical")
	})
}

func chosen(r *monitoringv1.Receiver, q Question) bool {
	if !r.DeletionTimestamp.IsZero() {
		return false
	}

	if len(q.Named) > 0 {
		return slices.Contains(q.Named, r.Name)
	}

	return len(r.Spec.Topics) == 0 || slices.Contains(r.Spec.Topics, monitoringv1.Topic(q.Topic))
}

// severities from the least.
var severities = []Severity{SeverityInfo, SeverityWarning, SeverityCritical}

func severe(r *monitoringv1.Receiver, q Question) bool {
	return q.Topic == TopicBilling || slices.Index(severities, q.Severity) >= slices.Index(severities, Severity(r.Spec.MinSeverity))
}
