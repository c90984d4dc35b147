package v1alpha1

// Security of the process.
//
// +kubebuilder:validation:XValidation:rule="!has(self.runAsGroup) || has(self.runAsUser)",message="runAsGroup needs runAsUser"
type Security struct {
	// RunAsUser is the user ID; by default the image's own.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	// +optional
	RunAsUser *int64 `json:"runAsUser,omitempty"`
	// RunAsGroup is the group ID; it needs runAsUser.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	// +optional
	RunAsGroup *int64 `json:"runAsGroup,omitempty"`
	// ReadOnlyRootFilesystem mounts the image read-only.
	// +optional
	ReadOnlyRootFilesystem bool `json:"readOnlyRootFilesystem,omitempty"`
	// Capabilities added to and dropped from the engine's default set.
	// +optional
	Capabilities *Capabilities `json:"capabilities,omitempty"`
	// Init runs a small init process as PID 1 that reaps zombies and forwards signals.
	// +optional
	Init *bool `json:"init,omitempty"`
}

// Capabilities in Linux' names without the prefix CAP_.
type Capabilities struct {
	// Add gives capabilities beyond the engine's defaults. Only those of Kubernetes' baseline profile are allowed.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:Enum=AUDIT_WRITE;CHOWN;DAC_OVERRIDE;FOWNER;FSETID;KILL;MKNOD;NET_BIND_SERVICE;SETFCAP;SETGID;SETPCAP;SETUID;SYS_CHROOT
	// +listType=set
	// +optional
	Add []string `json:"add,omitempty"`
	// Drop takes capabilities away; ALL takes all of them.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:Enum=ALL;AUDIT_WRITE;CHOWN;DAC_OVERRIDE;FOWNER;FSETID;KILL;MKNOD;NET_BIND_SERVICE;NET_RAW;SETFCAP;SETGID;SETPCAP;SETUID;SYS_CHROOT
	// +listType=set
	// +optional
	Drop []string `json:"drop,omitempty"`
}
