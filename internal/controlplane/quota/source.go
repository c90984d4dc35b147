package quota

import (
	"context"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	"k8s.io/client-go/dynamic"
	corelisters "k8s.io/client-go/listers/core/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/allotment"
)

// countTime is how long counting one namespace may take.
const countTime = 30 * time.Second

var revisionsResource = v1alpha1.GroupVersion.WithResource("containerrevisions")

// Source is where what there is is counted. Containers are read from the store and not from a cache: a count that lags
// behind would overwrite what admission has charged meanwhile.
type Source struct {
	Client  dynamic.Interface
	Secrets corelisters.SecretLister
}

// each counts all objects of a kind that a namespace has.
func (s *Source) each(of schema.GroupVersionResource, usage func(runtime.Object) (corev1.ResourceList, error)) func(quota.UsageStatsOptions) (corev1.ResourceList, error) {
	return func(o quota.UsageStatsOptions) (corev1.ResourceList, error) {
		ctx, cancel := context.WithTimeout(context.Background(), countTime)
		defer cancel()

		list, err := s.Client.Resource(of).Namespace(o.Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", of.Resource, err)
		}

		out := corev1.ResourceList{}
		for i := range list.Items {
			used, err := usage(&list.Items[i])
			if err != nil {
				return nil, err
			}
			out = quota.Add(out, used)
		}

		return out, nil
	}
}

// Evaluators are those of the kinds that we charge by more than their number, for counting what there is.
func Evaluators(s Source) []quota.Evaluator {
	return []quota.Evaluator{containers(&s), volumes(&s), snapshots(&s), jobs(&s), secrets(&s)}
}

// ForAdmission is the configuration with which requests are charged.
func ForAdmission() quota.Configuration {
	evaluators := []quota.Evaluator{containers(nil), volumes(nil), snapshots(nil), jobs(nil), secrets(nil)}
	for resource, name := range Counted {
		evaluators = append(evaluators, generic.NewObjectCountEvaluator(schema.GroupResource{Resource: resource}, nil, name))
	}

	return generic.NewConfiguration(evaluators, Ignored())
}

// Ignored are the kinds that no quota counts: events, of which the oldest go by themselves, and questions, which are
// answered and not stored.
func Ignored() map[schema.GroupResource]struct{} {
	return map[schema.GroupResource]struct{}{
		{Resource: "events"}:                                                      {},
		{Group: eventsv1.GroupName, Resource: "events"}:                           {},
		{Group: authorizationv1.GroupName, Resource: "localsubjectaccessreviews"}: {},
	}
}

// Counted are the kinds whose number has a name of its own in quotas, such as configmaps. Every other kind is counted as
// count/<resource>.<group> without being named here.
var Counted = map[string]corev1.ResourceName{
	"configmaps":     corev1.ResourceConfigMaps,
	"resourcequotas": corev1.ResourceQuotas,
}

// Changed says which updates make a namespace be counted anew: those after which a container, a job or a
// snapshot is charged differently.
func Changed(resource schema.GroupVersionResource, before, now any) bool {
	if resource == jobsResource {
		return jobChanged(before, now)
	}
	if resource == snapshotsResource {
		return snapshotChanged(before, now)
	}
	if resource != containersResource {
		return false
	}
	b, ok1 := before.(*v1alpha1.TenantContainer)
	n, ok2 := now.(*v1alpha1.TenantContainer)
	if !ok1 || !ok2 {
		return true
	}

	// The first revision of a container that has never been changed is what was charged when it was created. Counting reads
	// the whole namespace, so a hundred new containers would make it read a hundred times.
	first := b.Status.Revision == 0 && n.Generation == 1 && n.Spec.RollbackTo == nil

	return b.Status.Revision != n.Status.Revision && !first || !equality.Semantic.DeepEqual(b.Spec.RollbackTo, n.Spec.RollbackTo) ||
		!quota.Equals(allotment.Of(b), allotment.Of(n))
}

func (s *Source) containers(o quota.UsageStatsOptions) (corev1.ResourceList, error) {
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()

	list, err := s.Client.Resource(containersResource).Namespace(o.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	if len(list.Items) == 0 {
		return corev1.ResourceList{}, nil
	}
	templates, err := s.templates(ctx, o.Namespace)
	if err != nil {
		return nil, err
	}

	out := corev1.ResourceList{}
	for i := range list.Items {
		c, err := typed(&list.Items[i])
		if err != nil {
			return nil, err
		}
		out = quota.Add(out, allotment.Of(c, templates.instead(c)...))
	}

	return out, nil
}

// revision names one revision of a container of a namespace.
type revision struct {
	container string
	number    int64
}

// templates are those of all revisions of a namespace.
type templates map[revision]*v1alpha1.TenantContainerSpec

func (s *Source) templates(ctx context.Context, namespace string) (templates, error) {
	list, err := s.Client.Resource(revisionsResource).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list revisions: %w", err)
	}

	out := templates{}
	for i := range list.Items {
		var r v1alpha1.ContainerRevision
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, &r); err != nil {
			return nil, fmt.Errorf("read revision %q: %w", list.Items[i].GetName(), err)
		}
		out[revision{string(r.Spec.Container), r.Spec.Revision}] = &r.Spec.Template
	}

	return out, nil
}

// instead are the templates that run, or are to run, in place of the declared one.
func (t templates) instead(c *v1alpha1.TenantContainer) []*v1alpha1.TenantContainerSpec {
	var out []*v1alpha1.TenantContainerSpec

	numbers := []int64{c.Status.Revision}
	if c.Spec.RollbackTo != nil {
		numbers = append(numbers, *c.Spec.RollbackTo)
	}
	for _, n := range numbers {
		if template := t[revision{c.Name, n}]; template != nil {
			out = append(out, template)
		}
	}

	return out
}

func (s *Source) secrets(o quota.UsageStatsOptions, usage func(runtime.Object) (corev1.ResourceList, error)) (corev1.ResourceList, error) {
	all, err := s.Secrets.Secrets(o.Namespace).List(labels.Everything())
	if err != nil {
		return nil, fmt.Errorf("list secrets: %w", err)
	}

	out := corev1.ResourceList{}
	for _, secret := range all {
		used, err := usage(secret)
		if err != nil {
			return nil, err
		}
		out = quota.Add(out, used)
	}

	return out, nil
}
