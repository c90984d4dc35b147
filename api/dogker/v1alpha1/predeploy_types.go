package v1alpha1

// PreDeploy runs the image of a new revision to its end before any task of the revision is started, such as to migrate a database. It
// is a TenantJob that belongs to the container, with the container's variables, files, resources and security, and without its
// ports and volumes. What it needs counts against the quota as that of any job.
//
// +kubebuilder:validation:XValidation:rule="has(self.command) || has(self.args)",message="at least one of command and args must be set: the container's own do not end"
type PreDeploy struct {
	// Command replaces the image's entrypoint. It is not run in a shell. Where it is not set the container's is used.
	// +kubebuilder:validation:MaxItems=200
	// +listType=atomic
	// +optional
	Command []Text `json:"command,omitempty"`
	// Args are given to the command. The container's own are not used.
	// +kubebuilder:validation:MaxItems=200
	// +listType=atomic
	// +optional
	Args []Text `json:"args,omitempty"`
	// Env are further environment variables. They win over the container's.
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=name
	// +optional
	Env []EnvVar `json:"env,omitempty"`
	// ActiveDeadlineSeconds is how long it may take.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +kubebuilder:default=600
	// +optional
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`
	// BackoffLimit is how many failed tasks it may have before it has failed itself, and the rollout with it.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10
	// +kubebuilder:default=0
	// +optional
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`
}
