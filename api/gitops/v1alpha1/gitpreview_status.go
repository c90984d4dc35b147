package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GitPreviewStatus says which previews there are; only the controller of GitPreviews writes it. All of it is restored when
// deleted, but for which commits were given up: their previews come back for another time to live.
type GitPreviewStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// LastHandledReconcileAt is the value of the annotation reconcile.fluxcd.io/requestedAt that was obeyed last.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
	// Active is how many previews there are, those that are being deleted among them.
	// +optional
	Active int32 `json:"active"`
	// Waiting is how many references match and have none.
	// +optional
	Waiting int32 `json:"waiting"`
	// Previews are those that there are, and after them the first of the references that wait, in their order.
	// +kubebuilder:validation:MaxItems=150
	// +listType=atomic
	// +optional
	Previews []Preview `json:"previews,omitempty"`
	// Expired are references whose preview was deleted because its time was over, with the commit that they led to. They
	// get another one with another commit. The last 256 are known.
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	// +optional
	Expired []ExpiredPreview `json:"expired,omitempty"`
}

// Preview is a reference and what became of it.
type Preview struct {
	// Ref is the reference in full, such as refs/heads/feature/login.
	Ref string `json:"ref"`
	// Commit that was seen there last.
	// +optional
	Commit string `json:"commit,omitempty"`
	// Tenant is the preview, and its namespace.
	Tenant string `json:"tenant"`
	// Phase is how it stands in a word.
	Phase PreviewPhase `json:"phase"`
	// Expires is when it is deleted if no commit comes.
	// +optional
	Expires *metav1.Time `json:"expires,omitempty"`
	// Port on the nodes that is the preview's own.
	// +optional
	Port int32 `json:"port,omitempty"`
	// Reason says in a word why it waits or has failed.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says it in a sentence.
	// +optional
	Message string `json:"message,omitempty"`
}

// PreviewPhase is how a preview stands.
//
// +kubebuilder:validation:Enum=Ready;Progressing;Failed;Waiting;Deleting
type PreviewPhase string

// The phases of previews.
const (
	// PreviewReady: what the reference declares is applied.
	PreviewReady PreviewPhase = "Ready"
	// PreviewProgressing: it is being made or changed.
	PreviewProgressing PreviewPhase = "Progressing"
	// PreviewFailed: what the reference declares could not be applied.
	PreviewFailed PreviewPhase = "Failed"
	// PreviewWaiting: there is none yet.
	PreviewWaiting PreviewPhase = "Waiting"
	// PreviewDeleting: it is going.
	PreviewDeleting PreviewPhase = "Deleting"
)

// ExpiredPreview is a commit that had its time.
type ExpiredPreview struct {
	// Ref is the reference in full.
	Ref string `json:"ref"`
	// Commit that it led to.
	Commit string `json:"commit"`
}
