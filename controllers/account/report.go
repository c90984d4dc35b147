package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/solvency"
)

const (
	// lookAround is when an account is looked at that nobody has told anything about.
	lookAround = 10 * time.Minute
	// lookOften is when one is looked at of which something is used: charges are told, and this is for when they are not.
	lookOften = time.Minute
	// stopTime is how long tasks may take to end after a suspension: containers have at most a minute to stop (R5 of the
	// security rules), and the swarm and the read cache need a moment to stop them and to tell.
	stopTime = 2 * time.Minute
)

// report writes how the account stands into its status and tells the Tenant in short.
func (c *Controller) report(ctx context.Context, s *situation) (outcome.Result, error) {
	project(s)
	c.reportSuspension(s)
	c.reportBalance(s)
	c.reportMetering(s)

	if err := c.tellTenant(ctx, s); err != nil {
		return outcome.Result{}, err
	}

	next := outcome.Result{RequeueAfter: s.next()}

	if err := missing(s); err != nil {
		return outcome.Result{RequeueAfter: min(next.RequeueAfter, lookOften)}, err
	}

	summarise(s)

	return next, nil
}

// missing is what somebody has to declare before anything can be said of the account.
func missing(s *situation) error {
	switch {
	case s.tenant == nil:
		return &outcome.Stall{Reason: billingv1.ReasonTenantNotFound, Message: "There is no Tenant of the namespace's name"}
	case s.terms.Plan == nil:
		return &outcome.Stall{
			Reason:  v1alpha1.ReasonPlanNotFound,
			Message: fmt.Sprintf("The tenant has spec.planName %q, and there is no such Plan; all stays as it was decided before", s.tenant.Spec.PlanName),
		}
	case errors.Is(s.unpriced, billing.ErrNoPriceList):
		return &outcome.Stall{
			Reason: billingv1.ReasonPriceListNotFound,
			Message: fmt.Sprintf("Plan %q has spec.priceListName %q, and there is no such PriceList; nothing is charged meanwhile",
				s.terms.Plan.Name, s.terms.Plan.Spec.PriceListName),
		}
	default:
		return nil
	}
}

// running are the sentences of Ready for accounts whose containers run.
var running = map[solvency.Phase]string{
	solvency.Active: "The balance carries what is declared",
	solvency.Low:    "The balance runs out soon; a TopUp adds to it",
	solvency.Grace:  "The balance is gone; everything stops when the grace period is over, unless somebody pays before",
}

// summarise sets Ready: True while containers may run. Only somebody who pays, or lifts what was set, can help one that
// they may not.
func summarise(s *situation) {
	a := s.account
	reason, stopped := s.suspended()
	want := s.suspension()

	switch {
	case errors.Is(s.unpriced, billing.ErrNotBilled):
		conditions.MarkReady(a, billingv1.ReasonNotBilled, "The tenant's plan names no prices; nothing is charged")
	case errors.Is(s.unpriced, billing.ErrNotInEffect):
		conditions.MarkReady(a, billingv1.ReasonNotInEffect, "The prices that the tenant's plan names are not in effect yet; nothing is charged until then")
	case want == "" && stopped:
		conditions.MarkWaiting(a, metav1.ConditionFalse, billingv1.ReasonResuming, "It runs again in its turn: many accounts do so at once")
	case want == "":
		conditions.MarkReady(a, string(s.standing.Phase), running[s.standing.Phase])
	case reason == billingv1.ReasonInsufficientBalance:
		conditions.MarkStalled(a, metav1.ConditionFalse, string(solvency.Suspended), "The balance is gone and everything is stopped; status.missing is what to pay to run again")
	default:
		conditions.MarkStalled(a, metav1.ConditionFalse, want, sentence(s, want)+"; everything is stopped")
	}
}

// sentence says why everything is stopped; for a hold in the words of whoever set it.
func sentence(s *situation, reason string) string {
	hold := s.account.Spec.Hold
	if reason != string(solvency.Held) || hold == nil {
		return sentences[reason]
	}
	if hold.Message == "" {
		return fmt.Sprintf("%s (%s)", sentences[reason], hold.Reason)
	}

	return fmt.Sprintf("%s (%s: %s)", sentences[reason], hold.Reason, hold.Message)
}

