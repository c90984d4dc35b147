package quota

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	quota "k8s.io/apiserver/pkg/quota/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

var snapshotsResource = v1alpha1.GroupVersion.WithResource("volumesnapshots")

// snapshots charges VolumeSnapshots by their number and by what their archives take. A new one is let in while less than there may be is
// taken: how large it becomes nobody knows before. Without a source it judges requests only.
func snapshots(s *Source) quota.Evaluator {
	e := &evaluator{
		resource: snapshotsResource.GroupResource(),
		names:    []corev1.ResourceName{v1alpha1.ResourceSnapshots, v1alpha1.ResourceSnapshotStorage},
		usage:    usageOfSnapshot,
		handles: func(a admission.Attributes) bool {
			return a.GetSubresource() == "" && a.GetOperation() == admission.Create
		},
		demand: func([]corev1.ResourceName, runtime.Object) error { return nil },
	}
	if s != nil {
		e.list = s.each(snapshotsResource, usageOfSnapshot)
	}

	return e
}

func usageOfSnapshot(o runtime.Object) (corev1.ResourceList, error) {
	s, err := typedSnapshot(o)
	if err != nil {
		return nil, err
	}

	taken := resource.NewQuantity(0, resource.BinarySI)
	if s.Status.ArchiveSize != nil {
		taken = s.Status.ArchiveSize
	}

	return corev1.ResourceList{
		v1alpha1.ResourceSnapshots:       *resource.NewQuantity(1, resource.DecimalSI),
		v1alpha1.ResourceSnapshotStorage: taken.DeepCopy(),
	}, nil
}

// snapshotChanged is true for any update: what an archive takes is in the status, of which who counts is told nothing but that there is
// another one. A snapshot has a handful of them in its life.
func snapshotChanged(before, now any) bool {
	b, err1 := meta.Accessor(before)
	n, err2 := meta.Accessor(now)

	return err1 != nil || err2 != nil || b.GetResourceVersion() != n.GetResourceVersion()
}

// typedSnapshot is a VolumeSnapshot in whichever form it comes.
func typedSnapshot(o runtime.Object) (*v1alpha1.VolumeSnapshot, error) {
	switch o := o.(type) {
	case *v1alpha1.VolumeSnapshot:
		return o, nil
	case *unstructured.Unstructured:
		s := &v1alpha1.VolumeSnapshot{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, s); err != nil {
			return nil, fmt.Errorf("read VolumeSnapshot %q: %w", o.GetName(), err)
		}

		return s, nil
	default:
		return nil, fmt.Errorf("charge VolumeSnapshot: unexpected type %T", o)
	}
}
