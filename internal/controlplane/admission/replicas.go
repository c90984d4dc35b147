package admission

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// holdUntilGone gives the object our finalizer, and gives it back to one that lost it while alive: an object without it
// would vanish from the API while what it stands for runs on. Once it is being deleted, whoever may update it may let it go.
func holdUntilGone(now *unstructured.Unstructured, finalizer string) {
	if now.GetDeletionTimestamp() != nil || slices.Contains(now.GetFinalizers(), finalizer) {
		return
	}

	now.SetFinalizers(append(now.GetFinalizers(), finalizer))
}

// reconcileReplicas makes mode and replicas agree where the person who asks has said nothing that contradicts them. A
// contradiction is left as it is, for the schema to refuse. old is nil on create.
func reconcileReplicas(now, old *unstructured.Unstructured) error {
	global := modeOf(now) == v1alpha1.ModeGlobal
	replicas, set := replicasOf(now)

	switch {
	case !global && !set:
		return unstructured.SetNestedField(now.Object, int64(1), "spec", "replicas")
	case global && set && old != nil && modeOf(old) != v1alpha1.ModeGlobal:
		// The number is left over from the old mode, where it may have been our default.
		if before, had := replicasOf(old); had && before == replicas {
			unstructured.RemoveNestedField(now.Object, "spec", "replicas")
		}
	}

	return nil
}

// modeOf is the mode; the schema has filled in the default. What is no string is refused by the schema later.
func modeOf(u *unstructured.Unstructured) v1alpha1.Mode {
	mode, _, _ := unstructured.NestedString(u.Object, "spec", "mode")
	return v1alpha1.Mode(mode)
}

// replicasOf is the value as it was sent, of whatever type; null is as good as not set.
func replicasOf(u *unstructured.Unstructured) (any, bool) {
	value, found, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "replicas")
	return value, found && value != nil
}
