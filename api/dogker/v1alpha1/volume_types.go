package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Volume is data that outlives the containers that use it. It is made when a container uses it first, and goes when the
// Volume is deleted, unless it is to be retained.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=volumes,shortName=vol,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether containers can use it."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Class",type=string,JSONPath=`.spec.className`,description="The VolumeClass that it is of."
// +kubebuilder:printcolumn:name="Size",type=string,JSONPath=`.spec.size`,description="How large it is declared to be."
// +kubebuilder:printcolumn:name="Used",type=string,JSONPath=`.status.used`,description="How much of it is used, as last measured."
// +kubebuilder:printcolumn:name="Node",type=string,JSONPath=`.status.node.hostname`,description="The node that it lives on."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reclaim",type=string,priority=1,JSONPath=`.spec.reclaimPolicy`,description="What becomes of the data when it is deleted."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",message="metadata.name must be a DNS label: at most 63 characters and no dots",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be a DNS label: at most 63 characters and no dots'"
type Volume struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is asked for.
	Spec VolumeSpec `json:"spec"`
	// Status is what Dogker last saw. It is restored when deleted.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status VolumeStatus `json:"status,omitempty"`
}

// VolumeList is a list of Volumes.
//
// +kubebuilder:object:root=true
type VolumeList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Volume `json:"items"`
}

// VolumeSpec is what is asked for.
//
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.className) || has(self.className) && self.className == oldSelf.className",message="className cannot be changed; make another Volume and copy what is in this one"
// +kubebuilder:validation:XValidation:rule="has(self.adopt) == has(oldSelf.adopt) && (!has(self.adopt) || self.adopt == oldSelf.adopt)",message="adopt cannot be changed; make another Volume"
// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self.size)) || !isQuantity(string(oldSelf.size)) || quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0",message="size cannot be made smaller; make another Volume and copy what is in this one",messageExpression="'size: ' + string(self.size) + ' is less than ' + string(oldSelf.size) + '; a Volume cannot be made smaller: make another one and copy what is in this one'"
type VolumeSpec struct {
	// ClassName names the VolumeClass. When not set, the default class is filled in when the Volume is made.
	// +optional
	ClassName DNSLabel `json:"className,omitempty"`

	// Size that it is charged for, and counted as in the quota of the tenant. It may grow, unless the class holds volumes to
	// their sizes; it cannot be made smaller.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('1Mi')) >= 0 && quantity(string(self)).compareTo(quantity('64Pi')) <= 0",message="must be an amount of storage from 1Mi to 64Pi, such as 10Gi",messageExpression="'\"' + string(self) + '\" must be an amount of storage from 1Mi to 64Pi, such as 10Gi'"
	Size resource.Quantity `json:"size"`

	// ReclaimPolicy is what becomes of the data when the Volume is deleted. That of the class is filled in when not set.
	// +optional
	ReclaimPolicy ReclaimPolicy `json:"reclaimPolicy,omitempty"`

	// Node that it is to live on, by hostname or ID. When not set, a node is chosen that its first container can run on. Another
	// node than the one that it lives on moves it: what mounts it is stopped, its data is copied, read back and compared, and what
	// mounts it starts there.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`
	// +optional
	Node string `json:"node,omitempty"`

	// Adopt is the engine's name of released data that this Volume is to take over, which is the
	// volumeName of a ReleasedVolume. Only the platform may set it, because it decides whose data that is.
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`
	// +optional
	Adopt string `json:"adopt,omitempty"`

	// Snapshots says when snapshots are made of it, how many stay, and what is done around them.
	// +optional
	Snapshots *VolumeSnapshots `json:"snapshots,omitempty"`

	// RestoreFrom names a VolumeSnapshot of the namespace whose data it is to have. Of a new Volume that is the data it begins with.
	// When it names another one later, that data takes the place of what the Volume has, once all of it is on the node and was
	// verified: what mounts the Volume goes on until then, and is restarted with it. Then nothing more happens, also when this
	// is removed; a snapshot is restored again after it was removed.
	// +optional
	RestoreFrom ObjectName `json:"restoreFrom,omitempty"`
}

// VolumeStatus is what is known of it; only the controller of Volumes writes it.
type VolumeStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// VolumeName is what the engines call it.
	// +optional
	VolumeName string `json:"volumeName,omitempty"`
	// Node that it lives on, or will live on. It is absent while none is chosen, and when all nodes see the data.
	// +optional
	Node *VolumeNode `json:"node,omitempty"`
	// ProvisionedAt is when the data was first seen on a node. From then on a Volume without data is one that has lost it.
	// +optional
	ProvisionedAt *metav1.Time `json:"provisionedAt,omitempty"`
	// MountedAt is when a service in Swarm was first seen to mount it. From then on its node is not given up, whether or not the node
	// tells of data.
	// +optional
	MountedAt *metav1.Time `json:"mountedAt,omitempty"`
	// Restores is how often the store had been put back to an earlier time when this record was last known to be whole. When it is
	// absent, or another number holds now, no node is chosen before all nodes have told that they have no data of it.
	// +optional
	Restores *int64 `json:"restores,omitempty"`
	// UsedBy lists what mounts it, by kind and name; the first 64.
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	// +optional
	UsedBy []VolumeUser `json:"usedBy,omitempty"`
	// Used is how much data it holds, as MeasuredAt.
	// +optional
	Used *resource.Quantity `json:"used,omitempty"`
	// MeasuredAt is when that was measured.
	// +optional
	MeasuredAt *metav1.Time `json:"measuredAt,omitempty"`
	// Move to another node that is under way, or was given up; absent otherwise.
	// +optional
	Move *VolumeMove `json:"move,omitempty"`
	// Restore of a snapshot that is under way, or was given up; absent otherwise.
	// +optional
	Restore *VolumeRestore `json:"restore,omitempty"`
	// Restored is the last snapshot that was restored; the data of the Volume has come from it.
	// +optional
	Restored *VolumeRestored `json:"restored,omitempty"`
	// Superseded is data that it had before, and that goes, as its reclaim policy says, once nothing mounts it any more.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=volumeName
	// +listMapKey=node
	// +optional
	Superseded []SupersededData `json:"superseded,omitempty"`
	// Snapshots is how its snapshots by schedule stand; absent without a schedule.
	// +optional
	Snapshots *VolumeSnapshotsStatus `json:"snapshots,omitempty"`
}

// VolumeNode is a node that data lives on.
type VolumeNode struct {
	// ID by which Swarm knows the node.
	ID string `json:"id"`
	// Hostname of the node, for people.
	// +optional
	Hostname string `json:"hostname,omitempty"`
}

// VolumeUser is something that mounts a Volume.
type VolumeUser struct {
	// Kind such as TenantContainer.
	Kind string `json:"kind"`
	// Name of it, in the namespace of the Volume.
	Name string `json:"name"`
}
