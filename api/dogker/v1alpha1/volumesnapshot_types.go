package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VolumeSnapshot is a copy of what was in a Volume, as an encrypted archive in the place that its class names. It outlives the Volume.
// A Volume whose spec.restoreFrom names it gets its data.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=volumesnapshots,shortName=vs,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether it was made and verified."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Volume",type=string,JSONPath=`.spec.source.volumeName`,description="The Volume that it is of."
// +kubebuilder:printcolumn:name="Restore-Size",type=string,JSONPath=`.status.restoreSize`,description="How much data it holds."
// +kubebuilder:printcolumn:name="Archive-Size",type=string,JSONPath=`.status.archiveSize`,description="How much the archive takes."
// +kubebuilder:printcolumn:name="Class",type=string,JSONPath=`.spec.className`,description="The VolumeSnapshotClass, which says where it is kept."
// +kubebuilder:printcolumn:name="Taken",type=date,JSONPath=`.status.creationTime`,description="When the data was read."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
type VolumeSnapshot struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what it is of. It cannot be changed.
	Spec VolumeSnapshotSpec `json:"spec"`
	// Status is what was made.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status VolumeSnapshotStatus `json:"status,omitempty"`
}

// VolumeSnapshotList is a list of VolumeSnapshots.
//
// +kubebuilder:object:root=true
type VolumeSnapshotList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []VolumeSnapshot `json:"items"`
}

// VolumeSnapshotSpec is what a snapshot is of.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a snapshot cannot be changed; make another one"
type VolumeSnapshotSpec struct {
	// Source is what it is made of.
	Source VolumeSnapshotSource `json:"source"`
	// ClassName names the VolumeSnapshotClass. When not set, that of spec.snapshots of the Volume is filled in, or the default class.
	// +optional
	ClassName DNSLabel `json:"className,omitempty"`
}

// VolumeSnapshotSource is what a snapshot is made of: a Volume, or an archive that is there already.
//
// +kubebuilder:validation:XValidation:rule="has(self.volumeName) != has(self.archive)",message="exactly one of volumeName and archive must be set"
type VolumeSnapshotSource struct {
	// VolumeName names a Volume of the namespace.
	// +optional
	VolumeName DNSLabel `json:"volumeName,omitempty"`
	// Archive is one that is in the place of the class already, of a snapshot that was there before. Only the platform may set
	// it, because it decides whose data that is.
	// +optional
	Archive *SnapshotArchive `json:"archive,omitempty"`
}

// SnapshotArchive is an archive in the place of a class.
type SnapshotArchive struct {
	// Name of the object or file, below the folder of the class.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$`
	Name string `json:"name"`
	// VolumeUID is the UID of the Volume that it was made of, which stands in the archive.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	VolumeUID string `json:"volumeUID"`
}

// VolumeSnapshotStatus is what was made; only the controller of snapshots writes it.
type VolumeSnapshotStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// VolumeUID is the UID of the Volume that it is of.
	// +optional
	VolumeUID string `json:"volumeUID,omitempty"`
	// ArchiveName is the name of the archive, below the folder of the class.
	// +optional
	ArchiveName string `json:"archiveName,omitempty"`
	// CreationTime is when reading the data began.
	// +optional
	CreationTime *metav1.Time `json:"creationTime,omitempty"`
	// RestoreSize is how many bytes of files it holds.
	// +optional
	RestoreSize *resource.Quantity `json:"restoreSize,omitempty"`
	// ArchiveSize is how many bytes the archive has.
	// +optional
	ArchiveSize *resource.Quantity `json:"archiveSize,omitempty"`
	// Entries is how many files, directories and links it holds.
	// +optional
	Entries int64 `json:"entries,omitempty"`
	// Digest of what is in it, as Dogker computes it over all names, owners, modes, times and bytes.
	// +optional
	Digest string `json:"digest,omitempty"`
	// ArchiveSHA256 is the SHA-256 of the archive as it is stored.
	// +optional
	ArchiveSHA256 string `json:"archiveSHA256,omitempty"`
	// Attempt is the one that is being made; absent before the first, and after the last.
	// +optional
	Attempt *SnapshotAttempt `json:"attempt,omitempty"`
	// Failures is how many attempts have failed.
	// +optional
	Failures int32 `json:"failures,omitempty"`
	// LastFailure is why the last attempt that has failed did; absent while none has, and once it was made.
	// +optional
	LastFailure *SnapshotFailure `json:"lastFailure,omitempty"`
}

// SnapshotFailure is why an attempt has failed.
type SnapshotFailure struct {
	// Reason in one word.
	Reason string `json:"reason"`
	// Message is a sentence.
	Message string `json:"message"`
	// Final is true when no other attempt is made.
	// +optional
	Final bool `json:"final,omitempty"`
}

