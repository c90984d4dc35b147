package alert

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// Name of the control loop, in logs and metrics.
const Name = "alert"

const (
	// tick is how often numbers are looked at.
	tick = telemetry.Interval
	// fallback is when conditions are looked at though nobody has told that they changed.
	fallback = 5 * time.Minute
	// soon is when a notice that is on record is put into the outbox: as soon as it is.
	soon = time.Millisecond
	// queryRetry is when a query that was not answered is asked again.
	queryRetry = 30 * time.Second
)

// Options of a Controller. The zero value of every field is useful.
type Options struct {
	// Platform is the namespace whose Alerts may see all others; none when empty.
	Platform string
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Controller keeps Alerts.
type Controller struct {
	cached client.Reader
	live   client.Reader
	ports  Ports
	opts   Options
	// began is when this process began to see what is sampled, and beats.
	began time.Time
}

// New returns the controller. cached may be behind; live reads nodes, which nobody caches.
func New(cached, live client.Reader, p Ports, o Options) *Controller {
	if o.Now == nil {
		o.Now = time.Now
	}

	return &Controller{cached: cached, live: live, ports: p, opts: o, began: o.Now()}
}

// Reconcile puts what is on record into the outbox, looks, and puts on record what is to be told. Only the engine persists
// status.
func (c *Controller) Reconcile(ctx context.Context, a *monitoringv1.Alert) (outcome.Result, error) {
	if !a.DeletionTimestamp.IsZero() {
		return outcome.Result{}, nil
	}

	if a.Spec.Suspend {
		alert.Forget(&a.Status)
		conditions.Delete(a, monitoringv1.ConditionReceiversFound)
		conditions.MarkReady(a, monitoringv1.ReasonSuspended, "It rests, because spec.suspend is set: nothing is watched, and nothing is told")

		return outcome.Result{}, nil
	}

	mutes, invalid := alert.MutesOf(&a.Spec, field.NewPath("spec"))
	if invalid != nil {
		return outcome.Result{}, &outcome.Stall{Reason: monitoringv1.ReasonInvalidSpec, Message: invalid.Error()}
	}

	if err := c.put(ctx, a); err != nil {
		return outcome.Result{}, err
	}

	now := c.opts.Now()
	seen, trouble := c.observe(ctx, a, now)
	spec := ruling(a)

	omitted := 0
	if trouble == nil {
		omitted = alert.Step(spec, &a.Status, seen, now)
	}

	receivers, err := c.receivers(ctx, a)
	if err != nil {
		return outcome.Result{}, err
	}

	alert.Plan(spec, &a.Status, mutes, receivers, now)

	return c.report(a, seen, omitted, trouble, c.after(a, alert.Next(spec, &a.Status, mutes, now), now))
}

// ruling is the spec as the state machine takes it. A heartbeat that is late has been for as long as it may: the rule counts.
func ruling(a *monitoringv1.Alert) *monitoringv1.AlertSpec {
	if !heartbeat(a) {
		return &a.Spec
	}

	spec := a.Spec.DeepCopy()
	spec.For = metav1.Duration{}

	return spec
}

func heartbeat(a *monitoringv1.Alert) bool {
	return a.Spec.Absent != nil && a.Spec.Absent.Of == monitoringv1.AbsentHeartbeat
}

// put puts what is on record into the outbox, and notes it.
func (c *Controller) put(ctx context.Context, a *monitoringv1.Alert) error {
	if !alert.Outstanding(&a.Status) {
		return nil
	}

	for _, n := range alert.Notifications(a) {
		if err := c.ports.Outbox.Put(ctx, n); err != nil {
			return fmt.Errorf("tell receiver %q: %w", n.Receiver.Name, err)
		}
	}

	alert.Sent(&a.Status)

	return nil
}

// after is when to look again.
func (c *Controller) after(a *monitoringv1.Alert, next, now time.Time) time.Duration {
	rest := tick
	if rule := a.Spec.Condition; rule != nil && rule.Kind != monitoringv1.WatchedNode {
		rest = fallback
	}

	switch {
	case alert.Outstanding(&a.Status):
		return soon
	case next.IsZero():
		return rest
	case !next.After(now):
		return min(rest, tick) // It is due, and could not be done: nothing is known.
	default:
		return min(rest, next.Sub(now))
	}
}
