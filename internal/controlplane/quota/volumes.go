package quota

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	quota "k8s.io/apiserver/pkg/quota/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

var (
	volumesResource    = v1alpha1.GroupVersion.WithResource("volumes")
	releasedResource   = v1alpha1.GroupVersion.WithResource("releasedvolumes")
	namespacesResource = corev1.SchemeGroupVersion.WithResource("namespaces")
)

// volumes charges Volumes by their number and their sizes, and those that were deleted and have left their data. Without a source it judges requests only.
func volumes(s *Source) quota.Evaluator {
	e := &evaluator{
		resource: volumesResource.GroupResource(),
		names:    []corev1.ResourceName{v1alpha1.ResourceVolumes, v1alpha1.ResourceRequestsStorage},
		usage:    usageOfVolume,
		handles:  handlesVolume,
		demand:   func([]corev1.ResourceName, runtime.Object) error { return nil }, // The schema demands a size.
	}
	if s != nil {
		e.list = s.volumes
	}

	return e
}

func usageOfVolume(o runtime.Object) (corev1.ResourceList, error) {
	v, err := typedVolume(o)
	if err != nil {
		return nil, err
	}

	return corev1.ResourceList{
		v1alpha1.ResourceVolumes:         *resource.NewQuantity(1, resource.DecimalSI),
		v1alpha1.ResourceRequestsStorage: v.Spec.Size.DeepCopy(),
	}, nil
}

// handlesVolume is true for a new Volume, and for one that grows.
func handlesVolume(a admission.Attributes) bool {
	if a.GetSubresource() != "" {
		return false
	}
	if a.GetOperation() == admission.Create {
		return true
	}
	now, err1 := typedVolume(a.GetObject())
	old, err2 := typedVolume(a.GetOldObject())
	if err1 != nil || err2 != nil {
		return true
	}

	return now.DeletionTimestamp == nil && now.Spec.Size.Cmp(old.Spec.Size) > 0
}

func (s *Source) volumes(o quota.UsageStatsOptions) (corev1.ResourceList, error) {
	out, err := s.each(volumesResource, usageOfVolume)(o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()

	released, err := s.released(ctx, o.Namespace)
	if err != nil {
		return nil, err
	}

	return quota.Add(out, released), nil
}

// released is what Volumes of the namespace have left on nodes: otherwise whoever deletes Volumes and retains their data could fill all
// nodes. What a namespace has left that had the name before is not the present one's.
func (s *Source) released(ctx context.Context, namespace string) (corev1.ResourceList, error) {
	list, err := s.Client.Resource(releasedResource).List(ctx, metav1.ListOptions{LabelSelector: v1alpha1.LabelReleasedFrom + "=" + namespace})
	if err != nil {
		return nil, fmt.Errorf("list released volumes: %w", err)
	}
	if len(list.Items) == 0 {
		return nil, nil
	}
	present, err := s.Client.Resource(namespacesResource).Get(ctx, namespace, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read namespace %q: %w", namespace, err)
	}
	since := present.GetCreationTimestamp()

	out := corev1.ResourceList{}
	for i := range list.Items {
		var r v1alpha1.ReleasedVolume
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, &r); err != nil {
			return nil, fmt.Errorf("read ReleasedVolume %q: %w", list.Items[i].GetName(), err)
		}
		if r.CreationTimestamp.Before(&since) {
			continue
		}
		used := corev1.ResourceList{v1alpha1.ResourceVolumes: *resource.NewQuantity(1, resource.DecimalSI)}
		if r.Spec.Size != nil {
			used[v1alpha1.ResourceRequestsStorage] = *r.Spec.Size
		}
		out = quota.Add(out, used)
	}

	return out, nil
}

// typedVolume is a Volume in whichever form it comes.
func typedVolume(o runtime.Object) (*v1alpha1.Volume, error) {
	switch o := o.(type) {
	case *v1alpha1.Volume:
		return o, nil
	case *unstructured.Unstructured:
		v := &v1alpha1.Volume{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, v); err != nil {
			return nil, fmt.Errorf("read Volume %q: %w", o.GetName(), err)
		}

		return v, nil
	default:
		return nil, fmt.Errorf("charge Volume: unexpected type %T", o)
	}
}
