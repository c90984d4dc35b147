package workload

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Reasons of events, for the tenant.
const (
	eventServiceCreated  = "ServiceCreated"
	eventServiceAdopted  = "ServiceAdopted"
	eventServiceUpdated  = "ServiceUpdated"
	eventServiceRemoved  = "ServiceRemoved"
	eventDriftRepaired   = "DriftRepaired"
	eventRollingBack     = "RollingBack"
	eventRolloutComplete = "RolloutComplete"
	eventRolloutFailed   = "RolloutFailed"
)

// announce tells the tenant what a step has changed, once it has.
func (c *Controller) announce(tc *v1alpha1.TenantContainer, st step) {
	switch st := st.(type) {
	case createService:
		c.event(tc, corev1.EventTypeNormal, eventServiceCreated, fmt.Sprintf("Created service %q", st.want.Name))
	case adoptService:
		c.event(tc, corev1.EventTypeNormal, eventServiceAdopted, fmt.Sprintf("Adopted service %q with the tasks that run", st.want.Name))
	case updateService:
		c.announceUpdate(tc, st)
	case removeService:
		c.event(tc, corev1.EventTypeNormal, eventServiceRemoved, fmt.Sprintf("Removed service %q: %s", st.name, st.why))
	case recordRevision:
		// Of a first one that runs, the container's becoming ready tells the same.
		if st.revision.Status.Outcome == v1alpha1.OutcomeFailed {
			c.announceVerdict(tc, st.revision, verdict{outcome: v1alpha1.OutcomeFailed})
		}
	case markRevision:
		c.announceVerdict(tc, st.record, st.verdict)
	}
}

func (c *Controller) announceUpdate(tc *v1alpha1.TenantContainer, st updateService) {
	switch st.why {
	case whyDrift:
		c.event(tc, corev1.EventTypeWarning, eventDriftRepaired, "Put back what was changed outside Dogker: "+st.changes)
	case whyRollback:
		c.event(tc, corev1.EventTypeWarning, eventRollingBack, "Going back to the last good revision: "+st.changes)
	case whyRestless, whyEntering: // Nothing about the service is another, or all of it is new.
	default:
		c.event(tc, corev1.EventTypeNormal, eventServiceUpdated, st.changes)
	}
}

func (c *Controller) announceVerdict(tc *v1alpha1.TenantContainer, record *v1alpha1.ContainerRevision, v verdict) {
	switch v.outcome {
	case v1alpha1.OutcomeComplete:
		c.event(tc, corev1.EventTypeNormal, eventRolloutComplete, fmt.Sprintf("Revision %d runs", record.Spec.Revision))
	case v1alpha1.OutcomeFailed:
		c.event(tc, corev1.EventTypeWarning, eventRolloutFailed, fmt.Sprintf("Revision %d failed: %s", record.Spec.Revision, v.cause.message))
	}
}

func (c *Controller) event(tc *v1alpha1.TenantContainer, eventType, reason, message string) {
	c.recorder.Event(tc, eventType, reason, message)
}
