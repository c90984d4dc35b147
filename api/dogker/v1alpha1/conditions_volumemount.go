package v1alpha1

// Reasons of what mounts Volumes, beside those of Volumes themselves: a container that cannot be given its Volume says why in
// the Volume's own word.
const (
	// ReasonVolumeNotFound: spec.volumes names a Volume that does not exist.
	ReasonVolumeNotFound = "VolumeNotFound"
	// ReasonVolumeConflict: what is declared cannot be with the Volumes that are mounted: more than one writer of data that
	// one node has, or a placement that its node does not fulfil.
	ReasonVolumeConflict = "VolumeConflict"
)
