// Package defaultclass says which class counts for objects that name none. It is pure, and the rule is Kubernetes' own for
// StorageClasses.
//
// Callers: reconciler/volume, reconciler/snapshotrules. It imports api only.
package defaultclass

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Of returns the default class: of those that are marked by v1alpha1.AnnotationDefaultClass and are not being deleted the newest, and of
// several as new the first by name. It is nil when there is none.
func Of[T any, P interface {
	*T
	metav1.Object
}](classes []T) *T {
	var best P

	for i := range classes {
		c := P(&classes[i])
		if c.GetAnnotations()[v1alpha1.AnnotationDefaultClass] != "true" || c.GetDeletionTimestamp() != nil {
			continue
		}
		if best == nil || newer(c, best) {
			best = c
		}
	}

	return (*T)(best)
}

func newer(a, b metav1.Object) bool {
	x, y := a.GetCreationTimestamp(), b.GetCreationTimestamp()

	return y.Before(&x) || y.Equal(&x) && a.GetName() < b.GetName()
}
