// Package deletion says when a tenant may be deleted, for admission, which refuses a deletion that may not be, and for the
// tenant controller, which holds one that was let in and may not go on. It is pure.
//
// It imports api and Kubernetes' types.
package deletion

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// rootCA is the ConfigMap that Kubernetes puts into every namespace.
const rootCA = "kube-root-ca.crt"

// Data names what people have put into a namespace and cannot be made again: Secrets and ConfigMaps that belong to no
// controller, and Volumes and VolumeSnapshots, whatever becomes of what they stand for: data that is retained is the tenant's no
// more. It is sorted.
func Data(secrets []corev1.Secret, configMaps []corev1.ConfigMap, volumes, snapshots []string) []string {
	var out []string

	for _, name := range volumes {
		out = append(out, "Volume "+name)
	}
	for _, name := range snapshots {
		out = append(out, "VolumeSnapshot "+name)
	}

	for i := range secrets {
		s := &secrets[i]
		if s.Type != v1alpha1.SecretTypeRevisionEnv && s.Type != corev1.SecretTypeServiceAccountToken && metav1.GetControllerOf(s) == nil {
			out = append(out, "Secret "+s.Name)
		}
	}

	for i := range configMaps {
		m := &configMaps[i]
		if m.Name != rootCA && metav1.GetControllerOf(m) == nil {
			out = append(out, "ConfigMap "+m.Name)
		}
	}

	slices.Sort(out)

	return out
}

// Protected says why the tenant, which has that many containers and that data, may not be deleted as it is, and what to do;
// it is empty when it may.
func Protected(t *v1alpha1.Tenant, containers int, data []string) string {
	secondWord := t.Annotations[v1alpha1.AnnotationDeleteData] == t.Name
	all := t.Spec.DeletionPolicy == v1alpha1.DeletionDelete

	switch {
	case containers == 0 && len(data) == 0, all && (len(data) == 0 || secondWord):
		return ""
	case all:
		return fmt.Sprintf("The tenant has data (%s); remove it, or set the annotation %s=%s",
			some(data), v1alpha1.AnnotationDeleteData, t.Name)
	case containers > 0:
		return "spec.deletionPolicy is Protect and the tenant has containers; remove them, or set it to Delete"
	default:
		return fmt.Sprintf("spec.deletionPolicy is Protect and the tenant has data (%s); remove it, or set it to Delete and the annotation %s=%s",
			some(data), v1alpha1.AnnotationDeleteData, t.Name)
	}
}

// some names a few of many.
func some(names []string) string {
	const few = 3

	if len(names) <= few {
		return strings.Join(names, ", ")
	}

	return strings.Join(names[:few], ", ") + " and more"
}
