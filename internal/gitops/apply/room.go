package apply

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/allotment"
	"github.com/dogker/dogker/reconciler/delivery"
)

// quotaText is how the API says that a quota has no room.
var quotaText = regexp.MustCompile(`exceeded quota`)

// room refuses a build for which the quotas have no room as a whole. A dry-run is held against a quota alone, as if it were
// the only one: ten containers of which nine fit are ten that fit, until the tenth is refused and nine run; and a container
// that takes over what another gives back does not fit, although both together do.
//
// What a quota counts that is not known here is left to the API, as is a quota that the ServiceAccount may not read.
func (v *visit) room(ctx context.Context, steps []*step) error {
	byNamespace := map[string][]*step{}

	for _, s := range steps {
		if len(s.takes()) > 0 || s.early != nil {
			byNamespace[s.id.Namespace] = append(byNamespace[s.id.Namespace], s)
		}
	}

	var errs delivery.Errors

	for namespace, steps := range byNamespace {
		quotas, err := v.quotas(ctx, namespace)
		if err != nil {
			return err
		}

		before := len(errs)
		for i := range quotas {
			errs = append(errs, fits(&quotas[i], steps)...)
		}

		if len(errs) == before {
			errs = append(errs, hopeless(quotas, steps)...)
		}
	}

	return errs.Err()
}

// quotas of a namespace; none when the ServiceAccount may not read them.
func (v *visit) quotas(ctx context.Context, namespace string) ([]corev1.ResourceQuota, error) {
	list, err := v.objects.Resource(corev1.SchemeGroupVersion.WithResource("resourcequotas")).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}

	if err != nil {
		return nil, fmt.Errorf("list quotas of %q: %w", namespace, err)
	}

	out := make([]corev1.ResourceQuota, len(list.Items))
	for i, u := range list.Items {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &out[i]); err != nil {
			return nil, fmt.Errorf("read quota %q of %q: %w", u.GetName(), namespace, err)
		}
	}

	return out, nil
}

// hopeless are the refusals by a quota that no other step makes room for.
func hopeless(quotas []corev1.ResourceQuota, steps []*step) delivery.Errors {
	// Without a look at the quotas nobody knows whether what is given back is enough.
	if len(quotas) > 0 && slices.ContainsFunc(steps, frees) {
		return nil
	}

	var errs delivery.Errors

	for _, s := range steps {
		if s.early != nil {
			errs = append(errs, s.early)
		}
	}

	return errs
}

// fits holds all steps together against one quota. It returns one error for each resource that is exceeded, about the last
// object that takes of it, which is the one that would be refused.
func fits(quota *corev1.ResourceQuota, steps []*step) delivery.Errors {
	if len(quota.Spec.Scopes) > 0 || quota.Spec.ScopeSelector != nil {
		return nil
	}

	var errs delivery.Errors

	for _, name := range sortedNames(quota.Status.Hard) {
		hard, used := quota.Status.Hard[name], quota.Status.Used[name]

		total := used.DeepCopy()
		more := resource.Quantity{Format: hard.Format}

		var last *step

		for _, s := range steps {
			takes, ok := s.takes()[name]
			if !ok || takes.IsZero() {
				continue
			}

			total.Add(takes)
			more.Add(takes)

			if takes.Sign() > 0 {
				last = s
			}
		}

		if last == nil || more.Sign() <= 0 || total.Cmp(hard) <= 0 {
			continue
		}

		errs = append(errs, last.failure(delivery.ReasonQuotaExceeded,
			"exceeded quota: %s, all objects together need %s=%s more, used: %s, limited: %s; what a commit removes makes room after what it adds",
			quota.Name, name, more.String(), used.String(), hard.String()))
		errs[len(errs)-1].Transient = true
	}

	return errs
}

func sortedNames(l corev1.ResourceList) []corev1.ResourceName {
	out := make([]corev1.ResourceName, 0, len(l))
	for name := range l {
		out = append(out, name)
	}

	slices.Sort(out)

	return out
}

// takes is what a step takes of each resource; what it gives back is negative.
func (s *step) takes() corev1.ResourceList {
	if s.action != delivery.Created && s.action != delivery.Configured {
		return nil
	}

	out := corev1.ResourceList{}
	if s.action == delivery.Created {
		out[countName(s.item)] = *resource.NewQuantity(1, resource.DecimalSI)
		if isSecret(s.id) {
			out[v1alpha1.ResourceSecrets] = *resource.NewQuantity(1, resource.DecimalSI)
		}
	}

	for name, now := range taken(s.wanted()) {
		before := taken(s.live)[name]
		now.Sub(before)
		out[name] = now
	}

	return out
}

// countName is the name by which quotas count objects of a kind.
func countName(it *item) corev1.ResourceName {
	return corev1.ResourceName(strings.TrimSuffix("count/"+it.resource.Resource+"."+it.resource.Group, "."))
}

// taken is what a container takes of a quota; nothing for all other kinds, and for none.
func taken(u *unstructured.Unstructured) corev1.ResourceList {
	if u == nil || u.GroupVersionKind() != v1alpha1.GroupVersion.WithKind("TenantContainer") {
		return nil
	}

	var c v1alpha1.TenantContainer
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &c); err != nil {
		return nil
	}

	return allotment.Of(&c)
}

// frees is whether a step gives back some of a resource and takes of none.
func frees(s *step) bool {
	gives := false

	for _, q := range s.takes() {
		switch q.Sign() {
		case 1:
			return false
		case -1:
			gives = true
		}
	}

	return gives
}