// reportSuspension says that everything is stopped, and what goes on running all the same.
func (c *Controller) reportSuspension(s *situation) {
	a := s.account

	reason, stopped := s.suspended()
	if !stopped {
		conditions.Delete(a, billingv1.ConditionSuspended)
		conditions.Delete(a, billingv1.ConditionStillRunning)

		return
	}

	text := sentences[reason]
	if text == "" {
		text = "Billing has stopped the tenant"
	}
	conditions.Set(a, billingv1.ConditionSuspended, metav1.ConditionTrue, reason,
		text+"; volumes, Secrets and all else are kept, at least until status.dataKeptUntil")

	since := conditions.Get(a, billingv1.ConditionSuspended).LastTransitionTime

	switch late := s.now.Sub(since.Time) > stopTime; {
	case s.blind: // What was known stays said.
	case !late || len(s.tasks) == 0:
		conditions.Delete(a, billingv1.ConditionStillRunning)
	default:
		if !conditions.IsTrue(a, billingv1.ConditionStillRunning) {
			c.announce(s, corev1.EventTypeWarning, billingv1.ConditionStillRunning, "Tasks of the tenant go on running although it was suspended; nobody pays for them")
		}
		conditions.Set(a, billingv1.ConditionStillRunning, metav1.ConditionTrue, billingv1.ReasonTasksRunning,
			"Tasks of the tenant go on running although it was suspended; nobody pays for them")
	}
}

// reportBalance warns in the conditions and by events, once for each warning.
func (c *Controller) reportBalance(s *situation) {
	a := s.account
	had := conditions.Get(a, billingv1.ConditionBalanceLow)

	text := s.warning()
	if text == "" {
		conditions.Delete(a, billingv1.ConditionBalanceLow)

		return
	}

	reason, event := solvency.Low, billingv1.ConditionBalanceLow
	if s.standing.Phase == solvency.Grace {
		reason, event = solvency.Grace, eventGrace
	}

	conditions.Set(a, billingv1.ConditionBalanceLow, metav1.ConditionTrue, string(reason), text)

	if said := had != nil && had.Message == text; !said && s.standing.Phase.Runs() {
		c.announce(s, corev1.EventTypeWarning, event, text)
	}
}

// warning says how low the balance is, by the warning that was reached last; nothing when it is well above all of them.
func (s *situation) warning() string {
	standing, rules := s.standing, s.terms.Rules

	switch {
	case s.unpriced != nil:
		return ""
	case standing.Phase == solvency.Grace:
		return running[solvency.Grace]
	case standing.Phase != solvency.Low && len(standing.Disarmed) == 0:
		return ""
	case standing.Facts.Available <= 0:
		return "The balance is gone"
	}

	// The shortest warning that is longer than the runway is the last that was reached.
	var reached time.Duration
	for _, w := range slices.Sorted(slices.Values(rules.Warnings)) {
		if standing.Finite && standing.Runway <= w {
			reached = w

			break
		}
	}

	switch {
	case reached > 0:
		return "At the present rate the balance lasts for less than " + minutes(reached)
	case rules.Floor > 0 && standing.Facts.Available < rules.Floor:
		return "The balance is below " + whole(rules.Floor) + " rupiah"
	default:
		return "The balance was low, and is not well above that yet"
	}
}

// reportMetering says so when something runs and is not charged.
func (c *Controller) reportMetering(s *situation) {
	a := s.account

	// What runs although it is stopped is not charged, and has a condition of its own.
	switch stopped := !s.standing.Phase.Runs(); {
	case s.unpriced != nil || stopped || !s.blind && !s.unmetered():
		conditions.Delete(a, billingv1.ConditionNotMetered)
	case s.blind: // What was known stays said.
	case c.metering().ClockSkewed:
		conditions.Set(a, billingv1.ConditionNotMetered, metav1.ConditionTrue, billingv1.ReasonClockSkewed,
			"The clock of the server cannot be believed; nothing is charged meanwhile")
	default:
		conditions.Set(a, billingv1.ConditionNotMetered, metav1.ConditionTrue, billingv1.ReasonMeteringBehind,
			"Something runs and was not charged for some minutes; most of it will be made up for")
	}
}

// unmetered is true when a task has run for longer than charges take, and nothing was charged meanwhile.
func (s *situation) unmetered() bool {
	late := s.now.Add(-behind)

	return chargedAt(s.head).Before(late) && slices.ContainsFunc(s.tasks, func(t task) bool {
		return t.State == swarm.TaskStateRunning && t.Since.Before(late)
	})
}

// next is when to look again although nobody tells anything.
func (s *situation) next() time.Duration {
	next := lookAround

	soonest := func(d time.Duration) {
		if d > 0 {
			next = min(next, d)
		}
	}

	if s.unpriced == nil && s.standing.Facts.Rate > 0 && s.standing.Phase.Runs() || len(s.tasks) > 0 {
		soonest(lookOften)
	}
	if s.standing.Phase == solvency.Grace {
		soonest(max(time.Second, s.standing.GraceEnds.Sub(s.now)))
	}

	soonest(time.Unix(monthOf(s).End(), 0).Sub(s.now))
	soonest(s.turn)

	return next
}
