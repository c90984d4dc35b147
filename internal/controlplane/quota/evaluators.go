package quota

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	core "k8s.io/kubernetes/pkg/apis/core"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/allotment"
)

var (
	containersResource = v1alpha1.GroupVersion.WithResource("tenantcontainers")
	secretsResource    = schema.GroupResource{Resource: "secrets"}
)

// evaluator is what all of ours have in common: quotas with scopes, which speak of pods, are not about them.
type evaluator struct {
	resource schema.GroupResource
	names    []corev1.ResourceName
	usage    func(runtime.Object) (corev1.ResourceList, error)
	handles  func(admission.Attributes) bool
	demand   func([]corev1.ResourceName, runtime.Object) error
	list     func(quota.UsageStatsOptions) (corev1.ResourceList, error)
}

var _ quota.Evaluator = (*evaluator)(nil)

// GroupResource implements quota.Evaluator.
func (e *evaluator) GroupResource() schema.GroupResource { return e.resource }

// Usage implements quota.Evaluator.
func (e *evaluator) Usage(item runtime.Object) (corev1.ResourceList, error) { return e.usage(item) }

// Handles implements quota.Evaluator.
func (e *evaluator) Handles(a admission.Attributes) bool { return e.handles(a) }

// Constraints implements quota.Evaluator.
func (e *evaluator) Constraints(required []corev1.ResourceName, item runtime.Object) error {
	return e.demand(required, item)
}

// Matches implements quota.Evaluator.
func (e *evaluator) Matches(q *corev1.ResourceQuota, item runtime.Object) (bool, error) {
	return generic.Matches(q, item, e.MatchingResources, generic.MatchesNoScopeFunc)
}

// MatchingScopes implements quota.Evaluator.
func (e *evaluator) MatchingScopes(runtime.Object, []corev1.ScopedResourceSelectorRequirement) ([]corev1.ScopedResourceSelectorRequirement, error) {
	return nil, nil
}

// UncoveredQuotaScopes implements quota.Evaluator.
func (e *evaluator) UncoveredQuotaScopes(_, _ []corev1.ScopedResourceSelectorRequirement) ([]corev1.ScopedResourceSelectorRequirement, error) {
	return nil, nil
}

// MatchingResources implements quota.Evaluator.
func (e *evaluator) MatchingResources(input []corev1.ResourceName) []corev1.ResourceName {
	return quota.Intersection(input, e.names)
}

// UsageStats implements quota.Evaluator.
func (e *evaluator) UsageStats(o quota.UsageStatsOptions) (quota.UsageStats, error) {
	out := quota.UsageStats{Used: corev1.ResourceList{}}
	for _, name := range o.Resources {
		out.Used[name] = resource.Quantity{Format: resource.DecimalSI}
	}
	if e.list == nil {
		return out, fmt.Errorf("count %s: this evaluator only judges requests", e.resource)
	}
	if len(o.Scopes) > 0 || o.ScopeSelector != nil {
		return out, nil
	}

	used, err := e.list(o)
	if err != nil {
		return out, fmt.Errorf("count %s of %q: %w", e.resource, o.Namespace, err)
	}
	out.Used = quota.Add(out.Used, used)

	return out, nil
}

// containers charges TenantContainers. Without a source it judges requests only.
func containers(s *Source) quota.Evaluator {
	e := &evaluator{
		resource: containersResource.GroupResource(),
		names:    allotment.Resources,
		usage: func(o runtime.Object) (corev1.ResourceList, error) {
			c, err := typed(o)
			if err != nil {
				return nil, err
			}

			return allotment.Of(c), nil
		},
		handles: handlesContainer,
		demand:  demandDeclared,
	}
	if s != nil {
		e.list = s.containers
	}

	return e
}

// handlesContainer is true for what can make a container use more. What does not is no business of quotas: a container
// that was there before a quota, or that uses more than a lowered one allows, can still be made smaller, and be deleted.
func handlesContainer(a admission.Attributes) bool {
	if a.GetSubresource() != "" {
		return false
	}
	if a.GetOperation() == admission.Create {
		return true
	}
	now, err1 := typed(a.GetObject())
	old, err2 := typed(a.GetOldObject())
	if err1 != nil || err2 != nil {
		return true
	}
	if now.DeletionTimestamp != nil {
		return false
	}

	within, _ := quota.LessThanOrEqual(allotment.Of(now), allotment.Of(old))

	return !within
}

// demandDeclared refuses a container that does not say how much it uses of what the quota limits.
func demandDeclared(required []corev1.ResourceName, o runtime.Object) error {
	c, err := typed(o)
	if err != nil {
		return err
	}

	var missing []string
	for name, q := range allotment.Declared(&c.Spec) {
		if q == nil && slices.Contains(required, name) {
			kind, of, _ := strings.Cut(string(name), ".")
			missing = append(missing, "spec.resources."+kind+"."+of)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)

	return fmt.Errorf("%s must be set, because the quota limits it", strings.Join(missing, ", "))
}

// secrets counts Secrets: all of them by the names that Kubernetes has for it, and those that are not ours by the name
// that plans limit.
func secrets(s *Source) quota.Evaluator {
	one := *resource.NewQuantity(1, resource.DecimalSI)
	e := &evaluator{
		resource: secretsResource,
		names:    []corev1.ResourceName{v1alpha1.ResourceSecrets, corev1.ResourceSecrets, "count/secrets"},
		usage: func(o runtime.Object) (corev1.ResourceList, error) {
			out := corev1.ResourceList{corev1.ResourceSecrets: one, "count/secrets": one}
			if !keptByUs(o) {
				out[v1alpha1.ResourceSecrets] = one
			}

			return out, nil
		},
		handles: func(a admission.Attributes) bool {
			return a.GetOperation() == admission.Create && a.GetSubresource() == ""
		},
		demand: func([]corev1.ResourceName, runtime.Object) error { return nil },
	}
	if s != nil {
		e.list = func(o quota.UsageStatsOptions) (corev1.ResourceList, error) { return s.secrets(o, e.usage) }
	}

	return e
}

func keptByUs(o runtime.Object) bool {
	switch s := o.(type) {
	case *core.Secret:
		return s.Type == v1alpha1.SecretTypeRevisionEnv
	case *corev1.Secret:
		return s.Type == v1alpha1.SecretTypeRevisionEnv
	default:
		return false
	}
}

// typed is a container in whichever form it comes.
func typed(o runtime.Object) (*v1alpha1.TenantContainer, error) {
	switch o := o.(type) {
	case *v1alpha1.TenantContainer:
		return o, nil
	case *unstructured.Unstructured:
		c := &v1alpha1.TenantContainer{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, c); err != nil {
			return nil, fmt.Errorf("read TenantContainer %q: %w", o.GetName(), err)
		}

		return c, nil
	default:
		return nil, fmt.Errorf("charge TenantContainer: unexpected type %T", o)
	}
}
