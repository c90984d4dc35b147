package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ReleasedVolume is data that belongs to no Volume any more: its Volume was deleted and had reclaim policy Retain, or was deleted
// while the node with the data was away. Dogker makes them; only the platform sees them. To delete one removes the data. A
// Volume whose spec.adopt names its volumeName takes the data over.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=releasedvolumes,scope=Cluster,shortName=rvol,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the data is there."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Tenant",type=string,JSONPath=`.spec.from.namespace`,description="The namespace of the Volume that it was."
// +kubebuilder:printcolumn:name="Volume",type=string,JSONPath=`.spec.from.name`,description="The name of the Volume that it was."
// +kubebuilder:printcolumn:name="Node",type=string,JSONPath=`.spec.nodes[*].hostname`,description="The nodes that it is on."
// +kubebuilder:printcolumn:name="Used",type=string,JSONPath=`.status.used`,description="How much it holds, as last measured."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`,description="Since when it is known to belong to nobody."
// +kubebuilder:printcolumn:name="Volume-Name",type=string,priority=1,JSONPath=`.spec.volumeName`,description="What spec.adopt of a Volume has to name."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
type ReleasedVolume struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is which data it is.
	Spec ReleasedVolumeSpec `json:"spec"`
	// Status is what Dogker last saw. It is restored when deleted.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status ReleasedVolumeStatus `json:"status,omitempty"`
}

// ReleasedVolumeList is a list of ReleasedVolumes.
//
// +kubebuilder:object:root=true
type ReleasedVolumeList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ReleasedVolume `json:"items"`
}

// ReleasedVolumeSpec is which data it is.
//
// +kubebuilder:validation:XValidation:rule="self.volumeName == oldSelf.volumeName",message="volumeName cannot be changed"
type ReleasedVolumeSpec struct {
	// VolumeName is what the engines call it.
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`
	VolumeName string `json:"volumeName"`
	// Nodes that it is on.
	// +kubebuilder:validation:MaxItems=1000
	// +listType=map
	// +listMapKey=id
	// +optional
	Nodes []VolumeNode `json:"nodes,omitempty"`
	// From is the Volume that it was.
	// +optional
	From VolumeOrigin `json:"from,omitzero"`
	// ClassName is the VolumeClass that it was of, where that is known.
	// +optional
	ClassName DNSLabel `json:"className,omitempty"`
	// Size is what it was declared to be, where that is known.
	// +optional
	Size *resource.Quantity `json:"size,omitempty"`
}

// VolumeOrigin is a Volume that was.
type VolumeOrigin struct {
	// Namespace of the Volume.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Name of the Volume.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Name string `json:"name,omitempty"`
	// UID of the Volume.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	UID string `json:"uid,omitempty"`
}

// ReleasedVolumeStatus is what is known of it; only the controller of released volumes writes it.
type ReleasedVolumeStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Used is how much it holds, as last measured, on all nodes together.
	// +optional
	Used *resource.Quantity `json:"used,omitempty"`
}
