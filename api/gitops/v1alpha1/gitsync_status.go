package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GitSyncStatus says what is applied; only the controller of GitSyncs writes it.
type GitSyncStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// LastAttemptedRevision is the one that was fetched last, such as main@sha1:<hash>.
	// +optional
	LastAttemptedRevision string `json:"lastAttemptedRevision,omitempty"`
	// LastAppliedRevision is the last one of which everything was applied and, where that is asked for, healthy.
	// +optional
	LastAppliedRevision string `json:"lastAppliedRevision,omitempty"`
	// LastHandledReconcileAt is the value of the annotation reconcile.fluxcd.io/requestedAt that was obeyed last.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
	// WebhookPath is the path of this API server that the Git server tells of pushes.
	// +optional
	WebhookPath string `json:"webhookPath,omitempty"`
	// Objects is how many objects it answers for.
	// +optional
	Objects int32 `json:"objects"`
	// Inventory is what it has applied, or was about to: nothing is ever deleted that is not in it.
	// +optional
	Inventory *Inventory `json:"inventory,omitempty"`
	// History has the last five results, the newest first. A result that is seen again is there once.
	// +kubebuilder:validation:MaxItems=5
	// +listType=atomic
	// +optional
	History []SyncResult `json:"history,omitempty"`
}

// Inventory is what a GitSync answers for, in the form of Flux' status.inventory.
type Inventory struct {
	// Entries are the objects, sorted.
	// +listType=atomic
	// +optional
	Entries []InventoryEntry `json:"entries"`
}

// InventoryEntry is one object.
type InventoryEntry struct {
	// ID of the object: NAMESPACE_NAME_GROUP_KIND.
	ID string `json:"id"`
	// Version of the API in which it was applied.
	Version string `json:"v"`
	// Held is true for what was not deleted because the repository had lost everything.
	// +optional
	Held bool `json:"held,omitempty"`
}

// SyncResult is what became of one revision.
type SyncResult struct {
	// Revision that was built.
	Revision string `json:"revision"`
	// Reason is how it ended, in one word.
	Reason string `json:"reason"`
	// Message says it in a sentence.
	// +optional
	Message string `json:"message,omitempty"`
	// Time is when it ended so for the first time.
	Time metav1.Time `json:"time"`
	// Duration of that visit.
	// +optional
	Duration metav1.Duration `json:"duration,omitzero"`
	// Created, Configured and Deleted count the objects that were.
	// +optional
	Created int32 `json:"created,omitempty"`
	// Configured counts the objects that were changed.
	// +optional
	Configured int32 `json:"configured,omitempty"`
	// Deleted counts the objects that were deleted.
	// +optional
	Deleted int32 `json:"deleted,omitempty"`
}
