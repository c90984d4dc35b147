package account

import (
	corev1 "k8s.io/api/core/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/solvency"
)

// Reasons of events, for the tenant and the platform team.
const (
	eventSuspended = "Suspended"
	eventResumed   = "Resumed"
	eventGrace     = "GracePeriod"
)

// sentences say why nothing runs, by the reason on the Tenant.
var sentences = map[string]string{
	billingv1.ReasonInsufficientBalance: "The balance is gone",
	string(solvency.BudgetCapped):       "The budget of the month is spent",
	string(solvency.Held):               "The platform has put the account on hold",
	string(solvency.Closed):             "The account is closed",
}

// announce tells the owner of the account, and the platform team at the tenant.
func (c *Controller) announce(s *situation, eventType, reason, message string) {
	c.recorder.Event(s.account, eventType, reason, message)

	if s.tenant != nil {
		c.recorder.Event(s.tenant, eventType, reason, message)
	}
}

func (c *Controller) announceSuspension(s *situation, reason string) {
	c.announce(s, corev1.EventTypeWarning, eventSuspended, sentences[reason]+"; all containers are stopped, and nothing else is changed")
}

func (c *Controller) announceResumption(s *situation) {
	c.announce(s, corev1.EventTypeNormal, eventResumed, "All containers run again as they are declared")
}
