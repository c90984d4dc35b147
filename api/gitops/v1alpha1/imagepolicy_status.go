package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ImagePolicyStatus says what was found and done; only the controller of ImagePolicies writes it.
type ImagePolicyStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// LatestImage is the image that was chosen, as repository:tag@digest. The digest is that of the index for an image of
	// several platforms.
	// +optional
	LatestImage string `json:"latestImage,omitempty"`
	// LatestTag is the tag in it.
	// +optional
	LatestTag string `json:"latestTag,omitempty"`
	// PreviousImage is the one that was chosen before.
	// +optional
	PreviousImage string `json:"previousImage,omitempty"`
	// Tags is how many the repository had at the last look.
	// +optional
	Tags int32 `json:"tags,omitempty"`
	// LastPushCommit is the hash of the last commit that was pushed, and LastPushTime when.
	// +optional
	LastPushCommit string `json:"lastPushCommit,omitempty"`
	// LastPushTime is when it was pushed.
	// +optional
	LastPushTime *metav1.Time `json:"lastPushTime,omitempty"`
	// LastHandledReconcileAt is the value of the annotation reconcile.fluxcd.io/requestedAt that was obeyed last.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
}
