package v1alpha1

// FinalizerVolume holds a Volume until nothing mounts it and its reclaim policy has been obeyed.
const FinalizerVolume = "dogker.io/volume"

// FinalizerVolumeClass holds a VolumeClass for as long as a Volume is of it.
const FinalizerVolumeClass = "dogker.io/volumeclass-in-use"

// FinalizerReleasedVolume holds a ReleasedVolume until its data is removed, or is adopted.
const FinalizerReleasedVolume = "dogker.io/released-volume"

// AnnotationTakenBack on a ReleasedVolume says that Dogker takes the record back, because the data is adopted or gone: what
// goes with it is the record alone. Dogker writes it right before it deletes one.
const AnnotationTakenBack = "dogker.io/taken-back"

// LabelReleasedFrom on a ReleasedVolume is the namespace whose quota it counts in, because a Volume there was deleted and has left
// its data. Data that was found is without it.
const LabelReleasedFrom = "dogker.io/released-from"

// AnnotationDefaultClass on a VolumeClass makes it the one for Volumes that name none, when its value is "true". Of several the
// newest counts, as in Kubernetes.
const AnnotationDefaultClass = "dogker.io/is-default-class"

// DefaultVolumeClass is the name of the class that a server makes when it starts for the first time.
const DefaultVolumeClass = "local"

// KindVolume is the kind of the owner of volumes of engines.
const KindVolume = "Volume"

// FinalizerVolumeSnapshot holds a VolumeSnapshot until what it has frozen runs again and its archive is removed or left, as its class says.
const FinalizerVolumeSnapshot = "dogker.io/volumesnapshot"

// FinalizerVolumeSnapshotClass holds a VolumeSnapshotClass for as long as a VolumeSnapshot is of it.
const FinalizerVolumeSnapshotClass = "dogker.io/volumesnapshotclass-in-use"

// LabelSnapshotVolume on a VolumeSnapshot that was made by schedule is the UID of the Volume that it is of.
const LabelSnapshotVolume = "dogker.io/volume-uid"

// AnnotationScheduledAt on a VolumeSnapshot that was made by schedule is the tick that it was made for, in RFC 3339.
const AnnotationScheduledAt = "dogker.io/scheduled-at"
