package v1alpha1

// Placement says which nodes may run the tasks.
type Placement struct {
	// Constraints in Swarm's own language, such as node.labels.zone == a. All must hold. Swarm takes no slash in the name
	// of a label here.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^(node\.(id|hostname|role|ip|platform\.os|platform\.arch|labels\.[A-Za-z0-9][A-Za-z0-9._-]*)|engine\.labels\.[A-Za-z0-9][A-Za-z0-9._-]*)\s*(==|!=)\s*[A-Za-z0-9:._/-]+$`
	// +listType=set
	// +optional
	Constraints []string `json:"constraints,omitempty"`
	// Spread distributes the tasks evenly over the values of node labels, such as node.labels.zone; earlier entries
	// come first.
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^(node|engine)\.labels\.[A-Za-z0-9][A-Za-z0-9._/-]*$`
	// +listType=atomic
	// +optional
	Spread []string `json:"spread,omitempty"`
	// MaxReplicasPerNode limits the tasks on one node; not set is no limit.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	MaxReplicasPerNode *int32 `json:"maxReplicasPerNode,omitempty"`
	// Platforms the image runs on; not set is any.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	Platforms []Platform `json:"platforms,omitempty"`
}

// Platform of a node.
type Platform struct {
	// OS such as linux.
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[a-z0-9]+$`
	OS string `json:"os"`
	// Architecture such as amd64 or arm64.
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[a-z0-9_]+$`
	Architecture string `json:"architecture"`
}
