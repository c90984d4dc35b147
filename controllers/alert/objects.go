package alert

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// watched is an object with conditions.
type watched interface {
	client.Object
	conditions.Object
}

// kinds are those whose conditions can be watched, but for nodes.
var kinds = map[monitoringv1.WatchedKind]struct {
	object watched
	list   func() client.ObjectList
}{
	monitoringv1.WatchedContainer:      {&v1alpha1.TenantContainer{}, func() client.ObjectList { return &v1alpha1.TenantContainerList{} }},
	monitoringv1.WatchedJob:            {&v1alpha1.TenantJob{}, func() client.ObjectList { return &v1alpha1.TenantJobList{} }},
	monitoringv1.WatchedVolume:         {&v1alpha1.Volume{}, func() client.ObjectList { return &v1alpha1.VolumeList{} }},
	monitoringv1.WatchedTenant:         {&v1alpha1.Tenant{}, func() client.ObjectList { return &v1alpha1.TenantList{} }},
	monitoringv1.WatchedGitSync:        {&gitopsv1.GitSync{}, func() client.ObjectList { return &gitopsv1.GitSyncList{} }},
	monitoringv1.WatchedGitPreview:     {&gitopsv1.GitPreview{}, func() client.ObjectList { return &gitopsv1.GitPreviewList{} }},
	monitoringv1.WatchedImagePolicy:    {&gitopsv1.ImagePolicy{}, func() client.ObjectList { return &gitopsv1.ImagePolicyList{} }},
	monitoringv1.WatchedBillingAccount: {&billingv1.BillingAccount{}, func() client.ObjectList { return &billingv1.BillingAccountList{} }},
}

// platformsOnly are kinds of objects that belong to nobody's namespace.
var platformsOnly = map[monitoringv1.WatchedKind]bool{monitoringv1.WatchedTenant: true, monitoringv1.WatchedNode: true}

// objects judges each object that a rule is about.
func (c *Controller) objects(ctx context.Context, a *monitoringv1.Alert) ([]alert.Observation, error) {
	rule := a.Spec.Condition
	if platformsOnly[rule.Kind] && !c.platforms(a) {
		return nil, &outcome.Stall{
			Reason:  monitoringv1.ReasonInvalidSpec,
			Message: fmt.Sprintf("spec.condition.kind: %q can be watched by Alerts of the platform's namespace only", rule.Kind),
		}
	}

	selector := labels.Everything()

	if rule.Selector != nil {
		var err error
		if selector, err = metav1.LabelSelectorAsSelector(rule.Selector); err != nil {
			return nil, &outcome.Stall{Reason: monitoringv1.ReasonInvalidSpec, Message: "spec.condition.selector: " + err.Error()}
		}
	}

	if rule.Kind == monitoringv1.WatchedNode {
		return c.nodes(ctx, rule, selector)
	}

	kind, known := kinds[rule.Kind]
	if !known {
		return nil, &outcome.Stall{Reason: monitoringv1.ReasonInvalidSpec, Message: fmt.Sprintf("spec.condition.kind: %q is not known to this version", rule.Kind)}
	}

	options := c.within(a)
	if platformsOnly[rule.Kind] {
		options = []client.ListOption{client.UnsafeDisableDeepCopy}
	}

	list := kind.list()
	if err := c.cached.List(ctx, list, options...); err != nil {
		return nil, fmt.Errorf("list %ss: %w", rule.Kind, err)
	}

	var out []alert.Observation

	err := meta.EachListItem(list, func(item runtime.Object) error {
		if o, ok := item.(watched); ok && (rule.Name == "" || string(rule.Name) == o.GetName()) && selector.Matches(labels.Set(o.GetLabels())) {
			out = append(out, c.object(a, rule, o))
		}

		return nil
	})

	return out, err
}

// object judges one. What is being deleted, somebody has wanted to be gone.
func (c *Controller) object(a *monitoringv1.Alert, rule *monitoringv1.ConditionRule, o watched) alert.Observation {
	if tc, ok := o.(*v1alpha1.TenantContainer); ok {
		seen := alert.Container(rule, tc)
		seen.Labels = c.labels(a, o, map[string]string{alert.LabelContainer: o.GetName()})

		return seen
	}

	seen := alert.Observation{Verdict: alert.Stopped}
	if o.GetDeletionTimestamp().IsZero() {
		seen = alert.Condition(rule, o.GetConditions())
	}

	seen.Labels = c.labels(a, o, map[string]string{alert.LabelKind: string(rule.Kind), alert.LabelName: o.GetName()})

	return seen
}

// nodes judges the nodes of the swarm, which are views that nobody caches.
func (c *Controller) nodes(ctx context.Context, rule *monitoringv1.ConditionRule, selector labels.Selector) ([]alert.Observation, error) {
	var nodes corev1.NodeList
	if err := c.live.List(ctx, &nodes, client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}

	var out []alert.Observation

	for i := range nodes.Items {
		n := &nodes.Items[i]
		if rule.Name != "" && string(rule.Name) != n.Name {
			continue
		}

		seen := alert.Condition(rule, asConditions(n.Status.Conditions))
		seen.Labels = map[string]string{alert.LabelKind: string(rule.Kind), alert.LabelName: n.Name}
		out = append(out, seen)
	}

	return out, nil
}

// asConditions are the conditions of a node in the form that all other kinds have.
func asConditions(of []corev1.NodeCondition) []metav1.Condition {
	out := make([]metav1.Condition, len(of))
	for i, c := range of {
		out[i] = metav1.Condition{Type: string(c.Type), Status: metav1.ConditionStatus(c.Status), Reason: c.Reason, Message: c.Message}
	}

	return out
}
