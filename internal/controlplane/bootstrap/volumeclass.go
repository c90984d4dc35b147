package bootstrap

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
)

// annotationDefaultsMade on Dogker's own namespace says that the objects which a server makes once were made. What somebody
// has deleted since does not come back.
const annotationDefaultsMade = "dogker.io/default-volumeclass-made"

var volumeClasses = v1alpha1.GroupVersion.WithResource("volumeclasses")

// ensureDefaultClass makes the VolumeClass local when a cluster is started for the first time: data on the disk of a node, which is
// there wherever Docker is. Afterwards it is the operator's, to change or to delete.
func (b bootstrapper) ensureDefaultClass(ctx context.Context) error {
	ns, err := b.kube.CoreV1().Namespaces().Get(ctx, Namespace, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read namespace %q: %w", Namespace, err)
	}
	if ns.Annotations[annotationDefaultsMade] != "" {
		return nil
	}

	class := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(),
		"kind":       "VolumeClass",
		"metadata": map[string]any{
			"name":        v1alpha1.DefaultVolumeClass,
			"annotations": map[string]any{v1alpha1.AnnotationDefaultClass: "true"},
		},
		"spec": map[string]any{},
	}}
	b.log.InfoContext(ctx, "Creating default volume class", logkey.Object, v1alpha1.DefaultVolumeClass)
	if _, err := b.dynamic.Resource(volumeClasses).Create(ctx, class, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("ensure volume class %q: %w", v1alpha1.DefaultVolumeClass, err)
	}

	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		ns, err := b.kube.CoreV1().Namespaces().Get(ctx, Namespace, metav1.GetOptions{})
		if err != nil {
			return err
		}
		metav1.SetMetaDataAnnotation(&ns.ObjectMeta, annotationDefaultsMade, "true")
		_, err = b.kube.CoreV1().Namespaces().Update(ctx, ns, metav1.UpdateOptions{})

		return err
	})
	if err != nil {
		return fmt.Errorf("note in namespace %q that defaults were made: %w", Namespace, err)
	}

	return nil
}
