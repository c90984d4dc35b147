package v1alpha1

// VolumeMount is a Volume as a container sees it.
type VolumeMount struct {
	// Name of a Volume of the same namespace. The container waits until there is one.
	Name DNSLabel `json:"name"`
	// MountPath in the container. What the image has there is copied into a volume that is empty, as the engine does.
	MountPath AbsolutePath `json:"mountPath"`
	// ReadOnly keeps the container from writing to it.
	// +optional
	ReadOnly bool `json:"readOnly,omitempty"`
}
