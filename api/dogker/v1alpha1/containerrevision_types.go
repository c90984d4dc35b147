package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ContainerRevision is one template that a TenantContainer ran, kept for diff and undo. Dogker writes it; its spec never
// changes.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=containerrevisions,shortName=rev,categories=dogker
// +kubebuilder:printcolumn:name="Container",type=string,JSONPath=`.spec.container`,description="The TenantContainer."
// +kubebuilder:printcolumn:name="Revision",type=integer,JSONPath=`.spec.revision`,description="Its place in the history."
// +kubebuilder:printcolumn:name="Outcome",type=string,JSONPath=`.status.outcome`,description="What became of the rollout."
// +kubebuilder:printcolumn:name="Image",type=string,JSONPath=`.spec.template.image`,description="The image as declared."
// +kubebuilder:printcolumn:name="Cause",type=string,JSONPath=`.metadata.annotations.kubernetes\.io/change-cause`,description="The annotation kubernetes.io/change-cause at the time."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Resolved",type=string,priority=1,JSONPath=`.spec.resolvedImage`,description="The image that ran."
type ContainerRevision struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the record; admission refuses every change of it.
	// +structType=atomic
	Spec ContainerRevisionSpec `json:"spec"`
	// Status is the outcome.
	// +optional
	Status ContainerRevisionStatus `json:"status,omitempty"`
}

// ContainerRevisionList is a list of ContainerRevisions.
//
// +kubebuilder:object:root=true
type ContainerRevisionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ContainerRevision `json:"items"`
}

// ContainerRevisionSpec is what ran.
type ContainerRevisionSpec struct {
	// Container is the TenantContainer it belongs to.
	Container DNSLabel `json:"container"`
	// Revision is the place in the history, counted from 1. Each change of the template makes a new one.
	// +kubebuilder:validation:Minimum=1
	Revision int64 `json:"revision"`
	// TemplateHash identifies the template together with the content of what it refers to, so that an unchanged
	// template makes no new revision.
	// +kubebuilder:validation:MaxLength=64
	TemplateHash string `json:"templateHash"`
	// Template is the spec without what does not make a revision: replicas, rollout, revisionHistoryLimit, rollbackTo,
	// dependsOn and paused.
	Template TenantContainerSpec `json:"template"`
	// ResolvedImage is the image that ran.
	// +kubebuilder:validation:MaxLength=600
	ResolvedImage string `json:"resolvedImage,omitempty"`
	// ImageProof is what was known in favour of the image when the revision was made.
	// +optional
	ImageProof *ImageProof `json:"imageProof,omitempty"`
	// Contents are the files of the revision, each with the Swarm object that holds its content.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=path
	// +optional
	Contents []RevisionContent `json:"contents,omitempty"`
	// EnvSecret names the Secret that holds the environment variables which came from Secrets and ConfigMaps.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	EnvSecret string `json:"envSecret,omitempty"`
}

// RevisionContent is one file of a revision.
type RevisionContent struct {
	// Path in the container.
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path"`
	// SwarmName of the Swarm secret or config that holds the content.
	// +kubebuilder:validation:MaxLength=64
	SwarmName string `json:"swarmName"`
}

// ContainerRevisionStatus is the outcome. It is no subresource: Dogker writes record and outcome in one call.
type ContainerRevisionStatus struct {
	// Outcome is what became of its rollout; empty until it has been sent to Swarm.
	// +optional
	Outcome RevisionOutcome `json:"outcome,omitempty"`
	// Message says why it failed, in the engine's own words.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Message string `json:"message,omitempty"`
	// Reason says in one word why it failed.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Reason string `json:"reason,omitempty"`
}

// RevisionOutcome is what became of a rollout.
//
// +kubebuilder:validation:Enum=Progressing;Complete;Failed
type RevisionOutcome string

// The outcomes of a rollout.
const (
	// OutcomeProgressing: its rollout has not ended.
	OutcomeProgressing RevisionOutcome = "Progressing"
	// OutcomeComplete: all tasks ran it; it is a target for rollback.
	OutcomeComplete RevisionOutcome = "Complete"
	// OutcomeFailed: it was given up. It is not tried again until the template changes.
	OutcomeFailed RevisionOutcome = "Failed"
)
