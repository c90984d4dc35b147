package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VolumeSnapshotClass is a place where snapshots of Volumes are kept. Only the platform writes and reads it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=volumesnapshotclasses,scope=Cluster,shortName=vsclass,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether the place can be used."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Bucket",type=string,JSONPath=`.spec.s3.bucket`,description="The bucket, of a class that keeps them in S3."
// +kubebuilder:printcolumn:name="Path",type=string,JSONPath=`.spec.directory.path`,description="The directory, of a class that keeps them in one."
// +kubebuilder:printcolumn:name="Deletion",type=string,JSONPath=`.spec.deletionPolicy`,description="What becomes of the archive when a snapshot is deleted."
// +kubebuilder:printcolumn:name="Snapshots",type=integer,JSONPath=`.status.snapshots`,description="How many VolumeSnapshots are of it."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be at most 63 characters",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be at most 63 characters'"
type VolumeSnapshotClass struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is where snapshots are kept, and how.
	Spec VolumeSnapshotClassSpec `json:"spec"`
	// Status is what Dogker last saw. It is restored when deleted.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status VolumeSnapshotClassStatus `json:"status,omitempty"`
}

// VolumeSnapshotClassList is a list of VolumeSnapshotClasses.
//
// +kubebuilder:object:root=true
type VolumeSnapshotClassList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []VolumeSnapshotClass `json:"items"`
}

// VolumeSnapshotClassSpec is where snapshots are kept, and how. Where they are cannot be changed; credentials and keys can.
//
// +kubebuilder:validation:XValidation:rule="has(self.directory) != has(self.s3)",message="exactly one of directory and s3 must be set"
// +kubebuilder:validation:XValidation:rule="has(self.directory) == has(oldSelf.directory) && (!has(self.directory) || self.directory.path == oldSelf.directory.path)",message="directory cannot be changed, because there may be snapshots in it; make another class"
// +kubebuilder:validation:XValidation:rule="!has(self.s3) || !has(oldSelf.s3) || self.s3.bucket == oldSelf.s3.bucket",message="s3.bucket cannot be changed, because there may be snapshots in it; make another class"
// +kubebuilder:validation:XValidation:rule="!has(self.s3) || !has(oldSelf.s3) || (has(self.s3.folder) == has(oldSelf.s3.folder) && (!has(self.s3.folder) || self.s3.folder == oldSelf.s3.folder))",message="s3.folder cannot be changed, because there may be snapshots in it; make another class"
type VolumeSnapshotClassSpec struct {
	// Directory keeps them as files.
	// +optional
	Directory *SnapshotDirectory `json:"directory,omitempty"`

	// S3 keeps them as objects of a store that speaks the S3 protocol.
	// +optional
	S3 *SnapshotS3 `json:"s3,omitempty"`

	// KeySecretRef names a Secret of the namespace dogker-system that has age identities under the key identity: the first
	// encrypts, and all open. When the Secret is not there, a key is made and kept under that name; without this field it is called
	// snapshot-key-<name of the class>. Without the key no snapshot can be restored: keep a copy elsewhere.
	// +optional
	KeySecretRef *LocalObjectReference `json:"keySecretRef,omitempty"`

	// Recipients are age recipients (age1…) who can open archives as well, such as that of a key that is kept off line. They cannot
	// restore with it through Dogker.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=4096
	// +kubebuilder:validation:items:Pattern=`^age1[a-z0-9]+$`
	// +listType=set
	// +optional
	Recipients []string `json:"recipients,omitempty"`

	// DeletionPolicy is what becomes of the archive when its VolumeSnapshot is deleted. Retain leaves it where it is; a
	// VolumeSnapshot with spec.source.archive takes it up again.
	// +kubebuilder:default=Delete
	// +optional
	DeletionPolicy ReclaimPolicy `json:"deletionPolicy,omitempty"`
}

// SnapshotDirectory is a directory of the machines that run servers.
type SnapshotDirectory struct {
	// Path of the directory, which must be there. Where there are several servers it must be the same file system on all of them.
	Path AbsolutePath `json:"path"`
}

// SnapshotS3 is a bucket of a store that speaks the S3 protocol.
type SnapshotS3 struct {
	// Endpoint such as https://s3.example.com or https://s3.example.com:9000.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@]+/?$`
	Endpoint string `json:"endpoint"`
	// Region of the bucket; us-east-1 when not set, which stores that have none take.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[a-z0-9-]+$`
	// +optional
	Region string `json:"region,omitempty"`
	// Bucket, which must be there.
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9.-]*[a-z0-9]$`
	Bucket string `json:"bucket"`
	// Folder that all objects are in; all of the bucket when not set.
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$`
	// +optional
	Folder string `json:"folder,omitempty"`
	// CredentialsSecretRef names a Secret of the namespace dogker-system with the keys accessKey and secretKey, and ca with
	// authorities in PEM when the certificate of the store is signed by others than the system knows.
	CredentialsSecretRef LocalObjectReference `json:"credentialsSecretRef"`
	// AllowPrivate lets the server use addresses of private networks, and plain HTTP.
	// +optional
	AllowPrivate bool `json:"allowPrivate,omitempty"`
}

// VolumeSnapshotClassStatus is what is known of a class; only the controller of classes writes it.
type VolumeSnapshotClassStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Snapshots is how many VolumeSnapshots are of this class.
	// +optional
	Snapshots int32 `json:"snapshots"`
	// Recipient is the age recipient that archives are made for at present, besides spec.recipients.
	// +optional
	Recipient string `json:"recipient,omitempty"`
}
