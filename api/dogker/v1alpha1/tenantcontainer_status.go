package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TenantContainerStatus is what Dogker last saw. The workload controller writes all of it but autoscaling and health.
type TenantContainerStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Tasks that are ready, of those that are wanted, such as 2/3.
	// +optional
	Tasks string `json:"tasks,omitempty"`
	// Replicas is the number of tasks that exist and are meant to run.
	// +optional
	Replicas int32 `json:"replicas"`
	// ReadyReplicas is the number of tasks that run and are healthy.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`
	// UpdatedReplicas is the number of ready tasks that run the revision in status.revision.
	// +optional
	UpdatedReplicas int32 `json:"updatedReplicas"`
	// Selector is the label selector of this container's tasks, for the scale subresource.
	// +optional
	Selector string `json:"selector,omitempty"`
	// Revision that Swarm is asked to run.
	// +optional
	Revision int64 `json:"revision,omitempty"`
	// Image that Swarm is asked to run.
	// +optional
	Image *ImageStatus `json:"image,omitempty"`
	// Service in Swarm.
	// +optional
	Service *ServiceStatus `json:"service,omitempty"`
	// FailedRevision is the declared revision that failed and is not tried again until the spec changes.
	// +optional
	FailedRevision *FailedRevision `json:"failedRevision,omitempty"`
	// Nodes that run ready tasks, by host name, sorted; at most 16.
	// +listType=atomic
	// +optional
	Nodes []string `json:"nodes,omitempty"`
	// Autoscaling explains what the autoscaler decided last; not there without spec.autoscaling.
	// +optional
	Autoscaling *AutoscalingStatus `json:"autoscaling,omitempty"`
	// Health is what the health monitor holds against the container; not there when that is nothing.
	// +optional
	Health *HealthStatus `json:"health,omitempty"`
}

// ImageStatus is what became of spec.image.
type ImageStatus struct {
	// Requested is spec.image at the time it was resolved.
	Requested string `json:"requested,omitempty"`
	// Resolved is what Swarm is told: a digest of the registry, or an image that the engine holds.
	Resolved string `json:"resolved,omitempty"`
	// Pinned is true when resolved is a digest of the registry.
	Pinned bool `json:"pinned"`
	// Proof is what is known in favour of resolved: when the registry gave it to the namespace, and who has signed it.
	// +optional
	Proof *ImageProof `json:"proof,omitempty"`
}

// ServiceStatus names the service in Swarm.
type ServiceStatus struct {
	// ID in Swarm.
	ID string `json:"id,omitempty"`
	// Name in Swarm.
	Name string `json:"name,omitempty"`
}

// FailedRevision is a revision that was tried and given up.
type FailedRevision struct {
	// Revision number.
	Revision int64 `json:"revision"`
	// Reason in one word.
	Reason string `json:"reason,omitempty"`
	// Message in the engine's own words.
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}
