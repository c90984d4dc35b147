package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VolumeClass is a kind of storage that Volumes can be of. Only the platform writes and reads it: its options reach the
// engines of the nodes as they are, and may hold addresses and credentials of servers.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=volumeclasses,scope=Cluster,shortName=volc,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether Volumes can be of it."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Driver",type=string,JSONPath=`.spec.driver`,description="The volume driver of the engines."
// +kubebuilder:printcolumn:name="Access",type=string,JSONPath=`.spec.access`,description="Whether one node sees a Volume, or many."
// +kubebuilder:printcolumn:name="Reclaim",type=string,JSONPath=`.spec.reclaimPolicy`,description="What becomes of the data of a Volume that is deleted, where it does not say."
// +kubebuilder:printcolumn:name="Volumes",type=integer,JSONPath=`.status.volumes`,description="How many Volumes are of it."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be at most 63 characters",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be at most 63 characters'"
type VolumeClass struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is how Volumes of the class are made. Nothing of it that is part of a Volume can be changed later.
	// +kubebuilder:default={}
	// +optional
	Spec VolumeClassSpec `json:"spec"`
	// Status is what Dogker last saw. It is restored when deleted.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status VolumeClassStatus `json:"status,omitempty"`
}

// VolumeClassList is a list of VolumeClasses.
//
// +kubebuilder:object:root=true
type VolumeClassList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []VolumeClass `json:"items"`
}

// VolumeClassSpec is how Volumes of a class are made.
//
// +kubebuilder:validation:XValidation:rule="!has(self.driver) || !has(oldSelf.driver) || self.driver == oldSelf.driver",message="driver cannot be changed, because there may be Volumes with it; make another class"
// +kubebuilder:validation:XValidation:rule="!has(self.access) || !has(oldSelf.access) || self.access == oldSelf.access",message="access cannot be changed, because there may be Volumes with it; make another class"
// +kubebuilder:validation:XValidation:rule="has(self.options) == has(oldSelf.options) && (!has(self.options) || self.options == oldSelf.options)",message="options cannot be changed, because engines keep those that a volume was made with; make another class"
// +kubebuilder:validation:XValidation:rule="has(self.sizeOption) == has(oldSelf.sizeOption) && (!has(self.sizeOption) || self.sizeOption == oldSelf.sizeOption)",message="sizeOption cannot be changed, because engines keep the options that a volume was made with; make another class"
// +kubebuilder:validation:XValidation:rule="!has(self.sizeOption) || !has(self.options) || !(self.sizeOption in self.options)",message="options must not hold the option that sizeOption names, because Dogker sets it"
type VolumeClassSpec struct {
	// Driver of the engines that makes the volumes: local, or the name of a volume plugin that is on every node.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9][a-zA-Z0-9_.:/-]*$`
	// +kubebuilder:default=local
	// +optional
	Driver string `json:"driver,omitempty"`

	// Options for the driver. In values, ${namespace}, ${name} and ${uid} stand for those of the Volume. Of the driver local,
	// type is nfs, nfs4 or cifs, device is the share, and o the options of the mount. device must hold ${uid}, or
	// else several Volumes would be the same files, at once or one after the other; the directory has to be on the server already.
	// Directories and disks of nodes are refused.
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$'))",message="names of options must be 1 to 63 letters, digits, _, . and -, and begin with a letter or digit"
	// +optional
	Options map[string]DriverOption `json:"options,omitempty"`

	// Access says which nodes see the data of a Volume. Single: the one that it lives on. Many: all of them, as with NFS.
	// +kubebuilder:default=Single
	// +optional
	Access VolumeAccess `json:"access,omitempty"`

	// ReclaimPolicy is what becomes of the data when a Volume is deleted that does not say so itself.
	// +kubebuilder:default=Delete
	// +optional
	ReclaimPolicy ReclaimPolicy `json:"reclaimPolicy,omitempty"`

	// MaxSize is how large a Volume of the class may be. Not set is no limit but the tenant's quota.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('1Mi')) >= 0 && quantity(string(self)).compareTo(quantity('64Pi')) <= 0",message="must be an amount of storage from 1Mi to 64Pi, such as 100Gi",messageExpression="'\"' + string(self) + '\" must be an amount of storage from 1Mi to 64Pi, such as 100Gi'"
	// +optional
	MaxSize *resource.Quantity `json:"maxSize,omitempty"`

	// SizeOption names the option by which the driver takes the size of a volume, in bytes, and holds it to it. Without one
	// nothing does: what is used beyond the size of a Volume is told by a condition. Engines take it only when a volume is
	// made, so that such a Volume cannot grow.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`
	// +optional
	SizeOption string `json:"sizeOption,omitempty"`
}

// DriverOption is the value of an option. The engine reads {{ as a template, so it must not hold that.
//
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:XValidation:rule="!self.contains('{{') && !self.contains('}}')",message="must not hold {{ or }}, which the engine reads as a template"
type DriverOption string

// VolumeAccess says which nodes see the data of a Volume.
//
// +kubebuilder:validation:Enum=Single;Many
type VolumeAccess string

// The kinds of access.
const (
	AccessSingle VolumeAccess = "Single"
	AccessMany   VolumeAccess = "Many"
)

// ReclaimPolicy is what becomes of data when its Volume is deleted. Retain: it stays where it is, as released data. Delete:
// it is removed.
//
// +kubebuilder:validation:Enum=Retain;Delete
type ReclaimPolicy string

// The reclaim policies.
const (
	ReclaimRetain ReclaimPolicy = "Retain"
	ReclaimDelete ReclaimPolicy = "Delete"
)

// VolumeClassStatus is what is known of a class; only the controller of classes writes it.
type VolumeClassStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Volumes is how many Volumes are of this class.
	// +optional
	Volumes int32 `json:"volumes"`
}
