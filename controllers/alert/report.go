package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// receivers are the names of who is told, and what there is to say about it.
func (c *Controller) receivers(ctx context.Context, a *monitoringv1.Alert) ([]string, error) {
	var all monitoringv1.ReceiverList
	if err := c.cached.List(ctx, &all, client.InNamespace(a.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list receivers: %w", err)
	}

	contacts, err := c.contacts(ctx, a.Namespace)
	if err != nil {
		return nil, err
	}

	q := alert.Question{Topic: alert.Topic(a.Spec.Topic), Severity: alert.Severity(a.Spec.Severity), Contacts: contacts}
	for _, name := range a.Spec.Receivers {
		q.Named = append(q.Named, string(name))
	}

	names, missing := alert.Route(all.Items, q)

	switch {
	case len(missing) > 0:
		conditions.Set(a, monitoringv1.ConditionReceiversFound, metav1.ConditionFalse, monitoringv1.ReasonReceiverNotFound,
			"spec.receivers: there is no Receiver "+strings.Join(missing, ", "))
	case len(names) == 0 && len(all.Items) == 0:
		conditions.Set(a, monitoringv1.ConditionReceiversFound, metav1.ConditionFalse, monitoringv1.ReasonNobodyToTell,
			"There is no Receiver, and no Tenant with contacts for technical matters")
	default:
		conditions.Delete(a, monitoringv1.ConditionReceiversFound)
	}

	return names, nil
}

// contacts is whether the namespace belongs to a tenant that wants to be written to about technical matters.
func (c *Controller) contacts(ctx context.Context, namespace string) (bool, error) {
	var t v1alpha1.Tenant

	err := c.cached.Get(ctx, client.ObjectKey{Name: namespace}, &t, &client.GetOptions{UnsafeDisableDeepCopy: new(true)})
	if apierrors.IsNotFound(err) {
		return false, nil
	}

	if err != nil {
		return false, fmt.Errorf("read tenant %q: %w", namespace, err)
	}

	// Whose a namespace is says the Tenant, once it has it: it may be refused one that was there before.
	return t.Status.Namespace == namespace && alert.Technical(t.Spec.Contacts), nil
}

// report says whether everything is watched, and when it is looked at again.
func (c *Controller) report(
	a *monitoringv1.Alert, seen []alert.Observation, omitted int, trouble error, after time.Duration,
) (outcome.Result, error) {
	var wait *outcome.Wait
	if errors.As(trouble, &wait) {
		wait.After = min(wait.After, after)
	}

	unknown := !slices.ContainsFunc(seen, func(o alert.Observation) bool { return o.Verdict != alert.Unknown })

	switch {
	case trouble != nil:
		return outcome.Result{RequeueAfter: after}, trouble
	case omitted > 0:
		set(a, metav1.ConditionFalse, monitoringv1.ReasonTooManySeries, "More is wrong than an Alert remembers: some of it is not told of")
	case len(seen) == 0 && (a.Spec.Threshold == nil || a.Spec.Threshold.Query == ""):
		conditions.MarkReady(a, monitoringv1.ReasonNothingSelected, "There is nothing that it is about")
	case len(seen) > 0 && unknown && a.Spec.Condition == nil:
		set(a, metav1.ConditionUnknown, monitoringv1.ReasonNoData, "Nothing that it is about was measured lately, or for long enough")
	default:
		conditions.MarkReady(a, monitoringv1.ReasonWatching, "Everything that it is about is watched")
	}

	return outcome.Result{RequeueAfter: after}, nil
}

// set is for what is neither as it should be nor being worked on.
func set(a *monitoringv1.Alert, status metav1.ConditionStatus, reason, message string) {
	conditions.Set(a, conditions.Ready, status, reason, message)
	conditions.Delete(a, conditions.Reconciling)
	conditions.Delete(a, conditions.Stalled)
}