// SnapshotAttempt is an attempt to make a snapshot. It is on record before anything is done, so that who goes on after a kill knows what
// may have to be undone.
type SnapshotAttempt struct {
	// Number of the attempt, from 1.
	Number int32 `json:"number"`
	// StartedAt is when it was begun.
	StartedAt metav1.Time `json:"startedAt"`
	// Process of Dogker that goes on with it, by a name that no other has. Another one first writes its own here, before it does
	// anything.
	// +optional
	Process string `json:"process,omitempty"`
	// Node is the ID of the node that is read; absent when only an archive is.
	// +optional
	Node string `json:"node,omitempty"`
	// VolumeName is what its engine calls the data.
	// +optional
	VolumeName string `json:"volumeName,omitempty"`
	// Quiesce is what keeps the data from changing, as it was declared when the attempt was begun.
	// +optional
	Quiesce QuiesceMode `json:"quiesce,omitempty"`
	// PostHook is what has to run after reading, as it was declared when the attempt was begun.
	// +optional
	PostHook *SnapshotPostHook `json:"postHook,omitempty"`
	// Ended is true when nothing is read any more.
	// +optional
	Ended bool `json:"ended,omitempty"`
	// Undone is true when also what was done before reading was undone: containers are not frozen, and the post hook has run.
	// +optional
	Undone bool `json:"undone,omitempty"`
	// UndoFailures is how often it could not be undone.
	// +optional
	UndoFailures int32 `json:"undoFailures,omitempty"`
	// NotBefore is when what comes next may begin: to undo, or another attempt.
	// +optional
	NotBefore *metav1.Time `json:"notBefore,omitempty"`
}

// SnapshotPostHook is a command that runs after the data was read.
type SnapshotPostHook struct {
	// Container is the TenantContainer whose task it runs in.
	Container string `json:"container"`
	// Command with its arguments.
	// +listType=atomic
	Command []string `json:"command"`
	// TimeoutSeconds is how long it may take.
	TimeoutSeconds int32 `json:"timeoutSeconds"`
	// OnError says what follows when it fails.
	OnError HookErrorMode `json:"onError"`
}

// VolumeSnapshots says when snapshots of a Volume are made, how many stay, and what is done around them.
//
// +kubebuilder:validation:XValidation:rule="has(self.schedule) || !has(self.timeZone)",message="timeZone must not be set without schedule"
type VolumeSnapshots struct {
	// ClassName names the VolumeSnapshotClass, which says where they are kept. When not set, the default class is used.
	// +optional
	ClassName DNSLabel `json:"className,omitempty"`

	// Schedule says when one is made, as that of a TenantJob. Without one they are made only by making VolumeSnapshots.
	// +optional
	Schedule CronExpression `json:"schedule,omitempty"`

	// TimeZone is the name of the zone whose clocks count, from the IANA database: Asia/Jakarta. UTC when not set.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	TimeZone string `json:"timeZone,omitempty"`

	// Suspend makes none by schedule while it is true, and removes none.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// Keep is how many snapshots that were made by schedule stay, the newest good ones. Others stay until they are deleted.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +kubebuilder:default=7
	// +optional
	Keep *int32 `json:"keep,omitempty"`

	// Quiesce says what keeps data from changing while it is read. None: nothing; what changes files in place is then likely to
	// make the snapshot fail, or to be in it in parts. Pause: the containers that mount it are frozen meanwhile, by the cgroup freezer; the
	// data is what a power cut would leave, all of one moment.
	// +kubebuilder:default=None
	// +optional
	Quiesce QuiesceMode `json:"quiesce,omitempty"`

	// Hooks are commands that run in the container that mounts the Volume, before and after its data is read.
	// +optional
	Hooks *SnapshotHooks `json:"hooks,omitempty"`
}

// QuiesceMode says what keeps data from changing while it is read.
//
// +kubebuilder:validation:Enum=None;Pause
type QuiesceMode string

// The modes.
const (
	QuiesceNone  QuiesceMode = "None"
	QuiescePause QuiesceMode = "Pause"
)

// SnapshotHooks are commands around a snapshot. When no task of the container runs, there is nothing to prepare, and none is run.
type SnapshotHooks struct {
	// Container is the TenantContainer whose task they run in. When not set, it is the one that mounts the Volume for writing.
	// +optional
	Container DNSLabel `json:"container,omitempty"`
	// Pre runs before data is read.
	// +optional
	Pre *SnapshotHook `json:"pre,omitempty"`
	// Post runs after it was read, also when that or pre has failed, and also after Dogker was killed meanwhile; so it may run more
	// than once.
	// +optional
	Post *SnapshotHook `json:"post,omitempty"`
}

// SnapshotHook is a command.
type SnapshotHook struct {
	// Command with its arguments. It is not run in a shell.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=200
	// +listType=atomic
	Command []Text `json:"command"`
	// TimeoutSeconds is how long it may take; then it has failed. It may go on in the container.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	// +kubebuilder:default=30
	// +optional
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`
	// OnError says what follows when it fails: Fail fails the attempt, Continue goes on.
	// +kubebuilder:default=Fail
	// +optional
	OnError HookErrorMode `json:"onError,omitempty"`
}

// HookErrorMode says what follows when a hook fails.
//
// +kubebuilder:validation:Enum=Fail;Continue
type HookErrorMode string

// The modes.
const (
	HookFail     HookErrorMode = "Fail"
	HookContinue HookErrorMode = "Continue"
)
